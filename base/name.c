/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/name.h"

#include <net/if.h>

static bool is_ascii_alnum(char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool container_name_is_valid(const char *s) {
        size_t length = s ? strlen(s) : 0;

        if (length == 0 || length > CONTAINER_NAME_MAX)
                return false;

        for (size_t i = 0; i < length; i++) {
                bool first = i == 0 || s[i - 1] == '.';
                bool last = i + 1 == length || s[i + 1] == '.';

                if (s[i] == '.' ? first || last
                                : !is_ascii_alnum(s[i]) && s[i] != '-' && s[i] != '_')
                        return false;
                if (s[i] == '-' && (first || last))
                        return false;
        }
        return true;
}

bool link_name_is_valid(const char *s) {
        bool digits_only = true;

        if (isempty(s) || strlen(s) >= IFNAMSIZ || streq(s, ".") || streq(s, ".."))
                return false;

        for (; *s; s++) {
                if (*s <= ' ' || *s >= 127 || *s == '%' || *s == ':' || *s == '/')
                        return false;
                if (*s < '0' || *s > '9')
                        digits_only = false;
        }
        return !digits_only;
}

bool network_name_is_valid(const char *s) {
        if (isempty(s) || strlen(s) > NETWORK_NAME_MAX || streq(s, ".") || streq(s, ".."))
                return false;

        for (; *s; s++)
                if ((unsigned char) *s < ' ' || *s == 127 || *s == '/')
                        return false;
        return true;
}
