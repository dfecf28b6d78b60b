#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The clock jumps, by hours and years, forward and back, around starts and stops of a network. In a machine with a kernel of
# its own, as a host's clock is that of the machine below it.
# shellcheck disable=SC2016,SC2154,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/vm.sh
. "$(dirname "$(readlink -f "$0")")/lib/vm.sh"

host_test_begin "a clock that jumps"
vm_begin "$RELEASE"
check "the package is given" cp "${CTVIRT_DEB:?}" "$VM_JOB/ctvirt.deb"
"$HOST_PROGRAM" tinyroot "$VM_JOB/tinyroot"
cat >"$VM_JOB/run" <<'JOB'
HOOK=/etc/libvirt/hooks/network.d/50-ctvirt
. /job/vm-job.sh

jump() {
        date -s "$1" >/dev/null
        echo "the clock jumps $1: $(date)"
}

running() { systemctl -q is-active systemd-nspawn@web.service; }
not_running() { ! running; }
guest_is_down() { systemctl show -P ActiveState systemd-nspawn@guest.service | grep -qx inactive; }
main_pid() { systemctl show -P MainPID systemd-nspawn@web.service; }
plugged() { ip -o link show vb-web | grep -q 'master virbr0 '; }
has_libvirt() { ctvirt net-list --all | grep -q default; }
said() { journalctl -b -u ctvirtd.service -o cat | grep -qF -- "$1"; }

# round JUMP BACK: a jump before the start, one while it runs, one between stop and start.
round() {
        virsh -q net-destroy default 2>/dev/null
        systemctl stop systemd-nspawn@web.service
        jump "$1"
        check "$who, $1: net-start" virsh -q net-start default
        check "$who, $1: web runs" wait_for 60 running
        pid=$(main_pid)
        jump "$2"
        check "$who, $2: a restarted agent and a reload start nothing" sh -c "
                if systemctl -q is-active ctvirtd; then systemctl restart ctvirtd; fi; systemctl daemon-reload; sleep 2;
                test \$(systemctl show -P MainPID systemd-nspawn@web.service) = $pid"
        check "$who, $2: net-destroy" virsh -q net-destroy default
        check "$who, $2: the marker is gone" wait_for 20 test ! -e /run/ctvirt/bridges/virbr0
        jump "$1"
        check "$who, $1: net-start again" virsh -q net-start default
        check "$who, $1: the marker is there" wait_for 20 test -e /run/ctvirt/bridges/virbr0
        [ "$who" = "the hook alone" ] || check "$who, $1: the link is on the new bridge" wait_for 20 plugged
        check "$who, $1: web was not started again" test "$(main_pid)" = "$pid"
        check "$who, $1: web stops" systemctl stop systemd-nspawn@web.service
        sleep 2
        check "$who: and stays stopped" not_running
        jump "$2"
}

check "the package is installed" env DEBIAN_FRONTEND=noninteractive dpkg -i /job/ctvirt.deb
cp -a /job/tinyroot /var/lib/machines/web
cp -a /job/tinyroot /var/lib/machines/guest
printf "<domain type='nspawn'><name>web</name><os><type>exe</type></os><devices><interface type='network'><source network='default'/></interface></devices></domain>" >/root/web.xml
check "web is defined" ctvirt -q define /root/web.xml
check "web is enabled" ctvirt -q autostart web

who="agent and hook"
round "+5 hours" "-7 hours"
round "-3 years" "+4 years"

# Of a container that nobody knew before, the agent tells what it sees begin; "now" is before it was connected.
jump "-9 hours"
check "one that is not enabled is started" systemctl start systemd-nspawn@guest.service
check "which the agent tells" wait_for 20 said "Container 'guest': Started"
# nspawn loses a stop that comes before the container's init takes signals; ctvirt repeats it.
check "it is shut down" ctvirt shutdown guest
check "and ends" wait_for 60 guest_is_down

# A start that fails, after a jump: the cause is found, and passes.
virsh -q net-destroy default 2>/dev/null
ip link add vb-web type bridge
jump "-2 hours"
check "net-start" virsh -q net-start default
check "the cause is told" wait_for 60 said "failed: Failed to add new veth interfaces (vb-web:host0): File exists"
ip link del vb-web
check "it is tried again" wait_for 60 running

# libvirtd is away; the agent waits between its attempts.
systemctl stop libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd.service
sleep 5
jump "-10 hours"
systemctl start libvirtd.socket libvirtd.service
check "the agent finds libvirt again" wait_for 60 has_libvirt

who="the agent alone"
chmod -x $HOOK
systemctl restart libvirtd.service
check "the agent has found libvirt" wait_for 60 has_libvirt
round "-5 hours" "+6 hours"

who="the hook alone"
chmod +x $HOOK
systemctl restart libvirtd.service
systemctl -q mask --now ctvirtd.service
round "-5 hours" "+6 hours"
check "no unit has failed" no_failed_units
echo "end of job"
JOB
check "the machine has run" vm_run 3000
vm_report
finish
