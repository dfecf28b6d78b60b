/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/lifecycle.h"

#include <signal.h>
#include <sys/stat.h>

#include "agent/api.h"
#include "agent/bus_errors.h"
#include "agent/failure_report.h"
#include "agent/heal.h"
#include "agent/manager.h"
#include "agent/shutdown_again.h"
#include "agent/unit_facts.h"
#include "agent/unit_transition.h"
#include "base/log.h"

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"
#define SYSTEMD_UNIT_MASKED "org.freedesktop.systemd1.UnitMasked"

#define MACHINED_NAME "org.freedesktop.machine1"
#define MACHINED_PATH "/org/freedesktop/machine1"
#define MACHINED_MANAGER "org.freedesktop.machine1.Manager"

Container *lifecycle_container(Request *request) {
        Container *c = request_container(request);

        if (!c)
                request_fail(request, CTVIRT_ERROR_NO_SUCH_CONTAINER, "no container '%s'",
                             request->container);
        return c;
}

static bool is_down(const Container *c) {
        return unit_phase(c->active_state, c->sub_state) == UNIT_PHASE_DOWN && !c->active;
}

static void fail_not_running(Request *request) {
        request_fail(request, CTVIRT_ERROR_OPERATION_INVALID, "Container is not running");
}

static void on_told(sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        Request *request = userdata;

        if (error)
                request_fail(request, CTVIRT_ERROR_OPERATION_FAILED, "%s", error->message);
        else
                request_answer(request);
}

static void stop_unit(Request *request, const Container *c) {
        request_call(request, on_told, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "StopUnit",
                     "ss", c->unit, "replace");
}

static void on_down_facts(sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        Request *request = userdata;
        Container *c = lifecycle_container(request);
        UnitFacts facts;

        if (!c)
                return;
        if (error || unit_facts_read(reply, &facts) < 0) {
                fail_not_running(request);
                return;
        }
        if (!streq(facts.active_state, "inactive") && !streq(facts.active_state, "failed"))
                request->next(request);
        else if (facts.job != 0)
                stop_unit(request, c);
        else if (heal_call_off(c))
                request_answer(request);
        else
                fail_not_running(request);
}

void lifecycle_stop_by(Request *request, RequestStep stop) {
        Container *c = lifecycle_container(request);

        if (!c)
                return;
        if (!is_down(c)) {
                stop(request);
                return;
        }
        request->next = stop;
        unit_facts_request(request, c->unit, on_down_facts);
}

/* An order that could not even be given. */
static void check_order(Request *request, int r) {
        if (r < 0)
                request_fail_errno(request, r, NULL);
}

/*
 * Start
 */

int lifecycle_waiting_for(const Container *c, char ***ret) {
        _cleanup_strv_ char **waiting = NULL;
        int r;

        STRV_FOREACH(bridge, c->bridges) {
                if (bridge_watch_is_ready(c->manager->bridges, *bridge))
                        continue;
                r = strv_extend(&waiting, *bridge);
                if (r < 0)
                        return r;
        }

        for (size_t i = 0, n = 0; c->def && c->resolved && i < c->def->n_interfaces; i++) {
                const InterfaceDef *interface = &c->def->interfaces[i];

                if (interface->type == INTERFACE_TYPE_DIRECT || *c->resolved[n++])
                        continue;
                r = strv_extend(&waiting, interface->source);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(waiting);
        return 0;
}

static int explain_waiting(const Container *c, const char *what, Error **err) {
        const Network *n = network_table_by_bridge(&c->manager->networks, what);

        if (!strv_contains(c->bridges, what))
                return error_set(err, ERRNO_OPERATION_INVALID,
                                 "container '%s' waits for network '%s', which libvirt does not "
                                 "know",
                                 c->name, what);
        if (n && n->active)
                return error_set(err, ERRNO_OPERATION_INVALID,
                                 "container '%s' waits for network '%s' (bridge %s), whose bridge "
                                 "is not up",
                                 c->name, n->name, what);
        if (n)
                return error_set(err, ERRNO_OPERATION_INVALID,
                                 "container '%s' waits for network '%s' (bridge %s), which is not "
                                 "started; start it with 'virsh net-start %s'",
                                 c->name, n->name, what, n->name);
        return error_set(err, ERRNO_OPERATION_INVALID,
                         "container '%s' waits for bridge %s, which is missing or not up", c->name,
                         what);
}

int lifecycle_check_networks(const Container *c, Error **err) {
        _cleanup_strv_ char **waiting = NULL;
        int r;

        r = lifecycle_waiting_for(c, &waiting);
        return r < 0 || !waiting ? r : explain_waiting(c, waiting[0], err);
}

/* Where nspawn looks for the tree of a machine (image_search_path of systemd). */
bool lifecycle_has_root(const ContainerDef *def) {
        static const char *const pools[] = { "/etc/machines",           "/run/machines",
                                             "/var/lib/machines",       "/var/lib/container",
                                             "/usr/local/lib/machines", "/usr/lib/machines" };
        const char *root = container_def_root(def);
        struct stat st;

        if (root)
                return stat(root, &st) >= 0;
        for (size_t i = 0; i < ELEMENTSOF(pools); i++) {
                char path[256];

                (void) snprintf(path, sizeof(path), "%s/%s", pools[i], def->name);
                if (stat(path, &st) >= 0)
                        return true;
                (void) snprintf(path, sizeof(path), "%s/%s.raw", pools[i], def->name);
                if (stat(path, &st) >= 0)
                        return true;
        }
        return false;
}

static bool refuse_without_networks(Request *request, const Container *c) {
        _cleanup_error_ Error *err = NULL;
        int r;

        r = lifecycle_check_networks(c, &err);
        if (r < 0)
                request_fail_errno(request, r, err);
        return r < 0;
}

static bool refuse_start(Request *request, const Container *c) {
        _cleanup_free_ char *root = NULL;
        const Job *job;

        if (c->problem) {
                request_fail(request, CTVIRT_ERROR_OPERATION_INVALID,
                             "the definition of container '%s' cannot be used: %s", c->name,
                             c->problem);
                return true;
        }
        if (refuse_without_networks(request, c))
                return true;
        job = job_busy(&c->manager->jobs, NULL, c->name);
        if (job) {
                request_fail(request, CTVIRT_ERROR_OPERATION_INVALID,
                             "job %s is at work on the root of container '%s'; see 'ctvirt "
                             "job-info %s'",
                             job->spec->id, c->name, job->spec->id);
                return true;
        }
        /* Of a foreign container we do not know where its tree is. */
        if (c->def && !lifecycle_has_root(c->def)) {
                root = container_root_path(c);
                request_fail(request, CTVIRT_ERROR_OPERATION_INVALID,
                             "container '%s' has no root: %s does not exist; bootstrap it: ctvirt "
                             "bootstrap %s%s",
                             c->name, root ? root : "its folder", c->name,
                             c->def->bootstrap ? "" : " --from SOURCE");
                return true;
        }
        return false;
}

/* The failure has been told, and the request is the last to hear of it. */
static void fail_start_told(Request *request) {
        _cleanup_free_ char *sentence = NULL;
        Container *c = lifecycle_container(request);

        if (!c)
                return;
        sentence = failure_report_sentence(c);
        request_fail(request, CTVIRT_ERROR_OPERATION_FAILED, "%s%s", sentence ? sentence : "failed",
                     c->retry_timer ? "; it will be tried again" : "");
}

static void fail_start(Request *request, const Container *c, const char *result) {
        if (c->last_failure) {
                failure_report_wait(request, c, fail_start_told);
                return;
        }
        request_fail(request, CTVIRT_ERROR_OPERATION_FAILED,
                     "unit %s failed with result '%s'; see journalctl -u %s", c->unit,
                     isempty(result) ? "unknown" : result, c->unit);
}

/* The job has ended; a job that a condition made void ends like one that did its work. */
static void on_start_facts(sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        Request *request = userdata;
        UnitFacts facts;
        Container *c;
        bool known;

        c = lifecycle_container(request);
        if (!c)
                return;

        known = !error && unit_facts_read(reply, &facts) >= 0;
        if (known && streq(facts.active_state, "failed"))
                fail_start(request, c, facts.result);
        else if (known && !facts.condition_result)
                request_fail(request, CTVIRT_ERROR_OPERATION_INVALID,
                             "the start of unit %s was skipped, as a condition of it is not "
                             "fulfilled; see systemctl status %s",
                             c->unit, c->unit);
        else if (known && streq_ptr(request->text, "done"))
                request_answer(request);
        else
                fail_start(request, c, request->text);
}

static void on_start_job(const UnitReply *reply, void *userdata) {
        Request *request = userdata;
        Container *c;

        c = lifecycle_container(request);
        if (!c)
                return;

        if (reply->error && sd_bus_error_has_name(reply->error, SYSTEMD_UNIT_MASKED)) {
                request_fail(request, CTVIRT_ERROR_OPERATION_INVALID,
                             "unit %s is masked; unmask it with 'systemctl unmask %s'", c->unit,
                             c->unit);
                return;
        }
        if (reply->error) {
                request_fail(request, CTVIRT_ERROR_OPERATION_FAILED, "systemd: %s",
                             reply->error->message);
                return;
        }

        free(request->text);
        request->text = reply->job_result ? strdup(reply->job_result) : NULL;
        unit_facts_request(request, c->unit, on_start_facts);
}

void lifecycle_start(Request *request) {
        Container *c = lifecycle_container(request);

        if (!c)
                return;
        if (unit_phase(c->active_state, c->sub_state) == UNIT_PHASE_STOPPING) {
                request_fail(request, CTVIRT_ERROR_OPERATION_INVALID, "Container is in shutdown");
                return;
        }
        if (c->active) {
                request_fail(request, CTVIRT_ERROR_OPERATION_INVALID,
                             "Container is already running");
                return;
        }
        if (refuse_start(request, c))
                return;

        c->shutdown_requested = c->destroy_requested = false;
        heal_on_start_order(c);
        /* A person who asks for a start does not want to hear of systemd's start limit. */
        if (streq_ptr(c->active_state, "failed"))
                (void) unit_client_reset_failed(request->manager->units, c->unit);
        check_order(request, unit_client_job(request->manager->units, UNIT_JOB_START, c->unit,
                                             on_start_job, request));
}

/*
 * Shutdown and reboot
 */

/* systemd's own way: SIGTERM to nspawn, which tells the container's PID 1 to halt, and the unit's
 * time limit after that; and for a PID 1 that did not hear it, the same again. */
static void shut_down(Request *request) {
        Container *c = lifecycle_container(request);

        if (!c)
                return;
        c->shutdown_requested = true;
        shutdown_again_start(c);
        stop_unit(request, c);
}

void lifecycle_shutdown(Request *request) {
        lifecycle_stop_by(request, shut_down);
}

static Container *running(Request *request) {
        Container *c = lifecycle_container(request);

        if (!c || !is_down(c))
                return c;
        fail_not_running(request);
        return NULL;
}

/* SIGINT is what PID 1 of a container takes for Ctrl-Alt-Del (machinectl(1) "reboot"); nspawn then
 * exits with 133 and systemd starts the unit again, which has to be possible. */
void lifecycle_reboot(Request *request) {
        Container *c = running(request);

        if (!c || refuse_without_networks(request, c))
                return;
        request_call(request, on_told, MACHINED_NAME, MACHINED_PATH, MACHINED_MANAGER,
                     "KillMachine", "ssi", c->name, "leader", (int32_t) SIGINT);
}
