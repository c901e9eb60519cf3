/* SPDX-License-Identifier: Apache-2.0 */
/* The members of pof.grid/1, with their units and what they may be. */
#include "grid/document.h"

#define IN_V "the unit is V: 20 kV is 20000"
#define IN_VA "the unit is VA: 25 MVA is 25000000"

const struct pof_json_range pofi_volts = {50, 1.5e6, IN_V};
const struct pof_json_range pofi_rating_a = {1e-3, 1e6, "the unit is A"};
const struct pof_json_range pofi_rating_va = {0, 1e12, "the unit is VA: 1 MVA is 1000000"};
const struct pof_json_range pofi_degrees = {-360, 360, "the unit is degrees"};
const struct pof_json_range pofi_anywhere = {-1e12, 1e12, NULL};
const struct pof_json_range pofi_base_va = {1, 1e12, "the unit is VA: 1 MVA is 1000000"};
const struct pof_json_range pofi_hertz = {1, 1000, NULL};

#define NODE(key, member) key, offsetof(struct pof_node, member)
#define BRANCH(key, member) key, offsetof(struct pof_branch, member)
#define ASSET(key, member) key, offsetof(struct pof_asset, member)

const struct pofi_member pofi_node_held[] = {
    {NODE("v_set_pu", v_set_pu), true, 1, {0.5, 1.5, "it is in p.u. of base_v"}}, {0}};

const struct pofi_member pofi_node_members[] = {
    {NODE("p_w", p_w), false, 0, {-1e12, 1e12, NULL}},
    {NODE("q_var", q_var), false, 0, {-1e12, 1e12, NULL}},
    {NODE("ip_w", ip_w), false, 0, {-1e12, 1e12, NULL}},
    {NODE("iq_var", iq_var), false, 0, {-1e12, 1e12, NULL}},
    {NODE("slack_share", slack_share), false, 0, {0, 1e12, NULL}},
    {NODE("rated_w", rated_w), false, 0, {0, 1e12, NULL}},
    {NODE("g_w", g_w), false, 0, {-1e12, 1e12, NULL}},
    {NODE("b_var", b_var), false, 0, {-1e12, 1e12, NULL}},
    {NODE("v_start_pu", v_start_pu), false, 0, {0, 3, "it is in p.u. of base_v"}},
    {NODE("v_min_pu", v_min_pu), false, 0.9, {0, 2, "it is in p.u. of base_v"}},
    {NODE("v_max_pu", v_max_pu), false, 1.1, {0, 3, "it is in p.u. of base_v"}},
    {0}};

static const struct pofi_member pu_members[] = {
    {BRANCH("r_pu", r), true, 0, {-1e7, 1e7, NULL}},
    {BRANCH("x_pu", x), true, 0, {-1e7, 1e7, NULL}},
    {BRANCH("g_pu", g), false, 0, {-1e9, 1e9, NULL}},
    {BRANCH("b_pu", b), false, 0, {-1e9, 1e9, NULL}},
    {BRANCH("ratio", ratio), false, 1, {1e-3, 1e3, "1 is the nominal ratio"}},
    {0}};

static const struct pofi_member ohm_members[] = {
    {ASSET("r_ohm", r_ohm), true, 0, {0, 1e4, NULL}},
    {ASSET("x_ohm", x_ohm), true, 0, {0, 1e4, NULL}},
    {ASSET("b_us", b_us), false, 0, {0, 1e7, NULL}},
    {ASSET("c_nf", c_nf), false, 0, {0, 1e7, NULL}},
    {0}};

static const struct pofi_member per_km_members[] = {
    {ASSET("length_km", length_km), true, 0, {1e-6, 2000, "the unit is km"}},
    {ASSET("r_ohm_per_km", r_ohm), true, 0, {0, 100, NULL}},
    {ASSET("x_ohm_per_km", x_ohm), true, 0, {0, 20, NULL}},
    {ASSET("b_us_per_km", b_us), false, 0, {0, 1e5, NULL}},
    {ASSET("c_nf_per_km", c_nf), false, 0, {0, 1e5, NULL}},
    {0}};

static const struct pofi_member plate_members[] = {
    {ASSET("sn_va", sn_va), true, 0, {1e3, 1e10, IN_VA}},
    {ASSET("v_from_v", v_from), false, 0, {50, 1.5e6, IN_V}},
    {ASSET("v_to_v", v_to), false, 0, {50, 1.5e6, IN_V}},
    {ASSET("uk_pct", uk_pct), true, 0, {0.01, 100, NULL}},
    {ASSET("pk_w", pk_w), true, 0, {0, 1e9, NULL}},
    {ASSET("i0_pct", i0_pct), false, 0, {0, 50, NULL}},
    {ASSET("p0_w", p0_w), false, 0, {0, 1e9, NULL}},
    {ASSET("tap_pct", tap_pct), false, 0, {-50, 50, NULL}},
    {0}};


/* Zero sequence. Required are those without which the others say nothing. */

#define PHASES(key, member) key, offsetof(struct pof_branch_phases, member)

static const struct pofi_member pu_zero[] = {
    {PHASES("r0_pu", r0), true, 0, {-1e7, 1e7, NULL}},
    {PHASES("x0_pu", x0), true, 0, {-1e7, 1e7, NULL}},
    {PHASES("g0_pu", g0), false, 0, {-1e9, 1e9, NULL}},
    {PHASES("b0_pu", b0), false, 0, {-1e9, 1e9, NULL}},
    {0}};

static const struct pofi_member ohm_zero[] = {
    {ASSET("r0_ohm", r0_ohm), true, 0, {0, 1e5, NULL}},
    {ASSET("x0_ohm", x0_ohm), true, 0, {0, 1e5, NULL}},
    {ASSET("b0_us", b0_us), false, 0, {0, 1e7, NULL}},
    {ASSET("c0_nf", c0_nf), false, 0, {0, 1e7, NULL}},
    {0}};

static const struct pofi_member per_km_zero[] = {
    {ASSET("r0_ohm_per_km", r0_ohm), true, 0, {0, 1000, NULL}},
    {ASSET("x0_ohm_per_km", x0_ohm), true, 0, {0, 200, NULL}},
    {ASSET("b0_us_per_km", b0_us), false, 0, {0, 1e5, NULL}},
    {ASSET("c0_nf_per_km", c0_nf), false, 0, {0, 1e5, NULL}},
    {0}};

static const struct pofi_member plate_zero[] = {
    {ASSET("uk0_pct", uk0_pct), false, 0, {1e-3, 1000, NULL}},
    {ASSET("pk0_w", pk0_w), false, 0, {0, 1e9, NULL}},
    {ASSET("i0_zero_pct", i0_zero_pct), false, 0, {0, 1000, NULL}},
    {ASSET("p0_zero_w", p0_zero_w), false, 0, {0, 1e9, NULL}},
    {0}};

const struct pofi_member pofi_ground_ohm[] = {
    {ASSET("r_ground_from_ohm", r_ground_from_ohm), false, 0, {0, 1e6, NULL}},
    {ASSET("x_ground_from_ohm", x_ground_from_ohm), false, 0, {-1e6, 1e6, NULL}},
    {ASSET("r_ground_to_ohm", r_ground_to_ohm), false, 0, {0, 1e6, NULL}},
    {ASSET("x_ground_to_ohm", x_ground_to_ohm), false, 0, {-1e6, 1e6, NULL}},
    {0}};

const struct pofi_member pofi_ground_pu[] = {
    {PHASES("r_ground_from_pu", r_ground_from), false, 0, {0, 1e7, NULL}},
    {PHASES("x_ground_from_pu", x_ground_from), false, 0, {-1e7, 1e7, NULL}},
    {PHASES("r_ground_to_pu", r_ground_to), false, 0, {0, 1e7, NULL}},
    {PHASES("x_ground_to_pu", x_ground_to), false, 0, {-1e7, 1e7, NULL}},
    {0}};

static const struct pofi_member length_member[] = {
    {ASSET("length_km", length_km), true, 0, {1e-6, 2000, "the unit is km"}}, {0}};
static const struct pofi_member no_members[] = {{0}};

static const char *const per_km_matrices[] = {"r_matrix_ohm_per_km", "x_matrix_ohm_per_km",
                                              "b_matrix_us_per_km", "c_matrix_nf_per_km"};
static const char *const ohm_matrices[] = {"r_matrix_ohm", "x_matrix_ohm", "b_matrix_us",
                                           "c_matrix_nf"};
static const char *const pu_matrices[] = {"r_matrix_pu", "x_matrix_pu", "g_matrix_pu",
                                          "b_matrix_pu"};

/* A first member that two forms share belongs to the one of its kind of branch. */
const struct pofi_form pofi_forms[POFI_FORMS] = {
    {POF_FORM_PER_KM, "r_ohm_per_km", per_km_members, per_km_zero, NULL, {true, false, false}},
    {POF_FORM_PER_KM, "r_matrix_ohm_per_km", length_member, NULL, per_km_matrices, {true, false, false}},
    {POF_FORM_OHM, "r_ohm", ohm_members, ohm_zero, NULL, {true, false, true}},
    {POF_FORM_OHM, "r_matrix_ohm", no_members, NULL, ohm_matrices, {true, false, false}},
    {POF_FORM_PLATE, "sn_va", plate_members, plate_zero, NULL, {false, true, false}},
    {POF_FORM_PU, "r_pu", pu_members, pu_zero, pu_matrices, {true, false, false}},
    {POF_FORM_PU, "r_pu", pu_members, pu_zero, NULL, {false, true, true}}};

const char *const pofi_node_kinds[] = {"pq", "pv", "slack", NULL};
const char *const pofi_branch_kinds[] = {"line", "transformer", "switch", NULL};
