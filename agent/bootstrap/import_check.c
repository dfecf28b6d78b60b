/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/import_check.h"

#include <dirent.h>
#include <fcntl.h>

#include "agent/bootstrap/job_result.h"
#include "base/fileio.h"
#include "units/text.h"

#define DEFINITIONS "/etc/ctvirt/containers"

DEFINE_CLEANUP(DIR *, closedir)

/* Its root would become that of a container of the same name, which somebody else has defined and
 * has not given one yet. */
static int check_name(const JobWork *w, const char *name, Error **err) {
        static const char *const places[] = { DEFINITIONS, "xml", "/etc/systemd/nspawn", "nspawn" };

        for (size_t i = 0; i < ELEMENTSOF(places); i += 2) {
                _cleanup_free_ char *path =
                        text_format("%s%s/%s.%s", w->context->root, places[i], name, places[i + 1]);

                if (!path)
                        return -ENOMEM;
                if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
                        continue;
                return error_set(err, EEXIST,
                                 "a container '%s' is defined already (%s); another name can be "
                                 "given with --name",
                                 name, path);
        }
        return 0;
}

/* The name of the container in that file, if it has the UUID; NULL. One that cannot be read has
 * nothing that could be the same. */
static char *owner_of(int dir_fd, const char *file, const Uuid *uuid) {
        _cleanup_(container_def_freep) ContainerDef *def = NULL;
        _cleanup_free_ char *xml = NULL;
        size_t size;

        if (!endswith(file, ".xml") ||
            read_file_at(dir_fd, file, CONTAINER_XML_MAX, true, &xml, &size) < 0 ||
            container_def_parse(xml, size, file, 0, &def, NULL, NULL) < 0)
                return NULL;
        return def->has_uuid && uuid_equal(&def->uuid, uuid) ? TAKE_PTR(def->name) : NULL;
}

static int check_uuid(const JobWork *w, const ContainerDef *def, Error **err) {
        _cleanup_free_ char *path = text_format("%s" DEFINITIONS, w->context->root), *owner = NULL;
        _cleanup_(closedirp) DIR *dir = path ? opendir(path) : NULL;
        char uuid[UUID_STRING_MAX];
        const struct dirent *e;

        while (dir && !owner && (e = readdir(dir)))
                owner = owner_of(dirfd(dir), e->d_name, &def->uuid);
        if (!owner)
                return path ? 0 : -ENOMEM;
        return error_set(err, EEXIST,
                         "container '%s' is defined and has the uuid %s already, which --moved "
                         "would keep; without --moved a copy is made, and after 'ctvirt undefine "
                         "%s' the bundle can take its place (its snapshots and its autostart are "
                         "not in the bundle)",
                         owner, uuid_to_string(&def->uuid, uuid), owner);
}

int import_check_defined(const JobWork *w, const ContainerDef *def, Error **err) {
        int r = check_name(w, def->name, err);

        return r < 0 || !def->has_uuid ? r : check_uuid(w, def, err);
}

/* Each says its name before it looks at the others', so that of two at least one sees the other. */
int import_check_busy(const JobWork *w, const char *name, Error **err) {
        _cleanup_strv_ char **ids = NULL;
        int fd = w->context->jobs_fd, r;

        r = job_spec_note_name(fd, w->spec->id, name);
        if (r >= 0)
                r = job_spec_list(fd, &ids);
        STRV_FOREACH(id, ids) {
                _cleanup_job_spec_ JobSpec *other = NULL;

                if (r < 0 || streq(*id, w->spec->id) || !job_is_at_work(&fd, *id) ||
                    job_spec_load(fd, *id, &other, NULL) < 0 || !streq_ptr(other->name, name))
                        continue;
                r = error_set(
                        err, EEXIST,
                        "job %s (%s) is at work on '%s'; wait for it with 'ctvirt job-info %s "
                        "--wait', or give another name with --name",
                        *id, job_kind_to_string(other->kind), name, *id);
        }
        return r;
}
