#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Turns a freshly bootstrapped root ($1) into the base of test hosts. Run by mmdebstrap at the end of its work.
set -eu
root=$1

# Each host gets its own machine id and takes its host name from systemd-nspawn.
: >"$root/etc/machine-id"
rm -f "$root/etc/hostname" "$root/var/lib/dbus/machine-id"
printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
# A test host has no way out, so no name server either.
printf '# no name servers: test hosts have no uplink\n' >"$root/etc/resolv.conf"
mkdir -p "$root/var/log/journal"

# libvirt's default network, so that leases come at once: no spanning tree delay, no ping before an offer.
mkdir -p "$root/etc/libvirt/qemu/networks/autostart"
rm -f "$root/etc/libvirt/qemu/networks/autostart/default.xml"
cat >"$root/etc/libvirt/qemu/networks/default.xml" <<'XML'
<network xmlns:dnsmasq='http://libvirt.org/schemas/network/dnsmasq/1.0'>
  <name>default</name>
  <uuid>6f0c6d5e-3f0e-4c0a-9d0c-5d1d8a1f7a11</uuid>
  <forward mode='nat'/>
  <bridge name='virbr0' stp='off' delay='0'/>
  <ip address='192.168.122.1' netmask='255.255.255.0'>
    <dhcp>
      <range start='192.168.122.2' end='192.168.122.254'/>
    </dhcp>
  </ip>
  <dnsmasq:options>
    <dnsmasq:option value='no-ping'/>
  </dnsmasq:options>
</network>
XML
chmod 600 "$root/etc/libvirt/qemu/networks/default.xml"

# What runs: as after an installation of the packages, without what makes no sense in a container for tests.
chroot "$root" systemctl -q enable libvirtd.service machines.target
chroot "$root" systemctl -q disable NetworkManager.service NetworkManager-dispatcher.service \
        NetworkManager-wait-online.service
chroot "$root" systemctl -q mask console-getty.service getty@tty1.service apt-daily.timer apt-daily-upgrade.timer \
        dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer logrotate.timer \
        systemd-pstore.service systemd-timesyncd.service

# All is up to date: no ldconfig.service and the like at the first boot.
touch "$root/etc/.updated" "$root/var/.updated"
