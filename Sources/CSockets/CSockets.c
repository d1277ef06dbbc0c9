#define _GNU_SOURCE
#include "CSockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

_Static_assert(sizeof(struct csockets_message) == sizeof(struct mmsghdr), "one layout");
_Static_assert(sizeof(struct csockets_credentials) == sizeof(struct ucred), "one layout");
_Static_assert(CMSG_SPACE(sizeof(struct in6_pktinfo)) <= csockets_control_size, "room for IPv6");
_Static_assert(CMSG_SPACE(sizeof(struct in_pktinfo)) <= csockets_control_size, "room for IPv4");

const int csockets_ip_packet_info = IP_PKTINFO;
const int csockets_ipv6_packet_info = IPV6_RECVPKTINFO;
const int csockets_ip_path_mtu = IP_MTU_DISCOVER;
const int csockets_ip_path_mtu_probe = IP_PMTUDISC_PROBE;
const int csockets_ipv6_path_mtu = IPV6_MTU_DISCOVER;
const int csockets_ipv6_path_mtu_probe = IPV6_PMTUDISC_PROBE;
const uint32_t csockets_epoll_readable = EPOLLIN;
const uint32_t csockets_epoll_writable = EPOLLOUT;
const uint32_t csockets_epoll_ended = EPOLLERR | EPOLLHUP;
const int csockets_ip_fragment_size = IP_RECVFRAGSIZE;
const int csockets_ipv6_fragment_size = IPV6_RECVFRAGSIZE;

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

int csockets_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int csockets_epoll_add(int epoll, int watched, uint64_t token) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = token};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, watched, &event);
}

int csockets_epoll_remove(int epoll, int watched) {
    struct epoll_event ignored = {0};
    return epoll_ctl(epoll, EPOLL_CTL_DEL, watched, &ignored);
}

int csockets_epoll_change(int epoll, int watched, uint64_t token, uint32_t readiness) {
    struct epoll_event event = {.events = readiness, .data.u64 = token};
    return epoll_ctl(epoll, EPOLL_CTL_MOD, watched, &event);
}

int csockets_epoll_wait(int epoll, struct csockets_event *events, int timeout) {
    struct epoll_event found[csockets_epoll_capacity];
    int count = epoll_wait(epoll, found, csockets_epoll_capacity, timeout);
    for (int i = 0; i < count; i++) {
        events[i] = (struct csockets_event){found[i].data.u64, found[i].events};
    }
    return count;
}

int csockets_accept(int listener, struct sockaddr *name, socklen_t *size) {
    return accept4(listener, name, size, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

ssize_t csockets_random(void *octets, size_t count) { return getrandom(octets, count, 0); }

int csockets_eventfd_signal(int descriptor) { return eventfd_write(descriptor, 1); }

int csockets_eventfd_clear(int descriptor) {
    eventfd_t value;
    return eventfd_read(descriptor, &value);
}

struct thread_start {
    void (*body)(void *);
    void *context;
};

static void *run_thread(void *argument) {
    struct thread_start start = *(struct thread_start *)argument;
    free(argument);
    start.body(start.context);
    return NULL;
}

int csockets_start_thread(const char *name, void (*body)(void *), void *context) {
    struct thread_start *start = malloc(sizeof *start);
    if (start == NULL) return ENOMEM;
    start->body = body;
    start->context = context;
    // The new thread inherits this mask. The main thread alone handles signals.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int error = pthread_create(&thread, NULL, run_thread, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        free(start);
        return error;
    }
    pthread_setname_np(thread, name);
    pthread_detach(thread);
    return 0;
}

void csockets_give_way(void) {
    // On Linux the nice value is per thread. An unprivileged thread whose nice value is already
    // above 10 keeps it.
    setpriority(PRIO_PROCESS, gettid(), 10);
}
