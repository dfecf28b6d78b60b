/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * org.ctvirt.agent1.Job, see agent/api.h.
 */

#include "agent/job_bus.h"

#include "agent/api.h"
#include "agent/bootstrap/bootstrap.h"
#include "agent/bus_objects.h"
#include "agent/job_events.h"
#include "agent/job_life.h"

/*
 * For those that begin one
 */

void job_order_done(JobOrder *o) {
        job_spec_free(o->spec);
        closep(&o->input_fd);
        closep(&o->output_fd);
        *o = JOB_ORDER_EMPTY;
}

int job_order_new(JobKind kind, const char *name, JobOrder *ret) {
        _cleanup_job_spec_ JobSpec *spec = calloc(1, sizeof(*spec));

        if (!spec)
                return -ENOMEM;
        spec->kind = kind;
        spec->size = UINT64_MAX;
        spec->base_max_age_usec = BOOTSTRAP_BASE_MAX_AGE_USEC;
        if (name) {
                spec->name = strdup(name);
                if (!spec->name)
                        return -ENOMEM;
        }
        *ret = JOB_ORDER_EMPTY;
        ret->spec = TAKE_PTR(spec);
        return 0;
}

static int prepare_answer(Request *request, const Job *job) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = sd_bus_path_encode(CTVIRT_BUS_JOB_PREFIX, job->spec->id, &path);
        if (r >= 0)
                r = sd_bus_message_new_method_return(request->message, &request->reply);
        return r < 0 ? r : sd_bus_message_append(request->reply, "o", path);
}

void job_request_begin(Request *request, JobOrder *order) {
        _cleanup_job_order_ JobOrder o = *order;
        _cleanup_error_ Error *err = NULL;
        Job *job;
        int r;

        *order = JOB_ORDER_EMPTY;
        r = job_begin(request->manager, TAKE_PTR(o.spec), TAKE_FD(o.input_fd), TAKE_FD(o.output_fd),
                      o.stop_first, &job, &err);
        if (r >= 0)
                r = prepare_answer(request, job);
        if (r < 0)
                request_fail_errno(request, r, err);
        else
                request_answer(request);
}

void job_request_order(Request *request, JobOrderFunction make) {
        _cleanup_job_order_ JobOrder order = JOB_ORDER_EMPTY;
        _cleanup_error_ Error *err = NULL;
        int r;

        r = sd_bus_message_rewind(request->message, true);
        if (r >= 0)
                r = make(request, &order, &err);
        if (r < 0)
                request_fail_errno(request, r, err);
        else
                job_request_begin(request, &order);
}

/*
 * Methods of the manager
 */

static void list_jobs(Request *request) {
        const Job *job;
        int r;

        r = sd_bus_message_new_method_return(request->message, &request->reply);
        if (r >= 0)
                r = sd_bus_message_open_container(request->reply, SD_BUS_TYPE_ARRAY, "a{sv}");
        JOB_FOREACH(job, &request->manager->jobs)
        if (r >= 0)
                r = job_info_append(request->reply, job);
        if (r >= 0)
                r = sd_bus_message_close_container(request->reply);
        if (r < 0)
                request_fail_errno(request, r, NULL);
        else
                request_answer(request);
}

int manager_method_list_jobs(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return request_begin_free(userdata, message, list_jobs);
}

int manager_method_lookup_job(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_free_ char *path = NULL;
        const Manager *m = userdata;
        const char *what;
        const Job *job;
        int r;

        r = sd_bus_message_read(message, "s", &what);
        if (r < 0)
                return r;
        job = job_by_id(&m->jobs, what);
        if (!job)
                job = job_by_name(&m->jobs, what);
        if (!job)
                return sd_bus_error_setf(error, CTVIRT_ERROR_NO_SUCH_JOB,
                                         "no job '%s', and none for a container of that name",
                                         what);
        r = sd_bus_path_encode(CTVIRT_BUS_JOB_PREFIX, job->spec->id, &path);
        return r < 0 ? r : sd_bus_reply_method_return(message, "o", path);
}

/*
 * The object
 */

static int method_get_info(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = job_info_append(reply, userdata);
        if (r >= 0)
                r = sd_bus_send(NULL, reply, NULL);
        sd_bus_message_unref(reply);
        return r;
}

static void cancel(Request *request) {
        _cleanup_free_ char *id = NULL;
        Job *job = NULL;
        int r;

        r = sd_bus_path_decode(sd_bus_message_get_path(request->message), CTVIRT_BUS_JOB_PREFIX,
                               &id);
        if (r > 0)
                job = job_by_id(&request->manager->jobs, id);
        if (!job) {
                request_fail(request, CTVIRT_ERROR_NO_SUCH_JOB, "no such job");
                return;
        }
        r = job_cancel(job);
        if (r == -EALREADY)
                request_fail(request, CTVIRT_ERROR_OPERATION_INVALID, "job %s is over", id);
        else if (r < 0)
                request_fail_errno(request, r, NULL);
        else
                request_answer(request);
}

static int method_cancel(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const Job *job = userdata;

        return request_begin(job->manager, message, CTVIRT_ACTION_POOL, cancel);
}

static int find_job(sd_bus *bus, const char *path, const char *interface, void *userdata,
                    void **ret_found, sd_bus_error *ret_error) {
        _cleanup_free_ char *id = NULL;
        const Manager *m = userdata;
        Job *job;
        int r;

        r = sd_bus_path_decode(path, CTVIRT_BUS_JOB_PREFIX, &id);
        if (r <= 0)
                return r;
        job = job_by_id(&m->jobs, id);
        if (!job)
                return 0;
        *ret_found = job;
        return 1;
}

static const sd_bus_vtable job_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("GetInfo", SD_BUS_NO_ARGS, SD_BUS_RESULT("a{sv}", info),
                                method_get_info, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Cancel", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_cancel,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

int job_bus_add(sd_bus *bus, Manager *m) {
        return sd_bus_add_fallback_vtable(bus, NULL, CTVIRT_BUS_JOB_PREFIX, CTVIRT_BUS_JOB,
                                          job_vtable, find_job, m);
}
