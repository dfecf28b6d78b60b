#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A folder that stands for a host's root, for tests of code that takes a root. To be included after
 * cmocka.h.
 */

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "base/fileio.h"
#include "base/macro.h"
#include "units/text.h"

_unused_ static int temp_root_remove_one(const char *path, const struct stat *st, int type,
                                         struct FTW *ftw) {
        (void) st;
        (void) type;
        (void) ftw;
        return remove(path);
}

_unused_ static char *temp_root_free(char *root) {
        if (root)
                (void) nftw(root, temp_root_remove_one, 16, FTW_DEPTH | FTW_PHYS);
        free(root);
        return NULL;
}
DEFINE_CLEANUP(char *, temp_root_free)
#define _cleanup_root_ _cleanup_(temp_root_freep)

_unused_ static char *temp_root_new(void) {
        const char *folder = getenv("TMPDIR");
        char *root = text_format("%s/ctvirt-test-XXXXXX", folder ? folder : "/tmp");

        assert_non_null(root);
        assert_non_null(mkdtemp(root));
        return root;
}

/* The folders on the way are made. */
_unused_ static void temp_root_prepare(const char *path) {
        _cleanup_free_ char *folder = strndup(path, (size_t) (strrchr(path, '/') - path));

        assert_non_null(folder);
        assert_int_equal(make_directories(folder, 0755), 0);
}

_unused_ static void temp_root_write(const char *root, const char *path, const char *content) {
        _cleanup_free_ char *file = text_format("%s%s", root, path);

        assert_non_null(file);
        temp_root_prepare(file);
        assert_true(write_file_at(AT_FDCWD, file, content, strlen(content), 0644, 0) >= 0);
}

_unused_ static void temp_root_link(const char *root, const char *path, const char *target) {
        _cleanup_free_ char *file = text_format("%s%s", root, path);

        assert_non_null(file);
        temp_root_prepare(file);
        assert_int_equal(symlink(target, file), 0);
}

/* NULL if there is no such file. */
_unused_ static char *temp_root_read(const char *root, const char *path) {
        _cleanup_free_ char *file = text_format("%s%s", root, path);
        char *content = NULL;

        assert_non_null(file);
        (void) read_file_at(AT_FDCWD, file, 1024 * 1024, false, &content, NULL);
        return content;
}
