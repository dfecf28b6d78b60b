#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Container: a definition (or a foreign systemd-nspawn@ unit) and its live state. ContainerTable
 * owns them.
 */

#include <systemd/sd-id128.h>

#include "units/nspawn_file.h"
#include "units/unit_client.h"
#include "xml/container_def.h"

typedef struct Manager Manager;

typedef struct Container {
        Manager *manager;
        char *name;
        char *unit;
        ContainerDef *def; /* NULL: foreign, or a definition that could not be read */
        char *problem; /* why the definition could not be read, with file and line; NULL: it could
                        */
        bool enabled;  /* autostart, from enabled_containers_load() */

        /* what it uses, from unit_bridges_load() */
        char **bridges;
        char **networks;
        NspawnPlug *plugs;
        size_t n_plugs;

        /* what its definition asks for */
        char **resolved;       /* bridge of each NETWORK or BRIDGE interface in document order; "":
                                  unknown */
        bool has_dropin;       /* GENERATED_DROPIN was there at the last look (reconcile.h) */
        bool unresolved;       /* a network of its definition has no known bridge yet */
        bool start_when_ready; /* its bridges have just become known, or are others: their edge may
                                * pass before systemd knows that it hangs on it */

        /* live state, from UnitClient */
        bool seen;
        bool caught_up; /* told, or known to be down, since the bus was last connected */
        bool active;    /* active or activating or deactivating (a payload may be there) */
        char *active_state;
        char *sub_state;
        char *result;
        char *last_failure;      /* sentence; NULL: the last start went well or there was none */
        bool failure_known;      /* … and it is the cause, in nspawn's words */
        bool failure_is_news;    /* it is still to be told */
        uint64_t failure_cookie; /* of the question for the cause that is under way; 0: none */
        bool failure_job_over; /* … and what jobs end from now on are others than the failed one */
        bool failure_has_job;  /* … and another order is under way already */
        const char *stop_reason; /* virsh's word for the last end that was seen; NULL: none */
        uint32_t main_pid;
        bool shutdown_requested;
        bool destroy_requested;
        sd_event_source *shutdown_timer; /* tells its PID 1 again */
        unsigned shutdown_times;
        sd_event_source *destroy_timer; /* runs out when destroying takes too long */
        sd_bus_slot *destroy_slot;      /* the call that kills its PID 1 */

        /* healing, see heal.h */
        bool edge_is_due;   /* an edge of a bridge waits for its turn, see heal_on_edge() */
        bool start_is_ours; /* an edge or a request to us wants it started */
        bool start_is_doubtful; /* … but one of a stop and a start was canceled, and none began since */
        bool left_to_others;          /* that start was stopped by somebody else */
        unsigned retries;             /* on that account */
        sd_event_source *retry_timer; /* not NULL: it will be tried again, or systemd has not taken
                                       * the order yet */
        sd_id128_t failed_invocation; /* of its unit, at the last failed start; null: not known */
        uint64_t failed_start_usec;   /* CLOCK_MONOTONIC, when that start began */
        uint64_t life_ended_usec;     /* CLOCK_MONOTONIC, when it was last seen to end; 0: never */
        unsigned jobs_since_failure;  /* that ended while its cause was not known */
        bool machined_has_stopped;    /* since the start one of them was put down to machined */
} Container;

typedef struct ContainerTable {
        Container **items; /* sorted by name */
        size_t n_items;
} ContainerTable;

/* name has passed container_name_is_valid(). -ENOMEM. */
int container_new(Manager *manager, const char *name, Container **ret);
Container *container_free(Container *c);
DEFINE_CLEANUP(Container *, container_free)

Container *container_table_by_name(const ContainerTable *t, const char *name);
Container *container_table_by_uuid(const ContainerTable *t, const Uuid *uuid);
Container *container_table_by_id(const ContainerTable *t, uint32_t id);

/* The container of that name, made if there is none. */
int container_table_ensure(ContainerTable *t, Manager *manager, const char *name, Container **ret);
/* Takes c out of the table and frees it. */
void container_table_drop(ContainerTable *t, Container *c);
void container_table_done(ContainerTable *t);

/* virsh's word (CTVIRT_STATE_*) for the live state, and its word for the reason. */
const char *container_state(const Container *c);
const char *container_state_reason(const Container *c);

/* Defined with ctvirt, also if the definition cannot be read at the moment. */
bool container_is_defined(const Container *c);

/* "/var/lib/machines/NAME", or the folder that the definition names; owned by the caller. */
char *container_root_path(const Container *c);

/* Takes def over; what was known of the old one is forgotten. NULL makes it foreign. */
void container_set_def(Container *c, ContainerDef *def);
