#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The hook with input that is no network's, and hundreds of hooks at once: each exits with 0, and containers are started as
# if nothing had been. (Descriptors, arguments, endless input and missing files: test-hostile. Its time: test-pid1.)
# It takes long and runs on one release, unless more is asked for (tests/run --help).
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"

HOOK=/etc/libvirt/hooks/network.d/50-ctvirt

fresh() {
        on 'virsh -q net-destroy default' >/dev/null 2>&1 || :
        on "systemctl stop 'systemd-nspawn@*.service'"
        on journalctl -q --rotate
        on journalctl -q --vacuum-time=1us
}

# hook_reads OP: the hook reads standard input.
hook_reads() {
        on_stdin timeout -s KILL 30 "$HOOK" default "$1" begin -
}

# hundreds NETWORK OP: 200 hooks at once; prints how many did not exit with 0.
hundreds() {
        on bash -c 'for i in $(seq 200); do
                        printf "<hookData><network><name>%s</name><bridge name=\"%s\"/></network></hookData>" "$1" "$2" |
                                timeout -s KILL 60 "$3" "$1" "$4" begin - &
                        pids+=($!)
                done
                for pid in "${pids[@]}"; do wait "$pid" || failed=$((failed + 1)); done
                echo "$((failed))"' hundreds "$1" "$2" "$HOOK" "$3"
}

host_test_begin "the hook's input, and hundreds of hooks"
use_host H
check "the package is installed" install_ctvirt
check "web is defined" define_container web default
check "web is enabled" on ctvirt -q autostart web

step "input that is no network's"
bombs='<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><hookData><network><name>&c;</name></network></hookData>'
deep=$(printf '<a>%.0s' $(seq 20000))
for input in '' '<' '<hookData>' '<hookData><network><name>default</name>' '<network/>' '<hookData/>' "$bombs" "$deep" \
        '<?xml version="1.0" encoding="UTF-16"?><hookData/>' $'\xff\xfe<\x80\x01' \
        '<hookData><network><name>other</name><bridge name="nosuch"/></network></hookData>'; do
        check "started: ${input:0:40}" hook_reads started <<<"$input"
        check "stopped: ${input:0:40}" hook_reads stopped <<<"$input"
done
check "nothing is marked" on 'test -z "$(ls -A /run/ctvirt/bridges)"'
check "net-start" on virsh -q net-start default
check_exact web virbr0

step "broken input while the network runs: libvirt's own files say which bridge it has"
check "no agent" on systemctl stop ctvirtd.service
on 'rm /run/ctvirt/bridges/virbr0'
check "broken" hook_reads started <<<'<hookData><network><name>default</name>'
check "the marker is there again" on test -e /run/ctvirt/bridges/virbr0
on systemctl start ctvirtd.service

for agent in "an agent" "no agent"; do
        step "hundreds of hooks at once, and $agent"
        fresh
        if [[ $agent == no* ]]; then on systemctl stop ctvirtd.service; fi
        printf '#!/bin/sh\n[ "$2" != started ] || touch /root/held\n[ "$2" != started ] || while [ ! -e /root/go ]; do sleep 0.05; done\n' |
                put_file /etc/libvirt/hooks/network.d/10-holds
        on 'chmod +x /etc/libvirt/hooks/network.d/10-holds; rm -f /root/held /root/go'
        on virsh -q net-start default &
        starter=$!
        check "net-start is under way" wait_for 20 on test -e /root/held
        # All the hooks, libvirt's among them, find a bridge that nobody has made the edge for.
        on touch /root/go
        check_equal "all exit with 0" 0 "$(hundreds default virbr0 started)"
        check "net-start" wait "$starter"
        on rm /etc/libvirt/hooks/network.d/10-holds
        check_exact web virbr0
        check_equal "of another network: all exit with 0" 0 "$(hundreds other nosuch started)"
        check_equal "another stops: all exit with 0" 0 "$(hundreds other nosuch stopped)"
        check "the marker stays" on test -e /run/ctvirt/bridges/virbr0
done
check "the agent is started" on systemctl start ctvirtd.service
check "it answers" on ctvirt list --all
check "web runs" is_running web
check_equal "and was started once" 1 "$(count_starts web)"
check "no unit has failed" no_failed_units
finish
