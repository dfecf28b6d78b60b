/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/archive_output.h"

#define BLOCK (64 * 1024)

static la_ssize_t write_raw(struct archive *a, void *userdata, const void *data, size_t size) {
        ArchiveOutput *out = userdata;
        ssize_t n;

        if (out->dropping)
                return (la_ssize_t) size;
        do
                n = write(out->fd, data, size);
        while (n < 0 && errno == EINTR);
        if (n < 0) {
                out->cause = negative_errno();
                archive_set_error(a, -out->cause, "write");
        }
        return n;
}

static la_ssize_t write_tar(struct archive *a, void *userdata, const void *data, size_t size) {
        ArchiveOutput *out = userdata;
        const uint8_t *p = data;

        if (out->dropping)
                return (la_ssize_t) size;
        if (out->hashing)
                (void) crypto_hash_sha256_update(&out->hash, p, size);
        for (size_t done = 0; done < size;) {
                la_ssize_t n = archive_write_data(out->filter, p + done, size - done);

                if (n <= 0) {
                        archive_set_error(a, archive_errno(out->filter), "%s",
                                          archive_error_string(out->filter));
                        return -1;
                }
                done += (size_t) n;
        }
        return (la_ssize_t) size;
}

static int failed(ArchiveOutput *out, struct archive *a, const char *path, Error **err) {
        const char *said = archive_error_string(a);

        if (out->cause < 0)
                return archive_error(err, -out->cause, NULL, "the archive cannot be written: %s",
                                     strerror(-out->cause));
        return archive_error(err, archive_errno(a) > 0 ? archive_errno(a) : EIO, path,
                             "cannot be archived: %s", said ? said : "unknown error");
}

static int add_filter(struct archive *a, Compression compression) {
        switch (compression) {
        case COMPRESSION_NONE:
                return archive_write_add_filter_none(a);
        case COMPRESSION_GZIP:
                return archive_write_add_filter_gzip(a);
        case COMPRESSION_XZ:
                return archive_write_add_filter_xz(a);
        case COMPRESSION_ZSTD:
                return archive_write_add_filter_zstd(a);
        }
        return ARCHIVE_FATAL;
}

static int open_filter(ArchiveOutput *out, Compression compression, Error **err) {
        struct archive_entry *entry = archive_entry_new();
        bool good;

        out->filter = archive_write_new();
        if (!out->filter || !entry) {
                archive_entry_free(entry);
                return archive_error(err, ENOMEM, NULL, "out of memory");
        }
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_pathname(entry, "tar");
        good = archive_write_set_format_raw(out->filter) == ARCHIVE_OK &&
               add_filter(out->filter, compression) == ARCHIVE_OK &&
               archive_write_set_bytes_per_block(out->filter, BLOCK) == ARCHIVE_OK &&
               archive_write_set_bytes_in_last_block(out->filter, 1) == ARCHIVE_OK &&
               archive_write_open(out->filter, out, NULL, write_raw, NULL) == ARCHIVE_OK &&
               archive_write_header(out->filter, entry) == ARCHIVE_OK;
        archive_entry_free(entry);
        return good ? 0 : failed(out, out->filter, NULL, err);
}

int archive_output_open(ArchiveOutput *out, int fd, Compression compression, bool hashing,
                        Error **err) {
        int r;

        *out = (ArchiveOutput){ .fd = fd, .hashing = hashing };
        if (hashing)
                (void) crypto_hash_sha256_init(&out->hash);
        r = archive_locale_set(&out->locale, "C.UTF-8");
        if (r < 0)
                return archive_error(err, -r, NULL, "the locale \"C.UTF-8\": %s", strerror(-r));
        r = open_filter(out, compression, err);
        if (r < 0)
                return r;
        out->tar = archive_write_new();
        if (!out->tar)
                return archive_error(err, ENOMEM, NULL, "out of memory");
        /* SCHILY is how GNU tar writes xattrs; libarchive's own way says the same once more. Without
         * blocks a digest is of all that was written. */
        if (archive_write_set_format_pax(out->tar) != ARCHIVE_OK ||
            archive_write_set_options(out->tar, "pax:xattrheader=SCHILY") != ARCHIVE_OK ||
            archive_write_set_bytes_per_block(out->tar, 0) != ARCHIVE_OK ||
            archive_write_open(out->tar, out, NULL, write_tar, NULL) != ARCHIVE_OK)
                return failed(out, out->tar, NULL, err);
        return 0;
}

/* archive_write_free() closes: with an end mark, which would say that all is there. */
void archive_output_done(ArchiveOutput *out) {
        out->dropping = true;
        if (out->tar)
                (void) archive_write_free(out->tar);
        if (out->filter)
                (void) archive_write_free(out->filter);
        archive_locale_done(&out->locale);
        *out = (ArchiveOutput){ .fd = -1 };
}

int archive_output_header(ArchiveOutput *out, struct archive_entry *entry, Error **err) {
        int r = archive_write_header(out->tar, entry);

        /* It warns of names that are not UTF-8, and keeps them as they are. */
        if (r == ARCHIVE_OK || r == ARCHIVE_WARN)
                return 0;
        return failed(out, out->tar, archive_entry_pathname(entry), err);
}

int archive_output_data(ArchiveOutput *out, const void *data, size_t size, const char *path,
                        Error **err) {
        const uint8_t *p = data;

        while (size > 0) {
                la_ssize_t n = archive_write_data(out->tar, p, size);

                if (n <= 0)
                        return failed(out, out->tar, path, err);
                p += n;
                size -= (size_t) n;
        }
        return 0;
}

int archive_output_end_entry(ArchiveOutput *out, const char *path, Error **err) {
        return archive_write_finish_entry(out->tar) == ARCHIVE_OK
                       ? 0
                       : failed(out, out->tar, path, err);
}

int archive_output_file(ArchiveOutput *out, const char *name, const char *content, int64_t seconds,
                        Error **err) {
        struct archive_entry *entry = archive_entry_new();
        int r;

        if (!entry)
                return archive_error(err, ENOMEM, NULL, "out of memory");
        archive_entry_set_pathname(entry, name);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_size(entry, (la_int64_t) strlen(content));
        archive_entry_set_mtime(entry, seconds, 0);
        r = archive_output_header(out, entry, err);
        archive_entry_free(entry);
        if (r >= 0)
                r = archive_output_data(out, content, strlen(content), name, err);
        return r < 0 ? r : archive_output_end_entry(out, name, err);
}

void archive_output_digest(ArchiveOutput *out, uint8_t ret[static crypto_hash_sha256_BYTES]) {
        out->hashing = false;
        (void) crypto_hash_sha256_final(&out->hash, ret);
}

int archive_output_close(ArchiveOutput *out, Error **err) {
        if (archive_write_close(out->tar) != ARCHIVE_OK)
                return failed(out, out->tar, NULL, err);
        if (archive_write_close(out->filter) != ARCHIVE_OK)
                return failed(out, out->filter, NULL, err);
        return 0;
}
