/* SPDX-License-Identifier: Apache-2.0 */
/* pof-verify: is a cleared session feasible, optimal and paid by the rules? Without solving anything. */
#include "pof-verify/verify.h"

#include "cli/cli.h"
#include "cli/grid.h"
#include "num/decimal.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct args {
    const char *grid, *session, *rules, *explanations;
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
    {"explanations", 0, POF_OPT_FILE, AT(explanations), "FILE", "verify what pof-explain says of every offer, too", 0, 0, NULL},
    {0}};
#undef AT

static const struct pof_program program = {
    .name = "pof-verify",
    .purpose = "verify a cleared market session",
    .operands = "[FILE ...]",
    .examples = "pof-verify --grid grid.json sessions.jsonl requests.jsonl offers.jsonl limits.jsonl \\\n"
                "    awards.jsonl prices.jsonl",
    .options = options,
};

/* --- reading --- */

static int keep(struct market *m, const char *file, uint64_t line, const struct pof_record *r,
                struct pof_err *err)
{
    struct line *to;
    int rc = pof_grow(&m->of[r->type], &m->cap[r->type], m->n[r->type] + 1, sizeof *to, err);
    if (rc) {
        return rc;
    }
    to = &m->of[r->type][m->n[r->type]++];
    *to = (struct line){.file = file, .line = line, .r = {.type = r->type}};
    return pof_record_copy(r->type, &r->u, &to->r.u, &m->arena, err);
}

static int read_file(struct pof_cli *cli, struct market *m, const char *path, struct pof_err *err)
{
    const struct pof_reader_options how = {.expect = POF_TYPES, .strict = pof_cli_strict(cli)};
    struct pof_source src;
    struct pof_reader *reader = NULL;
    struct pof_record r;
    int rc = pof_cli_source(cli, path, &src, err);
    rc = rc ? rc : pof_reader_new(&reader, &src, &how, err);
    while (rc == 0 && (rc = pof_reader_next(reader, &r, err)) > 0) {
        rc = keep(m, path, pof_reader_line(reader), &r, err);
    }
    pof_reader_free(reader);
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

static int read_all(struct pof_cli *cli, struct market *m, struct pof_err *err)
{
    static const char *const standard_input[] = {"-"};
    const char *const *paths;
    size_t n = pof_cli_operands(cli, &paths);
    int rc = 0;
    paths = n ? paths : standard_input;
    for (size_t i = 0; rc == 0 && i < (n ? n : 1); i++) {
        rc = read_file(cli, m, paths[i], err);
    }
    for (size_t i = 0; i < m->n[POF_node_price]; i++) {
        m->ties |= POF_HAS(&m->of[POF_node_price][i].r.u.node_price, node_price, tie_unmet);
    }
    return rc;
}

/* --- checking --- */

static int by_area(const void *pa, const void *pb)
{
    const struct request *a = *(struct request *const *)pa, *b = *(struct request *const *)pb;
    if (a->at != b->at || a->own != b->own) {
        return a->at != b->at ? (a->at > b->at ? -1 : 1) : b->own - a->own;
    }
    if (a->r->direction != b->r->direction || a->ceiling == b->ceiling) {
        return a->r->direction != b->r->direction ? a->r->direction - b->r->direction
                                                  : (a > b) - (a < b);
    }
    return a->ceiling > b->ceiling ? -1 : 1;
}

static int check_quarter(struct market *m, struct quarter *q, struct pof_err *err)
{
    q->needs = 0;
    for (size_t i = 0; i < m->n[POF_request]; i++) {
        struct request *r = &m->request[i];
        if (verify_active(r->r->start, r->r->end, q->start) && r->at != POF_NONE) {
            q->need[q->needs++] = r;
        } else if (verify_active(r->r->start, r->r->end, q->start)) {
            m->unmet += r->r->p_w;
        }
    }
    if (q->needs > 1) {
        qsort(q->need, q->needs, sizeof(struct request *), by_area);
    }
    int rc = verify_quarter(m, q, err);
    rc = rc ? rc : verify_shares(m, q, err);
    return rc || !m->reasons ? rc : verify_reasons(m, q, err);
}

static int check_all(struct market *m, struct pof_err *err)
{
    struct quarter q = {.award = m->award};
    int rc = pof_calloc(&q.need, m->n[POF_request], sizeof(struct request *), err);
    for (q.start = m->session->start; rc == 0 && q.start < m->session->end; q.start += POF_QUARTER_S) {
        size_t left = m->n[POF_award] - (size_t)(q.award - m->award);
        for (q.awards = 0; q.awards < left && q.award[q.awards]->r.u.award.start == q.start;) {
            q.awards++;
        }
        rc = check_quarter(m, &q, err);
        q.award += q.awards;
    }
    for (size_t i = 0; rc == 0 && i < m->n[POF_node_price]; i++) {
        const struct line *l = &m->of[POF_node_price][i];
        const struct pof_node_price *p = &l->r.u.node_price;
        if (!pof_text_eq(p->session, m->session->id) || p->duration_s != POF_QUARTER_S ||
            p->start % POF_QUARTER_S ||
            !verify_active(m->session->start, m->session->end, p->start)) {
            rc = REFUSE(l, "start", "is no price of a quarter-hour of the session");
        }
    }
    for (size_t i = 0; rc == 0 && i < m->n[POF_explanation]; i++) {
        const struct pof_explanation *e = &m->of[POF_explanation][i].r.u.explanation;
        if (!verify_active(m->session->start, m->session->end, e->start) ||
            e->start % POF_QUARTER_S) {
            rc = REFUSE(&m->of[POF_explanation][i], "start", "is no quarter-hour of the session");
        }
    }
    free(q.need);
    return rc;
}

static int say(struct pof_cli *cli, const struct market *m, struct pof_err *err)
{
    const char *answer = m->blocks ? "feasible; optimal for the chosen blocks\n" : "optimal\n";
    struct pof_sink out;
    int rc = pof_cli_sink(cli, NULL, &out, err);
    pof_cli_note(cli, "%zu awards, %zu prices; %.0f Wh unmet; %s", m->n[POF_award], m->n[POF_node_price],
                 (double)m->unmet / 4, m->ties ? "ties too" : "prices do not tell ties");
    return rc ? rc : out.write(out.ctx, answer, strlen(answer), err);
}

static void release(struct market *m)
{
    for (int t = 0; t < POF_TYPES; t++) {
        free(m->of[t]);
    }
    free(m->place);
    free(m->up);
    free(m->end);
    free(m->child);
    free(m->area[0]);
    free(m->area[1]);
    free(m->offer);
    free(m->request);
    free(m->award);
    pof_names_release(&m->offer_ids);
    pof_names_release(&m->request_ids);
    pof_names_release(&m->judged);
    pof_arena_release(&m->arena);
    pof_tree_release(&m->tree);
    pof_grid_release(&m->grid);
    pof_rulebook_release(&m->rulebook);
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    const struct args *a = args;
    struct market m = {.reasons = a->explanations != NULL};
    int rc = pof_cli_grid(cli, a->grid, &m.grid, err);
    rc = rc ? rc : read_rules(cli, a, &m.rulebook, err);
    rc = rc ? rc : read_all(cli, &m, err);
    rc = rc || !a->explanations ? rc : read_file(cli, &m, a->explanations, err);
    rc = rc ? rc : verify_index(&m, a->session, err);
    rc = rc ? rc : verify_awards(&m, err);
    rc = rc ? rc : check_all(&m, err);
    rc = rc ? rc : verify_blocks(&m, err);
    rc = rc ? rc : say(cli, &m, err);
    release(&m);
    return rc;
}

int main(int argc, char **argv)
{
    struct args args = {.ceiling = -1, .price = -1};
    return pof_main(&program, argc, argv, &args, run);
}
