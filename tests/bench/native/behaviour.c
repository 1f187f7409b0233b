/* Loads that misbehave: what one client does must not cost the others. */
#include "bench.h"

#include <stdlib.h>

#define BATCH 500u /* prefixes that change between two probes */

static u32 groups_of(const struct gen *g, u32 versions) { return (g->table.nsets - 2) / versions; }

/* One version of a mover's groups, first to last, written out. */
static struct buf write_groups(struct gen *g, u32 version, u32 versions, u32 per_set, u32 first,
                               u32 last) {
    struct buf b = {0};
    for (u32 k = first; k < last; k++) {
        u32 set = 1 + version * groups_of(g, versions) + k;
        table_announce(&g->table, &b, set, (struct prefixes){NULL, k * per_set, 1, per_set}, ~0u);
    }
    return b;
}

static void want_groups(struct gen *g, u32 version, u32 versions, u32 per_set, u32 first,
                        u32 last) {
    for (u32 k = first; k < last; k++)
        for (u32 i = k * per_set; i < (k + 1) * per_set; i++)
            verify_set(g, i, 1 + version * groups_of(g, versions) + k);
}

/* Every prefix changes once, a batch at a time; after each batch a single route of another client
 * is timed. */
static bool churn(struct gen *g, u32 version, u32 versions, u32 per_set, u32 prober,
                  struct latencies *l) {
    u32 groups = groups_of(g, versions), step = BATCH / per_set, probe = g->table.count - 1;
    u32 probe_set = g->table.nsets - 1, batches = (groups + step - 1) / step;
    struct buf *batch = must(calloc(batches, sizeof *batch));
    for (u32 b = 0; b < batches; b++) {
        u32 last = (b + 1) * step < groups ? (b + 1) * step : groups;
        batch[b] = write_groups(g, version, versions, per_set, b * step, last);
    }
    for (u32 b = 0; b < batches && !g->failed; b++) {
        u32 first = b * step, last = first + step < groups ? first + step : groups;
        struct client *mover = &g->clients[g->table.sets[1 + first].source];
        want_groups(g, version, versions, per_set, first, last);
        client_send(g, mover, batch[b].data, batch[b].len);
        u32 next = g->table.want[probe].attr == NONE ? probe_set : NONE;
        if (!toggle(g, &g->clients[prober], probe, next, l)) return false;
    }
    bool ok = await(g, all_match, "all prefixes changed");
    for (u32 b = 0; b < batches; b++) free(batch[b].data);
    free(batch);
    return ok;
}

/* Clients: the movers, the prober, and last the one that stops reading. */
bool load_stall(struct gen *g, const struct options *o, struct result *r) {
    enum { PER_SET = 4 };
    u32 movers = g->nclients - 2, prober = movers, versions = 2 + o->passes;
    struct client *stalled = &g->clients[movers + 1];
    u32 cap = movers * o->routes / BATCH + 1;
    plan_versions(g, movers, o->routes, PER_SET, versions, prober);
    if (!sessions_up(g, o, r, g->nclients)) return false;
    g->deadline_ns = now_ns() + o->limit_ns;
    struct latencies *first = series(r, "first_table", cap);
    if (!churn(g, 0, versions, PER_SET, prober, first) || !still(g)) return false;
    clock_start(g, o, r);
    u64 start = now_ns();
    if (!churn(g, 1, versions, PER_SET, prober, series(r, "all_reading", cap))) return false;
    extra(r, "churn_all_reading", g->finished_ns - start);
    if (!still(g)) return false;
    client_pause(g, stalled, true);
    stalled->counted = false;
    verify_recount(g);
    struct latencies *with = series(r, "one_stalled", cap * o->passes);
    start = now_ns();
    for (u32 v = 2; v < versions; v++)
        if (!churn(g, v, versions, PER_SET, prober, with)) return false;
    extra(r, "churn_one_stalled", (g->finished_ns - start) / o->passes);
    stalled->counted = true;
    verify_recount(g);
    u64 bytes = g->count.bytes_in;
    client_pause(g, stalled, false);
    start = now_ns();
    if (!await(g, all_match, "the client that reads again")) return false;
    r->main_ns = g->finished_ns - start;
    extra(r, "converged", r->main_ns);
    extra(r, "converged_bytes", g->count.bytes_in - bytes);
    clock_stop(g, o, r);
    return still(g);
}

/* Client 0 sends its routes over and over, as fast as they are taken; client 1 has one route. */
bool load_flood(struct gen *g, const struct options *o, struct result *r) {
    enum { PER_SET = 10, VERSIONS = 3 };
    struct client *flooder = &g->clients[0], *single = &g->clients[1];
    plan_versions(g, 1, o->routes, PER_SET, VERSIONS, 1);
    u32 groups = groups_of(g, VERSIONS), probe = g->table.count - 1;
    u32 probe_set = g->table.nsets - 1;
    if (!sessions_up(g, o, r, g->nclients)) return false;
    g->deadline_ns = now_ns() + o->limit_ns;
    for (u32 i = 0; i < probe; i++) verify_set(g, i, ANY);
    struct latencies *calm = series(r, "calm", o->samples);
    for (u32 k = 0; k < o->samples; k++) {
        if (!toggle(g, single, probe, k % 2 ? NONE : probe_set, calm)) return false;
        pass(g, o->gap_ns);
    }
    struct buf b = write_groups(g, 0, VERSIONS, PER_SET, 0, groups);
    struct buf other = write_groups(g, 1, VERSIONS, PER_SET, 0, groups);
    struct buf last = write_groups(g, 2, VERSIONS, PER_SET, 0, groups);
    buf_add(&b, other.data, other.len);
    clock_start(g, o, r);
    u64 start = r->clock_ns;
    flooder->loop_data = b.data;
    flooder->loop_len = b.len;
    client_send(g, flooder, b.data, b.len);
    pass(g, SECOND);
    struct latencies *flooded = series(r, "flooded", o->samples);
    for (u32 k = 0; k < o->samples; k++) {
        if (!toggle(g, single, probe, k % 2 ? NONE : probe_set, flooded)) return false;
        pass(g, o->gap_ns);
    }
    u64 flooding = now_ns() - start;
    extra(r, "flood_updates_per_s", flooder->loops * 2 * groups * SECOND / flooding);
    flooder->loop_data = NULL;
    want_groups(g, 2, VERSIONS, PER_SET, 0, groups);
    client_send(g, flooder, last.data, last.len);
    start = now_ns();
    g->deadline_ns = start + o->limit_ns;
    if (!await(g, all_match, "the table after the flood")) return false;
    r->main_ns = g->finished_ns - start;
    extra(r, "settled", r->main_ns);
    clock_stop(g, o, r);
    return still(g);
}

/* One prefix goes and comes; its last version is one that it never had before. */
bool load_flaps(struct gen *g, const struct options *o, struct result *r) {
    enum { VERSIONS = 8 };
    struct buf b = {0};
    struct prefixes one = {NULL, 0, 1, 1};
    plan_versions(g, 1, 1, 1, VERSIONS + 1, 1);
    if (!sessions_up(g, o, r, g->nclients)) return false;
    for (u32 k = 0; k < o->samples; k++) {
        table_announce(&g->table, &b, 1 + k % VERSIONS, one, 1);
        table_withdraw(&g->table, &b, one);
    }
    table_announce(&g->table, &b, 1 + VERSIONS, one, 1);
    g->table.want[0] = (struct want){1 + VERSIONS, 0};
    verify_recount(g);
    clock_start(g, o, r);
    client_send(g, &g->clients[0], b.data, b.len);
    if (!await(g, all_match, "the last state of a flapping prefix")) return false;
    clock_stop(g, o, r);
    r->main_ns = r->clock_ns;
    return still(g);
}
