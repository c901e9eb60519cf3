/* SPDX-License-Identifier: Apache-2.0 */
/* Fictional distribution grids. */
#include "flex/feeders.h"

#include "grid/build.h"
#include "num/gauss.h"
#include "num/rng.h"

#include <inttypes.h>
#include <stdio.h>

/* Nodes of the medium-voltage level: one for so many nodes in all, so many in a feeder. */
enum { NODES_A_STATION = 25, STATIONS_A_FEEDER = 10 };
/* A substation transformer of 40 MVA carries the loads of about so many nodes. */
enum { NODES_A_TRANSFORMER = 100000 };

/* What is drawn for a node; the place of its numbers in the stream. */
enum draw { LENGTH, CONNECTED, PLANT, POWER, REACTIVE };

struct making {
    struct pof_build build;
    const struct pof_feeders_options *o;
    struct pof_err *err;
};

/* Uniform in (from, to), to three decimals of the unit: documents stay readable. */
static double draw(const struct making *m, enum draw what, double from, double to)
{
    double u = pof_unit(pof_random(m->o->seed, m->build.grid->nodes, (uint64_t)what));
    double steps = (double)(int64_t)((from + u * (to - from)) * 1000 + 0.5);
    return steps / 1000;
}

static bool chance(const struct making *m, enum draw what, double share)
{
    return pof_unit(pof_random(m->o->seed, m->build.grid->nodes, (uint64_t)what)) < share;
}

/* A branch to the node that was added last. */
static int join(struct making *m, uint32_t from, const struct pof_asset *asset)
{
    struct pof_grid *g = m->build.grid;
    char name[POF_GRID_NAME_MAX];
    bool plate = asset->form == POF_FORM_PLATE;
    const struct pof_node *far = &g->node[g->nodes - 1];
    snprintf(name, sizeof name, "%s-%.*s", plate ? "tr" : "line", (int)far->name.len, far->name.ptr);
    struct pof_branch b = {.name = pof_text(name),
                           .kind = plate ? POF_BRANCH_TRANSFORMER : POF_BRANCH_LINE,
                           .from = from,
                           .to = g->nodes - 1,
                           .ratio = 1,
                           .rating_va = plate ? asset->sn_va : 0,
                           .closed = true,
                           .asset = asset};
    if (!pof_asset_model(g, asset, &b)) {
        return pof_fail(m->err, POF_E_INTERNAL, "losses of '%s' exceed its impedance", name);
    }
    return pof_build_branch(&m->build, &b, m->err);
}

static int add_node(struct making *m, const char *name, double base_v)
{
    struct pof_node n = pof_node_default(pof_text(name), base_v);
    n.zero_injection = true;
    return pof_build_node(&m->build, &n, m->err);
}

/* A low-voltage node in a row, with its cable. */
static int add_customer(struct making *m, const char *name)
{
    uint32_t before = m->build.grid->nodes - 1;
    struct pof_node n = pof_node_default(pof_text(name), 420);
    n.zero_injection = !chance(m, CONNECTED, 0.8);
    if (!n.zero_injection) {
        bool plant = chance(m, PLANT, 0.15);
        double kw = plant ? draw(m, POWER, 0.5, 3) : draw(m, POWER, 0.2, 1.5);
        n.p_w = (plant ? -1000 : 1000) * kw;
        n.q_var = (double)(int64_t)(draw(m, REACTIVE, 0.1, 0.4) * kw * 1000);
    }
    const struct pof_asset cable = {.form = POF_FORM_PER_KM,
                                    .length_km = draw(m, LENGTH, 0.01, 0.05),
                                    .r_ohm = 0.206,
                                    .x_ohm = 0.08,
                                    .c_nf = 600,
                                    .rating_a = 270};
    int rc = pof_build_node(&m->build, &n, m->err);
    return rc ? rc : join(m, before, &cable);
}

/* A medium-voltage node behind `from`, its transformer, and `customers` nodes behind that. */
static int add_station(struct making *m, uint32_t number, uint32_t from, uint32_t customers)
{
    static const struct pof_asset transformer = {.form = POF_FORM_PLATE,
                                                 .sn_va = 400e3,
                                                 .v_from = 10500,
                                                 .v_to = 420,
                                                 .uk_pct = 4.12,
                                                 .pk_w = 4000};
    const struct pof_asset cable = {.form = POF_FORM_PER_KM,
                                    .length_km = draw(m, LENGTH, 0.1, 0.5),
                                    .r_ohm = 0.125,
                                    .x_ohm = 0.1,
                                    .c_nf = 300,
                                    .rating_a = 415};
    uint32_t station = m->build.grid->nodes;
    char name[POF_GRID_NAME_MAX];
    snprintf(name, sizeof name, "m%" PRIu32, number);
    int rc = add_node(m, name, 10500);
    rc = rc ? rc : join(m, from, &cable);
    for (uint32_t i = 0; i < customers && rc == 0; i++) {
        snprintf(name, sizeof name, "m%" PRIu32 ".%" PRIu32, number, i);
        rc = i ? add_customer(m, name) : add_node(m, name, 420);
        rc = rc || i ? rc : join(m, station, &transformer);
    }
    return rc;
}

static int add_substation(struct making *m)
{
    double units = (double)(1 + (m->o->nodes - 1) / NODES_A_TRANSFORMER);
    const struct pof_asset transformer = {.form = POF_FORM_PLATE,
                                          .sn_va = 40e6 * units,
                                          .v_from = 110000,
                                          .v_to = 10500,
                                          .uk_pct = 12,
                                          .pk_w = 200e3 * units,
                                          .tap_pct = -2};
    struct pof_node hv = pof_node_default(pof_text("hv"), 110000);
    hv.kind = POF_NODE_SLACK;
    hv.v_set_pu = 1.02;
    int rc = pof_build_node(&m->build, &hv, m->err);
    rc = rc ? rc : add_node(m, "busbar", 10500);
    return rc ? rc : join(m, 0, &transformer);
}

/* All feeders start at the busbar, node 1; stations and customers are as many as equal shares give,
 * the first ones one more. */
int pof_feeders_make(struct pof_grid *grid, const struct pof_feeders_options *options,
                     struct pof_err *err)
{
    struct making m = {.build = {.grid = grid}, .o = options, .err = err};
    *grid = (struct pof_grid){.base_va = 1e6, .f_hz = 50};
    if (options->nodes < POF_FEEDERS_MIN || options->nodes > POF_FEEDERS_MAX) {
        return pof_fail(err, POF_E_RANGE, "%" PRIu32 " nodes: expected %d to %d", options->nodes,
                        POF_FEEDERS_MIN, POF_FEEDERS_MAX);
    }
    uint32_t stations = (options->nodes - 2 + NODES_A_STATION / 2) / NODES_A_STATION;
    stations = stations ? stations : 1;
    uint32_t customers = options->nodes - 2 - stations;
    char *name = pof_arena_alloc(&grid->arena, POF_GRID_NAME_MAX, err);
    if (!name) {
        return POF_E_NOMEM;
    }
    int n = snprintf(name, POF_GRID_NAME_MAX, "feeders-%" PRIu32 "-%" PRIu64, options->nodes,
                     options->seed);
    grid->name = (struct pof_text){name, (size_t)n};
    int rc = add_substation(&m);
    uint32_t from = 1;
    for (uint32_t i = 0; i < stations && rc == 0; i++) {
        from = i % STATIONS_A_FEEDER == 0 ? 1 : from;
        uint32_t station = grid->nodes;
        rc = add_station(&m, i, from, customers / stations + (i < customers % stations));
        from = station;
    }
    return rc ? rc : pof_build_finish(&m.build, err);
}
