#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every kind of network: nat, route, open, isolated, IPv6 only without dnsmasq, transient, on a bridge of the host; and a
# network or a bridge that gets another name.
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"

# raw_network NAME REST-OF-XML: defines it.
raw_network() {
        printf "<network><name>%s</name>%s</network>\n" "$1" "$2" | put_file "/root/net-$1.xml"
        on virsh -q net-define "/root/net-$1.xml"
}

# container_on NAME NETWORK: defined and enabled.
container_on() {
        define_container "$1" "$2" && on ctvirt -q autostart "$1"
}

plugged() {
        on "ip -o link show $1 | grep -q 'master $2 '"
}

host_test_begin "every kind of network"
use_host H
check "the package is installed" install_ctvirt
check "the agent runs" wait_for 10 agent_is_up

step "kinds that libvirt makes a bridge for"
number=10
for kind in nat route open isolated ipv6; do
        case $kind in
        isolated) forward= ;;
        ipv6) forward= ;;
        *) forward="<forward mode='$kind'/>" ;;
        esac
        ip="<ip address='192.168.$number.1' netmask='255.255.255.0'/>"
        [[ $kind != ipv6 ]] || ip="<ip family='ipv6' address='fd00:10::1' prefix='64'/>"
        check "$kind: defined" raw_network "$kind" "$forward<bridge name='vbr-$kind' stp='off' delay='0'/>$ip"
        check "$kind: its container is defined" container_on "ct-$kind" "$kind"
        check "$kind: net-start" on virsh -q net-start "$kind"
        check_exact "ct-$kind" "vbr-$kind"
        check "$kind: the link is on the bridge" wait_for 5 plugged "vb-ct-$kind" "vbr-$kind"
        number=$((number + 1))
done

step "a transient network (net-create), which nobody knew before"
make_container ct-transient
container_xml ct-transient passing | put_file /root/ct-transient.xml
check "its container is defined, with a warning" on 'ctvirt define /root/ct-transient.xml 2>&1 | grep -q passing'
check "and enabled" on ctvirt -q autostart ct-transient
echo "<network><name>passing</name><bridge name='vbr-passing' stp='off' delay='0'/><ip address='192.168.40.1' netmask='255.255.255.0'/></network>" | put_file /root/passing.xml
check "net-create" on virsh -q net-create /root/passing.xml
check_exact ct-transient vbr-passing
check "gone and created again" on 'virsh -q net-destroy passing && virsh -q net-create /root/passing.xml'
check "the link is on the new bridge" wait_for 5 plugged vb-ct-transient vbr-passing

step "a network on a bridge of the host"
check "the bridge is there" on 'ip link add hostbr type bridge && ip link set hostbr up'
check "the network is defined" raw_network onhost "<forward mode='bridge'/><bridge name='hostbr'/>"
check "its container is defined" container_on ct-onhost onhost
sleep 1
check "it waits for the network, though the bridge is up" is_not_running ct-onhost
check "net-start" on virsh -q net-start onhost
check_exact ct-onhost hostbr
on systemctl stop systemd-nspawn@ct-onhost.service
check "net-destroy and net-start, the same bridge" on 'virsh -q net-destroy onhost && virsh -q net-start onhost'
check "start it again" wait_for 10 is_running ct-onhost

step "a bridge of the host that appears after its network has started"
check "the network is defined" raw_network before "<forward mode='bridge'/><bridge name='latebr'/>"
check "its container is defined" container_on ct-before before
check "libvirt starts the network without the bridge" on virsh -q net-start before
sleep 1
check "the container waits" is_not_running ct-before
check "the bridge appears" on 'ip link add latebr type bridge && ip link set latebr up'
check_exact ct-before latebr

step "a bridge deleted under us"
check "ip link del" on ip link del latebr
check "the marker goes" wait_for 5 on test ! -e /run/ctvirt/bridges/latebr
check "the container stays" is_running ct-before
check "the bridge comes again" on 'ip link add latebr type bridge && ip link set latebr up'
check "the link is put back" wait_for 5 plugged vb-ct-before latebr

step "a network whose bridge gets another name"
on virsh -q net-destroy isolated
on 'systemctl stop systemd-nspawn@ct-isolated.service'
check "defined with another bridge" on 'virsh net-dumpxml isolated --inactive | sed "s/vbr-isolated/vbr-renamed/" >/root/renamed.xml && virsh -q net-define /root/renamed.xml'
check "the container follows" wait_for 10 on 'grep -q vbr-renamed /etc/systemd/nspawn/ct-isolated.nspawn'
check "net-start" on virsh -q net-start isolated
check "the container runs" wait_for 10 is_running ct-isolated
check "on the new bridge" wait_for 5 plugged vb-ct-isolated vbr-renamed

step "which is started before systemd has read what hangs on the new one"
on virsh -q net-destroy isolated
on 'systemctl stop systemd-nspawn@ct-isolated.service'
agent=$(on pidof ctvirtd)
check "defined with a third bridge, and started at once" on "virsh net-dumpxml isolated --inactive | sed s/vbr-renamed/vbr-third/ >/root/third.xml &&
        virsh -q net-define /root/third.xml &&
        timeout 10 sh -c 'until grep -q vbr-third /etc/systemd/nspawn/ct-isolated.nspawn; do :; done' &&
        kill -STOP $agent && virsh -q net-start isolated"
on "kill -CONT $agent"
check "the container runs" wait_for 10 is_running ct-isolated
check "on the third bridge" wait_for 5 plugged vb-ct-isolated vbr-third

step "a network that gets another name, as virsh does it: undefined and defined anew"
on virsh -q net-destroy nat
on systemctl stop systemd-nspawn@ct-nat.service
foreign_container byname vbr-nat
check "defined under another name" on 'virsh net-dumpxml nat --inactive | sed "s,<name>nat</name>,<name>tan</name>,; /<uuid>/d" >/root/tan.xml &&
        virsh -q net-undefine nat && virsh -q net-define /root/tan.xml'
check "net-start" on virsh -q net-start tan
check_exact byname vbr-nat
check_equal "the marker has the new name" tan "$(marker_value vbr-nat NETWORK)"
check "the network's target is reached" on systemctl -q is-active ctvirt-network@tan.target
check "its container is defined with the new name" on 'sed "s/network='"'nat'"'/network='"'tan'"'/" /root/ct-nat.xml >/root/ct-tan.xml && ctvirt -q define /root/ct-tan.xml'
check "net-destroy and net-start" on 'virsh -q net-destroy tan && virsh -q net-start tan'
check "which starts it" wait_for 10 is_running ct-nat
check "no unit has failed" no_failed_units
finish
