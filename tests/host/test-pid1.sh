#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# PID 1 does not answer: it is in a long reload, or stopped. How long libvirt waits for the hook then is seen in the alarms
# that the hook sets for itself, which the kernel keeps whatever else the machine does; and by what ends first.
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"

HOOK=/etc/libvirt/hooks/network.d/50-ctvirt
# Before it knows of an agent; then what it has for its work; then for its line in the journal (hooks/deadline.h).
ALARMS_WITH_AGENT="5250000 500000 250000"
ALARMS_ALONE="5250000 5250000 250000"

fresh() {
        on 'virsh -q net-destroy default' >/dev/null 2>&1 || :
        on systemctl stop systemd-nspawn@web.service
        on systemctl reset-failed
        on journalctl -q --rotate
        on journalctl -q --vacuum-time=1us
}

# hold_pid1: a reload that lasts until release_pid1.
hold_pid1() {
        on rm -f /root/go
        on 'systemctl daemon-reload; echo $? >/root/status' &
        reloader=$!
        # Nothing that a generator writes elsewhere than in its folders is seen outside (systemd >= 254).
        check "systemd reloads" wait_for 20 on pgrep -f system-generators/slow
}

release_pid1() {
        check "and still does" on pgrep -f system-generators/slow
        on touch /root/go
        wait "$reloader"
        check_equal "the reload has ended well" 0 "$(on cat /root/status)"
}

# trace_hook INPUT: the hook, called as libvirt does; what it was is in /root/trace then.
trace_hook() {
        put_file /root/hook.xml <<<"<hookData><network><name>default</name><bridge name='virbr0'/></network></hookData>"
        on_stdin sh -c "strace -f -o /root/trace -e trace=setitimer,exit_group $HOOK default started begin - <$1"
}

# In µs, one after the other.
alarms() {
        on cat /root/trace | sed -nE 's/.*setitimer\(ITIMER_REAL, .*it_value=\{tv_sec=([0-9]+), tv_usec=([0-9]+)\}.*/\1 \2/p' |
                awk '{ printf "%s%d", n++ ? " " : "", $1 * 1000000 + $2 }'
}

host_test_begin "PID 1 does not answer"
use_host H
check "the package is installed" install_ctvirt
check "web is defined" define_container web default
check "web is enabled" on ctvirt -q autostart web
put_file /etc/systemd/system-generators/slow <<'SH'
#!/bin/sh
[ -e /root/slow ] || exit 0
for i in $(seq 1200); do [ -e /root/go ] && exit 0; sleep 0.05; done
SH
on 'chmod +x /etc/systemd/system-generators/slow; touch /root/slow'

step "all is well"
check "net-start" on virsh -q net-start default
check "web runs" wait_for 10 is_running web
check "the hook ends well" trace_hook /root/hook.xml
check_equal "its alarms with an agent" "$ALARMS_WITH_AGENT" "$(alarms)"

step "a long reload, and an agent"
fresh
hold_pid1
check "net-start" on virsh -q net-start default
check "the marker is there" test -n "$(marker_value virbr0 IFINDEX)"
check "the hook ends well" trace_hook /root/hook.xml
check_equal "its alarms" "$ALARMS_WITH_AGENT" "$(alarms)"
check "web waits" on test ! -e /sys/class/net/vb-web
check "net-destroy" on virsh -q net-destroy default
check "the marker is gone" on test ! -e /run/ctvirt/bridges/virbr0
check "net-start again" on virsh -q net-start default
release_pid1
check "web runs" wait_for 20 is_running web
check_equal "web was started once" 1 "$(count_starts web)"
check_equal "no start of web failed" 0 "$(count_failures web)"

step "a stop that the agent has in hand comes late: it was frozen before PID 1 let it in"
fresh
check "net-start" on virsh -q net-start default
check "web runs" wait_for 10 is_running web
# The agent closes its line to PID 1 when it was idle for a second.
sleep 2
hold_pid1
check "net-destroy" on virsh -q net-destroy default
check "the marker is gone" on test ! -e /run/ctvirt/bridges/virbr0
on pkill -STOP -x ctvirtd
release_pid1
check "net-start again" on virsh -q net-start default
check "the bridge is told to be ready" wait_for 10 on systemctl -q is-active ctvirt-bridge@virbr0.target
on pkill -CONT -x ctvirtd
check "the agent knows better than its stop" wait_for 10 on 'journalctl -q -u ctvirtd.service | grep -q "queued again, behind the stop"'
check "the bridge is told to be ready again" wait_for 10 on systemctl -q is-active ctvirt-bridge@virbr0.target
check "web runs still" is_running web

step "a long reload, and no agent"
fresh
on systemctl -q stop ctvirtd.service
hold_pid1
check "the hook ends well" trace_hook /root/hook.xml
on 'virsh -q net-start default; echo $? >/root/started' &
starter=$!
check "the hook has written the marker" wait_for 20 on test -e /run/ctvirt/bridges/virbr0
release_pid1
wait "$starter"
check_equal "net-start has succeeded" 0 "$(on cat /root/started)"
check "web runs" wait_for 20 is_running web
check_equal "web was started once" 1 "$(count_starts web)"
check_equal "no start of web failed" 0 "$(count_failures web)"

step "PID 1 is stopped, and no agent: the hook ends by itself, and the agent does the rest"
fresh
on rm /root/slow
leader=$(host status | awk '$1 == "leader" { print $2 }')
kill -STOP "$leader"
check "net-start" on virsh -q net-start default
check "the marker is there" test -n "$(marker_value virbr0 IFINDEX)"
check "the hook ends well" trace_hook /root/hook.xml
check_equal "its alarms" "$ALARMS_ALONE" "$(alarms)"
kill -CONT "$leader"
check "the agent is started" on systemctl start ctvirtd.service
check_exact web virbr0

step "the alarm itself"
on 'mkfifo /root/endless; sleep 1000 >/root/endless & echo $! >/root/writer'
check "an input without end: the hook ends well" trace_hook /root/endless
check_equal "its alarms, and no work" "${ALARMS_WITH_AGENT% *}" "$(alarms)"
check "by the alarm" on grep -q SIGALRM /root/trace
on 'kill "$(cat /root/writer)"'
check "no unit has failed" no_failed_units
finish
