/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/archive_input.h"

#include "agent/pool/tree_progress.h"

/* Names, xattrs and the map of a sparse file, for which libarchive needs memory. */
#define HEADER_MAX ((uint64_t) 16 * 1024 * 1024)
/* Behind the end of the archive; tar pads to 10 KiB. */
#define TRAILER_MAX ((uint64_t) 64 * 1024 * 1024)

static const uint8_t zeros[512];

static int fail_with(ArchiveInput *in, int cause, const char *sentence) {
        if (in->cause == 0) {
                in->cause = cause;
                in->sentence = sentence;
        }
        return cause;
}

static la_ssize_t read_raw(struct archive *a, void *userdata, const void **ret) {
        ArchiveInput *in = userdata;
        ssize_t n;
        int r = 0;

        /* Who waits for a slow peer learns by a signal that he need not. */
        do
                n = read(in->fd, in->raw, ARCHIVE_BLOCK);
        while (n < 0 && errno == EINTR &&
               (r = tree_progress(in->progress, in->n_read, in->entry)) >= 0);
        if (n < 0) {
                (void) fail_with(in, r < 0 ? r : negative_errno(), "the archive cannot be read");
                archive_set_error(a, -in->cause, "read");
                return -1;
        }
        in->n_read += (uint64_t) n;
        *ret = in->raw;
        return n;
}

/* The next piece that comes out of the decompression; in->rest_size stays 0 at the end. */
static int more_rest(ArchiveInput *in) {
        const void *piece = NULL;
        la_int64_t offset;
        size_t size = 0;
        int r;

        while (in->rest_size == 0 && !in->filter_end) {
                r = archive_read_data_block(in->filter, &piece, &size, &offset);
                if (r == ARCHIVE_EOF)
                        in->filter_end = true;
                else if (r != ARCHIVE_OK)
                        return fail_with(in, -EBADMSG, archive_error_string(in->filter));
                else {
                        in->rest = piece;
                        in->rest_size = size;
                }
        }
        return 0;
}

static int fill_block(ArchiveInput *in) {
        in->block_size = 0;
        while (in->block_size < ARCHIVE_BLOCK) {
                size_t room = ARCHIVE_BLOCK - in->block_size, n;
                int r = more_rest(in);

                if (r < 0)
                        return r;
                n = in->rest_size < room ? in->rest_size : room;
                if (n == 0)
                        break;
                memcpy(in->block + in->block_size, in->rest, n);
                in->block_size += n;
                in->rest += n;
                in->rest_size -= n;
        }
        return 0;
}

static int check_block(ArchiveInput *in) {
        const ArchiveLimits *l = in->limits;
        int r;

        if (in->n_out > l->ratio_from && in->n_out / l->ratio > in->n_read)
                return fail_with(in, -EFBIG,
                                 "the archive is compressed so much that it looks like an attack");
        if (in->block_size > in->allowance)
                return fail_with(in, -EFBIG, "its header is too large");
        in->allowance -= in->block_size;
        if (!in->progress)
                return 0;
        r = in->progress->step(in->progress->userdata, in->n_read, in->entry ? in->entry : "");
        if (r > 0)
                r = -ECANCELED;
        return r < 0 ? fail_with(in, r, "not unpacked further") : 0;
}

static int next_block(ArchiveInput *in) {
        int r;

        if (in->hashing)
                (void) crypto_hash_sha256_update(&in->hash, in->block, in->block_size);
        r = fill_block(in);
        if (r < 0)
                return r;
        in->n_out += in->block_size;
        if (in->block_size > 0)
                in->ends_in_zeros = in->block_size >= sizeof(zeros) &&
                                    memcmp(in->block + in->block_size - sizeof(zeros), zeros,
                                           sizeof(zeros)) == 0;
        return check_block(in);
}

static la_ssize_t read_block(struct archive *a, void *userdata, const void **ret) {
        ArchiveInput *in = userdata;

        if (in->cause < 0 || next_block(in) < 0) {
                archive_set_error(a, EIO, "no more");
                return -1;
        }
        *ret = in->block;
        return (la_ssize_t) in->block_size;
}

/* What is said when a call of libarchive failed. */
static int failed(ArchiveInput *in, struct archive *a, Error **err) {
        const char *said = archive_error_string(a);

        if (in->cause == -ECANCELED)
                return archive_error(err, ECANCELED, NULL, "canceled");
        if (in->cause == -EBADMSG)
                return archive_error(err, EBADMSG, in->entry, "the archive is damaged: %s",
                                     in->sentence ? in->sentence : "it cannot be decompressed");
        if (in->cause == -EFBIG)
                return archive_error(err, EFBIG, in->entry, "%s", in->sentence);
        if (in->cause < 0)
                return archive_error(err, -in->cause, in->entry, "%s: %s", in->sentence,
                                     strerror(-in->cause));
        if (archive_errno(a) == ENOMEM)
                return archive_error(err, ENOMEM, in->entry, "out of memory");
        return archive_error(err, EBADMSG, in->entry,
                             "this is no tar archive, or it is damaged: %s",
                             said ? said : "unknown error");
}

static int open_filter(ArchiveInput *in, Error **err) {
        struct archive_entry *entry;

        in->filter = archive_read_new();
        if (!in->filter)
                return -ENOMEM;
        if (archive_read_support_format_raw(in->filter) != ARCHIVE_OK ||
            archive_read_support_filter_gzip(in->filter) != ARCHIVE_OK ||
            archive_read_support_filter_bzip2(in->filter) != ARCHIVE_OK ||
            archive_read_support_filter_xz(in->filter) != ARCHIVE_OK ||
            archive_read_support_filter_zstd(in->filter) != ARCHIVE_OK)
                return archive_error(err, EOPNOTSUPP, NULL, "libarchive: %s",
                                     archive_error_string(in->filter));
        if (archive_read_open2(in->filter, in, NULL, read_raw, NULL, NULL) != ARCHIVE_OK)
                return failed(in, in->filter, err);
        if (in->n_read == 0)
                return archive_error(err, EBADMSG, NULL, "there is no archive: nothing came");
        if (archive_read_next_header(in->filter, &entry) != ARCHIVE_OK)
                return failed(in, in->filter, err);
        if (archive_filter_count(in->filter) > 2)
                return archive_error(err, EBADMSG, NULL, "the archive is compressed twice");
        return 0;
}

int archive_input_open(ArchiveInput *in, int fd, const ArchiveLimits *limits, bool hashing,
                       const TreeProgress *progress, Error **err) {
        int r;

        *in = (ArchiveInput){ .fd = fd,
                              .limits = limits,
                              .progress = progress,
                              .hashing = hashing,
                              .allowance = HEADER_MAX };
        if (hashing)
                (void) crypto_hash_sha256_init(&in->hash);
        r = archive_locale_set(&in->locale, "C");
        if (r < 0)
                return archive_error(err, -r, NULL, "the locale \"C\": %s", strerror(-r));
        in->raw = malloc(ARCHIVE_BLOCK);
        in->block = malloc(ARCHIVE_BLOCK);
        in->tar = archive_read_new();
        if (!in->raw || !in->block || !in->tar)
                return archive_error(err, ENOMEM, NULL, "out of memory");
        r = open_filter(in, err);
        if (r < 0)
                return r;
        if (archive_read_support_format_tar(in->tar) != ARCHIVE_OK ||
            archive_read_open2(in->tar, in, NULL, read_block, NULL, NULL) != ARCHIVE_OK)
                return failed(in, in->tar, err);
        return 0;
}

void archive_input_done(ArchiveInput *in) {
        if (in->tar)
                (void) archive_read_free(in->tar);
        if (in->filter)
                (void) archive_read_free(in->filter);
        free(in->raw);
        free(in->block);
        archive_locale_done(&in->locale);
        *in = (ArchiveInput){ .fd = -1 };
}

/* Tar ends in two blocks of zeros; libarchive is content without. */
static int at_end(ArchiveInput *in, Error **err) {
        if (in->filter_end && in->block_size == 0 && !in->ends_in_zeros)
                return archive_error(err, EBADMSG, NULL,
                                     "the archive is truncated: its end mark is missing");
        /* Whoever writes to a pipe wants to end in peace, and checksums stand at the end. */
        in->allowance = TRAILER_MAX;
        while (in->block_size > 0)
                if (next_block(in) < 0)
                        return failed(in, in->tar, err);
        return 0;
}

/* libarchive warns of names that it cannot convert to the locale, see ArchiveLocale. */
static bool is_harmless(struct archive *a) {
        const char *said = archive_error_string(a);

        return said && strstr(said, "current locale");
}

int archive_input_next(ArchiveInput *in, struct archive_entry **ret, uint64_t *ret_skipped,
                       Error **err) {
        uint64_t before = in->n_out;
        int r;

        in->allowance = UINT64_MAX;
        r = in->entry ? archive_read_data_skip(in->tar) : ARCHIVE_OK;
        if (r != ARCHIVE_OK && r != ARCHIVE_EOF)
                return failed(in, in->tar, err);
        if (ret_skipped)
                *ret_skipped = in->n_out - before;

        in->entry = NULL;
        in->allowance = HEADER_MAX;
        r = archive_read_next_header(in->tar, ret);
        if (r == ARCHIVE_EOF && in->cause == 0)
                return at_end(in, err);
        if (r != ARCHIVE_OK && (r != ARCHIVE_WARN || !is_harmless(in->tar)))
                return failed(in, in->tar, err);
        in->entry = archive_entry_pathname(*ret);
        if (!in->entry)
                return archive_error(err, EBADMSG, NULL, "the archive has an entry without a name");
        return 1;
}

int archive_input_data(ArchiveInput *in, struct archive_entry *entry, const void **ret,
                       size_t *ret_size, uint64_t *ret_offset, Error **err) {
        la_int64_t offset = 0, size = archive_entry_size(entry);
        int r;

        in->allowance = HEADER_MAX;
        r = archive_read_data_block(in->tar, ret, ret_size, &offset);
        if (r == ARCHIVE_EOF)
                return 0;
        if (r != ARCHIVE_OK)
                return failed(in, in->tar, err);
        if (offset < 0 || offset > size || *ret_size > (uint64_t) (size - offset))
                return archive_error(err, EBADMSG, in->entry,
                                     "the archive is damaged: its content is larger than its size");
        *ret_offset = (uint64_t) offset;
        return 1;
}

int archive_input_digest(ArchiveInput *in, uint8_t ret[static crypto_hash_sha256_BYTES],
                         Error **err) {
        uint64_t start = in->n_out - in->block_size;
        la_int64_t header = archive_read_header_position(in->tar);

        in->hashing = false;
        if (header < 0 || (uint64_t) header < start || (uint64_t) header > in->n_out)
                return archive_error(err, EBADMSG, in->entry,
                                     "the digest is not where it should be");
        (void) crypto_hash_sha256_update(&in->hash, in->block, (uint64_t) header - start);
        (void) crypto_hash_sha256_final(&in->hash, ret);
        return 0;
}
