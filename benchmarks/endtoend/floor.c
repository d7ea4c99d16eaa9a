/* The floor of a cached read: answers every query with the same row, on one thread, and understands nothing else.
   cc -O2 -o floor floor.c; ./floor PORT. Speaks the simple and the extended protocol, without authentication. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { ROOM = 1 << 16 };
struct client { int fd; int started; size_t held; unsigned char in[ROOM]; };

static const char LOGIN[] = "R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
static const char COLUMNS[] = "T\0\0\0\x21\0\x01" "abalance\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0";
static const char ROW[] = "D\0\0\0\x0b\0\x01\0\0\0\x01" "0" "C\0\0\0\x0dSELECT 1\0";
static const char READY[] = "Z\0\0\0\x05I";

static size_t put(unsigned char *out, size_t at, const char *bytes, size_t length) {
    memcpy(out + at, bytes, length);
    return at + length;
}

static size_t answer(unsigned char type, unsigned char *out, size_t at) {
    switch (type) {
        case 'Q':
            at = put(out, at, COLUMNS, sizeof COLUMNS - 1);
            at = put(out, at, ROW, sizeof ROW - 1);
            return put(out, at, READY, sizeof READY - 1);
        case 'P': return put(out, at, "1\0\0\0\x04", 5);
        case 'B': return put(out, at, "2\0\0\0\x04", 5);
        case 'C': return put(out, at, "3\0\0\0\x04", 5);
        case 'D': return put(out, at, COLUMNS, sizeof COLUMNS - 1);
        case 'E': return put(out, at, ROW, sizeof ROW - 1);
        case 'S': return put(out, at, READY, sizeof READY - 1);
        default: return at;
    }
}

/* 0 if the client is to be closed. */
static int serve(struct client *c) {
    static unsigned char out[ROOM * 4];
    ssize_t got = read(c->fd, c->in + c->held, ROOM - c->held);
    if (got <= 0) return 0;
    c->held += got;
    size_t at = 0, to = 0;
    while (c->held - at >= 5) {
        unsigned char *m = c->in + at;
        unsigned char *length_at = c->started ? m + 1 : m;
        size_t length = ntohl(*(uint32_t *)length_at) + c->started;
        if (length > ROOM) return 0;
        if (c->held - at < length) break;
        if (!c->started && length == 8) {
            to = put(out, to, "N", 1); /* SSLRequest */
        } else if (!c->started) {
            to = put(out, to, LOGIN, sizeof LOGIN - 1);
            c->started = 1;
        } else if (*m == 'X') {
            return 0;
        } else {
            to = answer(*m, out, to);
        }
        at += length;
    }
    memmove(c->in, c->in + at, c->held - at);
    c->held -= at;
    return to == 0 || write(c->fd, out, to) == (ssize_t)to;
}

int main(int argc, char **argv) {
    int one = 1, server = socket(AF_INET, SOCK_STREAM, 0), epoll = epoll_create1(0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(server, (struct sockaddr *)&address, sizeof address) || listen(server, 1000)) {
        perror("floor");
        return 1;
    }
    struct epoll_event event = {.events = EPOLLIN}, events[256];
    epoll_ctl(epoll, EPOLL_CTL_ADD, server, &event);
    for (;;) {
        int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            struct client *c = events[i].data.ptr;
            if (!c) {
                c = calloc(1, sizeof *c);
                c->fd = accept(server, 0, 0);
                setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                event.data.ptr = c;
                epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
            } else if (!serve(c)) {
                close(c->fd);
                free(c);
            }
        }
    }
}
