/* SPDX-License-Identifier: Apache-2.0 */
/* The passes of the sweep for one width: no header, but a text that sweep_lanes.c includes with WIDE, REGS,
 * NAME(function), TARGET, and the operations of that width set. One text, so that every width does
 * the same operations in the same order. Lanes are as many as fit one register, or several: then
 * chains of operations that wait for each other are as many, and the processor does them at once.
 *
 * Powers are summed up, not currents: the receiving-end powers depend on voltages through losses
 * and shunts only, so an iteration gains two to three digits where summing up currents gains
 * little more than one. The equations are those of M. E. Baran, F. F. Wu, "Optimal sizing of
 * capacitors placed on a radial distribution system", IEEE Trans. Power Delivery 4(1), 1989; the
 * order of work that of R. Cespedes, "New method for the analysis of distribution networks", IEEE
 * Trans. Power Delivery 5(1), 1990:
 *
 *     S_k = s_k + conj(y_k) u_k + sum over children c of (S_c + z_c l_c),   l_k = |S_k|^2 / u_k
 *     u_parent = u_k + d_k,   d_k = 2 (r P_k + x Q_k) + |z|^2 l_k,          u = |V|^2
 *
 * Taken as it stands, the second line gains little where a branch is loaded near its limit, since all
 * losses behind it move with u_k: each step is therefore one of Newton's method, with the unknowns u
 * eliminated from the leaves to the roots. With ' for derivatives with respect to u_k,
 *
 *     S_k' = conj(y_k) + sum over children c of t_c (S_c' + z_c l_c'),   t_k = 1 / (1 + d_k'),
 *     du_k = t_k (u_parent + du_parent - d_k - u_k)
 *
 * But what the children's own errors do to S_k is left for the next step, and t_k is a series of
 * three terms: they change how fast the steps shrink, not where they lead, and where d_k' tends to -1
 * (a grid near collapse) they hold the steps back. */

/* What flows at a place, and how it changes with the place's u. */
struct NAME(flow) {
    VEC p, q, per_u_p, per_u_q, weight;
};

TARGET static void NAME(add_currents)(const struct pofi_current *s, const VEC *u,
                                      struct NAME(flow) *f)
{
    for (int l = 0; l < WIDE; l++) {
        double v = sqrt(LANE(*u, l));
        LANE(f->p, l) += s->ip * v;
        LANE(f->q, l) += s->iq * v;
        LANE(f->per_u_p, l) += s->ip / (2 * v);
        LANE(f->per_u_q, l) += s->iq / (2 * v);
        LANE(f->weight, l) += (fabs(s->ip) + fabs(s->iq)) / v;
    }
}

/* What a tour finds, in registers. */
struct NAME(found) {
    VEC step[REGS], weight[REGS];
    MASK sound[REGS];
};

/* On the way down: the voltage of a place from that of its parent. */
TARGET static inline __attribute__((always_inline)) void
NAME(enter)(VEC *m, const VEC *up, const MASK *active, struct NAME(found) *f)
{
    UNROLL
    for (int h = 0; h < REGS; h++) {
        VEC zero = ZERO, old = m[POFI_U * REGS + h];
        VEC wrong = up[POFI_U * REGS + h] - m[POFI_D * REGS + h] - old;
        VEC u = old + wrong * m[POFI_T * REGS + h], change = MAGNITUDE(u - old);
        f->step[h] = LARGER(change, f->step[h]);
        f->sound[h] &= TRUE_WHERE(u > zero);
        m[POFI_U * REGS + h] = SELECT(active[h], u, old);
    }
}

/* On the way up: powers. A subtree has no gaps, so what the present level gets from below waits in
 * one sum for each level, up[POFI_SUMS ..] of the level below, and is used up before a sibling comes. weight: how
 * much the balance of any node moves with u, through shunts and the losses of its branches. */
TARGET static inline __attribute__((always_inline)) void
NAME(leave)(const struct pofi_place *s, const struct pofi_current *current, const VEC *given, VEC *m,
            bool end, VEC *up, struct NAME(found) *f)
{
    VEC *in = up + POFI_SUMS * REGS, none = ZERO;
    double zz = s->r * s->r + s->x * s->x, z = s->z, y = s->y;
    UNROLL
    for (int h = 0; h < REGS; h++) {
        VEC u = m[POFI_U * REGS + h];
        struct NAME(flow) a = {
            .p = given[POFI_P * REGS + h] + s->g * u + in[POFI_SUM_P * REGS + h],
            .q = given[POFI_Q * REGS + h] - s->b * u + in[POFI_SUM_Q * REGS + h],
            .per_u_p = s->g + in[POFI_SUM_P_U * REGS + h],
            .per_u_q = in[POFI_SUM_Q_U * REGS + h] - s->b,
            .weight = y + in[POFI_WEIGHT * REGS + h],
        };
        for (int i = 0; i < POFI_SUMS; i++) {
            in[i * REGS + h] = none;
        }
        if (current) {
            NAME(add_currents)(current, &u, &a);
        }
        VEC p = a.p, q = a.q, per_u = 1.0 / u, l = (p * p + q * q) * per_u;
        VEC of_loss = z * (l * per_u);
        VEC per_u_l = (2.0 * (p * a.per_u_p + q * a.per_u_q) - l) * per_u;
        VEC per_u_d = 2.0 * (s->r * a.per_u_p + s->x * a.per_u_q) + zz * per_u_l;
        VEC t = 1.0 - per_u_d * (1.0 - per_u_d);
        m[POFI_D * REGS + h] = 2.0 * (s->r * p + s->x * q) + zz * l;
        m[POFI_T * REGS + h] = t;
        if (end) { /* less than a quarter-turn, or not found here */
            VEC im = s->x * p - s->r * q, lost = NAN + none;
            MASK ahead = TRUE_WHERE(u + (s->r * p + s->x * q) > none);
            m[POFI_ACROSS * REGS + h] = SELECT(ahead, im, lost);
        }
        up[POFI_SUM_P * REGS + h] += p + s->r * l;
        up[POFI_SUM_Q * REGS + h] += q + s->x * l;
        up[POFI_WEIGHT * REGS + h] += of_loss;
        up[POFI_SUM_P_U * REGS + h] += (a.per_u_p + s->r * per_u_l) * t;
        up[POFI_SUM_Q_U * REGS + h] += (a.per_u_q + s->x * per_u_l) * t;
        if (s->depth > 0) {
            a.weight += of_loss;
            f->weight[h] = LARGER(a.weight, f->weight[h]);
        }
    }
}

/* The same of place k. */
TARGET static inline __attribute__((always_inline)) void
NAME(leave_place)(const struct pofi_lanes *w, uint32_t k, bool end, struct NAME(found) *f)
{
    const struct pofi_place *s = &w->plan->place[k];
    const struct pofi_current *current = w->plan->current ? &w->plan->current[k] : NULL;
    const VEC *given = (const VEC *)w->given + (size_t)k * POFI_LOAD * REGS;
    VEC *m = (VEC *)w->moving + (size_t)k * POFI_MOVING * REGS;
    NAME(leave)(s, current, given, m, end, (VEC *)w->sum + (size_t)s->depth * POFI_SUMS * REGS, f);
}

TARGET static inline void NAME(set)(VEC *u, double value)
{
    for (int h = 0; h < REGS; h++) {
        u[h] = value + (VEC)ZERO;
    }
}

/* What is given at place k, in all lanes. */
TARGET static inline __attribute__((always_inline)) void NAME(load_place)(const struct pofi_lanes *w,
                                                                          uint32_t k)
{
    const struct pofi_plan *plan = w->plan;
    VEC *given = (VEC *)w->given + (size_t)k * POFI_LOAD * REGS;
    for (int h = 0; h < REGS; h++) {
        VEC p = ZERO, q = ZERO;
        for (uint32_t i = plan->begin[k]; i < plan->begin[k + 1]; i++) {
            uint32_t at = plan->member[i];
            if (w->p_w[0]) {
                p += GATHER(w->p_w + h * WIDE, at);
            }
            if (w->q_var[0]) {
                q += GATHER(w->q_var + h * WIDE, at);
            }
        }
        given[POFI_P * REGS + h] = plan->p[k] + p * plan->per_va;
        given[POFI_Q * REGS + h] = plan->q[k] + q * plan->per_va;
    }
}

/* What large grids need soon is not in the cache, and the processor does not see far enough ahead
 * through the ways up. */
TARGET static inline __attribute__((always_inline)) void NAME(fetch)(const struct pofi_lanes *w,
                                                                     uint32_t k)
{
    if (k < w->plan->n) {
        const char *at = (const char *)((const VEC *)w->moving + (size_t)k * POFI_MOVING * REGS);
        const char *given = (const char *)((const VEC *)w->given + (size_t)k * POFI_LOAD * REGS);
        __builtin_prefetch(&w->plan->place[k]);
        for (size_t i = 0; i < POFI_LOAD * REGS * sizeof(VEC); i += POFI_LINE) {
            __builtin_prefetch(given + i);
        }
        for (size_t i = 0; i < POFI_MOVING * REGS * sizeof(VEC); i += POFI_LINE) {
            __builtin_prefetch(at + i);
        }
    }
}

/* Voltages from the roots to the leaves, and powers from the leaves to the roots, in one way round
 * the tree: a place is entered after its parent and left after its children, most often while it is
 * in the cache still. */
TARGET static void NAME(tour)(struct pofi_lanes *w, enum pofi_way way, bool end)
{
    const struct pofi_place *place = w->plan->place;
    uint32_t *path = w->path, top = 0, n = w->plan->n;
    VEC *moving = (VEC *)w->moving;
    MASK active[REGS];
    struct NAME(found) f;
    memset(w->sum, 0, ((size_t)w->plan->depths + 1) * POFI_SUMS * REGS * sizeof(VEC));
    memset(&f, 0, sizeof f);
    memset(f.sound, -1, sizeof f.sound);
    memcpy(active, w->active, sizeof active);
    for (uint32_t k = 0; k < n; k++) {
        while (top > place[k].depth) {
            NAME(leave_place)(w, path[--top], end, &f);
        }
        VEC *m = moving + (size_t)k * POFI_MOVING * REGS;
        NAME(fetch)(w, k + POFI_AHEAD);
        if (way == POFI_MOVE) {
            const VEC *up = moving + (size_t)place[k].parent * POFI_MOVING * REGS;
            NAME(enter)(m, up, active, &f);
        } else if (way == POFI_START) {
            NAME(load_place)(w, k);
            NAME(set)(m + POFI_U * REGS, w->plan->start[k]);
        }
        path[top++] = k;
    }
    while (top > 0) {
        NAME(leave_place)(w, path[--top], end, &f);
    }
    memcpy(w->step, f.step, sizeof f.step);
    memcpy(w->weight, f.weight, sizeof f.weight);
    memcpy(w->sound, f.sound, sizeof f.sound);
}

/* Beyond this sine a series of asin is slow, and libm is asked. */
#define SMALL_SINE 0.0625

/* asin s = s + s^3/6 + 3 s^5/40 + ...: with |s| <= 1/16 eight terms leave less than 1e-20. In pairs, so
 * that few operations wait for each other. */
TARGET static inline __attribute__((always_inline)) void NAME(small_asin)(const VEC *s, VEC *angle)
{
    VEC ss = *s * *s, s4 = ss * ss, s8 = s4 * s4;
    VEC a = 1.0 + ss * (1.0 / 6), b = 3.0 / 40 + ss * (5.0 / 112);
    VEC c = 35.0 / 1152 + ss * (63.0 / 2816), d = 231.0 / 13312 + ss * (143.0 / 10240);
    *angle = *s * ((a + s4 * b) + s8 * (c + s4 * d));
}

/* Voltages at place k for the nodes of the grid. */
TARGET static inline __attribute__((always_inline)) void
NAME(put_nodes)(const struct pofi_plan *plan, uint32_t k, const VEC *v, const VEC *turned,
                const struct pofi_sweep *s)
{
    const VEC far = 3.14159 + (VEC)ZERO;
    for (unsigned h = 0; h < REGS && h * WIDE < s->wanted; h++) {
        VEC size = v[h] * plan->ratio[k], turn = turned[h] + plan->shift[k];
        MASK near = TRUE_WHERE(MAGNITUDE(turn) < far);
        for (int l = 0; !EVERYWHERE(near) && l < WIDE; l++) {
            LANE(turn, l) = pofi_wrap(LANE(turn, l));
        }
        unsigned left = s->wanted - h * WIDE, used = left < WIDE ? left : WIDE;
        for (uint32_t i = plan->begin[k]; i < plan->begin[k + 1]; i++) {
            uint32_t at = plan->member[i];
            for (unsigned l = 0; l < used; l++) {
                s->v[h * WIDE + l][at] = LANE(size, l);
                s->angle[h * WIDE + l][at] = LANE(turn, l);
            }
        }
    }
}

/* The last voltages of all lanes, with angles: of V_parent conj(V_k) = u_k + z_k conj(S_k) the
 * magnitude is known, and the imaginary part x P - r Q. What is on the way down waits in w->sum. */
TARGET static void NAME(finish)(struct pofi_lanes *w, const struct pofi_sweep *sweep)
{
    enum { U, V, A, ALL_OF_IT };
    const struct pofi_plan *plan = w->plan;
    VEC step[REGS], zero = ZERO, *path = (VEC *)w->sum;
    MASK sound[REGS];
    memset(step, 0, sizeof step);
    memset(sound, -1, sizeof sound);
    for (uint32_t k = 0; k < plan->n; k++) {
        uint32_t depth = plan->place[k].depth;
        VEC *m = (VEC *)w->moving + (size_t)k * POFI_MOVING * REGS;
        VEC *here = path + (size_t)depth * ALL_OF_IT * REGS;
        const VEC *up = here - (depth > 0) * ALL_OF_IT * REGS;
        NAME(fetch)(w, k + POFI_AHEAD);
        UNROLL
        for (int h = 0; h < REGS; h++) {
            VEC old = m[POFI_U * REGS + h], above = depth > 0 ? up[U * REGS + h] : old;
            VEC u = above - m[POFI_D * REGS + h], change = MAGNITUDE(u - old), v = ROOT(u);
            VEC im = depth > 0 ? m[POFI_ACROSS * REGS + h] : zero, angle;
            VEC sine = im / ((depth > 0 ? up[V * REGS + h] : v) * v), size = MAGNITUDE(sine);
            step[h] = LARGER(change, step[h]);
            sound[h] &= TRUE_WHERE(u > zero) & TRUE_WHERE(size < 1.0 + zero);
            NAME(small_asin)(&sine, &angle);
            MASK flat = TRUE_WHERE(size <= SMALL_SINE + zero);
            for (int l = 0; !EVERYWHERE(flat) && l < WIDE; l++) {
                if (!LANE(flat, l)) {
                    LANE(angle, l) = asin(LANE(sine, l));
                }
            }
            VEC turn = depth > 0 ? up[A * REGS + h] : zero;
            here[U * REGS + h] = u;
            here[V * REGS + h] = v;
            here[A * REGS + h] = turn - angle;
        }
        if (sweep->wanted > 0) {
            NAME(put_nodes)(plan, k, here + V * REGS, here + A * REGS, sweep);
        } else {
            memcpy(m + POFI_END_V * REGS, here + V * REGS, REGS * sizeof(VEC));
            memcpy(m + POFI_END_A * REGS, here + A * REGS, REGS * sizeof(VEC));
        }
    }
    memcpy(w->step, step, sizeof step);
    memcpy(w->sound, sound, sizeof sound);
}

TARGET static void NAME(load)(struct pofi_lanes *w)
{
    for (uint32_t k = 0; k < w->plan->n; k++) {
        NAME(load_place)(w, k);
    }
}

static const struct pofi_passes NAME(passes) = {NAME(load), NAME(tour), NAME(finish)};

#undef SMALL_SINE
