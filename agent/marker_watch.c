/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/marker_watch.h"

#include <sys/inotify.h>
#include <sys/stat.h>

#include "agent/agent_lock.h"
#include "agent/bridge_watch.h"
#include "base/fileio.h"
#include "base/log.h"
#include "base/name.h"
#include "units/bridge_marker.h"
#include "units/run_dir.h"

/* Records are renamed into place and unlinked; IN_CLOSE_WRITE is for people. When CTVIRT_RUN_DIR
 * itself is removed its folders are removed before; that a folder has gone says nothing while
 * somebody holds it open, as we do with this one (inotify(7)), but it can still be renamed. */
#define FOLDER_MASK                                                                                \
        (IN_CLOSE_WRITE | IN_DELETE | IN_DELETE_SELF | IN_MOVED_FROM | IN_MOVED_TO |               \
         IN_MOVE_SELF | IN_ONLYDIR)
#define RUN_DIR_MASK (IN_MOVE_SELF | IN_DELETE_SELF | IN_ONLYDIR)
#define RESTORE_FIRST_USEC 10000
#define RESTORE_MAX_USEC 10000000
#define RESTORE_ACCURACY_USEC 1000

typedef struct Folder {
        const char *path;
        uint32_t mask;
} Folder;

static const Folder folders[] = {
        { CTVIRT_RUN_DIR, RUN_DIR_MASK },
        { CTVIRT_BRIDGES_DIR, FOLDER_MASK },
        { CTVIRT_HANDLED_DIR, FOLDER_MASK },
};

struct MarkerWatch {
        Manager *m;
        sd_event_source *sources[ELEMENTSOF(folders)];
        sd_event_source *restore;
        uint64_t restore_usec;
        bool complained;
};

static void restore_soon(MarkerWatch *w) {
        (void) sd_event_source_set_time_relative(w->restore, w->restore_usec);
        (void) sd_event_source_set_enabled(w->restore, SD_EVENT_ONESHOT);
}

static bool folder_is_gone(const struct inotify_event *e) {
        return e->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT);
}

static int on_inotify(sd_event_source *s, const struct inotify_event *e, void *userdata) {
        MarkerWatch *w = userdata;

        if (folder_is_gone(e))
                restore_soon(w);
        else if (e->mask & IN_Q_OVERFLOW)
                bridge_watch_check_all_soon(w->m->bridges);
        else if (e->len > 0 && !is_temporary_name(e->name) && link_name_is_valid(e->name))
                bridge_watch_check(w->m->bridges, e->name);
        return 0;
}

static int watch_folders(MarkerWatch *w) {
        for (size_t i = 0; i < ELEMENTSOF(folders); i++) {
                int r;

                w->sources[i] = sd_event_source_disable_unref(w->sources[i]);
                r = sd_event_add_inotify(w->m->event, &w->sources[i], folders[i].path,
                                         folders[i].mask, on_inotify, w);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool same_folder(int a, int b) {
        struct stat sa, sb;

        return fstat(a, &sa) >= 0 && fstat(b, &sb) >= 0 && sa.st_dev == sb.st_dev &&
               sa.st_ino == sb.st_ino;
}

/* In a new folder the hook looks for a new lock file. */
static int renew_lock(Manager *m, int run_fd) {
        int fd;

        if (m->agent_lock_fd < 0 || same_folder(m->run_fd, run_fd))
                return 0;
        fd = agent_lock_take(run_fd);
        if (fd < 0)
                return fd;
        (void) close(m->agent_lock_fd);
        m->agent_lock_fd = fd;
        return 0;
}

static int restore(MarkerWatch *w) {
        _cleanup_close_ int fd = run_dir_open();
        int r;

        if (fd < 0)
                return fd;
        r = watch_folders(w);
        if (r >= 0)
                r = renew_lock(w->m, fd);
        if (r < 0)
                return r;

        closep(&w->m->run_fd);
        w->m->run_fd = TAKE_FD(fd);
        return 0;
}

static int on_restore(sd_event_source *s, uint64_t usec, void *userdata) {
        MarkerWatch *w = userdata;
        int r = restore(w);

        if (r < 0) {
                if (!w->complained)
                        log_error_errno(r, "Failed to watch %s", CTVIRT_RUN_DIR);
                w->complained = true;
                w->restore_usec *= 2;
                if (w->restore_usec > RESTORE_MAX_USEC)
                        w->restore_usec = RESTORE_MAX_USEC;
                restore_soon(w);
                return 0;
        }

        log_notice("Watching %s again", CTVIRT_RUN_DIR);
        w->complained = false;
        w->restore_usec = RESTORE_FIRST_USEC;
        bridge_watch_check_all_soon(w->m->bridges);
        return 0;
}

int marker_watch_new(Manager *m, MarkerWatch **ret) {
        _cleanup_(marker_watch_freep) MarkerWatch *w = NULL;
        int r;

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        w->m = m;
        w->restore_usec = RESTORE_FIRST_USEC;

        r = sd_event_add_time_relative(m->event, &w->restore, CLOCK_MONOTONIC, 0,
                                       RESTORE_ACCURACY_USEC, on_restore, w);
        if (r >= 0)
                r = sd_event_source_set_enabled(w->restore, SD_EVENT_OFF);
        if (r < 0)
                return r;

        /* A host can run out of inotify instances (fs.inotify.max_user_instances). Without, the hook's
         * work is seen a little later, by libvirt's event; no reason not to do ours. */
        r = watch_folders(w);
        if (r < 0) {
                log_warning_errno(r, "Failed to watch %s, trying again", CTVIRT_RUN_DIR);
                w->complained = true;
                restore_soon(w);
        }

        *ret = TAKE_PTR(w);
        return 0;
}

MarkerWatch *marker_watch_free(MarkerWatch *w) {
        if (!w)
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(folders); i++)
                sd_event_source_disable_unref(w->sources[i]);
        sd_event_source_disable_unref(w->restore);
        free(w);
        return NULL;
}
