/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Trees that come in or go out as a stream.
 */

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "agent/bootstrap/first_boot.h"
#include "agent/bootstrap/import_check.h"
#include "agent/bootstrap/job_run_parts.h"
#include "agent/pool/bundle.h"
#include "agent/pool/bundle_adopt.h"
#include "agent/pool/volume_place.h"
#include "units/text.h"

/* Of a regular file it is known how much there is to read. */
static void learn_total(JobWork *w, int fd) {
        struct stat st;

        w->total_bytes = fstat(fd, &st) >= 0 && S_ISREG(st.st_mode) ? (uint64_t) st.st_size : 0;
}

static int open_tree(const JobWork *w, int *ret, Error **err) {
        *ret = volume_open_still(w->pool, w->spec->name, w->spec->id, err);
        return *ret < 0 ? *ret : 0;
}

static int take_compression(const JobSpec *s, Compression *ret, Error **err) {
        int c = compression_from_string(s->compression ? s->compression : "none");

        if (c < 0)
                return error_set(err, EINVAL, "'%s' is no compression", s->compression);
        *ret = (Compression) c;
        return 0;
}

int job_run_volume_download(JobWork *w, Error **err) {
        _cleanup_close_ int root_fd = -1;
        Compression compression = COMPRESSION_NONE;
        int r;

        job_stage(w, 1, 1, "Writing the archive");
        r = take_compression(w->spec, &compression, err);
        if (r >= 0)
                r = open_tree(w, &root_fd, err);
        if (r >= 0)
                r = archive_pack(root_fd, "", w->context->output_fd, compression, &w->progress,
                                 err);
        volume_drop_still(w->pool, w->spec->id);
        return r;
}

int job_run_volume_upload(JobWork *w, Error **err) {
        _cleanup_close_ int root_fd = -1;
        const JobSpec *s = w->spec;
        int r;

        job_stage(w, 1, 2, "Unpacking");
        learn_total(w, w->context->input_fd);
        r = volume_begin(w->pool, s->id, &root_fd, err);
        if (r >= 0)
                r = archive_unpack(w->context->input_fd, root_fd, &archive_default_limits, 0,
                                   &w->progress, err);
        if (r < 0)
                return r;
        job_stage(w, 2, 2, "Writing to the disk");
        return volume_publish(w->pool, s->id,
                              w->pool->backend == &pool_backend_btrfs ? VOLUME_SUBVOLUME
                                                                      : VOLUME_DIRECTORY,
                              s->name, s->flags & JOB_REPLACE, err);
}

int job_run_export(JobWork *w, Error **err) {
        const JobSpec *s = w->spec;
        BundleInfo info = { .name = s->name, .definition = s->definition };
        _cleanup_close_ int root_fd = -1;
        Compression compression = COMPRESSION_NONE;
        int r;

        job_stage(w, 1, 1, "Writing the bundle");
        info.created_usec = (uint64_t) time(NULL) * 1000000;
        r = take_compression(s, &compression, err);
        if (r >= 0)
                r = open_tree(w, &root_fd, err);
        if (r >= 0)
                r = bundle_export(root_fd, &info, w->context->output_fd, compression, &w->progress,
                                  err);
        volume_drop_still(w->pool, s->id);
        return r;
}

/*
 * Import
 */

static int adopt(const JobWork *w, const BundleInfo *info, ContainerDef **ret, Error **err) {
        _cleanup_(container_def_freep) ContainerDef *def = NULL;
        int r;

        r = container_def_parse(info->definition, strlen(info->definition), "the bundle", 0, &def,
                                NULL, err);
        if (r < 0)
                return r;
        r = bundle_adopt(def, w->spec->name, w->spec->flags & JOB_MOVED ? BUNDLE_ADOPT_MOVED : 0);
        if (r < 0)
                return error_set(err, -r, "the definition in the bundle cannot be used: %s",
                                 strerror(-r));
        *ret = TAKE_PTR(def);
        return 0;
}

/* As soon as it is known what it is called: before anything of its tree is read. */
static int check_info(void *userdata, const BundleInfo *info, Error **err) {
        _cleanup_(container_def_freep) ContainerDef *def = NULL;
        const JobWork *w = userdata;
        int r;

        r = adopt(w, info, &def, err);
        if (r < 0 || !def)
                return r < 0 ? r : -EIO;
        r = import_check_defined(w, def, err);
        if (r >= 0)
                r = volume_require_free(w->pool, def->name, err);
        if (r >= 0 && !w->spec->name)
                r = import_check_busy(w, def->name, err);
        if (r >= 0)
                job_stage(w, 2, 3, "Unpacking");
        return r;
}

/* Before its definition is written down, from which the agent knows whose root it is. */
static int refuse_taken(const JobWork *w, const char *name, Error **err) {
        _cleanup_volume_ Volume v = { 0 };
        int r = volume_get(w->pool, name, &v, NULL);

        if (r == -ENOENT)
                return 0;
        return error_set(err, EEXIST,
                         "there is a volume '%s' already; another name can be given with --name",
                         name);
}

/* Who has made the bundle has said what the container gets of this host. */
static int note_what_it_gets(const JobWork *w, const ContainerDef *def) {
        int r = 0;

        for (size_t i = 0; i < def->n_filesystems && r >= 0; i++) {
                const FilesystemDef *f = &def->filesystems[i];

                if (!streq(f->target, "/"))
                        r = strv_extendf(
                                w->notes,
                                "the bundle wants '%s' of this host as its '%s'%s: is that "
                                "right? Else change its definition before the first start "
                                "(ctvirt dumpxml %s, edit it, ctvirt define FILE)",
                                f->source, f->target, f->readonly ? ", read-only" : "", def->name);
        }
        if (r >= 0 && def->n_interfaces == 0 && !def->private_network)
                r = strv_extendf(w->notes, "the container shares the network of this host");
        return r;
}

/* A filesystem without quotas is no reason not to have the container. */
static int set_quota(const JobWork *w, const ContainerDef *def) {
        _cleanup_error_ Error *why = NULL;
        _cleanup_close_ int fd = -1;
        int r;

        if (def->quota == 0)
                return 0;
        fd = pool_folder(w->pool, POOL_NEW, &why);
        r = fd < 0 ? fd : w->pool->backend->set_quota(fd, w->spec->id, def->quota, &why);
        return r >= 0 ? 0
                      : strv_extendf(w->notes, "<ct:quota> was not set: %s",
                                     why ? why->text : strerror(-r));
}

int job_run_import(JobWork *w, Error **err) {
        _cleanup_(container_def_freep) ContainerDef *def = NULL;
        _cleanup_bundle_info_ BundleInfo info = { 0 };
        _cleanup_close_ int root_fd = -1;
        const JobSpec *s = w->spec;
        int r;

        job_stage(w, 1, 3, "Reading the definition");
        learn_total(w, w->context->input_fd);
        r = volume_begin(w->pool, s->id, &root_fd, err);
        if (r >= 0)
                r = bundle_import(w->context->input_fd, root_fd, &archive_default_limits,
                                  check_info, w, &info, &w->progress, err);
        if (r >= 0)
                r = adopt(w, &info, &def, err);
        if (r < 0 || !def)
                return r < 0 ? r : -EIO;
        r = import_check_defined(w, def, err);
        if (r >= 0)
                r = refuse_taken(w, def->name, err);
        if (r >= 0)
                r = note_what_it_gets(w, def);
        if (r >= 0 && !(s->flags & JOB_MOVED))
                r = bundle_reset_machine_id(root_fd, err);
        if (r >= 0 && !streq(def->name, info.name))
                r = first_boot_set_hostname(root_fd, def->name, err);
        if (r >= 0)
                r = job_save_definition(w, def, err);
        if (r >= 0)
                r = set_quota(w, def);
        if (r < 0)
                return r;
        job_stage(w, 3, 3, "Writing to the disk");
        return volume_publish(w->pool, s->id,
                              w->pool->backend == &pool_backend_btrfs ? VOLUME_SUBVOLUME
                                                                      : VOLUME_DIRECTORY,
                              def->name, false, err);
}
