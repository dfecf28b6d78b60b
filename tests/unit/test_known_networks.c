/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/known_networks.h"

static char *on_virbr0[] = { (char *) "virbr0", NULL };
static char *on_late[] = { (char *) "late", NULL };
static Container direct = { .name = (char *) "direct", .bridges = on_virbr0 };
static Container by_network = { .name = (char *) "by-network", .networks = on_late };
static Container *items[] = { &by_network, &direct };
static const ContainerTable containers = { items, ELEMENTSOF(items) };

static void add(NetworkTable *t, const char *name, const char *bridge, const char *mode) {
        Network *n = network_table_add(t, name);

        assert_non_null(n);
        free(n->bridge);
        free(n->forward_mode);
        n->bridge = bridge ? strdup(bridge) : NULL;
        n->forward_mode = mode ? strdup(mode) : NULL;
}

static void check(NetworkTable *before, NetworkTable *after, bool equal, bool matters) {
        _cleanup_libvirt_networks_ LibvirtNetworks b = { 0 }, a = { 0 };

        assert_int_equal(known_networks_copy(before, &b), 0);
        assert_int_equal(known_networks_copy(after, &a), 0);
        assert_int_equal(known_networks_equal(&b, &a), equal);
        assert_int_equal(known_networks_equal(&a, &b), equal);
        assert_int_equal(known_networks_matter(&b, &a, &containers), matters);
        assert_int_equal(known_networks_matter(&a, &b, &containers), matters);
        network_table_done(before);
        network_table_done(after);
}

static void test_same(void **state) {
        NetworkTable before = { 0 }, after = { 0 };

        add(&before, "default", "virbr0", "nat");
        add(&before, "zoo", NULL, NULL);
        add(&after, "zoo", NULL, NULL);
        add(&after, "default", "virbr0", "nat");
        check(&before, &after, true, false);
}

static void test_somebody_elses(void **state) {
        NetworkTable before = { 0 }, after = { 0 };

        add(&before, "default", "virbr0", "nat");
        add(&after, "default", "virbr0", "nat");
        add(&after, "other", "virbr7", "nat");
        check(&before, &after, false, false);
}

static void test_bridge_comes_into_libvirts_hands(void **state) {
        NetworkTable before = { 0 }, after = { 0 };

        add(&after, "default", "virbr0", "nat");
        check(&before, &after, false, true);
}

static void test_network_on_a_bridge_of_the_host(void **state) {
        NetworkTable before = { 0 }, after = { 0 };

        add(&after, "host", "virbr0", "bridge");
        check(&before, &after, false, false);
}

static void test_forward_mode_only(void **state) {
        NetworkTable before = { 0 }, after = { 0 };

        add(&before, "default", "virbr0", "nat");
        add(&after, "default", "virbr0", "route");
        check(&before, &after, false, false);
}

static void test_named_network_comes(void **state) {
        NetworkTable before = { 0 }, after = { 0 };

        add(&after, "late", "br-late", "bridge");
        check(&before, &after, false, true);
}

static void test_table(void **state) {
        NetworkTable t = { 0 };

        add(&t, "b", "br0", "bridge");
        add(&t, "a", "br0", "bridge");
        add(&t, "c", NULL, NULL);
        assert_int_equal(t.n_items, 3);
        assert_string_equal(t.items[0]->name, "a");
        assert_ptr_equal(network_table_add(&t, "b"), t.items[1]);
        assert_string_equal(network_table_by_bridge(&t, "br0")->name, "a");
        t.items[1]->active = true;
        assert_string_equal(network_table_by_bridge(&t, "br0")->name, "b");
        network_table_remove(&t, t.items[0]);
        assert_null(network_table_by_name(&t, "a"));
        assert_non_null(network_table_by_name(&t, "c"));
        assert_null(network_table_by_bridge(&t, "br1"));
        network_table_done(&t);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_same),
                cmocka_unit_test(test_somebody_elses),
                cmocka_unit_test(test_bridge_comes_into_libvirts_hands),
                cmocka_unit_test(test_network_on_a_bridge_of_the_host),
                cmocka_unit_test(test_forward_mode_only),
                cmocka_unit_test(test_named_network_comes),
                cmocka_unit_test(test_table),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
