/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "hooks/hook_input.h"

#include "base/fileio.h"
#include "base/name.h"
#include "units/libvirt_networks.h"
#include "xml/network_def.h"

static const char *const op_names[] = {
        [HOOK_OP_STARTED] = "started",
        [HOOK_OP_STOPPED] = "stopped",
};

const char *hook_op_to_string(HookOp op) {
        return (size_t) op < ELEMENTSOF(op_names) ? op_names[op] : NULL;
}

int hook_op_from_string(const char *s) {
        for (size_t i = 0; i < ELEMENTSOF(op_names); i++)
                if (streq(s, op_names[i]))
                        return (int) i;
        return -EINVAL;
}

void hook_input_done(HookInput *input) {
        free(input->network);
        free(input->bridge);
        *input = (HookInput){ 0 };
}

static int read_xml(int fd, NetworkDef **ret, Error **ret_complaint) {
        _cleanup_free_ char *xml = NULL;
        size_t size;
        int r;

        r = read_stream(fd, NETWORK_XML_MAX, &xml, &size);
        if (r < 0)
                return error_set(ret_complaint, -r, "cannot read stdin: %s", strerror(-r));
        return network_def_parse(xml, size, "stdin", ret, ret_complaint);
}

static int copy_facts(const char *name, const NetworkDef *def, HookInput *ret) {
        ret->network = strdup(name);
        if (!ret->network)
                return -ENOMEM;
        if (def->bridge) {
                ret->bridge = strdup(def->bridge);
                if (!ret->bridge)
                        return -ENOMEM;
        }
        ret->has_uuid = def->has_uuid;
        ret->uuid = def->uuid;
        return 0;
}

static int read_files(const char *root, const char *name, HookInput *ret) {
        _cleanup_libvirt_networks_ LibvirtNetworks networks = { 0 };
        const NetworkDef *def;
        int r;

        r = libvirt_networks_load(root, &networks);
        if (r < 0)
                return r;
        def = libvirt_networks_by_name(&networks, name);
        return def ? copy_facts(name, def, ret) : -ENOENT;
}

static int read_facts(const char *name, int fd, const char *root, HookInput *ret,
                      Error **ret_complaint) {
        _cleanup_(network_def_freep) NetworkDef *def = NULL;
        int r;

        r = read_xml(fd, &def, ret_complaint);
        if (r == -ENOMEM)
                return r;
        assert(r < 0 || def);
        return r < 0 ? read_files(root, name, ret) : copy_facts(name, def, ret);
}

int hook_input_read(int argc, char *argv[], int fd, const char *root, HookInput *ret,
                    Error **ret_complaint) {
        _cleanup_hook_input_ HookInput input = { 0 };
        int r;

        if (argc < 3 || !network_name_is_valid(argv[1]))
                return -EINVAL;
        r = hook_op_from_string(argv[2]);
        if (r < 0)
                return r;
        input.op = (HookOp) r;

        r = read_facts(argv[1], fd, root, &input, ret_complaint);
        if (r < 0)
                return r;

        *ret = input;
        input = (HookInput){ 0 };
        return 0;
}
