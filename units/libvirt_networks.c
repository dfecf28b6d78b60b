/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/libvirt_networks.h"

#include "base/fileio.h"
#include "base/name.h"
#include "units/conf_file.h"
#include "units/dir_list.h"
#include "units/run_dir.h"
#include "units/text.h"
#include "units/unit_escape.h"

#define KNOWN_FILE_MAX (4 * 1024 * 1024)
#define NETWORKS_MAX 4096
/* All files together: systemd waits for the generator. */
#define TOTAL_MAX ((size_t) 16 * 1024 * 1024)

/* Takes def over, also on failure. */
static int add(LibvirtNetworks *n, NetworkDef *def) {
        NetworkDef **grown;

        if (n->n_items >= NETWORKS_MAX) {
                network_def_free(def);
                return 0;
        }
        grown = reallocarray(n->items, n->n_items + 1, sizeof(NetworkDef *));
        if (!grown) {
                network_def_free(def);
                return -ENOMEM;
        }
        n->items = grown;
        grown[n->n_items++] = def;
        return 0;
}

/* A file that vanished since the folder was read is none; a broken one is remembered. */
static int load_xml(LibvirtNetworks *n, const char *path) {
        _cleanup_free_ char *text = NULL;
        NetworkDef *def = NULL;
        size_t size = 0, left = TOTAL_MAX - n->size;
        int r;

        r = read_file_at(AT_FDCWD, path, left < NETWORK_XML_MAX ? left : NETWORK_XML_MAX, true,
                         &text, &size);
        n->size += size;
        if (r == -ENOENT)
                return 0;
        if (r >= 0)
                r = network_def_parse(text, size, path, &def, NULL);
        if (r == -ENOMEM)
                return r;
        return r < 0 ? strv_extend(&n->broken, path) : add(n, def);
}

static int load_folder(LibvirtNetworks *n, const char *root, const char *folder) {
        _cleanup_strv_ char **names = NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        path = text_format("%s%s", root, folder);
        if (!path)
                return -ENOMEM;
        r = dir_list(path, "", ".xml", &names);
        if (r < 0)
                return r == -ENOMEM ? r : strv_extend(&n->broken, path);

        for (char **s = names; s && *s && r >= 0; s++) {
                _cleanup_free_ char *file = NULL;

                file = text_format("%s/%s", path, *s);
                if (!file)
                        return -ENOMEM;
                r = load_xml(n, file);
        }
        return r;
}

static int replace(char **s, const char *value) {
        free(*s);
        *s = strdup(value);
        return *s ? 0 : -ENOMEM;
}

/* A network begins with Name=; the keys behind it belong to it. */
static int on_known(const char *section, const char *key, const char *value, void *userdata) {
        LibvirtNetworks *n = userdata;
        NetworkDef *last;

        if (!streq(section, "Networks"))
                return 0;
        if (streq(key, "Name")) {
                NetworkDef *def = calloc(1, sizeof(NetworkDef));

                if (!def || replace(&def->name, value) < 0) {
                        network_def_free(def);
                        return -ENOMEM;
                }
                return add(n, def);
        }
        if (n->n_items == 0)
                return 0;

        last = n->items[n->n_items - 1];
        if (streq(key, "UUID"))
                last->has_uuid = uuid_from_string(value, &last->uuid) >= 0;
        if (streq(key, "Bridge") && link_name_is_valid(value))
                return replace(&last->bridge, value);
        if (streq(key, "Forward"))
                return replace(&last->forward_mode, value);
        return 0;
}

static int load_known(LibvirtNetworks *n, const char *root) {
        _cleanup_libvirt_networks_ LibvirtNetworks known = { 0 };
        _cleanup_free_ char *path = NULL, *text = NULL;
        size_t size = 0;
        int r;

        path = text_format("%s%s", root, CTVIRT_KNOWN_FILE);
        if (!path)
                return -ENOMEM;
        r = read_file_at(AT_FDCWD, path, KNOWN_FILE_MAX, false, &text, &size);
        if (r == -ENOENT)
                return 0;
        if (r >= 0)
                r = conf_parse(text, size, on_known, &known);
        if (r < 0)
                return r == -ENOMEM ? r : strv_extend(&n->broken, path);

        for (size_t i = 0; i < known.n_items && r >= 0; i++) {
                r = add(n, known.items[i]);
                known.items[i] = NULL;
        }
        return r;
}

int libvirt_networks_load(const char *root, LibvirtNetworks *ret) {
        _cleanup_libvirt_networks_ LibvirtNetworks n = { 0 };
        int r;

        /* What is active counts more than what the next start would make of it. */
        r = load_folder(&n, root, "/run/libvirt/network");
        if (r >= 0)
                r = load_folder(&n, root, "/etc/libvirt/qemu/networks");
        if (r >= 0)
                r = load_known(&n, root);
        if (r < 0)
                return r;

        *ret = n;
        n = (LibvirtNetworks){ 0 };
        return 0;
}

const NetworkDef *libvirt_networks_by_name(const LibvirtNetworks *n, const char *name) {
        for (size_t i = 0; i < n->n_items; i++)
                if (streq(n->items[i]->name, name))
                        return n->items[i];
        return NULL;
}

const NetworkDef *libvirt_networks_by_bridge(const LibvirtNetworks *n, const char *bridge) {
        const NetworkDef *found = NULL;

        for (size_t i = 0; i < n->n_items; i++) {
                if (!streq_ptr(n->items[i]->bridge, bridge))
                        continue;
                if (network_def_owns_bridge(n->items[i]))
                        return n->items[i];
                if (!found)
                        found = n->items[i];
        }
        return found;
}

static void format_network(FILE *f, const NetworkDef *def) {
        char uuid[UUID_STRING_MAX];

        fprintf(f, "\nName=%s\n", def->name);
        if (def->has_uuid)
                fprintf(f, "UUID=%s\n", uuid_to_string(&def->uuid, uuid));
        if (def->bridge && conf_value_is_plain(def->bridge))
                fprintf(f, "Bridge=%s\n", def->bridge);
        if (def->forward_mode && conf_value_is_plain(def->forward_mode))
                fprintf(f, "Forward=%s\n", def->forward_mode);
}

int libvirt_networks_save(const char *root, const NetworkDef *const *items, size_t n_items) {
        _cleanup_free_ char *text = NULL, *path = NULL;
        _cleanup_fclose_ FILE *f = NULL;
        size_t size;

        f = open_memstream(&text, &size);
        path = text_format("%s%s", root, CTVIRT_KNOWN_FILE);
        if (!f || !path)
                return -ENOMEM;
        fputs("# The networks of libvirt as ctvirtd last saw them; for ctvirt-generator.\n"
              "[Networks]\n",
              f);
        for (size_t i = 0; i < n_items; i++)
                if (conf_value_is_plain(items[i]->name))
                        format_network(f, items[i]);
        if (fclose(TAKE_PTR(f)) != 0)
                return -ENOMEM;

        return write_file_at(AT_FDCWD, path, text, size, 0644, WRITE_IF_CHANGED);
}

void libvirt_networks_done(LibvirtNetworks *n) {
        for (size_t i = 0; i < n->n_items; i++)
                network_def_free(n->items[i]);
        free(n->items);
        strv_free(n->broken);
        *n = (LibvirtNetworks){ 0 };
}
