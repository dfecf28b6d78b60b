#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Two networks, and containers on one, on the other, and on both: each starts at its own moment.
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"

host_test_begin "containers on one and on two networks"
use_host H
check "the package is installed" install_ctvirt
check "a second network" define_network second virbr9 192.168.150
for name in one two both; do
        case $name in one) nets=default ;; two) nets=second ;; both) nets="default second" ;; esac
        # shellcheck disable=SC2086
        check "$name is defined on $nets" define_container "$name" $nets
        check "$name is enabled" on ctvirt autostart "$name"
done

# plugged CONTAINER LINK BRIDGE
plugged() {
        on "ip -o link show $1 | grep -q 'master $2 '"
}

start_in_order() { # FIRST-NET SECOND-NET FIRST-CT SECOND-CT FIRST-BR SECOND-BR
        check "net-start $1" on virsh net-start "$1"
        check_exact "$3" "$5"
        check "both waits" is_not_running both
        check "$4 waits" is_not_running "$4"
        check "net-start $2" on virsh net-start "$2"
        check_exact "$4" "$6"
        check_exact both virbr0 virbr9
        check "both has a lease of default" wait_for 10 has_lease default both
        check "both has a lease of second" wait_for 10 has_lease second both
        check "the extra veth is plugged into virbr9" wait_for 5 plugged vb1-both virbr9
}

step "default first"
start_in_order default second one two virbr0 virbr9

step "second first, after a reboot"
check "reboot" host reboot
check "nothing runs" is_not_running both
start_in_order second default two one virbr9 virbr0

step "both autostarted at boot"
on virsh -q net-autostart default
on virsh -q net-autostart second
check "reboot" host reboot
check_exact one virbr0
check_exact two virbr9
check_exact both virbr0 virbr9
check "the extra veth is plugged" wait_for 5 plugged vb1-both virbr9
check "no unit has failed" no_failed_units

step "a bounce of both networks: running containers get their links back"
on 'virsh -q net-destroy default; virsh -q net-destroy second; virsh -q net-start second; virsh -q net-start default'
check "vb-one is on virbr0" wait_for 5 plugged vb-one virbr0
check "vb-two is on virbr9" wait_for 5 plugged vb-two virbr9
check "vb-both is on virbr0" wait_for 5 plugged vb-both virbr0
check "vb1-both is on virbr9" wait_for 5 plugged vb1-both virbr9
check_equal "and none was started again" "1 1 1" "$(count_starts one) $(count_starts two) $(count_starts both)"

step "two networks on one bridge of the host: each stops for itself"
for net in left right; do
        check "$net is defined" on "echo '<network><name>$net</name><forward mode=\"bridge\"/><bridge name=\"br7\"/></network>' >/root/$net.xml &&
                virsh -q net-define /root/$net.xml"
done
check "br7 is there" on 'ip link add br7 type bridge && ip link set br7 up'
check "stays is defined on left" define_container stays left
make_container goes
container_xml goes left | sed "s,</domain>,<ct:on_network_stop xmlns:ct='http://ctvirt.org/schemas/container/1.0'>stop</ct:on_network_stop></domain>," |
        put_file /root/goes.xml
check "goes is defined on left, and stops with it" on ctvirt -q define /root/goes.xml
check "other is defined on right" define_container other right
check "they are enabled" on 'ctvirt -q autostart stays && ctvirt -q autostart goes && ctvirt -q autostart other'
is_active_target() {
        on systemctl -q is-active "ctvirt-$1.target"
}
is_no_active_target() {
        ! is_active_target "$1"
}
check "left starts" on virsh -q net-start left
for name in stays goes other; do
        check_exact "$name" br7
done
check "right starts" on virsh -q net-start right
for target in network@left network@right bridge@br7; do
        check "$target is active" wait_for 10 is_active_target "$target"
done
on systemctl stop systemd-nspawn@other.service
check "left stops" on virsh -q net-destroy left
check "its target stops" wait_for 10 is_no_active_target network@left
check "goes stops" wait_for 10 is_not_running goes
on sleep 1
check "the other's target stays" is_active_target network@right
check "the bridge's stays" is_active_target bridge@br7
check_equal "the marker stays, and names the other network" right "$(marker_value br7 NETWORK)"
check "stays runs" is_running stays
check "what an administrator has stopped stays down" is_not_running other
check "left starts again" on virsh -q net-start left
check "its target is active" wait_for 10 is_active_target network@left
check "right stops" on virsh -q net-destroy right
check "its target stops" wait_for 10 is_no_active_target network@right
check_equal "the marker stays" left "$(marker_value br7 NETWORK)"
check "left stops, too" on virsh -q net-destroy left
check "the marker goes" wait_for 10 on test ! -e /run/ctvirt/bridges/br7
check "and the bridge's target" wait_for 10 is_no_active_target bridge@br7
check "stays runs on" is_running stays
check_equal "and was started once" "1 1" "$(count_starts stays) $(count_starts other)"
finish
