/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/cli/verbs.h"

const VerbGroup verb_groups[] = {
        { .title = "Container Management", .keyword = "domain", .verbs = domain_verbs },
        { .title = "Roots of Containers", .keyword = "bootstrap", .verbs = bootstrap_verbs },
        { .title = "Container Monitoring", .keyword = "monitor", .verbs = monitor_verbs },
        { .title = "Container and Network Events", .keyword = "events", .verbs = event_verbs },
        { .title = "Host and Agent", .keyword = "host", .verbs = host_verbs },
        { .title = "Networking", .keyword = "network", .verbs = network_verbs },
        { .title = "Snapshot", .keyword = "snapshot", .verbs = snapshot_verbs },
        { .title = "Storage Pool", .keyword = "pool", .verbs = pool_verbs },
        { .title = "Storage Volume", .keyword = "volume", .verbs = volume_verbs },
        { .title = "Job", .keyword = "job", .verbs = job_verbs },
        { .title = "ctvirt itself", .keyword = "ctvirt", .verbs = self_verbs },
        { 0 },
};
