#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What follows a network's start and stop: containers with the policy "stop", services ordered after the targets of network
# and bridge, and ctvirt net-wait; with agent and hook, and with the hook alone.
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"

NAMESPACE=http://ctvirt.org/schemas/container/1.0

# define_stopping NAME NETWORK
define_stopping() {
        make_container "$1"
        container_xml "$@" | sed "s#</domain>#  <p:on_network_stop xmlns:p='$NAMESPACE'>stop</p:on_network_stop>\n</domain>#" |
                put_file "/root/$1.xml"
        on ctvirt -q define "/root/$1.xml"
}

# service NAME TARGET REQUIREMENT: follows the target both ways.
service() {
        printf '%s\n' '[Unit]' "After=$2" "$3=$2" '[Service]' 'Type=oneshot' 'RemainAfterExit=yes' \
                "ExecStart=/bin/systemctl is-active $2" "ExecStop=/bin/true" '[Install]' "WantedBy=$2" |
                put_file "/etc/systemd/system/$1.service"
        on systemctl -q enable "$1.service"
}

is_active() {
        on systemctl -q is-active "$1"
}

is_inactive() {
        [[ $(on systemctl is-active "$1") == inactive ]]
}

pid_of() {
        on systemctl show -P MainPID "systemd-nspawn@$1.service"
}

# entered UNIT: when it last became active.
entered() {
        on systemctl show -P ActiveEnterTimestampMonotonic "$1"
}

check_up() {
        check "stops runs" wait_for 15 is_running stops
        check "keeps runs" wait_for 15 is_running keeps
        check "the network's target is reached" wait_for 5 is_active ctvirt-network@default.target
        check "the bridge's target is reached" wait_for 5 is_active ctvirt-bridge@virbr0.target
        check "the service after the network's target runs" wait_for 5 is_active after-network.service
        check "the service after the bridge's target runs" wait_for 5 is_active after-bridge.service
        check "they began in order" test "$(entered ctvirt-network@default.target)" -le "$(entered after-network.service)" \
                -a "$(entered ctvirt-bridge@virbr0.target)" -le "$(entered after-bridge.service)"
}

check_down() {
        check "stops is stopped" wait_for 15 is_inactive systemd-nspawn@stops.service
        check "the network's target is left" wait_for 5 is_inactive ctvirt-network@default.target
        check "the bridge's target is left" wait_for 5 is_inactive ctvirt-bridge@virbr0.target
        check "the service after the network's target is stopped" wait_for 5 is_inactive after-network.service
        check "the service after the bridge's target is stopped" wait_for 5 is_inactive after-bridge.service
        check_equal "keeps was not touched" "$keeps_pid" "$(pid_of keeps)"
}

# up_and_down: the whole way, twice.
up_and_down() {
        local keeps_pid
        check "net-start" on virsh -q net-start default
        check_up
        keeps_pid=$(pid_of keeps)
        check "net-destroy" on virsh -q net-destroy default
        check_down
        check "net-start again" on virsh -q net-start default
        check_up
        check_equal "keeps runs on" "$keeps_pid" "$(pid_of keeps)"
        check "net-destroy and net-start at once" on 'virsh -q net-destroy default && virsh -q net-start default'
        sleep 1
        check_up
        check_equal "keeps runs on" "$keeps_pid" "$(pid_of keeps)"
        check "no unit has failed" no_failed_units
}

# undisturbed TEXT COMMAND...: neither container is stopped or started by it.
undisturbed() {
        local text=$1 before after
        shift
        before="$(pid_of stops) $(pid_of keeps)"
        check "$text" "$@"
        sleep 1.5
        after="$(pid_of stops) $(pid_of keeps)"
        check_equal "$text: the containers run on" "$before" "$after"
        check "$text: the network's target stays" is_active ctvirt-network@default.target
}

host_test_begin "what follows a network"
use_host H
check "the package is installed" install_ctvirt
check "the agent runs" wait_for 10 agent_is_up
check "keeps is defined" define_container keeps default
check "stops is defined" define_stopping stops default
check "autostart" on 'ctvirt -q autostart keeps && ctvirt -q autostart stops'
check "dumpxml has the policy" on 'ctvirt dumpxml stops | grep -F "<ct:on_network_stop>stop</ct:on_network_stop>"'
check "what dumpxml says can be defined again" on 'ctvirt dumpxml stops >/root/again.xml && ctvirt -q define --validate /root/again.xml'
check_equal "a container without the policy has no part in it" machines.target \
        "$(on systemctl show -P PartOf systemd-nspawn@keeps.service)"
check "a service after the network's target" service after-network ctvirt-network@default.target Requisite
check "a service after the bridge's target" service after-bridge ctvirt-bridge@virbr0.target Requires

step "net-wait"
check_equal "it gives up in time" "error: network 'default' is not ready after 1 s" \
        "$(on 'ctvirt net-wait default --timeout 1 2>&1 | grep error')"
check_not "and fails" on ctvirt net-wait default --timeout 1
check_not "the service after the network is not started by hand before the network" on systemctl start after-network.service
on 'systemd-run -q --unit=waiter -p StandardOutput=file:/root/waiter.out ctvirt net-wait default later --timeout 60'
sleep 0.5
check "the agent is restarted meanwhile" on systemctl restart ctvirtd.service
check "net-start" on virsh -q net-start default
check "the first network is said to be ready at once" wait_for 3 on grep -qx 'Network default is ready' /root/waiter.out
check "and it waits for the other, which does not exist yet" is_active waiter.service
check "that one is defined" define_network later virbr9 192.168.199
check "and started" on virsh -q net-start later
check "that was all" wait_for 5 is_inactive waiter.service
check "it said so" on grep -qx 'Network later is ready' /root/waiter.out
check "now both are ready at once" on timeout 20 ctvirt net-wait later default
check "by uuid too" on 'timeout 20 ctvirt net-wait "$(virsh net-uuid default | head -n 1)"'

step "agent and hook"
check_up
check "net-destroy" on virsh -q net-destroy default
check "stops is stopped" wait_for 15 is_inactive systemd-nspawn@stops.service
check "keeps runs" is_running keeps
up_and_down

step "what is no stop of the network"
undisturbed "the agent is restarted" on systemctl restart ctvirtd.service
undisturbed "systemd reloads" on systemctl daemon-reload
undisturbed "libvirtd is restarted" on systemctl restart libvirtd.service
undisturbed "the link goes down for a moment" on 'ip link set virbr0 down; sleep 0.3; ip link set virbr0 up'

step "a container that an administrator has stopped"
check "stops is stopped" on systemctl stop systemd-nspawn@stops.service
check "the agent is restarted" on systemctl restart ctvirtd.service
sleep 1
check "it stays stopped" is_not_running stops
check "net-destroy and net-start" on 'virsh -q net-destroy default && virsh -q net-start default'
check_up

step "the hook alone"
check "the agent is masked" on systemctl -q mask --now ctvirtd.service
check "net-destroy" on virsh -q net-destroy default
check "stops is stopped" wait_for 15 is_inactive systemd-nspawn@stops.service
up_and_down
finish
