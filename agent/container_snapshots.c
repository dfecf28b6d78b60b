/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/container_snapshots.h"

#include <fcntl.h>

#include "agent/admission.h"
#include "agent/api.h"
#include "agent/bootstrap/first_boot.h"
#include "agent/bus_errors.h"
#include "agent/bus_objects.h"
#include "agent/job_bus.h"
#include "agent/job_guard.h"
#include "agent/lifecycle.h"
#include "agent/pool_question.h"
#include "agent/revert.h"
#include "agent/volume_info.h"

#define DESCRIPTION_MAX 2000
#define HASH_MAX 1000

typedef int (*OrderFunction)(Request *request, const Container *c, JobOrder *order, Error **err);

static Container *container_or_fail(Request *request) {
        Container *c = request_container(request);

        if (!c)
                request_fail(request, CTVIRT_ERROR_NO_SUCH_CONTAINER, "no container '%s'",
                             request->container);
        return c;
}

static void begin(Request *request, OrderFunction make) {
        _cleanup_job_order_ JobOrder order = JOB_ORDER_EMPTY;
        Container *c = container_or_fail(request);
        _cleanup_error_ Error *err = NULL;
        int r;

        if (!c)
                return;
        r = guard_defined(c, &err);
        if (r >= 0)
                r = sd_bus_message_rewind(request->message, true);
        if (r >= 0)
                r = make(request, c, &order, &err);
        if (r < 0)
                request_fail_errno(request, r, err);
        else
                job_request_begin(request, &order);
}

static int snapshot_order(JobKind kind, const Container *c, const char *name, JobOrder *order) {
        int r = job_order_new(kind, c->name, order);

        if (r < 0)
                return r;
        order->spec->snapshot = strdup(name);
        return order->spec->snapshot ? 0 : -ENOMEM;
}

static int check_name(const char *name, sd_bus_error *error) {
        if (snapshot_name_is_valid(name))
                return 0;
        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                 "'%.80s' is no name for a snapshot: letters, digits and '-', '_', "
                                 "'.', ':', '+', at most %d",
                                 name, SNAPSHOT_NAME_MAX);
}

/* It is there, or is not, whichever is wanted. */
static int check_snapshot(const Manager *m, const Container *c, const char *name, bool wanted,
                          Error **err) {
        _cleanup_pool_ Pool *pool = NULL;
        _cleanup_error_ Error *why = NULL;
        int r;

        r = pool_open(m->root, &pool, err);
        if (r < 0)
                return r;
        r = snapshot_find(pool, c->name, name, &why);
        if (!wanted && r == -ENOENT)
                return 0;
        if (!wanted && r >= 0)
                return error_set(err, ERRNO_CONFLICT, "container '%s' has a snapshot '%s' already",
                                 c->name, name);
        if (err)
                *err = TAKE_PTR(why);
        return r;
}

/*
 * Create
 */

static int create_order(Request *request, const Container *c, JobOrder *order, Error **err) {
        const char *name, *description;
        int r;

        r = sd_bus_message_read(request->message, "ss", &name, &description);
        if (r >= 0)
                r = guard_volume(request->manager, c->name, err);
        if (r >= 0)
                r = check_snapshot(request->manager, c, name, false, err);
        if (r >= 0)
                r = snapshot_order(JOB_SNAPSHOT_CREATE, c, name, order);
        if (r >= 0)
                r = container_def_format(c->def, &order->spec->definition);
        if (r < 0)
                return r;
        if (*description)
                order->spec->text = strdup(description);
        order->spec->flags |= c->active ? JOB_FREEZE : 0;
        return *description && !order->spec->text ? -ENOMEM : 0;
}

static void create_snapshot(Request *request) {
        begin(request, create_order);
}

static bool is_one_line(const char *s) {
        if (strlen(s) > DESCRIPTION_MAX)
                return false;
        for (; *s; s++)
                if ((unsigned char) *s < ' ' || *s == 0x7f)
                        return false;
        return true;
}

int container_method_create_snapshot(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *name, *description;
        const Container *c = userdata;
        int r;

        r = sd_bus_message_read(message, "ss", &name, &description);
        if (r >= 0)
                r = check_name(name, error);
        if (r < 0)
                return r;
        if (!is_one_line(description))
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "a description is one line of at most 2000 bytes");
        return request_begin(c->manager, message, CTVIRT_ACTION_POOL, create_snapshot);
}

/*
 * Reading
 */

typedef struct SnapshotQuestion {
        char *container;
        char *name;        /* NULL: all */
        SnapshotList list; /* all, or the one */
} SnapshotQuestion;

static void done_snapshots(void *data) {
        SnapshotQuestion *q = data;

        free(q->container);
        free(q->name);
        snapshot_list_done(&q->list);
}

static int ask_list(const Pool *pool, void *data, Error **err) {
        SnapshotQuestion *q = data;

        return snapshot_list(pool, q->container, &q->list);
}

static int answer_list(sd_bus_message *reply, const void *data) {
        const SnapshotQuestion *q = data;
        int r;

        r = sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "(ssts)");
        for (size_t i = 0; r >= 0 && i < q->list.n_items; i++)
                r = snapshot_info_append(reply, &q->list.items[i]);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static void list_snapshots(Request *request) {
        static const PoolQuestionKind kind = { sizeof(SnapshotQuestion), ask_list, answer_list,
                                               done_snapshots, NULL };
        SnapshotQuestion q = { .container = strdup(request->container) };

        if (!q.container)
                request_fail_errno(request, -ENOMEM, NULL);
        else
                pool_question_ask(request, &kind, &q, NULL);
}

int container_method_list_snapshots(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const Container *c = userdata;

        return request_begin_free(c->manager, message, list_snapshots);
}

static int ask_one(const Pool *pool, void *data, Error **err) {
        SnapshotQuestion *q = data;
        int r;

        q->list.items = calloc(1, sizeof(Snapshot));
        if (!q->list.items)
                return -ENOMEM;
        r = snapshot_get(pool, q->container, q->name, q->list.items, err);
        if (r >= 0)
                q->list.n_items = 1;
        return r;
}

static int answer_one(sd_bus_message *reply, const void *data) {
        const Snapshot *s = ((const SnapshotQuestion *) data)->list.items;

        return sd_bus_message_append(reply, "sts", s->description ? s->description : "",
                                     s->created_usec, snapshot_state_to_string(s->state));
}

static void get_snapshot(Request *request) {
        static const PoolQuestionKind kind = { sizeof(SnapshotQuestion), ask_one, answer_one,
                                               done_snapshots, NULL };
        SnapshotQuestion q = { 0 };
        const char *name;
        int r;

        r = sd_bus_message_rewind(request->message, true);
        if (r >= 0)
                r = sd_bus_message_read(request->message, "s", &name);
        if (r < 0) {
                request_fail_errno(request, r, NULL);
                return;
        }
        q.container = strdup(request->container);
        q.name = strdup(name);
        if (q.container && q.name) {
                pool_question_ask(request, &kind, &q, NULL);
                return;
        }
        done_snapshots(&q);
        request_fail_errno(request, -ENOMEM, NULL);
}

int container_method_get_snapshot(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const Container *c = userdata;
        const char *name;
        int r;

        r = sd_bus_message_read(message, "s", &name);
        if (r >= 0)
                r = check_name(name, error);
        return r < 0 ? r : request_begin_free(c->manager, message, get_snapshot);
}

/*
 * Revert and delete
 */

static int check_definition(const Manager *m, const Container *c, const char *name, Error **err) {
        _cleanup_snapshot_ Snapshot s = { 0 };
        _cleanup_error_ Error *why = NULL;
        _cleanup_pool_ Pool *pool = NULL;
        int r;

        r = pool_open(m->root, &pool, err);
        if (r < 0)
                return r;
        r = snapshot_get(pool, c->name, name, &s, &why);
        if (r >= 0)
                return revert_check(m, c, &s, err);
        return error_set(err, ERRNO_OPERATION_INVALID,
                         "what snapshot '%s' says of itself cannot be read (%s); nothing was "
                         "changed; with --keep-definition the root can be reverted",
                         name, why && why->text ? why->text : strerror(-r));
}

/* It would be stopped, and could not start again. */
static int check_restart(const Container *c, Error **err) {
        _cleanup_error_ Error *why = NULL;
        int r;

        r = lifecycle_check_networks(c, &why);
        if (r >= 0 || !why)
                return r;
        return error_set(err, ERRNO_OPERATION_INVALID,
                         "container '%s' is running, and could not be started again afterwards: %s",
                         c->name, why->text);
}

static int revert_order(Request *request, const Container *c, JobOrder *order, Error **err) {
        const char *name;
        uint64_t flags;
        int r;

        r = sd_bus_message_read(request->message, "st", &name, &flags);
        if (r >= 0)
                r = check_snapshot(request->manager, c, name, true, err);
        if (r >= 0 && !(flags & CTVIRT_REVERT_KEEP_DEFINITION))
                r = check_definition(request->manager, c, name, err);
        if (r >= 0 && c->active && !(flags & CTVIRT_REVERT_FORCE))
                return error_set(err, ERRNO_OPERATION_INVALID,
                                 "container '%s' is running; with --force it is stopped, reverted "
                                 "and started again",
                                 c->name);
        if (r >= 0 && c->active)
                r = check_restart(c, err);
        if (r >= 0)
                r = snapshot_order(JOB_SNAPSHOT_REVERT, c, name, order);
        if (r >= 0 && !(flags & CTVIRT_REVERT_KEEP_DEFINITION))
                order->spec->flags |= JOB_REDEFINE;
        if (r >= 0 && c->active) {
                order->spec->flags |= JOB_START;
                order->stop_first = true;
        }
        return r;
}

static void revert_root(Request *request) {
        begin(request, revert_order);
}

static void revert_snapshot(Request *request) {
        admission_ask_also(request, CTVIRT_ACTION_DEFINE, revert_root);
}

int container_method_revert_snapshot(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const Container *c = userdata;
        const char *name;
        uint64_t flags;
        int r;

        r = sd_bus_message_read(message, "st", &name, &flags);
        if (r >= 0)
                r = check_name(name, error);
        if (r >= 0)
                r = bus_check_flags(flags, CTVIRT_REVERT_FORCE | CTVIRT_REVERT_KEEP_DEFINITION,
                                    error);
        if (r < 0)
                return r;
        return request_begin(c->manager, message, CTVIRT_ACTION_POOL,
                             flags & CTVIRT_REVERT_KEEP_DEFINITION ? revert_root : revert_snapshot);
}

static int delete_order(Request *request, const Container *c, JobOrder *order, Error **err) {
        const char *name;
        int r;

        r = sd_bus_message_read(request->message, "s", &name);
        if (r >= 0)
                r = check_snapshot(request->manager, c, name, true, err);
        return r < 0 ? r : snapshot_order(JOB_SNAPSHOT_DELETE, c, name, order);
}

static void delete_snapshot(Request *request) {
        begin(request, delete_order);
}

int container_method_delete_snapshot(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const Container *c = userdata;
        const char *name;
        int r;

        r = sd_bus_message_read(message, "s", &name);
        if (r >= 0)
                r = check_name(name, error);
        return r < 0 ? r : request_begin(c->manager, message, CTVIRT_ACTION_POOL, delete_snapshot);
}

/*
 * Password
 */

typedef struct PasswordQuestion {
        char *container, *user, *hash;
} PasswordQuestion;

static void done_password(void *data) {
        PasswordQuestion *q = data;

        if (q->hash)
                explicit_bzero(q->hash, strlen(q->hash));
        free(q->container);
        free(q->user);
        free(q->hash);
}

static int ask_password(const Pool *pool, void *data, Error **err) {
        _cleanup_close_ int root_fd = -1;
        const PasswordQuestion *q = data;

        root_fd = openat(pool->fd, q->container, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (root_fd < 0 && errno == ENOENT)
                return error_set(err, ENOENT,
                                 "container '%s' has no root yet; 'ctvirt bootstrap %s' makes it",
                                 q->container, q->container);
        if (root_fd < 0)
                return error_set(err, errno, "cannot open the root of container '%s': %s",
                                 q->container, strerror(errno));
        return first_boot_set_password(root_fd, q->user, q->hash, err);
}

static int read_password(const Request *request, const Container *c, PasswordQuestion *ret,
                         Error **err) {
        const char *user, *hash;
        const Job *job;
        int r;

        r = guard_defined(c, err);
        if (r >= 0)
                r = sd_bus_message_rewind(request->message, true);
        if (r >= 0)
                r = sd_bus_message_read(request->message, "ss", &user, &hash);
        if (r < 0)
                return r;
        job = job_busy(&request->manager->jobs, c->name, NULL);
        if (job)
                return error_set(err, ERRNO_OPERATION_INVALID, "job %s is at work on its root",
                                 job->spec->id);
        *ret = (PasswordQuestion){ strdup(c->name), strdup(user), strdup(hash) };
        return ret->container && ret->user && ret->hash ? 0 : -ENOMEM;
}

static void set_user_password(Request *request) {
        static const PoolQuestionKind kind = { sizeof(PasswordQuestion), ask_password, NULL,
                                               done_password, NULL };
        Container *c = container_or_fail(request);
        _cleanup_error_ Error *err = NULL;
        PasswordQuestion q = { 0 };
        int r;

        if (!c)
                return;
        r = read_password(request, c, &q, &err);
        if (r >= 0) {
                pool_question_ask(request, &kind, &q, request->container);
                return;
        }
        done_password(&q);
        request_fail_errno(request, r, err);
}

int container_method_set_password(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const Container *c = userdata;
        const char *user, *hash;
        int r;

        r = sd_bus_message_sensitive(message);
        if (r >= 0)
                r = sd_bus_message_read(message, "ss", &user, &hash);
        if (r < 0)
                return r;
        if (strlen(hash) > HASH_MAX || !password_hash_is_valid(hash))
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "that is no hash of a password, see crypt(5)");
        return request_begin(c->manager, message, CTVIRT_ACTION_POOL, set_user_password);
}
