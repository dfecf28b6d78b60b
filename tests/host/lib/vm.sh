# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Machines with a kernel of their own, for tests of what a host shares with the machine below it. Sourced after harness.sh.
#
#   vm_begin "$RELEASE" [selinux]       the disk (see vmroot.sh), and a host that has qemu
#   cp … "$VM_JOB/"                     what the job needs; $VM_JOB/run is a shell script. It is read-only at /job,
#                                       where vm-job.sh has the job's checks
#   vm_run 600 [KERNEL-OPTIONS]         boots, runs /job/run, powers off; within so many seconds
#   vm_report                           passes and failures of the job's lines "ok - TEXT" and "not ok - TEXT"
#
# Without KVM: some thirty seconds for a boot, and everything in it takes ten times as long as elsewhere.

VM_JOB=
VM_DIR=
VM_MEMORY=1024
VM_HERE=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")

vm_begin() {
        local release=$1 kind=${2:-kernel}
        # semodule reads the whole policy.
        [[ $kind != selinux ]] || VM_MEMORY=2048
        VM_DIR=$(mktemp -d)
        VM_JOB=$VM_DIR/job
        mkdir "$VM_JOB"
        cp "$VM_HERE/vm-job.sh" "$VM_JOB/"
        VM_ROOT=$("$HOST_PROGRAM" vmroot "$release" "$kind")
        use_host VM_HOST "$release" --vm --bind "$VM_ROOT:/vmroot" --bind "$VM_DIR:/vm"
}

# vm_run SECONDS [KERNEL-OPTIONS]. The job's output is in $VM_DIR/out, the console in $VM_DIR/console.
vm_run() {
        local seconds=$1 options=${2:-}
        rm -f "$VM_DIR/job.img"
        mke2fs -q -t ext4 -d "$VM_JOB" "$VM_DIR/job.img" 512M >/dev/null
        : >"$VM_DIR/out"
        host exec -- timeout -s KILL "$seconds" qemu-system-x86_64 -machine pc -accel tcg,thread=multi -cpu max -smp 2 -m "$VM_MEMORY" \
                -display none -monitor none -no-reboot -serial file:/vm/console -serial file:/vm/out \
                -kernel /vmroot/vmlinuz -initrd /vmroot/initrd \
                -append "root=/dev/vda rw console=ttyS0 quiet panic=-1 systemd.mask=serial-getty@ttyS0.service $options" \
                -drive file=/vmroot/root.img,if=virtio,format=raw,snapshot=on \
                -drive file=/vm/job.img,if=virtio,format=raw,readonly=on </dev/null
}

# vm_report: a job that did not come to its end ("end of job") has failed.
vm_report() {
        local line
        while IFS= read -r line; do
                case $line in
                "ok - "*) pass "${line#ok - }" ;;
                "not ok - "*) fail "${line#not ok - }" ;;
                *) printf '#    %s\n' "$line" ;;
                esac
        done < <(tr -d '\r' <"$VM_DIR/out")
        check "the job came to its end" grep -q '^end of job' "$VM_DIR/out"
        if ! grep -q '^end of job' "$VM_DIR/out"; then tail -n 30 "$VM_DIR/console" | sed 's/^/#    /'; fi
        rm -rf "$VM_DIR"
}
