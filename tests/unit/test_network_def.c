/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fileio.h"
#include "xml/network_def.h"

#define FOLDER CTVIRT_SOURCE_DIR "/tests/golden/network/"
#define DEFAULT_UUID "8f0ab52c-8a1c-4f57-9a4b-f1e0f2ac2d3e"

/* One row a document: what we know of the network afterwards. */
static const struct {
        const char *file;
        const char *name, *uuid, *bridge, *forward;
        bool owns_bridge;
} rows[] = {
        { "default", "default", DEFAULT_UUID, "virbr0", "nat", true },
        { "hook-started", "default", DEFAULT_UUID, "virbr0", "nat", true },
        { "hook-port", "default", DEFAULT_UUID, "virbr0", "nat", true },
        { "status", "default", DEFAULT_UUID, "virbr0", "nat", true },
        { "isolated", "lab", NULL, "virbr1", NULL, true },
        { "forward-default", "n", NULL, "virbr2", "nat", true },
        { "route", "n", NULL, "virbr3", "route", true },
        { "open", "n", NULL, "virbr4", "open", true },
        { "host-bridge", "host bridge", NULL, "br0", "bridge", false },
        { "macvtap", "direct", NULL, NULL, "bridge", false },
        { "openvswitch", "ovs", NULL, "ovsbr0", "bridge", false },
        { "dnsmasq", "n", NULL, "virbr5", NULL, true },
        { "no-bridge-name", "n", NULL, NULL, NULL, false },
};

static void test_good(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(network_def_freep) NetworkDef *def = NULL;
                _cleanup_free_ char *path = NULL, *text = NULL;
                char uuid[UUID_STRING_MAX];
                size_t size;

                assert_true(asprintf(&path, FOLDER "%s.xml", rows[i].file) > 0);
                assert_int_equal(read_file_at(AT_FDCWD, path, NETWORK_XML_MAX, true, &text, &size),
                                 0);
                assert_int_equal(network_def_parse(text, size, path, &def, NULL), 0);
                assert_string_equal(def->name, rows[i].name);
                assert_true(streq_ptr(def->bridge, rows[i].bridge));
                assert_true(streq_ptr(def->forward_mode, rows[i].forward));
                assert_true(network_def_owns_bridge(def) == rows[i].owns_bridge);
                assert_true(def->has_uuid == (rows[i].uuid != NULL));
                if (rows[i].uuid)
                        assert_string_equal(uuid_to_string(&def->uuid, uuid), rows[i].uuid);
        }
}

static const struct {
        const char *xml;
        int code;
        const char *error;
} bad[] = {
        { "", EBADMSG, "n.xml: the document is empty" },
        { "<network>", EBADMSG, "n.xml:1: no element found" },
        { "<domain/>", EINVAL, "n.xml:1: unexpected root element <domain>, expecting <network>" },
        { "<hookData/>", EINVAL, "n.xml:1: missing element <network> in <hookData>" },
        { "<networkstatus><x><network/></x></networkstatus>", EINVAL,
          "n.xml:1: missing element <network> in <networkstatus>" },
        { "<network/>", EINVAL, "n.xml:1: missing element <name> in <network>" },
        { "<network>\n<name/></network>", EINVAL,
          "n.xml:2: element 'name' has invalid value '': expected the name of a network" },
        { "<network><name>../x</name></network>", EINVAL,
          "n.xml:1: element 'name' has invalid value '../x': expected the name of a network" },
        { "<network><name>n</name><uuid>1</uuid></network>", EINVAL,
          "n.xml:1: element 'uuid' has invalid value '1': expected 32 hex digits, with or without "
          "dashes" },
        { "<network><name>n</name><bridge name='a/b'/></network>", EINVAL,
          "n.xml:1: element 'bridge': attribute 'name' has invalid value 'a/b': expected the name "
          "of a link" },
        { "<network><name>n</name><bridge name=''/></network>", EINVAL,
          "n.xml:1: element 'bridge': attribute 'name' has invalid value '': expected the name of "
          "a link" },
        { "<network><name>n</name></network><x/>", EBADMSG,
          "n.xml:1: junk after document element" },
        { "<network><name>n\x01</name></network>", EBADMSG,
          "n.xml:1: not well-formed (invalid token)" },
        { "<network><name>\xff</name></network>", EBADMSG,
          "n.xml:1: not well-formed (invalid token)" },
        { "<network><x:name>n</x:name></network>", EBADMSG, "n.xml:1: unbound prefix" },
        { "<network><name>n&e;</name></network>", EBADMSG, "n.xml:1: undefined entity" },
        { "<network xmlns='u'><name>n</name></network>", EINVAL,
          "n.xml:1: unexpected root element <network>, expecting <network>" },
        { "<network xmlns:u='u'><u:name>n</u:name></network>", EINVAL,
          "n.xml:1: missing element <name> in <network>" },
        { "<?xml version='1.0' encoding='UTF-16'?>\n<network/>", EBADMSG,
          "n.xml:1: encoding 'UTF-16' is not supported: save the document as UTF-8" },
        { "<!DOCTYPE network [<!ENTITY e 'x'>]><network><name>&e;</name></network>", EINVAL,
          "n.xml:1: a DOCTYPE is not allowed" },
        { "<!DOCTYPE network><network/>", EINVAL, "n.xml:1: a DOCTYPE is not allowed" },
};

static void test_bad(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_error_ Error *err = NULL;
                _cleanup_free_ char *text = NULL;
                NetworkDef *def = NULL;

                assert_int_equal(
                        network_def_parse(bad[i].xml, strlen(bad[i].xml), "n.xml", &def, &err),
                        -bad[i].code);
                assert_null(def);
                text = error_format(err);
                assert_string_equal(text, bad[i].error);
        }
}

static void test_first_of_each(void **state) {
        static const char xml[] = "<hookData><network><name>a</name><name>b</name></network>"
                                  "<network><name>c</name></network></hookData>";
        _cleanup_(network_def_freep) NetworkDef *def = NULL;

        assert_int_equal(network_def_parse(xml, strlen(xml), "n.xml", &def, NULL), 0);
        assert_string_equal(def->name, "a");
}

/* As libvirt's own reader sees them. */
static void test_text_and_attributes(void **state) {
        static const char xml[] = "\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?>\n"
                                  "<network xmlns:u='u' connections='1'><x><name>inner</name></x>"
                                  "<name>a<!-- -->&#x62;<![CDATA[<c]]><y>d</y></name>"
                                  "<bridge u:name='br1' name='br0'/><bridge name='br2'/></network>";
        _cleanup_(network_def_freep) NetworkDef *def = NULL;

        assert_int_equal(network_def_parse(xml, strlen(xml), "n.xml", &def, NULL), 0);
        assert_string_equal(def->name, "ab<c");
        assert_string_equal(def->bridge, "br0");
        assert_null(def->forward_mode);
}

/* '#' in the piece becomes its number. */
static char *repeat(const char *begin, const char *piece, size_t n, const char *end) {
        _cleanup_fclose_ FILE *f = NULL;
        char *text = NULL;
        size_t size;

        f = open_memstream(&text, &size);
        assert_non_null(f);
        fputs(begin, f);
        for (size_t i = 0; i < n; i++)
                for (const char *c = piece; *c; c++)
                        if (*c == '#')
                                fprintf(f, "%zu", i);
                        else
                                fputc(*c, f);
        fputs(end, f);
        assert_int_equal(fclose(TAKE_PTR(f)), 0);
        return text;
}

static void test_limits(void **state) {
        static const struct {
                const char *begin, *piece;
                size_t n;
                const char *end, *error;
        } limits[] = {
                { "<network>", "<x>", 64, "", "n.xml:1: elements are nested too deeply" },
                { "<network>", "<x/>", 200000, "</network>", "n.xml:1: too many elements" },
                { "<network ", "a#='' ", 65, "/>",
                  "n.xml:1: more than 64 attributes in one element" },
        };

        for (size_t i = 0; i < ELEMENTSOF(limits); i++) {
                _cleanup_free_ char *xml = repeat(limits[i].begin, limits[i].piece, limits[i].n,
                                                  limits[i].end),
                                    *text = NULL;
                _cleanup_error_ Error *err = NULL;
                NetworkDef *def = NULL;

                assert_int_equal(network_def_parse(xml, strlen(xml), "n.xml", &def, &err), -EFBIG);
                text = error_format(err);
                assert_string_equal(text, limits[i].error);
        }
}

static void test_too_large(void **state) {
        _cleanup_free_ char *text = calloc(1, NETWORK_XML_MAX + 1);
        NetworkDef *def = NULL;

        assert_non_null(text);
        assert_int_equal(network_def_parse(text, NETWORK_XML_MAX + 1, "n.xml", &def, NULL), -EFBIG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),          cmocka_unit_test(test_bad),
                cmocka_unit_test(test_first_of_each), cmocka_unit_test(test_text_and_attributes),
                cmocka_unit_test(test_limits),        cmocka_unit_test(test_too_large),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
