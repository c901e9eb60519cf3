/* SPDX-License-Identifier: Apache-2.0 */
/* Offers: what each kind can do, what owners lend, which price counts. */
#include "market/offer.h"

#include "market.h"
#include "num/units.h"
#include "record/words.h"

#define POD(name, agg, kind)                                                                       \
    "{\"schema\":\"pof.pod/1\",\"pod\":\"" name "\",\"node\":\"N\",\"aggregator\":\"" agg           \
    "\",\"kind\":\"" kind "\",\"p_up_max_w\":500,\"p_down_max_w\":600}\n"
#define BASE(pod, at, p)                                                                           \
    "{\"schema\":\"pof.baseline/1\",\"pod\":\"" pod "\",\"start\":\"2026-03-10T" at ":00Z\","      \
    "\"duration_s\":900,\"p_w\":" p "}\n"
#define DAY(pod, p)                                                                                \
    BASE(pod, "10:00", p) BASE(pod, "10:15", p) BASE(pod, "10:30", p) BASE(pod, "10:45", p)
#define RULE(fields, dir, price)                                                                   \
    "{\"schema\":\"pof.pricerule/1\"," fields "\"direction\":\"" dir                               \
    "\",\"price_eur_mwh\":" price "}\n"
#define LENT(pod, from, to, up, down)                                                              \
    "{\"schema\":\"pof.availability/1\",\"pod\":\"" pod "\",\"start\":\"2026-03-10T" from          \
    ":00Z\",\"end\":\"2026-03-10T" to ":00Z\",\"p_up_w\":" up ",\"p_down_w\":" down "}\n"
#define OUTCOME(award, pod, dir, at, p)                                                            \
    "{\"schema\":\"pof.outcome/1\",\"award\":\"" award                                             \
    "\",\"session\":\"D\",\"request\":\"R\",\"offer\":\"O\",\"pod\":\"" pod                        \
    "\",\"node\":\"N\",\"buyer\":\"DSO\",\"role\":\"dso\",\"seller\":\"A\",\"direction\":\"" dir   \
    "\",\"start\":\"2026-03-10T" at ":00Z\",\"duration_s\":900,\"p_awarded_w\":900,\"p_w\":" p     \
    ",\"price_eur_mwh\":1,\"decision\":\"accept\"}\n"

enum { T10 = 1773136800 }; /* 2026-03-10T10:00:00Z */

struct market {
    struct pof_forecast f;
    struct pof_offers o;
    struct pof_arena kept;
    struct pof_offer offer[64];
    size_t n;
};

static int take(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    struct market *m = ctx;
    return record->type == POF_availability || record->type == POF_pricerule
               ? pof_offers_take(&m->o, record, err)
               : pof_forecast_take(&m->f, record, err);
}

static int keep(void *ctx, const struct pof_offer *offer, struct pof_err *err)
{
    struct market *m = ctx;
    if (m->n == 64) {
        return pof_fail(err, POF_E_INTERNAL, "more offers than the test expects");
    }
    return pof_record_copy(POF_offer, offer, &m->offer[m->n++], &m->kept, err);
}

static int market(struct market *m, const char *text, const struct pof_offer_options *o,
                  struct pof_err *err)
{
    *m = (struct market){0};
    *err = (struct pof_err){0};
    int rc = pof_forecast_init(&m->f, err);
    rc = rc ? rc : pof_offers_init(&m->o, err);
    rc = rc ? rc : take_lines(text, take, m, err);
    rc = rc ? rc : pof_forecast_build(&m->f, &(struct pof_forecast_options){0}, err);
    return rc ? rc : pof_offers_make(&m->o, &m->f, o, keep, m, err);
}

static void end(struct market *m)
{
    pof_offers_release(&m->o);
    pof_forecast_release(&m->f);
    pof_arena_release(&m->kept);
}

static const struct pof_offer_options at_ten = {.has_price = true, .price_ueur_mwh = 10000000};

/* Sums of power over quarter-hours by direction: what a pod offers altogether. */
static void offers(const char *text, int64_t up, int64_t down, const char *what)
{
    struct market m;
    struct pof_err err;
    int64_t sum[2] = {0, 0};
    int rc = market(&m, text, &at_ten, &err);
    for (size_t i = 0; i < m.n; i++) {
        sum[m.offer[i].direction] +=
            m.offer[i].p_w * (m.offer[i].end - m.offer[i].start) / POF_QUARTER_S;
    }
    if (!ok(rc == 0 && sum[POF_UP] == up && sum[POF_DOWN] == down, "%s", what)) {
        printf("# %d '%s': up %lld, down %lld\n", rc, err.text, (long long)sum[0], (long long)sum[1]);
    }
    end(&m);
}

static void kinds(void)
{
    offers(SESSION POD("P", "A", "household") DAY("P", "300"), 1200, 2400, "a household stops, not more");
    offers(SESSION POD("P", "A", "household") DAY("P", "-300"), 0, 2400, "one that feeds in cannot stop");
    offers(SESSION POD("P", "A", "heatpump") DAY("P", "9000"), 2000, 2400, "registration bounds it");
    offers(SESSION POD("P", "A", "pv") DAY("P", "-300"), 0, 1200, "pv is curtailed, nothing else");
    offers(SESSION POD("P", "A", "pv") DAY("P", "5"), 0, 0, "pv at night offers nothing");
    offers(SESSION POD("P", "A", "battery") DAY("P", "0"), 2000, 2400, "a battery does both");
    offers(SESSION POD("P", "A", "battery") BASE("P", "10:15", "0"), 500, 600,
           "no baseline, no offer");
    is_int(pof_offer_possible(POF_POD_KIND_VEHICLE, POF_UP, 7), 7, "a vehicle stops charging");
    ok(pof_offer_possible(POF_POD_KIND_OTHER, POF_UP, 0) == INT64_MAX, "other: as registered");
}

static void lending(void)
{
    const char *one = SESSION POD("P", "A", "battery") DAY("P", "0") LENT("P", "10:15", "10:45", "100", "50");
    offers(one, 200, 100, "lent for two quarter-hours, nothing outside");
    offers(SESSION POD("P", "A", "battery") DAY("P", "0") LENT("P", "10:15", "10:45", "100", "50")
               LENT("P", "10:00", "10:30", "70", "80"),
           70 + 70 + 100, 80 + 50 + 50, "the least of overlapping ones");
    offers(SESSION POD("P", "A", "battery") DAY("P", "0") LENT("P", "10:05", "10:30", "100", "50"), 100,
           50, "a quarter-hour must be covered whole");
    offers(SESSION POD("P", "A", "battery") DAY("P", "0") OUTCOME("a", "P", "up", "10:00", "400")
               OUTCOME("b", "P", "up", "10:15", "700"),
           100 + 0 + 500 + 500, 2400, "less what was taken, down untouched");
    offers(SESSION POD("P", "A", "household") DAY("P", "300") OUTCOME("a", "P", "down", "10:00", "200"),
           1200, 2200, "what was taken down gives nothing back up");
}

static void merging(void)
{
    struct market m;
    struct pof_err err;
    struct pof_offer_options o = at_ten;
    o.has_received = true;
    o.received = T10 - 22 * 3600; /* 12:00 the day before: the session opens */
    const char *text = SESSION POD("P", "A", "pv") BASE("P", "10:00", "-10") BASE("P", "10:15", "-10")
        BASE("P", "10:30", "-20") BASE("P", "10:45", "-10");
    is_int(market(&m, text, &o, &err), 0, "offers are made");
    is_int((int64_t)m.n, 3, "equal neighbours are one offer");
    is_text(m.offer[0].id.ptr, m.offer[0].id.len, "S-P-down-10:00", "id");
    is_int(m.offer[0].start, T10, "start");
    is_int(m.offer[0].end, T10 + 1800, "end");
    is_int(m.offer[1].p_w, 20, "power");
    is_text(m.offer[2].id.ptr, m.offer[2].id.len, "S-P-down-10:45", "the third begins anew");
    ok(POF_HAS(&m.offer[0], offer, received) && m.offer[0].received == o.received, "received");
    end(&m);
    o.received = T10 - 19 * 3600; /* the gate */
    ok(market(&m, text, &o, &err) == POF_E_ANSWER_NO && m.n == 0 && strstr(err.text, "gate"),
       "at the gate it is too late");
    end(&m);
    o.received = T10 - 22 * 3600 - 1;
    ok(market(&m, text, &o, &err) == POF_E_ANSWER_NO && strstr(err.text, "opens"), "or too early");
    end(&m);
}

static void price_is(const char *rules, int64_t price_eur, const char *what)
{
    char text[4096];
    struct market m;
    struct pof_err err;
    snprintf(text, sizeof text, "%s%s%s", SESSION POD("P", "A", "pv"), DAY("P", "-10"), rules);
    int rc = market(&m, text, &(struct pof_offer_options){0}, &err);
    bool right = rc == 0 && m.n == 1 && m.offer[0].price_ueur_mwh == price_eur * 1000000;
    if (!ok(right, "%s", what)) {
        printf("# %d '%s' %zu\n", rc, err.text, m.n);
    }
    end(&m);
}

#define GENERAL RULE("", "down", "1")
#define BY_KIND RULE("\"kind\":\"pv\",", "down", "2")
#define BY_AGG RULE("\"aggregator\":\"A\",", "down", "3")
#define BY_BOTH RULE("\"aggregator\":\"A\",\"kind\":\"pv\",", "down", "4")
#define BY_POD RULE("\"pod\":\"P\",", "down", "5")
#define OTHERS                                                                                     \
    RULE("\"pod\":\"Q\",", "down", "90")                                                           \
    RULE("\"aggregator\":\"B\",", "down", "91")                                                    \
    RULE("\"kind\":\"battery\",", "down", "92")                                                    \
    RULE("\"aggregator\":\"A\",\"kind\":\"battery\",", "down", "93")                               \
    RULE("\"pod\":\"P\",", "up", "94")                                                             \
    RULE("\"pod\":\"P\",\"aggregator\":\"B\",", "down", "95")

static void prices(void)
{
    price_is(OTHERS GENERAL, 1, "the general rule");
    price_is(OTHERS GENERAL BY_KIND, 2, "kind before general");
    price_is(BY_AGG OTHERS GENERAL BY_KIND, 3, "aggregator before kind");
    price_is(BY_BOTH BY_AGG OTHERS GENERAL BY_KIND, 4, "both before aggregator");
    price_is(GENERAL BY_KIND BY_AGG BY_BOTH BY_POD OTHERS, 5, "pod before all");
    price_is(BY_POD BY_POD, 5, "the same twice is no conflict");
    struct market m;
    struct pof_err err;
    const char *two = SESSION POD("P", "A", "pv") DAY("P", "-10") BY_POD RULE("\"pod\":\"P\",", "down", "6");
    ok(market(&m, two, &at_ten, &err) == POF_E_CONFLICT && strstr(err.text, "'P'"),
       "two equally specific prices are an error");
    end(&m);
    const char *none = SESSION POD("P", "A", "pv") POD("R", "B", "pv") DAY("P", "-10") OTHERS;
    is_int(market(&m, none, &(struct pof_offer_options){0}, &err), 0, "no rule is no error");
    is_int(m.o.counts.unpriced, 1, "pods without a price are counted");
    is_int(m.o.counts.unbaselined, 1, "and pods without a baseline");
    is_int(m.o.counts.unused_rules, 4, "and rules that fit none");
    end(&m);
    struct pof_offer_options only = {.has_price = true, .aggregator = "B"};
    const char *both = SESSION POD("P", "A", "pv") POD("R", "B", "pv") DAY("P", "-10") DAY("R", "-10");
    is_int(market(&m, both, &only, &err), 0, "one aggregator");
    ok(m.n == 1 && pof_text_is(m.offer[0].pod, "R"), "offers its own pods only");
    end(&m);
    const char *nobody = SESSION POD("P", "A", "pv") LENT("Q", "10:00", "11:00", "1", "1");
    ok(market(&m, nobody, &at_ten, &err) == POF_E_REFERENCE && strstr(err.text, "'Q'"),
       "an availability of nobody is refused");
    end(&m);
}

int main(void)
{
    kinds();
    lending();
    merging();
    prices();
    return done();
}
