/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Archives and bundles, into a tree beside which something lies that has to stay as it is.
 */

#include <fcntl.h>
#include <ftw.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "agent/pool/bundle.h"
#include "base/fileio.h"
#include "fuzz.h"

static const ArchiveLimits limits = {
        .entries = 50,
        .bytes = 1024 * 1024,
        .ratio = 20,
        .ratio_from = 1024 * 1024,
};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        return remove(path);
}

static int stream_of(const uint8_t *data, size_t size) {
        int fd = memfd_create("archive", MFD_CLOEXEC);

        fuzz_check(fd >= 0 && write(fd, data, size) == (ssize_t) size);
        fuzz_check(lseek(fd, 0, SEEK_SET) == 0);
        return fd;
}

static void check_result(int r, const Error *err) {
        fuzz_check(r <= 0);
        fuzz_check(r == 0 || (err && err->code == -r && err->text && *err->text));
}

/* A tree, and a file that names and links of an archive may try to reach: "../canary". */
static int make_place(const char *folder) {
        int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        fuzz_check(fd >= 0 && mkdirat(fd, "tree", 0755) == 0);
        fuzz_check(write_file_at(fd, "canary", "canary", 6, 0644, 0) == 1);
        return fd;
}

static void check_place(const char *folder, int fd) {
        _cleanup_free_ char *canary = NULL;
        struct stat st;

        fuzz_check(fstat(fd, &st) == 0 && st.st_nlink == 3);
        fuzz_check(fstatat(fd, "canary", &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_nlink == 1);
        fuzz_check(st.st_mode == (S_IFREG | 0644) && st.st_uid == geteuid());
        fuzz_check(read_file_at(fd, "canary", 100, false, &canary, NULL) == 0);
        fuzz_check(streq(canary, "canary"));
        fuzz_check(nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

static void run(const uint8_t *data, size_t size, bool as_bundle) {
        char folder[] = "/tmp/ctvirt-fuzz-XXXXXX", shm[] = "/dev/shm/ctvirt-fuzz-XXXXXX";
        const char *place = mkdtemp(shm) ? shm : mkdtemp(folder);
        _cleanup_bundle_info_ BundleInfo info = { 0 };
        _cleanup_close_ int fd = stream_of(data, size), place_fd = -1, tree_fd = -1;
        _cleanup_error_ Error *err = NULL;
        int r;

        fuzz_check(place);
        place_fd = make_place(place);
        tree_fd = openat(place_fd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        fuzz_check(tree_fd >= 0);
        r = as_bundle ? bundle_import(fd, tree_fd, &limits, NULL, NULL, &info, NULL, &err)
                      : archive_unpack(fd, tree_fd, &limits, UNPACK_LABELS, NULL, &err);
        check_result(r, err);
        check_place(place, place_fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        run(data, size, false);
        run(data, size, true);
        return 0;
}
