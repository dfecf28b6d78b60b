/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "xml/bootstrap_def.h"

#include "xml/bootstrap_source.h"
#include "xml/xml_compat.h"

static const char *const type_names[] = {
        [BOOTSTRAP_APT] = "apt",           [BOOTSTRAP_DNF] = "dnf",
        [BOOTSTRAP_TAR] = "tar",           [BOOTSTRAP_DIRECTORY] = "directory",
        [BOOTSTRAP_RAW] = "raw",           [BOOTSTRAP_PULL_TAR] = "pull-tar",
        [BOOTSTRAP_PULL_RAW] = "pull-raw", [BOOTSTRAP_OCI] = "oci",
        [BOOTSTRAP_CLONE] = "clone",       [BOOTSTRAP_BASE] = "base",
};
static_assert(ELEMENTSOF(type_names) == BOOTSTRAP_BASE + 1, "one name a type");

static const char *const verify_names[] = {
        [BOOTSTRAP_VERIFY_SIGNATURE] = "signature",
        [BOOTSTRAP_VERIFY_CHECKSUM] = "checksum",
        [BOOTSTRAP_VERIFY_NO] = "no",
};
static_assert(ELEMENTSOF(verify_names) == BOOTSTRAP_VERIFY_NO + 1, "one name a mode");

static int find_name(const char *const *names, size_t n, const char *s) {
        for (size_t i = 0; i < n; i++)
                if (streq(names[i], s))
                        return (int) i;
        return -EINVAL;
}

const char *bootstrap_type_to_string(BootstrapType t) {
        assert((size_t) t < ELEMENTSOF(type_names));
        return type_names[t];
}

int bootstrap_type_from_string(const char *s) {
        return find_name(type_names, ELEMENTSOF(type_names), s);
}

const char *bootstrap_verify_to_string(BootstrapVerify v) {
        assert((size_t) v < ELEMENTSOF(verify_names));
        return verify_names[v];
}

int bootstrap_verify_from_string(const char *s) {
        return find_name(verify_names, ELEMENTSOF(verify_names), s);
}

static bool installs_packages(BootstrapType t) {
        return t == BOOTSTRAP_APT || t == BOOTSTRAP_DNF;
}

static bool has_checksum(BootstrapType t) {
        return t == BOOTSTRAP_TAR || t == BOOTSTRAP_RAW || t == BOOTSTRAP_PULL_TAR ||
               t == BOOTSTRAP_PULL_RAW;
}

static int check_repository(const RepositoryDef *repository, Error **err) {
        int r;

        if (!repository->file == !(repository->id && repository->url))
                return error_set(err, EINVAL,
                                 "a repository is a file, or an id and a URL, and not both");
        if (repository->file && (repository->id || repository->url || repository->key))
                return error_set(err, EINVAL, "repository %s: id, URL and key stand in the file",
                                 XML_SHOW(repository->file));
        r = value_check(&value_path, repository->file, err);
        if (r < 0)
                return r;
        r = value_check(&value_repository_id, repository->id, err);
        if (r < 0)
                return r;
        r = value_check(&value_mirror, repository->url, err);
        return r < 0 ? r : value_check(&value_repository_key, repository->key, err);
}

static int check_recipe(const BootstrapDef *def, Error **err) {
        int r;

        if (!def->recipe && (def->release || def->architecture || def->mirrors))
                return error_set(err, EINVAL,
                                 "release, architecture and mirrors belong to a recipe, and none "
                                 "is named");
        r = value_check(&value_recipe, def->recipe, err);
        if (r < 0)
                return r;
        r = value_check(&value_release, def->release, err);
        if (r < 0)
                return r;
        r = value_check(&value_architecture, def->architecture, err);
        return r < 0 ? r : value_check_all(&value_mirror, def->mirrors, err);
}

static int check_packages(const BootstrapDef *def, Error **err) {
        int r;

        if (!installs_packages(def->type) && (def->packages || def->n_repositories > 0))
                return error_set(err, EINVAL,
                                 "type '%s' installs no packages: packages and repositories are "
                                 "for 'apt' and 'dnf'",
                                 bootstrap_type_to_string(def->type));
        for (size_t i = 0; i < def->n_repositories; i++) {
                r = check_repository(&def->repositories[i], err);
                if (r < 0)
                        return r;
        }
        return value_check_all(&value_package, def->packages, err);
}

static int check_source(const BootstrapDef *def, Error **err) {
        const BootstrapSource *source = bootstrap_source_of(def->type);
        const char *type = bootstrap_type_to_string(def->type);

        if (!source && def->source)
                return error_set(err, EINVAL, "type '%s' has a recipe, not a source", type);
        if (!source && !def->recipe)
                return error_set(err, EINVAL, "type '%s' needs a recipe", type);
        if (!def->source && !def->recipe)
                return error_set(err, EINVAL, "type '%s' needs a source (%s)", type,
                                 source->kind->expected);
        if (def->sha256 && !has_checksum(def->type))
                return error_set(err, EINVAL, "a source of type '%s' has no SHA-256 sum", type);
        return source ? value_check(source->kind, def->source, err) : 0;
}

int bootstrap_def_check(const BootstrapDef *def, Error **err) {
        int r;

        assert(def);

        r = check_recipe(def, err);
        if (r < 0)
                return r;
        r = check_packages(def, err);
        if (r < 0)
                return r;
        r = check_source(def, err);
        return r < 0 ? r : value_check(&value_sha256, def->sha256, err);
}

static int copy_string(const char *s, char **ret) {
        *ret = s ? strdup(s) : NULL;
        return s && !*ret ? -ENOMEM : 0;
}

static int copy_repositories(const BootstrapDef *from, BootstrapDef *to) {
        to->repositories = calloc(from->n_repositories + 1, sizeof(*to->repositories));
        if (!to->repositories)
                return -ENOMEM;

        for (size_t i = 0; i < from->n_repositories; i++) {
                const RepositoryDef *source = &from->repositories[i];
                RepositoryDef *repository = &to->repositories[to->n_repositories++];

                if (copy_string(source->file, &repository->file) < 0 ||
                    copy_string(source->id, &repository->id) < 0 ||
                    copy_string(source->url, &repository->url) < 0 ||
                    copy_string(source->key, &repository->key) < 0)
                        return -ENOMEM;
        }
        return 0;
}

BootstrapDef *bootstrap_def_copy(const BootstrapDef *def) {
        _cleanup_bootstrap_def_ BootstrapDef *copy = calloc(1, sizeof(*copy));

        assert(def);

        if (!copy)
                return NULL;
        copy->type = def->type;
        copy->verify = def->verify;
        copy->docs = def->docs;
        copy->no_cache = def->no_cache;
        if (copy_string(def->recipe, &copy->recipe) < 0 ||
            copy_string(def->release, &copy->release) < 0 ||
            copy_string(def->architecture, &copy->architecture) < 0 ||
            strv_copy(def->mirrors, &copy->mirrors) < 0 || copy_repositories(def, copy) < 0 ||
            strv_copy(def->packages, &copy->packages) < 0 ||
            copy_string(def->source, &copy->source) < 0 ||
            copy_string(def->sha256, &copy->sha256) < 0)
                return NULL;
        return TAKE_PTR(copy);
}

static bool repository_equal(const RepositoryDef *a, const RepositoryDef *b) {
        return streq_ptr(a->file, b->file) && streq_ptr(a->id, b->id) &&
               streq_ptr(a->url, b->url) && streq_ptr(a->key, b->key);
}

bool bootstrap_def_equal(const BootstrapDef *a, const BootstrapDef *b) {
        if (a->type != b->type || a->verify != b->verify || a->docs != b->docs ||
            a->no_cache != b->no_cache || a->n_repositories != b->n_repositories)
                return false;
        for (size_t i = 0; i < a->n_repositories; i++)
                if (!repository_equal(&a->repositories[i], &b->repositories[i]))
                        return false;
        return streq_ptr(a->recipe, b->recipe) && streq_ptr(a->release, b->release) &&
               streq_ptr(a->architecture, b->architecture) && strv_equal(a->mirrors, b->mirrors) &&
               strv_equal(a->packages, b->packages) && streq_ptr(a->source, b->source) &&
               streq_ptr(a->sha256, b->sha256);
}

BootstrapDef *bootstrap_def_free(BootstrapDef *def) {
        if (!def)
                return NULL;

        free(def->recipe);
        free(def->release);
        free(def->architecture);
        strv_free(def->mirrors);
        for (size_t i = 0; i < def->n_repositories; i++) {
                free(def->repositories[i].file);
                free(def->repositories[i].id);
                free(def->repositories[i].url);
                free(def->repositories[i].key);
        }
        free(def->repositories);
        strv_free(def->packages);
        free(def->source);
        free(def->sha256);
        free(def);
        return NULL;
}
