/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/memory_trim.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#define DELAY_USEC (UINT64_C(3) * 1000 * 1000)
#define ACCURACY_USEC (UINT64_C(1) * 1000 * 1000)

/* Only pages that are the segment's alone: a neighbour may be writable, and dropping what was
 * written there would lose it. */
static void drop_segment(uintptr_t begin, size_t size, size_t page) {
        uintptr_t first = (begin + page - 1) & ~(page - 1), last = (begin + size) & ~(page - 1);

        if (first >= last)
                return;
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): the dynamic linker tells addresses as numbers */
        (void) madvise((void *) first, last - first, MADV_DONTNEED);
}

/* A segment that is not writable is what the file says, at any time (System V ABI, program header);
 * what the dynamic linker writes to and protects afterwards (PT_GNU_RELRO) lies in writable ones. */
static int drop_object(struct dl_phdr_info *info, size_t size, void *userdata) {
        size_t page = (size_t) sysconf(_SC_PAGESIZE);

        for (unsigned i = 0; i < info->dlpi_phnum; i++) {
                const ElfW(Phdr) *p = &info->dlpi_phdr[i];

                if (p->p_type == PT_LOAD && !(p->p_flags & PF_W))
                        drop_segment(info->dlpi_addr + p->p_vaddr, p->p_memsz, page);
        }
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        (void) malloc_trim(0);
        (void) dl_iterate_phdr(drop_object, NULL);
        return 0;
}

int memory_trim_soon(sd_event *event, sd_event_source **source) {
        int r;

        if (!*source)
                return sd_event_add_time_relative(event, source, CLOCK_MONOTONIC, DELAY_USEC,
                                                  ACCURACY_USEC, on_timer, NULL);
        r = sd_event_source_set_time_relative(*source, DELAY_USEC);
        return r < 0 ? r : sd_event_source_set_enabled(*source, SD_EVENT_ONESHOT);
}
