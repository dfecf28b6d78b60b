/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * org.ctvirt.agent1.Pool, see agent/api.h.
 */

#include <limits.h>

#include "agent/api.h"
#include "agent/bootstrap/base_cache.h"
#include "agent/bus_errors.h"
#include "agent/bus_objects.h"
#include "agent/job_bus.h"
#include "agent/job_recover.h"
#include "agent/pool/pool_check.h"
#include "agent/pool_question.h"
#include "agent/volume_info.h"
#include "agent/volume_methods.h"

/*
 * Reading
 */

static int ask_info(const Pool *pool, void *data, Error **err) {
        PoolFacts *f = data;
        int r;

        f->backend = pool->backend;
        f->path = strdup(pool->path);
        if (!f->path)
                return -ENOMEM;
        r = pool_info(pool, &f->info);
        return r < 0 ? r : volume_list(pool, &f->volumes);
}

static int answer_info(sd_bus_message *reply, const void *data) {
        return pool_info_append(reply, data);
}

static void done_info(void *data) {
        pool_facts_done(data);
}

static void get_info(Request *request) {
        static const PoolQuestionKind kind = { sizeof(PoolFacts), ask_info, answer_info, done_info,
                                               NULL };

        pool_question_ask(request, &kind, &(PoolFacts){ 0 }, NULL);
}

static int method_get_info(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return request_begin_free(userdata, message, get_info);
}

static int append_base(sd_bus_message *m, const Base *b) {
        _cleanup_free_ char *facts = strv_join(b->facts, " ");

        if (!facts)
                return -ENOMEM;
        return sd_bus_message_append(m, "a{sv}", 4, "Key", "s", b->key, "Description", "s", facts,
                                     "CreatedUSec", "t", b->made_usec, "UsedUSec", "t",
                                     b->used_usec);
}

static int ask_bases(const Pool *pool, void *data, Error **err) {
        return base_list(pool, data);
}

static int answer_bases(sd_bus_message *reply, const void *data) {
        const BaseList *list = data;
        int r;

        r = sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "a{sv}");
        for (size_t i = 0; r >= 0 && i < list->n_items; i++)
                r = append_base(reply, &list->items[i]);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static void done_bases(void *data) {
        base_list_done(data);
}

static void list_bases(Request *request) {
        static const PoolQuestionKind kind = { sizeof(BaseList), ask_bases, answer_bases,
                                               done_bases, NULL };

        pool_question_ask(request, &kind, &(BaseList){ 0 }, NULL);
}

static int method_list_bases(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return request_begin_free(userdata, message, list_bases);
}

typedef struct CheckQuestion {
        int jobs_fd;
        PoolProblemList problems;
} CheckQuestion;

static int ask_check(const char *root, void *data, Error **err) {
        CheckQuestion *q = data;

        return pool_check(root, job_is_at_work, &q->jobs_fd,
                          job_kind_is_at_work(q->jobs_fd, JOB_CLEAN), &q->problems);
}

static int answer_check(sd_bus_message *reply, const void *data) {
        const PoolProblemList *list = &((const CheckQuestion *) data)->problems;
        int r;

        r = sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "(sb)");
        for (size_t i = 0; r >= 0 && i < list->n_items; i++)
                r = sd_bus_message_append(reply, "(sb)", list->items[i].text,
                                          (int) list->items[i].repairable);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static void done_check(void *data) {
        CheckQuestion *q = data;

        pool_problem_list_done(&q->problems);
}

static void check_pool(Request *request) {
        static const PoolQuestionKind kind = { sizeof(CheckQuestion), NULL, answer_check,
                                               done_check, ask_check };

        pool_question_ask(request, &kind, &(CheckQuestion){ request->manager->jobs.fd, { 0 } },
                          NULL);
}

static int method_check(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return request_begin_free(userdata, message, check_pool);
}

static void refresh(Request *request) {
        job_recover_leftovers(request->manager);
        request_answer(request);
}

static int method_refresh(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return request_begin(userdata, message, CTVIRT_ACTION_POOL, refresh);
}

static int set_text(char **field, const char *value) {
        *field = strdup(value);
        return *field ? 0 : -ENOMEM;
}

static int delete_base_order(Request *request, JobOrder *order, Error **err) {
        const char *key;
        int r;

        r = sd_bus_message_read(request->message, "s", &key);
        if (r < 0)
                return r;
        if (!*key || strlen(key) > 64 || key[strspn(key, "0123456789abcdef")])
                return error_set(err, EINVAL, "'%.80s' is no key of a base: hexadecimal digits",
                                 key);
        r = job_order_new(JOB_BASE_DELETE, NULL, order);
        return r < 0 ? r : set_text(&order->spec->source, key);
}

static void delete_base(Request *request) {
        job_request_order(request, delete_base_order);
}

static int method_delete_base(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return request_begin(userdata, message, CTVIRT_ACTION_POOL, delete_base);
}

/*
 * The pool itself
 */

static int repair_order(Request *request, JobOrder *order, Error **err) {
        return job_order_new(JOB_POOL_REPAIR, NULL, order);
}

static void repair(Request *request) {
        job_request_order(request, repair_order);
}

static int method_repair(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return request_begin(userdata, message, CTVIRT_ACTION_POOL, repair);
}

typedef struct BuildOptions {
        const char *source;
        uint64_t size;
        int overwrite;
} BuildOptions;

static int read_build_option(sd_bus_message *m, BuildOptions *o, Error **err) {
        const char *key;
        int r;

        r = sd_bus_message_read(m, "s", &key);
        if (r < 0)
                return r;
        if (streq(key, "Source"))
                return sd_bus_message_read(m, "v", "s", &o->source);
        if (streq(key, "Size"))
                return sd_bus_message_read(m, "v", "t", &o->size);
        if (streq(key, "Overwrite"))
                return sd_bus_message_read(m, "v", "b", &o->overwrite);
        return error_set(err, EINVAL, "unknown option '%.80s'", key);
}

static bool is_short_line(const char *path) {
        for (const char *c = path; *c; c++)
                if ((unsigned char) *c < ' ' || *c == 0x7f)
                        return false;
        return strlen(path) < PATH_MAX;
}

static int read_build(sd_bus_message *m, BuildOptions *ret, Error **err) {
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
        while (r >= 0 &&
               (r = sd_bus_message_enter_container(m, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
                r = read_build_option(m, ret, err);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        if (r >= 0 && (!ret->source || *ret->source != '/' || !is_short_line(ret->source)))
                return error_set(err, EINVAL,
                                 "a pool is built on a device or in a file, given by an absolute "
                                 "path without control characters");
        return r;
}

static int refuse_jobs(const JobTable *jobs, Error **err) {
        _cleanup_free_ char *what = NULL;
        const Job *job;

        JOB_FOREACH(job, jobs)
        if (job->state == JOB_STATE_RUNNING)
                break;
        if (!job)
                return 0;
        what = job_describe(job->spec);
        return error_set(err, ERRNO_OPERATION_INVALID,
                         "job %s (%s) is at work in the pool; wait for it with 'ctvirt job-info %s "
                         "--wait'",
                         job->spec->id, what ? what : "", job->spec->id);
}

static int build_order(Request *request, JobOrder *order, Error **err) {
        BuildOptions o = { 0 };
        int r;

        r = read_build(request->message, &o, err);
        if (r < 0)
                return r;
        r = refuse_jobs(&request->manager->jobs, err);
        if (r < 0)
                return r;
        /* What is there only the job can see, as the agent has a /dev and a /tmp of its own; and a
         * disk can take its time. */
        r = job_order_new(JOB_POOL_BUILD, NULL, order);
        if (r >= 0)
                r = set_text(&order->spec->source, o.source);
        if (r < 0)
                return r;
        order->spec->size = o.size;
        order->spec->flags |= o.overwrite ? JOB_OVERWRITE : 0;
        return 0;
}

static void build_pool(Request *request) {
        job_request_order(request, build_order);
}

static int method_build(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_error_ Error *err = NULL;
        BuildOptions o = { 0 };
        int r;

        r = read_build(message, &o, &err);
        if (r < 0 && err) {
                (void) bus_error_from(error, r, err);
                return -EINVAL;
        }
        return r < 0 ? r : request_begin(userdata, message, CTVIRT_ACTION_POOL, build_pool);
}

static const sd_bus_vtable pool_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("GetInfo", SD_BUS_NO_ARGS, SD_BUS_RESULT("a{sv}", info),
                                method_get_info, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListVolumes", SD_BUS_NO_ARGS, SD_BUS_RESULT("aa{sv}", volumes),
                                pool_method_list_volumes, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetVolume", SD_BUS_ARGS("s", name), SD_BUS_RESULT("a{sv}", info),
                                pool_method_get_volume, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListBases", SD_BUS_NO_ARGS, SD_BUS_RESULT("aa{sv}", bases),
                                method_list_bases, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Check", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(sb)", problems),
                                method_check, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Refresh", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_refresh,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Repair", SD_BUS_NO_ARGS, SD_BUS_RESULT("o", job), method_repair,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Build", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("o", job),
                                method_build, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("CloneVolume", SD_BUS_ARGS("s", from, "s", to),
                                SD_BUS_RESULT("o", job), pool_method_clone_volume,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("RenameVolume", SD_BUS_ARGS("s", from, "s", to),
                                SD_BUS_RESULT("o", job), pool_method_rename_volume,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("DeleteVolume", SD_BUS_ARGS("s", name, "t", flags),
                                SD_BUS_RESULT("o", job), pool_method_delete_volume,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ResizeVolume", SD_BUS_ARGS("s", name, "t", bytes),
                                SD_BUS_RESULT("o", job), pool_method_resize_volume,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Download", SD_BUS_ARGS("s", name, "h", file, "s", compression),
                                SD_BUS_RESULT("o", job), pool_method_download_volume,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Upload", SD_BUS_ARGS("s", name, "h", file, "t", flags),
                                SD_BUS_RESULT("o", job), pool_method_upload_volume,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("DeleteBase", SD_BUS_ARGS("s", key), SD_BUS_RESULT("o", job),
                                method_delete_base, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

int pool_bus_add(sd_bus *bus, Manager *m) {
        return sd_bus_add_object_vtable(bus, NULL, CTVIRT_BUS_POOL_PATH, CTVIRT_BUS_POOL,
                                        pool_vtable, m);
}
