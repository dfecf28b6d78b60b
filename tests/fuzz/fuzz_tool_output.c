/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What programs and servers say: it goes to terminals, logs and unit states.
 */

#include "agent/bootstrap/tool_output.h"
#include "fuzz.h"
#include "units/unit_escape.h"

typedef struct Seen {
        ToolProgress progress;
        double percent;
        char *last;
} Seen;

static void on_line(void *userdata, const char *line) {
        Seen *s = userdata;
        double percent = tool_progress_line(&s->progress, line);

        fuzz_check(*line && strlen(line) <= TOOL_LINE_MAX);
        fuzz_check(conf_text_is_valid(line));
        fuzz_check(percent <= 100);
        fuzz_check(percent < 0 || percent >= s->percent);
        s->percent = percent;
        free(s->last);
        s->last = strdup(line);
        fuzz_check(s->last);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        for (ToolKind kind = TOOL_PLAIN; kind <= TOOL_SKOPEO; kind++) {
                Seen s = { .progress.kind = kind };
                ToolLines lines = { .length = 0 };
                char *last[] = { NULL, NULL };
                int code;

                tool_lines_add(&lines, (const char *) data, size / 2, on_line, &s);
                tool_lines_add(&lines, (const char *) data + size / 2, size - size / 2, on_line,
                               &s);
                tool_lines_finish(&lines, on_line, &s);
                last[0] = s.last;
                (void) tool_hint(last, &code);
                fuzz_check(code > 0);
                free(s.last);
        }
        return 0;
}
