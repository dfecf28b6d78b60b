/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/unit_facts.h"

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define UNIT_PATH_PREFIX "/org/freedesktop/systemd1/unit"
#define CALL_TIMEOUT_USEC (UINT64_C(90) * 1000 * 1000)

typedef struct Fact {
        const char *name;
        char type;
        size_t offset;
} Fact;

static const Fact facts_table[] = {
        { "ActiveState", SD_BUS_TYPE_STRING, offsetof(UnitFacts, active_state) },
        { "Result", SD_BUS_TYPE_STRING, offsetof(UnitFacts, result) },
        { "ConditionResult", SD_BUS_TYPE_BOOLEAN, offsetof(UnitFacts, condition_result) },
        { "Job", SD_BUS_TYPE_STRUCT, offsetof(UnitFacts, job) },
        { "CPUUsageNSec", SD_BUS_TYPE_UINT64, offsetof(UnitFacts, cpu_usage_nsec) },
        { "MemoryCurrent", SD_BUS_TYPE_UINT64, offsetof(UnitFacts, memory_current) },
        { "InvocationID", SD_BUS_TYPE_ARRAY, offsetof(UnitFacts, invocation) },
        { "ExecMainPID", SD_BUS_TYPE_UINT32, offsetof(UnitFacts, main_pid) },
        { "ExecMainStartTimestampMonotonic", SD_BUS_TYPE_UINT64,
          offsetof(UnitFacts, main_start_monotonic_usec) },
        { "ActiveEnterTimestampMonotonic", SD_BUS_TYPE_UINT64,
          offsetof(UnitFacts, active_enter_monotonic_usec) },
};

int unit_facts_call(sd_bus *bus, BusCalls *calls, const char *unit, BusCallHandler on_reply,
                    void *userdata) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        r = sd_bus_path_encode(UNIT_PATH_PREFIX, unit, &path);
        if (r >= 0)
                r = sd_bus_message_new_method_call(bus, &call, SYSTEMD_NAME, path,
                                                   "org.freedesktop.DBus.Properties", "GetAll");
        if (r >= 0)
                r = sd_bus_message_append(call, "s", "");
        return r < 0 ? r : bus_calls_add(calls, call, CALL_TIMEOUT_USEC, on_reply, userdata);
}

void unit_facts_request(Request *request, const char *unit, BusCallHandler on_reply) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = sd_bus_path_encode(UNIT_PATH_PREFIX, unit, &path);
        if (r < 0) {
                request_fail_errno(request, r, NULL);
                return;
        }

        /* "": the properties of all interfaces */
        request_call(request, on_reply, SYSTEMD_NAME, path, "org.freedesktop.DBus.Properties",
                     "GetAll", "s", "");
}

static const Fact *find_fact(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(facts_table); i++)
                if (streq(facts_table[i].name, name))
                        return &facts_table[i];
        return NULL;
}

/* "ay": an id, or nothing if the unit never was started. */
static int read_id(sd_bus_message *m, char *field) {
        const void *bytes;
        size_t size;
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_VARIANT, "ay");
        if (r >= 0)
                r = sd_bus_message_read_array(m, SD_BUS_TYPE_BYTE, &bytes, &size);
        if (r >= 0 && size == sizeof(sd_id128_t))
                memcpy(field, bytes, size);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* "(uo)": 0 and "/" when there is none. */
static int read_job(sd_bus_message *m, uint32_t *field) {
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_VARIANT, "(uo)");
        if (r >= 0)
                r = sd_bus_message_read(m, "(uo)", field, NULL);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_fact(sd_bus_message *m, const Fact *fact, UnitFacts *facts) {
        const char type[] = { fact->type, '\0' };
        char *field = (char *) facts + fact->offset;
        union {
                const char *string;
                uint64_t number;
                uint32_t small;
                int boolean;
        } value = { 0 };
        int r;

        if (fact->type == SD_BUS_TYPE_ARRAY)
                return read_id(m, field);
        if (fact->type == SD_BUS_TYPE_STRUCT)
                return read_job(m, (uint32_t *) (void *) field);

        r = sd_bus_message_read(m, "v", type, &value);
        if (r < 0)
                return r;

        if (fact->type == SD_BUS_TYPE_STRING)
                *(const char **) (void *) field = value.string;
        else if (fact->type == SD_BUS_TYPE_BOOLEAN)
                *(bool *) field = value.boolean;
        else if (fact->type == SD_BUS_TYPE_UINT32)
                *(uint32_t *) (void *) field = value.small;
        else if (value.number != UINT64_MAX) /* not accounted for */
                *(uint64_t *) (void *) field = value.number;
        return 0;
}

int unit_facts_read(sd_bus_message *reply, UnitFacts *ret) {
        UnitFacts facts = { .active_state = "", .result = "", .condition_result = true };
        int r;

        r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, "{sv}");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
                const Fact *fact;
                const char *name;

                r = sd_bus_message_read(reply, "s", &name);
                if (r < 0)
                        return r;
                fact = find_fact(name);
                r = fact ? read_fact(reply, fact, &facts) : sd_bus_message_skip(reply, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        *ret = facts;
        return 0;
}
