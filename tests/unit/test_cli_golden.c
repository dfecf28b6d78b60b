/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The built client, run as a person runs it, against golden files: what it prints on both of its
 * outputs and its exit code. CTVIRT_REGENERATE=1 writes the files anew.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fileio.h"
#include "test_cli_peer.h"

#define GOLDEN_DIR CTVIRT_SOURCE_DIR "/tests/golden/cli"
#define ARGS_MAX 10
#define TEXT_MAX (1 << 20)

typedef struct Case {
        const char *golden; /* file name without ".txt" */
        bool local;         /* without -c: no peer */
        const char *args[ARGS_MAX];
        const char *input; /* file for standard input; NULL: nothing */
} Case;

static char socket_directory[] = "/tmp/ctvirt-test-XXXXXX";
static char *socket_path;

/* A process, and files in memory for its outputs. */
typedef struct Run {
        pid_t pid;
        int out, err;
} Run;

static void run_start(Run *run, const Case *c) {
        char *argv[ARGS_MAX + 4] = { (char *) "ctvirt" };
        posix_spawn_file_actions_t actions;
        size_t n = 1;

        if (!c->local) {
                argv[n++] = (char *) "-c";
                argv[n++] = socket_path;
        }
        for (size_t i = 0; i < ARGS_MAX && c->args[i]; i++)
                argv[n++] = (char *) c->args[i];

        run->out = memfd_create("out", MFD_CLOEXEC);
        run->err = memfd_create("err", MFD_CLOEXEC);
        assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
        assert_int_equal(posix_spawn_file_actions_addchdir_np(&actions, GOLDEN_DIR), 0);
        (void) posix_spawn_file_actions_addopen(&actions, 0, c->input ? c->input : "/dev/null",
                                                O_RDONLY, 0);
        (void) posix_spawn_file_actions_adddup2(&actions, run->out, 1);
        (void) posix_spawn_file_actions_adddup2(&actions, run->err, 2);
        assert_int_equal(posix_spawn(&run->pid, CTVIRT_CLIENT, &actions, NULL, argv, environ), 0);
        (void) posix_spawn_file_actions_destroy(&actions);
}

static char *read_back(int fd) {
        char *text = NULL;

        assert_true(lseek(fd, 0, SEEK_SET) == 0);
        assert_int_equal(read_stream(fd, TEXT_MAX, &text, NULL), 0);
        (void) close(fd);
        return text;
}

/* Both outputs and the exit code as one text. */
static char *run_finish(Run *run) {
        _cleanup_free_ char *out = NULL, *err = NULL;
        char *text = NULL;
        int status;

        assert_int_equal(waitpid(run->pid, &status, 0), run->pid);
        assert_true(WIFEXITED(status));
        out = read_back(run->out);
        err = read_back(run->err);
        assert_true(asprintf(&text, "%s--- error output\n%s--- exit code %d\n", out, err,
                             WEXITSTATUS(status)) > 0);
        return text;
}

static char *run_case(const Case *c) {
        Run run;

        run_start(&run, c);
        return run_finish(&run);
}

static void compare(const char *golden, const char *text) {
        _cleanup_free_ char *path = NULL, *expected = NULL;

        assert_true(asprintf(&path, GOLDEN_DIR "/%s.txt", golden) > 0);
        if (getenv("CTVIRT_REGENERATE"))
                assert_true(write_file_at(AT_FDCWD, path, text, strlen(text), 0644,
                                          WRITE_IF_CHANGED) >= 0);

        print_message("%s\n", golden);
        assert_int_equal(read_file_at(AT_FDCWD, path, TEXT_MAX, true, &expected, NULL), 0);
        assert_string_equal(text, expected);
}

static const Case cases[] = {
        { "help", true, { "help" } },
        { "help-define", true, { "help", "define" } },
        { "help-event", true, { "event", "--help" } },
        { "help-group", true, { "help", "monitor" } },
        { "help-unknown", true, { "help", "bogus" } },
        { "usage", true, { "--help" } },
        { "no-command", true, { NULL } },
        { "unknown-command", true, { "foo" } },
        { "unknown-close", true, { "lst" } },
        { "unknown-swapped", true, { "strat", "web" } },
        { "unknown-beginning", true, { "undef", "web" } },
        { "unknown-many-beginnings", true, { "dom" } },
        { "unknown-network", true, { "net-start", "default" } },
        { "unknown-console", true, { "console", "web" } },
        { "unknown-shell", true, { "shell", "web" } },
        { "unknown-rename", true, { "rename", "web", "db" } },
        { "unknown-delete", true, { "delete", "web" } },
        { "unknown-save", true, { "save", "web" } },
        { "unknown-setmem", true, { "setmem", "web", "1G" } },
        { "unknown-edit", true, { "edit", "web" } },
        { "unknown-option", true, { "list", "--bogus" } },
        { "unknown-global-option", true, { "--bogus", "list" } },
        { "missing-argument", true, { "dominfo" } },
        { "no-agent", true, { "-c", "/nonexistent/bus", "list" } },
        { "unknown-uri", true, { "-c", "qemu:///system", "list" } },
        { "uri", true, { "uri" } },
        { "string-checked", true, { "uri; list --bogus" } },
        { "string-empty", true, { "" } },
        { "event-list", true, { "event", "--list" } },
        { "event-no-type", true, { "event" } },
        { "event-unknown-type", true, { "event", "--event", "bogus" } },
        { "event-bad-timeout", true, { "event", "--all", "--timeout", "0" } },
        { "self-test", true, { "self-test" } },
        { "complete-verb", true, { "complete", "--", "dom" } },
        { "complete-option", true, { "complete", "--", "list", "--all", "--a" } },
        { "complete-global", true, { "complete", "--", "-q", "--" } },
        { "complete-inline", true, { "complete", "--", "domifaddr", "web", "--source=l" } },
        { "complete-inline-unknown", true, { "complete", "--", "list", "--bogus=" } },
        { "complete-value", true, { "complete", "--", "domifaddr", "web", "--source", "" } },

        { "define", false, { "define", "web.xml", "--validate" } },
        { "define-stdin", false, { "define", "-" }, "web.xml" },
        { "define-stdin-latin1", false, { "define", "-" }, "latin1.xml" },
        { "define-warning", false, { "define", "--file", "web.xml" } },
        { "define-error", false, { "define", "broken.xml" } },
        { "define-no-file", false, { "define", "nope.xml" } },
        { "define-directory", false, { "define", "." } },
        { "define-large", false, { "define", "/dev/zero" } },
        { "define-latin1", false, { "define", "latin1.xml" } },
        { "undefine", false, { "undefine", "alpha" } },
        { "undefine-denied", false, { "undefine", "zeta" } },
        { "undefine-no-polkit", false, { "undefine", "db-1" } },
        { "dumpxml", false, { "dumpxml", "web" } },
        { "dumpxml-security-info", false, { "dumpxml", "web", "--security-info" } },
        { "dumpxml-inactive", false, { "dumpxml", "web", "--inactive" } },
        { "start", false, { "start", "alpha" } },
        { "start-quiet", false, { "-q", "start", "alpha" } },
        { "start-active", false, { "start", "web" } },
        { "start-failed", false, { "start", "zeta" } },
        { "start-unknown", false, { "start", "nope" } },
        { "shutdown", false, { "shutdown", "web" } },
        { "destroy", false, { "destroy", "web" } },
        { "destroy-denied", false, { "destroy", "db-1" } },
        { "reboot", false, { "reboot", "web" } },
        { "autostart", false, { "autostart", "web" } },
        { "autostart-disable", false, { "autostart", "--disable", "web" } },
        { "domid", false, { "domid", "web" } },
        { "domid-inactive", false, { "domid", "alpha" } },
        { "domuuid", false, { "domuuid", "web" } },
        { "domname", false, { "domname", "1a2b3c4d-0000-4000-8000-000000000002" } },

        { "list", false, { "list" } },
        { "list-all", false, { "list", "--all" } },
        { "list-all-quiet", false, { "--quiet", "list", "--all" } },
        { "list-title", false, { "list", "--all", "--title" } },
        { "list-inactive", false, { "list", "--inactive" } },
        { "list-words", false, { "list", "--all", "--id", "--name", "--uuid" } },
        { "list-shutoff", false, { "list", "--state-shutoff", "--name" } },
        { "list-running", false, { "list", "--state-running", "--name", "--all" } },
        { "list-other", false, { "list", "--state-other", "--name" } },
        { "list-transient", false, { "list", "--all", "--transient", "--name" } },
        { "list-autostart", false, { "list", "--all", "--autostart", "--name" } },
        { "list-exclusive", false, { "list", "--table", "--name" } },
        { "dominfo", false, { "dominfo", "web" } },
        { "dominfo-inactive", false, { "dominfo", "--domain=zeta" } },
        { "domstate", false, { "domstate", "db-1" } },
        { "domstate-reason", false, { "domstate", "web", "--reason" } },
        { "domstate-no-reason", false, { "domstate", "zeta", "--reason" } },
        { "domiflist", false, { "domiflist", "web" } },
        { "domifaddr", false, { "domifaddr", "web" } },
        { "domifaddr-full", false, { "domifaddr", "web", "--full", "--source", "agent" } },
        { "domifaddr-one", false, { "domifaddr", "web", "--interface", "vb-two" } },
        { "domifaddr-quiet", false, { "-q", "domifaddr", "web" } },
        { "domifaddr-inactive", false, { "domifaddr", "zeta" } },
        { "domifaddr-source", false, { "domifaddr", "web", "--source", "bogus" } },

        { "bootstrap",
          false,
          { "bootstrap", "alpha", "--mirror", "http://a", "--mirror=http://b" } },
        { "bootstrap-refused", false, { "bootstrap", "zeta", "--replace" } },
        { "bootstrap-detach", false, { "bootstrap", "alpha", "--from", "debian", "--detach" } },
        { "clone", false, { "-q", "clone", "web", "web9" } },
        { "job-list", false, { "job-list" } },
        { "job-list-all", false, { "job-list", "--all" } },
        { "job-info", false, { "job-info", "alpha" } },
        { "job-abort", false, { "job-abort", "01234567" } },
        { "pool-info", false, { "pool-info" } },
        { "pool-info-unknown", false, { "pool-info", "default" } },
        { "pool-list", false, { "pool-list" } },
        { "pool-list-details", false, { "pool-list", "--details" } },
        { "pool-check", false, { "pool-check" } },
        { "pool-build-both", false, { "pool-build", "--source-dev", "/dev/x", "--file", "/y" } },
        { "pool-build-size", false, { "pool-build", "--file", "/y", "--capacity", "20Q" } },
        { "vol-list", false, { "vol-list" } },
        { "vol-list-details", false, { "vol-list", "--details" } },
        { "snapshot-list", false, { "snapshot-list", "web" } },
        { "snapshot-list-name", false, { "snapshot-list", "web", "--name" } },
        { "password-no-terminal", false, { "set-user-password", "web", "root" } },
        { "password-encrypted", false, { "set-user-password", "web", "root", "--encrypted" } },
        { "upload-no-file", false, { "vol-upload", "x", "/nonexistent" } },
        { "complete-snapshot", false, { "complete", "--", "snapshot-info", "web", "b" } },
        { "complete-snapshot-inline",
          false,
          { "complete", "--", "snapshot-info", "--domain", "web", "--snapshotname=s" } },
        { "complete-snapshot-unknown", false, { "complete", "--", "snapshot-info", "nope", "" } },
        { "complete-volume", false, { "complete", "--", "vol-info", "" } },
        { "help-bootstrap", true, { "help", "bootstrap" } },
        { "help-verb-bootstrap", true, { "bootstrap", "--help" } },

        { "net-list", false, { "net-list" } },
        { "net-list-all", false, { "net-list", "--all" } },
        { "net-list-name", false, { "net-list", "--inactive", "--name" } },
        { "net-list-exclusive", false, { "net-list", "--name", "--uuid" } },
        { "net-info", false, { "net-info", "default" } },
        { "net-info-inactive", false, { "net-info", "lab" } },
        { "net-wait", false, { "net-wait", "default" } },
        { "net-wait-timeout",
          false,
          { "net-wait", "default", "--timeout", "1", "lab", "not there" } },
        { "net-wait-bad-timeout", false, { "net-wait", "--timeout=x", "default" } },
        { "net-wait-nothing", true, { "net-wait", "--timeout", "1" } },
        { "net-wait-no-agent", true, { "-c", "/nonexistent/bus", "net-wait", "x" } },
        { "help-net-wait", true, { "help", "net-wait" } },
        { "complete-many", true, { "complete", "--", "net-wait", "default", "-" } },
        { "net-wait-string", false, { "net-wait default --timeout 3 default; domid web" } },
        { "net-info-unknown", false, { "net-info", "nope" } },

        { "event-once", false, { "event", "--event", "lifecycle" } },
        { "event-ready", false, { "event", "--event", "ready", "--timestamp" } },
        { "event-loop", false, { "event", "--all", "--loop", "--timeout", "1" } },
        { "event-domain-nothing",
          false,
          { "event", "--all", "--domain", "web", "--timeout", "1" } },
        { "event-domain-unknown", false, { "event", "--all", "--domain", "nope" } },
        { "string",
          false,
          { "domid web; start nope; event --event ready; event --all; start alpha" } },
        { "string-last", false, { "domid web; start nope" } },
        { "complete-container", false, { "complete", "--", "start", "" } },
};

static void test_cases(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const Case *c = &cases[i];
                _cleanup_free_ char *text = run_case(c);

                compare(c->golden, text);
        }
}

/* Its completion asks the agent that the line names. */
static void test_complete_network(void **state) {
        const Case c = { "complete-network",
                         true,
                         { "complete", "--", "-c", socket_path, "net-info", "" } };
        _cleanup_free_ char *text = run_case(&c);

        compare(c.golden, text);
}

static void test_version(void **state) {
        const Case c = { .args = { "version" } };
        _cleanup_free_ char *text = run_case(&c);

        assert_non_null(strstr(text, "Using client: ctvirt " CTVIRT_VERSION "\n"
                                     "Running agent: ctvirtd 1.2.3\n"
                                     "Using libvirt: not connected (qemu:///system)\n"
                                     "Running systemd: 252\n"
                                     "\n"
                                     "--- error output\n"
                                     "--- exit code 0\n"));
}

/* The agent dies in the middle of a call. */
static void test_lost(void **state) {
        const Case c = { .args = { "reboot", "db-1" } };
        _cleanup_free_ char *text = run_case(&c);

        assert_non_null(strstr(text, "error: Failed to reboot container 'db-1'\nerror: "));
        assert_non_null(strstr(text, "error: see 'systemctl status ctvirtd'\n"));
        assert_non_null(strstr(text, "--- exit code 1\n"));
}

/* How the other end closes is a matter of moments, and so is the reason. */
static void test_no_ssh(void **state) {
        const Case c = { .local = true, .args = { "-c", "ssh://host1", "list" } };
        _cleanup_free_ char *path = strdup(getenv("PATH")), *text = NULL;

        assert_non_null(path);
        assert_int_equal(setenv("PATH", socket_directory, 1), 0);
        text = run_case(&c);
        assert_int_equal(setenv("PATH", path, 1), 0);

        assert_non_null(strstr(text, "error: failed to connect to the ctvirt agent\n"
                                     "error: cannot reach its bus at 'ssh://host1': "));
        assert_non_null(strstr(text, "\nerror: is the ssh client installed, and can you log in?\n"
                                     "error: see 'systemctl status ctvirtd' on host1\n"));
        assert_non_null(strstr(text, "--- exit code 1\n"));
}

static void test_interrupt(void **state) {
        const Case c = { .args = { "event", "--all", "--loop" } };
        _cleanup_free_ char *text = NULL;
        struct stat st = { 0 };
        Run run;

        run_start(&run, &c);
        /* Until the last of the peer's three events is there. */
        for (int i = 0; i < 1000 && st.st_size < 140; i++) {
                (void) usleep(10000);
                assert_int_equal(fstat(run.out, &st), 0);
        }
        assert_int_equal(kill(run.pid, SIGINT), 0);
        text = run_finish(&run);
        compare("event-interrupt", text);
}

static void test_net_wait_interrupt(void **state) {
        const Case c = { .args = { "net-wait", "default", "lab" } };
        _cleanup_free_ char *text = NULL;
        struct stat st = { 0 };
        Run run;

        run_start(&run, &c);
        /* The first network is said to be ready while the second is waited for. */
        for (int i = 0; i < 1000 && st.st_size == 0; i++) {
                (void) usleep(10000);
                assert_int_equal(fstat(run.out, &st), 0);
        }
        assert_int_equal(kill(run.pid, SIGINT), 0);
        text = run_finish(&run);
        compare("net-wait-interrupt", text);
}

static int setup(void **state) {
        (void) unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
        (void) setenv("TZ", "UTC", 1);
        if (!mkdtemp(socket_directory))
                return -1;
        return peer_start(socket_directory, &socket_path);
}

static int teardown(void **state) {
        (void) unlink(socket_path);
        (void) rmdir(socket_directory);
        free(socket_path);
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),     cmocka_unit_test(test_complete_network),
                cmocka_unit_test(test_version),   cmocka_unit_test(test_lost),
                cmocka_unit_test(test_interrupt), cmocka_unit_test(test_net_wait_interrupt),
                cmocka_unit_test(test_no_ssh),
        };

        return cmocka_run_group_tests_name("cli_golden", tests, setup, teardown);
}
