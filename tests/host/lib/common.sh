# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Messages, and small things that all parts use. Sourced by host.

say() {
        printf 'host: %s\n' "$1" >&2
}

# die WHAT [WHAT-TO-DO]
die() {
        printf 'host: error: %s\n' "$1" >&2
        [[ -z ${2:-} ]] || printf 'host: %s\n' "$2" >&2
        exit 1
}

# need PROGRAM PACKAGE
need() {
        command -v "$1" >/dev/null || die "the program $1 is missing" "Install it: apt-get install $2"
}

need_value() {
        (($# >= 2)) || die "the option $1 needs a value" "See: host --help"
}

# Removes a tree that may have immutable files in it, and nothing that is mounted below it.
remove_tree() {
        [[ -e $1 ]] || return 0
        rm -rf --one-file-system -- "$1" 2>/dev/null && return
        chattr -R -i -a -- "$1" 2>/dev/null || :
        rm -rf --one-file-system -- "$1" || die "$1 could not be removed"
}
