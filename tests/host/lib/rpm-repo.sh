#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Makes a repository of small RPMs, from which dnf installs a "Fedora 37" that boots: the tiny container tree as packages.
# usage: rpm-repo.sh [--unsigned] TREE OUT
#
# TREE is the tiny container tree (host tiny-tree), OUT gets the packages, repodata/ and RPM-GPG-KEY-test, the key that has
# signed them. Needs rpm (rpmbuild, rpmsign), createrepo_c and gpg; no network, no root.
#
# What is in it to be looked for in a test:
#   every package of the guide's list for Fedora 36 and 37 can be installed by its name
#   systemd recommends weak-thing: /usr/share/weak-thing is there only with weak dependencies
#   fedora-release has documentation: /usr/share/doc/fedora-release/README
#   the script of systemd leaves /var/lib/systemd-script
set -euo pipefail
umask 022

signed=1
[[ ${1-} != --unsigned ]] || { signed=0; shift; }
(($# == 2)) || { printf 'usage: %s [--unsigned] TREE OUT\n' "$0" >&2; exit 2; }
tree=$(readlink -f "$1")
mkdir -p "$2"
out=$(readlink -f "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

export HOME=$work
cat >"$work/.rpmmacros" <<MACROS
%_topdir $work
%_rpmdir $out
%_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm
%_dbpath $work/db
%debug_package %{nil}
%__os_install_post %{nil}
%_build_id_links none
%_gpg_name test@ctvirt
%__gpg $(command -v gpg)
%_gpg_path $work/gpg
MACROS

cat >"$work/distribution.spec" <<'SPEC'
AutoReqProv: no
Name: fedora-release
Version: 37
Release: 1
Summary: What the distribution is
License: LGPL-2.1-or-later
Provides: system-release = 37, system-release(releasever) = 37
Requires: filesystem
%description
What the distribution is.

%package -n filesystem
Summary: Folders
%description -n filesystem
Folders.

%package -n busybox
Summary: All programs
Requires(pre): filesystem
Provides: /bin/sh, /usr/bin/passwd, bash, coreutils, util-linux, iputils, iproute, less, ncurses, passwd, hostname
%description -n busybox
All programs.

%package -n systemd
Summary: The first process
Requires: busybox, filesystem
Requires(post): busybox
Recommends: weak-thing
Provides: systemd-networkd, systemd-resolved
%description -n systemd
The first process.

%package -n weak-thing
Summary: What is not needed
%description -n weak-thing
What is not needed.

%package -n guide-packages
Summary: What else the guide installs
Requires: filesystem
Provides: dhcp-client, dnf, glibc, glibc-langpack-en, glibc-langpack-de, vim-default-editor
%description -n guide-packages
What else the guide installs.

%install
cp -a %{tree}/. %{buildroot}/
cd %{buildroot}
rm -rf dev/* proc/* sys/* run/* etc/os-release usr/lib/os-release etc/machine-id var/run
mkdir -p usr/lib/systemd/system usr/lib64 usr/share/doc/fedora-release usr/share/weak-thing var/lib
ln -s usr/lib64 lib64
ln -s ../../sbin/init usr/lib/systemd/systemd
printf 'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=37\nPRETTY_NAME="Fedora Linux 37 (test)"\n' >usr/lib/os-release
ln -s ../usr/lib/os-release etc/os-release
printf 'root:!locked::0:99999:7:::\n' >etc/shadow
touch usr/share/weak-thing/thing usr/share/doc/fedora-release/README

%post -n systemd
echo ran >/var/lib/systemd-script

%files
/usr/lib/os-release
/etc/os-release
%doc /usr/share/doc/fedora-release/README
%files -n filesystem
%defattr(-,root,root)
/bin
/sbin
/lib
/lib64
%dir /usr
%dir /usr/bin
%dir /usr/sbin
%dir /usr/lib
%dir /usr/lib/systemd
%dir /usr/lib/systemd/system
%dir /usr/lib64
%dir /usr/share
%dir /usr/share/doc
%dir /etc
%dir /var
%dir /var/lib
%dir /var/log
%dir %attr(0700,root,root) /root
%dir %attr(1777,root,root) /tmp
%dir /run
%dir /proc
%dir /sys
%dir /dev
%config(noreplace) /etc/passwd
%config(noreplace) /etc/group
%config(noreplace) /etc/hosts
%config(noreplace) %attr(0000,root,root) /etc/shadow
%files -n busybox
%defattr(-,root,root)
/usr/bin/*
%files -n systemd
%defattr(-,root,root)
/usr/sbin/init
/usr/lib/systemd/systemd
/etc/rc
/etc/udhcpc.script
%files -n weak-thing
/usr/share/weak-thing
%files -n guide-packages
SPEC

quiet() {
        "$@" </dev/null >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
}

quiet rpmbuild --define "tree $tree" -bb "$work/distribution.spec"
if ((signed)); then
        export GNUPGHOME=$work/gpg GPG_TTY=none
        mkdir -m 700 "$GNUPGHOME"
        quiet gpg --batch --passphrase '' --quick-gen-key test@ctvirt rsa2048 sign never
        gpg --batch --armor --export test@ctvirt >"$out/RPM-GPG-KEY-test"
        quiet rpmsign --addsign "$out"/*.rpm
        gpgconf --kill all
fi
quiet createrepo_c --no-database "$out"
