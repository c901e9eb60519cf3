/* SPDX-License-Identifier: Apache-2.0 */
/* On random feeders: requests met in full leave no violation; awards under their verdicts violate no
 * limit that the forecast keeps; neither depends on threads or on the order of records. */
#include "grid/format.h"
#include "grid/powerflow.h"
#include "grid/sensitivity.h"
#include "io/file.h"
#include "market.h"
#include "market/feeder.h"
#include "market/request.h"
#include "market/validate.h"
#include "num/rng.h"
#include "num/units.h"
#include "record/writer.h"

#include <glpk.h>

enum { CASES = 60, RANDOM_NODES_MAX = 30, NODES_MAX = 1000, REQUESTS_MAX = 400, QUARTERS = 2, AWARDS = 40 };
enum { T10 = 1773136800 }; /* 2026-03-10T10:00:00Z */

static uint64_t seed = 20260310;

/* A whole number in [low, high] for the place (a, b). */
static int64_t draw(uint64_t a, uint64_t b, int64_t low, int64_t high)
{
    return low + (int64_t)pof_below(pof_random(seed, a, b), (uint64_t)(high - low + 1));
}

static void random_grid(struct pof_grid *grid, uint64_t c, uint32_t nodes)
{
    char json[16384];
    size_t n = (size_t)snprintf(json, sizeof json,
                                "{\"schema\":\"pof.grid/1\",\"name\":\"g\",\"base_va\":100000,\"nodes\":["
                                "{\"name\":\"N0\",\"base_v\":400,\"kind\":\"slack\",\"v_set_pu\":1}");
    for (uint32_t i = 1; i < nodes; i++) {
        n += (size_t)snprintf(json + n, sizeof json - n,
                              ",{\"name\":\"N%u\",\"base_v\":400,\"p_w\":%lld,\"v_min_pu\":0.95,"
                              "\"v_max_pu\":1.05}", i, (long long)draw(c, 100 + i, 0, 500));
    }
    n += (size_t)snprintf(json + n, sizeof json - n, "],\"branches\":[");
    for (uint32_t i = 1; i < nodes; i++) {
        uint32_t back = (uint32_t)draw(c, 200 + i, 1, 3);
        uint32_t parent = back < i ? i - back : 0;
        bool turned = draw(c, 300 + i, 0, 1);
        n += (size_t)snprintf(json + n, sizeof json - n,
                              "%s{\"name\":\"L%u\",\"kind\":\"line\",\"from\":\"N%u\",\"to\":\"N%u\","
                              "\"r_ohm\":%lld.%03lld,\"x_ohm\":0.004,\"rating_a\":%lld}",
                              i > 1 ? "," : "", i, turned ? i : parent, turned ? parent : i, 0LL,
                              (long long)draw(c, 400 + i, 2, 20), (long long)draw(c, 500 + i, 40, 160));
    }
    snprintf(json + n, sizeof json - n, "]}");
    must_parse(grid, json);
}

/* In units of which pods are drawn, W: 1 on random feeders, 30 on the real one. */
static int64_t size_w = 1;

/* One pod a node; baselines from generation to load. */
static int fill_forecast(struct pof_forecast *f, const struct pof_grid *grid, uint64_t c, bool backwards,
                         struct pof_err *err)
{
    int rc = pof_forecast_init(f, err);
    struct pof_record s = {.type = POF_session};
    s.u.session = (struct pof_session){.id = pof_text("S"), .day = pof_text("2026-03-10"), .start = T10,
                                       .end = T10 + QUARTERS * POF_QUARTER_S};
    rc = rc ? rc : pof_forecast_take(f, &s, err);
    int64_t bias = draw(c, 1, -4000, 4000);
    for (uint32_t k = 1; rc == 0 && k < grid->nodes; k++) {
        uint32_t i = backwards ? grid->nodes - k : k;
        struct pof_record r = {.type = POF_pod};
        r.u.pod = (struct pof_pod){.pod = grid->node[i].name, .node = grid->node[i].name,
                                   .aggregator = pof_text("A"), .kind = POF_POD_KIND_OTHER,
                                   .p_up_max_w = draw(c, 600 + i, 1, 9000),
                                   .p_down_max_w = draw(c, 700 + i, 1, 9000)};
        rc = pof_forecast_take(f, &r, err);
        for (int q = 0; rc == 0 && q < QUARTERS; q++) {
            struct pof_record b = {.type = POF_baseline};
            b.u.baseline = (struct pof_baseline){
                .pod = grid->node[i].name, .start = T10 + q * POF_QUARTER_S, .duration_s = POF_QUARTER_S,
                .p_w = size_w * (bias + draw(c, 800 + i * 10u + (uint32_t)q, -6000, 6000)),
                .q_var = draw(c, 2000 + i * 10u + (uint32_t)q, 0, 900)};
            POF_SET(&b.u.baseline, baseline, q_var);
            rc = pof_forecast_take(f, &b, err);
        }
    }
    struct pof_forecast_options o = {.grid = grid};
    return rc ? rc : pof_forecast_build(f, &o, err);
}

/* --- requests --- */

static uint32_t quarter_of(int64_t start)
{
    return (uint32_t)((start - T10) / POF_QUARTER_S);
}

/* Own parts of the requests of a quarter-hour: p_w is the net of them below a branch. Deepest first, so
 * that what is subtracted is known. */
static void own_parts(const struct pof_requests *r, const struct pof_feeder *feeder,
                      const struct pof_grid *grid, uint32_t quarter, int64_t *own)
{
    for (uint32_t depth = grid->nodes; depth-- > 0;) {
        for (size_t i = 0; i < r->n; i++) {
            const struct pof_request *q = &r->request[i];
            uint32_t branch = pof_names_find(&grid->branch_names, q->branch);
            if (feeder->depth[feeder->child[branch]] != depth || quarter_of(q->start) > quarter ||
                quarter_of(q->end) <= quarter) {
                continue;
            }
            own[i] = q->p_w;
            for (size_t k = 0; k < r->n; k++) {
                uint32_t b = pof_names_find(&grid->branch_names, r->request[k].branch);
                if (b != branch &&
                    quarter_of(r->request[k].start) <= quarter &&
                    quarter_of(r->request[k].end) > quarter &&
                    pof_feeder_feeds(feeder, branch, feeder->child[b])) {
                    own[i] -= r->request[k].direction == q->direction ? own[k] : -own[k];
                }
            }
        }
    }
}

static void meet(const struct pof_forecast *f, const struct pof_feeder *feeder, uint32_t branch,
                 int direction, int64_t w, double *p_w)
{
    double sum = 0;
    for (uint32_t i = 0; i < f->pods; i++) {
        const struct pof_forecast_pod *p = &f->pod[i];
        if (pof_feeder_feeds(feeder, branch, p->node_id)) {
            sum += (double)(direction == POF_UP ? p->p_up_max_w : p->p_down_max_w);
        }
    }
    for (uint32_t i = 0; i < f->pods; i++) {
        const struct pof_forecast_pod *p = &f->pod[i];
        if (pof_feeder_feeds(feeder, branch, p->node_id)) {
            double share = (double)(direction == POF_UP ? p->p_up_max_w : p->p_down_max_w) / sum;
            p_w[p->node_id] += (direction == POF_UP ? -1 : 1) * share * (double)w;
        }
    }
}

static double worst_violation(const struct pof_grid *grid, const struct pof_pf_result *r,
                              const struct pof_pf_result *except)
{
    double worst = 0;
    for (uint32_t i = 0; i < grid->branches; i++) {
        double limit = except ? fmax(1, except->loading[i] + POF_VALIDATE_WORSE_LOADING) : 1;
        worst = fmax(worst, r->loading[i] - limit);
    }
    for (uint32_t i = 0; i < grid->nodes; i++) {
        const struct pof_node *n = &grid->node[i];
        double low = except ? fmin(n->v_min_pu, except->v_pu[i] - POF_VALIDATE_WORSE_V_PU) : n->v_min_pu;
        double high = except ? fmax(n->v_max_pu, except->v_pu[i] + POF_VALIDATE_WORSE_V_PU) : n->v_max_pu;
        worst = fmax(worst, fmax(low - r->v_pu[i], r->v_pu[i] - high));
    }
    return worst;
}

/* Does a request of a quarter-hour lie in the area of one that asks for the opposite? Then where in the
 * area they are met decides, which requests cannot say. */
static bool opposed(const struct pof_requests *r, const struct pof_feeder *feeder,
                    const struct pof_grid *grid, uint32_t quarter)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct pof_request *a = &r->request[i];
        uint32_t outer = pof_names_find(&grid->branch_names, a->branch);
        bool now = quarter_of(a->start) <= quarter && quarter_of(a->end) > quarter;
        for (size_t k = 0; now && k < r->n; k++) {
            const struct pof_request *b = &r->request[k];
            uint32_t inner = pof_names_find(&grid->branch_names, b->branch);
            if (quarter_of(b->start) <= quarter && quarter_of(b->end) > quarter &&
                a->direction != b->direction &&
                pof_feeder_feeds(feeder, outer, feeder->child[inner])) {
                return true;
            }
        }
    }
    return false;
}

/* How many violations the requests answered, over all cases. */
static uint64_t answered;
static uint64_t troubled;
static uint64_t opposed_quarters, quarters_seen;

static bool requests_clean(const struct pof_forecast *f, const struct pof_grid *grid,
                           const struct pof_requests *r, struct pof_err *err)
{
    struct pof_feeder feeder;
    struct pof_pf *pf = NULL;
    double p_w[NODES_MAX];
    int64_t own[REQUESTS_MAX] = {0};
    if (r->n > REQUESTS_MAX || grid->nodes > NODES_MAX) {
        return false;
    }
    bool clean = pof_feeder_init(&feeder, grid, err) == 0 && pof_pf_new(&pf, grid, NULL, err) == 0;
    for (uint32_t q = 0; clean && q < QUARTERS; q++) {
        memcpy(p_w, f->p_w + q * grid->nodes, grid->nodes * sizeof *p_w);
        own_parts(r, &feeder, grid, q, own);
        for (size_t i = 0; i < r->n; i++) {
            const struct pof_request *a = &r->request[i];
            if (quarter_of(a->start) <= q && quarter_of(a->end) > q) {
                meet(f, &feeder, pof_names_find(&grid->branch_names, a->branch), a->direction,
                     own[i], p_w);
            }
        }
        bool trouble = false;
        for (size_t i = 0; i < r->troubles; i++) {
            trouble = trouble || r->trouble[i].quarter == q;
        }
        enum pof_pf_status status;
        struct pof_pf_result result;
        clean = pof_pf_solve(pf, p_w, f->q_var + q * grid->nodes, true, &status, err) == 0;
        pof_pf_result(pf, &result);
        quarters_seen++;
        if (opposed(r, &feeder, grid, q)) {
            opposed_quarters++;
            continue;
        }
        clean = clean && (trouble || (status == POF_PF_CONVERGED &&
                                      worst_violation(grid, &result, NULL) < 1e-6));
    }
    answered += r->violations;
    troubled += r->troubles;
    pof_pf_free(pf);
    pof_feeder_release(&feeder);
    return clean;
}

static void print_requests(struct pof_buf *b, const struct pof_requests *r, struct pof_err *err)
{
    for (size_t i = 0; i < r->n; i++) {
        if (pof_record_check(POF_request, &r->request[i], err) ||
            pof_record_format(b, POF_request, &r->request[i], err)) {
            printf("# %s %s\n", err->field, err->text);
        }
    }
}

static bool same_bytes(struct pof_buf *a, struct pof_buf *b)
{
    bool same = a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
    pof_buf_release(a);
    pof_buf_release(b);
    return same;
}

static void try_requests(uint64_t c, const struct pof_grid *grid)
{
    struct pof_err err = {0};
    struct pof_buf bytes[2] = {{0}};
    bool clean = true;
    for (int turn = 0; turn < 2; turn++) {
        struct pof_forecast f;
        struct pof_requests r = {0};
        struct pof_request_options o = {.buyer = "DSO", .max_loading = 1, .margin = 0.001,
                                        .threads = turn ? 3 : 1};
        int rc = fill_forecast(&f, grid, c, turn, &err);
        rc = rc ? rc : pof_requests_make(&r, &f, grid, &o, &err);
        clean = clean && rc == 0 && requests_clean(&f, grid, &r, &err);
        print_requests(&bytes[turn], &r, &err);
        pof_requests_release(&r);
        pof_forecast_release(&f);
    }
    ok(clean, "case %d: requests met leave the grid clean %s", (int)c, err.text);
    ok(same_bytes(&bytes[0], &bytes[1]), "case %d: the same requests on 1 and 3 threads", (int)c);
}

/* --- awards --- */

static int random_award(struct pof_validate *v, const struct pof_grid *grid, uint64_t c, uint32_t i,
                        struct pof_err *err)
{
    char id[16];
    snprintf(id, sizeof id, "a%02u", i);
    struct pof_text pod = grid->node[draw(c, 5000 + i, 1, (int64_t)grid->nodes - 1)].name;
    struct pof_award a = {.id = pof_text(id), .session = pof_text("S"), .request = pof_text("r"),
                          .offer = pof_text("o"), .pod = pod, .node = pod, .buyer = pof_text("B"),
                          .role = (int)draw(c, 5100 + i, 0, 1), .seller = pof_text("A"),
                          .direction = (int)draw(c, 5200 + i, 0, 4) < 4 ? (int)(c % 2) : (int)((c + 1) % 2),
                          .start = T10 + draw(c, 5300 + i, 0, QUARTERS - 1) * POF_QUARTER_S,
                          .duration_s = POF_QUARTER_S, .p_w = size_w * draw(c, 5400 + i, 1, 15000),
                          .price_ueur_mwh = draw(c, 5500 + i, 1, 9) * 10000000};
    a.offer_price_ueur_mwh = a.price_ueur_mwh;
    return pof_validate_take(v, &a, err);
}

static uint64_t cut_awards;

/* --- least cost --- */

static const int64_t worth[2] = {INT64_C(300000000000), INT64_C(3000000000)};

/* The linear program of one quarter-hour: every limit of the grid as it is linear at the state with the
 * verdicts in force, every award of the quarter-hour in any part. */
struct oracle {
    glp_prob *lp;
    const struct pof_validate *v;
    size_t award[AWARDS];
    double cut[AWARDS]; /* at the state that rows are made of */
    int awards;
    double cost, dearest; /* of the verdicts; of one watt */
};

static double cost_of(const struct pof_validate_award *a)
{
    return (double)(worth[a->role] - a->price_ueur_mwh) * 1e-6;
}

static void oracle_columns(struct oracle *o, const struct pof_validate *v, uint32_t q)
{
    for (size_t i = 0; i < v->n; i++) {
        const struct pof_validate_award *a = &v->award[i];
        if (quarter_of(a->start) == q) {
            o->cut[o->awards] = (double)(a->p_w - v->verdict[i].p_w);
            o->award[o->awards++] = i;
            glp_add_cols(o->lp, 1);
            glp_set_col_bnds(o->lp, o->awards, GLP_DB, 0, (double)a->p_w);
            glp_set_obj_coef(o->lp, o->awards, cost_of(a));
            o->cost += cost_of(a) * (double)(a->p_w - v->verdict[i].p_w);
            o->dearest = fmax(o->dearest, cost_of(a));
        }
    }
}

/* excess: beyond the limit now; unit: of by_w, below 0 for a lower limit. */
static void oracle_row(struct oracle *o, const double *by_w, double unit, double excess)
{
    int at[AWARDS + 1];
    double value[AWARDS + 1], need = excess;
    for (int k = 0; k < o->awards; k++) {
        const struct pof_validate_award *a = &o->v->award[o->award[k]];
        at[k + 1] = k + 1;
        value[k + 1] = (a->direction == POF_UP ? -1 : 1) * by_w[a->node_id] / unit;
        need += value[k + 1] * o->cut[k];
    }
    int row = glp_add_rows(o->lp, 1);
    glp_set_row_bnds(o->lp, row, GLP_LO, need, 0);
    glp_set_mat_row(o->lp, row, o->awards, at, value);
}

static int oracle_rows(struct oracle *o, const struct pof_grid *grid, const struct pof_pf_result *r,
                       const struct pof_pf_result *before, bool first, struct pof_err *err)
{
    struct pof_sens *sens;
    double by_w[NODES_MAX], by_var[NODES_MAX];
    bool regular = false;
    int rc = pof_sens_new(&sens, grid, err);
    rc = rc ? rc : pof_sens_at(sens, &(struct pof_sens_state){r->v_pu, r->angle, NULL}, &regular, err);
    for (uint32_t i = 0; rc == 0 && i < grid->branches; i++) {
        const struct pof_branch *b = &grid->branch[i];
        bool to = r->loading[i] > 0 && r->i_to_a[i] > r->i_from_a[i]; /* no transformers here */
        double rated = b->rating_va / (sqrt(3) * grid->node[b->from].base_v);
        double limit = fmax(1, before->loading[i] > 1 ? before->loading[i] + POF_VALIDATE_WORSE_LOADING : 1);
        if (b->closed && rated > 0) {
            rc = pof_sens_row(sens, &(struct pof_watched){POF_WATCH_I, i, to}, by_w, by_var, err);
            oracle_row(o, by_w, rated, r->loading[i] - limit);
        }
    }
    for (uint32_t i = 0; rc == 0 && i < grid->nodes; i++) {
        const struct pof_node *n = &grid->node[i];
        double low = before->v_pu[i] < n->v_min_pu ? before->v_pu[i] - POF_VALIDATE_WORSE_V_PU : n->v_min_pu;
        double high = before->v_pu[i] > n->v_max_pu ? before->v_pu[i] + POF_VALIDATE_WORSE_V_PU : n->v_max_pu;
        rc = pof_sens_row(sens, &(struct pof_watched){.what = POF_WATCH_V, .element = i}, by_w, by_var, err);
        oracle_row(o, by_w, -n->base_v, low - r->v_pu[i]);
        if (first) { /* bends the other way: a tangent elsewhere says too much */
            oracle_row(o, by_w, n->base_v, r->v_pu[i] - high);
        }
    }
    pof_sens_free(sens);
    return regular ? rc : POF_E_INTERNAL;
}

/* Tangents at the optimum found so far: one state alone says too little where limits bend. */
static int oracle_refine(struct oracle *o, const struct pof_grid *grid, struct pof_pf *pf, const double *base,
                         const double *q_var, const struct pof_pf_result *before, struct pof_err *err)
{
    double p_w[NODES_MAX];
    enum pof_pf_status status;
    struct pof_pf_result r;
    memcpy(p_w, base, grid->nodes * sizeof *p_w);
    for (int k = 0; k < o->awards; k++) {
        const struct pof_validate_award *a = &o->v->award[o->award[k]];
        o->cut[k] = glp_get_col_prim(o->lp, k + 1);
        p_w[a->node_id] += (a->direction == POF_UP ? -1 : 1) * ((double)a->p_w - o->cut[k]);
    }
    int rc = pof_pf_solve(pf, p_w, q_var, true, &status, err);
    pof_pf_result(pf, &r);
    return rc || status != POF_PF_CONVERGED ? rc : oracle_rows(o, grid, &r, before, false, err);
}

static double largest_gap; /* share of the optimum, where that is more than 1 kW's worth */
static uint64_t programs;

/* Never more than 0.1 % above the optimum, beside a few watts that are not parts of watts. */
static bool is_cheapest(const struct pof_validate *v, const struct pof_grid *grid, uint32_t q,
                        const struct pof_pf_result *r, const struct pof_pf_result *before,
                        const double *base, const double *q_var)
{
    enum { WATTS = 8, TANGENTS = 3 };
    struct pof_pf *pf = NULL;
    struct oracle o = {.v = v, .lp = glp_create_prob()};
    struct pof_err err = {0};
    glp_smcp how;
    glp_init_smcp(&how);
    how.msg_lev = GLP_MSG_OFF;
    how.it_lim = 2000; /* tangents that are almost parallel may make it run in circles */
    oracle_columns(&o, v, q);
    bool fine = o.awards == 0 || oracle_rows(&o, grid, r, before, true, &err) == 0;
    double best = 0;
    if (fine && o.cost > 0) {
        glp_scale_prob(o.lp, GLP_SF_AUTO);
        fine = glp_simplex(o.lp, &how) == 0 && pof_pf_new(&pf, grid, NULL, &err) == 0;
        best = glp_get_obj_val(o.lp);
        for (int i = 0; fine && i < TANGENTS && o.cost > best * 1.001; i++) {
            fine = oracle_refine(&o, grid, pf, base, q_var, before, &err) == 0;
            if (!fine || glp_simplex(o.lp, &how) != 0) {
                break;
            }
            best = fmax(best, glp_get_obj_val(o.lp));
        }
        fine = fine && o.cost <= best * 1.001 + WATTS * o.dearest;
        programs++;
        if (best > 1000 * o.dearest) {
            largest_gap = fmax(largest_gap, o.cost / best - 1);
        }
    }
    if (!fine) {
        printf("# quarter %u: cost %.6g, optimum %.6g %s\n", q, o.cost, best, err.text);
    }
    glp_delete_prob(o.lp);
    pof_pf_free(pf);
    return fine;
}

static bool verdicts_clean(const struct pof_validate *v, const struct pof_forecast *f,
                           const struct pof_grid *grid, struct pof_err *err)
{
    struct pof_pf *pf[2] = {NULL, NULL};
    double p_w[NODES_MAX];
    bool clean = pof_pf_new(&pf[0], grid, NULL, err) == 0 && pof_pf_new(&pf[1], grid, NULL, err) == 0;
    for (uint32_t q = 0; clean && q < QUARTERS; q++) {
        const double *base = f->p_w + q * grid->nodes;
        const double *q_var = f->q_var + q * grid->nodes;
        memcpy(p_w, base, grid->nodes * sizeof *p_w);
        for (size_t i = 0; i < v->n; i++) {
            if (quarter_of(v->award[i].start) == q) {
                p_w[v->award[i].node_id] +=
                    (v->award[i].direction == POF_UP ? -1 : 1) * (double)v->verdict[i].p_w;
            }
        }
        enum pof_pf_status status[2];
        struct pof_pf_result r[2];
        clean = pof_pf_solve(pf[0], base, q_var, true, &status[0], err) == 0 &&
                pof_pf_solve(pf[1], p_w, q_var, true, &status[1], err) == 0;
        pof_pf_result(pf[0], &r[0]);
        pof_pf_result(pf[1], &r[1]);
        if (clean && status[0] == POF_PF_CONVERGED) {
            clean = status[1] == POF_PF_CONVERGED && worst_violation(grid, &r[1], &r[0]) < 1e-6;
            clean = clean && is_cheapest(v, grid, q, &r[1], &r[0], base, q_var);
        }
    }
    pof_pf_free(pf[0]);
    pof_pf_free(pf[1]);
    return clean;
}

static bool verdicts_fit(const struct pof_validate *v)
{
    for (size_t i = 0; i < v->n; i++) {
        const struct pof_verdict *d = &v->verdict[i];
        int64_t p = v->award[i].p_w;
        bool fits = d->decision == POF_DECISION_ACCEPT    ? d->p_w == p && !POF_HAS(d, verdict, reason)
                    : d->decision == POF_DECISION_CURTAIL ? d->p_w > 0 && d->p_w < p
                                                          : d->p_w == 0;
        if (!fits || (d->decision != POF_DECISION_ACCEPT && !POF_HAS(d, verdict, reason))) {
            return false;
        }
    }
    return true;
}

static void try_awards(uint64_t c, const struct pof_grid *grid)
{
    struct pof_err err = {0};
    struct pof_buf bytes[2] = {{0}};
    bool clean = true;
    for (int turn = 0; turn < 2; turn++) {
        struct pof_forecast f;
        struct pof_validate v = {0};
        struct pof_validate_options o = {.max_loading = 1, .outage_loading = 1, .worth_ueur_mwh = {worth[0], worth[1]}, .threads = turn ? 3 : 1};
        int rc = fill_forecast(&f, grid, c, turn, &err);
        for (uint32_t i = 0; rc == 0 && i < AWARDS; i++) {
            rc = random_award(&v, grid, c, turn ? AWARDS - 1 - i : i, &err);
        }
        rc = rc ? rc : pof_validate_run(&v, &f, grid, &o, &err);
        clean = clean && rc == 0 && verdicts_fit(&v) && verdicts_clean(&v, &f, grid, &err);
        for (size_t i = 0; rc == 0 && i < v.n; i++) {
            rc = pof_record_check(POF_verdict, &v.verdict[i], &err);
            rc = rc ? rc : pof_record_format(&bytes[turn], POF_verdict, &v.verdict[i], &err);
        }
        clean = clean && rc == 0;
        cut_awards += v.counts.curtailed + v.counts.rejected;
        pof_validate_release(&v);
        pof_forecast_release(&f);
    }
    ok(clean, "case %d: verdicts in force violate nothing %s", (int)c, err.text);
    ok(same_bytes(&bytes[0], &bytes[1]), "case %d: the same verdicts for any order and threads", (int)c);
}

/* The Swedish 533-bus feeder with the loads of its case and random pods on top. Its ratings are set
 * to 1.2 times what the case itself carries, so that pods overload some of its branches. */
static bool real_grid(struct pof_grid *grid, struct pof_err *err)
{
    char path[512];
    char *text = NULL;
    size_t len;
    struct pof_input *in;
    struct pof_pf *pf = NULL;
    enum pof_pf_status status;
    snprintf(path, sizeof path, "%s/grids/matpower/case533mt_hi.m", tap_data());
    int rc = pof_input_open(&in, path, err);
    if (rc) {
        return false;
    }
    struct pof_source src = pof_input_source(in);
    rc = pof_source_slurp(&src, 1 << 24, &text, &len, err);
    pof_input_close(in);
    rc = rc ? rc : pof_matpower_read(grid, (struct pof_text){text, len}, path, NULL, err);
    free(text);
    rc = rc ? rc : pof_pf_new(&pf, grid, NULL, err);
    rc = rc ? rc : pof_pf_solve(pf, NULL, NULL, true, &status, err);
    if (rc == 0) {
        struct pof_pf_result r;
        pof_pf_result(pf, &r);
        for (uint32_t i = 0; i < grid->branches; i++) {
            double va = hypot(r.p_from_w[i], r.q_from_var[i]);
            grid->branch[i].rating_va = va > 1e5 ? 1.2 * va : 0;
        }
    }
    pof_pf_free(pf);
    return rc == 0;
}

static void try_real(void)
{
    struct pof_grid grid = {0};
    struct pof_err err = {0};
    if (!tap_data()) {
        skip("the 533-bus feeder", "no shared data");
        return;
    }
    if (!ok(real_grid(&grid, &err), "the 533-bus feeder is read %s", err.text)) {
        return;
    }
    static const int64_t scales[] = {1, 2, 5, 10};
    uint64_t before = answered;
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
        size_w = scales[i];
        try_requests((uint64_t)(1000 + 2 * i), &grid);
        try_awards((uint64_t)(1000 + 2 * i), &grid);
    }
    ok(answered > before + 100, "pods on it violated %llu limits",
       (unsigned long long)(answered - before));
    pof_grid_release(&grid);
}

static void try_case(uint64_t c)
{
    struct pof_grid grid = {0};
    random_grid(&grid, c, (uint32_t)draw(c, 0, 3, RANDOM_NODES_MAX));
    try_requests(c, &grid);
    try_awards(c, &grid);
    pof_grid_release(&grid);
}

/* market_grid [SEED [CASES]] */
int main(int argc, char **argv)
{
    seed = argc > 1 ? strtoull(argv[1], NULL, 10) : seed;
    uint64_t cases = argc > 2 ? strtoull(argv[2], NULL, 10) : CASES;
    printf("# seed %llu\n", (unsigned long long)seed);
    glp_term_out(GLP_OFF);
    for (uint64_t c = 0; c < cases; c++) {
        try_case(c);
    }
    try_real();
    seed = 11; /* its opposite requests, nested, were met but not clean */
    try_real();
    seed = 21; /* where a limit bends inwards: two tangents shut out the choice 0.37 % cheaper */
    size_w = 1;
    try_case(18);
    ok(answered > 200, "%llu violations were answered", (unsigned long long)answered);
    ok(troubled * 10 < answered, "%llu could not be", (unsigned long long)troubled);
    ok(opposed_quarters * 4 < quarters_seen, "%llu of %llu quarter-hours have opposite requests nested",
       (unsigned long long)opposed_quarters, (unsigned long long)quarters_seen);
    ok(programs > 40, "%llu choices cost no more than the optimum and 0.1 %%; the most %.4f %%",
       (unsigned long long)programs, largest_gap * 100);
    glp_free_env();
    ok(cut_awards > 200, "%llu awards were cut", (unsigned long long)cut_awards);
    return done();
}
