#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * HookInput: what libvirt tells a network hook (docs/hooks.rst of libvirt): argv is NETWORK OP
 * SUBOP EXTRA, stdin is a <hookData> document.
 */

#include "base/error.h"
#include "base/uuid.h"

typedef enum HookOp {
        HOOK_OP_STARTED,
        HOOK_OP_STOPPED,
} HookOp;

const char *hook_op_to_string(HookOp op);
int hook_op_from_string(const char *s); /* -EINVAL for all ops that do not concern us, too */

typedef struct HookInput {
        HookOp op;
        char *network;
        char *bridge; /* NULL: a network without a bridge */
        bool has_uuid;
        Uuid uuid;
} HookInput;

/*
 * fd is stdin, or what takes its place. If what comes from there is no network's XML
 * (*ret_complaint says why), the network of that name is looked up in libvirt's files below root
 * ("" on a host).
 *
 * -EINVAL: argv is not what libvirt gives, or the op does not concern us. -ENOENT: no XML, and no
 * file of a network of that name. -ENOMEM.
 */
int hook_input_read(int argc, char *argv[], int fd, const char *root, HookInput *ret,
                    Error **ret_complaint);

void hook_input_done(HookInput *input);
#define _cleanup_hook_input_ _cleanup_(hook_input_done)
