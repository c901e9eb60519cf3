/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes an observation: values that outlive their instant, consumption that is assumed,
 * allocation from measured flows, positions of switches. */
#include "grid/estimate_feed.h"
#include "tap.h"

/* S - J - A, J - B, B - C with a switch; 10 kV. */
static const char document[] =
    "{\"schema\":\"pof.grid/1\",\"name\":\"t\",\"base_va\":1000000,\"f_hz\":50,\"nodes\":["
    "{\"name\":\"S\",\"base_v\":10000,\"kind\":\"slack\",\"v_set_pu\":1},"
    "{\"name\":\"J\",\"base_v\":10000,\"zero_injection\":true},"
    "{\"name\":\"A\",\"base_v\":10000,\"rated_w\":100000},"
    "{\"name\":\"B\",\"base_v\":10000,\"rated_w\":300000},"
    "{\"name\":\"C\",\"base_v\":10000,\"p_w\":50000,\"q_var\":10000}],\"branches\":["
    "{\"name\":\"SJ\",\"kind\":\"line\",\"from\":\"S\",\"to\":\"J\",\"r_ohm\":0.5,\"x_ohm\":0.5},"
    "{\"name\":\"JA\",\"kind\":\"line\",\"from\":\"J\",\"to\":\"A\",\"r_ohm\":0.5,\"x_ohm\":0.5},"
    "{\"name\":\"JB\",\"kind\":\"line\",\"from\":\"J\",\"to\":\"B\",\"r_ohm\":0.5,\"x_ohm\":0.5},"
    "{\"name\":\"BC\",\"kind\":\"line\",\"from\":\"B\",\"to\":\"C\",\"r_ohm\":0.5,\"x_ohm\":0.5}]}";

enum { S, J, A, B, C };

static struct pof_grid grid;
static struct pof_err err;

static struct pof_feed *make(const struct pof_feed_options *o)
{
    struct pof_feed *f = NULL;
    if (pof_feed_new(&f, &grid, o, &err)) {
        printf("# %s\n", err.text);
        exit(1);
    }
    return f;
}

static int read_at(struct pof_feed *f, int64_t start, const char *name, int quantity, double value)
{
    struct pof_reading r = {.start = start, .name = pof_text(name), .quantity = quantity};
    r.element = strlen(name) == 2;
    r.value = value;
    r.sigma = quantity == POF_QUANTITY_V ? 50 : 1000;
    return pof_feed_reading(f, &r, &err);
}

static int meter(struct pof_feed *f, const char *pod, int64_t start, int64_t p_w)
{
    struct pof_measurement m = {
        .pod = pof_text(pod), .start = start, .duration_s = 900, .p_w = p_w};
    return pof_feed_measurement(f, &m, &err);
}

static int connect(struct pof_feed *f, const char *pod, const char *node)
{
    struct pof_pod p = {.pod = pof_text(pod), .node = pof_text(node)};
    return pof_feed_pod(f, &p, &err);
}

/* The observation of a quantity of a node, NULL: none. */
static const struct pof_observation *of(const struct pof_instant *t, uint32_t node, int quantity)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct pof_observation *o = &t->observation[i];
        if (!o->branch && o->element == node && o->quantity == quantity) {
            return o;
        }
    }
    return NULL;
}

static size_t count(const struct pof_instant *t, uint32_t node, int quantity)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        const struct pof_observation *o = &t->observation[i];
        n += !o->branch && o->element == node && o->quantity == quantity;
    }
    return n;
}

static double value(const struct pof_instant *t, uint32_t node, int quantity)
{
    const struct pof_observation *o = of(t, node, quantity);
    return o ? o->value : NAN;
}

static double sigma(const struct pof_instant *t, uint32_t node, int quantity)
{
    const struct pof_observation *o = of(t, node, quantity);
    return o ? o->sigma : NAN;
}

static void next(struct pof_feed *f, struct pof_instant *t, int64_t start)
{
    int more = pof_feed_next(f, t, &err);
    ok(more == 1 && t->start == start, "instant %lld", (long long)start);
}

static void ages(void)
{
    const struct pof_feed_options o = {
        .age_limit_s = 900, .age_power = 0.2, .age_voltage = 0.005, .sigma_meter = 0.01};
    struct pof_feed *f = make(&o);
    struct pof_instant t;
    int rc = read_at(f, 0, "A", POF_QUANTITY_V, 10000);
    rc = rc ? rc : read_at(f, 0, "A", POF_QUANTITY_P, 80000);
    rc = rc ? rc : read_at(f, 0, "A", POF_QUANTITY_P, 81000);
    rc = rc ? rc : read_at(f, 0, "C", POF_QUANTITY_P, 2000);
    rc = rc ? rc : read_at(f, 600, "A", POF_QUANTITY_V, 10050);
    rc = rc ? rc : read_at(f, 910, "B", POF_QUANTITY_V, 9990);
    rc = rc ? rc : pof_feed_sort(f, &err);
    is_int(rc, 0, "readings are taken");
    next(f, &t, 0);
    is_int((int64_t)t.n, 4, "all of the first instant");
    is_int(t.aged, 0, "none is old");
    next(f, &t, 600);
    is_int((int64_t)count(&t, A, POF_QUANTITY_V), 1, "a newer value replaces the old one");
    is_near(value(&t, A, POF_QUANTITY_V), 10050, 0, "the newer one");
    is_near(sigma(&t, A, POF_QUANTITY_V), 50, 0, "as good as it is");
    is_int((int64_t)count(&t, A, POF_QUANTITY_P), 2, "two readings of one place stay two");
    is_near(sigma(&t, A, POF_QUANTITY_P), hypot(1000, 0.2 * 80000 / 6), 1e-9,
            "sigma^2 + (rate * size * age)^2");
    is_near(sigma(&t, C, POF_QUANTITY_P), hypot(1000, 0.2 * 10000 / 6), 1e-9,
            "small values change as ten deviations do");
    is_int(t.aged, 3, "old ones are counted");
    is_int(t.oldest_s, 600, "and the oldest is known");
    next(f, &t, 910);
    is_int((int64_t)t.n, 2, "beyond the limit values are forgotten");
    is_near(sigma(&t, A, POF_QUANTITY_V), hypot(50, 0.005 * 10050 * 310 / 3600), 1e-9,
            "voltages have a rate of their own");
    is_int(pof_feed_next(f, &t, &err), 0, "no more");
    pof_feed_free(f);
}

static void meters_age(void)
{
    const struct pof_feed_options o = {.age_limit_s = 300, .age_power = 0.2, .sigma_meter = 0.01};
    struct pof_feed *f = make(&o);
    struct pof_instant t;
    int rc = connect(f, "p1", "A") || connect(f, "p2", "A");
    rc = rc ? rc : meter(f, "p1", 0, 10000);
    rc = rc ? rc : meter(f, "p2", 0, 20000);
    rc = rc ? rc : meter(f, "p2", 900, 25000);
    rc = rc ? rc : read_at(f, 600, "S", POF_QUANTITY_V, 10000);
    rc = rc ? rc : read_at(f, 1260, "S", POF_QUANTITY_V, 10000);
    rc = rc ? rc : pof_feed_sort(f, &err);
    is_int(rc, 0, "meters are taken");
    next(f, &t, 0);
    is_near(value(&t, A, POF_QUANTITY_P), 30000, 0, "a node draws what its pods draw");
    next(f, &t, 600);
    is_near(value(&t, A, POF_QUANTITY_P), 30000, 0, "within the interval the mean holds");
    is_int(t.aged, 0, "and is not old");
    next(f, &t, 900);
    is_near(value(&t, A, POF_QUANTITY_P), 35000, 0, "an older meter stands in beside a newer one");
    next(f, &t, 1260);
    ok(!of(&t, A, POF_QUANTITY_P), "beyond the limit the node is incomplete");
    is_int(t.incomplete, 1, "which is counted");
    pof_feed_free(f);
}

static void assumes(void)
{
    const struct pof_feed_options o = {
        .sigma_pseudo = 0.3, .load_share = 0.25, .sigma_meter = 0.01, .sigma_voltage = 0.01};
    struct pof_feed *f = make(&o);
    struct pof_instant t;
    struct pof_baseline b = {.pod = pof_text("p2"), .start = -900, .duration_s = 1800, .p_w = 40000};
    int rc = connect(f, "p1", "B") || connect(f, "p2", "B") || connect(f, "p3", "B");
    rc = rc ? rc : meter(f, "p1", 0, 20000);
    rc = rc ? rc : pof_feed_baseline(f, &b, &err);
    rc = rc ? rc : read_at(f, 0, "C", POF_QUANTITY_P, 60000);
    rc = rc ? rc : pof_feed_sort(f, &err);
    is_int(rc, 0, "records are taken");
    next(f, &t, 0);
    ok(!of(&t, S, POF_QUANTITY_P) && !of(&t, J, POF_QUANTITY_P),
       "nothing is assumed of slack nodes and of zero injections");
    is_near(value(&t, A, POF_QUANTITY_P), 25000, 1e-9, "a share of what is rated");
    is_near(sigma(&t, A, POF_QUANTITY_P), 30000, 1e-9, "give or take 30 %% of what is rated");
    is_near(value(&t, A, POF_QUANTITY_Q), 25000 * tan(acos(0.95)), 1e-9, "cos phi 0.95");
    is_near(value(&t, B, POF_QUANTITY_P), 20000 + 40000 + 300000 * 0.25 / 3, 1e-9,
            "a meter, a baseline, and a share for the pod nobody knows");
    is_int((int64_t)count(&t, C, POF_QUANTITY_P), 1, "what is read is not assumed");
    is_near(value(&t, C, POF_QUANTITY_P), 60000, 0, "but read");
    is_near(value(&t, C, POF_QUANTITY_Q), 10000, 0, "its q is as the document says");
    is_int(t.pseudo, 5, "assumptions are counted");
    size_t marked = 0;
    for (size_t i = 0; i < t.n; i++) {
        marked += t.origin[i] == POF_ORIGIN_PSEUDO;
    }
    is_int((int64_t)marked, 5, "and marked");
    pof_feed_free(f);
}

static void allocates(void)
{
    const struct pof_feed_options o = {.sigma_pseudo = 0.3, .load_share = 0.25, .allocate = true};
    struct pof_feed *f = make(&o);
    struct pof_instant t;
    int rc = read_at(f, 0, "SJ", POF_QUANTITY_P, 200000);
    rc = rc ? rc : read_at(f, 0, "BC", POF_QUANTITY_P, 30000);
    rc = rc ? rc : pof_feed_sort(f, &err);
    is_int(rc, 0, "flows are taken");
    next(f, &t, 0);
    is_near(value(&t, C, POF_QUANTITY_P), 30000, 1e-9, "behind the last meter all that flows in");
    is_near(value(&t, A, POF_QUANTITY_P) + value(&t, B, POF_QUANTITY_P), 170000, 1e-6,
            "between two meters what flows in less what flows on");
    is_near((value(&t, A, POF_QUANTITY_P) - 25000) * 3, value(&t, B, POF_QUANTITY_P) - 75000, 1e-6,
            "shifted in proportion to what is rated");
    is_near(value(&t, C, POF_QUANTITY_Q), 10000, 0, "where no q flow is read q stays");
    pof_feed_free(f);
}

static void switches(void)
{
    const struct pof_feed_options o = {0};
    struct pof_feed *f = make(&o);
    struct pof_instant t;
    struct pof_reading r = {.element = 1, .name = pof_text("BC"), .start = 900, .quantity = 7};
    int rc = read_at(f, 0, "S", POF_QUANTITY_V, 10000);
    rc = rc ? rc : read_at(f, 900, "S", POF_QUANTITY_V, 10000);
    rc = rc ? rc : read_at(f, 1800, "S", POF_QUANTITY_V, 10000);
    rc = rc ? rc : pof_feed_reading(f, &r, &err);
    rc = rc ? rc : pof_feed_sort(f, &err);
    is_int(rc, 0, "a position is taken");
    next(f, &t, 0);
    ok(t.closed[3] && !t.switched, "as the document says at first");
    next(f, &t, 900);
    ok(!t.closed[3] && t.switched, "then open");
    next(f, &t, 1800);
    ok(!t.closed[3] && !t.switched, "and it stays so");
    pof_feed_clear(f);
    r.value = 1;
    r.start = 2000;
    rc = pof_feed_reading(f, &r, &err);
    rc = rc ? rc : pof_feed_sort(f, &err);
    is_int(rc ? rc : pof_feed_next(f, &t, &err), 0, "a position alone is no instant");
    pof_feed_clear(f);
    rc = read_at(f, 2700, "S", POF_QUANTITY_V, 10000);
    rc = rc ? rc : pof_feed_sort(f, &err);
    is_int(rc, 0, "more readings");
    next(f, &t, 2700);
    ok(t.closed[3] && t.switched, "but counts from the next one on");
    pof_feed_clear(f);
    r.value = 0.5;
    rc = pof_feed_reading(f, &r, &err);
    ok(rc == POF_E_RANGE && strstr(err.text, "0.5"), "half closed is refused");
    err = (struct pof_err){0};
    r.value = 0;
    r.element = 0;
    is_int(pof_feed_reading(f, &r, &err), POF_E_PHYSICS, "nodes have no position");
    err = (struct pof_err){0};
    r.element = 1;
    rc = pof_feed_reading(f, &r, &err);
    r.value = 1;
    rc = rc ? rc : pof_feed_reading(f, &r, &err);
    is_int(rc ? 0 : pof_feed_sort(f, &err), POF_E_CONFLICT, "open and closed at once is refused");
    err = (struct pof_err){0};
    pof_feed_free(f);
}

/* One instant at a time and forgotten, as with --stream, is the same as all at once. */
static void streams(void)
{
    const struct pof_feed_options o = {.age_limit_s = 40, .age_power = 0.2, .age_voltage = 0.005};
    struct pof_feed *all = make(&o);
    struct pof_feed *one = make(&o);
    struct pof_instant x, y;
    bool same = true;
    int rc = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; rc == 0 && i < 60; i++) {
            int64_t start = 10 * i;
            struct pof_feed *f = pass ? one : all;
            rc = read_at(f, start, "S", POF_QUANTITY_V, 10000 + i);
            rc = rc || i % 3 ? rc : read_at(f, start, "JA", POF_QUANTITY_P, 90000 + i);
            rc = rc || i % 7 ? rc : read_at(f, start, "B", POF_QUANTITY_Q, 3000 + i);
            if (rc || !pass) {
                continue;
            }
            rc = pof_feed_sort(one, &err);
            same = same && pof_feed_next(one, &x, &err) == 1 && pof_feed_next(all, &y, &err) == 1;
            same = same && x.n == y.n && x.aged == y.aged && x.oldest_s == y.oldest_s;
            for (size_t k = 0; same && k < x.n; k++) {
                same = x.observation[k].value == y.observation[k].value &&
                       x.observation[k].sigma == y.observation[k].sigma &&
                       x.observation[k].element == y.observation[k].element;
            }
            pof_feed_clear(one);
        }
        rc = rc || pass ? rc : pof_feed_sort(all, &err);
    }
    ok(rc == 0 && same, "instants one by one are the same as all at once");
    pof_feed_free(one);
    pof_feed_free(all);
}

int main(void)
{
    if (pof_grid_parse(&grid, document, sizeof document - 1, "t", &err)) {
        printf("# %s\n", err.text);
        return 1;
    }
    ages();
    meters_age();
    assumes();
    allocates();
    switches();
    streams();
    pof_grid_release(&grid);
    return done();
}
