/* SPDX-License-Identifier: Apache-2.0 */
/* Triangular solves on 2 x 2 blocks, `lane` right-hand sides side by side. Included by ldl.c once
 * for each width (lanes.h). */

/* L y = x, D z = y, by columns begin .. end */
LANES_TARGET static void LANES(forward)(const struct pof_ldl *s, uint32_t begin, uint32_t end,
                                        lane *x)
{
    for (uint32_t j = begin; j < end; j++) {
        lane a = x[2 * j], b = x[2 * j + 1];
        for (uint32_t p = s->lbegin[j]; p < s->lbegin[j + 1]; p++) {
            const double *l = s->l + 4 * (size_t)p;
            __builtin_prefetch(l + 4 * AHEAD);
            lane *to = x + 2 * s->lrow[p];
            to[0] -= l[0] * a + l[1] * b;
            to[1] -= l[2] * a + l[3] * b;
        }
        const double *d = s->dinv + 4 * (size_t)j;
        x[2 * j] = d[0] * a + d[1] * b;
        x[2 * j + 1] = d[2] * a + d[3] * b;
    }
}

/* L' x = z, for begin .. end; what is known of the last piece is not in x but in y. Blocks are taken
 * strictly backwards: a processor that fetches ahead follows one direction only. */
LANES_TARGET static void LANES(backward)(const struct pof_ldl *s, uint32_t begin, uint32_t end,
                                         lane *x, const lane *y)
{
    for (uint32_t j = end; j-- > begin;) {
        lane a = x[2 * j], b = x[2 * j + 1];
        for (uint32_t p = s->lbegin[j + 1], first = s->lbegin[j]; p-- > first;) {
            const double *l = s->l + 4 * (size_t)p;
            __builtin_prefetch(p >= AHEAD ? l - 4 * AHEAD : l);
            const lane *from = (s->lrow[p] < s->top ? x : y) + 2 * s->lrow[p];
            a -= l[0] * from[0] + l[2] * from[1];
            b -= l[1] * from[0] + l[3] * from[1];
        }
        x[2 * j] = a;
        x[2 * j + 1] = b;
    }
}
