/* SPDX-License-Identifier: Apache-2.0 */
/* Factors and their inverse on 2 x 2 blocks, the four numbers of a block side by side. Included by
 * ldl.c for each kind of processor (lanes.h): the same operations on each number in the same order,
 * so the same bits. */

#define SHARED LANES_TARGET static inline __attribute__((always_inline))

/* to -= z l for blocks by rows: each row of z times the rows of l. */
SHARED void LANES(take_as_is)(quad *to, const quad *z, const quad *l)
{
    quad first = __builtin_shufflevector(*l, *l, 0, 1, 0, 1);
    quad second = __builtin_shufflevector(*l, *l, 2, 3, 2, 3);
    *to -= __builtin_shufflevector(*z, *z, 0, 0, 2, 2) * first +
           __builtin_shufflevector(*z, *z, 1, 1, 3, 3) * second;
}

/* The same with z turned round. */
SHARED void LANES(take_turned)(quad *to, const quad *z, const quad *l)
{
    quad first = __builtin_shufflevector(*l, *l, 0, 1, 0, 1);
    quad second = __builtin_shufflevector(*l, *l, 2, 3, 2, 3);
    *to -= __builtin_shufflevector(*z, *z, 0, 0, 1, 1) * first +
           __builtin_shufflevector(*z, *z, 2, 2, 3, 3) * second;
}

/* Row k of L: y holds row k of what is left of the matrix, as blocks (i, k). */
LANES_TARGET static void LANES(factor_row)(struct pof_ldl *s, uint32_t k, double d[4], double gross[2])
{
    quad *of_y = (quad *)(void *)s->y, *of_l = (quad *)(void *)s->l;
    for (uint32_t q = s->rbegin[k]; q < s->rbegin[k + 1]; q++) {
        uint32_t i = s->rcol[q];
        quad y = of_y[i];
        of_y[i] = (quad){0};
        quad y0 = __builtin_shufflevector(y, y, 0, 1, 0, 1);
        quad y1 = __builtin_shufflevector(y, y, 2, 3, 2, 3);
        uint32_t end = s->next[i]++;
        for (uint32_t p = s->lbegin[i]; p < end; p++) {
            quad l = of_l[p];
            of_y[s->lrow[p]] -= __builtin_shufflevector(l, l, 0, 0, 2, 2) * y0 +
                                __builtin_shufflevector(l, l, 1, 1, 3, 3) * y1;
        }
        const double *e = s->dinv + 4 * (size_t)i;
        double *l = s->l + 4 * (size_t)end;
        l[0] = y[0] * e[0] + y[2] * e[2];
        l[1] = y[0] * e[1] + y[2] * e[3];
        l[2] = y[1] * e[0] + y[3] * e[2];
        l[3] = y[1] * e[1] + y[3] * e[3];
        double a = l[0] * y[0] + l[1] * y[2];
        double b = l[2] * y[1] + l[3] * y[3];
        d[0] -= a;
        d[1] -= l[0] * y[1] + l[1] * y[3];
        d[2] -= l[2] * y[0] + l[3] * y[2];
        d[3] -= b;
        gross[0] += fabs(a);
        gross[1] += fabs(b);
    }
}

LANES_TARGET static uint32_t LANES(factor)(struct pof_ldl *s)
{
    uint32_t lost = 0;
    for (uint32_t k = 0; k < s->n; k++) {
        double d[4] = {0};
        for (uint32_t p = s->abegin[k]; p < s->abegin[k + 1]; p++) {
            double *to = s->arow[p] == k ? d : s->y + 4 * (size_t)s->arow[p];
            memcpy(to, s->a + 4 * (size_t)p, 4 * sizeof *to);
        }
        double gross[2] = {fabs(d[0]), fabs(d[3])};
        LANES(factor_row)(s, k, d, gross);
        invert_pivot(s, k, d, gross);
        lost += s->infinite[2 * k] + (uint32_t)s->infinite[2 * k + 1];
    }
    return lost;
}

/* Column j of the inverse below the diagonal, from the columns of its rows: with S the rows of
 * column j of L, Z_Sj = -Z_SS L_Sj and Z_jj = D_j^-1 - L_Sj' Z_Sj. Rows of j behind its row k are among
 * those of column k: where they are all of them, as within a dense part, they lie side by side; else
 * `meet` says where. Returns what follows in meet. */
SHARED const uint32_t *LANES(invert_column)(struct pof_ldl *s, uint32_t j, const uint32_t *meet)
{
    uint32_t begin = s->lbegin[j], n = s->lbegin[j + 1] - begin;
    const quad *lj = (const quad *)(const void *)s->l + begin, *z = (const quad *)(const void *)s->z;
    quad *zj = (quad *)(void *)s->z + begin, *zd = (quad *)(void *)s->zd;
    quad d;
    memcpy(&d, s->dinv + 4 * (size_t)j, sizeof d);
    for (uint32_t p = 0; p < n; p++) {
        zj[p] = (quad){0};
    }
    for (uint32_t p = 0; p < n; p++) {
        uint32_t k = s->lrow[begin + p], from = s->lbegin[k];
        const quad lk = lj[p];
        quad sum = zj[p];
        LANES(take_as_is)(&sum, &zd[k], &lk);
        if (s->lbegin[k + 1] - from == n - p - 1) {
            for (uint32_t i = p + 1; i < n; i++, from++) {
                LANES(take_as_is)(&zj[i], &z[from], &lk);
                LANES(take_turned)(&sum, &z[from], &lj[i]);
            }
        } else {
            for (uint32_t i = p + 1; i < n; i++, meet++) {
                LANES(take_as_is)(&zj[i], &z[*meet], &lk);
                LANES(take_turned)(&sum, &z[*meet], &lj[i]);
            }
        }
        zj[p] = sum;
        LANES(take_turned)(&d, &lk, &sum);
    }
    d[1] = d[2] = (d[1] + d[2]) / 2;
    zd[j] = d;
    return meet;
}

LANES_TARGET static void LANES(invert)(struct pof_ldl *s)
{
    const uint32_t *meet = s->meet;
    for (uint32_t j = s->n; j-- > 0;) {
        meet = LANES(invert_column)(s, j, meet);
    }
}

#undef SHARED
