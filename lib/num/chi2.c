/* SPDX-License-Identifier: Apache-2.0 */
#include "num/chi2.h"

#include <float.h>
#include <math.h>

enum { TERMS_MAX = 100000 };

/* x^a e^-x / Gamma(a), the factor before both expansions. */
static double front(double a, double x)
{
    int sign = 0;
    return exp(a * log(x) - x - lgamma_r(a, &sign));
}

/* P(a, x) by its series; converges fast for x < a + 1. */
static double series(double a, double x)
{
    double term = 1.0 / a;
    double sum = term;
    for (int k = 1; k < TERMS_MAX && term > sum * DBL_EPSILON; k++) {
        term *= x / (a + k);
        sum += term;
    }
    return sum * front(a, x);
}

/* Q(a, x) by its continued fraction; converges fast for x > a + 1. */
static double fraction(double a, double x)
{
    const double tiny = 1e-300; /* Lentz: stands in for a zero denominator */
    double b = x + 1 - a;
    double c = 1 / tiny;
    double d = 1 / b;
    double h = d;
    for (int k = 1; k < TERMS_MAX; k++) {
        double an = -k * (k - a);
        b += 2;
        d = an * d + b;
        d = fabs(d) < tiny ? 1 / tiny : 1 / d;
        c = b + an / c;
        c = fabs(c) < tiny ? tiny : c;
        double change = d * c;
        h *= change;
        if (fabs(change - 1) < DBL_EPSILON) {
            break;
        }
    }
    return h * front(a, x);
}

double pof_chi2_tail(double dof, double x)
{
    double a = dof / 2;
    double t = x / 2;
    if (t <= 0) {
        return 1;
    }
    return t < a + 1 ? 1 - series(a, t) : fraction(a, t);
}

/* A normal variate exceeded with chance q, good to 4.5e-4 (Abramowitz and Stegun 26.2.23). */
static double rough_normal(double q)
{
    double p = q < 0.5 ? q : 1 - q;
    double t = sqrt(-2 * log(p));
    double z = t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                       (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
    return q < 0.5 ? z : -z;
}

double pof_chi2_quantile(double dof, double tail)
{
    double k = 2 / (9 * dof);
    double cube = 1 - k + rough_normal(tail) * sqrt(k);
    double x = cube > 0 ? dof * cube * cube * cube : dof * 1e-3;
    double low = 0;
    double high = INFINITY;
    for (int i = 0; i < 200; i++) {
        double over = pof_chi2_tail(dof, x) - tail;
        if (over > 0) {
            low = x;
        } else {
            high = x;
        }
        /* density of the distribution: front(dof/2, x/2) / x */
        double next = x + over * x / front(dof / 2, x / 2);
        if (!(next > low && next < high)) {
            next = isinf(high) ? 2 * x : (low + high) / 2;
        }
        if (fabs(next - x) <= 4 * DBL_EPSILON * x) {
            return next;
        }
        x = next;
    }
    return x;
}

double pof_normal_largest(double n, double tail)
{
    return sqrt(pof_chi2_quantile(1, -expm1(log1p(-tail) / n)));
}
