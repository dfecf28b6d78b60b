#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Starts that fail: the cause is told where people look, and what passes by itself is tried again; networks that libvirt
# starts without telling anybody; two definitions of one identity; the configuration file.
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"

HOOK=/etc/libvirt/hooks/network.d/50-ctvirt
TAKEN="Failed to register machine: Machine 'web' already exists"

# take_name NAME: something else registers a machine of that name. The machine ends with free_name.
take_name() {
        on systemd-run -q --unit="squatter-$1" sleep 1000
        on "busctl -q call org.freedesktop.machine1 /org/freedesktop/machine1 org.freedesktop.machine1.Manager \
                RegisterMachine sayssus '$1' 0 squatter container \"\$(systemctl show -P MainPID squatter-$1)\" ''"
}

free_name() {
        on systemctl stop "squatter-$1"
}

# last_failure NAME
last_failure() {
        on ctvirt dominfo "$1" | sed -n 's/^Last failure: *//p'
}

last_failure_is() {
        local found
        found=$(last_failure "$1")
        [[ $found == "$2" ]] || { printf 'found: %s\n' "$found"; return 1; }
}

# state_is NAME STATE: in the list. While an attempt is under way it is another for a moment.
state_is() {
        on ctvirt list --all | awk -v name="$1" -v state="$2" '$2 == name && $3 == state { found = 1 } END { exit !found }'
}

agent_said() {
        on journalctl --sync
        on journalctl -q -b -u ctvirtd.service -o cat | grep -F -- "$1"
}

# The last of these two that was said is the one given.
agent_said_last() {
        on journalctl --sync
        on journalctl -q -b -u ctvirtd.service -o cat | grep -F 'onnected to libvirt' | tail -n 1 | grep -F -- "$1"
}

said_times() {
        agent_said "$1" | grep -c . || :
}

status_text() {
        on systemctl show -P StatusText ctvirtd.service
}

status_has() {
        status_text | grep -F -- "$1" || { status_text; return 1; }
}

# said_again_since COUNT: the last attempt was announced twice since then.
said_again_since() {
        (($(said_times "trying again in 5.0 s") >= $1 + 2))
}

# gave_up TIMES
gave_up() {
        (($(said_times "giving up") >= $1))
}

is_active_network() {
        on 'virsh -q net-list --name' | grep -qx "$1"
}

# is_up CONTAINER: its init has got so far that it takes the signal to stop; before, a stop would last until its time limit.
is_up() {
        on systemctl status --no-pager "systemd-nspawn@$1.service" | grep udhcpc >/dev/null
}

host_test_begin "starts that fail, and what heals"
use_host H
check "the package is installed" install_ctvirt
check "the agent runs" wait_for 10 agent_is_up
check "web is defined" define_container web default
check "web is marked as autostarted" on ctvirt autostart web

step "the name is taken for a while"
check "another machine is called web" take_name web
check "virsh net-start" on virsh net-start default
check "dominfo has nspawn's words" wait_for 10 last_failure_is web "$TAKEN"
check "list says crashed" wait_for 5 state_is web crashed
check "domstate has the reason" wait_for 5 on "ctvirt domstate web --reason | grep -qxF \"crashed ($TAKEN)\""
check "the agent's status has it" wait_for 5 status_has "0 containers run, 1 failed: web ($TAKEN)"
check "the journal has unit and cause" agent_said "unit systemd-nspawn@web.service failed: $TAKEN"
check "the event has it" agent_said "Stopped Failed: $TAKEN"
free_name web
check "web is started when the name is free" wait_for 10 is_running web
check_equal "nothing failed any more" "" "$(last_failure web)"
check "the status says so" wait_for 5 status_has "1 container runs;"
check "it has a lease" wait_for 10 has_lease default web

step "the name is taken for long"
on 'virsh -q net-destroy default; systemctl stop systemd-nspawn@web.service'
take_name web
before=$(count_starts web)
check "virsh net-start" on virsh net-start default
check "it is given up" wait_for 15 agent_said "still fails after 3 more attempts, giving up"
check_equal "after four starts" 4 $(($(count_starts web) - before))
output=$(on ctvirt start web 2>&1) || :
check_equal "a start by hand says why, and goes on" \
        "error: Failed to start container 'web'|error: unit systemd-nspawn@web.service failed: $TAKEN; it will be tried again" \
        "$(paste -sd'|' <<<"$output" | sed 's/|*$//')"

step "an administrator's word counts"
before=$(said_times "trying again in 5.0 s")
said_again() {
        (($(said_times "trying again in 5.0 s") > before))
}
check "web waits for the next attempt" wait_for 10 said_again
on systemctl stop systemd-nspawn@web.service
free_name web
check "the agent noticed the order" wait_for 5 agent_said "somebody else has given it an order"
sleep 7
check "web was not started behind the administrator's back" is_not_running web
take_name web
check_not "ctvirt start fails" on ctvirt start web
said=$(said_times "somebody else has given it an order")
# In the middle of an attempt, or between two.
sleep 0.2
on systemctl stop systemd-nspawn@web.service
said_more() {
        (($(said_times "somebody else has given it an order") > said))
}
check "the agent noticed that order, too" wait_for 5 said_more
before=$(said_times "trying again in")
check_not "systemctl start fails" on systemctl start systemd-nspawn@web.service
check "the cause is told" wait_for 5 agent_said "failed: $TAKEN"
sleep 1
check_equal "but it is not tried again" "$before" "$(said_times "trying again in")"
free_name web

step "the agent ends between two attempts"
on 'virsh -q net-destroy default; systemctl reset-failed'
take_name web
before=$(said_times "trying again in 5.0 s")
check "virsh net-start" on virsh net-start default
check "web waits for the last attempt" wait_for 10 said_again
starts=$(count_starts web)
check "the agent is killed, and comes again" on 'systemctl kill -s KILL --kill-whom=main ctvirtd.service; systemctl start ctvirtd.service'
check "it waits for that attempt" wait_for 10 said_again_since "$before"
check "and gives up after it" wait_for 15 gave_up 2
check_equal "there was one more start" 1 $(($(count_starts web) - starts))
check "another life of the agent" on systemctl restart ctvirtd.service
check "knows the cause" wait_for 5 last_failure_is web "$TAKEN"
sleep 2
check_equal "and leaves it at that" 1 $(($(count_starts web) - starts))
free_name web

step "a start fails while there is no agent"
on 'virsh -q net-destroy default; systemctl reset-failed; systemctl -q mask --runtime ctvirtd.service; systemctl stop ctvirtd.service'
take_name web
check "virsh net-start" on virsh net-start default
check "web fails" wait_for 10 on systemctl -q is-failed systemd-nspawn@web.service
free_name web
check "the agent starts" on 'systemctl -q unmask --runtime ctvirtd.service && systemctl start ctvirtd.service'
check "and web is started" wait_for 10 is_running web
check "no record is left" on 'test ! -e /run/ctvirt/retries/web'
check "it is up" wait_for 20 is_up web
on systemctl stop systemd-nspawn@web.service
check "the agent starts again" on systemctl restart ctvirtd.service
check "and knows web" wait_for 5 state_is web "shut"
sleep 1
check "which stays down" is_not_running web

step "a link of that name is there for a while"
on 'virsh -q net-destroy default; ip link add vb-web type bridge'
check "virsh net-start" on virsh net-start default
check "the cause is told" wait_for 5 last_failure_is web "Failed to add new veth interfaces (vb-web:host0): File exists"
on ip link del vb-web
check "web is started when it has gone" wait_for 10 is_running web
check "it is up" wait_for 20 is_up web

step "what is told to stop stays down"
# stop_machined, go_on_machined: a start that is under way stays so in between.
stop_machined() {
        on systemctl kill -s STOP --kill-whom=main systemd-machined.service
}
go_on_machined() {
        on systemctl kill -s CONT --kill-whom=main systemd-machined.service
}
is_in_state() {
        on systemctl show -P ActiveState systemd-nspawn@web.service | grep -qx "$1"
}
# take_and_stop: all is down, and each start of web fails until free_name.
take_and_stop() {
        on 'virsh -q net-destroy default; systemctl stop systemd-nspawn@web.service; systemctl reset-failed'
        take_name web
        before=$(said_times "trying again in 5.0 s")
}
stays_down() {
        free_name web
        sleep "$1"
        check "web stays down" is_not_running web
}
take_and_stop
stop_machined
check "virsh net-start" on virsh net-start default
check "the first start is under way" wait_for 20 is_in_state activating
on systemctl --no-block stop systemd-nspawn@web.service
check "it is stopped" wait_for 20 is_in_state deactivating
go_on_machined
check "it has ended" wait_for 20 is_in_state failed
stays_down 3
take_and_stop
check "virsh net-start" on virsh net-start default
check "web waits for the next attempt" wait_for 25 said_again
check "ctvirt shutdown" on ctvirt shutdown web
check "the agent says so" agent_said "Container 'web': was told to stop, so it is not tried again"
stays_down 7
check_not "nothing is left to be stopped" on ctvirt destroy web

step "a start replaces a stop while the agent cannot hear of either"
take_and_stop
stop_machined
check "virsh net-start" on virsh net-start default
check "the first start is under way" wait_for 20 is_in_state activating
on 'kill -STOP $(systemctl show -P MainPID ctvirtd)'
on systemctl --no-block stop systemd-nspawn@web.service
check "it is stopped" wait_for 20 is_in_state deactivating
check "the network is bounced" on 'virsh -q net-destroy default && virsh -q net-start default'
on 'kill -CONT $(systemctl show -P MainPID ctvirtd)'
go_on_machined
check "the next start fails" wait_for 25 said_again
free_name web
check "web is started" wait_for 25 is_running web
check "it is up" wait_for 20 is_up web

step "systemd and the system bus are away when the next attempt is due"
take_and_stop
check "virsh net-start" on virsh net-start default
check "web waits for the next attempt" wait_for 25 said_again
free_name web
on 'end=$(($(date +%s) + 8)); while [ "$(date +%s)" -lt "$end" ]; do systemctl daemon-reexec; done'
check "web is started when systemd can be reached" wait_for 25 is_running web
check "it is up" wait_for 20 is_up web
take_and_stop
check "virsh net-start" on virsh net-start default
check "web waits for the next attempt" wait_for 25 said_again
on 'systemctl -q mask --runtime --now dbus.socket dbus.service; sleep 7'
free_name web
on 'systemctl -q unmask --runtime dbus.socket dbus.service; systemctl start dbus.socket dbus.service'
check "web is started when the bus is there" wait_for 25 is_running web
check "it is up" wait_for 20 is_up web

step "a start waits for a stop that has to be enforced"
main_pid_of_web() {
        on systemctl show -P MainPID systemd-nspawn@web.service
}
runs_anew() {
        local pid
        pid=$(main_pid_of_web)
        ((pid > 0 && pid != before)) && is_running web
}
printf '[Service]\nKillSignal=SIGCONT\nTimeoutStopSec=4\n' | put_file /run/systemd/system/systemd-nspawn@web.service.d/slow.conf
on systemctl daemon-reload
for _ in 1 2 3; do
        before=$(main_pid_of_web)
        said=$(said_times "somebody else has given it an order")
        on systemctl --no-block stop systemd-nspawn@web.service
        check "the stop is under way" wait_for 5 on 'systemctl show -P ActiveState systemd-nspawn@web.service | grep -qx deactivating'
        check "the network is bounced" on 'virsh -q net-destroy default && virsh -q net-start default'
        check "web is started when it has ended" wait_for 20 runs_anew
        check_equal "by nobody else's order" "$said" "$(said_times "somebody else has given it an order")"
        check "it is up" wait_for 20 is_up web
done
check "web is restarted by hand" on systemctl --no-block restart systemd-nspawn@web.service
check "the stop is under way" wait_for 20 is_in_state deactivating
check "the network is bounced" on 'virsh -q net-destroy default && virsh -q net-start default'
stop_machined
check "the start is under way" wait_for 20 is_in_state activating
on systemctl --no-block stop systemd-nspawn@web.service
check "it is stopped" wait_for 5 is_in_state deactivating
go_on_machined
check "it has ended" wait_for 10 is_in_state failed
sleep 3
check "web stays down" is_not_running web
on 'rm /run/systemd/system/systemd-nspawn@web.service.d/slow.conf; systemctl daemon-reload'
check "virsh net-start" on 'virsh -q net-destroy default; virsh -q net-start default'
check "web runs" wait_for 10 is_running web
check "it is up" wait_for 20 is_up web

step "the bridge goes without a word, while the agent cannot see it"
on systemctl stop systemd-nspawn@web.service
on 'kill -STOP $(systemctl show -P MainPID ctvirtd); ip link del virbr0'
check_not "systemctl start fails" on systemctl start systemd-nspawn@web.service
on 'kill -CONT $(systemctl show -P MainPID ctvirtd)'
check "the cause is told" wait_for 5 last_failure_is web "Failed to add interface vb-web to bridge virbr0: No such device"
on systemctl restart ctvirtd.service
check "an agent that comes later finds it, too" wait_for 5 last_failure_is web \
        "Failed to add interface vb-web to bridge virbr0: No such device"
check "the network can be started again" on 'virsh -q net-destroy default; virsh -q net-start default'
check "web runs" wait_for 10 is_running web

step "a container that ends badly has systemd's words"
on 'systemctl kill -s KILL --kill-who=main systemd-nspawn@web.service'
check "result words" wait_for 5 last_failure_is web "failed with result 'signal'; see journalctl -u systemd-nspawn@web.service"
check "it can be started again" on ctvirt start web

step "SIGHUP without the hook: a network of libvirt's, and one on a bridge of the host"
check "a network on br7 is defined" on 'ip link add br7 type bridge && ip link set br7 up &&
        echo "<network><name>flat</name><forward mode=\"bridge\"/><bridge name=\"br7\"/></network>" >/root/flat.xml &&
        virsh -q net-define /root/flat.xml && virsh -q net-autostart flat && virsh -q net-autostart default'
check "app is defined" define_container app flat
check "app is marked as autostarted" on ctvirt autostart app
on virsh -q net-destroy default
on systemctl stop systemd-nspawn@web.service
on rm "$HOOK"
on systemctl restart libvirtd.service
# libvirt answers when it has done what it does at its start.
check "libvirt is up again" on virsh -q net-list
check_not "flat is not started" is_active_network flat
check_not "nor is default" is_active_network default
check "the agent is connected again" wait_for 10 agent_said_last "Connected to libvirt"
check_not "app waits" is_running app
before=$(count_starts web)
check "SIGHUP" on systemctl reload libvirtd.service
check "libvirt has started default" wait_for 10 is_active_network default
check "libvirt has started flat" wait_for 10 is_active_network flat
check_exact app br7
check "web runs" wait_for 10 is_running web
check_equal "and was started once" 1 $(($(count_starts web) - before))

step "a copied definition"
on 'sed "s,<name>web</name>,<name>copy</name>," /etc/ctvirt/containers/web.xml >/etc/ctvirt/containers/copy.xml'
check "SIGHUP" on systemctl reload ctvirtd.service
check "it is told" wait_for 5 agent_said "copy.xml: container 'web' already has the uuid"
check "dominfo has it" on 'ctvirt dominfo copy | grep -q "^Last failure:.*already has the uuid"'
check "nothing was made of it" on test ! -e /etc/systemd/nspawn/copy.nspawn
check "web is not touched" is_running web
check "an agent that starts finds the same" on systemctl restart ctvirtd.service
check "the original is the one that stays" wait_for 5 on 'ctvirt dominfo copy | grep -q "^Last failure:.*already has the uuid"'
check "web has its definition" on ctvirt dumpxml web
on rm /etc/ctvirt/containers/copy.xml
on systemctl reload ctvirtd.service
check_not "and when the copy is gone, so is the container" on ctvirt dominfo copy

step "the configuration file"
check "it belongs to the package" on 'dpkg-query -W -f "\${Conffiles}\n" ctvirt | grep -q " /etc/ctvirt/ctvirtd.conf "'
printf '[Agent]\nReattachVMs=perhaps\nColour=red\nLibvirtURI=test:///default\n' | put_file /etc/ctvirt/ctvirtd.conf
check "reload" on systemctl reload ctvirtd.service
check "a mistake is told with its line" agent_said "/etc/ctvirt/ctvirtd.conf:2: ReattachVMs= is yes or no, not 'perhaps'"
check "an unknown setting, too" agent_said "/etc/ctvirt/ctvirtd.conf:3: unknown setting Colour="
check "what needs a restart is told" agent_said "LibvirtURI= has changed"
check "web still runs" is_running web
networks() {
        on ctvirt net-list --all --name | grep . | sort | paste -sd' '
}
networks_are() {
        [[ $(networks) == "$1" ]] || { networks; return 1; }
}
check "a restart" on systemctl restart ctvirtd.service
check "the other libvirt is asked" wait_for 10 networks_are default
put_file /etc/systemd/system/ctvirtd.service.d/uri.conf <<<$'[Service]\nExecStart=\nExecStart=/usr/libexec/ctvirt/ctvirtd --uri=network:///system'
on systemctl daemon-reload
check "another restart" on systemctl restart ctvirtd.service
check "the command line counts more" wait_for 10 networks_are "default flat"
finish
