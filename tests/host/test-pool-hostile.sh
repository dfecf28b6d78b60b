#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The pool among hostile users, archives, bundles, roots and devices: nobody but an administrator changes it, nothing outside of
# it is touched, no root is taken from under a container that runs, and nobody makes the agent wait.
# It takes long and runs on one release, unless more is asked for (tests/run --help).
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"

as_mallory() {
        host exec --raw --user mallory -- "$@" </dev/null
}

# refused TEXT PATTERN COMMAND: the line for sh fails and says PATTERN.
refused() {
        local text=$1 pattern=$2 status=0 output
        shift 2
        output=$(on "$@" 2>&1) || status=$?
        if ((status != 0)) && grep -Eq -- "$pattern" <<<"$output"; then
                pass "$text: $(grep -E -- "$pattern" <<<"$output" | tail -n 1 | cut -c 1-140)"
        else
                fail "$text" "exit status $status, wanted: $pattern"$'\n'"$output"
        fi
}

pool_is_tidy() {
        on 'test -z "$(ls -A /var/lib/machines/.ctvirt/new /var/lib/machines/.ctvirt/trash | grep -v :)"'
}

no_jobs() {
        ! on ctvirt job-list | grep -q running
}

precious_is_there() {
        check "$1: what is outside of the pool is as it was" on 'test "$(cat /srv/precious/file)" = precious'
}

BUILD=$(mktemp -d)

host_test_begin "hostile users and contents of the pool"
use_host H "$RELEASE" --btrfs
check "the package is installed" install_ctvirt
check "web is defined" define_container web
on 'useradd -m mallory; mkdir -p /srv/precious; echo precious >/srv/precious/file; echo first >/var/lib/machines/web/mark'
agent_before=$(on systemctl show -P MainPID ctvirtd.service)

step "an unprivileged user"
put_file /usr/local/bin/nonsense <<'SH'
call() { timeout 20 busctl --system call org.ctvirt.agent1 "$@" >/dev/null 2>&1; }
pool="/org/ctvirt/agent1/pool org.ctvirt.agent1.Pool"
web="/org/ctvirt/agent1/container/web org.ctvirt.agent1.Container"
long=$(head -c 90000 /dev/zero | tr '\0' A)
for what in web ../x $'a\nb' "$long" '' / -x; do
        for call in "CloneVolume ss web" "RenameVolume ss web"; do
                call $pool $call "$what" && exit 1
        done
        call $pool DeleteVolume st "$what" 0 && exit 1
        call $pool ResizeVolume st "$what" 1 && exit 1
        call $pool DeleteBase s "$what" && exit 1
        call $pool Build 'a{sv}' 2 Source s "/$what" Overwrite b true && exit 1
        call $web Clone 'sa{sv}' "$what" 0 && exit 1
        call $web CreateSnapshot ss "$what" "$what" && exit 1
        call $web RevertSnapshot st "$what" 1 && exit 1
        call $web DeleteSnapshot s "$what" && exit 1
        call $web SetUserPassword ss root "$what" && exit 1
        call $web Bootstrap 'a{sv}' 2 From s "$what" Replace b true && exit 1
        call $web Bootstrap 'a{sv}' 1 From as 1 "$what" && exit 1
        call $web Bootstrap 'a{sv}' 1 Packages as 1 "$what" && exit 1
done
call $pool Repair && exit 1
call $pool Refresh && exit 1
call $pool ListVolumes && call $pool GetInfo && call $pool Check && call $pool ListBases && call $web ListSnapshots
SH
check "may look, and nothing else" as_mallory bash /usr/local/bin/nonsense
check_equal "no job was begun" 0 "$(on 'ls /run/ctvirt/jobs | wc -l')"

step "the pool is frozen, as for a backup"
on 'echo "root:!:20000::::::" >/var/lib/machines/web/etc/shadow; chmod 600 /var/lib/machines/web/etc/shadow'
on fsfreeze --freeze /var/lib/machines
on systemd-run -q --unit password ctvirt set-user-password web root --password secret
check "a password waits to be written" wait_for 20 on 'cat /proc/$(systemctl show -P MainPID ctvirtd)/task/*/stat | grep -q ") D "'
check "who asks for it is answered" as_mallory timeout 20 busctl --system call org.ctvirt.agent1 /org/ctvirt/agent1/pool org.ctvirt.agent1.Pool GetInfo
check "and the agent does not wait" on timeout 20 ctvirt list --all
check "nor who asks for a container" on timeout 20 ctvirt dominfo web
check_not "the password is not set" on 'grep -q "^root:[$]" /var/lib/machines/web/etc/shadow'
on fsfreeze --unfreeze /var/lib/machines
check "then it is" wait_for 20 on 'grep -q "^root:[$]" /var/lib/machines/web/etc/shadow'

step "a container that somebody starts while its root is made anew"
on 'cd /usr/share/tinyroot && tar -cf /root/new.tar . && mkfifo /root/pipe'
put_file /root/race.sh <<'SH'
ctvirt vol-upload web /root/pipe --replace >/root/upload.log 2>&1 &
exec 9>/root/pipe
head -c 20000 /root/new.tar >&9
until ctvirt job-list | grep -q 'volume-upload.*Unpacking'; do sleep 0.1; done
systemctl start systemd-nspawn@web.service
tail -c +20001 /root/new.tar >&9
exec 9>&-
wait $!
SH
refused "the root that it runs on is not exchanged" 'web. is in use' 'bash /root/race.sh || { cat /root/upload.log; exit 1; }'
check "it runs" is_running web
check_equal "on the root that it was started with" first "$(on 'cat /proc/$(machinectl show -p Leader --value web)/root/mark')"
refused "it is not deleted" "is running" ctvirt vol-delete web
on systemctl stop systemd-nspawn@web.service
check "when it is down, it is" on 'ctvirt vol-upload web /root/new.tar --replace && test ! -e /var/lib/machines/web/mark'
check "nothing is left over" wait_for 20 pool_is_tidy

step "roots that are not what they seem"
on 'ln -s /srv/precious /var/lib/machines/link; mkdir -p /var/lib/machines/over; mount --bind /srv/precious /var/lib/machines/over'
for name in link over; do
        refused "$name is not deleted" "symlink|mount point" ctvirt vol-delete "$name"
        refused "$name is not renamed" "symlink|mount point" ctvirt vol-rename "$name" other
        refused "$name is not replaced" "symlink|mount|is there already|volume '$name' already|replace" ctvirt vol-upload "$name" /root/new.tar
done
precious_is_there "symlink and mount"
on 'umount /var/lib/machines/over; rm -rf /var/lib/machines/link /var/lib/machines/over'
printf "<domain type='nspawn'><name>out</name><os><type>exe</type></os><devices><filesystem type='mount'><source dir='/srv/precious'/><target dir='/'/></filesystem></devices></domain>" | put_file /root/out.xml
on ctvirt -q define /root/out.xml
refused "a root outside of the pool stays" "not in the pool" ctvirt undefine out --remove-all-storage
precious_is_there "undefine"
on 'ctvirt -q undefine out; mv /var/lib/machines/web /var/lib/machines/kept; ln -s /srv/precious /var/lib/machines/web'
refused "nor is one behind a symlink" "symlink" ctvirt undefine web --remove-all-storage
precious_is_there "undefine of a symlink"
on 'rm /var/lib/machines/web; mv /var/lib/machines/kept /var/lib/machines/web'
refused "the pool is not copied into itself" "have itself in it" ctvirt bootstrap web --replace --from directory:/var/lib/machines

step "hostile archives and bundles"
python3 - "$BUILD" <<'PY'
import hashlib, io, sys, tarfile

def entry(name, kind=tarfile.REGTYPE, data=b"", link=""):
    t = tarfile.TarInfo(name)
    t.type, t.size, t.linkname, t.mode = kind, len(data), link, 0o755
    return t, io.BytesIO(data)

root = entry("./", tarfile.DIRTYPE)
archives = {
    "dots": [root, entry("../escaped", data=b"x")],
    "absolute": [root, entry("/srv/escaped", data=b"x")],
    "through": [root, entry("out", tarfile.SYMTYPE, link="/srv"), entry("out/escaped", data=b"x")],
    "hard": [root, entry("shadow", tarfile.LNKTYPE, link="../../../../etc/shadow")],
    "hardlink": [root, entry("out", tarfile.SYMTYPE, link="/etc/shadow"), entry("shadow", tarfile.LNKTYPE, link="out")],
}
for name, entries in archives.items():
    with tarfile.open(f"{sys.argv[1]}/{name}.tar", "w", format=tarfile.GNU_FORMAT) as t:
        for e, data in entries:
            t.addfile(e, data)

def bundle(file, definition):
    xml = ("<ctvirt-bundle version='1'><name>good</name><creationTime>1</creationTime><definition>%s</definition></ctvirt-bundle>"
           % definition.replace("&", "&amp;").replace("<", "&lt;")).encode()
    out = io.BytesIO()
    t = tarfile.TarFile(fileobj=out, mode="w", format=tarfile.GNU_FORMAT)
    for e, data in [entry("ctvirt-bundle.xml", data=xml), entry("root/", tarfile.DIRTYPE),
                    entry("root/etc", tarfile.DIRTYPE), entry("root/etc/os-release", data=b"ID=x\n")]:
        t.addfile(e, data)
    digest = hashlib.sha256(out.getvalue()).hexdigest().encode() + b"\n"
    t.addfile(*entry("ctvirt-bundle.sha256", data=digest))
    t.close()
    open(f"{sys.argv[1]}/{file}.bundle", "wb").write(out.getvalue())

def domain(name, inner=""):
    return f"<domain type='nspawn'><name>{name}</name><os><type>exe</type></os>{inner}</domain>"

def mount(source, target):
    return f"<filesystem type='mount'><source dir='{source}'/><target dir='{target}'/></filesystem>"

bundle("name", domain("../evil"))
bundle("taken", domain("empty"))
bundle("etc", domain("etc", f"<devices>{mount('/srv/precious', '/')}</devices>"))
bundle("binds", domain("binds", f"<devices>{mount('/srv/precious', '/mnt/in')}</devices>"))
bundle("ids", domain("ids", "<idmap><uid start='0' target='0' count='65536'/><gid start='0' target='0' count='65536'/></idmap>"))
bundle("noxml", "<domain")
PY
host push "$BUILD" /root/evil
for name in dots absolute through hard hardlink; do
        refused "an archive that leaves its tree ($name)" "leads out|absolute|symbolic link|regular file|hard link" \
                ctvirt vol-upload evil "/root/evil/$name.tar"
done
check "nothing has left it" on 'test ! -e /srv/escaped -a ! -e /var/lib/machines/escaped -a ! -e /var/lib/machines/.ctvirt/new/escaped -a ! -e /var/lib/machines/evil'
printf "<domain type='nspawn'><name>empty</name><os><type>exe</type></os></domain>" | put_file /root/empty.xml
on ctvirt -q define /root/empty.xml
refused "a bundle whose container has a path for its name" "name" ctvirt import /root/evil/name.bundle
refused "a bundle whose definition is none" "XML|bundle|domain" ctvirt import /root/evil/noxml.bundle
refused "a bundle with the name of a container that has no root yet" "defined already" ctvirt import /root/evil/taken.bundle
check "whose root it does not become" on test ! -e /var/lib/machines/empty
check "a bundle with a root elsewhere" on ctvirt import /root/evil/etc.bundle
check "has it in the pool" on 'test -e /var/lib/machines/etc/etc/os-release && ! ctvirt dumpxml etc | grep -q precious'
check "where it can be worked with" on 'ctvirt snapshot-create-as etc s1 && ctvirt undefine etc --remove-all-storage'
precious_is_there "bundle"
check "what a bundle wants of this host is said" on 'ctvirt import /root/evil/binds.bundle 2>&1 | grep -q "wants ./srv/precious"'
refused "a bundle with the host's own users" "range for containers" ctvirt import /root/evil/ids.bundle

step "what is no archive"
on 'test -e /dev/mem || mknod /dev/mem c 1 1' 2>/dev/null || :
refused "a folder" "Is a directory" ctvirt vol-upload evil /srv/precious
refused "the memory of the host" "mem|no tar archive|cannot be read" ctvirt vol-upload evil /dev/mem
refused "zeros without end" "large|more|no tar archive|damaged" timeout 60 ctvirt vol-upload evil /dev/zero
refused "a file that is only written to" "cannot be read" 'ctvirt vol-upload evil - 0>/root/written'
put_file /root/hand-over.py <<'PY'
import socket, subprocess, sys
if sys.argv[1] == "listening":
    mine, theirs = None, socket.create_server(("127.0.0.1", 0))
else:
    mine, theirs = socket.socketpair()
p = subprocess.Popen(sys.argv[2:], stdin=theirs)
if mine:
    theirs.close()
    mine.sendall(open("/root/new.tar", "rb").read())
    mine.close()
sys.exit(p.wait())
PY
refused "a socket that waits for others" "cannot be read: .*not connected" timeout 60 python3 /root/hand-over.py listening ctvirt vol-upload evil -
refused "a bundle from there" "not connected" timeout 60 python3 /root/hand-over.py listening ctvirt import -
check "a socket that brings an archive" on timeout 60 python3 /root/hand-over.py pair ctvirt vol-upload socket -
on 'systemd-run -q --unit endless sh -c "sleep 1000 | ctvirt vol-upload endless -"'
check "a pipe that nothing comes from" wait_for 20 on 'ctvirt job-list | grep -q "endless"'
check "keeps nobody else from his work" on ctvirt -q vol-delete socket
check "and is given up when somebody says so" on timeout 60 ctvirt job-abort endless
check "the job is over" wait_for 20 no_jobs
on systemctl stop endless.service 2>/dev/null || :
check "nothing is left" wait_for 20 pool_is_tidy

step "snapshots that are not what they seem"
check "a snapshot" on ctvirt snapshot-create-as web s1
put_file /root/document.sh <<'SH'
f=/var/lib/machines/.ctvirt/snapshots/web/s1.xml
rm -rf "$f"
case $1 in
symlink) ln -s /etc/shadow "$f" ;;
pipe) mkfifo "$f" ;;
folder) mkdir "$f" ;;
large) head -c 100M /dev/zero >"$f" ;;
binary) head -c 100K /dev/urandom >"$f" ;;
other) echo "<domainsnapshot><name>s2</name></domainsnapshot>" >"$f" ;;
path) echo "<domainsnapshot><name>../../../etc</name></domainsnapshot>" >"$f" ;;
entity) echo "<!DOCTYPE d [<!ENTITY x SYSTEM 'file:///etc/shadow'>]><domainsnapshot><name>s1</name><description>&x;</description></domainsnapshot>" >"$f" ;;
deep) { echo "<domainsnapshot><name>s1</name>"; yes "<a>" | head -n 300000; } >"$f" ;;
esac
timeout 30 ctvirt snapshot-list web >/root/said 2>&1 || exit 1
timeout 30 ctvirt snapshot-dumpxml web s1 >>/root/said 2>&1 && exit 1
! grep -q "root:" /root/said
SH
for kind in symlink pipe folder large binary other path entity deep; do
        check "a document that is bad ($kind) is told about, and shows nothing" on "bash /root/document.sh $kind || { cat /root/said; exit 1; }"
done
SNAPSHOTS=/var/lib/machines/.ctvirt/snapshots
on "rm -rf $SNAPSHOTS/web/s1.xml"
check "what has no document can still be deleted" on ctvirt snapshot-delete web s1
check "nothing is left" wait_for 20 pool_is_tidy
on "rmdir $SNAPSHOTS/web 2>/dev/null; ln -s /srv/precious $SNAPSHOTS/web"
refused "snapshots are not made behind a symlink" "cannot open" ctvirt snapshot-create-as web s1
on "rm -f $SNAPSHOTS/web; ctvirt -q snapshot-create-as web s1; btrfs property set $SNAPSHOTS/web/s1 ro false; mv $SNAPSHOTS/web/s1 /var/lib/machines/.moved; ln -s /srv/precious $SNAPSHOTS/web/s1"
refused "nor taken from there" "ymbolic|symlink|not a directory|Not a directory" ctvirt snapshot-revert web s1
check "one that is a symlink is deleted as that" on ctvirt snapshot-delete web s1
on 'btrfs subvolume delete /var/lib/machines/.moved >/dev/null'
precious_is_there "snapshots"
check "nothing is left" wait_for 20 pool_is_tidy

step "devices and files that have data"
on 'mknod /dev/loop-control c 10 237; for i in 0 1 2 3 4 5 6 7; do mknod /dev/loop$i b 7 $i; done; true' 2>/dev/null
for name in binds empty web; do on ctvirt -q undefine $name --remove-all-storage; done
check "the jobs end" wait_for 20 no_jobs
refused "there is a pool already" "filesystem of its own already" ctvirt pool-build --file /root/other --capacity 300M
check "the pool gives its place" wait_for 20 on umount /var/lib/machines
on 'rm -rf /var/lib/machines; echo data >/root/data && truncate -s 300M /root/data'
refused "a file with data that nobody knows" "there is data on" ctvirt pool-build --file /root/data
check_equal "and it is as it was" data "$(on head -n 1 /root/data)"
refused "a folder" "neither a block device nor a file" ctvirt pool-build --file /srv/precious
LOOP=$(on 'truncate -s 300M /root/disk && mkfs.ext4 -q -L precious /root/disk && losetup -f --show /root/disk')
on "mkdir /mnt/used && mount $LOOP /mnt/used"
refused "a device in use is not overwritten" "is in use" ctvirt pool-build --source-dev "$LOOP" --overwrite
on umount /mnt/used
refused "nor what is on it when it is not" "ext4 'precious'" ctvirt pool-build --source-dev "$LOOP"
check_equal "and it is as it was" precious "$(on blkid -o value -s LABEL "$LOOP")"
# Without udev, as here, it has no name in /dev/disk/by-uuid by which it could be mounted.
refused "which is said" "mounting it failed" ctvirt pool-build --source-dev "$LOOP" --overwrite
check "a mount that fails does not stay, for which all containers would wait" on '! systemctl cat var-lib-machines.mount | grep -q "made by ctvirt\|pool-build"'
check_equal "the agent sees devices as the host has them" btrfs "$(on blkid -o value -s TYPE "$LOOP")"
on "systemctl stop var-lib-machines.mount; losetup -d $LOOP"

check_equal "the agent is the same" "$agent_before" "$(on systemctl show -P MainPID ctvirtd.service)"
rm -rf "$BUILD"
finish
