/* The prefixes and attribute sets of a load, and the expectation: who must hold what. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

u64 random_next(u64 *state) {
    u64 z = (*state += 0x9e3779b97f4a7c15ull);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static u32 power_of_two(u32 at_least) {
    u32 n = 16;
    while (n < at_least) n *= 2;
    return n;
}

void table_init(struct table *t, int family, u32 count, u32 expected_sets) {
    memset(t, 0, sizeof *t);
    t->family = family;
    t->count = count;
    t->want = must(calloc(count ? count : 1, sizeof *t->want));
    t->cap = expected_sets + 2;
    t->sets = must(calloc(t->cap, sizeof *t->sets));
    t->nsets = 1;
    t->set_mask = power_of_two(2 * t->cap) - 1;
    t->set_slots = must(calloc(t->set_mask + 1, sizeof *t->set_slots));
}

static u32 prefix_slot(const struct table *t, u32 addr, u8 len) {
    u64 h = ((u64)addr << 8 | len) * 0x9e3779b97f4a7c15ull;
    return (u32)(h >> 32) & t->slot_mask;
}

static bool usable(u32 addr, u8 len) {
    u32 first = addr >> 24;
    if (first < 1 || first > 223 || first == 10 || first == 127) return false;
    if (len < 16 && (first == 9 || first == 126)) return false;
    return addr >> 8 != 0x010000u; /* the debug route's neighbourhood */
}

/* Prefix lengths in about the proportions of a full table (per mille, /8 to /24). */
void table_mix(struct table *t, u64 seed) {
    static const u16 per_mille[25] = {[8] = 1,   [10] = 1,  [11] = 1,  [12] = 1,  [13] = 1,
                                      [14] = 1,  [15] = 2,  [16] = 14, [17] = 8,  [18] = 14,
                                      [19] = 25, [20] = 43, [21] = 51, [22] = 111, [23] = 103};
    t->mixed = true;
    t->addr = must(calloc(t->count, sizeof *t->addr));
    t->plen = must(calloc(t->count, 1));
    t->slot_mask = power_of_two(2 * t->count) - 1;
    t->slots = must(calloc(t->slot_mask + 1, sizeof *t->slots));
    for (u32 i = 0, misses = 0; i < t->count;) {
        u64 r = random_next(&seed);
        u32 draw = (u32)(r & 0xffff) % 1000;
        u8 len = 24;
        for (u8 l = 8; l < 24; l++) {
            if (draw < per_mille[l]) { len = l; break; }
            draw -= per_mille[l];
        }
        if (misses > 8) len = 24; /* the short lengths are used up */
        u32 addr = (u32)(r >> 32) & (0xffffffffu << (32 - len));
        if (!usable(addr, len) || table_find4(t, addr, len) != NOBODY) { misses++; continue; }
        u32 slot = prefix_slot(t, addr, len);
        while (t->slots[slot]) slot = (slot + 1) & t->slot_mask;
        t->addr[i] = addr;
        t->plen[i] = len;
        t->slots[slot] = ++i;
        misses = 0;
    }
}

/* The index of an IPv4 prefix, or NOBODY. */
u32 table_find4(const struct table *t, u32 addr, u8 len) {
    if (!t->mixed) {
        u32 i = (addr >> 8) - BASE24;
        return t->family == 4 && len == 24 && i < t->count ? i : NOBODY;
    }
    for (u32 slot = prefix_slot(t, addr, len); t->slots[slot]; slot = (slot + 1) & t->slot_mask) {
        u32 i = t->slots[slot] - 1;
        if (t->addr[i] == addr && t->plen[i] == len) return i;
    }
    return NOBODY;
}

/* One prefix as NLRI. */
size_t table_prefix(const struct table *t, u32 i, u8 *out) {
    if (t->family == 6) {
        out[0] = 64;
        put32(out + 1, BASE6);
        put32(out + 5, i);
        return 9;
    }
    u32 addr = t->mixed ? t->addr[i] : (BASE24 + i) << 8;
    u8 bytes[4];
    put32(bytes, addr);
    out[0] = t->mixed ? t->plen[i] : 24;
    size_t n = (out[0] + 7u) / 8;
    memcpy(out + 1, bytes, n);
    return 1 + n;
}

/* Registers an attribute set of one source; returns its number, the old one if it is known. */
u32 table_attrs(struct table *t, u32 source, const struct attrs *a) {
    u8 wire[512];
    size_t len = wire_attrs(a, wire);
    u64 hash = wire_attrs_hash(wire, len, a->family == 6 ? a->nexthop : NULL);
    u32 known = table_find_set(t, hash);
    if (known) return known;
    if (t->nsets == t->cap) abort(); /* the plan announced fewer */
    struct attrset *s = &t->sets[t->nsets];
    s->hash = hash;
    s->source = source;
    s->offset = t->arena.len;
    s->len = (u16)(len + (a->family == 6 ? 16 : 0));
    buf_add(&t->arena, wire, len);
    if (a->family == 6) buf_add(&t->arena, a->nexthop, 16);
    u32 slot = (u32)hash & t->set_mask;
    while (t->set_slots[slot]) slot = (slot + 1) & t->set_mask;
    t->set_slots[slot] = t->nsets;
    return t->nsets++;
}

u32 table_find_set(const struct table *t, u64 hash) {
    for (u32 slot = (u32)hash & t->set_mask; t->set_slots[slot]; slot = (slot + 1) & t->set_mask)
        if (t->sets[t->set_slots[slot]].hash == hash) return t->set_slots[slot];
    return NONE;
}

/* Closes an UPDATE: header, no withdrawn routes, attributes, NLRI (RFC 4760 3 for IPv6). */
static void emit_announce(const struct table *t, struct buf *b, u32 set, const u8 *nlri, size_t n) {
    const struct attrset *s = &t->sets[set];
    const u8 *attrs = t->arena.data + s->offset;
    size_t alen = t->family == 6 ? s->len - 16u : s->len;
    u8 head[HEADER_LEN + 4] = {0}, mp[4 + 21];
    size_t mp_len = t->family == 6 ? sizeof mp + n : 0;
    wire_header(head, MSG_UPDATE, sizeof head + alen + (mp_len ? mp_len : n));
    put16(head + HEADER_LEN + 2, (u32)(alen + mp_len));
    buf_add(b, head, sizeof head);
    if (mp_len) { /* RFC 7606 5.1: MP_REACH comes first */
        mp[0] = 0x90;
        mp[1] = 14;
        put16(mp + 2, (u32)(21 + n));
        put16(mp + 4, 2);
        mp[6] = 1;
        mp[7] = 16;
        memcpy(mp + 8, attrs + alen, 16);
        mp[24] = 0;
        buf_add(b, mp, sizeof mp);
        buf_add(b, nlri, n);
    }
    buf_add(b, attrs, alen);
    if (!mp_len) buf_add(b, nlri, n);
}

static void emit_withdraw(const struct table *t, struct buf *b, const u8 *nlri, size_t n) {
    u8 head[HEADER_LEN + 4 + 7] = {0};
    size_t hlen = t->family == 6 ? sizeof head : HEADER_LEN + 4;
    wire_header(head, MSG_UPDATE, hlen + n);
    if (t->family == 6) {
        put16(head + HEADER_LEN + 2, (u32)(7 + n));
        head[HEADER_LEN + 4] = 0x90;
        head[HEADER_LEN + 5] = 15;
        put16(head + HEADER_LEN + 6, (u32)(3 + n));
        put16(head + HEADER_LEN + 8, 2);
        head[HEADER_LEN + 10] = 1;
        buf_add(b, head, hlen);
        buf_add(b, nlri, n);
        return;
    }
    put16(head + HEADER_LEN, (u32)n);
    buf_add(b, head, HEADER_LEN + 2);
    buf_add(b, nlri, n);
    buf_add(b, "\0\0", 2);
}

void table_announce(const struct table *t, struct buf *b, u32 set, struct prefixes p,
                    u32 per_update) {
    u8 nlri[MESSAGE_MAX];
    size_t fixed = HEADER_LEN + 4 + t->sets[set].len + (t->family == 6 ? 9 : 0);
    size_t n = 0, room = MESSAGE_MAX - fixed;
    u32 in_update = 0;
    for (u32 i = 0; i < p.count; i++) {
        n += table_prefix(t, prefixes_at(&p, i), nlri + n);
        if (++in_update == per_update || n + 9 > room) {
            emit_announce(t, b, set, nlri, n);
            n = in_update = 0;
        }
    }
    if (n) emit_announce(t, b, set, nlri, n);
}

void table_withdraw(const struct table *t, struct buf *b, struct prefixes p) {
    u8 nlri[MESSAGE_MAX];
    size_t n = 0;
    for (u32 i = 0; i < p.count; i++) {
        n += table_prefix(t, prefixes_at(&p, i), nlri + n);
        if (n + 64 > MESSAGE_MAX) {
            emit_withdraw(t, b, nlri, n);
            n = 0;
        }
    }
    if (n) emit_withdraw(t, b, nlri, n);
}
