#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Methods of org.ctvirt.agent1.Pool about one volume; see agent/api.h.
 */

#include <systemd/sd-bus.h>

int pool_method_list_volumes(sd_bus_message *message, void *userdata, sd_bus_error *error);
int pool_method_get_volume(sd_bus_message *message, void *userdata, sd_bus_error *error);
int pool_method_clone_volume(sd_bus_message *message, void *userdata, sd_bus_error *error);
int pool_method_rename_volume(sd_bus_message *message, void *userdata, sd_bus_error *error);
int pool_method_delete_volume(sd_bus_message *message, void *userdata, sd_bus_error *error);
int pool_method_resize_volume(sd_bus_message *message, void *userdata, sd_bus_error *error);
int pool_method_download_volume(sd_bus_message *message, void *userdata, sd_bus_error *error);
int pool_method_upload_volume(sd_bus_message *message, void *userdata, sd_bus_error *error);
