#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The one table that says which errno goes over the bus by which name.
 */

#include <systemd/sd-bus.h>

#include "base/error.h"

/* What functions of the agent return when they mean one of the API's own errors. */
#define ERRNO_NO_SUCH_CONTAINER ENXIO
#define ERRNO_NO_SUCH_NETWORK ENODEV
#define ERRNO_NO_SUCH_VOLUME ENOENT
#define ERRNO_NO_SUCH_JOB ESRCH
#define ERRNO_XML EBADMSG
#define ERRNO_OPERATION_INVALID EBUSY
#define ERRNO_OPERATION_FAILED EIO
#define ERRNO_CONFLICT EEXIST

/* Makes the names known to sd-bus, so that sd_bus_error_get_errno() works for them. Negative errno.
 */
int bus_errors_register(void);

/* The name for an errno of either sign: the API's own, or OperationFailed. */
const char *bus_error_name(int error);

/* Fills in ret from the errno and, if there is one, from the sentence. Returns -errno, so that a
 * method handler can return it. */
int bus_error_from(sd_bus_error *ret, int error, const Error *err);
