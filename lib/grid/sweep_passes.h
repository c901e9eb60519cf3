/* SPDX-License-Identifier: Apache-2.0 */
/* The passes of the sweep for one width: no header, but a text that sweep_lanes.c includes with LANES,
 * NAME(function), TARGET, and the operations of that width set. One text, so that every width does
 * the same operations in the same order.
 *
 * Powers are summed up, not currents: the receiving-end powers depend on voltages through losses
 * and shunts only, so an iteration gains two to three digits where summing up currents gains
 * little more than one. The equations are those of M. E. Baran, F. F. Wu, "Optimal sizing of
 * capacitors placed on a radial distribution system", IEEE Trans. Power Delivery 4(1), 1989; the
 * order of work that of R. Cespedes, "New method for the analysis of distribution networks", IEEE
 * Trans. Power Delivery 5(1), 1990:
 *
 *     S_k = s_k + conj(y_k) u_k + sum over children c of (S_c + z_c l_c),   l_k = |S_k|^2 / u_k
 *     u_parent = u_k + 2 (r P_k + x Q_k) + |z|^2 l_k,                       u = |V|^2 */

TARGET static void NAME(add_currents)(const struct pofi_place *s, const VEC *u, VEC *p, VEC *q,
                                      VEC *w)
{
    for (int l = 0; l < LANES; l++) {
        double v = sqrt(LANE(*u, l));
        LANE(*p, l) += s->ip * v;
        LANE(*q, l) += s->iq * v;
        LANE(*w, l) += (fabs(s->ip) + fabs(s->iq)) / v;
    }
}

/* Powers, from the leaves to the roots. A subtree has no gaps, so what the present level gets from
 * below waits in one sum for each level, and is used up before a sibling comes. weight: how much
 * the balance of any node moves with u, through shunts and the losses of its branches. */
TARGET static void NAME(backward)(struct pofi_lanes *w, bool keep)
{
    const struct pofi_plan *plan = w->plan;
    VEC *moving = (VEC *)w->moving, *ending = (VEC *)w->ending, *sum = (VEC *)w->sum;
    VEC worst = ZERO, none = ZERO;
    memset(sum, 0, ((size_t)plan->depths + 1) * 3 * sizeof *sum);
    for (uint32_t k = plan->n; k-- > 0;) {
        const struct pofi_place *s = &plan->place[k];
        VEC *m = moving + (size_t)k * POFI_MOVING, *up = sum + (size_t)s->depth * 3, *in = up + 3;
        VEC u = m[POFI_U], p = m[POFI_P] + s->g * u + in[0], q = m[POFI_Q] - s->b * u + in[1];
        VEC weight = s->y + in[2];
        in[0] = in[1] = in[2] = none;
        if (plan->currents) {
            NAME(add_currents)(s, &u, &p, &q, &weight);
        }
        VEC per_u = 1.0 / u, l = (p * p + q * q) * per_u, of_loss = s->z * (l * per_u);
        m[POFI_D] = 2.0 * (s->r * p + s->x * q) + s->zz * l;
        if (keep) {
            ending[(size_t)k * POFI_ENDING + POFI_FLOW_P] = p;
            ending[(size_t)k * POFI_ENDING + POFI_FLOW_Q] = q;
        }
        up[0] += p + s->r * l;
        up[1] += q + s->x * l;
        up[2] += of_loss;
        if (s->depth > 0) {
            weight += of_loss;
            worst = LARGER(weight, worst);
        }
    }
    *(VEC *)w->weight = worst;
}

/* Voltages, from the roots to the leaves. */
TARGET static void NAME(forward)(struct pofi_lanes *w)
{
    const struct pofi_plan *plan = w->plan;
    VEC *moving = (VEC *)w->moving, worst = ZERO, zero = ZERO;
    MASK active = *(MASK *)w->active, sound = ALL;
    for (uint32_t k = 0; k < plan->n; k++) {
        VEC *m = moving + (size_t)k * POFI_MOVING;
        VEC u = moving[(size_t)plan->place[k].parent * POFI_MOVING + POFI_U] - m[POFI_D];
        VEC change = MAGNITUDE(u - m[POFI_U]);
        worst = LARGER(change, worst);
        sound &= TRUE_WHERE(u > zero);
        m[POFI_U] = SELECT(active, u, m[POFI_U]);
    }
    *(VEC *)w->step = worst;
    *(MASK *)w->sound = sound;
}

/* Beyond this tangent a series of atan is slow, and libm is asked. */
#define SMALL_TANGENT 0.25

/* atan t = t - t^3/3 + ...: with |t| <= 1/4 fifteen terms leave less than 1e-18. */
TARGET static void NAME(small_atan)(const VEC *t, VEC *angle)
{
    VEC tt = *t * *t, s = tt * 0.0;
    for (int i = 29; i >= 1; i -= 2) {
        s = ((i & 2) ? -1.0 / i : 1.0 / i) + s * tt;
    }
    *angle = *t * s;
}

/* The last voltages of all lanes, with angles: V_parent conj(V_k) = u_k + z_k conj(S_k). */
TARGET static void NAME(finish)(struct pofi_lanes *w)
{
    const struct pofi_plan *plan = w->plan;
    VEC *moving = (VEC *)w->moving, *ending = (VEC *)w->ending, worst = ZERO, zero = ZERO;
    MASK sound = ALL;
    for (uint32_t k = 0; k < plan->n; k++) {
        const struct pofi_place *s = &plan->place[k];
        VEC *e = ending + (size_t)k * POFI_ENDING, *m = moving + (size_t)k * POFI_MOVING;
        VEC *up = s->depth > 0 ? ending + (size_t)s->parent * POFI_ENDING : e;
        if (s->depth == 0) {
            e[POFI_END_U] = m[POFI_U];
            e[POFI_END_A] = zero;
        }
        VEC u = up[POFI_END_U] - m[POFI_D];
        VEC change = MAGNITUDE(u - m[POFI_U]);
        worst = LARGER(change, worst);
        sound &= TRUE_WHERE(u > zero);
        VEC p = e[POFI_FLOW_P], q = e[POFI_FLOW_Q];
        VEC re = u + s->r * p + s->x * q, im = s->x * p - s->r * q, t = im / re, angle;
        NAME(small_atan)(&t, &angle);
        MASK flat = TRUE_WHERE(MAGNITUDE(t) <= SMALL_TANGENT + zero) & TRUE_WHERE(re > zero);
        for (int l = 0; l < LANES; l++) {
            if (!LANE(flat, l)) {
                LANE(angle, l) = atan2(LANE(im, l), LANE(re, l));
            }
        }
        e[POFI_END_U] = u;
        e[POFI_END_A] = up[POFI_END_A] - angle;
    }
    *(VEC *)w->step = worst;
    *(MASK *)w->sound = sound;
}

static const struct pofi_passes NAME(passes) = {NAME(backward), NAME(forward), NAME(finish)};

#undef SMALL_TANGENT
