/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/kept_dropin.h"

#include <unistd.h>

#include "base/fileio.h"
#include "units/dir_list.h"
#include "units/generated_text.h"
#include "units/nspawn_file.h"
#include "units/text.h"
#include "units/unit_name.h"

#define RUN_FOLDER "/run/systemd/system"
#define UNIT_PREFIX "systemd-nspawn@"
#define FOLDER_SUFFIX ".service.d"

static char *folder_of(const char *host_root, const char *base, const char *container) {
        _cleanup_free_ char *unit = container_unit_name(container);

        return unit ? text_format("%s%s/%s.d", host_root, base, unit) : NULL;
}

static char *file_in(const char *folder) {
        return text_format("%s/" GENERATED_DROPIN, folder);
}

/* NULL: none of ours. */
static int read_generated(const char *host_root, const char *container, char **ret) {
        _cleanup_free_ char *folder = folder_of(host_root, "/etc/systemd/system", container);
        _cleanup_free_ char *path = folder ? file_in(folder) : NULL, *text = NULL;
        int r;

        if (!path)
                return -ENOMEM;
        r = read_file_at(AT_FDCWD, path, NSPAWN_FILE_MAX, false, &text, NULL);
        if (r < 0 && r != -ENOENT)
                return r;
        *ret = r >= 0 && startswith(text, GENERATED_MARK) ? TAKE_PTR(text) : NULL;
        return 0;
}

int kept_dropin_add(const char *host_root, const char *container) {
        _cleanup_free_ char *folder = folder_of(host_root, RUN_FOLDER, container);
        _cleanup_free_ char *path = folder ? file_in(folder) : NULL, *text = NULL;
        int r;

        if (!path)
                return -ENOMEM;
        r = read_generated(host_root, container, &text);
        if (r < 0 || !text)
                return r;
        r = make_directories(folder, 0755);
        if (r >= 0)
                r = write_file_at(AT_FDCWD, path, text, strlen(text), 0644, 0);
        return r < 0 ? r : 1;
}

int kept_dropin_remove(const char *host_root, const char *container) {
        _cleanup_free_ char *folder = folder_of(host_root, RUN_FOLDER, container);
        _cleanup_free_ char *path = folder ? file_in(folder) : NULL;
        int r;

        if (!path)
                return -ENOMEM;
        r = remove_file_at(AT_FDCWD, path);
        /* Only if nobody else has something in it. */
        if (r > 0)
                (void) rmdir(folder);
        return r;
}

static int add_if_kept(const char *parent, const char *folder, char ***names) {
        _cleanup_free_ char *path = text_format("%s/%s/" GENERATED_DROPIN, parent, folder);
        _cleanup_free_ char *unit = NULL, *container = NULL;

        unit = strndup(folder, strlen(folder) - strlen(".d"));
        if (!path || !unit)
                return -ENOMEM;
        if (access(path, F_OK) < 0 || container_from_unit(unit, &container) < 0)
                return 0;
        return strv_push(names, TAKE_PTR(container));
}

int kept_dropin_list(const char *host_root, char ***ret) {
        _cleanup_free_ char *parent = text_format("%s" RUN_FOLDER, host_root);
        _cleanup_strv_ char **folders = NULL, **names = NULL;
        int r;

        r = parent ? dir_list(parent, UNIT_PREFIX, FOLDER_SUFFIX, &folders) : -ENOMEM;
        STRV_FOREACH(folder, folders)
                if (r >= 0)
                        r = add_if_kept(parent, *folder, &names);
        if (r >= 0)
                *ret = TAKE_PTR(names);
        return r;
}
