/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is found in the pool after a crash: names become names of files.
 */

#include "agent/pool/pool_intent.h"
#include "agent/pool/snapshot.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_pool_intent_ PoolIntent intent = { 0 }, again = { 0 };
        _cleanup_free_ char *text = NULL;
        size_t length;
        int r;

        r = pool_intent_parse((const char *) data, size, &intent);
        fuzz_check(r == 0 || r == -EBADMSG);
        if (r < 0)
                return 0;
        fuzz_check(volume_name_is_valid(intent.name));
        fuzz_check(!intent.from || volume_name_is_valid(intent.from));
        fuzz_check(!intent.snapshot || snapshot_name_is_valid(intent.snapshot));
        fuzz_check(pool_intent_format(&intent, &text, &length) == 0);
        fuzz_check(pool_intent_parse(text, length, &again) == 0);
        fuzz_check(streq(again.name, intent.name) && again.kind == intent.kind);
        return 0;
}
