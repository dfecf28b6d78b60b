/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/uuid.h"

#include <ctype.h>
#include <sys/random.h>

static int hex_value(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        c = (char) tolower((unsigned char) c);
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int uuid_from_string(const char *s, Uuid *ret) {
        Uuid u = { 0 };
        size_t digits = 0;

        while (isspace((unsigned char) *s))
                s++;

        for (; *s && digits < 32; s++) {
                int v;

                if (*s == '-' && digits > 0)
                        continue;
                v = hex_value(*s);
                if (v < 0)
                        return -EINVAL;
                u.bytes[digits / 2] |= (uint8_t) (v << (digits % 2 == 0 ? 4 : 0));
                digits++;
        }

        while (isspace((unsigned char) *s))
                s++;
        if (digits != 32 || *s)
                return -EINVAL;

        *ret = u;
        return 0;
}

const char *uuid_to_string(const Uuid *u, char buffer[static UUID_STRING_MAX]) {
        char *p = buffer;

        for (size_t i = 0; i < sizeof(u->bytes); i++) {
                if (i == 4 || i == 6 || i == 8 || i == 10)
                        *p++ = '-';
                p += sprintf(p, "%02x", u->bytes[i]);
        }
        return buffer;
}

Uuid uuid_random(void) {
        Uuid u = { 0 };
        ssize_t n;

        do
                n = getrandom(u.bytes, sizeof(u.bytes), 0);
        while (n < 0 && errno == EINTR);
        assert(n == sizeof(u.bytes));

        u.bytes[6] = (uint8_t) ((u.bytes[6] & 0x0f) | 0x40);
        u.bytes[8] = (uint8_t) ((u.bytes[8] & 0x3f) | 0x80);
        return u;
}
