#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The test host tests itself: boot, libvirt's default network, a nested container with a lease, reboot, deletion.
# Quoted expressions are for the host; functions are called through check and wait_for.
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"

host_test_begin "test host"

step "a fresh host"
use_host H "$RELEASE"
check "its release is $RELEASE" on "grep -qx VERSION_CODENAME=$RELEASE /etc/os-release"
check "its host name is its name" on "test \"\$(hostname)\" = $H"
check "exec passes the exit status" on 'exit 0'
check_equal "exec --raw passes another exit status" 7 "$(on 'exit 7' && echo 0 || echo $?)"
check_equal "exec passes it too" 5 "$(host exec sh -c 'exit 5' </dev/null && echo 0 || echo $?)"
check_equal "exec passes the standard streams" "out of a pipe" "$(echo "a pipe" | host exec sh -c 'echo out of $(cat)')"
check_equal "exec runs as another user" nobody "$(host exec --user nobody id -un </dev/null)"
check_equal "exec --raw as well" nobody "$(host exec --raw --user nobody id -un </dev/null)"
check "libvirtd answers" on virsh -q list

step "files in and out"
scratch=$(mktemp -d)
echo content >"$scratch/file"
check "a file goes in" host push "$scratch/file" /root/deep/er/renamed
check "a file comes out" host pull /root/deep/er/renamed "$scratch/back"
check "unchanged" cmp "$scratch/file" "$scratch/back"
check_not "a file that is not there is an error" host pull /nope "$scratch/"
rm -rf "$scratch"

step "a nested container"
check "the default network starts" on virsh net-start default
check "a container is made" make_container c1
# NotifyReady: without it the unit counts as started before the container's init is there, and a stop right then is
# lost (90 s).
put_file /etc/systemd/nspawn/c1.nspawn <<'NSPAWN'
[Exec]
NotifyReady=yes
[Network]
VirtualEthernet=yes
Bridge=virbr0
NSPAWN
check "the stock unit starts it" on systemctl start systemd-nspawn@c1.service
check "machinectl knows it" on machinectl show c1
check "it has a lease" wait_for 10 has_lease default c1
address=$(leases default | awk '$3 == "c1" { sub("/.*", "", $2); print $2 }')
check "it answers ping" wait_for 5 on ping -c 1 -W 1 "$address"
check "its user ids are its own" on \
        'test "$(stat -c %u /proc/$(machinectl show c1 -p Leader --value))" -gt 65535'
check "its files still belong to root" on test "$(on stat -c %u /var/lib/machines/c1)" = 0
check "it powers off" on 'machinectl poweroff c1'
check "and is gone" wait_for 5 on '! machinectl show c1'
check "its unit has ended well" wait_for 5 on 'test "$(systemctl show -P ActiveState systemd-nspawn@c1)" = inactive'

step "reboot"
check "the container is started again" on systemctl start systemd-nspawn@c1.service
boot_id=$(on cat /proc/sys/kernel/random/boot_id)
check "the host reboots" host reboot
check_equal "the files are still there" c1.nspawn "$(on ls /etc/systemd/nspawn)"
check_equal "the container too" 0 "$(on stat -c %u /var/lib/machines/c1)"
check "the journal of the boot before is there" on 'journalctl -q -b -1 -u systemd-nspawn@c1 | grep -q .'
check_not "it is another boot" test "$boot_id" = "$(on cat /proc/sys/kernel/random/boot_id)"
check "the host is healthy" on systemctl is-system-running

step "reboot from inside"
leader=$(host status | awk '$1 == "leader" { print $2 }')
host exec systemctl reboot </dev/null || :
other_leader() {
        local now
        now=$(host status | awk '$1 == "leader" { print $2 }')
        [[ -n $now && $now != "$leader" ]]
}
check "it comes up again" wait_for 20 other_leader
check "with all services" wait_for 20 on systemctl is-system-running

step "power cut and deletion"
check "a running host is not deleted without --force" test "$(host delete 2>/dev/null && echo deleted)" = ""
check "kill" host kill
check_equal "it is stopped" 3 "$(host status >/dev/null && echo 0 || echo $?)"
check "its journal can be read" eval 'host journal -n 5 | grep -q .'
check "it boots again" host boot
check "stop" host stop
check "gc finds nothing to do" test -z "$("$HOST_PROGRAM" gc 2>&1 | grep "$H")"
check "delete" host delete
TEST_HOSTS=()
check_not "it is gone" host status
finish
