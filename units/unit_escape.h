#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Writing text into unit files and .nspawn files so that systemd reads back what was meant. Nothing
 * can carry a line break or another control character: check with conf_text_is_valid() first.
 */

#include "base/macro.h"

/* UTF-8 without control characters; a tab is none. */
bool conf_text_is_valid(const char *s);

/* True if s can stand behind "KEY=" as it is: valid text, no blanks at either end, no backslash at
 * its end. */
bool conf_value_is_plain(const char *s);

/* .nspawn: a word of a list (Parameters=, Environment=), where a backslash stands for itself. */
void nspawn_put_word(FILE *f, const char *s);

/* .nspawn: SOURCE:TARGET of Bind= and BindReadOnly=. */
void nspawn_put_bind(FILE *f, const char *source, const char *target);

/* Unit file: a value in which only specifiers are special (Description=). */
void unit_put_text(FILE *f, const char *s);

/* Unit file: a path that is the whole value (ConditionPathExists=). */
void unit_put_path(FILE *f, const char *s);

/* Unit file: a quoted word (RequiresMountsFor=). */
void unit_put_word(FILE *f, const char *s);

/* Unit file: a quoted word of a command line, where a dollar is special as well (ExecStart=). */
void unit_put_argument(FILE *f, const char *s);
