#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A container's tree, and beside it one that stands for everything outside of it, of which nothing
 * may change. To be included after cmocka.h.
 */

#include <dirent.h>
#include <sys/sysmacros.h>

#include "agent/bootstrap/first_boot.h"
#include "tests/unit/temp_root.h"

#define FIXTURE_HASH "$6$salt$hash"
#define FIXTURE_KEY                                                                                \
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJb0gxDrl0KZC1cZpVnUoVwyeHvBQRMwCv7Qw5cGf0aB me"

typedef struct Fixture {
        char *top;
        char *tree;    /* TOP/tree */
        char *outside; /* TOP/outside */
        char *before;  /* what is outside */
        int fd;
} Fixture;

DEFINE_CLEANUP(DIR *, closedir)

_unused_ static void fixture_list(const char *folder, FILE *f) {
        _cleanup_(closedirp) DIR *dir = opendir(folder);
        const struct dirent *e;

        assert_non_null(dir);
        while ((e = readdir(dir))) {
                _cleanup_free_ char *path = text_format("%s/%s", folder, e->d_name), *text = NULL;
                struct stat st;

                if (streq(e->d_name, "..") || lstat(path, &st) < 0)
                        continue;
                (void) read_file_at(AT_FDCWD, path, 65536, false, &text, NULL);
                fprintf(f, "%s %o %u:%u %lld %lld.%09ld %s\n", path, st.st_mode, st.st_uid,
                        st.st_gid, (long long) st.st_size, (long long) st.st_mtim.tv_sec,
                        st.st_mtim.tv_nsec, text ? text : "");
                if (S_ISDIR(st.st_mode) && !streq(e->d_name, "."))
                        fixture_list(path, f);
        }
}

_unused_ static char *fixture_listing(const char *folder) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        fixture_list(folder, f);
        assert_int_equal(fclose(f), 0);
        return text;
}

_unused_ static void fixture_new(Fixture *f) {
        f->top = temp_root_new();
        f->tree = text_format("%s/tree", f->top);
        f->outside = text_format("%s/outside", f->top);
        temp_root_write(f->outside, "/etc/shadow", "root:*:1:0:99999:7:::\n");
        temp_root_write(f->outside, "/etc/hostname", "host\n");
        temp_root_write(f->outside, "/keys", "");
        temp_root_write(f->tree, "/etc/passwd",
                        "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1001::/home/user:/bin/sh\n");
        temp_root_write(f->tree, "/etc/shadow",
                        "root:*:1:0:99999:7:::\nuser:!:2:0:99999:7:::\nrootuser:x:3::::::\n");
        temp_root_write(f->tree, "/sbin/agetty", "");
        temp_root_write(f->tree, "/usr/lib/systemd/systemd", "");
        temp_root_write(f->tree, "/usr/lib/systemd/system/dev-hugepages.mount", "[Mount]\n");
        temp_root_write(f->tree, "/usr/lib/systemd/system/systemd-networkd.socket",
                        "[Install]\nWantedBy=sockets.target\n");
        temp_root_write(f->tree, "/usr/lib/systemd/system/systemd-networkd.service",
                        "[Install]\nWantedBy=multi-user.target\nAlso=systemd-networkd.socket\n"
                        "Alias=dbus-org.freedesktop.network1.service\n"
                        "Also=systemd-not-there.service\n");
        temp_root_write(f->tree, "/usr/lib/systemd/system/systemd-resolved.service",
                        "[Install]\nWantedBy=sysinit.target\n"
                        "Alias=dbus-org.freedesktop.resolve1.service\n");
        f->fd = open(f->tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(f->fd >= 0);
        f->before = fixture_listing(f->outside);
}

_unused_ static void fixture_done(Fixture *f) {
        _cleanup_free_ char *after = fixture_listing(f->outside);

        assert_string_equal(after, f->before);
        (void) close(f->fd);
        temp_root_free(f->top);
        free(f->tree);
        free(f->outside);
        free(f->before);
}
#define _cleanup_fixture_ _cleanup_(fixture_done)

/* A definition with body in it; the caller frees it. */
_unused_ static ContainerDef *fixture_def(const char *body) {
        _cleanup_free_ char *xml = text_format(
                "<domain type='nspawn' xmlns:ct='" CONTAINER_NAMESPACE "'><name>web</name>"
                "<uuid>c7a5fdbd-cdaf-9455-926a-d65c16db1809</uuid>%s</domain>",
                body);
        _cleanup_error_ Error *err = NULL;
        ContainerDef *def = NULL;

        assert_non_null(xml);
        if (container_def_parse(xml, strlen(xml), "web.xml", 0, &def, NULL, &err) < 0)
                fail_msg("%s", err ? err->text : "?");
        return def;
}

#define FIXTURE_FIRST_BOOT                                                                         \
        "<ct:firstboot><ct:hostname>web.example.lan</ct:hostname>"                                 \
        "<ct:rootpassword hash='" FIXTURE_HASH "'/><ct:locale>de_DE.UTF-8</ct:locale>"             \
        "<ct:keymap>de</ct:keymap><ct:timezone>Europe/Berlin</ct:timezone>"                        \
        "<ct:sshkey user='root'>" FIXTURE_KEY "</ct:sshkey>"                                       \
        "<ct:search domain='example.lan'/><ct:search domain='lan'/></ct:firstboot>"

#define FIXTURE_INTERFACE                                                                          \
        "<devices><interface type='network'><source network='default'/></interface></devices>"

/* Result and sentence of first_boot_apply(). *ret_text is the error, or the warnings. */
_unused_ static int fixture_apply(Fixture *f, const char *body, int shift, char **ret_text) {
        _cleanup_(container_def_freep) ContainerDef *def = fixture_def(body);
        _cleanup_strv_ char **warnings = NULL;
        _cleanup_error_ Error *err = NULL;
        const FirstBootPlan plan = {
                .def = def,
                .own_network = def->n_interfaces > 0,
                .uid_shift = shift,
        };
        int r;

        r = first_boot_apply(f->fd, &plan, &warnings, &err);
        assert_true(r >= 0 || (err && err->code == -r));
        *ret_text = r < 0 ? strdup(err->text) : strv_join(warnings, "\n");
        return r < 0 ? r : 0;
}

_unused_ static void fixture_expect(const Fixture *f, const char *path, const char *text) {
        _cleanup_free_ char *content = temp_root_read(f->tree, path);

        if (!streq_ptr(content, text))
                fail_msg("%s: wanted '%s', got '%s'", path, text ? text : "(none)",
                         content ? content : "(none)");
}

_unused_ static void fixture_expect_link(const Fixture *f, const char *path, const char *target) {
        _cleanup_free_ char *file = text_format("%s%s", f->tree, path);
        char text[4096] = "";
        ssize_t n = readlink(file, text, sizeof(text) - 1);

        if (!streq_ptr(n < 0 ? NULL : text, target))
                fail_msg("%s: wanted '%s', got '%s'", path, target ? target : "(none)", text);
}

_unused_ static struct stat fixture_stat(const Fixture *f, const char *path) {
        _cleanup_free_ char *file = text_format("%s%s", f->tree, path);
        struct stat st;

        if (lstat(file, &st) < 0)
                fail_msg("%s: %s", path, strerror(errno));
        return st;
}
