#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A Debian by debootstrap, where there is no mmdebstrap: from a definition to a login; keys are checked there as well.
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"
# shellcheck source-path=SCRIPTDIR source=lib/sources.sh
. "$(dirname "$(readlink -f "$0")")/lib/sources.sh"

DEBIAN="<ct:recipe name='debian' release='$RELEASE'/>"

host_test_begin "a Debian by debootstrap"
mirror=$(small_mirror)
use_host H "$RELEASE" --bind "$mirror:/srv/mirror"
check "the package is installed" install_ctvirt
check "the network starts" on virsh -q net-start default
host push "$(dirname "$(readlink -f "$0")")/lib/login.py" /root/login.py
# The recipe keeps its repositories of updates, which debootstrap knows nothing of.
on 'mkdir -p /etc/ctvirt/recipes && sed "s:^Key=.*:Key=/srv/mirror/key.asc:; s|^URL=.*|URL=file:///srv/mirror|" /usr/share/ctvirt/recipes/debian.conf >/etc/ctvirt/recipes/debian.conf'
on 'rm /usr/bin/mmdebstrap'

step "from its packages to a login"
bootstrap_xml web system "<ct:bootstrap type='apt'>$DEBIAN<ct:package name='tzdata'/></ct:bootstrap><ct:firstboot><ct:hostname>web.example.lan</ct:hostname><ct:rootpassword hash='$VOGEL_17'/></ct:firstboot>"
check "bootstrap" on 'ctvirt bootstrap web >/root/said 2>&1 || { cat /root/said; false; }'
check "it says what debootstrap does not do" on grep -q "debootstrap has not installed security updates" /root/said
check "debootstrap has left nothing of its own" on "test ! -e $POOL/web/debootstrap"
check "it starts" on ctvirt start web
check "it has a lease" wait_for 60 has_lease default web
check "the console has a login prompt" wait_for 30 on 'systemctl -M web -q is-active console-getty'
check "host name" wait_for 20 on 'test "$(systemd-run -q -M web -P --wait cat /proc/sys/kernel/hostname)" = web.example.lan'
check "root can log in" can_log_in web Vogel-17
check "the package is there" on test -e "$POOL/web/usr/share/zoneinfo/Europe/Berlin"
check "apt in it knows the mirror" on 'grep -q "signed-by=" /var/lib/machines/web/etc/apt/sources.list'

step "from its base"
bootstrap_xml web2 system "<ct:bootstrap type='apt'>$DEBIAN<ct:package name='tzdata'/></ct:bootstrap>"
check "web2 is made" on 'ctvirt bootstrap web2 2>/root/progress'
check_not "no packages are installed for it" on grep Installing /root/progress

step "what is refused"
bootstrap_xml new system "<ct:bootstrap type='apt'>$DEBIAN<ct:cache use='no'/></ct:bootstrap>"
refused "an unknown package" "no-such-thing" new --package no-such-thing
on 'sed -i "s:^Key=.*:Key=/usr/share/keyrings/debian-archive-keyring.gpg:" /etc/ctvirt/recipes/debian.conf'
refused "a mirror that another key has signed" "signature|signed|key" new
check "no unit has failed" no_failed_units
finish
