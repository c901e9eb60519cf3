/* SPDX-License-Identifier: Apache-2.0 */
/* Three-phase admittances: against windings put together leg by leg, against symmetrical components by
 * hand, and networks of them solved. */
#include "grid/admittance.h"
#include "grid/build.h"
#include "grid/net.h"
#include "tap.h"

#include <complex.h>

typedef double complex cplx;

static cplx rect(double re, double im)
{
    return re + im * I;
}

static const double third = 2.09439510239319549231;

static struct pof_branch transformer(const struct pof_branch_phases *p)
{
    return (struct pof_branch){.name = {"t", 1}, .kind = POF_BRANCH_TRANSFORMER, .to = 1, .r = 0.01,
                               .x = 0.06, .ratio = 1, .closed = true, .phases = p,
                               .shift = p ? p->clock * third / 4 : 0};
}

static bool admittance(const struct pof_branch *b, cplx y[36])
{
    struct pof_grid g = {.base_va = 1e6, .branch = (struct pof_branch *)(uintptr_t)b, .branches = 1};
    struct pof_y m;
    struct pof_err err;
    if (pof_branch_y(&g, 0, 3, &m, &err)) {
        return false;
    }
    for (int i = 0; i < 36; i++) {
        y[i] = rect(m.g[i], m.b[i]);
    }
    return true;
}

static double difference(const cplx *a, const cplx *b, int n)
{
    double worst = 0;
    for (int i = 0; i < n; i++) {
        worst = fmax(worst, cabs(a[i] - b[i]));
    }
    return worst;
}

/* --- an oracle: three two-winding legs, their ends wired to terminals --- */

/* Terminals: from 0 1 2, to 3 4 5, neutrals from 6, to 7, ground 8. */
struct leg {
    int from[2], to[2];
    double from_turns, to_turns; /* p.u.: a delta's legs see sqrt(3) of the phase voltage */
};

static struct leg wire(int k, const struct pof_branch_phases *p, int turn, int sign, int delta)
{
    struct leg leg = {.from_turns = 1, .to_turns = 1};
    int t = 3 + (k + turn) % 3, next = 3 + (k + turn + delta) % 3;
    leg.from[0] = k;
    leg.from[1] = p->from == POF_WINDING_Y ? 6 : p->from == POF_WINDING_YN ? 8 : (k + delta) % 3;
    leg.to[0] = t;
    leg.to[1] = p->to == POF_WINDING_Y ? 7 : p->to == POF_WINDING_YN ? 8 : next;
    leg.from_turns = p->from == POF_WINDING_D ? sqrt(3) : 1;
    leg.to_turns = p->to == POF_WINDING_D ? sqrt(3) : 1;
    if (sign < 0) {
        int s = leg.to[0];
        leg.to[0] = leg.to[1];
        leg.to[1] = s;
    }
    return leg;
}

/* Removes a terminal without injection. */
static void eliminate(cplx m[9][9], int t)
{
    for (int i = 0; i < 9 && cabs(m[t][t]) > 1e-12; i++) {
        for (int j = 0; j < 9; j++) {
            m[i][j] -= i != t && j != t ? m[i][t] * m[t][j] / m[t][t] : 0;
        }
    }
}

static void assemble(const struct leg legs[3], cplx y, cplx out[36])
{
    cplx m[9][9] = {0};
    for (int k = 0; k < 3; k++) {
        const struct leg *l = &legs[k];
        const int at[] = {l->from[0], l->from[1], l->to[0], l->to[1]};
        const double w[] = {1 / l->from_turns, -1 / l->from_turns, -1 / l->to_turns,
                            1 / l->to_turns};
        for (int i = 0; i < 4; i++) {
            for (int j = 0; j < 4; j++) {
                m[at[i]][at[j]] += y * w[i] * w[j];
            }
        }
    }
    eliminate(m, 6);
    eliminate(m, 7);
    for (int i = 0; i < 36; i++) {
        out[i] = m[i / 6][i % 6];
    }
}

/* The clock of a wiring, from which way a leg of a delta goes and how the to side is turned. */
static int clock_of(const struct pof_branch_phases *p, int turn, int sign, int delta)
{
    int lead = delta == 1 ? 1 : 11; /* what a delta's legs lead their phases by */
    int clock = (p->to == POF_WINDING_D ? lead : 0) - (p->from == POF_WINDING_D ? lead : 0);
    return ((clock - 4 * turn + (sign < 0 ? 6 : 0)) % 12 + 12) % 12;
}

static void test_windings(void)
{
    static const enum pof_winding w[] = {POF_WINDING_Y, POF_WINDING_YN, POF_WINDING_D};
    bool seen[9][12] = {0};
    int wirings = 0, clocks = 0;
    double worst = 0;
    for (int k = 0; k < 9 * 12; k++) {
        int pair = k / 12, turn = k % 3, sign = k / 3 % 2 ? -1 : 1, delta = k / 6 % 2 ? 2 : 1;
        struct pof_branch_phases p = {.form = POF_PHASES_WINDINGS, .r0 = 0.01, .x0 = 0.06,
                                      .from = w[pair / 3], .to = w[pair % 3]};
        p.clock = clock_of(&p, turn, sign, delta);
        struct pof_branch b = transformer(&p);
        struct leg legs[3];
        for (int l = 0; l < 3; l++) {
            legs[l] = wire(l, &p, turn, sign, delta);
        }
        cplx want[36], got[36];
        assemble(legs, 1 / rect(0.01, 0.06), want);
        if (!admittance(&b, got)) {
            ok(false, "windings %d %d clock %d are refused", p.from, p.to, p.clock);
            continue;
        }
        worst = fmax(worst, difference(got, want, 36));
        clocks += !seen[pair][p.clock];
        seen[pair][p.clock] = true;
        wirings++;
    }
    is_int(wirings, 108, "wirings of stars and deltas");
    is_int(clocks, 54, "that make every clock");
    ok(worst < 1e-12, "have the admittances of their legs: %g", worst);
}

static void test_clock(void)
{
    for (int from = POF_WINDING_Y; from <= POF_WINDING_ZN; from++) {
        for (int to = POF_WINDING_Y; to <= POF_WINDING_ZN; to++) {
            bool odd = (from <= POF_WINDING_YN) != (to <= POF_WINDING_YN);
            struct pof_branch_phases p = {.from = (enum pof_winding)from, .to = (enum pof_winding)to,
                                          .clock = odd};
            bool right = pof_clock_possible(&p);
            p.clock = !odd;
            ok(right && !pof_clock_possible(&p), "clock of %d and %d", from, to);
        }
    }
    struct pof_branch_phases p = {.clock = 12};
    ok(!pof_clock_possible(&p), "clock 12 is 0");
}

/* Zero-sequence admittance of a block: the same voltage at all phases. */
static cplx zero(const cplx y[36], int row, int col)
{
    cplx sum = 0;
    for (int i = 0; i < 9; i++) {
        sum += y[6 * (3 * row + i / 3) + 3 * col + i % 3];
    }
    return sum / 3;
}

/* Grounding, ratio and magnetising branch in the zero sequence, by hand. */
static void test_zero_sequence(void)
{
    struct pof_branch_phases p = {.form = POF_PHASES_WINDINGS, .r0 = 0.02, .x0 = 0.05, .g0 = 0.1,
                                  .b0 = -0.5, .from = POF_WINDING_D, .to = POF_WINDING_YN, .clock = 1,
                                  .r_ground_to = 0.4, .x_ground_to = 0.3, .r_ground_from = 9};
    struct pof_branch b = transformer(&p);
    cplx y[36], z = rect(0.02, 0.05), m = rect(0.1, -0.5), ground = 3 * rect(0.4, 0.3);
    b.ratio = 0.9;
    ok(admittance(&b, y), "Dyn1 with a grounding impedance");
    ok(cabs(zero(y, 1, 1) - 1 / (1 / (1 / z + m) + ground)) < 1e-12, "through which all of it flows");
    ok(cabs(zero(y, 0, 0)) + cabs(zero(y, 0, 1)) < 1e-12, "nothing on the side of the delta");
    p.from = POF_WINDING_YN;
    p.to = POF_WINDING_D;
    p.r_ground_from = 0.4;
    p.x_ground_from = 0.3;
    ok(admittance(&b, y), "YNd1");
    ok(cabs(zero(y, 0, 0) * 0.81 - 1 / (1 / (1 / z + m) + ground / 0.81)) < 1e-12,
       "seen through the ratio");
    p.to = POF_WINDING_YN;
    p.clock = 6;
    p.r_ground_to = p.x_ground_to = 0;
    ok(admittance(&b, y), "YNyn6");
    cplx through = 1 / (z + ground / 0.81);
    ok(cabs(zero(y, 0, 1) - through / 0.9) < 1e-12, "turns the zero sequence round");
    ok(cabs(zero(y, 1, 1) - through - m / 2) < 1e-12, "half of the magnetising branch at each end");
    p.from = POF_WINDING_Y;
    p.to = POF_WINDING_YN;
    p.clock = 0;
    ok(admittance(&b, y), "Yyn0");
    ok(cabs(zero(y, 1, 1) - m) < 1e-12 && cabs(zero(y, 0, 0)) < 1e-12,
       "only its magnetising branch, on the grounded side");
    p.to = POF_WINDING_ZN;
    p.clock = 11;
    p.r_ground_to = 0.2;
    ok(admittance(&b, y), "Yzn11");
    ok(cabs(zero(y, 1, 1) - 1 / (z + 0.6)) < 1e-12, "a zigzag grounds by itself");
    p.to = POF_WINDING_Z;
    ok(admittance(&b, y) && cabs(zero(y, 1, 1)) < 1e-12, "not without its neutral");
}

static void test_lines(void)
{
    struct pof_branch_phases p = {.r0 = 0.3, .x0 = 0.9, .b0 = 0.01};
    struct pof_branch b = {.name = {"l", 1}, .to = 1, .r = 0.1, .x = 0.3, .b = 0.02, .ratio = 1,
                           .closed = true, .phases = &p};
    cplx y[36], m[36];
    ok(admittance(&b, y), "a line by sequences");
    ok(cabs(zero(y, 0, 1) + 1 / rect(0.3, 0.9)) < 1e-12, "its zero sequence");
    ok(cabs(zero(y, 0, 0) - 1 / rect(0.3, 0.9) - rect(0, 0.005)) < 1e-12, "with half of its shunt");
    ok(cabs(y[0] - y[1] - 1 / rect(0.1, 0.3) - rect(0, 0.01)) < 1e-12, "and the positive one");

    /* The same line by matrices: self (z0 + 2 z1) / 3, mutual (z0 - z1) / 3. */
    struct pof_branch_phases q = {.form = POF_PHASES_MATRIX};
    for (int i = 0; i < 9; i++) {
        bool self = i % 4 == 0;
        q.r[i] = self ? 0.5 / 3 : 0.2 / 3;
        q.x[i] = self ? 1.5 / 3 : 0.6 / 3;
        q.b[i] = self ? 0.05 / 3 : -0.01 / 3;
    }
    struct pof_branch c = b;
    c.phases = &q;
    ok(admittance(&c, m) && difference(y, m, 36) < 1e-12, "is the same by matrices");
    pof_phases_balance(&q, &c);
    ok(fabs(c.r - 0.1) < 1e-15 && fabs(c.x - 0.3) < 1e-15 && fabs(c.b - 0.02) < 1e-15,
       "which tell the positive sequence");
    c.ratio = 1.1;
    ok(!admittance(&c, m), "matrices with a ratio are refused");
    c.ratio = 1;
    for (int i = 0; i < 9; i++) {
        q.r[i] = q.x[i] = 1;
    }
    ok(!admittance(&c, m), "and singular ones");
    b.phases = NULL;
    ok(!admittance(&b, m), "a line without a zero sequence");
    b.kind = POF_BRANCH_SWITCH;
    ok(admittance(&b, m) && cabs(m[1]) < 1e-12, "but a switch has uncoupled poles");
    p.r0 = p.x0 = 0;
    b.phases = &p;
    ok(!admittance(&b, m), "no zero-sequence impedance");
}

/* Four conductors: a current that returns by the neutral, and one by ground. */
static void test_neutral(void)
{
    double r[16], x[16];
    cplx z[16];
    for (int i = 0; i < 16; i++) {
        r[i] = i % 5 == 0 ? 0.3 + 0.01 * i : 0.05;
        x[i] = i % 5 == 0 ? 0.7 : 0.3 + 0.01 * (i % 4) * (i / 4);
        z[i] = rect(r[i], x[i]);
    }
    struct pof_branch_phases p = {0};
    cplx i[3] = {rect(1, 0.2), rect(-0.3, 0.4), rect(0.1, -0.9)};
    ok(pof_kron_reduce(r, x, POF_NEUTRAL_EARTHED, &p), "earthed");
    cplx n = -(z[12] * i[0] + z[13] * i[1] + z[14] * i[2]) / z[15]; /* no drop along the neutral */
    double worst = 0;
    for (int k = 0; k < 3; k++) {
        cplx want = z[4 * k] * i[0] + z[4 * k + 1] * i[1] + z[4 * k + 2] * i[2] + z[4 * k + 3] * n;
        cplx got = 0;
        for (int j = 0; j < 3; j++) {
            got += rect(p.r[3 * k + j], p.x[3 * k + j]) * i[j];
        }
        worst = fmax(worst, cabs(got - want));
    }
    ok(worst < 1e-14, "the neutral takes its share: %g", worst);
    ok(pof_kron_reduce(r, x, POF_NEUTRAL_RETURN, &p), "return");
    n = -(i[0] + i[1] + i[2]);
    cplx drop = z[12] * i[0] + z[13] * i[1] + z[14] * i[2] + z[15] * n;
    worst = 0;
    for (int k = 0; k < 3; k++) {
        cplx want = z[4 * k] * i[0] + z[4 * k + 1] * i[1] + z[4 * k + 2] * i[2] + z[4 * k + 3] * n;
        cplx got = 0;
        for (int j = 0; j < 3; j++) {
            got += rect(p.r[3 * k + j], p.x[3 * k + j]) * i[j];
        }
        worst = fmax(worst, cabs(got - (want - drop)));
    }
    ok(worst < 1e-14, "voltages against the neutral drop by both ways: %g", worst);
    r[15] = x[15] = 0;
    ok(!pof_kron_reduce(r, x, POF_NEUTRAL_EARTHED, &p), "a neutral without impedance");
}

/* --- networks --- */

/* Solves with constant powers s (consumption of each node, p.u. of a third of the base) by fixed
 * point on the dense admittances of the bus forms; the slack is bus 0. */
static int solve(const struct pof_net *net, const cplx *s, cplx *v)
{
    int n = (int)net->nodes - 3, steps = 0;
    cplx *m = calloc((size_t)(n * n), sizeof *m), *i = calloc((size_t)n, sizeof *i);
    for (uint32_t k = 0; k < net->nodes; k++) {
        v[k] = net->flat_v[k] * cexp(I * net->flat_a[k]);
    }
    for (int r = 0; r < n; r++) {
        uint32_t form = pof_net_bus(net, (uint32_t)r + 3);
        for (uint32_t e = net->begin[form]; e < net->begin[form + 1]; e++) {
            if (net->to[e] >= 3) {
                m[r * n + (int)net->to[e] - 3] = rect(net->g[e], net->b[e]);
            }
        }
    }
    cplx *inverse = calloc((size_t)(n * n), sizeof *inverse);
    for (int r = 0; r < n; r++) {
        inverse[r * n + r] = 1;
    }
    for (int c = 0; c < n; c++) {
        int best = c;
        for (int r = c; r < n; r++) {
            best = cabs(m[r * n + c]) > cabs(m[best * n + c]) ? r : best;
        }
        for (int j = 0; j < n; j++) {
            cplx t = m[c * n + j], u = inverse[c * n + j];
            m[c * n + j] = m[best * n + j], m[best * n + j] = t;
            inverse[c * n + j] = inverse[best * n + j], inverse[best * n + j] = u;
        }
        cplx pivot = m[c * n + c];
        for (int j = 0; j < n; j++) {
            m[c * n + j] /= pivot;
            inverse[c * n + j] /= pivot;
        }
        for (int r = 0; r < n; r++) {
            cplx f = r == c ? 0 : m[r * n + c];
            for (int j = 0; j < n; j++) {
                m[r * n + j] -= f * m[c * n + j];
                inverse[r * n + j] -= f * inverse[c * n + j];
            }
        }
    }
    for (double change = 1; change > 1e-13 && steps < 200; steps++) {
        change = 0;
        for (int r = 0; r < n; r++) {
            uint32_t form = pof_net_bus(net, (uint32_t)r + 3);
            i[r] = -conj(s[r + 3] / v[r + 3]);
            for (uint32_t e = net->begin[form]; e < net->begin[form + 1]; e++) {
                i[r] -= net->to[e] < 3 ? rect(net->g[e], net->b[e]) * v[net->to[e]] : 0;
            }
        }
        for (int r = 0; r < n; r++) {
            cplx next = 0;
            for (int j = 0; j < n; j++) {
                next += inverse[r * n + j] * i[j];
            }
            change = fmax(change, cabs(next - v[r + 3]));
            v[r + 3] = next;
        }
    }
    free(m);
    free(i);
    free(inverse);
    return steps;
}

struct feeder {
    struct pof_grid g;
    struct pof_branch_phases first, second, line;
};

/* A slack, a transformer, a node without loads, a second transformer, a line and its end. */
static void make_feeder(struct feeder *f)
{
    static const char *const names[] = {"s", "m", "l", "e"};
    struct pof_err err;
    f->g = (struct pof_grid){.base_va = 1e6, .f_hz = 50};
    struct pof_build b = {.grid = &f->g};
    for (int i = 0; i < 4; i++) {
        struct pof_node n = pof_node_default(pof_text(names[i]), 10000);
        n.kind = i ? POF_NODE_PQ : POF_NODE_SLACK;
        if (pof_build_node(&b, &n, &err)) {
            printf("# %s\n", err.text);
        }
    }
    f->line = (struct pof_branch_phases){.r0 = 0.03, .x0 = 0.02};
    f->first = (struct pof_branch_phases){.form = POF_PHASES_WINDINGS, .r0 = 0.01, .x0 = 0.06};
    f->second = f->first;
    for (uint32_t i = 0; i < 3; i++) {
        struct pof_branch t = transformer(NULL);
        t.name = pof_text(names[i]);
        t.kind = i < 2 ? POF_BRANCH_TRANSFORMER : POF_BRANCH_LINE;
        t.from = i;
        t.to = i + 1;
        if (pof_build_branch(&b, &t, &err)) {
            printf("# %s\n", err.text);
        }
    }
}

static void connect(struct feeder *f, enum pof_winding a, enum pof_winding b, enum pof_winding c,
                    enum pof_winding d)
{
    struct pof_branch_phases *p[] = {&f->first, &f->second};
    const enum pof_winding w[] = {a, b, c, d};
    for (int i = 0; i < 2; i++) {
        p[i]->from = w[2 * i];
        p[i]->to = w[2 * i + 1];
        p[i]->clock = 7;
        p[i]->clock = pof_clock_possible(p[i]) ? 7 : 6;
        f->g.branch[i].phases = p[i];
        f->g.branch[i].shift = p[i]->clock * third / 4;
    }
    f->g.branch[2].phases = &f->line;
}

/* Balanced loads: each phase is the balanced solution, whatever the windings. */
static void test_balanced(void)
{
    static const enum pof_winding w[] = {POF_WINDING_Y, POF_WINDING_YN, POF_WINDING_D,
                                         POF_WINDING_Z, POF_WINDING_ZN};
    struct feeder f;
    make_feeder(&f);
    f.g.node[2].g_w = 2e4;
    f.g.node[2].b_var = 5e4;
    double worst = 0;
    int floating = 0;
    for (int k = 0; k < 625; k++) {
        struct pof_net one, three;
        struct pof_err err;
        connect(&f, w[k % 5], w[k / 5 % 5], w[k / 25 % 5], w[k / 125]);
        if (pof_net_build(&one, &f.g, 1, &err) || pof_net_build(&three, &f.g, 3, &err)) {
            ok(false, "%s", err.text);
            break;
        }
        cplx s[12], v[12], s1 = rect(0.3, 0.1);
        for (int i = 0; i < 12; i++) {
            s[i] = i >= 9 ? s1 : 0;
        }
        solve(&three, s, v);
        /* The balanced forms must hold at the voltages of each phase. */
        for (int i = 0; i < 12; i++) {
            cplx current = i >= 3 ? conj(s[i] / v[i]) : 0;
            uint32_t form = pof_net_bus(&one, (uint32_t)i / 3);
            for (uint32_t e = one.begin[form]; e < one.begin[form + 1] && i >= 3; e++) {
                current += rect(one.g[e], one.b[e]) * v[3 * one.to[e] + (uint32_t)i % 3];
            }
            worst = fmax(worst, cabs(current));
            worst = fmax(worst, cabs(v[i] * cexp(I * ((i % 3) * third)) - v[i - i % 3]));
        }
        floating += three.floating > 0;
        pof_net_release(&one);
        pof_net_release(&three);
    }
    ok(worst < 1e-9, "625 pairs of transformers, balanced: %g", worst);
    ok(floating > 100, "%d of them with a part that floats", floating);
    pof_grid_release(&f.g);
}

static cplx zero_of(const cplx *v)
{
    return (v[0] + v[1] + v[2]) / 3;
}

/* Unbalanced loads behind a delta on both sides: the part between floats and stays centred. */
static void test_floating(void)
{
    struct feeder f;
    struct pof_net net;
    struct pof_err err;
    make_feeder(&f);
    connect(&f, POF_WINDING_YN, POF_WINDING_D, POF_WINDING_D, POF_WINDING_YN);
    ok(pof_net_build(&net, &f.g, 3, &err) == 0, "YNd then Dyn");
    is_int(net.floating, 1, "one part floats");
    cplx s[12] = {0}, v[12];
    s[9] = 0.3, s[10] = 0.1, s[11] = rect(0.6, 0.1);
    int steps = solve(&net, s, v);
    ok(steps < 100, "solved in %d steps", steps);
    ok(cabs(zero_of(v + 3)) < 1e-8, "no zero sequence between: %g", cabs(zero_of(v + 3)));
    ok(cabs(zero_of(v + 9)) > 1e-3, "but one at the loads");
    pof_net_release(&net);

    f.line.b0 = 1e-4;
    connect(&f, POF_WINDING_YN, POF_WINDING_YN, POF_WINDING_YN, POF_WINDING_Y);
    ok(pof_net_build(&net, &f.g, 3, &err) == 0, "a cable behind a star without neutral");
    is_int(net.floating, 0, "grounds by its capacitance");
    pof_net_release(&net);
    f.line.b0 = 0;
    ok(pof_net_build(&net, &f.g, 3, &err) == 0 && net.floating == 1, "not without one");
    pof_net_release(&net);
    struct pof_node_phases shunt = {.has_zero = true};
    f.g.node[3].g_w = 1e4;
    ok(pof_net_build(&net, &f.g, 3, &err) == 0 && net.floating == 0, "a shunt grounds");
    pof_net_release(&net);
    f.g.node[3].phases = &shunt;
    ok(pof_net_build(&net, &f.g, 3, &err) == 0 && net.floating == 1, "not in delta");
    pof_net_release(&net);
    shunt.b_var[1] = 5;
    ok(pof_net_build(&net, &f.g, 3, &err) == 0 && net.floating == 0, "one phase is enough");
    pof_net_release(&net);

    f.g.branch[1].phases = NULL;
    is_int(pof_net_build(&net, &f.g, 3, &err), POF_E_PHYSICS, "unknown windings");
    ok(strstr(err.text, "transformer 'm'") != NULL, "%s", err.text);
    pof_grid_release(&f.g);
}

/* Shunts of phases: power of one at its voltage, zero sequence of its own. */
static void test_shunts(void)
{
    struct pof_node_phases p = {.g_w = {1e5, 0, 0}, .b_var = {0, 2e5, 0}, .has_zero = true,
                                .g0_w = 3e5};
    struct pof_node n = {.g_w = 6e5, .phases = &p};
    struct pof_grid g = {.base_va = 1e6, .node = &n, .nodes = 1};
    struct pof_y y;
    ok(pof_node_y(&g, 0, 3, &y), "a shunt");
    is_near(y.g[0], 0.5 + 0.3, 1e-15, "self, and 100 kW of phase a");
    is_near(y.g[1], -0.1, 1e-15, "mutual");
    is_near(y.b[4], 0.6, 1e-15, "200 kvar of phase b");
    n = (struct pof_node){0};
    ok(!pof_node_y(&g, 0, 3, &y), "none");
}

int main(void)
{
    test_windings();
    test_clock();
    test_zero_sequence();
    test_lines();
    test_neutral();
    test_shunts();
    test_balanced();
    test_floating();
    return done();
}
