/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fuzz.h"
#include "xml/network_def.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(network_def_freep) NetworkDef *def = NULL;
        _cleanup_error_ Error *err = NULL;

        if (network_def_parse((const char *) data, size, "x", &def, &err) < 0)
                return 0;
        fuzz_check(def->name);
        fuzz_check(!network_def_owns_bridge(def) || def->bridge);
        return 0;
}
