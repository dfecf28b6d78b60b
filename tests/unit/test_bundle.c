/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Bundles: a container goes into one file and comes out of it; damaged and made-up ones do not.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "agent/pool/bundle.h"
#include "agent/pool/bundle_adopt.h"
#include "tar_builder.h"
#include "temp_root.h"
#include "test_tree.h"

#define DEFINITION "<domain type='nspawn'>\n  <name>web</name>\r\n\t&amp;]]></domain>\n"

static const ArchiveLimits *const limits = &archive_default_limits;

static const BundleInfo web = {
        .name = (char *) "web",
        .definition = (char *) DEFINITION,
        .created_usec = UINT64_C(1700000000) * 1000000,
};

static char *export_bundle(const char *tree, Compression compression, size_t *ret_size) {
        _cleanup_close_ int fd = tree_memory_file(), tree_fd = tree_open(tree);
        _cleanup_error_ Error *err = NULL;
        char *data;

        if (bundle_export(tree_fd, &web, fd, compression, NULL, &err) < 0)
                fail_msg("%s", err->text);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        assert_int_equal(read_stream(fd, 64 * 1024 * 1024, &data, ret_size), 0);
        return data;
}

static int import_bundle(const char *data, size_t size, const char *tree, BundleInfo *ret,
                         char **ret_text) {
        _cleanup_close_ int fd = tree_memory_file(), tree_fd = tree_open(tree);
        _cleanup_error_ Error *err = NULL;
        int r;

        assert_int_equal(write(fd, data, size), (ssize_t) size);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        r = bundle_import(fd, tree_fd, limits, NULL, NULL, ret, NULL, &err);
        assert_true(r == 0 || (err && err->code == -r));
        if (ret_text)
                *ret_text = r < 0 ? strdup(err->text) : NULL;
        return r;
}

/* As above, into a tree of its own; what is said. */
static int try_import(const char *data, size_t size, char **ret_text) {
        _cleanup_bundle_info_ BundleInfo info = { 0 };
        _cleanup_root_ char *tree = temp_root_new();
        int r = import_bundle(data, size, tree, &info, ret_text);

        assert_true(r == 0 || (!info.name && !info.definition));
        return r;
}

static void test_roundtrip(void **state) {
        _cleanup_root_ char *from = temp_root_new();
        _cleanup_free_ char *before = NULL;

        tree_fill(from);
        before = tree_list(from);
        for (int c = COMPRESSION_NONE; c <= COMPRESSION_ZSTD; c++) {
                _cleanup_bundle_info_ BundleInfo info = { 0 };
                _cleanup_root_ char *to = temp_root_new();
                _cleanup_free_ char *data = NULL, *after = NULL, *text = NULL;
                size_t size;

                data = export_bundle(from, (Compression) c, &size);
                if (import_bundle(data, size, to, &info, &text) < 0)
                        fail_msg("%s", text);
                assert_string_equal(info.name, "web");
                assert_string_equal(info.definition, DEFINITION);
                assert_int_equal(info.created_usec, web.created_usec);
                after = tree_list(to);
                assert_string_equal(before, after);
        }
}

/* Any tar reads it, and sha256sum says the same. */
static void test_digest(void **state) {
        _cleanup_root_ char *from = temp_root_new();
        _cleanup_free_ char *data = NULL;
        uint8_t digest[crypto_hash_sha256_BYTES];
        char text[sizeof(digest) * 2 + 1];
        const char *header;
        size_t size;

        temp_root_write(from, "/file", "content");
        data = export_bundle(from, COMPRESSION_NONE, &size);
        header = memmem(data, size, "ctvirt-bundle.sha256", 20);
        assert_non_null(header);
        (void) crypto_hash_sha256(digest, (const uint8_t *) data, (size_t) (header - data));
        assert_non_null(sodium_bin2hex(text, sizeof(text), digest, sizeof(digest)));
        assert_memory_equal(header + TAR_BLOCK, text, sizeof(text) - 1);
        assert_int_equal(header[TAR_BLOCK + sizeof(text) - 1], '\n');
}

static void test_truncated(void **state) {
        _cleanup_root_ char *from = temp_root_new();
        size_t size;

        temp_root_write(from, "/file", "content");
        for (int c = COMPRESSION_NONE; c <= COMPRESSION_ZSTD; c++) {
                _cleanup_free_ char *data = export_bundle(from, (Compression) c, &size);

                for (size_t n = 0; n + 512 < size; n += c == COMPRESSION_NONE ? 256 : 13)
                        assert_int_equal(try_import(data, n, NULL), -EBADMSG);
        }
}

/* Each bit of it counts, but those behind the digest. */
static void test_flipped(void **state) {
        _cleanup_root_ char *from = temp_root_new();
        _cleanup_free_ char *data = NULL;
        size_t size, end;

        temp_root_write(from, "/file", "content");
        data = export_bundle(from, COMPRESSION_NONE, &size);
        end = (size_t) ((const char *) memmem(data, size, "ctvirt-bundle.sha256", 20) - data);
        for (size_t i = 0; i < end + TAR_BLOCK + 65; i += i < end ? 61 : 7) {
                int r;

                /* Of the last header only name, size, checksum and kind mean something. */
                if (i >= end + 20 && i < end + TAR_BLOCK)
                        continue;
                data[i] ^= 4;
                r = try_import(data, size, NULL);
                if (r == 0)
                        fail_msg("byte %zu of %zu", i, size);
                data[i] ^= 4;
        }
        assert_int_equal(try_import(data, size, NULL), 0);
}

#define XML_HEAD "<ctvirt-bundle version='1'><name>web</name><creationTime>1</creationTime>"
#define XML XML_HEAD "<definition>x</definition></ctvirt-bundle>"

typedef struct Case {
        TarEntry entries[6];
        int result;
        const char *text;
} Case;

/* "DIGEST" as content is the right one. */
static const Case cases[] = {
        { { { "ctvirt-bundle.xml", .content = XML },
            { "root/", '5' },
            { "ctvirt-bundle.sha256", .content = "DIGEST" } },
          0 },
        { { { "root/", '5' },
            { "ctvirt-bundle.xml", .content = XML },
            { "ctvirt-bundle.sha256", .content = "DIGEST" } },
          -EBADMSG,
          "entry \"root/\": this is not a bundle" },
        { { { "ctvirt-bundle.xml", .content = XML },
            { "root/", '5' },
            { "ctvirt-bundle.xml", .content = XML },
            { "ctvirt-bundle.sha256", .content = "DIGEST" } },
          -EBADMSG,
          "does not belong into a bundle twice" },
        { { { "ctvirt-bundle.xml", .content = XML },
            { "root/", '5' },
            { "ctvirt-bundle.sha256", .content = "DIGEST" },
            { "ctvirt-bundle.sha256", .content = "DIGEST" } },
          -EBADMSG,
          "stands behind" },
        { { { "ctvirt-bundle.xml", .content = XML },
            { "root/", '5' },
            { "ctvirt-bundle.sha256", .content = "DIGEST" },
            { "root/f", .content = "x" } },
          -EBADMSG,
          "stands behind" },
        { { { "ctvirt-bundle.xml", .content = XML },
            { "root/", '5' },
            { "root/", '5' },
            { "ctvirt-bundle.sha256", .content = "DIGEST" } },
          -EBADMSG,
          "more than once" },
        { { { "ctvirt-bundle.xml", .content = XML },
            { "root/f", .content = "x" },
            { "ctvirt-bundle.sha256", .content = "DIGEST" } },
          -EBADMSG,
          "\"root/\" should stand before it" },
        { { { "ctvirt-bundle.xml", .content = XML }, { "root/", '5' } },
          -EBADMSG,
          "ctvirt-bundle.sha256 at its end is missing" },
        { { { "ctvirt-bundle.xml", .content = XML },
            { "root/", '5' },
            { "other", .content = "x" },
            { "ctvirt-bundle.sha256", .content = "DIGEST" } },
          -EBADMSG,
          "entry \"other\": it does not belong" },
        { { { "ctvirt-bundle.xml", .content = XML },
            { "root/", '5' },
            { "root/../f", .content = "x" },
            { "ctvirt-bundle.sha256", .content = "DIGEST" } },
          -EPERM,
          "leads out of the tree" },
        { { { "ctvirt-bundle.xml", .content = XML },
            { "root/", '5' },
            { "root/h", '1', "ctvirt-bundle.xml" } },
          -EPERM,
          "a hard link to outside of the tree" },
        { { { "ctvirt-bundle.xml", .content = XML },
            { "root/", '5' },
            { "ctvirt-bundle.sha256",
              .content = "0123456789012345678901234567890123456789012345678901234567890123\n" } },
          -EBADMSG,
          "another SHA-256" },
        { { { "ctvirt-bundle.xml", .content = XML },
            { "root/", '5' },
            { "ctvirt-bundle.sha256", '2', "/etc/passwd" } },
          -EBADMSG,
          "its kind or size" },
        { { { "ctvirt-bundle.xml", '2', "/etc/passwd" } }, -EBADMSG, "its kind or size" },
        { { { "ctvirt-bundle.xml", .size_text = "77777777777" } }, -EBADMSG, "its kind or size" },
        { { { "ctvirt-bundle.xml", .content = "<ctvirt-bundle version='2'/>" } },
          -EPROTONOSUPPORT,
          "version 2" },
        { { { "ctvirt-bundle.xml", .content = "<ctvirt-bundle/>" } }, -EBADMSG, "version" },
        { { { "ctvirt-bundle.xml", .content = "<domain version='1'/>" } },
          -EBADMSG,
          "not a bundle" },
        { { { "ctvirt-bundle.xml", .content = XML_HEAD "</ctvirt-bundle>" } },
          -EBADMSG,
          "missing element <definition>" },
        { { { "ctvirt-bundle.xml",
              .content = "<ctvirt-bundle version='1'><name>../x</name></ctvirt-bundle>" } },
          -EBADMSG,
          "the name of a container" },
        { { { "ctvirt-bundle.xml", .content = "no XML" } }, -EBADMSG, "" },
};

static void check_case(const Case *c) {
        _cleanup_free_ char *data = NULL, *text = NULL;
        uint8_t digest[crypto_hash_sha256_BYTES];
        char hex[sizeof(digest) * 2 + 2];
        size_t size;
        FILE *f = open_memstream(&data, &size);
        int r;

        for (size_t i = 0; i < ELEMENTSOF(c->entries) && c->entries[i].name; i++) {
                TarEntry e = c->entries[i];

                if (streq_ptr(e.content, "DIGEST")) {
                        assert_int_equal(fflush(f), 0);
                        (void) crypto_hash_sha256(digest, (const uint8_t *) data, size);
                        (void) sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest));
                        memcpy(hex + sizeof(digest) * 2, "\n", 2);
                        e.content = hex;
                }
                tar_put(f, e);
        }
        tar_end(f);
        assert_int_equal(fclose(f), 0);
        r = try_import(data, size, &text);
        if (r != c->result || (r < 0 && !strstr(text, c->text)))
                fail_msg("\"%s\" is not \"%s\" (%s)", text ? text : "", c->text, strerror(-r));
}

static void test_cases(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                check_case(&cases[i]);
}

/* What could not be imported is not exported. */
static void test_bad_info(void **state) {
        static const BundleInfo infos[] = {
                { .name = (char *) "../x", .definition = (char *) "x" },
                { .name = (char *) "web", .definition = (char *) "\x01" },
                { .name = (char *) "web", .definition = (char *) "\xff" },
        };
        _cleanup_root_ char *tree = temp_root_new();
        _cleanup_close_ int tree_fd = tree_open(tree);

        for (size_t i = 0; i < ELEMENTSOF(infos); i++) {
                _cleanup_close_ int fd = tree_memory_file();
                _cleanup_error_ Error *err = NULL;

                assert_int_equal(
                        bundle_export(tree_fd, &infos[i], fd, COMPRESSION_NONE, NULL, &err),
                        -EINVAL);
                assert_non_null(strstr(err->text, "what the bundle says of itself: "));
                assert_int_equal(lseek(fd, 0, SEEK_END), 0);
        }
}

static ContainerDef *parse(void) {
        static const char xml[] =
                "<domain type='nspawn' xmlns:ct='" CONTAINER_NAMESPACE "'><name>web</name>"
                "<uuid>01234567-89ab-cdef-0123-456789abcdef</uuid>"
                "<idmap><uid start='0' target='1048576' count='65536'/>"
                "<gid start='0' target='1048576' count='65536'/></idmap>"
                "<os><type>exe</type></os><devices>"
                "<filesystem type='mount'><source dir='/srv/web'/><target dir='/'/></filesystem>"
                "<interface type='network'><source network='default'/>"
                "<mac address='52:54:00:01:02:03'/></interface></devices>"
                "<ct:firstboot><ct:hostname>www</ct:hostname>"
                "<ct:machineid>0123456789abcdef0123456789abcdef</ct:machineid></ct:firstboot>"
                "</domain>";
        _cleanup_error_ Error *err = NULL;
        ContainerDef *def = NULL;

        if (container_def_parse(xml, strlen(xml), "web.xml", 0, &def, NULL, &err) < 0)
                fail_msg("%s", err->text);
        return def;
}

static void test_adopt(void **state) {
        _cleanup_(container_def_freep) ContainerDef *copy = parse(), *moved = parse(),
                                                    *bad = parse(), *same = parse();

        assert_int_equal(bundle_adopt(copy, "web2", 0), 0);
        assert_string_equal(copy->name, "web2");
        assert_string_equal(container_def_root(copy), "/var/lib/machines/web2");
        assert_false(copy->has_uuid || copy->idmap.present || copy->interfaces[0].has_mac);
        assert_null(copy->first_boot->machine_id);
        assert_null(copy->first_boot->hostname);

        assert_int_equal(bundle_adopt(moved, NULL, BUNDLE_ADOPT_MOVED), 0);
        assert_string_equal(moved->name, "web");
        assert_string_equal(container_def_root(moved), "/var/lib/machines/web");
        assert_true(moved->has_uuid && moved->interfaces[0].has_mac);
        assert_false(moved->idmap.present);
        assert_non_null(moved->first_boot->machine_id);
        assert_string_equal(moved->first_boot->hostname, "www");

        assert_int_equal(bundle_adopt(bad, "../x", 0), -EINVAL);
        assert_true(container_def_equal(bad, same));
}

static void test_machine_id(void **state) {
        _cleanup_root_ char *root = temp_root_new(), *empty = temp_root_new(),
                            *evil = temp_root_new();
        _cleanup_free_ char *id = NULL, *copy = NULL, *target = NULL;
        _cleanup_close_ int root_fd = tree_open(root), empty_fd = tree_open(empty),
                            evil_fd = tree_open(evil);
        _cleanup_error_ Error *err = NULL;

        temp_root_write(root, "/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
        temp_root_write(root, "/var/lib/dbus/machine-id", "0123456789abcdef0123456789abcdef\n");
        assert_int_equal(bundle_reset_machine_id(root_fd, NULL), 0);
        id = temp_root_read(root, "/etc/machine-id");
        copy = temp_root_read(root, "/var/lib/dbus/machine-id");
        assert_string_equal(id, "");
        assert_null(copy);

        assert_int_equal(bundle_reset_machine_id(empty_fd, NULL), 0);

        /* Its folder, and then the file, is one of the host. */
        temp_root_write(root, "/etc/machine-id", "the host's");
        temp_root_link(evil, "/etc", root);
        assert_int_equal(bundle_reset_machine_id(evil_fd, &err), -ELOOP);
        assert_string_equal(err->text,
                            "the folder /etc of the tree: a symbolic link is on the way");
        target = text_format("%s/etc/machine-id", root);
        temp_root_link(empty, "/etc/machine-id", target);
        assert_int_equal(bundle_reset_machine_id(empty_fd, NULL), 0);
        free(id);
        id = temp_root_read(root, "/etc/machine-id");
        assert_string_equal(id, "the host's");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_roundtrip), cmocka_unit_test(test_digest),
                cmocka_unit_test(test_truncated), cmocka_unit_test(test_flipped),
                cmocka_unit_test(test_cases),     cmocka_unit_test(test_bad_info),
                cmocka_unit_test(test_adopt),     cmocka_unit_test(test_machine_id),
        };

        if (geteuid() != 0) {
                (void) fputs("needs root\n", stderr);
                return 77;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
