/* SPDX-License-Identifier: Apache-2.0 */
/* Three-phase admittances of branches and shunts.
 *
 * Symmetrical components after C. L. Fortescue (Trans. AIEE 37, 1918): v_abc = A v_012 with
 * A = [1 1 1; 1 a^2 a; 1 a a^2], a = e^(j 120 deg). A thing that treats its phases alike has the
 * circulant matrix A diag(y0, y1, y2) A^-1. Connections of windings in the zero sequence: J. J. Grainger,
 * W. D. Stevenson, "Power System Analysis", section 11.8; zigzag windings: IEC 60076-8, section 4. */
#include "grid/net_impl.h"

#include <complex.h>
#include <math.h>

/* CMPLX of C11, which not every compiler has. */
static inline double complex complex_of(double re, double im)
{
    return re + im * I;
}

#define THIRD_OF_TURN 2.09439510239319549231

/* A name in a message: "%.*s", T(name). */
#define T(text) (int)(text).len, (text).ptr

typedef double complex cplx;

/* The admittances of one sequence: by rows, from and to end. */
struct sequence {
    cplx ff, ft, tf, tt;
};

static void put(struct pof_y *y, int row, int col, cplx value)
{
    y->g[6 * row + col] = creal(value);
    y->b[6 * row + col] = cimag(value);
}

/* A block of y at rows row.. and columns col.. from its zero, positive and negative sequence. */
static void put_circulant(struct pof_y *y, int row, int col, const cplx s[3])
{
    const cplx a = complex_of(-0.5, sqrt(3) / 2), aa = conj(a);
    const cplx by_distance[3] = {(s[0] + s[1] + s[2]) / 3, (s[0] + s[1] * aa + s[2] * a) / 3,
                                 (s[0] + s[1] * a + s[2] * aa) / 3};
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            put(y, row + i, col + j, by_distance[(i - j + 3) % 3]);
        }
    }
}

static void put_sequences(struct pof_y *y, const struct sequence s[3])
{
    const cplx ff[] = {s[0].ff, s[1].ff, s[2].ff}, ft[] = {s[0].ft, s[1].ft, s[2].ft};
    const cplx tf[] = {s[0].tf, s[1].tf, s[2].tf}, tt[] = {s[0].tt, s[1].tt, s[2].tt};
    put_circulant(y, 0, 0, ff);
    put_circulant(y, 0, 3, ft);
    put_circulant(y, 3, 0, tf);
    put_circulant(y, 3, 3, tt);
}

/* The pi model of admittance.h: series ys, whole shunt yc, ratio : 1 at the from end. */
static struct sequence pi(cplx ys, cplx yc, cplx ratio)
{
    double mm = creal(ratio) * creal(ratio) + cimag(ratio) * cimag(ratio);
    return (struct sequence){.ff = (ys + yc / 2) / mm,
                             .ft = -ys / conj(ratio),
                             .tf = -ys / ratio,
                             .tt = ys + yc / 2};
}

/* An admittance in series with an impedance; 0 stays 0. */
static cplx behind(cplx y, cplx z)
{
    return y == 0 ? 0 : y / (1 + y * z);
}

/* What one winding alone is to the zero sequence, on the to side's terms, before its grounding.
 * A delta, and windings with an isolated neutral, let no zero-sequence current in. Against a delta
 * a grounded star is short-circuited beyond its leakage; against anything else that blocks, only its
 * magnetising flux is left. A grounded zigzag has its own two halves for a short circuit. */
static cplx alone(enum pof_winding own, enum pof_winding other, cplx series, cplx magnetising)
{
    switch (own) {
    case POF_WINDING_YN:
        return other == POF_WINDING_D ? series + magnetising : magnetising;
    case POF_WINDING_ZN:
        return series;
    case POF_WINDING_Y:
    case POF_WINDING_D:
    case POF_WINDING_Z:
        return 0;
    }
    return 0;
}

/* The zero sequence of a transformer, and whether it has a way through or to ground. */
static struct sequence zero_of_windings(const struct pof_branch *b)
{
    const struct pof_branch_phases *p = b->phases;
    double m = b->ratio, mm = m * m;
    cplx series = 1 / complex_of(p->r0, p->x0), magnetising = complex_of(p->g0, p->b0);
    cplx ground_from = 3 * complex_of(p->r_ground_from, p->x_ground_from) / mm;
    cplx ground_to = 3 * complex_of(p->r_ground_to, p->x_ground_to);
    if (p->from == POF_WINDING_YN && p->to == POF_WINDING_YN) {
        /* Clocks 2, 6 and 10 have the to winding reversed; 4 and 8 only rename phases. */
        double sign = p->clock % 4 == 2 ? -1 : 1;
        return pi(behind(series, ground_from + ground_to), magnetising, sign * m);
    }
    return (struct sequence){
        .ff = behind(alone(p->from, p->to, series, magnetising), ground_from) / mm,
        .tt = behind(alone(p->to, p->from, series, magnetising), ground_to),
    };
}

static bool is_star(enum pof_winding w)
{
    return w == POF_WINDING_Y || w == POF_WINDING_YN;
}

bool pof_clock_possible(const struct pof_branch_phases *p)
{
    return p->clock >= 0 && p->clock < 12 && p->clock % 2 == (is_star(p->from) != is_star(p->to));
}

/* Series impedance matrix by Gauss-Jordan elimination with pivots; false when it is singular. */
static bool invert(const cplx z[9], cplx inverse[9])
{
    cplx w[3][6] = {0};
    double scale = 0;
    for (int i = 0; i < 9; i++) {
        w[i / 3][i % 3] = z[i];
        scale = fmax(scale, cabs(z[i]));
    }
    for (int i = 0; i < 3; i++) {
        w[i][3 + i] = 1;
    }
    for (int c = 0; c < 3; c++) {
        int best = c;
        for (int i = c + 1; i < 3; i++) {
            best = cabs(w[i][c]) > cabs(w[best][c]) ? i : best;
        }
        if (!(cabs(w[best][c]) > 1e-12 * scale)) {
            return false;
        }
        for (int j = 0; j < 6; j++) {
            cplx t = w[c][j];
            w[c][j] = w[best][j];
            w[best][j] = t;
        }
        cplx pivot = w[c][c];
        for (int j = 0; j < 6; j++) {
            w[c][j] /= pivot;
        }
        for (int i = 0; i < 3; i++) {
            cplx factor = w[i][c];
            for (int j = 0; j < 6 && i != c; j++) {
                w[i][j] -= factor * w[c][j];
            }
        }
    }
    for (int i = 0; i < 9; i++) {
        inverse[i] = w[i / 3][3 + i % 3];
    }
    return true;
}

static int matrix_y(const struct pof_branch *b, struct pof_y *y, struct pof_err *err)
{
    const struct pof_branch_phases *p = b->phases;
    cplx z[9], ys[9];
    for (int i = 0; i < 9; i++) {
        z[i] = complex_of(p->r[i], p->x[i]);
    }
    if (!invert(z, ys)) {
        return pof_fail(err, POF_E_PHYSICS, "the impedance matrix of branch '%.*s' is singular",
                        T(b->name));
    }
    for (int i = 0; i < 9; i++) {
        cplx half = complex_of(p->g[i], p->b[i]) / 2;
        put(y, i / 3, i % 3, ys[i] + half);
        put(y, 3 + i / 3, 3 + i % 3, ys[i] + half);
        put(y, i / 3, 3 + i % 3, -ys[i]);
        put(y, 3 + i / 3, i % 3, -ys[i]);
    }
    return 0;
}

static int unknown(const struct pof_branch *b, struct pof_err *err)
{
    return pof_fail(err, POF_E_PHYSICS,
                    b->kind == POF_BRANCH_TRANSFORMER
                        ? "transformer '%.*s' cannot be computed by phases: the connection of its "
                          "windings is not known (winding_from, winding_to and clock in a document)"
                        : "line '%.*s' cannot be computed by phases: its zero sequence is not known "
                          "(r0 and x0, or matrices, in a document)",
                    T(b->name));
}

static int sequences_y(const struct pof_branch *b, struct pof_y *y, struct pof_err *err)
{
    const struct pof_branch_phases *p = b->phases;
    cplx ys = 1 / complex_of(b->r, b->x), yc = complex_of(b->g, b->b);
    cplx ratio = b->ratio * complex_of(cos(b->shift), sin(b->shift));
    struct sequence s[3] = {pi(ys, yc, b->ratio), pi(ys, yc, ratio), pi(ys, yc, conj(ratio))};
    if (p && p->form == POF_PHASES_WINDINGS) {
        if (!pof_clock_possible(p)) {
            return pof_fail(err, POF_E_PHYSICS, "windings of transformer '%.*s' cannot have clock %d",
                            T(b->name), p->clock);
        }
        s[0] = zero_of_windings(b);
    } else if (p) {
        s[0] = pi(1 / complex_of(p->r0, p->x0), complex_of(p->g0, p->b0), b->ratio);
    }
    put_sequences(y, s);
    return 0;
}

int pofi_branch_y3(const struct pof_branch *b, struct pof_y *y, struct pof_err *err)
{
    const struct pof_branch_phases *p = b->phases;
    if (!p && b->kind != POF_BRANCH_SWITCH) {
        return unknown(b, err);
    }
    if (p && p->form == POF_PHASES_MATRIX) {
        return b->ratio == 1 && b->shift == 0
                   ? matrix_y(b, y, err)
                   : pof_fail(err, POF_E_PHYSICS,
                              "branch '%.*s' is given by matrices but has a ratio or shift",
                              T(b->name));
    }
    if (p && p->r0 == 0 && p->x0 == 0) {
        return pof_fail(err, POF_E_PHYSICS, "branch '%.*s' has no zero-sequence impedance",
                        T(b->name));
    }
    return sequences_y(b, y, err);
}

bool pofi_node_y3(const struct pof_grid *grid, uint32_t node, struct pof_y *y)
{
    const struct pof_node *n = &grid->node[node];
    const struct pof_node_phases *p = n->phases;
    double base = grid->base_va, third = grid->base_va / 3;
    cplx y1 = complex_of(n->g_w, n->b_var) / base;
    cplx y0 = p && p->has_zero ? complex_of(p->g0_w, p->b0_var) / base : y1;
    bool any = y1 != 0 || y0 != 0;
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            cplx v = i == j ? (y0 + 2 * y1) / 3 : (y0 - y1) / 3;
            if (p && i == j) {
                any = any || p->g_w[i] != 0 || p->b_var[i] != 0;
                v += complex_of(p->g_w[i], p->b_var[i]) / third;
            }
            y->g[3 * i + j] = creal(v);
            y->b[3 * i + j] = cimag(v);
        }
    }
    return any;
}

/* --- ways of the zero sequence --- */

static bool winding_earths(enum pof_winding own, enum pof_winding other, bool magnetising)
{
    return own == POF_WINDING_ZN ||
           (own == POF_WINDING_YN && (other == POF_WINDING_D || magnetising));
}

struct pofi_zero pofi_branch_zero(const struct pof_branch *b)
{
    const struct pof_branch_phases *p = b->phases;
    bool shunt = p ? p->g0 != 0 || p->b0 != 0 : b->g != 0 || b->b != 0;
    if (p && p->form == POF_PHASES_MATRIX) {
        double g = 0, s = 0, scale = 0;
        for (int i = 0; i < 9; i++) {
            g += p->g[i];
            s += p->b[i];
            scale += fabs(p->g[i]) + fabs(p->b[i]);
        }
        shunt = fabs(g) + fabs(s) > 1e-9 * scale;
    }
    if (p && p->form == POF_PHASES_WINDINGS) {
        bool through = p->from == POF_WINDING_YN && p->to == POF_WINDING_YN;
        return (struct pofi_zero){through,
                                  through ? shunt : winding_earths(p->from, p->to, shunt),
                                  through ? shunt : winding_earths(p->to, p->from, shunt)};
    }
    return (struct pofi_zero){true, shunt, shunt};
}

/* --- matrices of conductors --- */

bool pof_kron_reduce(const double r[16], const double x[16], enum pof_neutral neutral,
                     struct pof_branch_phases *out)
{
    cplx nn = complex_of(r[15], x[15]);
    if (neutral == POF_NEUTRAL_EARTHED && nn == 0) {
        return false;
    }
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            cplx z = complex_of(r[4 * i + j], x[4 * i + j]);
            cplx in = complex_of(r[4 * i + 3], x[4 * i + 3]), nj = complex_of(r[12 + j], x[12 + j]);
            z = neutral == POF_NEUTRAL_EARTHED ? z - in * nj / nn : z - in - nj + nn;
            out->r[3 * i + j] = creal(z);
            out->x[3 * i + j] = cimag(z);
        }
    }
    return true;
}

static double transposed(const double m[9])
{
    return (m[0] + m[4] + m[8]) / 3 - (m[1] + m[2] + m[3] + m[5] + m[6] + m[7]) / 6;
}

void pof_phases_balance(const struct pof_branch_phases *p, struct pof_branch *b)
{
    b->r = transposed(p->r);
    b->x = transposed(p->x);
    b->g = transposed(p->g);
    b->b = transposed(p->b);
}
