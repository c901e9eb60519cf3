/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels of estimate_eval.c, `lane` numbers side by side; included once for each width (lanes.h).
 * WIDTH is how many there are; pointers are to lanes. */

struct LANES(view) {
    lane *v, *vm, *x, *z, *w, *lambda, *rhs, *t, *r;
    const double *common;
    lane objective, missed;
};

LANES_TARGET static inline __attribute__((always_inline)) void
LANES(weight)(const struct LANES(view) *s, uint32_t i, lane *w)
{
    *w = s->common ? (lane){0} + s->common[i] : s->w[i];
}

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
    lane w;
    LANES(weight)(s, i, &w);
    s->r[i] = r;
    if (row->exact) {
        lane scaled = w * r;
        s->rhs[row->extra] = scaled * row->scale;
        *m = -(s->lambda[i] * w) * row->scale;
        LANES_MORE(&s->missed, &scaled);
    } else {
        *m = w * r;
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
            const double *re = (const double *)&s->v[2 * row->node];
            const double *im = (const double *)&s->v[2 * row->node + 1];
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
        const struct eval_entry *y = &p->entry[e];
        const lane *v = s->v + 2 * (size_t)y->to;
        ir += y->g * v[0] - y->b * v[1];
        ii += y->g * v[1] + y->b * v[0];
    }
    lane ar = s->v[2 * p->at[k]], ai = s->v[2 * p->at[k] + 1];
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

/* Multipliers of a plain form of power sp + j sq: weighted. */
LANES_TARGET static inline __attribute__((always_inline)) void
LANES(weigh)(struct LANES(view) *s, uint32_t i, const lane *power, lane *m)
{
    lane rp = s->z[i] - power[0], rq = s->z[i + 1] - power[1], wp, wq;
    LANES(weight)(s, i, &wp);
    LANES(weight)(s, i + 1, &wq);
    m[0] = wp * rp;
    m[1] = wq * rq;
    s->objective += m[0] * rp + m[1] * rq;
    if (WIDTH == 1) {
        s->r[i] = rp;
        s->r[i + 1] = rq;
    }
}

/* The same of exact rows. */
LANES_TARGET static inline __attribute__((always_inline)) void
LANES(hold)(struct LANES(view) *s, const struct eval_row *row, uint32_t i, const lane *power, lane *m)
{
    for (uint32_t k = 0; k < 2; k++) {
        lane r = s->z[i + k] - power[k], w, scaled;
        LANES(weight)(s, i + k, &w);
        scaled = w * r;
        s->r[i + k] = r;
        s->rhs[row[k].extra] = scaled * row[k].scale;
        m[k] = -(s->lambda[i + k] * w) * row[k].scale;
        LANES_MORE(&s->missed, &scaled);
    }
}

/* What hands multipliers m of a form with the current i back to its own node: beta, and t. */
LANES_TARGET static inline __attribute__((always_inline)) void
LANES(hand_back)(lane *t, const lane *v, const lane *i, const lane *m, lane *beta)
{
    t[0] += m[0] * i[0] - m[1] * i[1];
    t[1] -= m[0] * i[1] + m[1] * i[0];
    beta[0] = m[0] * v[0] + m[1] * v[1];
    beta[1] = m[1] * v[0] - m[0] * v[1];
}

/* Weighted forms of two admittances: ends of branches. */
LANES_TARGET static void LANES(pairs)(const struct se_plan *p, struct LANES(view) *s)
{
    for (const struct eval_plain *f = p->plain; f < p->plain + p->pairs; f++) {
        const struct eval_entry *y = &p->entry[f->begin], *x = y + 1;
        const lane *v = s->v + 2 * (size_t)f->at, *vy = s->v + 2 * (size_t)y->to,
                   *vx = s->v + 2 * (size_t)x->to;
        lane i[2], power[2], m[2], beta[2];
        i[0] = (y->g * vy[0] - y->b * vy[1]) + (x->g * vx[0] - x->b * vx[1]);
        i[1] = (y->g * vy[1] + y->b * vy[0]) + (x->g * vx[1] + x->b * vx[0]);
        power[0] = v[0] * i[0] + v[1] * i[1];
        power[1] = v[1] * i[0] - v[0] * i[1];
        LANES(weigh)(s, f->row, power, m);
        LANES(hand_back)(s->t + 2 * (size_t)f->at, v, i, m, beta);
        lane *ty = s->t + 2 * (size_t)y->to, *tx = s->t + 2 * (size_t)x->to;
        ty[0] += y->g * beta[0] - y->b * beta[1];
        ty[1] += y->g * beta[1] + y->b * beta[0];
        tx[0] += x->g * beta[0] - x->b * beta[1];
        tx[1] += x->g * beta[1] + x->b * beta[0];
    }
}

/* Other plain forms. */
LANES_TARGET static void LANES(plains)(const struct se_plan *p, struct LANES(view) *s)
{
    for (uint32_t k = p->pairs; k < p->plains; k++) {
        const struct eval_plain *f = &p->plain[k];
        const lane *v = s->v + 2 * (size_t)f->at;
        lane i[2], power[2], m[2], beta[2];
        memset(i, 0, sizeof i);
        for (uint32_t e = f->begin; e < f->end; e++) {
            const struct eval_entry *y = &p->entry[e];
            const lane *u = s->v + 2 * (size_t)y->to;
            i[0] += y->g * u[0] - y->b * u[1];
            i[1] += y->g * u[1] + y->b * u[0];
        }
        power[0] = v[0] * i[0] + v[1] * i[1];
        power[1] = v[1] * i[0] - v[0] * i[1];
        if (k < p->weighted) {
            LANES(weigh)(s, f->row, power, m);
        } else {
            LANES(hold)(s, &p->row[f->row], f->row, power, m);
        }
        LANES(hand_back)(s->t + 2 * (size_t)f->at, v, i, m, beta);
        for (uint32_t e = f->begin; e < f->end; e++) {
            const struct eval_entry *y = &p->entry[e];
            lane *t = s->t + 2 * (size_t)y->to;
            t[0] += y->g * beta[0] - y->b * beta[1];
            t[1] += y->g * beta[1] + y->b * beta[0];
        }
    }
}

LANES_TARGET static void LANES(groups)(const struct se_plan *p, struct LANES(view) *s)
{
    for (uint32_t g = 0; g < p->groups; g++) {
        const struct eval_group *group = &p->group[g];
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
            uint32_t form = group->form + k, a = p->at[form];
            lane b[2];
            LANES(hand_back)(s->t + 2 * (size_t)a, s->v + 2 * (size_t)a, f + 4 * k + 2, mu + 2 * k, b);
            s->rhs[2 * p->order[a]] += own[k];
            b[0] += beta[2 * k];
            b[1] += beta[2 * k + 1];
            for (uint32_t e = p->begin[form]; e < p->begin[form + 1]; e++) {
                const struct eval_entry *y = &p->entry[e];
                lane *t = s->t + 2 * (size_t)y->to;
                t[0] += y->g * b[0] - y->b * b[1];
                t[1] += y->g * b[1] + y->b * b[0];
            }
        }
    }
}

LANES_TARGET static void LANES(eval)(const struct se_plan *p, const struct eval_lanes *l)
{
    struct LANES(view) s = {.v = (lane *)(void *)l->v,
                            .vm = (lane *)(void *)l->vm,
                            .x = (lane *)(void *)l->x,
                            .z = (lane *)(void *)l->z,
                            .w = (lane *)(void *)l->w,
                            .common = l->common,
                            .lambda = (lane *)(void *)l->lambda,
                            .rhs = (lane *)(void *)l->rhs,
                            .t = (lane *)(void *)l->t,
                            .r = (lane *)(void *)l->r};
    memset(l->t, 0, 2 * (size_t)p->nodes * sizeof(lane));
    for (uint32_t k = 0; k < p->clears; k++) {
        s.rhs[p->clear[k]] = (lane){0};
    }
    for (uint32_t n = 0; p->groups > 0 && n < p->nodes; n++) {
        s.rhs[2 * p->order[n]] = (lane){0}; /* groups add angles of currents */
    }
    LANES(pairs)(p, &s);
    LANES(plains)(p, &s);
    LANES(groups)(p, &s);
    for (uint32_t n = 0; n < p->nodes; n++) {
        lane *to = s.rhs + 2 * (size_t)p->order[n];
        const lane *v = s.v + 2 * (size_t)n, *t = s.t + 2 * (size_t)n;
        lane turn = v[0] * t[1] + v[1] * t[0];
        to[0] = p->groups > 0 ? to[0] - turn : -turn;
        to[1] = v[0] * t[0] - v[1] * t[1];
    }
    LANES(node_rows)(p, &s);
    ((lane *)(void *)l->sums)[EVAL_OBJECTIVE] = s.objective;
    ((lane *)(void *)l->sums)[EVAL_MISSED] = s.missed;
}

/* With rho C'C in the matrix, a solved step has its multipliers' steps less rho r. */
LANES_TARGET static void LANES(complete)(const struct se_plan *p, const struct eval_lanes *l)
{
    struct LANES(view) s = {.w = (lane *)(void *)l->w, .common = l->common};
    const lane *r = (const lane *)(const void *)l->r;
    lane *rhs = (lane *)(void *)l->rhs;
    for (uint32_t k = 0; k < p->exacts; k++) {
        const struct eval_row *row = &p->row[p->exact[k]];
        lane of;
        LANES(weight)(&s, p->exact[k], &of);
        rhs[row->extra] += row->rho * row->scale * (of * r[p->exact[k]]);
    }
}

/* v (1 + du) and a turn by about dangle, exactly unitary: (1 + j dangle / 2) / (1 - j dangle / 2). */
LANES_TARGET static void LANES(step)(const struct se_plan *p, const struct eval_lanes *l, double *size)
{
    lane *v = (lane *)(void *)l->v, *vm = (lane *)(void *)l->vm;
    lane *x = (lane *)(void *)l->x, *lambda = (lane *)(void *)l->lambda;
    const lane *step = (const lane *)(const void *)l->rhs;
    lane most = {0};
    for (uint32_t n = 0; n < p->nodes; n++) {
        lane da = step[2 * p->order[n]], du = step[2 * p->order[n] + 1];
        lane half = 0.5 * da, square = half * half;
        lane grow = (1.0 + du) / (1.0 + square);
        lane c = (1.0 - square) * grow, s = da * grow, re = v[2 * n], im = v[2 * n + 1];
        v[2 * n] = c * re - s * im;
        v[2 * n + 1] = s * re + c * im;
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
