/* SPDX-License-Identifier: Apache-2.0 */
/* pof-audit: do the right requests pay for the right awards, and are the reasons given true? */
#include "pof-audit/audit.h"

#include "cli/grid.h"
#include "rules.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct args {
    struct rule_args rules;
    const char *grid, *session;
};

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"grid", 'g', POF_OPT_FILE, AT(grid), "FILE", "grid document, radial; needed", 0, 0, NULL},
    {"session", 's', POF_OPT_TEXT, AT(session), "ID", "session to audit (the only one given)", 0, 0, NULL},
    RULE_OPTIONS(struct args),
    {0}};
#undef AT

static const struct pof_program program = {
    .name = "pof-audit",
    .purpose = "confirm who pays and each reason",
    .operands = "[FILE ...]",
    .examples = "pof-audit --grid grid.json orders.jsonl awards.jsonl prices.jsonl explanations.jsonl",
    .options = options,
};

static int prepare(struct audit *m, struct pof_err *err)
{
    uint32_t n = m->c.tree.n, k;
    int rc = pof_calloc(&m->at, m->grid.nodes, sizeof *m->at, err);
    rc = rc ? rc : pof_calloc(&m->up, n, sizeof *m->up, err);
    rc = rc ? rc : pof_calloc(&m->end, n, sizeof *m->end, err);
    rc = rc ? rc : pof_calloc(&m->place, n, sizeof *m->place, err);
    rc = rc ? rc : pof_calloc(&m->state, m->c.kept.n, sizeof *m->state, err);
    rc = rc ? rc : pof_calloc(&m->need, m->c.kept.n, sizeof(struct pof_claim_line *), err);
    rc = rc ? rc : pof_calloc(&m->award, m->c.kept.n, sizeof(struct pof_claim_line *), err);
    rc = rc ? rc : pof_calloc(&m->verdict, m->c.kept.n, sizeof(struct pof_verdict *), err);
    rc = rc ? rc : pof_calloc(&m->block_for, 6 * m->c.kept.n, sizeof(struct pof_claim_line *), err);
    for (uint32_t i = 0; rc == 0 && i < n; i++) {
        m->at[m->c.tree.order[i]] = i;
        m->up[i] = i ? m->at[m->c.tree.parent[m->c.tree.order[i]]] : POF_NONE;
        m->end[i] = i + 1;
    }
    for (uint32_t i = n; rc == 0 && i-- > 1;) {
        m->end[m->up[i]] = m->end[i] > m->end[m->up[i]] ? m->end[i] : m->end[m->up[i]];
    }
    for (size_t i = 0; rc == 0 && i < m->c.kept.n; i++) {
        const struct pof_claim_line *l = &m->c.line[i];
        m->reasons |= l->r->type == POF_explanation;
        if (l->r->type == POF_verdict) {
            rc = pof_names_add(&m->judged, l->r->u.verdict.award, &k, err);
            m->verdict[rc ? 0 : k] = &l->r->u.verdict;
        }
    }
    return rc;
}

/* Lowest areas first (places count from the root), own first, then as lines are. */
static int by_area(const void *pa, const void *pb, void *audit)
{
    const struct pof_claim_line *a = *(const struct pof_claim_line *const *)pa;
    const struct pof_claim_line *b = *(const struct pof_claim_line *const *)pb;
    uint32_t x = audit_place(audit, a), y = audit_place(audit, b);
    if (x != y || a->area != b->area) {
        return x != y ? (x > y ? -1 : 1) : (int)(b->area % 2) - (int)(a->area % 2);
    }
    int order = a->r->u.request.direction - b->r->u.request.direction;
    return order ? order : (a > b) - (a < b);
}

static int by_share(const void *pa, const void *pb)
{
    const struct pof_award *a = &(*(const struct pof_claim_line *const *)pa)->r->u.award;
    const struct pof_award *b = &(*(const struct pof_claim_line *const *)pb)->r->u.award;
    int order = pof_text_cmp(a->request, b->request);
    order = order ? order : a->why - b->why;
    return order ? order : pof_text_cmp(a->offer, b->offer);
}

/* Quantities, verdicts, requests and awards of the quarter-hour. */
static void open_quarter(struct audit *m)
{
    const uint32_t *at;
    size_t n = pof_claim_lines(&m->c, m->now, POF_offer, &at);
    memset(m->place, 0, m->c.tree.n * sizeof *m->place);
    for (size_t i = 0; i < n; i++) {
        m->state[at[i]] = (struct state){0};
    }
    m->awards = pof_claim_lines(&m->c, m->now, POF_award, &at);
    for (size_t i = 0; i < m->awards; i++) {
        const struct pof_claim_line *l = m->award[i] = &m->c.line[at[i]];
        const struct pof_award *a = &l->r->u.award;
        struct state *s = audit_state(m, l->offer->line);
        uint32_t k = pof_names_find(&m->judged, a->id);
        bool cut = k != POF_NONE && m->verdict[k]->decision != POF_DECISION_ACCEPT;
        s->taken += a->p_w;
        s->left += cut && m->verdict[k]->p_w < a->p_w ? m->verdict[k]->p_w : a->p_w;
        s->cut |= cut;
        m->place[audit_place(m, l)].own_net += a->direction == POF_UP ? a->p_w : -a->p_w;
    }
    for (uint32_t i = m->c.tree.n; i-- > 0;) {
        m->place[i].net += m->place[i].own_net;
        m->place[i ? m->up[i] : 0].net += i ? m->place[i].net : 0;
    }
    n = pof_claim_lines(&m->c, m->now, POF_request, &at);
    m->needs = 0;
    for (size_t i = 0; i < n; i++) {
        const struct pof_claim_line *l = &m->c.line[at[i]];
        if (l->name && l->area != POF_NONE) {
            m->need[m->needs++] = l;
        }
    }
    qsort_r(m->need, m->needs, sizeof *m->need, by_area, m);
    qsort(m->award, m->awards, sizeof *m->award, by_share);
}

/* Where something is asked, the first request of each block; where nothing is, only blocks are taken,
 * and they are on that request, else (a parent, taken for its children) on the first that gets anything. */
static int audit_blocks(struct audit *m, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < m->awards; i++) {
        const struct pof_claim_line *l = m->award[i], *to = m->any;
        const struct pof_text *block = pof_record_get(l->offer->line->r, "block");
        struct pof_claim_name *name;
        rc = pof_claim_name(&m->c, 'b', l->offer->line->r->u.offer.session, block, &name, err);
        const struct pof_claim_line **first = name ? &m->block_for[name - m->c.name] : NULL;
        if (rc == 0 && m->needs > 0) {
            m->any = m->any ? m->any : l->request->line;
            *(first ? first : &to) = first && *first ? *first : l->request->line;
        } else if (rc == 0) {
            to = first && *first ? *first : m->any;
            rc = to == l->request->line && l->r->u.award.why == COUNTER
                     ? 0 : POF_REFUSE(l, "request", "a block stands with another request of its own");
        }
    }
    return rc;
}

static int audit_all(struct audit *m, struct pof_err *err)
{
    int rc = prepare(m, err);
    for (int turn = 0; turn < 2; turn++) {
        for (m->now = 0; rc == 0 && m->now < m->c.quarters; m->now++) {
            open_quarter(m);
            if ((m->needs > 0) == (turn == 0)) {
                rc = audit_blocks(m, err);
                rc = rc || m->needs == 0 ? rc : audit_shares(m, err);
                rc = rc || !m->reasons ? rc : audit_reasons(m, err);
            }
        }
    }
    return rc;
}

static void release(struct audit *m)
{
    free(m->at);
    free(m->up);
    free(m->end);
    free(m->place);
    free(m->state);
    free(m->need);
    free(m->award);
    free(m->verdict);
    free(m->block_for);
    pof_names_release(&m->judged);
    pof_claim_release(&m->c);
    pof_grid_release(&m->grid);
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    const struct args *a = args;
    struct audit m = {.c = {.grid = &m.grid}};
    struct pof_sink out;
    int rc = pof_cli_grid(cli, a->grid, &m.grid, err);
    rc = rc ? rc : rules_read(cli, &a->rules, &m.c.rulebook, err);
    rc = rc ? rc : pof_cli_keep(cli, &m.c.kept, err);
    rc = rc ? rc : pof_claim_index(&m.c, a->session, err);
    rc = rc ? rc : audit_all(&m, err);
    rc = rc ? rc : pof_cli_sink(cli, NULL, &out, err);
    if (rc == 0) {
        const char *answer = m.reasons ? "shares and reasons are true\n" : "shares are true\n";
        rc = out.write(out.ctx, answer, strlen(answer), err);
    }
    release(&m);
    return rc;
}

int main(int argc, char **argv)
{
    struct args args = {.rules = NO_RULES};
    return pof_main(&program, argc, argv, &args, run);
}
