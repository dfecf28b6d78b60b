/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/source.h"

#include "base/fileio.h"
#include "units/container_root.h"
#include "units/text.h"

bool source_own_network(const ContainerDef *def) {
        return def->n_interfaces > 0 || def->private_network;
}

static int add_once(char ***list, char *const *words) {
        int r = 0;

        for (; r >= 0 && words && *words; words++)
                if (!strv_contains(*list, *words))
                        r = strv_extend(list, *words);
        return r;
}

int source_packages(const SourceJob *j, char ***ret) {
        _cleanup_strv_ char **list = NULL;
        const Recipe *recipe = j->recipe;
        int r;

        r = add_once(&list, recipe->packages);
        if (r >= 0)
                r = add_once(&list, source_own_network(j->def) ? recipe->system_packages
                                                               : recipe->application_packages);
        if (r >= 0)
                r = add_once(&list, j->bootstrap->packages);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(list);
        return 0;
}

bool source_canceled(const SourceJob *j) {
        return j->report->canceled && j->report->canceled(j->report->userdata);
}

static int on_copied(void *userdata, uint64_t done, const char *path) {
        const SourceCopy *c = userdata;

        (void) path;
        if (c->report->canceled && c->report->canceled(c->report->userdata))
                return -ECANCELED;
        if (c->total > 0 && c->report->percent)
                c->report->percent(c->report->userdata,
                                   done >= c->total ? 100
                                                    : 100.0 * (double) done / (double) c->total);
        return 0;
}

TreeProgress source_progress(SourceCopy *c) {
        return (TreeProgress){ on_copied, c };
}

int source_write_work(const SourceJob *j, const char *name, const char *text, char **ret_path) {
        _cleanup_free_ char *path = text_format("%s/%s", j->work, name);
        int r;

        if (!path)
                return -ENOMEM;
        r = write_file_at(AT_FDCWD, path, text, strlen(text), 0600, 0);
        if (r < 0)
                return r;
        *ret_path = TAKE_PTR(path);
        return 0;
}

int source_write_root(const SourceJob *j, const char *folder, const char *name, const char *text,
                      size_t size) {
        unsigned created;
        _cleanup_close_ int fd = container_root_folder(j->root_fd, folder, true, &created);
        int r;

        if (fd < 0)
                return fd;
        r = write_file_at(fd, name, text, size, 0644, WRITE_LIKE_PARENT);
        return r < 0 ? r : 0;
}

int source_read_file(const char *path, size_t max, char **ret, size_t *ret_size, Error **err) {
        int r = read_file_at(AT_FDCWD, path, max, true, ret, ret_size);

        return r < 0 ? error_set(err, -r, "%s cannot be read: %s", path, strerror(-r)) : 0;
}

const char *url_local_path(const char *url) {
        const char *rest = startswith(url, "file://");

        if (!rest)
                rest = startswith(url, "copy://");
        return rest && *rest == '/' ? rest : NULL;
}
