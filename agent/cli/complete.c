/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/cli/complete.h"

#include "agent/cli/bus.h"
#include "agent/cli/info.h"
#include "agent/cli/job_info.h"
#include "agent/cli/pool_info.h"
#include "agent/cli/verbs.h"
#include "base/strv.h"

/* Completing must not disturb the line that is being typed. */
static int complete_connect(Cli *cli) {
        FILE *null;

        if (cli->bus)
                return 0;

        null = fopen("/dev/null", "we");
        if (!null)
                return negative_errno();
        cli->output.err = null;
        return bus_connect(cli);
}

static int complete_containers_if(Cli *cli, bool active, bool inactive, char ***words) {
        _cleanup_container_list_ ContainerList list = { 0 };
        int r;

        r = complete_connect(cli);
        if (r >= 0)
                r = container_list_get(cli, &list);

        for (size_t i = 0; i < list.n && r >= 0; i++)
                if (list.items[i].id != 0 ? active : inactive)
                        r = strv_extend(words, list.items[i].name);
        return r;
}

int complete_containers(Cli *cli, char ***words) {
        return complete_containers_if(cli, true, true, words);
}

int complete_active_containers(Cli *cli, char ***words) {
        return complete_containers_if(cli, true, false, words);
}

int complete_inactive_containers(Cli *cli, char ***words) {
        return complete_containers_if(cli, false, true, words);
}

int complete_networks(Cli *cli, char ***words) {
        _cleanup_network_list_ NetworkList list = { 0 };
        int r;

        r = complete_connect(cli);
        if (r >= 0)
                r = network_list_get(cli, &list);

        for (size_t i = 0; i < list.n && r >= 0; i++)
                r = strv_extend(words, list.items[i].name);
        return r;
}

int complete_jobs(Cli *cli, char ***words) {
        _cleanup_job_info_list_ JobInfoList list = { 0 };
        int r;

        r = complete_connect(cli);
        if (r >= 0)
                r = job_info_list_get(cli, &list);
        for (size_t i = 0; i < list.n && r >= 0; i++)
                r = strv_extend(words, list.items[i].id);
        return r;
}

int complete_volumes(Cli *cli, char ***words) {
        _cleanup_volume_states_ VolumeStates list = { 0 };
        int r;

        r = complete_connect(cli);
        if (r >= 0)
                r = volume_states_get(cli, &list);
        for (size_t i = 0; i < list.n && r >= 0; i++)
                r = strv_extend(words, list.items[i].name);
        return r;
}

int complete_snapshots(Cli *cli, char ***words) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        _cleanup_bus_object_ BusObject container = { 0 };
        const char *name;
        int r;

        r = cli->subject ? complete_connect(cli) : -ENOENT;
        if (r >= 0)
                r = bus_find_container_called(cli, cli->subject, &container);
        if (r >= 0)
                r = bus_read(cli, container.path, CTVIRT_BUS_CONTAINER, "ListSnapshots", &reply,
                             &error, NULL);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(ssts)");
        while (r >= 0 && (r = sd_bus_message_read(reply, "(ssts)", &name, NULL, NULL, NULL)) > 0)
                r = strv_extend(words, name);
        return r;
}

int complete_bases(Cli *cli, char ***words) {
        _cleanup_base_states_ BaseStates list = { 0 };
        int r;

        r = complete_connect(cli);
        if (r >= 0)
                r = base_states_get(cli, &list);
        for (size_t i = 0; i < list.n && r >= 0; i++)
                r = strv_extend(words, list.items[i].key);
        return r;
}

/* NULL-terminated. */
static int complete_constants(const char *const *constants, char ***words) {
        int r = 0;

        for (; *constants && r >= 0; constants++)
                r = strv_extend(words, *constants);
        return r;
}

int complete_pools(Cli *cli, char ***words) {
        return complete_constants((const char *const[]){ "machines", NULL }, words);
}

int complete_compressions(Cli *cli, char ***words) {
        return complete_constants((const char *const[]){ "none", "gzip", "xz", "zstd", NULL },
                                  words);
}

int complete_sources(Cli *cli, char ***words) {
        return complete_constants((const char *const[]){ "debian", "ubuntu", "fedora",
                                                         "centos-stream", "tar:/", "directory:/",
                                                         "raw:/", "clone:", "base:", "https://",
                                                         "docker://", "oci:", NULL },
                                  words);
}

int complete_verifications(Cli *cli, char ***words) {
        return complete_constants((const char *const[]){ "signature", "checksum", "no", NULL },
                                  words);
}

int complete_address_sources(Cli *cli, char ***words) {
        int r = strv_extend(words, "lease");

        return r < 0 ? r : strv_extend(words, "agent");
}

int complete_events(Cli *cli, char ***words) {
        int r = strv_extend(words, "lifecycle");

        return r < 0 ? r : strv_extend(words, "ready");
}

int complete_verbs(Cli *cli, char ***words) {
        GROUP_FOREACH(g, verb_groups)
        VERB_FOREACH(v, g) {
                int r = v->flags & VERB_HIDDEN ? 0 : strv_extend(words, v->name);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* Which options of the verb the words before the last one have used. Returns the one whose value
 * the last word is, NULL if it can be anything. *ret_subject: the value of the first, if it is there. */
static const OptionDef *complete_scan(const VerbDef *verb, char **argv, int argc,
                                      bool seen[static OPTIONS_MAX], const char **ret_subject) {
        for (int i = 1; i < argc - 1; i++) {
                const char *name = startswith(argv[i], "--");
                const OptionDef *o = NULL;

                if (name)
                        o = option_find(verb, name);
                else
                        OPTION_FOREACH(p, verb)
                if (!o && p->positional && (!seen[p - verb->options] || p->type == OPTION_MANY))
                        o = p;
                if (!o)
                        continue;

                seen[o - verb->options] = true;
                if (name && o->type != OPTION_FLAG && ++i == argc - 1)
                        return o;
                if (o == verb->options)
                        *ret_subject = argv[i];
        }
        return NULL;
}

static int complete_options(const VerbDef *verb, const bool *seen, char ***words) {
        OPTION_FOREACH(o, verb) {
                bool used = (seen[o - verb->options] && o->type != OPTION_STRINGS) ||
                            o->type == OPTION_MANY || o->type == OPTION_REST;
                int r = used ? 0 : strv_extendf(words, "--%s", o->name);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int complete_global_options(char ***words) {
        static const char *const options[] = { "--connect", "--help", "--quiet", "--version" };

        for (size_t i = 0; i < ELEMENTSOF(options); i++) {
                int r = strv_extend(words, options[i]);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* word is "--option=", and the beginning of a value. */
static int complete_inline_value(Cli *cli, const VerbDef *verb, const char *word, char ***words) {
        int length = (int) strcspn(word, "=");
        _cleanup_free_ char *name = strndup(word + 2, (size_t) length - 2);
        _cleanup_strv_ char **values = NULL;
        const OptionDef *o;
        int r;

        if (!name)
                return -ENOMEM;
        o = option_find(verb, name);
        r = o && o->complete ? o->complete(cli, &values) : 0;
        STRV_FOREACH(v, values)
                if (r >= 0)
                        r = strv_extendf(words, "%.*s=%s", length, word, *v);
        return r;
}

static int complete_arguments(Cli *cli, const VerbDef *verb, char **argv, int argc, char ***words) {
        bool seen[OPTIONS_MAX] = { 0 };
        const OptionDef *value = complete_scan(verb, argv, argc, seen, &cli->subject);

        if (!value && startswith(argv[argc - 1], "--") && strchr(argv[argc - 1], '='))
                return complete_inline_value(cli, verb, argv[argc - 1], words);
        if (!value && *argv[argc - 1] == '-')
                return complete_options(verb, seen, words);

        if (!value)
                OPTION_FOREACH(o, verb)
        if (!value && o->positional && (!seen[o - verb->options] || o->type == OPTION_MANY))
                value = o;
        if (!value)
                return complete_options(verb, seen, words);

        return value->complete ? value->complete(cli, words) : 0;
}

/* The number of words that are global options; -1 if the last word is the value of one. */
static int complete_skip_global(Cli *cli, char **argv, int argc) {
        int i = 0;

        while (i < argc - 1 && *argv[i] == '-') {
                const char *uri = startswith(argv[i], "--connect=");

                if (uri)
                        cli->uri = uri;
                if (streq(argv[i], "-c") || streq(argv[i], "--connect")) {
                        if (++i == argc - 1)
                                return -1;
                        cli->uri = argv[i];
                }
                i++;
        }
        return i;
}

int complete_line(Cli *cli, const VerbGroup *groups, char **argv, int argc, char ***ret) {
        _cleanup_strv_ char **words = NULL, **fitting = NULL;
        int skip = complete_skip_global(cli, argv, argc), r = 0;
        const VerbDef *verb;

        if (argc == 0 || skip < 0)
                return 0;

        verb = verb_find(groups, argv[skip]);
        if (skip == argc - 1 && *argv[skip] == '-')
                r = complete_global_options(&words);
        else if (skip == argc - 1)
                r = complete_verbs(cli, &words);
        else if (verb)
                r = complete_arguments(cli, verb, argv + skip, argc - skip, &words);
        if (r < 0)
                return r;

        STRV_FOREACH(w, words)
                if (startswith(*w, argv[argc - 1])) {
                        r = strv_extend(&fitting, *w);
                        if (r < 0)
                                return r;
                }

        *ret = TAKE_PTR(fitting);
        return 0;
}
