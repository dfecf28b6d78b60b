/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/kept_files.h"

#include <unistd.h>

#include "base/fileio.h"
#include "units/dir_list.h"
#include "units/generated_text.h"
#include "units/nspawn_file.h"
#include "units/text.h"
#include "units/unit_name.h"

#define UNIT_FOLDER "/systemd/system"
#define UNIT_PREFIX "systemd-nspawn@"
#define UNIT_SUFFIX ".service.d"
#define NSPAWN_FOLDER "/systemd/nspawn"
#define NSPAWN_SUFFIX ".nspawn"

typedef enum KeptFile {
        KEPT_DROPIN,
        KEPT_NSPAWN,
        _KEPT_FILE_MAX,
} KeptFile;

/* base: "/etc", "/run". */
static char *folder_of(KeptFile kind, const char *host_root, const char *base,
                       const char *container) {
        _cleanup_free_ char *unit = NULL;

        if (kind == KEPT_NSPAWN)
                return text_format("%s%s" NSPAWN_FOLDER, host_root, base);
        unit = container_unit_name(container);
        return unit ? text_format("%s%s" UNIT_FOLDER "/%s.d", host_root, base, unit) : NULL;
}

static char *file_in(KeptFile kind, const char *folder, const char *container) {
        return kind == KEPT_NSPAWN ? text_format("%s/%s" NSPAWN_SUFFIX, folder, container)
                                   : text_format("%s/" GENERATED_DROPIN, folder);
}

static char *path_of(KeptFile kind, const char *host_root, const char *base,
                     const char *container) {
        _cleanup_free_ char *folder = folder_of(kind, host_root, base, container);

        return folder ? file_in(kind, folder, container) : NULL;
}

/* *ret is NULL if there is none of ours. */
static int read_generated(const char *path, char **ret) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = read_file_at(AT_FDCWD, path, NSPAWN_FILE_MAX, false, &text, NULL);
        if (r < 0 && r != -ENOENT)
                return r;
        *ret = r >= 0 && startswith(text, GENERATED_MARK) ? TAKE_PTR(text) : NULL;
        return 0;
}

static bool is_of_others(const char *path) {
        _cleanup_free_ char *text = NULL;

        return access(path, F_OK) >= 0 && (read_generated(path, &text) < 0 || !text);
}

/* 1: it is kept. */
static int add(KeptFile kind, const char *host_root, const char *container) {
        _cleanup_free_ char *folder = folder_of(kind, host_root, "/run", container);
        _cleanup_free_ char *from = path_of(kind, host_root, "/etc", container);
        _cleanup_free_ char *to = folder ? file_in(kind, folder, container) : NULL;
        _cleanup_free_ char *text = NULL;
        int r;

        if (!from || !to)
                return -ENOMEM;
        r = read_generated(from, &text);
        if (r < 0 || !text || is_of_others(to))
                return r;
        r = make_directories(folder, 0755);
        if (r >= 0)
                r = write_file_at(AT_FDCWD, to, text, strlen(text), 0644, 0);
        return r < 0 ? r : 1;
}

int kept_files_add(const char *host_root, const char *container) {
        int kept = 0;

        for (KeptFile kind = 0; kind < _KEPT_FILE_MAX; kind++) {
                int r = add(kind, host_root, container);

                if (r < 0)
                        return r;
                kept |= r;
        }
        return kept;
}

/* 1: there was one. What others have written there stays. */
static int remove_kept(KeptFile kind, const char *host_root, const char *container) {
        _cleanup_free_ char *path = path_of(kind, host_root, "/run", container), *text = NULL;
        int r;

        if (!path)
                return -ENOMEM;
        r = read_generated(path, &text);
        return r < 0 || !text ? r : remove_file_at(AT_FDCWD, path);
}

int kept_files_remove(const char *host_root, const char *container) {
        _cleanup_free_ char *folder = folder_of(KEPT_DROPIN, host_root, "/run", container);
        int r, k;

        if (!folder)
                return -ENOMEM;
        k = remove_kept(KEPT_NSPAWN, host_root, container);
        r = remove_kept(KEPT_DROPIN, host_root, container);
        /* Only if nobody else has something in it. */
        if (r > 0)
                (void) rmdir(folder);
        return k < 0 && r == 0 ? k : r;
}

static int add_name(KeptFile kind, const char *host_root, const char *container, char ***names) {
        _cleanup_free_ char *path = path_of(kind, host_root, "/run", container), *text = NULL;
        int r;

        if (!path)
                return -ENOMEM;
        r = read_generated(path, &text);
        if (r < 0 || !text || strv_contains(*names, container))
                return 0;
        return strv_extend(names, container);
}

static int list_dropins(const char *host_root, char ***names) {
        _cleanup_free_ char *parent = text_format("%s/run" UNIT_FOLDER, host_root);
        _cleanup_strv_ char **folders = NULL;
        int r;

        r = parent ? dir_list(parent, UNIT_PREFIX, UNIT_SUFFIX, &folders) : -ENOMEM;
        STRV_FOREACH(folder, folders) {
                _cleanup_free_ char *container = NULL;

                (*folder)[strlen(*folder) - strlen(".d")] = '\0';
                if (r >= 0 && container_from_unit(*folder, &container) >= 0)
                        r = add_name(KEPT_DROPIN, host_root, container, names);
        }
        return r;
}

static int list_nspawn_files(const char *host_root, char ***names) {
        _cleanup_free_ char *parent = text_format("%s/run" NSPAWN_FOLDER, host_root);
        _cleanup_strv_ char **files = NULL;
        int r;

        r = parent ? dir_list(parent, "", NSPAWN_SUFFIX, &files) : -ENOMEM;
        STRV_FOREACH(file, files) {
                (*file)[strlen(*file) - strlen(NSPAWN_SUFFIX)] = '\0';
                if (r >= 0)
                        r = add_name(KEPT_NSPAWN, host_root, *file, names);
        }
        return r;
}

int kept_files_list(const char *host_root, char ***ret) {
        _cleanup_strv_ char **names = NULL;
        int r;

        r = list_dropins(host_root, &names);
        if (r >= 0)
                r = list_nspawn_files(host_root, &names);
        if (r >= 0)
                *ret = TAKE_PTR(names);
        return r;
}
