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
    bool shares, answers;
};

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"grid", 'g', POF_OPT_FILE, AT(grid), "FILE", "grid document, radial; needed", 0, 0, NULL},
    {"session", 's', POF_OPT_TEXT, AT(session), "ID", "session to audit (the only one given)", 0, 0, NULL},
    RULE_OPTIONS(struct args),
    {"shares", 0, POF_OPT_FLAG, AT(shares), NULL, "only who pays: no explanations are due", 0, 0, NULL},
    {"answers", 0, POF_OPT_FLAG, AT(answers), NULL, "answers of all requests are due, too", 0, 0, NULL},
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
    rc = rc ? rc : pof_calloc(&m->reserve, m->c.kept.n, sizeof(struct pof_claim_line *), err);
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
        m->answers |= l->r->type == POF_answer;
        if (l->r->type == POF_award && l->r->u.award.why == POF_FOR_RESERVE) {
            m->reserve_any = l;
        }
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

/* Numbers of ids count up: the shorter one is the lower. */
static int by_pair(const void *pa, const void *pb)
{
    const struct pof_award *a = &(*(const struct pof_claim_line *const *)pa)->r->u.award;
    const struct pof_award *b = &(*(const struct pof_claim_line *const *)pb)->r->u.award;
    int order = pof_text_cmp(a->request, b->request);
    order = order ? order : pof_text_cmp(a->offer, b->offer);
    order = order ? order : (a->id.len > b->id.len) - (a->id.len < b->id.len);
    return order ? order : pof_text_cmp(a->id, b->id);
}

static void add_award(struct audit *m, const struct pof_claim_line *l)
{
    const struct pof_award *a = &l->r->u.award;
    struct state *s = audit_state(m, l->offer->line);
    uint32_t k = pof_names_find(&m->judged, a->id);
    bool cut = k != POF_NONE && m->verdict[k]->decision != POF_DECISION_ACCEPT;
    if (a->why == POF_FOR_RESERVE) {
        m->reserve[m->reserves++] = l;
        return;
    }
    m->award[m->awards++] = l;
    s->taken += a->p_w;
    s->left += cut && m->verdict[k]->p_w < a->p_w ? m->verdict[k]->p_w : a->p_w;
    s->cut |= cut;
    m->place[audit_place(m, l)].own_net += a->direction == POF_UP ? a->p_w : -a->p_w;
}

static void limit_to(struct audit *m, const struct pof_claim_line *l, int direction, int64_t p_w)
{
    int64_t *most = &m->place[audit_place(m, l)].p_w[direction];
    *most = p_w < *most ? p_w : *most;
}

/* Requests, and the limits of branches and buyers. */
static void add_needs(struct audit *m)
{
    const uint32_t *at;
    size_t n = pof_claim_lines(&m->c, m->now, POF_request, &at);
    m->needs = 0;
    for (size_t i = 0; i < n; i++) {
        const struct pof_claim_line *l = &m->c.line[at[i]];
        const struct pof_request *r = &l->r->u.request;
        *audit_state(m, l) = (struct state){0};
        if (l->name && l->area != POF_NONE) {
            m->need[m->needs++] = l;
            limit_to(m, l, r->direction, POF_HAS(r, request, max_w) ? r->max_w : INT64_MAX);
        }
    }
    qsort_r(m->need, m->needs, sizeof *m->need, by_area, m);
    n = pof_claim_lines(&m->c, m->now, POF_limit, &at);
    for (size_t i = 0; i < n; i++) {
        const struct pof_claim_line *l = &m->c.line[at[i]];
        if (l->area != POF_NONE) {
            limit_to(m, l, POF_UP, l->r->u.limit.p_up_w);
            limit_to(m, l, POF_DOWN, l->r->u.limit.p_down_w);
        }
    }
}

/* Quantities, verdicts, requests, limits and awards of the quarter-hour. */
static void open_quarter(struct audit *m)
{
    const uint32_t *at;
    size_t n = pof_claim_lines(&m->c, m->now, POF_offer, &at);
    for (uint32_t i = 0; i < m->c.tree.n; i++) {
        m->place[i] = (struct place){.p_w = {INT64_MAX, INT64_MAX}};
    }
    for (size_t i = 0; i < n; i++) {
        m->state[at[i]] = (struct state){0};
    }
    n = pof_claim_lines(&m->c, m->now, POF_award, &at);
    m->awards = m->reserves = 0;
    for (size_t i = 0; i < n; i++) {
        add_award(m, &m->c.line[at[i]]);
    }
    for (uint32_t i = m->c.tree.n; i-- > 0;) {
        m->place[i].net += m->place[i].own_net;
        m->place[i ? m->up[i] : 0].net += i ? m->place[i].net : 0;
    }
    add_needs(m);
    qsort(m->award, m->awards, sizeof *m->award, by_share);
    qsort(m->reserve, m->reserves, sizeof *m->reserve, by_pair);
    audit_prices(m);
}

/* Where something is asked, the first request of each block; where nothing is, blocks and what
 * makes room for them are taken, on that request, else (that, or a parent taken for its children) on the
 * first that gets anything. */
static int audit_blocks(struct audit *m, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < m->awards; i++) {
        const struct pof_claim_line *l = m->award[i], *to = m->any;
        const struct pof_text *block = pof_record_get(l->offer->line->r, "block");
        struct pof_claim_name *name = NULL;
        rc = m->needs > 0 ? pof_claim_act(l, m->now, err) : 0; /* reserves come on top */
        rc = rc ? rc : pof_claim_name(&m->c, 'b', l->offer->line->r->u.offer.session, block, &name, err);
        const struct pof_claim_line **first = name ? &m->block_for[name - m->c.name] : NULL;
        if (rc == 0 && m->needs > 0) {
            m->any = m->any ? m->any : l->request->line;
            *(first ? first : &to) = first && *first ? *first : l->request->line;
        } else if (rc == 0) {
            to = first && *first ? *first : m->any;
            rc = to == l->request->line && l->r->u.award.why == POF_FOR_COUNTER
                     ? 0 : POF_REFUSE(l, "request", "a block stands with another request of its own");
        }
    }
    return rc;
}

static int audit_quarter(struct audit *m, struct pof_err *err)
{
    bool ties = m->c.rules.tie == POF_TIE_RULE_PRO_RATA && m->c.rules.sequence == POF_SEQUENCE_JOINT;
    int rc = audit_blocks(m, err);
    rc = rc || m->needs == 0 ? rc : audit_shares(m, false, err);
    rc = rc ? rc : audit_reserves(m, err);
    rc = rc || !ties ? rc : audit_pro_rata(m, err);
    rc = rc ? rc : audit_reasons(m, err);
    return rc ? rc : audit_answers(m, err);
}

static int audit_all(struct audit *m, struct pof_err *err)
{
    int rc = prepare(m, err);
    for (int turn = 0; turn < 2; turn++) {
        for (m->now = 0; rc == 0 && m->now < m->c.quarters; m->now++) {
            open_quarter(m);
            rc = (m->needs > 0) == (turn == 0) ? audit_quarter(m, err) : 0;
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
    free(m->reserve);
    free(m->verdict);
    free(m->block_for);
    pof_names_release(&m->judged);
    pof_claim_release(&m->c);
    pof_grid_release(&m->grid);
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    const struct args *a = args;
    struct audit m = {.c = {.grid = &m.grid}, .reasons = !a->shares, .answers = a->answers};
    struct pof_sink out;
    int rc = pof_cli_grid(cli, a->grid, &m.grid, err);
    rc = rc ? rc : rules_read(cli, &a->rules, &m.c.rulebook, err);
    rc = rc ? rc : pof_cli_keep(cli, &m.c.kept, err);
    rc = rc ? rc : pof_claim_index(&m.c, a->session, err);
    rc = rc ? rc : audit_all(&m, err);
    rc = rc ? rc : pof_cli_sink(cli, NULL, &out, err);
    if (rc == 0) {
        const char *answer = m.reasons && m.answers ? "shares, reasons and answers are true\n"
                             : m.reasons            ? "shares and reasons are true\n"
                                                    : "shares are true\n";
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
