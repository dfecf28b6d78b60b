/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/nspawn_link.h"
#include "units/text.h"

#include <net/if.h>
#include <sodium.h>

#include "base/fileio.h"
#include "base/uuid.h"

/* The keys are systemd's. They are no secret: they keep its uses of the machine id apart. */
typedef struct HashKey {
        uint8_t bytes[crypto_shorthash_KEYBYTES];
} HashKey;

static const HashKey container_key = { { 0xc3, 0xc4, 0xf9, 0x19, 0xb5, 0x57, 0xb2, 0x1c, 0xe6, 0xcf,
                                         0x14, 0x27, 0x03, 0x9c, 0xee, 0xa2 } };
static const HashKey extra_container_key = { { 0xaf, 0x50, 0x17, 0x61, 0xce, 0xf9, 0x4d, 0x35, 0x84,
                                               0x0d, 0x2b, 0x20, 0x54, 0xbe, 0xce, 0x59 } };
static const HashKey shorten_key = { { 0xe1, 0x90, 0xa4, 0x04, 0xa8, 0xef, 0x4b, 0x51, 0x8c, 0xcc,
                                       0xc3, 0x3a, 0x9f, 0x11, 0xfc, 0xa2 } };

int machine_id_load(const char *root, MachineId *ret) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        Uuid id;
        int r;

        path = text_format("%s/etc/machine-id", root);
        if (!path)
                return -ENOMEM;
        r = read_file_at(AT_FDCWD, path, 64, true, &text, NULL);
        if (r < 0)
                return r == -ENOENT ? -ENOMEDIUM : r;
        /* An image that was not booted yet has an empty file, or "uninitialized" in it. */
        if (uuid_from_string(text, &id) < 0 || uuid_is_null(&id))
                return -ENOMEDIUM;

        memcpy(ret->bytes, id.bytes, sizeof(ret->bytes));
        return 0;
}

char *nspawn_shorten_link_name(const char *name) {
        static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "abcdefghijklmnopqrstuvwxyz0123456789-_";
        unsigned char hash[crypto_shorthash_BYTES];
        uint32_t low;

        if (strlen(name) < IFNAMSIZ)
                return strdup(name);

        crypto_shorthash(hash, (const unsigned char *) name, strlen(name), shorten_key.bytes);
        low = (uint32_t) hash[2] << 16 | (uint32_t) hash[1] << 8 | hash[0];
        return text_format("%.*s%c%c%c%c", IFNAMSIZ - 5, name, alphabet[low >> 18 & 63],
                           alphabet[low >> 12 & 63], alphabet[low >> 6 & 63], alphabet[low & 63]);
}

char *nspawn_bridge_link_name(const char *container) {
        _cleanup_free_ char *name = NULL;

        name = text_format("vb-%s", container);
        if (!name)
                return NULL;
        return nspawn_shorten_link_name(name);
}

char *nspawn_extra_link_name(const char *container, unsigned index) {
        _cleanup_free_ char *name = NULL;

        name = text_format("vb%u-%s", index, container);
        if (!name)
                return NULL;
        return nspawn_shorten_link_name(name);
}

/* The index is left out when it is 0. */
static void derive(const MachineId *id, const char *container, unsigned index, const HashKey *key,
                   uint8_t ret[static ETH_ALEN]) {
        unsigned char input[sizeof(MachineId) + 256 + sizeof(uint64_t)];
        unsigned char hash[crypto_shorthash_BYTES];
        size_t n = strnlen(container, 256);

        memcpy(input, id->bytes, sizeof(id->bytes));
        memcpy(input + sizeof(id->bytes), container, n);
        n += sizeof(id->bytes);
        for (size_t i = 0; index > 0 && i < sizeof(uint64_t); i++)
                input[n++] = (unsigned char) ((uint64_t) index >> (8 * i));

        crypto_shorthash(hash, input, n, key->bytes);
        memcpy(ret, hash, ETH_ALEN);
        ret[0] = (uint8_t) ((ret[0] & 0xfe) | 0x02); /* unicast, locally administered */
}

void nspawn_container_mac(const MachineId *id, const char *container,
                          uint8_t ret[static ETH_ALEN]) {
        derive(id, container, 0, &container_key, ret);
}

void nspawn_extra_container_mac(const MachineId *id, const char *container, unsigned index,
                                uint8_t ret[static ETH_ALEN]) {
        derive(id, container, index, &extra_container_key, ret);
}
