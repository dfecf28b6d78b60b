/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What golden files cannot say about a definition: tables, values, changes made by a program. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "xml/container_def.h"
#include "xml/container_schema.h"
#include "xml/container_values.h"

#define SCHEMA CTVIRT_SOURCE_DIR "/xml/schema/container.rng"

static const char full[] = "<domain type='nspawn' a='1'>"
                           "<name>web</name><uuid>c7a5fdbdcdaf9455926ad65c16db1809</uuid>"
                           "<title>t</title><description>d</description>"
                           "<memory>2048</memory><currentMemory>1024</currentMemory><vcpu>2</vcpu>"
                           "<os><init>/i</init><initarg x='1'>a</initarg><initenv name='E'>v"
                           "</initenv><initdir>/d</initdir><inituser>u</inituser>"
                           "<initgroup>g</initgroup></os>"
                           "<idmap><uid start='0' target='524288' count='65536'/>"
                           "<gid start='0' target='524288' count='65536'/></idmap>"
                           "<features><privnet/></features><devices>"
                           "<filesystem><source dir='/s'/><target dir='/'/></filesystem>"
                           "<interface type='network'><source network='default'/>"
                           "<mac address='52:54:00:12:34:56'/><ip address='10.0.0.2' prefix='24'/>"
                           "<route address='10.1.0.0' prefix='16' gateway='10.0.0.1' metric='2'/>"
                           "<foo/></interface><console/></devices></domain>";

static ContainerDef *parse(const char *xml) {
        ContainerDef *def = NULL;

        assert_int_equal(container_def_parse(xml, strlen(xml), "x.xml", 0, &def, NULL, NULL), 0);
        return def;
}

static void test_tables(void **state) {
        for (int t = CONTAINER_TYPE_NSPAWN; t <= CONTAINER_TYPE_LXC; t++)
                assert_int_equal(
                        container_type_from_string(container_type_to_string((ContainerType) t)), t);
        for (int t = INTERFACE_TYPE_NETWORK; t <= INTERFACE_TYPE_DIRECT; t++)
                assert_int_equal(
                        interface_type_from_string(interface_type_to_string((InterfaceType) t)), t);
        assert_int_equal(container_type_from_string("kvm"), -EINVAL);
        assert_int_equal(container_type_from_string(""), -EINVAL);
        assert_int_equal(interface_type_from_string("Network"), -EINVAL);
        for (int i = ON_NETWORK_STOP_KEEP; i <= ON_NETWORK_STOP_STOP; i++)
                assert_int_equal(
                        on_network_stop_from_string(on_network_stop_to_string((OnNetworkStop) i)),
                        i);
        assert_int_equal(on_network_stop_from_string("Stop"), -EINVAL);
}

static void test_mac(void **state) {
        static const char *const bad[] = {
                "",
                "52:54:00:12:34",
                "52:54:00:12:34:5",
                "52:54:00:12:34:567",
                "52:54:00:12:34:5g",
                "52-54-00-12-34-56",
                "52:54:00:12:34-56",
                "00:00:00:00:00:00",
                "01:00:00:00:00:00",
                "ff:ff:ff:ff:ff:ff",
        };
        uint8_t mac[ETH_ALEN];
        char text[MAC_STRING_MAX];

        assert_int_equal(mac_from_string("52:54:00:aB:Cd:0f", mac), 0);
        assert_string_equal(mac_to_string(mac, text), "52:54:00:ab:cd:0f");
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_int_equal(mac_from_string(bad[i], mac), -EINVAL);
        assert_string_equal(mac_to_string(mac, text), "52:54:00:ab:cd:0f");
}

static void test_clean_path(void **state) {
        static const struct {
                const char *path, *clean; /* NULL: refused */
        } rows[] = {
                { "/", "/" },
                { "//", "/" },
                { "/.", "/" },
                { "/a", "/a" },
                { "/a/", "/a" },
                { "//a//b/./c/.", "/a/b/c" },
                { "/...", "/..." },
                { "/a..b/.c", "/a..b/.c" },
                { "/a b\"'\\:%", "/a b\"'\\:%" },
                { "", NULL },
                { "a", NULL },
                { "./a", NULL },
                { "/..", NULL },
                { "/a/../b", NULL },
                { "/a\n", NULL },
                { "/\x7f", NULL },
                { "/\xc2\x85", NULL },
                { "/\xc3\x85", "/\xc3\x85" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *clean = NULL;

                assert_int_equal(clean_path(rows[i].path, &clean), rows[i].clean ? 0 : -EINVAL);
                assert_true(streq_ptr(clean, rows[i].clean));
        }
}

static void test_scale_memory(void **state) {
        static const struct {
                uint64_t number;
                const char *unit;
                int r;
                uint64_t kib;
        } rows[] = {
                { 7, NULL, 0, 7 },
                { 1, "b", 0, 1 },
                { 1024, "bytes", 0, 1 },
                { 1025, "Byte", 0, 2 },
                { 1, "KB", 0, 1 },
                { 1024, "kb", 0, 1000 },
                { 1, "k", 0, 1 },
                { 1, "KiB", 0, 1 },
                { 1, "MB", 0, 977 },
                { 1, "M", 0, 1024 },
                { 1, "MiB", 0, 1024 },
                { 1, "GB", 0, 976563 },
                { 1, "GiB", 0, 1024 * 1024 },
                { 1, "TB", 0, 976562500 },
                { 1, "TiB", 0, UINT64_C(1) << 30 },
                { 7, "E", 0, UINT64_C(7) << 50 },
                { 8, "E", -ERANGE, 0 },
                { 16, "E", -ERANGE, 0 },
                { UINT64_MAX, "KiB", -ERANGE, 0 },
                { UINT64_MAX, "b", -ERANGE, 0 },
                { INT64_MAX, "b", -ERANGE, 0 },
                { 0, "KiB", -ERANGE, 0 },
                { 1, "", -EINVAL, 0 },
                { 1, "i", -EINVAL, 0 },
                { 1, "KiBs", -EINVAL, 0 },
                { 1, "Ki", -EINVAL, 0 },
                { 1, "Z", -EINVAL, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uint64_t kib = 0;

                assert_int_equal(scale_memory(rows[i].number, rows[i].unit, &kib), rows[i].r);
                assert_true(kib == rows[i].kib);
        }
}

static void test_fields(void **state) {
        _cleanup_(container_def_freep) ContainerDef *def = parse(full);

        assert_int_equal(def->type, CONTAINER_TYPE_NSPAWN);
        assert_true(def->has_uuid);
        assert_int_equal(def->memory_kib, 2048);
        assert_int_equal(def->current_memory_kib, 1024);
        assert_int_equal(def->vcpus, 2);
        assert_string_equal(def->init, "/i");
        assert_int_equal(strv_length(def->initargs), 1);
        assert_string_equal(def->environment[0].value, "v");
        assert_true(def->private_network);
        assert_true(def->idmap.present);
        assert_int_equal(def->idmap.base, 524288);
        assert_string_equal(container_def_root(def), "/s");
        assert_int_equal(def->n_interfaces, 1);
        assert_int_equal(def->interfaces[0].line, 1);
        assert_int_equal(def->interfaces[0].ips[0].family, AF_INET);
        assert_int_equal(def->interfaces[0].routes[0].metric, 2);
        assert_int_equal(def->n_consoles, 1);
}

static void test_no_root(void **state) {
        _cleanup_(container_def_freep) ContainerDef *def =
                parse("<domain type='nspawn'><name>a</name></domain>");

        assert_null(container_def_root(def));
}

static ContainerDef *equal_copy(const ContainerDef *a) {
        ContainerDef *b = container_def_copy(a);

        assert_non_null(b);
        assert_true(container_def_equal(a, b) && container_def_equal(b, a));
        return b;
}

static void assert_differs(const ContainerDef *a, ContainerDef *b, const char *change) {
        if (container_def_equal(a, b) || container_def_equal(b, a))
                fail_msg("not seen: %s", change);
        container_def_free(b);
}

/* A copy is equal until anything in it is changed. */
#define CHANGES(change)                                                                            \
        b = equal_copy(a);                                                                         \
        change;                                                                                    \
        assert_differs(a, b, #change)

static void test_equal(void **state) {
        _cleanup_(container_def_freep) ContainerDef *a = parse(full);
        ContainerDef *b;

        CHANGES(b->type = CONTAINER_TYPE_LXC);
        CHANGES(b->name[0] = 'x');
        CHANGES(b->has_uuid = false);
        CHANGES(b->uuid.bytes[15]++);
        CHANGES(b->title[0] = 'x');
        CHANGES(b->description[0] = 'x');
        CHANGES(b->memory_kib++);
        CHANGES(b->current_memory_kib++);
        CHANGES(b->vcpus++);
        CHANGES(b->init[0] = 'x');
        CHANGES(b->initargs[0][0] = 'x');
        CHANGES(b->initdir[0] = 'x');
        CHANGES(b->inituser[0] = 'x');
        CHANGES(b->initgroup[0] = 'x');
        CHANGES(b->environment[0].name[0] = 'x');
        CHANGES(b->environment[0].value[0] = 'x');
        CHANGES(b->private_network = false);
        CHANGES(b->idmap.base++);
        CHANGES(b->idmap.present = false);
        CHANGES(b->filesystems[0].source[0] = 'x');
        CHANGES(b->filesystems[0].target[0] = 'x');
        CHANGES(b->filesystems[0].readonly = true);
        CHANGES(b->n_consoles++);
        CHANGES(b->on_network_stop = ON_NETWORK_STOP_STOP);
        CHANGES(b->unknown.attributes[0][0] = 'x');
        CHANGES(b->unknown_os.children[0].unknown.attributes[0][0] = 'y');
        CHANGES(b->unknown_os.children[0].index++);
        CHANGES(assert_int_equal(strv_extend(&b->unknown_features.elements, "<x/>"), 0));
        CHANGES(assert_int_equal(strv_extend(&b->unknown_devices.elements, "<x/>"), 0));
}

static void test_equal_interfaces(void **state) {
        _cleanup_(container_def_freep) ContainerDef *a = parse(full);
        ContainerDef *b;

        CHANGES(b->interfaces[0].type = INTERFACE_TYPE_BRIDGE);
        CHANGES(b->interfaces[0].source[0] = 'x');
        CHANGES(b->interfaces[0].has_mac = false);
        CHANGES(b->interfaces[0].mac[5]++);
        CHANGES(b->interfaces[0].ips[0].address[0] = 'x');
        CHANGES(b->interfaces[0].ips[0].prefix++);
        CHANGES(b->interfaces[0].ips[0].family = AF_INET6);
        CHANGES(b->interfaces[0].routes[0].address[0] = 'x');
        CHANGES(b->interfaces[0].routes[0].gateway[0] = 'x');
        CHANGES(b->interfaces[0].routes[0].prefix++);
        CHANGES(b->interfaces[0].routes[0].metric++);
        CHANGES(b->interfaces[0].routes[0].family = AF_INET6);
        CHANGES(b->interfaces[0].unknown.elements[0][1] = 'x');
}

static void test_line_is_not_compared(void **state) {
        _cleanup_(container_def_freep) ContainerDef *a = parse(full);
        _cleanup_(container_def_freep) ContainerDef *b = container_def_copy(a);

        assert_int_equal(a->interfaces[0].line, b->interfaces[0].line);
        b->interfaces[0].line = b->filesystems[0].line = 99;
        assert_true(container_def_equal(a, b));
}

/* What a program broke is found. */
#define BREAKS(change, wanted)                                                                     \
        do {                                                                                       \
                _cleanup_(container_def_freep) ContainerDef *b = container_def_copy(a);            \
                _cleanup_error_ Error *err = NULL;                                                 \
                                                                                                   \
                assert_int_equal(container_def_check(b, "x.xml", NULL), 0);                        \
                change;                                                                            \
                assert_int_equal(container_def_check(b, "x.xml", &err), -EINVAL);                  \
                assert_string_equal(err->text, wanted);                                            \
        } while (0)

static void test_check(void **state) {
        _cleanup_(container_def_freep) ContainerDef *a = parse(full);

        BREAKS(b->name[0] = '/', "invalid container name '/eb'");
        BREAKS(b->current_memory_kib = 4096, "current memory '4096k' exceeds maximum '2048k'");
        BREAKS(b->idmap.base = 0, "ids from 0 on, 65536 of them, are not a range for a container");
        BREAKS(b->idmap.count = 1, "ids from 524288 on, 1 of them, are not a range for a "
                                   "container");
        BREAKS(b->interfaces[0].source[0] = '/',
               "'/efault' is not a source for an interface of type 'network'");
        BREAKS(free(TAKE_PTR(b->interfaces[0].source)), "missing element <source> in <interface>");
        BREAKS(free(TAKE_PTR(b->filesystems[0].target)),
               "missing element <target> in <filesystem>");
}

static void test_check_without_name(void **state) {
        _cleanup_error_ Error *err = NULL;

        assert_int_equal(container_def_check(&(ContainerDef){ 0 }, NULL, &err), -EINVAL);
}

static void test_validate(void **state) {
        static const char good[] = "<domain type='nspawn'><name>a</name></domain>";
        static const char unknown[] = "<domain type='nspawn'><name>a</name>\n<x/></domain>";
        _cleanup_(container_def_freep) ContainerDef *def = NULL, *none = NULL;
        _cleanup_error_ Error *err = NULL;

        container_schema_set_path(SCHEMA);
        assert_int_equal(
                container_def_parse(good, strlen(good), "x.xml", PARSE_VALIDATE, &def, NULL, NULL),
                0);
        assert_int_equal(container_def_parse(unknown, strlen(unknown), "x.xml", PARSE_VALIDATE,
                                             &none, NULL, &err),
                         -EINVAL);
        assert_string_equal(err->text, "unknown element <x> in <domain>");
        assert_int_equal(err->line, 2);
}

static void test_schema_is_missing(void **state) {
        static const char good[] = "<domain type='nspawn'><name>a</name></domain>";
        _cleanup_(container_def_freep) ContainerDef *def = NULL;
        _cleanup_error_ Error *err = NULL;

        container_schema_set_path("/nonexistent/container.rng");
        assert_int_equal(
                container_def_parse(good, strlen(good), "x.xml", PARSE_VALIDATE, &def, NULL, &err),
                -ENOENT);
        assert_string_equal(err->text, "cannot read the schema /nonexistent/container.rng: No such "
                                       "file or directory");
        container_schema_set_path(CTVIRT_SOURCE_DIR "/tests/golden/container/web.xml");
        assert_int_equal(
                container_def_parse(good, strlen(good), "x.xml", PARSE_VALIDATE, &def, NULL, NULL),
                -EINVAL);
        container_schema_set_path(NULL);
}

/* The schema by itself: a document that no parser of ours has seen. */
static void test_schema_alone(void **state) {
        static const char *const bad[] = {
                "<domain type='kvm'><name>a</name></domain>",
                "<domain type='nspawn'/>",
                "<domain type='nspawn'><name>../x</name></domain>",
                "<domain type='nspawn'><name>a</name><foo/></domain>",
                "<domain type='nspawn' foo='1'><name>a</name></domain>",
                "<domain type='nspawn'><name>a</name><vcpu>0</vcpu></domain>",
                "<domain type='nspawn'><name>a</name><devices>text</devices></domain>",
        };

        container_schema_set_path(SCHEMA);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_error_ Error *err = NULL;
                xmlDoc *doc = xmlReadMemory(bad[i], (int) strlen(bad[i]), NULL, NULL, 0);

                assert_int_equal(container_schema_validate(doc, "x.xml", &err), -EINVAL);
                assert_non_null(startswith(err->text, "does not match the schema: "));
                xmlFreeDoc(doc);
        }
        container_schema_set_path(NULL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_tables),
                cmocka_unit_test(test_mac),
                cmocka_unit_test(test_clean_path),
                cmocka_unit_test(test_scale_memory),
                cmocka_unit_test(test_fields),
                cmocka_unit_test(test_no_root),
                cmocka_unit_test(test_equal),
                cmocka_unit_test(test_equal_interfaces),
                cmocka_unit_test(test_line_is_not_compared),
                cmocka_unit_test(test_check),
                cmocka_unit_test(test_check_without_name),
                cmocka_unit_test(test_validate),
                cmocka_unit_test(test_schema_is_missing),
                cmocka_unit_test(test_schema_alone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
