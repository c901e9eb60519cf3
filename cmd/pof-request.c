/* SPDX-License-Identifier: Apache-2.0 */
/* pof-request: what a grid operator needs, from the forecast of its grid. */
#include "cli/cli.h"
#include "cli/grid.h"
#include "market/remedy.h"
#include "num/decimal.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct args {
    const char *grid, *session, *buyer, *state, *limits, *remedies, *grid_out;
    int64_t price_limit, max_loading, margin, fade_hours, quantile;
    struct pof_texts sigma;
    int remedy_rule;
};

static const char *const remedy_rules[] = {"stated", "cost", NULL};

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"grid", 'g', POF_OPT_FILE, AT(grid), "FILE", "grid document; needed", 0, 0, NULL},
    {"session", 's', POF_OPT_TEXT, AT(session), "ID", "session to ask in (the only one given)", 0, 0, NULL},
    {"buyer", 'b', POF_OPT_TEXT, AT(buyer), "NAME", "who asks and pays (DSO)", 0, 0, NULL},
    {"price-limit", 'p', POF_OPT_MICRO, AT(price_limit), "EUR", "most to be paid per MWh (the market's ceiling)", 0, 999999999, NULL},
    {"max-loading", 0, POF_OPT_MICRO, AT(max_loading), "SHARE", "share of its rating that a branch may carry (1)", 0, 10, NULL},
    {"margin", 0, POF_OPT_MICRO, AT(margin), "SHARE", "share of a limit kept free when sizing (0.001)", 0, 1, NULL},
    {"state", 0, POF_OPT_FILE, AT(state), "FILE", "state records whose latest instant corrects the forecast", 0, 0, NULL},
    {"state-fade", 0, POF_OPT_MICRO, AT(fade_hours), "HOURS", "time in which that correction fades to nothing (4)", 0, 8760, NULL},
    {"quantile", 0, POF_OPT_MICRO, AT(quantile), "P", "size requests at this quantile of the forecast error", 0, 1, NULL},
    {"sigma", 0, POF_OPT_LIST, AT(sigma), "KIND=SHARE", "deviation of the forecast of pods of a kind, or of all", 0, 0, NULL},
    {"remedies", 0, POF_OPT_FILE, AT(remedies), "FILE", "taps and switches that the operator moves first", 0, 0, NULL},
    {"remedy-rule", 0, POF_OPT_WORD, AT(remedy_rule), "RULE", "which are taken: stated (in order) or cost (least)", 0, 0, remedy_rules},
    {"grid-out", 0, POF_OPT_OUTPUT, AT(grid_out), "FILE", "grid document with the remedies taken, written there", 0, 0, NULL},
    {"limits", 'l', POF_OPT_OUTPUT, AT(limits), "FILE", "limit records for clearing, written there", 0, 0, NULL},
    {0}};
#undef AT

static const struct pof_program program = {
    .name = "pof-request",
    .purpose = "ask for the flexibility that a grid needs",
    .operands = "[FILE ...]",
    .examples = "pof-request --grid grid.json --session 2026-03-10-DA --limits limits.jsonl \\\n"
                "    sessions.jsonl pods.jsonl baselines.jsonl > requests.jsonl",
    .options = options,
};

enum { SHOWN_MAX = 5 }; /* troubles named one by one */

struct job {
    const struct args *args;
    struct pof_grid grid;
    struct pof_forecast forecast;
    struct pof_remedies remedies;
    double *deviation_w;
    struct pof_requests requests;
};

static int on_record(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    struct job *j = ctx;
    return pof_forecast_take(&j->forecast, record, err);
}

static int read_records(struct pof_cli *cli, struct job *j, struct pof_err *err)
{
    static const struct pof_want wants[] = {{POF_session, on_record},
                                            {POF_pod, on_record},
                                            {POF_baseline, on_record},
                                            {POF_outcome, on_record}};
    static const struct pof_want states[] = {{POF_state, on_record}};
    int rc = pof_cli_read(cli, wants, sizeof wants / sizeof wants[0], j, err);
    if (rc == 0 && j->args->state) {
        rc = pof_cli_read_files(cli, &j->args->state, 1, states, 1, j, err);
    }
    return rc;
}

/* KIND=SHARE, with all for every kind. */
static int read_sigma(const char *text, double *share, struct pof_err *err)
{
    const char *const *kinds = pof_words("pod_kind");
    const char *equal = strchr(text, '=');
    struct pof_text kind = {text, equal ? (size_t)(equal - text) : 0};
    int64_t micro = 0;
    int only = pof_word_of(kinds, kind);
    if (!equal || (only < 0 && !pof_text_is(kind, "all"))) {
        return pof_fail(err, POF_E_USAGE, "--sigma '%.60s' is not a kind of pod, or all, and a share, such as pv=0.2", text);
    }
    if (!pof_decimal_parse(pof_text(equal + 1), POF_MICRO, &micro) || micro < 0 || micro > 10000000) {
        return pof_fail(err, POF_E_USAGE, "--sigma '%.60s' has no share from 0 to 10", text);
    }
    for (int k = 0; kinds[k]; k++) {
        share[k] = only < 0 || only == k ? (double)micro * 1e-6 : share[k];
    }
    return 0;
}

static int find_deviation(struct job *j, struct pof_err *err)
{
    enum { KINDS_MAX = 64 };
    const struct args *a = j->args;
    double share[KINDS_MAX] = {0};
    int rc = 0;
    if (a->quantile < 0 && a->sigma.n == 0) {
        return 0;
    }
    if (a->quantile <= 0 || a->quantile >= 1000000 || a->sigma.n == 0) {
        return pof_fail(err, POF_E_USAGE, "--quantile between 0 and 1 and --sigma go together");
    }
    for (size_t i = 0; i < a->sigma.n && rc == 0; i++) {
        rc = read_sigma(a->sigma.item[i], share, err);
    }
    return rc ? rc : pof_forecast_deviation(&j->forecast, share, pof_forecast_z((double)a->quantile * 1e-6),
                                            &j->deviation_w, err);
}

static int read_remedies(struct pof_cli *cli, struct job *j, struct pof_err *err)
{
    char *data = NULL;
    size_t len = 0;
    int rc = pof_cli_slurp(cli, j->args->remedies, &data, &len, err);
    rc = rc ? rc : pof_remedies_parse(&j->remedies, &j->grid, (struct pof_text){data, len}, j->args->remedies, err);
    free(data);
    return rc;
}

static int write_grid(struct pof_cli *cli, const struct job *j, struct pof_err *err)
{
    struct pof_buf text = {0};
    struct pof_sink out;
    int rc = pof_grid_write(&j->grid, &text, err);
    rc = rc ? rc : pof_cli_sink(cli, j->args->grid_out, &out, err);
    rc = rc ? rc : out.write(out.ctx, text.data, text.len, err);
    pof_buf_release(&text);
    return rc;
}

static int make_requests(struct pof_cli *cli, struct job *j, struct pof_err *err)
{
    const struct args *a = j->args;
    const struct pof_forecast_options window = {
        .grid = &j->grid, .session = a->session, .fade_s = a->fade_hours * 36 / 10000};
    if (a->max_loading == 0) {
        return pof_fail(err, POF_E_USAGE, "--max-loading '0' forbids every flow; 1 is the rating");
    }
    int rc = pof_forecast_build(&j->forecast, &window, err);
    rc = rc ? rc : find_deviation(j, err);
    const struct pof_request_options o = {.buyer = a->buyer,
                                          .has_price_limit = a->price_limit >= 0,
                                          .price_limit_ueur_mwh = a->price_limit,
                                          .max_loading = (double)a->max_loading * 1e-6,
                                          .margin = (double)a->margin * 1e-6,
                                          .limits = a->limits != NULL,
                                          .deviation_w = j->deviation_w,
                                          .threads = pof_cli_threads(cli)};
    if (rc == 0 && a->remedies) {
        rc = read_remedies(cli, j, err);
        rc = rc ? rc : pof_remedies_choose(&j->remedies, &j->grid, &j->forecast, &o, (enum pof_remedy_rule)a->remedy_rule, err);
    }
    rc = rc || !a->grid_out ? rc : write_grid(cli, j, err);
    return rc ? rc : pof_requests_make(&j->requests, &j->forecast, &j->grid, &o, err);
}

static int write_limits(struct pof_cli *cli, const struct job *j, struct pof_err *err)
{
    struct pof_writer *out;
    int rc = pof_cli_writer(cli, j->args->limits, &out, err);
    for (uint32_t b = 0; rc == 0 && b < j->grid.branches; b++) {
        for (uint32_t q = 0; rc == 0 && q < j->forecast.quarters; q++) {
            struct pof_limit limit;
            if (pof_requests_limit(&j->requests, &j->forecast, &j->grid, b, q, &limit)) {
                rc = pof_writer_put(out, POF_limit, &limit, err);
            }
        }
    }
    return rc;
}

static int write_all(struct pof_cli *cli, const struct job *j, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < j->requests.n; i++) {
        rc = pof_writer_put(pof_cli_out(cli), POF_request, &j->requests.request[i], err);
    }
    return rc || !j->args->limits ? rc : write_limits(cli, j, err);
}

static void say_trouble(struct pof_cli *cli, const struct job *j,
                        const struct pof_request_trouble *t)
{
    char at[POF_STAMP_MAX];
    pof_forecast_stamp(&j->forecast, t->quarter, at);
    if (t->kind == POF_VIOLATION_DIVERGED) {
        pof_cli_warn(cli, "the power flow of the forecast at %s does not converge: no requests", at);
    } else if (t->kind == POF_VIOLATION_LOADING) {
        pof_cli_warn(cli, "no change of active power unloads branch %.*s at %s: %.1f %%, limit %.6g %%",
                     (int)t->element.len, t->element.ptr, at, t->value * 100, t->limit * 100);
    } else {
        pof_cli_warn(cli, "no request cures the voltage of node %.*s at %s: %.4f p.u., limit %.6g p.u.",
                     (int)t->element.len, t->element.ptr, at, t->value, t->limit);
    }
}

static void say_remedies(struct pof_cli *cli, const struct pof_remedies *r)
{
    pof_cli_note(cli, "%" PRIu64 " violations in %u quarter-hours before remedies, %" PRIu64 " without solution",
                 r->before.violations, r->before.quarters, r->before.diverged);
    for (size_t i = 0; i < r->n; i++) {
        const struct pof_remedy *m = &r->remedy[i];
        char cost[POF_DECIMAL_MAX];
        int n = (int)pof_decimal_format(m->cost_ueur, POF_MICRO, cost);
        if (m->taken) {
            pof_cli_note(cli, "remedy '%.*s' (%.*s EUR) leaves %" PRIu64 " violations in %u quarter-hours, %" PRIu64
                         " without solution", (int)m->name.len, m->name.ptr, n, cost, m->after.violations,
                         m->after.quarters, m->after.diverged);
        } else {
            pof_cli_note(cli, "remedy '%.*s' (%.*s EUR) is not taken", (int)m->name.len, m->name.ptr, n, cost);
        }
    }
}

static void say(struct pof_cli *cli, const struct job *j)
{
    const struct pof_requests *r = &j->requests;
    const struct pof_forecast_counts *c = &j->forecast.counts;
    if (j->args->remedies) {
        say_remedies(cli, &j->remedies);
    }
    pof_cli_note(cli, "%" PRIu64 " violations in %u of %u quarter-hours, %zu requests",
                 r->violations, r->quarters_violated, j->forecast.quarters, r->n);
    if (c->corrected || c->uncorrected) {
        pof_cli_note(cli, "the state corrects the forecast of %u nodes", c->corrected);
    }
    if (c->uncorrected) {
        pof_cli_warn(cli, "the state of %u nodes is not used: a pod has no baseline at its instant",
                     c->uncorrected);
    }
    if (c->missing) {
        struct pof_text pod = j->forecast.pod[c->first_missing].name;
        pof_cli_warn(cli, "%u pods, first '%.*s', lack %" PRIu64 " baselines, taken as no load",
                     c->missing_pods, (int)pod.len, pod.ptr, c->missing);
    }
    if (r->dead_pods) {
        pof_cli_warn(cli, "%u pods are at nodes that no closed branch connects", r->dead_pods);
    }
    for (size_t i = 0; i < r->troubles && i < SHOWN_MAX; i++) {
        say_trouble(cli, j, &r->trouble[i]);
    }
    if (r->troubles > SHOWN_MAX) {
        pof_cli_warn(cli, "and %zu more that flexibility does not cure", r->troubles - SHOWN_MAX);
    }
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    struct job j = {.args = args};
    int rc = pof_forecast_init(&j.forecast, err);
    rc = rc ? rc : pof_cli_grid(cli, j.args->grid, &j.grid, err);
    rc = rc ? rc : read_records(cli, &j, err);
    rc = rc ? rc : make_requests(cli, &j, err);
    rc = rc ? rc : write_all(cli, &j, err);
    if (rc == 0) {
        say(cli, &j);
        rc = j.requests.troubles > 0;
    }
    pof_requests_release(&j.requests);
    pof_remedies_release(&j.remedies);
    free(j.deviation_w);
    pof_forecast_release(&j.forecast);
    pof_grid_release(&j.grid);
    return rc;
}

int main(int argc, char **argv)
{
    struct args args = {.buyer = "DSO",
                        .price_limit = -1,
                        .max_loading = 1000000,
                        .margin = 1000,
                        .fade_hours = 4000000,
                        .quantile = -1};
    return pof_main(&program, argc, argv, &args, run);
}
