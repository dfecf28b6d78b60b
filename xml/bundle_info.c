/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "xml/bundle_info.h"

#include "base/name.h"
#include "xml/xml_document.h"
#include "xml/xml_reader.h"
#include "xml/xml_writer.h"

#define FILE_NAME "ctvirt-bundle.xml"
#define USEC_PER_SEC UINT64_C(1000000)

static const XmlLimits limits = { .size = BUNDLE_XML_MAX, .elements = 100 };

void bundle_info_done(BundleInfo *info) {
        free(info->name);
        free(info->definition);
        *info = (BundleInfo){ 0 };
}

static int parse_text(XmlReader *r, const xmlNode *root, const char *name, char **ret) {
        xmlNode *node = xml_reader_child(root, name);

        if (!node)
                return xml_reader_error(r, root, "missing element <%s>", name);
        return xml_reader_text(node, ret);
}

static int parse_version(XmlReader *r, xmlNode *root) {
        _cleanup_free_ char *version = NULL;
        uint64_t number;
        int k;

        if (!xml_reader_is(root, "ctvirt-bundle"))
                return xml_reader_error(r, root, "this is not a bundle of ctvirt");
        k = xml_reader_require_attribute(r, root, "version", &version);
        if (k < 0)
                return k;
        if (xml_reader_parse_unsigned(version, &number) < 0)
                return xml_reader_bad_attribute(r, root, "version", version, "a number");
        if (number != BUNDLE_VERSION)
                return error_set_at(r->err, EPROTONOSUPPORT, FILE_NAME, xml_reader_line(root),
                                    "the bundle has version %llu, and this ctvirt knows version %d "
                                    "only: it was made by another release",
                                    (unsigned long long) number, BUNDLE_VERSION);
        return 0;
}

static int parse_root(XmlReader *r, xmlNode *root, BundleInfo *info) {
        _cleanup_free_ char *created = NULL;
        uint64_t seconds;
        int k;

        k = parse_version(r, root);
        if (k < 0)
                return k;
        k = parse_text(r, root, "name", &info->name);
        if (k < 0)
                return k;
        if (!container_name_is_valid(info->name))
                return xml_reader_bad_text(r, xml_reader_child(root, "name"), info->name,
                                           "the name of a container");
        k = parse_text(r, root, "creationTime", &created);
        if (k < 0)
                return k;
        if (xml_reader_parse_unsigned(created, &seconds) < 0 || seconds > UINT32_MAX * 16ULL)
                return xml_reader_bad_text(r, xml_reader_child(root, "creationTime"), created,
                                           "seconds since 1970");
        info->created_usec = seconds * USEC_PER_SEC;
        return parse_text(r, root, "definition", &info->definition);
}

int bundle_info_parse(const char *xml, size_t size, BundleInfo *ret, Error **err) {
        _cleanup_bundle_info_ BundleInfo info = { 0 };
        _cleanup_(xmlFreeDocp) xmlDoc *doc = NULL;
        XmlReader r = { .file = FILE_NAME, .err = err };
        int k;

        k = xml_document_load(xml, size, &limits, FILE_NAME, &doc, err);
        if (k >= 0)
                k = parse_root(&r, xmlDocGetRootElement(doc), &info);
        /* A file that came from a program is damaged, where a person's is wrong. */
        if (k == -EINVAL || k == -EFBIG) {
                if (err && *err)
                        (*err)->code = EBADMSG;
                k = -EBADMSG;
        }
        if (k < 0)
                return k;
        *ret = info;
        info = (BundleInfo){ 0 };
        return 0;
}

static int write_info(const BundleInfo *info, char **ret, size_t *ret_size) {
        char created[24];
        XmlWriter w = { .file = open_memstream(ret, ret_size) };

        if (!w.file)
                return -ENOMEM;
        (void) snprintf(created, sizeof(created), "%llu",
                        (unsigned long long) (info->created_usec / USEC_PER_SEC));
        xml_writer_open(&w, "ctvirt-bundle", 0);
        xml_writer_attributef(&w, "version", "%d", BUNDLE_VERSION);
        xml_writer_element(&w, "name", info->name);
        xml_writer_element(&w, "creationTime", created);
        xml_writer_element(&w, "definition", info->definition);
        xml_writer_close(&w);
        return fclose(w.file) == 0 ? 0 : -ENOMEM;
}

int bundle_info_format(const BundleInfo *info, char **ret, Error **err) {
        _cleanup_bundle_info_ BundleInfo again = { 0 };
        _cleanup_error_ Error *reason = NULL;
        _cleanup_free_ char *xml = NULL;
        size_t size;
        int r;

        r = write_info(info, &xml, &size);
        if (r < 0)
                return r;
        /* Now, and not when it is imported. */
        r = bundle_info_parse(xml, size, &again, &reason);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || !streq_ptr(again.definition, info->definition))
                return error_set(err, EINVAL, "what the bundle says of itself: %s",
                                 reason ? reason->text : "the definition is no XML text");
        *ret = TAKE_PTR(xml);
        return 0;
}
