/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/bridge_marker.h"

#include <net/if.h>
#include <time.h>

#include "base/fileio.h"
#include "base/name.h"

/* Below the directory fd of CTVIRT_RUN_DIR. */
#define MARKER_FOLDER "bridges/"
#define HANDLED_FOLDER "handled/"

static const char *const witness_names[] = {
        [WITNESS_HOOK] = "hook",
        [WITNESS_LIBVIRT] = "libvirt",
        [WITNESS_KERNEL] = "kernel",
};

const char *witness_to_string(Witness w) {
        return (size_t) w < ELEMENTSOF(witness_names) ? witness_names[w] : NULL;
}

int witness_from_string(const char *s) {
        for (size_t i = 0; i < ELEMENTSOF(witness_names); i++)
                if (streq(s, witness_names[i]))
                        return (int) i;
        return -EINVAL;
}

void bridge_marker_done(BridgeMarker *marker) {
        free(marker->network);
        strv_free(marker->networks);
        *marker = (BridgeMarker){ 0 };
}

static int parse_number(const char *s, uint64_t max, uint64_t *ret) {
        unsigned long long n;
        char *end;

        /* strtoull() takes signs and white space too. */
        if (*s < '0' || *s > '9')
                return -EINVAL;
        errno = 0;
        n = strtoull(s, &end, 10);
        if (errno != 0 || *end || n > max)
                return -EINVAL;
        *ret = n;
        return 0;
}

static int parse_ifindex(const char *s, unsigned *ret) {
        uint64_t n;

        if (parse_number(s, INT_MAX, &n) < 0 || n == 0)
                return -EINVAL;
        *ret = (unsigned) n;
        return 0;
}

static int parse_witness(const char *s, Witness *ret) {
        int w = witness_from_string(s);

        if (w < 0)
                return w;
        *ret = (Witness) w;
        return 0;
}

static int parse_network(const char *s, BridgeMarker *m) {
        char *copy;

        if (!network_name_is_valid(s))
                return -EINVAL;
        copy = strdup(s);
        if (!copy)
                return -ENOMEM;
        free(m->network);
        m->network = copy;
        return strv_contains(m->networks, s) ? 0 : strv_extend(&m->networks, s);
}

static int parse_uuid(const char *s, BridgeMarker *m) {
        int r = uuid_from_string(s, &m->uuid);

        m->has_uuid = r >= 0;
        return r;
}

/* Keys that we do not know are those of a later version. */
static int parse_assignment(const char *key, const char *value, BridgeMarker *m) {
        if (streq(key, "IFINDEX"))
                return parse_ifindex(value, &m->ifindex);
        if (streq(key, "WITNESS"))
                return parse_witness(value, &m->witness);
        if (streq(key, "NETWORK"))
                return parse_network(value, m);
        if (streq(key, "UUID"))
                return parse_uuid(value, m);
        if (streq(key, "REALTIME_USEC"))
                return parse_number(value, UINT64_MAX, &m->realtime_usec);
        if (streq(key, "MONOTONIC_USEC"))
                return parse_number(value, UINT64_MAX, &m->monotonic_usec);
        return 0;
}

static int parse_line(char *line, BridgeMarker *m) {
        char *equals;

        if (*line == '\0' || *line == '#')
                return 0;
        equals = strchr(line, '=');
        if (!equals)
                return -EINVAL;
        *equals = '\0';
        return parse_assignment(line, equals + 1, m);
}

int bridge_marker_parse(const char *text, size_t size, BridgeMarker *ret) {
        _cleanup_marker_ BridgeMarker m = { 0 };
        _cleanup_free_ char *copy = NULL;
        char *position, *line;
        int r;

        if (size > BRIDGE_MARKER_MAX || memchr(text, '\0', size))
                return -EINVAL;
        copy = strndup(text, size);
        if (!copy)
                return -ENOMEM;

        position = copy;
        while ((line = strsep(&position, "\n"))) {
                r = parse_line(line, &m);
                if (r < 0)
                        return r;
        }
        if (m.ifindex == 0)
                return -EINVAL;

        *ret = m;
        m = (BridgeMarker){ 0 };
        return 0;
}

int bridge_marker_format(const BridgeMarker *m, char **ret) {
        const char *witness = witness_to_string(m->witness);
        _cleanup_free_ char *text = NULL;
        char uuid[UUID_STRING_MAX];
        size_t size;
        FILE *f;

        if (!witness || m->ifindex == 0 || (m->network && !network_name_is_valid(m->network)))
                return -EINVAL;

        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        (void) fprintf(f, "IFINDEX=%u\nWITNESS=%s\n", m->ifindex, witness);
        if (m->network)
                (void) fprintf(f, "NETWORK=%s\n", m->network);
        if (m->has_uuid)
                (void) fprintf(f, "UUID=%s\n", uuid_to_string(&m->uuid, uuid));
        (void) fprintf(f, "REALTIME_USEC=%llu\nMONOTONIC_USEC=%llu\n",
                       (unsigned long long) m->realtime_usec,
                       (unsigned long long) m->monotonic_usec);
        if (fclose(f) != 0)
                return -ENOMEM;

        *ret = TAKE_PTR(text);
        return 0;
}

typedef struct RecordPath {
        char text[sizeof(MARKER_FOLDER) + IFNAMSIZ];
} RecordPath;

static int record_path(const char *folder, const char *bridge, RecordPath *ret) {
        if (!link_name_is_valid(bridge))
                return -EINVAL;
        (void) snprintf(ret->text, sizeof(ret->text), "%s%s", folder, bridge);
        return 0;
}

/* -ENOENT for everything that does not parse: whoever wrote it, it is not our record. */
static int record_read(int run_fd, const char *folder, const char *bridge, BridgeMarker *ret) {
        _cleanup_free_ char *text = NULL;
        RecordPath path;
        size_t size;
        int r;

        r = record_path(folder, bridge, &path);
        if (r < 0)
                return r;
        r = read_file_at(run_fd, path.text, BRIDGE_MARKER_MAX, false, &text, &size);
        if (r >= 0)
                r = bridge_marker_parse(text, size, ret);
        return r == -EINVAL || r == -EFBIG || r == -ELOOP ? -ENOENT : r;
}

static int record_write(int run_fd, const char *folder, const char *bridge, const char *text) {
        RecordPath path;
        int r;

        r = record_path(folder, bridge, &path);
        if (r < 0)
                return r;
        r = write_file_at(run_fd, path.text, text, strlen(text), 0644, 0);
        return r < 0 ? r : 0;
}

static int record_remove(int run_fd, const char *folder, const char *bridge) {
        RecordPath path;
        int r;

        r = record_path(folder, bridge, &path);
        return r < 0 ? r : remove_file_at(run_fd, path.text);
}

static uint64_t now_usec(clockid_t clock) {
        struct timespec t = { 0 };

        (void) clock_gettime(clock, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

int bridge_marker_read(int run_fd, const char *bridge, BridgeMarker *ret) {
        return record_read(run_fd, MARKER_FOLDER, bridge, ret);
}

int bridge_marker_write(int run_fd, const char *bridge, const BridgeMarker *marker) {
        _cleanup_free_ char *text = NULL;
        BridgeMarker m = *marker;
        int r;

        m.realtime_usec = now_usec(CLOCK_REALTIME);
        m.monotonic_usec = now_usec(CLOCK_MONOTONIC);
        r = bridge_marker_format(&m, &text);
        return r < 0 ? r : record_write(run_fd, MARKER_FOLDER, bridge, text);
}

int bridge_marker_remove(int run_fd, const char *bridge) {
        return record_remove(run_fd, MARKER_FOLDER, bridge);
}

/* The record of a handled incarnation has the marker's form, with fewer keys, and a line for each
 * network. */
int bridge_handled_read_networks(int run_fd, const char *bridge, unsigned *ret_ifindex,
                                 char ***ret_networks) {
        _cleanup_marker_ BridgeMarker m = { 0 };
        int r;

        r = record_read(run_fd, HANDLED_FOLDER, bridge, &m);
        if (r < 0 && r != -ENOENT)
                return r;
        *ret_ifindex = m.ifindex;
        *ret_networks = TAKE_PTR(m.networks);
        return 0;
}

int bridge_handled_read(int run_fd, const char *bridge, unsigned *ret_ifindex) {
        _cleanup_strv_ char **networks = NULL;

        return bridge_handled_read_networks(run_fd, bridge, ret_ifindex, &networks);
}

int bridge_handled_write(int run_fd, const char *bridge, unsigned ifindex, char *const *networks) {
        char text[BRIDGE_MARKER_MAX];
        int n;

        n = snprintf(text, sizeof(text), "IFINDEX=%u\nMONOTONIC_USEC=%llu\n", ifindex,
                     (unsigned long long) now_usec(CLOCK_MONOTONIC));
        for (char *const *network = networks; network && *network; network++) {
                if (!network_name_is_valid(*network))
                        return -EINVAL;
                if ((size_t) n + strlen("NETWORK=\n") + strlen(*network) >= sizeof(text))
                        break;
                n += snprintf(text + n, sizeof(text) - (size_t) n, "NETWORK=%s\n", *network);
        }
        return record_write(run_fd, HANDLED_FOLDER, bridge, text);
}

int bridge_handled_remove(int run_fd, const char *bridge) {
        return record_remove(run_fd, HANDLED_FOLDER, bridge);
}
