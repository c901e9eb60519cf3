/* SPDX-License-Identifier: Apache-2.0 */
/* pof-pf --sensitivity: what a little more consumption anywhere does to what is watched. */
#include "parts.h"

#include "record/words.h"

#include <stdlib.h>
#include <string.h>

/* The order of enum pof_watch. */
static const char *const words[] = {"v", "i", "p", "q", "loss", "slack_p", "slack_q", NULL};

static int add(struct pf_watch *w, enum pof_watch what, uint32_t element, bool to,
               struct pof_err *err)
{
    int rc = pof_grow(&w->list, &w->cap, w->n + 1, sizeof *w->list, err);
    if (rc == 0) {
        w->list[w->n++] = (struct pof_watched){what, element, to};
    }
    return rc;
}

/* "v:NODE", "i:BRANCH", "i_to:BRANCH" ..., "loss". */
static int parse(struct pf_watch *w, const char *text, struct pof_err *err)
{
    const char *colon = strchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : strlen(text);
    bool to = colon && len > 3 && memcmp(text + len - 3, "_to", 3) == 0;
    size_t word = to ? len - 3 : len;
    int what = 0;
    while (words[what] && !(strlen(words[what]) == word && memcmp(words[what], text, word) == 0)) {
        what++;
    }
    if (!words[what] || (what >= POF_WATCH_LOSS) != !colon || (to && what == POF_WATCH_V)) {
        return pof_fail(err, POF_E_USAGE,
                        "--watch '%.80s': expected v:NODE, i:BRANCH, p:BRANCH, q:BRANCH, i_to:, p_to: "
                        "or q_to:BRANCH, loss, slack_p or slack_q",
                        text);
    }
    uint32_t element = 0;
    if (colon) {
        bool node = what == POF_WATCH_V;
        element = pof_names_find(node ? &w->grid->node_names : &w->grid->branch_names,
                                 pof_text(colon + 1));
        if (element == POF_NONE) {
            return pof_fail(err, POF_E_REFERENCE, "--watch: the grid has no %s '%.80s'",
                            node ? "node" : "branch", colon + 1);
        }
    }
    return add(w, (enum pof_watch)what, element, to, err);
}

int pf_watch_open(struct pf_watch *w, const char *path, const struct pof_texts *what, bool distributed,
                  struct pof_err *err)
{
    if (!path) {
        return what->n ? pof_fail(err, POF_E_USAGE, "--watch needs --sensitivity FILE") : 0;
    }
    int rc = pof_cli_writer(w->cli, path, &w->out, err);
    for (size_t i = 0; i < what->n && rc == 0; i++) {
        rc = parse(w, what->item[i], err);
    }
    w->named = w->n;
    rc = rc            ? rc
         : distributed ? pof_sens_new_distributed(&w->sens, w->grid, err)
                       : pof_sens_new(&w->sens, w->grid, err);
    rc = rc ? rc : pof_calloc(&w->by_w, w->grid->nodes, sizeof *w->by_w, err);
    return rc ? rc : pof_calloc(&w->by_var, w->grid->nodes, sizeof *w->by_var, err);
}

/* What is beyond its limit in this case, and the losses. */
static int find_limits(struct pf_watch *w, const struct pof_pf_result *r, struct pof_err *err)
{
    const struct pof_grid *g = w->grid;
    int rc = 0;
    for (uint32_t i = 0; i < g->nodes && rc == 0; i++) {
        const struct pof_node *n = &g->node[i];
        bool beyond = r->v_pu[i] < n->v_min_pu || r->v_pu[i] > n->v_max_pu;
        rc = r->v_pu[i] > 0 && beyond ? add(w, POF_WATCH_V, i, false, err) : 0;
    }
    for (uint32_t k = 0; k < g->branches && rc == 0; k++) {
        const struct pof_branch *b = &g->branch[k];
        bool to = r->i_to_a[k] * g->node[b->to].base_v > r->i_from_a[k] * g->node[b->from].base_v;
        bool watched = r->loading[k] > 1 && !pof_branch_ideal(g, b);
        rc = watched ? add(w, POF_WATCH_I, k, to, err) : 0;
    }
    return rc ? rc : add(w, POF_WATCH_LOSS, 0, false, err);
}

static int put(struct pf_watch *w, int64_t start, const struct pof_watched *x, struct pof_err *err)
{
    const struct pof_grid *g = w->grid;
    struct pof_sensitivity s = {.start = start, .quantity = (int)x->what};
    int rc = pof_sens_row(w->sens, x, w->by_w, w->by_var, err);
    if (x->what < POF_WATCH_LOSS) {
        bool node = x->what == POF_WATCH_V;
        s.name = node ? g->node[x->element].name : g->branch[x->element].name;
        POF_SET(&s, sensitivity, name);
        if (!node) {
            s.end = x->to ? 1 : 0;
            POF_SET(&s, sensitivity, end);
        }
    }
    for (uint32_t i = 0; i < g->nodes && rc == 0; i++) {
        s.node = g->node[i].name;
        s.by_w = w->by_w[i];
        s.by_var = w->by_var[i];
        if (s.by_w != 0 || s.by_var != 0) {
            rc = pof_writer_put(w->out, POF_sensitivity, &s, err);
        }
    }
    return rc;
}

int pf_watch_case(struct pf_watch *w, int64_t start, const struct pof_pf_result *result,
                  struct pof_err *err)
{
    const struct pof_sens_state state = {result->v_pu, result->angle, result->limit};
    bool regular;
    if (!w->out) {
        return 0;
    }
    w->n = w->named;
    int rc = w->named ? 0 : find_limits(w, result, err);
    rc = rc ? rc : pof_sens_at(w->sens, &state, &regular, err);
    if (rc == 0 && !regular) {
        pof_cli_warn(w->cli, "a case at the edge of what the grid can carry has no sensitivities");
        return 0;
    }
    for (size_t i = 0; i < w->n && rc == 0; i++) {
        rc = put(w, start, &w->list[i], err);
    }
    return rc;
}

void pf_watch_close(struct pf_watch *w)
{
    pof_sens_free(w->sens);
    free(w->list);
    free(w->by_w);
    free(w->by_var);
}
