/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/edge.h"

#include <fcntl.h>
#include <net/if.h>
#include <sys/file.h>
#include <time.h>

#include "base/name.h"
#include "base/strv.h"
#include "units/bridge_link.h"
#include "units/dir_list.h"
#include "units/unit_name.h"
#include "units/wanted_units.h"

/* Below the directory fd of CTVIRT_RUN_DIR; both folders are in /run. */
#define GENERATOR_DIR "../systemd/generator"
#define LOCK_FOLDER "lock/"
#define LOCK_RETRY_USEC 2000

static uint64_t now_usec(void) {
        struct timespec t = { 0 };

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

/* A lock cannot be waited for with a time limit, other than by a signal, which a library leaves
 * alone. It is held for milliseconds, so asking again is good enough. */
static int lock_wait(int fd, uint64_t wait_usec) {
        uint64_t end = now_usec() + wait_usec;

        for (;;) {
                if (flock(fd, LOCK_EX | LOCK_NB) >= 0)
                        return 0;
                if (errno != EWOULDBLOCK && errno != EINTR)
                        return negative_errno();
                if (now_usec() >= end)
                        return -EWOULDBLOCK;
                (void) nanosleep(&(struct timespec){ .tv_nsec = LOCK_RETRY_USEC * 1000 }, NULL);
        }
}

/* Returns the fd that holds the lock. The file stays: removing it would need a lock of its own. */
static int lock_bridge(int run_fd, const char *bridge, uint64_t wait_usec) {
        char path[sizeof(LOCK_FOLDER) + IFNAMSIZ];
        _cleanup_close_ int fd = -1;
        int r;

        if (!link_name_is_valid(bridge))
                return -EINVAL;
        (void) snprintf(path, sizeof(path), LOCK_FOLDER "%s", bridge);

        fd = openat(run_fd, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        if (fd < 0)
                return negative_errno();
        r = lock_wait(fd, wait_usec);
        return r < 0 ? r : TAKE_FD(fd);
}

/* The first witness's word stands, unless this one knows more. */
static bool marker_is_current(int run_fd, const EdgeRequest *request, unsigned ifindex) {
        _cleanup_marker_ BridgeMarker m = { 0 };

        return bridge_marker_read(run_fd, request->bridge, &m) >= 0 && m.ifindex == ifindex &&
               (!request->network || streq_ptr(m.network, request->network)) &&
               (!request->uuid || (m.has_uuid && uuid_equal(&m.uuid, request->uuid)));
}

static int put_marker(int run_fd, const EdgeRequest *request, unsigned ifindex) {
        const BridgeMarker m = {
                .ifindex = ifindex,
                .witness = request->witness,
                .network = (char *) request->network,
                .has_uuid = request->uuid != NULL,
                .uuid = request->uuid ? *request->uuid : (Uuid){ { 0 } },
        };

        if (marker_is_current(run_fd, request, ifindex))
                return 0;
        return bridge_marker_write(run_fd, request->bridge, &m);
}

/* A unit that was started too often is refused by systemd until it is reset. If PID 1 does not say
 * which ones may be, or forgets one, the start goes on all the same: it serves all others. */
static void reset_units(int run_fd, const char *bridge, const EdgeRoad *road) {
        _cleanup_strv_ char **wanted = NULL, **listed = NULL;
        size_t n;

        if (!wanted_units_exist(run_fd, GENERATOR_DIR, bridge))
                return;
        if (road->list_to_reset(road->userdata, &listed) < 0 || !listed)
                return;
        if (wanted_units_read(run_fd, GENERATOR_DIR, bridge, &wanted) < 0)
                return;
        n = strv_length(wanted);
        STRV_FOREACH(unit, listed)
                if (dir_list_contains(wanted, n, *unit))
                        (void) road->reset_failed(road->userdata, *unit);
}

/* NULL: no network, or one that no unit can be named after. */
static int network_target(const char *network, char **ret) {
        _cleanup_free_ char *unit = NULL;

        if (network) {
                unit = network_target_name(network);
                if (!unit)
                        return -ENOMEM;
        }
        *ret = unit && strlen(unit) <= UNIT_NAME_MAX ? TAKE_PTR(unit) : NULL;
        return 0;
}

static int add_network_unit(char ***units, const char *network) {
        _cleanup_free_ char *unit = NULL;
        int r;

        r = network_target(network, &unit);
        if (r < 0 || !unit || strv_contains(*units, unit))
                return r;
        return strv_push(units, TAKE_PTR(unit));
}

static int add_bridge_unit(char ***units, BridgeTarget target, const char *bridge) {
        char *unit = bridge_target_name(target, bridge);

        return unit ? strv_push(units, unit) : -ENOMEM;
}

static int queue_start(int run_fd, const EdgeRequest *request, const EdgeRoad *road) {
        _cleanup_strv_ char **units = NULL;
        int r;

        r = add_network_unit(&units, request->network);
        if (r >= 0)
                r = add_bridge_unit(&units, BRIDGE_TARGET_AUTOSTART, request->bridge);
        if (r < 0)
                return r;

        reset_units(run_fd, request->bridge, road);
        return road->start(road->userdata, units);
}

typedef struct Ending {
        const char *bridge;
        char **recorded;     /* networks whose targets were started; may be NULL */
        const char *network; /* the one that we were told of; may be NULL */
} Ending;

static void ending_done(Ending *e) {
        strv_free(e->recorded);
}

static int add_network_units(char ***units, char *const *networks) {
        for (char *const *network = networks; network && *network; network++) {
                int r = add_network_unit(units, *network);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int queue_stop(const Ending *e, const EdgeRoad *road) {
        _cleanup_strv_ char **units = NULL;
        int r;

        r = add_bridge_unit(&units, BRIDGE_TARGET_AUTOSTART, e->bridge);
        if (r >= 0)
                r = add_network_units(&units, e->recorded);
        if (r >= 0)
                r = add_network_unit(&units, e->network);
        if (r >= 0)
                r = add_bridge_unit(&units, BRIDGE_TARGET_READY, e->bridge);
        return r < 0 ? r : road->stop(road->userdata, units);
}

static int finish_end(int run_fd, const Ending *e, const EdgeRoad *road) {
        int r;

        r = queue_stop(e, road);
        if (r >= 0)
                r = bridge_handled_remove(run_fd, e->bridge);
        return r < 0 ? r : 0;
}

/* A bridge of the host can have more than one network; its containers were started with the first.
 * Only the hook comes with such news. networks: those on record. */
static int add_network(int run_fd, const EdgeRequest *request, const EdgeRoad *road,
                       unsigned ifindex, char *const *networks) {
        _cleanup_strv_ char **all = NULL;
        _cleanup_free_ char *unit = NULL;
        int r;

        r = network_target(request->network, &unit);
        if (r < 0)
                return r;
        if (unit) {
                r = road->start(road->userdata, (char *[]){ unit, NULL });
                if (r < 0)
                        return r;
        }
        r = strv_copy(networks, &all);
        if (r >= 0)
                r = strv_extend(&all, request->network);
        return r < 0 ? r : bridge_handled_write(run_fd, request->bridge, ifindex, all);
}

static int edge_unhandled(int run_fd, const EdgeRequest *request, const EdgeRoad *road,
                          unsigned ifindex, EdgeOutcome *ret) {
        char *networks[] = { (char *) request->network, NULL };
        int r;

        if (!road)
                return -ENOTCONN;
        r = queue_start(run_fd, request, road);
        if (r < 0)
                return r;

        /* After the job: if we are killed before this line, the next witness does it again. */
        r = bridge_handled_write(run_fd, request->bridge, ifindex, networks);
        if (r < 0)
                return r;
        *ret = EDGE_MADE;
        return 0;
}

static int edge_handled(int run_fd, const EdgeRequest *request, const EdgeRoad *road,
                        unsigned ifindex, char *const *networks, EdgeOutcome *ret) {
        int r = 0;

        if (road && request->witness == WITNESS_HOOK && request->network &&
            !strv_contains(networks, request->network))
                r = add_network(run_fd, request, road, ifindex, networks);
        if (r < 0)
                return r;
        *ret = EDGE_HANDLED;
        return 0;
}

static int edge_locked(int run_fd, const EdgeRequest *request, const EdgeRoad *road,
                       EdgeOutcome *ret) {
        _cleanup_(ending_done) Ending old = { .bridge = request->bridge };
        BridgeLink link;
        unsigned handled;
        int r;

        r = bridge_link_query(request->bridge, &link);
        if (r < 0)
                return r;
        if (link.ifindex == 0 || !link.up) {
                *ret = EDGE_NOT_READY;
                return 0;
        }

        /* Before the job: every unit that it starts is gated on the marker. */
        r = put_marker(run_fd, request, link.ifindex);
        if (r < 0)
                return r;

        r = bridge_handled_read_networks(run_fd, request->bridge, &handled, &old.recorded);
        if (r < 0)
                return r;
        if (handled == link.ifindex)
                return edge_handled(run_fd, request, road, link.ifindex, old.recorded, ret);
        /* An end that nobody could tell PID 1 of comes before the new beginning. */
        if (handled == BRIDGE_ENDED && road) {
                r = finish_end(run_fd, &old, road);
                if (r < 0)
                        return r;
        }
        return edge_unhandled(run_fd, request, road, link.ifindex, ret);
}

int bridge_edge(int run_fd, const EdgeRequest *request, const EdgeRoad *road,
                uint64_t lock_wait_usec, EdgeOutcome *ret) {
        _cleanup_close_ int lock_fd = -1;

        if (request->network && !network_name_is_valid(request->network))
                return -EINVAL;
        lock_fd = lock_bridge(run_fd, request->bridge, lock_wait_usec);
        if (lock_fd < 0)
                return lock_fd;
        return edge_locked(run_fd, request, road, ret);
}

/* The marker may be gone already: a link that went down first. */
static int find_recorded(int run_fd, Ending *e, unsigned *ret_handled) {
        _cleanup_marker_ BridgeMarker m = { 0 };
        int r;

        r = bridge_handled_read_networks(run_fd, e->bridge, ret_handled, &e->recorded);
        if (r < 0 || e->recorded)
                return r;
        r = bridge_marker_read(run_fd, e->bridge, &m);
        if (r < 0 && r != -ENOENT)
                return r;
        e->recorded = TAKE_PTR(m.networks);
        return 0;
}

/* 1 if the bridge goes on without the network that has stopped: it is a bridge of the host's, and
 * another network is on record for it. *ret: the others. */
static int find_others(const Ending *e, unsigned handled, char ***ret) {
        _cleanup_strv_ char **others = NULL;
        BridgeLink link;
        int r;

        if (!e->network || handled == 0)
                return 0;
        r = bridge_link_query(e->bridge, &link);
        if (r < 0 || link.ifindex != handled)
                return r < 0 ? r : 0;
        r = strv_copy(e->recorded, &others);
        if (r < 0)
                return r;
        (void) strv_remove(others, e->network);
        if (strv_length(others) == 0)
                return 0;
        *ret = TAKE_PTR(others);
        return 1;
}

/* The marker names one that is up. */
static int rename_marker(int run_fd, const Ending *e, const char *other) {
        _cleanup_marker_ BridgeMarker m = { 0 };
        int r;

        r = bridge_marker_read(run_fd, e->bridge, &m);
        if (r < 0 || !streq_ptr(m.network, e->network))
                return r < 0 && r != -ENOENT ? r : 0;
        free(m.network);
        m.network = strdup(other);
        m.has_uuid = false;
        return m.network ? bridge_marker_write(run_fd, e->bridge, &m) : -ENOMEM;
}

static int leave_network(int run_fd, const Ending *e, unsigned ifindex, char *const *others,
                         const EdgeRoad *road) {
        _cleanup_free_ char *unit = NULL;
        int r;

        if (!road)
                return -ENOTCONN;
        r = network_target(e->network, &unit);
        if (r >= 0 && unit)
                r = road->stop(road->userdata, (char *[]){ unit, NULL });
        if (r >= 0)
                r = rename_marker(run_fd, e, *others);
        return r < 0 ? r : bridge_handled_write(run_fd, e->bridge, ifindex, others);
}

/* The record first: a bridge of the host keeps its ifindex when its network is stopped, and a record
 * that outlived the marker would silence the next start. No record at all does not, and is there to
 * be had on a full file system too; what it leaves may be room for the new one. */
static int put_end(int run_fd, const Ending *e) {
        char *told[] = { (char *) e->network, NULL };
        char *const *networks = e->recorded ? e->recorded : told;
        int r;

        r = bridge_handled_write(run_fd, e->bridge, BRIDGE_ENDED, networks);
        if (r >= 0)
                return 0;
        if (bridge_handled_remove(run_fd, e->bridge) < 0)
                return r;
        (void) bridge_handled_write(run_fd, e->bridge, BRIDGE_ENDED, networks);
        return 0;
}

/* A record that is written again with nothing new in it would be news to the agent, which tries
 * until PID 1 answers: it would not come to rest before. */
static bool end_is_put(const Ending *e, unsigned handled) {
        return handled == BRIDGE_ENDED && (e->recorded || !e->network);
}

static int gone_locked(int run_fd, const char *bridge, const char *network, const EdgeRoad *road) {
        _cleanup_(ending_done) Ending e = { .bridge = bridge, .network = network };
        _cleanup_strv_ char **others = NULL;
        unsigned handled;
        int removed, r;

        r = find_recorded(run_fd, &e, &handled);
        if (r >= 0)
                r = find_others(&e, handled, &others);
        if (r < 0)
                return r;
        if (others)
                return leave_network(run_fd, &e, handled, others, road);

        r = end_is_put(&e, handled) ? 0 : put_end(run_fd, &e);
        if (r < 0)
                return r;
        removed = bridge_marker_remove(run_fd, bridge);
        if (removed < 0 || !road)
                return removed;

        r = finish_end(run_fd, &e, road);
        return r < 0 ? r : removed;
}

int bridge_gone(int run_fd, const char *bridge, const char *network, const EdgeRoad *road,
                uint64_t lock_wait_usec) {
        _cleanup_close_ int lock_fd = -1;

        if (network && !network_name_is_valid(network))
                return -EINVAL;
        lock_fd = lock_bridge(run_fd, bridge, lock_wait_usec);
        if (lock_fd < 0)
                return lock_fd;
        return gone_locked(run_fd, bridge, network, road);
}

int bridge_incarnation_gone(int run_fd, const char *bridge, unsigned ifindex, const EdgeRoad *road,
                            uint64_t lock_wait_usec) {
        _cleanup_close_ int lock_fd = lock_bridge(run_fd, bridge, lock_wait_usec);
        _cleanup_marker_ BridgeMarker m = { 0 };
        unsigned handled = 0;
        int r;

        if (lock_fd < 0)
                return lock_fd;
        r = bridge_marker_read(run_fd, bridge, &m);
        if (r < 0 && r != -ENOENT)
                return r;
        r = bridge_handled_read(run_fd, bridge, &handled);
        if (r < 0)
                return r;
        if (m.ifindex != ifindex || (ifindex == 0 && handled == 0))
                return 0;
        return gone_locked(run_fd, bridge, NULL, road);
}
