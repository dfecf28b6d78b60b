/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Host name, machine id, locale, keymap and time zone: hostname(5), machine-id(5), locale.conf(5),
 * vconsole.conf(5), localtime(5). */

#include <byteswap.h>

#include "agent/bootstrap/first_boot_internal.h"

#define ZONEINFO "/usr/share/zoneinfo/"
#define LOCALE_FOLDER "/usr/lib/locale/"

static int write_line(FirstBoot *f, const char *path, const char *key, const char *value) {
        _cleanup_free_ char *text = NULL;

        if (asprintf(&text, "%s%s\n", key, value) < 0)
                return -ENOMEM;
        return first_boot_write(f, path, text);
}

static int set_hostname(FirstBoot *f) {
        return write_line(f, "/etc/hostname", "",
                          f->def->hostname ? f->def->hostname : f->plan->def->name);
}

/* NULL: the definition has no UUID yet. */
static int machine_id(const FirstBoot *f, char **ret) {
        char uuid[UUID_STRING_MAX], *id;
        size_t n = 0;

        *ret = NULL;
        if (!f->def->machine_id && !f->plan->def->has_uuid)
                return 0;
        id = strdup(f->def->machine_id ? f->def->machine_id
                                       : uuid_to_string(&f->plan->def->uuid, uuid));
        if (!id)
                return -ENOMEM;
        for (char *c = id; *c; c++)
                if (*c != '-')
                        id[n++] = (char) (*c >= 'A' && *c <= 'F' ? *c - 'A' + 'a' : *c);
        id[n] = '\0';
        *ret = id;
        return 0;
}

/* D-Bus has one of its own, which a package may have made on the host that it was installed on. */
static int set_machine_id(FirstBoot *f) {
        _cleanup_free_ char *id = NULL, *line = NULL, *old = NULL;
        struct stat st;
        int r;

        r = machine_id(f, &id);
        if (r < 0 || !id)
                return r;
        if (asprintf(&line, "%s\n", id) < 0)
                return -ENOMEM;
        r = root_tree_read(&f->tree, "/etc/machine-id", ROOT_TREE_FILE_MAX, false, &old);
        if (r < 0 || !streq(old, line))
                r = root_tree_write(&f->tree, "/etc/machine-id", line, 0444, NULL);
        if (r < 0)
                return root_tree_error(f->err, r, "write", "/etc/machine-id");

        if (root_tree_stat(&f->tree, "/var/lib/dbus/machine-id", &st) < 0 || S_ISLNK(st.st_mode))
                return 0;
        return first_boot_link(f, "/var/lib/dbus/machine-id", "/etc/machine-id");
}

/* "de_DE.UTF-8@x" as the C library writes it on disk: "de_DE.utf8@x". */
static void normalise_codeset(char *locale) {
        char *to = strchr(locale, '.'), *from = to;

        if (!to)
                return;
        for (; *from && *from != '@'; from++)
                if (*from != '-')
                        *to++ = (char) (*from >= 'A' && *from <= 'Z' ? *from - 'A' + 'a' : *from);
        memmove(to, from, strlen(from) + 1);
}

/* The head of locale-archive, struct locarhead of glibc's locale/locarchive.h. */
typedef struct ArchiveHead {
        uint32_t magic, serial, namehash_offset, namehash_used, namehash_size;
        uint32_t string_offset, string_used, string_size;
} ArchiveHead;

#define ARCHIVE_MAGIC UINT32_C(0xde020109)

/* True if the archive has the locale, or if nobody can tell. */
static bool archive_has(const FirstBoot *f, const char *locale) {
        _cleanup_close_ int fd = -1;
        _cleanup_free_ char *names = NULL;
        size_t length = strlen(locale);
        ArchiveHead head;

        fd = root_tree_open(&f->tree, LOCALE_FOLDER "locale-archive", SIZE_MAX, true);
        if (fd < 0)
                return false;
        if (pread(fd, &head, sizeof(head), 0) != sizeof(head))
                return false;
        if (head.magic == bswap_32(ARCHIVE_MAGIC))
                return true;
        if (head.magic != ARCHIVE_MAGIC || head.string_used > ROOT_TREE_FILE_MAX)
                return false;
        names = malloc(head.string_used + 1);
        if (!names ||
            pread(fd, names, head.string_used, head.string_offset) != (ssize_t) head.string_used)
                return false;
        names[head.string_used] = '\0';
        for (size_t i = 0; i < head.string_used; i += strlen(names + i) + 1)
                if (strncmp(names + i, locale, length) == 0 && names[i + length] == '\0')
                        return true;
        return false;
}

static int has_locale(const FirstBoot *f, const char *locale) {
        _cleanup_free_ char *normal = strdup(locale), *as_is = NULL, *as_normal = NULL;

        if (!normal)
                return -ENOMEM;
        normalise_codeset(normal);
        if (streq(normal, "C") || streq(normal, "POSIX") || streq(normal, "C.utf8"))
                return 1;
        if (asprintf(&as_is, LOCALE_FOLDER "%s", locale) < 0 ||
            asprintf(&as_normal, LOCALE_FOLDER "%s", normal) < 0)
                return -ENOMEM;
        return root_tree_exists(&f->tree, as_is) || root_tree_exists(&f->tree, as_normal) ||
               archive_has(f, normal);
}

/* Debian's programs look at a file of their own, which since Debian 13 can be a symlink. */
static int set_locale(FirstBoot *f) {
        const char *locale = f->def->locale;
        struct stat st;
        int r;

        if (!locale)
                return 0;
        r = write_line(f, "/etc/locale.conf", "LANG=", locale);
        if (r >= 0 && root_tree_exists(&f->tree, "/etc/debian_version") &&
            (root_tree_stat(&f->tree, "/etc/default/locale", &st) < 0 || !S_ISLNK(st.st_mode)))
                r = write_line(f, "/etc/default/locale", "LANG=", locale);
        if (r >= 0)
                r = has_locale(f, locale);
        if (r != 0)
                return r < 0 ? r : 0;
        return first_boot_warn(f,
                               "The locale %s is not installed in the root tree; until it is, "
                               "programs fall back to C",
                               locale);
}

static int set_keymap(FirstBoot *f) {
        return f->def->keymap ? write_line(f, "/etc/vconsole.conf", "KEYMAP=", f->def->keymap) : 0;
}

static int set_timezone(FirstBoot *f) {
        _cleanup_free_ char *target = NULL;
        const char *zone = f->def->timezone;
        struct stat st;
        int r;

        if (!zone)
                return 0;
        if (asprintf(&target, ".." ZONEINFO "%s", zone) < 0)
                return -ENOMEM;
        r = first_boot_link(f, "/etc/localtime", target);
        if (r >= 0 && root_tree_stat(&f->tree, "/etc/timezone", &st) >= 0)
                r = write_line(f, "/etc/timezone", "", zone);
        if (r < 0 || root_tree_exists(&f->tree, target + strlen("..")))
                return r;
        return first_boot_warn(f,
                               "The time zone %s is not in the root tree (" ZONEINFO
                               "); until it is (package tzdata), the time is UTC",
                               zone);
}

int first_boot_set_hostname(int root_fd, const char *name, Error **err) {
        static const FirstBootDef nothing = { 0 };
        const ContainerDef def = { .name = (char *) name };
        const FirstBootPlan plan = { .def = &def };
        FirstBoot f = { .tree = { .fd = root_fd }, .plan = &plan, .def = &nothing, .err = err };

        return set_hostname(&f);
}

int first_boot_names(FirstBoot *f) {
        int r;

        r = set_hostname(f);
        if (r >= 0)
                r = set_machine_id(f);
        if (r >= 0)
                r = set_locale(f);
        if (r >= 0)
                r = set_keymap(f);
        return r >= 0 ? set_timezone(f) : r;
}
