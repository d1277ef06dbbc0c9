#define _GNU_SOURCE
#include "CSockets.h"

#include <netinet/in.h>
#include <string.h>

_Static_assert(sizeof(struct csockets_message) == sizeof(struct mmsghdr), "one layout");
_Static_assert(CMSG_SPACE(sizeof(struct in6_pktinfo)) <= csockets_control_size, "room for IPv6");
_Static_assert(CMSG_SPACE(sizeof(struct in_pktinfo)) <= csockets_control_size, "room for IPv4");

const int csockets_ip_packet_info = IP_PKTINFO;
const int csockets_ipv6_packet_info = IPV6_RECVPKTINFO;
const int csockets_ip_path_mtu = IP_MTU_DISCOVER;
const int csockets_ip_path_mtu_omit = IP_PMTUDISC_OMIT;
const int csockets_ip_path_mtu_probe = IP_PMTUDISC_PROBE;
const int csockets_ipv6_path_mtu = IPV6_MTU_DISCOVER;
const int csockets_ipv6_path_mtu_omit = IPV6_PMTUDISC_OMIT;
const int csockets_ipv6_path_mtu_probe = IPV6_PMTUDISC_PROBE;
const int csockets_ip_receive_errors = IP_RECVERR;
const int csockets_ipv6_receive_errors = IPV6_RECVERR;

int csockets_receive(int descriptor, struct csockets_message *messages, unsigned int count) {
    return recvmmsg(descriptor, (struct mmsghdr *)messages, count, MSG_DONTWAIT, NULL);
}

int csockets_send(int descriptor, struct csockets_message *messages, unsigned int count) {
    return sendmmsg(descriptor, (struct mmsghdr *)messages, count, MSG_DONTWAIT);
}

struct csockets_packet_info csockets_read_packet_info(const struct msghdr *header) {
    struct csockets_packet_info found = {0};
    struct msghdr *walked = (struct msghdr *)header;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(walked); c != NULL; c = CMSG_NXTHDR(walked, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO &&
            c->cmsg_len >= CMSG_LEN(sizeof(struct in_pktinfo))) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            found.family = 4;
            memcpy(found.address, &info.ipi_spec_dst, 4);
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO &&
                   c->cmsg_len >= CMSG_LEN(sizeof(struct in6_pktinfo))) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            found.family = 6;
            memcpy(found.address, &info.ipi6_addr, 16);
            if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) found.interface = info.ipi6_ifindex;
        }
    }
    return found;
}

size_t csockets_write_packet_info(void *control, struct csockets_packet_info info) {
    if (info.family == 0) return 0;
    struct cmsghdr *c = control;
    memset(control, 0, csockets_control_size);
    if (info.family == 4) {
        struct in_pktinfo value = {0};
        memcpy(&value.ipi_spec_dst, info.address, 4);
        c->cmsg_level = IPPROTO_IP;
        c->cmsg_type = IP_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof value);
        memcpy(CMSG_DATA(c), &value, sizeof value);
        return CMSG_SPACE(sizeof value);
    }
    struct in6_pktinfo value = {0};
    memcpy(&value.ipi6_addr, info.address, 16);
    value.ipi6_ifindex = info.interface;
    c->cmsg_level = IPPROTO_IPV6;
    c->cmsg_type = IPV6_PKTINFO;
    c->cmsg_len = CMSG_LEN(sizeof value);
    memcpy(CMSG_DATA(c), &value, sizeof value);
    return CMSG_SPACE(sizeof value);
}

int csockets_eventfd_signal(int descriptor) { return eventfd_write(descriptor, 1); }

int csockets_eventfd_clear(int descriptor) {
    eventfd_t value;
    return eventfd_read(descriptor, &value);
}
