/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/root_check.h"

#include <dirent.h>

#include "agent/bootstrap/image_program.h"
#include "agent/bootstrap/root_tree.h"
#include "agent/pool/device_probe.h"
#include "base/name.h"
#include "units/generated.h"
#include "units/text.h"

#define OS_RELEASE "/etc/os-release"
#define OS_RELEASE_USR "/usr/lib/os-release"

/* In the order in which systemd-nspawn tries them. */
#define INIT_SYSTEMD "/usr/lib/systemd/systemd"
#define INIT_LIB "/lib/systemd/systemd"
#define INIT_SBIN "/sbin/init"

DEFINE_CLEANUP(DIR *, closedir)

static bool has_release(const RootTree *t) {
        return root_tree_exists(t, OS_RELEASE) || root_tree_exists(t, OS_RELEASE_USR);
}

static bool has_init(const RootTree *t) {
        return root_tree_has_program(t, INIT_SYSTEMD) || root_tree_has_program(t, INIT_LIB) ||
               root_tree_has_program(t, INIT_SBIN);
}

/* What is in the top folder: *ret_name is the only thing there, if it is a folder; owned. */
static int look_at_top(const RootTree *t, size_t *ret_n, char **ret_name) {
        _cleanup_free_ char *path = NULL, *name = NULL;
        _cleanup_(closedirp) DIR *d = NULL;
        const struct dirent *e;
        struct stat st;
        size_t n = 0;
        int fd;

        fd = root_tree_folder(t, "/", false);
        if (fd < 0)
                return fd;
        d = fdopendir(fd);
        if (!d) {
                (void) close(fd);
                return negative_errno();
        }
        while ((e = readdir(d)))
                if (!streq(e->d_name, ".") && !streq(e->d_name, "..") && n++ == 0)
                        name = strdup(e->d_name);
        path = n == 1 ? text_format("/%s", name ? name : "") : NULL;
        if (n > 0 && (!name || (n == 1 && !path)))
                return -ENOMEM;
        if (path && root_tree_stat(t, path, &st) >= 0 && S_ISDIR(st.st_mode))
                *ret_name = TAKE_PTR(name);
        *ret_n = n;
        return 0;
}

static int refuse_folder(const ContainerDef *def, const char *name, Error **err) {
        const char *shown = container_name_is_valid(name) ? name : "NAME";
        BootstrapType type = def->bootstrap ? def->bootstrap->type : BOOTSTRAP_TAR;

        if (type == BOOTSTRAP_DIRECTORY && def->bootstrap->source)
                return error_set(
                        err, ENOMEDIUM,
                        "all that is in %s is a folder, '%s'; if that is the root, give it "
                        "itself: --from directory:%s/%s",
                        def->bootstrap->source, shown, def->bootstrap->source, shown);
        return error_set(
                err, ENOMEDIUM,
                "all that came is a folder, '%s'; if the root is in it, pack what is in it "
                "and not the folder itself: tar -C %s -cf FILE .",
                shown, shown);
}

static int refuse_empty(const ContainerDef *def, Error **err) {
        const char *source = def->bootstrap ? def->bootstrap->source : NULL;

        return error_set(err, ENOMEDIUM, "it is empty, no container could run from it%s%s",
                         source ? ": look at " : "", source ? source : "");
}

static int refuse_system(Error **err) {
        return error_set(err, ENOMEDIUM,
                         "this is not the root of an operating system: it has neither " OS_RELEASE
                         " (or " OS_RELEASE_USR "), without which systemd-nspawn boots nothing, "
                         "nor " INIT_SYSTEMD " or " INIT_SBIN "; if a single program is to run in "
                         "it, give <init> in the definition");
}

/* Neither is a reason not to have it: it can be put into the root. */
static int warn_system(bool release, bool init, char ***warnings) {
        if (!release)
                return strv_extend(warnings, "there is no " OS_RELEASE " in the root: "
                                             "systemd-nspawn does not boot it until there is one");
        if (!init)
                return strv_extend(warnings,
                                   "there is no init in the root (" INIT_SYSTEMD ", " INIT_SBIN
                                   "): it does not boot until there is one; or give <init> in the "
                                   "definition");
        return 0;
}

static bool boots(const ContainerDef *def, const ImageCommand *command) {
        if (def->init)
                return generated_boots_init(def);
        return !command->arguments || image_program_is_init(command->arguments[0]);
}

/* One of a definition can also come later, or be in a folder of the host's; but systemd-nspawn
 * starts nothing without a folder /usr. */
static int check_program(const RootTree *t, const ContainerDef *def, const char *folder,
                         char ***warnings, Error **err) {
        if (!def->init || root_tree_has_program(t, def->init))
                return 0;
        if (!root_tree_exists(t, "/usr"))
                return folder ? refuse_folder(def, folder, err)
                              : error_set(err, ENOMEDIUM,
                                          "the program of <init>, %s, is not in it, and there is "
                                          "no /usr, without which systemd-nspawn starts nothing",
                                          def->init);
        return strv_extendf(warnings,
                            "the program of <init>, %s, is not in the root: the container does not "
                            "start until it is",
                            def->init);
}

int root_check_tree(int root_fd, const ContainerDef *def, const ImageCommand *command,
                    char ***warnings, Error **err) {
        const RootTree t = { .fd = root_fd };
        _cleanup_free_ char *folder = NULL;
        bool release, init;
        size_t n;
        int r;

        r = look_at_top(&t, &n, &folder);
        if (r < 0)
                return error_set(err, -r, "the new root cannot be read: %s", strerror(-r));
        if (n == 0)
                return refuse_empty(def, err);
        if (!boots(def, command))
                return check_program(&t, def, folder, warnings, err);
        release = has_release(&t);
        init = has_init(&t);
        if (release || init)
                return warn_system(release, init, warnings);
        return folder ? refuse_folder(def, folder, err) : refuse_system(err);
}

int root_check_image(const char *path, Error **err) {
        int r = device_is_formatted(path, err);

        if (r != 0)
                return r < 0 ? r : 0;
        return error_set(err, ENOMEDIUM,
                         "this is not a disk image: there is no partition table and no filesystem "
                         "in it; what is packed has to be unpacked before, what is in another "
                         "format has to be made raw (qemu-img convert -O raw), and an archive is "
                         "given with --from tar:/FILE");
}
