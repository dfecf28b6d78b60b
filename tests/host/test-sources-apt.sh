#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A Debian from its packages to a login, as a user makes one: "ctvirt define web.xml --bootstrap --start"; its base; what is
# wrong with packages, keys and tools; progress and Ctrl-C.
# It takes long and runs on one release, unless more is asked for (tests/run --help).
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"
# shellcheck source-path=SCRIPTDIR source=lib/sources.sh
. "$(dirname "$(readlink -f "$0")")/lib/sources.sh"

KEY='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGzrUYJdQOJ8oH0xY0oV7pVQ0m3pX1m1x3v1Qm2g4n5T me@x'
DEBIAN="<ct:recipe name='debian' release='$RELEASE'/><ct:mirror url='file:///srv/mirror'/>"

in_netns() { on nsenter -t "$(on machinectl show -p Leader --value web)" -n -- "$@"; }
has_address() { in_netns ip -4 -o address show dev "$2" | grep -qF "inet $1 "; }

prepare() {
        check "the package is installed" install_ctvirt
        check "the network starts" on virsh -q net-start default
        check "a wire with a neighbour" on 'ip link add lan0 up type veth peer name lan1 && ip address add 192.0.2.1/27 dev lan1 && ip link set lan1 up'
        # The recipe that is shipped, with the key of the mirror.
        on 'mkdir -p /etc/ctvirt/recipes && sed "s:^Key=.*:Key=/srv/mirror/key.asc:" /usr/share/ctvirt/recipes/debian.conf >/etc/ctvirt/recipes/debian.conf'
}

one_command() {
        step "one command"
        put_file /root/web.xml <<XML
<domain type='nspawn' $CT>
  <name>web</name>
  <devices>
    <interface type='network'><source network='default'/></interface>
    <interface type='direct'>
      <mac address='52:54:00:c0:ff:ee'/>
      <source dev='lan0' mode='bridge'/>
      <ip address='192.0.2.20' family='ipv4' prefix='27'/>
      <route family='ipv4' address='198.51.100.0' prefix='24' gateway='192.0.2.1'/>
    </interface>
  </devices>
  <ct:bootstrap type='apt'>$DEBIAN<ct:package name='tzdata'/></ct:bootstrap>
  <ct:firstboot>
    <ct:hostname>web.example.lan</ct:hostname>
    <ct:rootpassword hash='$VOGEL_17'/>
    <ct:locale>C.UTF-8</ct:locale>
    <ct:timezone>Europe/Berlin</ct:timezone>
    <ct:sshkey user='root'>$KEY</ct:sshkey>
    <ct:search domain='example.lan'/>
  </ct:firstboot>
</domain>
XML
        check "define --bootstrap --start" on 'ctvirt define --validate /root/web.xml --bootstrap --start >/root/said 2>/root/progress || { cat /root/said /root/progress; false; }'
        check_equal "what it says" "Container 'web' defined from /root/web.xml
Container 'web' bootstrapped
Container 'web' started" "$(on "grep ^Container /root/said")"
        check "without a terminal a stage is a line" on 'grep -qx "\[2/[45]\] Installing packages" /root/progress && ! grep -Evx "\[[1-5]/[45]\] [A-Z][a-z ]+|warning: root .*" /root/progress && test -z "$(sort /root/progress | uniq -d)"'
        check "it runs" wait_for 30 is_running web
        check "it has a lease" wait_for 60 has_lease default web
        check "all of it is up" wait_for 60 on 'systemctl -M web is-system-running | grep -Eqx "running|degraded"'
        check_equal "no unit in it has failed" "" "$(on systemctl -M web list-units --state=failed --no-legend --plain)"
}

from_inside() {
        step "from inside"
        check_equal "host name" web.example.lan "$(inside web cat /proc/sys/kernel/hostname)"
        check_equal "machine id" "$(on ctvirt domuuid web | tr -d '\n-')" "$(inside web cat /etc/machine-id)"
        check_equal "time zone" Europe/Berlin "$(inside web readlink /etc/localtime | sed 's:.*/zoneinfo/::')"
        check "time" inside web sh -c 'date +%Z | grep -Eq "^CES?T$"'
        check_equal "locale" LANG=C.UTF-8 "$(inside web cat /etc/locale.conf)"
        check_equal "the key of root" "600 $KEY" "$(inside web sh -c 'echo "$(stat -c %a /root/.ssh/authorized_keys) $(cat /root/.ssh/authorized_keys)"')"
        for unit in systemd-networkd systemd-resolved; do
                check_equal "$unit runs" active "$(on systemctl -M web is-active "$unit")"
                check_equal "$unit is enabled" enabled "$(on systemctl -M web is-enabled "$unit")"
        done
        check_equal "resolv.conf" ../run/systemd/resolve/stub-resolv.conf "$(inside web readlink /etc/resolv.conf)"
        check "search domain" inside web sh -c 'grep -q "^search.*example.lan" /etc/resolv.conf'
        check_equal "dev-hugepages.mount" masked "$(on systemctl -M web is-enabled dev-hugepages.mount 2>&1 || :)"
        check_equal "the host's shadow of root" "$VOGEL_17" "$(inside web sh -c 'grep ^root: /etc/shadow' | cut -d: -f2)"
        check "the address on the wire" wait_for 20 has_address 192.0.2.20/27 mv-lan0
        check "its hardware address" grep -q 52:54:00:c0:ff:ee <(in_netns ip -o link show dev mv-lan0)
        check "its route" grep -q "via 192.0.2.1 dev mv-lan0" <(in_netns ip route show 198.51.100.0/24)
        check "the neighbour answers" in_netns ping -q -c 1 -W 5 192.0.2.1
        host push "$(dirname "$(readlink -f "$0")")/lib/login.py" /root/login.py
        check "the console has a login prompt" wait_for 20 on 'systemctl -M web -q is-active console-getty && journalctl -u systemd-nspawn@web --no-pager | grep -Eq "Debian GNU/Linux .* web"'
        check "root can log in" can_log_in web Vogel-17
        check "not with another password" grep -q "login incorrect" <(can_log_in web wrong 2>&1)
        check_not "documentation is not there" on 'test -e /var/lib/machines/web/usr/share/man/man1/ls.1.gz'
        check "apt knows the mirror's key" on 'grep -q "signed-by=/etc/apt/keyrings/debian.asc" /var/lib/machines/web/etc/apt/sources.list && cmp /srv/mirror/key.asc /var/lib/machines/web/etc/apt/keyrings/debian.asc'
        check_equal "ids outside are the container's" "$(on ctvirt dumpxml web | sed -n "s/.*<uid start='0' target='\([0-9]*\)'.*/\1/p")" "$(on 'stat -c %u /proc/$(machinectl show -p Leader --value web)')"
        check "nothing is left over" wait_for 20 pool_is_tidy
}

from_base() {
        step "the second one, from the base"
        check_equal "there is one base" 1 "$(on ctvirt -q base-list | grep -c .)"
        check "which is told in a few words" on 'ctvirt -q base-list | grep -Eq " {3}[a-z]+ [a-z0-9]+ [a-z0-9]+, [0-9]+ packages?$"'
        check "and at length" on 'ctvirt -q base-list --full | grep -Eq "Type=apt .*Recipe=.*Package="'
        bootstrap_xml web2 system "<ct:bootstrap type='apt'>$DEBIAN<ct:package name='tzdata'/></ct:bootstrap>"
        check "web2 is made" on 'ctvirt bootstrap web2 2>/root/progress'
        check_not "no packages are installed for it" on grep Installing /root/progress
        check_equal "no second base" 1 "$(on ctvirt -q base-list | grep -c .)"
        check "it starts" on ctvirt start web2
        check "it has a lease of its own" wait_for 60 has_lease default web2
        check_equal "and its own machine id" "$(on ctvirt domuuid web2 | tr -d '\n-')" "$(on cat "$POOL/web2/etc/machine-id")"
        check "it is destroyed" on ctvirt destroy web2
}

is_snapshot() {
        check_equal "web2 is a snapshot of it" "$(on "btrfs subvolume show $POOL/.ctvirt/bases/*/" | sed -n 's/^\tUUID:[ \t]*//p')" "$(on "btrfs subvolume show $POOL/web2" | sed -n 's/^\tParent UUID:[ \t]*//p')"
}

what_is_refused() {
        step "what is refused"
        fails "a name that is taken" "container 'web2' has a root already; 'ctvirt bootstrap web2 --replace' makes it anew" ctvirt bootstrap web2
        refused "an unknown package" "no such package|Unable to locate package no-such-thing" web2 --replace --package no-such-thing
        check_equal "the root that was there is" "$(on ctvirt domuuid web2 | tr -d '\n-')" "$(on cat "$POOL/web2/etc/machine-id")"
        bootstrap_xml new system "<ct:bootstrap type='apt'>$DEBIAN<ct:cache use='no'/></ct:bootstrap>"
        refused "a mirror that is not there" "/srv/nowhere" new --mirror file:///srv/nowhere
        refused "a release that is not there" "sarge" new --release sarge
        # Debian's own key, which has not signed this mirror.
        on 'sed -i "s:^Key=.*:Key=/usr/share/keyrings/debian-archive-keyring.gpg:" /etc/ctvirt/recipes/debian.conf'
        refused "a mirror that another key has signed" "signed with a key that is not trusted; name it: Key= of the recipe" new
        on 'sed -i "s:^Key=.*:Key=/root/missing.asc:" /etc/ctvirt/recipes/debian.conf'
        refused "no key" "no key of repository debian of recipe debian.*missing.asc.*debian-archive-keyring" new
        on 'sed -i "s:^Key=.*:Key=/srv/mirror/key.asc:" /etc/ctvirt/recipes/debian.conf; mkdir /root/away; mv /usr/bin/mmdebstrap /usr/sbin/debootstrap /root/away'
        refused "no tool" "mmdebstrap.*install" new
        on 'mv /root/away/mmdebstrap /usr/bin/; mv /root/away/debootstrap /usr/sbin/'
        check_equal "none of it left a base" 1 "$(on ctvirt -q base-list | grep -c .)"
}

canceled_and_detached() {
        step "Ctrl-C, --detach and an agent that is restarted"
        installs() {
                on 'ctvirt job-info new | grep -q "Installing packages"'
        }
        on 'systemd-run -q --unit client -p StandardError=file:/root/said ctvirt bootstrap new'
        check "packages are being installed" wait_for 60 installs
        on systemctl restart ctvirtd
        check "also after a restart of the agent" wait_for 10 installs
        on systemctl kill -s INT client
        check "it is canceled" wait_for 60 told new canceled ''
        check "the client says so" wait_for 10 on 'grep -q "error: job .* was canceled" /root/said'
        check "nothing is left of it" wait_for 20 pool_is_tidy
        check_not "not even a root" on test -e "$POOL/new"
        check_equal "no process of it" "" "$(on ps -C mmdebstrap,dpkg,apt-get -o args= || :)"
        check "--detach returns" on 'ctvirt bootstrap new --detach | grep -Eq "^Job [0-9a-f]{8} started; see .ctvirt job-info"'
        check "packages are being installed" wait_for 60 installs
        check "the unit has the progress" on 'systemctl show -P StatusText "ctvirt-job-*" | grep -q "^\[2/[45]\] Installing packages"'
        fails "another one for the same container" "job [0-9a-f]{8}" ctvirt bootstrap new
        check "job-abort" on ctvirt job-abort new
        check "it is canceled" wait_for 60 told new canceled ''
        check "nothing is left of it" wait_for 20 pool_is_tidy
        key=$(on ctvirt -q base-list | awk '{ print $1 }')
        check "base-delete" on ctvirt base-delete "${key:0:8}"
        check_equal "no base is left" "" "$(on ctvirt -q base-list)"
        check "nothing is left of it" wait_for 20 pool_is_tidy
        on systemctl reset-failed client
}

all_is_well() {
        check "the pool has no problems" on ctvirt pool-check
        check "no unit has failed" no_failed_units
}

host_test_begin "a Debian from its packages"
mirror=$(small_mirror)
use_host B "$RELEASE" --btrfs --bind "$mirror:/srv/mirror"
prepare
one_command
from_inside
from_base
is_snapshot
what_is_refused
canceled_and_detached
all_is_well

use_host D "$RELEASE" --bind "$mirror:/srv/mirror"
prepare
one_command
from_inside
from_base
all_is_well
finish
