/* SPDX-License-Identifier: Apache-2.0 */
#include "tap.h"

#include "grid/case.h"
#include "grid/format.h"

/* Two lines between the same nodes, a transformer beside a line, an open line; names that a PSS/E case
 * has no room for. */
static const char document[] =
    "{\"schema\":\"pof.grid/1\",\"name\":\"g\",\"base_va\":1e6,\"nodes\":["
    "{\"name\":\"the feeding node of it all\",\"kind\":\"slack\",\"base_v\":20000,\"v_set_pu\":1.02},"
    "{\"name\":\"the other busbar, north\",\"base_v\":20000,\"zero_injection\":true},"
    "{\"name\":\"the other busbar, south\",\"base_v\":20000,\"p_w\":1000,\"q_var\":300}],"
    "\"branches\":["
    "{\"name\":\"t\",\"kind\":\"transformer\",\"from\":\"the feeding node of it all\",\"to\":\"the other busbar, north\","
    "\"r_pu\":0.001,\"x_pu\":0.02,\"rating_va\":1e6},"
    "{\"name\":\"l2\",\"kind\":\"line\",\"from\":\"the other busbar, north\",\"to\":\"the other busbar, south\",\"r_pu\":0.02,\"x_pu\":0.02},"
    "{\"name\":\"l0\",\"kind\":\"line\",\"from\":\"the feeding node of it all\",\"to\":\"the other busbar, north\",\"r_pu\":0.5,\"x_pu\":0.5},"
    "{\"name\":\"l3\",\"kind\":\"line\",\"from\":\"the other busbar, north\",\"to\":\"the other busbar, south\",\"r_pu\":0.03,\"x_pu\":0.03,"
    "\"closed\":false}]}";

static const struct pof_observation seen[] = {
    {.element = 0, .quantity = POF_QUANTITY_V, .value = 20600, .sigma = 10},
    {.element = 0, .quantity = POF_QUANTITY_P, .value = -5000, .sigma = 10},
    {.element = 1, .quantity = POF_QUANTITY_P, .value = 0, .sigma = 0},
    {.element = 2, .quantity = POF_QUANTITY_P, .value = 4000, .sigma = 10},
    {.element = 2, .quantity = POF_QUANTITY_P, .value = 6000, .sigma = 10},
    {.element = 2, .branch = true, .quantity = POF_QUANTITY_Q, .value = 77, .sigma = 10},
};

static void parse(struct pof_grid *g, const char *text)
{
    struct pof_err err = {0};
    *g = (struct pof_grid){0};
    if (!ok(pof_grid_parse(g, text, strlen(text), "document", &err) == 0, "the document is a grid")) {
        printf("# %s\n", err.text);
    }
}

static void test_there_and_back(void)
{
    struct pof_grid doc, now, back = {0};
    struct pof_err err = {0};
    struct pof_buf raw = {0};
    bool closed[] = {true, false, true, true};
    const struct pof_instant t = {.observation = seen, .n = sizeof seen / sizeof seen[0], .closed = closed};
    parse(&doc, document);
    parse(&now, document);
    is_int(pof_case_set(&now, &doc, &t, &err), 0, "the instant goes into the grid");
    is_near(now.node[0].v_set_pu, 1.03, 1e-15, "a slack node holds what is read there");
    is_near(now.node[0].p_w, 0, 0, "and has no consumption");
    is_near(now.node[2].p_w, 5000, 0, "two readings count by their mean");
    is_near(now.node[2].q_var, 300, 0, "what is not read is as in the document");
    ok(!now.branch[1].closed && now.branch[3].closed, "switches stand as they are");
    is_int(pof_raw_write(&now, &raw, NULL, &err), 0, "it becomes a PSS/E case");
    is_int(pof_raw_read(&back, (struct pof_text){raw.data, raw.len}, "case", NULL, &err), 0, "and a grid again");
    is_int(pof_case_name(&back, &doc, &err), 0, "which gets its names back");
    for (uint32_t i = 0; i < doc.branches; i++) {
        const struct pof_branch *a = &now.branch[i], *b = &back.branch[i];
        ok(pof_text_eq(a->name, b->name) && a->from == b->from && a->to == b->to && a->closed == b->closed &&
               fabs(a->r - b->r) < 1e-12 && fabs(a->x - b->x) < 1e-12,
           "branch %.*s is what it was", (int)a->name.len, a->name.ptr);
        is_int(pof_names_find(&back.branch_names, a->name), i, "and found by its name");
    }
    for (uint32_t i = 0; i < doc.nodes; i++) {
        const struct pof_node *a = &now.node[i], *b = &back.node[i];
        ok(pof_text_eq(a->name, b->name) && a->zero_injection == b->zero_injection && fabs(a->p_w - b->p_w) < 1e-6 &&
               pof_names_find(&back.node_names, a->name) == i,
           "node %.*s is what it was", (int)a->name.len, a->name.ptr);
    }
    pof_buf_release(&raw);
    pof_grid_release(&doc);
    pof_grid_release(&now);
    pof_grid_release(&back);
}

static void test_another_grid(void)
{
    struct pof_grid doc, other;
    struct pof_err err = {0};
    parse(&doc, document);
    parse(&other, document);
    other.branch[1].to = 0;
    is_int(pof_case_name(&other, &doc, &err), POF_E_TOPOLOGY, "a branch that the case does not have is named");
    ok(strstr(err.text, "'l2'") != NULL, "%s", err.text);
    is_text(other.branch[0].name.ptr, other.branch[0].name.len, "t", "the grid is as before");
    other.branches--;
    is_int(pof_case_name(&other, &doc, &err), POF_E_TOPOLOGY, "another number of branches is refused");
    pof_grid_release(&doc);
    pof_grid_release(&other);
}

int main(void)
{
    test_there_and_back();
    test_another_grid();
    return done();
}
