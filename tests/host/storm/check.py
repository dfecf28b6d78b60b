#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The verdict on a storm, from its logs alone.

usage: check.py FOLDER

Reads FOLDER/actions (actor.c), FOLDER/hooks (sensor.c) and FOLDER/journal (journalctl -o json), writes
FOLDER/timeline (all of it, merged), and prints `pass TEXT` or `fail TEXT` for each rule, with details below.

Times are microseconds of CLOCK_MONOTONIC. What happens at the same time as something that it depends on is not judged:
whoever disables a container while its network starts gets either. README.md says what counts as "at the same time".
"""

import bisect
import collections
import json
import os
import re
import sys

SEC = 1000000

STARTING = "7d4958e842da4a758f6c1cdc7b36dcc5"

# An order that reaches systemd this soon after another one may be carried out before it.
SAME_TIME = SEC // 2
# A start waits for a stop that is under way, which may take the unit's time limit (8 s).
START_LIMIT = 12 * SEC
# Between the end of a bridge and the end of its marker, with an agent that is well.
STALE_LIMIT = SEC // 2
# How long a daemon that was killed, frozen or restarted is not to be expected to be well.
RECOVERY = 3 * SEC

BRIDGES = {"default": "virbr0", "second": "virbr9"}
NETS = {bridge: net for net, bridge in BRIDGES.items()}

LOST_LIBVIRT = re.compile(r"end of file|connection reset|failed to connect|cannot recv|broken pipe|connection refused"
                          r"|no valid connection|client socket is closed|keepalive|no such file or directory", re.I)
LEFTOVERS = re.compile(r"file exists|already in use|address already in use|dnsmasq|cannot delete|no such device"
                       r"|no such file|unable to", re.I)
STATE_WORDS = re.compile(r"already active|not active")
CONTAINER_WORDS = re.compile(r"is not running|already active|already running|waits for|in shutdown|not loaded"
                             r"|job canceled|canceled|was skipped|no main process|no container|failed to get container|failed because|dependency failed", re.I)
NO_BRIDGE = re.compile(r"Failed to add interface \S+ to bridge (\S+): No such device")
LOST_AGENT = re.compile(r"failed to connect|agent|no reply|disconnected|remote peer|timed? ?out|activat", re.I)

Op = collections.namedtuple("Op", "n what of by begin end good text")
Start = collections.namedtuple("Start", "name t")


class Edge:
    """libvirt has called its hooks with "started": from begin on the bridge is ready."""

    def __init__(self, bridge, begin, until):
        self.bridge, self.begin, self.until = bridge, begin, until
        self.made = []          # times at which hook or agent said that they had queued the start
        self.used = {}          # container: time of the start

    @property
    def done(self):
        return self.made[-1] if self.made else None


def read_lines(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        for line in f:
            try:
                yield json.loads(line)
            except ValueError:
                print("unreadable line in %s: %s" % (path, line[:120]))


class Logs:
    """What was written down, put in order."""

    def __init__(self, folder):
        self.actions = list(read_lines(os.path.join(folder, "actions")))
        self.hooks = sorted(read_lines(os.path.join(folder, "hooks")), key=lambda e: e["t"])
        self.clocks = [(e["realtime"], e["realtime"] - e["t"]) for e in self.actions if e["kind"] == "clocks"]
        self.journal = sorted(((self.time_of(e), e) for e in read_lines(os.path.join(folder, "journal"))),
                              key=lambda p: p[0])
        self.begin, self.end = self.actions[0]["t"], self.actions[-1]["t"]
        self.containers = {e["name"]: e for e in self.actions if e["kind"] == "container"}
        for c in self.containers.values():
            c["bridges"] = c["bridges"].split(",")
        self.ops = self.pair_ops()
        self.edges = {bridge: self.find_edges(bridge) for bridge in NETS}
        self.trouble = {"ctvirtd": self.find_trouble("ctvirtd"), "libvirtd": self.find_trouble("libvirtd")}
        self.retries = self.find_retries()
        self.starts = [Start(self.container_of(e["UNIT"]), t) for t, e in self.journal
                       if e.get("MESSAGE_ID") == STARTING and self.container_of(e.get("UNIT", ""))]

    def time_of(self, entry):
        """When the message was sent, which journald notes in real time only."""
        sent = entry.get("_SOURCE_REALTIME_TIMESTAMP")
        if sent is None:
            return int(entry["__MONOTONIC_TIMESTAMP"])
        sent = int(sent)
        i = max(0, bisect.bisect_right([c[0] for c in self.clocks], sent) - 1)
        return sent - self.clocks[i][1]

    def find_retries(self):
        found = [(t, re.match(r"Container '(\w+)': trying again, attempt", str(e.get("MESSAGE")))) for t, e in self.journal
                 if e.get("SYSLOG_IDENTIFIER") == "ctvirtd"]
        return [(t, m.group(1)) for t, m in found if m]

    @staticmethod
    def container_of(unit):
        m = re.fullmatch(r"systemd-nspawn@(\w+)\.service", unit)
        return m.group(1) if m else None

    def pair_ops(self):
        begun, ops = {}, []
        for e in self.actions:
            if e["kind"] == "begin":
                begun[e["n"]] = e
            elif e["kind"] == "end":
                b = begun.pop(e["n"])
                ops.append(Op(e["n"], b["what"], b["of"], b["by"], b["t"], e["t"], e["good"], e.get("text", "")))
        for b in begun.values():
            ops.append(Op(b["n"], b["what"], b["of"], b["by"], b["t"], self.actions[-1]["t"], False, "never ended"))
        return sorted(ops, key=lambda o: o.begin)

    def find_edges(self, bridge):
        times = [e["t"] for e in self.hooks if e["net"] == NETS[bridge] and e["op"] == "started"]
        edges = [Edge(bridge, t, u) for t, u in zip(times, times[1:] + [1 << 62])]
        for t, e in self.journal:
            if not self.says_made(e, bridge):
                continue
            i = bisect.bisect_right(times, t) - 1
            if i >= 0:
                edges[i].made.append(t)
        return edges

    @staticmethod
    def says_made(e, bridge):
        message = e.get("MESSAGE") or ""
        if e.get("SYSLOG_IDENTIFIER") == "ctvirt-hook":
            return message.startswith("Bridge %s of" % bridge) and message.endswith("queued the start of its containers")
        return e.get("SYSLOG_IDENTIFIER") == "ctvirtd" and message == "Bridge %s is ready" % bridge

    def find_trouble(self, daemon):
        """Intervals in which the daemon is not well."""
        found, frozen = [], {}
        for e in self.actions:
            if e.get("of") != daemon:
                continue
            if e["kind"] == "kill":
                found.append((e["t"], e["t"] + RECOVERY))
            elif e["kind"] == "freeze":
                frozen[e["pid"]] = e["t"]
            elif e["kind"] == "thaw":
                found.append((frozen.pop(e["pid"], e["t"]), e["t"] + RECOVERY))
        found += [(t, t + RECOVERY) for t in frozen.values()]
        found += [(o.begin, o.end + RECOVERY) for o in self.ops if o.what == "restart" and o.of == daemon]
        return sorted(found)

    def in_trouble(self, daemon, begin, end):
        return any(b <= end and begin <= e for b, e in self.trouble[daemon])

    def ops_of(self, name, *what):
        return [o for o in self.ops if o.of == name and o.what in what]

    def enabled(self, name):
        """Times at which it becomes True, False or None (either), in order."""
        changes = [(0, self.containers[name]["enabled"])]
        for o in self.ops_of(name, "enable", "disable"):
            changes.append((o.begin, None))
            changes.append((o.end, (o.what == "enable") if o.good else None))
        return changes

    def always(self, name, state, begin, end):
        """Whether it is enabled (or disabled: state False) for sure all the time."""
        current = None
        for t, value in self.enabled(name):
            if t <= begin:
                current = value
            elif t <= end and value is not state:
                return False
        return current is state

    def timeline(self):
        lines = [(o.begin, "storm", "%s %s (%s) #%d" % (o.what, o.of, o.by, o.n)) for o in self.ops]
        lines += [(o.end, "storm", "#%d %s" % (o.n, "done" if o.good else "failed: " + " ".join(o.text.split())))
                  for o in self.ops]
        lines += [(e["t"], "storm", "%s %s" % (e["kind"], e.get("of", ""))) for e in self.actions
                  if e["kind"] in ("kill", "freeze", "thaw", "quiet", "unquiet", "hook off", "hook on")]
        lines += [(e["t"], "libvirt", "hook: %s %s" % (e["net"], e["op"])) for e in self.hooks]
        lines += [(t, e.get("SYSLOG_IDENTIFIER"), str(e.get("MESSAGE"))) for t, e in self.journal if t >= self.begin]
        return sorted(lines)


class State:
    """A quiet point, taken apart."""

    def __init__(self, entry):
        self.t = entry["t"]
        parts = re.split(r"^%% (\w+)\n", entry["text"], flags=re.M)
        sections = dict(zip(parts[1::2], parts[2::2]))
        self.units = {}
        for block in parts[0].split("\n\n"):
            fields = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
            name = Logs.container_of(fields.get("Id", ""))
            if name:
                self.units[name] = fields
        self.nets = {line.strip() for line in sections.get("networks", "").split()}
        self.marked = set(sections.get("marked", "").split())
        self.handled = {}
        for line in sections.get("handled", "").splitlines():
            m = re.match(r"/run/ctvirt/handled/([\w-]+):IFINDEX=(\d+)$", line)
            if m:
                self.handled[m.group(1)] = int(m.group(2))
        self.links = {}
        for line in sections.get("links", "").splitlines():
            m = re.match(r"(\d+): ([\w.-]+)(?:@\S+)?: <([^>]*)>(.*)", line)
            if m:
                master = re.search(r" master (\S+)", m.group(4))
                self.links[m.group(2)] = (int(m.group(1)), "UP" in m.group(3).split(","),
                                          master.group(1) if master else None)

    def runs(self, name):
        return self.units.get(name, {}).get("ActiveState") == "active"

    def ready(self, bridge):
        return NETS[bridge] in self.nets and self.links.get(bridge, (0, False))[1]


class Verdict:
    def __init__(self, logs):
        self.logs = logs
        self.all = logs.timeline()
        self.counts = collections.Counter()
        self.complaints = collections.defaultdict(list)
        self.states = [State(e) for e in logs.actions if e["kind"] == "quiet"]

    def complain(self, rule, t, text, words=()):
        self.complaints[rule].append((t, text, words))

    # ---- starts

    def stopped_since(self, name, edge, t):
        """An administrator's stop that was ordered after the edge and done before t."""
        if edge.done is None:
            return False
        return any(o.begin > edge.done + SAME_TIME and o.end < t for o in self.logs.ops_of(name, "stop"))

    def is_retry(self, start, since):
        """The agent has said that it tries again what has failed; systemd may be busy before it does."""
        i = bisect.bisect_left(self.logs.retries, (max(since, start.t - START_LIMIT), ""))
        return any(name == start.name for t, name in self.logs.retries[i:] if t <= start.t)

    def why_not(self, edge, start):
        """Why the edge does not explain the start; None if it does."""
        if self.logs.always(start.name, False, edge.begin, start.t):
            return "disabled", "it is disabled"
        if self.stopped_since(start.name, edge, start.t):
            return "stopped", "an administrator has stopped it since %s became ready" % edge.bridge
        if self.is_retry(start, edge.used.get(start.name, edge.begin)):
            self.counts["tried again"] += 1
            return None
        if start.name in edge.used:
            return "twice", "%s has started it in this incarnation, %.3f s before" % (
                edge.bridge, (start.t - edge.used[start.name]) / SEC)
        if start.t > (edge.done or edge.begin) + START_LIMIT:
            return "late", "%s is ready since %.3f s" % (edge.bridge, (start.t - edge.begin) / SEC)
        return None

    def is_ordered(self, start):
        return any(o.begin <= start.t <= o.end + SAME_TIME for o in self.logs.ops_of(start.name, "start"))

    def explain_start(self, start):
        if self.is_ordered(start):
            self.counts["ordered"] += 1
            return
        edges = [e for b in self.logs.containers[start.name]["bridges"] for e in self.logs.edges[b]
                 if e.begin <= start.t]
        edges.sort(key=lambda e: -e.begin)
        # One that has just begun need not be the reason yet.
        candidates = [e for i, e in enumerate(edges) if i == 0 or start.t - edges[i - 1].begin < SAME_TIME * 4]
        reasons = []
        for e in candidates:
            reason = self.why_not(e, start)
            if not reason:
                e.used[start.name] = start.t
                self.counts["by edge"] += 1
                return
            reasons.append(reason)
        rule, text = reasons[0] if reasons else ("early", "no bridge of it was ever ready")
        self.complain(rule, start.t, "%s is started, but %s" % (start.name, text), (start.name,))

    def check_ready(self, start):
        """All bridges must have been ready at this moment, as libvirt has told its hooks."""
        # A person may start what is disabled whenever he likes: an enable that failed leaves that open.
        if self.is_ordered(start) and not self.logs.always(start.name, True, start.t - SAME_TIME, start.t):
            self.counts["ordered, perhaps disabled"] += 1
            return
        # Gates are for what is enabled: a start that was queued before somebody disabled it has none any more.
        if not self.logs.always(start.name, True, start.t - START_LIMIT, start.t):
            self.counts["enabled or disabled meanwhile"] += 1
            return
        for bridge in self.logs.containers[start.name]["bridges"]:
            events = [(e["t"], e["op"]) for e in self.logs.hooks if e["net"] == NETS[bridge] and e["t"] <= start.t]
            events += [(o.begin, "repair") for o in self.logs.ops_of(NETS[bridge], "repair") if o.begin <= start.t]
            events.sort()
            t, op = events[-1] if events else (0, "nothing")
            if op == "started":
                continue
            # Marker and bridge do not end in the same instant.
            gone = next((u for u, what in reversed(events) if what in ("stopped", "repair")), t)
            if op in ("stopped", "repair") and start.t < gone + STALE_LIMIT:
                self.counts["start while the bridge ends"] += 1
            elif self.logs.in_trouble("ctvirtd", t, start.t) and self.logs.in_trouble("libvirtd", t - SEC, start.t):
                self.counts["start while nobody could remove the marker"] += 1
            else:
                self.complain("early", start.t, "%s is started, but %s is not ready (last from libvirt: %s, %.3f s ago)"
                              % (start.name, bridge, op, (start.t - t) / SEC), (start.name, bridge))

    def check_starts(self):
        for start in self.logs.starts:
            if start.t < self.logs.begin:
                continue
            self.check_ready(start)
            self.explain_start(start)

    def check_edges(self):
        for edges in self.logs.edges.values():
            for e in edges:
                self.counts["edges"] += 1
                if len(e.made) > 1:
                    self.complain("edges", e.made[1], "%s became ready %d times in one incarnation"
                                  % (e.bridge, len(e.made)), (e.bridge,))

    # ---- quiet points

    def last_edge(self, name, state):
        """The edge since which all bridges are ready; None if that is not clear."""
        last = None
        for bridge in self.logs.containers[name]["bridges"]:
            if not state.ready(bridge):
                return None
            events = [e for e in self.logs.hooks if e["net"] == NETS[bridge] and e["t"] <= state.t]
            if not events or events[-1]["op"] != "started":
                return None
            edge = [e for e in self.logs.edges[bridge] if e.begin <= state.t][-1]
            if last is None or edge.begin > last.begin:
                last = edge
        return last

    def wanted(self, name, edge, state):
        """True: it must run, False: it must not, None: either."""
        logs = self.logs
        if any(edge.begin - 2 * SAME_TIME < o.begin < edge.begin for o in logs.ops_of(name, "crash")):
            return None
        # What a killed nspawn leaves behind is in the way of the next start (systemd 256) until the agent takes it away.
        if any(logs.in_trouble("ctvirtd", o.begin, edge.done or state.t) for o in logs.ops_of(name, "crash")
               if o.begin < edge.begin < o.end + START_LIMIT):
            self.counts["crashed while the agent was not well"] += 1
            return None
        later = [o for o in logs.ops_of(name, "stop", "crash", "start") if edge.begin <= o.end and o.begin <= state.t]
        if later:
            if later[-1].what == "start":
                return True if later[-1].good and later[-1].begin > edge.begin else None
            # One that failed, as when the agent was killed while it was asked, has stopped nothing, or something.
            if later[-1].what == "stop" and later[-1].good and edge.done and later[-1].begin > edge.done + SAME_TIME:
                return False
            return None
        return True if logs.always(name, True, edge.begin, state.t) else None

    def check_running(self, state):
        for name in self.logs.containers:
            edge = self.last_edge(name, state)
            if not edge:
                continue
            wanted = self.wanted(name, edge, state)
            if wanted is None:
                self.counts["not judged"] += not self.logs.always(name, False, edge.begin, state.t)
                continue
            self.counts["judged"] += 1
            if wanted and not state.runs(name):
                unit = state.units.get(name, {})
                self.complain("lost", edge.begin, "%s does not run at %.3f (%s, %s) although %s is ready"
                              % (name, state.t / SEC, unit.get("ActiveState", "not loaded"), unit.get("Result"),
                                 edge.bridge), (name, edge.bridge))
            if not wanted and state.runs(name):
                self.complain("stopped", state.t, "%s runs although it was stopped" % name, (name,))

    def check_plugs(self, state):
        for name, c in self.logs.containers.items():
            if not state.runs(name):
                continue
            for i, bridge in enumerate(c["bridges"]):
                link = "vb%s-%s" % (i or "", name)
                if not state.ready(bridge):
                    continue
                self.counts["links"] += 1
                master = state.links.get(link, (0, False, "no such link"))[2]
                if master != bridge:
                    self.complain("links", state.t, "%s of a running container is on %s, not on %s"
                                  % (link, master, bridge), (name, bridge))

    def check_records(self, state):
        for bridge in NETS:
            if state.ready(bridge):
                if bridge not in state.marked:
                    self.complain("records", state.t, "%s is ready, but there is no marker" % bridge, (bridge,))
                if state.handled.get(bridge) != state.links[bridge][0]:
                    self.complain("records", state.t, "%s has ifindex %d, but the record says %s"
                                  % (bridge, state.links[bridge][0], state.handled.get(bridge)), (bridge,))
            elif NETS[bridge] not in state.nets and bridge in state.marked:
                self.complain("records", state.t, "%s is not ready, but there is a marker" % bridge, (bridge,))

    def check_states(self):
        for e in self.logs.actions:
            if e["kind"] == "unquiet":
                self.complain("quiet", e["t"], "no rest within a minute: " + e["text"][:200])
        for state in self.states:
            self.counts["quiet points"] += 1
            self.check_running(state)
            self.check_plugs(state)
            self.check_records(state)

    # ---- commands and daemons

    def bridge_went(self, o):
        """The start failed because libvirt took its bridge away while it was under way."""
        m = NO_BRIDGE.search(" ".join(o.text.split()))
        return bool(m) and m.group(1) in NETS and any(
            e["net"] == NETS[m.group(1)] and e["op"] == "stopped" and o.begin <= e["t"] <= o.end for e in self.logs.hooks)

    def explained(self, o):
        trouble = self.logs.in_trouble
        if o.of in BRIDGES:
            if LOST_LIBVIRT.search(o.text) and trouble("libvirtd", o.begin, o.end):
                return True
            before = [p for p in self.logs.ops_of(o.of, "net-start", "net-destroy") if p.end <= o.begin]
            # What the last one came to is not known when libvirtd was killed meanwhile.
            return bool(STATE_WORDS.search(o.text) or LEFTOVERS.search(o.text)) and bool(before) and \
                (not before[-1].good or trouble("libvirtd", before[-1].begin, o.end))
        if o.of in self.logs.containers:
            return bool(CONTAINER_WORDS.search(o.text)) or self.bridge_went(o) or \
                (bool(LOST_AGENT.search(o.text)) and trouble("ctvirtd", o.begin, o.end))
        return o.what == "restart" and trouble(o.of, o.begin, o.end)

    def check_commands(self):
        for o in self.logs.ops:
            self.counts["commands"] += 1
            if o.good:
                continue
            self.counts["commands that failed"] += 1
            if not self.explained(o):
                self.complain("commands", o.end, "%s %s (%s): %s" % (o.what, o.of, o.by, " ".join(o.text.split())),
                              (o.of,))

    def check_daemons(self):
        for t, e in self.logs.journal:
            message = str(e.get("MESSAGE"))
            if "Hook script execution failed" in message:
                self.complain("hook", t, message)
            if e.get("UNIT") == "ctvirtd.service" and "Main process exited" in message and "9/KILL" not in message:
                self.complain("agent", t, message)

    def check_growth(self):
        lives = collections.defaultdict(list)
        for e in self.logs.actions:
            numbers = [int(n) for n in e["text"].split()] if e["kind"] == "agent" else []
            if len(numbers) == 3 and numbers[0] > 0:
                lives[numbers[0]].append((e["t"], numbers[1], numbers[2]))
        for pid, seen in lives.items():
            # Tables and buffers of the first round are there to stay.
            first, last = seen[min(1, len(seen) - 1)], seen[-1]
            self.counts["longest life of an agent, in quiet points"] = max(
                self.counts["longest life of an agent, in quiet points"], len(seen))
            if last[1] > first[1] + 3 or last[2] > first[2] + 1024:
                self.complain("growth", last[0], "agent %d: %d -> %d files, %d -> %d KiB in %d quiet points"
                              % (pid, first[1], last[1], first[2], last[2], len(seen)))

    def check_clocks(self):
        offsets = [c[1] for c in self.logs.clocks]
        if max(offsets) - min(offsets) > SEC // 2:
            self.complain("quiet", self.logs.begin, "the clock was set meanwhile: the order of events is not certain")

    # ---- report

    RULES = (
        ("early", "no start before all bridges are ready"),
        ("lost", "none lost: at each quiet point all runs that has to"),
        ("twice", "none started twice in one incarnation"),
        ("late", "no start without a reason"),
        ("disabled", "no start of a disabled container"),
        ("stopped", "no start of a container that the administrator stopped"),
        ("edges", "each incarnation was handled once"),
        ("links", "all links of running containers are on their bridges"),
        ("records", "markers and records are true"),
        ("hook", "the hook never failed"),
        ("commands", "all failures of commands are explained"),
        ("agent", "the agent never ended by itself"),
        ("growth", "the agent does not grow"),
        ("quiet", "all came to rest"),
    )

    def around(self, t, words):
        names = [re.compile(r"\b%s\b" % re.escape(w)) for w in words] + [re.compile(NETS[w]) for w in words if w in NETS]
        for when, who, text in self.all:
            if t - 3 * SEC <= when <= t + 3 * SEC and (who == "storm" or any(n.search(text) for n in names)):
                print("      %10.3f %-11s %s" % (when / SEC, who, text[:180]))

    def report(self):
        for rule, text in self.RULES:
            found = self.complaints.get(rule, [])
            print("%s %s%s" % ("fail" if found else "pass", text, ": %d times not" % len(found) if found else ""))
            for t, complaint, words in found[:20]:
                print("    %10.3f %s" % (t / SEC, complaint))
            if found:
                self.around(found[0][0], found[0][2])
        print(", ".join("%s: %d" % p for p in sorted(self.counts.items())))
        print("%d starts, %d edges" % (len(self.logs.starts), self.counts["edges"]))


def main():
    folder = sys.argv[1]
    verdict = Verdict(Logs(folder))
    with open(os.path.join(folder, "timeline"), "w", encoding="utf-8") as f:
        for t, who, text in verdict.all:
            f.write("%10.3f %-11s %s\n" % (t / SEC, who, text))
    verdict.check_clocks()
    verdict.check_starts()
    verdict.check_edges()
    verdict.check_states()
    verdict.check_commands()
    verdict.check_daemons()
    verdict.check_growth()
    verdict.report()


main()
