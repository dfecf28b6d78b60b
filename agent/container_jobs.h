#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Methods of org.ctvirt.agent1.Container that begin a job, and Manager.Import(); see agent/api.h.
 */

#include <systemd/sd-bus.h>

int container_method_bootstrap(sd_bus_message *message, void *userdata, sd_bus_error *error);
int container_method_clone(sd_bus_message *message, void *userdata, sd_bus_error *error);
int container_method_export(sd_bus_message *message, void *userdata, sd_bus_error *error);
int manager_method_import(sd_bus_message *message, void *userdata, sd_bus_error *error);
