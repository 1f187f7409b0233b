/* The timed part of each load. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define AFTERWARDS (250 * MILLISECOND) /* what was right must still be right then */

static u64 cpu_ns(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (u64)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * SECOND +
           (u64)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000;
}

/* The driver reads the reflector's CPU time here, and answers when it has. */
static void mark(const struct options *o, const char *event) {
    char byte;
    if (!o->sync) return;
    printf("{\"event\": \"%s\"}\n", event);
    fflush(stdout);
    if (read(0, &byte, 1) < 0) return;
}

void clock_start(struct gen *g, const struct options *o, struct result *r) {
    mark(o, "start");
    g->finished_ns = 0;
    r->cpu_ns = cpu_ns();
    r->clock_ns = now_ns();
    g->deadline_ns = r->clock_ns + o->limit_ns;
}

void clock_stop(struct gen *g, const struct options *o, struct result *r) {
    u64 end = g->finished_ns > r->clock_ns ? g->finished_ns : now_ns();
    r->cpu_ns = cpu_ns() - r->cpu_ns;
    r->clock_ns = end - r->clock_ns;
    mark(o, "stop");
}

/* Serves the sessions for a while. */
void pass(struct gen *g, u64 ns) { run_until(g, NULL, now_ns() + ns); }

bool await(struct gen *g, bool (*cond)(struct gen *), const char *what) {
    if (run_until(g, cond, g->deadline_ns)) return true;
    unsigned long long missing = 0, behind = 0;
    for (u32 i = 0; i < g->nclients; i++) {
        struct client *c = &g->clients[i];
        if (!c->counted || !c->mismatches) continue;
        behind++;
        missing += c->mismatches;
    }
    gen_fail(g, "did not finish: %s; %llu prefixes wrong at %llu clients", what, missing, behind);
    return false;
}

/* Nothing may move any more once all is as it must be. */
bool still(struct gen *g) {
    pass(g, AFTERWARDS);
    if (!g->failed && g->pending) gen_fail(g, "the tables were right and then changed");
    return !g->failed;
}

bool sessions_up(struct gen *g, const struct options *o, struct result *r, u32 n) {
    u64 start = now_ns();
    if (!connect_range(g, 0, n, start + o->limit_ns)) return false;
    for (u32 i = 0; i < n; i++)
        if (g->clients[i].established_ns - start > r->sessions_ns)
            r->sessions_ns = g->clients[i].established_ns - start;
    verify_recount(g);
    pass(g, o->settle_ns);
    return !g->failed;
}

void extra(struct result *r, const char *name, u64 ns) {
    r->extra[r->nextra].name = name;
    r->extra[r->nextra++].ns = ns;
}

struct latencies *series(struct result *r, const char *name, u32 cap) {
    r->latency[r->nlatency].name = name;
    struct latencies *l = &r->latency[r->nlatency++].l;
    l->ns = must(calloc(cap ? cap : 1, sizeof *l->ns));
    l->cap = cap;
    return l;
}

static void send_all(struct gen *g, struct plan *p) {
    for (u32 i = 0; i < g->nclients; i++)
        client_send(g, &g->clients[i], p->send[i].data, p->send[i].len);
}

/* Everyone sends at once; the clock stops when the last client holds exactly what it must. */
bool load_all_hold(struct gen *g, const struct options *o, struct result *r) {
    struct plan p;
    if (!strcmp(o->load, "overlap"))
        plan_overlap(g, &p, o->routes);
    else if (!strcmp(o->load, "table"))
        plan_full_table(g, &p, o->routes, o->senders);
    else
        plan_each_own(g, &p, (struct own){o->family, o->senders, o->routes, o->routes,
                                          !strcmp(o->load, "unique")});
    if (!sessions_up(g, o, r, g->nclients)) return false;
    clock_start(g, o, r);
    u64 start = r->clock_ns;
    send_all(g, &p);
    if (!await(g, all_match, "not all tables complete")) return false;
    clock_stop(g, o, r);
    r->main_ns = r->clock_ns;
    struct latencies *l = series(r, "client_complete", g->nclients);
    for (u32 i = 0; i < g->nclients; i++)
        if (g->clients[i].done_ns > start) l->ns[l->count++] = g->clients[i].done_ns - start;
    return still(g);
}

/* The tables are there before the clock starts; clients from n on are not connected yet. */
static bool preloaded(struct gen *g, const struct options *o, struct result *r, struct own own,
                      u32 n) {
    struct plan p;
    plan_each_own(g, &p, own);
    if (!sessions_up(g, o, r, n)) return false;
    for (u32 i = n; i < g->nclients; i++) g->clients[i].counted = false;
    verify_recount(g);
    u64 start = now_ns();
    g->deadline_ns = start + o->limit_ns;
    send_all(g, &p);
    if (!await(g, all_match, "preload") || !still(g)) return false;
    extra(r, "preload", g->finished_ns - start);
    pass(g, o->settle_ns);
    return !g->failed;
}

/* One route changes (NONE: it is withdrawn): until the last client knows. */
bool toggle(struct gen *g, struct client *c, u32 prefix, u32 set, struct latencies *l) {
    static struct buf b;
    struct prefixes one = {NULL, prefix, 1, 1};
    b.len = 0;
    if (set == NONE)
        table_withdraw(&g->table, &b, one);
    else
        table_announce(&g->table, &b, set, one, 1);
    verify_set(g, prefix, set);
    probe_start(g, prefix);
    u64 start = now_ns();
    client_send(g, c, b.data, b.len);
    if (!await(g, probe_arrived, "a single route's change")) return false;
    if (c->queue_len) gen_fail(g, "a change arrived before it was sent");
    if (l->count < l->cap) l->ns[l->count++] = g->probe_ns - start;
    return true;
}

/* A route withdrawn and announced again, by each client in turn. */
bool load_latency(struct gen *g, const struct options *o, struct result *r) {
    u32 n = g->nclients;
    struct own own = {o->family, n, o->routes, o->routes, false};
    if (!preloaded(g, o, r, own, n)) return false;
    struct latencies *down = series(r, "withdraw", o->samples);
    struct latencies *up = series(r, "announce", o->samples);
    clock_start(g, o, r);
    for (u32 k = 0; k < o->samples; k++) {
        struct client *c = &g->clients[k % n];
        u32 prefix = c->id * o->routes + k / n % o->routes;
        u32 set = g->table.want[prefix].attr;
        if (!toggle(g, c, prefix, NONE, down)) return false;
        pass(g, o->gap_ns);
        if (!toggle(g, c, prefix, set, up)) return false;
        pass(g, o->gap_ns);
    }
    clock_stop(g, o, r);
    r->main_ns = r->clock_ns;
    return still(g);
}

/* The tables are full; then one more client dials, and later another. */
bool load_late(struct gen *g, const struct options *o, struct result *r) {
    u32 n = g->nclients - o->samples;
    struct own own = {o->family, n, o->routes, o->routes, false};
    if (!preloaded(g, o, r, own, n)) return false;
    struct latencies *all = series(r, "dial_to_complete", o->samples);
    struct latencies *rest = series(r, "session_to_complete", o->samples);
    clock_start(g, o, r);
    for (u32 i = n; i < g->nclients; i++) {
        struct client *c = &g->clients[i];
        c->counted = true;
        verify_recount(g);
        g->deadline_ns = now_ns() + o->limit_ns;
        if (!connect_range(g, i, i + 1, g->deadline_ns)) return false;
        if (!await(g, all_match, "late joiner")) return false;
        all->ns[all->count++] = g->finished_ns - c->connect_ns;
        rest->ns[rest->count++] = g->finished_ns - c->established_ns;
        r->main_ns += (g->finished_ns - c->connect_ns) / o->samples;
        if (!still(g)) return false;
    }
    clock_stop(g, o, r);
    return true;
}

/* Client 0 closes its connection; the others must lose its routes and nothing else. */
bool load_drop(struct gen *g, const struct options *o, struct result *r) {
    u32 n = g->nclients;
    struct own own = {o->family, n, o->routes, o->first_routes, false};
    if (!preloaded(g, o, r, own, n)) return false;
    g->clients[0].counted = false;
    for (u32 i = 0; i < o->first_routes; i++) g->table.want[i] = (struct want){NONE, NOBODY};
    verify_recount(g);
    clock_start(g, o, r);
    client_close(g, &g->clients[0]);
    if (!await(g, all_match, "withdrawals after a drop")) return false;
    clock_stop(g, o, r);
    r->main_ns = r->clock_ns;
    return still(g);
}

/* Dials until the reflector, which is being started, takes the session. The driver knows when it
 * was started, so what is printed is the monotonic clock itself. */
bool load_startup(struct gen *g, const struct options *o, struct result *r) {
    struct plan p;
    plan_each_own(g, &p, (struct own){o->family, g->nclients, 0, 0, false});
    g->retry_ns = MILLISECOND;
    clock_start(g, o, r);
    if (!connect_range(g, 0, 1, g->deadline_ns)) return false;
    clock_stop(g, o, r);
    extra(r, "accepted_at", g->clients[0].accepted_ns);
    extra(r, "established_at", g->clients[0].established_ns);
    return true;
}
