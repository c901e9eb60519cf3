/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a ReserveBid_MarketDocument: refused with texts, or offers that a writer takes, which become a document
 * that is sound. */
#include "market/reserve_bid.h"

#include <stdlib.h>

static void on_problem(void *ctx, const struct pof_err *problem)
{
    *(bool *)ctx = true;
    if (!problem->text[0]) {
        abort();
    }
}

static int on_revocation(void *ctx, const struct pof_revocation *r, struct pof_err *err)
{
    (void)ctx;
    return pof_record_check(POF_revocation, r, err) ? abort(), 0 : 0;
}

static int on_offer(void *ctx, const struct pof_offer *o, struct pof_err *err)
{
    struct pof_err own = {0};
    struct pof_buf xml = {0};
    struct pof_offer copy = *o;
    struct pof_reserve_writer w = {.sender = {"a", 1}, .receiver = {"b", 1}, .domain = {"c", 1}, .scheme = {"NIT", 3},
                                   .resource_scheme = {"NIT", 3}, .process = {"A47", 3}};
    (void)ctx, (void)err;
    int rc = pof_record_check(POF_offer, o, &own) ? (abort(), 0) : pof_reserve_write(&w, &copy, 1, &xml, &own);
    if (rc == 0) { /* what we wrote ourselves must pass our check */
        bool refused = false;
        struct pof_memory m = {xml.data, xml.len};
        struct pof_source src = pof_source_memory(&m, "written");
        struct pof_reserve_reader again = {.problem = on_problem, .ctx = &refused};
        if (pof_reserve_read(&again, &src, &own) || refused) {
            abort();
        }
    } else if (!own.text[0]) {
        abort();
    }
    pof_buf_release(&xml);
    return 0;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct pof_err err = {0};
    bool refused = false;
    struct pof_memory m = {(const char *)data, size};
    struct pof_source src = pof_source_memory(&m, "fuzz");
    struct pof_reserve_reader r = {.session = {"S", 1}, .offer = on_offer, .revocation = on_revocation,
                                   .problem = on_problem, .ctx = &refused};
    if (pof_reserve_read(&r, &src, &err) && !err.text[0]) {
        abort();
    }
    return 0;
}
