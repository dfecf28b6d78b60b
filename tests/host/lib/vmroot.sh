# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The disk of a machine with a kernel of its own, for what a host that shares its kernel cannot show: the clock, SELinux.
# Sourced by host; lib/vm.sh boots it.

VM_ROOT_SIZE=4G

# Prints the path of a directory with vmlinuz, initrd and root.img (ext4) of RELEASE; built once. The machine mounts a second
# disk at /job, runs /job/run with its output on the second serial line, and powers off.
vm_root() {
        local release=$1 base dir new
        base=$(build_base "$release" kernel)
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
ExecStartPre=mount -o ro /dev/vdb /job
ExecStart=/bin/sh /job/run
StandardInput=null
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS1
TimeoutStartSec=infinity
UNIT
        ln -sf ../vm-job.service "$root/etc/systemd/system/multi-user.target.wants/vm-job.service"
}
