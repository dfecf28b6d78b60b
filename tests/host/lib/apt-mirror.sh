#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Makes a small mirror of a Debian release, signed with a key of its own, from which a test host without network installs.
# usage: apt-mirror.sh RELEASE OUT [PACKAGE...]
#
# In it are the essential and the required packages, apt, and those that are named, with what they need. OUT gets dists/,
# pool/ and key.asc. Runs where there is a mirror: outside of test hosts. Needs apt, dpkg-dev and gpg.
# CTVIRT_MIRROR: where the packages come from.
set -euo pipefail
umask 022

(($# >= 2)) || { printf 'usage: %s RELEASE OUT [PACKAGE...]\n' "$0" >&2; exit 2; }
release=$1
mkdir -p "$2"
out=$(readlink -f "$2")
shift 2
architecture=$(dpkg --print-architecture)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# apt's user fetches.
chmod 755 "$work"

quiet() {
        "$@" </dev/null >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
}

# An apt that knows nothing of this machine's packages.
mkdir -p "$work"/{etc/apt.conf.d,etc/preferences.d,etc/trusted.gpg.d,state/lists/partial,cache/archives/partial}
: >"$work/status"
cat >"$work/apt.conf" <<CONF
Dir::Etc "$work/etc";
Dir::State "$work/state";
Dir::State::status "$work/status";
Dir::Cache "$work/cache";
APT::Architecture "$architecture";
APT::Architectures { "$architecture"; };
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
CONF
printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' \
        "${CTVIRT_MIRROR:-http://deb.debian.org/debian}" "$release" >"$work/etc/sources.list"
export APT_CONFIG=$work/apt.conf
quiet apt-get update
quiet apt-get --yes --download-only install '?essential' '?priority(required)' apt "$@"
# One of the two that base packages want; that mmdebstrap knows how to do without the larger one.
(cd "$work/cache/archives" && quiet apt-get download usr-is-merged)

mkdir -p "$out/pool" "$out/dists/$release/main/binary-$architecture"
mv "$work"/cache/archives/*.deb "$out/pool/"
cd "$out"
# dpkg-scanpackages reads each package; what is "Essential" and "Priority" stands in them.
dpkg-scanpackages --multiversion pool >"dists/$release/main/binary-$architecture/Packages" 2>"$work/log" ||
        { cat "$work/log" >&2; exit 1; }
gzip -9kf "dists/$release/main/binary-$architecture/Packages"

{
        printf 'Origin: ctvirt test\nSuite: %s\nCodename: %s\nArchitectures: %s\nComponents: main\n' \
                "$release" "$release" "$architecture"
        printf 'Date: %s\nSHA256:\n' "$(LC_ALL=C date -u '+%a, %d %b %Y %H:%M:%S UTC')"
        cd "dists/$release"
        for file in main/*/*; do
                printf ' %s %s %s\n' "$(sha256sum <"$file" | cut -d' ' -f1)" "$(stat -c %s "$file")" "$file"
        done
} >"$work/Release"
export GNUPGHOME=$work/gpg
mkdir -m 700 "$GNUPGHOME"
quiet gpg --batch --passphrase '' --quick-gen-key test@ctvirt rsa2048 sign never
gpg --batch --armor --export test@ctvirt >"$out/key.asc"
gpg --batch --yes --armor --clearsign --output "$out/dists/$release/InRelease" "$work/Release"
gpgconf --kill all
