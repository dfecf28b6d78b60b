/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <ct:bootstrap>. The table at the end is the grammar.
 */

#include "xml/bootstrap_source.h"
#include "xml/container_def.h"
#include "xml/container_grammar.h"
#include "xml/own_reader.h"

int container_parse_bootstrap(XmlReader *r, xmlNode *node, ContainerDef *def) {
        _cleanup_free_ char *type = NULL;
        int k;

        def->bootstrap = calloc(1, sizeof(*def->bootstrap));
        if (!def->bootstrap)
                return -ENOMEM;
        k = xml_reader_require_attribute(r, node, "type", &type);
        if (k < 0)
                return k;
        k = bootstrap_type_from_string(type);
        if (k < 0)
                return xml_reader_bad_attribute(
                        r, node, "type", type,
                        "'apt', 'dnf', 'tar', 'directory', 'raw', 'pull-tar', 'pull-raw', 'oci', "
                        "'clone' or 'base'");
        def->bootstrap->type = (BootstrapType) k;
        return 0;
}

static int parse_recipe(XmlReader *r, xmlNode *node, ContainerDef *def) {
        BootstrapDef *b = def->bootstrap;
        int k;

        k = own_reader_require(r, node, "name", &value_recipe, &b->recipe);
        if (k < 0)
                return k;
        k = own_reader_attribute(r, node, "release", &value_release, &b->release);
        if (k < 0)
                return k;
        return own_reader_attribute(r, node, "arch", &value_architecture, &b->architecture);
}

static int parse_mirror(XmlReader *r, xmlNode *node, ContainerDef *def) {
        return own_reader_item(r, node, "url", &value_mirror, &def->bootstrap->mirrors);
}

static int parse_package(XmlReader *r, xmlNode *node, ContainerDef *def) {
        return own_reader_item(r, node, "name", &value_package, &def->bootstrap->packages);
}

static int parse_repository(XmlReader *r, xmlNode *node, ContainerDef *def) {
        BootstrapDef *b = def->bootstrap;
        RepositoryDef *grown, *repository;
        int k;

        grown = reallocarray(b->repositories, b->n_repositories + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        b->repositories = grown;
        repository = &grown[b->n_repositories++];
        *repository = (RepositoryDef){ 0 };

        k = own_reader_attribute(r, node, "file", &value_path, &repository->file);
        if (k < 0)
                return k;
        k = own_reader_attribute(r, node, "id", &value_repository_id, &repository->id);
        if (k < 0)
                return k;
        k = own_reader_attribute(r, node, "url", &value_mirror, &repository->url);
        if (k < 0)
                return k;
        k = own_reader_attribute(r, node, "key", &value_repository_key, &repository->key);
        if (k < 0)
                return k;

        if (repository->file ? repository->id || repository->url || repository->key
                             : !repository->id || !repository->url)
                return xml_reader_error(r, node,
                                        "element 'repository': expected either the attribute "
                                        "'file', or 'id' and 'url' and perhaps 'key'");
        return 0;
}

/* An attribute that belongs to another type. */
static int refuse_source(XmlReader *r, xmlNode *node, const char *name, const char *type,
                         const char *right) {
        _cleanup_free_ char *value = NULL;
        int k;

        k = xml_reader_attribute(node, name, &value);
        if (k < 0 || !value)
                return k;
        return xml_reader_error(r, node,
                                "element 'source': a bootstrap of type '%s' has the attribute "
                                "'%s', not '%s'",
                                type, right, name);
}

static int parse_source(XmlReader *r, xmlNode *node, ContainerDef *def) {
        static const char *const names[] = { "file", "url", "container", "base", "image" };
        const char *type = bootstrap_type_to_string(def->bootstrap->type);
        const BootstrapSource *source = bootstrap_source_of(def->bootstrap->type);
        int k;

        if (!source)
                return xml_reader_error(
                        r, node, "a bootstrap of type '%s' has a recipe, not a source", type);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                k = streq(names[i], source->attribute)
                            ? 0
                            : refuse_source(r, node, names[i], type, source->attribute);
                if (k < 0)
                        return k;
        }
        return own_reader_require(r, node, source->attribute, source->kind,
                                  &def->bootstrap->source);
}

static int parse_verify(XmlReader *r, xmlNode *node, ContainerDef *def) {
        _cleanup_free_ char *mode = NULL;
        int k;

        k = xml_reader_attribute(node, "mode", &mode);
        if (k < 0)
                return k;
        k = mode ? bootstrap_verify_from_string(mode) : BOOTSTRAP_VERIFY_SIGNATURE;
        if (k < 0)
                return xml_reader_bad_attribute(r, node, "mode", mode,
                                                "'signature', 'checksum' or 'no'");
        def->bootstrap->verify = (BootstrapVerify) k;
        k = own_reader_attribute(r, node, "sha256", &value_sha256, &def->bootstrap->sha256);
        for (char *c = def->bootstrap->sha256; k >= 0 && c && *c; c++)
                if (*c >= 'A' && *c <= 'F')
                        *c = (char) (*c - 'A' + 'a');
        return k;
}

static int parse_docs(XmlReader *r, xmlNode *node, ContainerDef *def) {
        def->bootstrap->docs = true;
        return 0;
}

static int parse_cache(XmlReader *r, xmlNode *node, ContainerDef *def) {
        _cleanup_free_ char *use = NULL;
        int k;

        k = xml_reader_require_attribute(r, node, "use", &use);
        if (k < 0)
                return k;
        if (!streq(use, "yes") && !streq(use, "no"))
                return xml_reader_bad_attribute(r, node, "use", use, "'yes' or 'no'");
        def->bootstrap->no_cache = streq(use, "no");
        return 0;
}

int container_bootstrap_done(XmlReader *r, xmlNode *node, ContainerDef *def) {
        _cleanup_error_ Error *reason = NULL;
        int k;

        k = bootstrap_def_check(def->bootstrap, &reason);
        return k == -EINVAL && reason
                       ? xml_reader_error(r, node, "element 'bootstrap': %s", reason->text)
                       : k;
}

const XmlElement container_bootstrap_elements[] = {
        { .name = "recipe", .parse = parse_recipe, .own = true },
        { .name = "mirror", .parse = parse_mirror, .own = true, .repeat = true },
        { .name = "repository", .parse = parse_repository, .own = true, .repeat = true },
        { .name = "package", .parse = parse_package, .own = true, .repeat = true },
        { .name = "source", .parse = parse_source, .own = true },
        { .name = "verify", .parse = parse_verify, .own = true },
        { .name = "docs", .parse = parse_docs, .own = true },
        { .name = "cache", .parse = parse_cache, .own = true },
        { 0 },
};
