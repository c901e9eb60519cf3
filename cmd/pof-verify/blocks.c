/* SPDX-License-Identifier: Apache-2.0 */
/* Least powers, blocks, parents and groups: chosen as they say, whether or not the choice is best. */
#include "verify.h"

#include <stdlib.h>

/* A block of a seller: taken somewhere, left somewhere; or a group: the block taken of it. */
struct choice {
    bool taken, left;
    uint32_t block;
};

/* Names belong to their seller. A group's name gets a byte that a block's has not. */
static int key(struct pof_names *names, const struct pof_offer *o, struct pof_text name,
               uint32_t *k, struct pof_err *err)
{
    struct pof_buf b = {0};
    int rc = pof_buf_addf(&b, err, "%.*s\x1f%.*s", TEXT(o->seller), TEXT(name));
    rc = rc ? rc : pof_names_add(names, (struct pof_text){b.data, b.len}, k, err);
    pof_buf_release(&b);
    return rc;
}

static int check_links(const struct offer *o, struct choice *block, struct choice *group,
                       struct pof_names *names, struct pof_err *err)
{
    uint32_t own = POF_NONE, k = 0;
    int rc = 0;
    if (POF_HAS(o->r, offer, block)) {
        rc = key(names, o->r, o->r->block, &own, err);
        if (rc == 0 && block[own].taken && block[own].left) {
            return REFUSE(o->from, "block", "is taken in part");
        }
    }
    if (rc == 0 && o->used && POF_HAS(o->r, offer, parent)) {
        rc = key(names, o->r, o->r->parent, &k, err);
        if (rc == 0 && !block[k].taken) {
            return REFUSE(o->from, "parent", "is taken without it");
        }
    }
    if (rc == 0 && o->used && POF_HAS(o->r, offer, group)) {
        rc = key(names, o->r, o->r->group, &k, err);
        if (rc == 0 && group[k].taken && (own == POF_NONE || group[k].block != own)) {
            return REFUSE(o->from, "group", "has another one taken");
        }
        group[k].taken = true;
        group[k].block = own;
    }
    return rc;
}

int verify_blocks(struct market *m, struct pof_err *err)
{
    struct pof_names names = {0};
    struct choice *choice = NULL;
    size_t n = 3 * m->n[POF_offer] + 1;
    int rc = m->blocks ? pof_calloc(&choice, 2 * n, sizeof *choice, err) : 0;
    for (size_t i = 0; rc == 0 && m->blocks && i < m->n[POF_offer]; i++) {
        const struct offer *o = &m->offer[i];
        uint32_t k;
        if (o->rank && POF_HAS(o->r, offer, block)) {
            rc = key(&names, o->r, o->r->block, &k, err);
            choice[k].taken |= rc == 0 && o->used;
            choice[k].left |= rc == 0 && o->left;
        }
    }
    for (size_t i = 0; rc == 0 && m->blocks && i < m->n[POF_offer]; i++) {
        rc = m->offer[i].rank ? check_links(&m->offer[i], choice, choice + n, &names, err) : 0;
    }
    pof_names_release(&names);
    free(choice);
    return rc;
}
