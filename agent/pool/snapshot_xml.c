/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <libxml/tree.h>

#include "agent/pool/snapshot.h"
#include "xml/xml_document.h"
#include "xml/xml_reader.h"
#include "xml/xml_writer.h"

#define SECOND UINT64_C(1000000)

static const XmlLimits snapshot_limits = { .size = SNAPSHOT_XML_MAX, .elements = 200000 };

static const char *const state_names[] = {
        [SNAPSHOT_RUNNING] = "running",
        [SNAPSHOT_SHUTOFF] = "shutoff",
};

const char *snapshot_state_to_string(SnapshotState s) {
        return state_names[s];
}

int snapshot_state_from_string(const char *s) {
        for (size_t i = 0; i < ELEMENTSOF(state_names); i++)
                if (streq(state_names[i], s))
                        return (int) i;
        return -EINVAL;
}

void snapshot_done(Snapshot *s) {
        free(s->name);
        free(s->description);
        free(s->definition);
        *s = (Snapshot){ 0 };
}

bool snapshot_name_is_valid(const char *s) {
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789-_.:+";
        size_t n = s ? strlen(s) : 0;

        return n > 0 && n <= SNAPSHOT_NAME_MAX && strspn(s, allowed) == n && s[0] != '.' &&
               s[0] != '-' && !endswith(s, ".xml");
}

/*
 * Reading
 */

static int element_text(const xmlNode *root, const char *name, xmlNode **ret_node, char **ret) {
        *ret_node = xml_reader_child(root, name);
        return *ret_node ? xml_reader_text(*ret_node, ret) : 0;
}

static int parse_name(XmlReader *r, const xmlNode *root, Snapshot *s) {
        xmlNode *node;
        int k;

        k = element_text(root, "name", &node, &s->name);
        if (k < 0)
                return k;
        if (!node)
                return xml_reader_error(r, root, "missing element <name> in <domainsnapshot>");
        if (!snapshot_name_is_valid(s->name))
                return xml_reader_bad_text(r, node, s->name, "the name of a snapshot");
        return 0;
}

static int parse_state(XmlReader *r, const xmlNode *root, Snapshot *s) {
        _cleanup_free_ char *text = NULL;
        xmlNode *node;
        int k;

        s->state = SNAPSHOT_SHUTOFF;
        k = element_text(root, "state", &node, &text);
        if (k < 0 || !node)
                return k;
        k = snapshot_state_from_string(text);
        if (k < 0)
                return xml_reader_bad_text(r, node, text, "running or shutoff");
        s->state = (SnapshotState) k;
        return 0;
}

static int parse_created(XmlReader *r, const xmlNode *root, Snapshot *s) {
        _cleanup_free_ char *text = NULL;
        uint64_t seconds;
        xmlNode *node;
        int k;

        k = element_text(root, "creationTime", &node, &text);
        if (k < 0 || !node)
                return k;
        if (xml_reader_parse_unsigned(text, &seconds) < 0 || seconds > UINT64_MAX / SECOND)
                return xml_reader_bad_text(r, node, text, "seconds since 1970");
        s->created_usec = seconds * SECOND;
        return 0;
}

static int dump(xmlDoc *doc, xmlNode *node, char **ret) {
        _cleanup_(xmlBufferFreep) xmlBuffer *buffer = xmlBufferCreate();

        if (!buffer || xmlNodeDump(buffer, doc, node, 0, 0) < 0)
                return -ENOMEM;
        *ret = strdup((const char *) xmlBufferContent(buffer));
        return *ret ? 0 : -ENOMEM;
}

static int parse_document(XmlReader *r, xmlDoc *doc, Snapshot *s) {
        xmlNode *root = xmlDocGetRootElement(doc), *node;
        int k;

        if (!xml_reader_is(root, "domainsnapshot"))
                return xml_reader_error(r, root,
                                        "unexpected root element <%s>, expecting <domainsnapshot>",
                                        XML_SHOW(root->name));
        k = parse_name(r, root, s);
        if (k >= 0)
                k = element_text(root, "description", &node, &s->description);
        if (k >= 0)
                k = parse_state(r, root, s);
        if (k >= 0)
                k = parse_created(r, root, s);
        node = k >= 0 ? xml_reader_child(root, "domain") : NULL;
        return node ? dump(doc, node, &s->definition) : k;
}

int snapshot_parse(const char *xml, size_t size, const char *file, Snapshot *ret, Error **err) {
        _cleanup_(xml_reader_done) XmlReader r = { .file = file, .err = err };
        _cleanup_(xmlFreeDocp) xmlDoc *doc = NULL;
        _cleanup_snapshot_ Snapshot s = { 0 };
        int k;

        k = xml_document_load(xml, size, &snapshot_limits, file, &doc, err);
        if (k >= 0)
                k = parse_document(&r, doc, &s);
        if (k < 0)
                return error_set(err, -k, "cannot read the document of a snapshot: %s",
                                 strerror(-k));
        *ret = s;
        s = (Snapshot){ 0 };
        return 0;
}

/*
 * Writing
 */

/* What a definition says, without what may stand around its root element. */
static int definition_element(const char *definition, char **ret, Error **err) {
        _cleanup_(xmlFreeDocp) xmlDoc *doc = NULL;
        int r;

        *ret = NULL;
        if (!definition)
                return 0;
        r = xml_document_load(definition, strlen(definition), &snapshot_limits, "definition", &doc,
                              err);
        if (r < 0)
                return r;
        if (!xml_reader_is(xmlDocGetRootElement(doc), "domain"))
                return error_set(err, EINVAL, "the definition is not a <domain>");
        return dump(doc, xmlDocGetRootElement(doc), ret);
}

static void write_document(FILE *f, const Snapshot *s, const char *definition) {
        char created[32];
        XmlWriter w = { .file = f };

        (void) snprintf(created, sizeof(created), "%llu",
                        (unsigned long long) (s->created_usec / SECOND));
        xml_writer_open_with(&w, "domainsnapshot", NULL);
        xml_writer_element(&w, "name", s->name);
        xml_writer_element(&w, "description", s->description);
        xml_writer_element(&w, "state", snapshot_state_to_string(s->state));
        xml_writer_element(&w, "creationTime", created);
        /* As it is: white space in it may have a meaning. */
        if (definition)
                (void) fprintf(f, "%s\n", definition);
        xml_writer_close(&w);
}

int snapshot_format(const Snapshot *s, char **ret, Error **err) {
        _cleanup_free_ char *definition = NULL, *text = NULL;
        _cleanup_snapshot_ Snapshot check = { 0 };
        _cleanup_fclose_ FILE *f = NULL;
        size_t size;
        int r;

        r = definition_element(s->definition, &definition, err);
        if (r < 0)
                return r;
        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        write_document(f, s, definition);
        if (fclose(TAKE_PTR(f)) != 0)
                return -ENOMEM;
        /* A name or description that XML cannot hold is found now, not when it is needed. */
        r = snapshot_parse(text, size, "snapshot", &check, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(text);
        return 0;
}
