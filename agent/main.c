/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ctvirtd, the agent. A service of systemd (Type=notify) that the system bus activates.
 */

#include <getopt.h>
#include <malloc.h>

#include "agent/bus_objects.h"
#include "agent/manager.h"
#include "base/log.h"

typedef struct Arguments {
        const char *libvirt_uri;
        bool introspect;
        bool done; /* what was asked for has been printed */
} Arguments;

static const char help_text[] =
        "ctvirtd [OPTIONS...]\n"
        "\n"
        "The agent of ctvirt: containers beside libvirt's virtual machines, on the same networks.\n"
        "\n"
        "  -c, --uri=URI         libvirt to look after (default: $CTVIRT_LIBVIRT_URI, or\n"
        "                        LibvirtURI= in /etc/ctvirt/ctvirtd.conf)\n"
        "      --bus-introspect  print the introspection data of the D-Bus API\n"
        "  -h, --help            print this help\n"
        "      --version         print the version\n"
        "\n"
        "$CTVIRT_LOG_LEVEL: a number or name of syslog(3); \"debug\" for everything.\n"
        "SIGHUP: read ctvirtd.conf and the definitions in /etc/ctvirt/containers again.\n";

enum {
        OPTION_VERSION = 256,
        OPTION_INTROSPECT,
};

static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, OPTION_VERSION },
        { "uri", required_argument, NULL, 'c' },
        { "bus-introspect", no_argument, NULL, OPTION_INTROSPECT },
        { NULL, 0, NULL, 0 },
};

static int parse_option(int option, Arguments *arguments) {
        switch (option) {
        case 'h':
                fputs(help_text, stdout);
                arguments->done = true;
                return 0;
        case OPTION_VERSION:
                puts("ctvirtd " CTVIRT_VERSION);
                arguments->done = true;
                return 0;
        case 'c':
                arguments->libvirt_uri = optarg;
                return 0;
        case OPTION_INTROSPECT:
                arguments->introspect = true;
                return 0;
        default: /* getopt_long() has said what is wrong */
                return -EINVAL;
        }
}

static int parse_arguments(int argc, char **argv, Arguments *arguments) {
        int option, r;

        while ((option = getopt_long(argc, argv, "hc:", options, NULL)) >= 0) {
                r = parse_option(option, arguments);
                if (r < 0 || arguments->done)
                        return r;
        }
        if (optind < argc) {
                fprintf(stderr, "ctvirtd: unexpected argument '%s'\n", argv[optind]);
                return -EINVAL;
        }
        return 0;
}

static int run(const Arguments *arguments) {
        _cleanup_(manager_freep) Manager *m = NULL;
        int r;

        r = manager_new(arguments->libvirt_uri, &m);
        if (r >= 0)
                r = manager_run(m);
        return r;
}

int main(int argc, char **argv) {
        Arguments arguments = { .libvirt_uri = getenv("CTVIRT_LIBVIRT_URI") };
        int r;

        r = parse_arguments(argc, argv, &arguments);
        if (r < 0 || arguments.done)
                return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;

        log_init();
        /* The threads mostly wait; heaps of their own would cost more than they gain. */
        (void) mallopt(M_ARENA_MAX, 1);
        if (arguments.introspect) {
                r = bus_objects_introspect(stdout);
                return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        }
        return run(&arguments) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
