/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sys/mman.h>

#include "base/name.h"
#include "fuzz.h"
#include "hooks/hook_input.h"

/* The whole way from stdin: reading, parsing, and what is made of it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *argv[] = { (char *) "50-ctvirt", (char *) "net", (char *) "started", NULL };
        _cleanup_close_ int fd = memfd_create("stdin", MFD_CLOEXEC);
        _cleanup_hook_input_ HookInput input = { 0 };
        _cleanup_error_ Error *complaint = NULL;
        int r;

        if (fd < 0 || write(fd, data, size) != (ssize_t) size || lseek(fd, 0, SEEK_SET) < 0)
                return 0;
        r = hook_input_read(3, argv, fd, "/nonexistent", &input, &complaint);
        fuzz_check(r == 0 || r == -ENOENT || r == -ENOMEM);
        fuzz_check((r == 0) == (complaint == NULL));
        fuzz_check(!input.bridge || link_name_is_valid(input.bridge));
        return 0;
}
