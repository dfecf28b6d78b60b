# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the job in a machine of vm.sh says its checks with. Sourced from /job by the job, in the machine's sh.

# check TEXT COMMAND...
check() {
        text=$1
        shift
        if output=$("$@" 2>&1); then echo "ok - $text"; else
                echo "not ok - $text"
                echo "$output"
                journalctl -b -n 40 -o short-monotonic --no-pager | grep -v dnsmasq
        fi
}

# check_not TEXT COMMAND...: it fails.
check_not() {
        text=$1
        shift
        if output=$("$@" 2>&1); then
                echo "not ok - $text"
                echo "$output"
        else echo "ok - $text"; fi
}

# check_equal TEXT WANTED FOUND
check_equal() {
        if [ "$2" = "$3" ]; then echo "ok - $1"; else
                echo "not ok - $1"
                echo "wanted: $2, found: $3"
        fi
}

# wait_for SECONDS COMMAND...: counted in tries, not by the clock.
wait_for() {
        tries=$(($1 * 2))
        shift
        while ! "$@"; do
                tries=$((tries - 1))
                [ "$tries" -gt 0 ] || return 1
                sleep 0.5
        done
}

no_failed_units() {
        failed=$(systemctl list-units --state=failed --no-legend)
        echo "$failed"
        [ -z "$failed" ]
}
