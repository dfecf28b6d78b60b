/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/bundle.h"

#include "agent/pool/archive_packer.h"
#include "agent/pool/unpacker.h"

#define MEMBER_INFO "ctvirt-bundle.xml"
#define MEMBER_ROOT "root/"
#define MEMBER_DIGEST "ctvirt-bundle.sha256"

#define DIGEST_HEX (crypto_hash_sha256_BYTES * 2)
#define DIGEST_FILE (DIGEST_HEX + 1) /* with the newline */

/* As it stands in the file, and a NUL. */
static void digest_text(const uint8_t digest[static crypto_hash_sha256_BYTES],
                        char ret[static DIGEST_FILE + 1]) {
        (void) sodium_bin2hex(ret, DIGEST_HEX + 1, digest, crypto_hash_sha256_BYTES);
        ret[DIGEST_HEX] = '\n';
        ret[DIGEST_FILE] = '\0';
}

int bundle_export(int root_fd, const BundleInfo *info, int fd, Compression compression,
                  const TreeProgress *progress, Error **err) {
        _cleanup_archive_output_ ArchiveOutput out = { 0 };
        int64_t seconds = (int64_t) (info->created_usec / 1000000);
        uint8_t digest[crypto_hash_sha256_BYTES];
        _cleanup_free_ char *xml = NULL;
        char text[DIGEST_FILE + 1];
        int r;

        r = bundle_info_format(info, &xml, err);
        if (r < 0)
                return r;
        r = archive_output_open(&out, fd, compression, true, err);
        if (r >= 0)
                r = archive_output_file(&out, MEMBER_INFO, xml, seconds, err);
        if (r >= 0)
                r = archive_pack_tree(&out, root_fd, MEMBER_ROOT, progress, err);
        if (r < 0)
                return r;
        archive_output_digest(&out, digest);
        digest_text(digest, text);
        r = archive_output_file(&out, MEMBER_DIGEST, text, seconds, err);
        return r < 0 ? r : archive_output_close(&out, err);
}

/* The content of a small member. */
static int read_member(ArchiveInput *in, struct archive_entry *entry, size_t max, char **ret,
                       size_t *ret_size, Error **err) {
        la_int64_t size = archive_entry_size(entry);
        _cleanup_free_ char *content = NULL;
        uint64_t offset;
        const void *data;
        size_t n;
        int r;

        if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) ||
            size <= 0 || (uint64_t) size > max)
                return archive_error(err, EBADMSG, in->entry, "its kind or size cannot be right");
        content = calloc(1, (size_t) size + 1);
        if (!content)
                return archive_error(err, ENOMEM, in->entry, "out of memory");
        while ((r = archive_input_data(in, entry, &data, &n, &offset, err)) > 0)
                memcpy(content + offset, data, n);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(content);
        *ret_size = (size_t) size;
        return 0;
}

static int next(ArchiveInput *in, struct archive_entry **ret, Error **err) {
        int r = archive_input_next(in, ret, NULL, err);

        if (r != 0)
                return r;
        return archive_error(err, EBADMSG, NULL,
                             "the bundle is truncated: " MEMBER_DIGEST " at its end is missing");
}

static int read_info(ArchiveInput *in, BundleInfo *ret, Error **err) {
        struct archive_entry *entry = NULL;
        _cleanup_free_ char *xml = NULL;
        size_t size = 0;
        int r;

        r = next(in, &entry, err);
        if (r < 0)
                return r;
        if (!streq_ptr(in->entry, MEMBER_INFO))
                return archive_error(err, EBADMSG, in->entry,
                                     "this is not a bundle of ctvirt, whose first entry is "
                                     "\"" MEMBER_INFO "\"");
        r = read_member(in, entry, BUNDLE_XML_MAX, &xml, &size, err);
        return r < 0 ? r : bundle_info_parse(xml, size, ret, err);
}

static int read_tree(ArchiveInput *in, Unpacker *u, struct archive_entry **ret_last, Error **err) {
        struct archive_entry *entry = NULL;
        const char *name;
        int r;

        while ((r = next(in, &entry, err)) > 0) {
                name = startswith(in->entry, MEMBER_ROOT);
                if (!name)
                        break;
                if (u->n_entries == 0 && *name)
                        return archive_error(err, EBADMSG, in->entry,
                                             "\"" MEMBER_ROOT "\" should stand before it");
                if (u->n_entries > 0 && !*name)
                        return archive_error(err, EBADMSG, in->entry, "it is there more than once");
                r = unpacker_add(u, entry, *name ? name : ".", err);
                if (r < 0)
                        return r;
        }
        *ret_last = entry;
        return r < 0 ? r : 0;
}

static int read_digest(ArchiveInput *in, struct archive_entry *entry, Error **err) {
        uint8_t digest[crypto_hash_sha256_BYTES];
        _cleanup_free_ char *text = NULL;
        char expected[DIGEST_FILE + 1];
        size_t size = 0;
        int r;

        if (!streq_ptr(in->entry, MEMBER_DIGEST))
                return archive_error(err, EBADMSG, in->entry, "it does not belong into a bundle%s",
                                     streq_ptr(in->entry, MEMBER_INFO) ? " twice" : "");
        r = archive_input_digest(in, digest, err);
        if (r < 0)
                return r;
        r = read_member(in, entry, DIGEST_FILE, &text, &size, err);
        if (r < 0)
                return r;
        digest_text(digest, expected);
        if (!streq_ptr(text, expected))
                return archive_error(err, EBADMSG, NULL,
                                     "the bundle is damaged: its content has another SHA-256 than "
                                     "\"" MEMBER_DIGEST "\" says");
        r = archive_input_next(in, &entry, NULL, err);
        if (r > 0)
                return archive_error(err, EBADMSG, in->entry,
                                     "it stands behind \"" MEMBER_DIGEST
                                     "\", where nothing may be");
        return r;
}

int bundle_import(int fd, int root_fd, const ArchiveLimits *limits, BundleInfoHandler on_info,
                  void *userdata, BundleInfo *ret, const TreeProgress *progress, Error **err) {
        _cleanup_archive_input_ ArchiveInput in = { 0 };
        _cleanup_bundle_info_ BundleInfo info = { 0 };
        _cleanup_unpacker_ Unpacker u = {
                .in = &in,
                .limits = limits,
                .prefix = MEMBER_ROOT,
                .tree = TREE_WRITER_INIT(root_fd),
        };
        struct archive_entry *last = NULL;
        int r;

        r = archive_input_open(&in, fd, limits, true, progress, err);
        if (r >= 0)
                r = read_info(&in, &info, err);
        if (r >= 0 && on_info)
                r = on_info(userdata, &info, err);
        if (r >= 0)
                r = read_tree(&in, &u, &last, err);
        if (r >= 0)
                r = read_digest(&in, last, err);
        if (r >= 0)
                r = unpacker_finish(&u, err);
        if (r < 0)
                return r;
        *ret = info;
        info = (BundleInfo){ 0 };
        return 0;
}
