/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/name.h"
#include "fuzz.h"
#include "units/nspawn_file.h"

static void check(const NspawnFile *f) {
        fuzz_check(!f->bridge || link_name_is_valid(f->bridge));
        fuzz_check(f->has_network || (!f->bridge && !f->zone && !f->macvlans));
        fuzz_check(!f->has_uid_range || f->uid_count > 0);
        fuzz_check(f->generated || (!f->bridges && !f->networks && !f->plugs));
        STRV_FOREACH(s, f->bridges)
                fuzz_check(link_name_is_valid(*s));
        STRV_FOREACH(s, f->networks)
                fuzz_check(network_name_is_valid(*s));
        for (size_t i = 0; i < f->n_plugs; i++)
                fuzz_check(link_name_is_valid(f->plugs[i].link) &&
                           link_name_is_valid(f->plugs[i].bridge));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        for (int trusted = 0; trusted <= 1; trusted++) {
                NspawnFile *f = NULL;
                int r;

                r = nspawn_file_parse((const char *) data, size, "fuzz.nspawn", trusted, &f);
                fuzz_check(r == 0 ? f != NULL : (r == -EINVAL || r == -EBADMSG) && !f);
                if (f) {
                        check(f);
                        fuzz_check(trusted ||
                                   (!f->has_network && !f->has_uid_range && !f->generated));
                }
                nspawn_file_free(f);
        }
        return 0;
}
