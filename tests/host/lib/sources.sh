# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What tests of bootstraps share. Sourced after ctvirt.sh.

CT="xmlns:ct='http://ctvirt.org/schemas/container/1.0'"
POOL=/var/lib/machines

# A login with the password "Vogel-17".
# shellcheck disable=SC2016,SC2034
VOGEL_17='$6$ctvirttest$8YLxihCcc97v8cIa/SD7QCFvjmquofdnV9znInuiP8xItTUPVTbXEqC.drT4/pzYs4Pw83o068wdplTXua1eo/'

# bootstrap_xml NAME KIND ELEMENTS: a definition; KIND: system (on the network default) or application (a program with the
# host's network); ELEMENTS stand below <domain>.
bootstrap_xml() {
        local devices=''
        [[ $2 != system ]] || devices="<devices><interface type='network'><source network='default'/></interface></devices>"
        put_file "/root/$1.xml" <<<"<domain type='nspawn' $CT><name>$1</name>$devices$3</domain>"
        on ctvirt -q define --validate "/root/$1.xml"
}

# bootstraps TEXT NAME KIND ELEMENTS: it is defined and gets a root.
bootstraps() {
        local text=$1 name=$2
        shift
        bootstrap_xml "$@"
        check "$text" on ctvirt bootstrap "$name"
}

# fails TEXT PATTERN COMMAND...: exit status 1, and PATTERN is in what is said.
fails() {
        local text=$1 pattern=$2 status=0 output
        shift 2
        output=$(on "$@" 2>&1) || status=$?
        if ((status == 1)) && grep -Eq -- "$pattern" <<<"$output"; then
                pass "$text: $(grep -Em1 -- "$pattern" <<<"$output" | cut -c1-160)"
        else
                fail "$text (exit status $status)" "wanted: $pattern"$'\n'"$output"
        fi
}

# refused TEXT PATTERN NAME [OPTIONS...]: a bootstrap fails with that message, the job tells the same later, nothing is left.
refused() {
        local text=$1 pattern=$2 name=$3 volumes
        shift 2
        volumes=$(on ctvirt -q vol-list)
        fails "$text" "$pattern" ctvirt bootstrap "$@"
        check "its job says so as well" told "$name" failed "$pattern"
        check "nothing is left of it" wait_for 20 pool_is_tidy
        check_equal "the pool has what it had" "$volumes" "$(on ctvirt -q vol-list)"
}

# told JOB STATE PATTERN
told() {
        local output
        output=$(on ctvirt job-info "$1")
        if grep -Eq "^State: +$2$" <<<"$output" && grep -Eq -- "$3" <<<"$output"; then return; fi
        printf '%s\n' "$output"
        return 1
}

pool_is_tidy() {
        local left
        left=$(on "ls -A $POOL/.ctvirt/new $POOL/.ctvirt/trash | grep -v ':$' | grep .; ls -A $POOL | grep -E '^\.(tar|raw|#.*[0-9a-f]{16}$)|^ctvirt-job-'" || :)
        [[ -z $left ]] || { printf '%s\n' "$left"; return 1; }
}

# Prints the folder of a small mirror of the release with what the recipe of Debian installs; made once, needs a mirror.
small_mirror() {
        local here cache mirror key packages=(systemd systemd-sysv dbus libpam-systemd login passwd iproute2 iputils-ping less
                ca-certificates systemd-resolved tzdata)
        here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
        cache=${CTVIRT_CACHE:-/var/cache/ctvirt-tests}/mirrors
        key=$({ cat "$here/apt-mirror.sh"; printf '%s\n' "${packages[@]}"; } | sha256sum)
        mirror=$cache/$RELEASE-${key:0:16}
        mkdir -p "$cache"
        exec 9>"$cache/.lock-$RELEASE"
        flock 9
        if [[ ! -d $mirror ]]; then
                rm -rf "$mirror.new"
                "$here/apt-mirror.sh" "$RELEASE" "$mirror.new" "${packages[@]}" >&2
                mv "$mirror.new" "$mirror"
        fi
        exec 9>&-
        printf '%s\n' "$mirror"
}

# make_with TOOL [OPTION...] PATH: what lib/TOOL makes of the tiny container tree, at PATH of the current host. It is made
# outside: test hosts have no gpg-agent.
make_with() {
        local here made tool=$1 options=("${@:2:$#-2}") path=${!#}
        here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
        made=$(mktemp -d)
        "$HOST_PROGRAM" tinyroot "$made/tree"
        "$here/$tool" "${options[@]}" "$made/tree" "$made/out" || { rm -rf "$made"; return 1; }
        host push "$made/out" "$path"
        rm -rf "$made"
}

# The tiny container tree itself, at /usr/share/tinyroot.
make_tree() {
        make_container tiny
        on rm -rf "$POOL/tiny" "$POOL/.tinyroot"
}

# inside NAME COMMAND...: in a container that runs systemd, as root.
inside() {
        local name=$1
        shift
        host exec -- systemd-run -q -M "$name" --wait --pipe "$@" </dev/null
}

no_getty() {
        [[ -z $(on systemctl -M "$1" list-units --no-legend --state=activating,active,deactivating "container-getty@*") ]]
}

# can_log_in NAME PASSWORD: as root, with /root/login.py. The getty of a terminal that was closed runs into systemd's start limit
# at times, and the next one of that number would not come.
can_log_in() {
        wait_for 20 no_getty "$1" || return
        on systemctl -M "$1" reset-failed "container-getty@*"
        on python3 /root/login.py root "$2" machinectl -q login "$1"
}
