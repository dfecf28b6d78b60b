#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The agent's D-Bus API: names that agent, client, bus policy and polkit share. The interfaces
 * themselves are the vtables in manager_bus.c, container_bus.c and network_bus.c.
 *
 * org.ctvirt.agent1.Manager at /org/ctvirt/agent1
 *   DefineContainer(s xml, s file_name, t flags) -> (o container, s name, as warnings)
 *   LookupContainer(s what) -> (o container)    id, then UUID, then name, as virsh resolves
 *   ListContainers() -> (aa{sv})                the keys of Container.GetInfo(), the cheap ones
 *   LookupNetwork(s what) -> (o network)        UUID, then name
 *   ListNetworks() -> (aa{sv})                  the keys of Network.GetInfo()
 *   GetInfo() -> (a{sv})                        Version s, LibvirtURI s, LibvirtVersion s (empty:
 *                                               not connected), SystemdVersion u
 *   Without a list from libvirt the methods about networks, here and below, wait for two seconds
 *   and fail then.
 *   Import(h bundle, a{sv} options) -> (o job)  a bundle of Container.Export(); options: Name s (what
 *                                          it is called here), Moved b (the original is gone: UUID
 *                                          and MAC addresses stay)
 *   ListJobs() -> (aa{sv})                 the keys of Job.GetInfo(), oldest first
 *   LookupJob(s what) -> (o job)           ID, then name of a volume: the one that runs, or the last
 *   signal JobEvent(s id, s kind, s name, s event, a{sv} info)   the keys of Job.GetInfo()
 *   signal ContainerEvent(s name, s uuid, s event, s detail, t realtime_usec)
 *   signal NetworkEvent(s name, s uuid, s event, s detail, t realtime_usec)
 *
 * org.ctvirt.agent1.Container at /org/ctvirt/agent1/container/NAME (sd_bus_path_encode)
 *   GetInfo() -> (a{sv})   Path o, Name s, UUID s, Id u (0: not running), State s, StateReason s,
 *                          Autostart b, Persistent b (defined with ctvirt), Title s, Unit s,
 *                          Bridges as, WaitingFor as (bridges and networks that are not ready),
 *                          LastFailure s (empty: none); and, not in ListContainers():
 *                          OSType s, VCPUs u (0: unlimited), MaxMemoryKiB t (0: unlimited),
 *                          UsedMemoryKiB t, CPUTimeNSec t (left out: not known)
 *   GetXML(t flags) -> (s xml)         without what may be secret, unless asked for
 *   GetInterfaces() -> (a(sssss))        interface, type, source, model, MAC ("-": not known)
 *   GetAddresses(s source) -> (a(sssu))  interface, MAC, address ("": none), prefix (0: not known);
 *                                        source "lease" or "agent"
 *   Start(t flags), Destroy(t flags)     answered when the job is done
 *   Shutdown(t flags), Reboot(t flags)   answered when it is under way
 *   SetAutostart(b on), Undefine(t flags)
 *   Bootstrap(a{sv} options) -> (o job)    makes the root, as the definition says; options say it
 *                                          otherwise: From s, Release s, Mirrors as, Packages as,
 *                                          Verify s, Cache b, Replace b
 *   Clone(s name, a{sv} options) -> (o job)     a copy with a definition of its own; no options
 *   CreateSnapshot(s name, s description) -> (o job)
 *   ListSnapshots() -> (a(ssts))           name, description, creation time in µs, state
 *   GetSnapshot(s name) -> (s description, t creation_usec, s state)
 *   RevertSnapshot(s name, t flags), DeleteSnapshot(s name) -> (o job)    root and definition
 *   Export(h file, s compression) -> (o job)    "none", "gzip", "xz", "zstd"
 *   SetUserPassword(s user, s hash)        crypt(5); answered when it is set
 *
 * org.ctvirt.agent1.Network at /org/ctvirt/agent1/network/NAME
 *   GetInfo() -> (a{sv})   Path o, Name s, UUID s, Active b, Persistent b, Autostart b, Bridge s,
 *                          ForwardMode s, Ready b, Incarnation u (ifindex, 0: none), Handled b,
 *                          Containers as (the enabled ones that use it first, then others)
 *
 * org.ctvirt.agent1.Pool at /org/ctvirt/agent1/pool: the roots, /var/lib/machines
 *   GetInfo() -> (a{sv})                   Name s, Path s, Backend s, Quota b; Capacity t,
 *                                          Allocation t, Available t in bytes; Volumes u
 *   ListVolumes() -> (aa{sv}), GetVolume(s name) -> (a{sv})
 *                                          Name s, Path s, Type s, ReadOnly b, CreatedUSec t; Used t
 *                                          and Limit t in bytes (left out: not known, none)
 *   ListBases() -> (aa{sv})                Key s, CreatedUSec t, UsedUSec t, Description s
 *   Check() -> (a(sb))                     what is wrong, and whether Repair() mends it
 *   Refresh()                              looks for what interrupted jobs have left
 *   Repair() -> (o job), Build(a{sv} options) -> (o job)   Source s, Size t, Overwrite b
 *   CloneVolume(s from, s to), RenameVolume(s from, s to), DeleteVolume(s name, t flags),
 *   ResizeVolume(s name, t bytes), DeleteBase(s key) -> (o job)
 *   Download(s name, h file, s compression), Upload(s name, h file, t flags) -> (o job)
 *
 * org.ctvirt.agent1.Job at /org/ctvirt/agent1/job/ID: long work; those that ended last are kept
 *   GetInfo() -> (a{sv})   Id s, Kind s, Name s, Source s, Snapshot s, State s, Text s (why it
 *                          failed, or what else there is to say), StartedUSec t, EndedUSec t,
 *                          Unit s, Stage u, Stages u, StageName s, Line s (what a tool says),
 *                          Percent d (of the stage; left out: not known)
 *   Cancel()               answered when the job has been told
 *
 * Reading is free for everybody (but GetXML() with CTVIRT_XML_SECURE), everything else is authorised by polkit. No flag but those below is
 * defined; others must be 0.
 */

#define CTVIRT_BUS_NAME "org.ctvirt.agent1"
#define CTVIRT_BUS_PATH "/org/ctvirt/agent1"
#define CTVIRT_BUS_CONTAINER_PREFIX CTVIRT_BUS_PATH "/container"
#define CTVIRT_BUS_NETWORK_PREFIX CTVIRT_BUS_PATH "/network"
#define CTVIRT_BUS_JOB_PREFIX CTVIRT_BUS_PATH "/job"
#define CTVIRT_BUS_POOL_PATH CTVIRT_BUS_PATH "/pool"

#define CTVIRT_BUS_MANAGER "org.ctvirt.agent1.Manager"
#define CTVIRT_BUS_CONTAINER "org.ctvirt.agent1.Container"
#define CTVIRT_BUS_NETWORK "org.ctvirt.agent1.Network"
#define CTVIRT_BUS_POOL "org.ctvirt.agent1.Pool"
#define CTVIRT_BUS_JOB "org.ctvirt.agent1.Job"

/* DefineContainer() */
#define CTVIRT_DEFINE_VALIDATE (UINT64_C(1) << 0) /* unknown elements are errors */
#define CTVIRT_DEFINE_BOOTSTRAP                                                                    \
        (UINT64_C(1) << 1) /* its root is made next: none yet is no warning */

/* GetXML(): with what may be secret, for those who may define containers */
#define CTVIRT_XML_SECURE (UINT64_C(1) << 0)

/* polkit actions (contrib/polkit): define, undefine, autostart, secrets; and start, stop, reboot */
#define CTVIRT_ACTION_DEFINE "org.ctvirt.agent1.define-containers"
#define CTVIRT_ACTION_MANAGE "org.ctvirt.agent1.manage-containers"

#define CTVIRT_ACTION_POOL "org.ctvirt.agent1.manage-pool"    /* and snapshots, passwords */
#define CTVIRT_ACTION_BOOTSTRAP "org.ctvirt.agent1.bootstrap" /* and clone, import */

/* Undefine(), DeleteVolume() */
#define CTVIRT_UNDEFINE_STORAGE (UINT64_C(1) << 0) /* the root and its snapshots go as well */
#define CTVIRT_DELETE_SNAPSHOTS (UINT64_C(1) << 0)
/* RevertSnapshot(): a container that runs is stopped before and started after it; the definition
 * stays as it is, which may be reverted to what it was then by those only who may define containers
 */
#define CTVIRT_REVERT_FORCE (UINT64_C(1) << 0)
#define CTVIRT_REVERT_KEEP_DEFINITION (UINT64_C(1) << 1)
/* Upload(): what has the name goes */
#define CTVIRT_UPLOAD_REPLACE (UINT64_C(1) << 0)

/* JobEvent() */
#define CTVIRT_JOB_STARTED "Started"
#define CTVIRT_JOB_PROGRESS "Progress"
#define CTVIRT_JOB_FINISHED "Finished"

/* Error names. The message is the sentence that virsh's users expect behind "error: ". */
#define CTVIRT_ERROR_NO_SUCH_CONTAINER "org.ctvirt.agent1.Error.NoSuchContainer"
#define CTVIRT_ERROR_NO_SUCH_NETWORK "org.ctvirt.agent1.Error.NoSuchNetwork"
#define CTVIRT_ERROR_NO_SUCH_VOLUME "org.ctvirt.agent1.Error.NoSuchVolume" /* snapshot, base */
#define CTVIRT_ERROR_NO_SUCH_JOB "org.ctvirt.agent1.Error.NoSuchJob"
#define CTVIRT_ERROR_XML "org.ctvirt.agent1.Error.XML"
#define CTVIRT_ERROR_OPERATION_INVALID "org.ctvirt.agent1.Error.OperationInvalid"
#define CTVIRT_ERROR_OPERATION_FAILED "org.ctvirt.agent1.Error.OperationFailed"
#define CTVIRT_ERROR_CONFLICT                                                                      \
        "org.ctvirt.agent1.Error.Conflict" /* a file or UUID that is not ours */

/* State, virsh's words (virsh-domain-monitor.c) */
#define CTVIRT_STATE_RUNNING "running"
#define CTVIRT_STATE_SHUTDOWN "in shutdown"
#define CTVIRT_STATE_SHUTOFF "shut off"
#define CTVIRT_STATE_CRASHED "crashed"

/* ContainerEvent: event and detail, virsh's words */
#define CTVIRT_EVENT_DEFINED "Defined"     /* "Added", "Updated" */
#define CTVIRT_EVENT_UNDEFINED "Undefined" /* "Removed" */
#define CTVIRT_EVENT_STARTED "Started"     /* "Booted" */
#define CTVIRT_EVENT_STOPPED "Stopped"     /* "Shutdown", "Destroyed", "Failed", "Failed: CAUSE" */
#define CTVIRT_EVENT_SHUTDOWN "Shutdown"   /* "Finished" */
/* NetworkEvent: Defined, Undefined, Started, Stopped; and Ready (the edge; detail: the bridge) */
#define CTVIRT_EVENT_READY "Ready"
