#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Makes a small image of the Open Container Initiative as a layout (oci:OUT:TAG) from the tiny container tree.
# usage: oci-image.sh TREE OUT
#
# Tags:
#   good     two layers (the second one replaces, adds and removes), entrypoint, arguments, environment, folder
#   user     one layer, whose program is run by nobody, of the group nogroup, with a variable that cannot be had
#   hostile  a layer whose entries lead out of the tree: symlinks, "..", hard links
# Needs umoci and python3; no network. Root, so that owners are kept.
set -euo pipefail
umask 022

(($# == 2)) || { printf 'usage: %s TREE OUT\n' "$0" >&2; exit 2; }
tree=$(readlink -f "$1")
out=$(readlink -m "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

quiet() {
        "$@" </dev/null >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
}

rm -rf "$out"
quiet umoci init --layout "$out"

tar -C "$tree" -cf "$work/one.tar" --exclude './dev/*' --exclude './proc/*' --exclude './sys/*' .
python3 - "$work" <<'PYTHON'
import io
import sys
import tarfile

work = sys.argv[1]


def add(tar, name, kind=tarfile.REGTYPE, link='', data=b'', mode=0o644):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = link
    info.mode = mode
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


with tarfile.open(work + '/two.tar', 'w') as tar:
    add(tar, 'etc/motd', data=b'from the second layer\n')
    add(tar, 'etc/.wh.hosts')

with tarfile.open(work + '/hostile.tar', 'w') as tar:
    add(tar, 'out', tarfile.SYMTYPE, '/outside')
    add(tar, 'out/through-symlink', data=b'x')
    add(tar, 'up', tarfile.SYMTYPE, '../../../../../../outside')
    add(tar, 'up/through-relative', data=b'x')
    add(tar, '../../../../../../outside/dots', data=b'x')
    add(tar, '/outside/absolute', data=b'x')
    add(tar, 'hard', tarfile.LNKTYPE, '../../../../../../outside/secret')
    add(tar, 'etc/.wh...')
PYTHON

quiet umoci new --image "$out:good"
quiet umoci raw add-layer --image "$out:good" "$work/one.tar"
quiet umoci raw add-layer --image "$out:good" "$work/two.tar"
# shellcheck disable=SC2016
quiet umoci config --image "$out:good" --config.entrypoint /bin/sh --config.entrypoint -c \
        --config.cmd 'echo "$GREETING, world" >/said; exec sleep 1000000' \
        --config.env 'GREETING=good day' --config.env 'PATH=/usr/sbin:/usr/bin' --config.workingdir /srv
quiet umoci new --image "$out:user"
quiet umoci raw add-layer --image "$out:user" "$work/one.tar"
quiet umoci config --image "$out:user" --config.entrypoint /bin/sleep --config.cmd 1000000 \
        --config.user nobody:nogroup --config.env 'NO-NAME=x'
quiet umoci new --image "$out:hostile"
quiet umoci raw add-layer --image "$out:hostile" "$work/one.tar"
quiet umoci raw add-layer --image "$out:hostile" "$work/hostile.tar"
