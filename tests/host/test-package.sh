#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The Debian package: installation, upgrade, removal, purge, on a host whose networks and containers go on meanwhile.
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"

HOOK=/etc/libvirt/hooks/network.d/50-ctvirt

dpkg_in_host() {
        host exec --env DEBIAN_FRONTEND=noninteractive -- dpkg "$@" </dev/null
}

property() {
        on systemctl show -P "$1" "$2"
}

bounce() {
        on virsh net-destroy "$1" && on virsh net-start "$1"
}

host_test_begin "the package"
use_host H

step "a host at work"
define_network stopped virbr7 192.168.177
on virsh -q net-autostart stopped
foreign_container old virbr0
check "the default network runs" on virsh net-start default
check "a container runs" on systemctl start systemd-nspawn@old.service
pid=$(property MainPID systemd-nspawn@old.service)

step "installation"
check "dpkg -i" install_ctvirt
check "the agent runs" wait_for 10 agent_is_up
check_equal "the agent is enabled" enabled "$(on systemctl is-enabled ctvirtd.service)"
check "the hook is an executable file of its own" on "test -f $HOOK -a ! -L $HOOK -a -x $HOOK"
check_equal "nothing else is in its folder" 50-ctvirt "$(on ls -A "${HOOK%/*}")"
check "the hook's status is told" on /usr/libexec/ctvirt/hook-setup status
check_equal "the running network goes on" active "$(on virsh net-list --all | awk '$1 == "default" { print $2 }')"
check_equal "an autostart network that was stopped by hand stays so" inactive \
        "$(on virsh net-list --all | awk '$1 == "stopped" { print $2 }')"
check_equal "the running container goes on" "$pid" "$(property MainPID systemd-nspawn@old.service)"
check "the container is gated" on 'systemctl cat systemd-nspawn@old.service | grep -q /run/ctvirt/bridges/virbr0'
check "libvirt has found the hook" eval 'bounce default && test "$(marker_value virbr0 WITNESS)" = hook'
check "no unit has failed" no_failed_units
check "its manual pages are there" on 'test ! -d /usr/share/man/man8 ||
        test -s /usr/share/man/man1/ctvirt.1.gz -a -s /usr/share/man/man5/ctvirt-xml.5.gz -a -s /usr/share/man/man8/ctvirtd.8.gz'
sandbox=$(on systemd-analyze security --no-pager ctvirtd.service | tail -n 1)
check "the agent's sandbox: $sandbox" test -n "$sandbox"

step "upgrade"
libvirtd=$(property MainPID libvirtd.service)
agent=$(property MainPID ctvirtd.service)
check "dpkg -i again" install_ctvirt
check "the agent was restarted" eval 'wait_for 10 agent_is_up && test "$(property MainPID ctvirtd.service)" != "$agent"'
check_equal "libvirtd was not" "$libvirtd" "$(property MainPID libvirtd.service)"
check_equal "nor the container" "$pid" "$(property MainPID systemd-nspawn@old.service)"
check "the marker is still there" on test -e /run/ctvirt/bridges/virbr0

step "an administrator's choices survive an upgrade"
on rm "$HOOK"
on systemctl -q disable --now ctvirtd.service
check "upgrade" install_ctvirt
check_not "a hook that was removed does not come back" on test -e "$HOOK"
check_equal "a disabled agent stays disabled" disabled "$(on systemctl is-enabled ctvirtd.service || :)"
check_not "and is not started" agent_is_up
on 'printf "#!/bin/sh\nexit 0\n" >/etc/libvirt/hooks/network.d/50-ctvirt; chmod +x /etc/libvirt/hooks/network.d/50-ctvirt'
check "upgrade" install_ctvirt
check "a file of the same name that is not ours is left alone" on grep -qx 'exit 0' "$HOOK"
on rm "$HOOK"
on systemctl -q enable --now ctvirtd.service
check "the hook can be put back by hand" on /usr/libexec/ctvirt/hook-setup install
check "and works" eval 'bounce default && test "$(marker_value virbr0 WITNESS)" = hook'

step "removal"
define_container ours default
on ctvirt -q autostart ours
check "one that is not enabled" define_container idle default
said=$(dpkg_in_host -r ctvirt 2>&1) && removed=yes || removed=no
check_equal "dpkg -r" yes "$removed"
check_equal "it names the enabled containers on libvirt's bridges" \
        "ctvirt: enabled containers on libvirt's bridges run on, but will fail at boot without ctvirt: old ours" \
        "$(grep 'will fail at boot' <<<"$said" || :)"
check_not "the agent is gone" agent_is_up
check_not "the hook is gone" on test -e "$HOOK"
check_not "/run/ctvirt is gone" on test -e /run/ctvirt
check "libvirt starts networks" bounce default
check_equal "the container goes on" "$pid" "$(property MainPID systemd-nspawn@old.service)"
check_not "nothing is gated any more" on 'systemctl cat systemd-nspawn@old.service | grep -q /run/ctvirt'
check "a container is started by hand" eval 'on systemctl restart systemd-nspawn@old.service && is_running old'
check "one that ctvirt has defined as well" eval 'on systemctl start systemd-nspawn@ours.service && is_running ours'
check "its definition is still there" on test -e /etc/ctvirt/containers/ours.xml
check "no unit has failed" no_failed_units

step "installed again, purged"
check "dpkg -i" install_ctvirt
check "the hook is there again" on test -x "$HOOK"
check "the agent knows the container" wait_for 10 on 'ctvirt -q list | grep -q " ours "'
check "dpkg -P" dpkg_in_host -P ctvirt
check "the definitions are kept" on test -e /etc/ctvirt/containers/ours.xml
check "so are the container's files" on test -e /etc/systemd/nspawn/ours.nspawn
check_equal "nothing else is left" "" "$(on 'find /usr /lib /run /var /etc -xdev -path "*ctvirt*" -not -path "/etc/ctvirt*" \
        -not -name 50-ctvirt.conf -not -path "/var/log/*" -not -path "/proc/*" 2>/dev/null')"
check "the host is healthy" no_failed_units
finish
