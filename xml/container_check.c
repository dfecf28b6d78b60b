/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * container_def_check(): the rules that a single element cannot see.
 */

#include "base/name.h"
#include "xml/container_def.h"
#include "xml/container_grammar.h"
#include "xml/container_values.h"
#include "xml/xml_compat.h"

static int check_memory(const ContainerDef *def, const char *file, Error **err) {
        if (def->memory_kib == 0 || def->current_memory_kib <= def->memory_kib)
                return 0;
        return error_set_at(err, EINVAL, file, 0, "current memory '%lluk' exceeds maximum '%lluk'",
                            (unsigned long long) def->current_memory_kib,
                            (unsigned long long) def->memory_kib);
}

static int check_idmap(const IdMapDef *idmap, const char *file, Error **err) {
        if (!idmap->present ||
            (idmap->count == CONTAINER_UID_RANGE && idmap->base >= CONTAINER_UID_FIRST &&
             idmap->base <= CONTAINER_UID_LAST && idmap->base % CONTAINER_UID_RANGE == 0))
                return 0;
        return error_set_at(err, EINVAL, file, 0,
                            "ids from %u on, %u of them, are not a range for a container",
                            idmap->base, idmap->count);
}

/* How the program of a container is run. */
static int check_init(const ContainerDef *def, const char *file, Error **err) {
        const char *const users[] = { def->inituser, def->initgroup };

        for (size_t i = 0; i < ELEMENTSOF(users); i++)
                if (users[i] && !init_user_is_valid(users[i]))
                        return error_set_at(
                                err, EINVAL, file, 0,
                                "'%s' is no user or group: expected " CONTAINER_USER_EXPECTED,
                                XML_SHOW(users[i]));
        if (def->initdir && (*def->initdir != '/' || has_control_character(def->initdir) ||
                             !directory_is_plain(def->initdir)))
                return error_set_at(
                        err, EINVAL, file, 0,
                        "'%s' is no directory to run in: expected " CONTAINER_INITDIR_EXPECTED,
                        XML_SHOW(def->initdir));
        return 0;
}

static int check_filesystem(const ContainerDef *def, size_t i, const char *file, Error **err) {
        const FilesystemDef *f = &def->filesystems[i];

        if (!f->source || !f->target)
                return error_set_at(err, EINVAL, file, f->line,
                                    "missing element <%s> in <filesystem>",
                                    f->source ? "target" : "source");
        for (size_t j = 0; j < i; j++)
                if (streq(def->filesystems[j].target, f->target))
                        return error_set_at(err, EINVAL, file, f->line,
                                            "two filesystems have the target '%s'",
                                            XML_SHOW(f->target));
        return 0;
}

static bool source_is_valid(const InterfaceDef *interface) {
        switch (interface->type) {
        case INTERFACE_TYPE_NETWORK:
                return network_name_is_valid(interface->source);
        case INTERFACE_TYPE_BRIDGE:
        case INTERFACE_TYPE_DIRECT:
                return link_name_is_valid(interface->source);
        }
        return false;
}

static int check_interface(const InterfaceDef *interface, const char *file, Error **err) {
        if (!interface->source)
                return error_set_at(err, EINVAL, file, interface->line,
                                    "missing element <source> in <interface>");
        if (!source_is_valid(interface))
                return error_set_at(err, EINVAL, file, interface->line,
                                    "'%s' is not a source for an interface of type '%s'",
                                    XML_SHOW(interface->source),
                                    interface_type_to_string(interface->type));
        return 0;
}

static int check_devices(const ContainerDef *def, const char *file, Error **err) {
        int r;

        for (size_t i = 0; i < def->n_filesystems; i++) {
                r = check_filesystem(def, i, file, err);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < def->n_interfaces; i++) {
                r = check_interface(&def->interfaces[i], file, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_policy(const ContainerDef *def, const char *file, Error **err) {
        switch (def->on_network_stop) {
        case ON_NETWORK_STOP_KEEP:
        case ON_NETWORK_STOP_STOP:
                return 0;
        }
        return error_set_at(err, EINVAL, file, 0, "%d is no policy for the stop of a network",
                            (int) def->on_network_stop);
}

static int check_own(const ContainerDef *def, const char *file, Error **err) {
        _cleanup_error_ Error *reason = NULL;
        int r = 0;

        if (def->bootstrap)
                r = bootstrap_def_check(def->bootstrap, &reason);
        if (r >= 0 && def->first_boot)
                r = first_boot_def_check(def->first_boot, &reason);
        if (r < 0)
                return error_set_at(err, -r, file, 0, "%s", reason ? reason->text : strerror(-r));
        if (def->quota > 0 &&
            (def->quota < CONTAINER_QUOTA_MIN || def->quota > CONTAINER_QUOTA_MAX))
                return error_set_at(err, EINVAL, file, 0, "a quota of %llu bytes: expected %s",
                                    (unsigned long long) def->quota, CONTAINER_QUOTA_EXPECTED);
        return 0;
}

int container_def_check(const ContainerDef *def, const char *file_name, Error **err) {
        int r;

        assert(def);

        if (!container_name_is_valid(def->name))
                return error_set_at(err, EINVAL, file_name, 0, "invalid container name '%s'",
                                    def->name ? XML_SHOW(def->name) : "");
        r = check_memory(def, file_name, err);
        if (r < 0)
                return r;
        r = check_policy(def, file_name, err);
        if (r < 0)
                return r;
        r = check_idmap(&def->idmap, file_name, err);
        if (r < 0)
                return r;
        r = check_init(def, file_name, err);
        if (r < 0)
                return r;
        r = check_own(def, file_name, err);
        if (r < 0)
                return r;
        return check_devices(def, file_name, err);
}
