/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/container_jobs.h"

#include <fcntl.h>

#include "agent/api.h"
#include "agent/bootstrap_request.h"
#include "agent/bus_errors.h"
#include "agent/definition_complete.h"
#include "agent/job_bus.h"
#include "agent/job_guard.h"
#include "agent/pool/archive.h"
#include "agent/pool/bundle_adopt.h"

static Container *container_or_fail(Request *request) {
        Container *c = request_container(request);

        if (!c)
                request_fail(request, CTVIRT_ERROR_NO_SUCH_CONTAINER, "no container '%s'",
                             request->container);
        return c;
}

/* What a handler found wrong with the arguments, before a request was made. */
static int refuse_arguments(sd_bus_error *error, int r, const Error *err) {
        if (!err)
                return r;
        (void) bus_error_from(error, r, err);
        return -EINVAL;
}

/*
 * Bootstrap
 */

static int bootstrap_order(const Container *c, const BootstrapRequest *q, JobOrder *order,
                           Error **err) {
        _cleanup_(container_def_freep) ContainerDef *def = NULL;
        int r;

        r = guard_defined(c, err);
        if (r >= 0)
                r = guard_not_running(c->manager, c->name, "made anew", err);
        if (r < 0)
                return r;
        r = guard_volume(c->manager, c->name, NULL);
        if (r != -ENOENT && !q->replace)
                return error_set(err, ERRNO_CONFLICT,
                                 "container '%s' has a root already; 'ctvirt bootstrap %s "
                                 "--replace' makes it anew, and what is in it is lost",
                                 c->name, c->name);

        def = container_def_copy(c->def);
        if (!def)
                return -ENOMEM;
        r = bootstrap_request_apply(q, def, err);
        if (r >= 0)
                r = job_order_new(JOB_BOOTSTRAP, c->name, order);
        if (r >= 0)
                r = container_def_format(def, &order->spec->definition);
        if (r < 0)
                return r;
        order->spec->base_max_age_usec = c->manager->config.base_max_age_usec;
        order->spec->flags |= q->replace ? JOB_REPLACE : 0;
        return 0;
}

static void bootstrap(Request *request) {
        _cleanup_bootstrap_request_ BootstrapRequest q = { 0 };
        _cleanup_job_order_ JobOrder order = JOB_ORDER_EMPTY;
        Container *c = container_or_fail(request);
        _cleanup_error_ Error *err = NULL;
        int r;

        if (!c)
                return;
        r = sd_bus_message_rewind(request->message, true);
        if (r >= 0)
                r = bootstrap_request_read(request->message, &q, &err);
        if (r >= 0)
                r = bootstrap_order(c, &q, &order, &err);
        if (r < 0)
                request_fail_errno(request, r, err);
        else
                job_request_begin(request, &order);
}

int container_method_bootstrap(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_bootstrap_request_ BootstrapRequest q = { 0 };
        _cleanup_error_ Error *err = NULL;
        const Container *c = userdata;
        int r;

        r = bootstrap_request_read(message, &q, &err);
        if (r < 0)
                return refuse_arguments(error, r, err);
        return request_begin(c->manager, message, CTVIRT_ACTION_BOOTSTRAP, bootstrap);
}

/*
 * Clone
 */

/* What the copy is: the other's definition without what cannot be twice. What it was told at its
 * own first boot it knows from the root, which is not to be told again what has changed since. */
static int clone_definition(const Container *c, const char *name, char **ret, Error **err) {
        _cleanup_(container_def_freep) ContainerDef *def = container_def_copy(c->def);
        _cleanup_strv_ char **warnings = NULL;
        int r;

        if (!def)
                return -ENOMEM;
        r = bundle_adopt(def, name, 0);
        if (r >= 0)
                r = definition_complete(c->manager, NULL, def, "the definition", &warnings, err);
        if (r < 0)
                return r;
        def->first_boot = first_boot_def_free(def->first_boot);
        bootstrap_def_free(def->bootstrap);
        def->bootstrap = calloc(1, sizeof(*def->bootstrap));
        if (!def->bootstrap)
                return -ENOMEM;
        def->bootstrap->type = BOOTSTRAP_CLONE;
        def->bootstrap->source = strdup(c->name);
        return def->bootstrap->source ? container_def_format(def, ret) : -ENOMEM;
}

static int clone_order(const Container *c, const char *name, JobOrder *order, Error **err) {
        int r;

        r = guard_defined(c, err);
        if (r >= 0)
                r = guard_name_is_free(c->manager, name, err);
        if (r >= 0)
                r = guard_volume(c->manager, c->name, err);
        if (r >= 0)
                r = job_order_new(JOB_BOOTSTRAP, name, order);
        if (r >= 0)
                r = clone_definition(c, name, &order->spec->definition, err);
        if (r < 0)
                return r;
        order->spec->source = strdup(c->name);
        if (!order->spec->source)
                return -ENOMEM;
        order->spec->flags |= JOB_DEFINE | (c->active ? JOB_FREEZE : 0);
        return 0;
}

static void clone_container(Request *request) {
        _cleanup_job_order_ JobOrder order = JOB_ORDER_EMPTY;
        Container *c = container_or_fail(request);
        _cleanup_error_ Error *err = NULL;
        const char *name;
        int r;

        if (!c)
                return;
        r = sd_bus_message_rewind(request->message, true);
        if (r >= 0)
                r = sd_bus_message_read(request->message, "s", &name);
        if (r >= 0)
                r = clone_order(c, name, &order, &err);
        if (r < 0)
                request_fail_errno(request, r, err);
        else
                job_request_begin(request, &order);
}

static int refuse_options(sd_bus_message *m, sd_bus_error *error) {
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
        if (r >= 0)
                r = sd_bus_message_at_end(m, false);
        if (r == 0)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, "unknown options");
        return r;
}

int container_method_clone(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_error_ Error *err = NULL;
        const Container *c = userdata;
        const char *name;
        int r;

        r = sd_bus_message_read(message, "s", &name);
        if (r >= 0)
                r = refuse_options(message, error);
        if (r >= 0)
                r = guard_name(name, &err);
        if (r < 0)
                return refuse_arguments(error, r, err);
        return request_begin(c->manager, message, CTVIRT_ACTION_BOOTSTRAP, clone_container);
}

/*
 * Export and import
 */

static int take_fd(int fd, int *ret) {
        *ret = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        return *ret < 0 ? negative_errno() : 0;
}

static int export_order(const Container *c, int fd, const char *compression, JobOrder *order,
                        Error **err) {
        int r;

        r = guard_defined(c, err);
        if (r >= 0)
                r = guard_volume(c->manager, c->name, err);
        if (r >= 0)
                r = job_order_new(JOB_EXPORT, c->name, order);
        if (r >= 0)
                r = container_def_format(c->def, &order->spec->definition);
        if (r >= 0)
                r = take_fd(fd, &order->output_fd);
        if (r < 0)
                return r;
        order->spec->compression = strdup(compression);
        order->spec->flags |= c->active ? JOB_FREEZE : 0;
        return order->spec->compression ? 0 : -ENOMEM;
}

static void export_container(Request *request) {
        _cleanup_job_order_ JobOrder order = JOB_ORDER_EMPTY;
        Container *c = container_or_fail(request);
        _cleanup_error_ Error *err = NULL;
        const char *compression;
        int fd, r;

        if (!c)
                return;
        r = sd_bus_message_rewind(request->message, true);
        if (r >= 0)
                r = sd_bus_message_read(request->message, "hs", &fd, &compression);
        if (r >= 0)
                r = export_order(c, fd, compression, &order, &err);
        if (r < 0)
                request_fail_errno(request, r, err);
        else
                job_request_begin(request, &order);
}

int container_method_export(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const Container *c = userdata;
        const char *compression;
        int fd, r;

        r = sd_bus_message_read(message, "hs", &fd, &compression);
        if (r < 0)
                return r;
        if (compression_from_string(compression) < 0)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                         "'%.80s' is no compression: none, gzip, xz or zstd",
                                         compression);
        return request_begin(c->manager, message, CTVIRT_ACTION_POOL, export_container);
}

typedef struct ImportOptions {
        const char *name; /* NULL: as the bundle says */
        int moved;
} ImportOptions;

static int read_import_option(sd_bus_message *m, ImportOptions *o, Error **err) {
        const char *key;
        int r;

        r = sd_bus_message_read(m, "s", &key);
        if (r < 0)
                return r;
        if (streq(key, "Moved"))
                return sd_bus_message_read(m, "v", "b", &o->moved);
        if (!streq(key, "Name"))
                return error_set(err, EINVAL, "unknown option '%.80s'", key);
        r = sd_bus_message_read(m, "v", "s", &o->name);
        return r < 0 ? r : guard_name(o->name, err);
}

static int read_import(sd_bus_message *m, int *ret_fd, ImportOptions *ret, Error **err) {
        int r;

        r = sd_bus_message_read(m, "h", ret_fd);
        if (r >= 0)
                r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
        while (r >= 0 &&
               (r = sd_bus_message_enter_container(m, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
                r = read_import_option(m, ret, err);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int import_order(const Manager *m, int fd, const ImportOptions *o, JobOrder *order,
                        Error **err) {
        int r = 0;

        /* Without a name it is in the bundle, which is read by the job. */
        if (o->name)
                r = guard_name_is_free(m, o->name, err);
        if (r >= 0)
                r = job_order_new(JOB_IMPORT, o->name, order);
        if (r >= 0)
                r = take_fd(fd, &order->input_fd);
        if (r >= 0)
                order->spec->flags |= JOB_DEFINE | (o->moved ? JOB_MOVED : 0);
        return r;
}

static void import(Request *request) {
        _cleanup_job_order_ JobOrder order = JOB_ORDER_EMPTY;
        _cleanup_error_ Error *err = NULL;
        ImportOptions options = { 0 };
        int fd, r;

        r = sd_bus_message_rewind(request->message, true);
        if (r >= 0)
                r = read_import(request->message, &fd, &options, &err);
        if (r >= 0)
                r = import_order(request->manager, fd, &options, &order, &err);
        if (r < 0)
                request_fail_errno(request, r, err);
        else
                job_request_begin(request, &order);
}

int manager_method_import(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_error_ Error *err = NULL;
        ImportOptions options = { 0 };
        int fd, r;

        r = read_import(message, &fd, &options, &err);
        if (r < 0)
                return refuse_arguments(error, r, err);
        return request_begin(userdata, message, CTVIRT_ACTION_BOOTSTRAP, import);
}
