/* SPDX-License-Identifier: Apache-2.0 */
/* pof.grid/1: switched shunts. */
#include "grid/document.h"
#include "record/writer.h"

#include <math.h>

#define BANK(member) #member, offsetof(struct pof_bank, member)
static const struct pofi_member bank_members[] = {
    {BANK(v_low_pu), true, 0, {0.5, 1.5, "it is in p.u. of base_v"}},
    {BANK(v_high_pu), true, 0, {0.5, 1.5, "it is in p.u. of base_v"}},
    {BANK(b_var), false, 0, {-1e12, 1e12, "the unit is var: 1 Mvar is 1000000"}},
    {0}};
static const char *const bank_keys[] = {"node",  "held",     "stepless", "v_low_pu",
                                        "b_var", "v_high_pu", "blocks",  NULL};
static const char *const block_keys[] = {"steps", "b_var", NULL};

static int read_block(const struct pof_json *at, struct pof_bank *bank, struct pof_err *err)
{
    static const struct pof_json_range count = {1, 10000, NULL};
    static const struct pof_json_range var = {-1e12, 1e12, "the unit is var: 1 Mvar is 1000000"};
    double steps = 0;
    int rc = pof_json_is_object(at, err);
    rc = rc ? rc : pof_json_only(at, block_keys, err);
    rc = rc ? rc : pof_json_real(at, "steps", &count, &steps, err);
    if (rc == 0 && steps != floor(steps)) {
        rc = pof_json_fail(at, "steps", err, POF_E_TYPE, "%.15g is not a whole number", steps);
    }
    rc = rc ? rc : pof_json_real(at, "b_var", &var, &bank->block[bank->blocks].b_var, err);
    bank->block[bank->blocks].steps = (int32_t)steps;
    bank->blocks += rc == 0;
    return rc;
}

int pofi_read_bank(struct pof_build *b, const struct pof_json *at, struct pof_err *err)
{
    struct pof_bank bank = {0};
    struct pof_json blocks, unused;
    int rc = pof_json_is_object(at, err);
    rc = rc ? rc : pof_json_only(at, bank_keys, err);
    rc = rc ? rc : pofi_read_end(b->grid, at, "node", &bank.node, err);
    bank.held = bank.node;
    if (rc == 0 && pof_json_member(at, "held", &unused)) {
        rc = pofi_read_end(b->grid, at, "held", &bank.held, err);
    }
    rc = rc ? rc : pofi_read_members(at, bank_members, &bank, err);
    if (rc || (rc = pof_json_bool_opt(at, "stepless", &bank.stepless, err)) < 0) {
        return rc;
    }
    rc = pof_json_array(at, "blocks", &blocks, err);
    size_t n = rc == 0 ? pof_json_size(&blocks) : 0;
    if (n > POF_BANK_BLOCKS) {
        rc = pof_json_fail(at, "blocks", err, POF_E_TOO_LONG, "%zu blocks, at most %d", n, POF_BANK_BLOCKS);
    }
    for (size_t k = 0; rc == 0 && k < n; k++) {
        struct pof_json item = pof_json_item(&blocks, k);
        rc = read_block(&item, &bank, err);
    }
    if (rc == 0 && (rc = pof_build_bank(b, &bank, err)) != 0) {
        pof_json_place(at, NULL, err);
    }
    return rc;
}

static int put_bank(struct pof_buf *to, const struct pof_grid *grid, const struct pof_bank *bank,
                    struct pof_err *err)
{
    int rc = pof_buf_adds(to, "{\"node\": ", err);
    rc = rc ? rc : pof_json_string(to, grid->node[bank->node].name, err);
    if (rc == 0 && bank->held != bank->node) {
        rc = pofi_put_text(to, "held", grid->node[bank->held].name, err);
    }
    rc = rc || !bank->stepless ? rc : pof_buf_adds(to, ", \"stepless\": true", err);
    rc = rc ? rc : pofi_put_members(to, bank_members, bank, err);
    rc = rc ? rc : pof_buf_adds(to, ", \"blocks\": [", err);
    for (uint32_t k = 0; rc == 0 && k < bank->blocks; k++) {
        rc = pof_buf_addf(to, err, "%s{\"steps\": %d", k ? ", " : "", bank->block[k].steps);
        rc = rc ? rc : pofi_put_real(to, "b_var", bank->block[k].b_var, err);
        rc = rc ? rc : pof_buf_adds(to, "}", err);
    }
    return rc ? rc : pof_buf_adds(to, "]}", err);
}

int pofi_put_banks(struct pof_buf *to, const struct pof_grid *grid, struct pof_err *err)
{
    int rc = grid->banks ? pof_buf_adds(to, ",\n \"shunts\": [", err) : 0;
    for (uint32_t k = 0; k < grid->banks && rc == 0; k++) {
        rc = pof_buf_adds(to, k ? ",\n  " : "\n  ", err);
        rc = rc ? rc : put_bank(to, grid, &grid->bank[k], err);
    }
    return rc || !grid->banks ? rc : pof_buf_adds(to, "]", err);
}
