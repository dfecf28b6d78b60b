#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Containers that nobody defined with ctvirt, by every way to name a bridge; files written without a reload; bridges that
# libvirt does not know.
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"

# gated CONTAINER BRIDGE: systemd knows the gate.
gated() {
        on systemctl show -P DropInPaths "systemd-nspawn@$1.service" | grep -q /run/systemd/generator &&
                on "grep -qx 'ConditionPathExists=/run/ctvirt/bridges/$2' /run/systemd/generator/systemd-nspawn@$1.service.d/50-ctvirt-gate.conf"
}

plugged() {
        on "ip -o link show $1 | grep -q 'master $2 '"
}

host_test_begin "containers that are not ctvirt's"
use_host H
check "the package is installed" install_ctvirt
check "the agent runs" wait_for 10 agent_is_up

step "a .nspawn file written by hand, and no reload"
make_container late dropin other
on systemctl -q enable systemd-nspawn@late.service
check_not "without a bridge there is no gate" gated late virbr0
printf '[Network]\nBridge=virbr0\n' | put_file /etc/systemd/nspawn/late.nspawn
check "the agent has systemd look again" wait_for 10 gated late virbr0
before=$(on cat /etc/systemd/nspawn/late.nspawn | sha256sum)

step "--network-bridge= in a drop-in"
put_file /etc/systemd/system/systemd-nspawn@dropin.service.d/10-bridge.conf <<'CONF'
[Service]
ExecStart=
ExecStart=systemd-nspawn --quiet --keep-unit --boot --link-journal=try-guest --network-bridge=virbr0 -U --settings=override --machine=%i
CONF
on systemctl -q enable systemd-nspawn@dropin.service
check "is found" gated dropin virbr0

step "net-start"
check "virsh net-start" on virsh net-start default
check_exact late virbr0
check_exact dropin virbr0
check "late has a lease" wait_for 10 has_lease default late
check "dropin has a lease" wait_for 10 has_lease default dropin
check "both are listed" on 'ctvirt list --name | sort | tr "\n" " " | grep -q "dropin.*late"'
check_not "but have no definition" on ctvirt dumpxml late
check "dumpxml says where the settings are" on 'ctvirt dumpxml late 2>&1 | grep -q "in /etc/systemd/nspawn/late.nspawn$"'
check "also when it is a drop-in" on 'ctvirt dumpxml dropin 2>&1 | grep -q "in /etc/systemd/system/systemd-nspawn@dropin.service.d/10-bridge.conf$"'
check_not "and cannot be undefined" on ctvirt undefine late
check_equal "their files are untouched" "$before" "$(on cat /etc/systemd/nspawn/late.nspawn | sha256sum)"
check "a bounce gives them their links back" on 'virsh -q net-destroy default && virsh -q net-start default'
check "vb-late is on the new bridge" wait_for 5 plugged vb-late virbr0
check "vb-dropin is on the new bridge" wait_for 5 plugged vb-dropin virbr0
check_equal "and starts none again" "1 1" "$(count_starts late) $(count_starts dropin)"

step "a bridge that libvirt does not know: no gate, and started when it appears"
foreign_container flat br0
on systemctl daemon-reload
check_not "there is no gate" gated flat br0
check "it is ordered after network-online.target" on 'systemctl show -P After systemd-nspawn@flat.service | grep -q network-online.target'
check "the bridge appears" on 'ip link add br0 type bridge && ip link set br0 up'
check "flat is started" wait_for 15 is_running flat
check_equal "once" 1 "$(count_starts flat)"

step "a unit whose files cannot be read is left alone"
on 'rm -f /etc/systemd/nspawn/other.nspawn; mkfifo /etc/systemd/nspawn/other.nspawn'
check "enable does not hang" timeout 20 "$HOST_PROGRAM" exec "$CURRENT_HOST" --raw -- systemctl -q enable systemd-nspawn@other.service
check_not "no gate" gated other virbr0
check "the others keep theirs" gated late virbr0
check "and the journal says why" on 'journalctl -b | grep -F other.nspawn'
finish
