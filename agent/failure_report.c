/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/failure_report.h"

#include "agent/api.h"
#include "agent/container_watch.h"
#include "agent/events.h"
#include "agent/failure_cause.h"
#include "agent/heal.h"
#include "agent/unit_facts.h"
#include "base/log.h"

static Container *find_by_cookie(const Manager *m, uint64_t cookie) {
        assert(cookie != 0);
        for (size_t i = 0; i < m->containers.n_items; i++)
                if (m->containers.items[i]->failure_cookie == cookie)
                        return m->containers.items[i];
        return NULL;
}

static void set_last_failure(Container *c, char *sentence) {
        if (!sentence)
                return;
        free(c->last_failure);
        c->last_failure = sentence;
}

/* In systemd's word, as long as nspawn's are not known. What has been started again meanwhile has no
 * result any more. */
static void describe_result(Container *c) {
        bool known = !isempty(c->result) && !streq(c->result, "success");
        char *sentence;

        if (asprintf(&sentence, "failed%s%s%s; see journalctl -u %s", known ? " with result '" : "",
                     known ? c->result : "", known ? "'" : "", c->unit) >= 0)
                set_last_failure(c, sentence);
}

char *failure_report_sentence(const Container *c) {
        const char *failure = c->last_failure ? c->last_failure : "failed";
        char *sentence;

        if (asprintf(&sentence, "unit %s %s%s", c->unit, c->failure_known ? "failed: " : "",
                     failure) < 0)
                return NULL;
        return sentence;
}

/*
 * The end: telling
 */

static void tell(Container *c) {
        _cleanup_free_ char *sentence = failure_report_sentence(c), *detail = NULL;

        log_warning("Container '%s': %s", c->name, sentence ? sentence : "failed");
        if (c->failure_known && asprintf(&detail, "Failed: %s", c->last_failure) < 0)
                detail = NULL;
        events_container(c->manager, c, CTVIRT_EVENT_STOPPED, detail ? detail : "Failed");
}

static void answer_waiting(const Container *c) {
        Request *request, *next;

        for (request = TAILQ_FIRST(&c->manager->requests); request; request = next) {
                next = TAILQ_NEXT(request, entry);
                if (!request->awaits_failure || !streq_ptr(request->container, c->name))
                        continue;
                request->awaits_failure = false;
                request->next(request);
        }
}

static void set_cause(Container *c, const char *line) {
        char *copy = line ? strdup(line) : NULL;

        c->failure_known = copy;
        if (copy)
                set_last_failure(c, copy);
        else
                describe_result(c);
}

void failure_report_hurry(Container *c) {
        if (c->failure_cookie == 0)
                return;
        c->failure_cookie = 0;
        set_cause(c, NULL);
        if (c->failure_is_news)
                tell(c);
        answer_waiting(c);
}

/* A start that the hook has queued behind a stop is not known for the edge's before. What has been
 * started again meanwhile is not asked about: that start speaks for itself. */
static void heal(Container *c, const char *line) {
        if (c->failure_is_news && c->start_is_ours)
                heal_on_failure(c, line);
        else
                heal_on_failed_found(c, line);
}

/* line: NULL if nspawn said nothing. c may be gone afterwards. */
static void finish(Container *c, const char *line) {
        Manager *m = c->manager;

        c->failure_cookie = 0;
        set_cause(c, line);
        if (c->failure_is_news)
                tell(c);
        if (!c->active)
                heal(c, line);
        answer_waiting(c);
        if (!container_is_kept(c))
                container_table_drop(&m->containers, c);
}

void failure_report_on_line(uint64_t cookie, const char *line, void *userdata) {
        Container *c = find_by_cookie(userdata, cookie);

        if (c)
                finish(c, line);
}

/*
 * The beginning: asking
 */

/* A question to systemd; the container that it is about may be gone when the answer comes. */
struct FailureAsk {
        Manager *m;
        uint64_t cookie;
        LIST_ENTRY(FailureAsk) link;
};

static FailureAsk *ask_free(FailureAsk *a) {
        if (!a)
                return NULL;
        LIST_REMOVE(a, link);
        free(a);
        return NULL;
}
DEFINE_CLEANUP(FailureAsk *, ask_free)

/* Once it was up, its last line is one of the container's console, or of long ago. */
static bool is_failed_start(const UnitFacts *facts) {
        return facts->main_start_monotonic_usec > 0 &&
               facts->active_enter_monotonic_usec < facts->main_start_monotonic_usec;
}

static int ask_journal(const FailureAsk *a, const UnitFacts *facts) {
        const FailureQuestion question = {
                .cookie = a->cookie,
                .invocation = facts->invocation,
                .pid = facts->main_pid,
                .start_usec = facts->main_start_monotonic_usec,
        };

        return failure_cause_ask(a->m->causes, &question);
}

static void on_facts(sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        _cleanup_(ask_freep) FailureAsk *a = userdata;
        Container *c = find_by_cookie(a->m, a->cookie);
        UnitFacts facts;

        if (!c)
                return;
        if (error || unit_facts_read(reply, &facts) < 0) {
                finish(c, NULL);
                return;
        }
        /* These are facts of the next start, as of one that waited for a stop. */
        if (!streq(facts.active_state, "failed")) {
                failure_report_hurry(c);
                return;
        }
        c->failure_job_over = true;
        c->failure_has_job = facts.job != 0;
        if (!is_failed_start(&facts)) {
                finish(c, NULL);
                return;
        }
        c->failed_invocation = facts.invocation;
        c->failed_start_usec = facts.main_start_monotonic_usec;
        if (ask_journal(a, &facts) < 0)
                finish(c, NULL);
}

static int ask_systemd(const Container *c) {
        _cleanup_(ask_freep) FailureAsk *a = NULL;
        Manager *m = c->manager;
        int r;

        if (!m->calls || !m->causes)
                return -ENOTCONN;
        a = calloc(1, sizeof(*a));
        if (!a)
                return -ENOMEM;
        a->m = m;
        a->cookie = c->failure_cookie;
        LIST_INSERT_HEAD(&m->failure_asks, a, link);

        r = unit_facts_call(m->bus, m->calls, c->unit, on_facts, a);
        if (r < 0)
                return r;
        (void) TAKE_PTR(a);
        return 0;
}

void failure_report_begin(Container *c, bool news) {
        failure_report_hurry(c);
        /* A cause that is known stays until the next one is: mostly it is the same. */
        if (!c->last_failure)
                describe_result(c);
        c->failure_job_over = c->failure_has_job = false;
        c->jobs_since_failure = 0;
        c->failed_invocation = SD_ID128_NULL;
        c->failure_is_news = news;
        c->failure_cookie = ++c->manager->last_failure_cookie;
        if (ask_systemd(c) < 0)
                finish(c, NULL);
}

void failure_report_wait(Request *request, const Container *c, RequestStep then) {
        request->next = then;
        request->awaits_failure = c->failure_cookie != 0;
        if (!request->awaits_failure)
                then(request);
}

void failure_report_bus_gone(Manager *m) {
        FailureAsk *a;

        while ((a = LIST_FIRST(&m->failure_asks)))
                ask_free(a);
        for (size_t i = 0; i < m->containers.n_items; i++)
                failure_report_hurry(m->containers.items[i]);
}
