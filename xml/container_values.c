/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "xml/container_values.h"

#include <arpa/inet.h>
#include <limits.h>
#include <strings.h>

#include "xml/container_def.h"

bool has_control_character(const char *s) {
        for (const unsigned char *u = (const unsigned char *) s; *u; u++)
                if (*u < ' ' || *u == 127 || (u[0] == 0xc2 && u[1] >= 0x80 && u[1] <= 0x9f))
                        return true;
        return false;
}

int clean_path(const char *s, char **ret) {
        _cleanup_free_ char *path = NULL;
        size_t size = strlen(s), n = 0;

        if (s[0] != '/' || size >= PATH_MAX || has_control_character(s))
                return -EINVAL;
        path = malloc(size + 2);
        if (!path)
                return -ENOMEM;

        while (*(s += strspn(s, "/"))) {
                size_t length = strcspn(s, "/");

                if (length == 2 && s[0] == '.' && s[1] == '.')
                        return -EINVAL;
                if (length != 1 || s[0] != '.') {
                        path[n++] = '/';
                        memcpy(path + n, s, length);
                        n += length;
                }
                s += length;
        }
        if (n == 0)
                path[n++] = '/';
        path[n] = '\0';

        *ret = TAKE_PTR(path);
        return 0;
}

#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define USER_MAX 256   /* bytes, LOGIN_NAME_MAX */
#define USER_ID_MAX 10 /* digits of 32 bits */

bool directory_is_plain(const char *s) {
        size_t size = strlen(s);

        return size > 0 && s[size - 1] != ' ' && s[size - 1] != '\\';
}

bool init_user_is_valid(const char *s) {
        size_t size = strlen(s);

        if (*s == '+')
                return size > 1 && size <= USER_ID_MAX + 1 && strspn(s + 1, DIGITS) == size - 1;
        return size > 0 && size <= USER_MAX && *s != '-' && *s != '.' &&
               strspn(s, LETTERS DIGITS "_.-") == size;
}

bool variable_name_is_valid(const char *s) {
        if (isempty(s) || (*s >= '0' && *s <= '9'))
                return false;
        return s[strspn(s, LETTERS DIGITS "_")] == '\0';
}

static int unit_factor(const char *unit, uint64_t *ret) {
        static const char *const prefixes = "kmgtpe";
        const char *prefix;
        uint64_t base;

        if (strcasecmp(unit, "b") == 0 || strcasecmp(unit, "byte") == 0 ||
            strcasecmp(unit, "bytes") == 0) {
                *ret = 1;
                return 0;
        }

        prefix = *unit ? strchr(prefixes, *unit | 0x20) : NULL;
        if (!prefix)
                return -EINVAL;
        if (unit[1] == '\0' || strcasecmp(unit + 1, "iB") == 0)
                base = 1024;
        else if (strcasecmp(unit + 1, "B") == 0)
                base = 1000;
        else
                return -EINVAL;

        *ret = 1;
        for (const char *p = prefixes; p <= prefix; p++)
                *ret *= base;
        return 0;
}

int scale_bytes(uint64_t number, const char *unit, uint64_t *ret) {
        uint64_t factor;
        int r;

        r = unit_factor(unit ? unit : "bytes", &factor);
        if (r < 0)
                return r;
        return __builtin_mul_overflow(number, factor, ret) ? -ERANGE : 0;
}

int scale_memory(uint64_t number, const char *unit, uint64_t *ret_kib) {
        uint64_t bytes, kib;
        int r;

        r = scale_bytes(number, unit ? unit : "KiB", &bytes);
        if (r < 0)
                return r;

        kib = bytes / 1024 + (bytes % 1024 > 0 ? 1 : 0);
        if (kib == 0 || kib > CONTAINER_MEMORY_MAX_KIB)
                return -ERANGE;
        *ret_kib = kib;
        return 0;
}

int canonical_address(const char *s, int *family, char **ret, uint8_t bytes[static 16]) {
        char text[INET6_ADDRSTRLEN];
        int guess = *family != AF_UNSPEC ? *family : strchr(s, ':') ? AF_INET6 : AF_INET;

        if (inet_pton(guess, s, bytes) != 1 || !inet_ntop(guess, bytes, text, sizeof(text)))
                return -EINVAL;
        *ret = strdup(text);
        if (!*ret)
                return -ENOMEM;
        *family = guess;
        return 0;
}

unsigned natural_prefix(int family, const uint8_t bytes[static 16]) {
        if (family == AF_INET6)
                return 64;
        if (bytes[0] < 128)
                return 8;
        if (bytes[0] < 192)
                return 16;
        return bytes[0] < 224 ? 24 : 0;
}

int netmask_to_prefix(const char *s, unsigned *ret) {
        struct in_addr mask;
        uint32_t inverted;

        if (inet_pton(AF_INET, s, &mask) != 1)
                return -EINVAL;
        inverted = ~ntohl(mask.s_addr);
        if (inverted & (inverted + 1))
                return -EINVAL;

        *ret = 32 - (unsigned) __builtin_popcount(inverted);
        return 0;
}

bool is_network_address(int family, const uint8_t bytes[static 16], unsigned prefix) {
        for (unsigned i = prefix; i < max_prefix(family); i++)
                if (bytes[i / 8] & (0x80u >> (i % 8)))
                        return false;
        return true;
}

bool is_host_address(int family, const uint8_t bytes[static 16]) {
        if (is_network_address(family, bytes, 0))
                return false;
        return family == AF_INET ? bytes[0] < 224 : bytes[0] != 0xff;
}
