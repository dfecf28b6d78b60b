#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The roads by which a network starts, with agent and hook, and with each of them alone.
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"

HOOK=/etc/libvirt/hooks/network.d/50-ctvirt

# stop_all: network down, containers down, nothing recorded.
stop_all() {
        on virsh -q net-destroy default
        on systemctl stop systemd-nspawn@web.service systemd-nspawn@guide.service
        on journalctl -q --rotate
        on journalctl -q --vacuum-time=1us
}

host_test_begin "every road by which a network starts"
use_host H
check "the package is installed" install_ctvirt
check "the agent runs" wait_for 10 agent_is_up
check "web is defined" define_container web default
check "web is marked as autostarted" on ctvirt autostart web
check "a container as the guide makes it is enabled" foreign_container guide virbr0

step "net-start by hand, agent and hook"
check "virsh net-start" on virsh net-start default
check_exact web virbr0
check_exact guide virbr0
check "web has a lease" wait_for 10 has_lease default web
check "guide has a lease" wait_for 10 has_lease default guide
check_equal "the hook was the witness" hook "$(marker_value virbr0 WITNESS)"

step "the host boots, libvirt autostarts the network"
check "autostart of the network" on virsh -q net-autostart default
check "reboot" host reboot
check_exact web virbr0
check_exact guide virbr0
check "no unit has failed" no_failed_units
check "web has a lease" wait_for 10 has_lease default web

step "the agent without the hook"
stop_all
on chmod -x "$HOOK"
check "virsh net-start" on virsh net-start default
check_exact web virbr0
check_exact guide virbr0
check_equal "libvirt's event was the witness" libvirt "$(marker_value virbr0 WITNESS)"

step "the agent without the hook, at boot"
check "reboot" host reboot
check_exact web virbr0
check_exact guide virbr0
check "no unit has failed" no_failed_units
# libvirt found no hook when it was started, and would not look again.
on chmod +x "$HOOK"
on systemctl restart libvirtd.service

step "the hook without the agent"
on systemctl -q mask --now ctvirtd.service
stop_all
check "virsh net-start" on virsh net-start default
check_exact web virbr0
check_exact guide virbr0
check_equal "the hook was the witness" hook "$(marker_value virbr0 WITNESS)"

step "the hook without the agent, at boot"
check "reboot" host reboot
check "the agent is masked" test "$(on systemctl is-enabled ctvirtd.service)" = masked
check_exact web virbr0
check_exact guide virbr0
check "no unit has failed" no_failed_units

step "neither: the containers are skipped quietly"
on chmod -x "$HOOK"
check "reboot" host reboot
check "the network is active" wait_for 10 on 'virsh -q net-list --name | grep -qx default'
check "web does not run" is_not_running web
check_equal "no start of web was tried" 0 "$(count_starts web)"
check "no unit has failed" no_failed_units

step "the agent comes back and finds the network active"
on systemctl -q unmask ctvirtd.service
check "the agent starts" on systemctl start ctvirtd.service
check_exact web virbr0
check_exact guide virbr0
finish
