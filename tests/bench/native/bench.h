/* What the parts of the load generator share: the wire, the table, the clients and the clock. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define LOCAL_AS 64512u
#define HEADER_LEN 19u
#define MESSAGE_MAX 4096u
#define SECOND 1000000000ull
#define MILLISECOND 1000000ull

/* Values of a table entry that name no attribute set. */
#define NONE 0u            /* no path held, none wanted */
#define ANY 0xFFFFFFFEu    /* whatever is held will do (a prefix that is being flooded) */
#define BAD 0xFFFFFFFFu    /* attributes that nobody sent */
#define NOBODY 0xFFFFFFFFu /* an owner that is no client */

enum { MSG_OPEN = 1, MSG_UPDATE, MSG_NOTIFICATION, MSG_KEEPALIVE, MSG_REFRESH };

/* ---- wire.c: messages to bytes and back ---- */

struct buf {
    u8 *data;
    size_t len, cap;
};

struct attrs {
    u8 origin;
    u8 npath, ncomm, nlarge;
    u8 family;
    bool has_med, has_aggregator, atomic;
    u32 path[16];
    u32 comm[16];
    u32 large[4][3];
    u32 local_pref, med, aggregator;
    u8 nexthop[16];
};

struct update {
    const u8 *withdrawn, *nlri, *mp_nlri, *mp_withdrawn;
    u32 withdrawn_len, nlri_len, mp_nlri_len, mp_withdrawn_len;
    u8 mp_family, mp_withdrawn_family;
    bool has_attrs, has_originator;
    u32 originator, cluster_len;
    u64 hash; /* of every attribute but ORIGINATOR_ID and CLUSTER_LIST, in any order */
};

static inline u16 get16(const u8 *p) { return (u16)(p[0] << 8 | p[1]); }
static inline u32 get32(const u8 *p) {
    return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}
static inline void put16(u8 *p, u32 v) { p[0] = (u8)(v >> 8); p[1] = (u8)v; }
static inline void put32(u8 *p, u32 v) { put16(p, v >> 16); put16(p + 2, v); }

extern const u8 KEEPALIVE[HEADER_LEN];
void *must(void *memory);
void buf_add(struct buf *b, const void *data, size_t len);
size_t wire_header(u8 *out, u8 type, size_t len);
size_t wire_open(u8 *out, u32 router_id, u16 hold_s);
size_t wire_attrs(const struct attrs *a, u8 *out);
extern bool wire_ignore_med_zero; /* some speakers add a MED of 0 where there was none */
u64 wire_attrs_hash(const u8 *p, size_t len, const u8 *nexthop6);
bool wire_update(const u8 *msg, size_t len, struct update *u);

/* ---- table.c: which prefix, which attributes, and who must hold what ---- */

struct want {
    u32 attr, owner;
};

struct attrset {
    u64 hash;
    size_t offset; /* of its encoding in the arena */
    u32 source;
    u16 len;
};

struct table {
    int family;
    bool mixed;            /* prefix lengths differ: looked up by hash, else by arithmetic */
    u32 count;             /* prefixes */
    u32 *addr;             /* mixed only */
    u8 *plen;              /* mixed only */
    u32 *slots, slot_mask; /* mixed only */
    struct want *want;
    struct attrset *sets; /* set 0 is NONE */
    u32 nsets, cap;
    u32 *set_slots, set_mask;
    struct buf arena;
};

struct prefixes {
    const u32 *list; /* NULL: first, first + step, ... */
    u32 first, step, count;
};

void table_init(struct table *t, int family, u32 count, u32 expected_sets);
void table_mix(struct table *t, u64 seed);
u32 table_attrs(struct table *t, u32 source, const struct attrs *a);
u32 table_find_set(const struct table *t, u64 hash);
u32 table_find4(const struct table *t, u32 addr, u8 len);
size_t table_prefix(const struct table *t, u32 index, u8 *out);
void table_announce(const struct table *t, struct buf *b, u32 set, struct prefixes p, u32 per_update);
void table_withdraw(const struct table *t, struct buf *b, struct prefixes p);
u64 random_next(u64 *state);

static inline u32 prefixes_at(const struct prefixes *p, u32 i) {
    return p->list ? p->list[p->first + i] : p->first + i * p->step;
}

#define BASE24 0x140000u /* 20.0.0.0/24 is prefix 0 of a uniform IPv4 table */
#define BASE6 0x20010db8u /* 2001:db8:0:0::/64 is prefix 0 of the IPv6 table */

/* ---- session.c: the clients and the loop that serves them ---- */

enum state { IDLE, CONNECTING, OPENSENT, OPENCONFIRM, ESTABLISHED, CLOSED };

struct segment {
    const u8 *data;
    size_t len;
};

struct client {
    int fd;
    enum state state;
    u32 id;
    struct segment queue[16];
    u32 queue_head, queue_len;
    size_t queue_off;
    const u8 *loop_data; /* sent over and over while set */
    size_t loop_len;
    u64 loops;
    u32 *held; /* attribute set held for each prefix */
    u32 mismatches;
    bool counted; /* this client's table must match */
    bool done, probe_ok, paused, waits_out;
    u64 done_ns, established_ns, connect_ns, accepted_ns, last_rx_ns, last_tx_ns, retry_ns;
    u32 ncarry, retries, eors;
    u8 carry[MESSAGE_MAX];
};

struct counters {
    u64 bytes_in, bytes_out, updates_in, keepalives_in, prefixes_in, withdrawn_in;
    u64 extra, echoed, notifications, lost, reconnects;
};

struct gen {
    struct table table;
    struct client *clients;
    u32 nclients, pending; /* counted clients whose table does not match yet */
    u32 connect_last, connect_next, connecting, dial_max;
    u32 probe_prefix, probe_left;
    u64 probe_ns;
    bool probing;
    int epoll;
    u32 server_addr;
    u16 port, hold_s;
    bool hub; /* it adds no ORIGINATOR_ID and no CLUSTER_LIST */
    bool failed;
    char reason[400];
    u64 deadline_ns, next_tick_ns, finished_ns, retry_ns;
    struct counters count;
};

u64 now_ns(void);
void gen_fail(struct gen *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void gen_init(struct gen *g, u32 nclients);
u32 client_router_id(u32 id);
u32 client_nexthop(u32 id);
void client_send(struct gen *g, struct client *c, const u8 *data, size_t len);
void client_pause(struct gen *g, struct client *c, bool paused);
void client_close(struct gen *g, struct client *c);
bool connect_range(struct gen *g, u32 first, u32 last, u64 deadline_ns);
bool run_until(struct gen *g, bool (*cond)(struct gen *), u64 deadline_ns);
bool all_match(struct gen *g);
bool probe_arrived(struct gen *g);

/* ---- verify.c: what arrived against what must be held ---- */

void verify_update(struct gen *g, struct client *c, const u8 *msg, size_t len);
void verify_recount(struct gen *g);
void verify_set(struct gen *g, u32 prefix, u32 attr);
void probe_start(struct gen *g, u32 prefix);
void describe_set(const struct table *t, u32 set, char *out, size_t size);

static inline u32 wanted(const struct want *w, u32 client) {
    return w->owner == client ? NONE : w->attr;
}

/* ---- traffic.c: what each load sends, all of it written before the clock starts ---- */

struct plan {
    struct buf *send; /* per client: its first table */
};

struct attrs traffic_attrs(int family, u32 client);
struct own {
    int family;
    u32 senders, routes, first_routes; /* client 0 may have another number of routes */
    bool unique;                       /* every route has attributes and an UPDATE of its own */
};

void plan_each_own(struct gen *g, struct plan *p, struct own o);
void plan_overlap(struct gen *g, struct plan *p, u32 routes);
void plan_full_table(struct gen *g, struct plan *p, u32 routes, u32 senders);
/* Tables whose routes change: version v of group k of per_set prefixes is set 1 + v * groups + k;
 * one more prefix at the end, with one set of its own, is the probe. */
void plan_versions(struct gen *g, u32 movers, u32 routes, u32 per_set, u32 versions, u32 prober);

/* ---- scenario.c: the timed part of each load; behaviour.c: loads that misbehave ---- */

struct options {
    const char *load;
    u32 clients, routes, first_routes, senders, samples, passes;
    int family;
    u64 limit_ns, settle_ns, gap_ns;
    bool sync;
};

struct latencies {
    u64 *ns;
    u32 count, cap;
};

struct result {
    u64 main_ns, sessions_ns; /* the load's figure; from the first dial to the last session up */
    struct { const char *name; u64 ns; } extra[12];
    u32 nextra;
    struct { const char *name; struct latencies l; } latency[6];
    u32 nlatency;
    u64 cpu_ns, clock_ns; /* the generator's own CPU time while the clock ran */
};

void clock_start(struct gen *g, const struct options *o, struct result *r);
void clock_stop(struct gen *g, const struct options *o, struct result *r);
void pass(struct gen *g, u64 ns);
bool await(struct gen *g, bool (*cond)(struct gen *), const char *what);
bool still(struct gen *g);
bool sessions_up(struct gen *g, const struct options *o, struct result *r, u32 n);
void extra(struct result *r, const char *name, u64 ns);
struct latencies *series(struct result *r, const char *name, u32 cap);
bool toggle(struct gen *g, struct client *c, u32 prefix, u32 set, struct latencies *l);

bool load_all_hold(struct gen *g, const struct options *o, struct result *r);
bool load_latency(struct gen *g, const struct options *o, struct result *r);
bool load_late(struct gen *g, const struct options *o, struct result *r);
bool load_drop(struct gen *g, const struct options *o, struct result *r);
bool load_startup(struct gen *g, const struct options *o, struct result *r);
bool load_stall(struct gen *g, const struct options *o, struct result *r);
bool load_flood(struct gen *g, const struct options *o, struct result *r);
bool load_flaps(struct gen *g, const struct options *o, struct result *r);

#endif
