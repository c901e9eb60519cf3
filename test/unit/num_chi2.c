/* SPDX-License-Identifier: Apache-2.0 */
/* Quantiles against tables: NIST/SEMATECH e-Handbook of Statistical Methods, section 1.3.6.7.4, and
 * digits of an arbitrary-precision evaluation of the incomplete gamma function. */
#include "num/chi2.h"
#include "tap.h"

int main(void)
{
    static const struct {
        double dof, tail, x, within;
    } table[] = {{1, 0.05, 3.841, 5e-4},   {1, 0.10, 2.706, 5e-4},  {2, 0.05, 5.991, 5e-4},
                 {10, 0.05, 18.307, 5e-4}, {10, 0.95, 3.940, 5e-4}, {30, 0.01, 50.892, 5e-4},
                 {100, 0.05, 124.342, 5e-4}, {100, 0.001, 149.449, 5e-4},
                 {55, 0.05, 73.31149302908324, 1e-9}, {55, 0.01, 82.29211682919967, 1e-9}};
    char what[80];
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        snprintf(what, sizeof what, "dof %g, tail %g", table[i].dof, table[i].tail);
        is_near(pof_chi2_quantile(table[i].dof, table[i].tail), table[i].x, table[i].within, what);
    }
    double worst = 0;
    for (double dof = 0.5; dof < 2e6; dof *= 3) {
        for (double tail = 1e-12; tail < 1; tail = tail < 0.5 ? tail * 7 : 1) {
            double x = pof_chi2_quantile(dof, tail);
            worst = fmax(worst, fabs(pof_chi2_tail(dof, x) / tail - 1));
        }
    }
    ok(worst < 1e-8, "tail(quantile(q)) = q within %.1e, dof 0.5 to 1e6, q from 1e-12", worst);
    is_near(pof_chi2_tail(2, 3), exp(-1.5), 1e-15, "two degrees of freedom: an exponential");
    is_near(pof_chi2_tail(7, 0), 1, 0, "nothing is below zero");
    is_near(pof_normal_largest(1, 0.05), 1.959963984540054, 1e-12, "one normal variate: 1.96");
    is_near(pof_normal_largest(1, 0.317310507862914), 1, 1e-12, "one sigma");
    ok(pof_normal_largest(1000, 0.05) > pof_normal_largest(100, 0.05), "more readings, higher limit");
    return done();
}
