/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/define_warn.h"

#include <sys/stat.h>

#include "agent/lifecycle.h"
#include "agent/pool/snapshot.h"
#include "units/generated.h"

static bool network_equal(const ContainerDef *a, const ContainerDef *b) {
        ContainerDef x = { .name = a->name }, y = { .name = a->name };

        x.private_network = a->private_network;
        x.interfaces = a->interfaces;
        x.n_interfaces = a->n_interfaces;
        y.private_network = b->private_network;
        y.interfaces = b->interfaces;
        y.n_interfaces = b->n_interfaces;
        return container_def_equal(&x, &y);
}

static bool init_equal(const ContainerDef *a, const ContainerDef *b) {
        ContainerDef x = { .name = a->name }, y = { .name = a->name };

        x.init = a->init;
        x.initargs = a->initargs;
        x.initdir = a->initdir;
        x.inituser = a->inituser;
        x.initgroup = a->initgroup;
        x.environment = a->environment;
        x.n_environment = a->n_environment;
        y.init = b->init;
        y.initargs = b->initargs;
        y.initdir = b->initdir;
        y.inituser = b->inituser;
        y.initgroup = b->initgroup;
        y.environment = b->environment;
        y.n_environment = b->n_environment;
        return container_def_equal(&x, &y);
}

static bool filesystems_equal(const ContainerDef *a, const ContainerDef *b) {
        ContainerDef x = { .name = a->name }, y = { .name = a->name };

        x.filesystems = a->filesystems;
        x.n_filesystems = a->n_filesystems;
        x.idmap = a->idmap;
        y.filesystems = b->filesystems;
        y.n_filesystems = b->n_filesystems;
        y.idmap = b->idmap;
        return container_def_equal(&x, &y);
}

/* Of memory and CPUs systemd makes use at once; what nspawn was given is for this start. */
int define_warn_running(const Container *old, const ContainerDef *def, char ***warnings) {
        int r = 0;

        if (!old || !old->def || !old->active)
                return 0;

        if (!network_equal(old->def, def))
                r = strv_extendf(warnings, "the interfaces of '%s' change at its next start",
                                 def->name);
        if (r >= 0 && !init_equal(old->def, def))
                r = strv_extendf(warnings, "the init of '%s' changes at its next start", def->name);
        if (r >= 0 && !filesystems_equal(old->def, def))
                r = strv_extendf(warnings, "the filesystems of '%s' change at its next start",
                                 def->name);
        return r;
}

int define_warn_network(const Container *old, const ContainerDef *def, char ***warnings) {
        if (!old || !old->def || old->def->n_interfaces == 0 || def->n_interfaces > 0 ||
            def->private_network)
                return 0;
        return strv_extendf(warnings,
                            "'%s' has no <interface> any more: it uses the network of the host, "
                            "with all its addresses",
                            def->name);
}

int define_warn_unused(const ContainerDef *def, char ***warnings) {
        bool boots = generated_boots_init(def);

        if (boots && (def->initdir || def->inituser || def->initgroup))
                return strv_extendf(
                        warnings,
                        "<initdir>, <inituser> and <initgroup> are kept, but '%s' boots "
                        "its own init, which is root's: they have no effect",
                        def->name);
        if (def->initgroup)
                return strv_extendf(warnings,
                                    "<initgroup> is kept, but systemd-nspawn has no setting for "
                                    "it: the program of '%s' runs with the groups that its user "
                                    "has in the container",
                                    def->name);
        return 0;
}

/* The agent has a /dev and a /tmp of its own. */
static bool is_out_of_sight(const char *path) {
        return startswith(path, "/dev/") || startswith(path, "/tmp/") ||
               startswith(path, "/var/tmp/");
}

static bool is_missing(const char *path) {
        struct stat st;

        return !is_out_of_sight(path) && stat(path, &st) < 0 && errno == ENOENT;
}

static int warn_root(const ContainerDef *def, char ***warnings) {
        const char *root = container_def_root(def);

        if ((root && is_out_of_sight(root)) || lifecycle_has_root(def))
                return 0;
        return strv_extendf(warnings,
                            "root '%s%s' does not exist yet; the container cannot be started "
                            "before it does",
                            root ? root : "/var/lib/machines/", root ? "" : def->name);
}

int define_warn_missing(const ContainerDef *def, bool root, char ***warnings) {
        int r = root ? warn_root(def, warnings) : 0;

        for (size_t i = 0; i < def->n_filesystems && r >= 0; i++) {
                const FilesystemDef *f = &def->filesystems[i];

                if (!streq(f->target, "/") && is_missing(f->source))
                        r = strv_extendf(warnings,
                                         "the source '%s' of filesystem '%s' does not exist yet",
                                         f->source, f->target);
        }
        return r;
}

static bool is_of_another(const Snapshot *s, const ContainerDef *def) {
        _cleanup_(container_def_freep) ContainerDef *then = NULL;

        return s->definition &&
               container_def_parse(s->definition, strlen(s->definition), "", 0, &then, NULL,
                                   NULL) >= 0 &&
               then->has_uuid && !uuid_equal(&then->uuid, &def->uuid);
}

int define_warn_snapshots(const char *root, const ContainerDef *def, char ***warnings) {
        _cleanup_snapshot_list_ SnapshotList list = { 0 };
        _cleanup_pool_ Pool *pool = NULL;

        if (!pool_exists(root) || pool_open(root, &pool, NULL) < 0 ||
            snapshot_list(pool, def->name, &list) < 0)
                return 0;
        for (size_t i = 0; i < list.n_items; i++)
                if (is_of_another(&list.items[i], def))
                        return strv_extendf(warnings,
                                            "snapshots of '%s' (ctvirt snapshot-list %s) were "
                                            "made of an earlier container with that name",
                                            def->name, def->name);
        return 0;
}
