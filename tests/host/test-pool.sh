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

POOL=/var/lib/machines

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
        left=$(on 'cd /var/lib/machines/.ctvirt && ls -A new trash intents | grep -v ":$" | grep .' || :)
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
        check "standard output and input do as well" on 'ctvirt vol-download third - --compress zstd >/root/third.tar.zst && ctvirt vol-upload fourth - </root/third.tar.zst'
        check "nothing but the archive is there" on 'zstd -tq /root/third.tar.zst'
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
        test_definition_of_snapshot
        check "the snapshot is deleted" on ctvirt snapshot-delete web s1
        refused "one that is not there" "s1" snapshot-delete web s1
        check "nothing is left over" wait_for 20 pool_is_tidy
}

definition_says() {
        on ctvirt dumpxml web | grep -q "$1"
}

# The definition is what it was when the snapshot was made; what others know the container by stays.
test_definition_of_snapshot() {
        local identity='grep -E "<uuid>|<mac |<uid |<gid "' before
        before=$(on "ctvirt dumpxml web | $identity")
        on 'ctvirt dumpxml web --security-info | sed "s|</name>|</name><title>later</title><memory unit=\"MiB\">300</memory>|" >/root/later.xml && ctvirt -q define /root/later.xml'
        on touch /var/lib/machines/web/later
        check "with --keep-definition a revert leaves it as it is" on ctvirt snapshot-revert web s1 --keep-definition
        check_not "but not the root" on test -e /var/lib/machines/web/later
        check "which is so" definition_says "<title>later</title>"
        check "web starts with it" on ctvirt start web
        check "a revert brings the definition back" on ctvirt snapshot-revert web s1 --force
        check_not "which is so" definition_says "<title>later</title>"
        check_equal "its identity is the same" "$before" "$(on "ctvirt dumpxml web | $identity")"
        check "it runs again" wait_for 30 is_running web
        check_equal "without the limit that came later" infinity "$(on systemctl show -P MemoryMax systemd-nspawn@web)"
        check "it is destroyed" on ctvirt destroy web
        on 'cd /var/lib/machines/.ctvirt/snapshots/web && cp s1.xml /root/s1.xml && head -c 100 /dev/urandom >s1.xml; touch /var/lib/machines/web/later'
        refused "a snapshot with garbage for a document" "cannot be read.*--keep-definition" snapshot-revert web s1
        check "nothing is lost" on test -e /var/lib/machines/web/later
        check "its root can be had back" on ctvirt snapshot-revert web s1 --keep-definition
        check_not "which is so" on test -e /var/lib/machines/web/later
        on cp /root/s1.xml /var/lib/machines/.ctvirt/snapshots/web/s1.xml
}

# The way that the hint of domrename shows.
test_rename() {
        local id uuid
        uuid=$(on ctvirt domuuid web | tr -d '\n')
        id=$(on cat /var/lib/machines/web/etc/machine-id)
        check "the original is undefined" on ctvirt undefine web
        check "the bundle is imported as moved, under another name" on ctvirt import /root/web.tar --name web5 --moved
        check_equal "the UUID is the same" "$uuid" "$(on ctvirt domuuid web5 | tr -d '\n')"
        check_equal "the machine ID as well" "$id" "$(on cat /var/lib/machines/web5/etc/machine-id)"
        check_equal "the host name is its own" web5 "$(on cat /var/lib/machines/web5/etc/hostname)"
        check "it goes with its storage" on ctvirt undefine web5 --remove-all-storage
        on 'ctvirt -q define /root/web.xml; echo other.name >/var/lib/machines/web/etc/hostname; ctvirt -q export web /root/named.tar; ctvirt -q undefine web --remove-all-storage'
        check "one that was moved and keeps its name" on ctvirt import /root/named.tar --moved
        check_equal "keeps its host name" other.name "$(on cat /var/lib/machines/web/etc/hostname)"
}

# What it is called stands at its beginning: what is in the way is found there, whoever is in no hurry to write the rest.
test_import_without_name() {
        local id
        on 'ctvirt -q export web /root/web.tar --compress none; rm -f /root/slow; mkfifo /root/slow; systemd-run -q --unit slow-writer sh -c "exec >/root/slow; head -c 65536 /root/web.tar; sleep 1000"'
        refused "a bundle whose name is taken, before the rest of it comes" "'web' is defined already" import /root/slow
        end_slow
        on 'systemd-run -q --unit slow-writer sh -c "exec >/root/slow; head -c 65536 /root/web.tar; sleep 1000"'
        refused "one whose UUID is taken, as moved" "'web' is defined and has the uuid .*'ctvirt undefine web'" import /root/slow --name web5 --moved
        end_slow
        check_equal "it has made nothing" "web web4" "$(volumes)"
        check "nothing is left over" wait_for 20 pool_is_tidy
        test_rename
        on 'ctvirt -q undefine web; mv /var/lib/machines/web /var/lib/machines/.web; systemd-run -q --unit slow-writer sh -c "exec >/root/slow; head -c 65536 /root/web.tar; sleep 1000"'
        on 'systemd-run -q --unit slow-client sh -c "exec ctvirt import /root/slow"'
        check "the job is known by the name in the bundle" wait_for 20 on 'ctvirt -q job-list | grep -q "import *web *running"'
        id=$(on ctvirt -q job-list | awk '/import *web *running/ { print $1 }')
        refused "another for that name" "$id .* at work on 'web'" import /root/web.tar
        refused "with the name given" "at work" import /root/web.tar --name web
        check "it is aborted by that name" on ctvirt job-abort web
        check "it is canceled" wait_for 20 on "ctvirt job-info $id | grep -q 'State: *canceled'"
        end_slow
        on 'mv /var/lib/machines/.web /var/lib/machines/web; ctvirt -q define /root/web.xml'
        check "nothing is left over" wait_for 20 pool_is_tidy
}

# An export that takes long, over a file that is there.
begin_slow_export() {
        on 'systemd-run -q --unit slow-client sh -c "exec ctvirt export web /root/keep/web.tar.xz"'
        wait_for 20 on 'ctvirt -q job-list | grep -q "export *web *running"'
}

export_job() {
        on ctvirt -q job-list | awk '/export *web *running/ { print $1 }'
}

is_canceled() {
        on "ctvirt job-info $1 | grep -q 'State: *canceled'"
}

# What had the name before has it until the new one is whole.
test_export_over() {
        local before id
        on 'rm -rf /root/keep; mkdir /root/keep; echo "an earlier one" >/root/keep/web.tar.xz; chmod 640 /root/keep/web.tar.xz; head -c 64M /dev/urandom >/var/lib/machines/web/big'
        before=$(on sha256sum /root/keep/web.tar.xz)
        check "an export is on its way" begin_slow_export
        id=$(export_job)
        on systemctl kill -s INT slow-client
        check "Ctrl-C cancels it" wait_for 20 is_canceled "$id"
        check "the client ends" wait_for 20 on '! systemctl -q is-active slow-client'
        end_slow
        check_equal "the earlier file is there, byte for byte" "$before" "$(on sha256sum /root/keep/web.tar.xz)"
        check_equal "and nothing else" web.tar.xz "$(on ls -A /root/keep)"
        check "an export is on its way" begin_slow_export
        id=$(export_job)
        on systemctl kill -s KILL slow-client
        check "its client dies" wait_for 20 on '! systemctl -q is-active slow-client'
        check "it is aborted" on ctvirt job-abort "$id"
        check "it is canceled" wait_for 20 is_canceled "$id"
        end_slow
        check_equal "the earlier file is there" "$before" "$(on sha256sum /root/keep/web.tar.xz)"
        check_equal "and nothing else" web.tar.xz "$(on ls -A /root/keep)"
        on rm /var/lib/machines/web/big
        check "an export that is not disturbed replaces it" on ctvirt export web /root/keep/web.tar.xz
        check "it is whole" on xz -tq /root/keep/web.tar.xz
        check_equal "with the mode it had" 640 "$(on stat -c %a /root/keep/web.tar.xz)"
        check_equal "and alone" web.tar.xz "$(on ls -A /root/keep)"
        check "a pipe by name gets it as it comes" on 'mkfifo /root/keep/fifo; xz -tq </root/keep/fifo & ctvirt export web /root/keep/fifo --compress xz && wait $! && test -p /root/keep/fifo'
        check "so does what is called /dev/stdout" on 'ctvirt export web /dev/stdout --compress gzip | gzip -t'
        on rm -r /root/keep
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
        check "it is exported to a pipe" on 'ctvirt export web - | tee /root/web.tar.zst | ctvirt import - --name web4'
        check "nothing but the bundle is there" on 'zstd -tq /root/web.tar.zst'
        check_equal "with the same root" "$before" "$(digest web4)"
        check "it goes again" on ctvirt undefine web4 --remove-all-storage
        test_export_over
        check "it is imported under another name" on "ctvirt import /root/web.tar.gz --name web4 | grep -q \"Container 'web4' imported from\""
        check_equal "with the same root" "$before" "$(digest web4)"
        check_equal "and a host name of its own, as a clone" web4 "$(on cat /var/lib/machines/web4/etc/hostname)"
        check "and starts" on ctvirt start web4
        check "it is destroyed" on ctvirt destroy web4
        check "it gets a snapshot" on ctvirt snapshot-create-as web4 s1
        on 'ctvirt dumpxml web4 | grep -v "<uuid>\|<mac " >/root/web4.xml'
        check "undefine keeps the root" on ctvirt undefine web4
        check "another of that name is told whose snapshots there are" on 'ctvirt define /root/web4.xml 2>&1 | grep -q "snapshots of .web4. .* were made of an earlier container"'
        check "it is undefined" on ctvirt undefine web4
        check_equal "which is a volume" "web web4" "$(volumes)"
        refused "a name that is taken" "already" import /root/web.tar.gz --name web4
        test_import_without_name
        refused "a root that has snapshots" "web4 --delete-snapshots" vol-delete web4
        check "it is deleted with them" on ctvirt vol-delete web4 --delete-snapshots
        check_not "they are gone" on test -e /var/lib/machines/.ctvirt/snapshots/web4
        on mkdir -p /var/lib/machines/.ctvirt/snapshots/web4/s1
        check "so are those of a root that is gone" on ctvirt vol-delete web4 --delete-snapshots
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

freezer_state() {
        on systemctl show -p FreezerState --value systemd-nspawn@web
}

is_thawed() {
        [[ $(freezer_state) = running ]]
}

# A download of the container that runs, whose reader takes his time.
begin_slow_download() {
        on 'rm -f /root/slow; mkfifo /root/slow; systemd-run -q --unit slow-writer sh -c "exec </root/slow; sleep 1000"'
        on 'systemd-run -q --unit slow-client sh -c "exec ctvirt vol-download web /root/slow --compress none"'
        wait_for 20 on 'ctvirt -q job-list | grep -q "volume-download.*running"' && wait_for 20 is_read "$1"
}

is_read() {
        on "systemctl -q is-active 'ctvirt-job-*.service'" && { [[ $1 = btrfs ]] || [[ $(freezer_state) = frozen ]]; }
}

download_job() {
        on ctvirt -q job-list | awk '/volume-download.*running/ { print $1 }'
}

# copies NUMBER: one behind the other, while the thaw of the one before may be under way.
copies() {
        on "for i in $(seq -s ' ' "$1"); do ctvirt -q vol-clone web copy\$i && ctvirt -q snapshot-create-as web copy\$i || exit 1; done 2>&1"
}

test_freezing() {
        local said
        step "$1: copies of what runs"
        check "web starts" on ctvirt start web
        on journalctl -q --rotate
        on journalctl -q --vacuum-time=1s
        said=$(copies 8 || echo failed)
        check_equal "clones and snapshots say nothing" "" "$said"
        check_not "as the journal says" on 'journalctl -q -u ctvirtd | grep "could not be frozen"'
        check "it runs" wait_for 20 is_thawed
        on 'for i in 1 2 3 4 5 6 7 8; do ctvirt -q vol-delete copy$i; ctvirt -q snapshot-delete web copy$i; done'
        check "it is destroyed" on ctvirt destroy web
        check "nothing is left over" wait_for 20 pool_is_tidy
}

# On btrfs nobody waits for him: the container runs on, and what is read is a snapshot.
test_slow_reader() {
        local wanted=frozen id
        [[ $1 = btrfs ]] && wanted=running
        step "$1: a reader who takes his time"
        check "web starts" on ctvirt start web
        check "a download waits" begin_slow_download "$1"
        id=$(download_job)
        check_equal "the container is $wanted meanwhile" "$wanted" "$(freezer_state)"
        check "client and agent end" on "systemctl kill -s KILL slow-client; systemctl stop ctvirtd"
        check_equal "the container is as before" "$wanted" "$(freezer_state)"
        on "kill -9 \$(systemctl show -P MainPID ctvirt-job-$id.service)"
        check "a job that is killed thaws the container, without an agent" wait_for 20 is_thawed
        check_equal "there was none" inactive "$(on systemctl is-active ctvirtd || :)"
        end_slow
        check "nothing is left over" wait_for 20 pool_is_tidy
        on systemctl start ctvirtd

        check "a download waits" begin_slow_download "$1"
        id=$(download_job)
        on "systemctl kill -s KILL ctvirtd ctvirt-job-$id.service"
        check "agent and job killed at once: it is thawed" wait_for 20 is_thawed
        end_slow
        check "nothing is left over" wait_for 20 pool_is_tidy

        # What an agent leaves that dies between freezing the container and starting the job.
        on 'systemctl stop ctvirtd; mkdir -m 700 /run/ctvirt/jobs/deadbeef; printf "KIND=export\nNAME=web\nFLAGS=16\n" >/run/ctvirt/jobs/deadbeef/job; systemctl freeze systemd-nspawn@web'
        check_equal "web is frozen, and the agent is gone" frozen "$(freezer_state)"
        on systemctl start ctvirtd
        check "the next start of the agent thaws it" wait_for 20 is_thawed
        check "and says what became of the job" wait_for 20 on "ctvirt job-info deadbeef | grep -q 'State: *failed'"

        check "a download waits" begin_slow_download "$1"
        id=$(download_job)
        on touch /var/lib/machines/web/later
        on 'systemctl stop slow-writer; systemctl reset-failed slow-writer 2>/dev/null; :'
        check "a reader who has gone ends it" wait_for 20 on "ctvirt job-info $id | grep -q 'State: *failed'"
        check "the container runs on" wait_for 20 is_thawed
        end_slow
        check "nothing is left over" wait_for 20 pool_is_tidy
        check "it is destroyed" on 'rm /var/lib/machines/web/later; ctvirt destroy web'
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

        # Whoever does not want to wait until an agent that is frozen has canceled it.
        check "a job waits" begin_slow
        id=$(slow_job)
        on 'kill -STOP $(systemctl show -P MainPID ctvirtd); systemctl kill -s INT slow-client'
        check "Ctrl-C says that it is canceled" wait_for 20 on "journalctl -q -u slow-client | grep -q 'Canceling job $id'"
        check "and waits for it" on systemctl -q is-active slow-client
        on systemctl kill -s INT slow-client
        check "a second one ends the client" wait_for 20 on '! systemctl -q is-active slow-client'
        check "which says where to look" wait_for 20 on "journalctl -q -u slow-client | grep -q 'ctvirt job-info $id'"
        on 'kill -CONT $(systemctl show -P MainPID ctvirtd)'
        check "it is canceled" wait_for 20 on "ctvirt job-info $id | grep -q 'State: *canceled'"
        end_slow
        on 'script -qec "ctvirt vol-upload copy /root/tiny.tar" /root/typescript >/dev/null; ctvirt -q vol-delete copy'
        check "on a terminal the line with the progress is cleared at the end" on 'perl -0777 -ne "exit !/\[\d\/\d\] [^\r]*\r\e\[K(?!.*\[\d\/\d\])/s" /root/typescript'
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
        test_freezing "$1"
        test_slow_reader "$1"
        test_strangers "$1"
}

fill() {
        on "head -c ${2}M /dev/urandom >$POOL/$1/big"
}

# Nothing waits for the count but the disk: what is written is counted with the next sync.
is_counted() {
        on "btrfs quota rescan -W $POOL >/dev/null 2>&1; sync -f $POOL; ! btrfs qgroup show $POOL 2>&1 | grep -i inconsistent"
}

# What is in it counts, a limit holds.
limits_work() {
        check "$1: usage is counted" wait_for 20 is_counted
        check_not "$1: the limit holds" fill web 30
        check "$1: and is known" on "rm -f $POOL/web/big; sync -f $POOL; ctvirt vol-info web | grep 'Allocation: *[1-9].* [KM]iB'"
}

groups() {
        on btrfs qgroup show "$POOL" 2>/dev/null | grep -o '^255/[0-9]*' || :
}

no_groups() {
        [[ -z $(groups) ]]
}

test_limits() {
        local id
        step "btrfs: limits"
        check "a limit is set" on ctvirt vol-resize web 20M
        check "and shown" on "ctvirt vol-info web | grep -q 'Capacity: *20.00 MiB'"
        limits_work "a new limit"
        check "a snapshot is made" on ctvirt snapshot-create-as web s1
        limits_work "after a snapshot"
        check "web is exported" on 'ctvirt -q export web /root/limited.tar --compress none'
        limits_work "after an export"
        check "web is downloaded" on 'ctvirt -q vol-download web /root/limited.tar --compress none'
        limits_work "after a download"
        check "web is reverted" on ctvirt snapshot-revert web s1
        limits_work "after a revert"
        check "web is copied" on ctvirt vol-clone web other
        limits_work "after a copy"
        check "the copy is deleted" on ctvirt vol-delete other
        limits_work "after a deletion"
        check "a container is cloned" on ctvirt -q clone web web2
        limits_work "after a clone"
        check "it is undefined with its root" on ctvirt -q undefine web2 --remove-all-storage
        limits_work "after that"
        check "the snapshot is deleted" on ctvirt snapshot-delete web s1
        limits_work "after the deletion of a snapshot"
        on "ctvirt dumpxml web | sed \"s,</name>,&<ct:quota xmlns:ct='http://ctvirt.org/schemas/container/1.0' unit='MiB'>300</ct:quota>,\" >/root/limited.xml"
        check "a definition with a limit" on ctvirt -q define /root/limited.xml
        check "its bundle" on 'ctvirt -q export web /root/limited.tar --compress none'
        check "is imported" on ctvirt -q import /root/limited.tar --name web6
        check "with the limit" on "ctvirt vol-info web6 | grep -q 'Capacity: *300.00 MiB'"
        check "and goes with its root" on ctvirt -q undefine web6 --remove-all-storage
        limits_work "after an import"

        check_not "a full root" fill web 30
        check "gets a higher limit" on ctvirt vol-resize web 40M
        check "which holds what was too much" on "head -c 10M /dev/urandom >$POOL/web/more"
        check_not "a full root" on "head -c 40M /dev/urandom >>$POOL/web/more"
        check "gets rid of its limit" on ctvirt vol-resize web none
        check "and takes more" fill web 60
        refused "a limit below what is used" "uses [0-9]+\.[0-9] MiB.* limit of 1\.0 MiB.*not changed" vol-resize web 1M
        check "the container's information shows what is used" wait_for 10 on 'ctvirt dominfo web | grep -q "Root used:"'
        check "there is none" on "ctvirt vol-info web | grep -q 'Capacity: *-'"
        check "the pool has no problems" on ctvirt pool-check
        id=$(on btrfs inspect-internal rootid "$POOL/web")
        check "one that others have set" on "btrfs qgroup limit 1M 255/$id $POOL"
        check "is told" on "ctvirt pool-check | grep 'web. uses [0-9]*\.[0-9] MiB, more than its limit of 1.0 MiB'"
        check "a higher one" on ctvirt vol-resize web 200M
        check "helps" fill web 80
        check "the pool has no problems" on ctvirt pool-check

        on "btrfs subvolume snapshot $POOL/web $POOL/another >/dev/null"
        check "limits that others have made not count are told" on "ctvirt pool-check | grep 'limits of the volumes in .* are not counted'"
        check "and are counted again by --repair" on "ctvirt pool-check --repair | grep 'are not counted'"
        check "which is so" wait_for 20 is_counted
        check "the pool has no problems" on ctvirt pool-check
        check "the other is deleted" on ctvirt vol-delete another

        check "the limit is low" on "rm $POOL/web/more; ctvirt vol-resize web 100M"
        check_not "a full root" on "head -c 40M /dev/urandom >>$POOL/web/more"
        check "is deleted" on ctvirt -q undefine web --remove-all-storage
        check "no group is left of it" wait_for 20 no_groups
        check "groups of subvolumes that are no more" on "btrfs qgroup create 255/70000 $POOL && btrfs qgroup create 255/100 $POOL"
        check "are told" on "ctvirt pool-check | grep '1 quota groups'"
        check "and removed by --repair" on 'ctvirt pool-check --repair'
        check_equal "but not those that are no subvolume's" 255/100 "$(groups)"
        on "btrfs qgroup destroy 255/100 $POOL"
        check "the pool has no problems" on ctvirt pool-check
}

host_test_begin "the pool"
use_host B "$RELEASE" --btrfs
run_all btrfs
test_limits

use_host D "$RELEASE"
run_all directory
finish
