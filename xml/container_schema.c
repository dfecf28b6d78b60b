/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "xml/container_schema.h"

#include "base/fileio.h"
#include "xml/xml_document.h"

#define SCHEMA_PATH CTVIRT_DATADIR "/schemas/container.rng"

static const XmlLimits schema_limits = { .size = 1024 * 1024, .elements = 20000 };
static const char *schema_path = SCHEMA_PATH;

/* Where the first mismatch goes. */
typedef struct Mismatch {
        const char *file;
        Error **err;
} Mismatch;

void container_schema_set_path(const char *path) {
        schema_path = path ? path : SCHEMA_PATH;
}

static void on_error(void *userdata, XmlErrorPtr error) {
        _cleanup_free_ char *text = strdup(error->message ? error->message : "unknown reason");
        Mismatch *m = userdata;

        if (!text)
                return;
        text[strcspn(text, "\n")] = '\0';
        (void) error_set_at(m->err, EINVAL, m->file, error->line > 0 ? (unsigned) error->line : 0,
                            "does not match the schema: %s", XML_SHOW_LONG(text));
}

/* libxml2 copies the document that it makes a schema of. */
static int load_schema(xmlRelaxNG **ret, Error **err) {
        _cleanup_(xmlRelaxNGFreeParserCtxtp) xmlRelaxNGParserCtxt *context = NULL;
        Mismatch mismatch = { .file = schema_path, .err = err };
        _cleanup_(xmlFreeDocp) xmlDoc *doc = NULL;
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        r = read_file_at(AT_FDCWD, schema_path, schema_limits.size, true, &text, &size);
        if (r < 0)
                return error_set(err, -r, "cannot read the schema %s: %s", schema_path,
                                 strerror(-r));
        r = xml_document_load(text, size, &schema_limits, schema_path, &doc, err);
        if (r < 0)
                return r;

        context = xmlRelaxNGNewDocParserCtxt(doc);
        if (!context)
                return -ENOMEM;
        xmlRelaxNGSetParserStructuredErrors(context, on_error, &mismatch);
        *ret = xmlRelaxNGParse(context);
        return *ret ? 0 : error_set(err, EINVAL, "%s is not a schema", schema_path);
}

int container_schema_validate(xmlDoc *doc, const char *file, Error **err) {
        _cleanup_(xmlRelaxNGFreeValidCtxtp) xmlRelaxNGValidCtxt *context = NULL;
        Mismatch mismatch = { .file = file, .err = err };
        _cleanup_(xmlRelaxNGFreep) xmlRelaxNG *schema = NULL;
        int r;

        r = load_schema(&schema, err);
        if (r < 0)
                return r;
        context = xmlRelaxNGNewValidCtxt(schema);
        if (!context)
                return -ENOMEM;

        xmlRelaxNGSetValidStructuredErrors(context, on_error, &mismatch);
        r = xmlRelaxNGValidateDoc(context, doc);
        if (r == 0)
                return 0;
        return error_set_at(err, EINVAL, file, 0, "does not match the schema");
}
