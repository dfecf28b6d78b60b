/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/label.h"

#include <selinux/label.h>
#include <selinux/restorecon.h>
#include <selinux/selinux.h>
#include <sys/stat.h>

int label_restore(const char *path) {
        if (is_selinux_enabled() <= 0)
                return 0;
        return selinux_restorecon(path, 0) < 0 ? negative_errno() : 0;
}

static void close_labels(struct selabel_handle **h) {
        if (*h)
                selabel_close(*h);
}

static void free_context(char **context) {
        freecon(*context);
}

int label_check(const char *path, char **ret_is, char **ret_wanted) {
        _cleanup_(close_labels) struct selabel_handle *h = NULL;
        _cleanup_(free_context) char *is = NULL, *wanted = NULL;
        struct stat st;

        if (is_selinux_enabled() <= 0)
                return 0;
        h = selabel_open(SELABEL_CTX_FILE, NULL, 0);
        if (!h || lstat(path, &st) < 0)
                return negative_errno();
        if (selabel_lookup(h, &wanted, path, (int) st.st_mode) < 0)
                return errno == ENOENT ? 0 : negative_errno();
        if (lgetfilecon(path, &is) < 0)
                return negative_errno();
        if (selinux_file_context_cmp(is, wanted) == 0)
                return 0;
        *ret_is = strdup(is);
        *ret_wanted = strdup(wanted);
        return *ret_is && *ret_wanted ? 1 : -ENOMEM;
}
