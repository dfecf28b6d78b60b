#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Recipe: how a distribution is installed into an empty folder, as a file says it, so that a person
 * can add one; see ctvirt-recipe(5). Read for one release and one architecture: what the file says
 * for others is left out.
 */

#include "xml/bootstrap_def.h"

#define RECIPE_FOLDER_ETC "/etc/ctvirt/recipes" /* wins, file by file */
#define RECIPE_FOLDER CTVIRT_DATADIR "/recipes"
#define RECIPE_MAX (64 * 1024)

typedef struct RecipeRepository {
        char *id;
        char **urls;
        char *metalink;    /* dnf; NULL: urls */
        char *suite;       /* apt; NULL: the release */
        char **components; /* apt */
        char **keys;       /* absolute paths, the first that is there counts; NULL: the recipe's */
        char **key_urls;   /* where keys come from if no path is there */
        char **fingerprints;              /* only these are taken from there: 40 hex digits each */
        char **releases, **architectures; /* patterns; NULL: all */
} RecipeRepository;

typedef struct Recipe {
        char *name;
        char *file;
        BootstrapType type; /* BOOTSTRAP_APT, BOOTSTRAP_DNF */
        char *description;
        char *default_release;
        char *release, *architecture; /* for which it was read */

        char **packages;
        char **system_packages; /* of a container that has a network of its own */
        char **application_packages;
        char *database; /* dnf: absolute path of rpm's database in the container; NULL: rpm's own */
        char *platform; /* dnf: "platform:el8", for distributions with modules; NULL */
        char *key_hint; /* a sentence for who has no key */
        char **keys, **key_urls, **fingerprints; /* of repositories that name none */
        RecipeRepository *repositories;
        size_t n_repositories;

        char *text; /* of the file */
} Recipe;

/* release NULL: the recipe's default; architecture NULL: the host's. file is what messages call it.
 * -EINVAL with file and line; -ENOMEM. */
int recipe_parse(const char *text, size_t size, const char *name, const char *file,
                 const char *release, const char *architecture, Recipe **ret, Error **err);

/* Looks for NAME.conf below root ("" on a host). -ENOENT with a sentence that names those that are
 * there. */
int recipe_load(const char *root, const char *name, const char *release, const char *architecture,
                Recipe **ret, Error **err);

/* Sorted names of all recipes. */
int recipe_list(const char *root, char ***ret);

/* Lower-case letters, digits and dashes: it becomes a file name. */
bool recipe_name_is_valid(const char *s);
/* It becomes a part of URLs and paths: letters, digits, '.', '_', '+', '~', '-'; none of the last
 * in front. */
bool release_is_valid(const char *s);

/* True if one of the patterns (shell patterns; N-M, N-: a range of whole numbers) is that word, or
 * if there are none. */
bool recipe_pattern_matches(char *const *patterns, const char *word);

/* "amd64" for BOOTSTRAP_APT, "x86_64" for BOOTSTRAP_DNF. */
const char *recipe_host_architecture(BootstrapType type);

Recipe *recipe_free(Recipe *r);
DEFINE_CLEANUP(Recipe *, recipe_free)
#define _cleanup_recipe_ _cleanup_(recipe_freep)
