/* SPDX-License-Identifier: Apache-2.0 */
/* Terms of settlement. */
#include "market/terms.h"

#include "num/units.h"

#include <stdlib.h>
#include <string.h>

enum { WS_PER_KWH = 3600000, PERMILLE = 1000, PPM = 1000000, PAID_MAX = 10000, DIGITS_MAX = 5 };

/* --- the scale --- */

/* Digits at *p, before end; -1: none, or too many. */
static int64_t number_at(const char **p, const char *end)
{
    const char *from = *p;
    int64_t v = 0;
    while (*p < end && **p >= '0' && **p <= '9' && *p - from < DIGITS_MAX) {
        v = 10 * v + (**p - '0');
        ++*p;
    }
    return *p == from ? -1 : v;
}

static bool scale_point(struct pof_scale *s, const char **p, const char *end)
{
    int64_t at = number_at(p, end);
    bool sound = at >= 0 && at <= PERMILLE && *p < end && **p == ':' && s->n < POF_SCALE_POINTS;
    if (!sound) {
        return false;
    }
    ++*p;
    int64_t paid = number_at(p, end);
    size_t n = s->n;
    if (paid < 0 || paid > PAID_MAX || (n > 0 && at < s->at[n - 1]) ||
        (n > 1 && at == s->at[n - 2])) {
        return false;
    }
    s->at[n] = at;
    s->paid[n] = paid;
    s->n = n + 1;
    return true;
}

int pof_scale_parse(struct pof_text text, struct pof_scale *scale, struct pof_err *err)
{
    const char *p = text.ptr;
    const char *end = p + text.len;
    *scale = (struct pof_scale){.n = 0};
    bool sound = scale_point(scale, &p, end);
    while (sound && p < end) {
        sound = *p++ == ' ' && scale_point(scale, &p, end);
    }
    if (sound) {
        return 0;
    }
    pof_fail(err, POF_E_NUMBER, "'%.*s' is not a scale; expected up to %d points such as '500:0 "
             "950:1000', not falling on the left", (int)(text.len < 100 ? text.len : 100), text.ptr,
             POF_SCALE_POINTS);
    return pof_at(err, NULL, 0, "scale");
}

int pof_scale_ppm(const struct pof_scale *s, int64_t delivered_w, int64_t ordered_w, int64_t *ppm,
                  struct pof_err *err)
{
    int64_t ratio = PERMILLE * delivered_w; /* times ordered_w: compared without rounding */
    size_t i = 0;
    while (i < s->n && s->at[i] * ordered_w <= ratio) {
        i++;
    }
    if (s->n == 0) {
        *ppm = PPM;
        return 0;
    }
    if (i == 0 || i == s->n) {
        *ppm = s->paid[i ? i - 1 : 0] * (PPM / PERMILLE);
        return 0;
    }
    int64_t rise = (s->paid[i] - s->paid[i - 1]) * (PPM / PERMILLE);
    int rc = pof_muldiv(rise, ratio - s->at[i - 1] * ordered_w,
                        (s->at[i] - s->at[i - 1]) * ordered_w, ppm, err);
    *ppm += rc ? 0 : s->paid[i - 1] * (PPM / PERMILLE);
    return rc;
}

/* --- which terms --- */

enum { FOR_BUYER = 1, FOR_SELLER = 2, FOR_POD = 4, SCOPES = 8, SCOPE_MAX = 3 * 65 };

/* pod, seller and buyer of the scope, each with a NUL behind, which no text has in it. */
static struct pof_text scope_of(struct pof_text pod, struct pof_text seller, struct pof_text buyer,
                                char to[SCOPE_MAX])
{
    const struct pof_text part[3] = {pod, seller, buyer};
    size_t len = 0;
    for (int i = 0; i < 3; i++) {
        size_t n = part[i].len < 64 ? part[i].len : 64;
        if (n) {
            memcpy(to + len, part[i].ptr, n);
        }
        to[len + n] = '\0';
        len += n + 1;
    }
    return (struct pof_text){to, len};
}

static int check_terms(const struct pof_terms *t, struct pof_err *err)
{
    if (POF_HAS(t, terms, penalty_ueur_mwh) && POF_HAS(t, terms, penalty_permille)) {
        return pof_fail(err, POF_E_CONFLICT,
                        "terms '%.*s' have a penalty in EUR/MWh and one in 1/1000; give one",
                        (int)t->name.len, t->name.ptr);
    }
    if (POF_HAS(t, terms, fee_ueur_mwh) && POF_HAS(t, terms, fee_permille)) {
        return pof_fail(err, POF_E_CONFLICT,
                        "terms '%.*s' have a fee in EUR/MWh and one in 1/1000; give one",
                        (int)t->name.len, t->name.ptr);
    }
    return 0;
}

int pof_terms_set_add(struct pof_terms_set *c, const struct pof_terms *t, struct pof_text hash,
                      struct pof_err *err)
{
    const struct pof_text none = {"", 0};
    char key[SCOPE_MAX];
    uint32_t id;
    struct pof_contract new = {.hash = hash};
    struct pof_text scope = scope_of(POF_HAS(t, terms, pod) ? t->pod : none,
                                     POF_HAS(t, terms, seller) ? t->seller : none,
                                     POF_HAS(t, terms, buyer) ? t->buyer : none, key);
    int rc = check_terms(t, err);
    if (rc == 0 && POF_HAS(t, terms, scale)) {
        rc = pof_scale_parse(t->scale, &new.scale, err);
    }
    uint32_t before = pof_names_find(&c->scopes, scope);
    if (rc == 0 && before != POF_NONE) {
        const struct pof_text first = c->at[before].terms.name;
        return pof_fail(err, POF_E_DUPLICATE,
                        "terms '%.*s' beside '%.*s' for the same pod, seller and buyer; choose by "
                        "--terms, or give one", (int)t->name.len, t->name.ptr, (int)first.len,
                        first.ptr);
    }
    rc = rc ? rc : pof_grow(&c->at, &c->cap, c->n + 1, sizeof new, err);
    rc = rc ? rc : pof_record_copy(POF_terms, t, &new.terms, &c->arena, err);
    if (rc == 0) {
        new.hash.ptr = pof_arena_text(&c->arena, hash.ptr, hash.len, err);
        rc = new.hash.ptr ? 0 : (int)err->code;
    }
    rc = rc ? rc : pof_names_add(&c->scopes, scope, &id, err);
    if (rc == 0) {
        c->at[c->n++] = new;
    }
    return rc;
}

int pof_terms_set_find(const struct pof_terms_set *c, const struct pof_outcome *o, uint32_t *index,
                       struct pof_err *err)
{
    const struct pof_text none = {"", 0};
    char key[SCOPE_MAX];
    for (int scope = SCOPES; scope-- > 0;) {
        *index = pof_names_find(&c->scopes, scope_of(scope & FOR_POD ? o->pod : none,
                                                     scope & FOR_SELLER ? o->seller : none,
                                                     scope & FOR_BUYER ? o->buyer : none, key));
        if (*index != POF_NONE) {
            return 0;
        }
    }
    return pof_fail(err, POF_E_REFERENCE,
                    "no terms fit award '%.*s' of pod '%.*s', seller '%.*s' and buyer '%.*s'; give "
                    "terms for them, or for all", (int)o->award.len, o->award.ptr, (int)o->pod.len,
                    o->pod.ptr, (int)o->seller.len, o->seller.ptr, (int)o->buyer.len, o->buyer.ptr);
}

void pof_terms_set_release(struct pof_terms_set *c)
{
    free(c->at);
    pof_names_release(&c->scopes);
    pof_arena_release(&c->arena);
    *c = (struct pof_terms_set){.n = 0};
}

/* --- what they make of a delivery --- */

int64_t pof_owner_part(int64_t amount, int64_t owner_permille)
{
    return (int64_t)(((__int128)2 * amount * owner_permille + PERMILLE) / (2 * PERMILLE));
}

/* Of powers, a quarter-hour long. */
static int cost_of(int64_t p_w, int64_t price_ueur_mwh, int64_t *money, struct pof_err *err)
{
    return pof_cost(p_w * POF_QUARTER_S, price_ueur_mwh, money, err);
}

static int fee_of(const struct pof_contract *c, int64_t price, struct pof_settlement *s,
                  struct pof_err *err)
{
    const struct pof_terms *t = &c->terms;
    int64_t full = price;
    int64_t scaled = 0;
    int64_t cap;
    int64_t ppm = 0;
    int rc = 0;
    if (POF_HAS(t, terms, fee_ueur_mwh)) {
        full = t->fee_ueur_mwh;
    } else if (POF_HAS(t, terms, fee_permille)) {
        rc = pof_muldiv(price, t->fee_permille, PERMILLE, &full, err);
    }
    rc = rc ? rc : pof_scale_ppm(&c->scale, s->delivered_w, s->ordered_w, &ppm, err);
    rc = rc ? rc : pof_muldiv(full, ppm, PPM, &scaled, err);
    rc = rc ? rc : cost_of(s->delivered_w, scaled, &s->fee_ueur, err);
    if (rc == 0 && POF_HAS(t, terms, penalty_cap_permille)) {
        rc = pof_muldiv(full, t->penalty_cap_permille, PERMILLE, &scaled, err);
        rc = rc ? rc : cost_of(s->ordered_w, scaled, &cap, err);
        if (rc == 0 && s->penalty_ueur > cap) {
            s->penalty_ueur = cap;
        }
    }
    return rc;
}

static int penalty_of(const struct pof_terms *t, int64_t price, struct pof_settlement *s,
                      struct pof_err *err)
{
    int64_t penalty = POF_HAS(t, terms, penalty_ueur_mwh) ? t->penalty_ueur_mwh : 0;
    int64_t tolerated = 0;
    int rc = 0;
    if (POF_HAS(t, terms, penalty_permille)) {
        rc = pof_muldiv(price, t->penalty_permille, PERMILLE, &penalty, err);
    }
    if (rc == 0 && POF_HAS(t, terms, tolerance_permille)) {
        rc = pof_muldiv(s->ordered_w, t->tolerance_permille, PERMILLE, &tolerated, err);
    }
    int64_t fined = s->deficiency_w > tolerated ? s->deficiency_w - tolerated : 0;
    return rc ? rc : cost_of(fined, penalty, &s->penalty_ueur, err);
}

static void share(const struct pof_terms *t, struct pof_settlement *s)
{
    s->owner_fee_ueur = pof_owner_part(s->fee_ueur, t->owner_permille);
    s->owner_penalty_ueur = pof_owner_part(s->penalty_ueur, t->owner_permille);
    s->owner_tokens = pof_owner_part(s->tokens, t->owner_permille);
    POF_SET(s, settlement, owner);
    POF_SET(s, settlement, owner_fee_ueur);
    POF_SET(s, settlement, owner_penalty_ueur);
    POF_SET(s, settlement, owner_tokens);
}

int pof_contract_apply(const struct pof_contract *c, int64_t price, struct pof_settlement *s,
                       struct pof_err *err)
{
    const struct pof_terms *t = &c->terms;
    s->terms = c->hash;
    POF_SET(s, settlement, terms);
    int rc = penalty_of(t, price, s, err);
    rc = rc ? rc : fee_of(c, price, s, err);
    s->net_ueur = s->fee_ueur - s->penalty_ueur;
    if (rc == 0 && POF_HAS(t, terms, tokens_per_kwh)) {
        __int128 tokens = (__int128)s->delivered_w * POF_QUARTER_S * t->tokens_per_kwh / WS_PER_KWH;
        s->tokens = tokens > INT64_MAX ? INT64_MAX : (int64_t)tokens; /* refused when written */
    }
    if (rc == 0 && s->owner.len) {
        share(t, s);
    }
    return rc;
}
