#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A VM-like peer (a tap-like link on the same bridge, with an address of its own by DHCP) and a container.
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"

host_test_begin "a container and a peer on the same bridge"
use_host H
check "the package is installed" install_ctvirt
check "web is defined" define_container web default
check "web is enabled" on ctvirt autostart web
check "net-start" on virsh net-start default
check_exact web virbr0
check "web is in virsh net-dhcp-leases" wait_for 10 has_lease default web

step "the peer"
put_file /root/peer.sh <<'SH'
set -e
ip netns add peer
ip link add vnet0 type veth peer name eth0 netns peer
ip link set vnet0 master virbr0 up
ip -n peer link set lo up
ip -n peer link set eth0 up
cat >/root/peer-dhcp <<'D'
#!/bin/sh
case $1 in bound|renew) ip addr flush dev $interface; ip addr add $ip/${mask:-24} dev $interface;; esac
D
chmod +x /root/peer-dhcp
ip netns exec peer busybox udhcpc -q -n -i eth0 -x hostname:peer -s /root/peer-dhcp
SH
check "a peer joins the bridge and gets a lease" on sh /root/peer.sh
peer=$(leases default | awk '$3 == "peer" { sub("/.*", "", $2); print $2 }')
web=$(leases default | awk '$3 == "web" { sub("/.*", "", $2); print $2 }')
check "the peer reaches the container" wait_for 5 on ip netns exec peer ping -c 1 -W 1 "$web"
check "the container reaches the peer" wait_for 5 on \
        "nsenter -t \$(machinectl show web -p Leader --value) -n ping -c 1 -W 1 $peer"
check "the host reaches the container" wait_for 5 on ping -c 1 -W 1 "$web"

step "what ctvirt says of it"
mac=$(leases default | awk '$3 == "web" { print $1 }')
check_equal "domiflist shows the MAC of the lease" "$mac" "$(on ctvirt -q domiflist web | awk '{ print $5 }')"
check "domifaddr shows the lease" on "ctvirt domifaddr web | grep -F $web/24"
check "domifaddr --source agent shows it too" wait_for 5 on "ctvirt domifaddr web --source agent | grep -F $web"
check "net-info names the container" on 'ctvirt net-info default | grep -E "^Containers: +web$"'
check "net-info: handled" on 'ctvirt net-info default | grep -E "^Handled: +yes$"'
finish
