/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of nodes as areas: every subset of a small grid's nodes, held against all its subtrees. */
#include "market/feeder.h"

#include "market.h"

/* S - A - (B, C - (D, E)); X hangs on an open line. */
#define LINE(name, from, to, more)                                                                 \
    "{\"name\":\"" name "\",\"kind\":\"line\",\"from\":\"" from "\",\"to\":\"" to                  \
    "\",\"r_ohm\":0.01,\"x_ohm\":0.01" more "}"
#define TREE                                                                                       \
    "{\"schema\":\"pof.grid/1\",\"name\":\"g\",\"base_va\":100000,\"nodes\":["                     \
    "{\"name\":\"S\",\"base_v\":400,\"kind\":\"slack\",\"v_set_pu\":1},"                           \
    "{\"name\":\"E\",\"base_v\":400},{\"name\":\"X\",\"base_v\":400},{\"name\":\"A\",\"base_v\":400}," \
    "{\"name\":\"D\",\"base_v\":400},{\"name\":\"C\",\"base_v\":400},{\"name\":\"B\",\"base_v\":400}]," \
    "\"branches\":[" LINE("1", "A", "S", "") "," LINE("2", "A", "B", "") "," LINE("3", "A", "C", "") "," \
    LINE("4", "D", "C", "") "," LINE("5", "C", "E", "") "," LINE("6", "B", "X", ",\"closed\":false") "]}"

enum { N = 7 };

static unsigned below(const struct pof_feeder *f, uint32_t v)
{
    unsigned set = 0;
    for (uint32_t k = f->place[v]; k < f->past[v]; k++) {
        set |= 1U << f->at[k];
    }
    return set;
}

/* The answer by trying all nodes; *node POF_NONE with true: nothing is connected. */
static bool try_all(const struct pof_feeder *f, unsigned set, uint32_t *node, bool *own)
{
    unsigned fed = 0;
    for (uint32_t v = 0; v < N; v++) {
        fed |= f->place[v] != POF_NONE ? set & 1U << v : 0;
    }
    *node = POF_NONE;
    *own = false;
    for (uint32_t v = 0; v < N && fed; v++) {
        if (fed == 1U << v || (f->place[v] != POF_NONE && fed == below(f, v))) {
            *node = v;
            *own = fed == 1U << v;
        }
    }
    return !fed || *node != POF_NONE;
}

static int area_of(const struct pof_feeder *f, const char *list, struct pof_area *area, struct pof_err *err)
{
    *err = (struct pof_err){0};
    return pof_feeder_area(f, pof_text(list), area, err);
}

int main(void)
{
    struct pof_grid grid = {0};
    struct pof_feeder f;
    struct pof_err err = {0};
    int right = 0, areas = 0;
    must_parse(&grid, TREE);
    if (pof_feeder_init(&f, &grid, &err) != 0) {
        printf("Bail out! %s\n", err.text);
        return 1;
    }
    for (unsigned set = 0; set < 1U << N; set++) {
        char list[64] = "";
        for (int v = N - 1; v >= 0; v--) { /* in another order than the grid's, with spaces to spare */
            if (set >> v & 1) {
                strcat(strcat(list, set % 3 ? " " : "  "), grid.node[v].name.ptr); /* ends with NUL */
            }
        }
        struct pof_area area = {0};
        uint32_t node;
        bool own, is = try_all(&f, set, &node, &own);
        int rc = area_of(&f, list, &area, &err);
        right += is ? rc == 0 && area.node == node && (node == POF_NONE || area.own == own)
                    : rc == POF_E_TOPOLOGY;
        areas += is && node != POF_NONE;
    }
    is_int(right, 1 << N, "each of all 128 lists is the area it should be, or refused");
    is_int(areas, 18, "six nodes, three subtrees of several; the one not connected does not count");
    struct pof_area area;
    area_of(&f, "A B C E", &area, &err);
    is_text(err.text, strlen(err.text), "'D' is missing: a list is one node, or all that is fed through one branch", "a hole is named");
    area_of(&f, "B C D E", &area, &err);
    is_text(err.text, strlen(err.text), "'A' is missing: a list is one node, or all that is fed through one branch",
            "and the node that would join two branches");
    is_int(area_of(&f, "A Q", &area, &err), POF_E_REFERENCE, "an unknown node");
    is_int(area_of(&f, "A B A", &area, &err), POF_E_DUPLICATE, "a node twice");
    pof_feeder_release(&f);
    pof_grid_release(&grid);
    return done();
}
