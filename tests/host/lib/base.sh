# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The cached base roots, and the tiny container tree. Sourced by host.

# Change it when a base that is built otherwise must not be taken for the same.
BASE_RECIPE=1

RELEASES=(bookworm trixie)

# The services of a libvirt host with containers, and the tools that tests use in it.
BASE_PACKAGES=(
        systemd systemd-sysv systemd-container udev dbus polkitd libnss-mymachines
        libvirt-daemon-system libvirt-daemon-driver-qemu libvirt-clients dnsmasq-base iptables nftables
        iproute2 iputils-ping procps e2fsprogs btrfs-progs busybox-static strace inotify-tools gpg xz-utils
)
# Another owner of bridges; off until a test starts it.
BASE_PACKAGES+=(network-manager)
# What the package of ctvirt depends on, so that it can be installed without a package mirror.
BASE_PACKAGES+=(
        adduser libvirt0 libsystemd0 libxml2 libnl-3-200 libnl-route-3-200 libsodium23 libselinux1 libsmartcols1
        libbtrfsutil1 libedit2 libcap2 libarchive13 libblkid1 libcrypt1
)
# What it calls to fill containers, and what makes the mirrors and images that tests fill them from.
BASE_PACKAGES+=(
        mmdebstrap debootstrap dnf rpm createrepo-c skopeo umoci python3 zstd acl attr libcap2-bin
)

# What the base of a host for virtual machines (create --vm) has besides.
VM_PACKAGES=(qemu-system-x86)
# What the base of a machine of its own (lib/vm.sh) has besides: with a kernel, and an initramfs that finds its disk.
KERNEL_PACKAGES=(linux-image-cloud-amd64 initramfs-tools kmod)
# The same with a policy of SELinux.
SELINUX_PACKAGES=(selinux-policy-default policycoreutils selinux-utils semodule-utils auditd)
# The guest: a kernel for virtual machines and a busybox, of this release whatever that of the host is.
GUEST_RELEASE=bookworm
GUEST_PACKAGES=(linux-image-cloud-amd64 busybox-static)
# In the order in which they have to be loaded.
GUEST_MODULES=(virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci failover net_failover virtio_net)

check_release() {
        local release
        for release in "${RELEASES[@]}"; do
                [[ $1 == "$release" ]] && return
        done
        die "the release \"$1\" is not known; known are: ${RELEASES[*]}"
}

# base_packages KIND: those of a base; KIND is empty, vm, kernel or selinux.
base_packages() {
        printf '%s\n' "${BASE_PACKAGES[@]}"
        [[ $1 != vm ]] || printf '%s\n' "${VM_PACKAGES[@]}"
        [[ $1 != kernel && $1 != selinux ]] || printf '%s\n' "${KERNEL_PACKAGES[@]}"
        [[ $1 != selinux ]] || printf '%s\n' "${SELINUX_PACKAGES[@]}"
}

# base_path RELEASE [KIND]: prints the path that the base has, or will have.
base_path() {
        local key
        key=$({
                printf '%s\n' "$BASE_RECIPE" "$1"
                base_packages "${2:-}"
                cat "$LIB/customize-base.sh"
        } | sha256sum)
        printf '%s/base/%s-%s\n' "$CACHE" "$1${2:+-$2}" "${key:0:16}"
}

# Prints the Debian mirror: CTVIRT_MIRROR, else the one this machine's apt uses, else the default.
mirror() {
        local uri=''
        if [[ -n ${CTVIRT_MIRROR:-} ]]; then
                printf '%s\n' "$CTVIRT_MIRROR"
                return
        fi
        # Only when it is a mirror of the archive's main part (not -updates, not -security).
        # shellcheck disable=SC2016
        uri=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Origin: Debian' 'Label: Debian' \
                'Created-By: Packages' 2>/dev/null |
                awk '$2 !~ /[-\/]/ && $1 ~ /^(https?|file|copy):/ { sub("/$", "", $1); print $1; exit }') || uri=''
        printf '%s\n' "${uri:-http://deb.debian.org/debian}"
}

# build_base RELEASE [KIND]: builds the base if it is missing; prints its path.
build_base() {
        local release=$1 kind=${2:-} path new debs log lock
        check_release "$release"
        path=$(base_path "$release" "$kind")
        if [[ ! -d $path ]]; then
                need mmdebstrap mmdebstrap
                mkdir -p "$CACHE/base" "$CACHE/debs/$release"
                exec {lock}>"$CACHE/base/.lock-$release"
                if ! flock -n "$lock"; then
                        say "waiting for another run that builds the base of $release"
                        flock "$lock"
                fi
                if [[ ! -d $path ]]; then
                        say "building the base of $release from $(mirror) (half a minute to some minutes, once)"
                        new=$CACHE/base/.new-$release
                        log=$CACHE/base/.log-$release
                        debs=$CACHE/debs/$release
                        remove_tree "$new"
                        # The hooks are run by a shell with the root as $1.
                        # shellcheck disable=SC2016
                        if ! DEBS=$debs CUSTOMIZE=$LIB/customize-base.sh mmdebstrap --mode=root --variant=minbase \
                                --skip=download/empty,essential/unlink --include="$(base_packages "$kind" | paste -sd,)" \
                                --setup-hook='mkdir -p "$1/var/cache/apt/archives"' \
                                --setup-hook='find "$DEBS" -name "*.deb" -exec cp -t "$1/var/cache/apt/archives" {} +' \
                                --customize-hook='find "$1/var/cache/apt/archives" -name "*.deb" -exec cp -ut "$DEBS" {} +' \
                                --customize-hook='sh "$CUSTOMIZE" "$1"' \
                                "$release" "$new" "$(mirror)" >"$log" 2>&1 </dev/null; then
                                tail -n 20 "$log" >&2
                                remove_tree "$new"
                                die "the base of $release could not be built: mmdebstrap failed (above; all of it: $log)" \
                                        "Check that this machine reaches the mirror; CTVIRT_MIRROR names another one."
                        fi
                        # Packages of an old point release are of no use any more.
                        find "$debs" -name '*.deb' -mtime +60 -delete
                        mv "$new" "$path"
                fi
                exec {lock}>&-
        fi
        printf '%s\n' "$path"
}

# The modules of the kernel in tree $1, in their order, and what loads them, as an initramfs on standard output.
pack_guest() {
        local tree=$1 root=$1/guest module
        mkdir -p "$root/bin" "$root/lib/modules" "$root/proc" "$root/sys" "$root/dev" "$root/tmp"
        cp "$tree/bin/busybox" "$root/bin/"
        install -m 755 "$LIB/guest-init" "$root/init"
        for module in "${GUEST_MODULES[@]}"; do
                find "$tree/lib/modules" -name "$module.ko" -exec cp -t "$root/lib/modules" {} +
        done
        printf '%s\n' "${GUEST_MODULES[@]}" >"$root/lib/modules/order"
        (cd "$root" && find . | "$tree/bin/busybox" cpio -o -H newc 2>/dev/null | gzip -1)
}

# Prints the path of a directory with vmlinuz and initrd of a tiny guest; built once.
vm_guest() {
        local key guest new
        key=$({
                printf '%s\n' "$GUEST_RELEASE" "${GUEST_PACKAGES[@]}" "${GUEST_MODULES[@]}"
                cat "$LIB/guest-init"
        } | sha256sum)
        guest=$CACHE/tiny/guest-${key:0:16}
        if [[ ! -d $guest ]]; then
                need mmdebstrap mmdebstrap
                mkdir -p "$CACHE/tiny"
                new=$(mktemp -d "$CACHE/tiny/.new.XXXXXX")
                say "building the guest for virtual machines (a minute, once)"
                if ! mmdebstrap --mode=root --variant=extract --include="$(printf '%s,' "${GUEST_PACKAGES[@]}")" \
                        "$GUEST_RELEASE" "$new/tree" "$(mirror)" >"$new/log" 2>&1 </dev/null; then
                        tail -n 20 "$new/log" >&2
                        remove_tree "$new"
                        die "the guest could not be built: mmdebstrap failed" "Check that this machine reaches the mirror."
                fi
                mkdir "$new/guest"
                cp "$new"/tree/boot/vmlinuz-* "$new/guest/vmlinuz"
                pack_guest "$new/tree" >"$new/guest/initrd"
                mv -T "$new/guest" "$guest" 2>/dev/null || :
                remove_tree "$new"
        fi
        printf '%s\n' "$guest"
}

# Prints the path of a static busybox: this machine's, else that of a base.
static_busybox() {
        local candidate
        for candidate in /bin/busybox "$CACHE"/base/*/bin/busybox; do
                [[ -x $candidate ]] || continue
                # A static program has no interpreter.
                if ! grep -aq -m1 'ld-linux' "$candidate" && "$candidate" --list | grep -qx udhcpc; then
                        printf '%s\n' "$candidate"
                        return
                fi
        done
        candidate=$(build_base bookworm)
        printf '%s\n' "$candidate/bin/busybox"
}

# Prints the path of the compiled tinyinit, which is cached.
tinyinit_program() {
        local key program new
        key=$(sha256sum <"$HERE/tinyinit.c")
        program=$CACHE/tiny/tinyinit-${key:0:16}
        if [[ ! -x $program ]]; then
                need "${CC:-cc}" 'gcc libc6-dev'
                mkdir -p "$CACHE/tiny"
                new=$(mktemp "$CACHE/tiny/.new.XXXXXX")
                "${CC:-cc}" -std=gnu11 -O2 -Wall -Wextra -s -static -o "$new" "$HERE/tinyinit.c" ||
                        die "tinyinit.c could not be compiled" "A static C library is needed: apt-get install gcc libc6-dev"
                chmod 755 "$new"
                mv "$new" "$program"
        fi
        printf '%s\n' "$program"
}

# Prints the path of the cached tiny container tree.
tiny_tree() {
        local init busybox key tree new applet
        init=$(tinyinit_program)
        busybox=$(static_busybox)
        key=$(sha256sum <"$busybox"; cat "$LIB/base.sh" "$LIB/tiny-rc" "$LIB/tiny-udhcpc" "$init" | sha256sum)
        key=$(sha256sum <<<"$key")
        tree=$CACHE/tiny/root-${key:0:16}
        if [[ ! -d $tree ]]; then
                new=$(mktemp -d "$CACHE/tiny/.new.XXXXXX")
                (
                        cd "$new" || exit
                        umask 022
                        mkdir -p usr/bin usr/sbin usr/lib etc root dev proc sys run tmp var/log var/lib
                        chmod 755 .
                        chmod 700 root
                        chmod 1777 tmp
                        ln -s usr/bin bin
                        ln -s usr/sbin sbin
                        ln -s usr/lib lib
                        ln -s ../run var/run
                        install -m 755 "$busybox" usr/bin/busybox
                        install -m 755 "$init" usr/sbin/init
                        for applet in $("$busybox" --list); do
                                [[ $applet == busybox || $applet == init ]] || ln -s busybox "usr/bin/$applet"
                        done
                        install -m 755 "$LIB/tiny-rc" etc/rc
                        install -m 755 "$LIB/tiny-udhcpc" etc/udhcpc.script
                        : >etc/machine-id
                        printf 'ID=tiny\nNAME="Tiny test container"\nPRETTY_NAME="Tiny test container"\nVERSION_ID=1\n' \
                                >usr/lib/os-release
                        ln -s ../usr/lib/os-release etc/os-release
                        printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >etc/passwd
                        printf 'root:x:0:\nnogroup:x:65534:\n' >etc/group
                        printf '127.0.0.1 localhost\n' >etc/hosts
                )
                # Another run may have been quicker.
                mv -T "$new" "$tree" 2>/dev/null || remove_tree "$new"
        fi
        printf '%s\n' "$tree"
}

# Makes the tiny container tree in $1, which must not exist or be empty.
make_tinyroot() {
        local dir=$1 tree
        if [[ -e $dir && ( ! -d $dir || -n $(ls -A "$dir") ) ]]; then
                die "$dir exists and is not an empty directory" "Name a new one, or remove it first."
        fi
        tree=$(tiny_tree)
        mkdir -p "$dir"
        cp -a --reflink=auto "$tree/." "$dir"
}
