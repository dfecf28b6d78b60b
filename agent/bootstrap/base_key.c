/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/base_key.h"

#include <sodium.h>

#include "base/fileio.h"

#define HASH crypto_hash_sha256_BYTES
_Static_assert(BASE_KEY_LENGTH == 2 * HASH, "two digits a byte");

static void to_hex(const unsigned char hash[static HASH], char ret[static BASE_KEY_LENGTH + 1]) {
        (void) sodium_bin2hex(ret, BASE_KEY_LENGTH + 1, hash, HASH);
}

void sha256_text(const char *bytes, size_t size, char ret[static BASE_KEY_LENGTH + 1]) {
        unsigned char hash[HASH];

        (void) crypto_hash_sha256(hash, (const unsigned char *) bytes, size);
        to_hex(hash, ret);
}

int sha256_fd(int fd, bool (*canceled)(void *userdata), void *userdata,
              char ret[static BASE_KEY_LENGTH + 1]) {
        enum { CHUNK = 1024 * 1024 };
        _cleanup_free_ unsigned char *buffer = malloc(CHUNK);
        crypto_hash_sha256_state state;
        unsigned char hash[HASH];

        if (!buffer)
                return -ENOMEM;
        (void) crypto_hash_sha256_init(&state);
        for (;;) {
                ssize_t n = read(fd, buffer, CHUNK);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return negative_errno();
                if (n == 0)
                        break;
                if (canceled && canceled(userdata))
                        return -ECANCELED;
                (void) crypto_hash_sha256_update(&state, buffer, (unsigned long long) n);
        }
        (void) crypto_hash_sha256_final(&state, hash);
        to_hex(hash, ret);
        return 0;
}

int base_key_add(BaseKey *k, const char *name, const char *value) {
        for (const char *c = value; c && *c; c++)
                if ((unsigned char) *c < ' ' || *c == 0x7f)
                        return -EINVAL;
        return strv_extendf(&k->facts, "%s%s%s", name, value ? "=" : "", value ? value : "");
}

int base_key_add_list(BaseKey *k, const char *name, char *const *values) {
        int r = 0;

        if (!values)
                return base_key_add(k, name, NULL);
        for (; r >= 0 && *values; values++)
                r = base_key_add(k, name, *values);
        return r;
}

int base_key_add_content(BaseKey *k, const char *name, const char *text, size_t size) {
        char hash[BASE_KEY_LENGTH + 1];

        sha256_text(text, size, hash);
        return base_key_add(k, name, hash);
}

int base_key_add_file(BaseKey *k, const char *name, const char *path, size_t max) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        r = read_file_at(AT_FDCWD, path, max, true, &text, &size);
        return r < 0 ? r : base_key_add_content(k, name, text, size);
}

/* Each fact with its NUL, so that no two lists of facts make the same bytes. */
void base_key_text(const BaseKey *k, char ret[static BASE_KEY_LENGTH + 1]) {
        crypto_hash_sha256_state state;
        unsigned char hash[HASH];

        (void) crypto_hash_sha256_init(&state);
        STRV_FOREACH(f, k->facts)
                (void) crypto_hash_sha256_update(&state, (const unsigned char *) *f,
                                                 strlen(*f) + 1);
        (void) crypto_hash_sha256_final(&state, hash);
        to_hex(hash, ret);
}

bool base_key_is_valid(const char *s) {
        return strlen(s) == BASE_KEY_LENGTH && strspn(s, "0123456789abcdef") == BASE_KEY_LENGTH;
}

void base_key_done(BaseKey *k) {
        k->facts = strv_free(k->facts);
}
