/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/volume_methods.h"

#include <fcntl.h>

#include "agent/api.h"
#include "agent/bus_errors.h"
#include "agent/bus_objects.h"
#include "agent/job_bus.h"
#include "agent/job_guard.h"
#include "agent/pool/archive.h"
#include "agent/pool_question.h"
#include "agent/volume_info.h"

/*
 * Reading
 */

static int take_path(const Pool *pool, PoolFacts *f) {
        f->path = strdup(pool->path);
        return f->path ? 0 : -ENOMEM;
}

static int ask_volumes(const Pool *pool, void *data, Error **err) {
        PoolFacts *f = data;
        int r = take_path(pool, f);

        return r < 0 ? r : volume_list(pool, &f->volumes);
}

static int answer_volumes(sd_bus_message *reply, const void *data) {
        const PoolFacts *f = data;
        int r;

        r = sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "a{sv}");
        for (size_t i = 0; r >= 0 && i < f->volumes.n_items; i++)
                r = volume_info_append(reply, f->path, &f->volumes.items[i]);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static void done_volumes(void *data) {
        pool_facts_done(data);
}

static void list_volumes(Request *request) {
        static const PoolQuestionKind kind = { sizeof(PoolFacts), ask_volumes, answer_volumes,
                                               done_volumes, NULL };

        pool_question_ask(request, &kind, &(PoolFacts){ 0 }, NULL);
}

int pool_method_list_volumes(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return request_begin_free(userdata, message, list_volumes);
}

/* The only string of the message; its owner is the message. */
static int read_name(Request *request, const char **ret) {
        int r = sd_bus_message_rewind(request->message, true);

        return r < 0 ? r : sd_bus_message_read(request->message, "s", ret);
}

typedef struct VolumeQuestion {
        char *name;
        PoolFacts facts;
        Volume volume;
} VolumeQuestion;

static int ask_volume(const Pool *pool, void *data, Error **err) {
        VolumeQuestion *q = data;
        int r = take_path(pool, &q->facts);

        return r < 0 ? r : volume_get(pool, q->name, &q->volume, err);
}

static int answer_volume(sd_bus_message *reply, const void *data) {
        const VolumeQuestion *q = data;

        return volume_info_append(reply, q->facts.path, &q->volume);
}

static void done_volume(void *data) {
        VolumeQuestion *q = data;

        free(q->name);
        pool_facts_done(&q->facts);
        volume_done(&q->volume);
}

static void get_volume(Request *request) {
        static const PoolQuestionKind kind = { sizeof(VolumeQuestion), ask_volume, answer_volume,
                                               done_volume, NULL };
        _cleanup_error_ Error *err = NULL;
        VolumeQuestion q = { 0 };
        const char *name;
        int r;

        r = read_name(request, &name);
        if (r >= 0)
                r = guard_name(name, &err);
        if (r >= 0) {
                q.name = strdup(name);
                r = q.name ? 0 : -ENOMEM;
        }
        if (r < 0)
                request_fail_errno(request, r, err);
        else
                pool_question_ask(request, &kind, &q, NULL);
}

int pool_method_get_volume(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return request_begin_free(userdata, message, get_volume);
}

/*
 * Changing: each reads the message, asks what speaks against it, and begins a job.
 */

static int set_text(char **field, const char *value) {
        *field = strdup(value);
        return *field ? 0 : -ENOMEM;
}

static int set_fd(int *field, int fd) {
        *field = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        return *field < 0 ? negative_errno() : 0;
}

static int clone_order(Request *request, JobOrder *order, Error **err) {
        const Manager *m = request->manager;
        const Container *c;
        const char *from, *to;
        int r;

        r = sd_bus_message_read(request->message, "ss", &from, &to);
        if (r >= 0)
                r = guard_volume(m, from, err);
        if (r >= 0)
                r = guard_name_is_free(m, to, err);
        if (r >= 0)
                r = job_order_new(JOB_VOLUME_CLONE, to, order);
        if (r >= 0)
                r = set_text(&order->spec->source, from);
        if (r < 0)
                return r;
        c = container_table_by_name(&m->containers, from);
        if (c && c->active)
                order->spec->flags |= JOB_FREEZE;
        return 0;
}

static void clone_volume(Request *request) {
        job_request_order(request, clone_order);
}

int pool_method_clone_volume(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return request_begin(userdata, message, CTVIRT_ACTION_POOL, clone_volume);
}

/* A root belongs to its container, which knows it by its name. */
static int refuse_defined(const Manager *m, const char *name, const char *instead, Error **err) {
        const Container *c = container_table_by_name(&m->containers, name);

        if (!c || !container_is_defined(c))
                return 0;
        return error_set(err, ERRNO_OPERATION_INVALID, "it is the root of container '%s'; %s", name,
                         instead);
}

static int rename_order(Request *request, JobOrder *order, Error **err) {
        const Manager *m = request->manager;
        const char *from, *to;
        int r;

        r = sd_bus_message_read(request->message, "ss", &from, &to);
        if (r >= 0)
                r = guard_volume(m, from, err);
        if (r >= 0)
                r = guard_not_running(m, from, "renamed", err);
        if (r >= 0)
                r = refuse_defined(m, from, "undefine that first", err);
        if (r >= 0)
                r = guard_name_is_free(m, to, err);
        if (r >= 0 && job_busy(&m->jobs, from, NULL))
                return error_set(err, ERRNO_OPERATION_INVALID, "a job is at work on '%s'", from);
        if (r >= 0)
                r = job_order_new(JOB_VOLUME_RENAME, to, order);
        return r < 0 ? r : set_text(&order->spec->source, from);
}

static void rename_volume(Request *request) {
        job_request_order(request, rename_order);
}

int pool_method_rename_volume(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return request_begin(userdata, message, CTVIRT_ACTION_POOL, rename_volume);
}

/* The snapshots of a root that is gone can still be deleted. */
static int guard_deletable(const Manager *m, const char *name, uint64_t flags, Error **err) {
        _cleanup_error_ Error *missing = NULL;
        int r;

        r = guard_volume(m, name, &missing);
        if (r == -ENOENT && (flags & CTVIRT_DELETE_SNAPSHOTS))
                return 0;
        *err = TAKE_PTR(missing);
        return r;
}

static int delete_order(Request *request, JobOrder *order, Error **err) {
        const char *name;
        uint64_t flags;
        int r;

        r = sd_bus_message_read(request->message, "st", &name, &flags);
        if (r >= 0)
                r = guard_deletable(request->manager, name, flags, err);
        if (r >= 0)
                r = guard_not_running(request->manager, name, "deleted", err);
        if (r >= 0)
                r = job_order_new(JOB_VOLUME_DELETE, name, order);
        if (r >= 0 && (flags & CTVIRT_DELETE_SNAPSHOTS))
                order->spec->flags |= JOB_SNAPSHOTS;
        return r;
}

static void delete_volume(Request *request) {
        job_request_order(request, delete_order);
}

int pool_method_delete_volume(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *name;
        uint64_t flags;
        int r;

        r = sd_bus_message_read(message, "st", &name, &flags);
        if (r >= 0)
                r = bus_check_flags(flags, CTVIRT_DELETE_SNAPSHOTS, error);
        return r < 0 ? r : request_begin(userdata, message, CTVIRT_ACTION_POOL, delete_volume);
}

static int resize_order(Request *request, JobOrder *order, Error **err) {
        const char *name;
        uint64_t size;
        int r;

        r = sd_bus_message_read(request->message, "st", &name, &size);
        if (r >= 0)
                r = guard_volume(request->manager, name, err);
        if (r >= 0)
                r = job_order_new(JOB_VOLUME_RESIZE, name, order);
        if (r >= 0)
                order->spec->size = size;
        return r;
}

static void resize_volume(Request *request) {
        job_request_order(request, resize_order);
}

int pool_method_resize_volume(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return request_begin(userdata, message, CTVIRT_ACTION_POOL, resize_volume);
}

static int download_order(Request *request, JobOrder *order, Error **err) {
        const char *name, *compression;
        const Container *c;
        int fd, r;

        r = sd_bus_message_read(request->message, "shs", &name, &fd, &compression);
        if (r >= 0)
                r = guard_volume(request->manager, name, err);
        if (r >= 0)
                r = job_order_new(JOB_VOLUME_DOWNLOAD, name, order);
        if (r >= 0)
                r = set_text(&order->spec->compression, compression);
        if (r >= 0)
                r = set_fd(&order->output_fd, fd);
        if (r < 0)
                return r;
        c = container_table_by_name(&request->manager->containers, name);
        if (c && c->active)
                order->spec->flags |= JOB_FREEZE;
        return 0;
}

static void download(Request *request) {
        job_request_order(request, download_order);
}

int pool_method_download_volume(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *name, *compression;
        int fd, r;

        r = sd_bus_message_read(message, "shs", &name, &fd, &compression);
        if (r < 0)
                return r;
        if (compression_from_string(compression) < 0)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                         "'%.80s' is no compression: none, gzip, xz or zstd",
                                         compression);
        return request_begin(userdata, message, CTVIRT_ACTION_POOL, download);
}

static int upload_order(Request *request, JobOrder *order, Error **err) {
        const char *name;
        uint64_t flags;
        int fd, r;

        r = sd_bus_message_read(request->message, "sht", &name, &fd, &flags);
        if (r >= 0)
                r = guard_name(name, err);
        if (r >= 0)
                r = guard_not_running(request->manager, name, "replaced", err);
        if (r < 0)
                return r;
        if (!(flags & CTVIRT_UPLOAD_REPLACE) && guard_volume(request->manager, name, NULL) >= 0)
                return error_set(err, ERRNO_CONFLICT,
                                 "the pool has a volume '%s' already; with --replace it goes",
                                 name);
        r = job_order_new(JOB_VOLUME_UPLOAD, name, order);
        if (r >= 0)
                r = set_fd(&order->input_fd, fd);
        if (r >= 0 && (flags & CTVIRT_UPLOAD_REPLACE))
                order->spec->flags |= JOB_REPLACE;
        return r;
}

static void upload(Request *request) {
        job_request_order(request, upload_order);
}

int pool_method_upload_volume(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *name;
        uint64_t flags;
        int fd, r;

        r = sd_bus_message_read(message, "sht", &name, &fd, &flags);
        if (r >= 0)
                r = bus_check_flags(flags, CTVIRT_UPLOAD_REPLACE, error);
        return r < 0 ? r : request_begin(userdata, message, CTVIRT_ACTION_POOL, upload);
}
