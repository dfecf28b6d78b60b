#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A Fedora by the host's dnf, from a repository of small packages that are signed; its base, on a plain folder; what is
# refused.
# It takes long and runs on one release, unless more is asked for (tests/run --help).
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"
# shellcheck source-path=SCRIPTDIR source=lib/sources.sh
. "$(dirname "$(readlink -f "$0")")/lib/sources.sh"

FEDORA="<ct:recipe name='fedora' release='37'/><ct:mirror url='file:///srv/repo'/>"
TRUSTED=/etc/pki/rpm-gpg/RPM-GPG-KEY-fedora-37-x86_64

packages_of() {
        on rpm --root "$POOL/$1" --dbpath /usr/lib/sysimage/rpm -qa --qf '%{NAME}\n' | grep -v gpg-pubkey | sort | paste -sd ' '
}

host_test_begin "a Fedora from its packages"
use_host H "$RELEASE"
check "the package is installed" install_ctvirt
check "the network starts" on virsh -q net-start default
make_tree
check "a repository" make_with rpm-repo.sh /srv/repo
check "one that another key has signed" make_with rpm-repo.sh /srv/other
check "one that nobody has signed" make_with rpm-repo.sh --unsigned /srv/unsigned
# Where the recipe that is shipped looks for it.
on "mkdir -p /etc/pki/rpm-gpg && cp /srv/repo/RPM-GPG-KEY-test $TRUSTED"

step "one command"
bootstrap_xml fed system "<ct:bootstrap type='dnf'>$FEDORA</ct:bootstrap><ct:firstboot><ct:hostname>fed.example.lan</ct:hostname><ct:rootpassword hash='$VOGEL_17'/></ct:firstboot>"
check "define --bootstrap --start" on 'ctvirt define /root/fed.xml --bootstrap --start >/root/said 2>&1 || { cat /root/said; false; }'
check "it runs" wait_for 30 is_running fed
check "it has a lease" wait_for 20 has_lease default fed
check_equal "it is a Fedora" fedora "$(on 'machinectl show-image fed >/dev/null && machinectl --no-legend list' | awk '$1 == "fed" { print $4 }')"
check_equal "host name" fed.example.lan "$(on cat "$POOL/fed/etc/hostname")"
check_equal "the password of root" "$VOGEL_17" "$(on sed -n 's/^root:\([^:]*\):.*/\1/p' "$POOL/fed/etc/shadow")"
check_equal "its packages are where Fedora's rpm looks for them" "busybox fedora-release filesystem guide-packages systemd" "$(packages_of fed)"
check_equal "nothing is where the host's rpm has them" "" "$(on "ls -d $POOL/fed/root/.rpmdb $POOL/fed/var/lib/rpm/rpmdb.sqlite 2>/dev/null" || :)"
check "scripts have run" on test -e "$POOL/fed/var/lib/systemd-script"
check_not "no weak dependency" on test -e "$POOL/fed/usr/share/weak-thing"
check_not "no documentation" on test -e "$POOL/fed/usr/share/doc/fedora-release/README"
check_equal "nothing of the tool is in it" "" "$(on "find $POOL/fed -path '*.ctvirt*' -o -path '*/var/cache/dnf/*' -o -path '*/var/log/dnf*'")"
check "nothing is left over" wait_for 20 pool_is_tidy
check "it is destroyed" on ctvirt destroy fed

step "the second one, from the base"
check_equal "there is one base" 1 "$(on ctvirt -q base-list | grep -c .)"
on 'mv /srv/repo/busybox-*.rpm /root/'
bootstraps "fed2, with a package missing in the repository" fed2 system "<ct:bootstrap type='dnf'>$FEDORA</ct:bootstrap>"
check_equal "it has the same packages" "$(packages_of fed)" "$(packages_of fed2)"
check_not "and nothing of the first one" on grep -q example.lan "$POOL/fed2/etc/hostname"
check "it starts" on ctvirt start fed2
check "it has a lease" wait_for 20 has_lease default fed2
check "it is destroyed" on ctvirt destroy fed2
refused "--no-cache asks the repository" "busybox" fed2 --replace --no-cache
on 'mv /root/busybox-*.rpm /srv/repo/'
bootstraps "with documentation and one package more" more system "<ct:bootstrap type='dnf'>$FEDORA<ct:package name='weak-thing'/><ct:docs/><ct:cache use='no'/></ct:bootstrap>"
check "they are there" on "test -e $POOL/more/usr/share/weak-thing/thing && test -e $POOL/more/usr/share/doc/fedora-release/README"
check_equal "without a base" 1 "$(on ctvirt -q base-list | grep -c .)"

step "%_netsharedpath"
on "mkdir -p $POOL/rpmish/usr/lib/rpm && cp -a /usr/share/tinyroot/. $POOL/rpmish/ && touch $POOL/rpmish/usr/lib/rpm/macros"
bootstraps "a tree with an rpm of its own" netshared system "<ct:bootstrap type='directory'><ct:source file='$POOL/rpmish'/></ct:bootstrap>"
check_equal "it leaves alone what nspawn mounts" "%_netsharedpath /sys:/proc" "$(on cat "$POOL/netshared/etc/rpm/macros.netshared")"
on rm -rf "$POOL/rpmish"

step "what is refused"
bootstrap_xml new system "<ct:bootstrap type='dnf'>$FEDORA<ct:cache use='no'/></ct:bootstrap>"
refused "an unknown package" "no-such-thing" new --package no-such-thing
refused "packages that another key has signed" "key|signature" new --mirror file:///srv/other
refused "packages that nobody has signed" "signature|not signed" new --mirror file:///srv/unsigned
refused "a repository that is not there" "/srv/nowhere" new --mirror file:///srv/nowhere
on "mv $TRUSTED /root/key"
refused "no key" "Install the package distribution-gpg-keys, or put .* Or: key of repository fedora of recipe fedora, https:" new
on "mv /root/key $TRUSTED"
put_file /etc/yum.repos.d/evil.repo <<<$'[evil]\nname=evil\nbaseurl=file:///srv/unsigned\ngpgcheck=0'
bootstrap_xml evil system "<ct:bootstrap type='dnf'>$FEDORA<ct:repository file='/etc/yum.repos.d/evil.repo'/></ct:bootstrap>"
refused "a file of repositories that checks nothing" "evil.repo:4: .*gpgcheck=0: signatures are always checked" evil
on 'mkdir -p /root/away; for t in dnf dnf-3 dnf5; do test ! -e /usr/bin/$t || mv /usr/bin/$t /root/away/; done'
refused "no tool" "dnf.*install" new
on 'mv /root/away/* /usr/bin/'
check "and then it works" on ctvirt bootstrap new
check "the pool has no problems" on ctvirt pool-check
check "no unit has failed" no_failed_units
finish
