/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as orders of UMEI: refused with texts, or records that a writer takes, which become orders that are read as
 * the same records. */
#include "market/umei.h"

#include <stdlib.h>

static void on_problem(void *ctx, const struct pof_err *problem)
{
    (void)ctx;
    if (!problem->text[0]) {
        abort();
    }
}

struct expected {
    enum pof_type type;
    const void *record;
};

static int same_offer(void *ctx, const struct pof_offer *o, struct pof_err *err)
{
    const struct expected *x = ctx;
    (void)err;
    return x->type != POF_offer || pof_record_differ(POF_offer, o, x->record) ? abort(), 0 : 0;
}

static int same_request(void *ctx, const struct pof_request *r, struct pof_err *err)
{
    const struct expected *x = ctx;
    (void)err;
    return x->type != POF_request || pof_record_differ(POF_request, r, x->record) ? abort(), 0 : 0;
}

static void again(enum pof_type type, const void *record)
{
    struct pof_err own = {0};
    struct pof_buf json = {0};
    struct expected x = {type, record};
    struct pof_umei_writer w = {.session = {"S", 1}, .party = {"P", 1}, .market = {"M", 1}};
    struct pof_umei_reader r = {.session = {"S", 1}, .party = {"P", 1}, .offer = same_offer, .request = same_request,
                                .problem = on_problem, .ctx = &x};
    int rc = pof_record_check(type, record, &own) ? (abort(), 0)
             : type == POF_offer                  ? pof_umei_write_offer(&w, record, &own)
                                                  : pof_umei_write_request(&w, record, &own);
    rc = rc ? rc : pof_umei_write_end(&w, &json, &own);
    if (rc || pof_umei_read(&r, (struct pof_text){json.data, json.len}, "written", &own) || r.counts.unsound ||
        r.counts.sell + r.counts.buy != 1) {
        abort();
    }
    pof_buf_release(&json);
    pof_umei_writer_release(&w);
}

static int on_offer(void *ctx, const struct pof_offer *o, struct pof_err *err)
{
    (void)ctx, (void)err;
    again(POF_offer, o);
    return 0;
}

static int on_request(void *ctx, const struct pof_request *r, struct pof_err *err)
{
    (void)ctx, (void)err;
    again(POF_request, r);
    return 0;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct pof_err err = {0};
    struct pof_umei_reader r = {.session = {"S", 1}, .party = {"P", 1}, .offer = on_offer, .request = on_request,
                                .problem = on_problem};
    if (pof_umei_read(&r, (struct pof_text){(const char *)data, size}, "fuzz", &err) && !err.text[0]) {
        abort();
    }
    return 0;
}
