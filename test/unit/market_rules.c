/* SPDX-License-Identifier: Apache-2.0 */
/* Rules in force: what is usual, what a file says, what options say, and their names. */
#include "market/rules.h"

#include "num/units.h"
#include "tap.h"

static struct pof_record rules_of(const char *name, int kind)
{
    struct pof_record r = {.type = POF_rules};
    r.u.rules.name = pof_text(name);
    POF_SET(&r.u.rules, rules, name);
    if (kind >= 0) {
        r.u.rules.kind = kind;
        POF_SET(&r.u.rules, rules, kind);
    }
    return r;
}

static struct pof_record zone_of(const char *branch, const char *zone)
{
    struct pof_record r = {.type = POF_price_zone};
    r.u.price_zone = (struct pof_price_zone){.branch = pof_text(branch), .zone = pof_text(zone)};
    POF_SET(&r.u.price_zone, price_zone, branch);
    POF_SET(&r.u.price_zone, price_zone, zone);
    return r;
}

static void name_of(struct pof_rulebook *b, int kind, char hex[POF_SHA256_HEX])
{
    struct pof_err err = {0};
    struct pof_rules r;
    int rc = pof_rulebook_choose(b, kind, &r, &err);
    rc = rc ? rc : pof_rulebook_digest(b, &r, hex, &err);
    if (rc) {
        memset(hex, '?', POF_SHA256_HEX);
    }
}

static bool same_name(struct pof_rulebook *a, int kind_a, struct pof_rulebook *b, int kind_b)
{
    char x[POF_SHA256_HEX], y[POF_SHA256_HEX];
    name_of(a, kind_a, x);
    name_of(b, kind_b, y);
    return x[0] != '?' && memcmp(x, y, sizeof x) == 0;
}

/* sha256sum of the lines that pof-rules(5) shows. */
static void try_usual(void)
{
    struct pof_rulebook b = {0};
    struct pof_err err = {0};
    struct pof_rules r;
    char hex[POF_SHA256_HEX];
    ok(pof_rulebook_choose(&b, 0, &r, &err) == 0, "no file, no options: rules are in force");
    is_int(r.ceiling_ueur_mwh, INT64_C(3000000000), "a MWh is worth 3000 EUR");
    is_int(r.price, POF_PRICE_RULE_PAY_AS_BID, "paid as bid");
    is_int(r.tie, POF_TIE_RULE_TIME, "earlier first");
    name_of(&b, 0, hex);
    is_text(hex, sizeof hex, "3da6c55c852732ae32b1489c19a6a7a67adbd3bfd36ffb7604d2c73a7e0f89b9",
            "the usual rules have this name");
    pof_rulebook_release(&b);
}

static void try_layers(void)
{
    struct pof_rulebook b = {0}, c = {0};
    struct pof_err err = {0};
    struct pof_rules r;
    struct pof_record all = rules_of("all", -1), real = rules_of("real", 1);
    all.u.rules.price = POF_PRICE_RULE_UNIFORM;
    POF_SET(&all.u.rules, rules, price);
    ok(pof_rulebook_take(&b, &all, &err) == 0 && pof_rulebook_take(&b, &real, &err) == 0,
       "rules for all and for real time");
    ok(pof_rulebook_choose(&b, 0, &r, &err) == 0 && r.price == POF_PRICE_RULE_UNIFORM,
       "day ahead has those for all");
    ok(pof_rulebook_choose(&b, 1, &r, &err) == 0 && r.price == POF_PRICE_RULE_PAY_AS_BID &&
           pof_text_is(r.name, "real"),
       "real time has its own, and no others");
    ok(same_name(&b, 1, &c, 0), "the name does not depend on name and kind");
    ok(!same_name(&b, 0, &c, 0), "but on what is said");
    c.option.price = POF_PRICE_RULE_UNIFORM;
    POF_SET(&c.option, rules, price);
    ok(same_name(&b, 0, &c, 0), "an option says the same as a file");
    c.option.price = POF_PRICE_RULE_PAY_AS_BID;
    ok(pof_rulebook_take(&c, &all, &err) == 0 && !same_name(&b, 0, &c, 0) && same_name(&b, 1, &c, 0),
       "an option goes before the file");
    ok(pof_rulebook_take(&b, &all, &err) == POF_E_DUPLICATE, "second rules for all are refused");
    pof_rulebook_release(&b);
    pof_rulebook_release(&c);
}

static void try_zones(void)
{
    struct pof_rulebook a = {0}, b = {0};
    struct pof_err err = {0};
    struct pof_record east = zone_of("GC", "east"), west = zone_of("GA", "west");
    ok(pof_rulebook_take(&a, &east, &err) == 0 && pof_rulebook_take(&a, &west, &err) == 0 &&
           pof_rulebook_take(&b, &west, &err) == 0 && pof_rulebook_take(&b, &east, &err) == 0,
       "zones in two orders");
    ok(pof_rulebook_take(&b, &east, &err) == POF_E_DUPLICATE, "a branch has one zone");
    a.option.price = b.option.price = POF_PRICE_RULE_ZONAL;
    POF_SET(&a.option, rules, price);
    POF_SET(&b.option, rules, price);
    ok(same_name(&a, 0, &b, 0), "the order of zones does not matter");
    pof_rulebook_release(&b);
    b.option = a.option;
    ok(!same_name(&a, 0, &b, 0), "zones are part of the name");
    pof_rulebook_release(&a);
    pof_rulebook_release(&b);
}

static void refuse(struct pof_rules o, const char *what)
{
    struct pof_rulebook b = {.option = o};
    struct pof_err err = {0};
    struct pof_rules r;
    ok(pof_rulebook_choose(&b, 0, &r, &err) == POF_E_CONFIG, "%s", what);
    pof_rulebook_release(&b);
}

static void try_contradictions(void)
{
    struct pof_rules o = {.tie = POF_TIE_RULE_LOTTERY};
    POF_SET(&o, rules, tie);
    refuse(o, "a lottery without a seed");
    o.tie = POF_TIE_RULE_PRO_RATA;
    o.seed = pof_text("x");
    POF_SET(&o, rules, seed);
    refuse(o, "a seed without a lottery");
    o = (struct pof_rules){.down_floor_ueur_mwh = 2, .down_ceiling_ueur_mwh = 1};
    POF_SET(&o, rules, down_floor_ueur_mwh);
    POF_SET(&o, rules, down_ceiling_ueur_mwh);
    refuse(o, "a floor above its ceiling");
    o = (struct pof_rules){.price = POF_PRICE_RULE_NODAL, .sequence = POF_SEQUENCE_DSO_FIRST};
    POF_SET(&o, rules, price);
    POF_SET(&o, rules, sequence);
    refuse(o, "nodal prices of a sequence");
}

/* printf '7 13 22 31 44 89\nS1\nz-early' | sha256sum begins with 6ab258075274f2f6. */
static void try_draw(void)
{
    uint64_t draw = pof_rules_draw(pof_text("7 13 22 31 44 89"), pof_text("S1"), pof_text("z-early"));
    ok(draw == UINT64_C(0x6ab258075274f2f6), "anybody can draw the same with sha256sum");
}

int main(void)
{
    try_usual();
    try_layers();
    try_zones();
    try_contradictions();
    try_draw();
    return done();
}
