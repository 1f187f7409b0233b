/* What each load sends and who must then hold it; all of it written before the clock starts. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

/* A pod network's route: IGP, no AS_PATH, LOCAL_PREF 100, the client's own next hop. */
struct attrs traffic_attrs(int family, u32 client) {
    struct attrs a = {.family = (u8)family, .local_pref = 100};
    if (family == 6) {
        put32(a.nexthop, BASE6);
        put32(a.nexthop + 4, 0xffff0000u);
        put32(a.nexthop + 12, client + 1);
    } else {
        put32(a.nexthop, client_nexthop(client));
    }
    return a;
}

static void plan_init(struct gen *g, struct plan *p) {
    p->send = must(calloc(g->nclients, sizeof *p->send));
    for (u32 i = 0; i < g->nclients; i++) {
        size_t size = (g->table.count + 1) * sizeof(u32);
        volatile u8 *held = must(calloc(1, size));
        for (size_t at = 0; at < size; at += 4096) held[at] = 0; /* no page fault on the clock */
        g->clients[i].held = (u32 *)held;
    }
}

static void want(struct table *t, u32 prefix, u32 set) {
    t->want[prefix] = (struct want){set, t->sets[set].source};
}

static struct attrs unique_attrs(int family, u32 client, u32 index) {
    struct attrs a = traffic_attrs(family, client);
    a.npath = (u8)(1 + index % 4);
    for (u32 i = 0; i < a.npath; i++) a.path[i] = 65000 + (index * 7 + i * 13) % 400;
    a.has_med = true;
    a.med = index;
    a.ncomm = 1;
    a.comm[0] = LOCAL_AS << 16 | (index & 0xffff);
    return a;
}

/* Each of the first clients has its own routes. */
void plan_each_own(struct gen *g, struct plan *p, struct own o) {
    struct table *t = &g->table;
    u32 count = o.first_routes + (o.senders - 1) * o.routes;
    table_init(t, o.family, count, o.unique ? count : o.senders);
    plan_init(g, p);
    for (u32 c = 0, i = 0; c < o.senders; c++) {
        u32 n = c ? o.routes : o.first_routes;
        struct attrs own = traffic_attrs(o.family, c);
        for (u32 r = 0; r < n; r++, i++) {
            struct attrs a = o.unique ? unique_attrs(o.family, c, i) : own;
            u32 set = table_attrs(t, c, &a);
            want(t, i, set);
            if (o.unique)
                table_announce(t, &p->send[c], set, (struct prefixes){NULL, i, 1, 1}, 1);
            else if (r == 0)
                table_announce(t, &p->send[c], set, (struct prefixes){NULL, i, 1, n}, ~0u);
        }
    }
}

/* All clients announce the same prefixes. Prefix i is decided by LOCAL_PREF, by AS_PATH length or
 * by MED (i mod 3); rank 0 wins, and the ranks go round, so every client wins its share. */
void plan_overlap(struct gen *g, struct plan *p, u32 routes) {
    struct table *t = &g->table;
    u32 n = g->nclients;
    table_init(t, 4, routes, 3 * n * n);
    plan_init(g, p);
    for (u32 c = 0; c < n; c++) {
        for (u32 by = 0; by < 3; by++) {
            for (u32 rank = 0; rank < n; rank++) {
                struct attrs a = traffic_attrs(4, c);
                a.npath = (u8)(1 + (by == 1 ? rank : 0));
                for (u32 i = 0; i < a.npath; i++) a.path[i] = 65001 + i;
                a.has_med = true;
                a.med = by == 2 ? 10 * rank : 0;
                a.local_pref = by == 0 ? 200 - 10 * rank : 100 + by;
                u32 set = table_attrs(t, c, &a);
                /* Prefix i = 3 j + by; its winner is j mod n, client c's rank (c - j) mod n. */
                u32 j = (c + n - rank) % n, first = 3 * j + by, step = 3 * n;
                u32 count = first < routes ? (routes - first - 1) / step + 1 : 0;
                table_announce(t, &p->send[c], set, (struct prefixes){NULL, first, step, count},
                               ~0u);
                for (u32 k = 0; rank == 0 && k < count; k++) want(t, first + k * step, set);
            }
        }
    }
}

static int ascending(const void *a, const void *b) {
    u32 x = *(const u32 *)a, y = *(const u32 *)b;
    return x < y ? -1 : x > y;
}

/* Attributes as they are met in a full table: path lengths 1 to 8 around 4, prepending, four-octet
 * AS numbers, communities in ascending order (some speakers sort them), some large ones. */
static struct attrs table_attrs_random(u32 client, u64 *seed) {
    static const u8 lengths[16] = {1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 6, 7, 8};
    struct attrs a = traffic_attrs(4, client);
    u64 r = random_next(seed);
    a.origin = r % 100 < 88 ? 0 : 2;
    a.npath = lengths[r >> 8 & 15];
    for (u32 i = 0; i < a.npath; i++) {
        u64 x = random_next(seed);
        if (i && x % 10 == 0)
            a.path[i] = a.path[i - 1]; /* prepended */
        else
            a.path[i] = x & 16 ? 1000 + (u32)(x >> 32) % 60000 : 196608 + (u32)(x >> 32) % 80000;
    }
    a.has_med = r >> 16 & 1;
    a.med = a.has_med ? (u32)(r >> 20) % 500 : 0;
    a.local_pref = 80 + 10 * (u32)(r >> 32 & 7);
    a.atomic = (r >> 36) % 16 == 0;
    a.has_aggregator = a.atomic;
    a.aggregator = a.path[a.npath - 1];
    a.ncomm = (u8)((r >> 40) % 9);
    for (u32 i = 0; i < a.ncomm; i++)
        a.comm[i] = (1000 + (u32)(random_next(seed) % 60000)) << 16 | (u32)(r >> 44) % 5000 | i << 13;
    qsort(a.comm, a.ncomm, sizeof *a.comm, ascending);
    a.nlarge = (r >> 50) % 10 == 0;
    a.large[0][0] = a.path[0];
    a.large[0][1] = (u32)(r >> 52) % 100;
    a.large[0][2] = (u32)(r >> 56);
    return a;
}

/* Full tables: routes each from the first clients, about a tenth as many attribute sets, whose
 * sizes fall off as they do in the Internet's table (a few with thousands, most with a few). */
void plan_full_table(struct gen *g, struct plan *p, u32 routes, u32 senders) {
    struct table *t = &g->table;
    u32 sets = routes / 10 + 1;
    u32 *start = must(calloc(sets + 1, sizeof *start)), *order = must(calloc(routes, sizeof *order));
    u32 *of = must(calloc(routes, sizeof *of));
    u64 seed = 4271;
    table_init(t, 4, routes * senders, sets * senders);
    table_mix(t, 4456);
    plan_init(g, p);
    for (u32 c = 0; c < senders; c++) {
        memset(start, 0, (sets + 1) * sizeof *start);
        for (u32 i = 0; i < routes; i++) {
            double x = (double)(random_next(&seed) >> 11) / 9007199254740992.0;
            of[i] = (u32)(x * x * x * sets);
            start[of[i] + 1]++;
        }
        for (u32 s = 0; s < sets; s++) start[s + 1] += start[s];
        for (u32 i = 0; i < routes; i++) order[start[of[i]]++] = c * routes + i;
        for (u32 s = 0, first = 0; s < sets; first = start[s++]) {
            if (start[s] == first) continue;
            struct attrs a = table_attrs_random(c, &seed);
            u32 set = table_attrs(t, c, &a);
            struct prefixes of_set = {order, first, 1, start[s] - first};
            table_announce(t, &p->send[c], set, of_set, ~0u);
            for (u32 k = 0; k < of_set.count; k++) want(t, order[first + k], set);
        }
    }
    free(start);
    free(order);
    free(of);
}

void plan_versions(struct gen *g, u32 movers, u32 routes, u32 per_set, u32 versions, u32 prober) {
    struct table *t = &g->table;
    struct plan unused;
    u32 total = movers * routes, groups = total / per_set;
    table_init(t, 4, total + 1, groups * versions + 1);
    plan_init(g, &unused);
    free(unused.send);
    for (u32 v = 0; v < versions; v++) {
        for (u32 k = 0; k < groups; k++) {
            struct attrs a = traffic_attrs(4, k * per_set / routes);
            a.has_med = true;
            a.med = v * groups + k;
            a.npath = 2;
            a.path[0] = 65100 + v;
            a.path[1] = 65200 + k % 100;
            table_attrs(t, k * per_set / routes, &a);
        }
    }
    struct attrs a = traffic_attrs(4, prober);
    a.has_med = true;
    a.med = ~0u;
    table_attrs(t, prober, &a);
    for (u32 i = 0; i <= total; i++) t->want[i].owner = NOBODY;
}
