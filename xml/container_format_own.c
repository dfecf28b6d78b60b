/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "xml/container_format_own.h"

#include "xml/bootstrap_source.h"
#include "xml/unknown_xml.h"

#define PREFIX "ct"

/* The children of <domain> that are ours. */
static const char *const own_names[] = { "on_network_stop", "bootstrap", "firstboot", "quota" };

static const UnknownXml *unknown_of(const ContainerDef *def, const char *name) {
        return unknown_xml_find_child(&def->unknown, name, 0);
}

/* The default is not worth a line, unless there is something in it that we have to keep. */
static bool has_policy(const ContainerDef *def) {
        return def->on_network_stop != ON_NETWORK_STOP_KEEP || unknown_of(def, "on_network_stop");
}

/* True if an attribute that we keep brings this prefix along for somebody else's namespace. */
static bool is_taken_here(const UnknownXml *unknown, const OwnPrefix *own) {
        size_t length = strlen("xmlns:") + strlen(own->prefix) + 1;

        STRV_FOREACH(a, unknown ? unknown->attributes : NULL)
                if (strncmp(*a, own->declaration, length) == 0 && !streq(*a, own->declaration))
                        return true;
        return false;
}

static bool is_taken(const ContainerDef *def, const OwnPrefix *own) {
        if (is_taken_here(&def->unknown, own))
                return true;
        for (size_t i = 0; i < ELEMENTSOF(own_names); i++) {
                const UnknownXml *unknown = unknown_of(def, own_names[i]);

                if (is_taken_here(unknown, own))
                        return true;
                for (size_t j = 0; unknown && j < unknown->n_children; j++)
                        if (is_taken_here(&unknown->children[j].unknown, own))
                                return true;
        }
        return false;
}

void own_prefix_choose(const ContainerDef *def, OwnPrefix *ret) {
        unsigned i = 0;

        do {
                (void) snprintf(ret->prefix, sizeof(ret->prefix), i > 0 ? PREFIX "%u" : PREFIX, i);
                (void) snprintf(ret->declaration, sizeof(ret->declaration), "xmlns:%s=\"%s\"",
                                ret->prefix, CONTAINER_NAMESPACE);
                i++;
        } while (is_taken(def, ret));
}

void own_prefix_declare(XmlWriter *w, const ContainerDef *def, const OwnPrefix *own) {
        char name[sizeof("xmlns:") + sizeof(own->prefix)];

        if (!has_policy(def) && !def->bootstrap && !def->first_boot && def->quota == 0)
                return;
        if (strv_contains(def->unknown.attributes, own->declaration))
                return;
        (void) snprintf(name, sizeof(name), "xmlns:%s", own->prefix);
        xml_writer_attribute(w, name, CONTAINER_NAMESPACE);
}

/* An element with text; none for text NULL. */
static void format_text(XmlWriter *w, const OwnPrefix *own, const char *name, const char *text) {
        if (!text)
                return;
        xml_writer_open_prefixed(w, own->prefix, name, 0);
        xml_writer_text(w, text);
        xml_writer_close(w);
}

/* One element a string, with the string in an attribute. */
static void format_items(XmlWriter *w, const OwnPrefix *own, const char *name,
                         const char *attribute, char *const *v) {
        for (size_t i = 0; v && v[i]; i++) {
                xml_writer_open_prefixed(w, own->prefix, name, i);
                xml_writer_attribute(w, attribute, v[i]);
                xml_writer_close(w);
        }
}

static void format_policy(XmlWriter *w, const ContainerDef *def, const OwnPrefix *own) {
        if (has_policy(def))
                format_text(w, own, "on_network_stop",
                            on_network_stop_to_string(def->on_network_stop));
}

static void format_recipe(XmlWriter *w, const BootstrapDef *b, const OwnPrefix *own) {
        if (!b->recipe)
                return;
        xml_writer_open_prefixed(w, own->prefix, "recipe", 0);
        xml_writer_attribute(w, "name", b->recipe);
        xml_writer_attribute(w, "release", b->release);
        xml_writer_attribute(w, "arch", b->architecture);
        xml_writer_close(w);
}

static void format_repositories(XmlWriter *w, const BootstrapDef *b, const OwnPrefix *own) {
        for (size_t i = 0; i < b->n_repositories; i++) {
                const RepositoryDef *repository = &b->repositories[i];

                xml_writer_open_prefixed(w, own->prefix, "repository", i);
                xml_writer_attribute(w, "file", repository->file);
                xml_writer_attribute(w, "id", repository->id);
                xml_writer_attribute(w, "url", repository->url);
                xml_writer_attribute(w, "key", repository->key);
                xml_writer_close(w);
        }
}

static void format_source(XmlWriter *w, const BootstrapDef *b, const OwnPrefix *own) {
        const BootstrapSource *source = bootstrap_source_of(b->type);

        if (!source || !b->source)
                return;
        xml_writer_open_prefixed(w, own->prefix, "source", 0);
        xml_writer_attribute(w, source->attribute, b->source);
        xml_writer_close(w);
}

/* Also with nothing but the defaults in it if there is something that we have to keep. */
static void format_verify(XmlWriter *w, const BootstrapDef *b, const UnknownXml *unknown,
                          const OwnPrefix *own) {
        if (b->verify == BOOTSTRAP_VERIFY_SIGNATURE && !b->sha256 &&
            !unknown_xml_find_child(unknown, "verify", 0))
                return;
        xml_writer_open_prefixed(w, own->prefix, "verify", 0);
        xml_writer_attribute(w, "mode", bootstrap_verify_to_string(b->verify));
        xml_writer_attribute(w, "sha256", b->sha256);
        xml_writer_close(w);
}

static void format_switches(XmlWriter *w, const BootstrapDef *b, const UnknownXml *unknown,
                            const OwnPrefix *own) {
        if (b->docs) {
                xml_writer_open_prefixed(w, own->prefix, "docs", 0);
                xml_writer_close(w);
        }
        if (b->no_cache || unknown_xml_find_child(unknown, "cache", 0)) {
                xml_writer_open_prefixed(w, own->prefix, "cache", 0);
                xml_writer_attribute(w, "use", b->no_cache ? "no" : "yes");
                xml_writer_close(w);
        }
}

static void format_bootstrap(XmlWriter *w, const ContainerDef *def, const OwnPrefix *own) {
        const UnknownXml *unknown = unknown_of(def, "bootstrap");
        const BootstrapDef *b = def->bootstrap;

        if (!b)
                return;
        xml_writer_open_prefixed(w, own->prefix, "bootstrap", 0);
        xml_writer_attribute(w, "type", bootstrap_type_to_string(b->type));
        format_recipe(w, b, own);
        format_items(w, own, "mirror", "url", b->mirrors);
        format_repositories(w, b, own);
        format_items(w, own, "package", "name", b->packages);
        format_source(w, b, own);
        format_verify(w, b, unknown, own);
        format_switches(w, b, unknown, own);
        xml_writer_close(w);
}

static void format_ssh_keys(XmlWriter *w, const FirstBootDef *f, const OwnPrefix *own) {
        for (size_t i = 0; i < f->n_ssh_keys; i++) {
                xml_writer_open_prefixed(w, own->prefix, "sshkey", i);
                xml_writer_attribute(w, "user", f->ssh_keys[i].user);
                xml_writer_text(w, f->ssh_keys[i].key);
                xml_writer_close(w);
        }
}

static void format_first_boot(XmlWriter *w, const FirstBootDef *f, const OwnPrefix *own) {
        if (!f)
                return;
        xml_writer_open_prefixed(w, own->prefix, "firstboot", 0);
        format_text(w, own, "hostname", f->hostname);
        if (f->root_hash || f->root_hash_withheld) {
                xml_writer_open_prefixed(w, own->prefix, "rootpassword", 0);
                xml_writer_attribute(w, "withheld", f->root_hash_withheld ? "yes" : NULL);
                xml_writer_attribute(w, "hash", f->root_hash);
                xml_writer_close(w);
        }
        format_text(w, own, "locale", f->locale);
        format_text(w, own, "keymap", f->keymap);
        format_text(w, own, "timezone", f->timezone);
        format_text(w, own, "machineid", f->machine_id);
        format_ssh_keys(w, f, own);
        format_items(w, own, "search", "domain", f->search_domains);
        xml_writer_close(w);
}

/* In the largest unit that says it exactly. */
static void format_quota(XmlWriter *w, uint64_t bytes, const OwnPrefix *own) {
        static const struct {
                const char *name;
                unsigned shift;
        } units[] = { { "GiB", 30 }, { "MiB", 20 }, { "KiB", 10 }, { "bytes", 0 } };
        size_t i = 0;
        char text[24];

        if (bytes == 0)
                return;
        while (bytes & ((UINT64_C(1) << units[i].shift) - 1))
                i++;
        (void) snprintf(text, sizeof(text), "%llu", (unsigned long long) bytes >> units[i].shift);
        xml_writer_open_prefixed(w, own->prefix, "quota", 0);
        xml_writer_attribute(w, "unit", units[i].name);
        xml_writer_text(w, text);
        xml_writer_close(w);
}

void own_elements_format(XmlWriter *w, const ContainerDef *def, const OwnPrefix *own) {
        format_policy(w, def, own);
        format_bootstrap(w, def, own);
        format_first_boot(w, def->first_boot, own);
        format_quota(w, def->quota, own);
}
