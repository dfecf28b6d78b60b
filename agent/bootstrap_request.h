#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The options of Container.Bootstrap(), from somebody who may be hostile; and what they make of the
 * <bootstrap> of a definition.
 */

#include <systemd/sd-bus.h>

#include "xml/container_def.h"

typedef struct BootstrapRequest {
        const char *from; /* strings are the message's; NULL: not given */
        const char *release;
        const char *verify;
        char **mirrors;
        char **packages;
        bool no_cache;
        bool replace;
} BootstrapRequest;

void bootstrap_request_done(BootstrapRequest *r);
#define _cleanup_bootstrap_request_ _cleanup_(bootstrap_request_done)

/* Reads the a{sv}. -EINVAL with a sentence: a key that is not known, too much of anything. */
int bootstrap_request_read(sd_bus_message *m, BootstrapRequest *ret, Error **err);

/* Changes def->bootstrap. -EINVAL with a sentence. */
int bootstrap_request_apply(const BootstrapRequest *request, ContainerDef *def, Error **err);
