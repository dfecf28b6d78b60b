/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Group "domain": what defines, starts and stops containers.
 */

#include <fcntl.h>

#include "agent/cli/bootstrap_options.h"
#include "agent/cli/bus.h"
#include "agent/cli/complete.h"
#include "agent/cli/info.h"
#include "agent/cli/job_info.h"
#include "agent/cli/job_wait.h"
#include "agent/cli/verbs.h"
#include "base/fileio.h"
#include "base/strv.h"

#define XML_SIZE_MAX (UINT64_C(1) << 20)
#define STDIN_NAME "/dev/stdin"

/* Standard input may be a socket, which cannot be opened by a name. */
static int open_definition(const char *path) {
        int fd;

        if (streq(path, STDIN_NAME))
                fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        else
                fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        return fd < 0 ? negative_errno() : fd;
}

/* Reads what define hands to the agent: bounded, and text that a D-Bus string can carry. */
static int read_definition(Cli *cli, const char *path, char **ret) {
        _cleanup_close_ int fd = -1;
        _cleanup_free_ char *xml = NULL;
        size_t size;
        int r;

        fd = open_definition(path);
        r = fd < 0 ? fd : read_stream(fd, XML_SIZE_MAX, &xml, &size);
        if (r == -EFBIG) {
                output_error(&cli->output, "%s is larger than 1 MiB", path);
                return r;
        }
        if (r < 0) {
                output_error(&cli->output, "Failed to %s file '%s': %s", fd < 0 ? "open" : "read",
                             path, strerror(-r));
                return r;
        }
        if (!xml || strlen(xml) != size || !text_is_utf8(xml)) {
                output_error(&cli->output, "%s is not a text in UTF-8", path);
                return -EINVAL;
        }

        *ret = TAKE_PTR(xml);
        return 0;
}

static int print_defined(Cli *cli, const char *path, sd_bus_message *reply, BusObject *ret) {
        _cleanup_strv_ char **warnings = NULL;
        const char *object, *name;
        int r;

        r = sd_bus_message_read(reply, "os", &object, &name);
        if (r >= 0)
                r = sd_bus_message_read_strv(reply, &warnings);
        if (r < 0)
                return bus_print_reply_error(cli, r);

        STRV_FOREACH(w, warnings)
                output_warning(&cli->output, "%s", *w);
        output_extra(&cli->output, "Container '%s' defined from %s\n", name, path);
        ret->path = strdup(object);
        ret->name = strdup(name);
        return ret->path && ret->name ? 0 : -ENOMEM;
}

static int cmd_dumpxml(Cli *cli, const Command *command) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        _cleanup_bus_object_ BusObject container = { 0 };
        const char *xml;
        int r;

        r = bus_find_container(cli, command, &container);
        if (r < 0)
                return r;

        if (command_flag(command, "security-info"))
                r = bus_change(cli, container.path, CTVIRT_BUS_CONTAINER, "GetXML", &reply, &error,
                               "t", CTVIRT_XML_SECURE);
        else
                r = bus_read(cli, container.path, CTVIRT_BUS_CONTAINER, "GetXML", &reply, &error,
                             "t", UINT64_C(0));
        if (r < 0)
                return bus_print_error(cli, r, &error, "Failed to get XML of container '%s'",
                                       container.name);

        r = sd_bus_message_read(reply, "s", &xml);
        if (r < 0)
                return bus_print_reply_error(cli, r);

        output_print(&cli->output, "%s", xml);
        return 0;
}

/* The four verbs that are one call without a choice. */
typedef struct Action {
        const char *method;
        const char *verb; /* behind "Failed to" */
        const char *done; /* behind the container's name */
} Action;

static int run_action(Cli *cli, const BusObject *container, const Action *action, uint64_t flags) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = bus_change(cli, container->path, CTVIRT_BUS_CONTAINER, action->method, NULL, &error,
                       "t", flags);
        if (r < 0)
                return bus_print_error(cli, r, &error, "Failed to %s container '%s'", action->verb,
                                       container->name);

        output_extra(&cli->output, "Container '%s' %s\n", container->name, action->done);
        return 0;
}

static int define(Cli *cli, const Command *command, BusObject *ret) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        _cleanup_free_ char *xml = NULL;
        const char *path = command_string(command, "file");
        uint64_t flags = command_flag(command, "validate") ? CTVIRT_DEFINE_VALIDATE : 0;
        int r;

        if (command_flag(command, "bootstrap"))
                flags |= CTVIRT_DEFINE_BOOTSTRAP;

        if (streq(path, "-"))
                path = STDIN_NAME;
        r = read_definition(cli, path, &xml);
        if (r < 0)
                return r;

        r = bus_change(cli, CTVIRT_BUS_PATH, CTVIRT_BUS_MANAGER, "DefineContainer", &reply, &error,
                       "sst", xml, path, flags);
        if (r < 0)
                return bus_print_error(cli, r, &error, "Failed to define container from %s", path);

        return print_defined(cli, path, reply, ret);
}

static int cmd_define(Cli *cli, const Command *command) {
        static const Action start = { "Start", "start", "started" };
        _cleanup_bus_object_ BusObject container = { 0 };
        int r;

        r = define(cli, command, &container);
        if (r >= 0 && command_flag(command, "bootstrap")) {
                r = bootstrap_container(cli, command, &container);
                if (r >= 0)
                        output_extra(&cli->output, "Container '%s' bootstrapped\n", container.name);
        }
        if (r >= 0 && command_flag(command, "start"))
                r = run_action(cli, &container, &start, 0);
        return r;
}

static int run_action_command(Cli *cli, const Command *command, const Action *action) {
        _cleanup_bus_object_ BusObject container = { 0 };
        int r = bus_find_container(cli, command, &container);

        return r < 0 ? r : run_action(cli, &container, action, 0);
}

static int cmd_start(Cli *cli, const Command *command) {
        static const Action action = { "Start", "start", "started" };
        _cleanup_container_info_ ContainerInfo info = { 0 };
        _cleanup_bus_object_ BusObject container = { 0 };
        int r;

        r = bus_find_container(cli, command, &container);
        if (r < 0)
                return r;
        r = container_info_get(cli, &container, &info);
        if (r < 0)
                return r;

        if (info.id != 0) {
                output_error(&cli->output, "Container is already active");
                return -EALREADY;
        }
        return run_action(cli, &container, &action, 0);
}

static int cmd_shutdown(Cli *cli, const Command *command) {
        static const Action action = { "Shutdown", "shutdown", "is being shutdown" };

        return run_action_command(cli, command, &action);
}

static int cmd_destroy(Cli *cli, const Command *command) {
        static const Action action = { "Destroy", "destroy", "destroyed" };

        return run_action_command(cli, command, &action);
}

static int cmd_reboot(Cli *cli, const Command *command) {
        static const Action action = { "Reboot", "reboot", "is being rebooted" };

        return run_action_command(cli, command, &action);
}

/* A container that had no root has no job either. */
static int wait_for_deletion(Cli *cli, const char *name) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        _cleanup_job_info_ JobInfo info = { 0 };
        const char *path;
        int r;

        r = bus_read(cli, CTVIRT_BUS_PATH, CTVIRT_BUS_MANAGER, "LookupJob", &reply, &error, "s",
                     name);
        if (r < 0)
                return 0;
        r = sd_bus_message_read(reply, "o", &path);
        if (r < 0)
                return bus_print_reply_error(cli, r);
        r = job_info_get(cli, path, &info);
        if (r < 0 || !streq(info.kind, "volume-delete"))
                return r;
        r = job_wait(cli, path, NULL, "Failed to delete the root of container '%s'", name);
        if (r < 0)
                fprintf(stderr,
                        "The container is no longer defined; its root is volume '%s', which 'ctvirt "
                        "vol-delete %s --delete-snapshots' deletes\n",
                        name, name);
        return r;
}

static int cmd_undefine(Cli *cli, const Command *command) {
        static const Action action = { "Undefine", "undefine", "has been undefined" };
        _cleanup_bus_object_ BusObject container = { 0 };
        int r = bus_find_container(cli, command, &container);

        if (r < 0)
                return r;
        if (!command_flag(command, "remove-all-storage"))
                return run_action(cli, &container, &action, 0);
        r = run_action(cli, &container, &action, CTVIRT_UNDEFINE_STORAGE);
        return r < 0 ? r : wait_for_deletion(cli, container.name);
}

static int cmd_autostart(Cli *cli, const Command *command) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_object_ BusObject container = { 0 };
        const char *mark = command_flag(command, "disable") ? "unmark" : "mark";
        int r;

        r = bus_find_container(cli, command, &container);
        if (r < 0)
                return r;

        r = bus_change(cli, container.path, CTVIRT_BUS_CONTAINER, "SetAutostart", NULL, &error, "b",
                       !command_flag(command, "disable"));
        if (r < 0)
                return bus_print_error(cli, r, &error, "Failed to %s container '%s' as autostarted",
                                       mark, container.name);

        output_extra(&cli->output, "Container '%s' %sed as autostarted\n", container.name, mark);
        return 0;
}

static int cmd_domid(Cli *cli, const Command *command) {
        _cleanup_container_info_ ContainerInfo info = { 0 };
        _cleanup_bus_object_ BusObject container = { 0 };
        int r;

        r = bus_find_container(cli, command, &container);
        if (r < 0)
                return r;
        r = container_info_get(cli, &container, &info);
        if (r < 0)
                return r;

        if (info.id == 0)
                output_print(&cli->output, "-\n");
        else
                output_print(&cli->output, "%u\n", info.id);
        return 0;
}

static int cmd_domuuid(Cli *cli, const Command *command) {
        _cleanup_container_info_ ContainerInfo info = { 0 };
        _cleanup_bus_object_ BusObject container = { 0 };
        int r;

        r = bus_find_container(cli, command, &container);
        if (r < 0)
                return r;
        r = container_info_get(cli, &container, &info);
        if (r < 0)
                return r;

        output_print(&cli->output, "%s\n", *info.uuid ? info.uuid : "-");
        return 0;
}

static int cmd_domname(Cli *cli, const Command *command) {
        _cleanup_bus_object_ BusObject container = { 0 };
        int r = bus_find_container(cli, command, &container);

        if (r < 0)
                return r;

        output_print(&cli->output, "%s\n", container.name);
        return 0;
}

static const OptionDef define_options[] = {
        { .name = "file",
          .type = OPTION_STRING,
          .positional = true,
          .required = true,
          .help = "file containing an XML container description, - is standard input" },
        { .name = "validate",
          .type = OPTION_FLAG,
          .help = "refuse elements and attributes that are not known" },
        { .name = "bootstrap", .type = OPTION_FLAG, .help = "make its root, as it says" },
        { .name = "start", .type = OPTION_FLAG, .help = "start it then" },
        { 0 },
};

static const OptionDef autostart_options[] = {
        OPTION_DOMAIN(complete_containers, "container name, id or uuid"),
        { .name = "disable", .type = OPTION_FLAG, .help = "disable autostarting" },
        { 0 },
};

static const OptionDef any_options[] = {
        OPTION_DOMAIN(complete_containers, "container name, id or uuid"),
        { 0 },
};

static const OptionDef undefine_options[] = {
        OPTION_DOMAIN(complete_containers, "container name, id or uuid"),
        { .name = "remove-all-storage",
          .type = OPTION_FLAG,
          .help = "delete its root and its snapshots as well" },
        { 0 },
};

static const OptionDef dumpxml_options[] = {
        OPTION_DOMAIN(complete_containers, "container name, id or uuid"),
        { .name = "inactive",
          .type = OPTION_FLAG,
          .help = "the definition; without it as well, there is no other" },
        { .name = "security-info",
          .type = OPTION_FLAG,
          .help = "also the values of <initenv>, which may be secrets" },
        { 0 },
};

static const OptionDef active_options[] = {
        OPTION_DOMAIN(complete_active_containers, "container name, id or uuid"),
        { 0 },
};

static const OptionDef inactive_options[] = {
        OPTION_DOMAIN(complete_inactive_containers, "name of the inactive container"),
        { 0 },
};

const VerbDef domain_verbs[] = {
        { .name = "autostart",
          .help = "autostart a container",
          .description = "Configure a container to be started at boot, as soon as its networks are "
                         "ready.",
          .options = autostart_options,
          .run = cmd_autostart },
        { .name = "define",
          .help = "define (but don't start) a container from an XML file",
          .description = "Define a container, or change the definition of one that exists.",
          .options = define_options,
          .run = cmd_define },
        { .name = "destroy",
          .help = "destroy (stop) a container",
          .description = "Forcefully stop a given container, but leave its resources intact.",
          .options = active_options,
          .run = cmd_destroy },
        { .name = "domid",
          .help = "convert a container name or UUID to container id",
          .options = any_options,
          .run = cmd_domid },
        { .name = "domname",
          .help = "convert a container id or UUID to container name",
          .options = any_options,
          .run = cmd_domname },
        { .name = "domuuid",
          .help = "convert a container name or id to container UUID",
          .options = any_options,
          .run = cmd_domuuid },
        { .name = "dumpxml",
          .help = "container information in XML",
          .description = "Output the container information as an XML dump to stdout.",
          .options = dumpxml_options,
          .run = cmd_dumpxml },
        { .name = "reboot",
          .help = "reboot a container",
          .description = "Run a reboot command in the target container.",
          .options = active_options,
          .run = cmd_reboot },
        { .name = "shutdown",
          .help = "gracefully shutdown a container",
          .description = "Run shutdown in the target container.",
          .options = active_options,
          .run = cmd_shutdown },
        { .name = "start",
          .help = "start a (previously defined) inactive container",
          .description = "Start a container and wait until its unit is up.",
          .options = inactive_options,
          .run = cmd_start },
        { .name = "undefine",
          .help = "undefine a container",
          .description = "Forget the definition of a container; its root tree stays.",
          .options = undefine_options,
          .run = cmd_undefine },
        { 0 },
};
