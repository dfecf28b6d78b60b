/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/lease.h"

void lease_array_free(Lease *leases, size_t n_leases) {
        for (size_t i = 0; i < n_leases; i++) {
                free(leases[i].interface);
                free(leases[i].mac);
                free(leases[i].address);
                free(leases[i].hostname);
        }
        free(leases);
}
