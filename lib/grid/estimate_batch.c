/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/estimate_batch.h"

#include "base/par.h"
#include "grid/estimate_eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A case that has not ended by then, or whose steps shrink less, goes by itself. */
enum { ITERATIONS_MAX = 30 };
static const double CONTRACTION_WORST = 0.7;

/* What the last step leaves of voltages' errors, p.u. and rad, unless the engine's options say. */
static const double TOLERANCE = 5e-9;
/* Exact rows hold so well, p.u.; or so well as the rounding of voltages lets them, when it is only
 * this share of a row's largest derivative and a step more does not halve it. */
static const double MISSED = 2e-10, ROUNDING = 4e-15;

/* What threads share. */
struct job {
    struct pof_se *se;
    struct pof_se_batch *batch;
    struct eval_place *place; /* where cases begin: see eval_feed */
    struct eval_source *source;
    double *shift, *lambda;
    double *weight;        /* [rows] of the plan: of the base */
    struct worker *worker; /* [threads] */
    uint8_t *alone;        /* [cases] */
    double missed;         /* by exact rows at most, p.u. */
    uint32_t *node;        /* [grid nodes * phases] of the plan; POF_NONE: not energised */
    int width;             /* lanes */
};

/* Cases side by side; when all are done the next come. */
struct worker {
    struct eval_lanes lanes;
    struct eval_feed feed;
    size_t first;         /* case of lane 0 */
    int used;             /* lanes with a case; the others repeat the last */
    bool done[LANES_WIDE];
    double before[LANES_WIDE][2]; /* sizes of the last two steps, the older one first */
    int iterations[LANES_WIDE];
    bool last[LANES_WIDE]; /* the step that was taken is the last, if exact rows hold */
    double missed[LANES_WIDE]; /* by exact rows before that step */
};

/* --- lanes --- */

/* What is the same in all cases. */
static void set_lanes(const struct job *j, struct worker *w)
{
    w->lanes.common = j->batch->sigma ? NULL : j->weight;
    for (size_t k = 0; k < j->se->rows * (size_t)j->width && j->batch->sigma; k++) {
        w->lanes.w[k] = j->weight[k / (size_t)j->width];
    }
    w->feed = (struct eval_feed){.place = j->place,
                                 .x = j->se->from.x,
                                 .lambda = j->lambda,
                                 .source = j->source,
                                 .shift = j->shift};
}

/* Cases to the base, with what is read in each. */
static void put_lanes(const struct job *j, struct worker *w)
{
    const struct pof_se_batch *b = j->batch;
    for (size_t k = 0; k < (size_t)j->width; k++) {
        size_t c = w->first + (k < (size_t)w->used ? k : (size_t)w->used - 1);
        w->feed.value[k] = b->value + c * b->n;
        w->feed.sigma[k] = b->sigma ? b->sigma + c * b->n : NULL;
        w->before[k][0] = w->before[k][1] = INFINITY;
        w->iterations[k] = 0;
        w->last[k] = false;
        w->missed[k] = INFINITY;
        w->done[k] = (int)k >= w->used;
        w->lanes.going[k] = 1;
    }
}

/* Voltages of the cases that ended here. */
static void take_voltages(const struct job *j, const struct worker *w)
{
    const struct pof_se_batch *b = j->batch;
    size_t all = (size_t)j->se->grid->nodes * j->se->net.phases;
    struct eval_taken to = {.node = j->node, .nodes = all};
    for (size_t k = 0; k < (size_t)w->used; k++) {
        size_t c = w->first + k;
        to.v_pu[k] = b->v_pu && !j->alone[c] ? b->v_pu + c * all : NULL;
        to.angle[k] = b->angle && !j->alone[c] ? b->angle + c * all : NULL;
    }
    pofi_se_take(&w->lanes, &w->feed, &to, j->width > 1);
}

static void take_case(const struct job *j, const struct worker *w, size_t lane)
{
    struct pof_se_batch *b = j->batch;
    size_t c = w->first + lane;
    if (b->objective) {
        b->objective[c] = w->lanes.sums[EVAL_OBJECTIVE * (size_t)j->width + lane];
    }
    if (b->iterations) {
        b->iterations[c] = w->iterations[lane];
    }
    if (b->status) {
        b->status[c] = POF_SE_CONVERGED;
    }
}

/* After an evaluation: which cases are done, or hopeless here? True when some go on. */
static bool look(struct job *j, struct worker *w)
{
    size_t width = (size_t)j->width;
    bool more = false;
    for (size_t k = 0; k < width; k++) {
        double missed = w->lanes.sums[EVAL_MISSED * width + k];
        double objective = w->lanes.sums[EVAL_OBJECTIVE * width + k];
        if (w->done[k]) {
            continue;
        }
        bool holds = missed <= MISSED || (missed <= j->missed && missed > 0.5 * w->missed[k]);
        w->missed[k] = missed;
        if (w->last[k] && holds && isfinite(objective)) {
            take_case(j, w, k);
            w->done[k] = true;
        } else if (!isfinite(objective) || w->iterations[k] >= ITERATIONS_MAX) {
            j->alone[w->first + k] = 1;
            w->done[k] = true;
        }
        w->lanes.going[k] = !w->done[k];
        more |= !w->done[k];
    }
    return more;
}

/* After a step. */
static void judge(const struct job *j, struct worker *w, size_t k, double size)
{
    double *before = w->before[k];
    w->iterations[k]++;
    double set = j->se->options.tolerance;
    w->last[k] = pofi_se_settled(set > 0 ? set : TOLERANCE, before[0], before[1], size);
    if (!w->last[k] && size > CONTRACTION_WORST * before[0]) {
        w->iterations[k] = ITERATIONS_MAX;
    }
    before[0] = before[1];
    before[1] = size;
}

static int run_group(void *ctx, unsigned worker, size_t i, struct pof_err *err)
{
    struct job *j = ctx;
    struct worker *w = &j->worker[worker];
    const struct se_plan *plan = j->se->plan;
    size_t width = (size_t)j->width, left = j->batch->cases - i * width;
    double size[LANES_WIDE] = {0};
    (void)err;
    w->first = i * width;
    w->used = (int)(left < width ? left : width);
    put_lanes(j, w);
    pofi_se_begin(plan, j->se->gain.ldl, &w->lanes, &w->feed, width > 1);
    while (look(j, w)) {
        pofi_se_next(plan, j->se->gain.ldl, &w->lanes, width > 1, size);
        for (size_t k = 0; k < width; k++) {
            judge(j, w, k, size[k]);
        }
    }
    take_voltages(j, w);
    return 0;
}

/* --- the whole --- */

static int same_kind(const struct pof_se_batch *b, struct pof_err *err)
{
    for (size_t c = 0, k = 0; c < b->cases; c++) {
        for (size_t i = 0; i < b->n; i++, k++) {
            double sigma = b->sigma ? b->sigma[k] : 1;
            bool exact = b->observation[i].sigma <= 0;
            if (!isfinite(b->value[k]) || !isfinite(sigma) || (b->sigma && exact != (sigma <= 0))) {
                return pof_fail(err, POF_E_RANGE,
                                "value %g, sigma %g of reading %zu in case %zu: expected "
                                "finite ones, and exact where the first case is",
                                b->value[k], sigma, i, c);
            }
        }
    }
    return 0;
}

/* The observations of a case. */
static void put_case(const struct pof_se_batch *b, size_t c, struct pof_observation *o)
{
    for (size_t i = 0; i < b->n; i++) {
        o[i] = b->observation[i];
        o[i].value = b->value[c * b->n + i];
        o[i].sigma = b->sigma ? b->sigma[c * b->n + i] : o[i].sigma;
    }
}

/* One case by itself; its results where they belong. */
static int alone(struct pof_se *se, struct pof_se_batch *b, size_t c, struct pof_observation *o,
                 enum pof_se_status *status, struct pof_err *err)
{
    struct pof_se_result r;
    size_t nodes = (size_t)se->grid->nodes * se->net.phases;
    put_case(b, c, o);
    int rc = pof_se_solve(se, o, b->n, status, err);
    if (rc) {
        return rc;
    }
    pof_se_result(se, &r);
    if (b->v_pu) {
        memcpy(b->v_pu + c * nodes, r.v_pu, nodes * sizeof *r.v_pu);
    }
    if (b->angle) {
        memcpy(b->angle + c * nodes, r.angle, nodes * sizeof *r.angle);
    }
    if (b->objective) {
        b->objective[c] = r.objective;
    }
    if (b->iterations) {
        b->iterations[c] = r.iterations;
    }
    if (b->status) {
        b->status[c] = *status;
    }
    return 0;
}

/* Where rows of cases come from, and what they weigh. */
static void list_sources(struct job *j, bool *shifted)
{
    const struct pof_se *se = j->se;
    *shifted = false;
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        uint32_t at = se->plan->row_at[i];
        struct eval_source *to = &j->source[at];
        if (row->exact) {
            j->missed = fmax(j->missed, ROUNDING / row->weight);
        }
        j->weight[at] = row->exact ? 1 : row->weight;
        *to = (struct eval_source){row->z, row->source, row->exact};
        if (row->source != POF_NONE) {
            const struct pof_observation *o = &j->batch->observation[row->source];
            double unit = pofi_se_unit(se, o);
            to->per = 1 / unit;
            j->shift[at] = row->z - o->value / unit; /* angles of further phases */
            *shifted |= j->shift[at] != 0;
        }
    }
}

/* The base: state, factors, multipliers. */
static int settle_base(struct job *j, struct pof_err *err)
{
    struct pof_se *se = j->se;
    const struct se_plan *plan = se->plan;
    bool shifted;
    int rc = pof_calloc(&j->source, se->rows, sizeof *j->source, err);
    rc = rc ? rc : pof_calloc(&j->shift, se->rows, sizeof *j->shift, err);
    rc = rc ? rc : pof_calloc(&j->weight, se->rows, sizeof *j->weight, err);
    rc = rc ? rc : pof_calloc(&j->place, se->net.nodes, sizeof *j->place, err);
    rc = rc ? rc : pof_calloc(&j->lambda, plan->exacts, sizeof *j->lambda, err);
    if (rc) {
        return rc;
    }
    j->missed = MISSED;
    pofi_se_to_base(se);
    pofi_se_state_copy(se, &se->from, &se->state);
    list_sources(j, &shifted);
    if (!shifted) {
        free(j->shift);
        j->shift = NULL;
    }
    for (uint32_t n = 0; n < se->net.nodes; n++) {
        uint32_t from = plan->net_node[n];
        j->place[n] = (struct eval_place){se->from.vr[from], se->from.vi[from], se->from.vm[from],
                                          se->a[from]};
    }
    for (uint32_t i = 0; i < plan->exacts; i++) {
        j->lambda[i] = se->row[plan->exact_row[i]].lambda;
    }
    return 0;
}

/* Where the results of grid nodes come from. */
static int map_nodes(struct job *j, struct pof_err *err)
{
    const struct pof_se *se = j->se;
    uint32_t *number = NULL;
    size_t phases = se->net.phases;
    int rc = pof_calloc(&j->node, se->grid->nodes * phases, sizeof *j->node, err);
    rc = rc ? rc : pof_calloc(&number, se->net.nodes, sizeof *number, err);
    for (uint32_t n = 0; rc == 0 && n < se->net.nodes; n++) {
        number[se->plan->net_node[n]] = n;
    }
    for (size_t at = 0; rc == 0 && at < se->grid->nodes * phases; at++) {
        uint32_t bus = se->net.bus_of[at / phases];
        j->node[at] = bus == POF_NONE ? POF_NONE : number[bus * phases + at % phases];
    }
    free(number);
    return rc;
}

static int run_lanes(struct job *j, struct pof_err *err)
{
    struct pof_se_batch *b = j->batch;
    unsigned threads = b->threads > 1 ? b->threads : 1;
    j->width = b->one_lane ? 1 : LANES_WIDE;
    size_t width = (size_t)j->width;
    int rc = pof_calloc(&j->worker, threads, sizeof *j->worker, err);
    rc = rc ? rc : settle_base(j, err);
    rc = rc ? rc : map_nodes(j, err);
    for (unsigned t = 0; rc == 0 && t < threads; t++) {
        rc = pofi_se_lanes_new(j->se->plan, &j->worker[t].lanes, j->width, err);
        if (rc == 0) {
            set_lanes(j, &j->worker[t]);
        }
    }
    rc = rc ? rc : pof_parallel((b->cases + width - 1) / width, threads, run_group, j, err);
    for (unsigned t = 0; j->worker && t < threads; t++) {
        pofi_se_lanes_free(&j->worker[t].lanes);
    }
    free(j->worker);
    free(j->place);
    free(j->source);
    free(j->shift);
    free(j->lambda);
    free(j->weight);
    free(j->node);
    return rc;
}

/* Kernels side by side have one correlation for all: such cases are estimated one by one. */
static bool correlated(const struct pof_se_batch *b)
{
    for (size_t i = 0; i < b->n; i++) {
        if (b->observation[i].rho != 0) {
            return true;
        }
    }
    return false;
}

/* Whether the engine has the base of a batch before, for readings of the same pattern. */
static int continued(struct pof_se *se, const struct pof_se_batch *b, struct pof_observation *o,
                     bool *found, struct pof_err *err)
{
    bool observable = false;
    if (!b->continued || !se->base_known || b->cases == 0 || correlated(b)) {
        return 0;
    }
    put_case(b, 0, o);
    int rc = pofi_se_prepare(se, o, b->n, &observable, err);
    *found = rc == 0 && observable && se->base_known;
    return rc;
}

/* The first case that has an estimate becomes the base; without a base all have been estimated. */
static int find_base(struct pof_se *se, struct pof_se_batch *b, struct pof_observation *o, bool *found,
                     struct pof_err *err)
{
    enum pof_se_status status = POF_SE_DIVERGED;
    size_t c = 0;
    int rc = 0;
    bool each = correlated(b);
    se->base_known = false; /* does not depend on what was before */
    for (; rc == 0 && c < b->cases && (status == POF_SE_DIVERGED || each); c++) {
        rc = alone(se, b, c, o, &status, err);
    }
    *found = rc == 0 && status == POF_SE_CONVERGED && !each;
    for (c = 0; rc == 0 && !each && status == POF_SE_UNOBSERVABLE && c < b->cases; c++) {
        rc = alone(se, b, c, o, &status, err);
    }
    b->alone = *found ? 0 : b->cases;
    return rc;
}

int pof_se_batch(struct pof_se *se, struct pof_se_batch *b, struct pof_err *err)
{
    struct job j = {.se = se, .batch = b};
    struct pof_observation *o = NULL;
    enum pof_se_status status;
    bool found = false;
    b->alone = 0;
    int rc = same_kind(b, err);
    rc = rc ? rc : pof_calloc(&j.alone, b->cases, sizeof *j.alone, err);
    rc = rc ? rc : pof_calloc(&o, b->n, sizeof *o, err);
    rc = rc ? rc : continued(se, b, o, &found, err);
    rc = rc || found ? rc : find_base(se, b, o, &found, err);
    if (rc == 0 && found) {
        struct pof_se_batch rest = *b;
        rest.observation = o; /* whose values are those in the rows */
        j.batch = &rest;
        rc = run_lanes(&j, err);
    }
    for (size_t c = 0; rc == 0 && found && c < b->cases; c++) {
        if (j.alone[c]) {
            rc = alone(se, b, c, o, &status, err);
            b->alone++;
        }
    }
    se->seen = b->observation; /* o goes */
    free(o);
    free(j.alone);
    return rc;
}

int pof_se_adopt(struct pof_se *se, const struct pof_observation *observations, size_t n,
                 const double *v_pu, const double *angle, int iterations, struct pof_err *err)
{
    bool observable = false;
    uint32_t phases = se->net.phases;
    int rc = pofi_se_prepare(se, observations, n, &observable, err);
    if (rc || !observable) {
        return rc ? rc : pof_fail(err, POF_E_INTERNAL, "only an observable case can be adopted");
    }
    for (uint32_t k = 0; k < se->net.nodes; k++) {
        size_t i = (size_t)se->net.first_of[k / phases] * phases + k % phases;
        se->state.vm[k] = v_pu[i];
        se->state.vr[k] = v_pu[i] * cos(angle[i]);
        se->state.vi[k] = v_pu[i] * sin(angle[i]);
    }
    return pofi_se_settle(se, iterations, err);
}
