/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/first_boot.h"
#include "agent/bootstrap/image_mount.h"
#include "base/strv.h"

static int list_settings(const FirstBootDef *d, char ***ret) {
        const struct {
                bool set;
                const char *element;
        } settings[] = {
                { d->hostname, "hostname" },     { d->root_hash, "rootpassword" },
                { d->locale, "locale" },         { d->keymap, "keymap" },
                { d->timezone, "timezone" },     { d->machine_id, "machineid" },
                { d->n_ssh_keys > 0, "sshkey" }, { d->search_domains, "search" },
        };

        for (size_t i = 0; i < ELEMENTSOF(settings); i++) {
                int r = settings[i].set ? strv_extendf(ret, "<ct:%s>", settings[i].element) : 0;

                if (r < 0)
                        return r;
        }
        return 0;
}

int first_boot_warn_image(const ContainerDef *def, const char *why, char ***warnings) {
        _cleanup_strv_ char **settings = NULL;
        _cleanup_free_ char *list = NULL;
        int r;

        r = def->first_boot ? list_settings(def->first_boot, &settings) : 0;
        if (r < 0)
                return r;
        if (!settings)
                return strv_extendf(warnings,
                                    "the host name and machine ID are the image's own: the disk "
                                    "image could not be written to (%s)",
                                    why);
        list = strv_join(settings, ", ");
        if (!list)
                return -ENOMEM;
        return strv_extendf(warnings,
                            "%s of <ct:firstboot> %s not applied, and the host name and machine ID "
                            "are the image's own: the disk image could not be written to (%s); "
                            "set them in the container when it runs, or take the root from a tar "
                            "archive",
                            list, strv_length(settings) == 1 ? "was" : "were", why);
}

/* Whose image nobody can write to keeps it as it is. */
static bool is_no_matter(int r) {
        return r < 0 && r != -ECANCELED && r != -ENOMEM;
}

static int warn(const ContainerDef *def, int r, const Error *why, char ***ret_warnings) {
        return first_boot_warn_image(def, why && why->text ? why->text : strerror(-r),
                                     ret_warnings);
}

int first_boot_apply_image(const char *path, const FirstBootPlan *plan, const JobReport *report,
                           char ***ret_warnings, Error **err) {
        _cleanup_image_mount_ ImageMount m = IMAGE_MOUNT_NONE;
        _cleanup_error_ Error *why = NULL;
        int r;

        r = image_mount(path, report, &m, &why);
        if (is_no_matter(r))
                return warn(plan->def, r, why, ret_warnings);
        if (r < 0)
                return error_set(err, -r, "%s", why && why->text ? why->text : strerror(-r));
        r = first_boot_apply(m.fd, plan, ret_warnings, &why);
        /* A read-only filesystem, and one of several partitions, of which only the root is written. */
        if (r == -EROFS || r == -EXDEV)
                return warn(plan->def, r, why, ret_warnings);
        if (r < 0)
                return error_set(err, -r, "%s", why && why->text ? why->text : strerror(-r));
        return image_unmount(&m, err);
}
