/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>

#include "agent/libvirt_queue.h"

#define N_MESSAGES 20000

static bool readable(const LibvirtQueue *q, int msec) {
        struct pollfd p = { .fd = q->fd, .events = POLLIN };

        return poll(&p, 1, msec) == 1;
}

static void push(LibvirtQueue *q, uint64_t cookie) {
        LibvirtMessage *m = libvirt_message_new(LIBVIRT_GET_LEASES);

        assert_non_null(m);
        m->cookie = cookie;
        libvirt_queue_push(q, m);
}

static void test_order(void **state) {
        LibvirtMessage *m;
        LibvirtQueue q;

        assert_int_equal(libvirt_queue_init(&q), 0);
        assert_false(readable(&q, 0));
        assert_null(libvirt_queue_take(&q, SIZE_MAX));

        push(&q, 1);
        push(&q, 2);
        push(&q, 3);
        assert_true(readable(&q, 0));

        m = libvirt_queue_take(&q, SIZE_MAX);
        for (uint64_t i = 1; i <= 3; i++) {
                LibvirtMessage *next = m->next;

                assert_int_equal(m->cookie, i);
                libvirt_message_free(m);
                m = next;
        }
        assert_null(m);
        assert_false(readable(&q, 0));
        assert_null(libvirt_queue_take(&q, SIZE_MAX));
        libvirt_queue_done(&q);
}

static void test_some(void **state) {
        uint64_t expected = 1;
        LibvirtQueue q;

        assert_int_equal(libvirt_queue_init(&q), 0);
        for (uint64_t i = 1; i <= 5; i++)
                push(&q, i);
        for (size_t n = 2; expected <= 5; push(&q, 6), n = 3) {
                LibvirtMessage *next;

                assert_true(readable(&q, 0));
                for (LibvirtMessage *m = libvirt_queue_take(&q, n); m; m = next, n--) {
                        next = m->next;
                        assert_int_equal(m->cookie, expected++);
                        libvirt_message_free(m);
                }
                assert_int_equal(n, 0);
        }
        assert_int_equal(expected, 6);
        libvirt_queue_done(&q);
}

static void test_untaken_is_freed(void **state) {
        LibvirtMessage *m = libvirt_message_new(LIBVIRT_NETWORKS);
        LibvirtQueue q;

        assert_int_equal(libvirt_queue_init(&q), 0);
        m->networks = calloc(2, sizeof(*m->networks));
        m->n_networks = 2;
        m->networks[1].name = strdup("default");
        m->networks[1].bridge = strdup("virbr0");
        m->leases = calloc(1, sizeof(*m->leases));
        m->n_leases = 1;
        m->leases[0].mac = strdup("52:54:00:00:00:01");
        m->text = strdup("text");
        libvirt_queue_push(&q, m);
        push(&q, 1);
        libvirt_queue_done(&q);
}

static void *push_many(void *userdata) {
        for (uint64_t i = 1; i <= N_MESSAGES; i++)
                push(userdata, i);
        return NULL;
}

static void test_two_threads(void **state) {
        uint64_t expected = 1;
        LibvirtQueue q;
        pthread_t id;

        assert_int_equal(libvirt_queue_init(&q), 0);
        assert_int_equal(pthread_create(&id, NULL, push_many, &q), 0);

        while (expected <= N_MESSAGES) {
                LibvirtMessage *next;

                assert_true(readable(&q, 10000));
                for (LibvirtMessage *m = libvirt_queue_take(&q, SIZE_MAX); m; m = next) {
                        next = m->next;
                        assert_int_equal(m->cookie, expected++);
                        libvirt_message_free(m);
                }
        }
        assert_int_equal(pthread_join(id, NULL), 0);
        libvirt_queue_done(&q);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_some),
                cmocka_unit_test(test_untaken_is_freed),
                cmocka_unit_test(test_two_threads),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
