/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/cli/info.h"

#include "base/strv.h"

/* One key: its D-Bus type and the member of the struct that takes it. */
typedef struct InfoField {
        const char *key;
        const char *type; /* "s", "as", "b", "u", "t" */
        size_t offset;
} InfoField;

#define FIELD(struct_, key_, type_, member_)                                                       \
        { .key = (key_), .type = (type_), .offset = offsetof(struct_, member_) }

static const InfoField container_fields[] = {
        FIELD(ContainerInfo, "Name", "s", name),
        FIELD(ContainerInfo, "UUID", "s", uuid),
        FIELD(ContainerInfo, "Id", "u", id),
        FIELD(ContainerInfo, "State", "s", state),
        FIELD(ContainerInfo, "StateReason", "s", state_reason),
        FIELD(ContainerInfo, "Autostart", "b", autostart),
        FIELD(ContainerInfo, "Persistent", "b", persistent),
        FIELD(ContainerInfo, "Title", "s", title),
        FIELD(ContainerInfo, "Unit", "s", unit),
        FIELD(ContainerInfo, "Bridges", "as", bridges),
        FIELD(ContainerInfo, "WaitingFor", "as", waiting_for),
        FIELD(ContainerInfo, "LastFailure", "s", last_failure),
        FIELD(ContainerInfo, "OSType", "s", os_type),
        FIELD(ContainerInfo, "VCPUs", "u", vcpus),
        FIELD(ContainerInfo, "MaxMemoryKiB", "t", max_memory_kib),
        FIELD(ContainerInfo, "UsedMemoryKiB", "t", used_memory_kib),
        FIELD(ContainerInfo, "CPUTimeNSec", "t", cpu_time_nsec),
        { 0 },
};

static const InfoField network_fields[] = {
        FIELD(NetworkInfo, "Name", "s", name),
        FIELD(NetworkInfo, "UUID", "s", uuid),
        FIELD(NetworkInfo, "Active", "b", active),
        FIELD(NetworkInfo, "Persistent", "b", persistent),
        FIELD(NetworkInfo, "Autostart", "b", autostart),
        FIELD(NetworkInfo, "Bridge", "s", bridge),
        FIELD(NetworkInfo, "ForwardMode", "s", forward_mode),
        FIELD(NetworkInfo, "Ready", "b", ready),
        FIELD(NetworkInfo, "Incarnation", "u", incarnation),
        FIELD(NetworkInfo, "Handled", "b", handled),
        FIELD(NetworkInfo, "Containers", "as", containers),
        { 0 },
};

static const InfoField agent_fields[] = {
        FIELD(AgentInfo, "Version", "s", version),
        FIELD(AgentInfo, "LibvirtURI", "s", libvirt_uri),
        FIELD(AgentInfo, "LibvirtVersion", "s", libvirt_version),
        FIELD(AgentInfo, "SystemdVersion", "u", systemd_version),
        { 0 },
};

static int info_set_string(char **member, const char *value) {
        char *copy = strdup(value);

        if (!copy)
                return -ENOMEM;

        free(*member);
        *member = copy;
        return 0;
}

static int info_set_strv(char ***member, sd_bus_message *m) {
        _cleanup_strv_ char **v = NULL;
        int r;

        r = sd_bus_message_read_strv(m, &v);
        if (r < 0)
                return r;

        strv_free(*member);
        *member = TAKE_PTR(v);
        return 0;
}

/* m stands inside of the variant. */
static int info_read_value(sd_bus_message *m, const InfoField *field, void *info) {
        void *member = (char *) info + field->offset;
        const char *s;
        int r, b;

        if (streq(field->type, "as"))
                return info_set_strv(member, m);

        if (streq(field->type, "s")) {
                r = sd_bus_message_read_basic(m, 's', &s);
                return r < 0 ? r : info_set_string(member, s);
        }
        if (streq(field->type, "b")) {
                r = sd_bus_message_read_basic(m, 'b', &b);
                *(bool *) member = r >= 0 && b;
                return r;
        }
        return sd_bus_message_read_basic(m, *field->type, member);
}

static int info_read_entry(sd_bus_message *m, const InfoField *fields, void *info) {
        const char *key, *type;
        int r;

        r = sd_bus_message_read_basic(m, 's', &key);
        if (r < 0)
                return r;
        r = sd_bus_message_peek_type(m, NULL, &type);
        if (r < 0)
                return r;

        while (fields->key && !streq(fields->key, key))
                fields++;
        if (!fields->key || !streq_ptr(fields->type, type))
                return sd_bus_message_skip(m, "v");

        r = sd_bus_message_enter_container(m, 'v', fields->type);
        if (r < 0)
                return r;
        r = info_read_value(m, fields, info);
        if (r < 0)
                return r;
        return sd_bus_message_exit_container(m);
}

/* The strings that are not there are "". */
static int info_complete(const InfoField *fields, void *info) {
        for (; fields->key; fields++) {
                char **member = (char **) ((char *) info + fields->offset);
                int r = streq(fields->type, "s") && !*member ? info_set_string(member, "") : 0;

                if (r < 0)
                        return r;
        }
        return 0;
}

static int info_read(sd_bus_message *m, const InfoField *fields, void *info) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = info_read_entry(m, fields, info);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        r = sd_bus_message_exit_container(m);
        return r < 0 ? r : info_complete(fields, info);
}

static void info_done(const InfoField *fields, void *info) {
        for (; fields->key; fields++) {
                void *member = (char *) info + fields->offset;

                if (streq(fields->type, "s"))
                        free(*(char **) member);
                else if (streq(fields->type, "as"))
                        strv_free(*(char ***) member);
        }
}

void container_info_done(ContainerInfo *info) {
        info_done(container_fields, info);
}

void network_info_done(NetworkInfo *info) {
        info_done(network_fields, info);
}

void agent_info_done(AgentInfo *info) {
        info_done(agent_fields, info);
}

void container_list_done(ContainerList *list) {
        for (size_t i = 0; i < list->n; i++)
                container_info_done(&list->items[i]);
        free(list->items);
}

void network_list_done(NetworkList *list) {
        for (size_t i = 0; i < list->n; i++)
                network_info_done(&list->items[i]);
        free(list->items);
}

static int info_get(Cli *cli, const char *path, const char *interface, const InfoField *fields,
                    void *info, const char *what) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        int r;

        r = bus_read(cli, path, interface, "GetInfo", &reply, &error, NULL);
        if (r < 0)
                return bus_print_error(cli, r, &error, "Failed to get information about %s", what);

        r = info_read(reply, fields, info);
        return r < 0 ? bus_print_reply_error(cli, r) : 0;
}

int container_info_get(Cli *cli, const BusObject *container, ContainerInfo *ret) {
        return info_get(cli, container->path, CTVIRT_BUS_CONTAINER, container_fields, ret,
                        container->name);
}

int network_info_get(Cli *cli, const BusObject *network, NetworkInfo *ret) {
        return info_get(cli, network->path, CTVIRT_BUS_NETWORK, network_fields, ret, network->name);
}

int agent_info_get(Cli *cli, AgentInfo *ret) {
        return info_get(cli, CTVIRT_BUS_PATH, CTVIRT_BUS_MANAGER, agent_fields, ret, "the agent");
}

/* An array of a{sv} into an array of structs of the given size. *items and *n are right after
 * every step, so that the list can be freed after a failure. */
static int info_read_list(sd_bus_message *m, const InfoField *fields, size_t size, void **items,
                          size_t *n) {
        size_t allocated = 0;
        int r;

        *items = NULL;
        *n = 0;
        r = sd_bus_message_enter_container(m, 'a', "a{sv}");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_at_end(m, false)) == 0) {
                if (*n == allocated) {
                        void *grown = reallocarray(*items, allocated + 64, size);

                        if (!grown)
                                return -ENOMEM;
                        *items = grown;
                        allocated += 64;
                }

                memset((char *) *items + *n * size, 0, size);
                r = info_read(m, fields, (char *) *items + (*n)++ * size);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int info_list_get(Cli *cli, const char *method, const InfoField *fields, size_t size,
                         void **items, size_t *n, const char *what) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        int r;

        r = bus_read(cli, CTVIRT_BUS_PATH, CTVIRT_BUS_MANAGER, method, &reply, &error, NULL);
        if (r < 0)
                return bus_print_error(cli, r, &error, "Failed to list %s", what);

        r = info_read_list(reply, fields, size, items, n);
        return r < 0 ? bus_print_reply_error(cli, r) : 0;
}

int container_list_get(Cli *cli, ContainerList *ret) {
        void *items = NULL;
        int r;

        r = info_list_get(cli, "ListContainers", container_fields, sizeof(*ret->items), &items,
                          &ret->n, "containers");
        ret->items = items;
        return r;
}

int network_list_read(sd_bus_message *reply, NetworkList *ret) {
        void *items = NULL;
        int r;

        r = info_read_list(reply, network_fields, sizeof(*ret->items), &items, &ret->n);
        ret->items = items;
        return r;
}

int network_list_get(Cli *cli, NetworkList *ret) {
        void *items = NULL;
        int r;

        r = info_list_get(cli, "ListNetworks", network_fields, sizeof(*ret->items), &items, &ret->n,
                          "networks");
        ret->items = items;
        return r;
}
