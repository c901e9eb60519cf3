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
/* Exact rows hold so well, p.u., or as well as the rounding of voltages, this share of a row's
 * largest derivative, lets them. */
static const double MISSED = 5e-10, ROUNDING = 4e-15;

/* Cases of one thread's turn: enough that lanes are filled anew many times. */
enum { TURN = 64 };

/* What a case's row begins with: z = per * value + shift. */
struct base {
    uint32_t source;       /* observation */
    uint32_t row;
    bool exact;
    double per, shift;
};

/* What threads share. */
struct job {
    struct pof_se *se;
    struct pof_se_batch *batch;
    struct base *base;     /* [bases] rows that are observed */
    size_t bases;
    double *weight;        /* [rows] of the base */
    struct worker *worker; /* [threads] */
    uint8_t *alone;        /* [cases] */
    double missed;         /* of exact rows, p.u. */
    size_t turn;
};

struct worker {
    struct eval_lanes lanes;
    int width;
    size_t at[LANES_WIDE]; /* case of each lane; SIZE_MAX: idle */
    double before[LANES_WIDE][2]; /* sizes of the last two steps, the older one first */
    int iterations[LANES_WIDE];
    bool last[LANES_WIDE]; /* the step that was taken is the last, if exact rows hold */
};

/* --- lanes --- */

/* What is the same in all cases. */
static void set_lanes(const struct job *j, struct worker *w)
{
    const struct pof_se *se = j->se;
    struct eval_lanes *l = &w->lanes;
    size_t width = (size_t)w->width;
    for (size_t i = 0; i < se->rows * width; i++) {
        l->z[i] = se->row[i / width].z;
        l->w[i] = j->weight[i / width];
    }
    l->common = j->batch->sigma ? NULL : j->weight;
}

static void put_rows(const struct job *j, struct worker *w, size_t lane, size_t c)
{
    const struct pof_se_batch *b = j->batch;
    const double *value = b->value + c * b->n, *sigma = b->sigma ? b->sigma + c * b->n : NULL;
    double *z = w->lanes.z + lane, *weight = w->lanes.w + lane;
    size_t width = (size_t)w->width;
    for (const struct base *row = j->base; row < j->base + j->bases; row++) {
        z[row->row * width] = value[row->source] * row->per + row->shift;
    }
    for (const struct base *row = j->base; sigma && row < j->base + j->bases; row++) {
        if (!row->exact) {
            double s = sigma[row->source] * row->per;
            weight[row->row * width] = 1 / (s * s);
        }
    }
}

static void put_lane(const struct job *j, struct worker *w, int k, size_t c)
{
    const struct pof_se *se = j->se;
    const struct se_plan *plan = se->plan;
    struct eval_lanes *l = &w->lanes;
    size_t width = (size_t)w->width, lane = (size_t)k;
    for (size_t n = 0; n < se->net.nodes; n++) {
        l->v[2 * n * width + lane] = se->from.vr[n];
        l->v[(2 * n + 1) * width + lane] = se->from.vi[n];
        l->vm[n * width + lane] = se->from.vm[n];
    }
    for (size_t n = 0; n < 2 * (size_t)se->potentials; n++) {
        l->x[n * width + lane] = se->from.x[n];
    }
    for (uint32_t i = 0; i < plan->exacts; i++) {
        l->lambda[plan->exact[i] * width + lane] = se->row[plan->exact[i]].lambda;
    }
    put_rows(j, w, lane, c);
    w->at[k] = c;
    w->before[k][0] = w->before[k][1] = INFINITY;
    w->iterations[k] = 0;
    w->last[k] = false;
}

/* Angles by the rotation since the base: it is small, so its tangent's series is short. */
static double turned_by(double im, double re)
{
    double t = im / re;
    if (!(fabs(t) < 0.03 && re > 0)) {
        return atan2(im, re);
    }
    double s = t * t; /* the next term is below 0.03^12 / 13 */
    return t * (1 - s * (1.0 / 3 - s * (1.0 / 5 - s * (1.0 / 7 - s * (1.0 / 9 - s * (1.0 / 11))))));
}

/* The voltages of a bus, for all grid nodes at it. */
static void take_voltages(const struct job *j, const struct worker *w, size_t lane, size_t c)
{
    const struct pof_se *se = j->se;
    const double *v = w->lanes.v + lane, *vm = w->lanes.vm + lane;
    size_t width = (size_t)w->width, phases = se->net.phases, nodes = se->grid->nodes;
    double *to_v = j->batch->v_pu ? j->batch->v_pu + c * nodes * phases : NULL;
    double *to_a = j->batch->angle ? j->batch->angle + c * nodes * phases : NULL;
    for (size_t i = 0, at = 0; i < nodes; i++) {
        uint32_t bus = se->net.bus_of[i];
        for (size_t n = bus * phases, f = 0; f < phases; f++, n++, at++) {
            if (to_v) {
                to_v[at] = bus == POF_NONE ? 0 : vm[n * width];
            }
            if (to_a && bus == POF_NONE) {
                to_a[at] = 0;
            } else if (to_a) {
                double vr = v[2 * n * width], vi = v[(2 * n + 1) * width];
                double re = vr * se->from.vr[n] + vi * se->from.vi[n];
                double im = vi * se->from.vr[n] - vr * se->from.vi[n];
                to_a[at] = se->a[n] + turned_by(im, re);
            }
        }
    }
}

static void take_lane(const struct job *j, const struct worker *w, int k)
{
    struct pof_se_batch *b = j->batch;
    size_t width = (size_t)w->width, lane = (size_t)k, c = w->at[k];
    take_voltages(j, w, lane, c);
    if (b->objective) {
        b->objective[c] = w->lanes.sums[EVAL_OBJECTIVE * width + lane];
    }
    if (b->iterations) {
        b->iterations[c] = w->iterations[k];
    }
    if (b->status) {
        b->status[c] = POF_SE_CONVERGED;
    }
}

/* The next case of the turn into a lane, or none. */
static void refill(const struct job *j, struct worker *w, int k, size_t *next, size_t end)
{
    if (*next < end) {
        put_lane(j, w, k, (*next)++);
    } else {
        w->at[k] = SIZE_MAX;
    }
}

/* After an evaluation: is the lane's case done, or hopeless here? */
static bool over(struct job *j, struct worker *w, int k)
{
    size_t width = (size_t)w->width, lane = (size_t)k;
    double missed = w->lanes.sums[EVAL_MISSED * width + lane];
    double objective = w->lanes.sums[EVAL_OBJECTIVE * width + lane];
    if (w->last[k] && missed <= j->missed && isfinite(objective)) {
        take_lane(j, w, k);
        return true;
    }
    if (!isfinite(objective) || w->iterations[k] >= ITERATIONS_MAX) {
        j->alone[w->at[k]] = 1;
        return true;
    }
    return false;
}

/* After a step. */
static void judge(struct job *j, struct worker *w, int k, double size)
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

static bool busy(const struct worker *w)
{
    for (int k = 0; k < w->width; k++) {
        if (w->at[k] != SIZE_MAX) {
            return true;
        }
    }
    return false;
}

static int run_turn(void *ctx, unsigned worker, size_t i, struct pof_err *err)
{
    struct job *j = ctx;
    struct worker *w = &j->worker[worker];
    const struct se_plan *plan = j->se->plan;
    size_t next = i * j->turn;
    size_t end = next + j->turn < j->batch->cases ? next + j->turn : j->batch->cases;
    bool wide = w->width > 1;
    double size[LANES_WIDE] = {0};
    (void)err;
    for (int k = 0; k < w->width; k++) {
        refill(j, w, k, &next, end);
    }
    while (busy(w)) {
        bool fresh = false;
        (wide ? pofi_se_eval_wide : pofi_se_eval)(plan, &w->lanes);
        for (int k = 0; k < w->width; k++) {
            if (w->at[k] != SIZE_MAX && over(j, w, k)) {
                refill(j, w, k, &next, end);
                fresh = fresh || w->at[k] != SIZE_MAX;
            }
        }
        if (fresh) {
            continue; /* others are evaluated once more, to the same numbers */
        }
        if (!busy(w)) {
            break;
        }
        (wide ? pofi_se_solve_wide : pofi_se_solve)(plan, j->se->gain.ldl, &w->lanes);
        (wide ? pofi_se_step_wide : pofi_se_step)(plan, &w->lanes, size);
        for (int k = 0; k < w->width; k++) {
            if (w->at[k] != SIZE_MAX) {
                judge(j, w, k, size[k]);
            }
        }
    }
    return 0;
}

/* --- the whole --- */

static int same_kind(const struct pof_se_batch *b, struct pof_err *err)
{
    for (size_t i = 0; i < b->cases * b->n; i++) {
        double sigma = b->sigma ? b->sigma[i] : 1;
        bool exact = b->observation[i % b->n].sigma <= 0;
        if (!isfinite(b->value[i]) || !isfinite(sigma) || (b->sigma && exact != (sigma <= 0))) {
            return pof_fail(err, POF_E_RANGE, "value %g, sigma %g of reading %zu in case %zu: expected "
                                              "finite ones, and exact where the first case is",
                            b->value[i], sigma, i % b->n, i / b->n);
        }
    }
    return 0;
}

/* One case by itself; its results where they belong. */
static int alone(struct pof_se *se, struct pof_se_batch *b, size_t c, struct pof_observation *o,
                 enum pof_se_status *status, struct pof_err *err)
{
    struct pof_se_result r;
    size_t nodes = (size_t)se->grid->nodes * se->net.phases;
    for (size_t i = 0; i < b->n; i++) {
        o[i] = b->observation[i];
        o[i].value = b->value[c * b->n + i];
        o[i].sigma = b->sigma ? b->sigma[c * b->n + i] : o[i].sigma;
    }
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

/* The base: state, factors, multipliers. */
static int settle_base(struct job *j, struct pof_err *err)
{
    struct pof_se *se = j->se;
    int rc = pof_calloc(&j->base, se->rows, sizeof *j->base, err);
    rc = rc ? rc : pof_calloc(&j->weight, se->rows, sizeof *j->weight, err);
    if (rc) {
        return rc;
    }
    j->missed = MISSED;
    pofi_se_state_copy(se, &se->from, &se->state);
    pofi_se_linearise(se);
    se->base_factored = false;
    pofi_se_factor(se, &se->gain, pofi_se_prior(se, false));
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        if (row->exact) {
            j->missed = fmax(j->missed, ROUNDING / row->weight);
        }
        j->weight[i] = row->exact ? 1 : row->weight;
        if (row->source != POF_NONE) {
            const struct pof_observation *o = &j->batch->observation[row->source];
            double unit = pofi_se_unit(se, o);
            struct base *to = &j->base[j->bases++];
            *to = (struct base){row->source, (uint32_t)i, row->exact, 1 / unit, 0};
            to->shift = row->z - o->value / unit; /* angles of further phases */
        }
    }
    return 0;
}

static int run_lanes(struct job *j, struct pof_err *err)
{
    struct pof_se_batch *b = j->batch;
    unsigned threads = b->threads > 1 ? b->threads : 1;
    int rc = pof_calloc(&j->worker, threads, sizeof *j->worker, err);
    rc = rc ? rc : settle_base(j, err);
    for (unsigned t = 0; rc == 0 && t < threads; t++) {
        j->worker[t].width = b->one_lane ? 1 : LANES_WIDE;
        rc = pofi_se_lanes_new(j->se->plan, &j->worker[t].lanes, j->worker[t].width, err);
        if (rc == 0) {
            set_lanes(j, &j->worker[t]);
        }
    }
    size_t turns = (b->cases + TURN - 1) / TURN;
    j->turn = turns < threads ? (b->cases + threads - 1) / threads : TURN;
    turns = j->turn > 0 ? (b->cases + j->turn - 1) / j->turn : 0;
    rc = rc ? rc : pof_parallel(turns, threads, run_turn, j, err);
    for (unsigned t = 0; j->worker && t < threads; t++) {
        pofi_se_lanes_free(&j->worker[t].lanes);
    }
    free(j->worker);
    free(j->base);
    free(j->weight);
    return rc;
}

int pof_se_batch(struct pof_se *se, struct pof_se_batch *b, struct pof_err *err)
{
    struct job j = {.se = se, .batch = b};
    struct pof_observation *o = NULL;
    enum pof_se_status status = POF_SE_DIVERGED, other;
    b->alone = 0;
    se->base_known = false; /* the batch's own base does not depend on what was before */
    int rc = same_kind(b, err);
    rc = rc ? rc : pof_calloc(&j.alone, b->cases, sizeof *j.alone, err);
    rc = rc ? rc : pof_calloc(&o, b->n, sizeof *o, err);
    size_t base = 0;
    for (; rc == 0 && base < b->cases && status == POF_SE_DIVERGED; base++) {
        rc = alone(se, b, base, o, &status, err);
        b->alone++;
    }
    bool found = rc == 0 && status == POF_SE_CONVERGED;
    for (size_t c = 0; rc == 0 && status == POF_SE_UNOBSERVABLE && c < b->cases; c++) {
        rc = alone(se, b, c, o, &status, err);
    }
    if (found) {
        b->alone = 0;
        struct pof_se_batch rest = *b;
        rest.observation = o; /* the base, whose values are those in the rows */
        j.batch = &rest;
        memset(j.alone, 0, b->cases);
        rc = run_lanes(&j, err);
    }
    for (size_t c = 0; rc == 0 && found && c < b->cases; c++) {
        if (j.alone[c]) {
            rc = alone(se, b, c, o, &other, err);
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
