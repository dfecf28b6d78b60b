/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fuzz.h"
#include "units/bridge_marker.h"

/* What was read is written the same way again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_marker_ BridgeMarker m = { 0 }, again = { 0 };
        _cleanup_free_ char *text = NULL, *same = NULL;

        if (bridge_marker_parse((const char *) data, size, &m) < 0)
                return 0;
        fuzz_check(m.ifindex > 0);
        fuzz_check(bridge_marker_format(&m, &text) >= 0);
        fuzz_check(bridge_marker_parse(text, strlen(text), &again) >= 0);
        fuzz_check(bridge_marker_format(&again, &same) >= 0);
        fuzz_check(streq(text, same));
        return 0;
}
