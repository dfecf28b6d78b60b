/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/apt_lines.h"

#include "agent/bootstrap/fetch.h"
#include "units/text.h"

static void apt_line_done(AptLine *l) {
        free(l->url);
        free(l->suite);
        free(l->components);
        free(l->key);
        free(l->id);
}

void apt_lines_done(AptLines *l) {
        for (size_t i = 0; i < l->n_items; i++)
                apt_line_done(&l->items[i]);
        free(l->items);
        strv_free(l->files);
        *l = (AptLines){ 0 };
}

static int add(AptLines *l, const AptLine *line) {
        AptLine copy = { strdup(line->url),        strdup(line->suite),
                         strdup(line->components), line->key ? strdup(line->key) : NULL,
                         strdup(line->id),         line->trusted };
        AptLine *more = reallocarray(l->items, l->n_items + 1, sizeof(*more));

        if (more)
                l->items = more;
        if (!more || !copy.url || !copy.suite || !copy.components || !copy.id ||
            (line->key && !copy.key)) {
                apt_line_done(&copy);
                return -ENOMEM;
        }
        more[l->n_items++] = copy;
        return 0;
}

static int key_of(const SourceJob *j, const RecipeRepository *o, char **ret, Error **err) {
        const Recipe *recipe = j->recipe;
        _cleanup_free_ char *what = text_format("repository %s of recipe %s", o->id, recipe->name);
        const bool own = o->keys || o->key_urls;
        const KeySource k = { what, own ? o->keys : recipe->keys,
                              own ? o->key_urls : recipe->key_urls,
                              own ? o->fingerprints : recipe->fingerprints, recipe->key_hint };

        return what ? key_find(j, &k, ret, err) : -ENOMEM;
}

static int add_recipe(const SourceJob *j, AptLines *l, const RecipeRepository *o, char *const *urls,
                      Error **err) {
        _cleanup_free_ char *key = NULL, *components = strv_join(o->components, " ");
        int r;

        if (!components)
                return -ENOMEM;
        r = key_of(j, o, &key, err);
        for (; r >= 0 && *urls; urls++)
                r = add(l, &(AptLine){ .url = *urls,
                                       .suite = o->suite ? o->suite : j->recipe->release,
                                       .components = *components ? components : (char *) "main",
                                       .key = key,
                                       .id = o->id });
        return r;
}

static int add_definition(const SourceJob *j, AptLines *l, const RepositoryDef *d, Error **err) {
        _cleanup_free_ char *key = NULL, *components = NULL;
        int r;

        if (d->file)
                return strv_extend(&l->files, d->file);
        if (d->key) {
                r = key_of_definition(j, d, &key, err);
                if (r < 0)
                        return r;
        }
        components = strv_join(j->recipe->repositories[0].components, " ");
        if (!components)
                return -ENOMEM;
        return add(l,
                   &(AptLine){ .url = d->url,
                               .suite = j->recipe->release,
                               .components = *components ? components : (char *) "main",
                               .key = key,
                               .id = d->id,
                               .trusted = !d->key && j->bootstrap->verify == BOOTSTRAP_VERIFY_NO });
}

int apt_lines_make(const SourceJob *j, AptLines *ret, Error **err) {
        _cleanup_apt_lines_ AptLines l = { 0 };
        const BootstrapDef *b = j->bootstrap;
        const Recipe *recipe = j->recipe;
        int r = 0;

        if (b->mirrors)
                r = add_recipe(j, &l, &recipe->repositories[0], b->mirrors, err);
        for (size_t i = 0; !b->mirrors && r >= 0 && i < recipe->n_repositories; i++)
                r = add_recipe(j, &l, &recipe->repositories[i], recipe->repositories[i].urls, err);
        for (size_t i = 0; r >= 0 && i < b->n_repositories; i++)
                r = add_definition(j, &l, &b->repositories[i], err);
        if (r < 0)
                return r;
        *ret = l;
        l = (AptLines){ 0 };
        return 0;
}

char *apt_line_format(const AptLine *l, bool on_host, const char *key) {
        _cleanup_free_ char *url = NULL, *options = NULL;
        const char *local = url_local_path(l->url);

        url = on_host && local ? text_format("copy://%s", local) : strdup(l->url);
        options = l->trusted ? strdup("[trusted=yes] ")
                  : key      ? text_format("[signed-by=%s] ", key)
                             : strdup("");
        if (!url || !options)
                return NULL;
        return text_format("deb %s%s %s %s", options, url, l->suite, l->components);
}
