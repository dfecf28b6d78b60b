/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/source.h"

const RootSource *root_source_of(BootstrapType t) {
        switch (t) {
        case BOOTSTRAP_APT:
                return &source_apt;
        case BOOTSTRAP_DNF:
                return &source_dnf;
        case BOOTSTRAP_TAR:
                return &source_tar;
        case BOOTSTRAP_DIRECTORY:
                return &source_directory;
        case BOOTSTRAP_RAW:
                return &source_raw;
        case BOOTSTRAP_PULL_TAR:
                return &source_pull_tar;
        case BOOTSTRAP_PULL_RAW:
                return &source_pull_raw;
        case BOOTSTRAP_OCI:
                return &source_oci;
        case BOOTSTRAP_CLONE:
                return &source_clone;
        case BOOTSTRAP_BASE:
                return &source_base;
        }
        return NULL;
}
