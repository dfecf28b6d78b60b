#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Faults of the host: what still works while they last, and that all is well when they end. In all of them virsh succeeds.
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"

HOOK=/etc/libvirt/hooks/network.d/50-ctvirt

fresh() {
        on 'virsh -q net-destroy default' >/dev/null 2>&1 || :
        on systemctl stop systemd-nspawn@web.service
        on systemctl reset-failed
        on journalctl -q --rotate
        on journalctl -q --vacuum-time=1us
}

host_test_begin "faults of the host"
use_host H
check "the package is installed" install_ctvirt
check "web is defined" define_container web default
check "web is enabled" on ctvirt -q autostart web

# A file system of its own, that can be filled and made read-only.
on systemctl stop ctvirtd.service
on 'mount -t tmpfs -o size=64k,nr_inodes=64,mode=755 small /run/ctvirt && systemd-tmpfiles --create ctvirt.conf'
on systemctl start ctvirtd.service

step "/run/ctvirt is full"
fresh
on 'dd if=/dev/zero of=/run/ctvirt/filler bs=4k count=64' >/dev/null 2>&1 || :
in_time "net-start" on virsh -q net-start default
check "web does not run without a marker" is_not_running web
check "the agent answers" on ctvirt list --all
check "there is room again" on rm /run/ctvirt/filler
check "and web is started" wait_for 60 is_running web
check_equal "once" 1 "$(count_starts web)"

step "/run/ctvirt gets full while the network is up"
for agent in active inactive; do
        fresh
        on virsh -q net-start default
        check "web runs" wait_for 20 is_running web
        [[ $agent == active ]] || on 'systemctl -q mask --runtime ctvirtd.service && systemctl stop ctvirtd.service'
        on 'dd if=/dev/zero of=/run/ctvirt/filler bs=1k count=64' >/dev/null 2>&1 || :
        check "nothing can be written" on '! dd if=/dev/zero of=/run/ctvirt/more bs=1 count=1 2>/dev/null'
        on rm -f /run/ctvirt/more
        check "virsh net-destroy, the agent is $agent" on virsh -q net-destroy default
        check "the marker goes" wait_for 10 on test ! -e /run/ctvirt/bridges/virbr0
        check "and the targets" wait_for 10 on '! systemctl -q is-active ctvirt-bridge@virbr0.target ctvirt-network@default.target'
        check "web is left alone" is_running web
        on systemctl stop systemd-nspawn@web.service
        on rm /run/ctvirt/filler
        on 'systemctl -q unmask --runtime ctvirtd.service && systemctl start ctvirtd.service'
        check "net-start" on virsh -q net-start default
        check "web is started" wait_for 20 is_running web
done

step "/run/ctvirt is read-only, and there is no agent"
fresh
on systemctl stop ctvirtd.service
on systemctl -q mask --runtime ctvirtd.service
on mount -o remount,ro /run/ctvirt
in_time "net-start" on virsh -q net-start default
check "virsh net-destroy" on virsh -q net-destroy default
check "web does not run" is_not_running web
on mount -o remount,rw /run/ctvirt
check "net-start" on virsh -q net-start default
check "web runs" wait_for 20 is_running web
on umount /run/ctvirt
on systemctl -q unmask --runtime ctvirtd.service
on systemctl start ctvirtd.service

step "garbage in /run/ctvirt"
fresh
on 'head -c 100000 /dev/urandom >/run/ctvirt/bridges/virbr0; head -c 1000 /dev/urandom >/run/ctvirt/handled/virbr0; head -c 1000 /dev/urandom >/run/ctvirt/known-networks; mkdir /run/ctvirt/bridges/dir; ln -s /etc/passwd /run/ctvirt/bridges/link'
before=$(on sha256sum /etc/passwd)
in_time "net-start" on virsh -q net-start default
check_exact web virbr0
check_equal "nothing was written through a link" "$before" "$(on sha256sum /etc/passwd)"
on 'rmdir /run/ctvirt/bridges/dir; rm /run/ctvirt/bridges/link'

step "/run/ctvirt is deleted"
fresh
on rm -rf /run/ctvirt
in_time "net-start" on virsh -q net-start default
check "web runs" wait_for 20 is_running web
check_equal "started once" 1 "$(count_starts web)"

step "the unit is masked"
fresh
on systemctl -q mask --runtime systemd-nspawn@web.service
in_time "net-start" on virsh -q net-start default
check "web does not run" is_not_running web
check "ctvirt start says why" on "ctvirt start web 2>&1 | grep -q masked"
on systemctl -q unmask --runtime systemd-nspawn@web.service

step "a .nspawn file that is no text beside a good one"
fresh
on 'head -c 5000 /dev/urandom >/etc/systemd/nspawn/noise.nspawn; systemctl -q enable systemd-nspawn@noise.service'
in_time "net-start" on virsh -q net-start default
check_exact web virbr0
on 'systemctl -q disable systemd-nspawn@noise.service; rm /etc/systemd/nspawn/noise.nspawn'

step "the agent has no file descriptors left"
fresh
on 'prlimit --pid "$(systemctl show -P MainPID ctvirtd.service)" --nofile=5:5'
in_time "net-start" on virsh -q net-start default
check_exact web virbr0
on systemctl restart ctvirtd.service
check "the agent is well again" wait_for 10 on ctvirt list --all

step "PID 1 does not answer"
fresh
leader=$(host status | awk '$1 == "leader" { print $2 }')
kill -STOP "$leader"
in_time "net-start with the agent alive" on virsh -q net-start default
check "the marker is there" test -n "$(marker_value virbr0 IFINDEX)"
kill -CONT "$leader"
check "web is started when PID 1 goes on" wait_for 15 is_running web
check_equal "once" 1 "$(count_starts web)"

step "PID 1 does not answer, and there is no agent"
fresh
on systemctl stop ctvirtd.service
on systemctl -q mask --runtime ctvirtd.service
kill -STOP "$leader"
in_time "net-start" on virsh -q net-start default
kill -CONT "$leader"
on systemctl -q unmask --runtime ctvirtd.service
check "the agent starts" on systemctl start ctvirtd.service
check "and does what was left" wait_for 10 is_running web

step "a storm of daemon-reloads and of enable and disable during a start"
fresh
on 'for i in 1 2 3 4 5 6; do systemctl daemon-reload; systemctl -q enable systemd-nspawn@aside.service; systemctl -q disable systemd-nspawn@aside.service; done & virsh -q net-start default; wait'
check_exact web virbr0

step "neither agent nor hook: what is on other bridges starts at boot all the same"
foreign_container flat br0
put_file /etc/systemd/system/br0.service <<'UNIT'
[Unit]
DefaultDependencies=no
Before=network-pre.target network-online.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'ip link add br0 type bridge; ip link set br0 up'
[Install]
WantedBy=network-online.target
UNIT
on 'systemctl -q enable br0.service; systemctl -q mask ctvirtd.service'
on chmod -x "$HOOK"
check "reboot" host reboot
check "flat runs" wait_for 10 is_running flat
check "web is skipped, not failed" is_not_running web
check "no unit has failed" no_failed_units
finish
