/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "xml/bootstrap_source.h"

const BootstrapSource *bootstrap_source_of(BootstrapType t) {
        static const BootstrapSource file = { "file", &value_path }, url = { "url", &value_web },
                                     image = { "image", &value_image },
                                     container = { "container", &value_container },
                                     base = { "base", &value_base };

        switch (t) {
        case BOOTSTRAP_APT:
        case BOOTSTRAP_DNF:
                return NULL;
        case BOOTSTRAP_TAR:
        case BOOTSTRAP_DIRECTORY:
        case BOOTSTRAP_RAW:
                return &file;
        case BOOTSTRAP_PULL_TAR:
        case BOOTSTRAP_PULL_RAW:
                return &url;
        case BOOTSTRAP_OCI:
                return &image;
        case BOOTSTRAP_CLONE:
                return &container;
        case BOOTSTRAP_BASE:
                return &base;
        }
        return NULL;
}
