/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ctvirt-network-hook: the witness that libvirt calls itself. libvirt holds the network's lock
 * while it waits for us, without a time limit, and takes the network down if we fail. So: exit 0
 * whatever happens, a hard deadline, no call of libvirt, no waiting for the agent. Needs libc only;
 * what needs more is loaded when nothing can go wrong any more, from a module.
 */

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "hooks/deadline.h"
#include "hooks/network_hook.h"
#include "units/run_dir.h"

#define MODULE CTVIRT_LIBEXECDIR "/network-hook.so"
#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define ENTRY "SYSLOG_IDENTIFIER=ctvirt-hook\nPRIORITY=4\nMESSAGE="

/* One line in the journal, without a library and without waiting; also fit for a signal handler.
 * systemd.journal-fields(7), and "Native Journal Protocol" of systemd. */
static void complain(const char *text) {
        static const struct sockaddr_un address = { AF_UNIX, JOURNAL_SOCKET };
        const struct iovec parts[] = {
                { (char *) ENTRY, strlen(ENTRY) },
                { (char *) text, strcspn(text, "\n") },
                { (char *) "\n", 1 },
        };
        const struct msghdr message = {
                .msg_name = (void *) &address,
                .msg_namelen = sizeof(address),
                .msg_iov = (struct iovec *) parts,
                .msg_iovlen = ELEMENTSOF(parts),
        };
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        if (fd >= 0)
                (void) sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void on_alarm(int signal) {
        _exit(0);
}

static void on_crash(int signal) {
        complain("The hook has crashed; the agent does its work if it runs");
        _exit(0);
}

/* Whatever libvirt had blocked or ignored; on a stack of its own, as the usual one may be used up. */
static void set_up_signals(void) {
        static const int crashes[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };
        static char stack[16 * 1024];
        const stack_t own_stack = { .ss_sp = stack, .ss_size = sizeof(stack) };
        const struct sigaction ignore = { .sa_handler = SIG_IGN };
        const struct sigaction alarm = { .sa_handler = on_alarm };
        const struct sigaction crash = { .sa_handler = on_crash, .sa_flags = SA_ONSTACK };
        sigset_t set;

        (void) sigaltstack(&own_stack, NULL);
        (void) sigaction(SIGPIPE, &ignore, NULL);
        (void) sigaction(SIGALRM, &alarm, NULL);
        for (size_t i = 0; i < ELEMENTSOF(crashes); i++)
                (void) sigaction(crashes[i], &crash, NULL);
        (void) sigemptyset(&set);
        (void) sigprocmask(SIG_SETMASK, &set, NULL);
}

/* 0, 1 and 2 are taken by something, so that no file of ours gets such a number; the rest is
 * closed. */
static void set_up_fds(void) {
        int fd;

        do
                fd = open("/dev/null", O_RDWR);
        while (fd >= 0 && fd <= STDERR_FILENO);
        (void) close_range(STDERR_FILENO + 1, ~0U, 0);
}

/* The agent holds this lock while it lives, frozen or not. Looking at it takes nothing. */
static bool agent_is_alive(void) {
        _cleanup_close_ int fd = open(CTVIRT_AGENT_PID_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

        return fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) >= 0 && lock.l_type != F_UNLCK;
}

static bool is_trusted(const char *path, mode_t type) {
        struct stat st;

        return lstat(path, &st) >= 0 && (st.st_mode & S_IFMT) == type && st.st_uid == 0 &&
               (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* NULL, said in the journal: it may be in the middle of an upgrade, of it or of one of its
 * libraries. */
static NetworkHook load(void) {
        NetworkHook hook = NULL;
        const char *error;
        void *module;

        if (!is_trusted(CTVIRT_LIBEXECDIR, S_IFDIR) || !is_trusted(MODULE, S_IFREG)) {
                complain(MODULE " is missing, or others than root can write to it");
                return NULL;
        }
        module = dlopen(MODULE, RTLD_LAZY | RTLD_LOCAL);
        if (module)
                *(void **) &hook = dlsym(module, NETWORK_HOOK_ENTRY);
        if (!hook) {
                error = dlerror();
                complain(error ? error : MODULE " cannot be loaded");
        }
        return hook;
}

int main(int argc, char *argv[]) {
        uint64_t patience, deadline_usec;
        NetworkHook hook;

        set_up_signals();
        deadline_arm(PATIENCE_ALONE_USEC + PATIENCE_MARGIN_USEC);
        set_up_fds();
        (void) umask(0022);

        patience = agent_is_alive() ? PATIENCE_WITH_AGENT_USEC : PATIENCE_ALONE_USEC;
        deadline_usec = deadline_now() + patience;
        deadline_arm(patience + PATIENCE_MARGIN_USEC);

        hook = load();
        if (hook)
                hook(argc, argv, deadline_usec);

        /* Not return: nothing that the libraries' destructors do is worth libvirt's time. */
        _exit(0);
}
