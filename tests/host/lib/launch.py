#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Parent process of one running test host; started by `host boot`, not by people.

usage: launch.py NAME RUN_DIR MODE LIMITS -- SYSTEMD-NSPAWN-COMMAND...
  MODE    "below": the host's cgroup is made below the one this process is in
          "scope": this process is alone in a delegated systemd scope, which is divided
  LIMITS  "1": hand the cgroup v1 controllers over to the host (hybrid mode), else "0"

It puts systemd-nspawn in a cgroup of its own, listens on its notify socket, and prints on standard output, for the
caller that waits: `leader PID`, then `ready SECONDS`, or `failed WHY`; then it closes standard output.
Signals: SIGTERM = clean power off, SIGUSR1 = power cut. It ends after the host, with all of the host's processes and
cgroups gone. A reboot from inside (`systemctl reboot`) starts systemd-nspawn again.
Files in RUN_DIR: launcher.pid, nspawn.pid, leader (PID 1 of the host, exists while it runs), cgroups, console.log.
"""

import ctypes
import errno
import os
import select
import signal
import socket
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
NSPAWN_REBOOT = 133     # exit status of systemd-nspawn --keep-unit when the payload asked for a reboot
START_LIMIT = 120       # seconds until READY=1
V1_HANDED_OVER = ("memory", "cpu", "cpuacct", "pids", "blkio", "devices", "freezer", "cpuset")

libc = ctypes.CDLL(None, use_errno=True)


def say(line):
    """Tells the caller; it may have gone away, which is no error."""
    if sys.stdout is None:
        return
    try:
        print(line, flush=True)
    except OSError:
        pass


def hush():
    """Closes standard output: the caller stops to wait."""
    if sys.stdout is None:
        return
    null = os.open("/dev/null", os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
    sys.stdout = None


def write(path, text):
    temporary = path + ".new"
    with open(temporary, "w", encoding="utf-8") as f:
        f.write(text)
    os.rename(temporary, path)


def remove(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def poke(path, text):
    """Writes to a cgroup or proc file in one write."""
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


def own_cgroups():
    """{hierarchy: directory of the cgroup this process is in}; the names are "" (v2), "name=systemd", "memory" ..."""
    mounts = {}
    with open("/proc/self/mountinfo", encoding="utf-8") as f:
        for line in f:
            left, right = line.rstrip("\n").split(" - ", 1)
            root, point = left.split(" ")[3:5]
            kind, _, options = right.split(" ", 2)
            if kind == "cgroup2":
                mounts.setdefault("", (root, point))
            elif kind == "cgroup":
                for option in options.split(","):
                    mounts.setdefault(option, (root, point))
    found = {}
    with open("/proc/self/cgroup", encoding="utf-8") as f:
        for line in f:
            _, names, path = line.rstrip("\n").split(":", 2)
            for name in names.split(","):
                if name not in mounts:
                    continue
                root, point = mounts[name]
                if root != "/" and (path + "/").startswith(root.rstrip("/") + "/"):
                    path = path[len(root):]
                found[name] = os.path.normpath(point + "/" + path)
    return found


def divide_scope(directory):
    """Moves this process out of the way in its delegated scope, so that controllers can be enabled for the host."""
    own = directory + "/launcher"
    os.makedirs(own, exist_ok=True)
    poke(own + "/cgroup.procs", str(os.getpid()))
    with open(directory + "/cgroup.controllers", encoding="ascii") as f:
        controllers = f.read().split()
    for controller in controllers:
        try:
            poke(directory + "/cgroup.subtree_control", "+" + controller)
        except OSError as e:
            print(f"cannot enable the controller {controller}: {e.strerror}", file=sys.stderr)


def make_cgroups(name, mode, limits):
    """Returns the host's cgroup directories: those that systemd-nspawn is put in."""
    own = own_cgroups()
    if "" not in own:
        sys.exit("no cgroup2 file system is mounted: the test host needs one (mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified)")
    if mode == "scope":
        divide_scope(own[""])
    wanted = ["", "name=systemd"]
    if limits:
        wanted += V1_HANDED_OVER
    made = []
    for hierarchy in wanted:
        if hierarchy not in own:
            continue
        directory = own[hierarchy] + "/ctvirt-host-" + name
        if directory in made:       # cpu and cpuacct mounted together
            continue
        os.makedirs(directory, exist_ok=True)
        if hierarchy == "cpuset":
            for key in ("cpus", "mems"):
                with open(f"{own[hierarchy]}/cpuset.{key}", encoding="ascii") as f:
                    poke(f"{directory}/cpuset.{key}", f.read())
        made.append(directory)
    return made, [own[h] for h in V1_HANDED_OVER if limits and h in own]


def processes(directories):
    found = set()
    for top in directories:
        for directory, _, _ in os.walk(top):
            try:
                with open(directory + "/cgroup.procs", encoding="ascii") as f:
                    found.update(int(pid) for pid in f)
            except OSError:
                pass
    return found - {0, 1, os.getpid()}


def reap():
    """Collects children and adopted orphans; returns {pid: status}."""
    ended = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = os.waitstatus_to_exitcode(status)


def clean_up(directories):
    """Ends whatever is left of the host (systemd-nspawn may have died without it) and removes its cgroups."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        left = processes(directories)
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        reap()
        if not left:
            break
        time.sleep(0.02)
    for top in directories:
        for directory, _, _ in os.walk(top, topdown=False):
            try:
                os.rmdir(directory)
            except OSError as e:
                if e.errno != errno.ENOENT:
                    print(f"cannot remove {directory}: {e.strerror}", file=sys.stderr)


class Launcher:
    def __init__(self, name, run, mode, limits, command):
        self.name, self.run, self.limits, self.command = name, run, limits, command
        self.leader = None
        self.nspawn = None
        self.stopping = False
        self.ready = False
        self.started = 0.0
        self.cgroups, self.v1 = make_cgroups(name, mode, limits)
        write(f"{run}/cgroups", "".join(c + "\n" for c in self.cgroups))
        # An abstract name: no limit on the length of the run directory's path.
        self.address = f"@ctvirt-host-{name}-{os.getpid()}"
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.notify.bind("\0" + self.address[1:])
        self.wake, wake_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(wake_end, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: self.power_off())
        signal.signal(signal.SIGUSR1, lambda *_: self.power_cut())
        for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(ignored, signal.SIG_IGN)
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def power_off(self):
        # A second SIGTERM makes systemd-nspawn kill its payload at once: send one only.
        if self.nspawn and not self.stopping:
            self.nspawn.send_signal(signal.SIGTERM)
        self.stopping = True

    def power_cut(self):
        self.stopping = True
        for pid in (self.leader, self.nspawn.pid if self.nspawn else None):
            if pid:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass

    def _in_child(self):
        libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        for directory in self.cgroups:
            poke(directory + "/cgroup.procs", str(os.getpid()))
        for sig in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(sig, signal.SIG_DFL)

    def start(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith("SYSTEMD_")}
        env["NOTIFY_SOCKET"] = self.address
        if not self.limits:
            env["SYSTEMD_NSPAWN_UNIFIED_HIERARCHY"] = "1"
        self.started = time.monotonic()
        self.ready = False
        self.leader = None
        with open(f"{self.run}/console.log", "ab") as console:
            self.nspawn = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=console,
                                           stderr=subprocess.STDOUT, env=env, preexec_fn=self._in_child)
        write(f"{self.run}/nspawn.pid", f"{self.nspawn.pid}\n")

    def hand_over(self):
        """systemd-nspawn mounts the v1 controllers read-only; makes them writable in the host."""
        for directory in self.v1:
            point = directory
            while not os.path.ismount(point):
                point = os.path.dirname(point)
            subprocess.run(["nsenter", "-t", str(self.leader), "-m", "mount", "-o", "remount,rw,bind", point],
                           check=False, stdin=subprocess.DEVNULL, stdout=sys.stderr)

    def hear(self):
        while True:
            try:
                message = self.notify.recv(8192).decode("utf-8", "replace")
            except BlockingIOError:
                return
            for line in message.split("\n"):
                if line.startswith("X_NSPAWN_LEADER_PID="):
                    self.leader = int(line.split("=", 1)[1])
                    self.hand_over()
                    write(f"{self.run}/leader", f"{self.leader}\n")
                    say(f"leader {self.leader}")
                elif line == "READY=1" and not self.ready:
                    self.ready = True
                    say(f"ready {time.monotonic() - self.started:.2f}")
                    hush()

    def run_once(self):
        """One boot, up to the end of systemd-nspawn; returns its exit status."""
        self.start()
        while True:
            patience = None if self.ready else max(0.0, self.started + START_LIMIT - time.monotonic())
            heard, _, _ = select.select([self.notify, self.wake], [], [], patience)
            if self.notify in heard:
                self.hear()
            if self.wake in heard:
                try:
                    os.read(self.wake, 4096)
                except BlockingIOError:
                    pass
                status = reap().get(self.nspawn.pid)
                if status is not None:
                    self.nspawn.returncode = status
                    remove(f"{self.run}/leader")
                    if not self.ready:
                        say(f"failed systemd-nspawn ended with status {status} before the host was up")
                    return status
            if not heard and not self.ready:
                say(f"failed the host did not come up in {START_LIMIT} s")
                self.power_cut()
                self.ready = True

    def main(self):
        write(f"{self.run}/launcher.pid", f"{os.getpid()}\n")
        status = 1
        try:
            while True:
                status = self.run_once()
                if status != NSPAWN_REBOOT or self.stopping:
                    break
        finally:
            clean_up(self.cgroups)
            for name in ("leader", "nspawn.pid", "launcher.pid", "cgroups"):
                remove(f"{self.run}/{name}")
        return 0 if status == 0 else 1


def main():
    name, run, mode, limits, dashes = sys.argv[1:6]
    if dashes != "--":
        sys.exit("launch.py is started by `host boot` only")
    try:
        launcher = Launcher(name, run, mode, limits == "1", sys.argv[6:])
        return launcher.main()
    except OSError as e:
        say(f"failed {e}")
        raise


if __name__ == "__main__":
    sys.exit(main())
