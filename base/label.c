/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/label.h"

#include <selinux/restorecon.h>
#include <selinux/selinux.h>

int label_restore(const char *path) {
        if (is_selinux_enabled() <= 0)
                return 0;
        return selinux_restorecon(path, 0) < 0 ? negative_errno() : 0;
}
