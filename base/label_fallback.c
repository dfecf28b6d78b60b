/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/label.h"

int label_restore(const char *path) {
        return 0;
}

int label_check(const char *path, char **ret_is, char **ret_wanted) {
        return 0;
}
