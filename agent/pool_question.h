#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PoolQuestion: a request whose answer is in the pool, or in a root in it. The worker's thread looks
 * it up (or writes it), the main loop makes the message of it. The pool is opened for each question:
 * it can be mounted or unmounted in between.
 */

#include "agent/pool/pool.h"
#include "agent/request.h"

typedef struct PoolQuestionKind {
        size_t size; /* of the data: what is asked, and what was found */
        /* On the thread; touches nothing but the data. */
        int (*ask)(const Pool *pool, void *data, Error **err);
        /* From the event loop, if ask() was no error: fills the reply. NULL: an empty one. */
        int (*answer)(sd_bus_message *reply, const void *data);
        void (*done)(void *data); /* frees what is in the data; NULL: nothing */
        /* Instead of ask(): of a pool that pool_open() may refuse. */
        int (*ask_closed)(const char *root, void *data, Error **err);
} PoolQuestionKind;

/* Takes the request over, and what is in data, which is copied; both also on failure, which the
 * request is answered with. changes: the volume that ask() writes into, and which no job may begin to
 * change meanwhile; NULL: it only reads. */
void pool_question_ask(Request *request, const PoolQuestionKind *kind, void *data,
                       const char *changes);
