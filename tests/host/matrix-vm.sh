#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A virtual machine and a container on one network, which is stopped and started again under both: each gets its link back.
# The machine is a real one, of qemu without KVM.
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"

# master_is LINK BRIDGE: BRIDGE may be empty.
master_is() {
        [[ $(on ip -o link show dev "$1" | sed -nE 's/.* master ([^ ]+) .*/\1/p') == "$2" ]]
}

tap_of_guest() {
        on virsh -q domiflist guest | awk '$2 == "network" { print $1 }'
}

address_of() {
        leases default | awk -v name="$1" '$3 == name { sub("/.*", "", $2); print $2 }'
}

# in_web COMMAND...: in web's network.
in_web() {
        on nsenter -t "$(on machinectl show -p Leader --value web)" -n -- "$@"
}

bounce() {
        on 'virsh -q net-destroy default && virsh -q net-start default'
}

host_test_begin "virtual machines beside containers"
guest=$("$HOST_PROGRAM" guest)
use_host H "$RELEASE" --vm
check "the package is installed" install_ctvirt
check "the agent runs" wait_for 10 agent_is_up
host push "$guest" /var/lib/guest
put_file /root/guest.xml <<'XML'
<domain type='qemu'>
  <name>guest</name>
  <memory unit='MiB'>192</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>/var/lib/guest/vmlinuz</kernel>
    <initrd>/var/lib/guest/initrd</initrd>
    <cmdline>console=ttyS0 quiet panic=-1</cmdline>
  </os>
  <features><acpi/></features>
  <devices>
    <interface type='network'>
      <mac address='52:54:00:aa:bb:01'/>
      <source network='default'/>
      <model type='virtio'/>
      <rom enabled='no'/>
    </interface>
    <serial type='pty'/>
    <memballoon model='none'/>
  </devices>
</domain>
XML
check "web is defined" define_container web default
check "web is marked as autostarted" on ctvirt autostart web
check "virsh net-start" on virsh net-start default
check "web has a lease" wait_for 20 has_lease default web
check "the machine is started" host exec -- sh -c 'virsh -q define /root/guest.xml && virsh -q start guest' </dev/null
check "the machine has a lease" wait_for 120 has_lease default guest
tap=$(tap_of_guest)
check "its tap device is on virbr0" master_is "$tap" virbr0
vm=$(address_of guest)
check "web reaches the machine" wait_for 10 in_web ping -c 1 -W 1 "$vm"

step "the network is stopped and started again"
check "bounce" bounce
check "web's link is back" wait_for 5 master_is vb-web virbr0
check "the machine's link is back" wait_for 5 master_is "$tap" virbr0
check "web reaches the machine" wait_for 20 in_web ping -c 1 -W 1 "$vm"
check "the host reaches the machine" wait_for 20 on ping -c 1 -W 1 "$vm"

step "the agent was away meanwhile"
on systemctl stop ctvirtd.service
check "bounce" bounce
check "nobody else puts the link back" master_is "$tap" ''
check "the agent comes back" on systemctl start ctvirtd.service
check "and puts it back" wait_for 5 master_is "$tap" virbr0

step "what somebody has put elsewhere stays there"
check "another bridge" on "ip link add br9 type bridge && ip link set br9 up && ip link set $tap master br9"
check "bounce" bounce
check "web's link is back" wait_for 5 master_is vb-web virbr0
sleep 1
check "the machine's link stays on br9" master_is "$tap" br9

step "ReattachVMs=no"
printf '[Agent]\nReattachVMs=no\n' | put_file /etc/ctvirt/ctvirtd.conf
on "ip link set $tap nomaster"
check "reload" on systemctl reload ctvirtd.service
check "bounce" bounce
check "web's link is back" wait_for 5 master_is vb-web virbr0
sleep 1
check "the machine's link is left alone" master_is "$tap" ''
finish
