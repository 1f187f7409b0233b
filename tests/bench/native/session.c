/* The clients and the one loop that serves them: connect, OPEN, keepalives, hold timers. */
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_MAX (256u * 1024)
#define SEND_TURN (512u * 1024) /* so that a large dump does not keep the loop from reading */
#define TICK (50 * MILLISECOND)

u64 now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * SECOND + (u64)t.tv_nsec;
}

/* The run is void. The first reason stands. */
void gen_fail(struct gen *g, const char *fmt, ...) {
    if (g->failed) return;
    g->failed = true;
    va_list args;
    va_start(args, fmt);
    vsnprintf(g->reason, sizeof g->reason, fmt, args);
    va_end(args);
}

static u32 numbered(u32 base, u32 id) { return base + (id / 200 << 8) + id % 200 + 1; }
static u32 client_address(u32 id) { return numbered(0x7f0a0000u, id); } /* 127.10.x.y */
u32 client_router_id(u32 id) { return numbered(0x0a140000u, id); }      /* 10.20.x.y */
u32 client_nexthop(u32 id) { return numbered(0x0a1e0000u, id); }        /* 10.30.x.y */

void gen_init(struct gen *g, u32 nclients) {
    g->nclients = nclients;
    g->clients = must(calloc(nclients, sizeof *g->clients));
    g->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (u32 i = 0; i < nclients; i++) {
        struct client *c = &g->clients[i];
        c->id = i;
        c->fd = -1;
        c->counted = true;
    }
}

static void watch(struct gen *g, struct client *c, int op) {
    struct epoll_event e = {.data.ptr = c};
    if (!c->paused) e.events |= EPOLLIN;
    if (c->waits_out) e.events |= EPOLLOUT;
    epoll_ctl(g->epoll, op, c->fd, &e);
}

static void set_state(struct gen *g, struct client *c, enum state next) {
    bool was = c->state > IDLE && c->state < ESTABLISHED;
    bool is = next > IDLE && next < ESTABLISHED;
    g->connecting += (u32)is - (u32)was;
    c->state = next;
}

/* Closes with a FIN; on purpose, so no session is lost by it. */
void client_close(struct gen *g, struct client *c) {
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
    c->queue_len = 0;
    c->loop_data = NULL;
    set_state(g, c, CLOSED);
}

/* The other side ended it, or went silent. Before Established it is dialled again. */
static void ended(struct gen *g, struct client *c, const char *how) {
    close(c->fd);
    c->fd = -1;
    c->queue_len = c->ncarry = 0;
    c->queue_off = 0;
    if (c->state == ESTABLISHED) {
        g->count.lost++;
        set_state(g, c, CLOSED);
        gen_fail(g, "client %u lost its session: %s", c->id, how);
        return;
    }
    set_state(g, c, IDLE);
    c->retry_ns = now_ns() + g->retry_ns;
    c->retries++;
    g->count.reconnects++;
}

static void flush(struct gen *g, struct client *c) {
    size_t turn = 0;
    bool blocked = false;
    while (c->queue_len && turn < SEND_TURN) {
        struct segment *s = &c->queue[c->queue_head];
        size_t n = s->len - c->queue_off;
        if (n > SEND_TURN) n = SEND_TURN;
        ssize_t sent = send(c->fd, s->data + c->queue_off, n, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EAGAIN || errno == EINTR) { blocked = true; break; }
            ended(g, c, strerror(errno));
            return;
        }
        turn += (size_t)sent;
        g->count.bytes_out += (u64)sent;
        c->queue_off += (size_t)sent;
        if (c->queue_off == s->len) {
            c->queue_off = 0;
            c->queue_head = (c->queue_head + 1) % 16;
            c->queue_len--;
            if (!c->queue_len && c->loop_data) {
                c->loops++;
                c->queue[c->queue_head] = (struct segment){c->loop_data, c->loop_len};
                c->queue_len = 1;
            }
        }
    }
    if (turn) c->last_tx_ns = now_ns();
    bool waits = blocked || c->queue_len;
    if (waits != c->waits_out) {
        c->waits_out = waits;
        watch(g, c, EPOLL_CTL_MOD);
    }
}

/* Queues whole messages; the bytes must stay until they are sent. */
void client_send(struct gen *g, struct client *c, const u8 *data, size_t len) {
    if (c->fd < 0 || !len) return;
    if (c->queue_len == 16) {
        gen_fail(g, "client %u: the reflector stopped reading", c->id);
        return;
    }
    c->queue[(c->queue_head + c->queue_len++) % 16] = (struct segment){data, len};
    if (!c->waits_out) flush(g, c);
}

void client_pause(struct gen *g, struct client *c, bool paused) {
    c->paused = paused;
    c->last_rx_ns = now_ns();
    if (c->fd >= 0) watch(g, c, EPOLL_CTL_MOD);
}

static void start_connect(struct gen *g, struct client *c) {
    int one = 1;
    struct sockaddr_in from = {.sin_family = AF_INET}, to = from;
    from.sin_addr.s_addr = htonl(client_address(c->id));
    to.sin_addr.s_addr = htonl(g->server_addr);
    to.sin_port = htons(g->port);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(c->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&from, sizeof from)) {
        gen_fail(g, "client %u: %s", c->id, strerror(errno));
        return;
    }
    if (!c->connect_ns) c->connect_ns = now_ns();
    set_state(g, c, CONNECTING);
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) {
        ended(g, c, strerror(errno));
        return;
    }
    c->waits_out = true;
    watch(g, c, EPOLL_CTL_ADD);
}

static void connected(struct gen *g, struct client *c) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) {
        ended(g, c, strerror(error));
        return;
    }
    if (!c->accepted_ns) c->accepted_ns = now_ns();
    u8 open[128];
    size_t len = wire_open(open, client_router_id(c->id), (u16)g->hold_s);
    if (send(c->fd, open, len, MSG_NOSIGNAL) != (ssize_t)len) {
        ended(g, c, "OPEN was not taken");
        return;
    }
    c->last_rx_ns = c->last_tx_ns = now_ns();
    c->waits_out = false;
    watch(g, c, EPOLL_CTL_MOD);
    set_state(g, c, OPENSENT);
}

static void message(struct gen *g, struct client *c, const u8 *msg, size_t len) {
    char text[80];
    switch (msg[18]) {
    case MSG_OPEN:
        if (c->state != OPENSENT) break;
        set_state(g, c, OPENCONFIRM);
        client_send(g, c, KEEPALIVE, HEADER_LEN);
        break;
    case MSG_KEEPALIVE:
        g->count.keepalives_in++;
        if (c->state != OPENCONFIRM) break;
        set_state(g, c, ESTABLISHED);
        c->established_ns = now_ns();
        break;
    case MSG_UPDATE:
        if (c->state == ESTABLISHED) verify_update(g, c, msg, len);
        break;
    case MSG_NOTIFICATION:
        g->count.notifications++;
        snprintf(text, sizeof text, "NOTIFICATION %u/%u", msg[19], len > 20 ? msg[20] : 0);
        ended(g, c, text);
        break;
    default:
        break;
    }
}

static void receive(struct gen *g, struct client *c) {
    static u8 buffer[MESSAGE_MAX + READ_MAX];
    memcpy(buffer, c->carry, c->ncarry);
    ssize_t got = recv(c->fd, buffer + c->ncarry, READ_MAX, 0);
    if (got <= 0) {
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        ended(g, c, got ? strerror(errno) : "closed by the reflector");
        return;
    }
    g->count.bytes_in += (u64)got;
    c->last_rx_ns = now_ns();
    const u8 *p = buffer, *end = buffer + c->ncarry + got;
    c->ncarry = 0;
    while (end - p >= (ptrdiff_t)HEADER_LEN) {
        size_t len = get16(p + 16);
        if (len < HEADER_LEN || len > MESSAGE_MAX) {
            gen_fail(g, "client %u: a message of %zu bytes", c->id, len);
            return;
        }
        if ((size_t)(end - p) < len) break;
        message(g, c, p, len);
        if (c->fd < 0 || g->failed) return;
        p += len;
    }
    c->ncarry = (u32)(end - p);
    memcpy(c->carry, p, c->ncarry);
}

static void tick(struct gen *g, u64 now) {
    u64 hold = g->hold_s * SECOND;
    for (u32 i = 0; i < g->nclients; i++) {
        struct client *c = &g->clients[i];
        if (c->state != ESTABLISHED) continue;
        if (!c->queue_len && now - c->last_tx_ns >= hold / 3 - TICK)
            client_send(g, c, KEEPALIVE, HEADER_LEN);
        if (!c->paused && now > c->last_rx_ns + hold) {
            static const u8 expired[2] = {4, 0};
            u8 note[HEADER_LEN + 2];
            wire_header(note, MSG_NOTIFICATION, sizeof note);
            memcpy(note + HEADER_LEN, expired, 2);
            send(c->fd, note, sizeof note, MSG_NOSIGNAL);
            ended(g, c, "hold timer expired: the reflector was silent");
        }
    }
}

/* Serves all clients until the condition holds (true) or the deadline passes (false). */
bool run_until(struct gen *g, bool (*cond)(struct gen *), u64 deadline_ns) {
    struct epoll_event events[256];
    while (!g->failed) {
        if (cond && cond(g)) return true;
        u64 now = now_ns();
        if (now >= deadline_ns) return false;
        if (now >= g->next_tick_ns) {
            tick(g, now);
            g->next_tick_ns = now + TICK;
        }
        u64 wait = g->next_tick_ns - now;
        if (deadline_ns - now < wait) wait = deadline_ns - now;
        if (g->connect_next < g->connect_last && wait > MILLISECOND) wait = MILLISECOND;
        struct timespec ts = {0, (long)wait};
        int n = epoll_pwait2(g->epoll, events, 256, &ts, NULL);
        for (int i = 0; i < n && !g->failed; i++) {
            struct client *c = events[i].data.ptr;
            if (c->fd < 0) continue;
            if (c->state == CONNECTING) {
                connected(g, c);
                continue;
            }
            if (events[i].events & EPOLLOUT) flush(g, c);
            if (c->fd >= 0 && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(g, c);
        }
    }
    return false;
}

/* Dials what is still to be dialled, a few at a time: a listener's backlog is not the subject. */
static bool all_established(struct gen *g) {
    u64 now = now_ns();
    while (g->connect_next < g->connect_last &&
           g->clients[g->connect_next].state == ESTABLISHED)
        g->connect_next++;
    for (u32 i = g->connect_next; i < g->connect_last; i++) {
        struct client *c = &g->clients[i];
        if (c->state == IDLE && g->connecting < g->dial_max && now >= c->retry_ns)
            start_connect(g, c);
    }
    return g->connect_next == g->connect_last;
}

bool connect_range(struct gen *g, u32 first, u32 last, u64 deadline_ns) {
    g->connect_next = first;
    g->connect_last = last;
    if (run_until(g, all_established, deadline_ns)) return true;
    u32 up = 0;
    for (u32 i = first; i < last; i++) up += g->clients[i].state == ESTABLISHED;
    gen_fail(g, "only %u of %u sessions came up", up, last - first);
    return false;
}

bool all_match(struct gen *g) { return g->pending == 0; }
bool probe_arrived(struct gen *g) { return g->probe_left == 0; }
