#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * BootstrapDef: how the root of a container is made, <ct:bootstrap type='…'> of a definition, or
 * what the command line says instead (--from). Pure data; nothing here looks at the host.
 */

#include "base/error.h"
#include "base/strv.h"

typedef enum BootstrapType {
        BOOTSTRAP_APT,       /* mmdebstrap or debootstrap, by a recipe */
        BOOTSTRAP_DNF,       /* dnf --installroot, by a recipe */
        BOOTSTRAP_TAR,       /* source: an absolute path */
        BOOTSTRAP_DIRECTORY, /* source: an absolute path */
        BOOTSTRAP_RAW,       /* source: an absolute path */
        BOOTSTRAP_PULL_TAR,  /* source: an http(s) URL, through systemd-importd */
        BOOTSTRAP_PULL_RAW,
        BOOTSTRAP_OCI,   /* source: what skopeo calls it: "docker://…", "oci:DIR:TAG", … */
        BOOTSTRAP_CLONE, /* source: name of a container */
        BOOTSTRAP_BASE,  /* source: key of a base */
} BootstrapType;

/* What has to be right about something that comes over the network. */
typedef enum BootstrapVerify {
        BOOTSTRAP_VERIFY_SIGNATURE, /* the default */
        BOOTSTRAP_VERIFY_CHECKSUM,
        BOOTSTRAP_VERIFY_NO,
} BootstrapVerify;

/* A package repository beside those of the recipe: a file that the tool reads itself, or an id, a
 * URL and a key. */
typedef struct RepositoryDef {
        char *file; /* absolute path; NULL: the other three */
        char *id;
        char *url;
        char *key; /* absolute path or URL; NULL: the keys that the host trusts */
} RepositoryDef;

typedef struct BootstrapDef {
        BootstrapType type;
        char *recipe;       /* name of a recipe; NULL: the source says it all */
        char *release;      /* "bookworm", "40"; NULL: the recipe's default */
        char *architecture; /* in the tool's words; NULL: the host's */
        char **mirrors;     /* instead of the recipe's */
        RepositoryDef *repositories;
        size_t n_repositories;
        char **packages; /* beside the recipe's */
        char *source;    /* see BootstrapType */
        BootstrapVerify verify;
        char *sha256;  /* of the source file, 64 hex digits; NULL: not checked */
        bool docs;     /* documentation is installed as well */
        bool no_cache; /* neither use a base nor keep one */
} BootstrapDef;

const char *bootstrap_type_to_string(BootstrapType t);
int bootstrap_type_from_string(const char *s); /* -EINVAL */
const char *bootstrap_verify_to_string(BootstrapVerify v);
int bootstrap_verify_from_string(const char *s); /* -EINVAL */

/*
 * What `--from` says, in one word:
 *   debian, debian:bookworm, fedora:40     a recipe and its release; the type comes from the recipe
 *                                          and is BOOTSTRAP_APT here until that is read
 *   tar:/path, directory:/path, raw:/path, clone:NAME, base:KEY
 *   https://…, http://…                    raw by the suffix .raw, .raw.xz, …; else tar
 *   docker://…, oci:…, oci-archive:…       an image, as skopeo names it
 * -EINVAL with a sentence that says what would be right; -ENOMEM.
 */
int bootstrap_def_from_word(const char *word, BootstrapDef **ret, Error **err);

/* The rules that span fields and the values that become arguments of tools: no value begins with
 * '-', no control character, package names, URLs (http, https, file), absolute paths. -EINVAL. */
int bootstrap_def_check(const BootstrapDef *def, Error **err);

BootstrapDef *bootstrap_def_copy(const BootstrapDef *def); /* NULL when memory is short */
bool bootstrap_def_equal(const BootstrapDef *a, const BootstrapDef *b);
BootstrapDef *bootstrap_def_free(BootstrapDef *def);
DEFINE_CLEANUP(BootstrapDef *, bootstrap_def_free)
#define _cleanup_bootstrap_def_ _cleanup_(bootstrap_def_freep)
