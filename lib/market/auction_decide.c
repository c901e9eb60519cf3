/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions tie quarter-hours together: all of them decided at once, then cleared one by one. */
#include "base/par.h"
#include "market/auction_impl.h"

#include <stdlib.h>

static int fill_quarter(void *ctx, unsigned worker, size_t q, struct pof_err *err)
{
    struct pofi_job *j = ctx;
    (void)worker;
    return pofi_slot_open(&j->slot[q], j, q, err);
}

static int rest_quarter(void *ctx, unsigned worker, size_t q, struct pof_err *err)
{
    struct pofi_job *j = ctx;
    return pofi_slot_pass(j, worker, &j->slot[q], j->pass, err);
}

static int book_rows(void *ctx, unsigned worker, size_t q, struct pof_err *err)
{
    struct pofi_job *j = ctx;
    return pofi_slot_book(j, worker, &j->slot[q], &j->quarter[q], err);
}

/* What a pass decides; then the offers can be taken as decided only, within their full power for
 * those a later pass may still decide. */
static int decide(struct pofi_job *j, struct pof_err *err)
{
    uint32_t n = j->book->quarters;
    struct pof_clear_problem *part;
    struct pof_clear_request **request = NULL;
    struct pof_clear_offer **offer = NULL;
    struct pof_effort effort = {j->auction->budget, j->auction->threads, 0};
    int rc = pof_calloc(&part, n, sizeof *part, err);
    rc = rc ? rc : pof_calloc(&request, n, sizeof(struct pof_clear_request *), err);
    rc = rc ? rc : pof_calloc(&offer, n, sizeof(struct pof_clear_offer *), err);
    for (uint32_t q = 0; rc == 0 && q < n; q++) {
        offer[q] = j->slot[q].offer;
        rc = pofi_slot_part(j, &j->slot[q], j->pass, &part[q], &request[q], err);
    }
    if (rc == 0) {
        struct pof_block_problem p = {
            part,            n, j->units.unit, j->units.units, j->units.entry, j->units.entries,
            j->units.groups, j->units.spell, j->units.spells};
        rc = pof_block_solve(&p, &effort, &j->decided, err);
        if (rc == 0) {
            pof_block_fix(&p, j->decided.on, offer);
        }
    }
    for (uint32_t q = 0; request && q < n; q++) {
        free(request[q]);
    }
    free(request);
    free(offer);
    free(part);
    return rc;
}

/* The TSO's pass decides again on what the DSO's did not take. */
static void offer_again(struct pofi_job *j)
{
    for (size_t e = 0; e < j->units.entries; e++) {
        const struct pof_unit_entry *x = &j->units.entry[e];
        struct pofi_slot *s = &j->slot[x->quarter];
        s->offer[x->offer].p_w = j->book->offer[s->offer_of[x->offer]].p_w;
    }
}

static int clear_pass(struct pofi_job *j, enum pofi_pass pass, unsigned threads,
                      struct pof_err *err)
{
    struct pof_auction *a = j->tally;
    j->pass = pass;
    int rc = decide(j, err);
    rc = rc ? rc : pof_parallel(j->book->quarters, threads, rest_quarter, j, err);
    if (rc == 0) {
        struct pof_auction_pass *x = &a->pass[pass == POFI_PASS_TSO];
        x->nodes = j->decided.nodes;
        x->parts = j->decided.parts;
        x->open = j->decided.open;
        x->bound = j->decided.bound > 0 ? j->decided.bound : 0; /* asks are not below 0 */
    }
    return rc;
}

/* Nobody is taken at a loss: what would be is left out and all is decided again, until nothing is.
 * The bound of the first time holds for all: leaving out takes results away, and adds none. */
static int clear_without_loss(struct pofi_job *j, unsigned threads, struct pof_err *err)
{
    struct pof_auction_pass *x = &j->tally->pass[0];
    pof_wide bound = 0;
    uint64_t nodes = 0;
    size_t found = 1;
    bool *banned;
    int rc = pof_calloc(&banned, j->units.units, sizeof *banned, err);
    for (size_t round = 0; rc == 0 && found > 0; round++) {
        if (round > 0) {
            pofi_start_over(j, banned);
        }
        rc = clear_pass(j, POFI_PASS_ALL, threads, err);
        bound = round == 0 ? x->bound : bound;
        nodes += x->nodes;
        rc = rc ? rc : pofi_ban_losers(j, banned, &found, err);
        j->tally->units_lost += found;
    }
    x->bound = bound;
    x->nodes = nodes;
    for (size_t i = 0; rc == 0 && i < j->units.units; i++) {
        j->decided.on[i] &= !banned[i];
    }
    free(banned);
    return rc;
}

static int row_cmp(const void *pa, const void *pb, void *book)
{
    const struct pofi_row *a = pa, *b = pb;
    const struct pof_book *k = book;
    if (a->request != b->request) {
        return a->request < b->request ? -1 : 1;
    }
    if (a->price_ueur != b->price_ueur) {
        return a->price_ueur < b->price_ueur ? -1 : 1;
    }
    return (k->offer[a->offer].rank > k->offer[b->offer].rank) -
           (k->offer[a->offer].rank < k->offer[b->offer].rank);
}

/* Rows that have their requests at last are put in order and priced as all others are. */
static int finish_unasked(const struct pofi_job *j, size_t q, struct pof_err *err)
{
    struct pofi_quarter *x = &j->quarter[q];
    if (x->unasked && x->rows > 1) {
        qsort_r(x->row, x->rows, sizeof *x->row, row_cmp, (void *)(uintptr_t)j->book);
    }
    return x->unasked ? pofi_price_named(j, &j->slot[q], x, err) : 0;
}

/* Blocks in quarter-hours where nothing is asked: to the first request that takes something of the
 * block, else (a parent, taken for its children) the first of the book that gets anything. */
static int name_requests(struct pofi_job *j, struct pof_err *err)
{
    const struct pof_book *b = j->book;
    uint32_t *first, any = 0; /* 1 + request */
    int rc = pof_calloc(&first, b->block_ids.n, sizeof *first, err);
    for (uint32_t q = 0; rc == 0 && q < b->quarters; q++) {
        for (size_t i = 0; !j->quarter[q].unasked && i < j->quarter[q].rows; i++) {
            const struct pofi_row *x = &j->quarter[q].row[i];
            uint32_t block = b->offer[x->offer].block;
            any = any ? any : x->request + 1;
            if (block != POF_NONE && first[block] == 0) {
                first[block] = x->request + 1;
            }
        }
    }
    for (uint32_t q = 0; rc == 0 && q < b->quarters; q++) {
        for (size_t i = 0; j->quarter[q].unasked && i < j->quarter[q].rows; i++) {
            struct pofi_row *x = &j->quarter[q].row[i];
            uint32_t block = b->offer[x->offer].block;
            uint32_t to = block != POF_NONE && first[block] ? first[block] : any;
            if (to == 0) {
                rc = pof_fail(err, POF_E_INTERNAL, "offers are taken though nothing is asked for");
                break;
            }
            x->request = to - 1;
        }
        rc = rc ? rc : finish_unasked(j, q, err);
    }
    free(first);
    return rc;
}

int pofi_clear_decided(struct pofi_job *j, unsigned threads, struct pof_err *err)
{
    uint32_t n = j->book->quarters;
    int rc = pof_calloc(&j->slot, n, sizeof *j->slot, err);
    rc = rc ? rc : pof_calloc(&j->decided.on, j->units.units, sizeof *j->decided.on, err);
    rc = rc ? rc : pof_parallel(n, threads, fill_quarter, j, err);
    if (j->book->rules.sequence == POF_SEQUENCE_JOINT) {
        bool loss = j->book->rules.price != POF_PRICE_RULE_NODAL ||
                    j->book->rules.loss != POF_LOSS_RULE_FORBID;
        rc = rc     ? rc
             : loss ? clear_pass(j, POFI_PASS_ALL, threads, err)
                    : clear_without_loss(j, threads, err);
    } else {
        rc = rc ? rc : clear_pass(j, POFI_PASS_DSO, threads, err);
        if (rc == 0) {
            offer_again(j);
        }
        rc = rc ? rc : clear_pass(j, POFI_PASS_TSO, threads, err);
    }
    rc = rc ? rc : pof_parallel(n, threads, book_rows, j, err);
    rc = rc ? rc : name_requests(j, err);
    for (size_t u = 0; rc == 0 && u < j->units.units; u++) {
        j->tally->units_taken += j->decided.on[u];
    }
    return rc;
}
