#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# kill -9 of the agent at any moment of define and undefine: the old state or the new one, never something between.
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"

ROUNDS=${CTVIRT_CRASH_ROUNDS:-40}

host_test_begin "kill -9 of the agent while it defines and undefines"
use_host H
check "the package is installed" install_ctvirt
check "ct is made" make_container ct
container_xml ct default | put_file /root/ct.xml
# Killed on purpose that often, the agent must not hit its start limit.
printf '[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestartSec=0\n' | put_file /etc/systemd/system/ctvirtd.service.d/test.conf
on systemctl daemon-reload

put_file /root/round.sh <<'SH'
# round.sh VERB DELAY-MS: runs the verb and kills the agent DELAY ms later; then checks that the state is whole.
verb=$1 delay=$2
systemctl start ctvirtd.service
# Over the kernel's own record: every syscall that changes a name is a place to die, so the delay wanders over all.
if [ "$verb" = define ]; then ctvirt -q define /root/ct.xml >/root/out 2>&1 & else ctvirt -q undefine ct >/root/out 2>&1 & fi
sleep "$(printf '0.%04d' "$delay")"
systemctl kill -s KILL ctvirtd.service
wait
# systemd needs a moment to see that the agent is dead; the first call may still reach the dying one.
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        answer=$(ctvirt -q list --all 2>&1) && break
        answer="the agent does not answer: $answer"
        sleep 0.25
done
case $answer in "the agent"*) echo "$answer"; exit 1 ;; esac
left=$(find /etc/ctvirt /etc/systemd/nspawn /etc/systemd/system -name '.#*')
[ -z "$left" ] || { echo "temporary files are left: $left"; exit 1; }
xml=no nspawn=no listed=no
[ -e /etc/ctvirt/containers/ct.xml ] && xml=yes
[ -e /etc/systemd/nspawn/ct.nspawn ] && nspawn=yes
ctvirt -q list --all --name --persistent | grep -qx ct && listed=yes
[ "$xml$nspawn$listed" = yesyesyes ] || [ "$xml$nspawn$listed" = nonono ] ||
        { echo "half a state after $verb: xml=$xml nspawn=$nspawn listed=$listed"; exit 1; }
if [ "$xml" = yes ]; then
        ctvirt dumpxml ct >/root/dump.xml && ctvirt -q define /root/dump.xml || { echo "ct cannot be defined again"; exit 1; }
        grep -q '^PrivateUsers=' /etc/systemd/nspawn/ct.nspawn || { echo "ct.nspawn is not whole"; exit 1; }
fi
SH
for ((round = 0; round < ROUNDS; round++)); do
        delay=$((round % 20 * 12))
        if ((round % 2 == 0)); then on 'ctvirt -q undefine ct >/dev/null 2>&1' || :; verb=define; else on ctvirt -q define /root/ct.xml >/dev/null 2>&1 || :; verb=undefine; fi
        check "$verb, killed after $delay/10 ms" on sh /root/round.sh "$verb" "$delay"
done

step "killed at each change of a name"
# The agent dies, by a signal of strace, at the Nth rename or unlink that it makes.
put_file /root/inject.sh <<'SH'
verb=$1 call=$2 number=$3
systemctl start ctvirtd.service
ctvirt -q list >/dev/null
pid=$(systemctl show -P MainPID ctvirtd.service)
strace -f -o /root/strace.out -p "$pid" -e trace="$call" -e inject="$call":signal=SIGKILL:when="$number" 2>/dev/null &
tracer=$!
sleep 0.3
sh /root/round.sh "$verb" 3000
status=$?
kill $tracer 2>/dev/null
wait $tracer 2>/dev/null
exit $status
SH
for verb in define undefine; do
        for call in renameat2 unlinkat; do
                for number in 1 2 3; do
                        if [[ $verb == define ]]; then on 'ctvirt -q undefine ct >/dev/null 2>&1' || :; else on ctvirt -q define /root/ct.xml >/dev/null 2>&1 || :; fi
                        check "$verb, killed at $call number $number" on sh /root/inject.sh "$verb" "$call" "$number"
                done
        done
done
finish
