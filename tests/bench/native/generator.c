/* A BGP load generator: many iBGP clients in one process, one load, one line of JSON.
 *
 * Everything that is sent is written before the clock starts, and everything that arrives is
 * checked: if a client holds a wrong prefix or attribute the run is void (exit status 1). */
#include "bench.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static int by_value(const void *a, const void *b) {
    u64 x = *(const u64 *)a, y = *(const u64 *)b;
    return x < y ? -1 : x > y;
}

static double percentile(const struct latencies *l, double q) {
    return l->count ? (double)l->ns[(u32)(q * (l->count - 1) + 0.5)] / 1e6 : 0;
}

static void print_string(const char *s) {
    putchar('"');
    for (; *s; s++)
        if (*s >= ' ' && *s != '"' && *s != '\\') putchar(*s);
    putchar('"');
}

static void print_result(const struct gen *g, const struct options *o, struct result *r) {
    const struct counters *n = &g->count;
    struct rusage use;
    u32 eors = 0;
    getrusage(RUSAGE_SELF, &use);
    if (g->failed) r->clock_ns = r->cpu_ns = 0;
    for (u32 i = 0; i < g->nclients; i++) eors += g->clients[i].eors;
    printf("{\"load\": \"%s\", \"ok\": %s, \"reason\": ", o->load, g->failed ? "false" : "true");
    print_string(g->reason);
    printf(", \"main_s\": %.6f, \"sessions_s\": %.6f, \"clock_s\": %.6f, \"own_cpu_s\": %.6f",
           (double)r->main_ns / 1e9, (double)r->sessions_ns / 1e9, (double)r->clock_ns / 1e9,
           (double)r->cpu_ns / 1e9);
    printf(", \"own_share\": %.3f",
           r->clock_ns ? (double)r->cpu_ns / (double)r->clock_ns : 0.0);
    printf(", \"own_peak_mb\": %.1f", (double)use.ru_maxrss / 1024);
    printf(", \"extra\": {");
    for (u32 i = 0; i < r->nextra; i++)
        printf("%s\"%s\": %.9f", i ? ", " : "", r->extra[i].name, (double)r->extra[i].ns / 1e9);
    printf("}, \"latency_ms\": {");
    for (u32 i = 0; i < r->nlatency; i++) {
        struct latencies *l = &r->latency[i].l;
        qsort(l->ns, l->count, sizeof *l->ns, by_value);
        printf("%s\"%s\": {\"n\": %u, \"p50\": %.4f, \"p90\": %.4f, \"p99\": %.4f, \"max\": %.4f}",
               i ? ", " : "", r->latency[i].name, l->count, percentile(l, 0.5),
               percentile(l, 0.9), percentile(l, 0.99), percentile(l, 1));
    }
    printf("}, \"bytes_in\": %llu, \"bytes_out\": %llu, \"updates_in\": %llu, \"prefixes_in\": "
           "%llu, \"withdrawn_in\": %llu, \"keepalives_in\": %llu, \"end_of_rib_in\": %u, "
           "\"debug_routes_in\": %llu, \"echoed\": %llu, \"notifications\": %llu, "
           "\"sessions_lost\": %llu, \"redials\": %llu, \"clients\": %u, \"prefixes\": %u, "
           "\"attribute_sets\": %u, \"hold_s\": %u}\n",
           (unsigned long long)n->bytes_in, (unsigned long long)n->bytes_out,
           (unsigned long long)n->updates_in, (unsigned long long)n->prefixes_in,
           (unsigned long long)n->withdrawn_in, (unsigned long long)n->keepalives_in, eors,
           (unsigned long long)n->extra, (unsigned long long)n->echoed,
           (unsigned long long)n->notifications, (unsigned long long)n->lost,
           (unsigned long long)n->reconnects, g->nclients, g->table.count, g->table.nsets - 1,
           g->hold_s);
}

static const struct {
    const char *name;
    bool (*run)(struct gen *, const struct options *, struct result *);
} LOADS[] = {
    {"own", load_all_hold},     {"unique", load_all_hold}, {"overlap", load_all_hold},
    {"table", load_all_hold},   {"latency", load_latency}, {"late", load_late},
    {"drop", load_drop},        {"startup", load_startup}, {"stall", load_stall},
    {"flood", load_flood},      {"flaps", load_flaps},
};

static void usage(void) {
    fputs("generator --load own|unique|overlap|table|latency|late|drop|startup|stall|flood|flaps\n"
          "  --address A --port N --clients N --routes N [--first-routes N] [--senders N]\n"
          "  [--samples N] [--passes N] [--family 4|6] [--hold S] [--limit S] [--settle-ms N]\n"
          "  [--gap-us N] [--dial N] [--hub] [--ignore-med-zero] [--sync]\n", stderr);
    exit(2);
}

int main(int argc, char **argv) {
    static const struct option names[] = {
        {"load", 1, 0, 'l'},    {"address", 1, 0, 'a'},      {"port", 1, 0, 'p'},
        {"clients", 1, 0, 'c'}, {"routes", 1, 0, 'r'},       {"first-routes", 1, 0, 'f'},
        {"senders", 1, 0, 'n'}, {"samples", 1, 0, 'k'},      {"passes", 1, 0, 'v'},
        {"family", 1, 0, '6'},  {"hold", 1, 0, 'h'},         {"limit", 1, 0, 't'},
        {"gap-us", 1, 0, 'g'},  {"settle-ms", 1, 0, 's'},    {"hub", 0, 0, 'u'},
        {"sync", 0, 0, 'y'},    {"ignore-med-zero", 0, 0, 'm'},
        {"dial", 1, 0, 'd'},
        {0, 0, 0, 0},
    };
    static struct gen g = {.port = 1790, .hold_s = 90, .dial_max = 4,
                           .retry_ns = 100 * MILLISECOND};
    static struct result r;
    struct options o = {.load = "own", .clients = 2, .routes = 1, .samples = 100, .passes = 2,
                        .family = 4, .limit_ns = 60 * SECOND, .settle_ns = SECOND,
                        .gap_ns = 2 * MILLISECOND};
    const char *address = "127.0.0.1";
    for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        u32 v = optarg ? (u32)strtoul(optarg, NULL, 10) : 0;
        switch (c) {
        case 'l': o.load = optarg; break;
        case 'a': address = optarg; break;
        case 'p': g.port = (u16)v; break;
        case 'c': o.clients = v; break;
        case 'r': o.routes = v; break;
        case 'f': o.first_routes = v; break;
        case 'n': o.senders = v; break;
        case 'k': o.samples = v; break;
        case 'v': o.passes = v; break;
        case '6': o.family = (int)v; break;
        case 'd': g.dial_max = v; break;
        case 'h': g.hold_s = v; break;
        case 't': o.limit_ns = v * SECOND; break;
        case 'g': o.gap_ns = v * 1000ull; break;
        case 's': o.settle_ns = v * MILLISECOND; break;
        case 'u': g.hub = true; break;
        case 'm': wire_ignore_med_zero = true; break;
        case 'y': o.sync = true; break;
        default: usage();
        }
    }
    if (!o.senders) o.senders = o.clients;
    if (!o.first_routes) o.first_routes = o.routes;
    g.server_addr = ntohl(inet_addr(address));
    signal(SIGPIPE, SIG_IGN);
    gen_init(&g, o.clients);
    for (u32 i = 0; i < sizeof LOADS / sizeof *LOADS; i++) {
        if (strcmp(LOADS[i].name, o.load)) continue;
        LOADS[i].run(&g, &o, &r);
        print_result(&g, &o, &r);
        return g.failed;
    }
    usage();
}
