/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/file_watch.h"

#include <sys/inotify.h>

#include "agent/container_refresh.h"
#include "agent/reconcile.h"
#include "base/log.h"

#define SETTLE_USEC (UINT64_C(100) * 1000)
#define ACCURACY_USEC (UINT64_C(10) * 1000)

#define WATCH_MASK                                                                                 \
        (IN_CREATE | IN_DELETE | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR)

/* A folder that is missing is waited for in its parent, which is there on every host with systemd.
 */
typedef struct WatchedFolder {
        const char *path;
        const char *parent;
} WatchedFolder;

static const WatchedFolder folders[] = {
        { "/etc/systemd/nspawn", "/etc/systemd" },
        { "/run/systemd/nspawn", "/run/systemd" },
        { "/etc/systemd/system/machines.target.wants", "/etc/systemd/system" },
};

struct FileWatch {
        Manager *manager;
        sd_event_source *sources[ELEMENTSOF(folders)];
        sd_event_source *parent_sources[ELEMENTSOF(folders)];
        sd_event_source *settle_source;
        uint64_t last_event_usec;
};

/* A reload is asked for only if what the files say differs from what we saw last. Our own writes
 * are followed by a look at the files before anybody gets here, so they never differ. */
static int on_settled(sd_event_source *source, uint64_t usec, void *userdata) {
        FileWatch *w = userdata;
        bool made;
        int r;

        /* systemctl enable, for one: the end of the reload is where the files are looked at. */
        if (w->manager->reloading)
                return 0;

        made = reconcile_lost_files(w->manager) > 0;
        r = container_refresh_all(w->manager);
        if (r < 0)
                log_warning_errno(r, "Could not read what containers there are");
        if (r > 0)
                log_info("The bridges of an enabled container have changed; reloading systemd");
        if (made || r > 0)
                manager_request_reload(w->manager);
        return 0;
}

/* An editor writes several times; the first event starts the clock, later ones do not move it. */
static void look_soon(FileWatch *w) {
        int enabled = SD_EVENT_OFF, r;

        (void) sd_event_now(w->manager->event, CLOCK_MONOTONIC, &w->last_event_usec);
        (void) sd_event_source_get_enabled(w->settle_source, &enabled);
        if (enabled != SD_EVENT_OFF)
                return;
        r = sd_event_source_set_time_relative(w->settle_source, SETTLE_USEC);
        if (r >= 0)
                r = sd_event_source_set_enabled(w->settle_source, SD_EVENT_ONESHOT);
        if (r < 0)
                log_error_errno(r, "Could not arm the timer for changed files");
}

static int on_inotify(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        FileWatch *w = userdata;

        /* The folder itself has gone: its parent tells when it is made again. */
        if (event->mask & IN_IGNORED)
                for (size_t i = 0; i < ELEMENTSOF(folders); i++)
                        if (w->sources[i] == source) {
                                (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
                                w->sources[i] = sd_event_source_unref(source);
                        }
        look_soon(w);
        return 0;
}

static int watch_folder(FileWatch *w, size_t i) {
        int r;

        if (w->sources[i])
                return 0;
        r = sd_event_add_inotify(w->manager->event, &w->sources[i], folders[i].path, WATCH_MASK,
                                 on_inotify, w);
        return r == -ENOENT || r == -ENOTDIR ? 0 : r;
}

static int on_parent(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        FileWatch *w = userdata;

        for (size_t i = 0; i < ELEMENTSOF(folders); i++) {
                const char *name = strrchr(folders[i].path, '/') + 1;
                int r;

                if (w->parent_sources[i] != source || event->len == 0 || !streq(event->name, name))
                        continue;
                r = watch_folder(w, i);
                if (r < 0)
                        log_warning_errno(r, "Could not watch %s", folders[i].path);
                look_soon(w);
        }
        return 0;
}

static int watch(FileWatch *w, size_t i) {
        int r;

        r = sd_event_add_inotify(w->manager->event, &w->parent_sources[i], folders[i].parent,
                                 IN_CREATE | IN_MOVED_TO | IN_ONLYDIR, on_parent, w);
        if (r < 0 && r != -ENOENT)
                return r;
        return watch_folder(w, i);
}

int file_watch_new(Manager *m, FileWatch **ret) {
        _cleanup_(file_watch_freep) FileWatch *w = NULL;
        int r;

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        w->manager = m;

        r = sd_event_add_time(m->event, &w->settle_source, CLOCK_MONOTONIC, 0, ACCURACY_USEC,
                              on_settled, w);
        if (r >= 0)
                r = sd_event_source_set_enabled(w->settle_source, SD_EVENT_OFF);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(folders); i++)
                r = watch(w, i);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(w);
        return 0;
}

bool file_watch_changed_since(const FileWatch *w, uint64_t usec) {
        return w && w->last_event_usec >= usec;
}

FileWatch *file_watch_free(FileWatch *w) {
        if (!w)
                return NULL;

        for (size_t i = 0; i < ELEMENTSOF(folders); i++) {
                sd_event_source_disable_unref(w->sources[i]);
                sd_event_source_disable_unref(w->parent_sources[i]);
        }
        sd_event_source_disable_unref(w->settle_source);
        free(w);
        return NULL;
}
