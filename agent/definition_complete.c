/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/definition_complete.h"

#include <inttypes.h>
#include <sys/random.h>

#include "agent/bus_errors.h"
#include "agent/definition_root.h"
#include "units/uid_range.h"

/*
 * UUID
 */

static int check_uuid(const Manager *m, const Container *old, const ContainerDef *def,
                      Error **err) {
        const Container *other = container_table_by_uuid(&m->containers, &def->uuid);
        char text[UUID_STRING_MAX];

        if (old && old->def && !uuid_equal(&old->def->uuid, &def->uuid))
                return error_set(err, ERRNO_OPERATION_INVALID,
                                 "container '%s' is already defined with uuid %s", def->name,
                                 uuid_to_string(&old->def->uuid, text));
        if (other && !streq(other->name, def->name))
                return error_set(err, ERRNO_CONFLICT, "container '%s' already has the uuid %s",
                                 other->name, uuid_to_string(&def->uuid, text));
        return 0;
}

static int complete_uuid(const Manager *m, const Container *old, ContainerDef *def, Error **err) {
        if (def->has_uuid)
                return check_uuid(m, old, def, err);

        def->uuid = old && old->def ? old->def->uuid : uuid_random();
        def->has_uuid = true;
        return 0;
}

/*
 * Range of ids
 */

/* The range that the container has already; without a readable definition its .nspawn file knows.
 */
static IdMapDef old_range(const Manager *m, const Container *old) {
        _cleanup_(nspawn_file_freep) NspawnFile *f = NULL;

        if (!old)
                return (IdMapDef){ 0 };
        if (old->def)
                return old->def->idmap;
        if (nspawn_file_load(m->root, old->name, &f) < 0 || !f->generated || !f->has_uid_range)
                return (IdMapDef){ 0 };
        return (IdMapDef){ .present = true, .base = f->uid_base, .count = f->uid_count };
}

/* What other definitions have; their files may not be written yet. */
static int add_defined_ranges(const Manager *m, const char *except, UidRanges *ranges) {
        for (size_t i = 0; i < m->containers.n_items; i++) {
                const Container *c = m->containers.items[i];
                int r;

                if (!c->def || !c->def->idmap.present || streq(c->name, except))
                        continue;
                r = uid_ranges_add(ranges, c->def->idmap.base, c->def->idmap.count);
                if (r < 0)
                        return r;
        }
        return 0;
}

static const Container *range_owner(const Manager *m, const ContainerDef *def) {
        for (size_t i = 0; i < m->containers.n_items; i++) {
                const Container *c = m->containers.items[i];
                const IdMapDef *other = c->def ? &c->def->idmap : NULL;

                if (!other || !other->present || streq(c->name, def->name))
                        continue;
                if ((uint64_t) other->base < (uint64_t) def->idmap.base + def->idmap.count &&
                    (uint64_t) def->idmap.base < (uint64_t) other->base + other->count)
                        return c;
        }
        return NULL;
}

static int check_range_owner(const Manager *m, const ContainerDef *def, Error **err) {
        const Container *owner = range_owner(m, def);

        if (!owner)
                return 0;
        return error_set(err, ERRNO_CONFLICT,
                         "the ids %" PRIu32 " to %" PRIu32 " belong to container '%s' already",
                         def->idmap.base, def->idmap.base + def->idmap.count - 1, owner->name);
}

static int check_range(const Manager *m, const ContainerDef *def, const UidRanges *ranges,
                       Error **err) {
        int r = check_range_owner(m, def, err);

        if (r < 0)
                return r;
        if (uid_ranges_overlap(ranges, def->idmap.base, def->idmap.count))
                return error_set(err, ERRNO_CONFLICT,
                                 "the ids %" PRIu32 " to %" PRIu32 " are in use on this host (by a "
                                 ".nspawn file, an account, /etc/subuid, or the owner of a tree in "
                                 "/var/lib/machines)",
                                 def->idmap.base, def->idmap.base + def->idmap.count - 1);
        return 0;
}

static int pick_range(const UidRanges *ranges, ContainerDef *def, Error **err) {
        uint32_t base;
        int r;

        r = uid_ranges_pick(ranges, def->name, &base);
        if (r < 0)
                return error_set(err, -r, "no range of %u ids is free for container '%s'",
                                 CONTAINER_UID_RANGE, def->name);

        def->idmap = (IdMapDef){ .present = true, .base = base, .count = CONTAINER_UID_RANGE };
        return 0;
}

static int complete_range(const Manager *m, const Container *old, ContainerDef *def, Error **err) {
        _cleanup_uid_ranges_ UidRanges ranges = { 0 };
        IdMapDef before = old_range(m, old);
        int r;

        if (before.present && !def->idmap.present)
                def->idmap = before;
        if (before.present && (def->idmap.base != before.base || def->idmap.count != before.count))
                return error_set(err, ERRNO_OPERATION_INVALID,
                                 "container '%s' has the ids from %" PRIu32 " on, and its files "
                                 "belong to them; they cannot be changed",
                                 def->name, before.base);
        if (before.present)
                return 0;

        r = uid_ranges_load(m->root, def->name, &ranges);
        if (r >= 0)
                r = add_defined_ranges(m, def->name, &ranges);
        if (r < 0)
                return error_set(err, -r, "cannot find out which ids are in use: %s", strerror(-r));
        return def->idmap.present ? check_range(m, def, &ranges, err)
                                  : pick_range(&ranges, def, err);
}

/*
 * Environment
 */

static const char *stored_value(const Container *old, const char *name) {
        const ContainerDef *def = old ? old->def : NULL;

        for (size_t i = 0; def && i < def->n_environment; i++)
                if (streq(def->environment[i].name, name))
                        return def->environment[i].value;
        return NULL;
}

/* What dumpxml did not show stays as it is. */
static int complete_environment(const Container *old, ContainerDef *def, const char *file_name,
                                Error **err) {
        for (size_t i = 0; i < def->n_environment; i++) {
                EnvironmentDef *variable = &def->environment[i];
                const char *value = stored_value(old, variable->name);
                char *copy;

                if (!variable->withheld)
                        continue;
                if (!value)
                        return error_set_at(err, ERRNO_XML, file_name, 0,
                                            "element 'initenv': the value of '%s' is withheld, and "
                                            "container '%s' has none that could be kept; write it, "
                                            "or take the document from 'ctvirt dumpxml "
                                            "--security-info'",
                                            variable->name, def->name);
                copy = strdup(value);
                if (!copy)
                        return -ENOMEM;
                free(variable->value);
                variable->value = copy;
                variable->withheld = false;
        }
        return 0;
}

/* The same for the password. */
static int complete_password(const Container *old, ContainerDef *def, const char *file_name,
                             Error **err) {
        const FirstBootDef *stored = old && old->def ? old->def->first_boot : NULL;

        if (!def->first_boot || !def->first_boot->root_hash_withheld)
                return 0;
        if (!stored || !stored->root_hash)
                return error_set_at(err, ERRNO_XML, file_name, 0,
                                    "element 'rootpassword': the hash is withheld, and container "
                                    "'%s' has none that could be kept; write it, or take the "
                                    "document from 'ctvirt dumpxml --security-info'",
                                    def->name);
        def->first_boot->root_hash = strdup(stored->root_hash);
        if (!def->first_boot->root_hash)
                return -ENOMEM;
        def->first_boot->root_hash_withheld = false;
        return 0;
}

/*
 * MAC addresses
 */

/* The interface of the same kind and number among its kind: that is what nspawn's link names count.
 */
static const InterfaceDef *same_interface(const ContainerDef *def, bool direct, size_t number) {
        for (size_t i = 0, n = 0; i < def->n_interfaces; i++)
                if ((def->interfaces[i].type == INTERFACE_TYPE_DIRECT) == direct && n++ == number)
                        return &def->interfaces[i];
        return NULL;
}

/* 52:54:00 as libvirt makes them: nobody outside can foretell what nspawn derives for a macvlan. */
static int random_mac(uint8_t mac[static ETH_ALEN]) {
        static const uint8_t prefix[] = { 0x52, 0x54, 0x00 };

        memcpy(mac, prefix, sizeof(prefix));
        if (getrandom(mac + sizeof(prefix), ETH_ALEN - sizeof(prefix), 0) < 0)
                return negative_errno();
        return 0;
}

static int complete_mac(const Manager *m, const ContainerDef *old, const ContainerDef *def,
                        InterfaceDef *interface, size_t number) {
        bool direct = interface->type == INTERFACE_TYPE_DIRECT;
        const InterfaceDef *before = old ? same_interface(old, direct, number) : NULL;
        int r = 0;

        if (before && before->has_mac)
                memcpy(interface->mac, before->mac, ETH_ALEN);
        else if (direct)
                r = random_mac(interface->mac);
        else if (number == 0)
                nspawn_container_mac(&m->machine_id, def->name, interface->mac);
        else
                nspawn_extra_container_mac(&m->machine_id, def->name, (unsigned) number - 1,
                                           interface->mac);
        interface->has_mac = r >= 0;
        return r;
}

static int complete_macs(const Manager *m, const Container *old, ContainerDef *def) {
        size_t n_bridged = 0, n_direct = 0;
        int r;

        for (size_t i = 0; i < def->n_interfaces; i++) {
                InterfaceDef *interface = &def->interfaces[i];
                size_t number = interface->type == INTERFACE_TYPE_DIRECT ? n_direct++ : n_bridged++;

                if (interface->has_mac)
                        continue;
                r = complete_mac(m, old ? old->def : NULL, def, interface, number);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool has_mac(const ContainerDef *def, const uint8_t mac[static ETH_ALEN]) {
        for (size_t i = 0; i < def->n_interfaces; i++)
                if (def->interfaces[i].has_mac &&
                    memcmp(def->interfaces[i].mac, mac, ETH_ALEN) == 0)
                        return true;
        return false;
}

/* As after a copy of a definition from which only name and uuid were removed. */
int definition_warn_of_macs(const Manager *m, const ContainerDef *def, char ***warnings) {
        char text[MAC_STRING_MAX];
        int r;

        for (size_t i = 0; i < def->n_interfaces; i++)
                for (size_t k = 0; k < m->containers.n_items; k++) {
                        const Container *c = m->containers.items[k];

                        if (!c->def || streq(c->name, def->name) ||
                            !has_mac(c->def, def->interfaces[i].mac))
                                continue;
                        r = strv_extendf(warnings, "container '%s' has the MAC address %s as well",
                                         c->name, mac_to_string(def->interfaces[i].mac, text));
                        if (r < 0)
                                return r;
                }
        return 0;
}

/* nspawn calls a macvlan after its parent, so there cannot be two of one parent. */
static int refuse_twin_macvlans(const ContainerDef *def, const char *file_name, Error **err) {
        for (size_t i = 0; i < def->n_interfaces; i++)
                for (size_t k = 0; k < i; k++) {
                        const InterfaceDef *a = &def->interfaces[k], *b = &def->interfaces[i];

                        if (a->type != INTERFACE_TYPE_DIRECT || b->type != a->type ||
                            !streq(a->source, b->source))
                                continue;
                        return error_set_at(err, ERRNO_XML, file_name, b->line,
                                            "there is a direct interface on '%s' already, and a "
                                            "container can have only one on each link",
                                            b->source);
                }
        return 0;
}

/* Two of one container are always a mistake, as on a copied <interface>. */
static int refuse_twin_macs(const ContainerDef *def, const char *file_name, Error **err) {
        char text[MAC_STRING_MAX];

        for (size_t i = 0; i < def->n_interfaces; i++)
                for (size_t k = 0; k < i; k++) {
                        const InterfaceDef *a = &def->interfaces[k], *b = &def->interfaces[i];

                        if (!a->has_mac || !b->has_mac || memcmp(a->mac, b->mac, ETH_ALEN) != 0)
                                continue;
                        return error_set_at(err, ERRNO_XML, file_name, b->line,
                                            "another interface of this container has the MAC "
                                            "address %s already",
                                            mac_to_string(b->mac, text));
                }
        return 0;
}

int definition_check_stored(const Manager *m, const ContainerDef *def, const char *file_name,
                            Error **err) {
        int r;

        r = refuse_twin_macvlans(def, file_name, err);
        if (r >= 0)
                r = refuse_twin_macs(def, file_name, err);
        if (r >= 0)
                r = definition_root_check(m, def, err);
        if (r >= 0 && def->has_uuid)
                r = check_uuid(m, NULL, def, err);
        if (r >= 0 && def->idmap.present)
                r = check_range_owner(m, def, err);
        return r;
}

int definition_complete(const Manager *m, const Container *old, ContainerDef *def,
                        const char *file_name, char ***warnings, Error **err) {
        int r;

        r = refuse_twin_macvlans(def, file_name, err);
        if (r >= 0)
                r = definition_root_check(m, def, err);
        if (r >= 0)
                r = complete_uuid(m, old, def, err);
        if (r >= 0)
                r = complete_range(m, old, def, err);
        if (r >= 0)
                r = complete_environment(old, def, file_name, err);
        if (r >= 0)
                r = complete_password(old, def, file_name, err);
        if (r >= 0)
                r = complete_macs(m, old, def);
        if (r >= 0)
                r = refuse_twin_macs(def, file_name, err);
        return r < 0 ? r : definition_warn_of_macs(m, def, warnings);
}
