/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/nspawn_file.h"

#include <fcntl.h>

#include "base/name.h"
#include "units/conf_file.h"
#include "units/conf_word.h"
#include "units/text.h"

/* More would be no configuration but an attempt to keep us busy. */
#define LIST_MAX 1024

typedef struct NetworkKeys {
        int private; /* tristates: -1 not said */
        int virtual_ethernet;
        bool has_others; /* keys that we need not know more of */
} NetworkKeys;

typedef struct NspawnParser {
        NspawnFile *file;
        NetworkKeys network;
} NspawnParser;

typedef struct NspawnKey {
        const char *section;
        const char *key;
        int (*parse)(NspawnParser *p, const char *value);
} NspawnKey;

/* What nspawn takes for a link's name; it would ignore any other. */
static bool is_nspawn_link(const char *s) {
        return link_name_is_valid(s) && !streq(s, "all") && !streq(s, "default");
}

static int replace(char **s, const char *value) {
        char *copy = NULL;

        if (value) {
                copy = strdup(value);
                if (!copy)
                        return -ENOMEM;
        }
        free(*s);
        *s = copy;
        return 0;
}

static int parse_bridge(NspawnParser *p, const char *value) {
        if (!*value)
                return replace(&p->file->bridge, NULL);
        return is_nspawn_link(value) ? replace(&p->file->bridge, value) : 0;
}

static int parse_zone(NspawnParser *p, const char *value) {
        char bridge[32];

        (void) snprintf(bridge, sizeof(bridge), "vz-%s", value);
        return is_nspawn_link(bridge) ? replace(&p->file->zone, value) : 0;
}

static int parse_macvlan(NspawnParser *p, const char *value) {
        char *word;

        if (!*value) {
                p->file->macvlans = strv_free(p->file->macvlans);
                return 0;
        }
        for (size_t n = strv_length(p->file->macvlans); n < LIST_MAX; n++) {
                if (conf_word_next(&value, CONF_WORD_PLAIN_BACKSLASH, &word) <= 0)
                        break;
                if (strv_push(&p->file->macvlans, word) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int parse_tristate(int *tristate, const char *value) {
        int b = conf_parse_boolean(value);

        if (!*value)
                *tristate = -1;
        else if (b >= 0)
                *tristate = b;
        return 0;
}

static int parse_private(NspawnParser *p, const char *value) {
        return parse_tristate(&p->network.private, value);
}

static int parse_virtual_ethernet(NspawnParser *p, const char *value) {
        return parse_tristate(&p->network.virtual_ethernet, value);
}

static int parse_other_network(NspawnParser *p, const char *value) {
        if (*value)
                p->network.has_others = true;
        return 0;
}

/* A decimal number without sign, blanks and leading zeros (parse_uid() of systemd). */
static int parse_id(const char *s, size_t length, uint32_t *ret) {
        uint64_t v = 0;

        if (length == 0 || length > 10 || (s[0] == '0' && length > 1))
                return -EINVAL;
        for (size_t i = 0; i < length; i++) {
                if (s[i] < '0' || s[i] > '9')
                        return -EINVAL;
                v = v * 10 + (uint64_t) (s[i] - '0');
        }
        if (v > UINT32_MAX)
                return -ERANGE;

        *ret = (uint32_t) v;
        return 0;
}

static int parse_private_users(NspawnParser *p, const char *value) {
        const char *colon = strchr(value, ':');
        uint32_t base, count = 65536;

        if (conf_parse_boolean(value) >= 0 || streq(value, "pick") || streq(value, "identity")) {
                p->file->has_uid_range = false;
                return 0;
        }
        if (parse_id(value, colon ? (size_t) (colon - value) : strlen(value), &base) < 0 ||
            (colon && parse_id(colon + 1, strlen(colon + 1), &count) < 0))
                return 0;
        if (count == 0 || base > UINT32_MAX - count)
                return 0;

        p->file->has_uid_range = true;
        p->file->uid_base = base;
        p->file->uid_count = count;
        return 0;
}

static int add_once(char ***list, const char *value, bool (*is_valid)(const char *s)) {
        _cleanup_free_ char *word = NULL;

        if (conf_word_next(&value, CONF_WORD_PLAIN_BACKSLASH, &word) <= 0 || !is_valid(word) ||
            strv_contains(*list, word) || strv_length(*list) >= LIST_MAX)
                return 0;
        return strv_push(list, TAKE_PTR(word));
}

static int parse_our_bridge(NspawnParser *p, const char *value) {
        return add_once(&p->file->bridges, value, link_name_is_valid);
}

static int parse_our_network(NspawnParser *p, const char *value) {
        return add_once(&p->file->networks, value, network_name_is_valid);
}

static int parse_plug(NspawnParser *p, const char *value) {
        _cleanup_free_ char *link = NULL, *bridge = NULL;
        const char *colon = strchr(value, ':');
        NspawnPlug *grown;

        if (!colon || p->file->n_plugs >= LIST_MAX)
                return 0;
        link = strndup(value, (size_t) (colon - value));
        bridge = strdup(colon + 1);
        if (!link || !bridge)
                return -ENOMEM;
        if (!link_name_is_valid(link) || !link_name_is_valid(bridge))
                return 0;

        grown = reallocarray(p->file->plugs, p->file->n_plugs + 1, sizeof(NspawnPlug));
        if (!grown)
                return -ENOMEM;
        p->file->plugs = grown;
        grown[p->file->n_plugs++] = (NspawnPlug){ TAKE_PTR(link), TAKE_PTR(bridge) };
        return 0;
}

static const NspawnKey trusted_keys[] = {
        { "Exec", "PrivateUsers", parse_private_users },
        { "Network", "Private", parse_private },
        { "Network", "VirtualEthernet", parse_virtual_ethernet },
        { "Network", "VirtualEthernetExtra", parse_other_network },
        { "Network", "Interface", parse_other_network },
        { "Network", "IPVLAN", parse_other_network },
        { "Network", "NamespacePath", parse_other_network },
        { "Network", "MACVLAN", parse_macvlan },
        { "Network", "Bridge", parse_bridge },
        { "Network", "Zone", parse_zone },
};

static const NspawnKey generated_keys[] = {
        { NSPAWN_SECTION_CTVIRT, "Bridge", parse_our_bridge },
        { NSPAWN_SECTION_CTVIRT, "Network", parse_our_network },
        { NSPAWN_SECTION_CTVIRT, "Plug", parse_plug },
};

static int parse_by_table(NspawnParser *p, const NspawnKey *keys, size_t n, const char *section,
                          const char *key, const char *value) {
        for (size_t i = 0; i < n; i++)
                if (streq(keys[i].section, section) && streq(keys[i].key, key))
                        return keys[i].parse(p, value);
        return 0;
}

static int on_assignment(const char *section, const char *key, const char *value, void *userdata) {
        NspawnParser *p = userdata;
        int r = 0;

        if (p->file->trusted)
                r = parse_by_table(p, trusted_keys, ELEMENTSOF(trusted_keys), section, key, value);
        if (r >= 0 && p->file->generated)
                r = parse_by_table(p, generated_keys, ELEMENTSOF(generated_keys), section, key,
                                   value);
        return r;
}

static bool network_is_said(const NspawnParser *p) {
        return p->network.private >= 0 || p->network.virtual_ethernet >= 0 ||
               p->network.has_others || p->file->bridge || p->file->zone || p->file->macvlans;
}

int nspawn_file_parse(const char *text, size_t size, const char *path, bool trusted,
                      NspawnFile **ret) {
        _cleanup_(nspawn_file_freep) NspawnFile *f = NULL;
        NspawnParser p = { .network = { .private = -1, .virtual_ethernet = -1 } };
        int r;

        p.file = f = calloc(1, sizeof(NspawnFile));
        if (!f || replace(&f->path, path) < 0)
                return -ENOMEM;
        f->trusted = trusted;
        f->generated = trusted && size >= strlen(GENERATED_MARK) &&
                       memcmp(text, GENERATED_MARK, strlen(GENERATED_MARK)) == 0;

        r = conf_parse(text, size, on_assignment, &p);
        if (r < 0)
                return r;
        f->has_network = network_is_said(&p);

        *ret = TAKE_PTR(f);
        return 0;
}

static int load_from(const char *root, const char *folder, const char *container, bool trusted,
                     NspawnFile **ret) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        size_t size;
        int r;

        path = text_join(root, folder, "/", container, ".nspawn", NULL);
        if (!path)
                return -ENOMEM;
        r = conf_read(path, NSPAWN_FILE_MAX, &text, &size);
        return r < 0 ? r : nspawn_file_parse(text, size, path, trusted, ret);
}

static const struct {
        const char *folder;
        bool trusted;
} places[] = {
        { "/etc/systemd/nspawn", true },
        { "/run/systemd/nspawn", true },
        { "/var/lib/machines", false },
};

static int load(const char *root, const char *container, bool trust_all, NspawnFile **ret) {
        int r = -ENOENT;

        for (size_t i = 0; i < ELEMENTSOF(places) && r == -ENOENT; i++)
                r = load_from(root, places[i].folder, container, trust_all || places[i].trusted,
                              ret);
        return r;
}

char *nspawn_file_path(const char *root, const char *container) {
        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                _cleanup_free_ char *path = NULL;

                path = text_format("%s%s/%s.nspawn", root, places[i].folder, container);
                if (!path || faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) >= 0)
                        return TAKE_PTR(path);
        }
        return NULL;
}

int nspawn_file_load(const char *root, const char *container, NspawnFile **ret) {
        return load(root, container, false, ret);
}

int nspawn_file_load_trusting(const char *root, const char *container, NspawnFile **ret) {
        return load(root, container, true, ret);
}

NspawnFile *nspawn_file_free(NspawnFile *f) {
        if (!f)
                return NULL;

        free(f->path);
        free(f->bridge);
        free(f->zone);
        strv_free(f->macvlans);
        strv_free(f->bridges);
        strv_free(f->networks);
        for (size_t i = 0; i < f->n_plugs; i++) {
                free(f->plugs[i].link);
                free(f->plugs[i].bridge);
        }
        free(f->plugs);
        free(f);
        return NULL;
}
