/* SPDX-License-Identifier: Apache-2.0 */
/* FlexSettlements to settlements. */
#include "market/uftp_impl.h"
#include "num/units.h"

#include <stdio.h>

enum { AWARD_MAX = 160 };

/* What is divided over the ISPs of an order, and what came of it so far. */
struct share {
    int64_t amount;     /* 1e-6 EUR */
    int64_t all, so_far; /* weights, W times quarter-hours */
    int64_t given;
};

/* The next part: what is new in the rounded sum, so that parts add up. */
static int next_part(struct share *s, int64_t weight, int64_t *part, struct pof_err *err)
{
    int64_t sum = 0;
    s->so_far += weight;
    int rc = pof_muldiv(s->amount, s->so_far, s->all, &sum, err);
    *part = sum - s->given;
    s->given = sum;
    return rc;
}

static int64_t magnitude(int64_t w)
{
    return w < 0 ? -w : w;
}

/* Weights of the ISPs [i, i + n): the power asked for, and the same for all where that is nowhere. */
static int64_t weight_of(const struct pofi_uftp_isp *i, bool missing, bool same)
{
    return same ? i->duration : magnitude(missing ? i->deficiency : i->delivered) * i->duration;
}

static void sum_weights(struct share *s, const struct pofi_uftp_isp *i, size_t n, bool missing, bool *same)
{
    *same = false;
    for (size_t k = 0; k < n; k++) {
        s->all += weight_of(&i[k], missing, false);
    }
    if (s->all == 0) {
        *same = true;
        for (size_t k = 0; k < n; k++) {
            s->all += i[k].duration;
        }
    }
}

/* A record that a writer would refuse is a violation of the message. */
static int hand_on(struct pofi_uftp_message *m, const struct pof_settlement *s, uint64_t line, struct pof_err *err)
{
    struct pof_err e = {0};
    if (pof_record_check(POF_settlement, s, &e) != 0) {
        pofi_uftp_say(m, &e, line, NULL);
        return 0;
    }
    return m->u->settlement(m->u->ctx, s, err);
}

/* The order is told by its name alone where that was one award's: of one ISP, and no option of a FlexOffer. */
static struct pof_text name_award(const struct pofi_uftp_settled *o, const struct pofi_uftp_isp *i, size_t n,
                                  char to[AWARD_MAX + 1])
{
    bool option = o->order.len > POFI_UFTP_UUID_LEN && o->order.ptr[POFI_UFTP_UUID_LEN] == '/' &&
                  pof_uftp_is_uuid((struct pof_text){o->order.ptr, POFI_UFTP_UUID_LEN});
    int len = n > 1 || option ? snprintf(to, AWARD_MAX + 1, "%.*s/%lld", (int)o->order.len, o->order.ptr, (long long)i->start)
                              : snprintf(to, AWARD_MAX + 1, "%.*s", (int)o->order.len, o->order.ptr);
    return (struct pof_text){to, (size_t)(len > AWARD_MAX ? AWARD_MAX : len)};
}

/* The day of a settled order; false: told. */
static bool find_day(struct pofi_uftp_message *m, const struct pofi_uftp_settled *o, const struct pofi_uftp_isp *last,
                     int64_t *day)
{
    struct pof_date date;
    struct pof_err e = {0};
    int64_t end = 0;
    if (pof_date_parse(o->period, &date)) {
        pof_market_day(m->u->zone, date, day, &end);
    }
    if (last->start + last->duration - 1 > (end - *day) / POF_QUARTER_S) {
        pof_fail(&e, POF_E_RANGE, "ISP %lld ends behind the day, which has %lld", (long long)last->start,
                 (long long)((end - *day) / POF_QUARTER_S));
        pofi_uftp_say(m, &e, last->line, "Start");
        return false;
    }
    if (o->order.len == 0 || o->order.len > AWARD_MAX - 4) {
        pof_fail(&e, POF_E_MISSING, "a settlement needs it, of at most %d bytes", AWARD_MAX - 4);
        pofi_uftp_say(m, &e, o->line, "OrderReference");
        return false;
    }
    return true;
}

/* The ISPs [i, i + n) of one order. */
static int one_order(struct pofi_uftp_message *m, const struct pofi_uftp_isp *i, size_t n, struct pof_err *err)
{
    const struct pofi_uftp_settled *o = &m->settled[i->option - 1];
    struct share fee = {.amount = o->price * POFI_UFTP_UEUR};
    struct share penalty = {.amount = o->penalty * POFI_UFTP_UEUR};
    bool same[2];
    char award[AWARD_MAX + 1];
    int64_t day = 0;
    int rc = 0;
    if (!find_day(m, o, &i[n - 1], &day)) {
        return 0;
    }
    sum_weights(&fee, i, n, false, &same[0]);
    sum_weights(&penalty, i, n, true, &same[1]);
    m->u->counts.lost[POF_UFTP_LOST_SPLIT] += n > 1;
    for (size_t k = 0; k < n && rc == 0; k++) {
        struct pof_settlement s = {.award = name_award(o, &i[k], n, award),
                                   .session = m->u->session,
                                   .pod = o->baseline.len ? o->baseline : pofi_uftp_pod(o->point),
                                   .buyer = pofi_uftp_value(m, "SenderDomain"),
                                   .seller = pofi_uftp_value(m, "RecipientDomain"),
                                   .direction = i[k].ordered > 0 || (i[k].ordered == 0 && i[k].delivered > 0) ? POF_DOWN : POF_UP,
                                   .start = day + (i[k].start - 1) * POF_QUARTER_S,
                                   .duration_s = i[k].duration * POF_QUARTER_S,
                                   .baseline_w = i[k].baseline,
                                   .measured_w = i[k].actual,
                                   .ordered_w = magnitude(i[k].ordered),
                                   .delivered_w = magnitude(i[k].delivered),
                                   .deficiency_w = magnitude(i[k].deficiency)};
        rc = next_part(&fee, weight_of(&i[k], false, same[0]), &s.fee_ueur, err);
        rc = rc ? rc : next_part(&penalty, weight_of(&i[k], true, same[1]), &s.penalty_ueur, err);
        s.net_ueur = s.fee_ueur - s.penalty_ueur;
        rc = rc ? rc : hand_on(m, &s, i[k].line, err);
    }
    return rc;
}

int pofi_uftp_take_settlement(struct pofi_uftp_message *m, struct pof_err *err)
{
    int rc = 0;
    for (size_t k = 0, to; k < m->isps && rc == 0; k = to) {
        for (to = k + 1; to < m->isps && m->isp[to].option == m->isp[k].option; to++) {
        }
        rc = one_order(m, &m->isp[k], to - k, err);
    }
    return rc;
}
