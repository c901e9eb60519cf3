/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes of a grid from connectivity or topological nodes, and what is said about them. */
#include "grid/cim.h"

#include <math.h>
#include <string.h>

#define KILO 1e3

/* --- where things are connected --- */

static enum pofi_cim_prop node_prop(const struct pofi_cim *c)
{
    return c->by_topology ? CIM_Terminal_TopologicalNode : CIM_Terminal_ConnectivityNode;
}

/* Nodes are the finest ones that all terminals know. */
static void choose_nodes(struct pofi_cim *c)
{
    size_t fine = 0, all = 0;
    for (size_t i = 0; i < c->ids.n; i++) {
        if (c->object[i].class == CIM_Terminal && c->object[i].defined) {
            fine += pofi_cim_has(c, (uint32_t)i, CIM_Terminal_ConnectivityNode);
            all++;
        }
    }
    c->by_topology = fine < all || all == 0;
}

static bool connected(struct pofi_cim *c, uint32_t terminal)
{
    bool old = pofi_cim_flag(c, terminal, CIM_Terminal_connected, true);
    return pofi_cim_flag(c, terminal, CIM_ACDCTerminal_connected, old);
}

uint32_t pofi_cim_node_of(const struct pofi_cim *c, uint32_t terminal)
{
    uint32_t node = pofi_cim_ref_opt(c, terminal, node_prop(c));
    if (node == POF_NONE && c->by_topology) {
        uint32_t fine = pofi_cim_ref_opt(c, terminal, CIM_Terminal_ConnectivityNode);
        node = fine == POF_NONE ? POF_NONE : pofi_cim_ref_opt(c, fine, CIM_ConnectivityNode_TopologicalNode);
    }
    return node == POF_NONE ? POF_NONE : c->node_of[node];
}

/* Terminals are few: insertion by sequence number, then in the order of back references. */
static void insert(struct pofi_cim_terminal *t, size_t n, struct pofi_cim_terminal new)
{
    while (n > 0 && t[n - 1].sequence > new.sequence) {
        t[n] = t[n - 1];
        n--;
    }
    t[n] = new;
}

int pofi_cim_terminals(struct pofi_cim *c, uint32_t equipment, struct pofi_cim_terminal *t, size_t want)
{
    static const enum pofi_cim_prop sequence[] = {CIM_ACDCTerminal_sequenceNumber,
                                                  CIM_Terminal_sequenceNumber, CIM_PROPS};
    size_t n;
    char label[POFI_CIM_LABEL];
    const struct pofi_cim_back *b = pofi_cim_back(c, equipment, CIM_Terminal_ConductingEquipment, &n);
    if (n == 0) {
        c->no_terminal++;
        return 0;
    }
    if (n != want) {
        return pofi_cim_fail(c, equipment, CIM_PROPS, POF_E_TOPOLOGY, "%s has %zu terminals, %zu are expected",
                             pofi_cim_label(c, equipment, label), n, want);
    }
    for (size_t i = 0; i < n && c->rc == 0; i++) {
        struct pofi_cim_terminal new = {.object = b[i].source, .node = POF_NONE};
        new.sequence = pofi_cim_real_of(c, new.object, sequence, 0);
        new.home = pofi_cim_node_of(c, new.object);
        new.base_v = new.home == POF_NONE ? 0 : c->build.grid->node[new.home].base_v;
        if (connected(c, new.object)) {
            new.node = new.home;
            pofi_cim_ref(c, new.object, node_prop(c)); /* says where a reference leads nowhere */
        }
        if (connected(c, new.object) && new.node == POF_NONE) {
            pofi_cim_fail(c, new.object, CIM_PROPS, POF_E_REFERENCE,
                          "a terminal of %s is connected, but to no node; is the topology (TP) missing?",
                          pofi_cim_label(c, equipment, label));
        }
        insert(t, i, new);
    }
    return c->rc ? c->rc : 1;
}

/* --- nominal voltages --- */

/* A bay lies in a voltage level; anything deeper, or in a circle, is not looked through. */
static uint32_t voltage_level(struct pofi_cim *c, uint32_t container)
{
    for (int depth = 0; container != POF_NONE && depth < 4; depth++) {
        if (c->object[container].class == CIM_VoltageLevel) {
            return container;
        }
        container = pofi_cim_ref_opt(c, container, CIM_Bay_VoltageLevel);
    }
    return POF_NONE;
}

static uint32_t level_of_node(struct pofi_cim *c, uint32_t node)
{
    enum pofi_cim_prop prop = c->by_topology ? CIM_TopologicalNode_ConnectivityNodeContainer
                                             : CIM_ConnectivityNode_ConnectivityNodeContainer;
    return voltage_level(c, pofi_cim_ref_opt(c, node, prop));
}

/* Of what is connected, as boundary nodes lie in lines: the first in order that says so. */
static uint32_t base_of_neighbours(struct pofi_cim *c, uint32_t node)
{
    size_t n;
    const struct pofi_cim_back *b = pofi_cim_back(c, node, node_prop(c), &n);
    for (size_t i = 0; i < n; i++) {
        uint32_t part = pofi_cim_ref_opt(c, b[i].source, CIM_Terminal_ConductingEquipment);
        uint32_t end = pofi_cim_one(c, b[i].source, CIM_TransformerEnd_Terminal);
        uint32_t base = end != POF_NONE ? pofi_cim_ref_opt(c, end, CIM_TransformerEnd_BaseVoltage)
                                        : pofi_cim_ref_opt(c, part, CIM_ConductingEquipment_BaseVoltage);
        if (base == POF_NONE && part != POF_NONE) {
            uint32_t level = voltage_level(c, pofi_cim_ref_opt(c, part, CIM_Equipment_EquipmentContainer));
            base = level == POF_NONE ? POF_NONE : pofi_cim_ref_opt(c, level, CIM_VoltageLevel_BaseVoltage);
        }
        if (base != POF_NONE) {
            return base;
        }
    }
    return POF_NONE;
}

static double base_voltage(struct pofi_cim *c, uint32_t node)
{
    char label[POFI_CIM_LABEL];
    uint32_t level = level_of_node(c, node);
    uint32_t base = pofi_cim_ref_opt(c, node, CIM_TopologicalNode_BaseVoltage);
    base = base == POF_NONE && level != POF_NONE ? pofi_cim_ref(c, level, CIM_VoltageLevel_BaseVoltage) : base;
    base = base == POF_NONE ? base_of_neighbours(c, node) : base;
    if (base == POF_NONE) {
        pofi_cim_fail(c, node, CIM_PROPS, POF_E_MISSING,
                      "%s has no base voltage, nor has anything connected to it; is the boundary (EQBD) missing?",
                      pofi_cim_label(c, node, label));
        return 0;
    }
    double kv = pofi_cim_real(c, base, CIM_BaseVoltage_nominalVoltage, 0);
    if (!(kv >= 0.05 && kv <= 1500)) {
        pofi_cim_fail(c, base, CIM_BaseVoltage_nominalVoltage, POF_E_PHYSICS,
                      "nominal voltage %.15g is not in 0.05 .. 1500 kV", kv);
    }
    return kv * KILO;
}

/* --- making them --- */

static int build_node(struct pofi_cim *c, const struct pof_node *n, uint32_t object)
{
    struct pof_grid *g = c->build.grid;
    int rc = pof_grow(&c->object_of, &c->object_of_cap, (size_t)g->nodes + 1, sizeof *c->object_of, c->err);
    rc = rc ? rc : pof_build_node(&c->build, n, c->err);
    if (rc == 0) {
        c->object_of[g->nodes - 1] = object;
    }
    return rc;
}

int pofi_cim_extra_node(struct pofi_cim *c, uint32_t object, const char *suffix, double base_v,
                        uint32_t *node)
{
    char text[POF_GRID_NAME_MAX + 1];
    struct pof_grid *g = c->build.grid;
    struct pof_node n = pof_node_default(pofi_cim_name(c, object, suffix, &g->node_names, text), base_v);
    c->rc = c->rc ? c->rc : build_node(c, &n, POF_NONE);
    *node = g->nodes - 1;
    return c->rc;
}

static int add_node(struct pofi_cim *c, uint32_t object)
{
    char text[POF_GRID_NAME_MAX + 1];
    struct pof_grid *g = c->build.grid;
    double v = base_voltage(c, object);
    struct pof_node n = pof_node_default(pofi_cim_name(c, object, "", &g->node_names, text), v);
    int rc = c->rc ? c->rc : build_node(c, &n, object);
    if (rc) {
        c->rc = rc;
        return pof_at(c->err, c->input->document[c->object[object].at.file].name, c->object[object].at.line, NULL);
    }
    c->node_of[object] = g->nodes - 1;
    return 0;
}

/* Without TP a terminal says its connectivity node; then the topological node is found through it. */
static bool has_terminals(const struct pofi_cim *c, uint32_t node)
{
    size_t n, fine;
    pofi_cim_back(c, node, node_prop(c), &n);
    const struct pofi_cim_back *b = pofi_cim_back(c, node, CIM_ConnectivityNode_TopologicalNode, &fine);
    for (size_t i = 0; i < fine && n == 0 && c->by_topology; i++) {
        pofi_cim_back(c, b[i].source, CIM_Terminal_ConnectivityNode, &n);
    }
    return n > 0;
}

int pofi_cim_nodes(struct pofi_cim *c)
{
    choose_nodes(c);
    uint32_t class = c->by_topology ? CIM_TopologicalNode : CIM_ConnectivityNode;
    for (size_t i = 0; i < c->ids.n && c->rc == 0; i++) {
        uint32_t o = c->order[i];
        if (c->object[o].class != class || !c->object[o].defined) {
            continue;
        }
        if (!has_terminals(c, o)) {
            c->unused++;
            continue;
        }
        add_node(c, o);
    }
    if (c->rc == 0 && c->build.grid->nodes == 0) {
        c->rc = pof_fail(c->err, POF_E_MISSING,
                         "no nodes: neither terminals with connectivity nodes (EQ of a node-breaker model) nor "
                         "with topological nodes (TP)");
        return pof_at(c->err, c->input->document[0].name, 0, NULL);
    }
    return c->rc;
}

int pofi_cim_state(struct pofi_cim *c, uint32_t node, double *v, double *angle)
{
    uint32_t o = c->object_of[node];
    if (o != POF_NONE && !c->by_topology) {
        o = pofi_cim_ref_opt(c, o, CIM_ConnectivityNode_TopologicalNode);
    }
    size_t n = 0;
    const struct pofi_cim_back *b =
        o == POF_NONE ? NULL : pofi_cim_back(c, o, CIM_SvVoltage_TopologicalNode, &n);
    char label[POFI_CIM_LABEL];
    for (size_t i = 0; i < n; i++) {
        double kv = pofi_cim_real(c, b[i].source, CIM_SvVoltage_v, 0);
        double deg = pofi_cim_real(c, b[i].source, CIM_SvVoltage_angle, 0);
        if (i > 0 && (kv * KILO != *v || pof_rad_of_deg(deg) != *angle)) {
            return pofi_cim_fail(c, b[i].source, CIM_SvVoltage_v, POF_E_CONFLICT,
                                 "two solved states describe %s; give the documents of one",
                                 pofi_cim_label(c, o, label));
        }
        *v = kv * KILO;
        *angle = pof_rad_of_deg(deg);
    }
    return c->rc ? c->rc : n > 0 && *v > 0;
}

/* --- limits --- */

static void tighten(struct pofi_cim *c, uint32_t terminal, double *low, double *high)
{
    pofi_cim_voltage_limits(c, terminal, low, high);
    uint32_t part = pofi_cim_ref_opt(c, terminal, CIM_Terminal_ConductingEquipment);
    if (part != POF_NONE && pofi_cim_role(c->object[part].class) == CIM_ROLE_PASSIVE) {
        pofi_cim_voltage_limits(c, part, low, high);
    }
}

int pofi_cim_node_limits(struct pofi_cim *c)
{
    struct pof_grid *g = c->build.grid;
    for (uint32_t i = 0; i < g->nodes && c->rc == 0; i++) {
        uint32_t o = c->object_of[i];
        if (o == POF_NONE) {
            continue;
        }
        uint32_t level = level_of_node(c, o);
        double low = level == POF_NONE ? 0 : pofi_cim_real(c, level, CIM_VoltageLevel_lowVoltageLimit, 0) * KILO;
        double high = level == POF_NONE ? 0 : pofi_cim_real(c, level, CIM_VoltageLevel_highVoltageLimit, 0) * KILO;
        size_t n;
        const struct pofi_cim_back *b = pofi_cim_back(c, o, node_prop(c), &n);
        for (size_t k = 0; k < n; k++) {
            tighten(c, b[k].source, &low, &high);
        }
        struct pof_node *node = &g->node[i];
        double v_min = low > 0 ? low / node->base_v : node->v_min_pu;
        double v_max = high > 0 ? high / node->base_v : node->v_max_pu;
        if (v_min < v_max && v_min < 2 && v_max < 3) {
            node->v_min_pu = v_min;
            node->v_max_pu = v_max;
        } else {
            c->bad_limits++;
        }
    }
    return c->rc;
}

/* --- places --- */

static bool location_of(const struct pofi_cim *c, uint32_t object, uint32_t *location)
{
    *location = object == POF_NONE ? POF_NONE : pofi_cim_one(c, object, CIM_Location_PowerSystemResources);
    if (*location == POF_NONE && object != POF_NONE) {
        *location = pofi_cim_ref_opt(c, object, CIM_PowerSystemResource_Location);
    }
    return *location != POF_NONE;
}

/* The first or last point of a location. */
static bool point_of(struct pofi_cim *c, uint32_t location, bool last, double *x, double *y)
{
    size_t n;
    const struct pofi_cim_back *b = pofi_cim_back(c, location, CIM_PositionPoint_Location, &n);
    uint32_t best = POF_NONE;
    double at = 0;
    for (size_t i = 0; i < n; i++) {
        double s = pofi_cim_real(c, b[i].source, CIM_PositionPoint_sequenceNumber, 0);
        if (best == POF_NONE || (last ? s > at : s < at)) {
            best = b[i].source;
            at = s;
        }
    }
    if (best == POF_NONE || !pofi_cim_has(c, best, CIM_PositionPoint_xPosition)) {
        return false;
    }
    *x = pofi_cim_real(c, best, CIM_PositionPoint_xPosition, 0);
    *y = pofi_cim_real(c, best, CIM_PositionPoint_yPosition, 0);
    return true;
}

/* A node is where its substation is, else where a line ends at it. */
static bool place_of(struct pofi_cim *c, uint32_t node, double *x, double *y)
{
    uint32_t level = level_of_node(c, node), location;
    uint32_t station = level == POF_NONE ? POF_NONE : pofi_cim_ref_opt(c, level, CIM_VoltageLevel_Substation);
    if (location_of(c, station, &location) && point_of(c, location, false, x, y)) {
        return true;
    }
    static const enum pofi_cim_prop sequence[] = {CIM_ACDCTerminal_sequenceNumber,
                                                  CIM_Terminal_sequenceNumber, CIM_PROPS};
    size_t n;
    const struct pofi_cim_back *b = pofi_cim_back(c, node, node_prop(c), &n);
    for (size_t i = 0; i < n; i++) {
        uint32_t part = pofi_cim_ref_opt(c, b[i].source, CIM_Terminal_ConductingEquipment);
        bool last = pofi_cim_real_of(c, b[i].source, sequence, 1) > 1;
        if (location_of(c, part, &location) && point_of(c, location, last, x, y)) {
            return true;
        }
    }
    return false;
}

int pofi_cim_coordinates(struct pofi_cim *c)
{
    struct pof_grid *g = c->build.grid;
    for (uint32_t i = 0; i < g->nodes && c->rc == 0; i++) {
        double x, y;
        if (c->object_of[i] != POF_NONE && place_of(c, c->object_of[i], &x, &y) && c->rc == 0 &&
            fabs(x) <= 1e12 && fabs(y) <= 1e12) {
            g->node[i].has_xy = true;
            g->node[i].x = x;
            g->node[i].y = y;
        }
    }
    return c->rc;
}
