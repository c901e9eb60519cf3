/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing gets lost between awards and what is left: for every offer and quarter-hour, offered =
 * carried + outcomes; for every request that only awards of its own can serve, asked = unmet +
 * outcomes; awarded = outcomes + curtailed. Random books; POF_SEED=N tries others. */
#include "market/outcome.h"

#include "num/rng.h"
#include "num/units.h"
#include "record/words.h"
#include "tap.h"

enum { OFFERS = 30, REQUESTS = 12, QUARTERS = 16, TEXT = 64, AWARDS = OFFERS * QUARTERS };
static const int64_t day = INT64_C(1773097200);

struct dice {
    uint64_t seed, at;
};

static uint64_t roll(struct dice *d, uint64_t n)
{
    return pof_below(pof_random(d->seed, 2, d->at++), n);
}

/* A book, watts by quarter-hour, and what came back. */
struct book {
    char offer_id[OFFERS][TEXT], request_id[REQUESTS][TEXT], award_id[AWARDS][TEXT + 8];
    struct pof_offer offer[OFFERS];
    struct pof_request request[REQUESTS];
    struct pof_award award[AWARDS];
    struct pof_verdict verdict[AWARDS];
    size_t awards;
    int64_t offered[OFFERS][QUARTERS], asked[REQUESTS][QUARTERS];
    int64_t carried[OFFERS][QUARTERS], unmet[REQUESTS][QUARTERS];
    int64_t out_offer[OFFERS][QUARTERS], out_request[REQUESTS][QUARTERS];
    int64_t awarded, outcome, curtailed;
    int ids_bad;
    uint64_t digest;
};

static void span(struct dice *d, int64_t *start, int64_t *end, int64_t watts[QUARTERS], int64_t p)
{
    int64_t from = (int64_t)roll(d, QUARTERS);
    int64_t to = from + 1 + (int64_t)roll(d, (uint64_t)(QUARTERS - from));
    *start = day + from * POF_QUARTER_S;
    *end = day + to * POF_QUARTER_S;
    for (int64_t q = from; q < to; q++) {
        watts[q] = p;
    }
}

static void make_records(struct book *b, struct dice *d)
{
    for (int i = 0; i < OFFERS; i++) {
        struct pof_offer *o = &b->offer[i];
        /* Some are pieces that an earlier session left. */
        snprintf(b->offer_id[i], TEXT, i % 3 ? "O%02d" : "O%02d/20260309T2300Z", i);
        *o = (struct pof_offer){.id = pof_text(b->offer_id[i]),
                                .session = pof_text("S"),
                                .seller = pof_text("A"),
                                .pod = pof_text("P"),
                                .node = pof_text("N"),
                                .p_w = 1 + (int64_t)roll(d, 1000)};
        span(d, &o->start, &o->end, b->offered[i], o->p_w);
    }
    for (int i = 0; i < REQUESTS; i++) {
        struct pof_request *r = &b->request[i];
        snprintf(b->request_id[i], TEXT, "R%02d", i);
        *r = (struct pof_request){.id = pof_text(b->request_id[i]),
                                  .session = pof_text("S"),
                                  .buyer = pof_text("D"),
                                  .branch = pof_text("B"),
                                  .p_w = 1 + (int64_t)roll(d, 3000)};
        POF_SET(r, request, branch); /* without a grid: served by awards that name it */
        span(d, &r->start, &r->end, b->asked[i], r->p_w);
    }
}

/* Takes parts of offers for requests of the same quarter-hour, never more than either has left. */
static void make_awards(struct book *b, struct dice *d)
{
    int64_t left_o[OFFERS][QUARTERS], left_r[REQUESTS][QUARTERS];
    memcpy(left_o, b->offered, sizeof left_o);
    memcpy(left_r, b->asked, sizeof left_r);
    for (int tries = 0; tries < 4000 && b->awards < AWARDS; tries++) {
        size_t i = roll(d, OFFERS), k = roll(d, REQUESTS), q = roll(d, QUARTERS);
        int64_t most = left_o[i][q] < left_r[k][q] ? left_o[i][q] : left_r[k][q];
        struct pof_award *a = &b->award[b->awards];
        struct pof_verdict *v = &b->verdict[b->awards];
        int64_t p = most ? 1 + (int64_t)roll(d, (uint64_t)most) : 0, cut = (int64_t)roll(d, 3);
        if (p == 0) {
            continue;
        }
        snprintf(b->award_id[b->awards], TEXT + 8, "S:%zu", b->awards);
        left_o[i][q] -= p;
        left_r[k][q] -= p;
        *a = (struct pof_award){.id = pof_text(b->award_id[b->awards]),
                                .session = pof_text("S"),
                                .request = b->request[k].id,
                                .offer = b->offer[i].id,
                                .pod = pof_text("P"),
                                .node = pof_text("N"),
                                .buyer = pof_text("D"),
                                .seller = pof_text("A"),
                                .start = day + (int64_t)q * POF_QUARTER_S,
                                .duration_s = POF_QUARTER_S,
                                .p_w = p};
        *v = (struct pof_verdict){.award = a->id};
        v->p_w = cut == 0 ? p : cut == 1 ? 0 : (int64_t)roll(d, (uint64_t)p);
        v->decision = v->p_w == p ? POF_DECISION_ACCEPT
                      : v->p_w    ? POF_DECISION_CURTAIL
                                  : POF_DECISION_REJECT;
        b->awarded += p;
        b->curtailed += p - v->p_w;
        b->out_offer[i][q] += v->p_w;
        b->out_request[k][q] += v->p_w;
        b->awards++;
    }
}

/* --- what comes back --- */

static int find(struct pof_text id, char names[][TEXT], int n)
{
    for (int i = 0; i < n; i++) {
        size_t base = strcspn(names[i], "/");
        if (id.len >= base && memcmp(id.ptr, names[i], base) == 0) {
            return i;
        }
    }
    return -1;
}

static void add_watts(struct book *b, int64_t watts[QUARTERS], int64_t start, int64_t end,
                      int64_t p)
{
    for (int64_t q = (start - day) / POF_QUARTER_S; q < (end - day) / POF_QUARTER_S; q++) {
        b->ids_bad += watts[q] != 0; /* two pieces of one offer at one time */
        watts[q] = p;
    }
}

static void digest(struct book *b, struct pof_text id, int64_t p)
{
    for (size_t i = 0; i < id.len; i++) {
        b->digest = pof_mix(b->digest ^ (unsigned char)id.ptr[i]);
    }
    b->digest = pof_mix(b->digest ^ (uint64_t)p);
}

static int on_outcome(void *ctx, const struct pof_outcome *o, struct pof_err *err)
{
    struct book *b = ctx;
    (void)err;
    b->outcome += o->p_w;
    digest(b, o->award, o->p_w);
    return 0;
}

static int on_request(void *ctx, const struct pof_request *r, struct pof_err *err)
{
    struct book *b = ctx;
    int i = find(r->id, b->request_id, REQUESTS);
    add_watts(b, b->unmet[i], r->start, r->end, r->p_w);
    digest(b, r->id, r->p_w);
    return i < 0 ? pof_fail(err, POF_E_INTERNAL, "unknown") : 0;
}

static int on_offer(void *ctx, const struct pof_offer *o, struct pof_err *err)
{
    struct book *b = ctx;
    int i = find(o->id, b->offer_id, OFFERS);
    add_watts(b, b->carried[i], o->start, o->end, o->p_w);
    digest(b, o->id, o->p_w);
    return i < 0 ? pof_fail(err, POF_E_INTERNAL, "unknown") : 0;
}

static int take(struct pof_join *j, enum pof_type type, const void *from, struct pof_err *err)
{
    struct pof_record r = {.type = type};
    memcpy(&r.u, from, pof_layout(type)->size);
    return pof_join_take(j, &r, err);
}

/* Feeds the records, forwards or backwards, and collects what comes back. */
static int join(struct book *b, bool backwards, struct pof_err *err)
{
    struct pof_join j;
    int rc = pof_join_init(&j, NULL, err);
    for (size_t i = 0; rc == 0 && i < b->awards; i++) {
        size_t k = backwards ? b->awards - 1 - i : i;
        rc = take(&j, backwards ? POF_verdict : POF_award,
                  backwards ? (void *)&b->verdict[k] : (void *)&b->award[k], err);
    }
    for (size_t i = 0; rc == 0 && i < b->awards; i++) {
        size_t k = backwards ? b->awards - 1 - i : i;
        rc = take(&j, backwards ? POF_award : POF_verdict,
                  backwards ? (void *)&b->award[k] : (void *)&b->verdict[k], err);
    }
    for (size_t i = 0; rc == 0 && i < OFFERS; i++) {
        rc = take(&j, POF_offer, &b->offer[backwards ? OFFERS - 1 - i : i], err);
    }
    for (size_t i = 0; rc == 0 && i < REQUESTS; i++) {
        rc = take(&j, POF_request, &b->request[backwards ? REQUESTS - 1 - i : i], err);
    }
    b->digest = 0;
    rc = rc ? rc : pof_join_close(&j, false, err);
    rc = rc ? rc : pof_join_outcomes(&j, on_outcome, b, err);
    rc = rc ? rc : pof_join_unmet(&j, on_request, b, err);
    rc = rc ? rc : pof_join_carry(&j, on_offer, b, err);
    pof_join_release(&j);
    return rc;
}

static bool balanced(const struct book *b)
{
    bool fine = b->awarded == b->outcome + b->curtailed && b->ids_bad == 0;
    for (int q = 0; q < QUARTERS; q++) {
        for (int i = 0; i < OFFERS; i++) {
            fine = fine && b->offered[i][q] == b->carried[i][q] + b->out_offer[i][q];
        }
        for (int i = 0; b->awards > 0 && i < REQUESTS; i++) {
            fine = fine && b->asked[i][q] == b->unmet[i][q] + b->out_request[i][q];
        }
    }
    return fine;
}

static struct book book; /* too large for a stack */

int main(void)
{
    const char *s = getenv("POF_SEED");
    uint64_t first = s ? strtoull(s, NULL, 10) : 20260310;
    int good = 0, same = 0, awards = 0;
    for (uint64_t k = 0; k < 100; k++) {
        struct dice d = {first + k, 0};
        struct pof_err err = {0};
        memset(&book, 0, sizeof book);
        make_records(&book, &d);
        make_awards(&book, &d);
        bool fine = join(&book, false, &err) == 0 && balanced(&book);
        uint64_t once = book.digest;
        good += fine;
        same += join(&book, true, &err) == 0 && book.digest == once;
        awards += (int)book.awards;
        if (!fine) {
            printf("# seed %" PRIu64 ": %s\n", first + k, err.text);
        }
    }
    is_int(good, 100, "offered = carried + outcomes, asked = unmet + outcomes, to the watt");
    is_int(same, 100, "records in reverse order give the same records");
    ok(awards > 3000, "there is something to join (%d awards)", awards);
    return done();
}
