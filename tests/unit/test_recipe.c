/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/bootstrap/recipe.h"
#include "temp_root.h"

static int parse(const char *text, const char *release, Recipe **ret, Error **err) {
        return recipe_parse(text, strlen(text), "x", "x.conf", release, "amd64", ret, err);
}

static void test_mistakes(void **state) {
        static const struct {
                const char *text, *release, *message;
        } rows[] = {
                { "", NULL, "x.conf: [Recipe] has no Type= (apt or dnf)" },
                { "[Recipe]\nType=zypper\n", NULL, "x.conf:2: Type=zypper: it is apt or dnf" },
                { "[Recipe]\nType=apt\n", NULL,
                  "x.conf: no release was asked for, and [Recipe] has no DefaultRelease=" },
                { "[Recipe]\nType=apt\nDefaultRelease=-r\n", NULL,
                  "x.conf:3: DefaultRelease=-r: it is no name of a release" },
                { "[Recipe]\nType=apt\nDefaultRelease=a/../b\n", NULL,
                  "x.conf:3: DefaultRelease=a/../b: it is no name of a release" },
                { "[Recipe]\nType=apt\n", "r",
                  "x.conf: no [Repository …] is for release 'r' and architecture 'amd64'" },
                { "[Recipe]\nType=apt\n[Repository a]\nSuite=x\n", "r",
                  "x.conf: [Repository a] has no URL=" },
                { "[Recipe]\nType=apt\nPackages=a -oX=y\n", "r",
                  "x.conf:3: Packages=a -oX=y: words are parted by blanks, without quotes, and do "
                  "not begin with '-'" },
                { "[Recipe]\nType=apt\nPackages=a,b\n", "r",
                  "x.conf:3: Packages=a,b: words are parted by blanks, without quotes, and do not "
                  "begin with '-'" },
                { "[Recipe]\nType=apt\nKeyURL=http://x/y\n", "r",
                  "x.conf:3: KeyURL=http://x/y: keys come from https:// only" },
                { "[Recipe]\nType=apt\nKeyFingerprint=1234\n", "r",
                  "x.conf:3: KeyFingerprint=1234: a fingerprint is 40 hexadecimal digits without "
                  "blanks" },
                { "[Recipe]\nType=apt\nKey=keys/x\n", "r",
                  "x.conf:3: Key=keys/x: they are absolute paths" },
                { "[Recipe]\nType=apt\nDatabase=/var/../x\n", "r",
                  "x.conf:3: Database=/var/../x: it is an absolute path" },
                { "[Recipe]\nType=apt\nURL=http://x/y\n", "r",
                  "x.conf:3: URL: this key has no meaning in this section" },
                { "[Recipe]\nType=apt\nPackage=x\n", "r",
                  "x.conf:3: Package: there is no such key" },
                { "[Recipe]\nTyp=apt\n", NULL, "x.conf:2: Typ: there is no such key" },
                { "Type=apt\n", "r", "x.conf: [Recipe] has no Type= (apt or dnf)" },
                { "[Recipe]\nType=apt\nnonsense\n", "r",
                  "x.conf:3: nonsense: this is neither KEY=value nor a section" },
                { "[Recipe]\nType=apt\n[Other]\nA=b\n", "r",
                  "x.conf:4: Other: sections are [Recipe], [Release R …] and [Repository ID]" },
                { "[Recipe]\nType=apt\n[Repository a/b]\nURL=http://x/\n", "r",
                  "x.conf:4: Repository a/b: sections are [Recipe], [Release R …] and [Repository "
                  "ID]" },
                { "[Recipe\nType=apt\n", "r", "x.conf:1: broken section header" },
                { "[Recipe]\nType=apt\n", "../x", "'../x' is no name of a release" },
                { "[Recipe]\nType=apt\n[Repository a]\nURL=ftp://x/\n", "r",
                  "x.conf:4: URL=ftp://x/: they are URLs: https://, http:// or file:///" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_recipe_ Recipe *recipe = NULL;
                _cleanup_error_ Error *err = NULL;
                _cleanup_free_ char *message = NULL;

                assert_int_equal(parse(rows[i].text, rows[i].release, &recipe, &err), -EINVAL);
                message = error_format(err);
                assert_string_equal(message, rows[i].message);
                assert_null(recipe);
        }
}

static void test_for_one_release(void **state) {
        static const char text[] = "[Recipe]\n"
                                   "Type=apt\n"
                                   "Packages=a b\n"
                                   "Packages=c-%r\n"
                                   "Key=/keys/%r-%a-100%%\n"
                                   "DefaultRelease=12\n"
                                   "[Release 10 11]\n"
                                   "Packages=\n"
                                   "Packages=old\n"
                                   "[Release 13-]\n"
                                   "Packages=new\n"
                                   "[Repository x]\n"
                                   "URL=http://m/%r/%a\n"
                                   "Components=main contrib\n"
                                   "[Repository y]\n"
                                   "URL=http://m/y\n"
                                   "Releases=9-11\n"
                                   "[Repository z]\n"
                                   "URL=http://m/z\n"
                                   "Architectures=arm*\n";
        static const struct {
                const char *release, *packages;
                size_t n_repositories;
        } rows[] = {
                { NULL, "a b c-12", 1 },     { "10", "old", 2 },          { "11", "old", 2 },
                { "13", "a b c-13 new", 1 }, { "99", "a b c-99 new", 1 }, { "9", "a b c-9", 2 },
                { "sid", "a b c-sid", 1 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_recipe_ Recipe *recipe = NULL;
                _cleanup_free_ char *packages = NULL, *url = NULL;

                assert_int_equal(parse(text, rows[i].release, &recipe, NULL), 0);
                packages = strv_join(recipe->packages, " ");
                assert_string_equal(packages, rows[i].packages);
                assert_int_equal(recipe->n_repositories, rows[i].n_repositories);
                url = text_format("http://m/%s/amd64", recipe->release);
                assert_string_equal(recipe->repositories[0].urls[0], url);
                assert_string_equal(recipe->repositories[0].components[1], "contrib");
        }
        {
                _cleanup_recipe_ Recipe *recipe = NULL;

                assert_int_equal(parse(text, NULL, &recipe, NULL), 0);
                assert_string_equal(recipe->keys[0], "/keys/12-amd64-100%");
        }
}

static void test_patterns(void **state) {
        static const struct {
                const char *pattern, *word;
                bool matches;
        } rows[] = {
                { "bookworm", "bookworm", true },
                { "bookworm", "bookworms", false },
                { "book*", "bookworm", true },
                { "34-37", "34", true },
                { "34-37", "37", true },
                { "34-37", "38", false },
                { "38-", "37", false },
                { "38-", "400", true },
                { "38-", "rawhide", false },
                { "8-stream", "8-stream", true },
                { "8-stream", "9", false },
                { "-", "1", false },
                { "1-", "99999999999999999999", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char *const patterns[] = { (char *) rows[i].pattern, NULL };

                assert_int_equal(recipe_pattern_matches(patterns, rows[i].word), rows[i].matches);
        }
        assert_true(recipe_pattern_matches(NULL, "x"));
}

static void test_load(void **state) {
        static const char ours[] = "[Recipe]\nType=apt\nDefaultRelease=1\n[Repository a]\n"
                                   "URL=http://ours/\n";
        static const char theirs[] = "[Recipe]\nType=dnf\nDefaultRelease=2\n[Repository a]\n"
                                     "URL=http://theirs/\n";
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_recipe_ Recipe *recipe = NULL;
        _cleanup_error_ Error *err = NULL;
        _cleanup_strv_ char **names = NULL;
        _cleanup_free_ char *list = NULL;

        temp_root_write(root, RECIPE_FOLDER "/same.conf", ours);
        temp_root_write(root, RECIPE_FOLDER "/one.conf", ours);
        temp_root_write(root, RECIPE_FOLDER "/Not a name.conf", ours);
        temp_root_write(root, RECIPE_FOLDER_ETC "/same.conf", theirs);
        temp_root_write(root, RECIPE_FOLDER_ETC "/two.conf", theirs);

        assert_int_equal(recipe_load(root, "same", NULL, NULL, &recipe, &err), 0);
        assert_int_equal(recipe->type, BOOTSTRAP_DNF);
        assert_string_equal(recipe->release, "2");

        assert_int_equal(recipe_list(root, &names), 0);
        list = strv_join(names, " ");
        assert_string_equal(list, "one same two");

        recipe = recipe_free(recipe);
        assert_int_equal(recipe_load(root, "three", NULL, NULL, &recipe, &err), -ENOENT);
        assert_non_null(strstr(err->text, "there are: one, same, two"));
        err = error_free(err);
        assert_int_equal(recipe_load(root, "../one", NULL, NULL, &recipe, &err), -EINVAL);
        assert_null(recipe);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_mistakes),
                cmocka_unit_test(test_for_one_release),
                cmocka_unit_test(test_patterns),
                cmocka_unit_test(test_load),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
