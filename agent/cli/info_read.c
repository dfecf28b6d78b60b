/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/cli/info_read.h"

#include "base/strv.h"

static int info_set_string(char **member, const char *value) {
        char *copy = strdup(value);

        if (!copy)
                return -ENOMEM;

        free(*member);
        *member = copy;
        return 0;
}

static int info_set_strv(char ***member, sd_bus_message *m) {
        _cleanup_strv_ char **v = NULL;
        int r;

        r = sd_bus_message_read_strv(m, &v);
        if (r < 0)
                return r;

        strv_free(*member);
        *member = TAKE_PTR(v);
        return 0;
}

/* m stands inside of the variant. */
static int info_read_value(sd_bus_message *m, const InfoField *field, void *info) {
        void *member = (char *) info + field->offset;
        const char *s;
        int r, b;

        if (streq(field->type, "as"))
                return info_set_strv(member, m);

        if (streq(field->type, "s")) {
                r = sd_bus_message_read_basic(m, 's', &s);
                return r < 0 ? r : info_set_string(member, s);
        }
        if (streq(field->type, "b")) {
                r = sd_bus_message_read_basic(m, 'b', &b);
                *(bool *) member = r >= 0 && b;
                return r;
        }
        return sd_bus_message_read_basic(m, *field->type, member);
}

static int info_read_entry(sd_bus_message *m, const InfoField *fields, void *info) {
        const char *key, *type;
        int r;

        r = sd_bus_message_read_basic(m, 's', &key);
        if (r < 0)
                return r;
        r = sd_bus_message_peek_type(m, NULL, &type);
        if (r < 0)
                return r;

        while (fields->key && !streq(fields->key, key))
                fields++;
        if (!fields->key || !streq_ptr(fields->type, type))
                return sd_bus_message_skip(m, "v");

        r = sd_bus_message_enter_container(m, 'v', fields->type);
        if (r < 0)
                return r;
        r = info_read_value(m, fields, info);
        if (r < 0)
                return r;
        return sd_bus_message_exit_container(m);
}

/* The strings that are not there are "". */
static int info_complete(const InfoField *fields, void *info) {
        for (; fields->key; fields++) {
                char **member = (char **) ((char *) info + fields->offset);
                int r = streq(fields->type, "s") && !*member ? info_set_string(member, "") : 0;

                if (r < 0)
                        return r;
        }
        return 0;
}

int info_read(sd_bus_message *m, const InfoField *fields, void *info) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = info_read_entry(m, fields, info);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        r = sd_bus_message_exit_container(m);
        return r < 0 ? r : info_complete(fields, info);
}

void info_done(const InfoField *fields, void *info) {
        for (; fields->key; fields++) {
                void *member = (char *) info + fields->offset;

                if (streq(fields->type, "s"))
                        free(*(char **) member);
                else if (streq(fields->type, "as"))
                        strv_free(*(char ***) member);
        }
}

int info_get(Cli *cli, const char *path, const char *interface, const InfoField *fields, void *info,
             const char *what) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        int r;

        r = bus_read(cli, path, interface, "GetInfo", &reply, &error, NULL);
        if (r < 0)
                return bus_print_error(cli, r, &error, "Failed to get information about %s", what);

        r = info_read(reply, fields, info);
        return r < 0 ? bus_print_reply_error(cli, r) : 0;
}

int info_read_list(sd_bus_message *m, const InfoField *fields, size_t size, void **items,
                   size_t *n) {
        size_t allocated = 0;
        int r;

        *items = NULL;
        *n = 0;
        r = sd_bus_message_enter_container(m, 'a', "a{sv}");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_at_end(m, false)) == 0) {
                if (*n == allocated) {
                        void *grown = reallocarray(*items, allocated + 64, size);

                        if (!grown)
                                return -ENOMEM;
                        *items = grown;
                        allocated += 64;
                }

                memset((char *) *items + *n * size, 0, size);
                r = info_read(m, fields, (char *) *items + (*n)++ * size);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int info_list_get(Cli *cli, const BusQuestion *q, const InfoField *fields, size_t size,
                  void **items, size_t *n, const char *what) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        int r;

        r = bus_read(cli, q->path, q->interface, q->method, &reply, &error, NULL);
        if (r < 0)
                return bus_print_error(cli, r, &error, "Failed to list %s", what);

        r = info_read_list(reply, fields, size, items, n);
        return r < 0 ? bus_print_reply_error(cli, r) : 0;
}
