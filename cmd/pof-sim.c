/* SPDX-License-Identifier: Apache-2.0 */
/* pof-sim: a simulated market of any size on a grid. */
#include "cli/cli.h"
#include "cli/grid.h"
#include "flex/feeders.h"
#include "flex/sim.h"
#include "grid/grid.h"
#include "num/units.h"

#include <stddef.h>
#include <stdlib.h>

enum make { PODS, BASELINES, MEASUREMENTS, PRICERULES, AVAILABILITIES, REQUESTS, GRID };
static const char *const makes[] = {"pods",           "baselines", "measurements", "pricerules",
                                    "availabilities", "requests",  "grid",         NULL};

struct args {
    int make;
    const char *grid, *day, *zone, *session;
    int64_t pods, nodes, seed, peak_micro, peak_w, from, until;
};

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"make", 'm', POF_OPT_WORD, AT(make), "WHAT", "pods, baselines, measurements, pricerules, availabilities, requests or grid (pods)", 0, 0, makes},
    {"grid", 'g', POF_OPT_FILE, AT(grid), "FILE", "grid document", 0, 0, NULL},
    {"pods", 'p', POF_OPT_INT, AT(pods), "N", "points of delivery (100)", POF_SIM_PODS_MIN, POF_SIM_PODS_MAX, NULL},
    {"nodes", 'n', POF_OPT_INT, AT(nodes), "N", "of a grid to make (1000)", POF_FEEDERS_MIN, POF_FEEDERS_MAX, NULL},
    {"seed", 's', POF_OPT_INT, AT(seed), "N", "another number, another market (1)", 0, INT64_MAX, NULL},
    {"day", 'd', POF_OPT_TEXT, AT(day), "DATE", "local market day, such as 2026-03-10", 0, 0, NULL},
    {"zone", 'z', POF_OPT_TEXT, AT(zone), "ZONE", "UTC, WET, CET, EET or a city such as Europe/Rome (CET)", 0, 0, NULL},
    {"from", 0, POF_OPT_INSTANT, AT(from), "TIME", "first quarter-hour (begin of the day)", 0, 0, NULL},
    {"until", 0, POF_OPT_INSTANT, AT(until), "TIME", "end, exclusive (end of the day)", 0, 0, NULL},
    {"session", 0, POF_OPT_TEXT, AT(session), "ID", "only this session of those given (all)", 0, 0, NULL},
    {"peak", 0, POF_OPT_MICRO, AT(peak_micro), "X", "forecast peak as a share of all ratings (1.0)", 0, 1000, NULL},
    {"peak-w", 0, POF_OPT_INT, AT(peak_w), "W", "forecast peak in W, instead of --peak", 1, INT64_C(1000000000000), NULL},
    {0}};

static const struct pof_program program = {
    .name = "pof-sim",
    .purpose = "simulate a market of any size on a grid",
    .operands = "[FILE ...]",
    .examples = "pof-sim --make pods --grid samples/cigre-mv.json --pods 100\n"
                "pof-sim --make measurements --grid samples/cigre-mv.json --day 2026-03-10",
    .options = options};

/* What a run holds. */
struct work {
    const struct args *args;
    struct pof_sim_place *place;
    struct pof_grid grid;
    struct pof_sim *sim;
    struct pof_sim_orders orders;
    struct pof_sim_span span;
    struct pof_writer *out;
    uint64_t sessions;
};

static int on_setpoint(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    struct work *w = ctx;
    return pof_sim_order(&w->orders, w->sim, &r->u.setpoint, err);
}

static int on_session(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    struct work *w = ctx;
    if (w->args->session && !pof_text_is(r->u.session.id, w->args->session)) {
        return 0;
    }
    w->sessions++;
    return pof_sim_requests(w->sim, &r->u.session, w->out, err);
}

static int read_grid(struct pof_cli *cli, struct work *w, struct pof_err *err)
{
    int rc = pof_cli_grid(cli, w->args->grid, &w->grid, err);
    rc = rc ? rc : pof_calloc(&w->place, w->grid.nodes, sizeof *w->place, err);
    for (uint32_t i = 0; i < w->grid.nodes && rc == 0; i++) {
        const struct pof_node *n = &w->grid.node[i];
        bool bare = n->kind == POF_NODE_SLACK || n->zero_injection;
        w->place[i] = (struct pof_sim_place){n->name, n->rated_w, n->p_w, bare};
    }
    return rc;
}

/* The market, and for what depends on time the span to simulate. */
static int prepare(struct pof_cli *cli, struct work *w, struct pof_err *err)
{
    const struct args *a = w->args;
    const struct pof_sim_span wish = {a->from, a->until};
    struct pof_sim_options o = {.pods = a->pods,
                                .seed = (uint64_t)a->seed,
                                .peak_micro = a->peak_micro,
                                .peak_w = a->peak_w};
    struct pof_date day;
    if (!a->grid) {
        return pof_fail(err, POF_E_USAGE, "--grid FILE is needed");
    }
    if (!pof_zone_parse(pof_text(a->zone), &o.zone)) {
        return pof_fail(err, POF_E_USAGE, "--zone '%.80s' is not a European zone", a->zone);
    }
    if (a->day && !pof_date_parse(pof_text(a->day), &day)) {
        return pof_fail(err, POF_E_USAGE, "--day '%.80s' is not a date such as 2026-03-10", a->day);
    }
    int rc = read_grid(cli, w, err);
    o.place = w->place;
    o.places = w->grid.nodes;
    rc = rc ? rc : pof_sim_new(&w->sim, &o, err);
    if (rc == 0 && (a->make == BASELINES || a->make == MEASUREMENTS || a->make == AVAILABILITIES)) {
        rc = pof_sim_span(&w->span, o.zone, a->day ? &day : NULL, &wish, err);
    }
    return rc;
}

/* One quarter-hour after the other; availabilities hour by hour. */
static int walk(struct pof_cli *cli, struct work *w, struct pof_err *err)
{
    int64_t step = w->args->make == AVAILABILITIES ? 4 * POF_QUARTER_S : POF_QUARTER_S;
    int rc = 0;
    for (int64_t t = w->span.start; t < w->span.end && rc == 0; t += step) {
        int64_t end = t + step < w->span.end ? t + step : w->span.end;
        switch (w->args->make) {
        case BASELINES:
            rc = pof_sim_baselines(w->sim, t, w->out, err);
            break;
        case MEASUREMENTS:
            rc = pof_sim_measurements(w->sim, &w->orders, t, w->out, err);
            break;
        default:
            rc = pof_sim_availabilities(w->sim, t, end, w->out, err);
        }
        pof_cli_progress(cli, "seconds simulated", (uint64_t)(end - w->span.start),
                         (uint64_t)(w->span.end - w->span.start));
    }
    return rc;
}

static int requests(struct pof_cli *cli, struct work *w, struct pof_err *err)
{
    static const struct pof_want want[] = {{POF_session, on_session}};
    int rc = pof_cli_read(cli, want, 1, w, err);
    if (rc == 0 && w->sessions == 0) {
        return w->args->session ? pof_fail(err, POF_E_REFERENCE, "session '%.80s' is not in the input",
                                           w->args->session)
                                : pof_fail(err, POF_E_MISSING, "no session in the input");
    }
    return rc;
}

static int measurements(struct pof_cli *cli, struct work *w, struct pof_err *err)
{
    static const struct pof_want want[] = {{POF_setpoint, on_setpoint}};
    const char *const *operands;
    int rc = 0;
    if (pof_cli_operands(cli, &operands) > 0) {
        rc = pof_cli_read(cli, want, 1, w, err);
    }
    rc = rc ? rc : pof_sim_orders_seal(&w->orders, w->sim, err);
    return rc ? rc : walk(cli, w, err);
}

static int make(struct pof_cli *cli, struct work *w, struct pof_err *err)
{
    const char *const *operands;
    size_t n = pof_cli_operands(cli, &operands);
    if (n > 0 && w->args->make != REQUESTS && w->args->make != MEASUREMENTS) {
        return pof_fail(err, POF_E_USAGE, "operand '%.80s': only requests (sessions) and "
                        "measurements (set points) are made from files", operands[0]);
    }
    switch (w->args->make) {
    case PODS:
        return pof_sim_pods(w->sim, w->out, err);
    case PRICERULES:
        return pof_sim_pricerules(w->sim, w->out, err);
    case REQUESTS:
        return requests(cli, w, err);
    case MEASUREMENTS:
        return measurements(cli, w, err);
    default:
        return walk(cli, w, err);
    }
}

/* Distribution feeders of so many nodes, as a document. */
static int make_grid(struct pof_cli *cli, const struct args *a, struct pof_err *err)
{
    const struct pof_feeders_options o = {(uint32_t)a->nodes, (uint64_t)a->seed};
    const char *const *operands;
    struct pof_grid grid = {0};
    struct pof_buf text = {0};
    struct pof_sink out;
    if (a->grid || pof_cli_operands(cli, &operands) > 0) {
        return pof_fail(err, POF_E_USAGE, "a grid is made from --nodes and --seed, from no file");
    }
    int rc = pof_feeders_make(&grid, &o, err);
    rc = rc ? rc : pof_grid_write(&grid, &text, err);
    rc = rc ? rc : pof_cli_sink(cli, NULL, &out, err);
    rc = rc ? rc : out.write(out.ctx, text.data, text.len, err);
    pof_buf_release(&text);
    pof_grid_release(&grid);
    return rc;
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    if (((const struct args *)args)->make == GRID) {
        return make_grid(cli, args, err);
    }
    struct work w = {.args = args, .out = pof_cli_out(cli)};
    int rc = prepare(cli, &w, err);
    rc = rc ? rc : make(cli, &w, err);
    pof_sim_orders_release(&w.orders);
    pof_sim_free(w.sim);
    pof_grid_release(&w.grid);
    free(w.place);
    return rc;
}

int main(int argc, char **argv)
{
    struct args args = {.zone = "CET", .pods = 100, .nodes = 1000, .seed = 1, .peak_micro = 1000000,
                        .from = INT64_MIN, .until = INT64_MIN};
    return pof_main(&program, argc, argv, &args, run);
}
