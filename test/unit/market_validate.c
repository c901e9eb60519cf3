/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts that can be computed by hand; the grids are those of market_request.c. */
#include "market/validate.h"

#include "market.h"
#include "num/units.h"

#define NODES                                                                                      \
    "{\"schema\":\"pof.grid/1\",\"name\":\"g\",\"base_va\":100000,\"nodes\":["                     \
    "{\"name\":\"bus\",\"base_v\":400,\"kind\":\"slack\",\"v_set_pu\":1},"                         \
    "{\"name\":\"N1\",\"base_v\":400},{\"name\":\"N2\",\"base_v\":400,\"v_min_pu\":0.95}],"        \
    "\"branches\":["
#define LINE(name, from, to, z, rating)                                                            \
    "{\"name\":\"" name "\",\"kind\":\"line\",\"from\":\"" from "\",\"to\":\"" to "\"," z           \
    ",\"rating_va\":" rating "}"
/* L1 and L2 in a row, lossless; L2 carries 50 kVA. */
#define ROW                                                                                        \
    NODES LINE("L1", "bus", "N1", "\"r_ohm\":0,\"x_ohm\":1e-6", "500000") ","                      \
        LINE("L2", "N1", "N2", "\"r_ohm\":0,\"x_ohm\":1e-6", "50000") "]}"
/* N2 behind 0.1 ohm in all, N1 behind 0.05: v (1 - v) = 0.0625 p of N2 alone. */
#define CABLE                                                                                      \
    NODES LINE("L1", "bus", "N1", "\"r_ohm\":0.05,\"x_ohm\":0", "5000000") ","                     \
        LINE("L2", "N1", "N2", "\"r_ohm\":0.05,\"x_ohm\":0", "5000000") "]}"
/* A ring: N2 is fed by two equal lines of 50 kVA together. */
#define RING                                                                                       \
    NODES LINE("L1", "bus", "N1", "\"r_ohm\":0,\"x_ohm\":1e-6", "500000") ","                      \
        LINE("L2", "N1", "N2", "\"r_ohm\":0,\"x_ohm\":1e-3", "25000") ","                          \
            LINE("L3", "N1", "N2", "\"r_ohm\":0,\"x_ohm\":1e-3", "25000") "]}"

#define POD(name, node)                                                                            \
    "{\"schema\":\"pof.pod/1\",\"pod\":\"" name "\",\"node\":\"" node                              \
    "\",\"aggregator\":\"A\",\"kind\":\"other\",\"p_up_max_w\":1,\"p_down_max_w\":1}\n"
#define BASE(pod, at, p)                                                                           \
    "{\"schema\":\"pof.baseline/1\",\"pod\":\"" pod "\",\"start\":\"2026-03-10T" at ":00Z\","      \
    "\"duration_s\":900,\"p_w\":" p "}\n"
#define AWARD_OF(session, id, role, pod, node, dir, at, p, price)                                  \
    "{\"schema\":\"pof.award/1\",\"id\":\"" id "\",\"session\":\"" session                         \
    "\",\"request\":\"R\",\"offer\":\"O\",\"pod\":\"" pod "\",\"node\":\"" node                    \
    "\",\"buyer\":\"B\",\"role\":\"" role "\",\"seller\":\"A\",\"direction\":\"" dir               \
    "\",\"start\":\"2026-03-10T" at ":00Z\",\"duration_s\":900,\"p_w\":" p                         \
    ",\"offer_price_eur_mwh\":" price ",\"price_eur_mwh\":" price ",\"why\":\"request\"}\n"
#define AWARD(id, role, pod, node, dir, p, price)                                                  \
    AWARD_OF("S", id, role, pod, node, dir, "10:00", p, price)
#define PODS POD("P1", "N1") POD("P2", "N2") POD("Q2", "N2")

struct market {
    struct pof_grid grid;
    struct pof_forecast f;
    struct pof_validate v;
};

static int take(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    struct market *m = ctx;
    return record->type == POF_award ? pof_validate_take(&m->v, &record->u.award, err)
                                     : pof_forecast_take(&m->f, record, err);
}

static int judge(struct market *m, const char *grid, const char *text, struct pof_err *err)
{
    *m = (struct market){0};
    *err = (struct pof_err){0};
    must_parse(&m->grid, grid);
    struct pof_validate_options o = {.max_loading = 1, .outage_loading = 1, .worth_ueur_mwh = {INT64_C(300000000000), INT64_C(3000000000)}};
    int rc = pof_forecast_init(&m->f, err);
    rc = rc ? rc : take_lines(text, take, m, err);
    rc = rc ? rc : pof_forecast_build(&m->f, &(struct pof_forecast_options){.grid = &m->grid}, err);
    return rc ? rc : pof_validate_run(&m->v, &m->f, &m->grid, &o, err);
}

static void end(struct market *m)
{
    pof_validate_release(&m->v);
    pof_forecast_release(&m->f);
    pof_grid_release(&m->grid);
}

/* p_w of the award with an id, within 1 W (currents follow voltages that are not exactly 1). */
static void is_allowed(const struct market *m, const char *id, int decision, int64_t p_w)
{
    for (size_t i = 0; i < m->v.n; i++) {
        const struct pof_verdict *v = &m->v.verdict[i];
        if (pof_text_is(v->award, id)) {
            if (!ok(v->decision == decision && v->p_w >= p_w - 1 && v->p_w <= p_w, "%s keeps %lld W",
                    id, (long long)p_w)) {
                printf("# decision %d, %lld W\n", v->decision, (long long)v->p_w);
            }
            return;
        }
    }
    ok(false, "%s has a verdict", id);
}

enum { ACCEPT = POF_DECISION_ACCEPT, CURTAIL = POF_DECISION_CURTAIL, REJECT = POF_DECISION_REJECT };

static void given(struct market *m, const char *grid, const char *text, const char *what)
{
    struct pof_err err;
    if (!ok(judge(m, grid, text, &err) == 0, "%s", what)) {
        printf("# %s\n", err.text);
    }
}

static void order(void)
{
    struct market m;
    given(&m, ROW, SESSION PODS BASE("P2", "10:00", "40000") AWARD("a", "dso", "P2", "N2", "down", "9000", "50"),
          "awards that fit");
    is_allowed(&m, "a", ACCEPT, 9000);
    is_int(m.v.counts.quarters_violated, 0, "nothing is violated");
    end(&m);
    /* 40 + 3 x 6 = 58 of 50 kW: 8 too many. */
    given(&m, ROW,
          SESSION PODS BASE("P2", "10:00", "40000") AWARD("a", "dso", "P2", "N2", "down", "6000", "90")
              AWARD("b", "tso", "P2", "N2", "down", "6000", "10") AWARD("c", "tso", "Q2", "N2", "down", "6000", "20"),
          "too much of the TSO");
    is_allowed(&m, "a", ACCEPT, 6000);
    is_allowed(&m, "b", CURTAIL, 4000);
    is_allowed(&m, "c", REJECT, 0);
    const struct pof_verdict *v = &m.v.verdict[2];
    ok(pof_text_is(v->element, "L2") && v->reason == POF_VIOLATION_LOADING && v->limit == 100, "why");
    is_near(v->before, 116, 1e-3, "before: 58 of 50");
    ok(v->after <= 100.00001 && v->after > 99.99, "after: the rating, %.6f", v->after);
    is_int(m.v.counts.allowed_w, m.v.verdict[0].p_w + m.v.verdict[1].p_w, "the sum allowed");
    is_int(m.v.counts.awarded_w, 18000, "the sum awarded");
    end(&m);
    given(&m, ROW,
          SESSION PODS BASE("P2", "10:00", "40000") AWARD("b", "dso", "P2", "N2", "down", "6000", "50")
              AWARD("a", "dso", "P2", "N2", "down", "6000", "50") AWARD("c", "dso", "P1", "N1", "down", "99000", "90"),
          "equal prices");
    is_allowed(&m, "a", CURTAIL, 4000);
    is_allowed(&m, "b", ACCEPT, 6000);
    is_allowed(&m, "c", ACCEPT, 99000);
    end(&m);
    /* Down on a branch that carries generation helps it; up is what overloads. */
    given(&m, ROW,
          SESSION PODS BASE("P2", "10:00", "-45000") AWARD("a", "dso", "P2", "N2", "up", "9000", "50")
              AWARD("b", "tso", "Q2", "N2", "down", "1000", "90"),
          "too much generation");
    is_allowed(&m, "a", CURTAIL, 6000);
    is_allowed(&m, "b", ACCEPT, 1000);
    end(&m);
}

static void voltages(void)
{
    struct market m;
    /* 76 kW at N2 give v = 0.95 (0.95 * 0.05 / 0.0625 p.u.). */
    given(&m, CABLE, SESSION PODS BASE("P2", "10:00", "70000") AWARD("a", "dso", "P2", "N2", "down", "10000", "50"),
          "low voltage");
    is_allowed(&m, "a", CURTAIL, 6000);
    ok(m.v.verdict[0].reason == POF_VIOLATION_VOLTAGE_LOW && pof_text_is(m.v.verdict[0].element, "N2"),
       "why");
    is_near(m.v.verdict[0].limit, 0.95, 0, "limit");
    is_near(m.v.verdict[0].before, (1 + sqrt(1 - 4 * 0.05)) / 2, 1e-6, "before: 80 kW");
    is_near(m.v.verdict[0].after, 0.95, 1e-6, "after");
    end(&m);
    /* A watt at N1 is half as effective: the cheaper award at N2 goes before the dearer at N1. */
    given(&m, CABLE,
          SESSION PODS BASE("P2", "10:00", "75000") AWARD("far", "dso", "P2", "N2", "down", "3000", "10")
              AWARD("near", "dso", "P1", "N1", "down", "1000", "99"),
          "effect before price");
    is_allowed(&m, "near", ACCEPT, 1000);
    ok(m.v.verdict[0].decision == CURTAIL, "the effective one is cut");
    end(&m);
}

static void fault(void)
{
    struct market m;
    /* 55 of 50 kW without awards. */
    given(&m, ROW,
          SESSION PODS BASE("P2", "10:00", "55000") AWARD("a", "dso", "P2", "N2", "up", "2000", "50"),
          "an award that helps too little");
    is_allowed(&m, "a", ACCEPT, 2000);
    end(&m);
    given(&m, ROW,
          SESSION PODS BASE("P2", "10:00", "55000") AWARD("a", "dso", "P2", "N2", "up", "2000", "50")
              AWARD("b", "dso", "Q2", "N2", "down", "3000", "50"),
          "one that makes it worse");
    is_allowed(&m, "a", ACCEPT, 2000);
    ok(m.v.verdict[1].p_w >= 2000 && m.v.verdict[1].p_w <= 2005,
       "is cut to what leaves it as it was (0.01 %% of 50 kW slack), %lld", (long long)m.v.verdict[1].p_w);
    end(&m);
}

static void other_shapes(void)
{
    struct market m;
    given(&m, RING,
          SESSION PODS BASE("P2", "10:00", "40000") AWARD("a", "dso", "P2", "N2", "down", "6000", "90")
              AWARD("b", "tso", "P2", "N2", "down", "6000", "10") AWARD("c", "dso", "P1", "N1", "down", "9000", "10"),
          "a meshed grid");
    is_allowed(&m, "a", ACCEPT, 6000);
    is_allowed(&m, "b", CURTAIL, 4000);
    is_allowed(&m, "c", ACCEPT, 9000);
    end(&m);
    /* More than 400 kW has no solution on the cable; N2 without a lower limit would not matter. */
    given(&m, CABLE,
          SESSION PODS BASE("P2", "10:00", "10000") AWARD("a", "dso", "P2", "N2", "down", "900000", "90")
              AWARD("b", "tso", "P2", "N2", "down", "900000", "10") AWARD("c", "tso", "P2", "N2", "down", "900", "1"),
          "a power flow without solution");
    is_int(m.v.counts.quarters_diverged, 1, "is counted");
    is_allowed(&m, "a", REJECT, 0);
    is_allowed(&m, "b", REJECT, 0);
    is_allowed(&m, "c", ACCEPT, 900);
    ok(m.v.verdict[0].reason == POF_VIOLATION_DIVERGED && !POF_HAS(&m.v.verdict[0], verdict, element),
       "diverged is the reason");
    end(&m);
    given(&m, CABLE,
          SESSION PODS BASE("P2", "10:00", "900000") AWARD("a", "dso", "P2", "N2", "up", "1000", "90"),
          "a forecast without solution that awards do not help");
    is_allowed(&m, "a", REJECT, 0);
    end(&m);
    given(&m, CABLE,
          SESSION PODS BASE("P2", "10:00", "900000") AWARD("a", "dso", "P2", "N2", "up", "880000", "90"),
          "and one that they do");
    is_allowed(&m, "a", ACCEPT, 880000);
    end(&m);
    given(&m, ROW, SESSION PODS, "no awards");
    is_int((int64_t)m.v.n, 0, "no verdicts");
    end(&m);
}

static void is_refused(const char *text, enum pof_code code, const char *word, const char *what)
{
    struct market m;
    struct pof_err err;
    int rc = judge(&m, ROW, text, &err);
    if (!ok(rc == (int)code && strstr(err.text, word), "%s is refused", what)) {
        printf("# %d '%s'\n", rc, err.text);
    }
    end(&m);
}

static void dead(void)
{
    struct market m;
    struct pof_err err;
    const char *open = NODES LINE("L1", "bus", "N1", "\"r_ohm\":0,\"x_ohm\":1e-6", "500000") ","
        LINE("L2", "N1", "N2", "\"closed\":false,\"r_ohm\":0,\"x_ohm\":1e-6", "50000") "]}";
    const char *there = SESSION PODS AWARD("a", "dso", "P2", "N2", "down", "1", "1");
    ok(judge(&m, open, there, &err) == POF_E_TOPOLOGY && strstr(err.text, "'N2'"),
       "an award at a node that is not connected is refused");
    end(&m);
    const char *before = SESSION PODS BASE("P2", "10:00", "99000") AWARD("a", "dso", "P1", "N1", "down", "1", "1");
    ok(judge(&m, open, before, &err) == 0, "loads there do not matter");
    is_allowed(&m, "a", ACCEPT, 1);
    end(&m);
}

static void refusals(void)
{
    dead();
#define FIT AWARD("a", "dso", "P2", "N2", "down", "1", "1")
    is_refused(SESSION PODS FIT FIT, POF_E_DUPLICATE, "'a'", "an award given twice");
    is_refused(SESSION PODS AWARD("a", "dso", "P9", "N2", "down", "1", "1"), POF_E_REFERENCE, "'P9'", "an unknown pod");
    is_refused(SESSION PODS AWARD("a", "dso", "P2", "N1", "down", "1", "1"), POF_E_CONFLICT, "'N2'", "another node");
    is_refused(SESSION PODS AWARD_OF("T", "a", "dso", "P2", "N2", "down", "10:00", "1", "1"), POF_E_CONFLICT,
               "'T'", "another session");
    is_refused(SESSION PODS AWARD_OF("S", "a", "dso", "P2", "N2", "down", "11:00", "1", "1"), POF_E_RANGE,
               "outside", "a quarter-hour outside the window");
    is_refused(SESSION PODS AWARD_OF("S", "a", "dso", "P2", "N2", "down", "10:01", "1", "1"), POF_E_RANGE,
               "quarter-hour", "no quarter-hour");
}

int main(void)
{
    order();
    voltages();
    fault();
    other_shapes();
    refusals();
    return done();
}
