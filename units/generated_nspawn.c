/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/name.h"
#include "units/generated_text.h"
#include "units/nspawn_file.h"
#include "units/text.h"
#include "units/unit_escape.h"

/* The bridge of interface number i; "" if it is not known, or if it has none. */
static const char *bridge_of(const GeneratedInput *in, size_t interface) {
        unsigned index = interface_index(in->def, interface);

        if (!interface_is_bridged(&in->def->interfaces[interface]) ||
            index >= strv_length(in->bridges))
                return "";
        return in->bridges[index];
}

/* What nspawn's own search for an init would find: such a container is booted. */
static bool is_own_init(const char *init) {
        static const char *const inits[] = { "/sbin/init", "/usr/sbin/init",
                                             "/usr/lib/systemd/systemd", "/lib/systemd/systemd" };

        for (size_t i = 0; i < ELEMENTSOF(inits); i++)
                if (streq(init, inits[i]))
                        return true;
        return false;
}

bool generated_boots_init(const ContainerDef *def) {
        return !def->init || is_own_init(def->init);
}

static int put_parameters(FILE *f, const char *init, char *const *args) {
        const char *separator = "Parameters=";

        if (!init && !args)
                return 0;
        if (init) {
                if (!conf_text_is_valid(init))
                        return -EINVAL;
                fputs(separator, f);
                nspawn_put_word(f, init);
                separator = " ";
        }
        for (; args && *args; args++) {
                if (!conf_text_is_valid(*args))
                        return -EINVAL;
                fputs(separator, f);
                nspawn_put_word(f, *args);
                separator = " ";
        }
        fputc('\n', f);
        return 0;
}

static int put_environment(FILE *f, const EnvironmentDef *e) {
        _cleanup_free_ char *assignment = NULL;

        assignment = text_format("%s=%s", e->name, e->value);
        if (!assignment)
                return -ENOMEM;
        if (!conf_text_is_valid(assignment))
                return -EINVAL;
        fputs("Environment=", f);
        nspawn_put_word(f, assignment);
        fputc('\n', f);
        return 0;
}

/* Where the host's network is shared, nspawn puts the host's file over the container's at each start,
 * and the search domains of the definition would be gone. */
static bool keeps_resolv_conf(const ContainerDef *def) {
        return def->n_interfaces == 0 && !def->private_network && def->first_boot &&
               def->first_boot->search_domains;
}

/* As whom and where a program is run. A container that is booted has its own idea of both. nspawn
 * asks the container's getent about User=, which knows names and ids, but no '+'; there is no word
 * for a group other than the user's own. */
static int put_run_as(FILE *f, const ContainerDef *def) {
        int r = 0;

        if (def->inituser)
                r = generated_put(f, "User", def->inituser + (*def->inituser == '+'));
        if (r >= 0 && def->initdir)
                r = generated_put(f, "WorkingDirectory", def->initdir);
        return r;
}

static int put_exec(FILE *f, const ContainerDef *def) {
        const char *init = generated_boots_init(def) ? NULL : def->init;
        int r;

        fprintf(f, "\n[Exec]\nBoot=%s\n", init ? "no" : "yes");
        r = put_parameters(f, init, def->initargs && *def->initargs ? def->initargs : NULL);
        for (size_t i = 0; i < def->n_environment && r >= 0; i++)
                r = put_environment(f, &def->environment[i]);
        if (r >= 0 && init)
                r = put_run_as(f, def);
        if (r >= 0 && def->idmap.present)
                fprintf(f, "PrivateUsers=%u:%u\n", def->idmap.base, def->idmap.count);
        if (r >= 0 && keeps_resolv_conf(def))
                fputs("ResolvConf=off\n", f);
        /* By default nspawn gives the container the host's at each start. */
        if (r >= 0 && def->first_boot && def->first_boot->timezone)
                fputs("Timezone=off\n", f);
        return r;
}

static int put_filesystem(FILE *f, const FilesystemDef *fs) {
        if (streq(fs->target, "/")) {
                if (fs->readonly)
                        fputs("ReadOnly=yes\n", f);
                return 0;
        }
        if (!conf_text_is_valid(fs->source) || !conf_text_is_valid(fs->target))
                return -EINVAL;
        fputs(fs->readonly ? "BindReadOnly=" : "Bind=", f);
        nspawn_put_bind(f, fs->source, fs->target);
        fputc('\n', f);
        return 0;
}

static int put_files(FILE *f, const ContainerDef *def) {
        int r = 0;

        if (!def->idmap.present && def->n_filesystems == 0)
                return 0;
        fputs("\n[Files]\n", f);
        if (def->idmap.present)
                fputs("PrivateUsersOwnership=auto\n", f);
        for (size_t i = 0; i < def->n_filesystems && r >= 0; i++)
                r = put_filesystem(f, &def->filesystems[i]);
        return r;
}

static int put_bridged(FILE *f, const GeneratedInput *in, size_t interface) {
        _cleanup_free_ char *inside = NULL, *outside = NULL;
        const char *bridge = bridge_of(in, interface);

        if (interface_index(in->def, interface) == 0)
                return *bridge ? generated_put(f, "Bridge", bridge) : 0;

        inside = generated_link_inside(in->def, interface);
        outside = generated_link_outside(in->def, interface);
        if (!inside || !outside)
                return -ENOMEM;
        fprintf(f, "VirtualEthernetExtra=%s:%s\n", outside, inside);
        return 0;
}

static int put_macvlan(FILE *f, const char *parent) {
        if (!link_name_is_valid(parent))
                return -EINVAL;
        fputs("MACVLAN=", f);
        nspawn_put_word(f, parent);
        fputc('\n', f);
        return 0;
}

/* VirtualEthernet= is always said, also beside Bridge= which implies it: without it a container
 * that boots networkd may find itself without CAP_NET_ADMIN. */
static int put_network(FILE *f, const GeneratedInput *in) {
        const ContainerDef *def = in->def;
        bool bridged = false;
        int r = 0;

        for (size_t i = 0; i < def->n_interfaces; i++)
                bridged = bridged || interface_is_bridged(&def->interfaces[i]);

        fprintf(f, "\n[Network]\nPrivate=%s\nVirtualEthernet=%s\n",
                def->n_interfaces > 0 || def->private_network ? "yes" : "no",
                bridged ? "yes" : "no");
        for (size_t i = 0; i < def->n_interfaces && r >= 0; i++)
                if (interface_is_bridged(&def->interfaces[i]))
                        r = put_bridged(f, in, i);
                else
                        r = put_macvlan(f, def->interfaces[i].source);
        return r;
}

static int put_needs(FILE *f, const GeneratedInput *in, size_t interface) {
        const InterfaceDef *i = &in->def->interfaces[interface];
        const char *bridge = bridge_of(in, interface);

        if (i->type == INTERFACE_TYPE_NETWORK) {
                if (!conf_text_is_valid(i->source))
                        return -EINVAL;
                fputs("Network=", f);
                nspawn_put_word(f, i->source);
                fputc('\n', f);
        }
        if (*bridge) {
                fputs("Bridge=", f);
                nspawn_put_word(f, bridge);
                fputc('\n', f);
        }
        return 0;
}

static int put_plug(FILE *f, const GeneratedInput *in, size_t interface) {
        _cleanup_free_ char *link = NULL, *value = NULL;
        const char *bridge = bridge_of(in, interface);

        if (!*bridge || interface_index(in->def, interface) == 0)
                return 0;
        link = generated_link_outside(in->def, interface);
        value = link ? text_format("%s:%s", link, bridge) : NULL;
        if (!value)
                return -ENOMEM;
        return generated_put(f, "Plug", value);
}

/* For ctvirt's own eyes: what to wait for, and where the further interfaces belong. */
static int put_ctvirt(FILE *f, const GeneratedInput *in) {
        int r = 0;

        if (strv_length(in->bridges) == 0)
                return 0;
        fputs("\n[" NSPAWN_SECTION_CTVIRT "]\n", f);
        for (size_t i = 0; i < in->def->n_interfaces && r >= 0; i++)
                r = put_needs(f, in, i);
        for (size_t i = 0; i < in->def->n_interfaces && r >= 0; i++)
                r = put_plug(f, in, i);
        return r;
}

int generated_nspawn_format(const GeneratedInput *in, char **ret) {
        _cleanup_free_ char *text = NULL;
        _cleanup_fclose_ FILE *f = NULL;
        size_t size;
        int r;

        f = generated_begin(in->def, &text, &size);
        if (!f)
                return -ENOMEM;

        r = put_exec(f, in->def);
        if (r >= 0)
                r = put_files(f, in->def);
        if (r >= 0)
                r = put_network(f, in);
        if (r >= 0)
                r = put_ctvirt(f, in);
        return r < 0 ? r : generated_end(TAKE_PTR(f), &text, ret);
}
