/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "hooks/network_hook.h"

#include "hooks/deadline.h"
#include "hooks/hook_input.h"
#include "hooks/journal.h"
#include "units/edge.h"
#include "units/pid1.h"
#include "units/run_dir.h"

typedef struct Run {
        int run_fd;
        uint64_t deadline_usec;
        HookInput input;
        Pid1 *pid1;
} Run;

static uint64_t time_left(const Run *run) {
        uint64_t now = deadline_now();

        return now < run->deadline_usec ? run->deadline_usec - now : 0;
}

static const EdgeRoad *road_to_pid1(Run *run, EdgeRoad *road) {
        if (!run->pid1)
                return NULL;
        *road = pid1_road(run->pid1);
        return road;
}

static int on_started(Run *run, EdgeOutcome *ret) {
        const HookInput *input = &run->input;
        const EdgeRequest request = {
                .bridge = input->bridge,
                .network = input->network,
                .uuid = input->has_uuid ? &input->uuid : NULL,
                .witness = WITNESS_HOOK,
        };
        EdgeRoad road;

        return bridge_edge(run->run_fd, &request, road_to_pid1(run, &road), time_left(run), ret);
}

static void tell_started(const HookInput *input, int r, EdgeOutcome outcome) {
        const JournalFacts facts = { .network = input->network, .bridge = input->bridge };

        if (r < 0) {
                journal_line(LOG_WARNING, &facts,
                             "Bridge %s of network '%s' is ready, but its containers could not be "
                             "started: %s",
                             input->bridge, input->network, strerror(-r));
                return;
        }
        switch (outcome) {
        case EDGE_NOT_READY:
                journal_line(LOG_INFO, &facts,
                             "Network '%s' has started, but its bridge %s is not up",
                             input->network, input->bridge);
                break;
        case EDGE_HANDLED:
                journal_line(LOG_DEBUG, &facts, "Bridge %s of network '%s' is known to be ready",
                             input->bridge, input->network);
                break;
        case EDGE_MADE:
                journal_line(
                        LOG_INFO, &facts,
                        "Bridge %s of network '%s' is ready: queued the start of its containers",
                        input->bridge, input->network);
                break;
        }
}

static int on_stopped(Run *run) {
        EdgeRoad road;

        return bridge_gone(run->run_fd, run->input.bridge, run->input.network,
                           road_to_pid1(run, &road), time_left(run));
}

static void tell_stopped(const HookInput *input, int r) {
        const JournalFacts facts = { .network = input->network, .bridge = input->bridge };

        if (r < 0)
                journal_line(
                        LOG_WARNING, &facts,
                        "Network '%s' has stopped, but that could not be told for bridge %s: %s",
                        input->network, input->bridge, strerror(-r));
        else if (r > 0)
                journal_line(LOG_INFO, &facts, "Network '%s' has stopped: bridge %s is gone",
                             input->network, input->bridge);
        else
                journal_line(LOG_INFO, &facts, "Network '%s' has stopped", input->network);
}

/* journald is asked last: by then everything is done, and it may be the one that hangs. */
static void act(Run *run) {
        EdgeOutcome outcome = EDGE_NOT_READY;
        int r;

        switch (run->input.op) {
        case HOOK_OP_STARTED:
                r = on_started(run, &outcome);
                deadline_arm(PATIENCE_MARGIN_USEC);
                tell_started(&run->input, r, outcome);
                break;
        case HOOK_OP_STOPPED:
                r = on_stopped(run);
                deadline_arm(PATIENCE_MARGIN_USEC);
                tell_stopped(&run->input, r);
                break;
        }
}

static int read_input(Run *run, int argc, char *argv[]) {
        _cleanup_error_ Error *complaint = NULL;
        const JournalFacts facts = { .network = argc > 1 ? argv[1] : NULL };
        int r;

        r = hook_input_read(argc, argv, STDIN_FILENO, "", &run->input, &complaint);
        if (r < 0 && r != -EINVAL)
                journal_line(LOG_WARNING, &facts, "Cannot find out the bridge of network '%s': %s",
                             argv[1], complaint ? complaint->text : strerror(-r));
        return r;
}

/* Releases nothing: the program ends, and libvirt waits for that. */
void ctvirt_network_hook(int argc, char *argv[], uint64_t deadline_usec) {
        Run run = { .deadline_usec = deadline_usec };

        /* PID 1 lets us in while we read. Without it the marker is written too. */
        (void) pid1_connect(run.deadline_usec, &run.pid1);

        if (read_input(&run, argc, argv) < 0 || !run.input.bridge)
                return;

        run.run_fd = run_dir_open();
        if (run.run_fd < 0) {
                journal_line(LOG_ERR, NULL, "Cannot open " CTVIRT_RUN_DIR ": %s",
                             strerror(-run.run_fd));
                return;
        }

        act(&run);
}
