/* SPDX-License-Identifier: Apache-2.0 */
/* pof-offer: offers from pods' flexibility, availability and price rules. */
#include "cli/cli.h"
#include "market/offer.h"

#include <inttypes.h>
#include <stddef.h>

struct args {
    const char *session;
    const char *aggregator;
    int64_t price;
    int64_t received;
};

static const struct pof_option options[] = {
    {"session", 's', POF_OPT_TEXT, offsetof(struct args, session), "ID", "session to offer in (the only one given)", 0, 0, NULL},
    {"aggregator", 'a', POF_OPT_TEXT, offsetof(struct args, aggregator), "NAME", "offers of this aggregator only (all)", 0, 0, NULL},
    {"price", 'p', POF_OPT_MICRO, offsetof(struct args, price), "EUR", "price per MWh where no price rule fits (no offer)", 0, 999999999, NULL},
    {"received", 0, POF_OPT_INSTANT, offsetof(struct args, received), "TIME", "when the offers come in, before the gate (not said)", 0, 0, NULL},
    {0}};

static const struct pof_program program = {
    .name = "pof-offer",
    .purpose = "make offers of flexibility",
    .operands = "[FILE ...]",
    .examples = "pof-offer --session 2026-03-10-DA sessions.jsonl pods.jsonl baselines.jsonl pricerules.jsonl",
    .options = options,
};

struct job {
    struct pof_forecast forecast;
    struct pof_offers offers;
    struct pof_writer *out;
};

static int on_forecast(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    struct job *j = ctx;
    return pof_forecast_take(&j->forecast, record, err);
}

static int on_offers(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    struct job *j = ctx;
    return pof_offers_take(&j->offers, record, err);
}

static int write_offer(void *ctx, const struct pof_offer *offer, struct pof_err *err)
{
    struct job *j = ctx;
    return pof_writer_put(j->out, POF_offer, offer, err);
}

static int read_records(struct pof_cli *cli, struct job *j, struct pof_err *err)
{
    static const struct pof_want wants[] = {{POF_session, on_forecast},
                                            {POF_pod, on_forecast},
                                            {POF_baseline, on_forecast},
                                            {POF_outcome, on_forecast},
                                            {POF_availability, on_offers},
                                            {POF_pricerule, on_offers}};
    return pof_cli_read(cli, wants, sizeof wants / sizeof wants[0], j, err);
}

static void say(struct pof_cli *cli, const struct job *j)
{
    const struct pof_offer_counts *c = &j->offers.counts;
    pof_cli_note(cli, "%" PRIu64 " offers of %u pods in session %.*s", c->offers, j->forecast.pods,
                 (int)j->forecast.session.id.len, j->forecast.session.id.ptr);
    if (c->unpriced) {
        pof_cli_warn(cli, "%u pods are not offered: no price rule fits and --price is not given",
                     c->unpriced);
    }
    if (c->unbaselined) {
        pof_cli_warn(cli, "%u pods are not offered: no baseline in the window", c->unbaselined);
    }
    if (c->unused_rules) {
        pof_cli_note(cli, "%u price rules were not used", c->unused_rules);
    }
}

static int make_offers(struct pof_cli *cli, struct job *j, const struct args *a,
                       struct pof_err *err)
{
    const struct pof_forecast_options window = {.session = a->session};
    const struct pof_offer_options o = {.aggregator = a->aggregator,
                                        .has_price = a->price >= 0,
                                        .price_ueur_mwh = a->price,
                                        .has_received = a->received != INT64_MIN,
                                        .received = a->received};
    int rc = pof_forecast_build(&j->forecast, &window, err);
    rc = rc ? rc : pof_offers_make(&j->offers, &j->forecast, &o, write_offer, j, err);
    if (rc == POF_E_ANSWER_NO) {
        pof_cli_report(cli, err);
        return 1;
    }
    if (rc == 0) {
        say(cli, j);
    }
    return rc;
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    struct job j = {.out = pof_cli_out(cli)};
    int rc = pof_forecast_init(&j.forecast, err);
    rc = rc ? rc : pof_offers_init(&j.offers, err);
    rc = rc ? rc : read_records(cli, &j, err);
    rc = rc ? rc : make_offers(cli, &j, args, err);
    pof_offers_release(&j.offers);
    pof_forecast_release(&j.forecast);
    return rc;
}

int main(int argc, char **argv)
{
    struct args args = {.price = -1, .received = INT64_MIN};
    return pof_main(&program, argc, argv, &args, run);
}
