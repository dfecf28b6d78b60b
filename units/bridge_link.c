/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/bridge_link.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/name.h"

/* 1: answered, 0: there is no such link (any more). */
static int ask(int fd, unsigned long request, struct ifreq *req) {
        if (ioctl(fd, request, req) >= 0)
                return 1;
        return errno == ENODEV || errno == ENXIO ? 0 : negative_errno();
}

int bridge_link_query(const char *bridge, BridgeLink *ret) {
        _cleanup_close_ int fd = -1;
        struct ifreq req = { 0 };
        BridgeLink link = { 0 };
        int r;

        if (!link_name_is_valid(bridge))
                return -EINVAL;
        memcpy(req.ifr_name, bridge, strlen(bridge));

        /* The ioctls are answered on a socket of any family; this one needs no network module. */
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return negative_errno();

        r = ask(fd, SIOCGIFINDEX, &req);
        if (r > 0) {
                link.ifindex = (unsigned) req.ifr_ifindex;
                r = ask(fd, SIOCGIFFLAGS, &req);
                link.up = r > 0 && (req.ifr_flags & IFF_UP) && !(req.ifr_flags & IFF_LOOPBACK);
        }
        if (r < 0)
                return r;

        /* Gone between the two questions. */
        if (r == 0)
                link = (BridgeLink){ 0 };
        *ret = link;
        return 0;
}
