/* SPDX-License-Identifier: Apache-2.0 */
/* pof-pf: the electrical state that loads bring about. */
#include "pof-pf/parts.h"

#include "cli/grid.h"
#include "grid/series.h"
#include "num/time.h"

#include <inttypes.h>
#include <stddef.h>

struct args {
    const char *grid, *readings, *sensitivity, *contingency;
    struct pof_texts watch, outage;
    int64_t at, sigma_v, sigma_flow, sigma_load, sigma_min, seed, iterations;
    int method, set, phases, start, slack, tap;
    bool noise, q_limits, shunts, screen;
};

/* In the order of enum pof_pf_method, pof_pf_start, pof_tap_strategy and pof_reading_set. */
static const char *const methods[] = {"auto", "sweep", "newton", "linear", "linear-current",
                                      "current", NULL};
static const char *const starts[] = {"auto", "flat", "dc", "linear", "stored", NULL};
static const char *const taps[] = {"fixed", "any", "min", "max", "fast", NULL};
static const char *const slacks[] = {"node", "distributed", NULL};
static const char *const sets[] = {"full", "scada", NULL};
static const char *const phases[] = {"1", "3", NULL};

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"grid", 'g', POF_OPT_FILE, AT(grid), "FILE", "grid document; needed", 0, 0, NULL},
    {"at", 0, POF_OPT_INSTANT, AT(at), "TIME", "instant of a case without records (1970-01-01T00:00:00Z)", 0, 0, NULL},
    {"method", 'm', POF_OPT_WORD, AT(method), "METHOD", "how to solve, see pof-pf(1) (auto: sweeps where the grid is radial)", 0, 0, methods},
    {"start", 0, POF_OPT_WORD, AT(start), "START", "of Newton's method: auto, flat, dc, linear or stored (auto)", 0, 0, starts},
    {"q-limits", 0, POF_OPT_FLAG, AT(q_limits), NULL, "generators keep to their reactive limits", 0, 0, NULL},
    {"slack", 0, POF_OPT_WORD, AT(slack), "WHO", "what the balance needs comes from: node, or distributed by shares (node)", 0, 0, slacks},
    {"tap", 0, POF_OPT_WORD, AT(tap), "STRATEGY", "tap changers hold voltages: fixed, any, min, max or fast (fixed)", 0, 0, taps},
    {"shunts", 0, POF_OPT_FLAG, AT(shunts), NULL, "switched shunts hold voltages", 0, 0, NULL},
    {"phases", 0, POF_OPT_WORD, AT(phases), "N", "1: balanced, 3: each phase for itself (1)", 0, 0, phases},
    {"max-iterations", 0, POF_OPT_INT, AT(iterations), "N", "before giving up (100 sweeps, 50 Newton steps)", 1, 100000, NULL},
    {"readings", 'r', POF_OPT_OUTPUT, AT(readings), "FILE", "reading records of the state, written there", 0, 0, NULL},
    {"readings-set", 0, POF_OPT_WORD, AT(set), "SET", "full, or scada: busbars and feeder heads only (full)", 0, 0, sets},
    {"noise", 0, POF_OPT_FLAG, AT(noise), NULL, "readings deviate by their sigma", 0, 0, NULL},
    {"seed", 's', POF_OPT_INT, AT(seed), "N", "seed of the noise (1)", 0, INT64_MAX, NULL},
    {"sigma-v", 0, POF_OPT_MICRO, AT(sigma_v), "PERCENT", "sigma of voltages, of nominal (0.5)", 0, 100, NULL},
    {"sigma-flow", 0, POF_OPT_MICRO, AT(sigma_flow), "PERCENT", "sigma of flows, of apparent power (1)", 0, 1000, NULL},
    {"sigma-load", 0, POF_OPT_MICRO, AT(sigma_load), "PERCENT", "sigma of consumption, of apparent power (2)", 0, 1000, NULL},
    {"sigma-min", 0, POF_OPT_MICRO, AT(sigma_min), "W", "least sigma of powers (10)", 0, 1000000000, NULL},
    {"sensitivity", 0, POF_OPT_OUTPUT, AT(sensitivity), "FILE", "what more consumption at each node moves, written there", 0, 0, NULL},
    {"watch", 0, POF_OPT_LIST, AT(watch), "WHAT", "v:NODE, i:BRANCH, p:BRANCH, loss ... (what is beyond its limit, and loss)", 0, 0, NULL},
    {"contingency", 0, POF_OPT_OUTPUT, AT(contingency), "FILE", "what is found when one branch is lost, written there", 0, 0, NULL},
    {"screen", 0, POF_OPT_FLAG, AT(screen), NULL, "outages that linear factors show to be clearly secure get no power flow (yes)", 0, 0, NULL},
    {"outage", 0, POF_OPT_LIST, AT(outage), "BRANCH", "a branch to lose (each closed one)", 0, 0, NULL},
    {0}};
#undef AT

static const struct pof_program program = {
    .name = "pof-pf",
    .purpose = "compute voltages, flows and loadings of a grid",
    .operands = "[FILE ...]",
    .examples = "pof-pf --grid grid.json pods.jsonl baselines.jsonl > state.jsonl\n"
                "pof-pf --grid grid.json --readings readings.jsonl --noise -o state.jsonl \\\n"
                "    pods.jsonl measurements.jsonl",
    .options = options,
};

struct job {
    struct pof_cli *cli;
    const struct args *args;
    struct pof_grid grid;
    struct pof_loads loads;
    struct pof_writer *readings; /* NULL: not wanted */
    struct pof_pf_options how;
    struct pf_watch watch;
    struct pf_outages outages;
    uint32_t diverged, floating;
    uint64_t screened; /* outages without a power flow of their own, of all cases */
    uint64_t limited; /* generators at a reactive limit, of all cases */
    uint64_t outside; /* switched shunts that end outside of their band */
    uint64_t kept;    /* of them, see struct pof_pf_result */
};

static int on_record(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    struct job *j = ctx;
    return pof_loads_take(&j->loads, record, err);
}

/* Without operands there is one case: the grid's fixed loads. */
static int read_loads(struct job *j, struct pof_err *err)
{
    static const struct pof_want wants[] = {{POF_pod, on_record},
                                            {POF_baseline, on_record},
                                            {POF_measurement, on_record},
                                            {POF_outcome, on_record}};
    const char *const *paths;
    int rc = pof_loads_init(&j->loads, &j->grid, err);
    if (rc == 0 && pof_cli_operands(j->cli, &paths) > 0) {
        rc = pof_cli_read(j->cli, wants, sizeof wants / sizeof wants[0], j, err);
    }
    return rc ? rc : pof_loads_build(&j->loads, j->args->at == INT64_MIN ? 0 : j->args->at, err);
}

static int put(void *ctx, enum pof_type type, const void *record, struct pof_err *err)
{
    return pof_writer_put(ctx, type, record, err);
}

/* A name in a message: "%.*s", T(name). */
#define T(text) (int)(text).len, (text).ptr

static void say_diverged(struct job *j, const struct pof_solved *s)
{
    const struct pof_pf_result *r = &s->result;
    struct pof_err e = {0};
    char at[POF_INSTANT_MAX];
    int n = (int)pof_instant_format(j->loads.start[s->i], at);
    if (s->shunts && s->shunts->bank != POF_NONE) {
        pof_fail(&e, POF_E_ANSWER_NO,
                 "the switched shunts of %.*s find no rest: those of node '%.*s' still move", n, at,
                 T(j->grid.node[j->grid.bank[s->shunts->bank].node].name));
    } else if (s->taps && s->taps->status == POF_TAP_RESTLESS) {
        pof_fail(&e, POF_E_ANSWER_NO,
                 "the taps of %.*s find no rest: transformer '%.*s' still moves after %u power flows; "
                 "its band may be narrower than a step",
                 n, at, T(j->grid.branch[s->taps->branch].name), s->taps->solves);
    } else {
        pof_fail(&e, POF_E_ANSWER_NO,
                 "the power flow of %.*s does not converge: mismatch %.3g p.u. of %s power at node "
                 "'%.*s' after %d iterations; %s",
                 n, at, r->mismatch_pu, r->worst_is_q ? "reactive" : "active",
                 T(j->grid.node[r->worst_node].name), r->iterations, r->why);
    }
    pof_cli_report(j->cli, &e);
    j->diverged++;
}

/* What else is wanted of a case. */
static int analyse(struct job *j, const struct pof_solved *solved, struct pof_err *err)
{
    const struct pof_loads *l = &j->loads;
    int64_t start = l->start[solved->i];
    size_t at = (size_t)solved->i * j->grid.nodes;
    struct pof_outages lose = {.grid = &j->grid,
                               .pf = &j->how,
                               .p_w = l->p_w + at,
                               .q_var = l->q_var + at,
                               .before = &solved->result,
                               .screen = j->args->screen,
                               .screened = &j->screened};
    int rc = pf_watch_case(&j->watch, start, &solved->result, err);
    return rc ? rc : pf_outages_case(&j->outages, start, &lose, err);
}

static void count_limits(struct job *j, const struct pof_solved *solved)
{
    for (uint32_t i = 0; j->args->q_limits && i < j->grid.nodes; i++) {
        j->limited += solved->result.limit[i] != 0;
    }
    j->kept += solved->result.limits_kept;
}

static int on_case(void *ctx, const struct pof_solved *solved, struct pof_err *err)
{
    struct job *j = ctx;
    const struct args *a = j->args;
    const struct pof_reading_options o = {.set = a->set,
                                          .sigma_v = (double)a->sigma_v * 1e-8,
                                          .sigma_flow = (double)a->sigma_flow * 1e-8,
                                          .sigma_load = (double)a->sigma_load * 1e-8,
                                          .sigma_min_va = (double)a->sigma_min * 1e-6,
                                          .noise = a->noise,
                                          .seed = (uint64_t)a->seed};
    j->floating = solved->result.floating;
    pof_cli_progress(j->cli, "quarter-hours", solved->i + 1u, j->loads.cases);
    if (solved->status == POF_PF_DIVERGED) {
        say_diverged(j, solved);
        return 0;
    }
    count_limits(j, solved);
    j->outside += solved->shunts ? solved->shunts->outside : 0;
    struct pof_record_taker states = {put, pof_cli_out(j->cli)}, readings = {put, j->readings};
    int rc = pof_states_make(&j->loads, solved, &states, err);
    rc = rc || !j->readings ? rc : pof_readings_make(&j->loads, solved, &o, &readings, err);
    return rc ? rc : analyse(j, solved, err);
}

/* What is derived from a state is of the grid as its document has it, taps included. */
static int solve_controlled(struct job *j, const struct pof_case_taker *taker, struct pof_err *err)
{
    if (j->args->sensitivity || j->args->contingency) {
        return pof_fail(err, POF_E_USAGE,
                        "--sensitivity and --contingency are of taps and shunts that stay: leave out "
                        "--tap and --shunts");
    }
    const struct pof_controls controls = {(enum pof_tap_strategy)j->args->tap, j->args->shunts};
    return pof_series_run_controlled(&j->loads, &j->how, &controls, taker, err);
}

static int solve(struct job *j, struct pof_err *err)
{
    struct pof_case_taker taker = {on_case, j};
    j->how = (struct pof_pf_options){.method = (enum pof_pf_method)j->args->method,
                                     .start = (enum pof_pf_start)j->args->start,
                                     .q_limits = j->args->q_limits,
                                     .distributed_slack = j->args->slack == 1,
                                     .phases = j->args->phases ? 3 : 1,
                                     .max_iterations = (int)j->args->iterations};
    j->watch = (struct pf_watch){.cli = j->cli, .grid = &j->grid};
    j->outages = (struct pf_outages){.cli = j->cli, .grid = &j->grid};
    int rc = j->args->readings ? pof_cli_writer(j->cli, j->args->readings, &j->readings, err) : 0;
    rc = rc ? rc : pf_watch_open(&j->watch, j->args->sensitivity, &j->args->watch, j->how.distributed_slack, err);
    rc = rc ? rc : pf_outages_open(&j->outages, j->args->contingency, &j->args->outage, err);
    if (rc == 0 && (j->args->tap != POF_TAP_NONE || j->args->shunts)) {
        return solve_controlled(j, &taker, err);
    }
    return rc ? rc : pof_series_run(&j->loads, &j->how, pof_cli_threads(j->cli), &taker, err);
}

static void say(const struct job *j)
{
    const struct pof_loads *l = &j->loads;
    pof_cli_note(j->cli, "%" PRIu32 " of %" PRIu32 " quarter-hours solved", l->cases - j->diverged,
                 l->cases);
    if (j->limited) {
        pof_cli_note(j->cli, "%" PRIu64 " times a generator was at a reactive limit", j->limited);
    }
    if (j->outside) {
        pof_cli_warn(j->cli, "%" PRIu64 " times switched shunts end outside of their band: at their end, or "
                             "for want of a smaller step", j->outside);
    }
    if (j->kept) {
        pof_cli_warn(j->cli, "%" PRIu64 " times a generator is kept at a reactive limit that its voltage does "
                             "not ask for: no set of limits fits all", j->kept);
    }
    if (j->floating) {
        pof_cli_note(j->cli, "parts of the grid without a way to ground for what is equal in all phases: "
                             "%" PRIu32 "; stray capacitances hold them", j->floating);
    }
    if (j->args->contingency) {
        pof_cli_note(j->cli, "%" PRIu64 " of %" PRIu64 " outages are not secure", j->outages.insecure,
                     (uint64_t)j->outages.n * (l->cases - j->diverged));
        pof_cli_note(j->cli, "%" PRIu64 " are clearly secure by linear outage factors, without a power flow",
                     j->screened);
    }
    if (l->missing) {
        pof_cli_warn(j->cli, "%" PRIu64 " quarter-hours of pods have no load, taken as 0 W", l->missing);
    }
    if (l->outside) {
        pof_cli_warn(j->cli, "%" PRIu64 " outcomes are of quarter-hours without baselines, not used",
                     l->outside);
    }
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    struct job j = {.cli = cli, .args = args};
    if (j.args->phases && (j.args->sensitivity || j.args->contingency)) {
        return pof_fail(err, POF_E_USAGE,
                        "--sensitivity and --contingency are of balanced power flows, not of three "
                        "phases");
    }
    int rc = pof_cli_grid(cli, j.args->grid, &j.grid, err);
    rc = rc ? rc : read_loads(&j, err);
    rc = rc ? rc : solve(&j, err);
    if (rc == 0) {
        say(&j);
        rc = j.diverged > 0;
    }
    pf_watch_close(&j.watch);
    pf_outages_close(&j.outages);
    pof_loads_release(&j.loads);
    pof_grid_release(&j.grid);
    return rc;
}

int main(int argc, char **argv)
{
    struct args args = {.at = INT64_MIN,
                        .screen = true,
                        .seed = 1,
                        .sigma_v = 500000,
                        .sigma_flow = 1000000,
                        .sigma_load = 2000000,
                        .sigma_min = 10000000};
    return pof_main(&program, argc, argv, &args, run);
}
