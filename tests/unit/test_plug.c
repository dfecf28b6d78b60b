/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <net/if.h>

#include "agent/plug.h"
#include "test_netns.h"

static char *web_bridges[] = { (char *) "br0", (char *) "br1", NULL };
static char *foreign_bridges[] = { (char *) "br0", NULL };
static NspawnPlug web_plugs[] = { { (char *) "vb1-web", (char *) "br1" } };
static Container web = {
        .name = (char *) "web", .bridges = web_bridges, .plugs = web_plugs, .n_plugs = 1
};
static Container foreign = { .name = (char *) "a-very-long-container-name",
                             .bridges = foreign_bridges };
static Container *containers[] = { &foreign, &web };
static Manager m = { .containers = { containers, 2 } };

static void on_link(const Link *link, void *userdata) {
        plug_on_link(&m, link);
}

static void settle(void) {
        while (sd_event_run(m.event, 50000) > 0)
                ;
}

static int setup(void **state) {
        const LinkHandlers handlers = { .on_link = on_link };

        ip("add br0 up type bridge");
        ip("add vb-web type veth peer name peer0");
        ip("add vb-a-very-l7cg- type veth peer name peer1");
        assert_true(sd_event_new(&m.event) >= 0);
        assert_int_equal(link_watch_new(m.event, &handlers, &m.links), 0);
        return 0;
}

static int teardown(void **state) {
        m.links = link_watch_free(m.links);
        m.event = sd_event_unref(m.event);
        (void) system("for i in vb-web vb-a-very-l7cg- vb1-web br0 br1 br2; do "
                      "ip link del $i 2>/dev/null; done; true");
        return 0;
}

/* Asks ip(8), which has the kernel's word and not our picture's. */
static bool is_on(const char *link, const char *master) {
        char command[256];

        (void) snprintf(command, sizeof(command),
                        "ip -o link show dev %s master %s up | grep -q %s", link, master, link);
        return system(command) == 0;
}

static void test_first_pairs(void **state) {
        plug_on_bridge(&m, "br0", if_nametoindex("br0"), true);
        assert_true(is_on("vb-web", "br0"));
        assert_true(is_on("vb-a-very-l7cg-", "br0"));
}

/* The network is destroyed and started again under the running containers. */
static void test_bridge_anew(void **state) {
        plug_on_bridge(&m, "br0", if_nametoindex("br0"), true);
        ip("del br0");
        ip("add br0 up type bridge");
        settle();
        assert_false(is_on("vb-web", "br0"));
        plug_on_bridge(&m, "br0", if_nametoindex("br0"), true);
        assert_true(is_on("vb-web", "br0"));
        assert_true(is_on("vb-a-very-l7cg-", "br0"));
}

/* A link that somebody has put elsewhere is left there when the agent starts. */
static void test_elsewhere(void **state) {
        ip("add br2 up type bridge");
        ip("set vb-web up master br2");
        settle();
        plug_on_bridge(&m, "br0", if_nametoindex("br0"), false);
        assert_true(is_on("vb-web", "br2"));
        plug_on_bridge(&m, "br0", if_nametoindex("br0"), true);
        assert_true(is_on("vb-web", "br0"));
}

static void test_further_pair_comes_late(void **state) {
        ip("add br1 up type bridge");
        ip("add vb1-web type veth peer name peer2");
        settle();
        assert_true(is_on("vb1-web", "br1"));
}

static void test_bridge_comes_late(void **state) {
        ip("add vb1-web type veth peer name peer2");
        settle();
        ip("add br1 up type bridge");
        settle();
        plug_on_bridge(&m, "br1", if_nametoindex("br1"), false);
        assert_true(is_on("vb1-web", "br1"));
}

static void test_container_comes_late(void **state) {
        m.containers.n_items = 0;
        ip("add br1 up type bridge");
        ip("add vb1-web type veth peer name peer2");
        settle();
        m.containers.n_items = 2;
        assert_false(is_on("vb1-web", "br1"));
        plug_container(&m, &web);
        assert_true(is_on("vb1-web", "br1"));
}

static void test_gone(void **state) {
        assert_int_equal(plug_link(4242, if_nametoindex("br0")), -ENODEV);
        assert_true(plug_link(if_nametoindex("vb-web"), 4242) < 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_first_pairs, setup, teardown),
                cmocka_unit_test_setup_teardown(test_bridge_anew, setup, teardown),
                cmocka_unit_test_setup_teardown(test_elsewhere, setup, teardown),
                cmocka_unit_test_setup_teardown(test_further_pair_comes_late, setup, teardown),
                cmocka_unit_test_setup_teardown(test_bridge_comes_late, setup, teardown),
                cmocka_unit_test_setup_teardown(test_container_comes_late, setup, teardown),
                cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
        };

        enter_netns();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
