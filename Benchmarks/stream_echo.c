// The floor for answers over TCP: sends each message back, marked as a response. All messages of one read leave with
// one write.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { size = 1 << 17, most = 256 };

struct connection {
    int descriptor;
    size_t held;
    unsigned char octets[size];
};

static void end(struct connection *connection) {
    close(connection->descriptor);
    free(connection);
}

// Sends the complete messages back and keeps the rest.
static void serve(struct connection *connection) {
    ssize_t more = read(connection->descriptor, connection->octets + connection->held, size - connection->held);
    size_t whole = 0;
    if (more <= 0) {
        end(connection);
        return;
    }
    connection->held += (size_t)more;
    while (connection->held - whole >= 2) {
        unsigned char *frame = connection->octets + whole;
        size_t length = 2 + ((size_t)frame[0] << 8 | frame[1]);
        if (connection->held - whole < length) break;
        if (length > 4) frame[4] |= 0x80;
        whole += length;
    }
    for (size_t sent = 0; sent < whole;) {
        ssize_t some = write(connection->descriptor, connection->octets + sent, whole - sent);
        if (some <= 0) {
            end(connection);
            return;
        }
        sent += (size_t)some;
    }
    connection->held -= whole;
    memmove(connection->octets, connection->octets + whole, connection->held);
}

int main(int count, char **arguments) {
    struct sockaddr_in name = {.sin_family = AF_INET};
    struct epoll_event event = {.events = EPOLLIN}, events[most];
    int listener = socket(AF_INET, SOCK_STREAM, 0), datagrams = socket(AF_INET, SOCK_DGRAM, 0), on = 1;
    int epoll = epoll_create1(0);

    if (count != 3) return 2;
    name.sin_port = htons((uint16_t)atoi(arguments[2]));
    inet_pton(AF_INET, arguments[1], &name.sin_addr);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&name, sizeof name) || listen(listener, 128) ||
        bind(datagrams, (struct sockaddr *)&name, sizeof name)) {
        perror("bind");
        return 1;
    }
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    event.data.ptr = &datagrams;
    epoll_ctl(epoll, EPOLL_CTL_ADD, datagrams, &event);
    for (;;) {
        int ready = epoll_wait(epoll, events, most, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr == NULL) {
                struct connection *connection = malloc(sizeof *connection);
                connection->descriptor = accept(listener, NULL, NULL);
                connection->held = 0;
                setsockopt(connection->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                event.data.ptr = connection;
                epoll_ctl(epoll, EPOLL_CTL_ADD, connection->descriptor, &event);
            } else if (events[i].data.ptr == &datagrams) {
                // The check whether the server is up uses UDP.
                unsigned char octets[1500];
                struct sockaddr_in peer;
                socklen_t length = sizeof peer;
                ssize_t some = recvfrom(datagrams, octets, sizeof octets, 0, (struct sockaddr *)&peer, &length);
                octets[2] |= 0x80;
                if (some > 0) sendto(datagrams, octets, (size_t)some, 0, (struct sockaddr *)&peer, length);
            } else {
                serve(events[i].data.ptr);
            }
        }
    }
}
