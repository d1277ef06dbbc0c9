// The Linux socket calls and macros that Swift's Glibc module lacks or cannot express. Each
// function makes one call or walks the control messages once; no function makes a decision.
#ifndef CSOCKETS_H
#define CSOCKETS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/types.h>

/// `struct mmsghdr`, which glibc declares only with _GNU_SOURCE.
struct csockets_message {
    struct msghdr header;
    /// Octets received or sent.
    unsigned int length;
};

/// Octets for the control message of one datagram, IPv4 or IPv6.
enum { csockets_control_size = 64 };

/// The local address that a datagram was sent to, or is to be sent from.
struct csockets_packet_info {
    /// 4 or 6; 0 if there is no packet info.
    int32_t family;
    /// Interface of a link-local IPv6 address; 0 otherwise.
    uint32_t interface;
    /// In network byte order. An IPv4 address is in the first four octets.
    uint8_t address[16];
};

/// `struct ucred`, which glibc declares only with _GNU_SOURCE: the credentials of the peer of a
/// UNIX socket.
struct csockets_credentials {
    int32_t process;
    uint32_t user;
    uint32_t group;
};

/// Calls recvmmsg, which does not block.
int csockets_receive(int descriptor, struct csockets_message *messages, unsigned int count);
/// Calls sendmmsg, which does not block.
int csockets_send(int descriptor, struct csockets_message *messages, unsigned int count);

/// Finds the packet info among the control messages of a received datagram.
struct csockets_packet_info csockets_read_packet_info(const struct msghdr *header);
/// Writes packet info to `control`, which has `csockets_control_size` octets; returns the octets
/// used.
size_t csockets_write_packet_info(void *control, struct csockets_packet_info info);

/// Makes an epoll descriptor.
int csockets_epoll_create(void);
/// Reports `token` while `watched` is readable, until `watched` is closed or removed.
int csockets_epoll_add(int epoll, int watched, uint64_t token);
int csockets_epoll_remove(int epoll, int watched);
/// Changes what is reported of `watched` to `readiness`. Errors and the end of both directions are
/// always reported.
int csockets_epoll_change(int epoll, int watched, uint64_t token, uint32_t readiness);
extern const uint32_t csockets_epoll_readable, csockets_epoll_writable, csockets_epoll_ended;
/// A token and the readiness of its descriptor.
struct csockets_event {
    uint64_t token;
    uint32_t readiness;
};
enum { csockets_epoll_capacity = 128 };
/// Waits up to `timeout` milliseconds and writes up to `csockets_epoll_capacity` events; returns
/// their number.
int csockets_epoll_wait(int epoll, struct csockets_event *events, int timeout);

/// Calls accept4; the new descriptor does not block and is closed on exec.
int csockets_accept(int listener, struct sockaddr *name, socklen_t *size);

/// Calls getrandom without flags.
ssize_t csockets_random(void *octets, size_t count);

/// Adds 1 to an eventfd.
int csockets_eventfd_signal(int descriptor);
/// Sets an eventfd back to 0.
int csockets_eventfd_clear(int descriptor);

/// Socket options whose names Swift imports differently, or not at all, on some machines.
extern const int csockets_ip_packet_info, csockets_ipv6_packet_info;
extern const int csockets_ip_path_mtu, csockets_ip_path_mtu_probe;
extern const int csockets_ipv6_path_mtu, csockets_ipv6_path_mtu_probe;
extern const int csockets_ip_fragment_size, csockets_ipv6_fragment_size;

/// Starts a detached thread that calls `body` with `context`; returns 0 or an error number.
///
/// Every signal is blocked in the thread. ps and top show `name`.
int csockets_start_thread(const char *name, void (*body)(void *), void *context);
/// Lowers the priority of the calling thread to nice value 10.
void csockets_give_way(void);

#endif
