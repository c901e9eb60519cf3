/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of a market, from records and options to the ones in force in a session.
 *
 * A rules file holds one `rules` record for all sessions, or one for each kind of session, and
 * `price_zone` records. What a record leaves open is as usual (pof-rules(5)); what a program's
 * options say goes before both. The rules in force have a name that depends on nothing but what
 * they say: the SHA-256 of their lines, see pof_rulebook_digest(). */
#ifndef POF_MARKET_RULES_H
#define POF_MARKET_RULES_H

#include "base/text.h"
#include "num/sha256.h"
#include "record/record.h"
#include "record/words.h"

enum { POF_SESSION_KINDS = 2 };

/* Initialise with {0}: all is as usual. Texts of records in the arena. */
struct pof_rulebook {
    struct pof_rules rules[POF_SESSION_KINDS + 1]; /* by kind; the last: for all */
    bool given[POF_SESSION_KINDS + 1];
    struct pof_rules option; /* what options say, as fields that are given */
    struct pof_price_zone *zone; /* owned; by branch after pof_rulebook_choose() */
    size_t zones, zone_cap;
    struct pof_names zone_branches;
    struct pof_arena arena;
};

/* Takes a rules or price_zone record. POF_E_DUPLICATE for a second one for the same sessions or the
 * same branch. */
int pof_rulebook_take(struct pof_rulebook *book, const struct pof_record *record,
                      struct pof_err *err) POF_CHECKED;

/* The rules in force in sessions of a kind (word of session_kind): every field of them is given but
 * kind, seed, floors and ceilings of offers; texts are the book's. POF_E_CONFIG when they contradict
 * each other. */
int pof_rulebook_choose(struct pof_rulebook *book, int kind, struct pof_rules *rules,
                        struct pof_err *err) POF_CHECKED;

/* The name of rules in force: 64 hexadecimal digits, of the SHA-256 of the lines "sequence joint",
 * "price pay_as_bid" ... (all that is given but name and kind, in the order of pof-records(5)), then
 * with zonal prices "zone BRANCH" and, behind a tab, its zone, by branch; each ended by a line feed. */
int pof_rulebook_digest(const struct pof_rulebook *book, const struct pof_rules *rules,
                        char hex[POF_SHA256_HEX], struct pof_err *err) POF_CHECKED;

void pof_rulebook_release(struct pof_rulebook *book);

/* Least and highest price of offers in a direction (POF_UP, POF_DOWN); none: 0 and INT64_MAX. */
void pof_rules_bounds(const struct pof_rules *rules, int direction, int64_t *floor_ueur,
                      int64_t *ceiling_ueur);

/* The place of an offer in the lottery of a session: the first 8 bytes, the first one highest, of
 * the SHA-256 of seed, session and offer with a line feed after the first two. */
uint64_t pof_rules_draw(struct pof_text seed, struct pof_text session, struct pof_text offer);

#endif
