/* SPDX-License-Identifier: Apache-2.0 */
/* The chi-square distribution, for tests of measurements.
 *
 * P(a, x), the regularised lower incomplete gamma function, is summed as its series (DLMF 8.11.4,
 * https://dlmf.nist.gov/8.11) for x < a + 1; its complement Q(a, x) is evaluated as Legendre's
 * continued fraction (DLMF 8.9.2) beyond, by the modified Lentz method (W. Press et al., Numerical
 * Recipes in C, 2nd ed., section 6.2). The quantile starts from the cube of a normal variate
 * (E. Wilson, M. Hilferty, PNAS 17, 1931) and is refined by Newton's method within a bracket.
 * Pure; relative error of the quantile below 1e-10 for dof up to 1e6. */
#ifndef POF_NUM_CHI2_H
#define POF_NUM_CHI2_H

/* Chance that a chi-square variable with dof (> 0) degrees of freedom exceeds x (>= 0). */
double pof_chi2_tail(double dof, double x);

/* The x that is exceeded with chance tail, 0 < tail < 1; dof > 0. The 95 % quantile is that of
 * tail 0.05. */
double pof_chi2_quantile(double dof, double tail);

/* What the largest magnitude of n (>= 1) independent standard normal variables exceeds with chance
 * tail: sqrt of the chi-square quantile with one degree of freedom at 1 - (1 - tail)^(1/n)
 * (Z. Sidak, J. Am. Stat. Assoc. 62, 1967). */
double pof_normal_largest(double n, double tail);

#endif
