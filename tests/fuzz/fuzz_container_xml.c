/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What parses must format, parse again, and be the same. */

#include "fuzz.h"
#include "xml/container_def.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(container_def_freep) ContainerDef *def = NULL, *again = NULL, *copy = NULL;
        _cleanup_strv_ char **warnings = NULL;
        _cleanup_error_ Error *err = NULL;
        _cleanup_free_ char *text = NULL;

        if (container_def_parse((const char *) data, size, "x", 0, &def, &warnings, &err) < 0)
                return 0;
        fuzz_check(container_def_format(def, &text) == 0);
        fuzz_check(container_def_parse(text, strlen(text), "y", 0, &again, NULL, NULL) == 0);
        fuzz_check(container_def_equal(def, again));
        copy = container_def_copy(def);
        fuzz_check(copy && container_def_equal(def, copy));
        return 0;
}
