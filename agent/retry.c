/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/retry.h"

#define MSEC UINT64_C(1000)

static const uint64_t delays_usec[RETRIES_MAX] = { 200 * MSEC, 1000 * MSEC, 5000 * MSEC };

/* nspawn's sentences, by their beginning and end; what is between is the host's. */
typedef struct Sentence {
        FailureKind kind;
        const char *begin, *end;
} Sentence;

static const Sentence sentences[] = {
        { FAILURE_NAME_TAKEN, "Failed to register machine: Machine ", "already exists" },
        { FAILURE_MACHINED_BUSY, "Failed to register machine: ", "Connection timed out" },
        { FAILURE_BRIDGE_MISSING, "Failed to add interface ", ": No such device" },
        { FAILURE_LINK_EXISTS, "Failed to add new veth interfaces ", ": File exists" },
        { FAILURE_MOUNT_LEFT, "Mount point '/run/systemd/nspawn/unix-export/",
          "' exists already, refusing." },
        /* as 252 and as 257 say it */
        { FAILURE_BUS_AWAY, "Failed to open system bus: ", "Connection refused" },
        { FAILURE_BUS_AWAY, "Failed to open system bus: ", "No such file or directory" },
        { FAILURE_BUS_AWAY, "Failed to open bus: ", "Connection refused" },
        { FAILURE_BUS_AWAY, "Failed to open bus: ", "No such file or directory" },
};

static const char *const kind_names[] = {
        [FAILURE_LASTING] = "lasting",
        [FAILURE_NAME_TAKEN] = "name taken",
        [FAILURE_BRIDGE_MISSING] = "bridge missing",
        [FAILURE_LINK_EXISTS] = "link exists",
        [FAILURE_MOUNT_LEFT] = "mount left",
        [FAILURE_MACHINED_BUSY] = "systemd-machined busy",
        [FAILURE_BUS_AWAY] = "system bus away",
};

FailureKind failure_kind(const char *line) {
        for (size_t i = 0; line && i < ELEMENTSOF(sentences); i++)
                if (startswith(line, sentences[i].begin) && endswith(line, sentences[i].end))
                        return sentences[i].kind;
        return FAILURE_LASTING;
}

const char *failure_kind_to_string(FailureKind kind) {
        assert((size_t) kind < ELEMENTSOF(kind_names));
        return kind_names[kind];
}

RetryAction retry_decide(const RetryFacts *facts, uint64_t *ret_delay_usec) {
        if (facts->kind == FAILURE_LASTING || !facts->enabled || !facts->ours ||
            !facts->bridges_ready)
                return RETRY_NEVER;
        if (facts->tried >= RETRIES_MAX)
                return RETRY_GIVE_UP;
        *ret_delay_usec = delays_usec[facts->tried];
        return RETRY_AGAIN;
}
