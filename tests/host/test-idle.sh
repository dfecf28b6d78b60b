#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A libvirtd that ends when it is idle (--timeout), and comes back by its socket: what the agent does to that, and that no
# network, marker or container suffers from it.
# It takes long and runs on one release, unless more is asked for (tests/run --help).
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"

libvirtd_pid() {
        on systemctl show -P MainPID libvirtd.service
}

# libvirt 11 can lock itself up at its end (nodeStateShutdownWait in src/node_device/node_device_udev.c joins a thread that waits
# for the lock that the joiner holds) and gives up after 30 s, with an error.
LIBVIRTD_ENDS_S=90

libvirtd_has_ended() {
        [[ $(on systemctl show -P ActiveState libvirtd.service) == @(inactive|failed) ]]
}

# Since version 11 (and not yet 9) an active network keeps libvirtd alive.
active_network_keeps_alive() {
        dpkg --compare-versions "$(on dpkg-query -W -f '${Version}' libvirt-daemon)" ge 11
}

plugged() {
        on "ip -o link show $1 | grep -q 'master $2 '"
}

host_test_begin "a libvirtd that ends when it is idle"
use_host H
check "the package is installed" install_ctvirt
check "web is defined" define_container web default
check "web is enabled" on ctvirt -q autostart web
printf '[Service]\nEnvironment="LIBVIRTD_ARGS=--timeout 1"\n' | put_file /etc/systemd/system/libvirtd.service.d/idle.conf
on 'systemctl daemon-reload && systemctl restart libvirtd.service'

step "the agent is connected"
check "the agent has found libvirt" wait_for 15 on 'ctvirt net-list --all | grep -q default'
pid=$(libvirtd_pid)
sleep 3
check_equal "which keeps libvirtd alive" "$pid" "$(libvirtd_pid)"
check "net-start" on virsh -q net-start default
check_exact web virbr0
check "net-destroy" on virsh -q net-destroy default
check "web is stopped" on systemctl stop systemd-nspawn@web.service

step "no agent: libvirtd ends, and the next command starts it"
on systemctl -q stop ctvirtd.service
check "libvirtd ends" wait_for "$LIBVIRTD_ENDS_S" libvirtd_has_ended
check "net-start" on virsh -q net-start default
check "web runs" wait_for 10 is_running web
check_equal "the hook was the witness" hook "$(marker_value virbr0 WITNESS)"
starts=$(count_starts web)
if active_network_keeps_alive; then
        pid=$(libvirtd_pid)
        sleep 3
        check_equal "an active network keeps libvirtd alive" "$pid" "$(libvirtd_pid)"
        on systemctl stop libvirtd.service 2>/dev/null
fi
check "libvirtd ends" wait_for "$LIBVIRTD_ENDS_S" libvirtd_has_ended
check "the marker stays" on test -e /run/ctvirt/bridges/virbr0
check "web runs on" is_running web
check "a command starts it" on virsh -q net-list
if ! active_network_keeps_alive; then check "libvirtd ends again" wait_for "$LIBVIRTD_ENDS_S" libvirtd_has_ended; fi

step "the agent comes while libvirtd has ended"
on 'systemctl stop libvirtd.service' 2>/dev/null
check "the agent is started" on systemctl start ctvirtd.service
check "it has found libvirt by its socket" wait_for 15 on 'ctvirt net-list | grep -q default'
check "the marker is there" on test -e /run/ctvirt/bridges/virbr0
check_equal "web was not started again" "$starts" "$(count_starts web)"

step "the network is bounced by a libvirtd that ends afterwards, and the agent is away"
on systemctl -q stop ctvirtd.service
on 'virsh -q net-destroy default && virsh -q net-start default'
on 'systemctl stop libvirtd.service' 2>/dev/null
check "the agent is started" on systemctl start ctvirtd.service
check "web's link is on the new bridge" wait_for 10 plugged vb-web virbr0
check "libvirtd is up by the agent" wait_for 15 on 'ctvirt net-list | grep -q default'
check_equal "web was not started again" "$starts" "$(count_starts web)"

step "libvirtd is away for longer than the agent's patience with it, network and bridge gone and back"
pid=$(on systemctl show -P MainPID ctvirtd.service)
on 'systemctl stop libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd.service'
# The agent's attempts are further apart each time.
sleep 4
check "the agent answers" on ctvirt list --all
check "the marker stays" on test -e /run/ctvirt/bridges/virbr0
check "web runs on" is_running web
on 'systemctl start libvirtd.socket libvirtd.service'
check "net-destroy" on virsh -q net-destroy default
on systemctl stop systemd-nspawn@web.service
check "net-start" on virsh -q net-start default
check "web runs" wait_for 10 is_running web
check "the agent has found libvirt" wait_for 40 on 'ctvirt net-list | grep -q default'
check_equal "web was started once more" $((starts + 1)) "$(count_starts web)"
check_equal "the agent is the same" "$pid" "$(on systemctl show -P MainPID ctvirtd.service)"
check "no unit has failed" no_failed_units
finish
