#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Daemons that come, go, crash and freeze around the start of a network.
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"

HOOK=/etc/libvirt/hooks/network.d/50-ctvirt

# Down and forgotten, so that counts begin anew.
fresh() {
        on 'virsh -q net-destroy default' >/dev/null 2>&1 || :
        on systemctl stop systemd-nspawn@web.service
        on journalctl -q --rotate
        on journalctl -q --vacuum-time=1us
}

host_test_begin "daemons around the start of a network"
use_host H
check "the package is installed" install_ctvirt
check "web is defined" define_container web default
check "web is enabled" on ctvirt -q autostart web

step "SIGHUP starts an autostart network without an event"
on virsh -q net-autostart default
check "libvirtd reloads" on systemctl reload libvirtd.service
check_exact web virbr0
on virsh -q net-autostart default --disable

step "SIGHUP, and no hook"
fresh
on chmod -x "$HOOK"
on virsh -q net-autostart default
check "libvirtd reloads" on systemctl reload libvirtd.service
check_exact web virbr0
on chmod +x "$HOOK"
on virsh -q net-autostart default --disable
on systemctl restart libvirtd.service

step "the agent is started before libvirtd"
fresh
on 'systemctl stop libvirtd.service libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket'
on systemctl restart ctvirtd.service
check "the agent is up without libvirt" agent_is_up
check "and answers" on ctvirt list --all
on 'systemctl start libvirtd.socket libvirtd.service'
check "net-start" on virsh -q net-start default
check_exact web virbr0
check "the agent has found libvirt" wait_for 15 on 'ctvirt net-list | grep -q default'

step "the network is bounced while the agent is down"
on systemctl stop ctvirtd.service
on 'virsh -q net-destroy default && virsh -q net-start default'
check "the hook has marked the new bridge" test -n "$(marker_value virbr0 IFINDEX)"
check "the agent starts" on systemctl start ctvirtd.service
check "and puts the link on the new bridge" wait_for 5 on "ip -o link show vb-web | grep -q 'master virbr0 '"
check_equal "web was not started again" 1 "$(count_starts web)"

step "net-start while the agent is frozen"
fresh
on systemctl kill -s STOP ctvirtd.service
in_time "net-start" on virsh -q net-start default
check_exact web virbr0
on systemctl kill -s CONT ctvirtd.service
check "the agent goes on" wait_for 5 on ctvirt list
check_equal "web was started once" 1 "$(count_starts web)"

step "the agent is killed again and again"
fresh
on 'for i in 1 2 3; do systemctl kill -s KILL ctvirtd.service; sleep 0.7; done'
in_time "net-start" on virsh -q net-start default
check_exact web virbr0
check "the agent is back" wait_for 10 on ctvirt list

step "libvirtd freezes while the agent asks it"
on systemctl kill -s STOP libvirtd.service
check "the agent answers" timeout 20 "$HOST_PROGRAM" exec "$CURRENT_HOST" --raw -- ctvirt list --all
check "a container can be stopped and started" on 'ctvirt destroy web && ctvirt start web'
on systemctl kill -s CONT libvirtd.service

step "libvirtd dies"
on systemctl kill -s KILL libvirtd.service
check "the agent stays" agent_is_up
check "web stays" is_running web
check "the marker stays" on test -e /run/ctvirt/bridges/virbr0
check "libvirt is found again" wait_for 20 on 'ctvirt net-list | grep -q default'
fresh
check "net-start" on virsh -q net-start default
check_exact web virbr0

step "the system bus is restarted"
on 'systemctl restart dbus.service'
check "the agent comes back to the bus" wait_for 20 on ctvirt list --all
# It went down with the bus. If it is down when web ends it takes web for running when it is called for the next start, and
# refuses that one ("Machine 'web' already exists"; what the agent does then: test-heal).
check "systemd-machined is back" on machinectl show web
fresh
check "net-start" on virsh -q net-start default
check_exact web virbr0

step "the hook's order is lost: it is on record, and nothing was started"
on 'sed "s/^WITNESS=.*/WITNESS=hook/" /run/ctvirt/bridges/virbr0 >/root/marker; cp /run/ctvirt/handled/virbr0 /root/handled'
fresh
on systemctl kill -s STOP ctvirtd.service
on mv $HOOK /root/hook
check "net-start" on virsh -q net-start default
on 'i=$(cat /sys/class/net/virbr0/ifindex); for f in handled bridges; do
        sed "s/^IFINDEX=.*/IFINDEX=$i/" "/root/$(test $f = handled && echo handled || echo marker)" >/run/ctvirt/$f/.virbr0
        mv /run/ctvirt/$f/.virbr0 /run/ctvirt/$f/virbr0; done'
on systemctl kill -s CONT ctvirtd.service
check "the agent starts web" wait_for 15 is_running web
check "and says why" on 'journalctl -q -u ctvirtd.service | grep -q "has not started them; ordering it again"'
check_exact web virbr0
on mv /root/hook $HOOK

step "another witness is at the same edge"
# It holds the lock of the bridge, and PID 1 has enough to do with that one.
agent_sockets() {
        on 'ls -l /proc/$(systemctl show -P MainPID ctvirtd.service)/fd | grep -c socket:'
}
fresh
on mv $HOOK /root/hook
sleep 2
before=$(agent_sockets)
on 'systemd-run -q --unit witness flock -x /run/ctvirt/lock/virbr0 sleep infinity'
check "net-start" on virsh -q net-start default
sleep 1
check_equal "the agent has no connection more" "$before" "$(agent_sockets)"
check "nothing was started" is_not_running web
on systemctl stop witness.service
check "when that one is gone the agent starts web" wait_for 15 is_running web
check_exact web virbr0
on mv /root/hook $HOOK

step "a script that fails after ours: libvirt takes the network down again"
fresh
printf '#!/bin/sh\n[ "$2" != started ]\n' | put_file /etc/libvirt/hooks/network.d/90-fails
on chmod +x /etc/libvirt/hooks/network.d/90-fails
check_not "net-start fails" on virsh -q net-start default
on rm /etc/libvirt/hooks/network.d/90-fails
# libvirt 9.0 leaves bridge and dnsmasq behind.
on 'ip link show virbr0 >/dev/null 2>&1 && { ip link del virbr0; pkill dnsmasq; }; true'
check "the marker is gone" wait_for 10 on test ! -e /run/ctvirt/bridges/virbr0
on systemctl stop systemd-nspawn@web.service
on systemctl reset-failed
check "the next net-start" on virsh -q net-start default
check "starts web" wait_for 10 is_running web
finish
