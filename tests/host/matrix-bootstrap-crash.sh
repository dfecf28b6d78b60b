#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The long form of test-bootstrap-crash.sh: 50 points of each way to make a root, half of them on btrfs, half on a plain
# folder. CTVIRT_CRASH_POINTS: another number; CTVIRT_CRASH_OPS: only these; CTVIRT_CRASH_POOLS: btrfs, plain or both.
# shellcheck disable=SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/bootstrap-crash.sh
. "$(dirname "$(readlink -f "$0")")/lib/bootstrap-crash.sh"

POINTS=$((${CTVIRT_CRASH_POINTS:-50} / 2))
OPS=${CTVIRT_CRASH_OPS:-tar directory raw clone pull base oci dnf apt import volclone revert}
POOLS=${CTVIRT_CRASH_POOLS:-btrfs plain}

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

# On btrfs the agent does some of them itself, which can only be stopped one at a time.
is_quick() {
        [[ $1 == btrfs && ($2 == volclone || $2 == revert) ]]
}

host_test_begin "kill -9 and power cuts at $((POINTS * 2)) points of each way to make a root"
SOURCES=$(mktemp -d)
check "there is something to install from" make_sources
for pool in $POOLS; do
        create=()
        [[ $pool != btrfs ]] || create=(--btrfs)
        crash_host "${create[@]}"
        step "the pool is on $(on stat -f -c %T /var/lib/machines) ($pool)"
        check "the host has it" bring_sources
        # shellcheck disable=SC2086
        check "all is prepared" point setup $OPS
        together=()
        for op in $OPS; do
                [[ $op == apt ]] || is_quick "$pool" "$op" || together+=("$op")
        done
        ((${#together[@]} == 0)) || crash_series "$POINTS" "${together[@]}"
        for op in $OPS; do
                if is_quick "$pool" "$op"; then crash_quick "$POINTS" "$op"; fi
        done
        # It takes longer than all the others together.
        if wants apt; then crash_series "$POINTS" apt; fi
        host stop
done
rm -rf "$SOURCES"
finish
