#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What of hostile contents takes long: a download that falls silent, a million files, archives that become gigabytes, and a pool
# that is full at each moment of each operation. All of it ends with a sentence, leaves nothing, and the next operation works.
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"
# shellcheck source-path=SCRIPTDIR source=lib/sources.sh
. "$(dirname "$(readlink -f "$0")")/lib/sources.sh"

NO_ROOM='[Nn]o space left|kept free|quota exceeded'

agent_is_the_same() {
        check_equal "the agent is the same" "$AGENT" "$(on systemctl show -P MainPID ctvirtd.service)"
}

# ends TEXT PATTERN COMMAND...: it fails with that sentence, and nothing of it is left.
ends() {
        fails "$@"
        check "nothing is left of it" wait_for 60 pool_is_tidy
}

# ---- archives

make_archives() {
        put_file /root/make.py <<'PY'
import sys, subprocess

def header(name, size=0, kind=b"0", mode=0o644):
    h = bytearray(512)
    h[0:len(name)] = name
    h[100:108] = b"%07o\0" % mode
    h[108:116] = h[116:124] = b"0000000\0"
    h[124:136] = b"%011o\0" % size
    h[136:148] = b"%011o\0" % 0
    h[156:157] = kind
    h[257:265] = b"ustar  \0"
    h[148:156] = b" " * 8
    h[148:156] = b"%06o\0 " % sum(h)
    return bytes(h)

def zstd(path):
    return subprocess.Popen(["zstd", "-q", "-f", "-1", "-o", path], stdin=subprocess.PIPE)

def write(path, pieces):
    p = zstd(path)
    for piece in pieces:
        p.stdin.write(piece)
    p.stdin.close()
    p.wait()

def many(n, kind, mode):
    yield header(b"./", kind=b"5", mode=0o755)
    for i in range(n):
        if i % 1000 == 0:
            yield header(b"d%d/" % (i // 1000), kind=b"5", mode=0o755)
        yield header(b"d%d/%d" % (i // 1000, i), kind=kind, mode=mode)
    yield bytes(1024)

def zeros(total, files):
    chunk = bytes(1 << 20)
    yield header(b"./", kind=b"5", mode=0o755)
    for i in range(files):
        yield header(b"big%d" % i, size=total // files)
        for _ in range(total // files >> 20):
            yield chunk
    yield bytes(1024)

write("/root/files.tar.zst", many(1000000, b"0", 0o644))
write("/root/folders.tar.zst", many(1000000, b"5", 0o755))
write("/root/bomb.tar.zst", zeros(8 << 30, 2))
PY
        on python3 /root/make.py
        # Streams of xz, one after the other, are one.
        on 'cd /root && head -c 256M /dev/zero | xz -0 >piece.xz && python3 -c "
import sys; sys.argv.append(\"x\")
exec(open(\"/root/make.py\").read().split(\"write(\\\"/root/files\")[0])
open(\"head\", \"wb\").write(header(b\"./\", kind=b\"5\") + header(b\"big\", size=0o77777777777))" &&
                { xz -0 <head; for i in $(seq 32); do cat piece.xz; done; } >bomb.tar.xz'
}

# The most memory that the job at work on $1 has had, in MiB, when it is over.
job_memory() {
        on 'peak=0; until ctvirt job-list | grep -q running; do sleep 0.1; done
                while ctvirt job-list | grep -q running; do
                        pid=$(pgrep -x ctvirt-job | head -n 1)
                        now=$(sed -n "s/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p" "/proc/${pid:-0}/status" 2>/dev/null)
                        [ "${now:-0}" -le "$peak" ] || peak=$now
                        sleep 0.2
                done; echo $((peak / 1024))'
}

test_many() {
        local what memory
        for what in files folders; do
                step "an archive with a million $what"
                on "systemd-run -q --unit upload-$what ctvirt vol-upload many /root/$what.tar.zst"
                memory=$(job_memory)
                check "it is unpacked" on "test \$(find $POOL/many | wc -l) -gt 1000000"
                check "its job had less than 256 MiB of memory ($memory)" test "$memory" -lt 256 -a "$memory" -gt 0
                check "it is deleted" on ctvirt vol-delete many
                check "and all of it goes" wait_for 300 pool_is_tidy
        done
        agent_is_the_same
}

test_bombs() {
        step "archives that become gigabytes"
        ends "zstd" "looks like an attack" ctvirt vol-upload bomb /root/bomb.tar.zst
        ends "xz" "looks like an attack" ctvirt vol-upload bomb /root/bomb.tar.xz
        ends "as the source of a container" "looks like an attack" ctvirt bootstrap web --replace --from tar:/root/bomb.tar.xz
        agent_is_the_same
}

# ---- servers

# As systemd-pull before systemd 257 does when several of its files end at the same moment.
test_stall() {
        step "a download that falls silent"
        put_file /root/slow.py <<'PY'
import http.server, time

class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        time.sleep(5)
        super().do_GET()

http.server.ThreadingHTTPServer(("127.0.0.1", 8080), Handler).serve_forever()
PY
        on 'mkdir /srv/slow && tar -C /usr/share/tinyroot -cf /srv/slow/root.tar . && systemd-run -q --unit slow --working-directory=/srv/slow python3 /root/slow.py'
        check "there is a server" wait_for 20 on 'ss -Htln sport = :8080 | grep -q .'
        on 'systemd-run -q --unit pull sh -c "ctvirt bootstrap web --replace --from http://127.0.0.1:8080/root.tar --verify no >/root/said 2>&1; echo \$? >/root/status"'
        check "it is stopped" wait_for 20 on pkill -STOP -x systemd-pull
        check "it is tried once more" wait_for 200 on 'journalctl -q | grep -q "trying it once more"'
        check "and has an end" wait_for 60 on test -s /root/status
        check_equal "which is a good one" 0 "$(on cat /root/status)"
        check "the root is whole" on 'cmp /usr/share/tinyroot/sbin/init /var/lib/machines/web/sbin/init'
        check "nothing is left of it" wait_for 60 pool_is_tidy
        on systemctl stop slow.service
        agent_is_the_same
}

# ---- small pools

# small_pool FILESYSTEM SIZE: on a loop device, mounted over the pool.
small_pool() {
        on 'for i in 0 1 2 3 4 5 6 7; do test -e /dev/loop$i || mknod /dev/loop$i b 7 $i; done
                test -e /dev/loop-control || mknod /dev/loop-control c 10 237'
        on "rm -f /root/pool.img; truncate -s $2 /root/pool.img; mkfs.$1 -q /root/pool.img && chmod 755 /root && mount -o loop /root/pool.img $POOL && chmod 700 $POOL"
}

end_small_pool() {
        wait_for 60 on umount "$POOL"
}

# leave MIB: so much is free.
leave() {
        on "rm -f $POOL/.filler; sync; btrfs filesystem sync $POOL 2>/dev/null
                free=\$(( \$(stat -f -c '%a * %S' $POOL) / 1048576 - $1 ))
                [ \$free -le 0 ] || dd if=/dev/zero of=$POOL/.filler bs=1M count=\$free conv=fsync status=none" || :
}

# Until nothing at all can be written, neither content nor names.
fill_up() {
        on "dd if=/dev/zero of=$POOL/.filler bs=1M conv=fsync status=none
                mkdir -p $POOL/.names; i=0; for round in 1 2 3; do
                        while head -c 1500 /dev/zero >$POOL/.names/\$i 2>/dev/null; do i=\$((i + 1)); [ \$i -lt 200000 ] || break; done
                        sync
                done" >/dev/null 2>&1 || :
}

free_again() {
        on "rm -rf $POOL/.filler $POOL/.names; sync; btrfs filesystem sync $POOL 2>/dev/null" || :
}

# tight TEXT COMMAND...: with little room left, it works or says why not; nothing is left of it.
tight() {
        local text=$1 output status=0
        shift
        output=$(on "$@" 2>&1) || status=$?
        if ((status == 0)); then
                pass "$text: works"
        elif grep -Eq -- "$NO_ROOM" <<<"$output"; then
                pass "$text: $(grep -Em1 -- "$NO_ROOM" <<<"$output" | cut -c1-150)"
        else
                fail "$text (exit status $status)" "$output"
        fi
        check "nothing is left of it" wait_for 60 pool_is_tidy
}

# Each operation with that much room.
test_tight() { # MIB
        step "$1 MiB are left"
        leave "$1"
        tight "bootstrap from an archive" ctvirt bootstrap web --replace --from tar:/root/root.tar
        tight "from a folder" ctvirt bootstrap web --replace --from directory:/srv/root
        tight "from a container" ctvirt bootstrap web --replace --from clone:other
        tight "from an image of a disk" ctvirt bootstrap image --replace --from raw:/root/disk.raw
        tight "clone of a volume" ctvirt vol-clone other copy
        tight "clone of a container" ctvirt clone other twin
        tight "upload" ctvirt vol-upload up /root/root.tar --replace
        tight "snapshot" ctvirt snapshot-create-as other new
        tight "back to a snapshot" ctvirt snapshot-revert other old
        tight "import" ctvirt import /root/other.bundle --name guest
        agent_is_the_same
        check "the container is whole" on 'test "$(ls /var/lib/machines/other)" = "$(ls /srv/root)" && cmp /srv/root/usr/lib/big /var/lib/machines/other/usr/lib/big'
        check "the pool has no problems" on ctvirt pool-check
        for name in copy up; do on "test ! -e $POOL/$name || ctvirt -q vol-delete $name"; done
        for name in twin guest; do on "test ! -e /etc/ctvirt/containers/$name.xml || ctvirt -q undefine $name --remove-all-storage"; done
        on 'ctvirt -q snapshot-delete other new' 2>/dev/null || :
}

fill_pool() {
        on 'mkdir -p /srv/root && cp -a /usr/share/tinyroot/. /srv/root && head -c 24M /dev/urandom >/srv/root/usr/lib/big &&
                tar -C /srv/root -cf /root/root.tar . && truncate -s 40M /root/disk.raw && dd if=/dev/urandom of=/root/disk.raw bs=1M count=24 seek=1 conv=notrunc status=none
                printf "\203\0\0\0\0\10\0\0\0\0\1\0" | dd of=/root/disk.raw bs=1 seek=450 conv=notrunc status=none
                printf "\125\252" | dd of=/root/disk.raw bs=1 seek=510 conv=notrunc status=none'
        for name in web other image; do
                container_xml "$name" default | put_file "/root/$name.xml"
                on ctvirt -q define "/root/$name.xml" || return
        done
        on "ctvirt -q bootstrap other --from directory:/srv/root && ctvirt -q snapshot-create-as other old && ctvirt -q export other /root/other.bundle"
}

test_small() { # FILESYSTEM SIZE
        step "a pool of $2 on $1"
        check "there is one" small_pool "$1" "$2"
        check "with a container" fill_pool
        for left in 40 16 4 1 0; do test_tight "$left"; done
        leave 12
        ends "the pool is not filled to the end" "kept free|No space left" ctvirt bootstrap web --replace --from tar:/root/bomb.tar.zst
        # btrfs gives back what was removed when it gets to it.
        check "there is room" wait_for 60 on "btrfs filesystem sync $POOL 2>/dev/null; test \$(( \$(stat -f -c '%a * %S' $POOL) )) -gt 1000000"
        ends "a million files" "$NO_ROOM" ctvirt vol-upload many /root/files.tar.zst
        free_again
        check "with room again, it works" on ctvirt bootstrap web --replace --from tar:/root/root.tar

        step "what is full to the last byte ($1)"
        fill_up
        check "a snapshot is deleted" on ctvirt snapshot-delete other old
        check "a root is deleted" on ctvirt vol-delete web
        check "and all of it goes" wait_for 60 pool_is_tidy
        free_again
        check "with room again, it works" on ctvirt bootstrap web --from tar:/root/root.tar
        check "the pool has no problems" on ctvirt pool-check
        agent_is_the_same
        for name in web other image; do on ctvirt -q undefine $name --remove-all-storage; done
        check "all goes" wait_for 60 pool_is_tidy
        check "the pool gives its place" end_small_pool
}

host_test_begin "what is large, and what is full"
use_host H "$RELEASE"
check "the package is installed" install_ctvirt
make_tree
AGENT=$(on systemctl show -P MainPID ctvirtd.service)
check "archives" make_archives
test_small ext4 130M
test_small btrfs 300M
container_xml web default | put_file /root/web.xml
on ctvirt -q define /root/web.xml
test_stall
test_many
test_bombs
finish
