/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/network_files.h"

#include <sys/inotify.h>

#include "agent/libvirt_link.h"
#include "base/log.h"
#include "base/strv.h"
#include "units/dir_list.h"

#define FOLDER "/run/libvirt/network"
#define SUFFIX ".xml"

/* libvirt writes a file when the start is almost done, and sends an event, if any, right after. */
#define SETTLE_USEC 50000
#define ACCURACY_USEC 10000

#define WATCH_MASK (IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR)

struct NetworkFiles {
        Manager *m;
        sd_event_source *watch; /* NULL: there is no folder */
        sd_event_source *settle;
};

static size_t count_active(const NetworkTable *networks) {
        size_t n = 0;

        for (size_t i = 0; i < networks->n_items; i++)
                n += networks->items[i]->active;
        return n;
}

static bool is_active(const NetworkTable *networks, const char *file) {
        _cleanup_free_ char *name = strndup(file, strlen(file) - strlen(SUFFIX));
        const Network *n = name ? network_table_by_name(networks, name) : NULL;

        return n && n->active;
}

bool network_files_differ(const char *folder, const NetworkTable *networks) {
        _cleanup_strv_ char **files = NULL;

        if (dir_list(folder, "", SUFFIX, &files) < 0)
                return false;
        STRV_FOREACH(file, files)
                if (!is_active(networks, *file))
                        return true;
        return strv_length(files) != count_active(networks);
}

static int on_settled(sd_event_source *source, uint64_t usec, void *userdata) {
        NetworkFiles *f = userdata;

        if (!f->m->networks_known || !network_files_differ(FOLDER, &f->m->networks))
                return 0;
        log_debug("libvirt's files of its networks have changed, asking for a list");
        libvirt_link_relist(f->m->libvirt);
        return 0;
}

/* The first event starts the clock, later ones do not move it. */
static int on_inotify(sd_event_source *source, const struct inotify_event *e, void *userdata) {
        NetworkFiles *f = userdata;
        int enabled = SD_EVENT_OFF;

        if (e->mask & IN_IGNORED) {
                (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
                f->watch = sd_event_source_unref(source);
        }
        if (!(e->mask & (IN_IGNORED | IN_Q_OVERFLOW)) &&
            (e->len == 0 || !endswith(e->name, SUFFIX)))
                return 0;
        (void) sd_event_source_get_enabled(f->settle, &enabled);
        if (enabled != SD_EVENT_OFF)
                return 0;
        (void) sd_event_source_set_time_relative(f->settle, SETTLE_USEC);
        (void) sd_event_source_set_enabled(f->settle, SD_EVENT_ONESHOT);
        return 0;
}

static int watch(NetworkFiles *f) {
        int r;

        if (f->watch)
                return 0;
        r = sd_event_add_inotify(f->m->event, &f->watch, FOLDER, WATCH_MASK, on_inotify, f);
        return r == -ENOENT || r == -ENOTDIR ? 0 : r;
}

void network_files_on_list(NetworkFiles *f) {
        int r = watch(f);

        if (r < 0)
                log_warning_errno(r, "Could not watch %s", FOLDER);
}

int network_files_new(Manager *m, NetworkFiles **ret) {
        _cleanup_(network_files_freep) NetworkFiles *f = NULL;
        int r;

        f = calloc(1, sizeof(*f));
        if (!f)
                return -ENOMEM;
        f->m = m;

        r = sd_event_add_time(m->event, &f->settle, CLOCK_MONOTONIC, 0, ACCURACY_USEC, on_settled,
                              f);
        if (r >= 0)
                r = sd_event_source_set_enabled(f->settle, SD_EVENT_OFF);
        if (r >= 0)
                r = watch(f);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(f);
        return 0;
}

NetworkFiles *network_files_free(NetworkFiles *f) {
        if (!f)
                return NULL;
        sd_event_source_disable_unref(f->watch);
        sd_event_source_disable_unref(f->settle);
        free(f);
        return NULL;
}
