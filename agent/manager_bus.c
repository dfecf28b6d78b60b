/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * org.ctvirt.agent1.Manager, see agent/api.h.
 */

#include <limits.h>

#include "agent/api.h"
#include "agent/bus_errors.h"
#include "agent/bus_objects.h"
#include "agent/container_info.h"
#include "agent/container_jobs.h"
#include "agent/define.h"
#include "agent/events.h"
#include "agent/job_bus.h"
#include "agent/network_wait.h"

/*
 * DefineContainer
 */

/* What is written is written; but a start would not see all of it yet. */
static void on_define_reloaded(const UnitReply *reply, void *userdata) {
        Request *request = userdata;

        if (reply->error)
                request_fail(request, CTVIRT_ERROR_OPERATION_FAILED,
                             "the container is defined, but systemd did not reload (%s); run "
                             "'systemctl daemon-reload'",
                             reply->error->message);
        else
                request_answer(request);
}

static int prepare_reply(Request *request, const DefineResult *result) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = sd_bus_path_encode(CTVIRT_BUS_CONTAINER_PREFIX, result->name, &path);
        if (r >= 0)
                r = sd_bus_message_new_method_return(request->message, &request->reply);
        if (r >= 0)
                r = sd_bus_message_append(request->reply, "os", path, result->name);
        return r < 0 ? r : sd_bus_message_append_strv(request->reply, result->warnings);
}

static void announce(Manager *m, const DefineResult *result) {
        const Container *c = container_table_by_name(&m->containers, result->name);

        if (c)
                events_container(m, c, CTVIRT_EVENT_DEFINED,
                                 result->redefined ? "Updated" : "Added");
}

static DefineFlags define_flags(uint64_t flags) {
        return (flags & CTVIRT_DEFINE_VALIDATE ? DEFINE_VALIDATE : 0) |
               (flags & CTVIRT_DEFINE_BOOTSTRAP ? DEFINE_BOOTSTRAP : 0);
}

static void define(Request *request) {
        _cleanup_define_result_ DefineResult result = { 0 };
        _cleanup_error_ Error *err = NULL;
        const char *xml, *file_name;
        uint64_t flags;
        int r;

        r = sd_bus_message_rewind(request->message, true);
        if (r >= 0)
                r = sd_bus_message_read(request->message, "sst", &xml, &file_name, &flags);
        if (r >= 0)
                r = define_container(request->manager, xml, strlen(xml),
                                     *file_name ? file_name : "(stdin)", define_flags(flags),
                                     &result, &err);
        if (r >= 0)
                r = prepare_reply(request, &result);
        if (r >= 0) {
                announce(request->manager, &result);
                if (!result.reload) {
                        request_answer(request);
                        return;
                }
                r = unit_client_reload(request->manager->units, on_define_reloaded, request);
        }
        if (r < 0)
                request_fail_errno(request, r, err);
}

/* Before anything is kept of it: others may send it as well, and the message is held while polkit
 * asks. */
static int check_define_size(const char *xml, const char *file_name, sd_bus_error *error) {
        size_t size = strlen(xml);

        if (size > CONTAINER_XML_MAX)
                return sd_bus_error_setf(error, CTVIRT_ERROR_XML,
                                         "document of %zu bytes is larger than the limit of %d",
                                         size, CONTAINER_XML_MAX);
        if (strlen(file_name) > PATH_MAX)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "the name of the file is too long");
        return 0;
}

static int method_define(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *xml, *file_name;
        uint64_t flags;
        int r;

        r = sd_bus_message_read(message, "sst", &xml, &file_name, &flags);
        if (r >= 0)
                r = bus_check_flags(flags, CTVIRT_DEFINE_VALIDATE | CTVIRT_DEFINE_BOOTSTRAP, error);
        if (r >= 0)
                r = check_define_size(xml, file_name, error);
        if (r < 0)
                return r;
        return request_begin(userdata, message, CTVIRT_ACTION_DEFINE, define);
}

/*
 * Lookup and list
 */

static Container *find_by_id(const Manager *m, const char *what) {
        unsigned long id;
        char *end;

        if (!*what || strspn(what, "0123456789") != strlen(what))
                return NULL;
        errno = 0;
        id = strtoul(what, &end, 10);
        return errno == 0 && id <= UINT32_MAX ? container_table_by_id(&m->containers, (uint32_t) id)
                                              : NULL;
}

/* virsh's order: id, UUID, name. */
static Container *find_container(const Manager *m, const char *what) {
        Container *c = find_by_id(m, what);
        Uuid uuid;

        if (!c && uuid_from_string(what, &uuid) >= 0)
                c = container_table_by_uuid(&m->containers, &uuid);
        return c ? c : container_table_by_name(&m->containers, what);
}

static int method_lookup_container(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_free_ char *path = NULL;
        const Container *c;
        const char *what;
        int r;

        r = sd_bus_message_read(message, "s", &what);
        if (r < 0)
                return r;
        c = find_container(userdata, what);
        if (!c)
                return sd_bus_error_setf(error, CTVIRT_ERROR_NO_SUCH_CONTAINER,
                                         "no container with matching name '%s'", what);

        r = sd_bus_path_encode(CTVIRT_BUS_CONTAINER_PREFIX, c->name, &path);
        return r < 0 ? r : sd_bus_reply_method_return(message, "o", path);
}

static const Network *find_network(const Manager *m, const char *what) {
        const Network *n = NULL;
        Uuid uuid;

        if (uuid_from_string(what, &uuid) >= 0)
                n = network_table_by_uuid(&m->networks, &uuid);
        return n ? n : network_table_by_name(&m->networks, what);
}

static void lookup_network(Request *request) {
        _cleanup_free_ char *path = NULL;
        const Network *n = NULL;
        const char *what;
        int r;

        r = sd_bus_message_rewind(request->message, true);
        if (r >= 0)
                r = sd_bus_message_read(request->message, "s", &what);
        if (r >= 0)
                n = find_network(request->manager, what);
        if (r >= 0 && !n) {
                request_fail(request, CTVIRT_ERROR_NO_SUCH_NETWORK,
                             "no network with matching name '%s'", what);
                return;
        }

        if (r >= 0)
                r = sd_bus_path_encode(CTVIRT_BUS_NETWORK_PREFIX, n->name, &path);
        if (r >= 0)
                r = sd_bus_message_new_method_return(request->message, &request->reply);
        if (r >= 0)
                r = sd_bus_message_append(request->reply, "o", path);
        if (r < 0)
                request_fail_errno(request, r, NULL);
        else
                request_answer(request);
}

static void wait_lookup_network(Request *request) {
        network_wait(request, lookup_network);
}

static int method_lookup_network(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return request_begin_free(userdata, message, wait_lookup_network);
}

static int append_containers(sd_bus_message *reply, Manager *m) {
        for (size_t i = 0; i < m->containers.n_items; i++) {
                int r = container_info_append(reply, m->containers.items[i], NULL);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int append_networks(sd_bus_message *reply, Manager *m) {
        for (size_t i = 0; i < m->networks.n_items; i++) {
                int r = network_info_append(reply, m, m->networks.items[i]);

                if (r < 0)
                        return r;
        }
        return 0;
}

static void answer_list(Request *request, int (*append)(sd_bus_message *reply, Manager *m)) {
        int r;

        r = sd_bus_message_new_method_return(request->message, &request->reply);
        if (r >= 0)
                r = sd_bus_message_open_container(request->reply, SD_BUS_TYPE_ARRAY, "a{sv}");
        if (r >= 0)
                r = append(request->reply, request->manager);
        if (r >= 0)
                r = sd_bus_message_close_container(request->reply);
        if (r < 0)
                request_fail_errno(request, r, NULL);
        else
                request_answer(request);
}

static void list_containers(Request *request) {
        answer_list(request, append_containers);
}

static int method_list_containers(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return request_begin_free(userdata, message, list_containers);
}

static void list_networks(Request *request) {
        answer_list(request, append_networks);
}

static void wait_list_networks(Request *request) {
        network_wait(request, list_networks);
}

static int method_list_networks(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return request_begin_free(userdata, message, wait_list_networks);
}

/*
 * GetInfo
 */

static int method_get_info(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        unsigned long version = libvirt_link_version(m->libvirt);
        char text[32] = "";

        if (libvirt_link_is_connected(m->libvirt))
                (void) snprintf(text, sizeof(text), "%lu.%lu.%lu", version / 1000000,
                                version / 1000 % 1000, version % 1000);

        return sd_bus_reply_method_return(message, "a{sv}", 4,                  /* */
                                          "Version", "s", CTVIRT_VERSION,       /* */
                                          "LibvirtURI", "s",                    /* */
                                          m->libvirt_uri ? m->libvirt_uri : "", /* */
                                          "LibvirtVersion", "s", text,          /* */
                                          "SystemdVersion", "u", (uint32_t) m->systemd_version);
}

static const sd_bus_vtable manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("DefineContainer",
                                SD_BUS_ARGS("s", xml, "s", file_name, "t", flags),
                                SD_BUS_RESULT("o", container, "s", name, "as", warnings),
                                method_define, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("LookupContainer", SD_BUS_ARGS("s", what),
                                SD_BUS_RESULT("o", container), method_lookup_container,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListContainers", SD_BUS_NO_ARGS,
                                SD_BUS_RESULT("aa{sv}", containers), method_list_containers,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("LookupNetwork", SD_BUS_ARGS("s", what),
                                SD_BUS_RESULT("o", network), method_lookup_network,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListNetworks", SD_BUS_NO_ARGS, SD_BUS_RESULT("aa{sv}", networks),
                                method_list_networks, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetInfo", SD_BUS_NO_ARGS, SD_BUS_RESULT("a{sv}", info),
                                method_get_info, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Import", SD_BUS_ARGS("h", bundle, "a{sv}", options),
                                SD_BUS_RESULT("o", job), manager_method_import,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListJobs", SD_BUS_NO_ARGS, SD_BUS_RESULT("aa{sv}", jobs),
                                manager_method_list_jobs, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("LookupJob", SD_BUS_ARGS("s", what), SD_BUS_RESULT("o", job),
                                manager_method_lookup_job, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL_WITH_ARGS(
                "JobEvent", SD_BUS_ARGS("s", id, "s", kind, "s", name, "s", event, "a{sv}", info),
                0),
        SD_BUS_SIGNAL_WITH_ARGS(
                "ContainerEvent",
                SD_BUS_ARGS("s", name, "s", uuid, "s", event, "s", detail, "t", realtime_usec), 0),
        SD_BUS_SIGNAL_WITH_ARGS(
                "NetworkEvent",
                SD_BUS_ARGS("s", name, "s", uuid, "s", event, "s", detail, "t", realtime_usec), 0),
        SD_BUS_VTABLE_END,
};

int manager_bus_add(sd_bus *bus, Manager *m) {
        return sd_bus_add_object_vtable(bus, NULL, CTVIRT_BUS_PATH, CTVIRT_BUS_MANAGER,
                                        manager_vtable, m);
}
