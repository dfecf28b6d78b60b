#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The system bus is stopped; the agent has no file descriptors left, and there is no hook.
# It takes long and runs on one release, unless more is asked for (tests/run --help).
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"

HOOK=/etc/libvirt/hooks/network.d/50-ctvirt

fresh() {
        on 'virsh -q net-destroy default' >/dev/null 2>&1 || :
        on "systemctl stop 'systemd-nspawn@*.service'; systemctl reset-failed"
        on journalctl -q --rotate
        on journalctl -q --vacuum-time=1us
}

agent_pid() {
        on systemctl show -P MainPID ctvirtd.service
}

has_no_bus() {
        on 'journalctl -b -u ctvirtd.service -o cat | tail -n 20 | grep -q "system bus"'
}

has_failed() {
        on systemctl -q is-failed "systemd-nspawn@$1.service"
}

# Masked, as libvirtd's and the agent's start would bring it back. libvirtd ends when it loses the bus (11), or does without
# (9); one that is just ending would take its time with the next client.
stop_bus() {
        on 'systemctl -q mask --runtime dbus.socket dbus.service; systemctl stop dbus.socket dbus.service' >/dev/null 2>&1
        on systemctl restart libvirtd.service
}

start_bus() {
        on 'systemctl -q unmask --runtime dbus.socket dbus.service; systemctl start dbus.socket dbus.service'
}

host_test_begin "no system bus, no file descriptors"
use_host H
check "the package is installed" install_ctvirt
check "web is defined" define_container web default
check "web is enabled" on ctvirt -q autostart web
# nspawn tells machined of its containers over the system bus, and fails without one; not if it is told not to.
foreign_container quiet virbr0
put_file /etc/systemd/system/systemd-nspawn@quiet.service.d/10-quiet.conf <<'CONF'
[Service]
ExecStart=
ExecStart=systemd-nspawn --quiet --keep-unit --boot --register=no --network-bridge=virbr0 -U --settings=override --machine=%i
CONF
on systemctl daemon-reload
pid=$(agent_pid)

step "the system bus is stopped"
fresh
stop_bus
check "the agent has noticed" wait_for 10 has_no_bus
check "net-start" on virsh -q net-start default
check "the marker is there" test -n "$(marker_value virbr0 IFINDEX)"
check "a container that needs no bus is started" wait_for 20 is_running quiet
check "one that needs it fails" wait_for 20 has_failed web
check "net-destroy" on virsh -q net-destroy default
check "the marker is gone" on test ! -e /run/ctvirt/bridges/virbr0
check "net-start again" on virsh -q net-start default
check "the marker is there" test -n "$(marker_value virbr0 IFINDEX)"
check "it fails again" wait_for 20 has_failed web
check_equal "the agent is the same" "$pid" "$(agent_pid)"
start_bus
check "the agent is back on the bus" wait_for 20 on ctvirt list --all
check "what could not be started without the bus is started" wait_for 30 is_running web
check "quiet runs on" is_running quiet
check_equal "quiet was started once" 1 "$(count_starts quiet)"
check "its link is on the bridge" wait_for 5 on "ip -o link show vb-quiet | grep -q 'master virbr0 '"

step "the agent is started while there is no system bus"
fresh
stop_bus
on systemctl stop ctvirtd.service
check "the agent is started" on timeout 60 systemctl start ctvirtd.service
check "net-start" on virsh -q net-start default
check "quiet is started" wait_for 20 is_running quiet
check "web fails" wait_for 20 has_failed web
start_bus
check "the agent is on the bus" wait_for 40 on ctvirt list --all
check "and web is started" wait_for 30 is_running web

step "the agent has no file descriptors left, and there is no hook"
on 'systemctl restart libvirtd.service; virsh -q net-list >/dev/null'
fresh
on systemctl restart ctvirtd.service
on chmod -x "$HOOK"
check "the agent has found libvirt" wait_for 15 on 'ctvirt net-list --all | grep -q default'
pid=$(agent_pid)
on "prlimit --pid $pid --nofile=3:16384"
check "net-start" on virsh -q net-start default
check "the agent lives" on test -d "/proc/$pid"
on "prlimit --pid $pid --nofile=16384:16384"
check "web runs when it has some again" wait_for 45 is_running web
check_equal "web was started once" 1 "$(count_starts web)"
check_equal "by the same agent" "$pid" "$(agent_pid)"
check "which answers" on ctvirt list --all
check "no unit has failed" no_failed_units
finish
