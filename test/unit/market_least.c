/* SPDX-License-Identifier: Apache-2.0 */
/* The least amount that is enough, on curves whose answer is known. */
#include "market/least.h"

#include "num/rng.h"
#include "tap.h"

struct curve {
    double (*f)(double x, double root);
    double root;
    int calls;
};

static int excess(void *ctx, int64_t x, double *value, struct pof_err *err)
{
    (void)err;
    struct curve *c = ctx;
    c->calls++;
    *value = c->f((double)x, c->root);
    return 0;
}

static double line(double x, double root)
{
    return (root - x) * 1e-5;
}

static double bent(double x, double root)
{
    return sqrt(1 + root) - sqrt(1 + x);
}

static double cliff(double x, double root)
{
    return x < root ? INFINITY : -1;
}

static int64_t find(struct curve *c, int64_t guess, int64_t max, bool *found)
{
    struct pof_err err = {0};
    int64_t x = -1;
    struct pof_least s = {excess, c, c->f(0, c->root), guess, max};
    if (pof_least(&s, &x, found, &err) != 0) {
        return -1;
    }
    return x;
}

static void finds(double (*f)(double, double), double root, int64_t guess, const char *what)
{
    struct curve c = {f, root, 0};
    bool found;
    int64_t x = find(&c, guess, 1000000, &found);
    ok(found, "%s: enough exists", what);
    is_int(x, (int64_t)ceil(root), what);
    ok(c.calls <= 60, "%s: %d evaluations", what, c.calls);
}

static int fails(void *ctx, int64_t x, double *value, struct pof_err *err)
{
    (void)ctx;
    *value = x < 50 ? 1 : -1;
    return x == 50 ? pof_fail(err, POF_E_INTERNAL, "no") : 0;
}

int main(void)
{
    finds(line, 4321.5, 4322, "line, exact guess");
    finds(line, 4321.5, 1, "line, guess far below");
    finds(line, 4321.5, 900000, "line, guess far above");
    finds(line, 4000, 4000, "line, root on a whole watt");
    finds(bent, 777777.2, 3, "bent");
    finds(cliff, 31415, 100, "cliff of a diverged case");
    finds(line, 0.5, -7, "one watt, senseless guess");
    finds(line, 999999.5, 5, "the last watt");
    struct curve quick = {line, 4321.5, 0};
    bool found;
    find(&quick, 4330, 1000000, &found);
    ok(quick.calls <= 8, "a good guess costs %d evaluations", quick.calls);
    struct curve none = {line, 2e6, 0};
    is_int(find(&none, 10, 1000000, &found), 1000000, "not enough: the most is given");
    ok(!found, "and said");
    is_int(find(&none, 10, 0, &found), 0, "nothing may be taken");
    ok(!found, "is not enough");
    int wrong = 0;
    for (uint64_t i = 0; i < 2000; i++) {
        struct curve c = {i % 2 ? line : bent, 0, 0};
        c.root = (double)pof_below(pof_random(7, i, 0), 1000000 * 16) / 16;
        int64_t guess = (int64_t)pof_below(pof_random(7, i, 1), 1000000);
        int64_t x = find(&c, guess, 1000000, &found);
        double least = ceil(c.root);
        wrong += !found || x != (least < 1 ? 1 : (int64_t)least);
    }
    is_int(wrong, 0, "2000 random roots and guesses");
    struct pof_err err = {0};
    int64_t x;
    struct pof_least bad = {fails, NULL, 1, 50, 100};
    ok(pof_least(&bad, &x, &found, &err) == POF_E_INTERNAL, "errors of the curve come through");
    return done();
}
