// The floor for misses: forwards datagrams to one upstream with a random ID and from one of 256 ports, and the answers
// to the clients. It does not parse DNS, caches nothing and has no timeouts. It uses batched system calls where
// possible.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

enum { batch = 64, ports = 256, size = 2048, ids = 65536 };

struct asker {
    struct sockaddr_in name;
    uint16_t id;
    int waits;
};

static struct asker askers[ids];
static unsigned char octets[batch][size];
static struct sockaddr_in names[batch];
static struct mmsghdr messages[batch];
static struct iovec slices[batch];

static uint32_t random_number(void) {
    static uint32_t pool[1024];
    static int left;
    if (left == 0) {
        for (int i = 0; i < 16; i++) getrandom((char *)pool + 256 * i, 256, 0);
        left = 1024;
    }
    return pool[--left];
}

static int opened(const char *address, int port) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), room = 1 << 22;
    inet_pton(AF_INET, address, &name.sin_addr);
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (bind(descriptor, (struct sockaddr *)&name, sizeof name)) {
        perror("bind");
        exit(1);
    }
    return descriptor;
}

// Receives up to a batch; returns the number of datagrams.
static int received(int descriptor) {
    for (int i = 0; i < batch; i++) {
        slices[i] = (struct iovec){octets[i], size};
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = &names[i], .msg_namelen = sizeof names[i], .msg_iov = &slices[i], .msg_iovlen = 1};
    }
    return recvmmsg(descriptor, messages, batch, 0, NULL);
}

// Sends the first `count` of the batch; `named` is set if each has a destination of its own.
static void send_all(int descriptor, int count, int named) {
    for (int i = 0; i < count; i++) {
        slices[i].iov_len = messages[i].msg_len;
        if (!named) messages[i].msg_hdr.msg_name = NULL, messages[i].msg_hdr.msg_namelen = 0;
    }
    for (int sent = 0; sent < count;) {
        int some = sendmmsg(descriptor, messages + sent, count - sent, 0);
        if (some <= 0) break;
        sent += some;
    }
}

int main(int count, char **arguments) {
    static int upstreams[ports];
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = ports}, events[ports + 1];
    struct sockaddr_in name = {.sin_family = AF_INET};
    int epoll = epoll_create1(0), listener;

    if (count != 4) return 2;
    listener = opened(arguments[1], atoi(arguments[2]));
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    name.sin_port = htons((uint16_t)atoi(arguments[3]));
    inet_pton(AF_INET, arguments[1], &name.sin_addr);
    for (int i = 0; i < ports; i++) {
        upstreams[i] = opened(arguments[1], 0);
        if (connect(upstreams[i], (struct sockaddr *)&name, sizeof name)) return perror("connect"), 1;
        event.data.u32 = (uint32_t)i;
        epoll_ctl(epoll, EPOLL_CTL_ADD, upstreams[i], &event);
    }
    for (;;) {
        int ready = epoll_wait(epoll, events, ports + 1, -1);
        for (int i = 0; i < ready; i++) {
            int port = (int)events[i].data.u32;
            if (port == ports) {
                int asked = received(listener);
                for (int j = 0; j < asked; j++) {
                    uint16_t id;
                    do id = (uint16_t)random_number();
                    while (askers[id].waits);
                    askers[id].waits = 1;
                    askers[id].name = names[j];
                    memcpy(&askers[id].id, octets[j], 2);
                    memcpy(octets[j], &id, 2);
                }
                if (asked > 0) send_all(upstreams[random_number() % ports], asked, 0);
            } else {
                int answered = received(upstreams[port]);
                for (int j = 0; j < answered; j++) {
                    uint16_t id;
                    memcpy(&id, octets[j], 2);
                    askers[id].waits = 0;
                    names[j] = askers[id].name;
                    memcpy(octets[j], &askers[id].id, 2);
                }
                if (answered > 0) send_all(listener, answered, 1);
            }
        }
    }
}
