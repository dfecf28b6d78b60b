#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * An agent without loop, bus and libvirt, on a folder that stands for the host's root. To be
 * included after cmocka.h.
 */

#include "agent/define.h"
#include "agent/manager.h"
#include "temp_root.h"

#define FIXTURE_XML(name, more)                                                                    \
        "<domain type='nspawn'><name>" name "</name>" more "<os><type>exe</type></os>"             \
        "<devices><interface type='network'><source network='default'/></interface></devices>"     \
        "</domain>"

_unused_ static void fixture_network(Manager *m, const char *name, const char *bridge) {
        Network *n = network_table_add(&m->networks, name);

        assert_non_null(n);
        free(n->bridge);
        n->bridge = bridge ? strdup(bridge) : NULL;
}

_unused_ static void fixture_init(Manager *m, const char *root) {
        *m = (Manager){ .root = root, .systemd_version = 252, .networks_known = true };
        m->machine_id = (MachineId){ { 0x3d, 0x12, 0x19, 0xc7, 0xc4, 0xc5, 0x40, 0x4a, 0xaa, 0x1f,
                                       0x6d, 0x2a, 0x48, 0xad, 0xfd, 0xa4 } };
        fixture_network(m, "default", "virbr0");
}

_unused_ static void fixture_done(Manager *m) {
        container_table_done(&m->containers);
        network_table_done(&m->networks);
        m->orphans = strv_free(m->orphans);
}
#define _cleanup_fixture_ _cleanup_(fixture_done)

/* The next life of the agent on the same host. */
_unused_ static void fixture_restart(Manager *m) {
        const char *root = m->root;

        fixture_done(m);
        fixture_init(m, root);
}

/* Defines xml as web.xml; the sentence of the refusal is owned by the caller, NULL for success. */
_unused_ static char *fixture_define(Manager *m, const char *xml, DefineResult *ret) {
        _cleanup_define_result_ DefineResult result = { 0 };
        _cleanup_error_ Error *err = NULL;
        int r;

        r = define_container(m, xml, strlen(xml), "web.xml", 0, ret ? ret : &result, &err);
        if (r >= 0)
                return NULL;
        return err ? error_format(err) : strdup(strerror(-r));
}

_unused_ static void fixture_defined(Manager *m, const char *xml) {
        _cleanup_free_ char *sentence = fixture_define(m, xml, NULL);

        if (sentence)
                fail_msg("%s", sentence);
}

_unused_ static bool fixture_exists(const Manager *m, const char *path) {
        _cleanup_free_ char *file = text_format("%s%s", m->root, path);

        return access(file, F_OK) >= 0;
}

_unused_ static void fixture_remove(const Manager *m, const char *path) {
        _cleanup_free_ char *file = text_format("%s%s", m->root, path);

        assert_int_equal(unlink(file), 0);
}
