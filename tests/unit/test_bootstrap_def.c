/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* BootstrapDef and FirstBootDef as values: words of the command line, checks, comparison. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "xml/container_def.h"

#define KEY "AAAAC3NzaC1lZDI1NTE5AAAAIJb0gxDrl0KZC1cZpVnUoVwyeHvBQRMwCv7Qw5cGf0aB"
#define SUM "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define NS "xmlns:ct='http://ctvirt.org/schemas/container/1.0'"

static void test_tables(void **state) {
        for (int t = BOOTSTRAP_APT; t <= BOOTSTRAP_BASE; t++)
                assert_int_equal(
                        bootstrap_type_from_string(bootstrap_type_to_string((BootstrapType) t)), t);
        for (int v = BOOTSTRAP_VERIFY_SIGNATURE; v <= BOOTSTRAP_VERIFY_NO; v++)
                assert_int_equal(bootstrap_verify_from_string(
                                         bootstrap_verify_to_string((BootstrapVerify) v)),
                                 v);
        assert_int_equal(bootstrap_type_from_string("Apt"), -EINVAL);
        assert_int_equal(bootstrap_type_from_string(""), -EINVAL);
        assert_int_equal(bootstrap_verify_from_string("yes"), -EINVAL);
}

typedef struct Word {
        const char *word;
        BootstrapType type;
        const char *recipe, *release, *source;
} Word;

static const Word words[] = {
        { "debian", BOOTSTRAP_APT, "debian", NULL, NULL },
        { "debian:bookworm", BOOTSTRAP_APT, "debian", "bookworm", NULL },
        { "centos-stream:8-stream", BOOTSTRAP_APT, "centos-stream", "8-stream", NULL },
        { "tar:/srv/a.tar", BOOTSTRAP_TAR, NULL, NULL, "/srv/a.tar" },
        { "tar:/srv//./a b.tar/", BOOTSTRAP_TAR, NULL, NULL, "/srv/a b.tar" },
        { "directory:/srv/a", BOOTSTRAP_DIRECTORY, NULL, NULL, "/srv/a" },
        { "raw:/srv/a.raw", BOOTSTRAP_RAW, NULL, NULL, "/srv/a.raw" },
        { "clone:web", BOOTSTRAP_CLONE, NULL, NULL, "web" },
        { "base:debian-1", BOOTSTRAP_BASE, NULL, NULL, "debian-1" },
        { "https://a/b.tar.xz", BOOTSTRAP_PULL_TAR, NULL, NULL, "https://a/b.tar.xz" },
        { "https://a/b@c.tar", BOOTSTRAP_PULL_TAR, NULL, NULL, "https://a/b@c.tar" },
        { "https://a/b.raw", BOOTSTRAP_PULL_RAW, NULL, NULL, "https://a/b.raw" },
        { "http://a/b.raw.xz", BOOTSTRAP_PULL_RAW, NULL, NULL, "http://a/b.raw.xz" },
        { "https://a/b.qcow2?x=.tar", BOOTSTRAP_PULL_RAW, NULL, NULL, "https://a/b.qcow2?x=.tar" },
        { "https://a/b.tgz#.raw", BOOTSTRAP_PULL_TAR, NULL, NULL, "https://a/b.tgz#.raw" },
        { "docker://quay.io/a/b:1", BOOTSTRAP_OCI, NULL, NULL, "docker://quay.io/a/b:1" },
        { "oci:/srv/app:latest", BOOTSTRAP_OCI, NULL, NULL, "oci:/srv/app:latest" },
        { "oci-archive:/srv/a.tar", BOOTSTRAP_OCI, NULL, NULL, "oci-archive:/srv/a.tar" },
};

static void test_words(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                _cleanup_bootstrap_def_ BootstrapDef *def = NULL;
                const Word *w = &words[i];

                if (bootstrap_def_from_word(w->word, &def, NULL) < 0 || def->type != w->type ||
                    !streq_ptr(def->recipe, w->recipe) || !streq_ptr(def->release, w->release) ||
                    !streq_ptr(def->source, w->source))
                        fail_msg("%s", w->word);
        }
}

static void test_bad_words(void **state) {
        static const char *const bad[] = {
                "",
                ":",
                "debian:",
                ":bookworm",
                "debian:book worm",
                "--help",
                "debian:--help",
                "/srv/a.tar",
                "../debian",
                "tar:",
                "tar:a.tar",
                "tar:/srv/../a.tar",
                "tar:/srv/a\n.tar",
                "dir:/srv/a",
                "ftp://a/b.tar",
                "https://",
                "https:///b.tar",
                "https://a/b c.tar",
                "https://me:secret@a/b.tar",
                "https://me@a",
                "docker://",
                "docker://-nginx",
                "oci:app:latest",
                "clone:../web",
                "clone:",
                "base:",
                "base:../x",
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_bootstrap_def_ BootstrapDef *def = NULL;
                _cleanup_error_ Error *err = NULL;

                if (bootstrap_def_from_word(bad[i], &def, &err) != -EINVAL || def || !err ||
                    !strstr(err->text, "tar:/FILE"))
                        fail_msg("%s", bad[i]);
        }
}

/* What was meant can be told from what was written. */
static void test_slips(void **state) {
        static const struct {
                const char *word, *advice;
        } slips[] = {
                { "nope.tar", "write 'tar:nope.tar'" },
                { "/srv/web.raw", "'raw:/srv/web.raw'" },
                { "docker:nginx:1", "write 'docker://nginx:1'" },
                { "https:host/a.tar", "write 'https://host/a.tar'" },
        };

        for (size_t i = 0; i < ELEMENTSOF(slips); i++) {
                _cleanup_bootstrap_def_ BootstrapDef *def = NULL;
                _cleanup_error_ Error *err = NULL;

                if (bootstrap_def_from_word(slips[i].word, &def, &err) != -EINVAL || !err ||
                    !strstr(err->text, slips[i].advice))
                        fail_msg("%s: %s", slips[i].word, err ? err->text : "accepted");
        }
}

/* What a program built is checked as what a person wrote. */
static void test_check(void **state) {
        char *two[] = { (char[]){ "vim" }, (char[]){ "-o" }, NULL };
        RepositoryDef half = { .id = (char[]){ "x" } };
        BootstrapDef def = { .type = BOOTSTRAP_DNF, .recipe = (char[]){ "fedora" } };
        _cleanup_error_ Error *err = NULL;

        assert_int_equal(bootstrap_def_check(&def, NULL), 0);
        def.packages = two;
        assert_int_equal(bootstrap_def_check(&def, &err), -EINVAL);
        assert_non_null(strstr(err->text, "'-o'"));
        def.packages = NULL;

        def.repositories = &half;
        def.n_repositories = 1;
        assert_int_equal(bootstrap_def_check(&def, NULL), -EINVAL);
        half.url = (char[]){ "http://x/" };
        assert_int_equal(bootstrap_def_check(&def, NULL), 0);
        half.file = (char[]){ "/x.repo" };
        assert_int_equal(bootstrap_def_check(&def, NULL), -EINVAL);
        def.n_repositories = 0;

        def.source = (char[]){ "/a" };
        assert_int_equal(bootstrap_def_check(&def, NULL), -EINVAL);
        def.type = BOOTSTRAP_TAR;
        assert_int_equal(bootstrap_def_check(&def, NULL), 0);
        def.source = (char[]){ "/a/../b" };
        assert_int_equal(bootstrap_def_check(&def, NULL), -EINVAL);
}

/* Each pair differs in one thing; each copy is equal. */
static void test_equal(void **state) {
        static const char *const bodies[] = {
                "<ct:bootstrap type='apt'><ct:recipe name='a'/></ct:bootstrap>",
                "<ct:bootstrap type='dnf'><ct:recipe name='a'/></ct:bootstrap>",
                "<ct:bootstrap type='apt'><ct:recipe name='b'/></ct:bootstrap>",
                "<ct:bootstrap type='apt'><ct:recipe name='a' release='1'/></ct:bootstrap>",
                "<ct:bootstrap type='apt'><ct:recipe name='a' arch='i386'/></ct:bootstrap>",
                "<ct:bootstrap type='apt'><ct:recipe name='a'/><ct:mirror "
                "url='http://a/'/></ct:bootstrap>",
                "<ct:bootstrap type='apt'><ct:recipe name='a'/><ct:package "
                "name='a'/></ct:bootstrap>",
                "<ct:bootstrap type='apt'><ct:recipe name='a'/><ct:repository "
                "file='/a'/></ct:bootstrap>",
                "<ct:bootstrap type='apt'><ct:recipe name='a'/><ct:repository "
                "file='/b'/></ct:bootstrap>",
                "<ct:bootstrap type='apt'><ct:recipe name='a'/><ct:repository id='a' "
                "url='http://a/'/></ct:bootstrap>",
                "<ct:bootstrap type='apt'><ct:recipe name='a'/><ct:verify "
                "mode='no'/></ct:bootstrap>",
                "<ct:bootstrap type='apt'><ct:recipe name='a'/><ct:docs/></ct:bootstrap>",
                "<ct:bootstrap type='apt'><ct:recipe name='a'/><ct:cache use='no'/></ct:bootstrap>",
                "<ct:bootstrap type='tar'><ct:source file='/a'/></ct:bootstrap>",
                "<ct:bootstrap type='tar'><ct:source file='/b'/></ct:bootstrap>",
                "<ct:bootstrap type='tar'><ct:source file='/a'/><ct:verify sha256='" SUM
                "'/></ct:bootstrap>",
                "<ct:firstboot/>",
                "<ct:firstboot><ct:hostname>a</ct:hostname></ct:firstboot>",
                "<ct:firstboot><ct:rootpassword hash='!'/></ct:firstboot>",
                "<ct:firstboot><ct:locale>C</ct:locale></ct:firstboot>",
                "<ct:firstboot><ct:keymap>de</ct:keymap></ct:firstboot>",
                "<ct:firstboot><ct:timezone>UTC</ct:timezone></ct:firstboot>",
                "<ct:firstboot><ct:machineid>uninitialized</ct:machineid></ct:firstboot>",
                "<ct:firstboot><ct:sshkey user='a'>ssh-ed25519 " KEY "</ct:sshkey></ct:firstboot>",
                "<ct:firstboot><ct:sshkey user='b'>ssh-ed25519 " KEY "</ct:sshkey></ct:firstboot>",
                "<ct:firstboot><ct:search domain='a'/></ct:firstboot>",
                "<ct:quota unit='MiB'>1</ct:quota>",
                "<ct:quota unit='MiB'>2</ct:quota>",
                "",
        };
        ContainerDef *defs[ELEMENTSOF(bodies)] = { NULL };

        for (size_t i = 0; i < ELEMENTSOF(bodies); i++) {
                _cleanup_(container_def_freep) ContainerDef *copy = NULL;
                _cleanup_free_ char *xml = NULL;

                assert_true(asprintf(&xml, "<domain type='nspawn' " NS "><name>a</name>%s</domain>",
                                     bodies[i]) > 0);
                assert_int_equal(
                        container_def_parse(xml, strlen(xml), "x", 0, &defs[i], NULL, NULL), 0);
                copy = container_def_copy(defs[i]);
                assert_non_null(copy);
                assert_true(container_def_equal(copy, defs[i]));
        }
        for (size_t i = 0; i < ELEMENTSOF(bodies); i++)
                for (size_t j = 0; j < ELEMENTSOF(bodies); j++)
                        if (container_def_equal(defs[i], defs[j]) != (i == j))
                                fail_msg("%s and %s", bodies[i], bodies[j]);
        for (size_t i = 0; i < ELEMENTSOF(bodies); i++)
                container_def_free(defs[i]);
}

static void test_password_hash(void **state) {
        static const char *const good[] = {
                "!",
                "*",
                "!*",
                "$1$salt$hash",
                "$6$rounds=5000$salt$ha.sh/",
                "$2b$12$abcdefghijklmnopqrstuv",
                "$y$j9T$salt$hash",
                "$7$CU..../....salt$hash",
                "!$y$j9T$salt$hash",
        };
        static const char *const bad[] = {
                "",           "password", "!!",       "!x",       "$",
                "$6",         "$6$",      "$6$salt",  "$6$salt$", "$$6$salt$hash",
                "$6$s:t$h",   "$6$s$h:",  "$6$s$h\n", "$6$s$h h", "$6$s$h\\",
                "$6$s$h\xc3", "$6$s$h;x", "**",       "!!$6$s$h", "abcdefghijklm",
        };

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                if (!password_hash_is_valid(good[i]))
                        fail_msg("%s", good[i]);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                if (password_hash_is_valid(bad[i]))
                        fail_msg("%s", bad[i]);
}

static void test_ssh_keys(void **state) {
        static const char *const good[] = {
                "ssh-ed25519 " KEY,
                "ssh-rsa " KEY "== a comment of words",
                "sk-ssh-ed25519@openssh.com " KEY " me@x",
                "no-pty ecdsa-sha2-nistp256 " KEY,
                "command=\"a \\\"b\\\" c\",no-pty ssh-ed25519 " KEY,
        };
        static const char *const bad[] = {
                "",
                "ssh-ed25519",
                "ssh-ed25519 ",
                "ssh-ed25519 AAAA",
                "ssh-ed25519 B" KEY,
                "ssh-ed25519 " KEY "!",
                "ssh-ed25519 " KEY "\nssh-ed25519 " KEY,
                KEY,
                "command=\"a ssh-ed25519 " KEY,
                "-----BEGIN OPENSSH PRIVATE KEY-----",
        };
        SshKeyDef key = { .user = (char[]){ "root" } };
        FirstBootDef def = { .ssh_keys = &key, .n_ssh_keys = 1 };

        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                key.key = (char *) good[i];
                if (first_boot_def_check(&def, NULL) != 0)
                        fail_msg("%s", good[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                key.key = (char *) bad[i];
                if (first_boot_def_check(&def, NULL) != -EINVAL)
                        fail_msg("%s", bad[i]);
        }
}

/* Neither a password nor a key that was put in the wrong place comes out in a message. */
static void test_secrets(void **state) {
        static const char *const bodies[] = {
                "<ct:rootpassword hash='Geheimnis'/>",
                "<ct:sshkey user='root'>Geheimnis</ct:sshkey>",
        };

        for (size_t i = 0; i < ELEMENTSOF(bodies); i++) {
                _cleanup_error_ Error *err = NULL;
                _cleanup_free_ char *xml = NULL;
                ContainerDef *def = NULL;

                assert_true(asprintf(&xml,
                                     "<domain type='nspawn' " NS "><name>a</name>"
                                     "<ct:firstboot>%s</ct:firstboot></domain>",
                                     bodies[i]) > 0);
                assert_int_equal(container_def_parse(xml, strlen(xml), "x", 0, &def, NULL, &err),
                                 -EINVAL);
                assert_null(strstr(err->text, "Geheimnis"));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_tables),        cmocka_unit_test(test_words),
                cmocka_unit_test(test_bad_words),     cmocka_unit_test(test_slips),
                cmocka_unit_test(test_check),         cmocka_unit_test(test_equal),
                cmocka_unit_test(test_password_hash), cmocka_unit_test(test_ssh_keys),
                cmocka_unit_test(test_secrets),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
