/* What arrived against what must be held.
 *
 * The generator must be far cheaper than any reflector, so each client keeps one number a prefix
 * (the attribute set it holds) and one count (prefixes that are not as wanted), and an UPDATE's
 * attributes are judged once, by a hash that covers flags, type and value of each. */
#include "bench.h"

#include <stdio.h>
#include <string.h>

static void settle(struct gen *g, struct client *c) {
    bool done = c->mismatches == 0;
    if (done != c->done) {
        c->done = done;
        if (done) c->done_ns = now_ns();
        if (c->counted) {
            g->pending += done ? -1u : 1u;
            if (!g->pending) g->finished_ns = c->done_ns;
        }
    }
    if (g->probing && !c->probe_ok && c->counted &&
        c->held[g->probe_prefix] == wanted(&g->table.want[g->probe_prefix], c->id)) {
        c->probe_ok = true;
        if (--g->probe_left == 0) g->probe_ns = now_ns();
    }
}

/* Counts anew: after the expectation changed as a whole. */
void verify_recount(struct gen *g) {
    const struct table *t = &g->table;
    g->pending = 0;
    for (u32 i = 0; i < g->nclients; i++) {
        struct client *c = &g->clients[i];
        c->mismatches = 0;
        for (u32 p = 0; p < t->count; p++) {
            u32 w = wanted(&t->want[p], c->id);
            c->mismatches += w != ANY && c->held[p] != w;
        }
        c->done = c->mismatches == 0;
        if (c->counted && !c->done) g->pending++;
    }
}

/* One prefix is now to be held with this set by all but its source. */
void verify_set(struct gen *g, u32 prefix, u32 attr) {
    struct table *t = &g->table;
    struct want before = t->want[prefix], *after = &t->want[prefix];
    after->attr = attr;
    after->owner = attr == NONE || attr == ANY ? NOBODY : t->sets[attr].source;
    for (u32 i = 0; i < g->nclients; i++) {
        struct client *c = &g->clients[i];
        u32 was = wanted(&before, i), is = wanted(after, i), held = c->held[prefix];
        c->mismatches += (is != ANY && held != is) - (was != ANY && held != was);
        settle(g, c);
    }
}

/* Watches one prefix until every counted client holds what is wanted. */
void probe_start(struct gen *g, u32 prefix) {
    g->probe_prefix = prefix;
    g->probe_left = 0;
    g->probing = true;
    for (u32 i = 0; i < g->nclients; i++) {
        struct client *c = &g->clients[i];
        c->probe_ok = c->held[prefix] == wanted(&g->table.want[prefix], i);
        if (c->counted && !c->probe_ok) g->probe_left++;
    }
}

void describe_set(const struct table *t, u32 set, char *out, size_t size) {
    const struct attrset *s = &t->sets[set];
    size_t used = (size_t)snprintf(out, size, "from client %u: ", s->source);
    for (u32 i = 0; i < s->len && used + 3 < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%02x", t->arena.data[s->offset + i]);
}

static void wrong(struct gen *g, struct client *c, u32 prefix, const char *what, const u8 *msg,
                  size_t len) {
    char hex[200], want[200];
    size_t used = 0;
    hex[0] = 0;
    for (size_t i = HEADER_LEN; i < len && used + 3 < sizeof hex; i++)
        used += (size_t)snprintf(hex + used, sizeof hex - used, "%02x", msg[i]);
    want[0] = 0;
    u32 attr = prefix == NOBODY ? NONE : g->table.want[prefix].attr;
    if (attr && attr < ANY) describe_set(&g->table, attr, want, sizeof want);
    gen_fail(g, "client %u, prefix %d: %s; body %s; wanted %s", c->id, (int)prefix, what, hex, want);
}

/* The one path that loads with many deliveries spend their time in: /24s of a uniform table. Stops
 * at whatever is not one, and returns where. */
static const u8 *take24(const struct table *t, struct client *c, const u8 *p, const u8 *end,
                        u32 set) {
    const struct want *want = t->want;
    u32 *held = c->held, id = c->id, mismatches = 0;
    for (; end - p >= 4; p += 4) {
        u32 nlri;
        memcpy(&nlri, p, 4);
        u32 i = __builtin_bswap32(nlri) - (24u << 24 | BASE24);
        if (i >= t->count) break;
        u32 old = held[i], w = want[i].owner == id ? NONE : want[i].attr;
        mismatches += (u32)(old == w) - (u32)(set == w);
        held[i] = set;
    }
    c->mismatches += mismatches;
    return p;
}

/* Which prefix an NLRI names; NOBODY if nobody announced it. */
static u32 find(const struct table *t, int family, const u8 *p, u32 bits, u32 size) {
    if (family != t->family) return NOBODY;
    if (family == 6) {
        u32 i = bits == 64 && get32(p + 1) == BASE6 ? get32(p + 5) : NOBODY;
        return i < t->count ? i : NOBODY;
    }
    u32 addr = 0;
    for (u32 b = 1; b < size && b <= 4; b++) addr |= (u32)p[b] << (32 - 8 * b);
    return table_find4(t, addr, (u8)bits);
}

static bool is_debug_route(int family, const u8 *p) {
    static const u8 nlri[5] = {32, 1, 0, 0, 2};
    return family == 4 && !memcmp(p, nlri, p[0] == 32 ? sizeof nlri : 1);
}

/* Takes a run of NLRI into the client's table; set is what they come with, NONE withdraws. */
static void take(struct gen *g, struct client *c, int family, const u8 *p, u32 len, u32 set,
                 const u8 *msg, size_t msg_len) {
    const struct table *t = &g->table;
    const u8 *end = p + len;
    u32 n = 0;
    while (p < end) {
        if (family == 4 && t->family == 4 && !t->mixed && set != BAD) {
            const u8 *stop = take24(t, c, p, end, set);
            n += (u32)(stop - p) / 4;
            p = stop;
            if (p == end) break;
        }
        u32 bits = p[0], size = 1 + (bits + 7) / 8;
        if (size > (size_t)(end - p)) {
            wrong(g, c, NOBODY, "NLRI runs over its field", msg, msg_len);
            return;
        }
        if (is_debug_route(family, p)) {
            g->count.extra++;
            p += size;
            continue;
        }
        u32 i = find(t, family, p, bits, size);
        p += size;
        n++;
        if (i == NOBODY) {
            wrong(g, c, NOBODY, "a prefix that nobody announced", msg, msg_len);
            return;
        }
        if (set == BAD) {
            wrong(g, c, i, "attributes that nobody sent", msg, msg_len);
            return;
        }
        u32 old = c->held[i], w = wanted(&t->want[i], c->id);
        c->mismatches += (u32)(old == w) - (u32)(set == w);
        c->held[i] = set;
    }
    if (set)
        g->count.prefixes_in += n;
    else
        g->count.withdrawn_in += n;
}

/* Which attribute set came; what makes it wrong, when it is. */
static u32 judge(struct gen *g, struct client *c, const struct update *u, const char **why) {
    u32 set = table_find_set(&g->table, u->hash);
    if (!set) return BAD;
    u32 source = g->table.sets[set].source;
    if (source == c->id) { /* its own route: a BGP speaker drops it, and so holds nothing */
        g->count.echoed++;
        return NONE;
    }
    if (g->hub) return set;
    if (!u->has_originator || u->originator != client_router_id(source)) {
        *why = u->has_originator ? "ORIGINATOR_ID is not its source's" : "no ORIGINATOR_ID";
        return BAD;
    }
    if (u->cluster_len < 4) {
        *why = "no CLUSTER_LIST";
        return BAD;
    }
    return set;
}

void verify_update(struct gen *g, struct client *c, const u8 *msg, size_t len) {
    struct update u;
    const char *why = NULL;
    g->count.updates_in++;
    if (!wire_update(msg, len, &u)) {
        wrong(g, c, NOBODY, "a malformed UPDATE", msg, len);
        return;
    }
    if (u.nlri_len + u.mp_nlri_len + u.withdrawn_len + u.mp_withdrawn_len == 0) {
        c->eors++;
        return;
    }
    if (u.withdrawn_len) take(g, c, 4, u.withdrawn, u.withdrawn_len, NONE, msg, len);
    if (u.mp_withdrawn_len)
        take(g, c, u.mp_withdrawn_family, u.mp_withdrawn, u.mp_withdrawn_len, NONE, msg, len);
    if (u.nlri_len || u.mp_nlri_len) {
        u32 set = judge(g, c, &u, &why);
        if (why && u.nlri_len + u.mp_nlri_len) {
            wrong(g, c, NOBODY, why, msg, len);
            return;
        }
        if (u.nlri_len) take(g, c, 4, u.nlri, u.nlri_len, set, msg, len);
        if (u.mp_nlri_len) take(g, c, u.mp_family, u.mp_nlri, u.mp_nlri_len, set, msg, len);
    }
    settle(g, c);
}
