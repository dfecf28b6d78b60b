/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/cli/hint.h"

#include <limits.h>

/* Longer words are no slips. */
#define WORD_MAX_LENGTH 31

/* From so many letters on the beginning of a command is enough. */
#define PREFIX_MIN_LENGTH 3

/* virsh's commands for networks, without those that there are here as well. */
static const char *const libvirt_verbs[] = {
        "net-autostart",   "net-create",       "net-define",      "net-desc",
        "net-destroy",     "net-dumpxml",      "net-edit",        "net-event",
        "net-metadata",    "net-dhcp-leases",  "net-name",        "net-start",
        "net-undefine",    "net-update",       "net-uuid",        "net-port-list",
        "net-port-create", "net-port-dumpxml", "net-port-delete",
};

#define DEFINE_AGAIN "use 'ctvirt dumpxml NAME', edit it, and 'ctvirt define FILE'"
#define DEFINE_FIRST                                                                               \
        "containers are defined first: use 'ctvirt define FILE', and 'ctvirt start NAME'"

#define UNDEFINE "use 'ctvirt undefine NAME', with --remove-all-storage for its root as well"
#define RENAME                                                                                     \
        "use 'ctvirt shutdown NAME', 'ctvirt export NAME FILE', 'ctvirt undefine NAME "            \
        "--remove-all-storage' (without the option its root stays as a volume) and 'ctvirt "       \
        "import FILE --name NEWNAME --moved'; its snapshots and its autostart do not come along"
#define FREEZE                                                                                     \
        "memory cannot be saved; use 'systemctl freeze systemd-nspawn@NAME.service', or 'ctvirt "  \
        "shutdown NAME'"

#define ONE_POOL "there is one pool, which is always there; use 'ctvirt pool-info'"
#define IN_CONTAINER "use 'machinectl shell NAME', or 'systemd-run -M NAME --pipe --wait COMMAND'"

/* Commands of virsh for domains and volumes, and of machinectl, that have another name here, or
 * come from elsewhere. */
static const struct {
        const char *verb;
        const char *sentence;
} substitutes[] = {
        { "attach-device", DEFINE_AGAIN },
        { "attach-disk", DEFINE_AGAIN },
        { "attach-interface", DEFINE_AGAIN },
        { "blkdeviotune", DEFINE_AGAIN },
        { "console", "use 'machinectl login NAME'" },
        { "cpu-stats", "use 'systemd-cgtop machine.slice'" },
        { "create", DEFINE_FIRST },
        { "delete", UNDEFINE },
        { "desc", DEFINE_AGAIN },
        { "detach-device", DEFINE_AGAIN },
        { "detach-interface", DEFINE_AGAIN },
        { "domblklist", "use 'ctvirt vol-info NAME'" },
        { "domhostname", "use 'ctvirt dominfo NAME'" },
        { "dommemstat", "use 'systemd-cgtop machine.slice'" },
        { "domrename", RENAME },
        { "domstats", "use 'ctvirt dominfo NAME', or 'systemd-cgtop machine.slice'" },
        { "disable", "use 'ctvirt autostart NAME --disable'" },
        { "edit", DEFINE_AGAIN },
        { "enable", "use 'ctvirt autostart NAME'" },
        { "exec", IN_CONTAINER },
        { "kill", "use 'ctvirt destroy NAME'" },
        { "login", "use 'machinectl login NAME'" },
        { "logs", "use 'journalctl -u systemd-nspawn@NAME', or 'journalctl -M NAME'" },
        { "managedsave", FREEZE },
        { "memtune", DEFINE_AGAIN },
        { "migrate", "use 'ctvirt export' here and 'ctvirt import --moved' there" },
        { "passwd", "use 'ctvirt set-user-password NAME USER'" },
        { "pool-define", ONE_POOL },
        { "pool-delete", ONE_POOL },
        { "pool-destroy", ONE_POOL },
        { "pool-start", ONE_POOL },
        { "poweroff", "use 'ctvirt shutdown NAME'" },
        { "remove", UNDEFINE },
        { "rename", RENAME },
        { "reset", "use 'ctvirt destroy NAME', and 'ctvirt start NAME'" },
        { "restart", "use 'ctvirt reboot NAME'" },
        { "resume", "use 'systemctl thaw systemd-nspawn@NAME.service'" },
        { "rm", UNDEFINE },
        { "save", FREEZE },
        { "schedinfo", DEFINE_AGAIN },
        { "setmaxmem", DEFINE_AGAIN },
        { "setmem", DEFINE_AGAIN },
        { "setvcpus", DEFINE_AGAIN },
        { "shell", IN_CONTAINER },
        { "snapshot-create", "use 'ctvirt snapshot-create-as NAME [SNAPSHOT]'" },
        { "snapshot-current", "use 'ctvirt snapshot-list NAME'" },
        { "stop", "use 'ctvirt shutdown NAME', or at once 'ctvirt destroy NAME'" },
        { "suspend", "use 'systemctl freeze systemd-nspawn@NAME.service'" },
        { "vcpupin", DEFINE_AGAIN },
        { "vol-create", "use 'ctvirt bootstrap NAME', or 'ctvirt vol-upload NAME FILE'" },
        { "vol-create-as", "use 'ctvirt bootstrap NAME', or 'ctvirt vol-upload NAME FILE'" },
        { "vol-dumpxml", "use 'ctvirt vol-info NAME'" },
        { "vol-path", "use 'ctvirt vol-info NAME'" },
};

static bool is_libvirts(const char *word) {
        for (size_t i = 0; i < ELEMENTSOF(libvirt_verbs); i++)
                if (streq(libvirt_verbs[i], word))
                        return true;
        return false;
}

static unsigned least(unsigned a, unsigned b) {
        return a < b ? a : b;
}

/* How many letters were left out, put in, exchanged, or swapped with their neighbours. */
static unsigned word_distance(const char *a, const char *b) {
        unsigned d[WORD_MAX_LENGTH + 1][WORD_MAX_LENGTH + 1];
        size_t n = strlen(a), m = strlen(b);

        if (n > WORD_MAX_LENGTH || m > WORD_MAX_LENGTH)
                return UINT_MAX;

        for (size_t i = 0; i <= n; i++)
                for (size_t j = 0; j <= m; j++) {
                        if (i == 0 || j == 0) {
                                d[i][j] = (unsigned) (i + j);
                                continue;
                        }
                        d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1,
                                        d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
                }
        return d[n][m];
}

/* The verb that is as close as one slip, or two in a long word; else the only one that begins so. */
static const VerbDef *closest_verb(const VerbGroup *groups, const char *word) {
        unsigned nearest = strlen(word) < 6 ? 2 : 3, n_beginning = 0;
        const VerbDef *closest = NULL, *beginning = NULL;

        GROUP_FOREACH(g, groups)
        VERB_FOREACH(v, g) {
                unsigned distance = word_distance(word, v->name);

                if (v->flags & VERB_HIDDEN)
                        continue;
                if (startswith(v->name, word)) {
                        beginning = v;
                        n_beginning++;
                }
                if (distance < nearest) {
                        nearest = distance;
                        closest = v;
                }
        }
        if (closest)
                return closest;
        return n_beginning == 1 && strlen(word) >= PREFIX_MIN_LENGTH ? beginning : NULL;
}

int command_hint(const VerbGroup *groups, const char *word, char **ret) {
        char *text = NULL;
        const VerbDef *v;
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(substitutes); i++)
                if (streq(substitutes[i].verb, word)) {
                        *ret = strdup(substitutes[i].sentence);
                        return *ret ? 0 : -ENOMEM;
                }

        v = verb_find(groups, word) ? NULL : closest_verb(groups, word);
        if (is_libvirts(word))
                r = asprintf(&text, "networks are libvirt's: use 'virsh %s'", word);
        else if (v)
                r = asprintf(&text, "did you mean '%s'?", v->name);
        if (r < 0)
                return -ENOMEM;

        *ret = text;
        return 0;
}
