#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A fuzzer: one function over bytes that nobody vouches for. libFuzzer calls it with what it makes
 * up, run_corpus.c with the files of the corpus.
 */

#include "base/macro.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Unlike assert() never compiled out. */
#define fuzz_check(condition)                                                                      \
        do {                                                                                       \
                if (!(condition)) {                                                                \
                        (void) fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__,        \
                                       #condition);                                                \
                        abort();                                                                   \
                }                                                                                  \
        } while (0)
