/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "xml/domain_taps.h"

#define DOMAIN(devices) "<domain type='kvm' id='1'><name>vm</name>" devices "</domain>"
#define INTERFACE(type, source, target)                                                            \
        "<interface type='" type "'><mac address='52:54:00:aa:bb:01'/>" source target              \
        "<model type='virtio'/></interface>"
#define VNET(n) "<target dev='vnet" n "'/>"

static int parse(DomainTaps *taps, const char *xml) {
        return domain_taps_parse(taps, xml, strlen(xml), NULL);
}

static void test_taps(void **state) {
        _cleanup_domain_taps_ DomainTaps taps = { 0 };

        assert_int_equal(
                parse(&taps,
                      DOMAIN("<devices><emulator>/bin/true</emulator>" INTERFACE(
                              "network", "<source network='default' portid='x' bridge='virbr0'/>",
                              VNET("0")) INTERFACE("bridge", "<source bridge='br0'/>",
                                                   VNET("1")) "</devices>")),
                0);
        assert_int_equal(taps.n_items, 2);
        assert_string_equal(taps.items[0].link, "vnet0");
        assert_string_equal(taps.items[0].bridge, "virbr0");
        assert_string_equal(taps.items[1].link, "vnet1");
        assert_string_equal(taps.items[1].bridge, "br0");

        /* The next machine's come behind. */
        assert_int_equal(
                parse(&taps, DOMAIN("<devices>" INTERFACE("bridge", "<source bridge='br0'/>",
                                                          VNET("2")) "</devices>")),
                0);
        assert_int_equal(taps.n_items, 3);
}

static void test_others(void **state) {
        static const char *const xmls[] = {
                DOMAIN(""),
                DOMAIN("<devices/>"),
                DOMAIN("<devices>" INTERFACE("user", "<source bridge='br0'/>",
                                             VNET("0")) "</devices>"),
                DOMAIN("<devices>" INTERFACE("direct", "<source dev='eth0' mode='vepa'/>",
                                             VNET("0")) "</devices>"),
                DOMAIN("<devices>" INTERFACE("network", "<source network='default'/>",
                                             VNET("0")) "</devices>"),
                DOMAIN("<devices>" INTERFACE("bridge", "<source bridge='br0'/>", "") "</devices>"),
                DOMAIN("<devices>" INTERFACE("bridge",
                                             "<source bridge='ovs0'/>"
                                             "<virtualport type='openvswitch'/>",
                                             VNET("0")) "</devices>"),
                DOMAIN("<devices>" INTERFACE("bridge", "<source bridge='../br0'/>",
                                             VNET("0")) "</devices>"),
                DOMAIN("<devices>" INTERFACE("bridge", "<source bridge='br0'/>",
                                             VNET("0123456789012")) "</devices>"),
                DOMAIN(INTERFACE("bridge", "<source bridge='br0'/>", VNET("0"))),
        };

        for (size_t i = 0; i < ELEMENTSOF(xmls); i++) {
                _cleanup_domain_taps_ DomainTaps taps = { 0 };

                if (parse(&taps, xmls[i]) != 0 || taps.n_items != 0)
                        fail_msg("%s", xmls[i]);
        }
}

static void test_hostile(void **state) {
        _cleanup_domain_taps_ DomainTaps taps = { 0 };
        _cleanup_free_ char *xml = NULL;
        size_t size;
        FILE *f;

        assert_int_equal(parse(&taps, ""), -EBADMSG);
        assert_int_equal(parse(&taps, "<domain>"), -EBADMSG);
        assert_int_equal(parse(&taps, "<network/>"), -EINVAL);
        assert_int_equal(parse(&taps, "<!DOCTYPE a><domain/>"), -EINVAL);

        f = open_memstream(&xml, &size);
        assert_non_null(f);
        fputs("<domain><devices>", f);
        for (unsigned i = 0; i < DOMAIN_TAPS_MAX * 2; i++)
                fputs(INTERFACE("bridge", "<source bridge='br0'/>", VNET("0")), f);
        fputs("</devices></domain>", f);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(domain_taps_parse(&taps, xml, size, NULL), 0);
        assert_int_equal(taps.n_items, DOMAIN_TAPS_MAX);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_taps),
                cmocka_unit_test(test_others),
                cmocka_unit_test(test_hostile),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
