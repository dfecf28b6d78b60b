/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/unit_name.h"

#include "base/name.h"
#include "units/text.h"

#define UNIT_PREFIX "systemd-nspawn@"
#define UNIT_SUFFIX ".service"
#define NETWORK_TARGET_PREFIX "ctvirt-network@"

static const char *const target_prefixes[] = {
        [BRIDGE_TARGET_READY] = "ctvirt-bridge@",
        [BRIDGE_TARGET_AUTOSTART] = "ctvirt-autostart@",
};

char *container_unit_name(const char *container) {
        return text_join(UNIT_PREFIX, container, UNIT_SUFFIX, NULL);
}

int container_from_unit(const char *unit, char **ret) {
        _cleanup_free_ char *name = NULL;
        const char *rest = startswith(unit, UNIT_PREFIX);

        if (!rest || !endswith(rest, UNIT_SUFFIX))
                return -EINVAL;

        name = strndup(rest, strlen(rest) - strlen(UNIT_SUFFIX));
        if (!name)
                return -ENOMEM;
        if (!container_name_is_valid(name))
                return -EINVAL;

        *ret = TAKE_PTR(name);
        return 0;
}

static bool stands_in_unit_name(char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '-' || c == '_' || c == '.' || c == ':';
}

static char *target_name(const char *prefix, const char *instance) {
        _cleanup_free_ char *name = NULL;
        _cleanup_fclose_ FILE *f = NULL;
        size_t size;

        f = open_memstream(&name, &size);
        if (!f)
                return NULL;

        fputs(prefix, f);
        for (; *instance; instance++)
                if (stands_in_unit_name(*instance))
                        fputc(*instance, f);
                else
                        fprintf(f, "\\x%02x", (unsigned char) *instance);
        fputs(".target", f);

        return fclose(TAKE_PTR(f)) == 0 ? TAKE_PTR(name) : NULL;
}

char *bridge_target_name(BridgeTarget target, const char *bridge) {
        return target_name(target_prefixes[target], bridge);
}

char *network_target_name(const char *network) {
        return target_name(NETWORK_TARGET_PREFIX, network);
}

/* systemd.unit(5): in a unit name made of a path, '-' stands for '/'. All other characters of a
 * container's name stand for themselves. */
char *container_export_mount_name(const char *container) {
        _cleanup_free_ char *name = NULL;
        _cleanup_fclose_ FILE *f = NULL;
        size_t size;

        f = open_memstream(&name, &size);
        if (!f)
                return NULL;

        fputs("run-systemd-nspawn-unix\\x2dexport-", f);
        for (; *container; container++)
                fputs(*container == '-' ? "\\x2d" : (const char[]){ *container, '\0' }, f);
        fputs(".mount", f);

        return fclose(TAKE_PTR(f)) == 0 ? TAKE_PTR(name) : NULL;
}
