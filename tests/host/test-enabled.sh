#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Only what is enabled is started, and what an administrator stopped stays stopped until the next net-start.
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"

# The agent and libvirt have had time to do something that they should not do.
settle() {
        on virsh -q net-list >/dev/null
        on ctvirt -q list --all >/dev/null
        sleep 2
}

host_test_begin "enabled, disabled, stopped, failed"
use_host H
check "the package is installed" install_ctvirt
check "web is defined" define_container web default
check "other is defined" define_container other default
check "web is enabled" on ctvirt autostart web
check "net-start" on virsh net-start default
check_exact web virbr0
check "other, which is not enabled, is not started" is_not_running other
check_equal "and no start of it was tried" 0 "$(count_starts other)"

step "what runs is said to run from the agent's first answer on"
on ctvirt -q autostart other
on ctvirt -q start other
wrong=''
for round in 1 2 3 4 5 6 7 8 9 10; do
        # So many starts by hand are more than its start limit is meant for.
        found=$(on 'systemctl stop ctvirtd.service && systemctl reset-failed && ctvirt list --name' | sort | xargs) || :
        [[ $found == "other web" ]] || wrong+=" $round:'$found'"
done
check_equal "10 rounds of systemctl stop ctvirtd; ctvirt list --name" "" "$wrong"
check "and then it is stopped" on 'systemctl stop ctvirtd.service && systemctl reset-failed && ctvirt destroy other'
check_equal "a restarted agent does not tell of starts that it did not see" 1 \
        "$(on 'journalctl -q -b -u ctvirtd.service' | grep -c "Container 'web': Started" || :)"
on ctvirt -q autostart --disable other

step "stopped by the administrator"
check "ctvirt destroy web" on ctvirt destroy web
check "web is down" wait_for 5 is_not_running web
check "the agent restarts" on systemctl restart ctvirtd.service
settle
check "web stays down" is_not_running web
check "libvirtd restarts" on systemctl restart libvirtd.service
settle
check "web stays down" is_not_running web
check "libvirtd is killed" on systemctl kill -s KILL libvirtd.service
settle
check "web stays down" is_not_running web
check "another daemon-reload" on systemctl daemon-reload
settle
check "web stays down" is_not_running web
check_equal "it was started once so far" 1 "$(count_starts web)"
on virsh -q net-destroy default
check "the next net-start" on virsh -q net-start default
check "starts it" wait_for 10 is_running web
check_equal "once" 2 "$(count_starts web)"

step "systemd-nspawn itself is killed: the next net-start starts the container"
on systemctl kill --kill-whom=main -s KILL systemd-nspawn@web.service
check "web is down" wait_for 10 is_not_running web
on virsh -q net-destroy default
check "net-start" on virsh -q net-start default
check "web runs" wait_for 10 is_running web

step "disabled again"
check "ctvirt autostart --disable" on ctvirt autostart --disable web
check "ctvirt shutdown" on ctvirt shutdown web
check "web is down" wait_for 20 is_not_running web
on virsh -q net-destroy default
on virsh -q net-start default
settle
check "it is not started" is_not_running web

step "a unit that has failed is started by the next edge, start limit or not"
on ctvirt -q autostart web
on virsh -q net-destroy default
on 'mv /var/lib/machines/web /var/lib/machines/web.away'
on virsh -q net-start default
for _ in 1 2 3 4 5 6 7; do
        on 'systemctl start systemd-nspawn@web.service' >/dev/null 2>&1 || :
done
check "web has failed" on systemctl -q is-failed systemd-nspawn@web.service
check "ctvirt says so" on 'ctvirt domstate web | grep -qx crashed'
on 'mv /var/lib/machines/web.away /var/lib/machines/web'
on virsh -q net-destroy default
check "net-start" on virsh -q net-start default
check "web runs" wait_for 10 is_running web

step "a start that is queued is called off"
on 'ctvirt destroy web; systemd-run -q --no-block --unit slow -p Type=oneshot sleep infinity; mkdir -p /run/systemd/system/systemd-nspawn@web.service.d
        printf "[Unit]\nAfter=slow.service\n" >/run/systemd/system/systemd-nspawn@web.service.d/slow.conf; systemctl daemon-reload' >/dev/null
for order in destroy shutdown; do
        on virsh -q net-destroy default
        check "net-start" on virsh -q net-start default
        check "the start of web waits" wait_for 5 on 'systemctl list-jobs --no-legend | grep -q "systemd-nspawn@web.service *start"'
        check "ctvirt $order" on ctvirt "$order" web
        check_not "no job is left" on 'systemctl list-jobs --no-legend | grep "systemd-nspawn@web.service"'
        check "then there is nothing to stop" on "ctvirt $order web 2>&1 | grep -q 'Container is not running'"
done
check "what it waited for ends" on systemctl stop slow.service
settle
check "web is not started" is_not_running web
finish
