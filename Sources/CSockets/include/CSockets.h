// The socket calls and macros of Linux that Swift's Glibc module lacks or cannot express. Nothing
// here decides anything: each function is one call or one walk over control messages.
#ifndef CSOCKETS_H
#define CSOCKETS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/types.h>

/// `struct mmsghdr`, which glibc shows only to _GNU_SOURCE.
struct csockets_message {
    struct msghdr header;
    /// Octets received or sent.
    unsigned int length;
};

/// Octets that hold the control message of one datagram, either family.
enum { csockets_control_size = 64 };

/// The address of ours that a datagram was sent to, or is to be sent from.
struct csockets_packet_info {
    /// 4, 6, or 0 where there is none.
    int32_t family;
    /// Interface of a link-local IPv6 address; 0 otherwise.
    uint32_t interface;
    /// Network order; IPv4 in the first four octets.
    uint8_t address[16];
};

/// `struct ucred`, which glibc shows only to _GNU_SOURCE: who is at the other end of a UNIX socket.
struct csockets_credentials {
    int32_t process;
    uint32_t user;
    uint32_t group;
};

/// recvmmsg without waiting.
int csockets_receive(int descriptor, struct csockets_message *messages, unsigned int count);
/// sendmmsg without waiting.
int csockets_send(int descriptor, struct csockets_message *messages, unsigned int count);

/// Finds the packet info among the control messages of a received datagram.
struct csockets_packet_info csockets_read_packet_info(const struct msghdr *header);
/// Writes packet info over `csockets_control_size` octets at `control`; how many it takes.
size_t csockets_write_packet_info(void *control, struct csockets_packet_info info);

/// A new epoll descriptor.
int csockets_epoll_create(void);
/// Reports `token` while `watched` is readable, until it is closed or removed.
int csockets_epoll_add(int epoll, int watched, uint64_t token);
int csockets_epoll_remove(int epoll, int watched);
/// Reports what `readiness` says from now on, and always errors and the end of both directions.
int csockets_epoll_change(int epoll, int watched, uint64_t token, uint32_t readiness);
extern const uint32_t csockets_epoll_readable, csockets_epoll_writable, csockets_epoll_ended;
/// A token, and what has come of what it stands for.
struct csockets_event {
    uint64_t token;
    uint32_t readiness;
};
enum { csockets_epoll_capacity = 128 };
/// Waits up to `timeout` milliseconds; writes up to `csockets_epoll_capacity` events, and returns how
/// many.
int csockets_epoll_wait(int epoll, struct csockets_event *events, int timeout);

/// accept4, close-on-exec and without waiting.
int csockets_accept(int listener, struct sockaddr *name, socklen_t *size);

/// getrandom without flags.
ssize_t csockets_random(void *octets, size_t count);

/// Adds 1 to an eventfd.
int csockets_eventfd_signal(int descriptor);
/// Sets an eventfd back to 0.
int csockets_eventfd_clear(int descriptor);

/// Socket options whose names Swift does not import alike on every machine.
extern const int csockets_ip_packet_info, csockets_ipv6_packet_info;
extern const int csockets_ip_path_mtu, csockets_ip_path_mtu_probe;
extern const int csockets_ipv6_path_mtu, csockets_ipv6_path_mtu_probe;
extern const int csockets_ip_fragment_size, csockets_ipv6_fragment_size;

/// Starts a detached thread with every signal blocked, whose name is shown by ps and top; 0 or an
/// error number. `body` gets `context`.
int csockets_start_thread(const char *name, void (*body)(void *), void *context);
/// From now on other threads go before the calling one.
void csockets_give_way(void);

#endif
