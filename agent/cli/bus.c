/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/cli/bus.h"

#include <stdarg.h>

#define READ_TIMEOUT_USEC UINT64_C(0) /* sd-bus's own: 25 s */

/* What a failed call says about the agent. */
typedef enum AgentState {
        AGENT_ANSWERED,
        AGENT_UNREACHABLE, /* the call did not get there */
        AGENT_LOST,        /* it went away, or is silent */
} AgentState;

static const struct {
        const char *name;
        AgentState state;
} error_states[] = {
        { SD_BUS_ERROR_SERVICE_UNKNOWN, AGENT_UNREACHABLE },
        { SD_BUS_ERROR_NAME_HAS_NO_OWNER, AGENT_UNREACHABLE },
        { "org.freedesktop.DBus.Error.TimedOut", AGENT_UNREACHABLE }, /* its activation */
        { "org.freedesktop.systemd1.NoSuchUnit", AGENT_UNREACHABLE },
        { "org.freedesktop.systemd1.UnitMasked", AGENT_UNREACHABLE },
        { SD_BUS_ERROR_NO_REPLY, AGENT_LOST },
        { SD_BUS_ERROR_TIMEOUT, AGENT_LOST },
        { SD_BUS_ERROR_DISCONNECTED, AGENT_LOST },
        { "System.Error.ETIMEDOUT", AGENT_LOST },
        { "System.Error.ECONNRESET", AGENT_LOST },
        { "System.Error.ENOTCONN", AGENT_LOST },
};

static AgentState agent_state(const sd_bus_error *error) {
        if (!sd_bus_error_is_set(error))
                return AGENT_ANSWERED;
        if (startswith(error->name, "org.freedesktop.DBus.Error.Spawn."))
                return AGENT_UNREACHABLE;

        for (size_t i = 0; i < ELEMENTSOF(error_states); i++)
                if (streq(error->name, error_states[i].name))
                        return error_states[i].state;
        return AGENT_ANSWERED;
}

static void bus_print_hint(Cli *cli) {
        const char *host = startswith(cli->uri, "ssh://");

        if (host)
                output_error(&cli->output, "see 'systemctl status ctvirtd' on %s", host);
        else
                output_error(&cli->output, "see 'systemctl status ctvirtd'");
}

/* All that ssh says of a failure went by on the terminal, if ssh is there at all. */
static void bus_print_connect_hint(Cli *cli) {
        if (startswith(cli->uri, "ssh://"))
                output_error(&cli->output, "is the ssh client installed, and can you log in?");
        bus_print_hint(cli);
}

static void bus_print_reason(Cli *cli, int r, const sd_bus_error *error) {
        const char *message = isempty(error->message) ? strerror(-r) : error->message;

        if (sd_bus_error_has_name(error, SD_BUS_ERROR_ACCESS_DENIED) &&
            !startswith(message, "access denied"))
                output_error(&cli->output, "access denied: %s", message);
        else if (sd_bus_error_has_name(error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED))
                output_error(&cli->output,
                             "authentication is required, and nothing here can ask for it: "
                             "run ctvirt as root or on a terminal");
        else
                output_error(&cli->output, "%s", message);
}

int bus_print_error(Cli *cli, int r, const sd_bus_error *error, const char *format, ...) {
        AgentState state = agent_state(error);
        _cleanup_free_ char *what = NULL;
        va_list ap;

        va_start(ap, format);
        if (vasprintf(&what, format, ap) < 0)
                what = NULL;
        va_end(ap);

        if (state == AGENT_UNREACHABLE)
                output_error(&cli->output, "failed to connect to the ctvirt agent");
        else
                output_error(&cli->output, "%s", what ? what : strerror(ENOMEM));

        bus_print_reason(cli, r, error);
        if (state != AGENT_ANSWERED)
                bus_print_hint(cli);
        return r;
}

int bus_print_reply_error(Cli *cli, int r) {
        output_error(&cli->output, "cannot read the agent's answer: %s", strerror(-r));
        return r;
}

static int bus_open_address(const char *address, sd_bus **ret) {
        _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
        int r;

        r = sd_bus_new(&bus);
        if (r < 0)
                return r;
        r = sd_bus_set_address(bus, address);
        if (r < 0)
                return r;
        r = sd_bus_set_bus_client(bus, true);
        if (r < 0)
                return r;
        r = sd_bus_start(bus);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(bus);
        return 0;
}

static int bus_open_path(const char *path, sd_bus **ret) {
        _cleanup_free_ char *address = NULL;

        /* What the syntax of D-Bus addresses would want escaped. */
        if (path[strcspn(path, ",;:=%\\ ")])
                return -EPROTONOSUPPORT;
        if (asprintf(&address, "unix:path=%s", path) < 0) {
                address = NULL;
                return -ENOMEM;
        }
        return bus_open_address(address, ret);
}

static int bus_open(const char *uri, sd_bus **ret) {
        const char *host = startswith(uri, "ssh://");

        if (streq(uri, CLI_URI_SYSTEM))
                return sd_bus_open_system(ret);
        if (host && *host && *host != '-' && !strchr(host, '/'))
                return sd_bus_open_system_remote(ret, host);
        if (*uri == '/')
                return bus_open_path(uri, ret);
        if (startswith(uri, "unix:"))
                return bus_open_address(uri, ret);
        return -EPROTONOSUPPORT;
}

int bus_connect(Cli *cli) {
        const char *unique_name;
        int r;

        if (cli->bus)
                return 0;

        r = bus_open(cli->uri, &cli->bus);
        if (r >= 0)
                r = sd_bus_get_unique_name(cli->bus, &unique_name);
        if (r >= 0)
                return 0;

        cli->bus = sd_bus_unref(cli->bus);
        output_error(&cli->output, "failed to connect to the ctvirt agent");
        if (r == -EPROTONOSUPPORT) {
                output_error(&cli->output, "unsupported connection URI '%s'", cli->uri);
                return r;
        }
        output_error(&cli->output, "cannot reach its bus at '%s': %s", cli->uri, strerror(-r));
        bus_print_connect_hint(cli);
        return r;
}

int bus_new_call(Cli *cli, const char *path, const char *interface, const char *member,
                 sd_bus_message **ret) {
        return sd_bus_message_new_method_call(cli->bus, ret, CTVIRT_BUS_NAME, path, interface,
                                              member);
}

int bus_send_change(Cli *cli, sd_bus_message *m, sd_bus_message **ret, sd_bus_error *error) {
        int r;

        r = sd_bus_message_set_allow_interactive_authorization(m, true);
        if (r < 0)
                return r;
        if (streq(cli->uri, CLI_URI_SYSTEM))
                polkit_agent_start(&cli->polkit_agent);
        return sd_bus_call(cli->bus, m, UINT64_MAX, error, ret);
}

static int bus_callv(Cli *cli, const char *path, const char *interface, const char *member,
                     bool change, sd_bus_message **ret, sd_bus_error *error, const char *types,
                     va_list ap) {
        _cleanup_bus_message_ sd_bus_message *m = NULL;
        int r;

        r = bus_new_call(cli, path, interface, member, &m);
        if (r < 0)
                return r;
        r = types ? sd_bus_message_appendv(m, types, ap) : 0;
        if (r < 0)
                return r;
        return change ? bus_send_change(cli, m, ret, error)
                      : sd_bus_call(cli->bus, m, READ_TIMEOUT_USEC, error, ret);
}

int bus_read(Cli *cli, const char *path, const char *interface, const char *member,
             sd_bus_message **ret, sd_bus_error *error, const char *types, ...) {
        va_list ap;
        int r;

        va_start(ap, types);
        r = bus_callv(cli, path, interface, member, false, ret, error, types, ap);
        va_end(ap);
        return r;
}

int bus_change(Cli *cli, const char *path, const char *interface, const char *member,
               sd_bus_message **ret, sd_bus_error *error, const char *types, ...) {
        va_list ap;
        int r;

        va_start(ap, types);
        r = bus_callv(cli, path, interface, member, true, ret, error, types, ap);
        va_end(ap);
        return r;
}

void bus_object_done(BusObject *o) {
        free(o->path);
        free(o->name);
        *o = (BusObject){ 0 };
}

/* path is the object path that the agent answered with; its last label is the encoded name. */
static int bus_object_init(BusObject *o, const char *path, const char *prefix) {
        _cleanup_bus_object_ BusObject object = { 0 };
        int r;

        r = sd_bus_path_decode(path, prefix, &object.name);
        if (r <= 0)
                return r < 0 ? r : -EBADMSG;

        object.path = strdup(path);
        if (!object.path)
                return -ENOMEM;

        o->path = TAKE_PTR(object.path);
        o->name = TAKE_PTR(object.name);
        return 0;
}

static int bus_lookup(Cli *cli, const char *method, const char *what, const char *prefix,
                      BusObject *ret, sd_bus_error *error) {
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        const char *path;
        int r;

        r = bus_read(cli, CTVIRT_BUS_PATH, CTVIRT_BUS_MANAGER, method, &reply, error, "s", what);
        if (r < 0)
                return r;

        r = sd_bus_message_read(reply, "o", &path);
        return r < 0 ? r : bus_object_init(ret, path, prefix);
}

int bus_find_container(Cli *cli, const Command *command, BusObject *ret) {
        return bus_find_container_called(cli, command_string(command, "domain"), ret);
}

int bus_find_container_called(Cli *cli, const char *what, BusObject *ret) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = bus_lookup(cli, "LookupContainer", what, CTVIRT_BUS_CONTAINER_PREFIX, ret, &error);
        if (r >= 0)
                return 0;
        if (!sd_bus_error_has_name(&error, CTVIRT_ERROR_NO_SUCH_CONTAINER))
                return bus_print_error(cli, r, &error, "failed to get container '%s'", what);

        output_error(&cli->output, "failed to get container '%s'", what);
        return r;
}

int bus_find_network(Cli *cli, const Command *command, BusObject *ret) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        const char *what = command_string(command, "network");
        int r;

        r = bus_lookup(cli, "LookupNetwork", what, CTVIRT_BUS_NETWORK_PREFIX, ret, &error);
        return r < 0 ? bus_print_error(cli, r, &error, "failed to get network '%s'", what) : 0;
}
