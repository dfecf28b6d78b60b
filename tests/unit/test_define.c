/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Define, redefine and undefine on files: what is kept, what is refused, and that a refusal changes
 * nothing.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/bus_errors.h"
#include "agent/definition_store.h"
#include "agent_fixture.h"

#define XML_FILE "/etc/ctvirt/containers/web.xml"
#define NSPAWN_FILE "/etc/systemd/nspawn/web.nspawn"
#define UUID "11111111-2222-4333-8444-555555555555"
#define OTHER_UUID "99999999-2222-4333-8444-555555555555"

static const ContainerDef *def_of(const Manager *m, const char *name) {
        const Container *c = container_table_by_name(&m->containers, name);

        assert_non_null(c);
        assert_non_null(c->def);
        return c->def;
}

static void assert_refused(Manager *m, const char *xml, int error, const char *pattern) {
        _cleanup_define_result_ DefineResult result = { 0 };
        _cleanup_error_ Error *err = NULL;
        _cleanup_free_ char *text = NULL;

        assert_int_equal(define_container(m, xml, strlen(xml), "web.xml", 0, &result, &err),
                         -error);
        assert_non_null(err);
        text = error_format(err);
        if (!strstr(text, pattern))
                fail_msg("\"%s\" does not say \"%s\"", text, pattern);
}

static void test_first_definition(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_define_result_ DefineResult result = { 0 };
        _cleanup_free_ char *nspawn = NULL, *xml = NULL;
        _cleanup_fixture_ Manager m;
        const ContainerDef *def;
        char mac[MAC_STRING_MAX];

        fixture_init(&m, root);
        assert_null(fixture_define(&m, FIXTURE_XML("mytest", ""), &result));
        assert_string_equal(result.name, "mytest");
        assert_false(result.redefined);
        assert_false(result.reload);
        assert_null(result.warnings);

        def = def_of(&m, "mytest");
        assert_true(def->has_uuid);
        assert_true(def->idmap.present);
        assert_string_equal(mac_to_string(def->interfaces[0].mac, mac), "56:14:11:df:2d:59");

        nspawn = temp_root_read(root, "/etc/systemd/nspawn/mytest.nspawn");
        assert_non_null(nspawn);
        assert_non_null(strstr(nspawn, "\nBridge=virbr0\n"));
        xml = temp_root_read(root, "/etc/ctvirt/containers/mytest.xml");
        assert_non_null(xml);
        assert_non_null(strstr(xml, "56:14:11:df:2d:59"));
}

static void test_redefinition_keeps_identity(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_define_result_ DefineResult result = { 0 };
        _cleanup_fixture_ Manager m;
        Uuid uuid;
        uint32_t base;

        fixture_init(&m, root);
        fixture_defined(&m, FIXTURE_XML("web", "<uuid>" UUID "</uuid>"));
        uuid = def_of(&m, "web")->uuid;
        base = def_of(&m, "web")->idmap.base;

        assert_null(fixture_define(&m, FIXTURE_XML("web", "<title>new</title>"), &result));
        assert_true(result.redefined);
        assert_true(uuid_equal(&def_of(&m, "web")->uuid, &uuid));
        assert_int_equal(def_of(&m, "web")->idmap.base, base);
        assert_string_equal(def_of(&m, "web")->title, "new");
}

static void test_redefinition_with_another_uuid(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_free_ char *before = NULL, *after = NULL;
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        fixture_defined(&m, FIXTURE_XML("web", "<uuid>" UUID "</uuid>"));
        before = temp_root_read(root, XML_FILE);
        assert_refused(&m, FIXTURE_XML("web", "<uuid>" OTHER_UUID "</uuid>"),
                       ERRNO_OPERATION_INVALID,
                       "container 'web' is already defined with uuid " UUID);
        after = temp_root_read(root, XML_FILE);
        assert_string_equal(before, after);
}

static void test_uuid_of_another_container(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        fixture_defined(&m, FIXTURE_XML("db", "<uuid>" UUID "</uuid>"));
        assert_refused(&m, FIXTURE_XML("web", "<uuid>" UUID "</uuid>"), ERRNO_CONFLICT, "'db'");
        assert_false(fixture_exists(&m, XML_FILE));
}

#define IDMAP(base)                                                                                \
        "<idmap><uid start='0' target='" base "' count='65536'/>"                                  \
        "<gid start='0' target='" base "' count='65536'/></idmap>"

static void test_id_ranges(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        fixture_defined(&m, FIXTURE_XML("db", IDMAP("1000013824")));
        assert_int_equal(def_of(&m, "db")->idmap.base, 1000013824);

        assert_refused(&m, FIXTURE_XML("web", IDMAP("1000013824")), ERRNO_CONFLICT, "'db'");
        assert_refused(&m, FIXTURE_XML("db", IDMAP("1100021760")), ERRNO_OPERATION_INVALID,
                       "cannot be changed");
        fixture_defined(&m, FIXTURE_XML("db", IDMAP("1000013824")));

        temp_root_write(root, "/etc/systemd/nspawn/hand.nspawn",
                        "[Exec]\nPrivateUsers=1200029696:65536\n");
        assert_refused(&m, FIXTURE_XML("web", IDMAP("1200029696")), ERRNO_CONFLICT, "in use");
}

#define INTERFACE(type, key, value)                                                                \
        "<interface type='" type "'><source " key "='" value "'/></interface>"
#define DEVICES(name, devices)                                                                     \
        "<domain type='nspawn'><name>" name "</name><os><type>exe</type></os>"                     \
        "<devices>" devices "</devices></domain>"

static void test_macs(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_fixture_ Manager m;
        const ContainerDef *def;
        uint8_t direct[ETH_ALEN];
        char mac[MAC_STRING_MAX];

        fixture_init(&m, root);
        fixture_defined(&m, DEVICES("mytest", INTERFACE("bridge", "bridge",
                                                        "br0") INTERFACE("direct", "dev", "eth0")
                                                      INTERFACE("bridge", "bridge", "br1")));
        def = def_of(&m, "mytest");
        assert_string_equal(mac_to_string(def->interfaces[0].mac, mac), "56:14:11:df:2d:59");
        assert_string_equal(mac_to_string(def->interfaces[2].mac, mac), "56:b3:68:99:79:59");
        memcpy(direct, def->interfaces[1].mac, ETH_ALEN);
        assert_memory_equal(direct, ((uint8_t[]){ 0x52, 0x54, 0x00 }), 3);

        /* By kind and number, wherever it stands. */
        fixture_defined(&m, DEVICES("mytest", INTERFACE("direct", "dev", "eth0")
                                                      INTERFACE("bridge", "bridge", "br0")));
        def = def_of(&m, "mytest");
        assert_memory_equal(def->interfaces[0].mac, direct, ETH_ALEN);
}

static void test_mac_twice_is_a_warning(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_define_result_ DefineResult result = { 0 };
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        fixture_defined(&m, DEVICES("db", "<interface type='bridge'><source bridge='br0'/>"
                                          "<mac address='52:54:00:11:22:33'/></interface>"));
        assert_null(fixture_define(&m,
                                   DEVICES("web", "<interface type='bridge'><source bridge='br0'/>"
                                                  "<mac address='52:54:00:11:22:33'/></interface>"),
                                   &result));
        assert_int_equal(strv_length(result.warnings), 1);
        assert_non_null(strstr(result.warnings[0], "'db'"));
}

static void test_two_macvlans_of_one_parent(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        assert_refused(&m,
                       DEVICES("web", INTERFACE("direct", "dev", "eth0")
                                              INTERFACE("direct", "dev", "eth0")),
                       ERRNO_XML, "web.xml:1:");
}

#define ROOT_AT(name, path)                                                                        \
        DEVICES(name, "<filesystem type='mount'><source dir='" path "'/><target dir='/'/>"         \
                      "</filesystem>")

static void test_roots(void **state) {
        static const char *const hosts[] = { ROOT_AT("web", "/"), ROOT_AT("web", "/var/lib"),
                                             ROOT_AT("web", "/var/lib/machines/"),
                                             ROOT_AT("web", "/link") };
        static const char *const others[] = {
                ROOT_AT("web", "/srv/db"),
                ROOT_AT("web", "/srv/db/"),
                ROOT_AT("web", "/srv/db/sub"),
                ROOT_AT("web", "/srv"),
                ROOT_AT("web", "/srv/link"),
                ROOT_AT("web", "/var/lib/machines/cache"),
                ROOT_AT("db", "/var/lib/machines/cache/usr"),
        };
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        temp_root_write(root, "/srv/db/etc/hostname", "db\n");
        temp_root_write(root, "/var/lib/machines/cache/etc/hostname", "cache\n");
        temp_root_link(root, "/srv/link", "db");
        temp_root_link(root, "/link", "var/lib/machines");
        assert_null(fixture_define(&m, ROOT_AT("db", "/srv/db"), NULL));
        assert_null(fixture_define(&m, DEVICES("cache", ""), NULL));

        for (size_t i = 0; i < ELEMENTSOF(hosts); i++)
                assert_refused(&m, hosts[i], ERRNO_CONFLICT, "that is the host's own");
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                assert_refused(&m, others[i], ERRNO_CONFLICT, "for its root: container '");
        assert_null(fixture_define(&m, ROOT_AT("web", "/srv/db2"), NULL));
        assert_null(fixture_define(&m, ROOT_AT("db", "/srv/db"), NULL));
        assert_refused(&m, ROOT_AT("cache", "/srv/db2"), ERRNO_CONFLICT, "'web'");
}

static void test_two_interfaces_of_one_mac(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        assert_refused(&m,
                       DEVICES("web", "<interface type='network'><mac address='52:54:00:00:00:01'/>"
                                      "<source network='default'/></interface>"
                                      "<interface type='bridge'><mac address='52:54:00:00:00:01'/>"
                                      "<source bridge='br0'/></interface>"),
                       ERRNO_XML, "MAC address 52:54:00:00:00:01");
}

static void test_networks(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_define_result_ DefineResult result = { 0 };
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        fixture_network(&m, "pool", NULL);
        assert_refused(&m, DEVICES("web", INTERFACE("network", "network", "pool")),
                       ERRNO_OPERATION_INVALID, "network 'pool' has no bridge");

        assert_null(fixture_define(&m, DEVICES("web", INTERFACE("network", "network", "later")),
                                   &result));
        assert_int_equal(strv_length(result.warnings), 1);
        assert_string_equal(result.warnings[0],
                            "network 'later' is not known to libvirt yet; the container waits for "
                            "it");
        assert_true(container_table_by_name(&m.containers, "web")->unresolved);
}

static void test_networks_from_files(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_define_result_ DefineResult result = { 0 };
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        m.networks_known = false;
        temp_root_write(root, "/etc/libvirt/qemu/networks/lan.xml",
                        "<network><name>lan</name><bridge name='virbr9'/></network>");
        assert_null(fixture_define(&m, DEVICES("web", INTERFACE("network", "network", "lan")),
                                   &result));
        assert_null(result.warnings);
        assert_string_equal(container_table_by_name(&m.containers, "web")->bridges[0], "virbr9");
}

static void test_file_in_the_way(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_free_ char *hand = NULL;
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        temp_root_write(root, NSPAWN_FILE, "[Network]\nBridge=br0\n");
        assert_refused(&m, FIXTURE_XML("web", ""), ERRNO_CONFLICT, NSPAWN_FILE);
        assert_false(fixture_exists(&m, "/etc/ctvirt"));
        assert_false(fixture_exists(&m, "/etc/systemd/system"));
        hand = temp_root_read(root, NSPAWN_FILE);
        assert_string_equal(hand, "[Network]\nBridge=br0\n");
}

/* A file that only the write notices: the definition is taken back, new or old. */
static void test_taking_back(void **state) {
        static const char network[] = "/var/lib/machines/web/etc/systemd/network/"
                                      "20-ctvirt-host0.network";
        static const char static_ip[] =
                DEVICES("web", "<interface type='network'><source network='default'/>"
                               "<ip address='192.168.122.9' prefix='24'/></interface>");
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_free_ char *before = NULL, *after = NULL;
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        temp_root_write(root, network, "[Match]\nName=host0\n");
        assert_refused(&m, static_ip, ERRNO_CONFLICT, "20-ctvirt-host0.network");
        assert_false(fixture_exists(&m, XML_FILE));
        assert_false(fixture_exists(&m, NSPAWN_FILE));
        assert_null(container_table_by_name(&m.containers, "web"));

        fixture_defined(&m, FIXTURE_XML("web", ""));
        before = temp_root_read(root, XML_FILE);
        assert_refused(&m, static_ip, ERRNO_CONFLICT, "20-ctvirt-host0.network");
        after = temp_root_read(root, XML_FILE);
        assert_string_equal(before, after);
        assert_true(fixture_exists(&m, NSPAWN_FILE));
}

static void test_what_was_shown_is_a_definition(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_free_ char *shown = NULL, *again = NULL;
        _cleanup_define_result_ DefineResult result = { 0 };
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        fixture_defined(&m, FIXTURE_XML("web", ""));
        assert_int_equal(container_def_format(def_of(&m, "web"), &shown), 0);
        assert_null(fixture_define(&m, shown, &result));
        assert_false(result.reload);
        assert_int_equal(container_def_format(def_of(&m, "web"), &again), 0);
        assert_string_equal(shown, again);
}

/* systemd has to know of a drop-in, and of the bridges of a unit that is enabled. */
static mode_t mode_of(const char *root, const char *path) {
        _cleanup_free_ char *file = text_format("%s%s", root, path);
        struct stat st;

        assert_int_equal(stat(file, &st), 0);
        return st.st_mode & 07777;
}

#define TOKEN(name, attributes, value)                                                             \
        "<domain type='nspawn'><name>" name "</name><os><type>exe</type>"                          \
        "<initenv name='TOKEN'" attributes ">" value "</initenv><initenv name='EMPTY'/></os>"      \
        "</domain>"

static void test_secrets(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_(container_def_freep) ContainerDef *shown = NULL;
        _cleanup_free_ char *xml = NULL, *nspawn = NULL, *file = text_format("%s" XML_FILE, root);
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        assert_refused(&m, TOKEN("web", " withheld='yes'", ""), ERRNO_XML, "the value of 'TOKEN'");
        assert_false(fixture_exists(&m, XML_FILE));

        fixture_defined(&m, TOKEN("web", "", "s3cret"));
        assert_int_equal(mode_of(root, XML_FILE), 0600);
        assert_int_equal(mode_of(root, NSPAWN_FILE), 0600);

        /* What everybody may see says nothing, and loses nothing when it is defined again. */
        shown = container_def_copy(def_of(&m, "web"));
        container_def_withhold(shown);
        assert_string_equal(container_def_withheld(shown), "TOKEN");
        assert_int_equal(container_def_format(shown, &xml), 0);
        assert_null(strstr(xml, "s3cret"));
        fixture_defined(&m, xml);
        nspawn = temp_root_read(root, NSPAWN_FILE);
        assert_non_null(strstr(nspawn, "TOKEN=s3cret"));
        assert_null(container_def_withheld(def_of(&m, "web")));

        /* Not from another container. */
        fixture_defined(&m, FIXTURE_XML("db", ""));
        assert_int_equal(mode_of(root, "/etc/systemd/nspawn/db.nspawn"), 0644);
        assert_int_equal(mode_of(root, "/etc/ctvirt/containers/db.xml"), 0600);
        assert_refused(&m, TOKEN("db", " withheld='yes'", ""), ERRNO_XML,
                       "container 'db' has none");

        assert_int_equal(chmod(file, 0644), 0);
        assert_int_equal(definition_store_protect(root), 0);
        assert_int_equal(mode_of(root, XML_FILE), 0600);
}

#define FIRST_BOOT(name, attribute)                                                                \
        "<domain type='nspawn' xmlns:ct='" CONTAINER_NAMESPACE "'><name>" name "</name>"           \
        "<ct:firstboot><ct:rootpassword " attribute "/></ct:firstboot></domain>"

static void test_password(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_(container_def_freep) ContainerDef *shown = NULL;
        _cleanup_free_ char *xml = NULL;
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        assert_refused(&m, FIRST_BOOT("web", "withheld='yes'"), ERRNO_XML, "the hash is withheld");

        fixture_defined(&m, FIRST_BOOT("web", "hash='$6$salt$s3cret'"));
        shown = container_def_copy(def_of(&m, "web"));
        container_def_withhold(shown);
        assert_string_equal(container_def_withheld(shown), "rootpassword");
        assert_int_equal(container_def_format(shown, &xml), 0);
        assert_null(strstr(xml, "s3cret"));
        fixture_defined(&m, xml);
        assert_string_equal(def_of(&m, "web")->first_boot->root_hash, "$6$salt$s3cret");
        assert_null(container_def_withheld(def_of(&m, "web")));
}

static void test_when_systemd_reloads(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_define_result_ DefineResult limits = { 0 }, less = { 0 }, bridges = { 0 },
                                             same = { 0 };
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        temp_root_write(root, "/usr/lib/systemd/system/systemd-nspawn@.service",
                        "[Service]\nExecStart=systemd-nspawn --settings=override --machine=%i\n");
        assert_null(fixture_define(&m, FIXTURE_XML("web", "<vcpu>2</vcpu>"), &limits));
        assert_true(limits.reload);
        assert_null(fixture_define(&m, FIXTURE_XML("web", ""), &less));
        assert_true(less.reload);

        temp_root_link(root, "/etc/systemd/system/machines.target.wants/systemd-nspawn@db.service",
                       "/usr/lib/systemd/system/systemd-nspawn@.service");
        assert_null(fixture_define(&m, FIXTURE_XML("db", ""), &bridges));
        assert_true(bridges.reload);
        assert_null(fixture_define(&m, FIXTURE_XML("db", ""), &same));
        assert_false(same.reload);
}

static void test_undefine(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_error_ Error *err = NULL;
        _cleanup_fixture_ Manager m;
        Container *c;

        fixture_init(&m, root);
        fixture_defined(&m, FIXTURE_XML("web", ""));
        c = container_table_by_name(&m.containers, "web");
        assert_int_equal(undefine_commit(&m, c, &err), 0);
        assert_false(fixture_exists(&m, XML_FILE));
        assert_true(fixture_exists(&m, NSPAWN_FILE));
        assert_int_equal(undefine_finish(&m, "web", NULL, &err), 1);
        assert_false(fixture_exists(&m, NSPAWN_FILE));
        assert_null(container_table_by_name(&m.containers, "web"));
}

static void test_undefine_of_a_running_one(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_error_ Error *err = NULL;
        _cleanup_fixture_ Manager m;
        Container *c;

        fixture_init(&m, root);
        fixture_defined(&m, FIXTURE_XML("web", ""));
        c = container_table_by_name(&m.containers, "web");
        c->active = true;
        assert_int_equal(undefine_commit(&m, c, &err), 0);
        assert_int_equal(undefine_finish(&m, "web", NULL, &err), 1);
        assert_ptr_equal(container_table_by_name(&m.containers, "web"), c);
        assert_false(container_is_defined(c));
}

/* Somebody defines it again while systemd disables the unit. */
static void test_undefine_overtaken(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_error_ Error *err = NULL;
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        fixture_defined(&m, FIXTURE_XML("web", ""));
        assert_int_equal(undefine_commit(&m, container_table_by_name(&m.containers, "web"), &err),
                         0);
        fixture_defined(&m, FIXTURE_XML("web", ""));
        assert_int_equal(undefine_finish(&m, "web", NULL, &err), 0);
        assert_true(fixture_exists(&m, NSPAWN_FILE));
        assert_true(fixture_exists(&m, XML_FILE));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_first_definition),
                cmocka_unit_test(test_redefinition_keeps_identity),
                cmocka_unit_test(test_redefinition_with_another_uuid),
                cmocka_unit_test(test_uuid_of_another_container),
                cmocka_unit_test(test_id_ranges),
                cmocka_unit_test(test_macs),
                cmocka_unit_test(test_mac_twice_is_a_warning),
                cmocka_unit_test(test_two_macvlans_of_one_parent),
                cmocka_unit_test(test_roots),
                cmocka_unit_test(test_two_interfaces_of_one_mac),
                cmocka_unit_test(test_networks),
                cmocka_unit_test(test_networks_from_files),
                cmocka_unit_test(test_file_in_the_way),
                cmocka_unit_test(test_taking_back),
                cmocka_unit_test(test_what_was_shown_is_a_definition),
                cmocka_unit_test(test_secrets),
                cmocka_unit_test(test_password),
                cmocka_unit_test(test_when_systemd_reloads),
                cmocka_unit_test(test_undefine),
                cmocka_unit_test(test_undefine_of_a_running_one),
                cmocka_unit_test(test_undefine_overtaken),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
