/* SPDX-License-Identifier: Apache-2.0 */
/* The forecast: sums by node, earlier outcomes, states that fade, and every refusal. */
#include "market/forecast.h"

#include "market.h"
#include "num/units.h"

#define GRID                                                                                       \
    "{\"schema\":\"pof.grid/1\",\"name\":\"g\",\"base_va\":100000,\"nodes\":["                     \
    "{\"name\":\"bus\",\"base_v\":400,\"kind\":\"slack\",\"v_set_pu\":1},"                         \
    "{\"name\":\"N1\",\"base_v\":400,\"p_w\":100,\"q_var\":10},"                                   \
    "{\"name\":\"N2\",\"base_v\":400}],\"branches\":["                                             \
    "{\"name\":\"L1\",\"kind\":\"line\",\"from\":\"bus\",\"to\":\"N1\",\"r_ohm\":0.1,\"x_ohm\":0.1},"   \
    "{\"name\":\"L2\",\"kind\":\"line\",\"from\":\"N1\",\"to\":\"N2\",\"r_ohm\":0.1,\"x_ohm\":0.1}]}"

#define POD(name, node)                                                                            \
    "{\"schema\":\"pof.pod/1\",\"pod\":\"" name "\",\"node\":\"" node "\",\"aggregator\":\"A\","   \
    "\"kind\":\"household\",\"p_up_max_w\":500,\"p_down_max_w\":600}\n"
#define BASE(pod, at, p)                                                                           \
    "{\"schema\":\"pof.baseline/1\",\"pod\":\"" pod "\",\"start\":\"2026-03-10T" at ":00Z\","      \
    "\"duration_s\":900,\"p_w\":" p ",\"q_var\":7}\n"
#define DAY(pod, p)                                                                                \
    BASE(pod, "10:00", p) BASE(pod, "10:15", p) BASE(pod, "10:30", p) BASE(pod, "10:45", p)
#define OUTCOME(award, session, pod, dir, at, p)                                                   \
    "{\"schema\":\"pof.outcome/1\",\"award\":\"" award "\",\"session\":\"" session                 \
    "\",\"request\":\"R\",\"offer\":\"O\",\"pod\":\"" pod "\",\"node\":\"N1\",\"buyer\":\"DSO\","  \
    "\"role\":\"dso\",\"seller\":\"A\",\"direction\":\"" dir "\",\"start\":\"2026-03-10T" at       \
    ":00Z\",\"duration_s\":900,\"p_awarded_w\":900,\"p_w\":" p                                     \
    ",\"price_eur_mwh\":1,\"decision\":\"accept\"}\n"
#define STATE(node, at, p)                                                                         \
    "{\"schema\":\"pof.state/1\",\"element\":\"node\",\"name\":\"" node                            \
    "\",\"start\":\"2026-03-10T" at ":00Z\",\"p_w\":" p ",\"q_var\":27}\n"
#define PODS POD("P2", "N2") POD("P1", "N1") POD("P3", "N1")

static int take(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    return pof_forecast_take(ctx, record, err);
}

/* Builds a forecast of text; the result code. */
static int build(struct pof_forecast *f, const struct pof_grid *grid, const char *text,
                 const char *session, struct pof_err *err)
{
    struct pof_forecast_options o = {.grid = grid, .session = session, .fade_s = 3600};
    *err = (struct pof_err){0};
    int rc = pof_forecast_init(f, err);
    rc = rc ? rc : take_lines(text, take, f, err);
    return rc ? rc : pof_forecast_build(f, &o, err);
}

static void is_refused(const struct pof_grid *grid, const char *text, enum pof_code code,
                       const char *word, const char *what)
{
    struct pof_forecast f;
    struct pof_err err;
    int rc = build(&f, grid, text, NULL, &err);
    if (!ok(rc == (int)code && strstr(err.text, word), "%s is refused", what)) {
        printf("# %d '%s'\n", rc, err.text);
    }
    pof_forecast_release(&f);
}

static double node_p(const struct pof_forecast *f, uint32_t quarter, uint32_t node)
{
    return f->p_w[quarter * f->nodes + node];
}

static void sums(const struct pof_grid *grid)
{
    struct pof_forecast f;
    struct pof_err err;
    const char *text = BASE("P3", "10:00", "50") PODS SESSION DAY("P1", "1000") DAY("P2", "-300")
        BASE("P1", "09:45", "1") OUTCOME("x", "D", "P1", "up", "10:15", "400")
            OUTCOME("y", "D", "P1", "down", "10:15", "150") OUTCOME("x", "E", "P2", "up", "10:30", "20")
                OUTCOME("z", "E", "P2", "up", "12:30", "20");
    if (!ok(build(&f, grid, text, NULL, &err) == 0, "records in any order build")) {
        printf("# %s\n", err.text);
    }
    is_int(f.quarters, 4, "quarter-hours of the window");
    is_int(f.pods, 3, "pods");
    ok(pof_text_is(f.pod[0].name, "P1") && pof_text_is(f.pod[2].name, "P3"), "pods sorted by name");
    is_int(pof_forecast_find(&f, pof_text("P2")), 1, "a pod is found");
    is_int(pof_forecast_find(&f, pof_text("P9")), POF_NONE, "an unknown one is not");
    is_near(node_p(&f, 0, 1), 1050, 0, "two pods of a node add up");
    is_near(node_p(&f, 1, 1), 1000 - 400 + 150, 0, "up lowers, down raises consumption");
    is_near(node_p(&f, 2, 2), -320, 0, "generation is negative");
    is_near(f.q_var[1], 14, 0, "reactive power adds up");
    is_int(f.up_w[1], 400, "what is taken up");
    is_int(f.down_w[1], 150, "what is taken down");
    is_int(f.base_w[4 + 2], -300, "the baseline itself stays");
    ok(f.base_w[8 + 1] == POF_FORECAST_NONE, "no baseline is said");
    is_int((int64_t)f.counts.missing, 3, "missing baselines are counted");
    is_int(f.counts.first_missing, 2, "and the first pod of them");
    is_int((int64_t)f.counts.outside, 2, "a baseline and an outcome outside the window");
    char stamp[POF_STAMP_MAX];
    pof_forecast_stamp(&f, 3, stamp);
    ok(strcmp(stamp, "10:45") == 0, "stamp of a quarter-hour");
    pof_forecast_stamp(&f, 96 + 1, stamp);
    ok(strcmp(stamp, "10:15+1") == 0, "stamp of the next day: %s", stamp);
    pof_forecast_release(&f);
}

/* N1: fixed 100, pods 1000 in 09:45: forecast 1100, state 1500 at 09:55: deviation 400, gone after
 * an hour; q: 27 - 10 - 7 = 10. */
static void states(const struct pof_grid *grid)
{
    struct pof_forecast f;
    struct pof_err err;
    const char *text = SESSION POD("P1", "N1") POD("P2", "N2") DAY("P1", "1000") DAY("P2", "1")
        BASE("P1", "09:45", "1000") STATE("N1", "09:55", "1500") STATE("N1", "09:50", "77")
            STATE("N2", "09:55", "5") STATE("bus", "09:55", "-9999");
    if (!ok(build(&f, grid, text, NULL, &err) == 0, "a state corrects")) {
        printf("# %s\n", err.text);
    }
    is_near(node_p(&f, 0, 1), 1000 + 400.0 * (3600 - 300) / 3600, 1e-9, "five minutes later");
    is_near(node_p(&f, 3, 1), 1000 + 400.0 * (3600 - 3000) / 3600, 1e-9, "fifty minutes later");
    is_near(f.q_var[1], 7 + 10.0 * 3300 / 3600, 1e-9, "reactive power too");
    is_near(node_p(&f, 0, 2), 1, 0, "no baseline at the state's instant: no correction");
    is_near(node_p(&f, 0, 0), 0, 0, "nor of the slack node");
    is_int(f.counts.corrected, 1, "corrected nodes are counted");
    is_int(f.counts.uncorrected, 1, "and those that are not");
    pof_forecast_release(&f);
    const char *inside = SESSION POD("P1", "N1") DAY("P1", "1000") STATE("N1", "10:20", "1500");
    ok(build(&f, grid, inside, NULL, &err) == 0, "a state inside the window");
    is_near(node_p(&f, 0, 1), 1000, 0, "does not change the past");
    is_near(node_p(&f, 1, 1), 1400, 0, "holds in its own quarter-hour");
    is_near(node_p(&f, 2, 1), 1000 + 400.0 * 3000 / 3600, 1e-9, "and fades later");
    pof_forecast_release(&f);
}

static void sessions(const struct pof_grid *grid)
{
    struct pof_forecast f;
    struct pof_err err;
    char other[] = SESSION;
    strstr(other, "\"id\":\"S\"")[6] = 'T';
    char two[2048];
    snprintf(two, sizeof two, "%s%s", SESSION, other);
    is_refused(grid, two, POF_E_MISSING, "--session", "two sessions and none named");
    ok(build(&f, grid, two, "T", &err) == 0 && pof_text_is(f.session.id, "T"), "a session by name");
    pof_forecast_release(&f);
    ok(build(&f, grid, two, "U", &err) == POF_E_MISSING, "a session that is not there");
    pof_forecast_release(&f);
    is_refused(grid, "", POF_E_MISSING, "pof-session", "no session");
    is_refused(grid, SESSION SESSION, POF_E_DUPLICATE, "twice", "a session given twice");
    char odd[] = SESSION;
    memcpy(strstr(odd, "11:00:00Z"), "10:59:00Z", 9);
    is_refused(grid, odd, POF_E_RANGE, "quarter-hour", "a window that ends inside a quarter-hour");
    memcpy(strstr(odd, "10:59:00Z"), "09:00:00Z", 9);
    is_refused(grid, odd, POF_E_RANGE, "not after", "a window that ends before it begins");
}

static void refusals(const struct pof_grid *grid)
{
    is_refused(grid, SESSION PODS PODS, POF_E_DUPLICATE, "'P1' is registered twice", "a pod given twice");
    is_refused(grid, SESSION POD("P1", "N9"), POF_E_REFERENCE, "'N9'", "a pod at an unknown node");
    is_refused(grid, SESSION BASE("P1", "10:00", "1"), POF_E_REFERENCE, "'P1'", "a baseline of nobody");
    is_refused(grid, SESSION PODS BASE("P1", "10:00", "1") BASE("P1", "10:00", "1"), POF_E_DUPLICATE,
               "two baselines", "a second baseline");
    is_refused(grid, SESSION PODS BASE("P1", "10:05", "1"), POF_E_RANGE, "quarter-hour",
               "a baseline inside a quarter-hour");
    is_refused(grid, SESSION PODS OUTCOME("x", "D", "P9", "up", "10:00", "1"), POF_E_REFERENCE, "'P9'",
               "an outcome of nobody");
    is_refused(grid, SESSION PODS OUTCOME("x", "S", "P1", "up", "10:00", "1"), POF_E_CONFLICT,
               "itself", "an outcome of the session itself");
    is_refused(grid,
               SESSION PODS OUTCOME("x", "D", "P1", "up", "10:00", "1")
                   OUTCOME("x", "D", "P1", "up", "10:15", "1"),
               POF_E_DUPLICATE, "'x'", "an outcome given twice");
    is_refused(grid, SESSION PODS STATE("N9", "10:00", "1"), POF_E_REFERENCE, "'N9'",
               "a state of an unknown node");
    is_refused(grid, SESSION POD("P1", "N1") DAY("P1", "1") STATE("N1", "10:00", "1") STATE("N1", "10:00", "1"),
               POF_E_DUPLICATE, "twice", "a state given twice");
    is_refused(grid,
               SESSION "{\"schema\":\"pof.limit/1\",\"branch\":\"L1\",\"start\":\"2026-03-10T10:00:00Z\","
                       "\"duration_s\":900,\"p_up_w\":1,\"p_down_w\":1}\n",
               POF_E_SCHEMA, "'limit'", "a record of another type");
}

int main(void)
{
    struct pof_grid grid = {0};
    must_parse(&grid, GRID);
    sums(&grid);
    states(&grid);
    sessions(&grid);
    refusals(&grid);
    struct pof_forecast f;
    struct pof_err err;
    ok(build(&f, NULL, SESSION POD("P1", "N9") DAY("P1", "3"), NULL, &err) == 0 && f.nodes == 0,
       "without a grid nodes are not asked for");
    pof_forecast_release(&f);
    pof_grid_release(&grid);
    return done();
}
