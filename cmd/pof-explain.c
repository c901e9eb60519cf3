/* SPDX-License-Identifier: Apache-2.0 */
/* pof-explain: why offers won or lost, and what can be delivered at which price. */
#include "market/differ.h"
#include "market/explain.h"

#include "cli/cli.h"
#include "cli/grid.h"
#include "pof-explain/say.h"
#include "num/decimal.h"
#include "num/time.h"
#include "record/words.h"
#include "rules.h"

#include <stddef.h>
#include <stdlib.h>

struct args {
    struct rule_args rules;
    const char *grid, *session;
    const char *diff;
    bool text, requests, root, answers;
};

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"grid", 'g', POF_OPT_FILE, AT(grid), "FILE", "grid document, radial; needed but with --diff", 0, 0, NULL},
    {"session", 's', POF_OPT_TEXT, AT(session), "ID", "session to explain (the only one given)", 0, 0, NULL},
    RULE_OPTIONS(struct args),
    {"text", 0, POF_OPT_FLAG, AT(text), NULL, "sentences for people instead of records", 0, 0, NULL},
    {"answers", 0, POF_OPT_FLAG, AT(answers), NULL, "how each request is met and why not whole", 0, 0, NULL},
    {"diff", 0, POF_OPT_FILE, AT(diff), "FILE", "what changed since what FILE says; operands are what is said now", 0, 0, NULL},
    {"requests", 0, POF_OPT_FLAG, AT(requests), NULL, "what each request can get at which price, before clearing", 0, 0, NULL},
    {"root-curve", 0, POF_OPT_FLAG, AT(root), NULL, "what the whole grid can deliver at its root", 0, 0, NULL},
    {0}};
#undef AT

static const struct pof_program program = {
    .name = "pof-explain",
    .purpose = "say why offers won or lost",
    .operands = "[FILE ...]",
    .examples = "pof-explain --grid grid.json --text sessions.jsonl requests.jsonl offers.jsonl \\\n"
                "    limits.jsonl awards.jsonl prices.jsonl",
    .options = options,
};

/* Awards, prices and verdicts wait until the book is closed; so do offers that it may leave out. */
struct job {
    const struct args *args;
    struct pof_cli *cli;
    struct pof_grid grid;
    struct pof_feeder feeder;
    struct pof_rulebook rules;
    struct pof_book book;
    struct pof_explain explain;
    struct pof_record *kept;
    size_t n, cap;
    struct pof_arena arena;
    struct pof_sink text;
};

static int keep(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    struct job *j = ctx;
    int rc = pof_grow(&j->kept, &j->cap, j->n + 1, sizeof *j->kept, err);
    if (rc == 0) {
        j->kept[j->n] = (struct pof_record){.type = r->type};
        rc = pof_record_copy(r->type, &r->u, &j->kept[j->n].u, &j->arena, err);
        j->n++;
    }
    return rc;
}

static bool is_unfed(const struct job *j, const struct pof_offer *o)
{
    return j->feeder.place[pof_names_find(&j->grid.node_names, o->node)] == POF_NONE;
}

static int take(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    struct job *j = ctx;
    int rc = pof_book_take(&j->book, r, err);
    if (rc == 0 && r->type == POF_offer) {
        const struct pof_offer *o = &r->u.offer;
        rc = is_unfed(j, o) || POF_HAS(o, offer, block) || POF_HAS(o, offer, parent) ? keep(ctx, r, err) : 0;
    }
    return rc;
}

static int read_all(struct job *j, struct pof_err *err)
{
    static const struct pof_want wants[] = {
        {POF_session, take}, {POF_request, take}, {POF_offer, take},  {POF_limit, take},
        {POF_award, keep},   {POF_verdict, keep}, {POF_node_price, keep}};
    int rc = pof_cli_grid(j->cli, j->args->grid, &j->grid, err);
    rc = rc ? rc : pof_feeder_init(&j->feeder, &j->grid, err);
    if (rc) {
        return pof_at(err, j->args->grid, 0, NULL);
    }
    rc = rules_read(j->cli, &j->args->rules, &j->rules, err);
    rc = rc ? rc : pof_book_init(&j->book, &j->feeder, err);
    rc = rc ? rc : pof_cli_read(j->cli, wants, sizeof wants / sizeof wants[0], j, err);
    return rc ? rc : pof_book_close(&j->book, j->args->session, &j->rules, err);
}

/* Awards come before their verdicts, whatever the order of the input. */
static int hand_over(struct job *j, struct pof_err *err)
{
    int rc = pof_explain_init(&j->explain, &j->book, err);
    for (size_t i = 0; rc == 0 && i < j->n; i++) {
        const struct pof_record *r = &j->kept[i];
        rc = r->type == POF_award        ? pof_explain_award(&j->explain, &r->u.award, err)
             : r->type == POF_node_price ? pof_explain_price(&j->explain, &r->u.node_price, err)
                                         : 0;
    }
    for (size_t i = 0; rc == 0 && i < j->n; i++) {
        if (j->kept[i].type == POF_verdict) {
            rc = pof_explain_verdict(&j->explain, &j->kept[i].u.verdict, err);
        }
    }
    return rc;
}

/* The sentence that was begun with what rc says. */
static int say(struct job *j, struct pof_buf *b, int rc, struct pof_err *err)
{
    rc = rc ? rc : j->text.write(j->text.ctx, b->data, b->len, err);
    pof_buf_release(b);
    return rc;
}

static int on_explanation(void *ctx, const struct pof_explanation *e, struct pof_err *err)
{
    struct job *j = ctx;
    struct pof_buf b = {0};
    return j->args->text ? say(j, &b, explain_say_offer(&b, e, err), err)
                         : pof_writer_put(pof_cli_out(j->cli), POF_explanation, e, err);
}

static int on_answer(void *ctx, const struct pof_answer *a, struct pof_err *err)
{
    struct job *j = ctx;
    struct pof_buf b = {0};
    return j->args->text ? say(j, &b, explain_say_answer(&b, a, err), err) : pof_writer_put(pof_cli_out(j->cli), POF_answer, a, err);
}

static int on_change(void *ctx, const struct pof_change *c, struct pof_err *err)
{
    struct job *j = ctx;
    struct pof_buf b = {0};
    return j->args->text ? say(j, &b, explain_say_change(&b, c, err), err) : pof_writer_put(pof_cli_out(j->cli), POF_change, c, err);
}

/* Of what was said of two results; neither books nor the grid are needed. */
static int differ(struct job *j, struct pof_err *err)
{
    struct pof_kept_records before = {0}, after = {0};
    int rc = j->args->text ? pof_cli_sink(j->cli, NULL, &j->text, err) : 0;
    rc = rc ? rc : pof_cli_keep_file(j->cli, j->args->diff, &before, err);
    rc = rc ? rc : pof_cli_keep(j->cli, &after, err);
    rc = rc ? rc : pof_differ_run(&before, &after, on_change, j, err);
    pof_kept_release(&before);
    pof_kept_release(&after);
    return rc;
}

static int on_supply(void *ctx, const struct pof_supply *s, struct pof_err *err)
{
    struct job *j = ctx;
    return pof_writer_put(pof_cli_out(j->cli), POF_supply, s, err);
}

/* Offers that the book leaves out, in order of id and quarter-hour, behind the others. */
static int by_id(const void *a, const void *b)
{
    return pof_text_cmp(((const struct pof_record *)a)->u.offer.id,
                        ((const struct pof_record *)b)->u.offer.id);
}

/* An offer that no price was asked for, in each of its quarter-hours. */
static int explain_lost(struct job *j, const struct pof_offer *o, enum pof_why why,
                        struct pof_err *err)
{
    const struct pof_session *s = &j->book.session;
    int rc = 0;
    for (int64_t t = s->start; rc == 0 && t < s->end; t += POF_QUARTER_S) {
        const struct pof_explanation e = {.session = s->id,
                                          .offer = o->id,
                                          .start = t,
                                          .duration_s = POF_QUARTER_S,
                                          .p_w = o->p_w,
                                          .standing = POF_STANDING_LOST,
                                          .why = (int)why,
                                          .price_ueur_mwh = o->price_ueur_mwh};
        rc = t >= o->start && t < o->end ? on_explanation(j, &e, err) : 0;
    }
    return rc;
}

/* Those that nothing feeds are told with what else is left out. */
static int explain_refused(struct job *j, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < j->book.refusals; i++) {
        uint32_t k;
        const struct pof_book_refusal *x = &j->book.refusal[i];
        const struct pof_offer o = {.id = x->id,
                                    .start = x->start,
                                    .end = x->end,
                                    .p_w = x->p_w,
                                    .price_ueur_mwh = x->price_ueur_mwh};
        if (x->order == POF_ORDER_OFFER && j->feeder.place[x->node] != POF_NONE) {
            rc = pof_names_add(&j->explain.offers, o.id, &k, err);
            rc = rc ? rc : explain_lost(j, &o, x->why == POF_REFUSAL_LATE ? POF_WHY_GATE : POF_WHY_REFUSED, err);
        }
    }
    return rc;
}

/* Nothing feeds them, or a block reaches beyond the session or hangs on one that does. */
static int explain_left_out(struct job *j, struct pof_err *err)
{
    size_t n = 0;
    int rc = 0;
    for (size_t i = 0; i < j->n; i++) {
        if (j->kept[i].type == POF_offer) {
            j->kept[n++] = j->kept[i];
        }
    }
    if (n > 1) {
        qsort(j->kept, n, sizeof *j->kept, by_id);
    }
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct pof_offer *o = &j->kept[i].u.offer;
        bool unfed = is_unfed(j, o);
        if (unfed || pof_names_find(&j->explain.offers, o->id) == POF_NONE) {
            rc = explain_lost(j, o, unfed ? POF_WHY_UNFED : POF_WHY_CHOICE, err);
        }
    }
    return rc;
}

static int write_all(struct job *j, struct pof_err *err)
{
    if (j->args->requests || j->args->root) {
        int rc = j->args->root ? pof_supply_run(&j->book, true, on_supply, j, err) : 0;
        return rc || !j->args->requests ? rc : pof_supply_run(&j->book, false, on_supply, j, err);
    }
    int rc = j->args->text ? pof_cli_sink(j->cli, NULL, &j->text, err) : 0;
    rc = rc ? rc : hand_over(j, err);
    if (rc == 0 && j->args->answers) {
        return pof_answer_run(&j->explain, on_answer, j, err);
    }
    rc = rc ? rc : pof_explain_run(&j->explain, on_explanation, j, err);
    rc = rc ? rc : explain_refused(j, err);
    return rc ? rc : explain_left_out(j, err);
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    struct job j = {.args = args, .cli = cli};
    int rc = j.args->diff ? differ(&j, err) : read_all(&j, err);
    rc = rc || j.args->diff ? rc : write_all(&j, err);
    pof_explain_release(&j.explain);
    pof_book_release(&j.book);
    pof_rulebook_release(&j.rules);
    pof_feeder_release(&j.feeder);
    pof_grid_release(&j.grid);
    pof_arena_release(&j.arena);
    free(j.kept);
    return rc;
}

int main(int argc, char **argv)
{
    struct args args = {.rules = NO_RULES};
    return pof_main(&program, argc, argv, &args, run);
}
