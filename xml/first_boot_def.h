#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * FirstBootDef: what a container is told before it boots for the first time, <ct:firstboot> of a
 * definition. Pure data.
 */

#include "base/error.h"
#include "base/strv.h"
#include "base/uuid.h"

typedef struct SshKeyDef {
        char *user; /* "root" */
        char *key;  /* one line of authorized_keys(5) */
} SshKeyDef;

typedef struct FirstBootDef {
        char *hostname;  /* NULL: the container's name */
        char *root_hash; /* crypt(5); NULL: the account stays as the distribution leaves it */
        bool root_hash_withheld; /* root_hash is NULL, and whoever wrote this was not shown it */
        char *locale;            /* "de_DE.UTF-8"; NULL */
        char *keymap;            /* "de"; NULL */
        char *timezone;          /* "Europe/Berlin"; NULL */
        char *machine_id;        /* 32 hex digits or "uninitialized"; NULL: the definition's UUID */
        SshKeyDef *ssh_keys;
        size_t n_ssh_keys;
        char **search_domains;
} FirstBootDef;

/* Every value as it will stand in a file of the container: one line, no control character; host
 * name, locale, time zone, crypt(5) hash, user name, domain and key by their own syntax. -EINVAL. */
int first_boot_def_check(const FirstBootDef *def, Error **err);

/* "$id$salt$hash" of crypt(5), "!", "*" or "!…": nothing that ends the field of shadow(5). */
bool password_hash_is_valid(const char *s);

FirstBootDef *first_boot_def_copy(const FirstBootDef *def); /* NULL when memory is short */
bool first_boot_def_equal(const FirstBootDef *a, const FirstBootDef *b);
FirstBootDef *first_boot_def_free(FirstBootDef *def);
DEFINE_CLEANUP(FirstBootDef *, first_boot_def_free)
#define _cleanup_first_boot_def_ _cleanup_(first_boot_def_freep)
