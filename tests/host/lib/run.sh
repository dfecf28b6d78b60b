# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# One test host: create, boot, enter, stop, delete. Sourced by host.
#
# In the directory of a host:
#   meta        release=, base=, root=overlay|copy, btrfs=SIZE or nothing, limits=0|1, bind=SRC:DST (repeated)
#   root/       mount point of the overlay, or the root itself (root=copy)
#   upper/ work/  of the overlay
#   machines/   what the host has on /var/lib/machines: not on an overlay, so that user namespaces can be idmapped
#   machines.img  the btrfs file system that is mounted there
#   run/        see launch.py; run/lock is locked (flock) by the launcher as long as it lives
# All mounts are made in the launcher's private mount namespace: they vanish with it.

# systemd-nspawn stops a booted host in a third of a second; a hanging unit takes 90 s.
STOP_LIMIT=120

CLEAN_ENV=(env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
        TERM="${TERM:-dumb}")

declare -A META
BINDS=()

# Sets NAME, DIR, RUN from the first argument, which must be a good name.
take_name() {
        (($#)) || die "the name of a host is missing" "See: host --help"
        [[ $1 =~ ^[a-z][a-z0-9-]{0,39}$ ]] ||
                die "\"$1\" is no good name for a host" "Use up to 40 of a-z, 0-9 and -, with a letter first."
        NAME=$1
        DIR=$HOSTS/$NAME
        RUN=$DIR/run
}

# Also reads the host's description.
load_host() {
        local key value
        take_name "$@"
        [[ -f $DIR/meta ]] || die "there is no host named $NAME" "Make it: host create $NAME. All hosts: host list"
        META=()
        BINDS=()
        while IFS='=' read -r key value; do
                if [[ $key == bind ]]; then
                        BINDS+=("$value")
                else
                        META[$key]=$value
                fi
        done <"$DIR/meta"
}

take_host() {
        load_host "$@"
}

# Shared, so that two who ask do not take each other for the launcher.
is_running() {
        [[ -e $RUN/lock ]] && ! flock -s -n "$RUN/lock" true
}

host_state() {
        if is_running; then
                if [[ -e $RUN/leader ]]; then echo running; else echo starting; fi
        elif [[ -e $RUN/cgroups ]]; then
                echo crashed
        else
                echo stopped
        fi
}

need_running() {
        is_running || die "host $NAME is not running" "Boot it: host boot $NAME"
        [[ -e $RUN/leader ]] || die "host $NAME is just being started or stopped" "Try again in a moment."
}

# overlay_options HOST-DIRECTORY BASE
overlay_options() {
        printf 'lowerdir=%s,upperdir=%s/upper,workdir=%s/work\n' "$2" "$1" "$1"
}

# ---- create

create_host() {
        local release=$1 kind=$2 btrfs=$3 limits=$4 base new bind root=overlay
        shift 4
        check_release "$release"
        [[ ! -e $DIR ]] || die "there is a host named $NAME already" "Delete it: host delete $NAME"
        if [[ $limits == 1 && $release != bookworm ]]; then
                die "--limits works with bookworm only: the systemd of $release refuses cgroup v1" \
                        "On a machine with cgroup v2 only, limits work without the option."
        fi
        for bind; do
                [[ $bind != *$'\n'* && $bind == /* && -e ${bind%%:*} ]] ||
                        die "--bind $bind: the source must be an absolute path that exists"
        done
        base=$(build_base "$release" "$kind")
        mkdir -p "$HOSTS"
        new=$(mktemp -d "$HOSTS/.new.XXXXXX")
        chmod 755 "$new"
        mkdir "$new/machines" "$new/run" "$new/root" "$new/upper" "$new/work"
        chmod 700 "$new/machines"
        if [[ -n $btrfs ]]; then
                need mkfs.btrfs btrfs-progs
                if ! { truncate -s "$btrfs" "$new/machines.img" && mkfs.btrfs -q "$new/machines.img"; } >"$new/log" 2>&1; then
                        cat "$new/log" >&2
                        remove_tree "$new"
                        die "a btrfs file system of size \"$btrfs\" could not be made" "For example: --btrfs=4G"
                fi
                rm "$new/log"
        fi
        if ! unshare -m mount -t overlay overlay \
                -o "$(overlay_options "$new" "$base")" "$new/root" 2>/dev/null; then
                # For example when the cache is on an overlay itself, as in many containers.
                root=copy
                rmdir "$new/upper" "$new/root"
                remove_tree "$new/work"
                cp -a --reflink=auto "$base" "$new/root"
        fi
        {
                printf '%s\n' "release=$release" "base=$base" "root=$root" "btrfs=$btrfs" "limits=$limits"
                (($# == 0)) || printf 'bind=%s\n' "$@"
        } >"$new/meta"
        mv -T "$new" "$DIR" 2>/dev/null || {
                remove_tree "$new"
                die "there is a host named $NAME already" "Delete it: host delete $NAME"
        }
}

# ---- boot

# Mounts the root of the host; to be called in a private mount namespace.
mount_root() {
        if [[ ${META[root]} == overlay ]]; then
                [[ -d ${META[base]} ]] ||
                        die "the base of host $NAME is gone: ${META[base]}" "Delete the host and make it again."
                # volatile: no fsync; what is written survives all but a crash of this machine. The kernel marks such a
                # work directory, and wants the mark removed before it is used again.
                rm -rf "$DIR/work/work/incompat"
                mount -t overlay overlay -o "$(overlay_options "$DIR" "${META[base]}"),volatile" "$DIR/root" 2>/dev/null ||
                        mount -t overlay overlay -o "$(overlay_options "$DIR" "${META[base]}")" "$DIR/root"
        fi
}

# The launcher, up to its exec; standard output is the pipe to boot_host. In a private mount namespace.
launch() {
        local mode=$1 command bind
        if ! {
                mkdir -p /run/systemd/nspawn &&
                        mount -t tmpfs -o mode=755 tmpfs /run/systemd/nspawn &&
                        mount_root &&
                        if [[ -n ${META[btrfs]} ]]; then mount -o loop "$DIR/machines.img" "$DIR/machines"; fi
        } </dev/null; then
                echo "failed the file systems of the host could not be mounted"
                exit 1
        fi
        command=(systemd-nspawn --quiet --register=no --keep-unit --boot --directory="$DIR/root" --machine="$NAME"
                --private-network --capability=all --notify-ready=yes --console=pipe
                --bind="$DIR/machines:/var/lib/machines")
        if [[ -e /dev/net/tun ]]; then command+=(--bind=/dev/net/tun); fi
        for bind in "${BINDS[@]}"; do command+=(--bind="$bind"); done
        # The system's own python3: another one may come first in PATH and be slower.
        local python=/usr/bin/python3
        [[ -x $python ]] || python=python3
        exec "$python" -I -S "$LIB/launch.py" "$NAME" "$RUN" "$mode" "${META[limits]}" -- "${command[@]}"
}

# Starts the launcher in the place of this (sub)shell.
become_launcher() {
        local mode=below start=()
        if [[ -d /run/systemd/system ]]; then
                mode=scope
                start=(systemd-run --quiet --scope --collect --property=Delegate=yes --unit="ctvirt-host-$NAME-$BASHPID")
        fi
        exec setsid "${start[@]}" unshare -m --propagation slave \
                "$BASH" "$HERE/host" __launch "$NAME" "$mode" </dev/null 2>>"$RUN/launcher.log"
}

boot_host() {
        local began events word rest state took
        need systemd-nspawn systemd-container
        need python3 python3
        began=${EPOCHREALTIME/./}
        mkdir -p "$RUN"
        # The lock is inherited by the launcher and is free when it ends.
        exec {LOCK}>>"$RUN/lock"
        # Somebody who asks for the state holds it for a moment.
        if is_running || ! flock -w 2 "$LOCK"; then
                die "host $NAME is running already" "A new boot: host reboot $NAME"
        fi
        if [[ -e $RUN/cgroups ]]; then
                end_leftovers
        fi
        : >"$RUN/console.log"
        : >"$RUN/launcher.log"
        exec {events}< <(become_launcher)
        exec {LOCK}>&-
        state=
        while read -r -u "$events" word rest; do
                case $word in
                ready) state=ready ;;
                failed)
                        state=failed
                        break
                        ;;
                esac
        done
        exec {events}<&-
        if [[ $state != ready ]]; then
                tail -n 20 "$RUN/launcher.log" "$RUN/console.log" >&2 || :
                die "host $NAME did not boot: ${rest:-the launcher ended}" "The whole logs are in $RUN; its journal: host journal $NAME"
        fi
        enter
        state=$("${ENTER[@]}" systemctl is-system-running --wait </dev/null) || :
        took=$((${EPOCHREALTIME/./} - began))
        if [[ $state != running ]]; then
                "${ENTER[@]}" systemctl --failed --no-legend </dev/null >&2 || :
                die "host $NAME is up, but its state is \"$state\", not \"running\"" \
                        "It goes on running. Look why: host journal $NAME -b -p warning"
        fi
        printf 'host: %s (%s) is up after %d.%02d s\n' "$NAME" "${META[release]}" $((took / 1000000)) \
                $((took % 1000000 / 10000))
}

# ---- enter

# enter [VARIABLE...]: sets ENTER, the command in front of a command that runs inside.
#
# Entering a PID namespace takes a parent outside of it. It is a shell and not nsenter, because nsenter stops itself when
# its child is stopped: a host that shuts down stops and then kills all its processes, and would wait for ever for a
# killed one that a stopped nsenter does not collect.
enter() {
        local leader
        leader=$(cat "$RUN/leader" 2>/dev/null) || die "host $NAME is not running" "Boot it: host boot $NAME"
        # shellcheck disable=SC2016
        ENTER=(nsenter -t "$leader" -a --no-fork -- "${CLEAN_ENV[@]}" "$@" /bin/sh -c '"$@"; exit $?' sh)
}

# exec_in_host RAW USER NUMBER-OF-VARIABLES VARIABLE... COMMAND...
exec_in_host() {
        local raw=$1 user=$2 count=$3 variables prefix=()
        variables=("${@:4:count}")
        shift $((3 + count))
        need_running
        if ((raw)); then
                enter "${variables[@]}"
                if [[ -n $user ]]; then prefix=(runuser -u "$user" --); fi
        else
                enter
                prefix=(systemd-run --quiet --wait --pipe --collect --service-type=exec)
                if [[ -n $user ]]; then
                        prefix+=(--uid="$user" --property=WorkingDirectory='-~')
                else
                        prefix+=(--setenv=HOME=/root)
                fi
                prefix+=(--setenv=LANG=C.UTF-8 "${variables[@]/#/--setenv=}" --)
        fi
        exec "${ENTER[@]}" "${prefix[@]}" "$@"
}

shell_in_host() {
        need_running
        enter
        if [[ -t 0 && -t 1 ]]; then
                exec "${ENTER[@]}" systemd-run --quiet --wait --pty --collect --setenv=HOME=/root --setenv=TERM="${TERM:-dumb}" \
                        --property=WorkingDirectory=/root /bin/bash -l
        fi
        exec_in_host 0 '' 0 /bin/bash -l
}

# ---- copy

# The two ends of a copy are tar; the receiving end is this script, run with sh here or inside.
# $1: destination, $2: name of what comes.
# shellcheck disable=SC2016
RECEIVE='
set -eu
case $1 in */) mkdir -p "$1" ;; esac
if [ -d "$1" ]; then
        exec tar -x --numeric-owner --xattrs --xattrs-include="*" -C "$1" -f -
fi
mkdir -p "$(dirname "$1")"
new=$(mktemp -d "$(dirname "$1")/.copy.XXXXXX")
trap "rm -rf \"\$new\"" EXIT
tar -x --numeric-owner --xattrs --xattrs-include="*" -C "$new" -f -
mv -fT "$new/$2" "$1"
'
SEND=(tar -c --numeric-owner --xattrs '--xattrs-include=*')

push_to_host() {
        local source
        need_running
        [[ -e $1 || -L $1 ]] || die "there is no $1"
        [[ $2 == /* ]] || die "the destination in the host must be an absolute path, not \"$2\""
        source=$(realpath -s -- "$1")
        enter
        "${SEND[@]}" -C "$(dirname "$source")" -f - -- "$(basename "$source")" |
                "${ENTER[@]}" sh -c "$RECEIVE" push "$2" "$(basename "$source")" ||
                die "copying $1 to $NAME:$2 failed"
}

pull_from_host() {
        local source
        need_running
        [[ $1 == /* ]] || die "the source in the host must be an absolute path, not \"$1\""
        enter
        # shellcheck disable=SC2016
        "${ENTER[@]}" sh -c 'test -e "$1" || test -L "$1"' test "$1" || die "there is no $1 in host $NAME"
        source=$(realpath -sm -- "$1")
        "${ENTER[@]}" "${SEND[@]}" -C "$(dirname "$source")" -f - -- "$(basename "$source")" </dev/null |
                sh -c "$RECEIVE" pull "$2" "$(basename "$source")" ||
                die "copying $NAME:$1 to $2 failed"
}

# ---- stop

# Waits until the launcher has ended.
wait_stopped() {
        flock -s -w "$1" "$RUN/lock" true
}

stop_host() {
        local pid
        pid=$(cat "$RUN/launcher.pid" 2>/dev/null) || die "host $NAME is just being started" "Try again in a moment."
        kill -TERM "$pid"
        wait_stopped "$STOP_LIMIT" ||
                die "host $NAME did not power off in $STOP_LIMIT s" "Look why: host journal $NAME -b; end it: host kill $NAME"
}

# Also for a host that does not run: then it removes what a crashed launcher has left.
kill_host() {
        local pid
        if is_running; then
                if pid=$(cat "$RUN/launcher.pid" 2>/dev/null); then
                        kill -USR1 "$pid" || :
                        wait_stopped 15 || {
                                kill -KILL "$pid"
                                wait_stopped 15 || die "the launcher of host $NAME (process $pid) cannot be ended"
                        }
                else
                        # Between the start of the launcher and its first file.
                        sleep 1
                        pid=$(cat "$RUN/launcher.pid" 2>/dev/null) || die "host $NAME is just being started" "Try again."
                        kill -USR1 "$pid"
                        wait_stopped 15 || die "the launcher of host $NAME (process $pid) cannot be ended"
                fi
        fi
        end_leftovers
}

# Ends the processes in the host's cgroups and removes these; the launcher must be dead. For a host whose launcher was
# killed: systemd-nspawn and its payload outlive it.
end_leftovers() {
        local directory pids try
        [[ -e $RUN/cgroups ]] || return 0
        while read -r directory; do
                [[ -d $directory && $directory == */ctvirt-host-"$NAME" ]] || continue
                for ((try = 0; try < 200; try++)); do
                        pids=$(find "$directory" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u | grep -v '^0$') || :
                        [[ -n $pids ]] || break
                        # shellcheck disable=SC2086
                        kill -KILL $pids 2>/dev/null || :
                        sleep 0.05
                done
                find "$directory" -depth -type d -exec rmdir {} + 2>/dev/null || :
                [[ ! -d $directory ]] || say "the cgroup $directory could not be removed"
        done <"$RUN/cgroups"
        rm -f "$RUN/leader" "$RUN/nspawn.pid" "$RUN/launcher.pid" "$RUN/cgroups"
}

# ---- look

status_of_host() {
        local state
        state=$(host_state)
        printf '%-9s %s\n' name "$NAME" release "${META[release]}" state "$state" root "$DIR/root (${META[root]})" \
                machines "$DIR/machines${META[btrfs]:+ (btrfs, ${META[btrfs]})}" logs "$RUN"
        [[ $state == running ]] || return 3
        enter
        printf '%-9s %s\n' leader "$(cat "$RUN/leader")" system "$("${ENTER[@]}" systemctl is-system-running || :)"
        "${ENTER[@]}" systemctl --failed --no-legend
}

journal_of_host() {
        if is_running; then
                enter
                "${ENTER[@]}" journalctl --sync </dev/null || :
                exec "${ENTER[@]}" journalctl --no-pager "$@"
        fi
        exec unshare -m "$BASH" "$HERE/host" __journal "$NAME" "$@"
}

collect_garbage() {
        local bases=$1 dir base lock used=''
        for dir in "$HOSTS"/*/; do
                [[ -f $dir/meta ]] || continue
                load_host "$(basename "$dir")"
                used+="${META[base]}"$'\n'
                if [[ $(host_state) == crashed ]]; then
                        say "cleaning up after host $NAME"
                        end_leftovers
                fi
        done
        # Hosts that were being made when the run died: nothing is made for an hour.
        find "$HOSTS" -mindepth 1 -maxdepth 1 -name '.new.*' -mmin +60 2>/dev/null | while read -r dir; do
                remove_tree "$dir"
        done
        for dir in "$CACHE"/base/.new-*; do
                [[ -d $dir ]] || continue
                exec {lock}>"$CACHE/base/.lock-${dir##*/.new-}"
                if flock -n "$lock"; then remove_tree "$dir"; fi
                exec {lock}>&-
        done
        ((bases)) || return 0
        for base in "${RELEASES[@]}"; do used+="$(base_path "$base")"$'\n'"$(base_path "$base" vm)"$'\n'; done
        for dir in "$CACHE"/base/*; do
                [[ -d $dir ]] || continue
                grep -qxF "$dir" <<<"$used" || {
                        say "removing the base $dir"
                        remove_tree "$dir"
                }
        done
}
