/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/failure_cause.h"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <time.h>

#include "agent/failure_journal.h"

#define USEC_PER_SEC UINT64_C(1000000)
#define LOOK_FIRST_USEC 30000 /* so that the line that is found is the last one */
#define LOOK_EVERY_USEC 50000
#define PATIENCE_USEC USEC_PER_SEC
#define JOIN_USEC 500000

typedef struct Question {
        FailureQuestion asked;
        uint64_t asked_usec; /* CLOCK_MONOTONIC */
        char *line;
        TAILQ_ENTRY(Question) entry;
} Question;
typedef TAILQ_HEAD(QuestionList, Question) QuestionList;

struct FailureCause {
        FailureCauseHandler handler;
        void *userdata;
        sd_event_source *source;
        pthread_t thread;
        bool running;

        pthread_mutex_t mutex; /* what stands below it is shared with the thread */
        pthread_cond_t wake;
        bool quit;
        QuestionList questions, answers;
        int fd; /* readable when there are answers */
};

static Question *question_free(Question *q) {
        if (!q)
                return NULL;
        free(q->line);
        free(q);
        return NULL;
}

static void free_questions(QuestionList *list) {
        for (Question *q; (q = TAILQ_FIRST(list));) {
                TAILQ_REMOVE(list, q, entry);
                question_free(q);
        }
}

static uint64_t now_usec(void) {
        struct timespec t = { 0 };

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * USEC_PER_SEC + (uint64_t) t.tv_nsec / 1000;
}

static struct timespec after(uint64_t usec) {
        uint64_t end = now_usec() + usec;

        return (struct timespec){ .tv_sec = (time_t) (end / USEC_PER_SEC),
                                  .tv_nsec = (long) (end % USEC_PER_SEC * 1000) };
}

/*
 * The thread
 */

static void answer(FailureCause *f, QuestionList *open, Question *q) {
        const uint64_t one = 1;

        TAILQ_REMOVE(open, q, entry);
        (void) pthread_mutex_lock(&f->mutex);
        TAILQ_INSERT_TAIL(&f->answers, q, entry);
        (void) pthread_mutex_unlock(&f->mutex);
        if (write(f->fd, &one, sizeof(one)) < 0)
                return; /* it cannot overflow, and is readable then anyway */
}

/* A journal that cannot be opened is one without lines. */
static void look(FailureCause *f, QuestionList *open, sd_journal *journal) {
        uint64_t now = now_usec();
        Question *q, *next;

        for (q = TAILQ_FIRST(open); q; q = next) {
                next = TAILQ_NEXT(q, entry);
                if (journal && now < q->asked_usec + LOOK_FIRST_USEC)
                        continue;
                if (journal)
                        q->line = failure_journal_find(journal, &q->asked);
                if (q->line || !journal || now >= q->asked_usec + PATIENCE_USEC)
                        answer(f, open, q);
        }
}

/* Takes new questions over; while there are none at all, waits for one. False: the end. */
static bool gather(FailureCause *f, QuestionList *open) {
        const struct timespec end = after(LOOK_EVERY_USEC);
        bool quit;

        (void) pthread_mutex_lock(&f->mutex);
        if (TAILQ_EMPTY(open))
                while (!f->quit && TAILQ_EMPTY(&f->questions))
                        (void) pthread_cond_wait(&f->wake, &f->mutex);
        else
                while (!f->quit &&
                       pthread_cond_clockwait(&f->wake, &f->mutex, CLOCK_MONOTONIC, &end) == 0)
                        ;
        TAILQ_CONCAT(open, &f->questions, entry);
        quit = f->quit;
        (void) pthread_mutex_unlock(&f->mutex);
        return !quit;
}

static void *thread_main(void *userdata) {
        sd_journal *journal = NULL;
        FailureCause *f = userdata;
        QuestionList open;

        (void) pthread_setname_np(pthread_self(), "journal");
        TAILQ_INIT(&open);
        while (gather(f, &open)) {
                if (!journal && failure_journal_open(&journal) < 0)
                        journal = NULL;
                look(f, &open, journal);
                if (!TAILQ_EMPTY(&open))
                        continue;
                /* Between failures no file of the journal is held. */
                sd_journal_close(journal);
                journal = NULL;
        }

        sd_journal_close(journal);
        free_questions(&open);
        return NULL;
}

/* Signals are the main loop's (signalfd). */
static int start_thread(FailureCause *f) {
        sigset_t all, before;
        int r;

        if (f->running)
                return 0;
        (void) sigfillset(&all);
        (void) pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(&f->thread, NULL, thread_main, f);
        (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
        f->running = r == 0;
        return -r;
}

/*
 * The owner's side
 */

static Question *take_answer(FailureCause *f) {
        Question *q;

        (void) pthread_mutex_lock(&f->mutex);
        q = TAILQ_FIRST(&f->answers);
        if (q)
                TAILQ_REMOVE(&f->answers, q, entry);
        (void) pthread_mutex_unlock(&f->mutex);
        return q;
}

static int on_answers(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        FailureCause *f = userdata;
        uint64_t count;

        if (read(fd, &count, sizeof(count)) < 0)
                return 0;
        for (Question *q; (q = take_answer(f));) {
                f->handler(q->asked.cookie, q->line, f->userdata);
                question_free(q);
        }
        return 0;
}

int failure_cause_ask(FailureCause *f, const FailureQuestion *question) {
        Question *q;
        int r;

        r = start_thread(f);
        if (r < 0)
                return r;
        q = calloc(1, sizeof(*q));
        if (!q)
                return -ENOMEM;
        q->asked = *question;
        q->asked_usec = now_usec();

        (void) pthread_mutex_lock(&f->mutex);
        TAILQ_INSERT_TAIL(&f->questions, q, entry);
        (void) pthread_cond_signal(&f->wake);
        (void) pthread_mutex_unlock(&f->mutex);
        return 0;
}

int failure_cause_new(sd_event *event, FailureCauseHandler handler, void *userdata,
                      FailureCause **ret) {
        _cleanup_(failure_cause_freep) FailureCause *f = NULL;
        int r;

        f = calloc(1, sizeof(*f));
        if (!f)
                return -ENOMEM;
        f->handler = handler;
        f->userdata = userdata;
        TAILQ_INIT(&f->questions);
        TAILQ_INIT(&f->answers);
        (void) pthread_mutex_init(&f->mutex, NULL);
        (void) pthread_cond_init(&f->wake, NULL);

        f->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (f->fd < 0)
                return negative_errno();
        r = sd_event_add_io(event, &f->source, f->fd, EPOLLIN, on_answers, f);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(f);
        return 0;
}

/* A thread that waits for a disk that does not answer is left behind with what is its own. */
static bool stop_thread(FailureCause *f) {
        const struct timespec end = after(JOIN_USEC);

        if (!f->running)
                return true;
        (void) pthread_mutex_lock(&f->mutex);
        f->quit = true;
        (void) pthread_cond_signal(&f->wake);
        (void) pthread_mutex_unlock(&f->mutex);
        if (pthread_clockjoin_np(f->thread, NULL, CLOCK_MONOTONIC, &end) == 0)
                return true;
        (void) pthread_detach(f->thread);
        return false;
}

FailureCause *failure_cause_free(FailureCause *f) {
        if (!f)
                return NULL;

        f->source = sd_event_source_disable_unref(f->source);
        if (!stop_thread(f))
                return NULL;
        free_questions(&f->questions);
        free_questions(&f->answers);
        (void) pthread_mutex_destroy(&f->mutex);
        (void) pthread_cond_destroy(&f->wake);
        closep(&f->fd);
        free(f);
        return NULL;
}
