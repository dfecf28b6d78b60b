/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool_question.h"

#include <stddef.h>

#include "agent/manager.h"

typedef struct PoolQuestion {
        const PoolQuestionKind *kind;
        const char *root;
        int result;
        Error *err;

        /* The main loop's: */
        Manager *manager;
        Request *request; /* NULL: nobody waits for it any more */
        char *changes;
        max_align_t data[];
} PoolQuestion;

static PoolQuestion *question_free(PoolQuestion *q) {
        if (q->kind->done)
                q->kind->done(q->data);
        error_free(q->err);
        free(q->changes);
        free(q);
        return NULL;
}

static void work(void *userdata) {
        PoolQuestion *q = userdata;
        _cleanup_pool_ Pool *pool = NULL;
        int r;

        if (q->kind->ask_closed) {
                q->result = q->kind->ask_closed(q->root, q->data, &q->err);
                return;
        }
        r = pool_open(q->root, &pool, &q->err);
        q->result = r < 0 ? r : q->kind->ask(pool, q->data, &q->err);
}

static void answer(PoolQuestion *q, Request *request) {
        int r = q->result;

        if (r >= 0 && q->kind->answer) {
                r = sd_bus_message_new_method_return(request->message, &request->reply);
                if (r >= 0)
                        r = q->kind->answer(request->reply, q->data);
        }
        if (r < 0)
                request_fail_errno(request, r, q->err);
        else
                request_answer(request);
}

static void release(PoolQuestion *q) {
        if (q->changes)
                (void) strv_remove(q->manager->jobs.held, q->changes);
}

static void done(void *userdata) {
        PoolQuestion *q = userdata;
        Request *request = q->request;

        release(q);
        if (request) {
                request->on_end = NULL;
                answer(q, request);
        }
        question_free(q);
}

static void drop(void *userdata) {
        PoolQuestion *q = userdata;

        release(q);
        if (q->request)
                q->request->on_end = NULL;
        question_free(q);
}

/* The bus has gone, and the request with it. */
static void on_request_end(void *userdata) {
        PoolQuestion *q = userdata;

        q->request = NULL;
}

static int question_new(const Request *request, const PoolQuestionKind *kind, void *data,
                        PoolQuestion **ret) {
        PoolQuestion *q = calloc(1, sizeof(*q) + kind->size);

        if (!q) {
                if (kind->done)
                        kind->done(data);
                return -ENOMEM;
        }
        q->kind = kind;
        q->manager = request->manager;
        q->root = request->manager->root;
        memcpy(q->data, data, kind->size);
        *ret = q;
        return 0;
}

static int hold(PoolQuestion *q, const char *name) {
        _cleanup_free_ char *copy = strdup(name);

        if (!copy || strv_extend(&q->manager->jobs.held, name) < 0)
                return -ENOMEM;
        q->changes = TAKE_PTR(copy);
        return 0;
}

void pool_question_ask(Request *request, const PoolQuestionKind *kind, void *data,
                       const char *changes) {
        static const PoolTask task = { work, done, drop };
        PoolQuestion *q;
        int r;

        r = question_new(request, kind, data, &q);
        if (r < 0) {
                request_fail_errno(request, r, NULL);
                return;
        }
        if (changes)
                r = hold(q, changes);
        if (r >= 0)
                r = pool_worker_push(changes ? q->manager->pool_worker : q->manager->pool_reader,
                                     &task, q);
        if (r < 0) {
                release(q);
                question_free(q);
                request_fail_errno(request, r, NULL);
                return;
        }
        q->request = request;
        request->on_end = on_request_end;
        request->userdata = q;
}
