/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * org.ctvirt.agent1.Container, see agent/api.h.
 */

#include "agent/addresses.h"
#include "agent/api.h"
#include "agent/bus_errors.h"
#include "agent/bus_objects.h"
#include "agent/container_info.h"
#include "agent/container_jobs.h"
#include "agent/container_refresh.h"
#include "agent/container_snapshots.h"
#include "agent/define.h"
#include "agent/destroy.h"
#include "agent/events.h"
#include "agent/job_bus.h"
#include "agent/job_guard.h"
#include "agent/job_life.h"
#include "agent/lifecycle.h"
#include "agent/unit_facts.h"
#include "agent/unit_transition.h"
#include "base/log.h"
#include "units/unit_bridges.h"

/*
 * Reading
 */

static void answer_info(Request *request, const UnitFacts *facts) {
        Container *c = request_container(request);
        int r;

        if (!c) {
                request_fail(request, CTVIRT_ERROR_NO_SUCH_CONTAINER, "no container '%s'",
                             request->container);
                return;
        }

        r = sd_bus_message_new_method_return(request->message, &request->reply);
        if (r >= 0)
                r = container_info_append(request->reply, c, facts);
        if (r < 0)
                request_fail_errno(request, r, NULL);
        else
                request_answer(request);
}

static void on_facts(sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        UnitFacts facts = { .active_state = "", .result = "" };

        if (error || unit_facts_read(reply, &facts) < 0)
                facts = (UnitFacts){ .active_state = "", .result = "" };
        answer_info(userdata, &facts);
}

static void get_info(Request *request) {
        static const UnitFacts nothing = { .active_state = "", .result = "" };
        Container *c = request_container(request);

        /* A unit that does not run has no accounts, and asking would load it. */
        if (c && unit_phase(c->active_state, c->sub_state) == UNIT_PHASE_UP)
                unit_facts_request(request, c->unit, on_facts);
        else
                answer_info(request, &nothing);
}

static int method_get_info(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Container *c = userdata;

        return request_begin_free(c->manager, message, get_info);
}

/* "FILE" or "FILE and FILE"; NULL: not known. */
static char *foreign_files(const Container *c) {
        _cleanup_(unit_files_freep) UnitFiles *files = NULL;
        _cleanup_strv_ char **paths = NULL;

        if (unit_files_load(c->manager->root, &files) < 0 ||
            unit_settings_files(files, c->name, &paths) < 0 || !paths)
                return NULL;
        return strv_join(paths, " and ");
}

static int refuse_foreign(const Container *c, sd_bus_error *error) {
        _cleanup_free_ char *settings = foreign_files(c);

        return sd_bus_error_setf(
                error, CTVIRT_ERROR_OPERATION_INVALID,
                "container '%s' was not defined with ctvirt; its settings are in %s", c->name,
                settings ? settings : c->unit);
}

/* What everybody may see. */
static int format_public(const ContainerDef *def, char **ret) {
        _cleanup_(container_def_freep) ContainerDef *copy = container_def_copy(def);

        if (!copy)
                return -ENOMEM;
        container_def_withhold(copy);
        return container_def_format(copy, ret);
}

static void get_secure_xml(Request *request) {
        Container *c = request_container(request);
        _cleanup_free_ char *xml = NULL;
        int r;

        if (!c || !c->def) {
                request_fail(request, CTVIRT_ERROR_NO_SUCH_CONTAINER, "no definition of '%s'",
                             request->container);
                return;
        }

        r = container_def_format(c->def, &xml);
        if (r >= 0)
                r = sd_bus_message_new_method_return(request->message, &request->reply);
        if (r >= 0)
                r = sd_bus_message_append(request->reply, "s", xml);
        if (r < 0)
                request_fail_errno(request, r, NULL);
        else
                request_answer(request);
}

static int method_get_xml(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_free_ char *xml = NULL;
        Container *c = userdata;
        uint64_t flags;
        int r;

        r = sd_bus_message_read(message, "t", &flags);
        if (r >= 0)
                r = bus_check_flags(flags, CTVIRT_XML_SECURE, error);
        if (r < 0)
                return r;

        if (c->problem)
                return sd_bus_error_setf(error, CTVIRT_ERROR_XML, "%s", c->problem);
        if (!c->def)
                return refuse_foreign(c, error);
        if (flags & CTVIRT_XML_SECURE)
                return request_begin(c->manager, message, CTVIRT_ACTION_DEFINE, get_secure_xml);
        r = format_public(c->def, &xml);
        return r < 0 ? r : sd_bus_reply_method_return(message, "s", xml);
}

static int method_get_interfaces(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        sd_bus_message *reply = NULL;
        Container *c = userdata;
        int r;

        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = container_interfaces_append(reply, c);
        if (r >= 0)
                r = sd_bus_send(NULL, reply, NULL);
        sd_bus_message_unref(reply);
        return r;
}

static void get_addresses(Request *request) {
        const char *source;
        int r;

        r = sd_bus_message_rewind(request->message, true);
        if (r >= 0)
                r = sd_bus_message_read(request->message, "s", &source);
        if (r >= 0) {
                request->text = strdup(source);
                r = request->text ? 0 : -ENOMEM;
        }
        if (r < 0)
                request_fail_errno(request, r, NULL);
        else
                addresses_get(request);
}

static int method_get_addresses(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Container *c = userdata;

        return request_begin_free(c->manager, message, get_addresses);
}

/*
 * Start and stop
 */

static int begin_lifecycle(sd_bus_message *message, Container *c, RequestStep step,
                           sd_bus_error *error) {
        uint64_t flags;
        int r;

        r = sd_bus_message_read(message, "t", &flags);
        if (r >= 0)
                r = bus_check_flags(flags, 0, error);
        if (r < 0)
                return r;
        return request_begin(c->manager, message, CTVIRT_ACTION_MANAGE, step);
}

static int method_start(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return begin_lifecycle(message, userdata, lifecycle_start, error);
}

static int method_shutdown(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return begin_lifecycle(message, userdata, lifecycle_shutdown, error);
}

static int method_destroy(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return begin_lifecycle(message, userdata, lifecycle_destroy, error);
}

static int method_reboot(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return begin_lifecycle(message, userdata, lifecycle_reboot, error);
}

/*
 * Autostart
 */

static void on_enabled(const UnitReply *reply, void *userdata) {
        Request *request = userdata;
        int r;

        /* systemd has reloaded, so what changed here is in its place already. */
        r = container_refresh_all(request->manager);
        if (r < 0)
                log_warning_errno(r, "Could not read what containers there are");

        if (reply->error) {
                request_fail(request, CTVIRT_ERROR_OPERATION_FAILED, "systemd: %s",
                             reply->error->message);
                return;
        }
        request_answer(request);
}

static void set_autostart(Request *request) {
        Container *c = request_container(request);
        int on, r;

        if (!c) {
                request_fail(request, CTVIRT_ERROR_NO_SUCH_CONTAINER, "no container '%s'",
                             request->container);
                return;
        }

        r = sd_bus_message_rewind(request->message, true);
        if (r >= 0)
                r = sd_bus_message_read(request->message, "b", &on);
        if (r >= 0)
                r = unit_client_enable(request->manager->units, c->unit, on, on_enabled, request);
        if (r < 0)
                request_fail_errno(request, r, NULL);
}

static int method_set_autostart(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Container *c = userdata;

        return request_begin(c->manager, message, CTVIRT_ACTION_DEFINE, set_autostart);
}

/*
 * Undefine
 */

/* The container is gone; what it leaves goes by a job of which nobody is told more. */
static void remove_storage(const Request *request) {
        _cleanup_job_order_ JobOrder order = JOB_ORDER_EMPTY;
        _cleanup_error_ Error *err = NULL;
        Manager *m = request->manager;
        int r;

        if (!(request->flags & CTVIRT_UNDEFINE_STORAGE))
                return;
        r = job_order_new(JOB_VOLUME_DELETE, request->container, &order);
        if (r >= 0) {
                order.spec->flags |= JOB_SNAPSHOTS;
                r = job_begin(m, TAKE_PTR(order.spec), -1, -1, false, NULL, &err);
        }
        if (r < 0)
                log_error("Could not delete the root of '%s': %s", request->container,
                          err && err->text ? err->text : strerror(-r));
}

static void on_undefine_reloaded(const UnitReply *reply, void *userdata) {
        Request *request = userdata;

        if (reply->error)
                log_warning("Could not reload systemd after an undefine: %s",
                            reply->error->message);
        remove_storage(request);
        request_answer(request);
}

/* request->text is where the container's tree is. */
static void finish_undefine(Request *request) {
        _cleanup_error_ Error *err = NULL;
        int r;

        r = undefine_finish(request->manager, request->container, request->text, &err);
        if (r > 0)
                r = unit_client_reload(request->manager->units, on_undefine_reloaded, request);
        else if (r == 0) {
                remove_storage(request);
                request_answer(request);
        }
        if (r < 0)
                request_fail_errno(request, r, err);
}

static void on_undefine_disabled(const UnitReply *reply, void *userdata) {
        if (reply->error)
                log_warning("Could not disable %s: %s", reply->unit, reply->error->message);
        finish_undefine(userdata);
}

/* What speaks against deleting the root is found before anything is undone. */
static int check_storage(Request *request, const Container *c, Error **err) {
        int r;

        r = sd_bus_message_rewind(request->message, true);
        if (r >= 0)
                r = sd_bus_message_read(request->message, "t", &request->flags);
        if (r < 0)
                return r;
        if (job_busy(&c->manager->jobs, c->name, NULL))
                return error_set(err, ERRNO_OPERATION_INVALID,
                                 "a job is at work on its root; see 'ctvirt job-info %s'", c->name);
        if (!(request->flags & CTVIRT_UNDEFINE_STORAGE))
                return 0;
        r = guard_defined(c, err);
        if (r >= 0)
                r = guard_not_running(c->manager, c->name, "deleted", err);
        if (r < 0)
                return r;
        r = guard_volume(c->manager, c->name, err);
        if (r == -ENOENT) {
                request->flags = 0;
                *err = error_free(*err);
                return 0;
        }
        return r;
}

static void undefine(Request *request) {
        Container *c = request_container(request);
        _cleanup_error_ Error *err = NULL;
        Uuid uuid = { { 0 } };
        int r;

        if (!c || !container_is_defined(c)) {
                request_fail(request, CTVIRT_ERROR_NO_SUCH_CONTAINER, "no definition of '%s'",
                             request->container);
                return;
        }

        r = check_storage(request, c, &err);
        if (r < 0) {
                request_fail_errno(request, r, err);
                return;
        }
        if (c->def)
                uuid = c->def->uuid;
        request->text = container_root_path(c);
        r = undefine_commit(request->manager, c, &err);
        if (r < 0) {
                request_fail_errno(request, r, err);
                return;
        }
        events_container_name(request->manager, c->name, &uuid, CTVIRT_EVENT_UNDEFINED, "Removed");

        /* The generated files stay until the unit is disabled: if we die, they tell what is to be
         * done. */
        if (!c->enabled) {
                finish_undefine(request);
                return;
        }
        r = unit_client_enable(request->manager->units, c->unit, false, on_undefine_disabled,
                               request);
        if (r < 0)
                finish_undefine(request);
}

static int method_undefine(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Container *c = userdata;
        uint64_t flags;
        int r;

        r = sd_bus_message_read(message, "t", &flags);
        if (r >= 0)
                r = bus_check_flags(flags, CTVIRT_UNDEFINE_STORAGE, error);
        if (r < 0)
                return r;
        if (!container_is_defined(c))
                return refuse_foreign(c, error);
        return request_begin(c->manager, message, CTVIRT_ACTION_DEFINE, undefine);
}

/*
 * The objects
 */

static int find_container(sd_bus *bus, const char *path, const char *interface, void *userdata,
                          void **ret_found, sd_bus_error *ret_error) {
        _cleanup_free_ char *name = NULL;
        Manager *m = userdata;
        Container *c;
        int r;

        r = sd_bus_path_decode(path, CTVIRT_BUS_CONTAINER_PREFIX, &name);
        if (r <= 0)
                return r;
        c = container_table_by_name(&m->containers, name);
        if (!c)
                return 0;

        *ret_found = c;
        return 1;
}

static int list_containers(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes,
                           sd_bus_error *ret_error) {
        _cleanup_strv_ char **nodes = NULL;
        Manager *m = userdata;

        for (size_t i = 0; i < m->containers.n_items; i++) {
                char *path;
                int r;

                r = sd_bus_path_encode(CTVIRT_BUS_CONTAINER_PREFIX, m->containers.items[i]->name,
                                       &path);
                if (r >= 0)
                        r = strv_push(&nodes, path);
                if (r < 0)
                        return r;
        }

        *ret_nodes = TAKE_PTR(nodes);
        return 1;
}

static const sd_bus_vtable container_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("GetInfo", SD_BUS_NO_ARGS, SD_BUS_RESULT("a{sv}", info),
                                method_get_info, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetXML", SD_BUS_ARGS("t", flags), SD_BUS_RESULT("s", xml),
                                method_get_xml, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetInterfaces", SD_BUS_NO_ARGS,
                                SD_BUS_RESULT("a(sssss)", interfaces), method_get_interfaces,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetAddresses", SD_BUS_ARGS("s", source),
                                SD_BUS_RESULT("a(sssu)", addresses), method_get_addresses,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Start", SD_BUS_ARGS("t", flags), SD_BUS_NO_RESULT, method_start,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Shutdown", SD_BUS_ARGS("t", flags), SD_BUS_NO_RESULT,
                                method_shutdown, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Destroy", SD_BUS_ARGS("t", flags), SD_BUS_NO_RESULT,
                                method_destroy, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Reboot", SD_BUS_ARGS("t", flags), SD_BUS_NO_RESULT, method_reboot,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("SetAutostart", SD_BUS_ARGS("b", on), SD_BUS_NO_RESULT,
                                method_set_autostart, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Undefine", SD_BUS_ARGS("t", flags), SD_BUS_NO_RESULT,
                                method_undefine, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Bootstrap", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("o", job),
                                container_method_bootstrap, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Clone", SD_BUS_ARGS("s", name, "a{sv}", options),
                                SD_BUS_RESULT("o", job), container_method_clone,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Export", SD_BUS_ARGS("h", file, "s", compression),
                                SD_BUS_RESULT("o", job), container_method_export,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("CreateSnapshot", SD_BUS_ARGS("s", name, "s", description),
                                SD_BUS_RESULT("o", job), container_method_create_snapshot,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListSnapshots", SD_BUS_NO_ARGS,
                                SD_BUS_RESULT("a(ssts)", snapshots),
                                container_method_list_snapshots, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetSnapshot", SD_BUS_ARGS("s", name),
                                SD_BUS_RESULT("s", description, "t", creation_usec, "s", state),
                                container_method_get_snapshot, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("RevertSnapshot", SD_BUS_ARGS("s", name, "t", flags),
                                SD_BUS_RESULT("o", job), container_method_revert_snapshot,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("DeleteSnapshot", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", job),
                                container_method_delete_snapshot, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("SetUserPassword", SD_BUS_ARGS("s", user, "s", hash),
                                SD_BUS_NO_RESULT, container_method_set_password,
                                SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_VTABLE_END,
};

int container_bus_add(sd_bus *bus, Manager *m) {
        int r;

        r = sd_bus_add_fallback_vtable(bus, NULL, CTVIRT_BUS_CONTAINER_PREFIX, CTVIRT_BUS_CONTAINER,
                                       container_vtable, find_container, m);
        if (r < 0)
                return r;
        return sd_bus_add_node_enumerator(bus, NULL, CTVIRT_BUS_CONTAINER_PREFIX, list_containers,
                                          m);
}
