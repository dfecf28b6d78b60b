#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A hostile user on the bus, hostile definitions and roots, a hostile surrounding of the hook: nothing harmful, bounded time.
# It takes long and runs on one release, unless more is asked for (tests/run --help).
# shellcheck disable=SC2016,SC2317
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/ctvirt.sh
. "$(dirname "$(readlink -f "$0")")/lib/ctvirt.sh"

HOOK=/etc/libvirt/hooks/network.d/50-ctvirt

# state_of CONTAINER: as the agent sees it.
state_of() {
        on ctvirt domstate "$1"
}

as_mallory() {
        host exec --raw --user mallory -- "$@" </dev/null
}

# spoof PATH INTERFACE MEMBER [SIGNATURE VALUES...]: a signal of the unprivileged user, addressed to the agent alone.
spoof() {
        as_mallory busctl --system --destination=org.ctvirt.agent1 emit "$@"
}

# The hook's standard input for network $1 with bridge $2.
hook_data() {
        printf "<hookData><network><name>%s</name><bridge name='%s'/></network></hookData>" "$1" "$2"
}

# hook_ends TEXT MSEC COMMAND: the line for bash, in which $HOOK is the hook, exits with 0, and does not hang: half a second is
# its patience with an agent, five without; a busy machine gets the room between the two.
hook_ends() {
        local text=$1 limit=$2 output
        output=$(on bash -c "HOOK=$HOOK; begin=\${EPOCHREALTIME/./}
                timeout -s KILL 20 bash -c \"export HOOK=\$HOOK; \$0\"; status=\$?
                echo \"\$status \$(((\${EPOCHREALTIME/./} - begin) / 1000))\"" "$3" 2>/dev/null | tail -n 1)
        check "$text: exit 0 within $limit ms (status and ms: $output)" \
                test "${output% *}" = 0 -a "${output#* }" -le "$limit"
}

bridge_has() {
        on test -e "/sys/class/net/$1/brif/$2"
}

bounce() {
        on virsh -q net-destroy default && on virsh -q net-start default
}

# define_refused TEXT NAME BODY [PATTERN]
define_refused() {
        printf "<domain type='nspawn'><name>%s</name><os><type>exe</type></os>%s</domain>" "$2" "$3" | put_file /root/refused.xml
        check_not "$1: refused" on ctvirt define /root/refused.xml
        check "$1: nothing is left" on "test ! -e '/etc/ctvirt/containers/$2.xml' -a ! -e '/etc/systemd/nspawn/$2.nspawn'"
}

# static_interface: one for which a file in the container's root is needed.
static_interface() {
        printf "<interface type='network'><source network='default'/><ip address='192.168.122.77' prefix='24'/></interface>"
}

root_at() {
        printf "<devices><filesystem type='mount'><source dir='%s'/><target dir='/'/></filesystem>%s</devices>" "$1" "$(static_interface)"
}

BUILD=$(mktemp -d)

host_test_begin "hostile users, definitions and surroundings"
use_host H
check "the package is installed" install_ctvirt
check "web is defined" define_container web default
check "the network starts" on virsh -q net-start default
check "web starts" on ctvirt -q start web
on useradd -m mallory

step "signals that an unprivileged user makes up"
unit=/org/freedesktop/systemd1/unit/systemd_2dnspawn_40web_2eservice
check_equal "web runs" running "$(state_of web | head -n 1)"
spoof_failure() {
        spoof "$unit" org.freedesktop.DBus.Properties PropertiesChanged 'sa{sv}as' org.freedesktop.systemd1.Unit \
                2 ActiveState s failed SubState s failed 0
}
# As while the agent does not have its name yet.
policy=/usr/share/dbus-1/system.d/org.ctvirt.agent1.conf
on "cp $policy /root/policy && sed -i '/<deny send_destination/d' $policy && systemctl reload dbus.service"
check "a policy that lets them through" spoof_failure
on sleep 0.3
check_equal "a made up failure is not believed all the same" running "$(state_of web | head -n 1)"
on "cp /root/policy $policy && systemctl reload dbus.service"
on systemctl restart ctvirtd.service
check "the agent is up" wait_for 10 agent_is_up
agent_before=$(on systemctl show -P MainPID ctvirtd.service)

step "methods with nonsense, by an unprivileged user"
put_file /usr/local/bin/nonsense <<'SH'
call() { timeout 10 busctl --system call org.ctvirt.agent1 "$@" >/dev/null 2>&1; }
manager=org.ctvirt.agent1.Manager container=org.ctvirt.agent1.Container
big=$(head -c 100000 /dev/zero | tr '\0' A)
for what in ../x $'a\nb' $'\e[31m' "$big" '' . / %s%n 4294967296; do
        call /org/ctvirt/agent1 $manager LookupContainer s "$what" && exit 1
        call /org/ctvirt/agent1 $manager LookupNetwork s "$what" && exit 1
        call /org/ctvirt/agent1/container/web $container GetAddresses s "$what" && exit 1
        call /org/ctvirt/agent1 $manager DefineContainer sst "$what" "$what" 0 && exit 1
done
for member in Start Shutdown Destroy Reboot Undefine; do
        for path in web _2e_2e a/b _; do
                for flags in 0 1 18446744073709551615; do
                        call /org/ctvirt/agent1/container/$path $container $member t $flags && exit 1
                done
        done
done
call /org/ctvirt/agent1/container/web $container SetAutostart b true && exit 1
exit 0
SH
check "all refused" as_mallory bash /usr/local/bin/nonsense
check_equal "web runs" running "$(state_of web | head -n 1)"
check_equal "the agent is the same" "$agent_before" "$(on systemctl show -P MainPID ctvirtd.service)"

step "questions to polkit that nobody answers"
# A user's own polkit agent that never answers, and orders that wait for it. A caller may have 128 of them under way; with
# the flag for "no reply" more. They must cost neither memory without limit nor root's own orders.
cc -O1 -o "$BUILD/flood" -x c - -lsystemd <<'C'
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

static int begin(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        sd_bus_message_ref(m);
        return 1;
}

static const sd_bus_vtable agent[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("BeginAuthentication", "sssa{ss}sa(sa{sv})", "", begin, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("CancelAuthentication", "s", "", begin, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static unsigned long long start_time(void) {
        char text[4096], *p;
        FILE *f = fopen("/proc/self/stat", "re");

        if (!f || !fgets(text, sizeof(text), f))
                abort();
        p = strrchr(text, ')') + 2;
        for (int i = 3; i < 22; i++)
                p = strchr(p, ' ') + 1;
        return strtoull(p, NULL, 10);
}

/* flood COUNT WHAT SECONDS: definitions of that many bytes, or calls of that method of "web". */
int main(int argc, char *argv[]) {
        size_t count = strtoul(argv[1], NULL, 10), size = strtoul(argv[2], NULL, 10);
        bool addresses = strcmp(argv[2], "GetAddresses") == 0;
        time_t end = time(NULL) + atoi(argv[3]);
        char *text = calloc(1, size + 1);
        sd_bus *bus;

        memset(text, 'a', size);
        if (sd_bus_open_system(&bus) < 0 ||
            sd_bus_add_object_vtable(bus, NULL, "/agent", "org.freedesktop.PolicyKit1.AuthenticationAgent", agent, NULL) < 0 ||
            sd_bus_call_method(bus, "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
                               "org.freedesktop.PolicyKit1.Authority", "RegisterAuthenticationAgent", NULL, NULL, "(sa{sv})ss",
                               "unix-process", 3, "pid", "u", (unsigned) getpid(), "start-time", "t", start_time(), "uid", "i",
                               (int) getuid(), "C", "/agent") < 0)
                return 1;
        for (size_t i = 0; i < count; i++) {
                sd_bus_message *m = NULL;

                if (size > 0) {
                        sd_bus_message_new_method_call(bus, &m, "org.ctvirt.agent1", "/org/ctvirt/agent1",
                                                       "org.ctvirt.agent1.Manager", "DefineContainer");
                        sd_bus_message_append(m, "sst", text, "file", (uint64_t) 0);
                } else {
                        sd_bus_message_new_method_call(bus, &m, "org.ctvirt.agent1", "/org/ctvirt/agent1/container/web",
                                                       "org.ctvirt.agent1.Container", argv[2]);
                        if (addresses)
                                sd_bus_message_append(m, "s", "lease");
                        else
                                sd_bus_message_append(m, "t", (uint64_t) 0);
                }
                sd_bus_message_set_allow_interactive_authorization(m, 1);
                sd_bus_message_set_expect_reply(m, 0);
                sd_bus_send(bus, m, NULL);
                sd_bus_message_unref(m);
                sd_bus_flush(bus);
        }
        while (time(NULL) < end)
                if (sd_bus_process(bus, NULL) == 0)
                        sd_bus_wait(bus, 100000);
        return 0;
}
C
host push "$BUILD/flood" /usr/local/bin/flood
rm -rf "$BUILD"
agent_memory() {
        on 'awk "/^RssAnon/ { print \$2 }" /proc/$(systemctl show -P MainPID ctvirtd.service)/status'
}
as_mallory flood 300 Shutdown 5 &
on sleep 2
check "root can stop a container meanwhile" on timeout 30 ctvirt -q destroy web
check "and start it" on timeout 30 ctvirt -q start web
wait $!
memory=$(agent_memory)
as_mallory flood 20 8000000 4 &
on sleep 2.5
check "large definitions that wait take no memory ($memory KiB before)" test "$(agent_memory)" -lt $((memory + 65536))
wait $!

step "floods"
before=$(on systemctl show -P MainPID ctvirtd.service)
as_mallory flood 50000 Start 6 &
on sleep 1
check "root's order does not wait for 50000 of another's" on timeout 30 ctvirt -q destroy web
check "and web starts" on timeout 30 ctvirt -q start web
wait $!
on 'kill -STOP $(pidof virtnetworkd libvirtd)'
memory=$(agent_memory)
as_mallory flood 100000 GetAddresses 6 &
on sleep 4
check "questions for leases take no memory while libvirtd is frozen ($memory KiB before)" \
        test "$(agent_memory)" -lt $((memory + 32768))
check "root can list meanwhile" on timeout 30 ctvirt list --all
wait $!
on 'kill -CONT $(pidof virtnetworkd libvirtd)'
check "leases are told again" wait_for 10 on ctvirt domifaddr web
check_equal "the agent has not been restarted" "$before" "$(on systemctl show -P MainPID ctvirtd.service)"
as_mallory flood 1000 900000 4 &
on sleep 3
check "definitions of a size that is allowed are bounded by their number ($memory KiB before)" \
        test "$(agent_memory)" -lt $((memory + 65536))
wait $!
check "web runs" wait_for 10 is_running web

step "values that would break out of generated files"
define_refused "a line break in the title" evil '<title>a&#10;[Service]&#10;ExecStartPre=/bin/touch /pwned</title>'
for value in '<initarg>a&#10;Ephemeral=yes</initarg>' "<initenv name='A'>x&#10;Boot=no</initenv>" '<init>/x/../y</init>'; do
        printf "<domain type='nspawn'><name>evil</name><os><type>exe</type>%s</os></domain>" "$value" | put_file /root/evil.xml
        check_not "refused: $value" on ctvirt define /root/evil.xml
done
define_refused "a line break in a network's name" evil \
        "<devices><interface type='network'><source network='a&#10;Bridge=x'/></interface></devices>"
define_refused "the address of a group" evil \
        "<devices><interface type='network'><mac address='01:00:5e:00:00:01'/><source network='default'/></interface></devices>"
# Each double quote takes five characters in the .nspawn file, of which systemd and ctvirt read one MiB.
on "{ printf '<domain type=\"nspawn\"><name>quotes</name><os><type>exe</type><initenv name=\"A\">'; head -c 900000 /dev/zero |
        tr '\\0' '\"'; printf '</initenv></os></domain>'; } >/root/quotes.xml"
on 'ctvirt define /root/quotes.xml >/dev/null 2>&1 && ctvirt undefine quotes >/dev/null 2>&1' || :
check "a definition whose .nspawn file is too large leaves none behind" on test ! -e /etc/systemd/nspawn/quotes.nspawn
on rm -f /etc/systemd/nspawn/quotes.nspawn

step "roots with traps"
on sh -c 'cd /var/lib/machines && mkdir -p etclink/usr netlink/etc/systemd fifo/etc/systemd/network &&
        ln -s /etc etclink/etc && ln -s /tmp netlink/etc/systemd/network &&
        mkfifo fifo/etc/systemd/network/20-ctvirt-host0.network && ln -s /srv rootlink'
on sh -c 'ls -A /etc/systemd/network /tmp /srv >/root/before'
for trap_root in etclink netlink fifo rootlink; do
        define_refused "$trap_root" "$trap_root" "<devices>$(static_interface)</devices>"
done
check "nothing was written outside" on 'ls -A /etc/systemd/network /tmp /srv | cmp - /root/before'
define_refused "the host's own root" hostroot "$(root_at /)"
define_refused "another container's root" thief "$(root_at /var/lib/machines/web)"
on 'ctvirt undefine hostroot; ctvirt undefine thief' >/dev/null 2>&1 || :

step "the hook"
data=$(hook_data default virbr0 | sed "s/'/\\\\'/g")
hook_ends "plain" 4000 "printf %s \$'$data' | \$HOOK default started begin -"
hook_ends "descriptors 0 to 2 closed" 4000 '$HOOK default started begin - <&- >&- 2>&-'
hook_ends "100 MB" 4000 'head -c 100000000 /dev/zero | $HOOK default started begin -'
hook_ends "an input without end" 4000 'exec $HOOK default started begin - < <(exec sleep 15)'
hook_ends "SIGALRM blocked and ignored" 4000 \
        'exec perl -e '"'"'use POSIX; sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGALRM)); $SIG{ALRM} = "IGNORE"; open(STDIN, "-|", "sleep 15"); exec $ENV{HOOK}, qw(default started begin -)'"'"
hook_ends "no argument" 4000 '$HOOK </dev/null'
hook_ends "1000 arguments" 4000 '$HOOK default started $(seq 1000) </dev/null'
for bridge in ../../etc/x '' . 'a b' %n%s nosuchbridge; do
        data=$(hook_data default "$bridge" | sed "s/'/\\\\'/g")
        hook_ends "bridge '$bridge'" 4000 "printf %s \$'$data' | \$HOOK default started begin -"
done
# As in the middle of an upgrade of one of its libraries.
on 'lib=$(ldd /usr/libexec/ctvirt/network-hook.so | sed -n "s/.*=> \(.*libexpat[^ ]*\).*/\1/p"); echo "$lib" >/root/lib; mv "$lib" "$lib.away"'
hook_ends "a library is missing" 4000 '$HOOK default started begin - </dev/null'
check "the journal tells which" wait_for 5 on 'journalctl -b -t ctvirt-hook -g libexpat'
on 'lib=$(cat /root/lib); mv "$lib.away" "$lib"'
check "the hook works again" eval 'bounce && test "$(marker_value virbr0 WITNESS)" = hook'
on 'cd /usr/libexec/ctvirt && cp -p network-hook.so /root/module && truncate -s 20000 network-hook.so'
hook_ends "half of its module" 4000 '$HOOK default started begin - </dev/null'
on 'rm /usr/libexec/ctvirt/network-hook.so'
hook_ends "no module" 4000 '$HOOK default started begin - </dev/null'
check "a network starts meanwhile" bounce
on 'install -o mallory -m 0644 /root/module /usr/libexec/ctvirt/network-hook.so'
check "a module of another user does nothing" \
        eval 'on virsh -q net-destroy default && on systemctl stop ctvirtd.service && on virsh -q net-start default && on test ! -e /run/ctvirt/bridges/virbr0'
on 'install -m 0644 /root/module /usr/libexec/ctvirt/network-hook.so'
check "one of root does" eval 'bounce && on test -e /run/ctvirt/bridges/virbr0'
on systemctl start ctvirtd.service
check "the agent is up" wait_for 10 agent_is_up
agent_before=$(on systemctl show -P MainPID ctvirtd.service)
data=$(hook_data default virbr0 | sed "s/'/\\\\'/g")

on 'rm -f /run/ctvirt/lock/virbr0; mkfifo /run/ctvirt/lock/virbr0'
hook_ends "the lock is a FIFO" 4000 "printf %s \$'$data' | \$HOOK default started begin -"
on 'rm -f /run/ctvirt/lock/virbr0 /run/ctvirt/bridges/virbr0; echo precious >/root/precious; ln -sf /root/precious /run/ctvirt/bridges/virbr0'
hook_ends "the marker is a link" 4000 "printf %s \$'$data' | \$HOOK default started begin -"
check_equal "what it pointed to is untouched" precious "$(on cat /root/precious)"
on 'exec 9>>/run/ctvirt/lock/virbr0; flock 9; sleep 3 >/dev/null 2>&1 & exit 0'
hook_ends "the lock is held" 4000 "printf %s \$'$data' | \$HOOK default started begin -"
on sleep 3
on 'kill -STOP $(pidof systemd-journald)'
check "the network starts with journald frozen" on 'timeout 30 virsh -q net-destroy default && timeout 30 virsh -q net-start default'
on 'kill -CONT $(pidof systemd-journald)'

step "the generator"
on sh -c 'cd /etc/systemd/nspawn && mkfifo fifo.nspawn && mkdir folder.nspawn && ln -s loop.nspawn loop.nspawn &&
        truncate -s 1G sparse.nspawn && head -c 100000 /dev/urandom >random.nspawn && ln -s /dev/zero zero.nspawn
        mkdir -p /etc/systemd/system/machines.target.wants && cd /etc/systemd/system/machines.target.wants
        for name in fifo folder loop sparse random zero; do ln -s /lib/systemd/system/systemd-nspawn@.service "systemd-nspawn@$name.service"; done
        cd /etc/libvirt/qemu/networks && mkfifo f.xml && mkdir d.xml && ln -s l.xml l.xml && truncate -s 1G s.xml && ln -s /dev/zero z.xml'
check "web is enabled" on ctvirt -q autostart web
check "a reload ends soon" on timeout 30 systemctl daemon-reload
check "web has its gate" on grep -q /run/ctvirt/bridges/virbr0 /run/systemd/generator/systemd-nspawn@web.service.d/50-ctvirt-gate.conf
on 'rm -rf /etc/libvirt/qemu/networks/[dflsz].xml; cd /etc/systemd/system/machines.target.wants && for name in fifo folder loop sparse random zero; do
        rm -rf "systemd-nspawn@$name.service" "/etc/systemd/nspawn/$name.nspawn"; done; systemctl daemon-reload'

step "files that are none, in the agent's folder"
on 'mkfifo /etc/ctvirt/containers/fifo.xml; mkdir /etc/ctvirt/containers/folder.xml; ln -s /dev/zero /etc/ctvirt/containers/zero.xml;
        head -c 100000 /dev/urandom >/etc/ctvirt/containers/random.xml; kill -HUP "$(systemctl show -P MainPID ctvirtd.service)"'
check "the agent answers" on timeout 30 ctvirt list --all
check_equal "the agent is the same" "$agent_before" "$(on systemctl show -P MainPID ctvirtd.service)"
on 'rm -rf /etc/ctvirt/containers/fifo.xml /etc/ctvirt/containers/folder.xml /etc/ctvirt/containers/zero.xml /etc/ctvirt/containers/random.xml'

step "an agent that was late: lives of a bridge that it has not seen"
check "web runs" wait_for 5 is_running web
for round in 1 2; do
        check "a fresh agent" on systemctl restart ctvirtd.service
        check "web is on the bridge" wait_for 5 bridge_has virbr0 vb-web
        on 'kill -STOP "$(systemctl show -P MainPID ctvirtd.service)"'
        on 'virsh -q net-destroy default && virsh -q net-start default && virsh -q net-destroy default && virsh -q net-start default'
        on 'kill -CONT "$(systemctl show -P MainPID ctvirtd.service)"'
        check "round $round: web is put on the bridge again" wait_for 3 bridge_has virbr0 vb-web
        on 'virsh -q net-destroy default && virsh -q net-start default'
done

step "the client"
check "a title with a control character cannot be defined" \
        on '! { sed "s,</name>,</name><title>x\&#x9b;31m</title>," /root/web.xml >/root/esc.xml; ctvirt define /root/esc.xml; }'
check_not "a full disk under the output is an error" on 'ctvirt dumpxml web >/dev/full 2>/dev/null'
check_not "also for a list" on 'ctvirt list --all >/dev/full 2>/dev/null'
check "web runs, and nothing failed" wait_for 5 is_running web
finish
