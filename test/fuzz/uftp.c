/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a message of UFTP: refused with texts, or records that a writer takes, which become messages
 * that are sound. */
#include "market/uftp.h"
#include "num/units.h"

#include <stdlib.h>
#include <string.h>

struct seen {
    struct pof_uftp_writer writer;
    bool refused;
};

static void on_problem(void *ctx, const struct pof_err *problem)
{
    ((struct seen *)ctx)->refused = true;
    if (!problem->text[0]) {
        abort();
    }
}

static int uuid(void *ctx, struct pof_text name, char to[37], struct pof_err *err)
{
    (void)ctx, (void)name, (void)err;
    memcpy(to, "11111111-2222-8333-8444-555555555555", 37);
    return 0;
}

/* What we wrote ourselves must pass our check. */
static int on_message(void *ctx, const char *kind, const char *id, struct pof_text xml, struct pof_err *err)
{
    struct seen again = {.refused = false};
    struct pof_uftp_reader r = {.problem = on_problem, .ctx = &again};
    (void)ctx, (void)kind, (void)id;
    if (pof_uftp_read(&r, xml, "written", err) || again.refused) {
        abort();
    }
    return 0;
}

static int on_request(void *ctx, const struct pof_request *r, struct pof_err *err)
{
    struct seen *s = ctx;
    struct pof_err own = {0};
    (void)err;
    if (pof_record_check(POF_request, r, &own) ||
        (pof_uftp_write_request(&s->writer, r, &own) && !own.text[0])) {
        abort();
    }
    return 0;
}

static int on_offer(void *ctx, const struct pof_offer *o, struct pof_err *err)
{
    struct seen *s = ctx;
    struct pof_err own = {0};
    struct pof_offer copy = *o;
    (void)err;
    if (pof_record_check(POF_offer, o, &own) ||
        (pof_uftp_write_offers(&s->writer, &copy, 1, &own) && !own.text[0])) {
        abort();
    }
    return 0;
}

/* What orders are about: an option of one quarter-hour and one of several, in both directions. */
static struct pof_offer known[] = {
    {.id = {"11111111-2222-4333-8444-555555555556/a/73", 41}, .pod = {"p", 1}, .node = {"n", 1}, .seller = {"s.example", 9},
     .direction = POF_UP, .start = 1773162000, .end = 1773162900, .p_w = 40000, .price_ueur_mwh = 1},
    {.id = {"11111111-2222-4333-8444-555555555556/b/74", 41}, .pod = {"p", 1}, .node = {"n", 1}, .seller = {"s.example", 9},
     .direction = POF_DOWN, .start = 1773162900, .end = 1773166500, .p_w = 40000, .price_ueur_mwh = 1}};
static const struct pof_uftp_offers offers = {known, 2};

static int on_award(void *ctx, const struct pof_award *a, struct pof_err *err)
{
    struct seen *s = ctx;
    struct pof_err own = {0};
    struct pof_award copy = *a;
    (void)err;
    if (pof_record_check(POF_award, a, &own) ||
        (pof_uftp_write_orders(&s->writer, &copy, 1, &offers, &own) && !own.text[0])) {
        abort();
    }
    return 0;
}

static int on_revocation(void *ctx, const struct pof_revocation *r, struct pof_err *err)
{
    struct pof_err own = {0};
    (void)ctx, (void)err;
    return pof_record_check(POF_revocation, r, &own) ? abort(), 0 : 0;
}

static int on_settlement(void *ctx, const struct pof_settlement *s, struct pof_err *err)
{
    struct seen *seen = ctx;
    struct pof_err own = {0};
    struct pof_settlement copy = *s;
    (void)err;
    if (pof_record_check(POF_settlement, s, &own) ||
        (pof_uftp_write_settlements(&seen->writer, &copy, 1, &own) && !own.text[0])) {
        abort();
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct pof_err err = {0};
    struct seen s = {.writer = {.recipient = {"a.example", 9}, .area = {"ea1.2026-11.a", 13}, .zone = POF_ZONE_CET,
                                .zone_name = "Europe/Rome", .expires = INT64_MIN, .uuid = uuid, .message = on_message}};
    struct pof_uftp_reader r = {.session = {"S", 1}, .request = on_request, .offer = on_offer,
                                .offers = &offers, .award = on_award, .settlement = on_settlement, .zone = POF_ZONE_CET, .revocation = on_revocation, .problem = on_problem, .ctx = &s};
    int rc = pof_uftp_read(&r, (struct pof_text){(const char *)data, size}, "fuzz", &err);
    if (rc && !err.text[0]) {
        abort();
    }
    return 0;
}
