/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/recipe.h"

#include <ctype.h>
#include <fnmatch.h>
#include <limits.h>
#include <sys/utsname.h>

#include "units/conf_file.h"
#include "units/conf_word.h"

/* In which sections a key may stand. */
enum {
        IN_RECIPE = 1 << 0,
        IN_RELEASE = 1 << 1,
        IN_REPOSITORY = 1 << 2,
};

typedef struct RecipeReader {
        Recipe *recipe;
        const char *release, *architecture; /* as asked for */
        RecipeRepository *repository;       /* the one whose section it is; NULL */
        char *section;                      /* the last one that was seen */
        Error **err;
} RecipeReader;

typedef struct RecipeKey {
        const char *name;
        unsigned sections;
        int (*assign)(RecipeReader *p, const struct RecipeKey *k, const char *value,
                      const char **ret_why);
        size_t offset;            /* in Recipe */
        size_t repository_offset; /* in RecipeRepository */
} RecipeKey;

bool recipe_name_is_valid(const char *s) {
        size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

        return n > 0 && n <= 64 && !s[n] && s[0] != '-';
}

bool release_is_valid(const char *s) {
        size_t n = 0;

        while (isalnum((unsigned char) s[n]) || (s[n] && strchr("._+~-", s[n])))
                n++;
        return n > 0 && n <= 64 && !s[n] && isalnum((unsigned char) s[0]);
}

/* Digits only; -1 for anything else. */
static long whole_number(const char *s, size_t size) {
        char digits[10];

        if (size == 0 || size >= sizeof(digits) || strspn(s, "0123456789") < size)
                return -1;
        memcpy(digits, s, size);
        digits[size] = '\0';
        return strtol(digits, NULL, 10);
}

static bool range_matches(const char *pattern, const char *word) {
        const char *dash = strchr(pattern, '-');
        long n, first, last;

        if (!dash)
                return false;
        n = whole_number(word, strlen(word));
        first = whole_number(pattern, (size_t) (dash - pattern));
        last = dash[1] ? whole_number(dash + 1, strlen(dash + 1)) : LONG_MAX;
        return n >= 0 && first >= 0 && n >= first && n <= last;
}

bool recipe_pattern_matches(char *const *patterns, const char *word) {
        if (!patterns)
                return true;
        for (; *patterns; patterns++)
                if (fnmatch(*patterns, word, 0) == 0 || range_matches(*patterns, word))
                        return true;
        return false;
}

const char *recipe_host_architecture(BootstrapType type) {
        static const struct {
                const char *machine, *apt;
        } map[] = {
                { "x86_64", "amd64" },    { "aarch64", "arm64" },   { "armv7l", "armhf" },
                { "ppc64le", "ppc64el" }, { "riscv64", "riscv64" }, { "s390x", "s390x" },
                { "i686", "i386" },
        };
        static struct utsname host;

        if (uname(&host) < 0)
                return type == BOOTSTRAP_APT ? "amd64" : "x86_64";
        for (size_t i = 0; type == BOOTSTRAP_APT && i < ELEMENTSOF(map); i++)
                if (streq(map[i].machine, host.machine))
                        return map[i].apt;
        return host.machine;
}

/* %r and %a are the release and the architecture. */
static char *expand(const Recipe *r, const char *value) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return NULL;
        for (; *value; value++) {
                if (value[0] == '%' && value[1] == 'r' && r->release)
                        fputs(r->release, f);
                else if (value[0] == '%' && value[1] == 'a' && r->architecture)
                        fputs(r->architecture, f);
                else if (value[0] == '%' && value[1] == '%')
                        fputc('%', f);
                else {
                        fputc(*value, f);
                        continue;
                }
                value++;
        }
        if (fclose(f) == 0)
                return text;
        free(text);
        return NULL;
}

static void *field_of(RecipeReader *p, const RecipeKey *k) {
        if (p->repository)
                return (char *) p->repository + k->repository_offset;
        return (char *) p->recipe + k->offset;
}

static int assign_type(RecipeReader *p, const RecipeKey *k, const char *value, const char **why) {
        int t = bootstrap_type_from_string(value);

        if (t != BOOTSTRAP_APT && t != BOOTSTRAP_DNF) {
                *why = "it is apt or dnf";
                return -EINVAL;
        }
        p->recipe->type = (BootstrapType) t;
        return 0;
}

static int assign_text(RecipeReader *p, const RecipeKey *k, const char *value, const char **why) {
        char **field = field_of(p, k), *copy = NULL;

        if (*value) {
                copy = expand(p->recipe, value);
                if (!copy)
                        return -ENOMEM;
        }
        free(*field);
        *field = copy;
        return 0;
}

static int assign_release(RecipeReader *p, const RecipeKey *k, const char *value,
                          const char **why) {
        if (!release_is_valid(value)) {
                *why = "it is no name of a release";
                return -EINVAL;
        }
        return assign_text(p, k, value, why);
}

static int assign_folder(RecipeReader *p, const RecipeKey *k, const char *value, const char **why) {
        if (*value && (*value != '/' || strstr(value, "..") || strpbrk(value, " \t\"'"))) {
                *why = "it is an absolute path";
                return -EINVAL;
        }
        return assign_text(p, k, value, why);
}

/* Values add up; an empty one takes back what stands before, as in unit files. */
static int add_words(RecipeReader *p, const RecipeKey *k, const char *value,
                     bool (*is_valid)(const char *word)) {
        char ***field = field_of(p, k);

        if (!*value) {
                *field = strv_free(*field);
                return 0;
        }
        for (;;) {
                _cleanup_free_ char *word = NULL;
                char *text;
                int r = conf_word_next(&value, CONF_WORD_PLAIN_BACKSLASH, &word);

                if (r <= 0)
                        return r;
                text = expand(p->recipe, word);
                if (!text)
                        return -ENOMEM;
                if (!is_valid(text)) {
                        free(text);
                        return -EINVAL;
                }
                r = strv_push(field, text);
                if (r < 0)
                        return r;
        }
}

static bool is_plain_word(const char *s) {
        for (const char *c = s; *c; c++)
                if (*c <= ' ' || *c == 0x7f || strchr("\"'\\,", *c))
                        return false;
        return *s && *s != '-';
}

static int assign_words(RecipeReader *p, const RecipeKey *k, const char *value, const char **why) {
        *why = "words are parted by blanks, without quotes, and do not begin with '-'";
        return add_words(p, k, value, is_plain_word);
}

static bool is_path(const char *s) {
        return *s == '/' && is_plain_word(s);
}

static int assign_paths(RecipeReader *p, const RecipeKey *k, const char *value, const char **why) {
        *why = "they are absolute paths";
        return add_words(p, k, value, is_path);
}

static bool is_url(const char *s) {
        return is_plain_word(s) &&
               (startswith(s, "https://") || startswith(s, "http://") || startswith(s, "file:///"));
}

static int assign_urls(RecipeReader *p, const RecipeKey *k, const char *value, const char **why) {
        *why = "they are URLs: https://, http:// or file:///";
        return add_words(p, k, value, is_url);
}

static int assign_url(RecipeReader *p, const RecipeKey *k, const char *value, const char **why) {
        if (*value && !is_url(value)) {
                *why = "it is a URL: https:// or http://";
                return -EINVAL;
        }
        return assign_text(p, k, value, why);
}

static bool is_secure_url(const char *s) {
        return is_plain_word(s) && startswith(s, "https://");
}

static int assign_secure_urls(RecipeReader *p, const RecipeKey *k, const char *value,
                              const char **why) {
        *why = "keys come from https:// only";
        return add_words(p, k, value, is_secure_url);
}

static bool is_fingerprint(const char *s) {
        return strlen(s) == 40 && strspn(s, "0123456789ABCDEFabcdef") == 40;
}

static int assign_fingerprints(RecipeReader *p, const RecipeKey *k, const char *value,
                               const char **why) {
        *why = "a fingerprint is 40 hexadecimal digits without blanks";
        return add_words(p, k, value, is_fingerprint);
}

#define RECIPE(field) offsetof(Recipe, field)
#define REPOSITORY(field) offsetof(RecipeRepository, field)
#define ALL_SECTIONS (IN_RECIPE | IN_RELEASE | IN_REPOSITORY)

static const RecipeKey recipe_keys[] = {
        { "Type", IN_RECIPE, assign_type },
        { "Description", IN_RECIPE, assign_text, RECIPE(description) },
        { "DefaultRelease", IN_RECIPE, assign_release, RECIPE(default_release) },
        { "Packages", IN_RECIPE | IN_RELEASE, assign_words, RECIPE(packages) },
        { "SystemPackages", IN_RECIPE | IN_RELEASE, assign_words, RECIPE(system_packages) },
        { "ApplicationPackages", IN_RECIPE | IN_RELEASE, assign_words,
          RECIPE(application_packages) },
        { "Database", IN_RECIPE | IN_RELEASE, assign_folder, RECIPE(database) },
        { "Platform", IN_RECIPE | IN_RELEASE, assign_text, RECIPE(platform) },
        { "KeyHint", IN_RECIPE | IN_RELEASE, assign_text, RECIPE(key_hint) },
        { "Key", ALL_SECTIONS, assign_paths, RECIPE(keys), REPOSITORY(keys) },
        { "KeyURL", ALL_SECTIONS, assign_secure_urls, RECIPE(key_urls), REPOSITORY(key_urls) },
        { "KeyFingerprint", ALL_SECTIONS, assign_fingerprints, RECIPE(fingerprints),
          REPOSITORY(fingerprints) },
        { "URL", IN_REPOSITORY, assign_urls, 0, REPOSITORY(urls) },
        { "Metalink", IN_REPOSITORY, assign_url, 0, REPOSITORY(metalink) },
        { "Suite", IN_REPOSITORY, assign_text, 0, REPOSITORY(suite) },
        { "Components", IN_REPOSITORY, assign_words, 0, REPOSITORY(components) },
        { "Releases", IN_REPOSITORY, assign_words, 0, REPOSITORY(releases) },
        { "Architectures", IN_REPOSITORY, assign_words, 0, REPOSITORY(architectures) },
};

static int fail(RecipeReader *p, unsigned line, const char *what, const char *why) {
        return error_set_at(p->err, EINVAL, p->recipe->file, line, "%s%s%s", what, why ? ": " : "",
                            why ? why : "");
}

static int enter_repository(RecipeReader *p, const char *id) {
        Recipe *r = p->recipe;
        RecipeRepository *more;

        for (size_t i = 0; i < r->n_repositories; i++)
                if (streq(r->repositories[i].id, id)) {
                        p->repository = &r->repositories[i];
                        return 0;
                }
        more = reallocarray(r->repositories, r->n_repositories + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        r->repositories = more;
        p->repository = &more[r->n_repositories];
        *p->repository = (RecipeRepository){ .id = strdup(id) };
        if (!p->repository->id)
                return -ENOMEM;
        r->n_repositories++;
        return 0;
}

static int match_release(RecipeReader *p, const char *words) {
        _cleanup_strv_ char **patterns = NULL;

        for (;;) {
                char *word;
                int r = conf_word_next(&words, CONF_WORD_PLAIN_BACKSLASH, &word);

                if (r == 0)
                        return recipe_pattern_matches(patterns, p->recipe->release) ? IN_RELEASE
                                                                                    : 0;
                if (r > 0)
                        r = strv_push(&patterns, word);
                if (r < 0)
                        return r;
        }
}

/* Returns the kind of a section, 0 for a [Release] of another release. */
static int enter_section(RecipeReader *p, unsigned line, const char *section) {
        const char *rest;

        p->repository = NULL;
        if (streq(section, "Recipe"))
                return IN_RECIPE;
        rest = startswith(section, "Release ");
        if (rest)
                return match_release(p, rest);
        rest = startswith(section, "Repository ");
        if (rest && release_is_valid(rest)) {
                int r = enter_repository(p, rest);
                return r < 0 ? r : IN_REPOSITORY;
        }
        return fail(p, line, section, "sections are [Recipe], [Release R …] and [Repository ID]");
}

static const RecipeKey *find_key(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(recipe_keys); i++)
                if (streq(recipe_keys[i].name, name))
                        return &recipe_keys[i];
        return NULL;
}

static int on_line(unsigned line, const char *section, const char *key, const char *value,
                   void *userdata) {
        RecipeReader *p = userdata;
        const RecipeKey *k = key ? find_key(key) : NULL;
        const char *why = NULL;
        int kind, r;

        if (!section || !key)
                return fail(p, line, value, "this is neither KEY=value nor a section");
        kind = enter_section(p, line, section);
        if (kind < 0)
                return kind;
        if (!k)
                return fail(p, line, key, "there is no such key");
        if (kind == 0)
                return 0;
        if (!(k->sections & (unsigned) kind))
                return fail(p, line, key, "this key has no meaning in this section");
        r = k->assign(p, k, value, &why);
        return r == -EINVAL ? error_set_at(p->err, EINVAL, p->recipe->file, line, "%s=%s: %s", key,
                                           value, why ? why : "broken")
                            : r;
}

static void repository_done(RecipeRepository *r) {
        free(r->id);
        free(r->metalink);
        free(r->suite);
        strv_free(r->urls);
        strv_free(r->components);
        strv_free(r->keys);
        strv_free(r->key_urls);
        strv_free(r->fingerprints);
        strv_free(r->releases);
        strv_free(r->architectures);
}

Recipe *recipe_free(Recipe *r) {
        if (!r)
                return NULL;
        free(r->name);
        free(r->file);
        free(r->description);
        free(r->default_release);
        free(r->release);
        free(r->architecture);
        strv_free(r->packages);
        strv_free(r->system_packages);
        strv_free(r->application_packages);
        free(r->database);
        free(r->platform);
        free(r->key_hint);
        strv_free(r->keys);
        strv_free(r->key_urls);
        strv_free(r->fingerprints);
        for (size_t i = 0; i < r->n_repositories; i++)
                repository_done(&r->repositories[i]);
        free(r->repositories);
        free(r->text);
        free(r);
        return NULL;
}

/* Repositories of other releases and architectures are left out. */
static int check_repositories(Recipe *r, Error **err) {
        size_t n = 0;

        for (size_t i = 0; i < r->n_repositories; i++) {
                RecipeRepository *o = &r->repositories[i];

                if (!recipe_pattern_matches(o->releases, r->release) ||
                    !recipe_pattern_matches(o->architectures, r->architecture)) {
                        repository_done(o);
                        continue;
                }
                r->repositories[n++] = *o;
        }
        r->n_repositories = n;

        for (size_t i = 0; i < n; i++)
                if (!r->repositories[i].urls && !r->repositories[i].metalink)
                        return error_set_at(err, EINVAL, r->file, 0,
                                            "[Repository %s] has no URL=", r->repositories[i].id);
        if (n == 0)
                return error_set_at(err, EINVAL, r->file, 0,
                                    "no [Repository …] is for release '%s' and architecture '%s'",
                                    r->release, r->architecture);
        return 0;
}

static int check_request(const char *release, const char *architecture, Error **err) {
        if (release && !release_is_valid(release))
                return error_set(err, EINVAL, "'%s' is no name of a release", release);
        if (architecture && !release_is_valid(architecture))
                return error_set(err, EINVAL, "'%s' is no name of an architecture", architecture);
        return 0;
}

/* Type= and DefaultRelease= come first: the rest is read for one release. A slip in their names would
 * make them missing. */
static int on_line_first(unsigned line, const char *section, const char *key, const char *value,
                         void *userdata) {
        if (!section || !key || !streq(section, "Recipe"))
                return 0;
        if (find_key(key) && !streq(key, "Type") && !streq(key, "DefaultRelease"))
                return 0;
        return on_line(line, section, key, value, userdata);
}

static int read_text(RecipeReader *p, const char *text, size_t size, ConfLineHandler handler) {
        unsigned line = 0;
        int r;

        r = conf_parse_lines(text, size, handler, p, &line);
        if (r == -EBADMSG)
                return fail(p, line, "broken section header", NULL);
        if (r == -EINVAL)
                return fail(p, line, "not UTF-8, or a NUL byte", NULL);
        return r;
}

static int settle_release(RecipeReader *p) {
        Recipe *r = p->recipe;
        const char *release = p->release ? p->release : r->default_release;

        if (r->type == BOOTSTRAP_RAW)
                return fail(p, 0, "[Recipe] has no Type= (apt or dnf)", NULL);
        if (!release)
                return fail(p, 0,
                            "no release was asked for, and [Recipe] has no DefaultRelease=", NULL);
        r->release = strdup(release);
        r->architecture =
                strdup(p->architecture ? p->architecture : recipe_host_architecture(r->type));
        return r->release && r->architecture ? 0 : -ENOMEM;
}

int recipe_parse(const char *text, size_t size, const char *name, const char *file,
                 const char *release, const char *architecture, Recipe **ret, Error **err) {
        _cleanup_recipe_ Recipe *recipe = calloc(1, sizeof(*recipe));
        RecipeReader p = { recipe, release, architecture, .err = err };
        int r;

        r = check_request(release, architecture, err);
        if (r < 0)
                return r;
        if (!recipe)
                return -ENOMEM;
        recipe->type = BOOTSTRAP_RAW; /* not said yet */
        recipe->name = strdup(name);
        recipe->file = strdup(file);
        recipe->text = strndup(text, size);
        if (!recipe->name || !recipe->file || !recipe->text)
                return -ENOMEM;

        r = read_text(&p, text, size, on_line_first);
        if (r >= 0)
                r = settle_release(&p);
        if (r >= 0)
                r = read_text(&p, text, size, on_line);
        if (r >= 0)
                r = check_repositories(recipe, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(recipe);
        return 0;
}
