/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "test_cli_peer.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-id128.h>

#include "agent/api.h"

/* 2026-11-21 17:06:14.921 */
#define EVENT_USEC UINT64_C(1795280774921000)

typedef struct PeerContainer {
        const char *path, *name, *uuid, *state, *reason, *title, *waiting_for, *last_failure;
        uint32_t id;
        bool autostart, persistent;
} PeerContainer;

static const PeerContainer containers[] = {
        { .path = CTVIRT_BUS_CONTAINER_PREFIX "/zeta",
          .name = "zeta",
          .uuid = "6695eb01-f6a4-8304-79aa-97f2502e193f",
          .state = CTVIRT_STATE_SHUTOFF,
          .reason = "",
          .waiting_for = "virbr7",
          .last_failure = "start-limit-hit" },
        { .path = CTVIRT_BUS_CONTAINER_PREFIX "/web",
          .name = "web",
          .uuid = "1a2b3c4d-0000-4000-8000-000000000001",
          .state = CTVIRT_STATE_RUNNING,
          .reason = "booted",
          .title = "Web \303\244nd mail",
          .id = 12,
          .autostart = true,
          .persistent = true },
        { .path = CTVIRT_BUS_CONTAINER_PREFIX "/db_2d1",
          .name = "db-1",
          .uuid = "1a2b3c4d-0000-4000-8000-000000000002",
          .state = CTVIRT_STATE_SHUTDOWN,
          .reason = "user",
          .id = 3,
          .persistent = true },
        { .path = CTVIRT_BUS_CONTAINER_PREFIX "/alpha",
          .name = "alpha",
          .uuid = "1a2b3c4d-0000-4000-8000-000000000003",
          .state = CTVIRT_STATE_SHUTOFF,
          .reason = "shutdown",
          .autostart = true,
          .persistent = true },
};

static int append_string(sd_bus_message *m, const char *key, const char *value) {
        return sd_bus_message_append(m, "{sv}", key, "s", value ? value : "");
}

static int append_container(sd_bus_message *m, const PeerContainer *c) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        (void) append_string(m, "Name", c->name);
        (void) append_string(m, "UUID", c->uuid);
        (void) append_string(m, "State", c->state);
        (void) append_string(m, "StateReason", c->reason);
        (void) append_string(m, "Title", c->title);
        (void) append_string(m, "LastFailure", c->last_failure);
        (void) append_string(m, "OSType", "exe");
        (void) sd_bus_message_append(m, "{sv}", "Id", "u", c->id);
        (void) sd_bus_message_append(m, "{sv}", "Autostart", "b", c->autostart);
        (void) sd_bus_message_append(m, "{sv}", "Persistent", "b", c->persistent);
        (void) sd_bus_message_append(m, "{sv}", "Bridges", "as", 2, "virbr0", "virbr7");
        if (c->waiting_for)
                (void) sd_bus_message_append(m, "{sv}", "WaitingFor", "as", 1, c->waiting_for);
        (void) sd_bus_message_append(m, "{sv}", "VCPUs", "u", c->id == 0 ? 0 : 2);
        (void) sd_bus_message_append(m, "{sv}", "MaxMemoryKiB", "t",
                                     c->id == 0 ? UINT64_C(0) : UINT64_C(8388608));
        (void) sd_bus_message_append(m, "{sv}", "UsedMemoryKiB", "t", UINT64_C(2048) * c->id);
        (void) sd_bus_message_append(m, "{sv}", "CPUTimeNSec", "t", UINT64_C(1033000000) * c->id);
        (void) sd_bus_message_append(m, "{sv}", "OfTheFuture", "(us)", 1, "x");
        /* A known key of another type is passed over as well. */
        (void) sd_bus_message_append(m, "{sv}", "Unit", "u", 1);
        return sd_bus_message_close_container(m);
}

static int append_network(sd_bus_message *m, const char *name, bool active) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        (void) append_string(m, "Name", name);
        (void) append_string(m, "UUID", "dd8fe884-6c02-601e-7551-cca97df1c5df");
        (void) append_string(m, "Bridge", active ? "virbr0" : "");
        (void) sd_bus_message_append(m, "{sv}", "Active", "b", active);
        (void) sd_bus_message_append(m, "{sv}", "Persistent", "b", true);
        (void) sd_bus_message_append(m, "{sv}", "Autostart", "b", active);
        (void) sd_bus_message_append(m, "{sv}", "Ready", "b", active);
        (void) sd_bus_message_append(m, "{sv}", "Handled", "b", active);
        (void) sd_bus_message_append(m, "{sv}", "Incarnation", "u", active ? 7 : 0);
        if (active)
                (void) sd_bus_message_append(m, "{sv}", "Containers", "as", 2, "web", "db-1");
        return sd_bus_message_close_container(m);
}

static int send_and_unref(sd_bus *bus, sd_bus_message *m) {
        int r = sd_bus_send(bus, m, NULL);

        sd_bus_message_unref(m);
        return r;
}

static int reply_new(sd_bus_message *call, sd_bus_message **ret) {
        return sd_bus_message_new_method_return(call, ret);
}

static int on_hello(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_bus_reply_method_return(m, "s", ":1.1");
}

static int on_add_match(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_bus_reply_method_return(m, NULL);
}

static int on_define(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *xml, *file;
        uint64_t flags;
        int r = sd_bus_message_read(m, "sst", &xml, &file, &flags);

        if (r < 0)
                return r;
        if (strstr(xml, "no-mac"))
                return sd_bus_error_setf(error, CTVIRT_ERROR_XML,
                                         "%s:7: element 'mac': 'no-mac' is not a MAC address",
                                         file);
        if (flags & CTVIRT_DEFINE_VALIDATE)
                return sd_bus_reply_method_return(m, "osas", containers[1].path, "web", 0);
        return sd_bus_reply_method_return(m, "osas", containers[1].path, "web", 1,
                                          "element 'sound' is not known, left alone");
}

static int on_lookup_container(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *what;
        int r = sd_bus_message_read(m, "s", &what);

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(containers); i++)
                if (streq(what, containers[i].name) || streq(what, containers[i].uuid))
                        return sd_bus_reply_method_return(m, "o", containers[i].path);
        return sd_bus_error_setf(error, CTVIRT_ERROR_NO_SUCH_CONTAINER, "no container '%s'", what);
}

static int on_lookup_network(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *what;
        int r = sd_bus_message_read(m, "s", &what);

        if (r >= 0 && streq(what, "default"))
                return sd_bus_reply_method_return(m, "o", CTVIRT_BUS_NETWORK_PREFIX "/default");
        if (r >= 0 && streq(what, "lab"))
                return sd_bus_reply_method_return(m, "o", CTVIRT_BUS_NETWORK_PREFIX "/lab");
        return sd_bus_error_setf(error, CTVIRT_ERROR_NO_SUCH_NETWORK,
                                 "Network not found: no network with matching name '%s'", what);
}

static int on_list_containers(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        sd_bus_message *reply;
        int r;

        r = reply_new(m, &reply);
        if (r < 0)
                return r;
        (void) sd_bus_message_open_container(reply, 'a', "a{sv}");
        for (size_t i = 0; i < ELEMENTSOF(containers); i++)
                (void) append_container(reply, &containers[i]);
        (void) sd_bus_message_close_container(reply);
        return send_and_unref(sd_bus_message_get_bus(m), reply);
}

static int on_list_networks(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        sd_bus_message *reply;
        int r;

        r = reply_new(m, &reply);
        if (r < 0)
                return r;
        (void) sd_bus_message_open_container(reply, 'a', "a{sv}");
        (void) append_network(reply, "lab", false);
        (void) append_network(reply, "default", true);
        (void) sd_bus_message_close_container(reply);
        return send_and_unref(sd_bus_message_get_bus(m), reply);
}

static int emit(sd_bus *bus, const char *member, const char *name, const char *event,
                const char *detail) {
        sd_bus_message *m;
        int r;

        r = sd_bus_message_new_signal(bus, &m, CTVIRT_BUS_PATH, CTVIRT_BUS_MANAGER, member);
        if (r < 0)
                return r;
        (void) sd_bus_message_set_sender(m, CTVIRT_BUS_NAME);
        (void) sd_bus_message_append(m, "sssst", name, "6695eb01-f6a4-8304-79aa-97f2502e193f",
                                     event, detail, EVENT_USEC);
        return send_and_unref(bus, m);
}

/* Whoever asks for the agent's versions gets some events as well. */
static int on_agent_info(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        sd_bus *bus = sd_bus_message_get_bus(m);
        int r;

        r = sd_bus_reply_method_return(m, "a{sv}", 3, "Version", "s", "1.2.3", "LibvirtURI", "s",
                                       "qemu:///system", "SystemdVersion", "u", 252);
        (void) emit(bus, "NetworkEvent", "default", CTVIRT_EVENT_STARTED, "");
        (void) emit(bus, "NetworkEvent", "default", CTVIRT_EVENT_READY, "virbr0");
        (void) emit(bus, "ContainerEvent", "web", CTVIRT_EVENT_STARTED, "Booted");
        return r;
}

static int on_container_info(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        sd_bus_message *reply;
        int r;

        r = reply_new(m, &reply);
        if (r < 0)
                return r;
        (void) append_container(reply, userdata);
        return send_and_unref(sd_bus_message_get_bus(m), reply);
}

static int on_get_xml(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        uint64_t flags;

        if (sd_bus_message_read(m, "t", &flags) < 0)
                return -EINVAL;
        return sd_bus_reply_method_return(m, "s",
                                          flags == CTVIRT_XML_SECURE
                                                  ? "<domain type='nspawn'>secret</domain>\n"
                                                  : "<domain type='nspawn'>\n</domain>\n");
}

static int on_get_interfaces(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_bus_reply_method_return(m, "a(sssss)", 2, "vb-web", "network", "default", "-",
                                          "aa:bb:cc:dd:ee:ff", "-", "bridge", "virbr7", "-", "-");
}

static int on_get_addresses(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const PeerContainer *c = userdata;

        if (c->id == 0)
                return sd_bus_error_set(error, CTVIRT_ERROR_OPERATION_INVALID,
                                        "Requested operation is not valid: container is not "
                                        "running");
        return sd_bus_reply_method_return(m, "a(sssu)", 3, "vb-web", "aa:bb:cc:dd:ee:ff",
                                          "192.168.122.3", 24, "vb-web", "aa:bb:cc:dd:ee:ff",
                                          "fd00::3", 64, "vb-two", "", "", 0);
}

/* What runs cannot be destroyed by us, what does not run cannot be started. */
static int on_action(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const PeerContainer *c = userdata;
        const char *member = sd_bus_message_get_member(m);

        if (streq(member, "Destroy") && c->id == 3)
                return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED,
                                        "not authorised for org.ctvirt.agent1.manage-containers");
        if (streq(member, "Undefine") && c->id == 3)
                return sd_bus_error_set(error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                                        "interactive authorization is required");
        if (streq(member, "Undefine") && c->waiting_for)
                return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "access denied");
        if (streq(member, "Start") && c->waiting_for)
                return sd_bus_error_setf(error, CTVIRT_ERROR_OPERATION_INVALID,
                                         "bridge '%s' is not ready", c->waiting_for);
        if (streq(member, "Reboot") && c->id == 3) {
                sd_bus_close(sd_bus_message_get_bus(m));
                return 1;
        }
        return sd_bus_reply_method_return(m, NULL);
}

/*
 * Pool and jobs
 */

#define JOB_PATH CTVIRT_BUS_JOB_PREFIX "/_301234567"

static int append_job(sd_bus_message *m, const char *id, const char *state, const char *text) {
        return sd_bus_message_append(
                m, "a{sv}", 12, "Id", "s", id, "Kind", "s", "bootstrap", "Name", "s", "alpha",
                "State", "s", state, "Text", "s", text, "Unit", "s", "ctvirt-job-01234567.service",
                "Stage", "u", 2, "Stages", "u", 5, "StageName", "s", "Installing packages", "Line",
                "s", "Unpacking libc6:amd64", "Percent", "d", 43.0, "StartedUSec", "t", EVENT_USEC);
}

static int on_job(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_bus_reply_method_return(m, "o", JOB_PATH);
}

/* A job of zeta cannot begin. */
static int on_container_job(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const PeerContainer *c = userdata;

        if (c->waiting_for)
                return sd_bus_error_setf(error, CTVIRT_ERROR_CONFLICT,
                                         "container '%s' has a root already", c->name);
        return on_job(m, userdata, error);
}

/* It runs when it is first asked, and is over then. */
static int on_job_info(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        sd_bus *bus = sd_bus_message_get_bus(m);
        sd_bus_message *reply, *event;
        int r;

        r = reply_new(m, &reply);
        if (r < 0)
                return r;
        (void) append_job(reply, "01234567", "running", "");
        r = send_and_unref(bus, reply);
        if (r < 0 || sd_bus_message_new_signal(bus, &event, CTVIRT_BUS_PATH, CTVIRT_BUS_MANAGER,
                                               "JobEvent") < 0)
                return r;
        (void) sd_bus_message_set_sender(event, CTVIRT_BUS_NAME);
        (void) sd_bus_message_append(event, "ssss", "01234567", "bootstrap", "alpha",
                                     CTVIRT_JOB_FINISHED);
        (void) append_job(event, "01234567", "failed", "no space left on the device");
        return send_and_unref(bus, event);
}

static int on_list_jobs(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        sd_bus_message *reply;
        int r;

        r = reply_new(m, &reply);
        if (r < 0)
                return r;
        (void) sd_bus_message_open_container(reply, 'a', "a{sv}");
        (void) append_job(reply, "01234567", "running", "");
        (void) append_job(reply, "89abcdef", "done", "");
        (void) sd_bus_message_close_container(reply);
        return send_and_unref(sd_bus_message_get_bus(m), reply);
}

static int on_list_snapshots(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_bus_reply_method_return(m, "a(ssts)", 2, "s1", "", EVENT_USEC, "shutoff",
                                          "before-upgrade", "x", EVENT_USEC, "running");
}

static int on_pool_info(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_bus_reply_method_return(m, "a{sv}", 8, "Name", "s", "machines", "Path", "s",
                                          "/var/lib/machines", "Backend", "s", "btrfs", "Quota",
                                          "b", true, "Capacity", "t", UINT64_C(107374182400),
                                          "Allocation", "t", UINT64_C(0), "Available", "t",
                                          UINT64_C(107374182400), "Volumes", "u", 2);
}

static int on_list_volumes(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_bus_reply_method_return(m, "aa{sv}", 2, 5, "Name", "s", "web", "Path", "s",
                                          "/var/lib/machines/web", "Type", "s", "subvolume", "Used",
                                          "t", UINT64_C(2147483648), "Limit", "t",
                                          UINT64_C(21474836480), 3, "Name", "s", "old", "Path", "s",
                                          "/var/lib/machines/old.raw", "Type", "s", "raw");
}

static int on_check(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_bus_reply_method_return(m, "a(sb)", 2, "the trash is full", true,
                                          "'x' is a symlink", false);
}

static int on_network_info(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        sd_bus_message *reply;
        int r;

        r = reply_new(m, &reply);
        if (r < 0)
                return r;
        (void) append_network(reply, userdata, streq(userdata, "default"));
        return send_and_unref(sd_bus_message_get_bus(m), reply);
}

static const sd_bus_vtable driver_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Hello", NULL, "s", on_hello, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("AddMatch", "s", NULL, on_add_match, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("RemoveMatch", "s", NULL, on_add_match, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static const sd_bus_vtable manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("DefineContainer", "sst", "osas", on_define, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("LookupContainer", "s", "o", on_lookup_container, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("LookupNetwork", "s", "o", on_lookup_network, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListContainers", NULL, "aa{sv}", on_list_containers,
                      SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListNetworks", NULL, "aa{sv}", on_list_networks, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("GetInfo", NULL, "a{sv}", on_agent_info, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListJobs", NULL, "aa{sv}", on_list_jobs, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("LookupJob", "s", "o", on_job, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static const sd_bus_vtable container_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("GetInfo", NULL, "a{sv}", on_container_info, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("GetXML", "t", "s", on_get_xml, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("GetInterfaces", NULL, "a(sssss)", on_get_interfaces,
                      SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("GetAddresses", "s", "a(sssu)", on_get_addresses, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Start", "t", NULL, on_action, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Shutdown", "t", NULL, on_action, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Destroy", "t", NULL, on_action, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Reboot", "t", NULL, on_action, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("SetAutostart", "b", NULL, on_action, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Undefine", "t", NULL, on_action, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Bootstrap", "a{sv}", "o", on_container_job, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Clone", "sa{sv}", "o", on_container_job, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListSnapshots", NULL, "a(ssts)", on_list_snapshots,
                      SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static const sd_bus_vtable pool_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("GetInfo", NULL, "a{sv}", on_pool_info, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListVolumes", NULL, "aa{sv}", on_list_volumes, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Check", NULL, "a(sb)", on_check, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static const sd_bus_vtable job_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("GetInfo", NULL, "a{sv}", on_job_info, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Cancel", NULL, NULL, on_add_match, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static const sd_bus_vtable network_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("GetInfo", NULL, "a{sv}", on_network_info, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static void peer_add_objects(sd_bus *bus) {
        (void) sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                        driver_vtable, NULL);
        (void) sd_bus_add_object_vtable(bus, NULL, CTVIRT_BUS_PATH, CTVIRT_BUS_MANAGER,
                                        manager_vtable, NULL);
        for (size_t i = 0; i < ELEMENTSOF(containers); i++)
                (void) sd_bus_add_object_vtable(bus, NULL, containers[i].path, CTVIRT_BUS_CONTAINER,
                                                container_vtable, (void *) &containers[i]);
        (void) sd_bus_add_object_vtable(bus, NULL, CTVIRT_BUS_POOL_PATH, CTVIRT_BUS_POOL,
                                        pool_vtable, NULL);
        (void) sd_bus_add_object_vtable(bus, NULL, JOB_PATH, CTVIRT_BUS_JOB, job_vtable, NULL);
        (void) sd_bus_add_object_vtable(bus, NULL, CTVIRT_BUS_NETWORK_PREFIX "/default",
                                        CTVIRT_BUS_NETWORK, network_vtable, (void *) "default");
        (void) sd_bus_add_object_vtable(bus, NULL, CTVIRT_BUS_NETWORK_PREFIX "/lab",
                                        CTVIRT_BUS_NETWORK, network_vtable, (void *) "lab");
}

/* One client until it goes away. */
static void peer_serve(int fd) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        sd_id128_t id;

        if (sd_id128_randomize(&id) < 0 || sd_bus_new(&bus) < 0 || sd_bus_set_fd(bus, fd, fd) < 0 ||
            sd_bus_set_server(bus, true, id) < 0 || sd_bus_start(bus) < 0) {
                (void) close(fd);
                return;
        }

        peer_add_objects(bus);
        for (;;) {
                int r = sd_bus_process(bus, NULL);

                if (r < 0 || (r == 0 && sd_bus_wait(bus, UINT64_MAX) < 0))
                        return;
        }
}

static void *peer_run(void *userdata) {
        const int *listen_fd = userdata;

        for (;;) {
                int fd = accept4(*listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

                if (fd >= 0)
                        peer_serve(fd);
        }
        return NULL;
}

int peer_start(const char *directory, char **ret) {
        static int listen_fd;
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        pthread_t thread;

        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s/bus", directory);
        if (fd < 0 || bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0 ||
            listen(fd, 8) < 0)
                return negative_errno();

        listen_fd = TAKE_FD(fd);
        if (pthread_create(&thread, NULL, peer_run, &listen_fd) != 0)
                return -EAGAIN;

        (void) pthread_detach(thread);
        *ret = strdup(address.sun_path);
        return *ret ? 0 : -ENOMEM;
}
