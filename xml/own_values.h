#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The values of <ct:bootstrap> and <ct:firstboot>, one ValueKind each. They become arguments of
 * tools, lines of files and names of files: none begins with '-' or has a control character, none
 * has a character that ends the field that it will stand in.
 */

#include "base/error.h"

typedef struct ValueKind {
        const char *what;     /* "package": for messages */
        const char *expected; /* the end of the sentence "… expected …" */
        bool (*is_valid)(const char *s);
        bool secret; /* not shown in messages */
} ValueKind;

/* Where a root comes from. */
extern const ValueKind value_recipe;  /* also a file name */
extern const ValueKind value_release; /* also a file name */
extern const ValueKind value_architecture;
extern const ValueKind value_mirror; /* http, https, file */
extern const ValueKind value_web;    /* http, https */
extern const ValueKind value_repository_id;
extern const ValueKind value_repository_key; /* absolute path or URL */
extern const ValueKind value_package;
extern const ValueKind value_path;
extern const ValueKind value_container;
extern const ValueKind value_base; /* also a file name */
extern const ValueKind value_image;
extern const ValueKind value_sha256;

/* What a root is told. */
extern const ValueKind value_hostname;
extern const ValueKind value_password_hash;
extern const ValueKind value_locale;
extern const ValueKind value_keymap;
extern const ValueKind value_timezone;
extern const ValueKind value_machine_id;
extern const ValueKind value_user;
extern const ValueKind value_ssh_key;
extern const ValueKind value_domain;

/* -EINVAL with a sentence for a value that is not of the kind. NULL, a value that is not given, is.
 */
int value_check(const ValueKind *kind, const char *s, Error **err);

/* The same for each string of a vector. */
int value_check_all(const ValueKind *kind, char *const *v, Error **err);
