# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What tests of ctvirt itself share. Sourced after harness.sh.

# From systemd's sd-messages.h.
MESSAGE_UNIT_STARTING=7d4958e842da4a758f6c1cdc7b36dcc5
MESSAGE_UNIT_STARTED=39f53479d3a045ac8e11786248231fbf
MESSAGE_UNIT_FAILED=be02cf6855d2428ba40df7e9d022f03d
MESSAGE_UNIT_FAILURE_RESULT=d9b373ed55a64feb8242e02dbe79a49c

# container_xml NAME NETWORK...: a small definition with one interface a network.
container_xml() {
        local name=$1 network
        shift
        printf "<domain type='nspawn'>\n  <name>%s</name>\n  <os><type>exe</type></os>\n  <devices>\n" "$name"
        for network; do
                printf "    <interface type='network'><source network='%s'/></interface>\n" "$network"
        done
        printf "  </devices>\n</domain>\n"
}

# define_container NAME NETWORK...: a tiny container, defined with ctvirt, not started and not enabled.
define_container() {
        make_container "$1"
        container_xml "$@" | put_file "/root/$1.xml"
        on ctvirt -q define "/root/$1.xml"
}

# foreign_container NAME BRIDGE: as the Fedora guide makes it, ctvirt is not asked.
foreign_container() {
        make_container "$1"
        printf '[Network]\nBridge=%s\n' "$2" | put_file "/etc/systemd/nspawn/$1.nspawn"
        on systemctl -q enable "systemd-nspawn@$1.service"
}

# define_network NAME BRIDGE SUBNET (as 192.168.150): quick leases, not started.
define_network() {
        put_file "/root/net-$1.xml" <<XML
<network xmlns:dnsmasq='http://libvirt.org/schemas/network/dnsmasq/1.0'>
  <name>$1</name>
  <forward mode='nat'/>
  <bridge name='$2' stp='off' delay='0'/>
  <ip address='$3.1' netmask='255.255.255.0'><dhcp><range start='$3.2' end='$3.254'/></dhcp></ip>
  <dnsmasq:options><dnsmasq:option value='no-ping'/></dnsmasq:options>
</network>
XML
        on virsh -q net-define "/root/net-$1.xml"
}

is_running() {
        on systemctl -q is-active "systemd-nspawn@$1.service"
}

is_not_running() {
        ! is_running "$1"
}

# unit_messages CONTAINER MESSAGE_ID: monotonic times in µs of this boot's messages of PID 1 about the unit.
unit_messages() {
        on journalctl --sync
        on journalctl -q -b -o json --output-fields=__MONOTONIC_TIMESTAMP _PID=1 \
                "MESSAGE_ID=$2" "UNIT=systemd-nspawn@$1.service" |
                sed -n 's/.*"__MONOTONIC_TIMESTAMP" *: *"\([0-9]*\)".*/\1/p'
}

# How often systemd began to start the container in this boot (a start that a condition skipped does not count).
count_starts() {
        unit_messages "$1" "$MESSAGE_UNIT_STARTING" | grep -c . || :
}

count_failures() {
        {
                unit_messages "$1" "$MESSAGE_UNIT_FAILED"
                unit_messages "$1" "$MESSAGE_UNIT_FAILURE_RESULT"
        } | grep -c . || :
}

# marker_value BRIDGE KEY
marker_value() {
        on cat "/run/ctvirt/bridges/$1" | sed -n "s/^$2=//p"
}

# check_exact CONTAINER BRIDGE...: it runs, was started once in this boot, after all of its bridges were ready, and no
# attempt failed.
check_exact() {
        local name=$1 bridge started ready failed=$TEST_FAILED
        shift
        check "$name runs" wait_for 10 is_running "$name"
        check_equal "$name was started once" 1 "$(count_starts "$name")"
        check_equal "no start of $name failed" 0 "$(count_failures "$name")"
        # What comes next may empty the journal.
        if ((TEST_FAILED > failed)); then
                on journalctl -q -b --no-hostname -o short-monotonic -n 60 | sed 's/^/#    /'
        fi
        started=$(unit_messages "$name" "$MESSAGE_UNIT_STARTING" | head -n 1)
        for bridge; do
                ready=$(marker_value "$bridge" MONOTONIC_USEC)
                check "$name was not started before $bridge was ready (${ready:-?} <= ${started:-?})" \
                        test "${ready:-9999999999999}" -le "${started:-0}"
        done
}

# What hangs does so until somebody's patience ends: sd-bus's and libvirt's last 25 s and more. The hook's own ends far below
# (hooks/deadline.h), and a machine with much else to do is slow.
HANGS_MS=20000

# in_time TEXT COMMAND...: it succeeds, and did not hang.
in_time() {
        local text=$1 began
        shift
        began=${EPOCHREALTIME/./}
        check "$text" "$@"
        check "$text did not hang" test $(((${EPOCHREALTIME/./} - began) / 1000)) -lt "$HANGS_MS"
}

# agent_is_up: the agent has done what it had to do at its start.
agent_is_up() {
        on systemctl -q is-active ctvirtd.service
}

no_failed_units() {
        local failed
        failed=$(on systemctl list-units --state=failed --no-legend --plain)
        [[ -z $failed ]] || { printf '%s\n' "$failed"; return 1; }
}
