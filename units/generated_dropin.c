/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>

#include "units/generated_text.h"
#include "units/text.h"
#include "units/unit_escape.h"
#include "units/unit_name.h"

/* The first version that reads an address for host0 from its environment. */
#define VERSION_NETWORK_MAC 255

/* systemd's own command line; only --directory= is added. */
#define STOCK_COMMAND                                                                              \
        "systemd-nspawn --quiet --keep-unit --boot --link-journal=try-guest --network-veth -U "    \
        "--settings=override --machine=%i"

/* A root that is not where nspawn would look for the machine. */
static int custom_root(const ContainerDef *def, char **ret) {
        _cleanup_free_ char *pool = NULL;
        const char *root = container_def_root(def);

        pool = text_format("/var/lib/machines/%s", def->name);
        if (!pool)
                return -ENOMEM;
        if (!root || streq(root, pool))
                return 0;
        if (!conf_text_is_valid(root))
                return -EINVAL;

        *ret = strdup(root);
        return *ret ? 1 : -ENOMEM;
}

/* Number of the interface whose address goes into the environment; -ENOENT. */
static int mac_interface(const GeneratedInput *in) {
        if (in->systemd_version < VERSION_NETWORK_MAC)
                return -ENOENT;
        for (size_t i = 0; i < in->def->n_interfaces; i++)
                if (interface_is_bridged(&in->def->interfaces[i]))
                        return interface_needs_mac(in, i) ? (int) i : -ENOENT;
        return -ENOENT;
}

static void put_title(FILE *f, const ContainerDef *def) {
        fprintf(f, "Description=Container %s (", def->name);
        unit_put_text(f, def->title);
        fputs(")\n", f);
}

/* Takes target over. */
static int add_target(char ***targets, char *target) {
        _cleanup_free_ char *owned = target;

        if (!target)
                return -ENOMEM;
        if (strlen(target) > UNIT_NAME_MAX || strv_contains(*targets, target))
                return 0;
        return strv_push(targets, TAKE_PTR(owned));
}

/* Hook and agent stop a network's target when it stops, and its bridge's when that was the last one
 * on it, and systemd passes that on. Empty for the policy "keep"; the bridge of a network that
 * nobody knows yet comes later. */
static int stopping_targets(const GeneratedInput *in, char ***ret) {
        bool stop = in->def->on_network_stop == ON_NETWORK_STOP_STOP;
        _cleanup_strv_ char **targets = NULL;
        int r = 0;

        for (char **bridge = in->bridges; stop && r >= 0 && bridge && *bridge; bridge++)
                if (**bridge)
                        r = add_target(&targets, bridge_target_name(BRIDGE_TARGET_READY, *bridge));
        for (size_t i = 0; stop && r >= 0 && i < in->def->n_interfaces; i++)
                if (in->def->interfaces[i].type == INTERFACE_TYPE_NETWORK)
                        r = add_target(&targets,
                                       network_target_name(in->def->interfaces[i].source));
        if (r >= 0)
                *ret = TAKE_PTR(targets);
        return r;
}

static int put_unit(FILE *f, const GeneratedInput *in, const char *root) {
        _cleanup_strv_ char **targets = NULL;
        const ContainerDef *def = in->def;
        int r;

        r = stopping_targets(in, &targets);
        if (r < 0)
                return r;
        if (!def->title && !root && !targets)
                return 0;
        if (def->title && !conf_text_is_valid(def->title))
                return -EINVAL;

        fputs("\n[Unit]\n", f);
        if (def->title)
                put_title(f, def);
        if (root) {
                fputs("RequiresMountsFor=", f);
                unit_put_word(f, root);
                fputc('\n', f);
        }
        STRV_FOREACH(target, targets)
                fprintf(f, "PartOf=%s\n", *target);
        return 0;
}

static void put_limits(FILE *f, const ContainerDef *def) {
        uint64_t limit = def->memory_kib, high = def->current_memory_kib;

        if (limit > 0)
                fprintf(f, "MemoryMax=%" PRIu64 "K\n", limit);
        if (high > 0 && (limit == 0 || high < limit))
                fprintf(f, "MemoryHigh=%" PRIu64 "K\n", high);
        if (def->vcpus > 0)
                fprintf(f, "CPUQuota=%" PRIu64 "%%\n", (uint64_t) def->vcpus * 100);
}

static void put_service(FILE *f, const GeneratedInput *in, const char *root, int mac) {
        const ContainerDef *def = in->def;
        char buffer[MAC_STRING_MAX];

        if (def->memory_kib == 0 && def->current_memory_kib == 0 && def->vcpus == 0 && !root &&
            mac < 0)
                return;
        fputs("\n[Service]\n", f);
        put_limits(f, def);
        if (mac >= 0)
                fprintf(f, "Environment=SYSTEMD_NSPAWN_NETWORK_MAC=%s\n",
                        mac_to_string(def->interfaces[mac].mac, buffer));
        if (root) {
                fputs("ExecStart=\nExecStart=" STOCK_COMMAND " --directory=", f);
                unit_put_argument(f, root);
                fputc('\n', f);
        }
}

int generated_dropin_format(const GeneratedInput *in, char **ret) {
        _cleanup_free_ char *text = NULL, *root = NULL;
        _cleanup_fclose_ FILE *f = NULL;
        long begin;
        size_t size;
        int r;

        r = custom_root(in->def, &root);
        if (r < 0)
                return r;
        f = generated_begin(in->def, &text, &size);
        if (!f)
                return -ENOMEM;

        begin = ftell(f);
        r = put_unit(f, in, root);
        if (r < 0)
                return r;
        put_service(f, in, root, mac_interface(in));
        if (ftell(f) == begin) {
                *ret = NULL;
                return 0;
        }
        return generated_end(TAKE_PTR(f), &text, ret);
}
