/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/conf_file.h"

#include <strings.h>
#include <sys/stat.h>

#include "base/fileio.h"

#define WHITESPACE " \t\n\r"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

typedef struct ConfParser {
        ConfHandler handler;          /* one of the two */
        ConfLineHandler line_handler; /* */
        void *userdata;
        char *section;                    /* NULL before the first header */
        unsigned line_number, first_line; /* of this physical, and of the logical line */

        char *line; /* the logical line so far; as large as the whole text, so that it never grows
                     */
        size_t length;
        bool byte_order_mark_seen;
} ConfParser;

/* The code point and, in *ret_size, how many bytes it takes; a value that is no code point if the
 * bytes are none. */
static uint32_t utf8_decode(const unsigned char *s, size_t size, size_t *ret_size) {
        static const uint32_t first_of_length[] = { 0, 0, 0x80, 0x800, 0x10000 };
        size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
        uint32_t c = n == 1 ? s[0] : s[0] & (0x7fU >> n);

        if (n == 0 || n > size || s[0] >= 0xf8)
                return UINT32_MAX;
        for (size_t i = 1; i < n; i++) {
                if ((s[i] & 0xc0) != 0x80)
                        return UINT32_MAX;
                c = c << 6 | (s[i] & 0x3fU);
        }

        *ret_size = n;
        return c < first_of_length[n] ? UINT32_MAX : c;
}

bool utf8_is_valid(const char *s, size_t size) {
        for (size_t i = 0, n = 0; i < size; i += n) {
                uint32_t c = utf8_decode((const unsigned char *) s + i, size - i, &n);

                if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || (c >= 0xfdd0 && c < 0xfdf0) ||
                    (c & 0xfffe) == 0xfffe)
                        return false;
        }
        return true;
}

int conf_parse_boolean(const char *s) {
        static const char *const words[] = { "0", "1", "no",    "yes",  "n",   "y",
                                             "f", "t", "false", "true", "off", "on" };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (strcasecmp(s, words[i]) == 0)
                        return i % 2 == 1;
        return -EINVAL;
}

#define USEC_PER_SEC UINT64_C(1000000)
#define USEC_PER_DAY (24 * 3600 * USEC_PER_SEC)

/* Months and years as systemd has them: 30.44 and 365.25 days. */
static const struct {
        const char *name;
        uint64_t usec;
} time_units[] = {
        { "seconds", USEC_PER_SEC },
        { "second", USEC_PER_SEC },
        { "sec", USEC_PER_SEC },
        { "s", USEC_PER_SEC },
        { "minutes", 60 * USEC_PER_SEC },
        { "minute", 60 * USEC_PER_SEC },
        { "min", 60 * USEC_PER_SEC },
        { "m", 60 * USEC_PER_SEC },
        { "hours", 3600 * USEC_PER_SEC },
        { "hour", 3600 * USEC_PER_SEC },
        { "hr", 3600 * USEC_PER_SEC },
        { "h", 3600 * USEC_PER_SEC },
        { "days", USEC_PER_DAY },
        { "day", USEC_PER_DAY },
        { "d", USEC_PER_DAY },
        { "weeks", 7 * USEC_PER_DAY },
        { "week", 7 * USEC_PER_DAY },
        { "w", 7 * USEC_PER_DAY },
        { "months", 2629800 * USEC_PER_SEC },
        { "month", 2629800 * USEC_PER_SEC },
        { "M", 2629800 * USEC_PER_SEC },
        { "years", 31557600 * USEC_PER_SEC },
        { "year", 31557600 * USEC_PER_SEC },
        { "y", 31557600 * USEC_PER_SEC },
        { "msec", 1000 },
        { "ms", 1000 },
        { "usec", 1 },
        { "us", 1 },
};

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

/* The unit that s begins with: its length, 0 if there is none (seconds), -EINVAL. */
static int parse_time_unit(const char *s, uint64_t *ret) {
        size_t length = strcspn(s, WHITESPACE "0123456789.");

        *ret = USEC_PER_SEC;
        if (length == 0)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(time_units); i++)
                if (strlen(time_units[i].name) == length &&
                    memcmp(time_units[i].name, s, length) == 0) {
                        *ret = time_units[i].usec;
                        return (int) length;
                }
        return -EINVAL;
}

/* One number with its unit; *s is moved behind it. */
static int parse_time_part(const char **s, uint64_t *total) {
        uint64_t fraction = 0, scale = 1, unit, usec;
        unsigned long long number;
        const char *p = *s;
        char *end;
        int k;

        if (!is_digit(*p))
                return -EINVAL;
        errno = 0;
        number = strtoull(p, &end, 10);
        if (errno != 0)
                return -ERANGE;
        p = end;
        if (*p == '.') {
                if (!is_digit(*++p))
                        return -EINVAL;
                for (; is_digit(*p); p++)
                        if (scale < USEC_PER_SEC) {
                                fraction = fraction * 10 + (uint64_t) (*p - '0');
                                scale *= 10;
                        }
        }
        p += strspn(p, WHITESPACE);
        k = parse_time_unit(p, &unit);
        if (k < 0)
                return k;
        if (__builtin_mul_overflow((uint64_t) number, unit, &usec) ||
            __builtin_add_overflow(usec, unit / scale * fraction + unit % scale * fraction / scale,
                                   &usec) ||
            __builtin_add_overflow(*total, usec, total) || *total == UINT64_MAX)
                return -ERANGE;
        p += k;
        *s = p + strspn(p, WHITESPACE);
        return 0;
}

int conf_parse_seconds(const char *s, uint64_t *ret_usec) {
        uint64_t total = 0;
        int r;

        s += strspn(s, WHITESPACE);
        if (startswith(s, "infinity") && s[8 + strspn(s + 8, WHITESPACE)] == '\0') {
                *ret_usec = UINT64_MAX;
                return 0;
        }
        do {
                r = parse_time_part(&s, &total);
                if (r < 0)
                        return r;
        } while (*s);
        *ret_usec = total;
        return 0;
}

static char *strip(char *s) {
        s += strspn(s, WHITESPACE);
        for (size_t n = strlen(s); n > 0 && strchr(WHITESPACE, s[n - 1]); n--)
                s[n - 1] = '\0';
        return s;
}

static int parse_section_header(ConfParser *p, char *l) {
        size_t n = strlen(l);

        if (n < 2 || l[n - 1] != ']')
                return -EBADMSG;
        l[n - 1] = '\0';
        for (const char *c = ++l; *c; c++)
                if ((*c > 0 && *c < ' ') || strchr("\"'\\\x7f", *c))
                        return -EBADMSG;

        free(p->section);
        p->section = strdup(l);
        return p->section ? 0 : -ENOMEM;
}

static int skip(const ConfParser *p, const char *l) {
        if (!p->line_handler)
                return 0;
        return p->line_handler(p->first_line, p->section, NULL, l, p->userdata);
}

static int parse_logical_line(ConfParser *p) {
        char *l, *value;

        p->line[p->length] = '\0';
        p->length = 0;

        l = strip(p->line);
        if (!*l)
                return 0;
        if (!utf8_is_valid(l, strlen(l)))
                return -EINVAL;
        if (*l == '[')
                return parse_section_header(p, l);

        value = strchr(l, '=');
        if (!p->section || !value || value == l)
                return skip(p, l);
        *value++ = '\0';
        if (p->line_handler)
                return p->line_handler(p->first_line, p->section, strip(l), strip(value),
                                       p->userdata);
        return p->handler(p->section, strip(l), strip(value), p->userdata);
}

/* True if a backslash that is not escaped itself stands at the end. */
static bool goes_on(const char *s, size_t size) {
        bool escaped = false;

        for (size_t i = 0; i < size; i++)
                escaped = !escaped && s[i] == '\\';
        return escaped;
}

static int add_physical_line(ConfParser *p, const char *s, size_t size) {
        size_t blank = 0;

        while (blank < size && strchr(WHITESPACE, s[blank]))
                blank++;
        /* Comments are left out even in the middle of a continued line. */
        if (blank < size && (s[blank] == '#' || s[blank] == ';'))
                return 0;

        if (!p->byte_order_mark_seen && size >= strlen(BYTE_ORDER_MARK) &&
            memcmp(s, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0) {
                s += strlen(BYTE_ORDER_MARK);
                size -= strlen(BYTE_ORDER_MARK);
                p->byte_order_mark_seen = true;
        }

        if (p->length == 0)
                p->first_line = p->line_number;
        memcpy(p->line + p->length, s, size);
        p->length += size;
        if (!goes_on(s, size))
                return parse_logical_line(p);

        p->line[p->length - 1] = ' ';
        return 0;
}

static int parse_lines(ConfParser *p, const char *text, size_t size) {
        const char *end = text + size;

        while (text < end) {
                const char *eol = text;
                int r;

                while (eol < end && *eol != '\n' && *eol != '\r')
                        eol++;
                p->line_number++;
                r = add_physical_line(p, text, (size_t) (eol - text));
                if (r < 0)
                        return r;

                text = eol + 1;
                if (text < end && eol[0] != eol[1] && (eol[1] == '\n' || eol[1] == '\r'))
                        text++;
        }
        return parse_logical_line(p);
}

static int parse_text(ConfParser *p, const char *text, size_t size) {
        _cleanup_free_ char *line = NULL;
        int r;

        if (memchr(text, '\0', size))
                return -EINVAL;

        p->line = line = malloc(size + 1);
        if (!line)
                return -ENOMEM;

        r = parse_lines(p, text, size);
        free(p->section);
        return r;
}

int conf_parse(const char *text, size_t size, ConfHandler handler, void *userdata) {
        ConfParser p = { .handler = handler, .userdata = userdata };

        return parse_text(&p, text, size);
}

int conf_parse_lines(const char *text, size_t size, ConfLineHandler handler, void *userdata,
                     unsigned *ret_line) {
        ConfParser p = { .line_handler = handler, .userdata = userdata };
        int r = parse_text(&p, text, size);

        *ret_line = p.first_line;
        return r;
}

int conf_read(const char *path, size_t max, char **ret, size_t *ret_size) {
        struct stat st;
        int r;

        r = read_file_at(AT_FDCWD, path, max, true, ret, ret_size);
        if (r != -EINVAL || stat(path, &st) < 0 || !S_ISCHR(st.st_mode))
                return r;

        *ret = strdup("");
        if (!*ret)
                return -ENOMEM;
        *ret_size = 0;
        return 0;
}
