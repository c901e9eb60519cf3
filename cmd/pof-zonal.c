/* SPDX-License-Identifier: Apache-2.0 */
/* pof-zonal: clears the order books of bidding zones that links of limited capacity join. */
#include "cli/cli.h"
#include "market/zonal.h"
#include "num/decimal.h"

#include <inttypes.h>
#include <stddef.h>

struct args {
    int blocks;
    int64_t budget;
};

static const char *const blocks_words[] = {"decide", "given", NULL};

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"blocks", 'b', POF_OPT_WORD, AT(blocks), "WORD", "which block orders are taken: decided here, or as their status says (decide)", 0, 0, blocks_words},
    {"budget", 0, POF_OPT_INT, AT(budget), "N", "periods that may be cleared in search of better blocks (100000)", 1, INT64_C(1000000000), NULL},
    {0}};
#undef AT

static const struct pof_program program = {
    .name = "pof-zonal",
    .purpose = "clear the order books of bidding zones",
    .operands = "[FILE ...]",
    .examples = "pof-zonal samples/zones.csv samples/zone-links.csv samples/zone-border.csv\n"
                "pof-zonal --blocks given orders.jsonl links.jsonl",
    .options = options,
};

static int on_record(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    return pof_zonal_take(ctx, record, err);
}

static struct pof_text zone(const struct pof_zonal_book *b, uint32_t i)
{
    return b->zones.text[b->zone_at[i]];
}

static int write_period(struct pof_writer *out, const struct pof_zonal_book *b,
                        const struct pof_zonal_result *r, uint32_t t, struct pof_err *err)
{
    const struct pof_zonal_when when = b->when[b->period_at[t]];
    int rc = 0;
    for (uint32_t z = 0; rc == 0 && z < b->zones.n; z++) {
        size_t at = (size_t)t * b->zones.n + z;
        struct pof_zone_price x = {.zone = zone(b, z),
                                   .start = when.start,
                                   .duration_s = when.duration_s,
                                   .price_ueur_mwh = r->price[at],
                                   .supply_wh = r->supply[at],
                                   .demand_wh = r->demand[at]};
        POF_SET(&x, zone_price, supply_wh);
        POF_SET(&x, zone_price, demand_wh);
        rc = r->known[at] ? pof_writer_put(out, POF_zone_price, &x, err) : 0;
    }
    for (uint32_t i = b->link_first[t]; rc == 0 && i < b->link_first[t + 1]; i++) {
        struct pof_zone_flow x = {.from = zone(b, b->link[i].from),
                                  .to = zone(b, b->link[i].to),
                                  .start = when.start,
                                  .duration_s = when.duration_s,
                                  .flow_wh = r->flow[i]};
        rc = pof_writer_put(out, POF_zone_flow, &x, err);
    }
    return rc;
}

static int write_block(struct pof_writer *out, const struct pof_zonal_book *b,
                       const struct pof_zonal_result *r, uint32_t i, struct pof_err *err)
{
    struct pof_block_result x = {.block = b->blocks.text[b->block_at[i]],
                                 .status = r->accepted[i] ? 0 : r->surplus[i] > 0 ? 2 : 1,
                                 .given = b->block[i].given};
    if (b->block[i].given >= 0 && b->block[i].given != x.status) {
        POF_SET(&x, block_result, given);
    }
    int rc = pof_zonal_money(r->surplus[i], &x.surplus_ueur, err);
    return rc ? rc : pof_writer_put(out, POF_block_result, &x, err);
}

static int write_all(struct pof_cli *cli, const struct pof_zonal_book *b,
                     const struct pof_zonal_result *r, struct pof_err *err)
{
    int rc = 0;
    for (uint32_t t = 0; rc == 0 && t < b->periods.n; t++) {
        rc = write_period(pof_cli_out(cli), b, r, t, err);
    }
    for (uint32_t i = 0; rc == 0 && i < b->blocks.n; i++) {
        rc = write_block(pof_cli_out(cli), b, r, i, err);
    }
    return rc;
}

static int say(struct pof_cli *cli, const struct pof_zonal_book *b,
               const struct pof_zonal_result *r, struct pof_err *err)
{
    char welfare[POF_DECIMAL_MAX], gap[POF_DECIMAL_MAX];
    int64_t welfare_ueur = 0, gap_ueur = 0;
    uint32_t taken = 0, differ = 0;
    for (uint32_t i = 0; i < b->blocks.n; i++) {
        taken += r->accepted[i];
        differ += b->block[i].given >= 0 && r->accepted[i] != (b->block[i].given == 0);
    }
    int rc = pof_zonal_money(r->welfare, &welfare_ueur, err);
    rc = rc ? rc : pof_zonal_money(r->gap, &gap_ueur, err);
    int wn = (int)pof_decimal_format(welfare_ueur, POF_MICRO, welfare);
    int gn = (int)pof_decimal_format(gap_ueur, POF_MICRO, gap);
    if (rc == 0) {
        pof_cli_note(cli, "%zu zones, %zu periods: welfare %.*s EUR, at most %.*s EUR from the best",
                     b->zones.n, b->periods.n, wn, welfare, gn, gap);
    }
    if (rc == 0 && b->blocks.n) {
        pof_cli_note(cli, "%u of %zu blocks taken, %u otherwise than their status says", taken,
                     b->blocks.n, differ);
    }
    return rc;
}

static int clear_book(struct pof_cli *cli, const struct args *args, const struct pof_zonal_book *b,
                      struct pof_err *err)
{
    struct pof_zonal_result r = {0};
    const char *wrong = NULL;
    int rc = pof_zonal_clear(b, (enum pof_zonal_blocks)args->blocks, (uint64_t)args->budget, &r, err);
    rc = rc ? rc : pof_zonal_check(b, &r, args->blocks == POF_ZONAL_DECIDE, &wrong, err);
    if (rc == 0 && wrong) {
        rc = pof_fail(err, POF_E_INTERNAL, "the result fails its check: %s", wrong);
    }
    rc = rc ? rc : write_all(cli, b, &r, err);
    rc = rc ? rc : say(cli, b, &r, err);
    pof_zonal_result_release(&r);
    return rc;
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    static const struct pof_want wants[] = {
        {POF_zone_order, on_record}, {POF_zone_link, on_record}, {POF_zone_price, on_record}};
    struct pof_zonal_book book = {0};
    int rc = pof_cli_read(cli, wants, sizeof wants / sizeof wants[0], &book, err);
    rc = rc ? rc : pof_zonal_close(&book, err);
    rc = rc ? rc : clear_book(cli, args, &book, err);
    pof_zonal_release(&book);
    return rc;
}

int main(int argc, char **argv)
{
    struct args args = {.budget = 100000};
    return pof_main(&program, argc, argv, &args, run);
}
