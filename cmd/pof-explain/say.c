/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences for people. */
#include "say.h"

#include "num/decimal.h"
#include "num/time.h"
#include "record/words.h"

static int eur(int64_t ueur, char *to)
{
    return (int)pof_decimal_format(ueur, POF_MICRO, to);
}

static int add_reason(struct pof_buf *b, const struct pof_explanation *e, struct pof_err *err)
{
    char worth[POF_DECIMAL_MAX], full[POF_DECIMAL_MAX];
    int w = eur(e->worth_ueur_mwh, worth);
    int f = eur(e->congestion_ueur_mwh, full);
    switch ((enum pof_why)e->why) {
    case POF_WHY_PRICE:
        return pof_buf_addf(b, err, "its node pays %.*s%s", w, worth,
                            e->standing == POF_STANDING_WON || e->worth_ueur_mwh <= 0
                                ? ""
                                : ", below which it would have won");
    case POF_WHY_MARGIN:
        return pof_buf_addf(b, err, "it sets the price of its node");
    case POF_WHY_TIE:
        return pof_buf_addf(b, err, "others at the same price come first; its rank is %lld",
                            (long long)e->rank);
    case POF_WHY_GRID:
        return pof_buf_addf(b, err, "branch %.*s is full, which takes %.*s; its node pays %.*s",
                            (int)e->branch.len, e->branch.ptr, f, full, w, worth);
    case POF_WHY_NOT_ASKED:
        return pof_buf_addf(b, err, "no request of its direction reaches its node");
    case POF_WHY_GATE:
        return pof_buf_addf(b, err, "it came after gate closure");
    case POF_WHY_REFUSED:
        return pof_buf_addf(b, err, "the rules do not allow it, see pof-clear --refused");
    case POF_WHY_UNFED:
        return pof_buf_addf(b, err, "its node is not connected");
    case POF_WHY_CHOICE:
        return pof_buf_addf(b, err, "as a block it does not fit in; its node pays %.*s", w, worth);
    case POF_WHY_ACTIVATION:
        return pof_buf_addf(b, err, "it cannot be active so long or so often; its node pays %.*s", w, worth);
    case POF_WHY_VALIDATION:
        return pof_buf_addf(b, err, "the grid allows %lld W", (long long)e->allowed_w);
    }
    return 0;
}

int explain_say_offer(struct pof_buf *b, const struct pof_explanation *e, struct pof_err *err)
{
    static const char *const standing[] = {"won", "won in part", "lost"};
    char at[POF_INSTANT_MAX], price[POF_DECIMAL_MAX];
    int n = (int)pof_instant_format(e->start, at), p = eur(e->price_ueur_mwh, price);
    int rc = pof_buf_addf(b, err, "%.*s %.*s %s: %lld of %lld W at %.*s EUR/MWh; ", n, at,
                          (int)e->offer.len, e->offer.ptr, standing[e->standing],
                          (long long)e->taken_w, (long long)e->p_w, p, price);
    rc = rc ? rc : add_reason(b, e, err);
    return rc ? rc : pof_buf_adds(b, "\n", err);
}

int explain_say_answer(struct pof_buf *b, const struct pof_answer *a, struct pof_err *err)
{
    static const char *const reason[] = {"",
                                         "; all that is offered there is taken",
                                         "; those left ask more",
                                         "; it is full",
                                         "; what is left does not fit in",
                                         "; what is left came after gate closure",
                                         "; its area is not connected",
                                         "; a request for the opposite direction would lose more by it"};
    char at[POF_INSTANT_MAX], pays[POF_DECIMAL_MAX], asks[POF_DECIMAL_MAX];
    int n = (int)pof_instant_format(a->start, at), p = eur(a->price_ueur_mwh, pays);
    int o = eur(a->offer_price_ueur_mwh, asks);
    int rc = pof_buf_addf(b, err, "%.*s %.*s %s: %lld of %lld W at up to %.*s EUR/MWh", n, at,
                          (int)a->request.len, a->request.ptr, pof_words("met")[a->standing],
                          (long long)a->met_w, (long long)a->asked_w, p, pays);
    if (rc == 0 && a->why == POF_LACK_GRID) {
        rc = pof_buf_addf(b, err, "; branch %.*s is full", (int)a->branch.len, a->branch.ptr);
    } else if (rc == 0) {
        rc = pof_buf_adds(b, reason[a->why], err);
    }
    if (rc == 0 && a->left_w > 0) {
        rc = pof_buf_addf(b, err, "; %lld W are left, such as %.*s at %.*s", (long long)a->left_w,
                          (int)a->offer.len, a->offer.ptr, o, asks);
    }
    return rc ? rc : pof_buf_adds(b, "\n", err);
}

/* One side of a change: "80 W at 40 EUR/MWh (price)". */
static int add_side(struct pof_buf *b, int64_t w, int64_t ueur, struct pof_text why, struct pof_err *err)
{
    char price[POF_DECIMAL_MAX];
    int n = eur(ueur, price);
    int rc = pof_buf_addf(b, err, "%lld W at %.*s EUR/MWh", (long long)w, n, price);
    return rc || why.len == 0 ? rc : pof_buf_addf(b, err, " (%.*s)", (int)why.len, why.ptr);
}

int explain_say_change(struct pof_buf *b, const struct pof_change *c, struct pof_err *err)
{
    static const char *const cause[] = {"it is new",
                                        "it is gone",
                                        "it has another price",
                                        "it has another power",
                                        "the grid: another branch is full, or takes another price",
                                        "one more watt is worth another price there",
                                        "validation decided otherwise",
                                        "others stand in for it, or it for them"};
    char at[POF_INSTANT_MAX];
    int n = (int)pof_instant_format(c->start, at);
    int rc = pof_buf_addf(b, err, "%.*s %s %.*s: ", n, at, pof_words("changed")[c->kind],
                          (int)c->name.len, c->name.ptr);
    if (rc == 0 && POF_HAS(c, change, before_w)) {
        rc = add_side(b, c->before_w, c->before_ueur_mwh, c->why_before, err);
        rc = rc || !POF_HAS(c, change, after_w) ? rc : pof_buf_adds(b, " became ", err);
    }
    if (rc == 0 && POF_HAS(c, change, after_w)) {
        rc = add_side(b, c->after_w, c->after_ueur_mwh, c->why_after, err);
    }
    return rc ? rc : pof_buf_addf(b, err, "; %s\n", cause[c->cause]);
}
