#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What programs say, line by line: made safe for a terminal and a log, what it says of progress,
 * and of what went wrong. Pure functions over text.
 */

#include "base/macro.h"

#define TOOL_LINE_MAX 1000

/* Calls line for each line that is whole; lines end with \n or \r (progress that writes over
 * itself). */
typedef struct ToolLines {
        char text[TOOL_LINE_MAX + 1];
        size_t length;
} ToolLines;

typedef void (*ToolLineHandler)(void *userdata, const char *line);

void tool_lines_add(ToolLines *l, const char *data, size_t size, ToolLineHandler line,
                    void *userdata);
/* What is left without an end. */
void tool_lines_finish(ToolLines *l, ToolLineHandler line, void *userdata);

/* Who says it, for the progress. */
typedef enum ToolKind {
        TOOL_PLAIN,      /* nothing is known */
        TOOL_MMDEBSTRAP, /* --verbose: its own lines, and those of apt and dpkg */
        TOOL_DEBOOTSTRAP,
        TOOL_DNF, /* 4 and 5 */
        TOOL_SKOPEO,
} ToolKind;

typedef struct ToolProgress {
        ToolKind kind;
        double percent;       /* so far; never goes back */
        double from, to;      /* of the part that runs */
        unsigned total, done; /* of the part; total 0: not known */
        unsigned part;
} ToolProgress;

/* The percentage after the line, negative if it is not known. */
double tool_progress_line(ToolProgress *p, const char *line);

/* What to try, if one of the lines is known; code gets an errno that says it in one word (EIO if
 * not). NULL if none is. */
const char *tool_hint(char *const *lines, int *ret_code);
