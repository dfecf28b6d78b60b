/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/config.h"

#include "agent/bootstrap/bootstrap.h"
#include "base/log.h"
#include "units/conf_file.h"

#define SECTION "Agent"
#define CONFIG_MAX (64 * 1024)

typedef enum SettingType {
        SETTING_URI,
        SETTING_BOOLEAN,
        SETTING_SECONDS,
} SettingType;

typedef struct Setting {
        const char *name;
        SettingType type;
        size_t offset;
        const char *uri; /* default of a URI */
        uint64_t usec;   /* default of a time span */
} Setting;

static const Setting settings[] = {
        { "LibvirtURI", SETTING_URI, offsetof(Config, libvirt_uri), CONFIG_LIBVIRT_URI },
        { "VMURI", SETTING_URI, offsetof(Config, vm_uri), CONFIG_VM_URI },
        { "ReattachVMs", SETTING_BOOLEAN, offsetof(Config, reattach_vms), NULL },
        { "BaseMaxAgeSec", SETTING_SECONDS, offsetof(Config, base_max_age_usec), NULL,
          BOOTSTRAP_BASE_MAX_AGE_USEC },
};

#define complain(line, format, ...)                                                                \
        log_warning(CONFIG_FILE ":%u: " format ", ignored", line, __VA_ARGS__)

static int set_uri(Config *c, const Setting *s, const char *value) {
        char **field = (char **) (void *) ((char *) c + s->offset);
        char *copy = strdup(value);

        if (!copy)
                return -ENOMEM;
        free(*field);
        *field = copy;
        return 0;
}

/* Whether libvirt knows a driver of that name is its own to say; but this cannot be one. */
static bool looks_like_uri(const char *value) {
        const char *colon = strchr(value, ':');

        return colon && colon > value && !strpbrk(value, " \t\"'");
}

static void set_seconds(Config *c, const Setting *s, const char *value, unsigned line) {
        uint64_t usec = s->usec;

        if (*value && conf_parse_seconds(value, &usec) < 0)
                complain(line, "%s= is a time such as 7d, 12h or infinity, not '%s'", s->name,
                         value);
        else
                *(uint64_t *) (void *) ((char *) c + s->offset) = usec;
}

/* An empty value takes back what stands before, as in unit files. */
static int assign(Config *c, const Setting *s, const char *value, unsigned line) {
        int boolean;

        switch (s->type) {
        case SETTING_URI:
                if (*value && !looks_like_uri(value)) {
                        complain(line, "'%s' is no URI of libvirt", value);
                        return 0;
                }
                return set_uri(c, s, *value ? value : s->uri);
        case SETTING_BOOLEAN:
                boolean = *value ? conf_parse_boolean(value) : true;
                if (boolean < 0)
                        complain(line, "%s= is yes or no, not '%s'", s->name, value);
                else
                        *(bool *) ((char *) c + s->offset) = boolean;
                return 0;
        case SETTING_SECONDS:
                set_seconds(c, s, value, line);
                return 0;
        }
        return 0;
}

static int on_line(unsigned line, const char *section, const char *key, const char *value,
                   void *userdata) {
        if (!section)
                complain(line, "'%s' stands before the first section", value);
        else if (!streq(section, SECTION))
                complain(line, "unknown section [%s]", section);
        else if (!key)
                complain(line, "'%s' is no assignment", value);
        else {
                for (size_t i = 0; i < ELEMENTSOF(settings); i++)
                        if (streq(settings[i].name, key))
                                return assign(userdata, &settings[i], value, line);
                complain(line, "unknown setting %s=", key);
        }
        return 0;
}

static int set_defaults(Config *c) {
        for (size_t i = 0; i < ELEMENTSOF(settings); i++) {
                int r = settings[i].uri ? set_uri(c, &settings[i], settings[i].uri) : 0;

                if (r < 0)
                        return r;
        }
        c->reattach_vms = true;
        c->base_max_age_usec = BOOTSTRAP_BASE_MAX_AGE_USEC;
        return 0;
}

static int read_settings(const char *root, Config *c) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        unsigned line = 0;
        size_t size;
        int r;

        if (asprintf(&path, "%s" CONFIG_FILE, root) < 0)
                return -ENOMEM;
        r = conf_read(path, CONFIG_MAX, &text, &size);
        if (r == -ENOENT || r == -ENOMEM)
                return r == -ENOENT ? 0 : r;
        if (r < 0) {
                log_warning_errno(r, CONFIG_FILE " cannot be read");
                return 0;
        }

        r = conf_parse_lines(text, size, on_line, c, &line);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                log_warning(CONFIG_FILE ":%u: %s, the rest of the file is ignored", line,
                            r == -EBADMSG ? "broken section header" : "not UTF-8");
        return 0;
}

int config_load(const char *root, Config *ret) {
        _cleanup_config_ Config c = { 0 };
        int r;

        r = set_defaults(&c);
        if (r >= 0)
                r = read_settings(root, &c);
        if (r < 0)
                return r;

        *ret = c;
        c = (Config){ 0 };
        return 0;
}

void config_done(Config *c) {
        free(c->libvirt_uri);
        free(c->vm_uri);
        *c = (Config){ 0 };
}
