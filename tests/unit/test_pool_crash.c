/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A power cut, or kill -9, between any two steps. Each operation is run in a child that ends, without
 * any clean-up, before its n-th call that changes something on the disk, for all n. Whenever that is,
 * the pool must show the old state or the new one, a clean removes the rest, and the operation can
 * be repeated.
 *
 * The calls are wrapped by the linker (--wrap), so nothing of this is in the product.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/wait.h>

#include "agent/pool/pool_intent.h"
#include "agent/pool/snapshot.h"
#include "agent/pool/volume_place.h"
#include "base/fileio.h"
#include "pool_fixture.h"

#define CRASHED 42
#define STEPS_MAX 500

static unsigned steps_left;

static void step(void) {
        if (steps_left > 0 && --steps_left == 0)
                _exit(CRASHED);
}

#define WRAP(type, function, parameters, ...)                                                      \
        type __real_##function parameters;                                                         \
        type __wrap_##function parameters;                                                         \
        type __wrap_##function parameters {                                                        \
                step();                                                                            \
                return __real_##function(__VA_ARGS__);                                             \
        }

WRAP(int, renameat2, (int a, const char *b, int c, const char *d, unsigned e), a, b, c, d, e)
WRAP(int, unlinkat, (int a, const char *b, int c), a, b, c)
WRAP(int, mkdirat, (int a, const char *b, mode_t c), a, b, c)
WRAP(int, fsync, (int a), a)
WRAP(int, syncfs, (int a), a)
WRAP(int, fchmod, (int a, mode_t b), a, b)
WRAP(int, ftruncate, (int a, off_t b), a, b)
WRAP(int, btrfs_util_create_snapshot_fd2,
     (int a, int b, const char *c, int d, uint64_t *e, void *f), a, b, c, d, e, f)
WRAP(int, btrfs_util_set_subvolume_read_only_fd, (int a, bool b), a, b)
WRAP(int, btrfs_util_delete_subvolume_fd, (int a, const char *b, int c), a, b, c)

typedef struct Fixture {
        char *root;
        Pool *pool;
} Fixture;

static void fixture_done(Fixture *f) {
        pool_free(f->pool);
        free(f->root);
}
#define _cleanup_fixture_ _cleanup_(fixture_done)

/* web with some content, another read-only one, a snapshot of web, and what job "job" has built. */
static Fixture fixture_new(void) {
        const Snapshot s = { .name = (char *) "s", .created_usec = 1000000 };
        Fixture f = { 0 };
        Pool *p;
        int new_fd;

        p = f.pool = test_pool_new(&f.root);
        assert_int_equal(p->backend->create(p->fd, "web"), 0);
        assert_int_equal(p->backend->create(p->fd, "base"), 0);
        run("cd %s && mkdir web/etc base/etc && echo snap >web/etc/content && echo base "
            ">base/etc/content && printf image >disk.raw",
            p->path);
        assert_int_equal(p->backend->set_read_only(p->fd, "base", true), 0);
        assert_ok(snapshot_create(p, "web", &s, "x", NULL, err));
        run("echo old >%s/web/etc/content", p->path);
        new_fd = openat(p->fd, POOL_NEW, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(p->backend->create(new_fd, "built"), 0);
        (void) close(new_fd);
        run("cd %s/" POOL_NEW "/built && mkdir etc && echo new >etc/content", p->path);
        return f;
}

/* What somebody sees who looks: each volume with its content, each snapshot. */
static char *look(const Pool *p) {
        _cleanup_volume_list_ VolumeList volumes = { 0 };
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_int_equal(volume_list(p, &volumes), 0);
        for (size_t i = 0; i < volumes.n_items; i++) {
                _cleanup_snapshot_list_ SnapshotList snapshots = { 0 };
                _cleanup_free_ char *content = NULL, *path = NULL;
                const Volume *v = &volumes.items[i];

                path = text_format("%s%s", v->name,
                                   v->type == VOLUME_RAW ? ".raw" : "/etc/content");
                assert_int_equal(read_file_at(p->fd, path, 4096, false, &content, NULL), 0);
                content[strcspn(content, "\n")] = '\0';
                (void) fprintf(f, "%s=%s ", v->name, content);
                assert_int_equal(snapshot_list(p, v->name, &snapshots), 0);
                for (size_t k = 0; k < snapshots.n_items; k++)
                        (void) fprintf(f, "%s@%s ", v->name, snapshots.items[k].name);
        }
        (void) fclose(f);
        return text;
}

typedef struct Operation {
        int (*run)(const Pool *p);
        const char *before, *after;
        const char *between; /* also possible, until it is finished; NULL: nothing */
        bool definition;     /* is to follow */
} Operation;

#define REST "base=base disk=image "

static int clone_volume(const Pool *p) {
        return volume_clone(p, "web", "copy", "job", NULL, NULL);
}

static int clone_read_only(const Pool *p) {
        return volume_clone(p, "base", "copy", "job", NULL, NULL);
}

static int clone_image(const Pool *p) {
        return volume_clone(p, "disk", "copy", "job", NULL, NULL);
}

static int rename_volume(const Pool *p) {
        return volume_rename(p, "web", "www", "job", NULL);
}

static int delete_volume(const Pool *p) {
        return volume_delete(p, "base", "job", NULL);
}

static int publish_new(const Pool *p) {
        return volume_publish(p, "built", VOLUME_DIRECTORY, "fresh", false, NULL);
}

static int publish_instead(const Pool *p) {
        return volume_publish(p, "built", VOLUME_DIRECTORY, "web", true, NULL);
}

static int publish_instead_of_image(const Pool *p) {
        return volume_publish(p, "built", VOLUME_DIRECTORY, "disk", true, NULL);
}

static int make_snapshot(const Pool *p) {
        const Snapshot s = { .name = (char *) "t", .created_usec = 2000000 };

        return snapshot_create(p, "web", &s, "job", NULL, NULL);
}

static int make_snapshot_of_image(const Pool *p) {
        const Snapshot s = { .name = (char *) "t", .created_usec = 2000000 };

        return snapshot_create(p, "disk", &s, "job", NULL, NULL);
}

static int revert(const Pool *p) {
        return snapshot_revert(p, "web", "s", "job", false, NULL, NULL);
}

static int revert_definition(const Pool *p) {
        return snapshot_revert(p, "web", "s", "job", true, NULL, NULL);
}

static int delete_snapshot(const Pool *p) {
        return snapshot_delete(p, "web", "s", "job", NULL);
}

/* clang-format off */
static const Operation operations[] = {
        { clone_volume,     REST "web=old web@s ", "base=base copy=old disk=image web=old web@s " },
        { clone_read_only,  REST "web=old web@s ", "base=base copy=base disk=image web=old web@s " },
        { clone_image,      REST "web=old web@s ", "base=base copy=image disk=image web=old web@s " },
        { rename_volume,    REST "web=old web@s ", REST "www=old www@s ", REST "www=old " },
        { delete_volume,    REST "web=old web@s ", "disk=image web=old web@s " },
        { publish_new,      REST "web=old web@s ", "base=base disk=image fresh=new web=old web@s " },
        { publish_instead,  REST "web=old web@s ", REST "web=new web@s " },
        { publish_instead_of_image, REST "web=old web@s ", "base=base disk=new web=old web@s " },
        { make_snapshot,    REST "web=old web@s ", REST "web=old web@s web@t " },
        { make_snapshot_of_image, REST "web=old web@s ", REST "disk@t web=old web@s " },
        { revert,           REST "web=old web@s ", REST "web=snap web@s " },
        { revert_definition, REST "web=old web@s ", REST "web=snap web@s ", NULL, true },
        { delete_snapshot,  REST "web=old web@s ", REST "web=old " },
};
/* clang-format on */

/* The exit status of the child: CRASHED before its n-th step, or what became of the operation. */
static int run_until(const Operation *o, const Pool *p, unsigned n) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                steps_left = n;
                _exit(o->run(p) < 0 ? 1 : 0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

/* A definition is to follow if, and only if, the root is the snapshot's. */
static void assert_intent(const Operation *o, const Pool *p, bool done) {
        _cleanup_pool_intent_ PoolIntent intent = { 0 };
        _cleanup_free_ char *tree = NULL;

        if (!o->definition)
                return;
        assert_ok(volume_identity(p, p->fd, "web", &tree, err));
        assert_int_equal(pool_intent_load(p, "job", &intent, NULL) >= 0 && streq(intent.tree, tree),
                         done);
}

typedef enum State {
        BEFORE,
        BETWEEN,
        AFTER,
} State;

static State assert_state(const Operation *o, const Pool *p, unsigned n) {
        _cleanup_free_ char *seen = look(p);
        bool done = streq(seen, o->after);

        assert_intent(o, p, done);
        if (done)
                return AFTER;
        if (streq_ptr(seen, o->between))
                return BETWEEN;
        if (!streq(seen, o->before))
                fail_msg("operation %zu, step %u: %s", (size_t) (o - operations), n, seen);
        return BEFORE;
}

static bool is_built(void *userdata, const char *id) {
        return streq(id, "built");
}

/* Like the agent's next start. */
static State clean(const Operation *o, const Pool *p, unsigned n, State state) {
        State wanted = state == BEFORE ? BEFORE : AFTER;

        assert_ok(pool_clean(p, wanted == AFTER ? NULL : is_built, NULL, NULL, NULL, err));
        assert_int_equal(assert_state(o, p, n), wanted);
        if (!o->definition)
                run("test -z \"$(ls -A %s/" POOL_INTENTS ")\"", p->path);
        run("test -z \"$(ls -A %s/" POOL_TRASH ")\"", p->path);
        run("test -z \"$(ls -A %s/" POOL_NEW " | grep -vx built)\"", p->path);
        return wanted;
}

static bool crash_at(const Operation *o, unsigned n) {
        _cleanup_fixture_ Fixture f = fixture_new();
        State state;
        int status;

        status = run_until(o, f.pool, n);
        assert_true(status == 0 || status == CRASHED);
        state = assert_state(o, f.pool, n);
        if (status == 0)
                assert_int_equal(state, AFTER);
        state = clean(o, f.pool, n, state);
        if (state == BEFORE) {
                assert_int_equal(run_until(o, f.pool, 0), 0);
                assert_int_equal(assert_state(o, f.pool, n), AFTER);
        }
        return status == CRASHED;
}

static void test_crash_anywhere(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(operations); i++) {
                unsigned n = 1;

                while (crash_at(&operations[i], n))
                        assert_true(++n < STEPS_MAX);
                /* It has steps at all: else nothing was tested. */
                assert_true(n > 1);
        }
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crash_anywhere),
};

int main(void) {
        int failed;

        enter_mount_namespace();
        failed = cmocka_run_group_tests_name("btrfs", tests, setup_btrfs, filesystem_teardown);
        failed += cmocka_run_group_tests_name("ext4", tests, setup_ext4, filesystem_teardown);
        return failed;
}
