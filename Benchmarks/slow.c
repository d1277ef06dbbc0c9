// An upstream that answers A queries with one address after a delay, and never those for names that begin with x:
// slow ADDRESS PORT MILLISECONDS.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { capacity = 1 << 16, size = 512 };

struct waiting {
    struct sockaddr_in peer;
    int64_t due;
    int length;
    unsigned char octets[size];
};

static struct waiting ring[capacity];

static int64_t milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// Turns a query into a response without OPT; returns its length, or 0 if it is not answered.
static int respond(unsigned char *message, int length) {
    static const unsigned char record[] = {0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 198, 51, 100, 1};
    if (length < 17 || message[12] == 0 || (message[13] | 0x20) == 'x') return 0;
    int end = 12;
    while (end < length && message[end] != 0) end += 1 + message[end];
    end += 5;
    if (end > length || end + (int)sizeof record > size) return 0;
    message[2] |= 0x80;
    message[3] = 0x80;
    memset(message + 6, 0, 6);
    message[7] = 1;
    memcpy(message + end, record, sizeof record);
    return end + sizeof record;
}

int main(int count, char **arguments) {
    if (count != 4) return 2;
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(atoi(arguments[2]))};
    inet_pton(AF_INET, arguments[1], &name.sin_addr);
    int socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    int room = 4 << 20;
    setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (bind(socket_, (struct sockaddr *)&name, sizeof name) != 0) return perror("bind"), 1;
    unsigned first = 0, end = 0;
    for (;;) {
        struct pollfd item = {.fd = socket_, .events = POLLIN};
        poll(&item, 1, first == end ? -1 : 1);
        for (int turn = 0; turn < 256 && end - first < capacity; turn++) {
            struct waiting *next = &ring[end % capacity];
            socklen_t nameSize = sizeof next->peer;
            int length = recvfrom(socket_, next->octets, size, 0, (struct sockaddr *)&next->peer, &nameSize);
            if (length < 0) break;
            next->length = respond(next->octets, length);
            next->due = milliseconds() + atoi(arguments[3]);
            if (next->length > 0) end++;
        }
        for (int64_t now = milliseconds(); first != end && ring[first % capacity].due <= now; first++) {
            struct waiting *next = &ring[first % capacity];
            sendto(socket_, next->octets, next->length, 0, (struct sockaddr *)&next->peer, sizeof next->peer);
        }
    }
}
