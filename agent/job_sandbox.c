/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/job_sandbox.h"

#include <linux/capability.h>

#include "agent/pool/pool.h"
#include "units/run_dir.h"
#include "xml/container_def.h"

#define CAP(x) (UINT64_C(1) << (x))

/* Trees of any owner: read, made, removed. SYS_ADMIN is for attributes in trusted.*, and for
 * subvolumes and their quota. */
#define CAPS_READ (CAP(CAP_DAC_OVERRIDE) | CAP(CAP_DAC_READ_SEARCH) | CAP(CAP_SYS_ADMIN))
#define CAPS_TREE                                                                                  \
        (CAPS_READ | CAP(CAP_CHOWN) | CAP(CAP_FOWNER) | CAP(CAP_FSETID) | CAP(CAP_MKNOD) |         \
         CAP(CAP_SETFCAP) | CAP(CAP_LINUX_IMMUTABLE) | CAP(CAP_MAC_ADMIN))
/* Package managers: scripts of packages in a chroot, under other users. */
#define CAPS_TOOLS                                                                                 \
        (CAPS_TREE | CAP(CAP_SETUID) | CAP(CAP_SETGID) | CAP(CAP_SYS_CHROOT) | CAP(CAP_KILL) |     \
         CAP(CAP_SETPCAP) | CAP(CAP_NET_ADMIN) | CAP(CAP_NET_RAW) | CAP(CAP_NET_BIND_SERVICE) |    \
         CAP(CAP_IPC_LOCK) | CAP(CAP_SYS_RESOURCE) | CAP(CAP_SYS_PTRACE) | CAP(CAP_IPC_OWNER) |    \
         CAP(CAP_AUDIT_WRITE))

typedef struct Sandbox {
        uint64_t capabilities;
        bool network;
        bool tools;      /* programs of others run, with their own ideas of what they need */
        bool own_mounts; /* false: it mounts for the whole host */
        bool image;      /* a disk image is mounted (agent/bootstrap/image_mount.h) */
} Sandbox;

/* NULL: none. It is one that we have formatted ourselves. */
static ContainerDef *definition_of(const JobSpec *spec) {
        ContainerDef *def = NULL;

        if (!spec->definition || container_def_parse(spec->definition, strlen(spec->definition),
                                                     "job", 0, &def, NULL, NULL) < 0)
                return NULL;
        return def;
}

static Sandbox sandbox_for_bootstrap(const JobSpec *spec) {
        const Sandbox everything = { CAPS_TOOLS, true, true, true, false };
        _cleanup_(container_def_freep) ContainerDef *def = definition_of(spec);

        if (!def || !def->bootstrap)
                return everything;
        switch (def->bootstrap->type) {
        case BOOTSTRAP_TAR:
        case BOOTSTRAP_DIRECTORY:
                return (Sandbox){ CAPS_TREE, false, false, true, false };
        case BOOTSTRAP_RAW:
        case BOOTSTRAP_BASE:
                return (Sandbox){ CAPS_TREE, false, false, true, def->first_boot };
        case BOOTSTRAP_CLONE:
                return (Sandbox){ CAPS_TREE, false, false, true, true };
        case BOOTSTRAP_APT:
        case BOOTSTRAP_DNF:
        case BOOTSTRAP_PULL_TAR:
        case BOOTSTRAP_PULL_RAW:
        case BOOTSTRAP_OCI:
                break;
        }
        return everything;
}

static Sandbox sandbox_for(const JobSpec *spec) {
        switch (spec->kind) {
        case JOB_BOOTSTRAP:
                return sandbox_for_bootstrap(spec);
        case JOB_VOLUME_DOWNLOAD:
        case JOB_EXPORT:
                /* A snapshot that was read from is removed, with those that are in it. */
                return (Sandbox){ CAPS_READ | CAP(CAP_FOWNER), false, false, true, false };
        case JOB_POOL_BUILD:
                return (Sandbox){ CAPS_TOOLS, false, true, false, false };
        case JOB_VOLUME_CLONE:
        case JOB_VOLUME_UPLOAD:
        case JOB_VOLUME_RESIZE:
        case JOB_VOLUME_RENAME:
        case JOB_VOLUME_DELETE:
        case JOB_SNAPSHOT_CREATE:
        case JOB_SNAPSHOT_REVERT:
        case JOB_SNAPSHOT_DELETE:
        case JOB_BASE_DELETE:
        case JOB_IMPORT:
        case JOB_POOL_REPAIR:
        case JOB_CLEAN:
                break;
        }
        return (Sandbox){ CAPS_TREE, false, false, true, false };
}

/* Those that mean a mount namespace. Not ProtectClock=: it brings a device policy along, which would
 * refuse the device nodes of a tree. */
static int append_protection(sd_bus_message *m) {
        static const char *const yes[] = {
                "PrivateTmp",      "ProtectControlGroups", "ProtectKernelLogs",
                "ProtectHostname", "ProtectKernelModules", "ProtectKernelTunables",
                "LockPersonality", "RestrictRealtime",
        };

        for (size_t i = 0; i < ELEMENTSOF(yes); i++) {
                int r = sd_bus_message_append(m, "(sv)", yes[i], "b", true);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* A file in /tmp is seen by its name in the job's own /tmp as well. */
static int append_source(sd_bus_message *m, const JobSpec *spec) {
        _cleanup_(container_def_freep) ContainerDef *def = definition_of(spec);
        const char *source;

        source = def && def->bootstrap ? def->bootstrap->source : NULL;
        if (!source || (!startswith(source, "/tmp/") && !startswith(source, "/var/tmp/")))
                return 0;
        return sd_bus_message_append(m, "(sv)", "BindReadOnlyPaths", "a(ssbt)", 1, source, source,
                                     true, UINT64_C(0));
}

static int append_files(sd_bus_message *m, const JobSpec *spec) {
        _cleanup_free_ char *folder = NULL;
        int r;

        if (asprintf(&folder, CTVIRT_RUN_DIR "/" JOBS_FOLDER "/%s", spec->id) < 0)
                return -ENOMEM;
        r = sd_bus_message_append(m, "(sv)(sv)(sv)", "ProtectSystem", "s", "strict",
                                  "ReadWritePaths", "as", 2, POOL_PATH, folder, "ProtectHome", "s",
                                  "read-only");
        if (r >= 0)
                r = append_protection(m);
        return r < 0 ? r : append_source(m, spec);
}

/* dnf 4 fails where it cannot write to its logs, even if it is only asked for its version: tools have
 * a place for logs that ends with the job. What they say is in the journal. */
static int append_logs(sd_bus_message *m) {
        return sd_bus_message_append(m, "(sv)", "TemporaryFileSystem", "a(ss)", 1, "/var/log",
                                     "mode=0755");
}

/* For those in which nothing but our own code runs, and systemd-dissect. */
static int append_strict(sd_bus_message *m, bool image) {
        /* quotactl_fd: project quotas. */
        static const char *const calls[] = { "@system-service", "@chown", "quotactl_fd", "@mount" };
        int r;

        r = sd_bus_message_append(m, "(sv)(sv)(sv)(sv)", "NoNewPrivileges", "b", true,
                                  "MemoryDenyWriteExecute", "b", true, "RestrictNamespaces", "t",
                                  UINT64_C(0), "SystemCallErrorNumber", "i", EPERM);
        if (r < 0)
                return r;
        return image ? sd_bus_message_append(m, "(sv)", "SystemCallFilter", "(bas)", true, 4,
                                             calls[0], calls[1], calls[2], calls[3])
                     : sd_bus_message_append(m, "(sv)", "SystemCallFilter", "(bas)", true, 3,
                                             calls[0], calls[1], calls[2]);
}

/* To hear from udev of an image's partitions, which comes over a socket of the host's network. */
static int append_no_network(sd_bus_message *m, bool image) {
        if (!image)
                return sd_bus_message_append(m, "(sv)", "PrivateNetwork", "b", true);
        return sd_bus_message_append(m, "(sv)", "RestrictAddressFamilies", "(bas)", true, 2,
                                     "AF_UNIX", "AF_NETLINK");
}

int job_sandbox_append(sd_bus_message *m, const JobSpec *spec) {
        Sandbox s = sandbox_for(spec);
        int r;

        r = sd_bus_message_append(m, "(sv)", "CapabilityBoundingSet", "t", s.capabilities);
        if (r >= 0 && s.own_mounts)
                r = append_files(m, spec);
        if (r >= 0 && s.own_mounts && s.tools)
                r = append_logs(m);
        if (r >= 0 && s.own_mounts && !s.network)
                r = append_no_network(m, s.image);
        return r < 0 || s.tools ? r : append_strict(m, s.image);
}
