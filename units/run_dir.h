#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Where the facts about bridges live. The paths are an interface: units are gated on them
 * (ConditionPathExists=), hook, agent and generator share them, and people read them.
 */

#define CTVIRT_RUN_DIR "/run/ctvirt"

/* Markers: there while the bridge is ready. */
#define CTVIRT_BRIDGES_DIR CTVIRT_RUN_DIR "/bridges"
/* Incarnations whose start was queued. */
#define CTVIRT_HANDLED_DIR CTVIRT_RUN_DIR "/handled"
/* One flock(2) a bridge. */
#define CTVIRT_LOCK_DIR CTVIRT_RUN_DIR "/lock"
/* Gate of a container whose network is unknown. */
#define CTVIRT_NETWORKS_DIR CTVIRT_RUN_DIR "/networks"
/* What the agent last saw of libvirt. */
#define CTVIRT_KNOWN_FILE CTVIRT_RUN_DIR "/known-networks"
/* locked (F_OFD_SETLK) by the agent while it lives. */
#define CTVIRT_AGENT_PID_FILE CTVIRT_RUN_DIR "/agent.lock"
