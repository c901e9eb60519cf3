/* SPDX-License-Identifier: Apache-2.0 */
/* Correlated readings of p and q, held against the sum r' R^-1 r written down from its definition:
 * its value, that it is smallest, and the covariance its curvature gives. */
#include "grid/admittance.h"
#include "grid/estimate.h"
#include "grid/powerflow.h"
#include "tap.h"

static const char grid[] =
    "{\"schema\":\"pof.grid/1\",\"base_va\":1e6,\"nodes\":["
    "{\"name\":\"a\",\"base_v\":20000,\"kind\":\"slack\",\"v_set_pu\":1.02},"
    "{\"name\":\"b\",\"base_v\":20000,\"p_w\":3e6,\"q_var\":2e6},"
    "{\"name\":\"c\",\"base_v\":20000,\"p_w\":2e6,\"q_var\":1e6}],\"branches\":["
    "{\"name\":\"ab\",\"kind\":\"line\",\"from\":\"a\",\"to\":\"b\",\"r_ohm\":2,\"x_ohm\":9},"
    "{\"name\":\"bc\",\"kind\":\"line\",\"from\":\"b\",\"to\":\"c\",\"r_ohm\":2,\"x_ohm\":8,\"c_nf\":300},"
    "{\"name\":\"ac\",\"kind\":\"line\",\"from\":\"a\",\"to\":\"c\",\"r_ohm\":3,\"x_ohm\":14}]}";

enum { A, B, C, NODES = 3, STATES = 2 * NODES - 1, READINGS = 13 };

static const struct pof_observation seen[READINGS] = {
    {.element = A, .quantity = POF_QUANTITY_V, .value = 20390, .sigma = 60},
    {.element = B, .quantity = POF_QUANTITY_V, .value = 19650, .sigma = 60},
    {.element = C, .quantity = POF_QUANTITY_V, .value = 19800, .sigma = 60},
    {.element = B, .quantity = POF_QUANTITY_P, .value = 3.1e6, .sigma = 5e4, .rho = 0.9},
    {.element = B, .quantity = POF_QUANTITY_Q, .value = 1.95e6, .sigma = 9e4, .rho = 0.9},
    {.element = C, .quantity = POF_QUANTITY_P, .value = 1.96e6, .sigma = 5e4},
    {.element = C, .quantity = POF_QUANTITY_Q, .value = 1.1e6, .sigma = 7e4, .rho = -0.6},
    {.branch = true, .element = 0, .quantity = POF_QUANTITY_P, .value = 3.0e6, .sigma = 4e4, .rho = 0.5},
    {.branch = true, .element = 0, .quantity = POF_QUANTITY_Q, .value = 2.1e6, .sigma = 3e4},
    {.branch = true, .element = 2, .to = true, .quantity = POF_QUANTITY_P, .value = -2.0e6, .sigma = 4e4, .rho = 0.97},
    {.branch = true, .element = 2, .to = true, .quantity = POF_QUANTITY_Q, .value = -1.0e6, .sigma = 4e4, .rho = 0.97},
    {.branch = true, .element = 1, .quantity = POF_QUANTITY_P, .value = 0.1e6, .sigma = 4e4},
    {.branch = true, .element = 1, .quantity = POF_QUANTITY_Q, .value = 0.1e6, .sigma = 4e4}};

/* What is read in a state: v of a, b, c; angles of b, c. */
static void read_all(const struct pof_grid *g, const double *x, double *h)
{
    const double angle[] = {0, x[3], x[4]};
    struct pof_flow f[NODES];
    double p[NODES] = {0}, q[NODES] = {0};
    for (int k = 0; k < 3; k++) {
        const struct pof_branch *b = &g->branch[k];
        struct pof_pi y = pof_branch_pi(b);
        f[k] = pof_pi_flow(&y, x[b->from], angle[b->from], x[b->to], angle[b->to]);
        p[b->from] -= f[k].p_from;
        p[b->to] -= f[k].p_to;
        q[b->from] -= f[k].q_from;
        q[b->to] -= f[k].q_to;
    }
    const double all[] = {x[0], x[1], x[2], p[B], q[B], p[C], q[C], f[0].p_from, f[0].q_from,
                          f[2].p_to, f[2].q_to, f[1].p_from, f[1].q_from};
    memcpy(h, all, sizeof all);
}

static double unit(int i)
{
    return i < 3 ? 20000 : 1e6;
}

/* R^-1 of a pair of readings, or of one: weights of r_i r_i, r_i r_j. */
static double quadratic(const double *r, const double *s, double (*of)[READINGS])
{
    static const double rho[] = {0, 0, 0, 0.9, 0, -0.6, 0, 0.5, 0, 0.97, 0, 0, 0};
    double sum = 0;
    memset(of, 0, READINGS * sizeof *of);
    for (int i = 0; i < READINGS; i++) {
        bool pair = i >= 3 && i % 2 == 1;
        double c = pair ? rho[i] : i >= 3 ? rho[i - 1] : 0, d = 1 - c * c;
        of[i][i] = 1 / (s[i] * s[i] * d);
        if (pair) {
            of[i][i + 1] = of[i + 1][i] = -c / (s[i] * s[i + 1] * d);
        }
    }
    for (int i = 0; i < READINGS; i++) {
        for (int k = 0; k < READINGS; k++) {
            sum += of[i][k] * r[i] * r[k];
        }
    }
    return sum;
}

static double objective(const struct pof_grid *g, const double *x)
{
    double h[READINGS], r[READINGS], s[READINGS], of[READINGS][READINGS];
    read_all(g, x, h);
    for (int i = 0; i < READINGS; i++) {
        r[i] = seen[i].value / unit(i) - h[i];
        s[i] = seen[i].sigma / unit(i);
    }
    return quadratic(r, s, of);
}

/* (H' R^-1 H)^-1 at x, H by differences; Gauss-Jordan. */
static void covariance(const struct pof_grid *g, const double *x, double c[STATES][2 * STATES])
{
    double up[READINGS], down[READINGS], h[READINGS][STATES], s[READINGS], of[READINGS][READINGS], zero[READINGS] = {0};
    for (int k = 0; k < STATES; k++) {
        double y[STATES];
        memcpy(y, x, sizeof y);
        y[k] = x[k] + 1e-5;
        read_all(g, y, up);
        y[k] = x[k] - 1e-5;
        read_all(g, y, down);
        for (int i = 0; i < READINGS; i++) {
            h[i][k] = (up[i] - down[i]) / 2e-5;
            s[i] = seen[i].sigma / unit(i);
        }
    }
    (void)quadratic(zero, s, of);
    memset(c, 0, STATES * sizeof *c);
    for (int a = 0; a < STATES; a++) {
        c[a][STATES + a] = 1;
        for (int b = 0; b < STATES; b++) {
            for (int i = 0; i < READINGS; i++) {
                for (int k = 0; k < READINGS; k++) {
                    c[a][b] += h[i][a] * of[i][k] * h[k][b];
                }
            }
        }
    }
    for (int p = 0; p < STATES; p++) {
        double pivot = c[p][p];
        for (int b = 0; b < 2 * STATES; b++) {
            c[p][b] /= pivot;
        }
        for (int a = 0; a < STATES; a++) {
            double f = a == p ? 0 : c[a][p];
            for (int b = 0; b < 2 * STATES && f != 0; b++) {
                c[a][b] -= f * c[p][b];
            }
        }
    }
}

static bool solve(struct pof_se *se, const struct pof_observation *o, size_t n, struct pof_se_result *r)
{
    struct pof_err err = {0};
    enum pof_se_status status = POF_SE_DIVERGED;
    int rc = pof_se_solve(se, o, n, &status, &err);
    pof_se_result(se, r);
    return ok(rc == 0 && status == POF_SE_CONVERGED, "converges %s%s", err.text, r->detail);
}

static void state_of(const struct pof_se_result *r, double *x)
{
    const double all[] = {r->v_pu[0], r->v_pu[1], r->v_pu[2], r->angle[1], r->angle[2]};
    memcpy(x, all, sizeof all);
}

static void test_optimum(const struct pof_grid *g, bool dense)
{
    struct pof_se *se = NULL;
    struct pof_se_result r;
    struct pof_se_check check;
    struct pof_err err = {0};
    const struct pof_se_options options = {.dense = dense};
    double x[STATES], slope = 0, c[STATES][2 * STATES], h[READINGS];
    ok(pof_se_new(&se, g, &options, &err) == 0, dense ? "by dense algebra" : "by sparse factors");
    if (!solve(se, seen, READINGS, &r)) {
        return;
    }
    state_of(&r, x);
    double j = objective(g, x);
    is_near(r.objective, j, 1e-9 * j, "J is r' R^-1 r");
    for (int k = 0; k < STATES; k++) {
        double y[STATES];
        memcpy(y, x, sizeof y);
        y[k] = x[k] + 1e-6;
        double up = objective(g, y);
        y[k] = x[k] - 1e-6;
        slope = fmax(slope, fabs(up - objective(g, y)) / 2e-6);
        ok(up > j && objective(g, y) > j, "smallest in direction %d", k);
    }
    ok(slope < 1e-3, "its slope is 0 within %.1e of a curvature of 1e6", slope);
    ok(pof_se_check(se, &check, &err) == 0, "checked");
    covariance(g, x, c);
    is_near(check.sd_v_pu[B], sqrt(c[1][STATES + 1]), 1e-6 * check.sd_v_pu[B], "deviation of a voltage");
    is_near(check.sd_angle[C], sqrt(c[4][STATES + 4]), 1e-6 * check.sd_angle[C], "and of an angle");
    read_all(g, x, h);
    is_near(check.residual[4], seen[4].value - h[4] * 1e6, 1e-3, "a residual of q is that of q itself");
    pof_se_free(se);
}

/* With one of a pair left out the other stands for itself; a pair of which one never came does too. */
static void test_partner(const struct pof_grid *g)
{
    struct pof_se *se = NULL, *other = NULL;
    struct pof_se_result r, s;
    struct pof_se_check check;
    struct pof_err err = {0};
    enum pof_se_status status;
    struct pof_observation less[READINGS];
    double x[STATES], y[STATES], most = 0;
    memcpy(less, seen, sizeof seen);
    less[3] = seen[READINGS - 1];
    if (pof_se_new(&se, g, NULL, &err) || pof_se_new(&other, g, NULL, &err) || !solve(se, seen, READINGS, &r) ||
        !solve(other, less, READINGS - 1, &s)) {
        return;
    }
    state_of(&s, y);
    ok(pof_se_check(se, &check, &err) == 0 && pof_se_leave_out(se, 3, &status, &err) == 0 &&
           status == POF_SE_CONVERGED, "p of b is left out");
    pof_se_result(se, &r);
    state_of(&r, x);
    for (int k = 0; k < STATES; k++) {
        most = fmax(most, fabs(x[k] - y[k]));
    }
    ok(most < 1e-9 && fabs(r.objective - s.objective) < 1e-6, "its q stands for itself: %.1e", most);
    pof_se_free(se);
    pof_se_free(other);
}

static void test_refused(const struct pof_grid *g, struct pof_observation o, const char *why)
{
    struct pof_se *se = NULL;
    struct pof_err err = {0};
    enum pof_se_status status;
    struct pof_observation more[READINGS + 1];
    memcpy(more, seen, sizeof seen);
    more[READINGS] = o;
    ok(pof_se_new(&se, g, NULL, &err) == 0 && pof_se_solve(se, more, READINGS + 1, &status, &err) != 0 &&
           strstr(err.text, why), "refused: %s", err.text);
    pof_se_free(se);
}

int main(void)
{
    struct pof_grid g;
    struct pof_err err = {0};
    if (!ok(pof_grid_parse(&g, grid, sizeof grid - 1, "x", &err) == 0, "a grid%s", err.text)) {
        return done();
    }
    test_optimum(&g, false);
    test_optimum(&g, true);
    test_partner(&g);
    struct pof_observation o = seen[3];
    o.value += 1;
    test_refused(&g, o, "one reading");
    o = (struct pof_observation){.element = A, .quantity = POF_QUANTITY_V, .value = 20000, .sigma = 9, .rho = 0.5};
    test_refused(&g, o, "rho is 0.5");
    o = (struct pof_observation){.element = A, .quantity = POF_QUANTITY_P, .value = 1e6, .sigma = 9, .rho = 1};
    test_refused(&g, o, "rho is 1");
    pof_grid_release(&g);
    return done();
}
