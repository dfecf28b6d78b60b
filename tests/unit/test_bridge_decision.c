/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The specification of what happens to a bridge, one row a situation.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/bridge_decision.h"

/* Short words, so that a row fits on a line. */
#define ABSENT LINK_ABSENT
#define DOWN LINK_DOWN
#define UP LINK_UP
#define NOBODYS LIBVIRT_VIEW_NONE
#define UNKNOWN LIBVIRT_VIEW_UNKNOWN
#define INACTIVE LIBVIRT_VIEW_INACTIVE
#define ACTIVE LIBVIRT_VIEW_ACTIVE
#define UNASKED LIBVIRT_LIST_NOT_ASKED
#define PENDING LIBVIRT_LIST_PENDING
#define ANSWERED LIBVIRT_LIST_ANSWERED
#define SILENT LIBVIRT_LIST_UNAVAILABLE
#define NONE RECORDED_NONE
#define SAME RECORDED_SAME
#define OTHER RECORDED_OTHER
#define NEWER true
#define OLDER false

typedef struct Row {
        const char *situation;
        BridgeFacts facts; /* link, libvirt, list, marker, handled, marker_is_newer */
        BridgeAction action;
        bool ready;
} Row;

/* clang-format off */
static const Row rows[] = {
        /*
         * A network of libvirt, from its start to its end
         */
        { "A network is defined, and its bridge was never there.",
          { ABSENT, INACTIVE, ANSWERED, NONE, NONE, OLDER }, BRIDGE_NOTHING, false },
        { "libvirt has made the bridge, but not set it up yet.",
          { DOWN, INACTIVE, UNASKED, NONE, NONE, OLDER }, BRIDGE_NOTHING, false },
        { "The bridge is up: libvirt's word is of before that, and it sends no event for autostart and "
          "SIGHUP, so it is asked.",
          { UP, UNKNOWN, UNASKED, NONE, NONE, OLDER }, BRIDGE_RELIST, false },
        { "It has been asked, and says nothing as long as the start goes on.",
          { UP, UNKNOWN, PENDING, NONE, NONE, OLDER }, BRIDGE_NOTHING, false },
        { "The network has started (event or list), and no other witness was quicker.",
          { UP, ACTIVE, ANSWERED, NONE, NONE, OLDER }, BRIDGE_EDGE, true },
        { "The event is quicker than the list that was asked for.",
          { UP, ACTIVE, PENDING, NONE, NONE, OLDER }, BRIDGE_EDGE, true },
        { "The hook was quicker and has done it all.",
          { UP, ACTIVE, ANSWERED, SAME, SAME, OLDER }, BRIDGE_NOTHING, true },
        { "An administrator has stopped a container since: nothing is ready anew.",
          { UP, ACTIVE, ANSWERED, SAME, SAME, NEWER }, BRIDGE_NOTHING, true },
        { "The network is active, but somebody has set the link down: not ready, the life goes on.",
          { DOWN, ACTIVE, ANSWERED, SAME, SAME, OLDER }, BRIDGE_UNMARK, false },
        { "… and it stays down.",
          { DOWN, ACTIVE, ANSWERED, NONE, SAME, OLDER }, BRIDGE_NOTHING, false },
        { "… and is up again: ready, but no second start.",
          { UP, ACTIVE, ANSWERED, NONE, SAME, OLDER }, BRIDGE_MARK, true },
        { "The network has stopped, its bridge is gone; the link's end was quicker than the event.",
          { ABSENT, ACTIVE, ANSWERED, OTHER, OTHER, OLDER }, BRIDGE_GONE, false },
        { "The event was as quick.",
          { ABSENT, INACTIVE, ANSWERED, OTHER, OTHER, OLDER }, BRIDGE_GONE, false },
        { "The hook has cleaned up before.",
          { ABSENT, INACTIVE, ANSWERED, NONE, NONE, OLDER }, BRIDGE_NOTHING, false },
        { "Only the record is left.",
          { ABSENT, INACTIVE, ANSWERED, NONE, OTHER, OLDER }, BRIDGE_GONE, false },
        { "A bridge is left behind by a start that failed: libvirt has said so, no second question.",
          { UP, INACTIVE, ANSWERED, NONE, NONE, OLDER }, BRIDGE_NOTHING, false },

        /*
         * Destroyed and started again
         */
        { "The new bridge is there, with the old one's records: the old life ends first.",
          { UP, ACTIVE, ANSWERED, OTHER, OTHER, OLDER }, BRIDGE_GONE, true },
        { "… also while libvirt's word is still that of the old life.",
          { UP, UNKNOWN, UNASKED, OTHER, OTHER, OLDER }, BRIDGE_GONE, false },
        { "… and when the new one is not up yet.",
          { DOWN, INACTIVE, ANSWERED, OTHER, OTHER, OLDER }, BRIDGE_GONE, false },
        { "\"Active\" of before the new bridge was there counts as unknown: dnsmasq may not run yet.",
          { UP, UNKNOWN, UNASKED, NONE, NONE, OLDER }, BRIDGE_RELIST, false },
        { "The old life's marker has gone before its record (its link went down first, or PID 1 could "
          "not be told of the end): it ends first, whatever libvirt says.",
          { UP, UNKNOWN, UNASKED, NONE, OTHER, OLDER }, BRIDGE_GONE, false },
        { "… of a network that is active again,",
          { UP, ACTIVE, ANSWERED, NONE, OTHER, OLDER }, BRIDGE_GONE, true },
        { "… of a bridge of the host that lost its network,",
          { UP, INACTIVE, ANSWERED, NONE, OTHER, OLDER }, BRIDGE_GONE, false },
        { "… and of one that is down.",
          { DOWN, INACTIVE, ANSWERED, NONE, OTHER, OLDER }, BRIDGE_GONE, false },
        { "The hook has written the new marker, and is about to order the start, or could not.",
          { UP, UNKNOWN, PENDING, SAME, OTHER, NEWER }, BRIDGE_EDGE, true },

        /*
         * The hook's marker, while libvirt calls the network inactive
         */
        { "The hook runs: libvirt was asked before, its word does not count. The hook is about to order "
          "the start, or could not reach PID 1: the bridge's lock says which.",
          { UP, INACTIVE, ANSWERED, SAME, NONE, NEWER }, BRIDGE_EDGE, true },
        { "The hook has done it all: libvirt is asked how the start ends.",
          { UP, INACTIVE, ANSWERED, SAME, SAME, NEWER }, BRIDGE_RELIST, true },
        { "It ended badly: libvirt was asked after the marker was written, and says inactive. (libvirt 9 "
          "leaves the bridge behind when another hook fails.)",
          { UP, INACTIVE, ANSWERED, SAME, SAME, OLDER }, BRIDGE_GONE, false },
        { "The same with a start that nobody could order.",
          { UP, INACTIVE, ANSWERED, SAME, NONE, OLDER }, BRIDGE_GONE, false },
        { "It ended well.",
          { UP, ACTIVE, ANSWERED, SAME, SAME, OLDER }, BRIDGE_NOTHING, true },
        { "The bridge is already down again: libvirt is asked what that means.",
          { DOWN, INACTIVE, ANSWERED, SAME, SAME, NEWER }, BRIDGE_RELIST, false },

        /*
         * The agent starts, or libvirt is away
         */
        { "The agent starts, the network has been running all along, the start was ordered long ago. It "
          "asks once whether libvirt sees it so.",
          { UP, UNKNOWN, UNASKED, SAME, SAME, NEWER }, BRIDGE_RELIST, true },
        { "… and leaves it at that while libvirt does not answer.",
          { UP, UNKNOWN, SILENT, SAME, SAME, NEWER }, BRIDGE_NOTHING, true },
        { "The hook could not reach PID 1, libvirt has died since: networks stay up without it, and so "
          "does the hook's word.",
          { UP, UNKNOWN, SILENT, SAME, NONE, NEWER }, BRIDGE_EDGE, true },
        { "No marker, and nobody to ask: a bridge that is up says nothing of its network.",
          { UP, UNKNOWN, SILENT, NONE, NONE, OLDER }, BRIDGE_NOTHING, false },
        { "The agent is connected: active, and no edge was ever made (no hook, agent not there).",
          { UP, ACTIVE, ANSWERED, NONE, NONE, OLDER }, BRIDGE_EDGE, true },
        { "The marker's own folder was wiped, the record was not.",
          { UP, UNKNOWN, SILENT, NONE, SAME, OLDER }, BRIDGE_MARK, true },
        { "The agent was not there when the network stopped, and libvirt is away.",
          { ABSENT, UNKNOWN, SILENT, OTHER, OTHER, NEWER }, BRIDGE_GONE, false },
        { "The agent was not there when it stopped and started.",
          { UP, UNKNOWN, UNASKED, OTHER, OTHER, NEWER }, BRIDGE_GONE, false },
        { "libvirt is away and the link is set down.",
          { DOWN, UNKNOWN, SILENT, SAME, SAME, NEWER }, BRIDGE_UNMARK, false },

        /*
         * A network on a bridge of the host (forward mode bridge): the link outlives the network
         */
        { "The bridge is up since boot, the network is not started.",
          { UP, INACTIVE, ANSWERED, NONE, NONE, OLDER }, BRIDGE_NOTHING, false },
        { "It is started.",
          { UP, ACTIVE, ANSWERED, NONE, NONE, OLDER }, BRIDGE_EDGE, true },
        { "It is stopped, the link stays: marker and record go, so that the next start is an edge.",
          { UP, INACTIVE, ANSWERED, SAME, SAME, OLDER }, BRIDGE_GONE, false },
        { "It is stopped after the link was set down.",
          { DOWN, INACTIVE, ANSWERED, NONE, SAME, OLDER }, BRIDGE_GONE, false },
        { "It is started, but the bridge does not exist (libvirt does not look).",
          { ABSENT, ACTIVE, ANSWERED, NONE, NONE, OLDER }, BRIDGE_NOTHING, false },
        { "… and now it does, and is up.",
          { UP, ACTIVE, ANSWERED, NONE, NONE, OLDER }, BRIDGE_EDGE, true },

        /*
         * A bridge that is not libvirt's
         */
        { "The link is up. It may be of a network that libvirt is just making (net-create): asked first.",
          { UP, NOBODYS, UNASKED, NONE, NONE, OLDER }, BRIDGE_RELIST, false },
        { "libvirt has not answered yet.",
          { UP, NOBODYS, PENDING, NONE, NONE, OLDER }, BRIDGE_NOTHING, false },
        { "libvirt does not know it: up is ready.",
          { UP, NOBODYS, ANSWERED, NONE, NONE, OLDER }, BRIDGE_EDGE, true },
        { "libvirt is not there, or hangs: up is ready.",
          { UP, NOBODYS, SILENT, NONE, NONE, OLDER }, BRIDGE_EDGE, true },
        { "The agent was started again.",
          { UP, NOBODYS, UNASKED, SAME, SAME, OLDER }, BRIDGE_NOTHING, true },
        { "The hook says it is ready, of a network that the agent has not heard of yet.",
          { UP, NOBODYS, UNASKED, SAME, NONE, OLDER }, BRIDGE_EDGE, true },
        { "It is set down.",
          { DOWN, NOBODYS, ANSWERED, SAME, SAME, OLDER }, BRIDGE_UNMARK, false },
        { "It is up again.",
          { UP, NOBODYS, ANSWERED, NONE, SAME, OLDER }, BRIDGE_MARK, true },
        { "It was never up.",
          { DOWN, NOBODYS, UNASKED, NONE, NONE, OLDER }, BRIDGE_NOTHING, false },
        { "It is deleted.",
          { ABSENT, NOBODYS, ANSWERED, OTHER, OTHER, OLDER }, BRIDGE_GONE, false },
        { "It was deleted and made again between two looks.",
          { UP, NOBODYS, ANSWERED, OTHER, OTHER, OLDER }, BRIDGE_GONE, true },
        { "The old life is cleaned up but for its record: its targets may still be there.",
          { UP, NOBODYS, ANSWERED, NONE, OTHER, OLDER }, BRIDGE_GONE, true },
};
/* clang-format on */

static void test_rows(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                BridgeAction action = bridge_decide(&rows[i].facts);
                bool ready = bridge_facts_ready(&rows[i].facts);

                if (action != rows[i].action)
                        fail_msg("%s: %s instead of %s", rows[i].situation,
                                 bridge_action_to_string(action),
                                 bridge_action_to_string(rows[i].action));
                if (ready != rows[i].ready)
                        fail_msg("%s: ready is %d", rows[i].situation, ready);
        }
}

typedef void (*Check)(const BridgeFacts *f, BridgeAction action);

/* All facts there can be; records of an absent link are always of another incarnation. */
static void for_all_facts(Check check) {
        for (unsigned n = 0; n < 3 * 4 * 4 * 3 * 3 * 2; n++) {
                unsigned i = n;
                BridgeFacts f;

                f.link = i % 3, i /= 3;
                f.libvirt = i % 4, i /= 4;
                f.list = i % 4, i /= 4;
                f.marker = i % 3, i /= 3;
                f.handled = i % 3, i /= 3;
                f.marker_is_newer = i % 2;
                if (f.link == LINK_ABSENT && (f.marker == SAME || f.handled == SAME))
                        continue;
                check(&f, bridge_decide(&f));
        }
}

static void check_edge(const BridgeFacts *f, BridgeAction action) {
        if (action != BRIDGE_EDGE)
                return;
        assert_int_equal(f->link, LINK_UP);
        assert_int_not_equal(f->handled, RECORDED_SAME);
        assert_true(bridge_facts_ready(f));
}

static void test_edge_only_when_ready_and_once(void **state) {
        for_all_facts(check_edge);
}

static BridgeFacts after(const BridgeFacts *f, BridgeAction action) {
        BridgeFacts g = *f;

        switch (action) {
        case BRIDGE_NOTHING:
                break;
        case BRIDGE_EDGE:
                g.marker = g.handled = RECORDED_SAME;
                break;
        case BRIDGE_MARK:
                g.marker = RECORDED_SAME;
                break;
        case BRIDGE_UNMARK:
                g.marker = RECORDED_NONE;
                break;
        case BRIDGE_GONE:
                g.marker = g.handled = RECORDED_NONE;
                break;
        case BRIDGE_RELIST: /* and the answer comes, younger than everything */
                g.list = LIBVIRT_LIST_ANSWERED;
                g.marker_is_newer = false;
                break;
        }
        return g;
}

/* Looking again comes to rest: no two actions undo each other. */
static void check_rest(const BridgeFacts *f, BridgeAction action) {
        BridgeFacts g = *f;

        for (unsigned i = 0; i < 4 && action != BRIDGE_NOTHING; i++) {
                g = after(&g, action);
                action = bridge_decide(&g);
        }
        assert_int_equal(action, BRIDGE_NOTHING);
}

static void test_comes_to_rest(void **state) {
        for_all_facts(check_rest);
}

static void test_names(void **state) {
        assert_string_equal(bridge_action_to_string(BRIDGE_NOTHING), "nothing");
        assert_string_equal(bridge_action_to_string(BRIDGE_RELIST), "relist");
        assert_null(bridge_action_to_string((BridgeAction) (BRIDGE_RELIST + 1)));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),
                cmocka_unit_test(test_edge_only_when_ready_and_once),
                cmocka_unit_test(test_comes_to_rest),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
