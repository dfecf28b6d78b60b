/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/status.h"

#include "agent/api.h"

#define FAILED_SHOWN 3 /* with their cause; the others are counted */

static bool has_failed(const Container *c) {
        return streq(container_state(c), CTVIRT_STATE_CRASHED);
}

static void print_failed(FILE *f, const Manager *m, size_t n_failed) {
        size_t n = 0;

        (void) fprintf(f, ", %zu failed: ", n_failed);
        for (size_t i = 0; i < m->containers.n_items && n < FAILED_SHOWN; i++) {
                const Container *c = m->containers.items[i];

                if (!has_failed(c))
                        continue;
                (void) fprintf(f, "%s%s (%s)", n++ > 0 ? ", " : "", c->name,
                               container_state_reason(c));
        }
        if (n_failed > n)
                (void) fprintf(f, " and %zu more", n_failed - n);
}

static void print(FILE *f, const Manager *m) {
        size_t n_running = 0, n_failed = 0;

        for (size_t i = 0; i < m->containers.n_items; i++) {
                n_running += m->containers.items[i]->active;
                n_failed += has_failed(m->containers.items[i]);
        }

        (void) fprintf(f, n_running == 1 ? "%zu container runs" : "%zu containers run", n_running);
        if (n_failed > 0)
                print_failed(f, m, n_failed);
        if (m->containers.n_items > n_running + n_failed)
                (void) fprintf(f, ", %zu shut off", m->containers.n_items - n_running - n_failed);
        (void) fprintf(f, "; libvirt is %sconnected%s",
                       m->libvirt && libvirt_link_is_connected(m->libvirt) ? "" : "not ",
                       m->bus ? "" : "; the system bus is away");
}

char *status_text(const Manager *m) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return NULL;
        print(f, m);
        if (fclose(f) == 0)
                return text;
        free(text);
        return NULL;
}
