/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of a market, chosen and named. */
#include "market/rules.h"

#include "num/decimal.h"
#include "num/units.h"

#include <stdlib.h>
#include <string.h>

/* Every field of a rules record that rules in force are made of. */
#define RULE_FIELDS(X)                                                                             \
    X(sequence)                                                                                    \
    X(price)                                                                                       \
    X(tie)                                                                                         \
    X(seed)                                                                                        \
    X(ceiling_ueur_mwh)                                                                            \
    X(up_floor_ueur_mwh)                                                                           \
    X(up_ceiling_ueur_mwh)                                                                         \
    X(down_floor_ueur_mwh)                                                                         \
    X(down_ceiling_ueur_mwh)                                                                       \
    X(loss)                                                                                        \
    X(single_seller)                                                                               \
    X(cut)

static const int64_t usual_ceiling = INT64_C(3000000000); /* 3000 EUR/MWh, as in the day-ahead markets */

int pof_rulebook_take(struct pof_rulebook *book, const struct pof_record *record,
                      struct pof_err *err)
{
    if (record->type == POF_rules) {
        const struct pof_rules *r = &record->u.rules;
        size_t at = POF_HAS(r, rules, kind) ? (size_t)r->kind : POF_SESSION_KINDS;
        if (book->given[at]) {
            pof_fail(err, POF_E_DUPLICATE, "rules '%.*s' were given for the same sessions",
                     (int)book->rules[at].name.len, book->rules[at].name.ptr);
            return pof_at(err, NULL, 0, "kind");
        }
        book->given[at] = true;
        return pof_record_copy(POF_rules, r, &book->rules[at], &book->arena, err);
    }
    if (record->type != POF_price_zone) {
        return pof_fail(err, POF_E_SCHEMA, "is no rule; rules files hold rules and price_zone");
    }
    const struct pof_price_zone *z = &record->u.price_zone;
    uint32_t number = 0;
    int rc = pof_names_add(&book->zone_branches, z->branch, &number, err);
    if (rc == 0 && number != book->zones) {
        pof_fail(err, POF_E_DUPLICATE, "branch '%.*s' has a price zone already", (int)z->branch.len,
                 z->branch.ptr);
        return pof_at(err, NULL, 0, "branch");
    }
    rc = rc ? rc : pof_grow(&book->zone, &book->zone_cap, book->zones + 1, sizeof *book->zone, err);
    rc = rc ? rc
            : pof_record_copy(POF_price_zone, z, &book->zone[book->zones], &book->arena, err);
    book->zones += rc == 0;
    return rc;
}

void pof_rulebook_release(struct pof_rulebook *book)
{
    free(book->zone);
    pof_names_release(&book->zone_branches);
    pof_arena_release(&book->arena);
    *book = (struct pof_rulebook){0};
}

static void overlay(struct pof_rules *on, const struct pof_rules *over)
{
#define OVERLAY(member)                                                                            \
    if (POF_HAS(over, rules, member)) {                                                            \
        on->member = over->member;                                                                 \
        POF_SET(on, rules, member);                                                                \
    }
    RULE_FIELDS(OVERLAY)
#undef OVERLAY
}

static struct pof_rules usual(void)
{
    struct pof_rules r = {.name = {"usual", 5}, .ceiling_ueur_mwh = usual_ceiling};
    POF_SET(&r, rules, name);
    POF_SET(&r, rules, sequence);
    POF_SET(&r, rules, price);
    POF_SET(&r, rules, tie);
    POF_SET(&r, rules, ceiling_ueur_mwh);
    POF_SET(&r, rules, loss);
    POF_SET(&r, rules, single_seller);
    POF_SET(&r, rules, cut);
    return r;
}

static int contradiction(const struct pof_rules *r, const char *field, const char *what,
                         struct pof_err *err)
{
    pof_fail(err, POF_E_CONFIG, "rules '%.*s': %s", (int)r->name.len, r->name.ptr, what);
    return pof_at(err, NULL, 0, field);
}

static int check(const struct pof_rules *r, struct pof_err *err)
{
    static const char *const ceilings[] = {"up_ceiling_eur_mwh", "down_ceiling_eur_mwh"};
    bool lottery = r->tie == POF_TIE_RULE_LOTTERY;
    if (lottery && !POF_HAS(r, rules, seed)) {
        return contradiction(r, "seed", "a lottery needs a seed that is published with the result",
                             err);
    }
    if (!lottery && POF_HAS(r, rules, seed)) {
        return contradiction(r, "seed", "a seed is for the tie rule lottery alone", err);
    }
    if (r->price == POF_PRICE_RULE_NODAL && r->sequence != POF_SEQUENCE_JOINT) {
        return contradiction(r, "price", "nodal prices belong to the joint optimum; a sequence has "
                                         "none of its own", err);
    }
    for (int d = POF_UP; d <= POF_DOWN; d++) {
        int64_t low, high;
        pof_rules_bounds(r, d, &low, &high);
        if (low > high) {
            return contradiction(r, ceilings[d], "the floor is above the ceiling: no offer is "
                                                 "allowed", err);
        }
    }
    return 0;
}

static int by_branch(const void *pa, const void *pb)
{
    const struct pof_price_zone *a = pa, *b = pb;
    return pof_text_cmp(a->branch, b->branch);
}

int pof_rulebook_choose(struct pof_rulebook *book, int kind, struct pof_rules *rules,
                        struct pof_err *err)
{
    size_t at = kind >= 0 && kind < POF_SESSION_KINDS && book->given[kind] ? (size_t)kind
                                                                           : POF_SESSION_KINDS;
    *rules = usual();
    if (book->given[at]) {
        rules->name = book->rules[at].name;
        overlay(rules, &book->rules[at]);
    }
    overlay(rules, &book->option);
    if (book->zones > 1) {
        qsort(book->zone, book->zones, sizeof *book->zone, by_branch);
    }
    return check(rules, err);
}

void pof_rules_bounds(const struct pof_rules *r, int direction, int64_t *floor_ueur,
                      int64_t *ceiling_ueur)
{
    if (direction == POF_UP) {
        *floor_ueur = POF_HAS(r, rules, up_floor_ueur_mwh) ? r->up_floor_ueur_mwh : 0;
        *ceiling_ueur = POF_HAS(r, rules, up_ceiling_ueur_mwh) ? r->up_ceiling_ueur_mwh : INT64_MAX;
    } else {
        *floor_ueur = POF_HAS(r, rules, down_floor_ueur_mwh) ? r->down_floor_ueur_mwh : 0;
        *ceiling_ueur =
            POF_HAS(r, rules, down_ceiling_ueur_mwh) ? r->down_ceiling_ueur_mwh : INT64_MAX;
    }
}

/* One line of the text that names rules; member is where the field's value is. */
static int add_line(struct pof_buf *to, const struct pof_field *f, const void *member,
                    struct pof_err *err)
{
    char number[POF_DECIMAL_MAX];
    struct pof_text t = {number, 0};
    int word;
    int64_t value;
    if (f->kind == POF_KIND_WORD) {
        memcpy(&word, member, sizeof word);
        t = pof_text(f->words[word]);
    } else if (f->kind == POF_KIND_TEXT) {
        memcpy(&t, member, sizeof t);
    } else {
        memcpy(&value, member, sizeof value);
        t.len = pof_decimal_format(value, POF_MICRO, number);
    }
    return pof_buf_addf(to, err, "%s %.*s\n", f->name, (int)t.len, t.ptr);
}

static int add_lines(struct pof_buf *to, const struct pof_rulebook *book,
                     const struct pof_rules *r, struct pof_err *err)
{
    const struct pof_layout *layout = pof_layout(POF_rules);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < layout->n; i++) {
        bool says = i != POF_BIT_rules_name && i != POF_BIT_rules_kind;
        if (says && (r->has >> i & 1)) {
            rc = add_line(to, &layout->fields[i], (const char *)r + layout->fields[i].offset, err);
        }
    }
    for (size_t i = 0; rc == 0 && r->price == POF_PRICE_RULE_ZONAL && i < book->zones; i++) {
        const struct pof_price_zone *z = &book->zone[i];
        rc = pof_buf_addf(to, err, "zone %.*s\t%.*s\n", (int)z->branch.len, z->branch.ptr,
                          (int)z->zone.len, z->zone.ptr);
    }
    return rc;
}

int pof_rulebook_digest(const struct pof_rulebook *book, const struct pof_rules *rules,
                        char hex[POF_SHA256_HEX], struct pof_err *err)
{
    struct pof_buf text = {0};
    struct pof_sha256 h;
    uint8_t digest[POF_SHA256_BYTES];
    int rc = add_lines(&text, book, rules, err);
    if (rc == 0) {
        pof_sha256_init(&h);
        pof_sha256_add(&h, text.data, text.len);
        pof_sha256_end(&h, digest);
        pof_sha256_hex(digest, hex);
    }
    pof_buf_release(&text);
    return rc;
}

uint64_t pof_rules_draw(struct pof_text seed, struct pof_text session, struct pof_text offer)
{
    struct pof_sha256 h;
    uint8_t digest[POF_SHA256_BYTES];
    uint64_t place = 0;
    pof_sha256_init(&h);
    pof_sha256_add(&h, seed.ptr, seed.len);
    pof_sha256_add(&h, "\n", 1);
    pof_sha256_add(&h, session.ptr, session.len);
    pof_sha256_add(&h, "\n", 1);
    pof_sha256_add(&h, offer.ptr, offer.len);
    pof_sha256_end(&h, digest);
    for (size_t i = 0; i < 8; i++) {
        place = place << 8 | digest[i];
    }
    return place;
}
