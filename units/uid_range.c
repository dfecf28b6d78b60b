/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/uid_range.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>

#include "base/fileio.h"
#include "units/conf_file.h"
#include "units/dir_list.h"
#include "units/nspawn_file.h"
#include "units/text.h"

#define ACCOUNT_FILE_MAX (16 * 1024 * 1024)
#define N_RANGES ((UID_RANGE_LAST - UID_RANGE_FIRST) / UID_RANGE_SIZE + 1)

static bool is_container_id(uint32_t id) {
        return id >= UID_RANGE_FIRST && id < UID_RANGE_LAST + UID_RANGE_SIZE;
}

int uid_ranges_add(UidRanges *r, uint32_t base, uint32_t count) {
        uint64_t *grown;

        if (count == 0)
                return 0;
        /* One account of a range after the other is the usual case. */
        if (r->n_bases > 0 && r->bases[r->n_bases * 2 - 2] <= base &&
            (uint64_t) base + count <= r->bases[r->n_bases * 2 - 2] + r->bases[r->n_bases * 2 - 1])
                return 0;

        grown = reallocarray(r->bases, r->n_bases + 1, 2 * sizeof(uint64_t));
        if (!grown)
                return -ENOMEM;
        r->bases = grown;
        grown[r->n_bases * 2] = base;
        grown[r->n_bases * 2 + 1] = count;
        r->n_bases++;
        return 0;
}

bool uid_ranges_overlap(const UidRanges *r, uint32_t base, uint32_t count) {
        for (size_t i = 0; i < r->n_bases; i++) {
                uint64_t b = r->bases[i * 2], n = r->bases[i * 2 + 1];

                if (b < (uint64_t) base + count && base < b + n)
                        return true;
        }
        return false;
}

/* The file of `except` has that file name. */
static int load_nspawn_folder(const char *root, const char *folder, const char *except,
                              UidRanges *ranges) {
        _cleanup_free_ char *path = NULL, *excepted = NULL;
        _cleanup_strv_ char **names = NULL;
        int r;

        path = text_format("%s%s", root, folder);
        if (!path)
                return -ENOMEM;
        excepted = text_format("%s.nspawn", except ? except : "");
        if (!excepted)
                return -ENOMEM;
        r = dir_list(path, "", ".nspawn", &names);

        for (char **n = names; r >= 0 && n && *n; n++) {
                _cleanup_(nspawn_file_freep) NspawnFile *f = NULL;
                _cleanup_free_ char *file = NULL, *text = NULL;
                size_t size;

                if (streq(*n, excepted))
                        continue;
                file = text_format("%s/%s", path, *n);
                if (!file)
                        return -ENOMEM;
                /* nspawn cannot read such a file either, so no container has its range from it. */
                if (conf_read(file, NSPAWN_FILE_MAX, &text, &size) < 0 ||
                    nspawn_file_parse(text, size, file, true, &f) < 0)
                        continue;
                if (f->has_uid_range)
                        r = uid_ranges_add(ranges, f->uid_base, f->uid_count);
        }
        return r;
}

/* The number in a field of a line whose fields are parted by colons. */
static bool field(const char *line, unsigned index, uint64_t *ret) {
        const char *p = line;
        char *end;

        for (; index > 0; index--) {
                p += strcspn(p, ":");
                if (*p++ != ':')
                        return false;
        }
        if (*p < '0' || *p > '9')
                return false;
        errno = 0;
        *ret = strtoull(p, &end, 10);
        return errno == 0 && (*end == ':' || *end == '\0') && *ret <= UINT32_MAX;
}

/* passwd(5) and group(5): one id a line. */
static int add_account(const char *line, UidRanges *ranges) {
        uint64_t id;

        if (!field(line, 2, &id) || !is_container_id((uint32_t) id))
                return 0;
        return uid_ranges_add(ranges, (uint32_t) id, 1);
}

/* subuid(5): NAME:FIRST:COUNT. */
static int add_subordinate(const char *line, UidRanges *ranges) {
        uint64_t first, count;

        if (!field(line, 1, &first) || !field(line, 2, &count))
                return 0;
        return uid_ranges_add(ranges, (uint32_t) first, (uint32_t) count);
}

static int load_lines(const char *root, const char *file,
                      int (*add)(const char *line, UidRanges *ranges), UidRanges *ranges) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        char *state = NULL;
        int r;

        path = text_format("%s%s", root, file);
        if (!path)
                return -ENOMEM;
        r = read_file_at(AT_FDCWD, path, ACCOUNT_FILE_MAX, true, &text, NULL);
        if (r < 0)
                return r == -ENOENT ? 0 : r;

        for (char *l = strtok_r(text, "\n", &state); l && r >= 0; l = strtok_r(NULL, "\n", &state))
                r = add(l, ranges);
        return r;
}

/* nspawn -U leaves the base of its range as the owner of the tree. */
static int load_trees(const char *root, const char *except, UidRanges *ranges) {
        _cleanup_free_ char *path = NULL;
        _cleanup_strv_ char **names = NULL;
        int r;

        path = text_format("%s/var/lib/machines", root);
        if (!path)
                return -ENOMEM;
        r = dir_list(path, "", "", &names);

        for (char **n = names; r >= 0 && n && *n; n++) {
                _cleanup_free_ char *tree = NULL;
                struct stat st;

                tree = text_format("%s/%s", path, *n);
                if (!tree)
                        return -ENOMEM;
                if ((except && streq(*n, except)) || lstat(tree, &st) < 0 || !S_ISDIR(st.st_mode) ||
                    !is_container_id(st.st_uid))
                        continue;
                r = uid_ranges_add(ranges, st.st_uid & ~(UID_RANGE_SIZE - 1), UID_RANGE_SIZE);
        }
        return r;
}

int uid_ranges_load(const char *root, const char *except, UidRanges *ret) {
        _cleanup_uid_ranges_ UidRanges ranges = { 0 };
        int r;

        r = load_nspawn_folder(root, "/etc/systemd/nspawn", except, &ranges);
        if (r >= 0)
                r = load_nspawn_folder(root, "/run/systemd/nspawn", except, &ranges);
        if (r >= 0)
                r = load_lines(root, "/etc/subuid", add_subordinate, &ranges);
        if (r >= 0)
                r = load_lines(root, "/etc/subgid", add_subordinate, &ranges);
        if (r >= 0)
                r = load_trees(root, except, &ranges);
        if (r >= 0)
                r = load_lines(root, "/etc/passwd", add_account, &ranges);
        if (r >= 0)
                r = load_lines(root, "/etc/group", add_account, &ranges);
        if (r < 0)
                return r;

        *ret = ranges;
        ranges = (UidRanges){ 0 };
        return 0;
}

/* The hash by which nspawn -U itself begins its search (uid_shift_pick() of systemd), so that a
 * container which it has started before keeps the owners that it gave. */
static uint32_t hashed_base(const char *container) {
        static const uint8_t key[crypto_shorthash_KEYBYTES] = { 0xe1, 0x56, 0xe0, 0xf0, 0x4a, 0xf0,
                                                                0x41, 0xaf, 0x96, 0x41, 0xcf, 0x41,
                                                                0x33, 0x94, 0xff, 0x72 };
        unsigned char hash[crypto_shorthash_BYTES];
        uint32_t v;

        crypto_shorthash(hash, (const unsigned char *) container, strlen(container), key);
        v = (uint32_t) hash[3] << 24 | (uint32_t) hash[2] << 16 | (uint32_t) hash[1] << 8 | hash[0];
        v = v % (UID_RANGE_LAST - UID_RANGE_FIRST) + UID_RANGE_FIRST;
        return v & ~(UID_RANGE_SIZE - 1);
}

int uid_ranges_pick(const UidRanges *r, const char *container, uint32_t *ret_base) {
        uint32_t base = hashed_base(container);

        for (uint32_t i = 0; i < N_RANGES; i++) {
                if (!uid_ranges_overlap(r, base, UID_RANGE_SIZE)) {
                        *ret_base = base;
                        return 0;
                }
                base = base >= UID_RANGE_LAST ? UID_RANGE_FIRST : base + UID_RANGE_SIZE;
        }
        return -ENOSPC;
}

void uid_ranges_done(UidRanges *r) {
        free(r->bases);
        *r = (UidRanges){ 0 };
}
