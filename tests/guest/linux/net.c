/* Sockets and waiting for descriptors: TCP, UDP, UNIX, messages with descriptors, poll, select, epoll, event and timer fds. */
#include "check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>

int main(void)
{
    char buf[64] = "";
    int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    VALUE(l >= 0);
    VALUE(fcntl(l, F_GETFD));
    VALUE(setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, peer;
    socklen_t n = sizeof(sa);
    VALUE(bind(l, (struct sockaddr *)&sa, sizeof(sa)));
    VALUE(getsockname(l, (struct sockaddr *)&sa, &n));
    VALUE(n);
    VALUE(sa.sin_port != 0);
    VALUE(listen(l, 5));
    pid_t pid = fork();
    if (!pid) {
        int c = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(c, (struct sockaddr *)&sa, sizeof(sa)))
            _exit(1);
        _exit(send(c, "over tcp", 8, 0) != 8 || recv(c, buf, 64, 0) != 5);
    }
    n = sizeof(peer);
    int c = accept4(l, (struct sockaddr *)&peer, &n, SOCK_NONBLOCK);
    VALUE(c >= 0);
    VALUE(peer.sin_family);
    VALUE((fcntl(c, F_GETFL) & O_NONBLOCK) != 0);
    struct pollfd pf = {c, POLLIN | POLLOUT, 0};
    VALUE(poll(&pf, 1, 2000));
    while (!(pf.revents & POLLIN))
        poll(&pf, 1, 2000);
    int avail = 0;
    VALUE(ioctl(c, FIONREAD, &avail));
    VALUE(avail);
    VALUE(recv(c, buf, 4, MSG_PEEK));
    VALUE(read(c, buf, 64));
    TEXT(buf);
    VALUE(setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
    n = sizeof(one);
    one = 0;
    VALUE(getsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, &n));
    VALUE(one);
    VALUE(write(c, "reply", 5));
    VALUE(shutdown(c, SHUT_WR));
    int status;
    waitpid(pid, &status, 0);
    VALUE(WEXITSTATUS(status));
    close(c);
    close(l);
    c = socket(AF_INET, SOCK_STREAM, 0);
    TRY(connect(c, (struct sockaddr *)&sa, sizeof(sa)));

    int u1 = socket(AF_INET, SOCK_DGRAM, 0), u2 = socket(AF_INET, SOCK_DGRAM, 0);
    sa.sin_port = 0;
    VALUE(bind(u1, (struct sockaddr *)&sa, sizeof(sa)));
    n = sizeof(sa);
    getsockname(u1, (struct sockaddr *)&sa, &n);
    VALUE(sendto(u2, "datagram", 8, 0, (struct sockaddr *)&sa, sizeof(sa)));
    n = sizeof(peer);
    memset(buf, 0, sizeof(buf));
    VALUE(recvfrom(u1, buf, 64, 0, (struct sockaddr *)&peer, &n));
    TEXT(buf);
    VALUE(n);
    TRY(recvfrom(u1, buf, 64, MSG_DONTWAIT, NULL, NULL));

    struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "sock"};
    l = socket(AF_UNIX, SOCK_STREAM, 0);
    VALUE(bind(l, (struct sockaddr *)&un, sizeof(un)));
    TRY(bind(l, (struct sockaddr *)&un, sizeof(un)));
    VALUE(listen(l, 1));
    c = socket(AF_UNIX, SOCK_STREAM, 0);
    VALUE(connect(c, (struct sockaddr *)&un, sizeof(un)));
    int a = accept(l, NULL, NULL);
    VALUE(a >= 0);
    int fds[2];
    VALUE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));

    int p[2];
    VALUE(pipe(p));
    union {
        struct cmsghdr h;
        char bytes[CMSG_SPACE(sizeof(int))];
    } ctl;
    struct iovec iov[2] = {{"pass", 4}, {"ed", 2}};
    struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2, .msg_control = &ctl, .msg_controllen = sizeof(ctl)};
    memset(&ctl, 0, sizeof(ctl));
    ctl.h.cmsg_len = CMSG_LEN(sizeof(int));
    ctl.h.cmsg_level = SOL_SOCKET;
    ctl.h.cmsg_type = SCM_RIGHTS;
    memcpy(CMSG_DATA(&ctl.h), &p[1], sizeof(int));
    VALUE(sendmsg(fds[0], &m, 0));
    memset(buf, 0, sizeof(buf));
    memset(&ctl, 0, sizeof(ctl));
    struct iovec in = {buf, sizeof(buf)};
    struct msghdr r = {.msg_iov = &in, .msg_iovlen = 1, .msg_control = &ctl, .msg_controllen = sizeof(ctl)};
    VALUE(recvmsg(fds[1], &r, 0));
    TEXT(buf);
    VALUE(r.msg_controllen);
    int passed;
    memcpy(&passed, CMSG_DATA(&ctl.h), sizeof(int));
    VALUE(write(passed, "x", 1));
    VALUE(read(p[0], buf, 1));

    int ep = epoll_create1(EPOLL_CLOEXEC), ev = eventfd(0, EFD_NONBLOCK), tf = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = 0x1122334455667788ull}, out[4];
    VALUE(epoll_ctl(ep, EPOLL_CTL_ADD, ev, &e));
    e.data.u64 = 99;
    VALUE(epoll_ctl(ep, EPOLL_CTL_ADD, tf, &e));
    TRY(epoll_ctl(ep, EPOLL_CTL_ADD, tf, &e));
    VALUE(epoll_wait(ep, out, 4, 0));
    uint64_t v = 5;
    VALUE(write(ev, &v, 8));
    VALUE(epoll_wait(ep, out, 4, 1000));
    VALUE(out[0].data.u64 == 0x1122334455667788ull);
    VALUE(out[0].events);
    VALUE(read(ev, &v, 8));
    VALUE(v);
    TRY(read(ev, &v, 8));
    struct itimerspec its = {.it_value = {0, 10000000}};
    VALUE(timerfd_settime(tf, 0, &its, NULL));
    VALUE(epoll_wait(ep, out, 4, 2000));
    VALUE(out[0].data.u64);
    VALUE(read(tf, &v, 8));
    VALUE(v);
    VALUE(epoll_ctl(ep, EPOLL_CTL_DEL, tf, NULL));

    fd_set rd;
    FD_ZERO(&rd);
    FD_SET(p[0], &rd);
    struct timeval tv = {0, 10000};
    VALUE(select(p[0] + 1, &rd, NULL, NULL, &tv));
    VALUE(write(p[1], "y", 1));
    FD_SET(p[0], &rd);
    tv.tv_sec = 2;
    VALUE(select(p[0] + 1, &rd, NULL, NULL, &tv));
    VALUE(FD_ISSET(p[0], &rd) != 0);
    return 0;
}
