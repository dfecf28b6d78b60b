/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/pool_backend.h"

const PoolBackend *pool_backend_find(int fd) {
        static const PoolBackend *const backends[] = { &pool_backend_btrfs };

        for (size_t i = 0; i < ELEMENTSOF(backends); i++)
                if (backends[i]->probe(fd))
                        return backends[i];
        return &pool_backend_directory;
}
