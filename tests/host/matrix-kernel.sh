#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What wants a kernel and a udev of its own: project quotas of ext4, and disk images with partitions.
# shellcheck disable=SC2016,SC2154,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/vm.sh
. "$(dirname "$(readlink -f "$0")")/lib/vm.sh"

# What systemd makes of partitions: https://uapi-group.org/specifications/specs/discoverable_partitions_specification/
ROOT_X86_64=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709
SRV=3B8F8425-20E0-4F3B-907F-1A25A76F98E8

# make_disk FILE TREE: a partition for the root, one for /srv.
make_disk() {
        local srv status=0
        srv=$(mktemp -d) || return
        echo "from the second partition" >"$srv/hello"
        truncate -s 96M "$1" &&
                sfdisk -q "$1" <<<"label: gpt
start=1MiB, size=64MiB, type=$ROOT_X86_64
size=16MiB, type=$SRV" &&
                mke2fs -q -t ext4 -d "$2" -E offset=$((1 << 20)) "$1" 64M &&
                mke2fs -q -t ext4 -d "$srv" -E offset=$((65 << 20)) "$1" 16M || status=1
        rm -r "$srv"
        return $status
}

host_test_begin "a kernel of its own: project quotas, images with partitions"
vm_begin "$RELEASE"
check "the package is given" cp "${CTVIRT_DEB:?}" "$VM_JOB/ctvirt.deb"
"$HOST_PROGRAM" tinyroot "$VM_JOB/tinyroot"
mkdir -p "$VM_JOB/tinyroot/srv"
check "a disk with partitions" make_disk "$VM_JOB/disk.raw" "$VM_JOB/tinyroot"
cat >"$VM_JOB/run" <<'JOB'
. /job/vm-job.sh

CT="xmlns:ct='http://ctvirt.org/schemas/container/1.0'"
POOL=/var/lib/machines

running() { systemctl -q is-active "systemd-nspawn@$1.service"; }
in_container() { name=$1; shift; nsenter -t "$(machinectl show -p Leader --value "$name")" -a -- "$@"; }
in_image() { systemd-dissect --copy-from "$POOL/$1.raw" "$2" -; }
capacity_is() { ctvirt vol-info "$1" | grep -qE "^Capacity: +$2"; }
define() { printf "<domain type='nspawn' %s><name>%s</name><os><type>exe</type></os>%s</domain>" "$CT" "$1" "$2" >"/root/$1.xml" && ctvirt -q define --validate "/root/$1.xml"; }
# fill FILE MIB: as root of a container. Who has CAP_SYS_RESOURCE on the host is not limited by quotas (ignore_hardlimit() of Linux).
fill() { setpriv --bounding-set=-sys_resource head -c "$2M" /dev/zero >"$1"; }

check "the package is installed" env DEBIAN_FRONTEND=noninteractive dpkg -i /job/ctvirt.deb
echo "at $(cut -d' ' -f1 /proc/uptime) s: project quotas; kernel $(uname -r)"
truncate -s 300M /root/pool.img
mkfs.ext4 -q -O project,quota /root/pool.img
systemctl stop ctvirtd.service
check "a pool with project quotas" mount -o loop,prjquota /root/pool.img $POOL
chmod 700 $POOL
systemctl start ctvirtd.service
check "web is defined" define web "<ct:quota unit='MiB'>32</ct:quota><ct:bootstrap type='directory'><ct:source file='/job/tinyroot'/></ct:bootstrap>"
check "bootstrap" ctvirt bootstrap web
check "its limit is told" capacity_is web '32.00 MiB'
check_not "more does not fit" fill $POOL/web/big 40
check "it is full" sh -c "test \$(du -m $POOL/web | tail -n 1 | cut -f1) -lt 34"
rm $POOL/web/big
check "vol-resize" ctvirt vol-resize web 64M
check "what did not fit, fits" fill $POOL/web/big 40
check "the new limit is told" capacity_is web '64.00 MiB'
check "and what it takes" sh -c "ctvirt vol-info web | grep -qE '^Allocation: +4[0-9].* MiB'"
check "the host is not limited" fill $POOL/other 80
rm $POOL/other $POOL/web/big
check "clone" ctvirt clone web web2
check "a clone has the limit of the definition" capacity_is web2 '32.00 MiB'
check "and does not eat of the other's" fill $POOL/web2/big 20
check_not "which is one" fill $POOL/web2/big2 20
check "which has its own" fill $POOL/web/big 40
check_not "and only that" fill $POOL/web/big2 40
check "what is new in a limited tree counts" mkdir -p $POOL/web/new/folder
check_not "also in new folders" fill $POOL/web/new/folder/big 40
rm -r $POOL/web/new $POOL/web/big*
check "the limit is taken away" ctvirt vol-resize web none
check "as much as one likes" fill $POOL/web/big 80
rm $POOL/web/big
check "the pool is well" ctvirt pool-check
check "web is removed" ctvirt undefine web --remove-all-storage
check "web2 is removed" ctvirt undefine web2 --remove-all-storage

echo "at $(cut -d' ' -f1 /proc/uptime) s: an image with partitions"
check "disk is defined" define disk "<ct:bootstrap type='raw'><ct:source file='/job/disk.raw'/></ct:bootstrap><ct:firstboot><ct:hostname>disk.example.lan</ct:hostname><ct:timezone>UTC</ct:timezone></ct:firstboot>"
check "bootstrap" ctvirt bootstrap disk
check_equal "its host name" disk.example.lan "$(in_image disk /etc/hostname)"
check_equal "its machine ID" "$(ctvirt domuuid disk | tr -d '\n-')" "$(in_image disk /etc/machine-id)"
check "no loop device is left" sh -c '! losetup -n -O BACK-FILE | grep -qF /.ctvirt/'
check "disk starts" ctvirt start disk
check "disk runs" wait_for 60 running disk
check_equal "with its root" disk.example.lan "$(in_container disk cat /etc/hostname)"
check_equal "and its second partition" "from the second partition" "$(in_container disk cat /srv/hello)"
check "disk is stopped" ctvirt destroy disk
check "clone" ctvirt clone disk disk2
check_equal "a clone has a machine ID of its own" "$(ctvirt domuuid disk2 | tr -d '\n-')" "$(in_image disk2 /etc/machine-id)"
check "and starts" ctvirt start disk2
check "disk2 runs" wait_for 60 running disk2
check_equal "with its second partition" "from the second partition" "$(in_container disk2 cat /srv/hello)"
ctvirt -q destroy disk2
check "no unit has failed" no_failed_units
echo "end of job"
JOB
check "the machine has run" vm_run 3000
vm_report
finish
