/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Command lines of units, and the way back: what we quote is read as it was.
 */

#include "base/name.h"
#include "fuzz.h"
#include "units/conf_word.h"
#include "units/unit_escape.h"
#include "units/unit_exec.h"

static void check_command(const char *text) {
        _cleanup_unit_exec_ UnitExec e = { 0 };
        int r;

        r = unit_exec_add(&e, text, "web-1");
        fuzz_check(r == 0 || r == -EINVAL);
        fuzz_check(!e.bridge || (e.has_network && link_name_is_valid(e.bridge)));
        fuzz_check(unit_exec_add(&e, "", "web-1") == 0 && !e.bridge && !e.has_network);
}

static void check_quoting(const char *text, void (*put)(FILE *f, const char *s),
                          ConfWordFlags flags) {
        _cleanup_free_ char *quoted = NULL, *word = NULL;
        const char *p;
        size_t size;
        FILE *f = open_memstream(&quoted, &size);

        fuzz_check(f);
        put(f, text);
        fuzz_check(fclose(f) == 0);

        p = quoted;
        fuzz_check(conf_word_next(&p, flags, &word) == 1);
        fuzz_check(!*p && streq(word, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);

        fuzz_check(text);
        check_command(text);
        if (!conf_text_is_valid(text))
                return 0;

        check_quoting(text, nspawn_put_word, CONF_WORD_PLAIN_BACKSLASH);
        if (strpbrk(text, "%$"))
                return 0;
        check_quoting(text, unit_put_word, 0);
        check_quoting(text, unit_put_argument, CONF_WORD_C_ESCAPES);
        return 0;
}
