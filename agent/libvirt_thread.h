#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LibvirtThread: the thread that owns the connection to libvirt. It is the only place that calls
 * libvirt, since every such call may wait: for a daemon that is starting, for one that was stopped,
 * for a network whose lock a hook holds. It shares nothing with its owner but the two queues.
 *
 * It connects by itself, lists all networks after each connect, and goes on trying when that fails:
 * after 0.1 s first, then twice as long each time, up to 30 s. While it is connected nothing wakes
 * it but libvirt and its owner.
 */

#include "agent/libvirt_queue.h"

typedef struct LibvirtThread LibvirtThread;

/* uri NULL: network:///system, which works with modular and monolithic daemons alike. One thread a
 * process at a time: libvirt's default event loop is one a process. */
int libvirt_thread_new(const char *uri, LibvirtThread **ret);

/* The owner's ends of the queues. */
void libvirt_thread_push(LibvirtThread *t, LibvirtMessage *m);
int libvirt_thread_fd(const LibvirtThread *t);
LibvirtMessage *libvirt_thread_take(LibvirtThread *t); /* some of them; the fd tells of more */

/*
 * Asks the thread to end and waits for it half a second. A thread that is inside a libvirt call
 * cannot be ended: it is then left behind with all that is its own, which is meant for a process
 * that exits now.
 */
LibvirtThread *libvirt_thread_free(LibvirtThread *t);
DEFINE_CLEANUP(LibvirtThread *, libvirt_thread_free)
