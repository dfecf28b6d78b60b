#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# From a definition to a container that runs, by one command; and what happens to a bootstrap that meets others, a restart of
# the agent, or its own end.
# It takes long and runs on one release, unless more is asked for (tests/run --help).
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"

# bootstrap_xml NAME FILE
bootstrap_xml() {
        cat <<XML
<domain type='nspawn' xmlns:ct='http://ctvirt.org/schemas/container/1.0'>
  <name>$1</name>
  <os><type>exe</type></os>
  <ct:bootstrap type='tar'><ct:source file='$2'/></ct:bootstrap>
  <ct:firstboot><ct:hostname>$1.example.lan</ct:hostname></ct:firstboot>
  <devices><interface type='network'><source network='default'/></interface></devices>
</domain>
XML
}

says() {
        local text=$1 pattern=$2 wanted=$3 status=0 output
        shift 3
        output=$(on ctvirt "$@" 2>&1) || status=$?
        if ((status == wanted)) && grep -Eq -- "$pattern" <<<"$output"; then pass "$text"; else fail "$text" "exit status $status: $output"; fi
}

pool_is_tidy() {
        local left
        left=$(on 'ls -A /var/lib/machines/.ctvirt/new /var/lib/machines/.ctvirt/trash | grep -v ":$" | grep .' || :)
        [[ -z $left ]] || { printf '%s\n' "$left"; return 1; }
}

# A tree in which there is so much that unpacking it can be interrupted, and a small one.
make_archives() {
        local directory
        directory=$(mktemp -d)
        "$HOST_PROGRAM" tinyroot "$directory/tiny" >/dev/null
        tar -C "$directory/tiny" -cf "$directory/tiny.tar" .
        "$HOST_PROGRAM" push "$CURRENT_HOST" "$directory/tiny.tar" /root/tiny.tar
        rm -rf "$directory"
        on 'mkdir -p /root/large/many; cd /root/large/many; for i in $(seq 200); do mkdir $i; (cd $i; seq 200 | xargs touch); done; cp /root/tiny.tar /root/large.tar; tar -C /root/large -rf /root/large.tar many; rm -rf /root/large'
}

# The last bootstrap of big.
big_job() {
        on ctvirt -q job-list --all | awk '$3 == "big" && $2 == "bootstrap" { id = $1 } END { print id }'
}

# is_unpacking: the bootstrap of big is in the middle of it.
is_unpacking() {
        on "ls /var/lib/machines/.ctvirt/new/$JOB/many 2>/dev/null | grep -q ."
}

# begin_large: a bootstrap of big, and JOB is its id.
begin_large() {
        check "a large one begins" on ctvirt -q bootstrap big --replace --detach
        JOB=$(big_job)
        check "it is unpacking" wait_for 20 is_unpacking
}

job_state_is() {
        on ctvirt job-info "$JOB" | grep -q "State: *$1"
}

run_all() {
        step "$1: one command"
        check "the package is installed" install_ctvirt
        make_archives
        check "the network starts" on virsh -q net-start default
        bootstrap_xml web /root/tiny.tar | put_file /root/web.xml
        check "defined" on ctvirt define /root/web.xml
        says "a start without a root says what to do" "ctvirt bootstrap web" 1 start web
        says "a password without a root as well" "'ctvirt bootstrap web' makes it" 1 set-user-password web root --password x
        check "define, bootstrap, start" on ctvirt define /root/web.xml --bootstrap --start
        check "it runs" wait_for 30 is_running web
        check "it has a lease" wait_for 60 has_lease default web
        check_equal "its name is what the definition says" web.example.lan "$(on cat /var/lib/machines/web/etc/hostname)"
        check_equal "its machine id is its UUID" "$(on ctvirt domuuid web | tr -d '\n-')" "$(on cat /var/lib/machines/web/etc/machine-id)"
        check "the generated network file is in its root" on 'ls /var/lib/machines/web/etc/systemd/network/20-ctvirt-* >/dev/null 2>&1 || ! grep -q "<ip " /etc/ctvirt/containers/web.xml'
        says "a running container is not made anew" "is running" 1 bootstrap web --replace
        check "it is destroyed" on ctvirt destroy web
        says "a root is not lost by a slip" "has a root already; 'ctvirt bootstrap web --replace' makes it anew" 1 bootstrap web
        says "nor by a definition" "'ctvirt bootstrap web --replace' makes it anew" 1 define /root/web.xml --bootstrap
        on 'mkdir /var/lib/machines/own; printf "[Network]\nBridge=virbr9\n" >/etc/systemd/nspawn/own.nspawn; systemctl -q enable systemd-nspawn@own'
        check "a container of one's own is listed" wait_for 20 on 'ctvirt -q list --all | grep -q " own "'
        says "what can be done with its root is told" "vol-clone" 1 clone own other
        on 'systemctl -q disable systemd-nspawn@own; rm -r /etc/systemd/nspawn/own.nspawn /var/lib/machines/own'
        on touch /var/lib/machines/web/mine
        check "with --replace it is made anew" on ctvirt bootstrap web --replace
        check_not "and the old one is gone" on test -e /var/lib/machines/web/mine
        says "a source that is not there" "No such file" 1 bootstrap web --replace --from tar:/root/nope.tar
        on 'head -c 5000 /root/tiny.tar | tr a-z b-za >/root/bad.tar'
        says "a source that is no archive" "no tar archive|damaged" 1 bootstrap web --replace --from tar:/root/bad.tar
        check "the root that was there is still there" on test -e /var/lib/machines/web/etc/hostname
        says "a file's name alone is told what it lacks" "write 'tar:nope.tar'" 1 bootstrap web --replace --from nope.tar
        says "so is an image's" "write 'docker://nginx'" 1 bootstrap web --replace --from docker:nginx
        says "a word that means nothing" "error" 1 bootstrap web --replace --from nonsense:///
        on cp /root/tiny.tar /tmp/tiny.tar
        check "a source in /tmp is seen" on ctvirt bootstrap web --replace --from tar:/tmp/tiny.tar
        check "so is one by a relative path" on 'cd /tmp && ctvirt bootstrap web --replace --from tar:tiny.tar'
        check "one that nobody waits for" on ctvirt -q bootstrap web --replace --detach
        check "can be waited for" on "ctvirt job-info web --wait | grep -q 'State: *done'"
        says "stages are lines where there is no terminal" '^\[1/[0-9]\] ' 0 bootstrap web --replace

        step "$1: in the middle of it"
        bootstrap_xml big /root/large.tar | put_file /root/big.xml
        check "big is defined" on ctvirt define /root/big.xml
        begin_large
        says "another one meets it" "at work" 1 bootstrap big
        says "so does a start" "at work|no root" 1 start big
        says "and undefine" "at work" 1 undefine big
        check "the agent is restarted" on systemctl restart ctvirtd
        check "the job goes on, and is done" wait_for 120 job_state_is "done"
        check "the root is whole" on 'test $(ls /var/lib/machines/big/many | wc -l) = 200'

        begin_large
        check "it is aborted" on ctvirt job-abort big
        check "it is canceled" wait_for 60 job_state_is canceled
        check "the root that was there is still there" on test -e /var/lib/machines/big/many/200/200
        check "nothing is left over" wait_for 60 pool_is_tidy

        begin_large
        on "systemctl kill -s KILL ctvirt-job-$JOB.service"
        check "it was killed: it has failed" wait_for 60 job_state_is failed
        check "nothing is left over" wait_for 60 pool_is_tidy

        begin_large
        on "systemctl kill -s KILL ctvirtd ctvirt-job-$JOB.service"
        check "agent and job were killed: it has failed" wait_for 60 job_state_is failed
        check "the agent is up again" wait_for 30 agent_is_up
        check "nothing is left over" wait_for 60 pool_is_tidy
        check "the root that was there is still there" on test -e /var/lib/machines/big/many/200/200

        begin_large
        "$HOST_PROGRAM" kill "$CURRENT_HOST"
        "$HOST_PROGRAM" boot "$CURRENT_HOST" | sed 's/^/# /'
        check "after a power cut nothing is left over" wait_for 120 pool_is_tidy
        check "the root that was there is still there" on test -e /var/lib/machines/big/many/200/200
        check "and its definition" on ctvirt domuuid big
        check "it goes with its storage" on ctvirt undefine big --remove-all-storage
        check "nothing is left over" wait_for 60 pool_is_tidy
        check "no unit has failed" no_failed_units
}

host_test_begin "bootstrap"
use_host B "$RELEASE" --btrfs
run_all btrfs
use_host D "$RELEASE"
run_all directory
finish
