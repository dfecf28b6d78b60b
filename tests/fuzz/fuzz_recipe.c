/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Recipes: whatever is read can become an argument of a program, or a line of a file.
 */

#include "agent/bootstrap/recipe.h"
#include "fuzz.h"

static void check_words(char *const *words) {
        for (; words && *words; words++) {
                fuzz_check(**words && **words != '-');
                for (const char *c = *words; *c; c++)
                        fuzz_check((unsigned char) *c > ' ' && *c != 0x7f && *c != ',');
        }
}

static void check(const Recipe *r) {
        fuzz_check(release_is_valid(r->release));
        fuzz_check(r->n_repositories > 0);
        check_words(r->packages);
        check_words(r->system_packages);
        check_words(r->application_packages);
        for (size_t i = 0; i < r->n_repositories; i++) {
                fuzz_check(r->repositories[i].urls || r->repositories[i].metalink);
                check_words(r->repositories[i].urls);
                check_words(r->repositories[i].components);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const releases[] = { NULL, "36", "bookworm" };

        for (size_t i = 0; i < ELEMENTSOF(releases); i++) {
                _cleanup_recipe_ Recipe *recipe = NULL;
                _cleanup_error_ Error *err = NULL;
                int r;

                r = recipe_parse((const char *) data, size, "x", "x.conf", releases[i], "amd64",
                                 &recipe, &err);
                fuzz_check(r == 0 || (r == -EINVAL && err));
                if (r == 0)
                        check(recipe);
        }
        return 0;
}
