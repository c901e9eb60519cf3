/* SPDX-License-Identifier: Apache-2.0 */
/* Requests whose size can be computed by hand.
 *
 * Thermal: lines with almost only reactance carry what is drawn behind them, so a need is load less
 * rating. Voltage: behind a resistance r (p.u.) a load p gives v with v (1 - v) = r p exactly. */
#include "market/request.h"

#include "market.h"
#include "num/units.h"

enum { T10 = 1773136800 }; /* 2026-03-10T10:00:00Z */

/* bus - L1 (80 kVA) - N1 - L2 (50 kVA) - N2; L2 is written from N2 to N1. */
#define LINES                                                                                      \
    "{\"schema\":\"pof.grid/1\",\"name\":\"g\",\"base_va\":100000,\"nodes\":["                     \
    "{\"name\":\"bus\",\"base_v\":400,\"kind\":\"slack\",\"v_set_pu\":1},"                         \
    "{\"name\":\"N1\",\"base_v\":400},{\"name\":\"N2\",\"base_v\":400}],\"branches\":["            \
    "{\"name\":\"L1\",\"kind\":\"line\",\"from\":\"bus\",\"to\":\"N1\",\"r_ohm\":0,\"x_ohm\":1e-6,"    \
    "\"rating_va\":80000},"                                                                        \
    "{\"name\":\"L2\",\"kind\":\"line\",\"from\":\"N2\",\"to\":\"N1\",\"r_ohm\":0,\"x_ohm\":1e-6,"     \
    "\"rating_va\":50000}]}"

/* bus - L1 - N1 - L2 - N2 - L3 - N3, r_path 0.05, 0.09, 0.1 ohm; limits of N3 0.95 .. 1.05. */
#define CABLE                                                                                      \
    "{\"schema\":\"pof.grid/1\",\"name\":\"g\",\"base_va\":100000,\"nodes\":["                     \
    "{\"name\":\"bus\",\"base_v\":400,\"kind\":\"slack\",\"v_set_pu\":1},"                         \
    "{\"name\":\"N1\",\"base_v\":400},{\"name\":\"N2\",\"base_v\":400},"                           \
    "{\"name\":\"N3\",\"base_v\":400,\"v_min_pu\":0.95,\"v_max_pu\":1.05}],\"branches\":["         \
    "{\"name\":\"L1\",\"kind\":\"line\",\"from\":\"bus\",\"to\":\"N1\",\"r_ohm\":0.05,\"x_ohm\":0},"   \
    "{\"name\":\"L2\",\"kind\":\"line\",\"from\":\"N1\",\"to\":\"N2\",\"r_ohm\":0.04,\"x_ohm\":0},"    \
    "{\"name\":\"L3\",\"kind\":\"line\",\"from\":\"N2\",\"to\":\"N3\",\"r_ohm\":0.01,\"x_ohm\":0}]}"

#define POD(name, node, up, down)                                                                  \
    "{\"schema\":\"pof.pod/1\",\"pod\":\"" name "\",\"node\":\"" node                              \
    "\",\"aggregator\":\"A\",\"kind\":\"other\",\"p_up_max_w\":" up ",\"p_down_max_w\":" down "}\n"
#define BASE(pod, at, p, q)                                                                        \
    "{\"schema\":\"pof.baseline/1\",\"pod\":\"" pod "\",\"start\":\"2026-03-10T" at ":00Z\","      \
    "\"duration_s\":900,\"p_w\":" p ",\"q_var\":" q "}\n"

struct market {
    struct pof_grid grid;
    struct pof_forecast f;
    struct pof_requests r;
};

static int take(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    return pof_forecast_take(ctx, record, err);
}

static const struct pof_request_options plain = {.buyer = "DSO", .max_loading = 1, .limits = true};

static int ask(struct market *m, const char *grid, const char *text,
               const struct pof_request_options *o, struct pof_err *err)
{
    *m = (struct market){0};
    *err = (struct pof_err){0};
    must_parse(&m->grid, grid);
    int rc = pof_forecast_init(&m->f, err);
    rc = rc ? rc : take_lines(text, take, &m->f, err);
    rc = rc ? rc : pof_forecast_build(&m->f, &(struct pof_forecast_options){.grid = &m->grid}, err);
    rc = rc ? rc : pof_requests_make(&m->r, &m->f, &m->grid, o, err);
    if (rc) {
        printf("# %s\n", err->text);
    }
    return rc;
}

static void end(struct market *m)
{
    pof_requests_release(&m->r);
    pof_forecast_release(&m->f);
    pof_grid_release(&m->grid);
}

static void is_request(const struct market *m, size_t i, const char *id, int64_t p_w, int64_t slack)
{
    if (!ok(i < m->r.n, "request %zu is there", i)) {
        return;
    }
    const struct pof_request *r = &m->r.request[i];
    is_text(r->id.ptr, r->id.len, id, "its id");
    if (!ok(r->p_w >= p_w && r->p_w <= p_w + slack, "%s asks %lld W", id, (long long)p_w)) {
        printf("# got %lld\n", (long long)r->p_w);
    }
}

static void overloads(void)
{
    struct market m;
    struct pof_err err;
    const char *text = SESSION POD("P1", "N1", "1", "1") POD("P2", "N2", "3", "3")
        /* nested: L2 60 of 50 kVA, L1 100 of 80: 10 below L2, 10 more below L1 */
        BASE("P1", "10:00", "40000", "0") BASE("P2", "10:00", "60000", "0")
        /* surplus behind L2, L1 fine */
        BASE("P1", "10:15", "30000", "0") BASE("P2", "10:15", "-55000", "0")
        /* reactive power takes its share: 30 kvar leave sqrt(50^2 - 30^2) = 40 kW */
        BASE("P1", "10:30", "0", "0") BASE("P2", "10:30", "45000", "30000")
        /* all is well */
        BASE("P1", "10:45", "29000", "0") BASE("P2", "10:45", "50000", "0");
    is_int(ask(&m, LINES, text, &plain, &err), 0, "overloads are answered");
    is_int((int64_t)m.r.n, 4, "four requests");
    is_request(&m, 0, "DSO-S-L1-up-10:00", 20000, 2);
    is_request(&m, 1, "DSO-S-L2-up-10:00", 10000, 1);
    is_request(&m, 2, "DSO-S-L2-up-10:30", 5000, 1);
    is_request(&m, 3, "DSO-S-L2-down-10:15", 5000, 1);
    is_int((int64_t)m.r.violations, 4, "violations of the forecast");
    is_int(m.r.quarters_violated, 3, "in three quarter-hours");
    is_int((int64_t)m.r.troubles, 0, "nothing is left");
    struct pof_text why = m.r.request[0].reason;
    is_text(why.ptr, why.len, "branch L1 loading 125.0 %, limit 100 %", "the reason");
    struct pof_limit l;
    ok(pof_requests_limit(&m.r, &m.f, &m.grid, 1, 3, &l), "a rated branch has a limit");
    ok(l.p_up_w >= 99998 && l.p_up_w <= 100000 && l.p_down_w == 0, "50 of 50 kW: up 100, down 0");
    pof_requests_limit(&m.r, &m.f, &m.grid, 0, 3, &l);
    ok(l.p_up_w >= 158998 && l.p_up_w <= 159000 && l.p_down_w >= 998 && l.p_down_w <= 1000,
       "79 of 80 kW: up 159, down 1");
    pof_requests_limit(&m.r, &m.f, &m.grid, 1, 2, &l);
    ok(l.p_up_w >= 84998 && l.p_up_w <= 85000 && l.p_down_w == 0, "45 kW and 30 kvar: up 85");
    pof_requests_limit(&m.r, &m.f, &m.grid, 1, 0, &l);
    ok(l.p_up_w >= m.r.request[1].p_w && l.p_down_w == 0, "room for the need itself, none against it");
    end(&m);
}

static void shares(void)
{
    struct market m;
    struct pof_err err;
    struct pof_request_options o = {.buyer = "DSO", .max_loading = 0.8, .margin = 0.01,
                                    .has_price_limit = true, .price_limit_ueur_mwh = 42};
    const char *text = SESSION POD("P2", "N2", "3", "3") BASE("P2", "10:00", "44000", "0")
        BASE("P2", "10:15", "44000", "0") BASE("P2", "10:30", "39999", "0") BASE("P2", "10:45", "0", "0");
    is_int(ask(&m, LINES, text, &o, &err), 0, "a share of the rating");
    is_request(&m, 0, "DSO-S-L2-up-10:00", 4400, 1); /* down to 0.99 * 40 kW */
    is_int((int64_t)m.r.n, 1, "the margin alone asks nothing; equal neighbours are one request");
    is_int(m.r.request[0].end, T10 + 1800, "two quarter-hours");
    ok(POF_HAS(&m.r.request[0], request, price_limit_ueur_mwh) &&
           m.r.request[0].price_limit_ueur_mwh == 42,
       "the price limit");
    struct pof_limit l;
    ok(!pof_requests_limit(&m.r, &m.f, &m.grid, 0, 0, &l), "limits only when asked for");
    end(&m);
}

static void voltages(void)
{
    struct market m;
    struct pof_err err;
    /* r_path of N3 is 0.1 ohm = 0.0625 p.u.; 0.95 * 0.05 / 0.0625 = 0.76 p.u. = 76 kW at N3. */
    const char *low = SESSION POD("P3", "N3", "1", "1") BASE("P3", "10:00", "80000", "0");
    is_int(ask(&m, CABLE, low, &plain, &err), 0, "low voltage is answered");
    is_int((int64_t)m.r.n, 1, "by one request");
    /* R of N2 is 0.9 of that of N3, of N1 0.5: the area begins behind L2. */
    is_request(&m, 0, "DSO-S-L2-up-10:00", 4000, 0);
    struct pof_text why = m.r.request[0].reason;
    is_text(why.ptr, why.len, "node N3 voltage 0.9472 p.u., limit 0.95 p.u.", "the reason");
    end(&m);
    /* v = 1.05: 1.05 * 0.05 / 0.0625 = 84 kW generated. */
    const char *high = SESSION POD("P3", "N3", "1", "1") BASE("P3", "10:00", "-90000", "0");
    is_int(ask(&m, CABLE, high, &plain, &err), 0, "high voltage is answered");
    is_request(&m, 0, "DSO-S-L2-down-10:00", 6000, 0);
    end(&m);
    /* Nothing flexible behind L2: the area grows to L1, where a watt does half as much. */
    const char *far = SESSION POD("P3", "N3", "0", "0") POD("P1", "N1", "9", "9")
        BASE("P3", "10:00", "76100", "0");
    is_int(ask(&m, CABLE, far, &plain, &err), 0, "nothing flexible nearby");
    is_int((int64_t)m.r.n, 1, "one request");
    ok(m.r.n == 1 && pof_text_is(m.r.request[0].branch, "L1"), "from the area above");
    end(&m);
}

/* A need of N3's voltage, offered by N2 and N3 alike, delivered by the one that helps less. */
static void delivered_badly(void)
{
    static const char *const who[] = {"P2\",\"node\":\"N2", "P3\",\"node\":\"N3"};
    struct pof_request_options o = plain;
    struct market m;
    struct pof_err err;
    char text[4096];
    o.margin = 0.0005;
    const char *low = SESSION POD("P2", "N2", "1", "1") POD("P3", "N3", "1", "1")
        BASE("P3", "10:00", "80000", "0");
    is_int(ask(&m, CABLE, low, &o, &err), 0, "a need that two can answer");
    int64_t p_w = m.r.n == 1 ? m.r.request[0].p_w : 0;
    ok(p_w > 4000, "asks %lld W, more than the 4000 W of the better one", (long long)p_w);
    end(&m);
    for (int i = 0; i < 2; i++) {
        snprintf(text, sizeof text,
                 "%s{\"schema\":\"pof.outcome/1\",\"award\":\"a\",\"session\":\"D\",\"request\":\"R\","
                 "\"offer\":\"O\",\"pod\":\"%s\",\"buyer\":\"DSO\",\"role\":\"dso\",\"seller\":\"A\","
                 "\"direction\":\"up\",\"start\":\"2026-03-10T10:00:00Z\",\"duration_s\":900,"
                 "\"p_awarded_w\":%lld,\"p_w\":%lld,\"price_eur_mwh\":1,\"decision\":\"accept\"}\n",
                 low, who[i], (long long)p_w, (long long)p_w);
        is_int(ask(&m, CABLE, text, &o, &err), 0, "delivered by one of them");
        is_int((int64_t)m.r.violations, 0, "it is met");
        end(&m);
    }
}

static void troubles(void)
{
    struct market m;
    struct pof_err err;
    const char *text = SESSION POD("P2", "N2", "3", "3") BASE("P2", "10:00", "1000", "51000")
        BASE("P2", "10:15", "60000", "0");
    is_int(ask(&m, LINES, text, &plain, &err), 0, "reactive overload");
    is_int((int64_t)m.r.n, 1, "no request that would not help");
    ok(m.r.troubles == 1 && m.r.trouble[0].kind == POF_VIOLATION_LOADING &&
           pof_text_is(m.r.trouble[0].element, "L2") && m.r.trouble[0].quarter == 0,
       "but a named trouble");
    end(&m);
    /* A load beyond the maximum of the cable, 1 / (4 r) = 4 p.u. = 400 kW: no solution. */
    const char *much = SESSION POD("P3", "N3", "1", "1") BASE("P3", "10:00", "500000", "0")
        BASE("P3", "10:15", "80000", "0");
    is_int(ask(&m, CABLE, much, &plain, &err), 0, "a forecast without solution");
    ok(m.r.troubles == 1 && m.r.trouble[0].kind == POF_VIOLATION_DIVERGED, "is a named trouble");
    is_int((int64_t)m.r.n, 1, "other quarter-hours are answered");
    end(&m);
    /* The slack node itself out of its limits. */
    const char *set = "{\"schema\":\"pof.grid/1\",\"name\":\"g\",\"base_va\":100000,\"nodes\":["
                      "{\"name\":\"bus\",\"base_v\":400,\"kind\":\"slack\",\"v_set_pu\":1.06,\"v_max_pu\":1.05},"
                      "{\"name\":\"N1\",\"base_v\":400}],\"branches\":[{\"name\":\"L1\",\"kind\":\"line\","
                      "\"from\":\"bus\",\"to\":\"N1\",\"r_ohm\":0.1,\"x_ohm\":0.1}]}";
    is_int(ask(&m, set, SESSION, &plain, &err), 0, "a slack voltage beyond its limit");
    ok(m.r.n == 0 && m.r.troubles == 4 && m.r.trouble[0].kind == POF_VIOLATION_VOLTAGE_HIGH,
       "is trouble in every quarter-hour");
    end(&m);
}

static void refusals(void)
{
    struct market m;
    struct pof_err err;
    const char *ring = "{\"schema\":\"pof.grid/1\",\"name\":\"g\",\"base_va\":100000,\"nodes\":["
                       "{\"name\":\"bus\",\"base_v\":400,\"kind\":\"slack\",\"v_set_pu\":1},"
                       "{\"name\":\"N1\",\"base_v\":400}],\"branches\":["
                       "{\"name\":\"A\",\"kind\":\"line\",\"from\":\"bus\",\"to\":\"N1\",\"r_ohm\":0.1,\"x_ohm\":0.1},"
                       "{\"name\":\"B\",\"kind\":\"line\",\"from\":\"bus\",\"to\":\"N1\",\"r_ohm\":0.1,\"x_ohm\":0.1}]}";
    is_int(ask(&m, ring, SESSION, &plain, &err), POF_E_TOPOLOGY, "a ring has no areas");
    end(&m);
    struct pof_request_options o = plain;
    o.buyer = "a-buyer-whose-name-is-so-long-that-with-session-and-branch-it-does-not-fit-96-bytes-any-more";
    const char *text = SESSION POD("P2", "N2", "3", "3") BASE("P2", "10:00", "60000", "0");
    is_int(ask(&m, LINES, text, &o, &err), POF_E_TOO_LONG, "an id that does not fit");
    end(&m);
}

int main(void)
{
    overloads();
    shares();
    voltages();
    delivered_badly();
    troubles();
    refusals();
    return done();
}
