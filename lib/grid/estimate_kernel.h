/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels of estimate_eval.c, `lane` numbers side by side; included once for each width (lanes.h).
 * WIDTH is how many there are; pointers are to lanes. */

struct LANES(view) {
    lane *vr, *vi, *vm, *x, *z, *w, *lambda, *rhs, *tr, *ti, *r;
    lane objective, missed;
};

/* The residual of a row into a multiplier; sums on the way. */
LANES_TARGET static inline __attribute__((always_inline)) void
LANES(multiplier)(struct LANES(view) *s, const struct eval_row *row, uint32_t i, const lane *value,
                  lane *m)
{
    lane r = s->z[i] - *value;
    if (row->quantity == POF_QUANTITY_ANGLE || row->quantity >= POF_QUANTITY_I_ANGLE) {
        double *turns = (double *)&r;
        for (int k = 0; k < WIDTH; k++) {
            turns[k] = remainder(turns[k], FULL_TURN);
        }
    }
    s->r[i] = r;
    if (row->exact) {
        lane scaled = s->w[i] * r;
        s->rhs[row->extra] = scaled * row->scale;
        *m = -(s->lambda[i] * s->w[i]) * row->scale;
        LANES_MORE(&s->missed, &scaled);
    } else {
        *m = s->w[i] * r;
        s->objective += *m * r;
    }
}

LANES_TARGET static void LANES(node_rows)(const struct se_plan *p, struct LANES(view) *s)
{
    for (uint32_t i = 0; i < p->first_group_row; i++) {
        const struct eval_row *row = &p->row[i];
        uint32_t at = 2 * p->order[row->node];
        lane value = s->vm[row->node], m;
        if (row->quantity == POF_QUANTITY_ANGLE) {
            const double *re = (const double *)&s->vr[row->node];
            const double *im = (const double *)&s->vi[row->node];
            for (int k = 0; k < WIDTH; k++) {
                ((double *)&value)[k] = atan2(im[k], re[k]);
            }
            LANES(multiplier)(s, row, i, &value, &m);
            s->rhs[at] += m;
        } else {
            LANES(multiplier)(s, row, i, &value, &m);
            s->rhs[at + 1] += m * s->vm[row->node];
        }
    }
}

/* Currents and powers of a form. */
LANES_TARGET static inline __attribute__((always_inline)) void
LANES(form)(const struct se_plan *p, const struct LANES(view) *s, uint32_t k, lane *out)
{
    lane ir = {0}, ii = {0};
    for (uint32_t e = p->begin[k]; e < p->begin[k + 1]; e++) {
        lane vr = s->vr[p->to[e]], vi = s->vi[p->to[e]];
        ir += p->g[e] * vr - p->b[e] * vi;
        ii += p->g[e] * vi + p->b[e] * vr;
    }
    lane ar = s->vr[p->at[k]], ai = s->vi[p->at[k]];
    out[0] = ar * ir + ai * ii;
    out[1] = ai * ir - ar * ii;
    out[2] = ir;
    out[3] = ii;
}

/* What a current contributes: |i|, or one of its angles. beta of di, and by the own angle. */
LANES_TARGET static void LANES(current_row)(struct LANES(view) *s, const struct eval_row *row,
                                            uint32_t i, const lane *f, lane *beta, lane *own)
{
    lane value = {0}, m, re = {0}, im = {0};
    bool magnitude = row->quantity == POF_QUANTITY_I;
    bool to_v = row->quantity == POF_QUANTITY_I_ANGLE_TO_V;
    const double *pr = (const double *)&f[0], *pi = (const double *)&f[1];
    const double *ir = (const double *)&f[2], *ii = (const double *)&f[3];
    for (int k = 0; k < WIDTH; k++) {
        double square = ir[k] * ir[k] + ii[k] * ii[k], size = sqrt(square);
        bool seen = square >= CURRENT_MIN * CURRENT_MIN;
        ((double *)&value)[k] = magnitude ? size
                                : to_v    ? atan2(-pi[k], pr[k])
                                          : atan2(ii[k], ir[k]);
        /* conj(i) / |i|, or -j conj(i) / |i|^2 */
        ((double *)&re)[k] = !seen ? 0 : magnitude ? ir[k] / size : -ii[k] / square;
        ((double *)&im)[k] = !seen ? 0 : magnitude ? -ii[k] / size : -ir[k] / square;
    }
    LANES(multiplier)(s, row, i, &value, &m);
    beta[0] += m * re;
    beta[1] += m * im;
    if (to_v) {
        *own -= m;
    }
}

/* Power rows of a group; f: [width][4] of its forms, mu: [width][2] multipliers. */
LANES_TARGET static inline __attribute__((always_inline)) void
LANES(power_row)(const struct se_plan *p, struct LANES(view) *s, uint32_t i, const lane *f, lane *mu)
{
    const struct eval_row *row = &p->row[i];
    uint32_t q = row->quantity == POF_QUANTITY_Q;
    uint32_t from = row->which == 3 ? 0 : row->which, to = row->which == 3 ? p->width : from + 1;
    lane value = {0}, m;
    if (row->which != 4) {
        value = f[4 * from + q];
        for (uint32_t k = from + 1; k < to; k++) {
            value += f[4 * k + q];
        }
        value *= row->sign;
    }
    for (uint32_t t = row->tbegin; t < row->tend; t++) {
        value += p->term[t].factor * s->x[p->term[t].x];
    }
    LANES(multiplier)(s, row, i, &value, &m);
    for (uint32_t t = row->tbegin; t < row->tend; t++) {
        s->rhs[p->term[t].at] += m * p->term[t].factor;
    }
    for (uint32_t k = from; k < to && row->which != 4; k++) {
        mu[2 * k + q] += m * row->sign;
    }
}

/* The group that nearly all are: P and Q of one form, both exact or both weighted. */
LANES_TARGET static inline __attribute__((always_inline)) void
LANES(plain_group)(const struct se_plan *p, struct LANES(view) *s, const struct eval_group *g)
{
    const struct eval_row *row = &p->row[g->begin];
    uint32_t k = g->form, a = p->at[k], at = 2 * p->order[a], i = g->begin;
    lane ir = {0}, ii = {0}, vr = s->vr[a], vi = s->vi[a], mr, mi;
    for (uint32_t e = p->begin[k]; e < p->begin[k + 1]; e++) {
        lane ur = s->vr[p->to[e]], ui = s->vi[p->to[e]];
        ir += p->g[e] * ur - p->b[e] * ui;
        ii += p->g[e] * ui + p->b[e] * ur;
    }
    lane sp = vr * ir + vi * ii, sq = vi * ir - vr * ii;
    lane rp = s->z[i] - sp * row->sign, rq = s->z[i + 1] - sq * row->sign;
    s->r[i] = rp;
    s->r[i + 1] = rq;
    if (row->exact) {
        lane wp = s->w[i] * rp, wq = s->w[i + 1] * rq;
        s->rhs[row->extra] = wp * row->scale;
        s->rhs[row[1].extra] = wq * row[1].scale;
        mr = -(s->lambda[i] * s->w[i]) * row->scale;
        mi = -(s->lambda[i + 1] * s->w[i + 1]) * row[1].scale;
        LANES_MORE(&s->missed, &wp);
        LANES_MORE(&s->missed, &wq);
    } else {
        mr = s->w[i] * rp;
        mi = s->w[i + 1] * rq;
        s->objective += mr * rp + mi * rq;
    }
    mr *= row->sign;
    mi *= row->sign;
    s->rhs[at] += mi * sp - mr * sq;
    s->rhs[at + 1] += mr * sp + mi * sq;
    lane br = mr * vr + mi * vi, bi = mi * vr - mr * vi;
    for (uint32_t e = p->begin[k]; e < p->begin[k + 1]; e++) {
        s->tr[p->to[e]] += p->g[e] * br - p->b[e] * bi;
        s->ti[p->to[e]] += p->g[e] * bi + p->b[e] * br;
    }
}

LANES_TARGET static void LANES(groups)(const struct se_plan *p, struct LANES(view) *s)
{
    for (uint32_t g = 0; g < p->groups; g++) {
        const struct eval_group *group = &p->group[g];
        if (group->plain) {
            LANES(plain_group)(p, s, group);
            continue;
        }
        uint32_t width = group->form == POF_NONE ? 0 : p->width;
        lane f[12], mu[6], beta[6], own[3];
        memset(mu, 0, sizeof mu);
        memset(beta, 0, sizeof beta);
        memset(own, 0, sizeof own);
        for (uint32_t k = 0; k < width; k++) {
            LANES(form)(p, s, group->form + k, f + 4 * k);
        }
        for (uint32_t i = group->begin; i < group->end; i++) {
            const struct eval_row *row = &p->row[i];
            if (row->quantity >= POF_QUANTITY_I) {
                LANES(current_row)(s, row, i, f + 4 * row->which, beta + 2 * row->which,
                                   &own[row->which]);
            } else {
                LANES(power_row)(p, s, i, f, mu);
            }
        }
        for (uint32_t k = 0; k < width; k++) {
            uint32_t form = group->form + k, a = p->at[form], at = 2 * p->order[a];
            lane mr = mu[2 * k], mi = mu[2 * k + 1], vr = s->vr[a], vi = s->vi[a];
            s->rhs[at] += own[k] - (mr * f[4 * k + 1] - mi * f[4 * k]);
            s->rhs[at + 1] += mr * f[4 * k] + mi * f[4 * k + 1];
            lane br = beta[2 * k] + (mr * vr + mi * vi), bi = beta[2 * k + 1] + (mi * vr - mr * vi);
            for (uint32_t e = p->begin[form]; e < p->begin[form + 1]; e++) {
                s->tr[p->to[e]] += p->g[e] * br - p->b[e] * bi;
                s->ti[p->to[e]] += p->g[e] * bi + p->b[e] * br;
            }
        }
    }
}

LANES_TARGET static void LANES(eval)(const struct se_plan *p, const struct eval_lanes *l)
{
    struct LANES(view) s = {.vr = (lane *)(void *)l->vr,
                            .vi = (lane *)(void *)l->vi,
                            .vm = (lane *)(void *)l->vm,
                            .x = (lane *)(void *)l->x,
                            .z = (lane *)(void *)l->z,
                            .w = (lane *)(void *)l->w,
                            .lambda = (lane *)(void *)l->lambda,
                            .rhs = (lane *)(void *)l->rhs,
                            .tr = (lane *)(void *)l->tr,
                            .ti = (lane *)(void *)l->ti,
                            .r = (lane *)(void *)l->r};
    memset(l->rhs, 0, p->unknowns * sizeof(lane));
    memset(l->tr, 0, p->nodes * sizeof(lane));
    memset(l->ti, 0, p->nodes * sizeof(lane));
    LANES(node_rows)(p, &s);
    LANES(groups)(p, &s);
    for (uint32_t n = 0; n < p->nodes; n++) {
        lane *to = s.rhs + 2 * p->order[n];
        lane vr = s.vr[n], vi = s.vi[n], tr = s.tr[n], ti = s.ti[n];
        to[0] -= vr * ti + vi * tr;
        to[1] += vr * tr - vi * ti;
    }
    ((lane *)(void *)l->sums)[EVAL_OBJECTIVE] = s.objective;
    ((lane *)(void *)l->sums)[EVAL_MISSED] = s.missed;
}

/* With rho C'C in the matrix, a solved step has its multipliers' steps less rho r. */
LANES_TARGET static void LANES(complete)(const struct se_plan *p, const struct eval_lanes *l)
{
    const lane *w = (const lane *)(const void *)l->w, *r = (const lane *)(const void *)l->r;
    lane *rhs = (lane *)(void *)l->rhs;
    for (uint32_t k = 0; k < p->exacts; k++) {
        const struct eval_row *row = &p->row[p->exact[k]];
        rhs[row->extra] += row->rho * row->scale * (w[p->exact[k]] * r[p->exact[k]]);
    }
}

/* v (1 + du) and a turn by about dangle, exactly unitary: (1 + j dangle / 2) / (1 - j dangle / 2). */
LANES_TARGET static void LANES(step)(const struct se_plan *p, const struct eval_lanes *l, double *size)
{
    lane *vr = (lane *)(void *)l->vr, *vi = (lane *)(void *)l->vi, *vm = (lane *)(void *)l->vm;
    lane *x = (lane *)(void *)l->x, *lambda = (lane *)(void *)l->lambda;
    const lane *step = (const lane *)(const void *)l->rhs;
    lane most = {0};
    for (uint32_t n = 0; n < p->nodes; n++) {
        lane da = step[2 * p->order[n]], du = step[2 * p->order[n] + 1];
        lane half = 0.5 * da, square = half * half;
        lane grow = (1.0 + du) / (1.0 + square);
        lane c = (1.0 - square) * grow, s = da * grow, re = vr[n], im = vi[n];
        vr[n] = c * re - s * im;
        vi[n] = s * re + c * im;
        vm[n] += vm[n] * du;
        LANES_MORE(&most, &da);
        LANES_MORE(&most, &du);
    }
    for (uint32_t k = 0; k < 2 * p->potentials; k++) {
        x[k] += step[2 * p->order[p->nodes + k / 2] + k % 2];
    }
    for (uint32_t k = 0; k < p->exacts; k++) {
        lambda[p->exact[k]] += step[p->row[p->exact[k]].extra];
    }
    memcpy(size, &most, sizeof most);
}
