/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "xml/network_def.h"

bool network_def_owns_bridge(const NetworkDef *def) {
        static const char *const modes[] = { "nat", "route", "open" };

        if (!def->bridge)
                return false;
        if (!def->forward_mode)
                return true;
        for (size_t i = 0; i < ELEMENTSOF(modes); i++)
                if (streq(def->forward_mode, modes[i]))
                        return true;
        return false;
}

NetworkDef *network_def_free(NetworkDef *def) {
        if (!def)
                return NULL;

        free(def->name);
        free(def->bridge);
        free(def->forward_mode);
        free(def);
        return NULL;
}
