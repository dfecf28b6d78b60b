/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A container with a network of its own configures it by systemd-networkd and looks names up by
 * systemd-resolved; one that shares the host's must do neither, or it would configure the host
 * (Fedora's guide to systemd-nspawn, 2.1 and 2.2). Addresses of links are not written here: the
 * agent makes those files from the definition.
 */

#include "agent/bootstrap/first_boot_internal.h"
#include "agent/bootstrap/root_units.h"
#include "base/fileio.h"

#define NETWORKD "systemd-networkd.service"
#define RESOLVED "systemd-resolved.service"
#define RESOLV_CONF "/etc/resolv.conf"
#define RESOLVED_CONF "/etc/systemd/resolved.conf.d/50-ctvirt.conf"
#define PRESET "/etc/systemd/system-preset/10-ctvirt.preset"
#define STUB "../run/systemd/resolve/stub-resolv.conf"

/* On the host. */
#define HOST_STUB "/run/systemd/resolve/stub-resolv.conf"
#define HOST_RESOLV_CONF_MAX ((size_t) 64 * 1024)

#define MARK "# Written by ctvirt when the container was made.\n"

/* A unit that is installed later, or a first boot with a fresh machine id, asks the presets. */
static int write_preset(FirstBoot *f) {
        static const char *const units[] = { NETWORKD, "systemd-networkd.socket",
                                             "systemd-networkd-wait-online.service", RESOLVED };
        _cleanup_free_ char *text = strdup(MARK);

        for (size_t i = 0; text && i < ELEMENTSOF(units); i++) {
                char *longer;

                if (asprintf(&longer, "%s%s %s\n", text,
                             f->plan->own_network ? "enable" : "disable", units[i]) < 0)
                        return -ENOMEM;
                free(text);
                text = longer;
        }
        return text ? first_boot_write(f, PRESET, text) : -ENOMEM;
}

static int set_units(FirstBoot *f) {
        static const char *const units[] = { NETWORKD, RESOLVED };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(units) && r >= 0; i++)
                r = f->plan->own_network ? root_unit_enable(&f->tree, units[i], f->err)
                                         : root_unit_disable(&f->tree, units[i], f->err);
        return r < 0 ? r : write_preset(f);
}

static int write_search_domains(FirstBoot *f) {
        _cleanup_free_ char *domains = NULL, *text = NULL;
        int r;

        if (!f->def->search_domains) {
                r = root_tree_remove(&f->tree, RESOLVED_CONF);
                return r < 0 ? root_tree_error(f->err, r, "remove", RESOLVED_CONF) : 0;
        }
        domains = strv_join(f->def->search_domains, " ");
        if (!domains || asprintf(&text, MARK "[Resolve]\nDomains=%s\n", domains) < 0)
                return -ENOMEM;
        return first_boot_write(f, RESOLVED_CONF, text);
}

static int set_own_network(FirstBoot *f) {
        int r = 0;

        if (!root_unit_exists(&f->tree, NETWORKD) && f->plan->def->n_interfaces > 0)
                r = first_boot_warn(f, "There is no systemd-networkd in the root tree; something "
                                       "else in it has to configure the network links");
        if (r < 0)
                return r;
        if (root_unit_exists(&f->tree, RESOLVED)) {
                r = write_search_domains(f);
                return r < 0 ? r : first_boot_link(f, RESOLV_CONF, STUB);
        }
        if (f->plan->def->n_interfaces > 0)
                r = first_boot_warn(f,
                                    "There is no systemd-resolved in the root tree; " RESOLV_CONF
                                    " is left as it is%s",
                                    f->def->search_domains ? ", without the search domains" : "");
        return r;
}

/* Without the lines that another search list would stand against. */
static int copy_host_lines(const char *text, bool without_search, char **ret) {
        _cleanup_free_ char *copy = strdup(text);
        char *to = copy;

        if (!copy)
                return -ENOMEM;
        for (const char *line = text; *line;) {
                size_t n = strcspn(line, "\n");
                bool skip = without_search &&
                            (startswith(line, "search") || startswith(line, "domain"));

                n += line[n] ? 1 : 0;
                if (!skip) {
                        memcpy(to, line, n);
                        to += n;
                }
                line += n;
        }
        *to = '\0';
        *ret = TAKE_PTR(copy);
        return 0;
}

/* What the host has: the stub of its systemd-resolved, or its own file. */
static int host_view(bool without_search, char **ret) {
        _cleanup_free_ char *text = NULL;
        int r;

        if (access(HOST_STUB, F_OK) >= 0) {
                *ret = strdup("nameserver 127.0.0.53\noptions edns0 trust-ad\n");
                return *ret ? 0 : -ENOMEM;
        }
        r = read_file_at(AT_FDCWD, RESOLV_CONF, HOST_RESOLV_CONF_MAX, true, &text, NULL);
        if (r == -ENOMEM)
                return r;
        return copy_host_lines(r < 0 ? "" : text, without_search, ret);
}

static int share_network(FirstBoot *f) {
        _cleanup_free_ char *host = NULL, *domains = NULL, *text = NULL;
        bool search = f->def->search_domains;
        int r;

        r = host_view(search, &host);
        if (r < 0)
                return r;
        domains = strv_join(f->def->search_domains, " ");
        if (!domains ||
            asprintf(&text, "%s%s%s%s%s", host, *host && !endswith(host, "\n") ? "\n" : "",
                     search ? "search " : "", domains, search ? "\n" : "") < 0)
                return -ENOMEM;
        return first_boot_write(f, RESOLV_CONF, text);
}

int first_boot_network(FirstBoot *f) {
        int r = 0;

        if (root_unit_exists(&f->tree, NETWORKD) || root_unit_exists(&f->tree, RESOLVED))
                r = set_units(f);
        if (r < 0)
                return r;
        return f->plan->own_network ? set_own_network(f) : share_network(f);
}
