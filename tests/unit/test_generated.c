/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Generated files. Golden files: each tests/golden/units/NAME.xml becomes NAME.nspawn and, with
 * systemd 252 and 257, the other files in NAME.252.out and NAME.257.out. CTVIRT_REGENERATE=1 writes
 * what comes out instead of comparing it; look at the difference before you commit it.
 */

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "temp_root.h"
#include "units/generated.h"
#include "units/kept_files.h"
#include "units/nspawn_file.h"
#include "units/unit_bridges.h"

#define FOLDER CTVIRT_SOURCE_DIR "/tests/golden/units"

#define NSPAWN "/etc/systemd/nspawn/web.nspawn"
#define DROPIN_FOLDER "/etc/systemd/system/systemd-nspawn@web.service.d"
#define DROPIN DROPIN_FOLDER "/50-ctvirt.conf"
#define KEPT_FOLDER "/run/systemd/system/systemd-nspawn@web.service.d"
#define KEPT KEPT_FOLDER "/50-ctvirt.conf"
#define KEPT_NSPAWN "/run/systemd/nspawn/web.nspawn"
#define NETWORK "/var/lib/machines/web/etc/systemd/network"
#define DROPIN_CHANGED (GENERATED_UNIT_CHANGED | GENERATED_DROPIN_CHANGED)
#define HOST0 NETWORK "/20-ctvirt-host0.network"

DEFINE_CLEANUP(DIR *, closedir)

/* The host on which nspawn gave 56:14:11:df:2d:59 to "mytest". */
static const MachineId machine_id = { { 0x3d, 0x12, 0x19, 0xc7, 0xc4, 0xc5, 0x40, 0x4a, 0xaa, 0x1f,
                                        0x6d, 0x2a, 0x48, 0xad, 0xfd, 0xa4 } };

static const char *bridge_of(const InterfaceDef *i) {
        if (i->type == INTERFACE_TYPE_BRIDGE)
                return i->source;
        if (streq(i->source, "default"))
                return "virbr0";
        return streq(i->source, "lan") ? "virbr1" : "";
}

static void input_init(GeneratedInput *in, const ContainerDef *def, unsigned version) {
        *in = (GeneratedInput){ .def = def, .systemd_version = version, .machine_id = &machine_id };
        for (size_t i = 0; i < def->n_interfaces; i++)
                if (def->interfaces[i].type != INTERFACE_TYPE_DIRECT)
                        assert_int_equal(strv_extend(&in->bridges, bridge_of(&def->interfaces[i])),
                                         0);
}

static ContainerDef *parse(const char *xml) {
        ContainerDef *def = NULL;
        Error *err = NULL;

        if (container_def_parse(xml, strlen(xml), "test.xml", 0, &def, NULL, &err) < 0)
                fail_msg("%s", err->text);
        return def;
}

/* Golden files */

static bool expect(const char *name, const char *suffix, const char *text) {
        _cleanup_free_ char *path = text_format(FOLDER "/%s%s", name, suffix), *wanted = NULL;

        if (getenv("CTVIRT_REGENERATE"))
                return write_file_at(AT_FDCWD, path, text, strlen(text), 0644, WRITE_IF_CHANGED) >=
                       0;

        (void) read_file_at(AT_FDCWD, path, 1024 * 1024, false, &wanted, NULL);
        if (streq_ptr(wanted, text))
                return true;
        print_error("%s%s: wanted:\n%s\ngot:\n%s\n", name, suffix, wanted ? wanted : "(no file)",
                    text);
        return false;
}

static char *other_files(const GeneratedInput *in) {
        _cleanup_free_ char *dropin = NULL;
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        assert_int_equal(generated_dropin_format(in, &dropin), 0);
        fprintf(f, "==> drop-in <==\n%s", dropin ? dropin : "(none)\n");
        for (size_t i = 0; i < in->def->n_interfaces; i++) {
                _cleanup_free_ char *network = NULL, *link = generated_link_inside(in->def, i);

                assert_int_equal(generated_network_format(in, i, &network), 0);
                fprintf(f, "\n==> %s <==\n%s", link, network ? network : "(none)\n");
        }
        assert_int_equal(fclose(f), 0);
        return text;
}

static bool check_version(const char *name, const ContainerDef *def, unsigned version) {
        _cleanup_free_ char *suffix = text_format(".%u.out", version), *text = NULL;
        GeneratedInput in;
        bool good;

        input_init(&in, def, version);
        text = other_files(&in);
        good = expect(name, suffix, text);
        strv_free(in.bridges);
        return good;
}

/* What the parser finds in the file is what was meant. */
static void check_read_back(const GeneratedInput *in, const char *text) {
        _cleanup_(nspawn_file_freep) NspawnFile *f = NULL;

        assert_int_equal(nspawn_file_parse(text, strlen(text), "x", true, &f), 0);
        assert_true(f->generated);
        assert_true(f->has_network);
        assert_int_equal(f->has_uid_range, in->def->idmap.present);
        assert_int_equal(f->uid_base, in->def->idmap.base);
        for (char **b = in->bridges; b && *b; b++)
                assert_int_equal(strv_contains(f->bridges, *b), **b != '\0');
        for (size_t i = 0; i < in->def->n_interfaces; i++)
                if (in->def->interfaces[i].type == INTERFACE_TYPE_NETWORK)
                        assert_true(strv_contains(f->networks, in->def->interfaces[i].source));
}

static bool check_golden(const char *name) {
        _cleanup_(container_def_freep) ContainerDef *def = NULL;
        _cleanup_free_ char *path = text_format(FOLDER "/%s.xml", name), *xml = NULL, *text = NULL;
        GeneratedInput in;
        bool good;
        int r;

        assert_int_equal(read_file_at(AT_FDCWD, path, 1024 * 1024, false, &xml, NULL), 0);
        def = parse(xml);
        input_init(&in, def, 252);
        r = generated_nspawn_format(&in, &text);
        if (startswith(name, "bad-")) {
                strv_free(in.bridges);
                return r == -EINVAL;
        }
        assert_int_equal(r, 0);
        check_read_back(&in, text);
        strv_free(in.bridges);
        good = expect(name, ".nspawn", text);
        good = check_version(name, def, 252) && good;
        return check_version(name, def, 257) && good;
}

static void test_golden(void **state) {
        _cleanup_(closedirp) DIR *dir = opendir(FOLDER);
        const struct dirent *e;
        size_t n = 0, n_bad = 0;

        assert_non_null(dir);
        while ((e = readdir(dir))) {
                _cleanup_free_ char *name = NULL;

                if (!endswith(e->d_name, ".xml"))
                        continue;
                name = strndup(e->d_name, strlen(e->d_name) - strlen(".xml"));
                n++;
                if (!check_golden(name)) {
                        print_error("%s: bad\n", name);
                        n_bad++;
                }
        }
        assert_true(n > 10);
        assert_int_equal(n_bad, 0);
}

/* Writing */

#define WEB(inside)                                                                                \
        "<domain type='nspawn'><name>web</name>"                                                   \
        "<uuid>11111111-2222-4333-8444-555555555555</uuid>" inside "</domain>"
#define NIC(network)                                                                               \
        "<devices><interface type='network'><mac address='52:54:00:00:00:01'/>"                    \
        "<source network='" network "'/></interface></devices>"

static int write_xml(const char *root, const char *xml, Error **err) {
        _cleanup_(container_def_freep) ContainerDef *def = parse(xml);
        GeneratedInput in;
        int r;

        input_init(&in, def, 252);
        r = generated_write(root, &in, err);
        strv_free(in.bridges);
        return r;
}

static void make_root(const char *root) {
        temp_root_write(root, "/var/lib/machines/web/etc/hostname", "web\n");
}

static bool exists(const char *root, const char *path) {
        _cleanup_free_ char *file = text_format("%s%s", root, path);
        struct stat st;

        return lstat(file, &st) >= 0;
}

static void test_write(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_strv_ char **names = NULL;
        _cleanup_unit_bridges_ UnitBridges bridges = { 0 };

        make_root(root);
        assert_int_equal(write_xml(root, WEB("<vcpu>2</vcpu>" NIC("default")), NULL),
                         DROPIN_CHANGED | GENERATED_CONTENT_CHANGED);
        assert_true(exists(root, NSPAWN));
        assert_true(exists(root, DROPIN));
        assert_true(exists(root, HOST0));
        assert_int_equal(write_xml(root, WEB("<vcpu>2</vcpu>" NIC("default")), NULL), 0);

        assert_int_equal(unit_bridges_load(root, "web", &bridges), 0);
        assert_true(bridges.generated);
        assert_string_equal(bridges.bridges[0], "virbr0");
        assert_int_equal(generated_list(root, &names), 0);
        assert_int_equal(strv_length(names), 1);
        assert_string_equal(names[0], "web");
}

/* The agent was killed while it wrote. */
static void test_interrupted(void **state) {
        static const char ours[] = NETWORK "/.#20-ctvirt-host0.network.0123456789abcdef",
                          editors[] = NETWORK "/.#20-ctvirt-host0.network";
        _cleanup_root_ char *root = temp_root_new();

        make_root(root);
        temp_root_write(root, ours, "[Match]\n");
        temp_root_write(root, editors, "[Match]\n");
        assert_true(write_xml(root, WEB(NIC("default")), NULL) > 0);
        assert_true(exists(root, HOST0));
        assert_false(exists(root, ours));
        assert_true(exists(root, editors));
}

static void test_change(void **state) {
        _cleanup_root_ char *root = temp_root_new();

        make_root(root);
        assert_true(write_xml(root, WEB("<vcpu>2</vcpu>" NIC("default")), NULL) > 0);
        /* The unit only. */
        assert_int_equal(write_xml(root, WEB("<vcpu>3</vcpu>" NIC("default")), NULL),
                         DROPIN_CHANGED);
        assert_int_equal(write_xml(root, WEB(NIC("default")), NULL), DROPIN_CHANGED);
        assert_false(exists(root, DROPIN_FOLDER));
        /* The .nspawn file only: other bridges are the unit's matter as well. */
        assert_int_equal(
                write_xml(root, WEB("<features><privnet/></features>" NIC("default")), NULL), 0);
        assert_int_equal(write_xml(root,
                                   WEB("<os><type>exe</type><init>/x</init></os>" NIC("default")),
                                   NULL),
                         GENERATED_CONTENT_CHANGED);
        assert_int_equal(write_xml(root, WEB(NIC("lan")), NULL),
                         GENERATED_UNIT_CHANGED | GENERATED_CONTENT_CHANGED);
        /* A network file that is not needed any more. */
        assert_int_equal(write_xml(root, WEB(""), NULL),
                         GENERATED_UNIT_CHANGED | GENERATED_CONTENT_CHANGED);
        assert_false(exists(root, HOST0));
}

static void test_no_root(void **state) {
        _cleanup_root_ char *root = temp_root_new();

        assert_true(write_xml(root, WEB(NIC("default")), NULL) > 0);
        assert_false(exists(root, "/var/lib/machines"));
        make_root(root);
        assert_int_equal(write_xml(root, WEB(NIC("default")), NULL), GENERATED_CONTENT_CHANGED);
        assert_true(exists(root, HOST0));
}

static void test_foreign(void **state) {
        static const char *const files[] = { NSPAWN, DROPIN, HOST0 };

        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                _cleanup_root_ char *root = temp_root_new();
                _cleanup_free_ char *content = NULL;
                _cleanup_error_ Error *err = NULL;

                make_root(root);
                temp_root_write(root, files[i], "# mine\n");
                assert_int_equal(write_xml(root, WEB("<vcpu>2</vcpu>" NIC("default")), &err),
                                 -EEXIST);
                assert_non_null(strstr(err->text, "was not written by ctvirt"));
                assert_non_null(strstr(err->text, strrchr(files[i], '/')));
                for (size_t n = 0; n < ELEMENTSOF(files); n++)
                        assert_int_equal(exists(root, files[n]), n == i);

                /* Nor is it removed. */
                assert_int_equal(generated_remove(root, "web", NULL, NULL), 0);
                content = temp_root_read(root, files[i]);
                assert_string_equal(content, "# mine\n");
        }
}

/* A symlink is not ours, wherever it leads. */
static void test_foreign_symlink(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_free_ char *target = text_format("%s/target", root);

        temp_root_write(root, "/target", GENERATED_MARK "\n");
        temp_root_link(root, NSPAWN, target);
        assert_int_equal(write_xml(root, WEB(""), NULL), -EEXIST);
        assert_int_equal(generated_remove(root, "web", NULL, NULL), 0);
        assert_true(exists(root, NSPAWN));
}

#define AT_ROOT(path)                                                                              \
        WEB("<devices><filesystem type='mount'><source dir='" path "'/><target dir='/'/>"          \
            "</filesystem><interface type='network'><mac address='52:54:00:00:00:01'/>"            \
            "<source network='default'/></interface></devices>")

static void test_places(void **state) {
        static const struct {
                const char *xml;
                int r;
        } rows[] = {
                { AT_ROOT("/"), -EPERM },
                { AT_ROOT("/srv/link/web"), -ELOOP },
                { AT_ROOT("/srv/file"), -ENOTDIR },
                { AT_ROOT("/srv/pool/web"), 0 },
                /* The pool itself may be a symlink. */
                { AT_ROOT("/var/lib/machines/web"), 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_root_ char *root = temp_root_new();
                _cleanup_error_ Error *err = NULL;
                int r;

                temp_root_write(root, "/srv/pool/web/etc/hostname", "web\n");
                temp_root_write(root, "/srv/file", "");
                temp_root_link(root, "/srv/link", "pool");
                temp_root_link(root, "/var/lib/machines", "../../srv/pool");
                r = write_xml(root, rows[i].xml, &err);
                assert_int_equal(r < 0 ? r : 0, rows[i].r);
                assert_int_equal(exists(root, "/srv/pool/web/etc/systemd/network"), r >= 0);
                assert_false(exists(root, "/etc/systemd/network"));
                assert_int_equal(exists(root, NSPAWN), r >= 0);
        }
}

/* Five bytes for each quote. */
static void test_too_large(void **state) {
        _cleanup_free_ char *quotes = calloc(1, 250000), *xml = NULL;
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_error_ Error *err = NULL;

        memset(quotes, '"', 249999);
        xml = text_format(WEB("<os><type>exe</type><initenv name='A'>%s</initenv></os>"), quotes);
        assert_int_equal(write_xml(root, xml, &err), -EFBIG);
        assert_non_null(strstr(err->text, "too large"));
        assert_false(exists(root, NSPAWN));
}

static void test_tricks(void **state) {
        static const struct {
                const char *what;
                const char *link;
                const char *target;
                int r;
        } rows[] = {
                { "root", "/var/lib/machines/web", "/tmp", -ELOOP },
                { "etc out of the root", "/var/lib/machines/web/etc", "../../../../outside",
                  -ELOOP },
                { "etc absolute", "/var/lib/machines/web/etc", "/etc", -ELOOP },
                { "systemd", "/var/lib/machines/web/etc/systemd", "/etc/systemd", -ELOOP },
                { "network", NETWORK, "/etc/systemd/network", -ELOOP },
                { "network within the root", NETWORK, "../../usr", -ELOOP },
                { "nowhere", NETWORK, "nowhere", -ELOOP },
                { "the file itself", HOST0, "/etc/passwd", -EEXIST },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_root_ char *root = temp_root_new();
                _cleanup_error_ Error *err = NULL;

                temp_root_link(root, rows[i].link, rows[i].target);
                if (write_xml(root, WEB(NIC("default")), &err) != rows[i].r)
                        fail_msg("%s", rows[i].what);
                assert_non_null(err);
                assert_false(exists(root, "/etc"));
                assert_false(exists(root, "/outside"));
                assert_int_equal(generated_remove(root, "web", NULL, NULL), 0);
                assert_true(exists(root, rows[i].link));
        }
}

static void test_other_kinds(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_free_ char *fifo = text_format("%s" HOST0, root);

        temp_root_prepare(fifo);
        assert_int_equal(mkfifo(fifo, 0600), 0);
        assert_int_equal(write_xml(root, WEB(NIC("default")), NULL), -EEXIST);
        assert_int_equal(unlink(fifo), 0);

        temp_root_write(root, "/var/lib/machines/web/etc/systemd/network/20-ctvirt-mv-x.network",
                        "# mine\n");
        assert_true(write_xml(root, WEB(NIC("default")), NULL) > 0);
        assert_true(generated_remove(root, "web", NULL, NULL) > 0);
        assert_true(exists(root, NETWORK "/20-ctvirt-mv-x.network"));
        assert_false(exists(root, HOST0));
}

/* A tree that belongs to a shifted root: so do the files that we make in it. */
static void test_owner(void **state) {
        static const char *const made[] = { "/etc", "/etc/systemd", "/etc/systemd/network",
                                            "/etc/systemd/network/20-ctvirt-host0.network" };
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_free_ char *tree = text_format("%s/var/lib/machines/web", root);

        if (geteuid() != 0)
                skip();
        assert_int_equal(make_directories(tree, 0755), 0);
        assert_int_equal(chown(tree, 524288, 524289), 0);
        assert_true(write_xml(root, WEB(NIC("default")), NULL) > 0);
        for (size_t i = 0; i < ELEMENTSOF(made); i++) {
                _cleanup_free_ char *path = text_format("%s%s", tree, made[i]);
                struct stat st;

                assert_int_equal(lstat(path, &st), 0);
                assert_int_equal(st.st_uid, 524288);
                assert_int_equal(st.st_gid, 524289);
        }
}

/* A container that runs keeps its limits and its network until it ends; what others have put there
 * stays. */
static void test_kept(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_strv_ char **names = NULL, **none = NULL;

        assert_int_equal(kept_files_list(root, &none), 0);
        assert_null(none);
        make_root(root);
        assert_int_equal(kept_files_add(root, "web"), 0);
        assert_true(write_xml(root, WEB(NIC("default")), NULL) > 0);
        assert_int_equal(kept_files_add(root, "web"), 1);
        assert_false(exists(root, KEPT));
        assert_true(exists(root, KEPT_NSPAWN));
        assert_int_equal(kept_files_list(root, &names), 0);
        assert_int_equal(strv_length(names), 1);
        assert_int_equal(kept_files_remove(root, "web"), 0);
        assert_false(exists(root, KEPT_NSPAWN));
        names = strv_free(names);
        assert_true(write_xml(root, WEB("<vcpu>2</vcpu>" NIC("default")), NULL) > 0);
        assert_int_equal(kept_files_add(root, "web"), 1);
        assert_true(generated_remove(root, "web", NULL, NULL) > 0);
        assert_true(exists(root, KEPT));
        assert_true(exists(root, KEPT_NSPAWN));
        temp_root_write(root, KEPT_FOLDER "/mine.conf", "[Unit]\n");
        assert_int_equal(kept_files_list(root, &names), 0);
        assert_int_equal(strv_length(names), 1);
        assert_string_equal(names[0], "web");
        assert_int_equal(kept_files_remove(root, "web"), 1);
        assert_false(exists(root, KEPT));
        assert_false(exists(root, KEPT_NSPAWN));
        assert_true(exists(root, KEPT_FOLDER "/mine.conf"));
        assert_int_equal(kept_files_remove(root, "web"), 0);
        temp_root_write(root, DROPIN, "[Service]\nMemoryMax=1G\n");
        temp_root_write(root, KEPT_NSPAWN, "[Network]\nBridge=br0\n");
        assert_int_equal(kept_files_add(root, "web"), 0);
        assert_int_equal(kept_files_remove(root, "web"), 0);
        assert_false(exists(root, KEPT));
        assert_true(exists(root, KEPT_NSPAWN));
}

static void test_remove(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_strv_ char **names = NULL;

        make_root(root);
        assert_int_equal(generated_remove(root, "web", NULL, NULL), 0);
        assert_true(write_xml(root, WEB("<vcpu>2</vcpu>" NIC("default")), NULL) > 0);
        temp_root_write(root, DROPIN_FOLDER "/mine.conf", "[Unit]\n");
        assert_int_equal(generated_remove(root, "web", NULL, NULL),
                         DROPIN_CHANGED | GENERATED_CONTENT_CHANGED);
        assert_false(exists(root, NSPAWN));
        assert_false(exists(root, DROPIN));
        assert_false(exists(root, HOST0));
        assert_true(exists(root, DROPIN_FOLDER "/mine.conf"));
        assert_int_equal(generated_remove(root, "web", NULL, NULL), 0);
        assert_int_equal(generated_list(root, &names), 0);
        assert_null(names);
}

static void note_path(const char *path, void *userdata) {
        assert_int_equal(strv_extend(userdata, path), 0);
}

static void test_on_written(void **state) {
        _cleanup_(container_def_freep) ContainerDef *def =
                parse(WEB("<vcpu>2</vcpu>" NIC("default")));
        static const char *const wanted[] = {
                "/etc/systemd/nspawn", NSPAWN, DROPIN_FOLDER, DROPIN, NETWORK, HOST0
        };
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_strv_ char **paths = NULL;
        GeneratedInput in;

        make_root(root);
        input_init(&in, def, 252);
        in.on_written = note_path;
        in.userdata = &paths;
        assert_true(generated_write(root, &in, NULL) > 0);
        assert_int_equal(generated_write(root, &in, NULL), 0);
        strv_free(in.bridges);

        assert_int_equal(strv_length(paths), ELEMENTSOF(wanted));
        for (size_t i = 0; i < ELEMENTSOF(wanted); i++)
                assert_string_equal(paths[i] + strlen(root), wanted[i]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_golden),          cmocka_unit_test(test_write),
                cmocka_unit_test(test_interrupted),     cmocka_unit_test(test_change),
                cmocka_unit_test(test_no_root),         cmocka_unit_test(test_foreign),
                cmocka_unit_test(test_foreign_symlink), cmocka_unit_test(test_places),
                cmocka_unit_test(test_too_large),       cmocka_unit_test(test_tricks),
                cmocka_unit_test(test_other_kinds),     cmocka_unit_test(test_owner),
                cmocka_unit_test(test_remove),          cmocka_unit_test(test_kept),
                cmocka_unit_test(test_on_written),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
