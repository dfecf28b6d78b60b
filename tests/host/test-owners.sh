#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Bridges that systemd-networkd and NetworkManager own, and that nobody told libvirt about: existing at boot, appearing later,
# going and coming; with an agent, and with neither agent nor hook.
# It takes long and runs on one release, unless more is asked for (tests/run --help).
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"

HOOK=/etc/libvirt/hooks/network.d/50-ctvirt

plugged() {
        on "ip -o link show $1 | grep -q 'master $2 '"
}

# ungated CONTAINER
ungated() {
        ! on "systemctl cat systemd-nspawn@$1.service | grep -q /run/ctvirt/bridges"
}

host_test_begin "bridges of systemd-networkd and NetworkManager"
use_host H
check "the package is installed" install_ctvirt
check "the agent runs" wait_for 10 agent_is_up

step "systemd-networkd makes a bridge"
printf '[NetDev]\nName=brnd\nKind=bridge\n' | put_file /etc/systemd/network/10-brnd.netdev
printf '[Match]\nName=brnd\n[Network]\nAddress=192.168.180.1/24\nConfigureWithoutCarrier=yes\n[Link]\nRequiredForOnline=no-carrier\n' |
        put_file /etc/systemd/network/10-brnd.network
foreign_container nd brnd
check "its container has no gate" ungated nd
check "and waits" is_not_running nd
check "networkd is started" on systemctl start systemd-networkd.service
check_equal "it owns the bridge" yes "$(wait_for 10 on test -e /sys/class/net/brnd && echo yes)"
check "the container is started" wait_for 15 is_running nd
check_equal "once" 1 "$(count_starts nd)"
check "its link is on the bridge" wait_for 5 plugged vb-nd brnd
check "networkd is restarted" on systemctl restart systemd-networkd.service
check "the bridge is deleted, and made again by networkd" on 'ip link del brnd; networkctl reload; systemctl restart systemd-networkd.service'
check "its link is on the new bridge" wait_for 10 plugged vb-nd brnd
check_equal "it was not started again" 1 "$(count_starts nd)"

step "NetworkManager makes a bridge"
# Without carrier it would wait for a first port.
on mkdir -p /etc/NetworkManager/conf.d
printf '[main]\nplugins=keyfile\n[keyfile]\nunmanaged-devices=interface-name:virbr*;interface-name:v*;interface-name:brnd;interface-name:host0\n' |
        put_file /etc/NetworkManager/conf.d/test.conf
foreign_container nm brnm
check "its container has no gate" ungated nm
check "NetworkManager is started" on systemctl start NetworkManager.service
sleep 1
check "the container waits" is_not_running nm
check "a bridge is added" on nmcli -w 20 connection add type bridge con-name brnm ifname brnm bridge.stp no ipv4.method manual \
        ipv4.addresses 192.168.181.1/24 ipv6.method disabled
check "the container is started" wait_for 20 is_running nm
check_equal "once" 1 "$(count_starts nm)"
check "its link is on the bridge" wait_for 5 plugged vb-nm brnm
check "the bridge goes" on nmcli -w 20 connection down brnm
check "the container stays" is_running nm
check "and comes" on nmcli -w 20 connection up brnm
check "its link is on the new bridge" wait_for 10 plugged vb-nm brnm
check_equal "it was not started again" 1 "$(count_starts nm)"

step "a libvirt network starts and stops meanwhile"
check "net-start and net-destroy" on 'virsh -q net-start default && virsh -q net-destroy default'
check "both run" on 'systemctl -q is-active systemd-nspawn@nd.service systemd-nspawn@nm.service'
check_equal "their links are on their bridges" "yes yes" \
        "$(plugged vb-nd brnd && echo yes) $(plugged vb-nm brnm && echo yes)"

step "at boot: neither agent nor hook"
on 'systemctl -q enable systemd-networkd.service NetworkManager.service NetworkManager-wait-online.service; systemctl -q mask ctvirtd.service'
on chmod -x "$HOOK"
check "reboot" host reboot
check "nd runs" wait_for 20 is_running nd
check "nm runs" wait_for 20 is_running nm
check_equal "each started once, and none failed" "1 0 1 0" \
        "$(count_starts nd) $(count_failures nd) $(count_starts nm) $(count_failures nm)"

step "at boot: with the agent"
on 'systemctl -q unmask ctvirtd.service; systemctl -q enable ctvirtd.service'
check "reboot" host reboot
check "nd runs" wait_for 20 is_running nd
check "nm runs" wait_for 20 is_running nm
check_equal "each started once, and none failed" "1 0 1 0" \
        "$(count_starts nd) $(count_failures nd) $(count_starts nm) $(count_failures nm)"
finish
