/* SPDX-License-Identifier: Apache-2.0 */
/* pof-verify: is a cleared session feasible, optimal and paid as it says? Without solving anything,
 * and without code of the programs that do: quantities that keep all limits and prices that fit them
 * prove each other optimal (complementary slackness; A. Schrijver, Theory of Linear and Integer
 * Programming, section 7.9). In integers, each quarter-hour once. What follows from other records is
 * worked out and held against what is given, so no field of a result can be changed alone.
 * market/claim.h has read everything to its place; nothing else is taken from the room of the market. */
#include "cli/cli.h"
#include "cli/grid.h"
#include "pof-verify/verify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct args {
    const char *grid, *session, *rules;
    int64_t ceiling;
    int price;
};

static const char *const price_rules[] = {"pay-as-bid", "uniform", "zonal", "nodal", NULL};
#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"grid", 'g', POF_OPT_FILE, AT(grid), "FILE", "grid document, radial; needed", 0, 0, NULL},
    {"session", 's', POF_OPT_TEXT, AT(session), "ID", "session to verify (the only one given)", 0, 0, NULL},
    {"rules", 'r', POF_OPT_FILE, AT(rules), "FILE", "rules it was cleared by, see pof-rules(5) (the usual ones)", 0, 0, NULL},
    {"price", 'p', POF_OPT_WORD, AT(price), "RULE", "price rule it was cleared by (pay-as-bid)", 0, 0, price_rules},
    {"ceiling", 'c', POF_OPT_MICRO, AT(ceiling), "EUR", "ceiling it was cleared with (3000)", 0, 999999999, NULL},
    {0}};
#undef AT
static const struct pof_program program = {
    .name = "pof-verify",
    .purpose = "verify a cleared market session",
    .operands = "[FILE ...]",
    .examples = "pof-verify --grid grid.json orders.jsonl awards.jsonl prices.jsonl served.jsonl",
    .options = options,
};

/* Blocks whole or not at all, children with their parents, one of a group. First what blocks are. */
static int check_links(struct market *m, const struct pof_claim_line *l, bool first, struct pof_err *err)
{
    const struct pof_offer *o = &l->r->u.offer;
    struct pof_claim_name *block, *parent, *group, *own = l->name;
    int rc = pof_claim_name(&m->c, 'b', o->session, pof_record_get(l->r, "block"), &block, err);
    rc = rc ? rc : pof_claim_name(&m->c, 'b', o->session, pof_record_get(l->r, "parent"), &parent, err);
    rc = rc ? rc : pof_claim_name(&m->c, 'g', o->session, pof_record_get(l->r, "group"), &group, err);
    if (rc || first) {
        block = block ? block : own;
        block->taken |= own->taken;
        block->left |= own->left;
        return rc;
    }
    if (block && block->taken && block->left) {
        return POF_REFUSE(l, "block", "is taken in part");
    }
    if (parent && own->taken && !parent->taken) {
        return POF_REFUSE(l, "parent", "is taken without it");
    }
    own = own->taken && block ? block : own;
    if (group && own->taken && group->taker && group->taker != own) {
        return POF_REFUSE(l, "group", "has another one taken");
    }
    if (group && own->taken) {
        group->taker = own;
    }
    return 0;
}

/* Costs are worked out anew; how a bound was found, with blocks, is the word of who searched. */
static int check_cleared(struct market *m, const struct pof_claim_line *l, struct pof_err *err)
{
    struct pof_cleared x = l->r->u.cleared;
    x.session = m->c.session->id;
    x.pass = 1;
    x.cost_ueur = pof_claim_money(m->cost, true);
    if (!m->blocks) {
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
    for (; rc == 0 && m->now < m->c.quarters; m->now++) {
        rc = verify_quarter(m, err);
    }
    for (size_t i = 0; rc == 0 && i < 2 * m->c.kept.n; i++) {
        const struct pof_claim_line *l = &m->c.line[i % m->c.kept.n];
        bool first = i < m->c.kept.n;
        rc = l->r->type == POF_offer ? check_links(m, l, first, err)
             : l->r->type == POF_cleared && first ? check_cleared(m, l, err) : 0;
    }
    return rc;
}

static int on_rule(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    return pof_rulebook_take(ctx, record, err);
}

static int read_rules(struct pof_cli *cli, const struct args *a, struct pof_rulebook *rules,
                      struct pof_err *err)
{
    static const struct pof_want wants[] = {{POF_rules, on_rule}, {POF_price_zone, on_rule}};
    if (a->price >= 0) {
        rules->option.price = a->price;
        POF_SET(&rules->option, rules, price);
    }
    if (a->ceiling >= 0) {
        rules->option.ceiling_ueur_mwh = a->ceiling;
        POF_SET(&rules->option, rules, ceiling_ueur_mwh);
    }
    return a->rules ? pof_cli_read_files(cli, &a->rules, 1, wants, 2, rules, err) : 0;
}

/* What is checked is said; what cannot be is refused by name. */
static int check_rules(const struct market *m, struct pof_err *err)
{
    const struct pof_rules *r = &m->c.rules;
    char hex[POF_SHA256_HEX];
    if (r->price == POF_PRICE_RULE_ZONAL || r->single_seller == POF_SINGLE_SELLER_AS_BID) {
        return pof_fail(err, POF_E_USAGE, "prices of zones and of single sellers cannot be verified yet");
    }
    int rc = pof_rulebook_digest(&m->c.rulebook, r, hex, err);
    for (size_t i = 0; rc == 0 && i < m->c.kept.n; i++) {
        const struct pof_claim_line *l = &m->c.line[i];
        const struct pof_cleared *c = &l->r->u.cleared;
        if (l->r->type == POF_cleared && POF_HAS(c, cleared, rules) &&
            !pof_text_eq(c->rules, (struct pof_text){hex, sizeof hex})) {
            rc = POF_REFUSE(l, "rules", "the rules given are %.*s", POF_SHA256_HEX, hex);
        }
    }
    return rc;
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    const struct args *a = args;
    struct market m = {.c = {.grid = &m.grid}};
    struct pof_sink out;
    int rc = pof_cli_grid(cli, a->grid, &m.grid, err);
    rc = rc ? rc : read_rules(cli, a, &m.c.rulebook, err);
    rc = rc ? rc : pof_cli_keep(cli, &m.c.kept, err);
    rc = rc ? rc : pof_claim_index(&m.c, a->session, err);
    rc = rc ? rc : check_rules(&m, err);
    rc = rc ? rc : check_session(&m, err);
    rc = rc ? rc : pof_cli_sink(cli, NULL, &out, err);
    if (rc == 0) {
        const char *answer = m.blocks ? "feasible; optimal for the chosen blocks\n" : "optimal\n";
        pof_cli_note(cli, "%.0f Wh unmet; %s", (double)m.unmet / 4,
                     m.c.rules.tie == POF_TIE_RULE_PRO_RATA ? "equal shares are not checked"
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
    struct args args = {.ceiling = -1, .price = -1};
    return pof_main(&program, argc, argv, &args, run);
}
