// Sends queries for new names from 64 addresses, starting at 127.20.1.1, and reads no answers:
// flood ADDRESS PORT QUERIES-PER-SECOND. It runs until it is stopped, at most a minute.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { clients = 64, batch = 16 };

static int64_t microseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int main(int count, char **arguments) {
    if (count != 4) return 2;
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(atoi(arguments[2]))};
    inet_pton(AF_INET, arguments[1], &peer.sin_addr);
    int sockets[clients];
    for (int index = 0; index < clients; index++) {
        struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7F140101 + index)};
        sockets[index] = socket(AF_INET, SOCK_DGRAM, 0);
        int room = 4096;
        setsockopt(sockets[index], SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
        if (bind(sockets[index], (struct sockaddr *)&name, sizeof name) != 0) return perror("bind"), 1;
    }
    static const unsigned char head[] = {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 17, 'x'};
    static const unsigned char tail[] = {5, 'f', 'l', 'o', 'o', 'd', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0, 0, 1, 0, 1};
    double rate = atof(arguments[3]);
    int64_t start = microseconds();
    for (int64_t sent = 0; microseconds() - start < 60000000;) {
        int64_t ahead = sent * 1000000 / rate - (microseconds() - start);
        if (ahead > 0) {
            struct timespec pause = {.tv_nsec = ahead < 1000 ? ahead * 1000 : 1000000};
            nanosleep(&pause, NULL);
            continue;
        }
        for (int index = 0; index < batch; index++, sent++) {
            unsigned char query[sizeof head + 16 + sizeof tail + 1];
            memcpy(query, head, sizeof head);
            sprintf((char *)query + sizeof head, "%016llx", (unsigned long long)(sent ^ start << 24));
            memcpy(query + sizeof head + 16, tail, sizeof tail);
            sendto(sockets[sent % clients], query, sizeof query - 1, 0, (struct sockaddr *)&peer, sizeof peer);
        }
    }
}
