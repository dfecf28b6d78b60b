# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Harness of the host tests: a test is a bash script that sources this file.
#
#   . "$(dirname "$0")/../host/lib/harness.sh"
#   host_test_begin "containers start"
#   use_host H "$RELEASE"
#   step "start the default network"
#   check "the network starts" on virsh net-start default
#   make_container c1
#   check "c1 has a lease" wait_for 10 has_lease default c1
#   finish
#
# Environment:
#   CTVIRT_RELEASE  release of the hosts (default bookworm)
#   CTVIRT_DEB      the package that install_ctvirt installs (several: separated by blanks)
#   KEEP=1          do not delete the hosts at the end
set -euo pipefail

HOST_PROGRAM=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../host
RELEASE=${CTVIRT_RELEASE:-bookworm}

# The host that on, make_container and the like mean; set by use_host and select_host.
CURRENT_HOST=

TEST_NAME=
TEST_PASSED=0
TEST_FAILED=0
TEST_HOSTS=()
TEST_FINISHED=0
TEST_START=$SECONDS

# ---- reports

host_test_begin() {
        TEST_NAME=$1
        TEST_START=$SECONDS
        printf '# %s (%s)\n' "$TEST_NAME" "$RELEASE"
        trap test_at_exit EXIT
        trap 'exit 129' HUP
        trap 'exit 130' INT
        trap 'exit 143' TERM
}

step() {
        printf '# -- %s\n' "$1"
}

pass() {
        TEST_PASSED=$((TEST_PASSED + 1))
        printf 'ok %d - %s\n' $((TEST_PASSED + TEST_FAILED)) "$1"
}

# fail TEXT [OUTPUT]
fail() {
        TEST_FAILED=$((TEST_FAILED + 1))
        printf 'not ok %d - %s\n' $((TEST_PASSED + TEST_FAILED)) "$1"
        if [[ -n ${2:-} ]]; then printf '%s\n' "$2" | sed 's/^/#    /'; fi
}

# check TEXT COMMAND...: passes when COMMAND succeeds; the output is shown when it does not. Never ends the test itself.
check() {
        local text=$1 output status=0
        shift
        output=$("$@" 2>&1) || status=$?
        if ((status == 0)); then
                pass "$text"
        else
                fail "$text" "exit status $status of: $*"$'\n'"$output"
        fi
}

# check_not TEXT COMMAND...: passes when COMMAND fails.
check_not() {
        local text=$1 output
        shift
        if output=$("$@" 2>&1); then
                fail "$text" "succeeded: $*"$'\n'"$output"
        else
                pass "$text"
        fi
}

# check_equal TEXT WANTED FOUND
check_equal() {
        if [[ $2 == "$3" ]]; then pass "$1"; else fail "$1" "wanted: $2"$'\n'"found:  $3"; fi
}

# wait_for SECONDS COMMAND...: until COMMAND succeeds, every 50 ms; the output of the last try is shown when it never does.
wait_for() {
        local limit=$1 end output
        shift
        end=$((${EPOCHREALTIME/./} + limit * 1000000))
        until output=$("$@" 2>&1); do
                if ((${EPOCHREALTIME/./} >= end)); then
                        printf 'not within %s s: %s\n%s\n' "$limit" "$*" "$output"
                        return 1
                fi
                sleep 0.05
        done
}

# Ends the test: prints the closing line; the exit status says whether all went well.
finish() {
        TEST_FINISHED=1
        if ((TEST_FAILED > 0)); then exit 1; fi
        exit 0
}

test_at_exit() {
        local status=$? name
        trap - EXIT
        trap '' HUP INT TERM
        set +e
        if ((TEST_FINISHED == 0)); then
                fail "the test ended before its end (exit status $status)"
        fi
        for name in "${TEST_HOSTS[@]}"; do
                if ((TEST_FAILED > 0)); then
                        printf '# -- journal of host %s (end)\n' "$name"
                        test_journal "$name"
                fi
                if [[ ${KEEP:-} == 1 ]]; then
                        printf '# kept: host %s; look at it with: %s shell %s\n' "$name" "$(realpath "$HOST_PROGRAM")" "$name"
                else
                        "$HOST_PROGRAM" delete "$name" --force
                fi
        done
        printf '# took %d s\n' $((SECONDS - TEST_START))
        printf '%d passed, %d failed\n' "$TEST_PASSED" "$TEST_FAILED"
        if ((TEST_FAILED > 0)); then exit 1; fi
        exit 0
}

# What helps to understand a failure: all that is no noise, at the end of this boot.
test_journal() {
        "$HOST_PROGRAM" journal "$1" -b -n 150 -o short-monotonic 2>&1 | sed 's/^/#    /'
}

# ---- hosts

# use_host VAR [RELEASE [CREATE-OPTIONS...]]: makes and boots a fresh host, puts its name in VAR, makes it the current one.
use_host() {
        local -n use_host_name=$1
        local name release=${2:-$RELEASE}
        shift $(($# < 2 ? $# : 2))
        name=t-$$-$((${#TEST_HOSTS[@]} + 1))
        "$HOST_PROGRAM" create "$name" --release "$release" "$@"
        TEST_HOSTS+=("$name")
        "$HOST_PROGRAM" boot "$name" | sed 's/^/# /'
        # shellcheck disable=SC2034
        use_host_name=$name
        CURRENT_HOST=$name
}

# select_host NAME: the current host from now on.
select_host() {
        CURRENT_HOST=$1
}

# host VERB [ARGUMENTS...]: the host script, on the current host.
host() {
        local verb=$1
        shift
        "$HOST_PROGRAM" "$verb" "$CURRENT_HOST" "$@"
}

# on CMD...: runs CMD in the current host, quickly, in no unit. One argument alone is a line for sh. Standard input is
# empty; use on_stdin for a command that reads.
on() {
        on_stdin "$@" </dev/null
}

on_stdin() {
        if (($# == 1)); then
                "$HOST_PROGRAM" exec "$CURRENT_HOST" --raw -- sh -c "$1"
        else
                "$HOST_PROGRAM" exec "$CURRENT_HOST" --raw -- "$@"
        fi
}

# put_file PATH: writes standard input to a file in the current host, with the directories above it.
put_file() {
        # shellcheck disable=SC2016
        on_stdin sh -c 'mkdir -p "$(dirname "$1")" && cat >"$1"' put "$1"
}

# install_ctvirt: installs the package(s) named by CTVIRT_DEB in the current host.
install_ctvirt() {
        local deb in_host=()
        if [[ -z ${CTVIRT_DEB:-} ]]; then
                echo "CTVIRT_DEB is not set: it names the package of ctvirt to test, for example CTVIRT_DEB=./ctvirt_1.0_amd64.deb" >&2
                return 1
        fi
        on mkdir -p /root/ctvirt-debs
        for deb in $CTVIRT_DEB; do
                host push "$deb" /root/ctvirt-debs/
                in_host+=("/root/ctvirt-debs/$(basename "$deb")")
        done
        # In a unit of its own: maintainer scripts may start daemons.
        host exec --env DEBIAN_FRONTEND=noninteractive -- dpkg -i "${in_host[@]}" </dev/null
}

# ---- containers

# make_container NAME...: a tiny container in /var/lib/machines of the current host.
make_container() {
        local name
        if ! on test -e /usr/share/tinyroot/etc/os-release; then
                test_tinyroot=$(mktemp -d)
                "$HOST_PROGRAM" tinyroot "$test_tinyroot/tinyroot"
                host push "$test_tinyroot/tinyroot" /usr/share/tinyroot
                rm -rf "$test_tinyroot"
        fi
        for name; do
                # Copied on the file system of the machines, so that it can share the data.
                # shellcheck disable=SC2016
                on sh -c 'cd /var/lib/machines && test ! -e "$1" && { test -e .tinyroot || cp -a /usr/share/tinyroot .tinyroot; } &&
                        cp -a --reflink=auto .tinyroot "$1"' make "$name"
        done
}

# leases NETWORK: one line for each DHCP lease: MAC address, IP address/prefix, host name.
leases() {
        on virsh -q net-dhcp-leases "$1" | awk '{ print $3, $5, $6 }'
}

# has_lease NETWORK HOSTNAME
has_lease() {
        leases "$1" | awk -v name="$2" '$3 == name { found = 1 } END { exit !found }'
}
