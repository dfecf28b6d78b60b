#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Roots from archives, folders, images, servers and other containers, on btrfs and on a plain folder: they boot, and what is
# not as it should be is refused with nothing left.
# It takes long and runs on one release, unless more is asked for (tests/run --help).
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"
# shellcheck source-path=SCRIPTDIR source=lib/sources.sh
. "$(dirname "$(readlink -f "$0")")/lib/sources.sh"

# boots TEXT NAME: it starts, has a lease, and is what was made.
boots() {
        check "$1 starts" on ctvirt start "$2"
        check "$1 has a lease" wait_for 20 has_lease default "$2"
        check "$1 is destroyed" on ctvirt destroy "$2"
}

sum_of() {
        on sha256sum "$1" | cut -d' ' -f1
}

from() {
        printf "<ct:bootstrap type='%s'><ct:source %s/>%s</ct:bootstrap>" "$1" "$2" "${3:-}"
}

make_archives() {
        make_tree
        on 'mkdir -p /srv/www && cd /srv/www && tar -C /usr/share/tinyroot -cf tiny.tar . && xz -1k tiny.tar && zstd -q tiny.tar && head -c 200000 tiny.tar.xz >cut.tar.xz'
}

test_archives() {
        step "archives ($1)"
        bootstraps "a plain archive with the right sum" plain system "$(from tar "file='/srv/www/tiny.tar'" "<ct:verify sha256='$(sum_of /srv/www/tiny.tar)'/>")"
        boots "it" plain
        check_equal "its machine id" "$(on ctvirt domuuid plain | tr -d '\n-')" "$(on cat "$POOL/plain/etc/machine-id")"
        bootstrap_xml two system ''
        check "xz" on ctvirt bootstrap two --from tar:/srv/www/tiny.tar.xz
        check "zstd, --replace" on ctvirt bootstrap two --from tar:/srv/www/tiny.tar.zst --replace
        boots "it" two
        bootstrap_xml wrong system "$(from tar "file='/srv/www/tiny.tar'" "<ct:verify sha256='$(printf '0%.0s' {1..64})'/>")"
        refused "a wrong sum" "the SHA-256 of /srv/www/tiny.tar is .*damaged, or another one" wrong
        refused "an archive that is cut off" "cut.tar.xz: .*(damaged|truncated|end)" wrong --from tar:/srv/www/cut.tar.xz
        refused "no archive at all" "no archive|not an archive|unrecognized|Unrecognized" wrong --from tar:/usr/bin/python3
        on 'cd /srv/www && tar -C /usr/share -cf wrapped.tar tinyroot && tar -cf empty.tar -T /dev/null'
        refused "an archive with a folder around it" "nothing is replaced: all that came is a folder, 'tinyroot'.*tar -C tinyroot" two --replace --from tar:/srv/www/wrapped.tar
        refused "an empty archive" "nothing is replaced: it is empty" two --replace --from tar:/srv/www/empty.tar
        check "the root that is there stays" on test -e "$POOL/two/etc/rc"
        boots "it" two
        refused "a file that is not there" "/srv/nowhere.tar cannot be opened: No such file" wrong --from tar:/srv/nowhere.tar
        fails "a source that is none" "nothing-of-that-kind" ctvirt bootstrap wrong --from nothing-of-that-kind:1
}

test_folders() {
        step "folders, clones, bases ($1)"
        bootstraps "a folder" folder system "$(from directory "file='/usr/share/tinyroot'")"
        boots "it" folder
        refused "a folder that is not there" "/srv/nowhere cannot be opened" folder --replace --from directory:/srv/nowhere
        refused "a file as a folder" "it is no folder" folder --replace --from directory:/srv/www/tiny.tar
        check "it is still there" on test -e "$POOL/folder/etc/rc"
        on "echo mark >$POOL/folder/etc/mark"
        bootstraps "a clone" clone system "$(from clone "container='folder'")"
        check_equal "with what the other one has" mark "$(on cat "$POOL/clone/etc/mark")"
        check_equal "and a machine id of its own" "$(on ctvirt domuuid clone | tr -d '\n-')" "$(on cat "$POOL/clone/etc/machine-id")"
        boots "it" clone
        refused "a clone of what is not there" "container nowhere" clone --replace --from clone:nowhere
        refused "a base that is not there" "0123abcd" clone --replace --from base:0123abcd
        [[ $1 == plain ]] || check_equal "on btrfs a clone is a snapshot" "$(on "btrfs subvolume show $POOL/folder" | sed -n 's/^\tUUID:[ \t]*//p')" "$(on "btrfs subvolume show $POOL/clone" | sed -n 's/^\tParent UUID:[ \t]*//p')"
}

# in_image NAME FILE
in_image() {
        on "debugfs -R 'cat $2' $POOL/$1.raw 2>/dev/null"
}

test_images() {
        step "disk images ($1)"
        on 'for i in 0 1 2 3 4 5 6 7; do test -e /dev/loop$i || mknod /dev/loop$i b 7 $i; done; test -e /dev/loop-control || mknod /dev/loop-control c 10 237
                truncate -s 40M /srv/www/tiny.raw && mke2fs -q -t ext4 -d /usr/share/tinyroot /srv/www/tiny.raw && xz -1k /srv/www/tiny.raw'
        bootstraps "an image" image system "$(from raw "file='/srv/www/tiny.raw'" "<ct:verify sha256='$(sum_of /srv/www/tiny.raw)'/>")<ct:firstboot><ct:timezone>UTC</ct:timezone></ct:firstboot>"
        check "nothing is left mounted, no loop device is used" on '! grep -q ctvirt-image /proc/mounts && test -z "$(losetup -n -O BACK-FILE | grep -F /.ctvirt/)"'
        check_equal "its host name" image "$(in_image image /etc/hostname)"
        check_equal "its machine ID" "$(on ctvirt domuuid image | tr -d '\n-')" "$(in_image image /etc/machine-id)"
        check_equal "it is an image in the pool" "image" "$(on ctvirt -q vol-list | awk '$1 == "image" { print $1 }')"
        check "a copy, with its holes" on "test -f $POOL/image.raw && test \$(stat -c %b $POOL/image.raw) -lt 40000 "
        boots "it" image
        bootstraps "a clone of it" imageclone system "$(from clone "container='image'")"
        check_equal "it has a machine ID of its own" "$(on ctvirt domuuid imageclone | tr -d '\n-')" "$(in_image imageclone /etc/machine-id)"
        boots "it" imageclone
        bootstrap_xml noimage system "$(from raw "file='/srv/www/tiny.raw'" "<ct:verify sha256='$(printf '0%.0s' {1..64})'/>")"
        refused "a wrong sum" "the SHA-256 of /srv/www/tiny.raw is" noimage
        refused "an archive as an image" "not a disk image.*--from tar:" noimage --from raw:/srv/www/tiny.tar
        refused "an image that is packed" "not a disk image.*unpacked" image --replace --from raw:/srv/www/tiny.raw.xz
        check "the image that is there stays" on test -f "$POOL/image.raw"
        refused "an image that is not there" "/srv/nowhere.raw cannot be opened" noimage --from raw:/srv/nowhere.raw
}

# One folder a case: what is wrong in it.
make_server() {
        local made
        made=$(mktemp -d)
        mkdir "$made/good" "$made/checksum" "$made/unsigned" "$made/forged" "$made/damaged"
        on 'cd /srv/www && sha256sum tiny.tar.xz tiny.raw.xz' | tee "$made"/{good,checksum,unsigned,forged}/SHA256SUMS |
                sed 's/^[0-9a-f]*/00000000000000000000000000000000ffffffffffffffffffffffffffffffff/' >"$made/damaged/SHA256SUMS"
        (
                export GNUPGHOME=$made/gpg
                mkdir -m 700 "$GNUPGHOME"
                for key in good other; do
                        gpg --batch -q --passphrase '' --quick-gen-key "$key@ctvirt" rsa2048 sign never 2>/dev/null
                done
                gpg --batch --export good@ctvirt >"$made/pubring"
                gpg --batch -q -u good@ctvirt --detach-sign -o "$made/good/SHA256SUMS.gpg" "$made/good/SHA256SUMS"
                gpg --batch -q -u other@ctvirt --detach-sign -o "$made/forged/SHA256SUMS.gpg" "$made/forged/SHA256SUMS"
                gpgconf --kill all
        )
        for folder in good checksum unsigned forged damaged; do
                host push "$made/$folder" "/srv/www/$folder"
        done
        host push "$(dirname "$(readlink -f "$0")")/lib/slow-server.py" /root/slow-server.py
        host push "$made/pubring" /etc/systemd/import-pubring.gpg
        rm -rf "$made"
        on 'cd /srv/www && for d in good checksum unsigned forged damaged; do ln tiny.tar.xz tiny.raw.xz $d/; done
                systemd-run -q --unit web-server python3 /root/slow-server.py /srv/www 8000'
        wait_for 20 on 'python3 -c "import socket; socket.create_connection((\"127.0.0.1\", 8000))"'
}

test_servers() {
        local url=http://127.0.0.1:8000
        step "servers ($1)"
        check "a server" make_server
        bootstraps "with a right signature" pulled system "$(from pull-tar "url='$url/good/tiny.tar.xz'")"
        boots "it" pulled
        check "nothing of importd is left in the pool" wait_for 20 pool_is_tidy
        check "it was kept as a base" on 'ctvirt -q base-list | grep -q .'
        bootstrap_xml nopull system "$(from pull-tar "url='$url/good/tiny.tar.xz'" "<ct:cache use='no'/>")"
        check "once more, without the base" on ctvirt bootstrap nopull
        check "and again, over it" on ctvirt bootstrap nopull --replace
        on ctvirt -q vol-delete nopull
        refused "a signature that is missing" "signature|SHA256SUMS.gpg|404" nopull --no-cache --from "$url/unsigned/tiny.tar.xz"
        refused "a signature of another key" "signature|verification" nopull --no-cache --from "$url/forged/tiny.tar.xz"
        refused "a wrong sum" "INVALID|checksum|sum" nopull --no-cache --from "$url/damaged/tiny.tar.xz" --verify checksum
        refused "a file that is not there" "404|not there|not found" nopull --no-cache --from "$url/good/nowhere.tar.xz"
        refused "a server that is not there" "onnect" nopull --no-cache --from http://127.0.0.1:8001/tiny.tar.xz
        check "a sum without a signature does with --verify checksum" on ctvirt bootstrap nopull --no-cache --from "$url/checksum/tiny.tar.xz" --verify checksum
        boots "it" nopull
        bootstraps "an image that is packed" pullraw system "$(from pull-raw "url='$url/good/tiny.raw.xz'")"
        check "it is the image" on "cmp $POOL/pullraw.raw /srv/www/tiny.raw"
        boots "it" pullraw
        check "nothing of importd is left" wait_for 20 pool_is_tidy
}

test_oci() {
        step "an image of the Open Container Initiative ($1)"
        check "an image" make_with oci-image.sh /srv/image
        bootstraps "an application container" app application "$(from oci "image='oci:/srv/image:good'" "<ct:verify mode='no'/>")"
        check "it starts" on ctvirt start app
        check "it runs the image's command with its variables" wait_for 10 on "test \"\$(cat $POOL/app/said)\" = 'good day, world'"
        check_equal "both layers" "from the second layer" "$(on cat "$POOL/app/etc/motd")"
        check "the definition says it" on 'ctvirt dumpxml app --security-info | tr -d "\n" | grep -q "<init>/bin/sh</init>.*<initarg>-c</initarg>.*<initenv name=.GREETING.>good day</initenv>"'
        check "it is destroyed" on ctvirt destroy app
        bootstrap_xml user application "$(from oci "image='oci:/srv/image:user'" "<ct:verify mode='no'/>")"
        on 'ctvirt bootstrap user >/root/said 2>&1' || :
        check "what cannot be taken over is told to whoever waits" on 'grep "initgroup" /root/said && grep "NO-NAME" /root/said'
        check "and by its job" on 'ctvirt job-info user | grep "initgroup"'
        refused "an image that is not there" "/srv/nowhere" app --replace --from oci:/srv/nowhere:good --verify no
        refused "a tag that is not there" "missing" app --replace --no-cache --from oci:/srv/image:missing --verify no
        on 'mkdir -p /root/away && mv /usr/bin/umoci /root/away/'
        refused "no tool" "umoci is not installed on this host: install umoci" app --replace --no-cache
        on 'mv /root/away/umoci /usr/bin/'
}

test_space() {
        step "a full disk ($1)"
        on 'truncate -s 0 /srv/www/big.tar; mkdir -p /root/big && cp -a /usr/share/tinyroot/. /root/big && yes ctvirt | head -c 700M >/root/big/big && tar -C /root/big -cf - . | zstd -q -1 >/srv/www/big.tar.zst; rm -rf /root/big'
        bootstrap_xml big system "$(from tar "file='/srv/www/big.tar.zst'")"
        refused "it is told" "[Nn]o space left" big
        # btrfs frees what is deleted in the background.
        check "there is room again" wait_for 60 on ctvirt bootstrap big --from tar:/srv/www/tiny.tar
        boots "it" big
}

host_test_begin "roots from archives, folders, images and servers"
use_host B "$RELEASE" --btrfs=512M
check "the package is installed" install_ctvirt
check "the network starts" on virsh -q net-start default
make_archives
test_archives btrfs
test_folders btrfs
test_images btrfs
test_servers btrfs
test_oci btrfs
test_space btrfs
check "the pool has no problems" on ctvirt pool-check
check "no unit has failed" no_failed_units

use_host P "$RELEASE"
check "the package is installed" install_ctvirt
check "the network starts" on virsh -q net-start default
make_archives
test_archives plain
test_folders plain
test_oci plain
check "the pool has no problems" on ctvirt pool-check
check "no unit has failed" no_failed_units
finish
