/* BGP messages to bytes and back (RFC 4271, 4760, 6793), no more than a load needs. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARKER 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, \
               0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff

bool wire_ignore_med_zero;
const u8 KEEPALIVE[HEADER_LEN] = {MARKER, 0, HEADER_LEN, MSG_KEEPALIVE};

enum { ORIGIN = 1, AS_PATH, NEXT_HOP, MED, LOCAL_PREF, ATOMIC, AGGREGATOR, COMMUNITY, ORIGINATOR,
       CLUSTERS, MP_REACH = 14, MP_UNREACH, LARGE_COMMUNITY = 32 };

void *must(void *memory) {
    if (!memory) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    return memory;
}

void buf_add(struct buf *b, const void *data, size_t len) {
    if (b->len + len > b->cap) {
        b->cap = (b->len + len) * 2;
        b->data = must(realloc(b->data, b->cap));
    }
    memcpy(b->data + b->len, data, len);
    b->len += len;
}

size_t wire_header(u8 *out, u8 type, size_t len) {
    memset(out, 0xff, 16);
    put16(out + 16, (u32)len);
    out[18] = type;
    return len;
}

size_t wire_open(u8 *out, u32 router_id, u16 hold_s) {
    static const u8 capabilities[] = {
        2, 0, /* a parameter of capabilities; its length follows below */
        1, 4, 0, 1, 0, 1, /* multiprotocol: IPv4 unicast */
        1, 4, 0, 2, 0, 1, /* multiprotocol: IPv6 unicast */
        2, 0, /* route refresh */
        65, 4, 0, 0, LOCAL_AS >> 8, LOCAL_AS & 255, /* four-octet AS numbers */
    };
    u8 *p = out + HEADER_LEN;
    p[0] = 4;
    put16(p + 1, LOCAL_AS);
    put16(p + 3, hold_s);
    put32(p + 5, router_id);
    p[9] = sizeof capabilities;
    memcpy(p + 10, capabilities, sizeof capabilities);
    p[11] = sizeof capabilities - 2;
    return wire_header(out, MSG_OPEN, HEADER_LEN + 10 + sizeof capabilities);
}

static u8 *attr(u8 *p, u8 flags, u8 type, size_t len) {
    *p++ = (u8)(flags | (len > 255 ? 0x10 : 0));
    *p++ = type;
    if (len > 255) *p++ = (u8)(len >> 8);
    *p++ = (u8)len;
    return p;
}

/* All attributes of a route but MP_REACH, which carries the NLRI and is added with them. */
size_t wire_attrs(const struct attrs *a, u8 *out) {
    u8 *p = out;
    p = attr(p, 0x40, ORIGIN, 1);
    *p++ = a->origin;
    p = attr(p, 0x40, AS_PATH, a->npath ? 2 + 4u * a->npath : 0);
    if (a->npath) {
        *p++ = 2; /* AS_SEQUENCE */
        *p++ = a->npath;
        for (u32 i = 0; i < a->npath; i++, p += 4) put32(p, a->path[i]);
    }
    if (a->family == 4) {
        p = attr(p, 0x40, NEXT_HOP, 4);
        memcpy(p, a->nexthop, 4);
        p += 4;
    }
    if (a->has_med) {
        p = attr(p, 0x80, MED, 4);
        put32(p, a->med);
        p += 4;
    }
    p = attr(p, 0x40, LOCAL_PREF, 4);
    put32(p, a->local_pref);
    p += 4;
    if (a->atomic) p = attr(p, 0x40, ATOMIC, 0);
    if (a->has_aggregator) {
        p = attr(p, 0xc0, AGGREGATOR, 8);
        put32(p, a->aggregator);
        put32(p + 4, 0x0a280000u + (a->aggregator & 0xffff));
        p += 8;
    }
    if (a->ncomm) {
        p = attr(p, 0xc0, COMMUNITY, 4u * a->ncomm);
        for (u32 i = 0; i < a->ncomm; i++, p += 4) put32(p, a->comm[i]);
    }
    if (a->nlarge) {
        p = attr(p, 0xc0, LARGE_COMMUNITY, 12u * a->nlarge);
        for (u32 i = 0; i < a->nlarge; i++)
            for (u32 j = 0; j < 3; j++, p += 4) put32(p, a->large[i][j]);
    }
    return (size_t)(p - out);
}

/* One attribute's part of the sum that names an attribute set: order does not matter, flags
 * (but for extended length), type and every byte of the value do. */
static u64 attr_hash(u8 flags, u8 type, const u8 *p, size_t len) {
    u64 h = 0x9e3779b97f4a7c15ull * ((u64)(flags & 0xe0) << 24 | (u64)type << 16 | len);
    for (; len >= 8; p += 8, len -= 8) {
        u64 w;
        memcpy(&w, p, 8);
        h = (h ^ w) * 0xff51afd7ed558ccdull;
        h ^= h >> 32;
    }
    if (len) {
        u64 w = 0;
        memcpy(&w, p, len);
        h = (h ^ w) * 0xff51afd7ed558ccdull;
        h ^= h >> 32;
    }
    h *= 0xc4ceb9fe1a85ec53ull;
    return h ^ h >> 29;
}

static bool mp_reach(struct update *u, const u8 *p, size_t len, u8 flags) {
    if (len < 5) return false;
    u32 afi = get16(p), nexthop_len = p[3];
    if (p[2] != 1 || len < 5 + nexthop_len) return false;
    u->mp_family = afi == 1 ? 4 : afi == 2 ? 6 : 0;
    u->mp_nlri = p + 5 + nexthop_len;
    u->mp_nlri_len = (u32)(len - 5 - nexthop_len);
    if (afi == 1) /* the same set as if it stood in NEXT_HOP */
        u->hash += attr_hash(0x40, NEXT_HOP, p + 4, nexthop_len);
    else
        u->hash += attr_hash(flags, MP_REACH, p + 4, nexthop_len);
    return true;
}

static bool parse_attrs(struct update *u, const u8 *p, size_t left) {
    while (left) {
        if (left < 3) return false;
        u8 flags = p[0], type = p[1];
        size_t head = flags & 0x10 ? 4 : 3;
        if (left < head) return false;
        size_t len = flags & 0x10 ? get16(p + 2) : p[2];
        if (left < head + len) return false;
        const u8 *v = p + head;
        switch (type) {
        case ORIGINATOR:
            if (len != 4) return false;
            u->has_originator = true;
            u->originator = get32(v);
            break;
        case CLUSTERS:
            if (len % 4) return false;
            u->cluster_len = (u32)len;
            break;
        case MP_REACH:
            if (!mp_reach(u, v, len, flags)) return false;
            break;
        case MP_UNREACH:
            if (len < 3 || v[2] != 1) return false;
            u->mp_withdrawn_family = get16(v) == 1 ? 4 : get16(v) == 2 ? 6 : 0;
            u->mp_withdrawn = v + 3;
            u->mp_withdrawn_len = (u32)(len - 3);
            break;
        case MED:
            if (wire_ignore_med_zero && len == 4 && !get32(v)) break;
            /* fallthrough */
        default:
            u->hash += attr_hash(flags, type, v, len);
        }
        p += head + len;
        left -= head + len;
    }
    return true;
}

/* The hash under which a set comes back: nexthop6 stands for the MP_REACH it is sent with. */
u64 wire_attrs_hash(const u8 *p, size_t len, const u8 *nexthop6) {
    struct update u = {0};
    parse_attrs(&u, p, len);
    if (nexthop6) u.hash += attr_hash(0x80, MP_REACH, nexthop6, 16);
    return u.hash;
}

bool wire_update(const u8 *msg, size_t len, struct update *u) {
    memset(u, 0, sizeof *u);
    if (len < HEADER_LEN + 4) return false;
    const u8 *p = msg + HEADER_LEN, *end = msg + len;
    u32 n = get16(p);
    p += 2;
    if ((size_t)(end - p) < n + 2u) return false;
    u->withdrawn = p;
    u->withdrawn_len = n;
    p += n;
    n = get16(p);
    p += 2;
    if ((size_t)(end - p) < n) return false;
    u->has_attrs = n > 0;
    if (n && !parse_attrs(u, p, n)) return false;
    u->nlri = p + n;
    u->nlri_len = (u32)(end - u->nlri);
    return true;
}
