/* The limit: a hub that knows no routes.
 *
 * It takes sessions as a reflector does and answers OPEN and KEEPALIVE; every UPDATE's bytes it
 * copies, as they are, to all the other clients. What is read in one turn of the loop is kept once
 * and named in every client's queue; each client gets one writev a turn. When the slowest client
 * is too far behind nobody is read until it has caught up. */
#define _GNU_SOURCE 1 /* accept4 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { PEERS_MAX = 4096, HEADER = 19, MESSAGE_MAX = 4096, READ_MAX = 128 * 1024, IOV = 256 };
enum { OPEN = 1, UPDATE, NOTIFICATION, KEEPALIVE };
#define HELD_MAX (64u * 1024 * 1024) /* bytes kept for the slowest client before reading stops */

struct chunk {
    uint32_t users, len;
    uint8_t data[];
};

struct peer {
    int fd;
    bool established, dirty, blocked;
    uint32_t ncarry, hold_s;
    struct chunk **queue; /* a ring */
    uint32_t head, count, cap;
    size_t offset; /* sent of the first chunk */
    uint64_t next_keepalive_ms;
    uint8_t carry[MESSAGE_MAX];
};

static struct peer *peers[PEERS_MAX], *listener_mark;
static uint32_t npeers;
static size_t held;
static int epoll_fd;
static bool reading = true;
static struct chunk *keepalive;

static void *must(void *p) {
    if (!p) abort();
    return p;
}

static uint64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static struct chunk *chunk_new(const uint8_t *data, size_t len) {
    struct chunk *c = must(malloc(sizeof *c + len));
    c->users = 0;
    c->len = (uint32_t)len;
    memcpy(c->data, data, len);
    held += len;
    return c;
}

static void chunk_drop(struct chunk *c) {
    if (--c->users) return;
    held -= c->len;
    free(c);
}

static void enqueue(struct peer *p, struct chunk *c) {
    if (p->count == p->cap) {
        uint32_t cap = p->cap ? p->cap * 2 : 64;
        struct chunk **queue = must(malloc(cap * sizeof *queue));
        for (uint32_t i = 0; i < p->count; i++) queue[i] = p->queue[(p->head + i) % p->cap];
        free(p->queue);
        p->queue = queue;
        p->cap = cap;
        p->head = 0;
    }
    p->queue[(p->head + p->count++) % p->cap] = c;
    c->users++;
    p->dirty = true;
}

static void watch(struct peer *p, int op) {
    struct epoll_event e = {.data.ptr = p};
    if (reading) e.events |= EPOLLIN;
    if (p->blocked) e.events |= EPOLLOUT;
    epoll_ctl(epoll_fd, op, p->fd, &e);
}

static void peer_end(struct peer *p) {
    close(p->fd);
    for (uint32_t i = 0; i < p->count; i++) chunk_drop(p->queue[(p->head + i) % p->cap]);
    p->count = 0;
    p->fd = -1;
}

static void flush(struct peer *p) {
    struct iovec iov[IOV];
    p->dirty = false;
    while (p->count) {
        uint32_t n = p->count < IOV ? p->count : IOV;
        size_t total = 0;
        for (uint32_t i = 0; i < n; i++) {
            struct chunk *c = p->queue[(p->head + i) % p->cap];
            size_t skip = i ? 0 : p->offset;
            iov[i] = (struct iovec){c->data + skip, c->len - skip};
            total += iov[i].iov_len;
        }
        ssize_t sent = writev(p->fd, iov, (int)n);
        if (sent < 0 && errno != EAGAIN) {
            peer_end(p);
            return;
        }
        bool all = sent == (ssize_t)total;
        for (size_t left = sent > 0 ? (size_t)sent : 0; left;) {
            struct chunk *c = p->queue[p->head];
            if (left < c->len - p->offset) {
                p->offset += left;
                break;
            }
            left -= c->len - p->offset;
            p->offset = 0;
            p->head = (p->head + 1) % p->cap;
            p->count--;
            chunk_drop(c);
        }
        if (!all) break;
    }
    if (p->blocked != (p->count > 0)) {
        p->blocked = p->count > 0;
        watch(p, EPOLL_CTL_MOD);
    }
}

static void forward(struct peer *from, const uint8_t *data, size_t len) {
    struct chunk *c = NULL;
    for (uint32_t i = 0; i < npeers; i++) {
        if (peers[i] == from || !peers[i]->established || peers[i]->fd < 0) continue;
        if (!c) c = chunk_new(data, len);
        enqueue(peers[i], c);
    }
}

/* The client's own OPEN goes back to it, with another router id: so all its capabilities agree. */
static void answer_open(struct peer *p, const uint8_t *msg, size_t len) {
    uint8_t reply[MESSAGE_MAX];
    memcpy(reply, msg, len);
    memcpy(reply + HEADER + 5, "\x0a\xff\xff\x01", 4);
    p->hold_s = (uint32_t)(msg[HEADER + 3] << 8 | msg[HEADER + 4]);
    p->next_keepalive_ms = now_ms() + p->hold_s * 1000 / 3;
    enqueue(p, chunk_new(reply, len));
    enqueue(p, keepalive);
}

static void receive(struct peer *p) {
    static uint8_t buffer[MESSAGE_MAX + READ_MAX];
    memcpy(buffer, p->carry, p->ncarry);
    ssize_t got = recv(p->fd, buffer + p->ncarry, READ_MAX, 0);
    if (got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR)) peer_end(p);
        return;
    }
    uint8_t *at = buffer, *end = buffer + p->ncarry + got, *run = at;
    while (end - at >= HEADER) {
        size_t len = (size_t)(at[16] << 8 | at[17]);
        if (len < HEADER || len > MESSAGE_MAX) {
            peer_end(p);
            return;
        }
        if ((size_t)(end - at) < len) break;
        if (at[18] != UPDATE) { /* a run of UPDATEs ends here */
            if (at > run) forward(p, run, (size_t)(at - run));
            run = at + len;
            if (at[18] == OPEN) answer_open(p, at, len);
            if (at[18] == KEEPALIVE) p->established = true;
            if (at[18] == NOTIFICATION) {
                peer_end(p);
                return;
            }
        }
        at += len;
    }
    if (at > run) forward(p, run, (size_t)(at - run));
    p->ncarry = (uint32_t)(end - at);
    memcpy(p->carry, at, p->ncarry);
}

static void accept_all(int listener) {
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        int one = 1;
        if (npeers == PEERS_MAX) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct peer *p = peers[npeers++] = must(calloc(1, sizeof *p));
        p->fd = fd;
        watch(p, EPOLL_CTL_ADD);
    }
}

static void each_turn(void) {
    static uint64_t next_tick;
    uint64_t now = now_ms();
    bool tick = now >= next_tick;
    if (tick) next_tick = now + 200;
    for (uint32_t i = 0; i < npeers; i++) {
        struct peer *p = peers[i];
        if (p->fd >= 0 && tick && p->established && p->hold_s && now >= p->next_keepalive_ms) {
            enqueue(p, keepalive);
            p->next_keepalive_ms = now + p->hold_s * 1000 / 3;
        }
        if (p->fd >= 0 && p->dirty && !p->blocked) flush(p);
        if (p->fd < 0) {
            free(p->queue);
            free(p);
            peers[i--] = peers[--npeers];
        }
    }
    bool wanted = held < (reading ? HELD_MAX : HELD_MAX / 2);
    if (wanted == reading) return;
    reading = wanted;
    for (uint32_t i = 0; i < npeers; i++) watch(peers[i], EPOLL_CTL_MOD);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fputs("hub ADDRESS PORT\n", stderr);
        return 2;
    }
    uint8_t message[HEADER];
    memset(message, 0xff, 16);
    memcpy(message + 16, "\0\x13\x04", 3);
    keepalive = chunk_new(message, sizeof message);
    keepalive->users = 1;
    signal(SIGPIPE, SIG_IGN);
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
    at.sin_addr.s_addr = inet_addr(argv[1]);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 4096)) {
        perror("hub");
        return 1;
    }
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event events[256], e = {.events = EPOLLIN, .data.ptr = &listener_mark};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &e);
    for (;;) {
        int n = epoll_wait(epoll_fd, events, 256, 200);
        for (int i = 0; i < n; i++) {
            struct peer *p = events[i].data.ptr;
            if (events[i].data.ptr == (void *)&listener_mark) {
                accept_all(listener);
                continue;
            }
            if (p->fd >= 0 && events[i].events & EPOLLOUT) flush(p);
            if (p->fd >= 0 && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(p);
        }
        each_turn();
    }
}
