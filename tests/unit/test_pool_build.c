/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Building a pool, with the real mkfs.btrfs; systemd's part (the mount) is done by mount(8) with
 * what the unit says.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/bootstrap/tool.h"
#include "agent/pool/device_probe.h"
#include "agent/pool/pool_build.h"
#include "pool_fixture.h"

#define SIZE (UINT64_C(300) << 20)

typedef struct Fixture {
        char *root, *pool, *image;
        PoolBuild build;
} Fixture;

static void fixture_done(Fixture *f) {
        run("rm -f %s", f->image);
        free(f->root);
        free(f->pool);
        free(f->image);
}
#define _cleanup_fixture_ _cleanup_(fixture_done)

static int run_tool(void *userdata, const char *const argv[], const char *package, Error **err) {
        const Tool tool = { .arguments = (char *const *) argv, .install = package };

        return tool_run(&tool, err);
}

static Fixture fixture_new(void) {
        char *root = test_folder_new(), *image = text_format("%s/pool%%s.image", root);

        return (Fixture){ .root = root,
                          .pool = text_format("%s/var/lib/machines", root),
                          .image = image,
                          .build = {
                                  .root = root, .source = image, .size = SIZE, .run = run_tool } };
}

static void mount_by_unit(const Fixture *f) {
        const char *unit = "etc/systemd/system/var-lib-machines.mount";

        run("cd %s && grep -qx 'Where=/var/lib/machines' %s && grep -qx 'Type=btrfs' %s && grep -qx "
            "'WantedBy=local-fs.target' %s",
            f->root, unit, unit, unit);
        run("cd %s && what=$(sed -n 's/^What=//p' %s | sed s/%%%%/%%/g) && options=$(sed -n "
            "'s/^Options=//p' %s) && mkdir -p var/lib/machines && mount -o $options \"$what\" "
            "var/lib/machines",
            f->root, unit, unit);
}

static void test_image(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        Pool *p = NULL;

        assert_ok(pool_build_check(&f.build, err));
        run("test ! -e %s", f.image);
        assert_ok(pool_build_format(&f.build, err));
        assert_ok(pool_build_write_unit(&f.build, err));
        assert_refused(pool_build_finish(f.root, err), ENOENT, "cannot open");
        run("mkdir -p %s", f.pool);
        assert_refused(pool_build_finish(f.root, err), ENODEV, "nothing with btrfs is mounted");
        mount_by_unit(&f);
        run("chmod 0777 %s && chown 1000 %s", f.pool, f.pool);
        assert_ok(pool_build_finish(f.root, err));
        assert_ok(pool_open(f.root, &p, err));
        assert_string_equal(p->backend->name, "btrfs");
        run("test \"$(stat -c %%u:%%a %s)\" = 0:700", f.pool);
        run("test \"$(btrfs filesystem label %s)\" = machines", f.pool);
        pool_free(p);

        /* Not twice. */
        assert_refused(pool_build_check(&f.build, err), EBUSY, "a filesystem of its own already");
        run("umount %s", f.pool);
}

static void test_image_is_not_overwritten(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();

        run("truncate -s %llu %s && mkfs.ext4 -q -L precious %s", (unsigned long long) SIZE,
            f.image, f.image);
        assert_refused(pool_build_format(&f.build, err), EEXIST, "is there already");
        f.build.size = 0;
        assert_refused(pool_build_format(&f.build, err), EEXIST, "ext4 'precious'");
        run("test \"$(blkid -o value -s LABEL %s)\" = precious", f.image);
        f.build.overwrite = true;
        assert_ok(pool_build_format(&f.build, err));
        run("test \"$(blkid -o value -s TYPE %s)\" = btrfs", f.image);
        /* An empty one is used. */
        f.build.overwrite = false;
        run("rm %s && truncate -s %llu %s", f.image, (unsigned long long) SIZE, f.image);
        assert_ok(pool_build_format(&f.build, err));
        f.build.overwrite = true;
        f.build.size = 2 * SIZE;
        assert_ok(pool_build_format(&f.build, err));
        run("test $(stat -c %%s %s) = %llu", f.image, (unsigned long long) (2 * SIZE));
}

/* blkid(8) knows no archives, virtual disks of other kinds, encrypted disks without a header. */
static void test_unknown_data(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();

        f.build.size = 0;
        run("head -c 5000 /dev/zero >%s && echo precious >>%s && truncate -s %llu %s", f.image,
            f.image, (unsigned long long) SIZE, f.image);
        assert_refused(pool_build_format(&f.build, err), EEXIST, "of an unknown kind");
        run("grep -q precious %s", f.image);
        f.build.overwrite = true;
        assert_ok(pool_build_format(&f.build, err));
        run("test \"$(blkid -o value -s TYPE %s)\" = btrfs", f.image);
}

static void test_device(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_free_ char *device = NULL, *uuid = NULL;
        FILE *losetup;
        size_t size = 0;

        run("truncate -s %llu %s && mkfs.ext4 -q %s", (unsigned long long) SIZE, f.image, f.image);
        {
                _cleanup_free_ char *command = text_format("losetup -f --show %s", f.image);

                losetup = popen(command, "re");
                assert_non_null(losetup);
                assert_true(getline(&device, &size, losetup) > 0);
                (void) pclose(losetup);
                device[strcspn(device, "\n")] = '\0';
        }
        f.build.source = device;
        assert_refused(pool_build_check(&f.build, err), EINVAL, "block device");
        f.build.size = 0;
        assert_refused(pool_build_format(&f.build, err), EEXIST, "ext4");
        f.build.overwrite = true;
        run("mkdir %s/mnt && mount %s %s/mnt", f.root, device, f.root);
        assert_refused(pool_build_format(&f.build, err), EBUSY, "is in use");
        run("umount %s/mnt", f.root);
        assert_ok(pool_build_format(&f.build, err));
        assert_ok(pool_build_write_unit(&f.build, err));
        assert_ok(device_uuid(device, &uuid, err));
        run("grep -qx What=/dev/disk/by-uuid/%s %s/etc/systemd/system/var-lib-machines.mount", uuid,
            f.root);
        run("! grep -q ^Options %s/etc/systemd/system/var-lib-machines.mount", f.root);

        /* The file behind it is in use as well. */
        f.build.source = f.image;
        assert_refused(pool_build_check(&f.build, err), EBUSY, "attached to");
        run("losetup -d %s", device);
}

static void test_refused(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_free_ char *inside = text_format("%s/image", f.pool);

        run("mkdir -p %s/.ctvirt/new %s/.ctvirt/trash", f.pool, f.pool);
        assert_ok(pool_build_check(&f.build, err));
        run("mkdir %s/.ctvirt/trash/x", f.pool);
        assert_refused(pool_build_check(&f.build, err), ENOTEMPTY, "'.ctvirt'");
        run("rmdir %s/.ctvirt/trash/x && mkdir %s/web", f.pool, f.pool);
        assert_refused(pool_build_check(&f.build, err), ENOTEMPTY, "('web')");
        run("rmdir %s/web", f.pool);

        f.build.size = 1 << 20;
        assert_refused(pool_build_check(&f.build, err), EINVAL, "too small");
        f.build.size = UINT64_C(100) << 40;
        assert_refused(pool_build_check(&f.build, err), ENOSPC, "no room");
        f.build.size = UINT64_MAX;
        assert_refused(pool_build_check(&f.build, err), EINVAL, "too large");
        f.build.size = 0;
        assert_refused(pool_build_check(&f.build, err), ENOENT, "say how large");
        f.build.size = SIZE;
        f.build.source = "relative";
        assert_refused(pool_build_check(&f.build, err), EINVAL, "not an absolute path");
        f.build.source = "/x\nOptions=suid";
        assert_refused(pool_build_check(&f.build, err), EINVAL, "control characters");
        f.build.source = inside;
        assert_refused(pool_build_check(&f.build, err), EINVAL, "lies in the pool");
        f.build.source = "/dev/null";
        assert_refused(pool_build_check(&f.build, err), EINVAL, "neither a block device");
        f.build.source = f.image;

        run("mkdir -p %s/etc/systemd/system && echo '[Mount]' "
            ">%s/etc/systemd/system/var-lib-machines.mount",
            f.root, f.root);
        assert_refused(pool_build_check(&f.build, err), EEXIST, "was not made by ctvirt");
        assert_refused(pool_build_write_unit(&f.build, err), EEXIST, "was not made by ctvirt");
        run("test \"$(cat %s/etc/systemd/system/var-lib-machines.mount)\" = '[Mount]'", f.root);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_image),        cmocka_unit_test(test_image_is_not_overwritten),
        cmocka_unit_test(test_unknown_data), cmocka_unit_test(test_device),
        cmocka_unit_test(test_refused),
};

static int setup(void **state) {
        return filesystem_setup(NULL);
}

static int teardown(void **state) {
        run("rm -r --one-file-system %s", filesystem_path);
        return 0;
}

int main(void) {
        enter_mount_namespace();
        return cmocka_run_group_tests_name("build", tests, setup, teardown);
}
