/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bus_errors.h"

#include "agent/api.h"

static const sd_bus_error_map error_map[] = {
        SD_BUS_ERROR_MAP(CTVIRT_ERROR_NO_SUCH_CONTAINER, ERRNO_NO_SUCH_CONTAINER),
        SD_BUS_ERROR_MAP(CTVIRT_ERROR_NO_SUCH_NETWORK, ERRNO_NO_SUCH_NETWORK),
        SD_BUS_ERROR_MAP(CTVIRT_ERROR_NO_SUCH_VOLUME, ERRNO_NO_SUCH_VOLUME),
        SD_BUS_ERROR_MAP(CTVIRT_ERROR_NO_SUCH_JOB, ERRNO_NO_SUCH_JOB),
        SD_BUS_ERROR_MAP(CTVIRT_ERROR_XML, ERRNO_XML),
        SD_BUS_ERROR_MAP(CTVIRT_ERROR_OPERATION_INVALID, ERRNO_OPERATION_INVALID),
        SD_BUS_ERROR_MAP(CTVIRT_ERROR_OPERATION_FAILED, ERRNO_OPERATION_FAILED),
        SD_BUS_ERROR_MAP(CTVIRT_ERROR_CONFLICT, ERRNO_CONFLICT),
        SD_BUS_ERROR_MAP_END,
};

int bus_errors_register(void) {
        return sd_bus_error_add_map(error_map);
}

const char *bus_error_name(int error) {
        for (const sd_bus_error_map *e = error_map; e->name; e++)
                if (e->code == abs(error))
                        return e->name;
        if (abs(error) == ENOMEM)
                return SD_BUS_ERROR_NO_MEMORY;
        return CTVIRT_ERROR_OPERATION_FAILED;
}

int bus_error_from(sd_bus_error *ret, int error, const Error *err) {
        _cleanup_free_ char *text = err ? error_format(err) : NULL;

        (void) sd_bus_error_set(ret, bus_error_name(error), text ? text : strerror(abs(error)));
        return -abs(error);
}
