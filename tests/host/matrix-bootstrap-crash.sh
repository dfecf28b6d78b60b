#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The long form of test-bootstrap-crash.sh: 50 points of each way to make a root, half of them on btrfs, half on a plain
# folder. CTVIRT_CRASH_POINTS: another number; CTVIRT_CRASH_OPS: only these.
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/bootstrap-crash.sh
. "$(dirname "$(readlink -f "$0")")/lib/bootstrap-crash.sh"

POINTS=$((${CTVIRT_CRASH_POINTS:-50} / 2))
OPS=${CTVIRT_CRASH_OPS:-tar directory clone volclone revert import pull base oci dnf apt}

# What the hosts cannot make: a mirror needs the network, and signing an agent of gpg.
make_sources() {
        local lib
        lib=$(dirname "$(readlink -f "$0")")/lib
        if wants apt; then "$lib/apt-mirror.sh" "$RELEASE" "$SOURCES/mirror" || return; fi
        "$HOST_PROGRAM" tinyroot "$SOURCES/tree"
        if wants dnf; then "$lib/rpm-repo.sh" "$SOURCES/tree" "$SOURCES/rpm" || return; fi
        if wants oci; then "$lib/oci-image.sh" "$SOURCES/tree" "$SOURCES/image" || return; fi
}

wants() {
        [[ " $OPS " == *" $1 "* ]]
}

bring_sources() {
        local name
        on mkdir -p /root/crash /etc/ctvirt/recipes /etc/pki/rpm-gpg
        for name in mirror rpm image; do
                [[ ! -d $SOURCES/$name ]] || host push "$SOURCES/$name" "/srv/$name"
        done
        # The recipes that are shipped, with fewer packages and with the keys of the mirrors.
        on 'sed "s:^Key=.*:Key=/srv/mirror/key.asc:; s:^Packages=.*:Packages=:; s:^SystemPackages=.*:SystemPackages=:" \
                /usr/share/ctvirt/recipes/debian.conf >/etc/ctvirt/recipes/debian.conf'
        [[ ! -d $SOURCES/rpm ]] || on cp /srv/rpm/RPM-GPG-KEY-test /etc/pki/rpm-gpg/RPM-GPG-KEY-fedora-37-x86_64
}

host_test_begin "kill -9 and power cuts at $((POINTS * 2)) points of each way to make a root"
SOURCES=$(mktemp -d)
check "there is something to install from" make_sources
for pool in --btrfs ''; do
        step "the pool is ${pool:-a plain folder}"
        # shellcheck disable=SC2086
        crash_host $pool
        check "the host has it" bring_sources
        # shellcheck disable=SC2086
        check "all is prepared" point setup $OPS
        for op in $OPS; do
                case $op in
                apt) crash_series "$op" "$POINTS" last ;;
                *) crash_series "$op" "$POINTS" ;;
                esac
        done
        host stop
done
rm -rf "$SOURCES"
finish
