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

# What the host cannot get by itself.
bring_sources() {
        local work lib
        lib=$(dirname "$(readlink -f "$0")")/lib
        work=$(mktemp -d)
        if [[ " $OPS " == *" apt "* ]]; then
                "$lib/apt-mirror.sh" "$RELEASE" "$work/mirror" && host push "$work/mirror" /srv/mirror || return
        fi
        rm -rf "$work"
        host push "$lib" /root/lib
        on mkdir -p /root/crash
        if [[ " $OPS " == *" dnf "* ]]; then on bash /root/lib/rpm-repo.sh /usr/share/tinyroot /srv/rpm || return; fi
        if [[ " $OPS " == *" oci "* ]]; then on bash /root/lib/oci-image.sh /usr/share/tinyroot /root/crash/image || return; fi
}

host_test_begin "kill -9 and power cuts at $((POINTS * 2)) points of each way to make a root"
for pool in --btrfs ''; do
        step "the pool is ${pool:+on btrfs}${pool:-a plain folder}"
        # shellcheck disable=SC2086
        crash_host $pool
        check "there is something to install from" bring_sources
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
finish
