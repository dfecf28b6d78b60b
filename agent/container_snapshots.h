#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Methods of org.ctvirt.agent1.Container about snapshots of the root, and the password of a user in
 * it; see agent/api.h.
 */

#include <systemd/sd-bus.h>

int container_method_create_snapshot(sd_bus_message *message, void *userdata, sd_bus_error *error);
int container_method_list_snapshots(sd_bus_message *message, void *userdata, sd_bus_error *error);
int container_method_get_snapshot(sd_bus_message *message, void *userdata, sd_bus_error *error);
int container_method_revert_snapshot(sd_bus_message *message, void *userdata, sd_bus_error *error);
int container_method_delete_snapshot(sd_bus_message *message, void *userdata, sd_bus_error *error);
int container_method_set_password(sd_bus_message *message, void *userdata, sd_bus_error *error);
