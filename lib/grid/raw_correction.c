/* SPDX-License-Identifier: Apache-2.0 */
/* PSS/E RAW: tables by which the impedance of a transformer depends on its tap. */
#include "grid/raw.h"

#include <math.h>

enum { ITABLE, TAP, REFACT, IMFACT };

static int add_point(struct pofi_raw *r, double table, double at, double factor)
{
    if (!(factor > 0)) {
        return pofi_raw_fail(r, REFACT, POF_E_PHYSICS, "factor %.15g of table %.15g is not above 0",
                             factor, table);
    }
    int rc = pof_grow(&r->point, &r->point_cap, r->points + 1, sizeof *r->point, r->err);
    if (rc == 0) {
        r->point[r->points++] = (struct pofi_raw_point){(long)table, at, factor};
    }
    return rc;
}

/* A value of the record by its place, not by the order of a part: lines hold as many points as they
 * like. */
static int value(struct pofi_raw *r, size_t i, double *out)
{
    r->column[TAP] = (int16_t)i;
    return pofi_raw_real(r, TAP, 0, out);
}

/* I, T1, F1, T2, F2 ... in one line; from revision 34 on F is complex and a point of zeros ends the
 * table, which may take several lines. */
static int read_lines(struct pofi_raw *r)
{
    double table, at, factor, imaginary = 0;
    bool complex_factor = r->revision >= 34, more = true;
    size_t width = complex_factor ? 3 : 2;
    int rc = value(r, 0, &table);
    if (rc == 0 && !(table >= 1 && table <= 1e6)) {
        rc = pofi_raw_fail(r, ITABLE, POF_E_RANGE, "table number %.15g is not in 1 .. 1e6", table);
    }
    for (size_t i = 1; more && rc == 0; i += width) {
        if (i >= r->rec.n) {
            more = complex_factor;
            if (!more || (rc = pofi_raw_more(r, 0)) != 0) {
                break;
            }
            i = 0;
        }
        rc = value(r, i, &at);
        rc = rc ? rc : value(r, i + 1, &factor);
        rc = rc || !complex_factor ? rc : value(r, i + 2, &imaginary);
        more = factor != 0 || imaginary != 0;
        rc = rc || !more ? rc : add_point(r, table, at, hypot(factor, imaginary));
    }
    return rc;
}

int pofi_raw_read_correction(struct pofi_raw *r)
{
    if (!r->document) {
        return read_lines(r);
    }
    double v[] = {0, 0, 0, 0};
    int rc = pofi_raw_reals(r, 0, 4, v);
    return rc || (v[REFACT] == 0 && v[IMFACT] == 0)
               ? rc
               : add_point(r, v[ITABLE], v[TAP], hypot(v[REFACT], v[IMFACT]));
}

/* The factor of a table at t, linear between points and that of the last one outside; 0: no table.
 */
static double factor_at(const struct pofi_raw *r, long table, double t)
{
    const struct pofi_raw_point *below = NULL, *above = NULL;
    for (size_t i = 0; i < r->points; i++) {
        const struct pofi_raw_point *p = &r->point[i];
        if (p->table == table && p->at <= t && (!below || p->at > below->at)) {
            below = p;
        }
        if (p->table == table && p->at >= t && (!above || p->at < above->at)) {
            above = p;
        }
    }
    if (!below || !above) {
        return below ? below->factor : above ? above->factor : 0;
    }
    double width = above->at - below->at;
    return width > 0 ? below->factor + (above->factor - below->factor) * (t - below->at) / width
                     : below->factor;
}

/* Tables are over angles where the winding controls an angle; else over ratios, unless a point says
 * that it cannot be a ratio. */
static bool over_angles(const struct pofi_raw *r, const struct pofi_raw_correction *c)
{
    bool ratios = true;
    for (size_t i = 0; i < r->points; i++) {
        ratios =
            ratios && (r->point[i].table != c->table || (r->point[i].at > 0 && r->point[i].at < 3));
    }
    return c->control == 3 || c->control == 5 || !ratios;
}

int pofi_raw_correct(struct pofi_raw *r)
{
    for (size_t i = 0; i < r->corrections; i++) {
        const struct pofi_raw_correction *c = &r->correction[i];
        double factor = factor_at(r, c->table, over_angles(r, c) ? c->angle_deg : c->ratio);
        if (factor == 0) {
            r->line = c->line;
            return pof_fail(r->err, POF_E_REFERENCE, "impedance correction table %ld is not there",
                            c->table);
        }
        struct pof_branch *b = &r->build.grid->branch[c->branch];
        b->r *= factor;
        b->x *= factor;
        r->told.corrected++;
    }
    return 0;
}
