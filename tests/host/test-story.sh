#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The main job as a user does it, from the installed package to a reboot, with the messages that are promised.
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"

# says WANTED COMMAND...: the first line of its standard output.
says() {
        local wanted=$1
        shift
        check_equal "$*" "$wanted" "$(on "$@" 2>/dev/null | head -n 1)"
}

# Not only told to end.
has_ended() {
        [[ $(on systemctl is-active "systemd-nspawn@$1.service") == inactive ]]
}

host_test_begin "the main job"
use_host H
check "dpkg -i" install_ctvirt
check "the agent runs" wait_for 10 agent_is_up
make_container web
container_xml web default | put_file /root/web.xml
says "Container 'web' defined from /root/web.xml" ctvirt define /root/web.xml
says "Container 'web' marked as autostarted" ctvirt autostart web
check_equal "list --all shows it" "- web shut off" "$(on ctvirt -q list --all | awk '{ $1 = $1; print }')"
check "virsh net-start default" on virsh net-start default
check_exact web virbr0
check "the lease is in virsh net-dhcp-leases" wait_for 10 has_lease default web
check "list shows it" on 'ctvirt -q list | grep -Eq "^ [0-9]+ +web +running$"'
check "dominfo" on 'ctvirt dominfo web | grep -Eq "^State: +running$"'
check_equal "domstate" running "$(on ctvirt -q domstate web | head -n 1)"
check "domid" on 'ctvirt domid web | grep -Eq "^[0-9]+$"'
check "domuuid" on 'test "$(ctvirt -q domuuid web)" = "$(ctvirt dumpxml web | sed -n "s:.*<uuid>\(.*\)</uuid>.*:\1:p")"'
check "domifaddr" on 'ctvirt domifaddr web | grep -q 192.168.122.'
check "domiflist" on 'ctvirt domiflist web | grep -q default'
check "net-list" on 'ctvirt net-list --all | grep -Eq "default +active"'
check "net-info" on 'ctvirt net-info default | grep -Eq "^Bridge: +virbr0$"'
check "version" on ctvirt version
check "help" on 'ctvirt help | grep -q "Grouped commands:"'

step "events"
host exec --raw -- sh -c 'timeout 20 ctvirt event --all --loop --timestamp >/root/events 2>&1 & sleep 1' </dev/null
says "Container 'web' is being shutdown" ctvirt shutdown web
check "it is down" wait_for 30 is_not_running web
check_not "shutdown of a container that is down is an error" on ctvirt shutdown web
says "Container 'web' started" ctvirt start web
check_not "a second start is an error" on ctvirt start web
check "because it runs" on "ctvirt start web 2>&1 | grep -q 'already'"
old=$(on systemctl show -P MainPID systemd-nspawn@web.service)
says "Container 'web' is being rebooted" ctvirt reboot web
check "it comes back" wait_for 20 on "pid=\$(systemctl show -P MainPID systemd-nspawn@web.service) && test \$pid != 0 && test \$pid != $old"
check "and runs" wait_for 20 is_running web
says "Container 'web' destroyed" ctvirt destroy web
check "the events were reported" wait_for 10 on "grep -q \"event 'lifecycle' for container 'web': Started Booted\" /root/events && grep -q \"for container 'web': Stopped Destroyed\" /root/events"
check "start by hand while the network is down says why" on "virsh -q net-destroy default; ! ctvirt start web 2>/root/err && grep -q virbr0 /root/err && grep -q default /root/err"

step "shutdown right after start, while the container's init does not take signals yet"
make_container slow
container_xml slow | put_file /root/slow.xml
on 'mv /var/lib/machines/slow/usr/sbin/init /var/lib/machines/slow/usr/sbin/init.real'
printf '#!/bin/sh\nsleep 1\nexec /usr/sbin/init.real\n' | put_file /var/lib/machines/slow/usr/sbin/init
on 'chmod 755 /var/lib/machines/slow/usr/sbin/init; ctvirt -q define /root/slow.xml'
for round in 1 2 3 4 5; do
        check "start and shutdown ($round)" on 'ctvirt -q start slow && ctvirt -q shutdown slow'
        check "it is down within 10 s" wait_for 10 has_ended slow
        check_equal "and has not failed" "shut off" "$(on ctvirt -q domstate slow | head -n 1)"
done
on ctvirt -q undefine slow

step "no libvirt, no list of networks"
libvirt_units='libvirtd.service libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket'
on "systemctl -q stop $libvirt_units"
check_not "net-list" on ctvirt net-list --all
check "says why" on 'ctvirt net-list 2>&1 | grep -q "not connected to libvirt (network:///system)"'
check "and what to do" on 'ctvirt net-list 2>&1 | grep -q "systemctl start libvirtd"'
check "net-info, too" on 'ctvirt net-info default 2>&1 | grep -q "not connected to libvirt"'
on "systemctl -q start libvirtd.socket libvirtd-ro.socket libvirtd.service"
check "with libvirt back net-list shows it" on 'ctvirt net-list --all | grep -q default'
wrong=''
for round in 1 2 3 4 5; do
        on 'systemctl stop ctvirtd.service && systemctl reset-failed && ctvirt net-list --all --name' | grep -qx default ||
                wrong+=" $round"
done
check_equal "and so does an agent that has only just been started" "" "$wrong"

step "the host reboots"
on virsh -q net-autostart default
check "reboot" host reboot
check_exact web virbr0
check "no unit is in state failed" no_failed_units
check "the lease is there" wait_for 10 has_lease default web

step "the package goes, the containers stay"
check "dpkg -r ctvirt" host exec -- dpkg -r ctvirt </dev/null
check "web runs" is_running web
check "its definition is there" on test -e /etc/ctvirt/containers/web.xml
check "nothing of ours is called by libvirt any more" on 'test ! -e /etc/libvirt/hooks/network.d/50-ctvirt'
check "virsh net-destroy and net-start work" on 'virsh net-destroy default && virsh net-start default'
check_equal "nothing is gated" "" "$(on 'systemctl show -P Conditions systemd-nspawn@web.service' | grep ctvirt || :)"
check "it can be started with plain systemd" on 'systemctl restart systemd-nspawn@web.service'
finish
