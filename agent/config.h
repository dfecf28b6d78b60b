#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Config: /etc/ctvirt/ctvirtd.conf, see ctvirtd.conf(5). A mistake in it is logged with file and
 * line, and costs that setting alone: it keeps its default.
 */

#include "base/macro.h"

#define CONFIG_FILE "/etc/ctvirt/ctvirtd.conf"
#define CONFIG_LIBVIRT_URI "network:///system"
#define CONFIG_VM_URI "qemu:///system"

typedef struct Config {
        char *libvirt_uri;
        char *vm_uri;
        bool reattach_vms;
        uint64_t base_max_age_usec; /* UINT64_MAX: bases do not become too old */
} Config;

/* The defaults, and over them what the file below root says. Fails only when memory is short; no
 * file is no mistake. */
int config_load(const char *root, Config *ret);
void config_done(Config *c);
#define _cleanup_config_ _cleanup_(config_done)
