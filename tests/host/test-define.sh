#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Bad input gets a clear error and changes nothing; a definition goes its whole way from define to undefine.
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"

# A digest of everything that a define could have changed.
state() {
        on 'find /etc/ctvirt /etc/systemd/nspawn /etc/systemd/system /var/lib/machines -xdev -printf "%p %y %m %s %T@\n" | sort | sha256sum'
}

# refused TEXT PATTERN FILE [OPTIONS...]: define fails, exit status 1, stderr matches, nothing changed.
refused() {
        local text=$1 pattern=$2 file=$3 before status=0 output
        shift 3
        before=$(state)
        output=$(on ctvirt define "$file" "$@" 2>&1) || status=$?
        check_equal "$text: exit status" 1 "$status"
        if grep -Eq -- "$pattern" <<<"$output"; then pass "$text: $(head -n 2 <<<"$output" | tail -n 1)"; else fail "$text: message" "$output"; fi
        check_equal "$text: nothing changed" "$before" "$(state)"
}

memory_max_is() {
        [[ $(on systemctl show -P MemoryMax systemd-nspawn@later.service) == "$1" ]]
}

host_test_begin "define, redefine, undefine"
use_host H
check "the package is installed" install_ctvirt
check "web is defined" define_container web default

step "bad input"
echo 'not xml at all' | put_file /root/bad/plain.xml
refused "no XML" 'plain.xml:1' /root/bad/plain.xml
echo '<network><name>x</name></network>' | put_file /root/bad/root.xml
refused "wrong root element" 'unexpected root element' /root/bad/root.xml
echo "<domain type='nspawn'><os><type>exe</type></os></domain>" | put_file /root/bad/noname.xml
refused "no name" 'name' /root/bad/noname.xml
echo "<domain type='nspawn'><name>../x</name><os><type>exe</type></os></domain>" | put_file /root/bad/path.xml
refused "a path as name" "\.\./x" /root/bad/path.xml
echo "<domain type='nspawn'><name>a</name></domain><domain type='nspawn'><name>b</name></domain>" | put_file /root/bad/two.xml
refused "two roots" 'two.xml:1' /root/bad/two.xml
put_file /root/bad/bomb.xml <<'XML'
<!DOCTYPE domain [
<!ENTITY a "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">
<!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;">
<!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;">
<!ENTITY g "&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;">
]>
<domain type='nspawn'><name>bomb</name><title>&g;</title><os><type>exe</type></os></domain>
XML
refused "an entity bomb" 'DOCTYPE|DTD' /root/bad/bomb.xml
on "{ echo \"<domain type='nspawn'><name>big</name><description>\"; head -c 10485760 /dev/zero | tr '\\0' a; echo '</description></domain>'; } >/root/bad/big.xml"
refused "a file of 10 MB" 'larger|too large|too big' /root/bad/big.xml
refused "no such file" 'No such file' /root/bad/nope.xml
echo "<domain type='nspawn'><name>v</name><os><type>exe</type></os><frob/></domain>" | put_file /root/bad/frob.xml
refused "an unknown element with --validate" 'frob' /root/bad/frob.xml --validate
printf '[Network]\nBridge=virbr0\n' | put_file /etc/systemd/nspawn/hand.nspawn
container_xml hand default | put_file /root/hand.xml
refused "a hand-written .nspawn in the way" '/etc/systemd/nspawn/hand.nspawn' /root/hand.xml
container_xml web default | sed 's,<name>,<uuid>11111111-2222-3333-4444-555555555555</uuid><name>,' | put_file /root/uuid.xml
refused "another UUID for a defined name" 'already' /root/uuid.xml

step "unknown content is kept"
check "define warns" on "ctvirt define /root/bad/frob.xml 2>&1 | grep -q frob"
check "dumpxml shows it" on 'ctvirt dumpxml v | grep -q "<frob/>"'

step "a network that libvirt does not know"
make_container later
container_xml later tomorrow | put_file /root/later.xml
check "define warns" on "ctvirt define /root/later.xml 2>&1 | grep -q \"network 'tomorrow'\""
check "autostart" on ctvirt autostart later
check_not "start says what it waits for" on ctvirt start later
check "with the network's name" on "ctvirt start later 2>&1 | grep -q tomorrow"
check "the host boots without complaint" host reboot
check_equal "no start was tried" 0 "$(count_starts later)"
check "the agent runs" wait_for 10 agent_is_up
check "the network is defined" define_network tomorrow virbr7 192.168.170
check "and started" on virsh -q net-start tomorrow
check_exact later virbr7

step "round trip"
check "dumpxml parses back" on 'ctvirt dumpxml web >/root/web2.xml && ctvirt define /root/web2.xml --validate && ctvirt dumpxml web | cmp - /root/web2.xml'
check "type lxc is the same grammar" on 'sed "s/nspawn/lxc/;s/<name>web/<name>lxcweb/;/uuid/d;/<idmap>/,/<.idmap>/d;/<mac /d" /root/web2.xml >/root/lxc.xml && ctvirt define /root/lxc.xml'
check_equal "each has a range of its own" 3 "$(on 'grep -h ^PrivateUsers= /etc/systemd/nspawn/web.nspawn /etc/systemd/nspawn/lxcweb.nspawn /etc/systemd/nspawn/later.nspawn | sort -u | wc -l')"
check "undefine" on ctvirt undefine lxcweb
check "its files are gone" on 'test ! -e /etc/systemd/nspawn/lxcweb.nspawn && test ! -e /etc/ctvirt/containers/lxcweb.xml'
check "its root is not touched" on 'ctvirt undefine later --help >/dev/null 2>&1 || :; test -d /var/lib/machines/later'
check "a limit for a running container" on 'ctvirt dumpxml later | sed "s:</name>:&<memory unit=\"MiB\">512</memory>:" >/root/later.xml && ctvirt define --validate /root/later.xml'
check "systemd has it" wait_for 10 memory_max_is 536870912
check "undefine of a running container" on ctvirt undefine later
check "leaves it running" is_running later
check "and its limit" memory_max_is 536870912
check "nothing else of it" on 'test ! -e /etc/systemd/system/systemd-nspawn@later.service.d && test ! -e /etc/systemd/nspawn/later.nspawn'
check "and it is not enabled any more" on '! systemctl -q is-enabled systemd-nspawn@later.service'
check "it stops" on systemctl stop systemd-nspawn@later.service
check "the limit goes with it" wait_for 10 on 'test ! -e /run/systemd/system/systemd-nspawn@later.service.d'
check "systemd has forgotten it" wait_for 10 memory_max_is infinity
check "it is defined again" on ctvirt -q define /root/later.xml
check "and started" on ctvirt -q start later
check "with its limit" wait_for 10 memory_max_is 536870912
# As an agent leaves it that is killed in the middle of an undefine.
on 'systemctl stop ctvirtd.service && rm /etc/ctvirt/containers/later.xml && systemctl start ctvirtd.service'
check "the agent finishes an undefine" wait_for 10 on test ! -e /etc/systemd/nspawn/later.nspawn
check "later runs on" is_running later
check "with its limit still" memory_max_is 536870912
check "also after a reload" on systemctl daemon-reload
check "it has its limit" memory_max_is 536870912
on systemctl stop systemd-nspawn@later.service
check "until it ends" wait_for 10 memory_max_is infinity

step "what a person should hear"
container_xml noroot default | put_file /root/noroot.xml
check "the root is missing" on "ctvirt define /root/noroot.xml 2>&1 | grep -q \"root '/var/lib/machines/noroot' does not exist yet\""
on ctvirt -q undefine noroot
on virsh -q net-start default
on ctvirt -q start web
on 'ctvirt dumpxml web >/root/web3.xml'
check_not "the same again is no change" on "ctvirt define /root/web3.xml 2>&1 | grep -q 'next start'"
on "sed -i \"s,<source network='default'/>,&<ip address='192.168.122.9' family='ipv4' prefix='24'/>,\" /root/web3.xml"
check "interfaces of a running container" on "ctvirt define /root/web3.xml 2>&1 | grep -q \"interfaces of 'web' change at its next start\""
check "domifaddr shows the static address" on 'ctvirt domifaddr web | grep -q 192.168.122.9/24'

on 'ctvirt dumpxml web | sed "/<interface/,/<.interface>/d" >/root/web4.xml'
check "no interface any more" on "ctvirt define /root/web4.xml 2>&1 | grep -q 'uses the network of the host'"
on 'sed -i "s:</name>:&<memory unit=\"MiB\">512</memory>:" /root/web3.xml'
check "the interface again, and a limit" on ctvirt -q define /root/web3.xml

step "others remove what was made of a definition"
files=(/etc/systemd/nspawn/web.nspawn /etc/systemd/system/systemd-nspawn@web.service.d/50-ctvirt.conf)
before=$(on cat "${files[@]}")
files_are_back() {
        [[ $(on cat "${files[@]}" 2>&1) == "$before" ]]
}
on rm "${files[0]}"
check "the .nspawn file comes back" wait_for 10 files_are_back
on systemctl revert systemd-nspawn@web.service
check "the drop-in comes back" wait_for 10 files_are_back
check "and systemd knows it" wait_for 10 on 'systemctl show -P DropInPaths systemd-nspawn@web.service | grep -q 50-ctvirt.conf'
check "which is told" on 'journalctl -q -u ctvirtd.service | grep -q "web.: files that were made of its definition have been removed"'
check "a container to be removed" define_container gone default
check "by machinectl" on machinectl remove gone
check "stays defined" wait_for 10 on test -e /etc/systemd/nspawn/gone.nspawn
check "and has no root" on "ctvirt start gone 2>&1 | grep -q 'has no root'"
on mkdir /var/lib/machines/gone
check_not "one without an init does not start" on ctvirt start gone
check "it failed" on systemctl -q is-failed systemd-nspawn@gone.service
check "undefine" on ctvirt undefine gone
check_not "takes it off the list of failed units" on systemctl -q is-failed systemd-nspawn@gone.service

step "what runs goes on"
on_virbr0() {
        on 'ip -o link show dev vb-runs | grep -q "master virbr0"'
}
check "a container that runs" define_container runs default
on ctvirt -q start runs
check "is on its bridge" wait_for 10 on_virbr0
check "snapshot" on ctvirt snapshot-create-as runs before
check "net-destroy" on virsh -q net-destroy default
check "a reboot says what is missing" on "ctvirt reboot runs 2>&1 | grep -q \"waits for network 'default'\""
check "a revert as well" on "ctvirt snapshot-revert runs before --force 2>&1 | grep -q \"could not be started again.*waits for network 'default'\""
check "it runs on" is_running runs
check "undefine" on ctvirt undefine runs
check "net-start" on virsh -q net-start default
check "it runs on, and is on its bridge again" wait_for 10 on_virbr0
on systemctl restart ctvirtd.service
check "net-destroy" on virsh -q net-destroy default
check "net-start" on virsh -q net-start default
check "also with another agent" wait_for 10 on_virbr0
check "destroy" on ctvirt destroy runs
check "its settings go with it" wait_for 10 on test ! -e /run/systemd/nspawn/runs.nspawn
check_not "it has not failed" on systemctl -q is-failed systemd-nspawn@runs.service
check "a program without an init" make_container sleeps
put_file /root/sleeps.xml <<XML
<domain type='nspawn'>
  <name>sleeps</name>
  <os><type>exe</type><init>/bin/busybox</init><initarg>sleep</initarg><initarg>1000</initarg></os>
</domain>
XML
check "is defined" on ctvirt define --validate /root/sleeps.xml
check "and started" on ctvirt start sleeps
check "shutdown" on ctvirt shutdown sleeps
check "is no crash" wait_for 10 on 'ctvirt domstate sleeps --reason | grep -qx "shut off (shutdown)"'
check "nor a failure" wait_for 10 on '! systemctl -q is-failed systemd-nspawn@sleeps.service'
check "and it goes" on ctvirt -q undefine sleeps --remove-all-storage

step "an unprivileged user"
on useradd -m user
check "may list" host exec --raw --user user -- ctvirt list --all
check_not "may not define" host exec --raw --user user -- ctvirt define /root/web2.xml
on 'cp /root/hand.xml /tmp/mine.xml; sed -i s/hand/mine/g /tmp/mine.xml; chmod 644 /tmp/mine.xml'
before=$(state)
check_not "may not define a file that it can read" host exec --raw --user user -- ctvirt define /tmp/mine.xml
check_not "may not start" host exec --raw --user user -- ctvirt start web
check_not "may not undefine" host exec --raw --user user -- ctvirt undefine web
check_equal "and nothing changed" "$before" "$(state)"

step "secrets"
on 'ctvirt dumpxml --security-info web | sed "s,<type>exe</type>,&<initenv name=\"TOKEN\">s3cret</initenv>," >/root/token.xml && ctvirt -q define /root/token.xml'
check "may see a definition" host exec --raw --user user -- ctvirt dumpxml web
check_not "without what may be secret" on 'ctvirt dumpxml web | grep -q s3cret'
check_not "which it may not ask for" host exec --raw --user user -- ctvirt dumpxml --security-info web
check_not "nor find in the files" host exec --raw --user user -- grep -q s3cret /etc/ctvirt/containers/web.xml /etc/systemd/nspawn/web.nspawn
check "root may" on 'ctvirt dumpxml --security-info web | grep -q s3cret'
check "what everybody sees can be defined again" on 'ctvirt dumpxml web | ctvirt define --validate -'
check "and loses nothing" on 'ctvirt dumpxml --security-info web | grep -q s3cret && grep -q TOKEN=s3cret /etc/systemd/nspawn/web.nspawn'
has_token() {
        on 'tr "\0" "\n" <"/proc/$(machinectl show -p Leader --value web)/environ" | grep -q "^TOKEN=s3cret$"'
}
on ctvirt -q destroy web
check "the container starts" on ctvirt -q start web
check "with it" wait_for 10 has_token
finish
