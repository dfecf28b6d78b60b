/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Roots that are really made, on btrfs and ext4, with the tools that are on this machine, from
 * files, small RPMs and small images made for it. With CTVIRT_APT_MIRROR, what
 * tests/host/lib/apt-mirror.sh has made, a Debian too.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/bootstrap/base_cache.h"
#include "agent/bootstrap/recipe.h"
#include "agent/bootstrap/tool.h"
#include "agent/pool/volume.h"
#include "pool_fixture.h"
#include "temp_root.h"

#define ID "0123abcd"
#define NAMESPACE "xmlns:ct='http://ctvirt.org/schemas/container/1.0'"

typedef struct Fixture {
        char *root; /* of everything: pool, recipes, sources */
        Pool *pool;
        unsigned stages; /* that were reported, a bit each */
        bool at_last_stage;
        bool canceled;
        bool cancel_when_filling;
        char **lines;
} Fixture;

static void on_stage(void *userdata, unsigned number, unsigned count, const char *what) {
        Fixture *f = userdata;

        assert_true(number >= 1 && number <= count && *what);
        f->stages |= 1U << number;
        f->at_last_stage = number == count;
        f->canceled = f->cancel_when_filling && number == 2;
}

static void on_percent(void *userdata, double percent) {
        assert_true(percent >= 0 && percent <= 100);
}

static void on_line(void *userdata, const char *line) {
        Fixture *f = userdata;

        assert_int_equal(strv_extend(&f->lines, line), 0);
}

static bool on_canceled(void *userdata) {
        const Fixture *f = userdata;

        return f->canceled;
}

/* The tree that the sources are made from. */
static const char tree_script[] =
        "cd %s && mkdir -p tree && cd tree && umask 022 && mkdir -p usr/bin usr/sbin usr/lib etc "
        "root dev proc sys run tmp var/log var/lib && ln -s usr/bin bin && ln -s usr/sbin sbin && "
        "ln -s usr/lib lib && cp /bin/busybox usr/bin/busybox && ln -s busybox usr/bin/sh && "
        "cp /bin/busybox usr/sbin/init && echo '#!/bin/sh' >etc/rc && echo >etc/udhcpc.script && "
        "echo 'root:x:0:0:root:/root:/bin/sh' >etc/passwd && echo 'root:x:0:' >etc/group && "
        "echo 'root:*::0:99999:7:::' >etc/shadow && echo 127.0.0.1 localhost >etc/hosts && "
        "printf 'ID=tiny\\n' >usr/lib/os-release && ln -s ../usr/lib/os-release etc/os-release";

static Fixture fixture_new(void) {
        Fixture f = { 0 };

        f.pool = test_pool_new(&f.root);
        run(tree_script, f.root);
        return f;
}

static void fixture_done(Fixture *f) {
        _cleanup_close_ int fd = open(filesystem_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        pool_free(f->pool);
        strv_free(f->lines);
        if (f->root)
                assert_ok(tree_remove(fd, strrchr(f->root, '/') + 1, NULL, err));
        free(f->root);
}
#define _cleanup_fixture_ _cleanup_(fixture_done)

static int boot(Fixture *f, const char *name, const char *bootstrap, bool replace,
                BootstrapResult *ret, Error **err) {
        _cleanup_free_ char *xml = text_format("<domain type='nspawn' " NAMESPACE "><name>%s</name>"
                                               "%s</domain>",
                                               name, bootstrap);
        _cleanup_(container_def_freep) ContainerDef *def = NULL;
        const JobReport report = { on_stage, on_percent, on_line, on_canceled, f };
        const BootstrapOptions options = { replace, BOOTSTRAP_BASE_MAX_AGE_USEC, f->root };
        int r;

        r = container_def_parse(xml, strlen(xml), "test.xml", 0, &def, NULL, err);
        return r < 0 ? r : bootstrap_run(f->pool, def, ID, &options, &report, ret, err);
}

/* Nothing but what is published is left. */
static void assert_tidy(const Fixture *f) {
        run("test -z \"$(ls -A %s/" POOL_NEW ")\"", f->pool->path);
}

static void assert_file(const Fixture *f, const char *path, const char *content) {
        _cleanup_free_ char *text = temp_root_read(f->pool->path, path);

        assert_non_null(text);
        assert_string_equal(text, content);
}

static void test_directory(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_bootstrap_result_ BootstrapResult result = { 0 };
        _cleanup_free_ char *xml =
                text_format("<ct:bootstrap type='directory'><ct:source file='%s/tree'/>"
                            "</ct:bootstrap>",
                            f.root);

        assert_ok(boot(&f, "web", xml, false, &result, err));
        assert_file(&f, "/web/usr/lib/os-release", "ID=tiny\n");
        assert_file(&f, "/web/etc/hostname", "web\n");
        assert_null(result.base);
        assert_int_equal(f.stages, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4);
        assert_true(f.at_last_stage);
        assert_tidy(&f);

        /* A name that is taken is left as it is, or replaced in one step. */
        run("touch %s/web/mark", f.pool->path);
        assert_refused(boot(&f, "web", xml, false, &result, err), EEXIST, "--replace");
        run("test -e %s/web/mark", f.pool->path);
        bootstrap_result_done(&result);
        assert_ok(boot(&f, "web", xml, true, &result, err));
        run("test ! -e %s/web/mark", f.pool->path);
        assert_tidy(&f);
}

static void test_tar(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_bootstrap_result_ BootstrapResult result = { 0 };
        _cleanup_free_ char *path = text_format("%s/tree.tar.gz", f.root), *xml = NULL, *bad = NULL;
        _cleanup_close_ int fd = -1;
        char hash[BASE_KEY_LENGTH + 1];

        run("tar -C %s/tree -czf %s .", f.root, path);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_int_equal(sha256_fd(fd, NULL, NULL, hash), 0);
        xml = text_format("<ct:bootstrap type='tar'><ct:source file='%s'/>"
                          "<ct:verify sha256='%s'/></ct:bootstrap>",
                          path, hash);
        assert_ok(boot(&f, "web", xml, false, &result, err));
        assert_file(&f, "/web/usr/lib/os-release", "ID=tiny\n");
        assert_tidy(&f);

        hash[0] = hash[0] == '0' ? '1' : '0';
        bad = text_format("<ct:bootstrap type='tar'><ct:source file='%s'/>"
                          "<ct:verify sha256='%s'/></ct:bootstrap>",
                          path, hash);
        assert_refused(boot(&f, "bad", bad, false, &result, err), EBADMSG, "SHA-256");
        run("test ! -e %s/bad", f.pool->path);
        assert_tidy(&f);

        run("truncate -s 1000 %s", path);
        free(xml);
        xml = text_format("<ct:bootstrap type='tar'><ct:source file='%s'/></ct:bootstrap>", path);
        assert_refused(boot(&f, "bad", xml, false, &result, err), EBADMSG, "tree.tar.gz");
        run("test ! -e %s/bad", f.pool->path);
        assert_tidy(&f);
}

static bool strv_contains_text(char **list, const char *text) {
        STRV_FOREACH(s, list)
                if (strstr(*s, text))
                        return true;
        return false;
}

static void test_raw(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_bootstrap_result_ BootstrapResult result = { 0 };
        _cleanup_free_ char *xml = text_format(
                "<ct:bootstrap type='raw'><ct:source file='%s/disk'/></ct:bootstrap>", f.root);

        /* A partition, with nothing in it that could be mounted. */
        run("truncate -s 1G %s/disk && "
            "printf '\\203\\0\\0\\0\\0\\10\\0\\0\\0\\0\\20\\0' | "
            "dd of=%s/disk bs=1 seek=450 conv=notrunc status=none && "
            "printf '\\125\\252' | dd of=%s/disk bs=1 seek=510 conv=notrunc status=none && "
            "echo hello | dd of=%s/disk bs=1 seek=500000000 conv=notrunc status=none",
            f.root, f.root, f.root, f.root);
        assert_ok(boot(&f, "web", xml, false, &result, err));
        run("cmp %s/disk %s/web.raw", f.root, f.pool->path);
        run("test $(stat -c '%%b' %s/web.raw) -lt 1000", f.pool->path);
        assert_tidy(&f);

        bootstrap_result_done(&result);
        assert_ok(boot(&f, "copy",
                       "<ct:bootstrap type='clone'><ct:source container='web'/>"
                       "</ct:bootstrap>",
                       false, &result, err));
        run("cmp %s/disk %s/copy.raw", f.root, f.pool->path);
        assert_tidy(&f);
}

static void test_clone(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_bootstrap_result_ BootstrapResult result = { 0 };
        static const char xml[] = "<ct:bootstrap type='clone'><ct:source container='one'/>"
                                  "</ct:bootstrap>";

        assert_refused(boot(&f, "two", xml, false, &result, err), ENOENT, "one");
        run("cp -a %s/tree %s/one", f.root, f.pool->path);
        assert_ok(boot(&f, "two", xml, false, &result, err));
        assert_file(&f, "/two/usr/lib/os-release", "ID=tiny\n");
        assert_file(&f, "/two/etc/hostname", "two\n");
        assert_tidy(&f);
}

static char *from(const Fixture *f, const char *type, const char *path, const char *more) {
        return text_format("<ct:bootstrap type='%s'><ct:source file='%s/%s'/></ct:bootstrap>%s",
                           type, f->root, path, more ? more : "");
}

/* What is no root never takes the place of one. */
static const struct {
        const char *script; /* in the folder of the sources */
        const char *type, *path, *more, *sentence;
} no_roots[] = {
        { "tar -cf wrapped.tar tree", "tar", "wrapped.tar", NULL, "tar -C tree -cf FILE ." },
        { "mkdir 'a\033b' && tar -cf name.tar 'a\033b'", "tar", "name.tar", NULL,
          "is a folder, 'NAME'" },
        { "tar -cf empty.tar -T /dev/null", "tar", "empty.tar", NULL, "it is empty" },
        { "mkdir outer && cp -a tree outer/", "directory", "outer", NULL, "/outer/tree" },
        { "mkdir -p junk/usr/lib && echo >junk/x", "directory", "junk", NULL,
          "not the root of an operating system" },
        /* The host has both. */
        { "mkdir evil && ln -s /etc evil/etc && ln -s ../../../../../../usr evil/usr && "
          "ln -s /usr/sbin evil/sbin && ln -s /usr/lib evil/lib",
          "directory", "evil", NULL, "not the root of an operating system" },
        { "tar -C tree -cf disk.raw .", "raw", "disk.raw", NULL, "not a disk image" },
        { "truncate -s 1M blank.raw", "raw", "blank.raw", NULL, "not a disk image" },
        { "mkdir -p app/srv/x", "directory", "app", "<os><init>/srv/run</init></os>", "/app/srv" },
};

static void test_no_root(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_bootstrap_result_ BootstrapResult result = { 0 };

        run("cp -a %s/tree %s/web && touch %s/web/mark", f.root, f.pool->path, f.pool->path);
        for (size_t i = 0; i < ELEMENTSOF(no_roots); i++) {
                _cleanup_free_ char *xml =
                        from(&f, no_roots[i].type, no_roots[i].path, no_roots[i].more);

                print_message("%zu\n", i);
                run("cd %s && %s", f.root, no_roots[i].script);
                assert_refused(boot(&f, "web", xml, true, &result, err), ENOMEDIUM,
                               "nothing is replaced");
                assert_refused(boot(&f, "other", xml, false, &result, err), ENOMEDIUM,
                               no_roots[i].sentence);
                run("test -e %s/web/mark && test ! -e %s/other && test ! -e %s/other.raw",
                    f.pool->path, f.pool->path, f.pool->path);
                assert_tidy(&f);
        }
}

/* What can still come into it stops nothing, and is said. */
static void test_incomplete_root(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_bootstrap_result_ BootstrapResult release = { 0 }, init = { 0 }, program = { 0 },
                                                   whole = { 0 };
        _cleanup_free_ char *xml = from(&f, "directory", "tree", NULL),
                            *app = from(&f, "directory", "tree", "<os><init>/srv/run</init></os>");

        assert_ok(boot(&f, "whole", xml, false, &whole, err));
        assert_false(strv_contains_text(whole.warnings, "in the root"));
        assert_ok(boot(&f, "program", app, false, &program, err));
        assert_true(strv_contains_text(program.warnings, "<init>, /srv/run, is not in the root"));
        run("rm %s/tree/usr/sbin/init", f.root);
        assert_ok(boot(&f, "init", xml, false, &init, err));
        assert_true(strv_contains_text(init.warnings, "no init in the root"));
        run("cd %s/tree && cp /bin/busybox usr/sbin/init && rm etc/os-release usr/lib/os-release",
            f.root);
        assert_ok(boot(&f, "release", xml, false, &release, err));
        assert_true(strv_contains_text(release.warnings, "no /etc/os-release in the root"));
}

static void test_canceled(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_bootstrap_result_ BootstrapResult result = { 0 };
        _cleanup_free_ char *xml =
                text_format("<ct:bootstrap type='directory'><ct:source file='%s/tree'/>"
                            "</ct:bootstrap>",
                            f.root);

        f.cancel_when_filling = true;
        assert_int_equal(boot(&f, "web", xml, false, &result, NULL), -ECANCELED);
        run("test ! -e %s/web", f.pool->path);
        assert_tidy(&f);
}

static void make_tree(const Fixture *f, const char *id, const char *mark) {
        _cleanup_close_ int fd = -1;

        assert_ok(volume_begin(f->pool, id, &fd, err));
        run("echo %s >%s/" POOL_NEW "/%s/mark", mark, f->pool->path, id);
}

/* Two jobs that made the same: the second one gets what the first one has made. */
static void test_base_twice(void **state) {
        static const char fact[] = "Type=\"dnf\"  ";
        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_base_ Base one = { 0 }, two = { 0 }, found = { 0 };
        BaseKey key = { 0 };

        assert_int_equal(base_key_add(&key, "Type", "\"dnf\"  "), 0);
        base_key_text(&key, one.key);
        memcpy(two.key, one.key, sizeof(two.key));
        one.facts = key.facts;
        assert_int_equal(strv_extend(&one.command.arguments, "/bin/sh -c \"x\""), 0);

        assert_int_equal(base_lookup(f.pool, one.key, UINT64_MAX, &found), 0);
        make_tree(&f, "11111111", "one");
        make_tree(&f, "22222222", "two");
        assert_int_equal(base_keep(f.pool, "11111111", UINT64_MAX, &one), 0);
        assert_int_equal(base_keep(f.pool, "22222222", UINT64_MAX, &two), 0);
        assert_string_equal(two.facts[0], fact);
        assert_string_equal(two.command.arguments[0], "/bin/sh -c \"x\"");
        assert_int_equal(two.made_usec, one.made_usec);

        assert_int_equal(base_use(f.pool, &one, "11111111", NULL), 0);
        assert_int_equal(base_use(f.pool, &two, "22222222", NULL), 0);
        assert_file(&f, "/" POOL_NEW "/11111111/mark", "one\n");
        assert_file(&f, "/" POOL_NEW "/22222222/mark", "one\n");
        /* What is made from a base can be written to, the base cannot be changed by it. */
        run("echo changed >%s/" POOL_NEW "/11111111/mark", f.pool->path);
        run("grep -qx one %s/" POOL_BASES "/%s/mark", f.pool->path, one.key);
}

static void test_base_age(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_base_ Base old = { 0 }, young = { 0 }, found = { 0 };
        _cleanup_base_list_ BaseList left = { 0 };

        sha256_text("x", 1, old.key);
        memcpy(young.key, old.key, sizeof(young.key));
        make_tree(&f, "11111111", "old");
        assert_int_equal(base_keep(f.pool, "11111111", UINT64_MAX, &old), 0);
        assert_int_equal(base_lookup(f.pool, old.key, 0, &found), 0);
        make_tree(&f, "22222222", "young");
        assert_int_equal(base_keep(f.pool, "22222222", 0, &young), 0);
        run("grep -qx young %s/" POOL_BASES "/%s/mark", f.pool->path, young.key);

        assert_refused(base_find(f.pool, "2d711", &found, err), EINVAL, "too short");
        assert_refused(base_find(f.pool, "00000000", &found, err), ENOENT, "there is no base");
        old.key[12] = '\0';
        assert_ok(base_find(f.pool, old.key, &found, err));
        assert_string_equal(found.key, young.key);
        assert_int_equal(base_delete(f.pool, &found, "33333333"), 0);
        assert_int_equal(base_list(f.pool, &left), 0);
        assert_int_equal(left.n_items, 0);
        run("test -z \"$(ls -A %s/" POOL_BASES ")\"", f.pool->path);
}

/* Asked before there is a fixture, which skip() would leave behind. */
static bool have(const char *const *tools) {
        for (; *tools; tools++)
                if (!tool_exists(*tools)) {
                        print_message("skipped: %s is not installed\n", *tools);
                        return false;
                }
        return true;
}

static void write_dnf_recipe(const Fixture *f, const char *packages) {
        _cleanup_free_ char *text = text_format("[Recipe]\nType=dnf\nDefaultRelease=37\n"
                                                "Packages=%s\nDatabase=/var/lib/rpm\n"
                                                "Key=%s/repo/RPM-GPG-KEY-test\n"
                                                "[Repository test]\nURL=file://%s/repo\n",
                                                packages, f->root, f->root);

        temp_root_write(f->root, RECIPE_FOLDER_ETC "/test.conf", text);
}

static void test_dnf(void **state) {
        static const char *const tools[] = { "dnf", "rpmbuild", "createrepo_c", NULL };
        static const char xml[] = "<ct:bootstrap type='dnf'><ct:recipe name='test'/>"
                                  "</ct:bootstrap>";
        if (!have(tools))
                skip();

        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_bootstrap_result_ BootstrapResult result = { 0 }, again = { 0 }, other = { 0 };
        _cleanup_base_list_ BaseList bases = { 0 };

        run("%s/tests/host/lib/rpm-repo.sh %s/tree %s/repo", CTVIRT_SOURCE_DIR, f.root, f.root);
        write_dnf_recipe(&f, "fedora-release systemd dhcp-client");

        assert_ok(boot(&f, "web", xml, false, &result, err));
        assert_non_null(result.base);
        assert_int_equal(f.stages, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5);
        assert_true(f.at_last_stage);
        assert_file(&f, "/web/var/lib/systemd-script", "ran\n");
        assert_file(&f, "/web/etc/hostname", "web\n");
        run("cd %s/web && test ! -e usr/share/weak-thing && test ! -e usr/share/doc/fedora-release/README"
            " && test -e var/lib/rpm/rpmdb.sqlite && test ! -e root/.rpmdb && test -z \"$(ls -A tmp)\"",
            f.pool->path);
        assert_tidy(&f);

        /* The second one is a copy of the base, which knows nothing of the first one. */
        f.lines = strv_free(f.lines);
        f.stages = 0;
        assert_ok(boot(&f, "web2", xml, false, &again, err));
        assert_string_equal(again.base, result.base);
        assert_null(f.lines);
        assert_int_equal(f.stages, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4);
        assert_true(f.at_last_stage);
        assert_file(&f, "/web2/etc/hostname", "web2\n");
        run("test ! -e %s/" POOL_BASES "/%s/etc/hostname", f.pool->path, again.base);

        /* What differs has a key of its own. */
        bootstrap_result_done(&other);
        assert_ok(boot(&f, "web3",
                       "<ct:bootstrap type='dnf'><ct:recipe name='test'/>"
                       "<ct:package name='weak-thing'/><ct:docs/></ct:bootstrap>",
                       false, &other, err));
        assert_string_not_equal(other.base, result.base);
        run("cd %s/web3 && test -e usr/share/weak-thing && "
            "test -e usr/share/doc/fedora-release/README",
            f.pool->path);
        assert_int_equal(base_list(f.pool, &bases), 0);
        assert_int_equal(bases.n_items, 2);
        assert_tidy(&f);
}

static void test_dnf_failures(void **state) {
        static const char *const tools[] = { "dnf", "rpmbuild", "createrepo_c", NULL };
        static const char xml[] = "<ct:bootstrap type='dnf'><ct:recipe name='test'/>"
                                  "</ct:bootstrap>";
        if (!have(tools))
                skip();

        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_bootstrap_result_ BootstrapResult result = { 0 };

        run("%s/tests/host/lib/rpm-repo.sh %s/tree %s/repo", CTVIRT_SOURCE_DIR, f.root, f.root);
        write_dnf_recipe(&f, "fedora-release no-such-thing");
        assert_refused(boot(&f, "web", xml, false, &result, err), ENOENT,
                       "There is no such package in these repositories");
        assert_tidy(&f);

        /* Packages that nobody has signed, and another's key. */
        write_dnf_recipe(&f, "fedora-release");
        run("cp -a %s/repo %s/repo2 && rm -r %s/repo && "
            "%s/tests/host/lib/rpm-repo.sh --unsigned %s/tree %s/repo && "
            "cp %s/repo2/RPM-GPG-KEY-test %s/repo",
            f.root, f.root, f.root, CTVIRT_SOURCE_DIR, f.root, f.root, f.root, f.root);
        assert_refused(boot(&f, "web", xml, false, &result, err), EKEYREJECTED,
                       "It has no signature");
        run("test ! -e %s/web && test -z \"$(ls -A %s/" POOL_BASES ")\"", f.pool->path,
            f.pool->path);
        assert_tidy(&f);
}

static void test_oci(void **state) {
        static const char *const tools[] = { "skopeo", "umoci", "python3", NULL };
        if (!have(tools))
                skip();

        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_bootstrap_result_ BootstrapResult result = { 0 }, again = { 0 };
        _cleanup_free_ char *xml = NULL, *hostile = NULL;

        run("%s/tests/host/lib/oci-image.sh %s/tree %s/image", CTVIRT_SOURCE_DIR, f.root, f.root);
        xml = text_format("<ct:bootstrap type='oci'><ct:source image='oci:%s/image:good'/>"
                          "<ct:verify mode='no'/></ct:bootstrap>",
                          f.root);
        assert_ok(boot(&f, "app", xml, false, &result, err));
        assert_file(&f, "/app/etc/motd", "from the second layer\n");
        assert_int_equal(strv_length(result.command.arguments), 3);
        assert_string_equal(result.command.arguments[0], "/bin/sh");
        assert_string_equal(result.command.arguments[2],
                            "echo \"$GREETING, world\" >/said; exec sleep 1000000");
        assert_true(strv_contains(result.command.environment, "GREETING=good day"));
        assert_string_equal(result.command.directory, "/srv");
        assert_non_null(result.base);
        assert_tidy(&f);

        /* What the image wants to run is kept with the base. */
        assert_ok(boot(&f, "app2", xml, false, &again, err));
        assert_string_equal(again.base, result.base);
        assert_true(strv_equal(again.command.arguments, result.command.arguments));
        assert_true(strv_equal(again.command.environment, result.command.environment));

        /* Nothing is written outside, whatever becomes of it. */
        run("mkdir -p /outside && echo secret >/outside/secret && ls -A /outside >%s/before",
            f.root);
        hostile = text_format("<ct:bootstrap type='oci'><ct:source image='oci:%s/image:hostile'/>"
                              "<ct:verify mode='no'/></ct:bootstrap>",
                              f.root);
        bootstrap_result_done(&again);
        (void) boot(&f, "hostile", hostile, false, &again, NULL);
        run("ls -A /outside | cmp - %s/before && test $(stat -c %%h /outside/secret) = 1; r=$?; "
            "rm -r /outside; exit $r",
            f.root);
        assert_tidy(&f);
}

static void test_apt(void **state) {
        static const char *const tools[] = { "mmdebstrap", NULL };
        const char *mirror = getenv("CTVIRT_APT_MIRROR");
        if (!mirror || !have(tools))
                skip();

        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_bootstrap_result_ BootstrapResult result = { 0 };
        _cleanup_free_ char *recipe = NULL;

        recipe = text_format("[Recipe]\nType=apt\nDefaultRelease=bookworm\nKey=%s/key.asc\n"
                             "Packages=systemd systemd-sysv dbus\n"
                             "[Repository own]\nURL=file://%s\n",
                             mirror, mirror);
        temp_root_write(f.root, RECIPE_FOLDER_ETC "/test.conf", recipe);
        assert_ok(boot(&f, "deb",
                       "<ct:bootstrap type='apt'><ct:recipe name='test'/></ct:bootstrap>", false,
                       &result, err));
        free(recipe);
        recipe = text_format("deb [signed-by=/etc/apt/keyrings/own.asc] file://%s bookworm main\n",
                             mirror);
        assert_file(&f, "/deb/etc/apt/sources.list", recipe);
        run("cd %s/deb && cmp etc/apt/keyrings/own.asc %s/key.asc && test -L bin && "
            "test ! -e usr/share/man/man1 && test -e usr/share/doc/systemd/copyright && "
            "test \"$(ls usr/share/doc/systemd)\" = copyright && test -z \"$(ls -A etc/apt/sources.list.d)\"",
            f.pool->path, mirror);
        assert_tidy(&f);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_directory),
        cmocka_unit_test(test_tar),
        cmocka_unit_test(test_raw),
        cmocka_unit_test(test_clone),
        cmocka_unit_test(test_canceled),
        cmocka_unit_test(test_base_twice),
        cmocka_unit_test(test_base_age),
        cmocka_unit_test(test_dnf),
        cmocka_unit_test(test_dnf_failures),
        cmocka_unit_test(test_oci),
        cmocka_unit_test(test_apt),
        cmocka_unit_test(test_no_root),
        cmocka_unit_test(test_incomplete_root),
};

int main(void) {
        int failed;

        enter_mount_namespace();
        if (access("/bin/busybox", X_OK) < 0) {
                (void) fprintf(stderr, "skipped: there is no /bin/busybox\n");
                return 77;
        }
        failed = cmocka_run_group_tests_name("btrfs", tests, setup_btrfs, filesystem_teardown);
        failed += cmocka_run_group_tests_name("ext4", tests, setup_ext4, filesystem_teardown);
        return failed;
}
