/* SPDX-License-Identifier: Apache-2.0 */
/* The network as linear forms: against flows by the pi model, and what is refused. */
#include "grid/admittance.h"
#include "grid/build.h"
#include "grid/net.h"
#include "tap.h"

#include <complex.h>
#include <time.h>

typedef double complex cplx;

static double uniform(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / 9007199254740992.0;
}

/* Nodes n0, n1 ... of 20 kV, n0 slack. */
static void add_nodes(struct pof_build *b, uint32_t n)
{
    struct pof_err err;
    for (uint32_t i = 0; i < n; i++) {
        char name[16];
        size_t len = (size_t)snprintf(name, sizeof name, "n%u", i);
        struct pof_node node = pof_node_default((struct pof_text){name, len}, 20000);
        node.kind = i == 0 ? POF_NODE_SLACK : POF_NODE_PQ;
        if (pof_build_node(b, &node, &err)) {
            printf("# %s\n", err.text);
        }
    }
}

static struct pof_branch *add_branch(struct pof_build *b, enum pof_branch_kind kind, uint32_t from,
                                     uint32_t to)
{
    struct pof_err err;
    char name[16];
    size_t len = (size_t)snprintf(name, sizeof name, "b%u", b->grid->branches);
    struct pof_branch branch = {.name = {name, len}, .kind = kind, .from = from, .to = to,
                                .ratio = 1, .closed = true};
    branch.x = kind == POF_BRANCH_SWITCH ? POF_SWITCH_X_PER_VA * b->grid->base_va : 0.1;
    if (pof_build_branch(b, &branch, &err)) {
        printf("# %s\n", err.text);
    }
    return &b->grid->branch[b->grid->branches - 1];
}

/* A tree with some meshes, parallel branches, transformers, shunts, switches that join or are open,
 * and an island without slack. */
static void random_grid(struct pof_grid *g, uint32_t n, uint64_t seed)
{
    *g = (struct pof_grid){.base_va = 1e6, .f_hz = 50};
    struct pof_build b = {.grid = g};
    add_nodes(&b, n);
    for (uint32_t i = 1; i < n; i++) {
        g->node[i].g_w = uniform(&seed) < 0.3 ? 1e4 * uniform(&seed) : 0;
        g->node[i].b_var = uniform(&seed) < 0.3 ? 1e4 * uniform(&seed) : 0;
        if (i == n - 3) {
            continue; /* the last three hang together, and on nothing else */
        }
        uint32_t to = i > n - 3 ? n - 3 : (uint32_t)(uniform(&seed) * i);
        double kind = uniform(&seed);
        bool up = uniform(&seed) < 0.5;
        struct pof_branch *r =
            add_branch(&b, kind < 0.3 ? POF_BRANCH_SWITCH : POF_BRANCH_TRANSFORMER, up ? to : i,
                       up ? i : to);
        if (r->kind == POF_BRANCH_SWITCH) {
            continue;
        }
        r->r = 0.1 * uniform(&seed);
        r->x = 0.1 + 0.1 * uniform(&seed);
        r->g = 0.01 * uniform(&seed);
        r->b = 0.01 * uniform(&seed);
        r->ratio = 0.9 + 0.2 * uniform(&seed);
        r->shift = uniform(&seed) - 0.5;
        if (uniform(&seed) < 0.3) {
            struct pof_branch copy = *r;
            struct pof_branch *twin = add_branch(&b, POF_BRANCH_TRANSFORMER, copy.to, copy.from);
            twin->r = copy.r / 2;
            twin->closed = uniform(&seed) < 0.7;
        }
    }
}

static cplx form(const struct pof_net *net, uint32_t k, const cplx *v)
{
    cplx i = 0;
    for (uint32_t e = net->begin[k]; e < net->begin[k + 1]; e++) {
        i += (net->g[e] + I * net->b[e]) * v[net->to[e]];
    }
    return i;
}

static bool ascending(const struct pof_net *net)
{
    for (uint32_t k = 0; k < net->forms; k++) {
        for (uint32_t e = net->begin[k] + 1; e < net->begin[k + 1]; e++) {
            if (net->to[e - 1] >= net->to[e]) {
                return false;
            }
        }
    }
    return net->begin[net->forms] > 0;
}

/* Powers of all forms at random voltages against pof_pi_flow and the shunts. */
static void compare_forms(const struct pof_grid *g, const struct pof_net *net, uint64_t seed)
{
    cplx *v = malloc(net->nodes * sizeof *v), *sum = calloc(net->nodes, sizeof *sum);
    double worst = 0, scale = 1;
    for (uint32_t i = 0; i < net->nodes; i++) {
        v[i] = (0.9 + 0.2 * uniform(&seed)) * cexp(I * uniform(&seed));
    }
    for (uint32_t k = 0; k < g->branches; k++) {
        const struct pof_branch *b = &g->branch[k];
        uint32_t f = net->bus_of[b->from], t = net->bus_of[b->to];
        uint32_t at[] = {pof_net_end(net, k, false, 0), pof_net_end(net, k, true, 0)};
        if (!b->closed || f == POF_NONE || pof_branch_ideal(g, b)) {
            worst += net->at[at[0]] != POF_NONE || net->at[at[1]] != POF_NONE ||
                     net->begin[at[0]] != net->begin[at[1] + 1];
            continue;
        }
        struct pof_pi pi = pof_branch_pi(b);
        struct pof_flow s = pof_pi_flow(&pi, cabs(v[f]), carg(v[f]), cabs(v[t]), carg(v[t]));
        cplx want[] = {s.p_from + I * s.q_from, s.p_to + I * s.q_to};
        for (int e = 0; e < 2; e++) {
            uint32_t bus = e ? t : f;
            worst += net->at[at[e]] != bus;
            worst = fmax(worst, cabs(v[bus] * conj(form(net, at[e], v)) - want[e]));
            sum[bus] += want[e];
            scale = fmax(scale, cabs(want[e]));
        }
    }
    for (uint32_t i = 0; i < g->nodes; i++) {
        if (net->bus_of[i] != POF_NONE) {
            uint32_t bus = net->bus_of[i];
            sum[bus] += (g->node[i].g_w - I * g->node[i].b_var) / g->base_va * v[bus] * conj(v[bus]);
        }
    }
    for (uint32_t i = 0; i < net->nodes; i++) {
        uint32_t k = pof_net_bus(net, i);
        worst += net->at[k] != i;
        worst = fmax(worst, cabs(v[i] * conj(form(net, k, v)) - sum[i]));
    }
    ok(worst < 1e-12 * scale, "forms give the powers of the pi model: %g of %g", worst, scale);
    free(v);
    free(sum);
}

static void test_random(void)
{
    uint32_t merged = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct pof_grid g;
        struct pof_net net;
        struct pof_err err = {0};
        random_grid(&g, (uint32_t)(10 + 7 * seed), seed);
        if (!ok(pof_net_build(&net, &g, 1, &err) == 0, "seed %d is a network",
                (int)seed)) {
            printf("# %s\n", err.text);
            pof_grid_release(&g);
            continue;
        }
        ok(ascending(&net), "entries ascend in each form");
        ok(net.bus_of[0] == 0 && net.bus_of[g.nodes - 1] == POF_NONE && net.slack_of[net.buses - 1] == 0,
           "what hangs on no slack is left out");
        bool right = true;
        for (uint32_t i = 0; i < net.buses; i++) {
            right = right && net.bus_of[net.first_of[i]] == i &&
                    (i == 0 || net.first_of[i - 1] < net.first_of[i]);
        }
        ok(right, "buses are numbered by their first node");
        merged += g.nodes - 3 - net.buses;
        compare_forms(&g, &net, seed);
        pof_net_release(&net);
        pof_grid_release(&g);
    }
    ok(merged > 100, "%u nodes were merged", merged);
}

/* Two slack nodes, a transformer between them, islands: who hangs on whom at which angle. */
static void test_islands(void)
{
    struct pof_grid g = {.base_va = 1e6, .f_hz = 50};
    struct pof_build b = {.grid = &g};
    struct pof_net net;
    struct pof_err err = {0};
    add_nodes(&b, 7);
    g.node[0].v_set_pu = 1.02;
    g.node[0].angle_set = 0.1;
    add_branch(&b, POF_BRANCH_TRANSFORMER, 0, 1)->shift = 0.5;
    add_branch(&b, POF_BRANCH_TRANSFORMER, 2, 1)->shift = 0.2;
    add_branch(&b, POF_BRANCH_SWITCH, 4, 2);
    add_branch(&b, POF_BRANCH_LINE, 2, 3)->closed = false;
    add_branch(&b, POF_BRANCH_LINE, 5, 3);
    add_branch(&b, POF_BRANCH_SWITCH, 1, 6)->closed = false;
    g.node[5].kind = POF_NODE_SLACK;
    g.node[5].v_set_pu = 0.98;
    ok(pof_net_build(&net, &g, 1, &err) == 0, "two islands and a node alone");
    is_int(net.buses, 5, "buses");
    ok(net.bus_of[2] == net.bus_of[4] && net.bus_of[6] == POF_NONE, "merged, and left out");
    is_near(net.flat_a[net.bus_of[1]], -0.4, 1e-15, "down a transformer");
    is_near(net.flat_a[net.bus_of[4]], -0.2, 1e-15, "and up another");
    is_near(net.flat_v[net.bus_of[4]], 1.02, 0, "at the voltage of the slack");
    is_near(net.flat_v[net.bus_of[3]], 0.98, 0, "each island its own");
    ok(net.slack_of[net.bus_of[3]] == net.bus_of[5] && net.slack_of[net.bus_of[4]] == 0,
       "each hangs on its slack");
    pof_net_release(&net);

    g.node[4].kind = POF_NODE_SLACK;
    g.node[4].angle_set = 0.3;
    ok(pof_net_build(&net, &g, 1, &err) == 0, "a second slack in one island");
    is_near(net.flat_a[net.bus_of[2]], 0.3, 0, "has its own angle");
    is_int(net.slack_of[net.bus_of[2]], 0, "and belongs to the island of the first");
    pof_net_release(&net);

    g.node[2].kind = POF_NODE_SLACK;
    is_int(pof_net_build(&net, &g, 1, &err), POF_E_TOPOLOGY, "two slacks of one bus that differ");
    ok(strstr(err.text, "'n2' and 'n4'") != NULL, "%s", err.text);
    g.node[2].angle_set = 0.3;
    ok(pof_net_build(&net, &g, 1, &err) == 0, "agreeing ones are fine");
    pof_net_release(&net);

    g.node[0].kind = g.node[2].kind = g.node[4].kind = g.node[5].kind = POF_NODE_PQ;
    is_int(pof_net_build(&net, &g, 1, &err), POF_E_TOPOLOGY, "no slack");
    g.node[0].kind = POF_NODE_SLACK;
    g.branch[2].from = 1;
    /* power-grid-model's cases have transformers and lines into their own node, and lines that a
     * closed link bypasses: they take what their shunts and their ratio make of one voltage. */
    g.branch[2].g = 0.25;
    g.branch[2].ratio = 1.25;
    ok(pof_net_build(&net, &g, 1, &err) == 0, "a transformer into one bus");
    ok(ascending(&net), "its forms name the bus once");
    compare_forms(&g, &net, 7);
    pof_net_release(&net);
    is_int(pof_net_build(&net, &g, 2, &err), POF_E_RANGE, "two phases");
    pof_grid_release(&g);
}

static void test_ideal(void)
{
    struct pof_grid g = {.base_va = 1e6};
    struct pof_branch b = {.kind = POF_BRANCH_SWITCH, .closed = true};
    ok(pof_branch_ideal(&g, &b), "a closed switch");
    b.x = POF_SWITCH_X_PER_VA * g.base_va;
    ok(pof_branch_ideal(&g, &b), "with the stand-in reactance");
    b.closed = false;
    ok(!pof_branch_ideal(&g, &b), "not an open one");
    b.closed = true;
    b.x = 0.1;
    ok(!pof_branch_ideal(&g, &b), "nor one with impedance");
    b.x = 0;
    b.kind = POF_BRANCH_LINE;
    ok(!pof_branch_ideal(&g, &b), "nor a line");
}

/* A chain 0-1-2, a ring 3-4-5-6 (the last of its switches twice), 7 alone by a line. */
static void test_couplers(void)
{
    struct pof_grid g = {.base_va = 1e6, .f_hz = 50};
    struct pof_build b = {.grid = &g};
    struct pof_net net;
    struct pof_err err = {0};
    static const uint32_t ends[][2] = {{1, 0}, {1, 2}, {3, 4}, {4, 5}, {6, 5}, {6, 3}, {3, 6}};
    add_nodes(&b, 8);
    for (size_t k = 0; k < sizeof ends / sizeof ends[0]; k++) {
        add_branch(&b, POF_BRANCH_SWITCH, ends[k][0], ends[k][1]);
    }
    add_branch(&b, POF_BRANCH_LINE, 2, 3);
    add_branch(&b, POF_BRANCH_LINE, 0, 7);
    ok(pof_net_build(&net, &g, 1, &err) == 0, "chain and ring");
    is_int(net.buses, 3, "buses");
    double out[8] = {-5, 2, 3, -6, 0, 4, 2, 1}, flow[9] = {9, 9, 9, 9, 9, 9, 9, 8, 7};
    ok(pof_net_couplers(&net, out, flow, &err) == 0, "flows");
    is_near(flow[0], -5, 1e-15, "from the slack down the chain");
    is_near(flow[1], 3, 1e-15, "what the end takes");
    ok(flow[7] == 8 && flow[8] == 7, "lines are left alone");
    /* Both switches 3-6 carry the same; voltages round the ring sum up to nothing. */
    is_near(flow[5], -flow[6], 1e-14, "twins share");
    is_near(flow[2] + flow[3] - flow[4] + flow[5], 0, 1e-14, "no drop round the ring");
    is_near(flow[2] + flow[6] - flow[5], 6, 1e-14, "section 3 balances");
    is_near(flow[3] - flow[2], 0, 1e-14, "section 4");
    is_near(flow[3] + flow[4], 4, 1e-14, "section 5");
    is_near(flow[6] - flow[5] - flow[4], 2, 1e-14, "section 6");
    pof_net_release(&net);
    pof_grid_release(&g);
}

/* A feeder of 100000 nodes: time is told, the shape of the entries tested. */
static void test_large(void)
{
    enum { N = 100000 };
    struct pof_grid g = {.base_va = 1e6, .f_hz = 50};
    struct pof_build b = {.grid = &g};
    struct pof_net net;
    struct pof_err err = {0};
    uint64_t seed = 7;
    add_nodes(&b, N);
    for (uint32_t i = 1; i < N; i++) {
        uint32_t back = 1 + (uint32_t)(uniform(&seed) * 30);
        add_branch(&b, POF_BRANCH_LINE, i > back ? i - back : 0, i);
    }
    double best = 1;
    for (int round = 0; round < 3; round++) {
        clock_t start = clock();
        if (!ok(pof_net_build(&net, &g, 1, &err) == 0, "100000 nodes")) {
            break;
        }
        best = fmin(best, (double)(clock() - start) / CLOCKS_PER_SEC);
        is_int(net.begin[net.forms], 4 * (N - 1) + N + 2 * (N - 1), "entries");
        pof_net_release(&net);
    }
    printf("# built in %.1f ms\n", best * 1e3);
    pof_grid_release(&g);
}

int main(void)
{
    test_ideal();
    test_random();
    test_islands();
    test_couplers();
    test_large();
    return done();
}
