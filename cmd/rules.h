/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of the market, for programs that go by them: --rules FILE, and the options that are short
 * for a line of it and go before it. The same options for all, so that a session is verified, audited
 * and explained by the words it was cleared with. */
#ifndef POF_CMD_RULES_H
#define POF_CMD_RULES_H

#include "cli/cli.h"
#include "market/rules.h"

#include <stddef.h>

/* What the options say; begins as NO_RULES. */
struct rule_args {
    const char *file, *seed;
    int64_t ceiling;
    int sequence, price, tie;
};
#define NO_RULES {.ceiling = -1, .sequence = -1, .price = -1, .tie = -1}

/* In the order of the words of records.def. */
static const char *const rule_sequences[] = {"joint", "dso-first", NULL};
static const char *const rule_prices[] = {"pay-as-bid", "uniform", "zonal", "nodal", NULL};
static const char *const rule_ties[] = {"time", "pro-rata", "lottery", NULL};

/* Rows of an option table; args has a member struct rule_args rules. */
#define RULE_OPTIONS(args)                                                                         \
    {"rules", 'r', POF_OPT_FILE, offsetof(args, rules.file), "FILE",                               \
     "rules of the market, see pof-rules(5) (the usual ones)", 0, 0, NULL},                        \
    {"sequence", 0, POF_OPT_WORD, offsetof(args, rules.sequence), "WORD",                          \
     "requests cleared together or one role after the other (joint)", 0, 0, rule_sequences},       \
    {"price", 'p', POF_OPT_WORD, offsetof(args, rules.price), "RULE",                              \
     "what an award is paid (pay-as-bid)", 0, 0, rule_prices},                                     \
    {"tie", 0, POF_OPT_WORD, offsetof(args, rules.tie), "RULE",                                    \
     "which of equal offers are taken (time)", 0, 0, rule_ties},                                   \
    {"seed", 0, POF_OPT_TEXT, offsetof(args, rules.seed), "TEXT", "seed of the lottery", 0, 0,     \
     NULL},                                                                                        \
    {"ceiling", 'c', POF_OPT_MICRO, offsetof(args, rules.ceiling), "EUR",                          \
     "what a MWh is worth to requests without a price limit (3000)", 0, 999999999, NULL}

static inline int rules_take(void *book, const struct pof_record *record, struct pof_err *err)
{
    return pof_rulebook_take(book, record, err);
}

/* Fills a rulebook, to be released by the caller also when this fails. The seed is borrowed. */
static inline int rules_read(struct pof_cli *cli, const struct rule_args *a, struct pof_rulebook *book,
                             struct pof_err *err)
{
    static const struct pof_want wants[] = {{POF_rules, rules_take}, {POF_price_zone, rules_take}};
#define RULE(given, member, value)                                                                 \
    if (given) {                                                                                   \
        book->option.member = value;                                                               \
        POF_SET(&book->option, rules, member);                                                     \
    }
    RULE(a->sequence >= 0, sequence, a->sequence)
    RULE(a->price >= 0, price, a->price)
    RULE(a->tie >= 0, tie, a->tie)
    RULE(a->seed, seed, pof_text(a->seed))
    RULE(a->ceiling >= 0, ceiling_ueur_mwh, a->ceiling)
#undef RULE
    return a->file ? pof_cli_read_files(cli, &a->file, 1, wants, 2, book, err) : 0;
}

#endif
