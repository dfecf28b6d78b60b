# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The disk of a machine with a kernel of its own, for what a host that shares its kernel cannot show: the clock, SELinux.
# Sourced by host; lib/vm.sh boots it.

VM_ROOT_SIZE=4G

# vm_root RELEASE [selinux]: prints the path of a directory with vmlinuz, initrd and root.img (ext4) of RELEASE; built once.
# The machine mounts a second disk at /job, runs /job/run with its output on the second serial line, and powers off. With
# selinux it has Debian's policy, and all files their labels.
vm_root() {
        local release=$1 kind=${2:-kernel} base dir new
        base=$(build_base "$release" "$kind")
        dir=$CACHE/vmroot/$(basename "$base")-$(sha256sum <"$LIB/vmroot.sh" | cut -c1-8)
        if [[ ! -d $dir ]]; then
                need mke2fs e2fsprogs
                mkdir -p "$CACHE/vmroot"
                new=$(mktemp -d "$CACHE/vmroot/.new.XXXXXX")
                say "making the disk of $release (some seconds, once)"
                cp -a --reflink=auto "$base" "$new/tree"
                cp -L "$base"/boot/vmlinuz-* "$new/vmlinuz"
                cp -L "$base"/boot/initrd.img-* "$new/initrd"
                add_job_unit "$new/tree"
                [[ $kind != selinux ]] || add_selinux "$new/tree"
                mke2fs -q -t ext4 -d "$new/tree" "$new/root.img" "$VM_ROOT_SIZE" >&2
                remove_tree "$new/tree"
                mv -T "$new" "$dir" 2>/dev/null || remove_tree "$new"
        fi
        printf '%s\n' "$dir"
}

add_job_unit() {
        local root=$1
        mkdir -p "$root/job" "$root/etc/systemd/system/multi-user.target.wants"
        echo vm >"$root/etc/hostname"
        cat >"$root/etc/systemd/system/vm-job.service" <<'UNIT'
[Unit]
Wants=libvirtd.service
After=libvirtd.service
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
Environment=HOME=/root LANG=C.UTF-8
ExecStartPre=/bin/sh -c "mount -o ro /dev/vdb /job"
ExecStart=/bin/sh /job/run
StandardInput=null
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS1
TimeoutStartSec=infinity
UNIT
        ln -sf ../vm-job.service "$root/etc/systemd/system/multi-user.target.wants/vm-job.service"
}

# The job runs as an administrator who has logged in does. Labels last: each change of the tree would want them again.
add_selinux() {
        local root=$1
        mkdir -p "$root/etc/selinux" "$root/etc/systemd/system/vm-job.service.d"
        printf 'SELINUX=enforcing\nSELINUXTYPE=default\n' >"$root/etc/selinux/config"
        printf '[Service]\nSELinuxContext=unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023\n' \
                >"$root/etc/systemd/system/vm-job.service.d/administrator.conf"
        # setfiles wants /proc.
        # shellcheck disable=SC2016
        unshare --mount sh -c 'mount -t proc proc "$1/proc" &&
                chroot "$1" setfiles -F /etc/selinux/default/contexts/files/file_contexts /' label "$root" >/dev/null
}
