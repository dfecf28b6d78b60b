/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "xml/xml_show.h"

size_t xml_utf8_length(const unsigned char *s, size_t size) {
        static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
        size_t length = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
        uint32_t c;

        if (length == 1)
                return 1;
        if (length > size || s[0] < 0xc2 || s[0] > 0xf4)
                return 0;

        c = s[0] & (0xffu >> (length + 1));
        for (size_t i = 1; i < length; i++) {
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (s[i] & 0x3fu);
        }
        return c < smallest[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0 : length;
}

/* C0, DEL and C1. */
static bool is_control(const char *s) {
        const unsigned char *u = (const unsigned char *) s;

        return u[0] < ' ' || u[0] == 127 || (u[0] == 0xc2 && u[1] <= 0x9f);
}

const char *xml_show(const char *s, char *buffer, size_t size) {
        static const char ellipsis[] = "...";
        size_t left = strlen(s), n = 0;

        while (left > 0) {
                size_t length = xml_utf8_length((const unsigned char *) s, left);
                size_t taken = length > 0 ? length : 1;

                if (n + taken + sizeof(ellipsis) > size) {
                        memcpy(buffer + n, ellipsis, sizeof(ellipsis));
                        return buffer;
                }
                if (length == 0 || is_control(s))
                        buffer[n++] = '?';
                else
                        n = (size_t) ((char *) mempcpy(buffer + n, s, length) - buffer);
                s += taken;
                left -= taken;
        }
        buffer[n] = '\0';
        return buffer;
}
