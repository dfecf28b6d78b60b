#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A network that takes long to start, because another script in network.d does: what happens to containers, agent and libvirt
# meanwhile, and when that script fails in the end.
# It takes long and runs on one release, unless more is asked for (tests/run --help).
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"

HOOKS=/etc/libvirt/hooks/network.d
NAMESPACE=http://ctvirt.org/schemas/container/1.0

# holding_script NAME [EXIT-STATUS]: at "started" it says so in /root/held, and ends when /root/go is there.
holding_script() {
        put_file "$HOOKS/$1" <<SH
#!/bin/sh
[ "\$2" = started ] || exit 0
touch /root/held
for i in \$(seq 600); do [ -e /root/go ] && exit ${2:-0}; sleep 0.05; done
SH
        on chmod +x "$HOOKS/$1"
}

# begin_start: net-start, up to the point where the script holds it.
begin_start() {
        on 'rm -f /root/held /root/go'
        on 'virsh -q net-start default; echo $? >/root/status' >/dev/null 2>&1 &
        starter=$!
        check "net-start is under way" wait_for 20 on test -e /root/held
}

# end_start [STATUS]: the script goes on, and net-start ends with that status.
end_start() {
        on touch /root/go
        wait "$starter"
        check_equal "net-start has ended" "${1:-0}" "$(on cat /root/status)"
}

fresh() {
        on 'virsh -q net-destroy default' >/dev/null 2>&1 || :
        on "rm -f $HOOKS/10-holds $HOOKS/90-holds; systemctl stop 'systemd-nspawn@*.service'; systemctl reset-failed"
        on journalctl -q --rotate
        on journalctl -q --vacuum-time=1us
}

# repair: as a person would. libvirt 9.0 leaves bridge and dnsmasq behind when a script fails or it is killed.
repair() {
        on 'ip link del virbr0; pkill dnsmasq' >/dev/null 2>&1 || :
}

marker_is_gone() {
        on test ! -e /run/ctvirt/bridges/virbr0
}

plugged() {
        on "ip -o link show $1 | grep -q 'master $2 '"
}

# agent_answers: and that without waiting for libvirt.
agent_answers() {
        timeout 20 "$HOST_PROGRAM" exec "$CURRENT_HOST" --raw -- ctvirt list --all </dev/null
}

# fresh_container NAME: defined, and not enabled, whatever was before.
fresh_container() {
        on "ctvirt -q autostart --disable $1; ctvirt -q undefine $1" >/dev/null 2>&1 || :
        on test -d "/var/lib/machines/$1" || make_container "$1"
        container_xml "$1" default | put_file "/root/$1.xml"
        on ctvirt -q define "/root/$1.xml"
}

host_test_begin "a network that is being started"
use_host H
check "the package is installed" install_ctvirt
check "the agent runs" wait_for 10 agent_is_up
check "web is defined" define_container web default
check "web is enabled" on ctvirt -q autostart web
for name in dropped during off gone; do fresh_container "$name"; done

step "a script before ours takes long: what is enabled when it ends counts"
fresh
holding_script 10-holds
on 'ctvirt -q undefine during; ctvirt -q autostart off; ctvirt -q autostart gone; ctvirt -q autostart dropped'
begin_start
check "the bridge is up" on 'ip -o link show virbr0 | grep -q "[<,]UP[,>]"'
check "the agent answers" agent_answers
check "define" on timeout 20 ctvirt -q define /root/during.xml
check "autostart" on timeout 20 ctvirt -q autostart during
check "autostart --disable" on timeout 20 ctvirt -q autostart --disable off
check "systemctl disable" on timeout 20 systemctl -q disable systemd-nspawn@dropped.service
check "undefine" on timeout 20 ctvirt -q undefine gone
sleep 1
check "there is no marker" marker_is_gone
for name in web during off gone dropped; do check "$name waits" is_not_running "$name"; done
end_start
check_exact web virbr0
check_exact during virbr0
sleep 1
for name in off gone dropped; do check_equal "no start of $name was tried" 0 "$(count_starts "$name")"; done

step "a script after ours takes long: what was enabled when ours ran counts"
fresh
fresh_container during
fresh_container gone
on 'ctvirt -q autostart off; ctvirt -q autostart gone'
on ctvirt -q undefine during
holding_script 90-holds
begin_start
check_exact web virbr0
check_exact off virbr0
check_exact gone virbr0
check "the agent answers" agent_answers
check "what runs can be disabled" on timeout 20 ctvirt -q autostart --disable off
check "what runs can be undefined" on timeout 20 ctvirt -q undefine gone
check "define" on timeout 20 ctvirt -q define /root/during.xml
check "autostart" on timeout 20 ctvirt -q autostart during
sleep 1
check "the marker stays" on test -e /run/ctvirt/bridges/virbr0
check "off runs on" is_running off
check "gone runs on" is_running gone
check "a start by hand works already" on timeout 60 ctvirt -q start during
end_start
for name in web off gone during; do
        check "$name runs" is_running "$name"
        check_equal "$name was started once" 1 "$(count_starts "$name")"
done
check "during is on the bridge" wait_for 5 plugged vb-during virbr0

for position in 10 90; do
        step "the agent is restarted and killed, systemd reloads, units are enabled and disabled in the middle of a start: script $position"
        fresh
        holding_script "$position-holds"
        begin_start
        on 'touch /root/storm; while [ -e /root/storm ]; do systemctl daemon-reload; systemctl -q enable systemd-nspawn@off.service;
                systemctl -q disable systemd-nspawn@off.service; done' >/dev/null 2>&1 &
        storm=$!
        check "the agent is restarted" on timeout 60 systemctl restart ctvirtd.service
        check "the agent answers" agent_answers
        on systemctl kill -s KILL ctvirtd.service
        check "the agent is back" wait_for 20 agent_answers
        if ((position == 10)); then check "web waits" is_not_running web; else check "web runs" wait_for 20 is_running web; fi
        end_start
        check "web runs" wait_for 20 is_running web
        on rm /root/storm
        wait "$storm" || :
        check_exact web virbr0
done

step "libvirt autostarts the network, which takes long, and the agent comes meanwhile"
for position in 10 90; do
        fresh
        holding_script "$position-holds"
        on 'virsh -q net-autostart default; systemctl stop libvirtd.service; rm -f /root/held /root/go; rm -rf /run/libvirt/network/autostarted'
        on systemctl stop ctvirtd.service
        on systemctl --no-block start libvirtd.service
        check "libvirt autostarts" wait_for 20 on test -e /root/held
        check "the agent is started" on timeout 60 systemctl start ctvirtd.service
        check "the agent answers" agent_answers
        sleep 1
        if ((position == 10)); then check "web waits" is_not_running web; else check "web runs" wait_for 10 is_running web; fi
        on touch /root/go
        check "libvirt serves clients" on timeout 60 virsh -q net-list
        check_exact web virbr0
        check "web is on the bridge" wait_for 5 plugged vb-web virbr0
done
on virsh -q net-autostart default --disable

step "a script after ours fails in the end: libvirt takes the network down again"
fresh
make_container stops
container_xml stops default | sed "s#</domain>#<p:on_network_stop xmlns:p='$NAMESPACE'>stop</p:on_network_stop></domain>#" |
        put_file /root/stops.xml
check "a container with the policy \"stop\" is defined" on 'ctvirt -q define /root/stops.xml && ctvirt -q autostart stops'
holding_script 90-holds 1
begin_start
check_exact web virbr0
check_exact stops virbr0
end_start 1
check "the marker goes" wait_for 10 marker_is_gone
check "stops is stopped" wait_for 10 is_not_running stops
check "web runs on" is_running web
repair
on rm "$HOOKS/90-holds"
check "the next net-start" on virsh -q net-start default
check "starts stops" wait_for 10 is_running stops
check "web is on the bridge" wait_for 5 plugged vb-web virbr0
check_equal "stops was started once in each life, web once" "2 1" "$(count_starts stops) $(count_starts web)"

step "the same, and no agent"
on systemctl -q mask --runtime --now ctvirtd.service
fresh
holding_script 90-holds 1
begin_start
# Without an agent nobody clears away what a systemd-nspawn that was stopped too early leaves behind (systemd >= 256).
check "web runs" wait_for 20 is_running web
check "stops runs" wait_for 20 is_running stops
end_start 1
repair
on rm "$HOOKS/90-holds"
on systemctl stop systemd-nspawn@web.service systemd-nspawn@stops.service
check "the next net-start" on virsh -q net-start default
check "starts web" wait_for 10 is_running web
check "and stops" wait_for 10 is_running stops
on systemctl -q unmask --runtime ctvirtd.service
check "the agent is started" on systemctl start ctvirtd.service

step "libvirtd is killed while a script after ours still runs"
fresh
holding_script 90-holds
begin_start
check "web runs" wait_for 10 is_running web
on systemctl kill -s KILL --kill-whom=main libvirtd.service
on touch /root/go
wait "$starter" || :
check "libvirtd is back" wait_for 20 on timeout 20 virsh -q net-list
active=$(on virsh -q net-list --name | grep -cx default || :)
if ((active == 0)); then check "the marker goes" wait_for 20 marker_is_gone; fi
check "web runs on" is_running web
on virsh -q net-destroy default >/dev/null 2>&1 || :
repair
on rm -f "$HOOKS/90-holds"
on systemctl stop systemd-nspawn@web.service
check "the next net-start" on virsh -q net-start default
check "starts web" wait_for 10 is_running web
check "no unit has failed" no_failed_units
finish
