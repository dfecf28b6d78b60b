/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/define_job.h"

#include "agent/api.h"
#include "agent/define.h"
#include "agent/events.h"
#include "base/log.h"

int define_job(Manager *m, const char *xml, size_t size, const char *file_name,
               char ***ret_warnings, Error **err) {
        _cleanup_define_result_ DefineResult result = { 0 };
        const Container *c;
        int r;

        r = define_container(m, xml, size, file_name, 0, &result, err);
        if (r < 0)
                return r;
        STRV_FOREACH(w, result.warnings)
                log_warning("Container '%s': %s", result.name, *w);
        if (result.reload)
                manager_request_reload(m);
        c = container_table_by_name(&m->containers, result.name);
        if (c)
                events_container(m, c, CTVIRT_EVENT_DEFINED,
                                 result.redefined ? "Updated" : "Added");
        if (ret_warnings)
                *ret_warnings = TAKE_PTR(result.warnings);
        return 0;
}
