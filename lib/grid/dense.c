/* SPDX-License-Identifier: Apache-2.0 */
/* Least squares with equality constraints by orthogonal transformations alone. */
#include "grid/dense.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* Four sums that do not wait for each other; always in this order. */
static double dot(const double *a, const double *b, int32_t n)
{
    double s[4] = {0};
    int32_t i = 0;
    for (; i + 4 <= n; i += 4) {
        s[0] += a[i] * b[i];
        s[1] += a[i + 1] * b[i + 1];
        s[2] += a[i + 2] * b[i + 2];
        s[3] += a[i + 3] * b[i + 3];
    }
    for (; i < n; i++) {
        s[0] += a[i] * b[i];
    }
    return (s[0] + s[1]) + (s[2] + s[3]);
}

/* to += f * from */
static void add(double *to, double f, const double *from, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        to[i] += f * from[i];
    }
}

/* The reflection I - v v' that turns x into (r, 0, ... 0): x becomes v, r is returned, 0 when x is
 * zero within what rounding leaves of a vector of that norm. */
static double reflect(double *x, int32_t n, double norm_before)
{
    double norm = sqrt(dot(x, x, n));
    if (!(norm > 4 * (double)n * DBL_EPSILON * norm_before)) {
        return 0;
    }
    double r = x[0] > 0 ? -norm : norm;
    double scale = 1 / sqrt(norm * (norm + fabs(x[0])));
    x[0] -= r;
    for (int32_t i = 0; i < n; i++) {
        x[i] *= scale;
    }
    return r;
}

/* Columns of a matrix [n x count] become R above and reflections below; r[k] is R's diagonal.
 * false: a column depends on those before it. */
static bool triangulate(double *m, int32_t n, int32_t count, double *r)
{
    for (int32_t k = 0; k < count; k++) {
        r[k] = sqrt(dot(m + (ptrdiff_t)k * n, m + (ptrdiff_t)k * n, n));
    }
    for (int32_t k = 0; k < count; k++) {
        double *v = m + (ptrdiff_t)k * n + k;
        r[k] = reflect(v, n - k, r[k]);
        if (r[k] == 0) {
            return false;
        }
        for (int32_t j = k + 1; j < count; j++) {
            double *col = m + (ptrdiff_t)j * n + k;
            add(col, -dot(v, col, n - k), v, n - k);
        }
    }
    return true;
}

/* The factors of B': reflections of the unknowns, beside what they leave of A. */
struct factors {
    double *bt;     /* [cols * constraints] */
    double *diag_b; /* [constraints] */
    double *diag_a; /* [cols] */
    double *w;      /* [rows] */
};

/* y := the solution of R' y = d, with R in the columns of bt. */
static void forward(const struct factors *f, const struct pof_dense_lse *p, double *y)
{
    for (int32_t k = 0; k < p->constraints; k++) {
        const double *col = f->bt + (ptrdiff_t)k * p->cols;
        y[k] = (p->d[k] - dot(col, y, k)) / f->diag_b[k];
    }
}

/* A := A Q */
static void rotate(const struct factors *f, struct pof_dense_lse *p)
{
    for (int32_t k = 0; k < p->constraints; k++) {
        const double *v = f->bt + (ptrdiff_t)k * p->cols;
        for (int32_t i = 0; i < p->rows; i++) {
            f->w[i] = 0;
        }
        for (int32_t j = k; j < p->cols; j++) {
            if (v[j] != 0) {
                add(f->w, v[j], p->a + (ptrdiff_t)j * p->rows, p->rows);
            }
        }
        for (int32_t j = k; j < p->cols; j++) {
            if (v[j] != 0) {
                add(p->a + (ptrdiff_t)j * p->rows, -v[j], f->w, p->rows);
            }
        }
    }
}

/* The free part: |A2 y2 - c| least, y2 = y + constraints. */
static bool free_part(const struct factors *f, struct pof_dense_lse *p, double *y2)
{
    int32_t free = p->cols - p->constraints;
    double *a2 = p->a + (ptrdiff_t)p->constraints * p->rows;
    if (!triangulate(a2, p->rows, free, f->diag_a)) {
        return false;
    }
    for (int32_t k = 0; k < free; k++) {
        const double *v = a2 + (ptrdiff_t)k * p->rows + k;
        add(p->c + k, -dot(v, p->c + k, p->rows - k), v, p->rows - k);
    }
    for (int32_t k = free; k-- > 0;) {
        double sum = p->c[k];
        for (int32_t j = k + 1; j < free; j++) {
            sum -= a2[(ptrdiff_t)j * p->rows + k] * y2[j];
        }
        y2[k] = sum / f->diag_a[k];
    }
    return true;
}

static bool solve(const struct factors *f, struct pof_dense_lse *p, double *y)
{
    for (int32_t k = 0; k < p->constraints; k++) {
        for (int32_t j = 0; j < p->cols; j++) {
            f->bt[(ptrdiff_t)k * p->cols + j] = p->b[(ptrdiff_t)j * p->constraints + k];
        }
    }
    if (!triangulate(f->bt, p->cols, p->constraints, f->diag_b)) {
        return false;
    }
    forward(f, p, y);
    rotate(f, p);
    for (int32_t k = 0; k < p->constraints; k++) {
        add(p->c, -y[k], p->a + (ptrdiff_t)k * p->rows, p->rows);
    }
    if (!free_part(f, p, y + p->constraints)) {
        return false;
    }
    for (int32_t k = p->constraints; k-- > 0;) {
        const double *v = f->bt + (ptrdiff_t)k * p->cols + k;
        add(y + k, -dot(v, y + k, p->cols - k), v, p->cols - k);
    }
    return true;
}

int pof_dense_lse(struct pof_dense_lse *p, double *x, bool *full_rank, struct pof_err *err)
{
    struct factors f = {0};
    double *y = NULL;
    *full_rank = false;
    if (p->constraints > p->cols || p->rows + p->constraints < p->cols) {
        return 0;
    }
    size_t size = (size_t)p->cols * (size_t)p->constraints;
    int rc = pof_calloc(&f.bt, size, sizeof *f.bt, err);
    rc = rc ? rc : pof_calloc(&f.diag_b, (size_t)p->constraints, sizeof *f.diag_b, err);
    rc = rc ? rc : pof_calloc(&f.diag_a, (size_t)p->cols, sizeof *f.diag_a, err);
    rc = rc ? rc : pof_calloc(&f.w, (size_t)p->rows, sizeof *f.w, err);
    rc = rc ? rc : pof_calloc(&y, (size_t)p->cols, sizeof *y, err);
    if (rc == 0 && solve(&f, p, y)) {
        *full_rank = true;
        for (int32_t k = 0; k < p->cols; k++) {
            x[k] = y[k];
        }
    }
    free(f.bt);
    free(f.diag_b);
    free(f.diag_a);
    free(f.w);
    free(y);
    return rc;
}
