/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What dnf is told: its repositories, its configuration, its command line.
 */

#include <dirent.h>

#include "agent/bootstrap/fetch.h"
#include "agent/bootstrap/source_dnf.h"
#include "units/conf_file.h"
#include "units/text.h"

#define HOST_KEYS "/etc/pki/rpm-gpg"
#define REPO_FILE_MAX (256 * 1024)

DEFINE_CLEANUP(DIR *, closedir)

static void dnf_repository_done(DnfRepository *r) {
        free(r->id);
        strv_free(r->urls);
        free(r->metalink);
        strv_free(r->keys);
}

void dnf_setup_done(DnfSetup *s) {
        for (size_t i = 0; i < s->n_repositories; i++)
                dnf_repository_done(&s->repositories[i]);
        free(s->repositories);
        strv_free(s->files);
        *s = (DnfSetup){ 0 };
}

/* A new one at the end. */
static int add(DnfSetup *s, const char *id, DnfRepository **ret) {
        DnfRepository *more = reallocarray(s->repositories, s->n_repositories + 1, sizeof(*more));

        if (!more)
                return -ENOMEM;
        s->repositories = more;
        more += s->n_repositories;
        *more = (DnfRepository){ .id = text_format("ctvirt-%s", id) };
        if (!more->id)
                return -ENOMEM;
        s->n_repositories++;
        *ret = more;
        return 0;
}

static int find_key(const SourceJob *j, const RecipeRepository *o, char ***keys, Error **err) {
        const Recipe *recipe = j->recipe;
        _cleanup_free_ char *what = text_format("repository %s of recipe %s", o->id, recipe->name);
        const bool own = o->keys || o->key_urls;
        const KeySource k = { what, own ? o->keys : recipe->keys,
                              own ? o->key_urls : recipe->key_urls,
                              own ? o->fingerprints : recipe->fingerprints, recipe->key_hint };
        char *key = NULL;
        int r;

        r = what ? key_find(j, &k, &key, err) : -ENOMEM;
        return r < 0 ? r : strv_push(keys, key);
}

static int add_recipe(const SourceJob *j, DnfSetup *s, const RecipeRepository *o, Error **err) {
        DnfRepository *to;
        int r;

        r = add(s, o->id, &to);
        if (r >= 0)
                r = strv_copy(o->urls, &to->urls);
        if (r >= 0 && !o->urls) {
                to->metalink = strdup(o->metalink);
                r = to->metalink ? 0 : -ENOMEM;
        }
        return r < 0 ? r : find_key(j, o, &to->keys, err);
}

/* Each is a repository of its own, with the recipe's keys. */
static int add_mirrors(const SourceJob *j, DnfSetup *s, Error **err) {
        unsigned n = 0;

        for (char **m = j->bootstrap->mirrors; m && *m; m++) {
                _cleanup_free_ char *id = text_format("mirror-%u", ++n);
                DnfRepository *to;
                int r;

                r = id ? add(s, id, &to) : -ENOMEM;
                if (r >= 0)
                        r = strv_extend(&to->urls, *m);
                if (r >= 0)
                        r = find_key(j, &j->recipe->repositories[0], &to->keys, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* A repository of the definition without a key: those that the host trusts. */
static int add_host_keys(const char *id, char ***keys, Error **err) {
        _cleanup_(closedirp) DIR *dir = opendir(HOST_KEYS);
        const struct dirent *entry;

        while (dir && (entry = readdir(dir)))
                if (entry->d_name[0] != '.') {
                        int r = strv_extendf(keys, HOST_KEYS "/%s", entry->d_name);

                        if (r < 0)
                                return r;
                }
        if (*keys) {
                strv_sort(*keys);
                return 0;
        }
        return error_set(err, ENOKEY,
                         "repository %s has no key, and this host has none in " HOST_KEYS
                         ": name its key in the definition, or say <ct:verify mode='no'/>",
                         id);
}

static int add_definition(const SourceJob *j, DnfSetup *s, const RepositoryDef *d, Error **err) {
        DnfRepository *to;
        char *key = NULL;
        int r;

        if (d->file)
                return strv_extend(&s->files, d->file);
        r = add(s, d->id, &to);
        if (r >= 0)
                r = strv_extend(&to->urls, d->url);
        if (r < 0)
                return r;
        if (d->key) {
                r = key_of_definition(j, d, &key, err);
                return r < 0 ? r : strv_push(&to->keys, key);
        }
        to->unverified = j->bootstrap->verify == BOOTSTRAP_VERIFY_NO;
        return to->unverified ? 0 : add_host_keys(d->id, &to->keys, err);
}

int dnf_setup_make(const SourceJob *j, DnfSetup *ret, Error **err) {
        _cleanup_dnf_setup_ DnfSetup s = { 0 };
        const BootstrapDef *b = j->bootstrap;
        int r;

        r = add_mirrors(j, &s, err);
        for (size_t i = 0; r >= 0 && !b->mirrors && i < j->recipe->n_repositories; i++)
                r = add_recipe(j, &s, &j->recipe->repositories[i], err);
        for (size_t i = 0; r >= 0 && i < b->n_repositories; i++)
                r = add_definition(j, &s, &b->repositories[i], err);
        if (r < 0)
                return r;
        *ret = s;
        s = (DnfSetup){ 0 };
        return 0;
}

static void put_list(FILE *f, const char *key, const char *prefix, char *const *values) {
        const char *separator = "=";

        if (!values)
                return;
        fputs(key, f);
        for (; *values; values++) {
                (void) fprintf(f, "%s%s%s", separator, prefix, *values);
                separator = "\n ";
        }
        fputc('\n', f);
}

static void put_repository(FILE *f, const DnfRepository *r) {
        (void) fprintf(f, "[%s]\nname=%s\nenabled=1\n", r->id, r->id);
        put_list(f, "baseurl", "", r->urls);
        if (r->metalink)
                (void) fprintf(f, "metalink=%s\n", r->metalink);
        (void) fprintf(f, "gpgcheck=%d\nskip_if_unavailable=0\n", !r->unverified);
        put_list(f, "gpgkey", "file://", r->keys);
        fputc('\n', f);
}

char *dnf_repositories_format(const DnfSetup *s) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return NULL;
        for (size_t i = 0; i < s->n_repositories; i++)
                put_repository(f, &s->repositories[i]);
        if (fclose(f) == 0)
                return text;
        free(text);
        return NULL;
}

char *dnf_config_format(const SourceJob *j) {
        const char *platform = j->recipe->platform;

        return text_format("[main]\n"
                           "gpgcheck=1\n"
                           "plugins=0\n"
                           "best=1\n"
                           "install_weak_deps=0\n"
                           "keepcache=0\n"
                           "skip_if_unavailable=0\n"
                           "%s"
                           "%s%s%s",
                           j->bootstrap->docs ? "" : "tsflags=nodocs\n",
                           platform ? "module_platform_id=" : "", platform ? platform : "",
                           platform ? "\n" : "");
}

const char *dnf_program(void) {
        static const char *const programs[] = { "dnf5", "dnf", "dnf-3" };

        for (size_t i = 0; i < ELEMENTSOF(programs); i++)
                if (tool_exists(programs[i]))
                        return programs[i];
        return "dnf";
}

/* What dnf looks for below the new root unless it stands on the command line: paths, which are then
 * the host's. */
int dnf_arguments(const SourceJob *j, const char *program, char ***ret) {
        static const char *const paths[] = { "reposdir", "varsdir", "cachedir", "logdir" };
        _cleanup_strv_ char **a = NULL, **packages = NULL;
        int r;

        r = source_packages(j, &packages);
        if (r >= 0)
                r = strv_extend(&a, program);
        if (r >= 0)
                r = strv_extend(&a, "--assumeyes");
        if (r >= 0)
                r = strv_extendf(&a, "--config=%s/dnf.conf", j->work);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(paths); i++)
                r = strv_extendf(&a, "--setopt=%s=%s/%s", paths[i], j->work, paths[i]);
        if (r >= 0)
                r = strv_extendf(&a, "--releasever=%s", j->recipe->release);
        if (r >= 0 && !streq(j->recipe->architecture, recipe_host_architecture(BOOTSTRAP_DNF)))
                r = strv_extendf(&a, "--forcearch=%s", j->recipe->architecture);
        if (r >= 0)
                r = strv_extendf(&a, "--installroot=%s", j->root);
        if (r >= 0)
                r = strv_extend(&a, "install");
        STRV_FOREACH(p, packages)
                if (r >= 0)
                        r = strv_extend(&a, *p);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(a);
        return 0;
}
