/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bridge_watch.h"

#include <dirent.h>
#include <fcntl.h>

#include "agent/bridge.h"
#include "agent/link_watch.h"
#include "base/log.h"
#include "base/name.h"

struct BridgeWatch {
        Manager *m;
        Pid1Line *line;
        sd_event_source *all_soon;
        Bridge **items; /* sorted by name */
        size_t n_items;
};

/*
 * The table
 */

/* The place of name, or the one where it would have to be put. */
static size_t search(const BridgeWatch *w, const char *name, bool *ret_found) {
        size_t low = 0, high = w->n_items;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (strcmp(w->items[middle]->name, name) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        *ret_found = low < w->n_items && streq(w->items[low]->name, name);
        return low;
}

static Bridge *get_bridge(BridgeWatch *w, const char *name) {
        bool found;
        size_t i = search(w, name, &found);
        Bridge *b, **items;

        if (found)
                return w->items[i];

        items = reallocarray(w->items, w->n_items + 1, sizeof(*items));
        if (!items)
                return NULL;
        w->items = items;
        if (bridge_new(w->m, w->line, name, &b) < 0)
                return NULL;

        memmove(items + i + 1, items + i, (w->n_items - i) * sizeof(*items));
        w->n_items++;
        items[i] = b;
        return b;
}

static void remove_bridge(BridgeWatch *w, Bridge *b) {
        bool found;
        size_t i = search(w, b->name, &found);

        w->n_items--;
        memmove(w->items + i, w->items + i + 1, (w->n_items - i) * sizeof(*w->items));
        bridge_free(b);
}

void bridge_watch_check(BridgeWatch *w, const char *name) {
        Bridge *b;

        if (!link_name_is_valid(name))
                return;
        b = get_bridge(w, name);
        if (!b) {
                log_error("Out of memory");
                return;
        }

        if (bridge_look(b))
                remove_bridge(w, b);
}

static int find_waiting(const BridgeWatch *w, char ***ret) {
        _cleanup_strv_ char **names = NULL;
        int r;

        for (size_t i = 0; i < w->n_items; i++) {
                if (!w->items[i]->waiting)
                        continue;
                r = strv_extend(&names, w->items[i]->name);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(names);
        return 0;
}

static void on_line(void *userdata) {
        _cleanup_strv_ char **names = NULL;
        BridgeWatch *w = userdata;

        if (find_waiting(w, &names) < 0)
                return;
        STRV_FOREACH(name, names)
                bridge_watch_check(w, *name);
}

/*
 * All bridges
 */

DEFINE_CLEANUP(DIR *, closedir)

static int add_name(char ***names, const char *name) {
        if (!link_name_is_valid(name) || strv_contains(*names, name))
                return 0;
        return strv_extend(names, name);
}

static int add_folder(char ***names, int run_fd, const char *folder) {
        _cleanup_(closedirp) DIR *dir = NULL;
        struct dirent *entry;
        int fd, r = 0;

        fd = openat(run_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return errno == ENOENT ? 0 : negative_errno();
        dir = fdopendir(fd);
        if (!dir) {
                (void) close(fd);
                return -ENOMEM;
        }
        while (r >= 0 && (entry = readdir(dir)))
                if (*entry->d_name != '.')
                        r = add_name(names, entry->d_name);
        return r;
}

static int add_known(char ***names, const BridgeWatch *w) {
        size_t n_links;
        const Link *const *links = link_watch_links(w->m->links, &n_links);
        int r = 0;

        for (size_t i = 0; r >= 0 && i < w->n_items; i++)
                r = add_name(names, w->items[i]->name);
        for (size_t i = 0; r >= 0 && i < n_links; i++)
                if (links[i]->bridge)
                        r = add_name(names, links[i]->name);
        for (size_t i = 0; r >= 0 && i < w->m->networks.n_items; i++)
                if (w->m->networks.items[i]->bridge)
                        r = add_name(names, w->m->networks.items[i]->bridge);
        return r;
}

void bridge_watch_check_all(BridgeWatch *w) {
        _cleanup_strv_ char **names = NULL;
        int r;

        r = add_known(&names, w);
        if (r >= 0)
                r = add_folder(&names, w->m->run_fd, "bridges");
        if (r >= 0)
                r = add_folder(&names, w->m->run_fd, "handled");
        if (r < 0)
                log_error_errno(r, "Failed to look for bridges");
        STRV_FOREACH(name, names)
                bridge_watch_check(w, *name);
}

static int on_all_soon(sd_event_source *s, void *userdata) {
        bridge_watch_check_all(userdata);
        return 0;
}

void bridge_watch_check_all_soon(BridgeWatch *w) {
        (void) sd_event_source_set_enabled(w->all_soon, SD_EVENT_ONESHOT);
}

/*
 * Questions
 */

bool bridge_watch_is_ready(BridgeWatch *w, const char *bridge) {
        _cleanup_(bridge_gathered_done) BridgeGathered g = { 0 };
        BridgeSight sight = { 0 };
        bool found;
        size_t i = search(w, bridge, &found);

        if (found)
                sight = w->items[i]->sight;
        return bridge_gather(w->m, bridge, &sight, &g) >= 0 && bridge_facts_ready(&g.facts);
}

unsigned bridge_watch_incarnation(BridgeWatch *w, const char *bridge, bool *ret_handled) {
        unsigned handled = 0;
        BridgeLink link;

        *ret_handled = false;
        if (bridge_link_query(bridge, &link) < 0 || link.ifindex == 0)
                return 0;
        if (bridge_handled_read(w->m->run_fd, bridge, &handled) >= 0)
                *ret_handled = handled == link.ifindex;
        return link.ifindex;
}

int bridge_watch_new(Manager *m, BridgeWatch **ret) {
        _cleanup_(bridge_watch_freep) BridgeWatch *w = NULL;
        int r;

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        w->m = m;

        r = pid1_line_new(m->event, on_line, w, &w->line);
        if (r >= 0)
                r = sd_event_add_defer(m->event, &w->all_soon, on_all_soon, w);
        if (r >= 0)
                r = sd_event_source_set_enabled(w->all_soon, SD_EVENT_OFF);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(w);
        return 0;
}

BridgeWatch *bridge_watch_free(BridgeWatch *w) {
        if (!w)
                return NULL;
        sd_event_source_disable_unref(w->all_soon);
        for (size_t i = 0; i < w->n_items; i++)
                bridge_free(w->items[i]);
        pid1_line_free(w->line);
        free(w->items);
        free(w);
        return NULL;
}
