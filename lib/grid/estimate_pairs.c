/* SPDX-License-Identifier: Apache-2.0 */
/* Readings of P and Q of one place whose errors are correlated.
 *
 * Of errors with the covariance [sp^2, rho sp sq; rho sp sq, sq^2] those of P and of Q - k P with
 * k = rho sq / sp are independent, the latter of variance sq^2 (1 - rho^2) (the factor L of the
 * Cholesky decomposition, N. J. Higham, Accuracy and Stability of Numerical Algorithms, chapter 10).
 * So the row of Q is made to read Q - k P; J is the exact r' R^-1 r, and all that works on rows with
 * weights of their own works on these. */
#include "grid/estimate_impl.h"

#include <math.h>

static bool one_place(const struct se_row *a, const struct se_row *b)
{
    return a->element == b->element && a->branch == b->branch && a->to == b->to &&
           a->phase == b->phase && a->origin == SE_OBSERVED && b->origin == SE_OBSERVED;
}

static double rho_of(const struct pof_se *se, const struct se_row *row)
{
    return row->origin == SE_OBSERVED ? se->seen[row->source].rho : 0;
}

static int refuse(const struct pof_se *se, const struct se_row *row, const char *why, struct pof_err *err)
{
    char name[128];
    return pof_fail(err, POF_E_CONFLICT, "%s has a correlation rho: %s",
                    pofi_se_row_name(se, row, name, sizeof name), why);
}

/* Rows of P and of Q that are neighbours, and nobody else's. */
static int correlate(struct pof_se *se, struct se_row *p, struct se_row *q, double rho, struct pof_err *err)
{
    const struct se_row *first = se->row, *last = se->row + se->rows - 1;
    bool several = (p > first && p[-1].quantity == POF_QUANTITY_P && one_place(p - 1, p)) ||
                   (q < last && q[1].quantity == POF_QUANTITY_Q && one_place(q + 1, q));
    if (several) {
        return refuse(se, q, "expected one reading of p and one of q of that place", err);
    }
    if (p->place == POF_NONE || pofi_se_terms_max(se, p) > 0) {
        return refuse(se, q, "at nodes that switches without impedance join, p and q have to be independent", err);
    }
    q->mixed = true;
    q->mix = rho * q->sigma / p->sigma;
    q->z -= q->mix * p->z;
    q->sigma *= sqrt(1 - rho * rho);
    return 0;
}

int pofi_se_pairs(struct pof_se *se, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 1; i < se->rows && rc == 0; i++) {
        struct se_row *p = &se->row[i - 1], *q = &se->row[i];
        double of_p = rho_of(se, p), of_q = rho_of(se, q);
        if ((of_p == 0 && of_q == 0) || !one_place(p, q)) {
            continue;
        }
        if (p->quantity == q->quantity) {
            rc = refuse(se, q, "expected one reading of p and one of q of that place", err);
        } else if (of_p != 0 && of_q != 0 && of_p != of_q) {
            rc = refuse(se, q, "that of p is another than that of q", err);
        } else if (p->quantity == POF_QUANTITY_P && q->quantity == POF_QUANTITY_Q && !p->exact && !q->exact) {
            rc = correlate(se, p, q, of_p != 0 ? of_p : of_q, err);
        }
    }
    return rc;
}

void pofi_se_part(struct pof_se *se, size_t i)
{
    struct se_row *row = &se->row[i];
    struct se_row *q = row->mix != 0 ? row : i + 1 < se->rows && row[1].mix != 0 ? row + 1 : NULL;
    if (q) {
        q->z += q->mix * q[-1].z;
        q->sigma = hypot(q->mix * q[-1].sigma, q->sigma);
        q->weight = 1 / (q->sigma * q->sigma);
        q->mix = 0;
    }
}

double pofi_se_read(const struct se_row *row)
{
    return row->mix != 0 ? row->z + row->mix * row[-1].z : row->z;
}

double pofi_se_residual(const struct se_row *row)
{
    return row->mix != 0 ? row->r + row->mix * row[-1].r : row->r;
}
