#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Volumes, clones, snapshots, exports and imports, on btrfs and on a plain folder; what is in the way is told, and what
# interrupted jobs leave goes.
# It takes long and runs on one release, unless more is asked for (tests/run --help).
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"

# refused TEXT PATTERN COMMAND...: ctvirt fails with exit status 1 and says PATTERN.
refused() {
        local text=$1 pattern=$2 status=0 output
        shift 2
        output=$(on ctvirt "$@" 2>&1) || status=$?
        check_equal "$text: exit status" 1 "$status"
        if grep -Eq -- "$pattern" <<<"$output"; then pass "$text: $(tail -n 2 <<<"$output" | head -n 1)"; else fail "$text: message" "$output"; fi
}

# A digest of a tree: names, modes, owners below the range, contents.
digest() {
        on "cd /var/lib/machines/$1 && find . -xdev \\( -type f -o -type l -o -type d \\) ! -path './etc/machine-id' ! -path './etc/hostname' ! -path './etc/hosts' -printf '%p %y %m %l\n' | sort; cd /var/lib/machines/$1 && find . -xdev -type f ! -path './etc/machine-id' ! -path './etc/hostname' ! -path './etc/hosts' -print0 | sort -z | xargs -0 sha256sum" | sha256sum
}

volumes() {
        on ctvirt -q vol-list | awk '{ print $1 }' | paste -sd ' '
}

pool_is_tidy() {
        local left
        left=$(on 'ls -A /var/lib/machines/.ctvirt/new /var/lib/machines/.ctvirt/trash | grep -v ":$" | grep .' || :)
        [[ -z $left ]] || { printf '%s\n' "$left"; return 1; }
}

test_volumes() {
        step "$1: volumes"
        check "a copy is made" on ctvirt vol-clone web copy
        check_equal "which is the same" "$(digest web)" "$(digest copy)"
        check_equal "both are listed" "copy web" "$(volumes)"
        refused "a name that is taken" "already" vol-clone web copy
        refused "a name that is none" "is no name" vol-clone web ../copy
        refused "a volume that is not there" "nope" vol-clone nope other
        check "it is renamed" on ctvirt vol-rename copy other
        check_equal "and has the new name" "other web" "$(volumes)"
        refused "the root of a container is not renamed" "it is the root of container 'web'" vol-rename web web9
        check "it is downloaded" on 'ctvirt -q vol-download other /root/other.tar.zst --compress zstd'
        check "what comes is an archive" on 'zstd -dcq /root/other.tar.zst | tar t >/dev/null'
        check "it is uploaded again" on 'ctvirt vol-upload third /root/other.tar.zst'
        check_equal "and is the same" "$(digest web)" "$(digest third)"
        check "standard output and input do as well" on 'ctvirt -q vol-download third - | ctvirt -q vol-upload fourth -'
        check_equal "and it is the same" "$(digest web)" "$(digest fourth)"
        on 'head -c 100000 /root/other.tar.zst >/root/cut.tar.zst'
        refused "an archive that is cut off" "damaged|truncated|Truncated|end" vol-upload cut /root/cut.tar.zst
        for name in other third fourth; do
                check "$name is deleted" on ctvirt vol-delete "$name"
        done
        check_equal "one is left" web "$(volumes)"
        check "nothing is left over" wait_for 20 pool_is_tidy
}

test_snapshots() {
        step "$1: snapshots"
        check "web starts" on ctvirt start web
        check "a snapshot of a running container" on ctvirt snapshot-create-as web s1 "the first one"
        check_equal "it goes on after it" running "$(on systemctl show -p FreezerState --value systemd-nspawn@web)"
        check "and answers" on 'machinectl status web >/dev/null'
        check_equal "it is listed" "s1" "$(on ctvirt snapshot-list web --name)"
        check "it says what it is" on 'ctvirt snapshot-info web s1 | grep -q "Description: *the first one"'
        refused "a second one of that name" "already" snapshot-create-as web s1
        refused "a name that is none" "is no name" snapshot-create-as web ../s
        on touch /var/lib/machines/web/later
        refused "a revert of a running container" "--force" snapshot-revert web s1
        check "with --force it is stopped and started" on ctvirt snapshot-revert web s1 --force
        check "it runs again" wait_for 30 is_running web
        check_not "what came later is gone" on test -e /var/lib/machines/web/later
        check "it is destroyed" on ctvirt destroy web
        on touch /var/lib/machines/web/later
        check "a revert of one that is down" on ctvirt snapshot-revert web s1
        check_not "what came later is gone" on test -e /var/lib/machines/web/later
        check "the snapshot is deleted" on ctvirt snapshot-delete web s1
        refused "one that is not there" "s1" snapshot-delete web s1
        check "nothing is left over" wait_for 20 pool_is_tidy
}

test_containers() {
        local before
        step "$1: clone, export, import"
        before=$(digest web)
        check "a clone starts" on ctvirt clone web web2 --start
        check "it runs" wait_for 30 is_running web2
        check_not "UUIDs differ" test "$(on ctvirt domuuid web)" = "$(on ctvirt domuuid web2)"
        check_equal "the clone's machine id is its UUID" "$(on ctvirt domuuid web2 | tr -d '\n-')" "$(on cat /var/lib/machines/web2/etc/machine-id)"
        check_equal "the other is as it was" "$before" "$(digest web)"
        refused "a clone with a name that is taken" "already" clone web web2
        check "a clone of a running container" on ctvirt clone web2 web3
        check_equal "which runs on" running "$(on systemctl show -p FreezerState --value systemd-nspawn@web2)"
        refused "undefine with storage while it runs" "running" undefine web2 --remove-all-storage
        check "web2 is destroyed" on ctvirt destroy web2
        for name in web2 web3; do
                check "$name goes with its storage" on ctvirt undefine "$name" --remove-all-storage
        done
        check_equal "one is left" web "$(volumes)"
        check "web is exported" on ctvirt export web /root/web.tar.gz
        check_equal "for root's eyes" 600 "$(on stat -c %a /root/web.tar.gz)"
        check "it is imported under another name" on ctvirt import /root/web.tar.gz --name web4
        check_equal "with the same root" "$before" "$(digest web4)"
        check "and starts" on ctvirt start web4
        check "it is destroyed" on ctvirt destroy web4
        check "undefine keeps the root" on ctvirt undefine web4
        check_equal "which is a volume" "web web4" "$(volumes)"
        refused "a name that is taken" "already" import /root/web.tar.gz --name web4
        check "it is deleted" on ctvirt vol-delete web4
        check "nothing is left over" wait_for 20 pool_is_tidy
        check "the pool has no problems" on ctvirt pool-check
}

# A job that waits for its input: a fifo that nobody closes.
begin_slow() {
        on 'rm -f /root/slow; mkfifo /root/slow; systemd-run -q --unit slow-writer sh -c "exec >/root/slow; head -c 65536 /root/tiny.tar; sleep 1000"'
        on 'systemd-run -q --unit slow-client sh -c "exec ctvirt vol-upload slow /root/slow"; sleep 0.2'
        wait_for 20 on 'ctvirt -q job-list | grep -q volume-upload'
}

end_slow() {
        on 'systemctl stop slow-writer slow-client 2>/dev/null; systemctl reset-failed slow-writer slow-client 2>/dev/null; :'
}

slow_job() {
        on ctvirt -q job-list | awk '/volume-upload/ { print $1 }'
}

test_interruptions() {
        local id
        step "$1: jobs that do not end by themselves"
        check "a job waits" begin_slow
        id=$(slow_job)
        refused "another job for the same volume" "job $id .* at work|at work on" vol-upload slow /root/tiny.tar
        check "the agent is restarted" on systemctl restart ctvirtd
        check_equal "the job goes on" "$id" "$(slow_job)"
        check "it is aborted by its name" on ctvirt job-abort slow
        check "it is canceled" wait_for 20 on "ctvirt job-info $id | grep -q 'State: *canceled'"
        check "nothing is left over" wait_for 20 pool_is_tidy
        end_slow

        check "a job waits" begin_slow
        id=$(slow_job)
        on "systemctl kill -s KILL ctvirt-job-$id.service"
        check "a job that was killed has failed" wait_for 20 on "ctvirt job-info $id | grep -q 'State: *failed'"
        check "and says so" on "ctvirt job-info $id | grep -q interrupted"
        check "nothing is left over" wait_for 20 pool_is_tidy
        end_slow

        check "a job waits" begin_slow
        id=$(slow_job)
        on "systemctl kill -s KILL ctvirtd ctvirt-job-$id.service"
        check "agent and job killed at once: it has failed" wait_for 30 on "ctvirt job-info $id | grep -q 'State: *failed'"
        check "nothing is left over" wait_for 20 pool_is_tidy
        end_slow

        check "a job waits" begin_slow
        id=$(slow_job)
        on systemctl kill -s INT slow-client
        check "Ctrl-C cancels" wait_for 20 on "ctvirt job-info $id | grep -q 'State: *canceled'"
        end_slow
        check_equal "no volume came of it" web "$(volumes)"
        check "no unit has failed" no_failed_units
}

test_strangers() {
        step "$1: who may"
        refused_user() {
                local text=$1 status=0 output
                shift
                output=$("$HOST_PROGRAM" exec "$CURRENT_HOST" --user nobody -- ctvirt "$@" 2>&1) || status=$?
                if ((status == 1)) && grep -Eq 'access denied|authentication|not authorised' <<<"$output"; then pass "$text"; else fail "$text" "$output"; fi
        }
        check "reading is free" "$HOST_PROGRAM" exec "$CURRENT_HOST" --user nobody -- ctvirt vol-list
        refused_user "a stranger deletes no volume" vol-delete web
        refused_user "nor makes a clone" clone web evil
        refused_user "nor downloads" vol-download web -
        refused_user "nor sets a password" set-user-password web root --password x
}

tinyroot() {
        local directory
        directory=$(mktemp -d)
        "$HOST_PROGRAM" tinyroot "$directory/tiny" >/dev/null
        tar -C "$directory/tiny" -cf "$directory/tiny.tar" .
        "$HOST_PROGRAM" push "$CURRENT_HOST" "$directory/tiny.tar" /root/tiny.tar
        rm -rf "$directory"
}

run_all() {
        check "the package is installed" install_ctvirt
        tinyroot
        check "web is defined" define_container web default
        check "the network starts" on virsh -q net-start default
        check "pool-info knows the backend" on "ctvirt pool-info | grep -q 'Type: *$1'"
        test_volumes "$1"
        test_snapshots "$1"
        test_containers "$1"
        test_interruptions "$1"
        test_strangers "$1"
}

host_test_begin "the pool"
use_host B "$RELEASE" --btrfs
run_all btrfs
step "btrfs: limits"
check "a limit is set" on ctvirt vol-resize web 64M
check "and shown" on "ctvirt vol-info web | grep -q 'Capacity: *64.00 MiB'"
check_not "and holds" on 'head -c 100000000 /dev/urandom >/var/lib/machines/web/big'
on rm -f /var/lib/machines/web/big
check "it is taken away" on ctvirt vol-resize web none
check "and the container's information shows what is used" wait_for 10 on 'ctvirt dominfo web | grep -q "Root used:"'

use_host D "$RELEASE"
run_all directory
finish
