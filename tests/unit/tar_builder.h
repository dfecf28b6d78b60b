#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Archives that no tar program makes, header by header (POSIX ustar). To be included after cmocka.h.
 */

#include "base/macro.h"

#define TAR_BLOCK 512

typedef struct TarEntry {
        const char *name;
        char type; /* '0' file, '1' hard link, '2' symlink, '3' character device, '5' folder, … */
        const char *link;
        const char *content;   /* NULL: none */
        size_t size;           /* of content; 0: its length as a string */
        const char *size_text; /* instead of the size, as it stands in the header */
        unsigned mode;         /* 0: 0644 */
        const char *uid_text;
        unsigned device_major, device_minor;
} TarEntry;

_unused_ static void tar_put_block(FILE *f, const char *data, size_t size) {
        static const char zeros[TAR_BLOCK];

        assert_int_equal(fwrite(data, 1, size, f), size);
        if (size % TAR_BLOCK > 0)
                assert_int_equal(fwrite(zeros, 1, TAR_BLOCK - size % TAR_BLOCK, f),
                                 TAR_BLOCK - size % TAR_BLOCK);
}

static void tar_field(char *header, size_t at, size_t size, const char *text) {
        memcpy(header + at, text, strlen(text) < size ? strlen(text) : size);
}

_unused_ static void tar_put(FILE *f, TarEntry e) {
        char h[TAR_BLOCK] = { 0 }, number[32];
        size_t size = e.content && e.size == 0 ? strlen(e.content) : e.size;
        unsigned sum = 0;

        tar_field(h, 0, 100, e.name);
        (void) snprintf(number, sizeof(number), "%07o", e.mode ? e.mode : 0644);
        tar_field(h, 100, 8, number);
        tar_field(h, 108, 8, e.uid_text ? e.uid_text : "0000000");
        tar_field(h, 116, 8, "0000000");
        (void) snprintf(number, sizeof(number), "%011zo", size);
        tar_field(h, 124, 12, e.size_text ? e.size_text : number);
        tar_field(h, 136, 12, "00000000001");
        h[156] = e.type ? e.type : '0';
        tar_field(h, 157, 100, e.link ? e.link : "");
        memcpy(h + 257, "ustar\00000", 8);
        (void) snprintf(number, sizeof(number), "%07o", e.device_major);
        tar_field(h, 329, 8, number);
        (void) snprintf(number, sizeof(number), "%07o", e.device_minor);
        tar_field(h, 337, 8, number);
        memset(h + 148, ' ', 8);
        for (size_t i = 0; i < sizeof(h); i++)
                sum += (unsigned char) h[i];
        (void) snprintf(number, sizeof(number), "%06o", sum);
        memcpy(h + 148, number, 7);
        tar_put_block(f, h, sizeof(h));
        if (e.content)
                tar_put_block(f, e.content, size);
}

_unused_ static void tar_end(FILE *f) {
        static const char zeros[2 * TAR_BLOCK];

        tar_put_block(f, zeros, sizeof(zeros));
}
