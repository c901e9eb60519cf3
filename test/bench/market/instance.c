/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of a market, and its files. */
#include "market.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void fail(const char *what)
{
    fprintf(stderr, "bench-market: %s\n", what);
    exit(1);
}

FILE *create(const char *folder, const char *name)
{
    char path[1200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    if (!f) {
        fail(path);
    }
    return f;
}

static void *array(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (!p) {
        fail("out of memory");
    }
    return p;
}

/* splitmix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014) of a place. */
static uint64_t hash(uint64_t seed, uint64_t kind, uint64_t q, uint64_t i)
{
    uint64_t z = seed * 0x9e3779b97f4a7c15u + kind * 0xd1342543de82ef95u + q * 0xda942042e4dd58b5u + i;
    for (int round = 0; round < 2; round++) {
        z += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        z ^= z >> 31;
    }
    return z;
}

void market_init(struct bench_market *m, uint32_t offers, uint32_t periods, uint64_t seed)
{
    *m = (struct bench_market){
        .offers = offers, .periods = periods, .nodes = offers / 10, .seed = seed};
    m->parent = array(m->nodes, sizeof *m->parent);
    m->now.offer = array(offers, sizeof *m->now.offer);
    m->now.limit = array(m->nodes, sizeof *m->now.limit);
    m->now.request = array(m->nodes + 1, sizeof *m->now.request);
    /* A parent among the last four fifths of what is there: deep, but not a line. */
    for (uint32_t v = 1; v < m->nodes; v++) {
        uint32_t from = v / 5;
        m->parent[v] = from + (uint32_t)(hash(seed, 1, 0, v) % (v - from));
    }
}

void market_free(struct bench_market *m)
{
    free(m->parent);
    free(m->now.offer);
    free(m->now.limit);
    free(m->now.request);
}

enum { SPAN = 8 }; /* quarter-hours of a block */

/* An offer by its place: its own in every quarter-hour, or that of the block that holds then. */
static struct bench_offer offer_at(const struct bench_market *m, uint32_t q, uint32_t i)
{
    uint32_t shift = (uint32_t)(hash(m->seed, 5, 0, i) % SPAN);
    uint32_t block = i < m->offers - m->blocks ? 0 : 1 + (q + shift) / SPAN;
    uint64_t h = block ? hash(m->seed, 6, block, i) : hash(m->seed, 2, q, i);
    return (struct bench_offer){.node = (uint32_t)((h >> 32) % m->nodes),
                                .p_w = (1 + (int32_t)((h & 0xffff) % 500)) * (block ? 3 : 1),
                                .price = 500 + 5 * (int32_t)((h >> 17 & 0x7fff) % 3901),
                                .up = h >> 16 & 1,
                                .block = block};
}

void market_quarter(struct bench_market *m, uint32_t q)
{
    struct bench_quarter *x = &m->now;
    memset(x->limit, 0, m->nodes * sizeof *x->limit);
    for (uint32_t i = 0; i < m->offers; i++) {
        x->offer[i] = offer_at(m, q, i);
        x->limit[x->offer[i].node][!x->offer[i].up] += x->offer[i].p_w;
    }
    for (uint32_t v = m->nodes; v-- > 1;) {
        x->limit[m->parent[v]][0] += x->limit[v][0];
        x->limit[m->parent[v]][1] += x->limit[v][1];
    }
    x->requests = 0;
    for (uint32_t v = 1; v < m->nodes; v++) {
        uint64_t h = hash(m->seed, 3, q, v);
        bool up = h & 1;
        int64_t p = x->limit[v][!up] * 3 / 10;
        if ((h >> 8) % 50 == 0 && p > 0) {
            x->request[x->requests++] = (struct bench_request){v, p, up};
        }
        x->limit[v][0] = x->limit[v][0] * (int64_t)(300 + (h >> 20) % 701) / 1000;
        x->limit[v][1] = x->limit[v][1] * (int64_t)(300 + (h >> 40) % 701) / 1000;
    }
    bool up = hash(m->seed, 4, q, 0) & 1;
    x->request[x->requests++] = (struct bench_request){0, x->limit[0][!up] / 5, up};
}

static const char *instant(uint32_t q, char to[32])
{
    snprintf(to, 32, "2026-03-%02" PRIu32 "T%02" PRIu32 ":%02" PRIu32 ":00Z", 10 + q / 96, q / 4 % 24,
             q % 4 * 15);
    return to;
}

static void write_grid(const struct bench_market *m, const char *folder)
{
    FILE *f = create(folder, "grid.json");
    fprintf(f, "{\"schema\":\"pof.grid/1\",\"name\":\"bench\",\"base_va\":1000000,\"f_hz\":50,\"nodes\":["
               "{\"name\":\"N0\",\"base_v\":20000,\"kind\":\"slack\",\"v_set_pu\":1}");
    for (uint32_t v = 1; v < m->nodes; v++) {
        fprintf(f, ",\n{\"name\":\"N%" PRIu32 "\",\"base_v\":20000}", v);
    }
    fprintf(f, "],\"branches\":[");
    for (uint32_t v = 1; v < m->nodes; v++) {
        fprintf(f, "%s{\"name\":\"L%" PRIu32 "\",\"kind\":\"line\",\"from\":\"N%" PRIu32 "\",\"to\":\"N%" PRIu32
                   "\",\"r_ohm\":0.1,\"x_ohm\":0.1}",
                v > 1 ? ",\n" : "", v, m->parent[v], v);
    }
    fprintf(f, "]}\n");
    fclose(f);
}

void market_write_requests(struct bench_market *m, FILE *f)
{
    char start[32], end[32];
    fprintf(f, "id,session,buyer,role,branch,direction,start,end,p_w,price_limit_eur_mwh\n");
    for (uint32_t q = 0; q < m->periods; q++) {
        market_quarter(m, q);
        for (uint32_t k = 0; k < m->now.requests; k++) {
            const struct bench_request *r = &m->now.request[k];
            char branch[16] = "";
            if (r->node) {
                snprintf(branch, sizeof branch, "L%" PRIu32, r->node);
            }
            fprintf(f, "R%" PRIu32 "-%" PRIu32 ",S,%s,%s,%s,%s,%s,%s,%" PRId64 ",%d\n", q, k,
                    r->node ? "DSO" : "TSO", r->node ? "dso" : "tso", branch, r->up ? "up" : "down",
                    instant(q, start), instant(q + 1, end), r->p_w,
                    (r->node ? CEILING_DSO : CEILING_TSO) / 100);
        }
    }
}

void market_write_limits(struct bench_market *m, FILE *f)
{
    char start[32];
    fprintf(f, "branch,start,duration_s,p_up_w,p_down_w\n");
    for (uint32_t q = 0; q < m->periods; q++) {
        market_quarter(m, q);
        instant(q, start);
        for (uint32_t v = 1; v < m->nodes; v++) {
            fprintf(f, "L%" PRIu32 ",%s,900,%" PRId64 ",%" PRId64 "\n", v, start,
                    m->now.limit[v][0], m->now.limit[v][1]);
        }
    }
}

void market_write_offers(struct bench_market *m, FILE *f)
{
    char start[32], end[32];
    fprintf(f, "id,session,seller,pod,node,direction,start,end,p_w,price_eur_mwh%s\n",
            m->blocks ? ",block" : "");
    for (uint32_t q = 0; q < m->periods; q++) {
        market_quarter(m, q);
        instant(q, start);
        instant(q + 1, end);
        for (uint32_t i = 0; i < m->offers; i++) {
            const struct bench_offer *o = &m->now.offer[i];
            fprintf(f, "%" PRIu32 "-%" PRIu32 ",S,A%" PRIu32 ",P%" PRIu32 ",N%" PRIu32
                       ",%s,%s,%s,%d,%d.%02d",
                    i, q, i % 7, i, o->node, o->up ? "up" : "down", start, end, o->p_w,
                    o->price / 100, o->price % 100);
            if (o->block) {
                fprintf(f, ",B%" PRIu32 "-%" PRIu32, i, o->block);
            }
            fputs(m->blocks && !o->block ? ",\n" : "\n", f);
        }
    }
}

static void write_file(struct bench_market *m, const char *folder, const char *name,
                       void (*write)(struct bench_market *m, FILE *f))
{
    FILE *f = create(folder, name);
    write(m, f);
    fclose(f);
}

void market_write_frame(struct bench_market *m, const char *folder)
{
    char end[32];
    write_grid(m, folder);
    FILE *f = create(folder, "sessions.csv");
    fprintf(f, "id,kind,day,opens,gate,clear_by,validate_by,final_by,start,end\n"
               "S,day_ahead,2026-03-10,2026-03-08T00:00:00Z,2026-03-09T12:00:00Z,"
               "2026-03-09T13:00:00Z,2026-03-09T14:00:00Z,2026-03-09T15:00:00Z,"
               "2026-03-10T00:00:00Z,%s\n",
            instant(m->periods, end));
    fclose(f);
    write_file(m, folder, "requests.csv", market_write_requests);
}

void market_write(struct bench_market *m, const char *folder)
{
    market_write_frame(m, folder);
    write_file(m, folder, "limits.csv", market_write_limits);
    write_file(m, folder, "offers.csv", market_write_offers);
}
