/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The live state of the systemd-nspawn@ units. A list gives the names and the coarse state, a few
 * property reads the rest, and from then on the signals carry everything: no call is made at a
 * change. (Nor may one be: asking for a unit that systemd has just dropped makes it load the unit
 * again, drop it again, and tell us so.)
 */

#include <search.h>

#include "units/unit_client_internal.h"
#include "units/unit_list.h"

#define DESTINATION "org.freedesktop.systemd1"
#define UNIT_NAMESPACE "/org/freedesktop/systemd1/unit"
#define UNIT_PATH_PREFIX UNIT_NAMESPACE "/systemd_2dnspawn_40"
#define UNIT_INTERFACE "org.freedesktop.systemd1.Unit"
#define SERVICE_INTERFACE "org.freedesktop.systemd1.Service"

#define N_PROPERTIES 8
#define N_LISTED_PROPERTIES 3 /* the first ones are in ListUnitsByPatterns() already */
/* Beyond these a question is asked when another is answered: a thousand units have megabytes of
 * messages, and what lives long would lie scattered among them in the heap. */
#define QUESTIONS_MAX 64

typedef struct UnitQuestion {
        struct UnitRecord *unit;
} UnitQuestion;

typedef struct UnitRecord {
        UnitClient *client;
        TAILQ_ENTRY(UnitRecord) entry;
        TAILQ_ENTRY(UnitRecord) asking; /* in to_ask, if it waits */

        char *name;
        char *load_state;
        char *active_state;
        char *sub_state;
        char *result;
        int condition_result;
        uint64_t condition_usec; /* 0: no start was tried, so no condition was tested */
        uint32_t main_pid;
        uint64_t active_enter_usec;

        UnitQuestion questions[N_PROPERTIES]; /* what a call refers to, one a property */
        unsigned
                n_asked; /* properties that are being read; nothing is told before they are there */
        size_t ask_from; /* the first property that is to be read */
        bool waits;      /* to be asked */
        bool changed;    /* since it was last told */
        bool listed;     /* in the list that is being read */
        bool gone;       /* systemd has dropped it; it goes when nothing is asked any more */
} UnitRecord;

typedef struct UnitProperty {
        const char *name;
        const char *interface;
        char type;
        size_t offset;
} UnitProperty;

static const UnitProperty unit_properties[N_PROPERTIES] = {
        { "LoadState", UNIT_INTERFACE, 's', offsetof(UnitRecord, load_state) },
        { "ActiveState", UNIT_INTERFACE, 's', offsetof(UnitRecord, active_state) },
        { "SubState", UNIT_INTERFACE, 's', offsetof(UnitRecord, sub_state) },
        { "ConditionResult", UNIT_INTERFACE, 'b', offsetof(UnitRecord, condition_result) },
        { "ConditionTimestamp", UNIT_INTERFACE, 't', offsetof(UnitRecord, condition_usec) },
        { "ActiveEnterTimestampMonotonic", UNIT_INTERFACE, 't',
          offsetof(UnitRecord, active_enter_usec) },
        { "Result", SERVICE_INTERFACE, 's', offsetof(UnitRecord, result) },
        { "MainPID", SERVICE_INTERFACE, 'u', offsetof(UnitRecord, main_pid) },
};

static int compare_names(const void *a, const void *b) {
        return strcmp(((const UnitRecord *) a)->name, ((const UnitRecord *) b)->name);
}

static UnitRecord *unit_find(UnitClient *c, const char *name) {
        const UnitRecord key = { .name = (char *) name };
        UnitRecord **found = tfind(&key, &c->units_by_name, compare_names);

        return found ? *found : NULL;
}

static UnitRecord *unit_free(UnitRecord *u) {
        if (!u)
                return NULL;
        free(u->name);
        free(u->load_state);
        free(u->active_state);
        free(u->sub_state);
        free(u->result);
        free(u);
        return NULL;
}

DEFINE_CLEANUP(UnitRecord *, unit_free)

static int unit_new(UnitClient *c, const char *name, UnitRecord **ret) {
        _cleanup_(unit_freep) UnitRecord *u = NULL;

        u = calloc(1, sizeof(*u));
        if (!u)
                return -ENOMEM;
        u->client = c;
        u->changed = true;
        u->name = strdup(name);
        if (!u->name || !tsearch(u, &c->units_by_name, compare_names))
                return -ENOMEM;

        TAILQ_INSERT_TAIL(&c->units, u, entry);
        *ret = TAKE_PTR(u);
        return 0;
}

static void unit_drop(UnitRecord *u) {
        UnitClient *c = u->client;

        (void) tdelete(u, &c->units_by_name, compare_names);
        TAILQ_REMOVE(&c->units, u, entry);
        if (u->waits)
                TAILQ_REMOVE(&c->to_ask, u, asking);
        (void) unit_free(u);
}

void unit_client_free_units(UnitClient *c) {
        while (!TAILQ_EMPTY(&c->units))
                unit_drop(TAILQ_FIRST(&c->units));
}

static const char *text(const char *s) {
        return s ? s : "";
}

static void unit_tell(UnitRecord *u) {
        const UnitState state = {
                .unit = u->name,
                .load_state = text(u->load_state),
                .active_state = text(u->active_state),
                .sub_state = text(u->sub_state),
                .result = text(u->result),
                .condition_result = u->condition_result || u->condition_usec == 0,
                .main_pid = u->main_pid,
                .active_enter_usec = u->active_enter_usec,
        };

        if (!u->changed || u->waits || u->n_asked > 0)
                return;
        u->changed = false;
        if (u->client->on_change)
                u->client->on_change(&state, u->client->userdata);
}

static int set_text(UnitRecord *u, char **field, const char *value) {
        char *copy;

        if (streq_ptr(*field, value))
                return 0;
        copy = strdup(value);
        if (!copy)
                return -ENOMEM;
        free(*field);
        *field = copy;
        u->changed = true;
        return 0;
}

/* Reads the content of a variant. */
static int read_value(UnitRecord *u, const UnitProperty *p, sd_bus_message *m) {
        void *field = (char *) u + p->offset;
        union {
                const char *text;
                int boolean;
                uint32_t number;
                uint64_t time;
        } value = { 0 };
        size_t size = p->type == 't' ? sizeof(value.time) : sizeof(value.number);
        int r;

        r = sd_bus_message_read_basic(m, p->type, &value);
        if (r < 0)
                return r;
        if (p->type == 's')
                return set_text(u, field, value.text);
        if (memcmp(field, &value, size) != 0) {
                memcpy(field, &value, size);
                u->changed = true;
        }
        return 0;
}

static int read_variant(UnitRecord *u, const UnitProperty *p, sd_bus_message *m) {
        const char contents[] = { p->type, '\0' };
        int r;

        r = sd_bus_message_enter_container(m, 'v', contents);
        if (r >= 0)
                r = read_value(u, p, m);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static const UnitProperty *property_find(const char *interface, const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(unit_properties); i++)
                if (streq(unit_properties[i].name, name) &&
                    streq(unit_properties[i].interface, interface))
                        return &unit_properties[i];
        return NULL;
}

/*
 * Reading single properties. Not GetAll(): for a service that makes PID 1 read the cgroup's
 * accounting.
 */

static int unit_ask(UnitRecord *u, const char *path, size_t i, BusCallHandler on_answer) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        u->questions[i].unit = u;
        r = sd_bus_message_new_method_call(u->client->bus, &m, DESTINATION, path,
                                           "org.freedesktop.DBus.Properties", "Get");
        if (r >= 0)
                r = sd_bus_message_append(m, "ss", unit_properties[i].interface,
                                          unit_properties[i].name);
        if (r >= 0)
                r = unit_client_call(u->client, m, on_answer, &u->questions[i]);
        if (r < 0)
                return r;
        u->n_asked++;
        u->client->n_questions++;
        return 0;
}

/* A property that cannot be asked for keeps its default. */
static void unit_ask_all(UnitRecord *u, BusCallHandler on_answer) {
        _cleanup_free_ char *path = NULL;

        if (sd_bus_path_encode(UNIT_NAMESPACE, u->name, &path) < 0)
                return;
        for (size_t i = u->ask_from; i < N_PROPERTIES; i++)
                (void) unit_ask(u, path, i, on_answer);
}

static void ask_waiting(UnitClient *c, BusCallHandler on_answer) {
        UnitRecord *u;

        while (c->n_questions < QUESTIONS_MAX && (u = TAILQ_FIRST(&c->to_ask))) {
                TAILQ_REMOVE(&c->to_ask, u, asking);
                u->waits = false;
                unit_ask_all(u, on_answer);
                unit_tell(u);
        }
}

static void unit_on_property(sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        UnitQuestion *question = userdata;
        UnitRecord *u = question->unit;
        UnitClient *c = u->client;

        if (!error)
                (void) read_variant(u, &unit_properties[question - u->questions], reply);
        u->n_asked--;
        c->n_questions--;
        unit_tell(u);
        if (u->gone && u->n_asked == 0)
                unit_drop(u);
        ask_waiting(c, unit_on_property);
}

/* Of a new unit: what is not known of it is asked for. */
static void unit_ask_from(UnitRecord *u, size_t first) {
        u->ask_from = first;
        u->waits = true;
        TAILQ_INSERT_TAIL(&u->client->to_ask, u, asking);
        ask_waiting(u->client, unit_on_property);
}

/*
 * Signals
 */

static int read_changes(UnitRecord *u, const char *interface, sd_bus_message *m) {
        const char *name;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                const UnitProperty *p;

                r = sd_bus_message_read(m, "s", &name);
                if (r < 0)
                        return r;
                p = property_find(interface, name);
                r = p ? read_variant(u, p, m) : sd_bus_message_skip(m, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r;
}

static void unit_on_change(UnitClient *c, const char *path, const char *name, sd_bus_message *m) {
        const char *interface;
        UnitRecord *u;

        if (sd_bus_message_read(m, "s", &interface) < 0)
                return;
        u = unit_find(c, name);
        if (!u) {
                if (unit_new(c, name, &u) < 0)
                        return;
                unit_ask_from(u, 0);
        }
        u->gone = false;
        (void) read_changes(u, interface, m);

        /* PID 1 sends the unit's own properties after those of the service, for a consistent whole.
         */
        if (streq(interface, UNIT_INTERFACE))
                unit_tell(u);
}

int unit_client_on_properties_changed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        const char *path = sd_bus_message_get_path(m);
        _cleanup_free_ char *name = NULL;

        if (!path || !startswith(path, UNIT_PATH_PREFIX))
                return 0;
        if (sd_bus_path_decode(path, UNIT_NAMESPACE, &name) > 0 && endswith(name, ".service"))
                unit_on_change(userdata, path, name, m);
        return 0;
}

/*
 * The list
 */

static int unit_on_row(UnitClient *c, sd_bus_message *m) {
        ListedUnit row;
        UnitRecord *u;
        bool is_new;
        int r;

        r = unit_list_next(m, &row);
        if (r <= 0)
                return r;

        u = unit_find(c, row.name);
        is_new = !u;
        if (is_new) {
                r = unit_new(c, row.name, &u);
                if (r < 0)
                        return r;
        }
        u->listed = true;
        u->gone = false;
        (void) set_text(u, &u->load_state, row.load_state);
        (void) set_text(u, &u->active_state, row.active_state);
        (void) set_text(u, &u->sub_state, row.sub_state);
        if (is_new)
                unit_ask_from(u, N_LISTED_PROPERTIES);
        unit_tell(u);
        return 1;
}

/* systemd drops only units that do not run. */
static void unit_on_unlisted(UnitRecord *u) {
        (void) set_text(u, &u->active_state, "inactive");
        (void) set_text(u, &u->sub_state, "dead");
        if (u->main_pid != 0)
                u->changed = true;
        u->main_pid = 0;
        u->gone = true;
        unit_tell(u);
        if (u->n_asked == 0)
                unit_drop(u);
}

static int read_list(UnitClient *c, sd_bus_message *reply) {
        UnitRecord *u, *next;
        int r;

        TAILQ_FOREACH(u, &c->units, entry)
                u->listed = false;

        r = unit_list_begin(reply);
        if (r < 0)
                return r;
        while ((r = unit_on_row(c, reply)) > 0)
                ;
        if (r < 0)
                return r;

        for (u = TAILQ_FIRST(&c->units); u; u = next) {
                next = TAILQ_NEXT(u, entry);
                if (!u->listed)
                        unit_on_unlisted(u);
        }
        return 0;
}

static void client_on_list(sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        UnitClient *c = userdata;

        c->listing = false;
        if (c->list_again)
                (void) unit_client_list(c);
        else if (!error)
                (void) read_list(c, reply);
}

int unit_client_list(UnitClient *c) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        /* One at a time: the list that is under way may have been made too early. */
        c->list_again = c->listing;
        if (c->listing)
                return 0;

        r = unit_list_new_call(c->bus, UNIT_LIST_ALL, &m);
        if (r >= 0)
                r = unit_client_call(c, m, client_on_list, c);
        c->listing = r >= 0;
        return r;
}
