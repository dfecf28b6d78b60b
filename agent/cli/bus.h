#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The client's side of the agent's API (agent/api.h): connection, calls, and what to tell a person
 * when one fails.
 */

#include "agent/api.h"
#include "agent/cli/cli.h"

#define _cleanup_bus_error_ _cleanup_(sd_bus_error_free)
#define _cleanup_bus_message_ _cleanup_(sd_bus_message_unrefp)

/* Opens the connection that cli->uri asks for, unless it is open. Prints why not. */
int bus_connect(Cli *cli);

/* Calls a method of the agent. bus_read() is for questions. bus_change() is for everything that
 * polkit authorises: the agent may ask for a password, and answers when the work is done, so there
 * is no timeout. types and what follows are the arguments (NULL: none), ret may be NULL. Neither
 * prints anything. */
int bus_read(Cli *cli, const char *path, const char *interface, const char *member,
             sd_bus_message **ret, sd_bus_error *error, const char *types, ...);
int bus_change(Cli *cli, const char *path, const char *interface, const char *member,
               sd_bus_message **ret, sd_bus_error *error, const char *types, ...);

/* The same for calls whose arguments are appended one after the other. */
int bus_new_call(Cli *cli, const char *path, const char *interface, const char *member,
                 sd_bus_message **ret);
int bus_send_change(Cli *cli, sd_bus_message *m, sd_bus_message **ret, sd_bus_error *error);

/* Prints what could not be done (unless the agent was not there at all: then that) and why, and
 * returns r. error may be unset: the reason is r then. */
int bus_print_error(Cli *cli, int r, const sd_bus_error *error, const char *format, ...)
        _printf_(4, 5);

/* A reply that is not what the API says. */
int bus_print_reply_error(Cli *cli, int r);

/* An object of the agent. */
typedef struct BusObject {
        char *path;
        char *name;
} BusObject;

void bus_object_done(BusObject *o);
#define _cleanup_bus_object_ _cleanup_(bus_object_done)

/* The container that <domain> of the command names (id, UUID or name), the network that <network>
 * names (UUID or name). They print that there is none. */
int bus_find_container(Cli *cli, const Command *command, BusObject *ret);
int bus_find_container_called(Cli *cli, const char *what, BusObject *ret);
int bus_find_network(Cli *cli, const Command *command, BusObject *ret);

/* The common row of verbs that work on one container. */
#define OPTION_DOMAIN(completer, text)                                                             \
        {                                                                                          \
                .name = "domain", .type = OPTION_STRING, .positional = true, .required = true,     \
                .complete = (completer), .help = (text)                                            \
        }
