/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Why not systemd's own tools: systemd-firstboot --root= of systemd 252 goes to
 * ROOT/etc/locale.conf and the like by plain paths (mkdir_parents() and write_env_file() in
 * src/firstboot/firstboot.c), and systemctl --root= enable of 252 and of 257 makes its symlinks so
 * (create_symlink() in src/shared/install.c): a tree whose /etc is a symlink to the host's /etc
 * makes them write there, as root. Run inside of the tree they would be the tree's own programs.
 * What they would leave behind is what is written here.
 */

#include "agent/bootstrap/first_boot_internal.h"

#include <stdarg.h>

int first_boot_write(FirstBoot *f, const char *path, const char *content) {
        _cleanup_free_ char *old = NULL;
        int r;

        if (root_tree_read(&f->tree, path, ROOT_TREE_FILE_MAX, false, &old) >= 0 &&
            streq(old, content))
                return 0;
        r = root_tree_write(&f->tree, path, content, 0644, NULL);
        return r < 0 ? root_tree_error(f->err, r, "write", path) : 0;
}

int first_boot_link(FirstBoot *f, const char *path, const char *target) {
        int r;

        r = root_tree_link(&f->tree, path, target);
        return r < 0 ? root_tree_error(f->err, r, "write", path) : 0;
}

int first_boot_warn(FirstBoot *f, const char *format, ...) {
        char *text = NULL;
        va_list ap;
        int n;

        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);
        return n < 0 ? -ENOMEM : strv_push(&f->warnings, text);
}

int first_boot_apply(int root_fd, const FirstBootPlan *plan, char ***ret_warnings, Error **err) {
        static int (*const parts[])(FirstBoot * f) = {
                first_boot_names,   first_boot_password, first_boot_ssh_keys,
                first_boot_network, first_boot_system,   first_boot_rpm,
        };
        static const FirstBootDef defaults = { 0 };
        _cleanup_strv_ char **warnings = NULL;
        FirstBoot f = {
                .tree = { .fd = root_fd, .shift = (uid_t) plan->uid_shift },
                .plan = plan,
                .def = plan->def->first_boot ? plan->def->first_boot : &defaults,
                .err = err,
        };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(parts) && r >= 0; i++)
                r = parts[i](&f);
        warnings = f.warnings;
        if (r < 0)
                return r;
        if (ret_warnings)
                *ret_warnings = TAKE_PTR(warnings);
        return 0;
}
