// The floor for all servers: receives datagrams and sends them back, 64 at a time.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { batch = 64, size = 1500 };

int main(int count, char **arguments) {
    static unsigned char octets[batch][size];
    static struct sockaddr_in peers[batch];
    struct mmsghdr messages[batch];
    struct iovec slices[batch];
    struct sockaddr_in name = {.sin_family = AF_INET};
    int descriptor = socket(AF_INET, SOCK_DGRAM, 0);

    if (count != 3) return 2;
    name.sin_port = htons((unsigned short)atoi(arguments[2]));
    inet_pton(AF_INET, arguments[1], &name.sin_addr);
    if (bind(descriptor, (struct sockaddr *)&name, sizeof name)) {
        perror("bind");
        return 1;
    }
    for (;;) {
        for (int i = 0; i < batch; i++) {
            slices[i] = (struct iovec){octets[i], size};
            messages[i].msg_hdr = (struct msghdr){.msg_name = &peers[i], .msg_namelen = sizeof peers[i],
                                                  .msg_iov = &slices[i], .msg_iovlen = 1};
        }
        int received = recvmmsg(descriptor, messages, batch, MSG_WAITFORONE, NULL);
        for (int i = 0; i < received; i++) {
            slices[i].iov_len = messages[i].msg_len;
            octets[i][2] |= 0x80;
        }
        for (int sent = 0; sent < received;) {
            int some = sendmmsg(descriptor, messages + sent, received - sent, 0);
            if (some < 0) break;
            sent += some;
        }
    }
}
