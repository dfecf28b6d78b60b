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
        { "<network>", EBADMSG, "n.xml:1: Premature end of data in tag network line 1" },
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

static void test_too_large(void **state) {
        _cleanup_free_ char *text = calloc(1, NETWORK_XML_MAX + 1);
        NetworkDef *def = NULL;

        assert_non_null(text);
        assert_int_equal(network_def_parse(text, NETWORK_XML_MAX + 1, "n.xml", &def, NULL), -EFBIG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_first_of_each),
                cmocka_unit_test(test_too_large),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
