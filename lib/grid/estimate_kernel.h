/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels of estimate_eval.c, `lane` numbers side by side; included once for each width (lanes.h).
 * WIDTH is how many there are; pointers are to lanes. */

struct LANES(view) {
    lane *v, *vm, *x, *z, *w, *lambda, *rhs, *r, *sums, *going;
    lane *near, *far; /* t of the present piece and of the last, less the nodes before it */
    uint32_t last;    /* first node of the last piece */
    bool carry;       /* multipliers get at once what a solved step has them less */
    const lane *top; /* less the blocks before the last piece */
    const struct eval_exact *exact;
    const double *common;
    lane objective, missed;
};

/* Where a node collects what is handed back. */
LANES_TARGET static inline __attribute__((always_inline)) lane *LANES(t)(const struct LANES(view) *s,
                                                                         uint32_t node)
{
    return (node < s->last ? s->near : s->far) + 2 * (size_t)node;
}

LANES_TARGET static inline __attribute__((always_inline)) void
LANES(weight)(const struct LANES(view) *s, uint32_t i, lane *w)
{
    *w = s->common ? (lane){0} + s->common[i] : s->w[i];
}

/* An exact row missed by r with weight w: its multiplier, and what it asks of the step. */
LANES_TARGET static inline __attribute__((always_inline)) void
LANES(hold_row)(struct LANES(view) *s, uint32_t k, const lane *w, const lane *r, lane *m)
{
    const struct eval_exact *e = &s->exact[k];
    lane scaled = *w * *r;
    s->rhs[e->extra] += scaled * e->scale;
    *m = -(s->lambda[k] * *w) * e->scale;
    if (s->carry) {
        s->lambda[k] += e->rho * e->scale * scaled;
    }
    LANES_MORE(&s->missed, &scaled);
}

/* The residual of a row into a multiplier; sums on the way. */
LANES_TARGET static inline __attribute__((always_inline)) void
LANES(multiplier)(struct LANES(view) *s, const struct eval_row *row, const lane *value, lane *m)
{
    uint32_t i = row->at;
    lane r = s->z[i] - *value;
    if (row->quantity == POF_QUANTITY_ANGLE || row->quantity >= POF_QUANTITY_I_ANGLE) {
        double *turns = (double *)&r;
        for (int k = 0; k < WIDTH; k++) {
            turns[k] = remainder(turns[k], FULL_TURN);
        }
    }
    lane w;
    LANES(weight)(s, i, &w);
    if (WIDTH == 1) {
        s->r[i] = r;
    }
    if (row->exact != POF_NONE) {
        LANES(hold_row)(s, row->exact, &w, &r, m);
    } else {
        *m = w * r;
        s->objective += *m * r;
    }
}

LANES_TARGET static void LANES(node_rows)(const struct se_plan *p, struct LANES(view) *s, uint32_t k)
{
    for (uint32_t i = p->piece[k].node_row; i < p->piece[k + 1].node_row; i++) {
        const struct eval_row *row = &p->node_row[i];
        uint32_t at = p->unknown[row->node];
        lane value = s->vm[row->node], m;
        if (row->quantity == POF_QUANTITY_ANGLE) {
            const double *re = (const double *)&s->v[2 * row->node];
            const double *im = (const double *)&s->v[2 * row->node + 1];
            for (int f = 0; f < WIDTH; f++) {
                ((double *)&value)[f] = atan2(im[f], re[f]);
            }
            LANES(multiplier)(s, row, &value, &m);
            s->rhs[at] += m;
        } else {
            LANES(multiplier)(s, row, &value, &m);
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
                                            const lane *f, lane *beta, lane *own)
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
    LANES(multiplier)(s, row, &value, &m);
    beta[0] += m * re;
    beta[1] += m * im;
    if (to_v) {
        *own -= m;
    }
}

/* Power rows of a group; f: [width][4] of its forms, mu: [width][2] multipliers. */
LANES_TARGET static inline __attribute__((always_inline)) void
LANES(power_row)(const struct se_plan *p, struct LANES(view) *s, const struct eval_row *row,
                 const lane *f, lane *mu)
{
    uint32_t q = row->quantity == POF_QUANTITY_Q;
    uint32_t from = row->which == 3 ? 0 : row->which, to = row->which == 3 ? p->width : from + 1;
    lane value = {0}, m;
    if (row->which != 4) {
        value = f[4 * from + q];
        for (uint32_t k = from + 1; k < to; k++) {
            value += f[4 * k + q];
        }
        for (uint32_t k = from; k < to && row->mixed; k++) {
            value -= row->mix * f[4 * k];
        }
        value *= row->sign;
    }
    for (uint32_t t = row->tbegin; t < row->tend; t++) {
        value += p->term[t].factor * s->x[p->term[t].x];
    }
    LANES(multiplier)(s, row, &value, &m);
    for (uint32_t t = row->tbegin; t < row->tend; t++) {
        s->rhs[p->term[t].at] += m * p->term[t].factor;
    }
    for (uint32_t k = from; k < to && row->which != 4; k++) {
        mu[2 * k + q] += m * row->sign;
        if (row->mixed) {
            mu[2 * k] -= m * (row->mix * row->sign);
        }
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

/* The same of two exact rows, from the k-th. */
LANES_TARGET static inline __attribute__((always_inline)) void
LANES(hold)(struct LANES(view) *s, uint32_t k, const lane *power, lane *m)
{
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t row = s->exact[k + i].row;
        lane r = s->z[row] - power[i], w;
        LANES(weight)(s, row, &w);
        if (WIDTH == 1) {
            s->r[row] = r;
        }
        LANES(hold_row)(s, k + i, &w, &r, &m[i]);
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
LANES_TARGET static void LANES(pairs)(const struct se_plan *p, struct LANES(view) *s, uint32_t k)
{
    const struct eval_plain *end = p->plain + p->piece[k].pairs_end;
    for (const struct eval_plain *f = p->plain + p->piece[k].plain; f < end; f++) {
        const struct eval_entry *y = &p->entry[f->begin], *x = y + 1;
        const lane *v = s->v + 2 * (size_t)f->at, *vy = s->v + 2 * (size_t)y->to,
                   *vx = s->v + 2 * (size_t)x->to;
        lane i[2], power[2], m[2], beta[2];
        i[0] = (y->g * vy[0] - y->b * vy[1]) + (x->g * vx[0] - x->b * vx[1]);
        i[1] = (y->g * vy[1] + y->b * vy[0]) + (x->g * vx[1] + x->b * vx[0]);
        power[0] = v[0] * i[0] + v[1] * i[1];
        power[1] = v[1] * i[0] - v[0] * i[1];
        LANES(weigh)(s, f->row, power, m);
        LANES(hand_back)(LANES(t)(s, f->at), v, i, m, beta);
        lane *ty = LANES(t)(s, y->to), *tx = LANES(t)(s, x->to);
        ty[0] += y->g * beta[0] - y->b * beta[1];
        ty[1] += y->g * beta[1] + y->b * beta[0];
        tx[0] += x->g * beta[0] - x->b * beta[1];
        tx[1] += x->g * beta[1] + x->b * beta[0];
    }
}

/* Other weighted plain forms. */
LANES_TARGET static void LANES(weighted)(const struct se_plan *p, struct LANES(view) *s, uint32_t k)
{
    const struct eval_plain *end = p->plain + p->piece[k].weighted_end;
    for (const struct eval_plain *f = p->plain + p->piece[k].pairs_end; f < end; f++) {
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
        LANES(weigh)(s, f->row, power, m);
        LANES(hand_back)(LANES(t)(s, f->at), v, i, m, beta);
        for (uint32_t e = f->begin; e < f->end; e++) {
            const struct eval_entry *y = &p->entry[e];
            lane *t = LANES(t)(s, y->to);
            t[0] += y->g * beta[0] - y->b * beta[1];
            t[1] += y->g * beta[1] + y->b * beta[0];
        }
    }
}

/* Exact plain forms. */
LANES_TARGET static void LANES(exacts)(const struct se_plan *p, struct LANES(view) *s, uint32_t k)
{
    const struct eval_plain *end = p->plain + p->piece[k + 1].plain;
    for (const struct eval_plain *f = p->plain + p->piece[k].weighted_end; f < end; f++) {
        const struct eval_entry *own = &p->entry[f->begin];
        const lane *v = s->v + 2 * (size_t)f->at;
        lane i[2], power[2], m[2], beta[2], *t = LANES(t)(s, f->at);
        i[0] = own->g * v[0] - own->b * v[1];
        i[1] = own->g * v[1] + own->b * v[0];
        for (uint32_t e = f->begin + 1; e < f->end; e++) {
            const struct eval_entry *y = &p->entry[e];
            const lane *u = s->v + 2 * (size_t)y->to;
            lane re = u[0] - v[0], im = u[1] - v[1];
            i[0] += y->g * re - y->b * im;
            i[1] += y->g * im + y->b * re;
        }
        power[0] = v[0] * i[0] + v[1] * i[1];
        power[1] = v[1] * i[0] - v[0] * i[1];
        LANES(hold)(s, f->exact, power, m);
        LANES(hand_back)(t, v, i, m, beta);
        lane re = own->g * beta[0] - own->b * beta[1], im = own->g * beta[1] + own->b * beta[0];
        for (uint32_t e = f->begin + 1; e < f->end; e++) {
            const struct eval_entry *y = &p->entry[e];
            lane *to = LANES(t)(s, y->to);
            lane r = y->g * beta[0] - y->b * beta[1], j = y->g * beta[1] + y->b * beta[0];
            to[0] += r;
            to[1] += j;
            re -= r;
            im -= j;
        }
        t[0] += re;
        t[1] += im;
    }
}

LANES_TARGET static void LANES(groups)(const struct se_plan *p, struct LANES(view) *s, uint32_t piece)
{
    for (uint32_t g = p->piece[piece].group; g < p->piece[piece + 1].group; g++) {
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
                LANES(current_row)(s, row, f + 4 * row->which, beta + 2 * row->which,
                                   &own[row->which]);
            } else {
                LANES(power_row)(p, s, row, f, mu);
            }
        }
        for (uint32_t k = 0; k < width; k++) {
            uint32_t form = group->form + k, a = p->at[form];
            lane b[2];
            LANES(hand_back)(LANES(t)(s, a), s->v + 2 * (size_t)a, f + 4 * k + 2, mu + 2 * k, b);
            s->rhs[p->unknown[a]] += own[k];
            b[0] += beta[2 * k];
            b[1] += beta[2 * k + 1];
            for (uint32_t e = p->begin[form]; e < p->begin[form + 1]; e++) {
                const struct eval_entry *y = &p->entry[e];
                lane *t = LANES(t)(s, y->to);
                t[0] += y->g * b[0] - y->b * b[1];
                t[1] += y->g * b[1] + y->b * b[0];
            }
        }
    }
}

LANES_TARGET static void LANES(look)(const struct se_plan *p, const struct eval_lanes *l,
                                     struct LANES(view) *s)
{
    *s = (struct LANES(view)){.v = (lane *)(void *)l->v,
                              .vm = (lane *)(void *)l->vm,
                              .x = (lane *)(void *)l->x,
                              .z = (lane *)(void *)l->z,
                              .w = (lane *)(void *)l->w,
                              .common = l->common,
                              .lambda = (lane *)(void *)l->lambda,
                              .rhs = (lane *)(void *)l->rhs,
                              .r = (lane *)(void *)l->r,
                              .sums = (lane *)(void *)l->sums,
                              .going = (lane *)(void *)l->going,
                              .exact = p->exact};
    s->last = p->piece[p->pieces - 1].node;
    s->far = (lane *)(void *)l->far - 2 * (size_t)s->last;
    s->top = (const lane *)(const void *)l->top - 2 * (size_t)p->piece[p->pieces - 1].block;
}

/* Gradients of a piece, which becomes the present one, are sums of nothing yet. */
LANES_TARGET static void LANES(clear)(const struct se_plan *p, const struct eval_lanes *l,
                                      struct LANES(view) *s, uint32_t k)
{
    const struct eval_piece *q = &p->piece[k];
    double *t = k + 1 == p->pieces ? l->far : l->near;
    memset(t, 0, 2 * (size_t)(q[1].node - q->node) * sizeof(lane));
    memset(s->rhs + 2 * (size_t)q->block, 0, 2 * (size_t)(q[1].block - q->block) * sizeof(lane));
    s->near = (lane *)(void *)l->near - 2 * (size_t)q->node;
}

/* Rows of a piece, and its part of the right-hand side, which is added to what is there. */
LANES_TARGET static void LANES(rows)(const struct se_plan *p, struct LANES(view) *s, uint32_t k)
{
    LANES(pairs)(p, s, k);
    LANES(weighted)(p, s, k);
    LANES(exacts)(p, s, k);
    LANES(groups)(p, s, k);
    for (uint32_t n = p->piece[k].node; n < p->piece[k + 1].node; n++) {
        lane *to = s->rhs + p->unknown[n];
        const lane *v = s->v + 2 * (size_t)n, *t = LANES(t)(s, n);
        to[0] -= v[0] * t[1] + v[1] * t[0];
        to[1] += v[0] * t[0] - v[1] * t[1];
    }
    LANES(node_rows)(p, s, k);
}

LANES_TARGET static void LANES(sum)(struct LANES(view) *s)
{
    s->sums[EVAL_OBJECTIVE] = s->objective;
    s->sums[EVAL_MISSED] = s->missed;
}

/* v (1 + du) and a turn by about dangle, exactly unitary: (1 + j dangle / 2) / (1 - j dangle / 2). */
LANES_TARGET static void LANES(move_nodes)(const struct se_plan *p, struct LANES(view) *s, uint32_t k,
                                           const lane *step, lane *size)
{
    lane *v = s->v, *vm = s->vm, most = *size, going = *s->going;
    for (uint32_t n = p->piece[k].node; n < p->piece[k + 1].node; n++) {
        lane da = going * step[p->unknown[n]], du = going * step[p->unknown[n] + 1];
        lane half = 0.5 * da, square = half * half;
        lane grow = (1.0 + du) / (1.0 + square);
        lane c = (1.0 - square) * grow, turn = da * grow, re = v[2 * n], im = v[2 * n + 1];
        v[2 * n] = c * re - turn * im;
        v[2 * n + 1] = turn * re + c * im;
        vm[n] += vm[n] * du;
        LANES_MORE(&most, &da);
        LANES_MORE(&most, &du);
    }
    for (uint32_t i = p->piece[k].potential; i < p->piece[k + 1].potential; i++) {
        const struct eval_term *x = &p->potential[i];
        s->x[x->x] += step[x->at];
        s->x[x->x + 1] += step[x->at + 1];
    }
    *size = most;
}

/* Multipliers of a piece's exact rows; what is known of the last piece is in s->top. */
LANES_TARGET static void LANES(move_multipliers)(const struct se_plan *p, struct LANES(view) *s,
                                                 uint32_t k)
{
    const struct eval_exact *end = p->exact + p->piece[k + 1].exact;
    uint32_t top = 2 * p->piece[p->pieces - 1].block;
    for (const struct eval_exact *row = p->exact + p->piece[k].exact; row < end; row++) {
        const lane *step = (row->extra < top ? s->rhs : s->top) + row->extra;
        s->lambda[row - p->exact] += *step;
    }
}

/* --- piece by piece --- */

/* What is read in a piece's rows. */
LANES_TARGET static void LANES(read)(const struct se_plan *p, struct LANES(view) *s, uint32_t k,
                                     const struct eval_feed *f)
{
    for (uint32_t i = p->piece[k].row_of_plan; i < p->piece[k + 1].row_of_plan; i++) {
        const struct eval_source *from = &f->source[i];
        double shift = f->shift ? f->shift[i] : 0;
        if (from->observation == POF_NONE) {
            s->z[i] = (lane){0} + from->per;
            continue;
        }
        for (int l = 0; l < WIDTH; l++) {
            ((double *)&s->z[i])[l] = f->value[l][from->observation] * from->per + shift;
        }
        for (int l = 0; l < WIDTH && !s->common; l++) {
            double sigma = f->sigma[l][from->observation] * from->per;
            ((double *)&s->w[i])[l] = from->exact ? 1 : 1 / (sigma * sigma);
        }
    }
}

/* The cases of a batch into a piece. */
LANES_TARGET static void LANES(put)(const struct se_plan *p, struct LANES(view) *s, uint32_t k,
                                    const struct eval_feed *f)
{
    const struct eval_piece *q = &p->piece[k];
    const lane none = {0};
    for (uint32_t n = q->node; n < q[1].node; n++) {
        const struct eval_place *at = &f->place[n];
        s->v[2 * (size_t)n] = none + at->re;
        s->v[2 * (size_t)n + 1] = none + at->im;
        s->vm[n] = none + at->size;
    }
    for (uint32_t i = q->potential; i < q[1].potential; i++) {
        uint32_t x = p->potential[i].x;
        s->x[x] = none + f->x[x];
        s->x[x + 1] = none + f->x[x + 1];
    }
    for (uint32_t i = q->exact; i < q[1].exact; i++) {
        s->lambda[i] = none + f->lambda[i];
    }
    LANES(read)(p, s, k, f);
}

/* atan2 of a small angle and of others; the next term of the series is below TANGENT_MAX^12 / 13. */
LANES_TARGET static inline __attribute__((always_inline)) void
LANES(turned_by)(const lane *im, const lane *re, lane *angle)
{
    lane t = *im / *re, q = t * t;
    *angle = t * (1 - q * (1.0 / 3 - q * (1.0 / 5 - q * (1.0 / 7 - q * (1.0 / 9 - q * (1.0 / 11))))));
    lane most = {0};
    LANES_MORE(&most, &t);
    for (int l = 0; l < WIDTH; l++) {
        double x = ((const double *)re)[l], y = ((const double *)im)[l];
        if (!(((const double *)&most)[l] < TANGENT_MAX && x > 0)) {
            ((double *)angle)[l] = atan2(y, x);
        }
    }
}

LANES_TARGET static void LANES(take)(const struct eval_lanes *l, const struct eval_feed *f,
                                     const struct eval_taken *to)
{
    enum { SOON = 8 };
    const lane *v = (const lane *)(const void *)l->v, *vm = (const lane *)(const void *)l->vm;
    for (size_t i = 0; i < to->nodes; i++) {
        uint32_t n = to->node[i], soon = to->node[i + SOON < to->nodes ? i + SOON : i];
        lane size = {0}, angle = {0};
        if (soon != POF_NONE) {
            __builtin_prefetch(v + 2 * (size_t)soon);
            __builtin_prefetch(vm + soon);
            __builtin_prefetch(f->place + soon);
        }
        if (n != POF_NONE) {
            const struct eval_place *at = &f->place[n];
            lane re = v[2 * (size_t)n] * at->re + v[2 * (size_t)n + 1] * at->im;
            lane im = v[2 * (size_t)n + 1] * at->re - v[2 * (size_t)n] * at->im;
            LANES(turned_by)(&im, &re, &angle);
            angle += at->angle;
            size = vm[n];
        }
        for (int k = 0; k < WIDTH; k++) {
            if (to->v_pu[k]) {
                to->v_pu[k][i] = ((const double *)&size)[k];
            }
            if (to->angle[k]) {
                to->angle[k][i] = ((const double *)&angle)[k];
            }
        }
    }
}

/* Evaluates and eliminates all but the last piece, which is only evaluated. Before that the step that is
 * solved there is taken; or, with a feed, cases are put there. */
LANES_TARGET static void LANES(sweep)(const struct se_plan *p, const struct pof_ldl *ldl,
                                      const struct eval_lanes *l, struct LANES(view) *s, lane *size,
                                      const struct eval_feed *feed)
{
    for (uint32_t k = 0; k + 1 < p->pieces; k++) {
        uint32_t begin = p->piece[k].block, end = p->piece[k + 1].block;
        if (feed) {
            LANES(put)(p, s, k, feed);
        } else {
            LANES_LDL(backward)(ldl, begin, end, l->rhs, l->top);
            LANES(move_nodes)(p, s, k, s->rhs, size);
            LANES(move_multipliers)(p, s, k);
        }
        LANES(clear)(p, l, s, k);
        LANES(rows)(p, s, k);
        LANES_LDL(forward)(ldl, begin, end, l->rhs);
    }
    LANES(rows)(p, s, p->pieces - 1);
    LANES(sum)(s);
}

LANES_TARGET static void LANES(begin)(const struct se_plan *p, const struct pof_ldl *ldl,
                                      const struct eval_lanes *l, const struct eval_feed *feed)
{
    struct LANES(view) s;
    LANES(look)(p, l, &s);
    s.carry = true;
    LANES(put)(p, &s, p->pieces - 1, feed);
    LANES(clear)(p, l, &s, p->pieces - 1);
    LANES(sweep)(p, ldl, l, &s, NULL, feed);
}

LANES_TARGET static void LANES(next)(const struct se_plan *p, const struct pof_ldl *ldl,
                                     const struct eval_lanes *l, double *size)
{
    struct LANES(view) s;
    lane most = {0};
    uint32_t last = p->pieces - 1, begin = p->piece[last].block, end = p->piece[last + 1].block;
    double *top = l->rhs + 2 * (size_t)begin * WIDTH;
    LANES(look)(p, l, &s);
    s.carry = true;
    LANES_LDL(forward)(ldl, begin, end, l->rhs);
    LANES_LDL(backward)(ldl, begin, end, l->rhs, top);
    memcpy(l->top, top, 2 * (size_t)(end - begin) * sizeof(lane));
    LANES(move_nodes)(p, &s, last, s.rhs, &most);
    LANES(move_multipliers)(p, &s, last);
    LANES(clear)(p, l, &s, last);
    LANES(sweep)(p, ldl, l, &s, &most, NULL);
    memcpy(size, &most, sizeof most);
}

#ifndef LANES_ONLY_BATCH
/* --- part by part, for one estimate --- */

LANES_TARGET static void LANES(eval)(const struct se_plan *p, const struct eval_lanes *l)
{
    struct LANES(view) s;
    LANES(look)(p, l, &s);
    LANES(clear)(p, l, &s, p->pieces - 1);
    for (uint32_t k = 0; k < p->pieces; k++) {
        if (k + 1 < p->pieces) {
            LANES(clear)(p, l, &s, k);
        }
        LANES(rows)(p, &s, k);
    }
    LANES(sum)(&s);
}

/* With rho C'C in the matrix, a solved step has multipliers less rho r. */
LANES_TARGET static void LANES(complete)(const struct se_plan *p, const struct eval_lanes *l)
{
    struct LANES(view) s;
    LANES(look)(p, l, &s);
    for (const struct eval_exact *row = p->exact; row < p->exact + p->exacts; row++) {
        lane of;
        LANES(weight)(&s, row->row, &of);
        s.rhs[row->extra] += row->rho * row->scale * (of * s.r[row->row]);
    }
}

LANES_TARGET static void LANES(step)(const struct se_plan *p, const struct eval_lanes *l, double *size)
{
    struct LANES(view) s;
    lane most = {0};
    LANES(look)(p, l, &s);
    for (uint32_t k = 0; k < p->pieces; k++) {
        LANES(move_nodes)(p, &s, k, s.rhs, &most);
    }
    for (const struct eval_exact *row = p->exact; row < p->exact + p->exacts; row++) {
        s.lambda[row - p->exact] += s.rhs[row->extra];
    }
    memcpy(size, &most, sizeof most);
}
#endif
