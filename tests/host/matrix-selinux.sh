#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SELinux, enforcing from the boot on and never switched off: the package, its policy module, networks that start, roots that
# are made, passwords, the pool's label, clones, snapshots and bundles. In a machine with a kernel of its own and Debian's
# policy, by an administrator (unconfined_t). Every denial of that boot is printed; those of ctvirt's work are failures.
# shellcheck disable=SC2016,SC2154,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/vm.sh
. "$(dirname "$(readlink -f "$0")")/lib/vm.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"
# shellcheck source-path=SCRIPTDIR source=lib/sources.sh
. "$(dirname "$(readlink -f "$0")")/lib/sources.sh"

# make_tar MIRROR OUT: a small Debian with a login, as others would give it away.
make_tar() {
        mmdebstrap --mode=root --variant=minbase --include=systemd-sysv,dbus,libpam-systemd,login,passwd,iproute2 \
                --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
                --dpkgopt='path-exclude=/usr/share/locale/*' --skip=download/empty,essential/unlink \
                "$RELEASE" "$2" "deb [signed-by=$1/key.asc] copy://$1 $RELEASE main" </dev/null
}

host_test_begin "SELinux, enforcing"
vm_begin "$RELEASE" selinux
mirror=$(small_mirror)
here=$(dirname "$(readlink -f "$0")")
check "the package is given" cp "${CTVIRT_DEB:?}" "$VM_JOB/ctvirt.deb"
check "a root as a tar file" make_tar "$mirror" "$VM_JOB/root.tar"
cp -a "$mirror" "$VM_JOB/mirror"
cp "$here/lib/login.py" "$VM_JOB/"
"$HOST_PROGRAM" tinyroot "$VM_JOB/tinyroot"
cat >"$VM_JOB/run" <<'JOB'
HOOK=/etc/libvirt/hooks/network.d/50-ctvirt
POOL=/var/lib/machines
CT="xmlns:ct='http://ctvirt.org/schemas/container/1.0'"
# "Vogel-17"
HASH='$6$ctvirttest$8YLxihCcc97v8cIa/SD7QCFvjmquofdnV9znInuiP8xItTUPVTbXEqC.drT4/pzYs4Pw83o068wdplTXua1eo/'

. /job/vm-job.sh

running() { systemctl -q is-active "systemd-nspawn@$1.service"; }
not_running() { ! running "$1"; }
target_is() { [ "$(systemctl show -P ActiveState ctvirt-autostart@virbr0.target)" = "$1" ]; }
witness_is() { grep -qx "WITNESS=$1" /run/ctvirt/bridges/virbr0; }
has_lease() { virsh -q net-dhcp-leases default | grep -q " $1 "; }
label_of() { stat -c %C "$1"; }
domain_of() { cut -d: -f3 "/proc/$1/attr/current" | tr -d '\0'; }
agent_pid() { systemctl show -P MainPID ctvirtd.service; }
leader() { machinectl show -P Leader "$1" 2>/dev/null || machinectl show -p Leader --value "$1"; }
in_web() { nsenter -t "$(leader web)" -a -- "$@"; }
booted() { in_web systemctl is-active multi-user.target | grep -qx active; }
no_getty() { [ -z "$(in_web systemctl list-units --no-legend --state=activating,active,deactivating 'container-getty@*')" ]; }
# As can_log_in of lib/sources.sh.
log_in() {
        wait_for 60 no_getty || return
        in_web systemctl reset-failed 'container-getty@*'
        timeout 120 python3 /job/login.py root "$1" machinectl -q login web
}
may_stop() { compute_av system_u:system_r:virtd_t:s0 "system_u:object_r:$1:s0" service | grep '^allowed=' | grep -qw stop; }
labelled() { check_equal "label of $1" "$2" "$(label_of "$1" | cut -d: -f3)"; }

echo "administrator: $(id -Z); $(getenforce); policy $(cat /sys/fs/selinux/policyvers)"
check_equal "SELinux enforces" Enforcing "$(getenforce)"
echo "at $(cut -d' ' -f1 /proc/uptime) s: the package"
check "the package is installed" env DEBIAN_FRONTEND=noninteractive dpkg -i /job/ctvirt.deb
check "its module is loaded" sh -c 'semodule -l | grep -qx ctvirt'
check "selinux-setup says so" /usr/libexec/ctvirt/selinux-setup status
labelled $POOL ctvirt_root_t
labelled /run/ctvirt/bridges ctvirt_runtime_t
labelled $HOOK bin_t
labelled /usr/lib/systemd/system/ctvirt-autostart@.target ctvirt_unit_t
check_not "libvirt's domain may stop other units" may_stop systemd_unit_t
check "the targets it may" may_stop ctvirt_unit_t
check "the hook is installed" /usr/libexec/ctvirt/hook-setup status
check "the agent runs" wait_for 60 systemctl -q is-active ctvirtd.service
echo "domain of the agent: $(domain_of "$(agent_pid)"), of libvirtd: $(domain_of "$(systemctl show -P MainPID libvirtd.service)")"
check "an administrator is answered" ctvirt list --all

echo "at $(cut -d' ' -f1 /proc/uptime) s: a root from a tar file"
cat >/root/web.xml <<XML
<domain type='nspawn' $CT>
  <name>web</name>
  <devices><interface type='network'><source network='default'/></interface></devices>
  <ct:bootstrap type='tar'><ct:source file='/job/root.tar'/></ct:bootstrap>
  <ct:firstboot>
    <ct:hostname>web.example.lan</ct:hostname>
    <ct:rootpassword hash='$HASH'/>
    <ct:timezone>Europe/Berlin</ct:timezone>
  </ct:firstboot>
</domain>
XML
check "define --bootstrap" ctvirt define --validate /root/web.xml --bootstrap
check_equal "label of the root: as the policy says" "$(matchpathcon -n $POOL/web)" "$(label_of $POOL/web)"
labelled $POOL/web/usr/bin/bash ctvirt_root_t
labelled /etc/systemd/nspawn/web.nspawn etc_t
shadow=$(label_of $POOL/web/etc/shadow)
check_equal "the password is in etc/shadow" "$HASH" "$(grep ^root: $POOL/web/etc/shadow | cut -d: -f2)"
check_equal "its label: as that of etc/passwd, which nobody wrote" "$(label_of $POOL/web/etc/passwd)" "$shadow"
check_equal "host name" web.example.lan "$(cat $POOL/web/etc/hostname)"
check_equal "time zone" Europe/Berlin "$(readlink $POOL/web/etc/localtime | sed 's:.*/zoneinfo/::')"

echo "at $(cut -d' ' -f1 /proc/uptime) s: the network"
check "web is enabled" ctvirt autostart web
check "the generator has read what libvirt has" wait_for 30 grep -qs ConditionPathExists=/run/ctvirt/bridges/virbr0 \
        /run/systemd/generator/systemd-nspawn@web.service.d/50-ctvirt-gate.conf
check "net-start" virsh -q net-start default
check "the hook was first, or the agent" test -e /run/ctvirt/bridges/virbr0
check "net-start starts web" wait_for 60 running web
check "web has a lease" wait_for 120 has_lease web
check "net-destroy" virsh -q net-destroy default
check "net-start again" virsh -q net-start default
check "the hook runs, under libvirtd" witness_is hook
check "web's link is back" wait_for 30 sh -c 'ip -o link show vb-web | grep -q "master virbr0 "'
check "all of web is up" wait_for 180 booted
check_equal "no unit in web has failed" "" "$(in_web systemctl list-units --state=failed --no-legend --plain)"
echo "domain of web: $(domain_of "$(leader web)")"
check_equal "web's PID 1 is confined" systemd_nspawn_t "$(domain_of "$(leader web)")"

echo "at $(cut -d' ' -f1 /proc/uptime) s: the hook alone"
check "the agent is stopped" systemctl mask --now ctvirtd.service
check "net-destroy" virsh -q net-destroy default
check "the hook has stopped the targets" wait_for 20 target_is inactive
check "web is stopped" systemctl stop systemd-nspawn@web.service
check "net-start" virsh -q net-start default
check "the hook has started the targets" wait_for 20 target_is active
check "and web" wait_for 60 running web
check "which is all up again" wait_for 300 booted
systemctl unmask ctvirtd.service
check "the agent is back" systemctl start ctvirtd.service

echo "at $(cut -d' ' -f1 /proc/uptime) s: passwords"
check "root can log in" log_in Vogel-17
check "set-user-password" ctvirt set-user-password web root --password Amsel-23
check_equal "etc/shadow keeps its label" "$shadow" "$(label_of $POOL/web/etc/shadow)"
check "root can log in with it" log_in Amsel-23
check "not with the old one" eval 'log_in Vogel-17 2>&1 | grep "login incorrect"'
chcon -l s0:c7 $POOL/web/etc/shadow
check "set-user-password with a label of its own" ctvirt set-user-password web root --password Amsel-24
check_equal "which is kept" "${shadow%:*}:s0:c7" "$(label_of $POOL/web/etc/shadow)"

echo "at $(cut -d' ' -f1 /proc/uptime) s: copies"
check "web stops" ctvirt shutdown web
check "web has stopped" wait_for 90 not_running web
check "clone" ctvirt clone web web2
check_equal "a clone has the labels" "${shadow%:*}:s0:c7" "$(label_of $POOL/web2/etc/shadow)"
check "snapshot" ctvirt snapshot-create-as web before
check_equal "a snapshot has the labels" "${shadow%:*}:s0:c7" "$(label_of $POOL/.ctvirt/snapshots/web/before/etc/shadow)"
check "export" ctvirt export web2 /root/web.ctvirt
check "import" ctvirt import /root/web.ctvirt --name web3
# As a label says what programs may do, a bundle has no say in it.
check_equal "what is imported is labelled by this host" "$shadow" "$(label_of $POOL/web3/etc/shadow)"

echo "at $(cut -d' ' -f1 /proc/uptime) s: the pool"
chcon -t var_lib_t $POOL
check "pool-check tells the wrong label" sh -c "ctvirt pool-check 2>&1 | grep -q \"'$POOL' has the SELinux label '.*:var_lib_t:.*' instead of '.*:ctvirt_root_t:\""
check "pool-check --repair" ctvirt pool-check --repair
labelled $POOL ctvirt_root_t
for name in web web2 web3; do check "$name is removed" ctvirt undefine $name --remove-all-storage; done

echo "at $(cut -d' ' -f1 /proc/uptime) s: the end"
check_equal "SELinux still enforces" Enforcing "$(getenforce)"
sleep 2
# What was denied, each once. With noise of others: libvirt's programs ask for executable memory and for logind.
denied=$(cat /var/log/audit/audit.log | grep -aE 'type=(AVC|USER_AVC)' | grep -a denied |
        sed -nE 's/.*denied +\{ ([^}]*) \}.*scontext=[^:]*:[^:]*:([^:]*):[^ ]* tcontext=[^:]*:[^:]*:([^:]*):[^ ]* tclass=([a-z0-9_]*).*/\2 \3:\4 { \1 }/p' | sort | uniq -c)
printf 'denied:\n%s\n' "$denied"
ours=$(printf '%s\n' "$denied" | grep -E 'ctvirt_|systemd_nspawn_|systemd_machined_t|systemd_generator_t|system_dbusd_t|initrc_t|init_t|virtd_t bin_t|systemd_unit_t')
check_equal "nothing of ctvirt's work was denied" "" "$ours"
grep -aE 'type=(AVC|USER_AVC)' /var/log/audit/audit.log | grep -aE 'ctvirt_|nspawn|machined|generator|dbusd|initrc|virtd_t' | grep -av 'member=Inhibit' |
        sort -u -t: -k3 | head -40
echo "end of job"
JOB
check "the machine has run" vm_run 3000 "security=selinux selinux=1 enforcing=1 audit_backlog_limit=8192"
vm_report
finish
