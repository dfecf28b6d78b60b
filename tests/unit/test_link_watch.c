/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <net/if.h>

#include "agent/link_watch.h"
#include "test_netns.h"

/* What was reported since the last look: "bridge:NAME ", "link:NAME ", "resync ". */
static char said[65536];

static void say(const char *what, const char *name) {
        size_t n = strlen(said);

        (void) snprintf(said + n, sizeof(said) - n, "%s%s ", what, name);
}

static void on_bridge(const char *name, void *userdata) {
        say("bridge:", name);
}

static void on_link(const Link *link, void *userdata) {
        say("link:", link->name);
}

static void on_resync(void *userdata) {
        say("resync", "");
}

typedef struct Fixture {
        sd_event *event;
        LinkWatch *watch;
} Fixture;

static int setup(void **state) {
        const LinkHandlers handlers = { on_bridge, on_link, on_resync, NULL };
        static Fixture f;

        f = (Fixture){ 0 };
        *said = '\0';
        assert_true(sd_event_new(&f.event) >= 0);
        assert_int_equal(link_watch_new(f.event, &handlers, &f.watch), 0);
        *state = &f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        link_watch_free(f->watch);
        sd_event_unref(f->event);
        return 0;
}

/* The kernel has queued its news before ip(8) ends; runs until nothing comes for 50 ms. */
static void settle(Fixture *f) {
        while (sd_event_run(f->event, 50000) > 0)
                ;
}

static const char *heard(Fixture *f) {
        static char copy[sizeof(said)];

        settle(f);
        memcpy(copy, said, sizeof(copy));
        *said = '\0';
        return copy;
}

static void test_first_picture_is_silent(void **state) {
        Fixture *f = *state;

        assert_non_null(link_watch_by_name(f->watch, "lo"));
        assert_false(link_watch_by_name(f->watch, "lo")->bridge);
        assert_string_equal(heard(f), "");
}

static void test_life_of_a_bridge(void **state) {
        Fixture *f = *state;
        const Link *l;

        ip("add br0 type bridge");
        assert_string_equal(heard(f), "bridge:br0 ");
        l = link_watch_by_name(f->watch, "br0");
        assert_non_null(l);
        assert_true(l->bridge);
        assert_false(l->up);
        assert_int_equal(l->ifindex, if_nametoindex("br0"));
        assert_ptr_equal(link_watch_by_ifindex(f->watch, l->ifindex), l);

        /* No port, so no carrier: up all the same. */
        ip("set br0 up");
        assert_string_equal(heard(f), "bridge:br0 ");
        assert_true(link_watch_by_name(f->watch, "br0")->up);

        ip("set br0 address 02:00:00:00:00:07");
        assert_string_equal(heard(f), "");

        ip("set br0 down");
        assert_string_equal(heard(f), "bridge:br0 ");
        ip("set br0 name br1");
        assert_string_equal(heard(f), "bridge:br0 bridge:br1 ");
        assert_null(link_watch_by_name(f->watch, "br0"));

        ip("del br1");
        assert_string_equal(heard(f), "bridge:br1 ");
        assert_null(link_watch_by_name(f->watch, "br1"));
}

/* A port that leaves a bridge is reported by the bridge as a "deleted" link of family AF_BRIDGE. */
static void test_port(void **state) {
        Fixture *f = *state;
        const Link *l;

        ip("add br0 type bridge");
        ip("add vb-web type veth peer name peer0");
        (void) heard(f);
        l = link_watch_by_name(f->watch, "vb-web");
        assert_non_null(l);
        assert_int_equal(l->master, 0);

        ip("set vb-web master br0");
        assert_string_equal(heard(f), "");
        assert_int_equal(l->master, if_nametoindex("br0"));

        ip("set vb-web nomaster");
        settle(f);
        l = link_watch_by_name(f->watch, "vb-web");
        assert_non_null(l);
        assert_int_equal(l->master, 0);

        ip("set vb-web master br0");
        ip("del br0");
        assert_string_equal(heard(f), "bridge:br0 ");
        assert_int_equal(link_watch_by_name(f->watch, "vb-web")->master, 0);

        ip("set vb-web name other0");
        assert_string_equal(heard(f), "link:other0 ");
        ip("del other0");
        settle(f);
        assert_null(link_watch_by_name(f->watch, "other0"));
        assert_null(link_watch_by_name(f->watch, "peer0"));
}

/* More news than the socket's buffer holds: the picture is right again afterwards. */
static void test_overrun(void **state) {
        Fixture *f = *state;
        size_t n;

        ip("add gone0 type bridge");
        (void) heard(f);
        ip("del gone0");
        ip("add flood up type veth peer name flood1");
        assert_int_equal(system("for i in $(seq 100); do for j in $(seq 20); do "
                                "echo link set flood alias $i.$j; done; done | ip -batch -"),
                         0);
        ip("add late0 type bridge");
        ip("set late0 up");

        assert_non_null(strstr(heard(f), "resync"));
        assert_null(link_watch_by_name(f->watch, "gone0"));
        assert_non_null(link_watch_by_name(f->watch, "late0"));
        assert_true(link_watch_by_name(f->watch, "late0")->up);
        (void) link_watch_links(f->watch, &n);
        assert_true(n >= 4);
        ip("del late0");
        ip("del flood");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_first_picture_is_silent, setup, teardown),
                cmocka_unit_test_setup_teardown(test_life_of_a_bridge, setup, teardown),
                cmocka_unit_test_setup_teardown(test_port, setup, teardown),
                cmocka_unit_test_setup_teardown(test_overrun, setup, teardown),
        };

        enter_netns();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
