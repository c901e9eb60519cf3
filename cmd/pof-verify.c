/* SPDX-License-Identifier: Apache-2.0 */
/* pof-verify: is a cleared session feasible, optimal and paid as it says? Without solving anything,
 * and without code of the programs that do: quantities that keep all limits and prices that fit them
 * prove each other optimal (complementary slackness; A. Schrijver, Theory of Linear and Integer
 * Programming, section 7.9). What follows from other records is worked out, in integers, and held against
 * what is given. market/claim.h has placed everything; that and the rules are all of the market's room. */
#include "cli/cli.h"
#include "cli/grid.h"
#include "pof-verify/verify.h"
#include "rules.h"

#include <stdlib.h>
#include <string.h>

struct args {
    struct rule_args rules;
    const char *grid, *session;
};

static const struct pof_option options[] = {
    {"grid", 'g', POF_OPT_FILE, offsetof(struct args, grid), "FILE", "grid document; needed", 0, 0, NULL},
    {"session", 's', POF_OPT_TEXT, offsetof(struct args, session), "ID", "session to verify (the only one given)", 0, 0, NULL},
    RULE_OPTIONS(struct args),
    {0}};
static const struct pof_program program = {
    .name = "pof-verify",
    .purpose = "verify a cleared market session",
    .operands = "[FILE ...]",
    .examples = "pof-verify --grid grid.json orders.jsonl awards.jsonl prices.jsonl served.jsonl",
    .options = options,
};

/* Blocks whole or not at all, children with their parents, one of a group. */
static int check_links(const struct pof_claim_line *l, struct pof_err *err)
{
    struct pof_claim_name *b = l->block, *g = b->taken ? l->group : NULL;
    bool second = g && g->taker && g->taker != b;
    if (g) {
        g->taker = b;
    }
    return !b->taken                        ? 0
           : b != l->name && b->left        ? POF_REFUSE(l, "block", "is taken in part")
           : b->parent && !b->parent->taken ? POF_REFUSE(l, "parent", "is taken without it")
           : second                         ? POF_REFUSE(l, "group", "has another one taken") : 0;
}

/* Costs are worked out anew; how a bound was found, with blocks, is the word of who searched. What the
 * first of two roles took alone nobody tells. */
static int check_cleared(struct market *m, const struct pof_claim_line *l, struct pof_err *err)
{
    struct pof_cleared x = l->r->u.cleared;
    x.session = m->c.session->id;
    if (m->joint || m->c.loops) {
        x.pass = 1;
        x.cost_ueur = pof_claim_money(m->cost, true);
    }
    if (m->joint && !m->blocks) {
        x.bound_ueur = (int64_t)(m->cost / (POF_WS_PER_MWH / POF_QUARTER_S));
        x.gap_ppm = x.decisions = x.taken = x.nodes = x.open = 0;
        x.parts = m->c.quarters;
    }
    return x.bound_ueur > x.cost_ueur ? POF_REFUSE(l, "bound_eur", "is more than the cost")
                                      : pof_claim_same(l, &x, err);
}

static int check_session(struct market *m, struct pof_err *err)
{
    int rc = pof_calloc(&m->area, 2 * (size_t)m->grid.nodes, sizeof *m->area, err);
    rc = rc ? rc : pof_calloc(&m->sums, m->c.kept.n, sizeof *m->sums, err);
    m->joint = m->c.rules.sequence == POF_SEQUENCE_JOINT && !m->c.loops;
    for (; rc == 0 && m->now < m->c.quarters; m->now++) {
        rc = verify_quarter(m, err);
    }
    for (size_t i = 0; rc == 0 && i < m->c.kept.n; i++) {
        const struct pof_claim_line *l = &m->c.line[i];
        rc = l->r->type == POF_offer     ? check_links(l, err)
             : l->r->type == POF_cleared ? check_cleared(m, l, err) : 0;
    }
    return rc;
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    const struct args *a = args;
    struct market m = {.c = {.grid = &m.grid, .meshed = true}};
    struct pof_sink out;
    int rc = pof_cli_grid(cli, a->grid, &m.grid, err);
    rc = rc ? rc : rules_read(cli, &a->rules, &m.c.rulebook, err);
    rc = rc ? rc : pof_cli_keep(cli, &m.c.kept, err);
    rc = rc ? rc : pof_claim_index(&m.c, a->session, err);
    rc = rc ? rc : check_session(&m, err);
    rc = rc ? rc : pof_cli_sink(cli, NULL, &out, err);
    if (rc == 0) {
        const char *answer = m.c.loops  ? "feasible; how near to the least cost is the word of who cleared it\n"
                             : !m.joint ? "feasible; a sequence of roles has no prices to prove it\n"
                             : m.blocks ? "feasible; optimal for the chosen blocks\n"
                                        : "optimal\n";
        pof_cli_note(cli, "%.0f Wh unmet; %s", (double)m.unmet / 4,
                     m.c.rules.tie == POF_TIE_RULE_PRO_RATA ? "equal shares are for pof-audit"
                     : m.c.ties                             ? "ties too"
                                                            : "prices do not tell ties");
        rc = out.write(out.ctx, answer, strlen(answer), err);
    }
    free(m.area);
    free(m.sums);
    pof_claim_release(&m.c);
    pof_grid_release(&m.grid);
    return rc;
}

int main(int argc, char **argv)
{
    struct args args = {.rules = NO_RULES};
    return pof_main(&program, argc, argv, &args, run);
}
