/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that read and write pof.grid/1 share: tables of members serve both ways, so that both
 * know the same names, units and defaults; pof-grid(5) explains them. */
#ifndef POF_GRID_DOCUMENT_H
#define POF_GRID_DOCUMENT_H

#include "grid/build.h"
#include "record/json.h"

#include <stddef.h>

#define POFI_GRID_SCHEMA "pof.grid/1"

/* One number of a node, branch or asset; a table ends with key NULL. */
struct pofi_member {
    const char *key;
    size_t offset;
    bool required;
    double without; /* what it is when not given; not written when it is that */
    struct pof_json_range range;
};

/* The forms of an impedance, as a document tells them apart by their first member. */
struct pofi_form {
    enum pof_form form;
    const char *first;
    const struct pofi_member *members; /* of the asset; of PU, of the branch */
    const struct pofi_member *zero;    /* of the asset; of PU, of its phases. NULL: none */
    const char *const *matrices;       /* r, x, b, c of conductors; of PU r, x, g, b; NULL: none */
    bool of_kind[3];                   /* line, transformer, switch */
};
enum { POFI_FORMS = 7 };
extern const struct pofi_form pofi_forms[POFI_FORMS];
extern const struct pof_json_range pofi_volts, pofi_rating_a, pofi_rating_va, pofi_degrees, pofi_anywhere;
extern const struct pof_json_range pofi_base_va, pofi_hertz;
extern const struct pofi_member pofi_node_held[], pofi_node_members[];
extern const struct pofi_member pofi_ground_ohm[], pofi_ground_pu[];
extern const char *const pofi_node_kinds[], *const pofi_branch_kinds[];

/* A branch while it is read: b points to the parts that are known of it. */
struct pofi_branch_read {
    struct pof_grid *grid;
    const struct pofi_form *form; /* NULL: a switch without impedance */
    const struct pofi_form *fits; /* form that such members are known to fit; NULL: not known */
    struct pof_branch b;
    struct pof_asset asset;
    struct pof_branch_phases phases;
    struct pof_conductors conductors;
    struct pof_tap tap;
};

/* An item of nodes or branches. */
int pofi_read_node(struct pof_build *b, const struct pof_json *at, struct pof_err *err) POF_CHECKED;
int pofi_read_branch(struct pof_build *b, const struct pof_json *at, struct pof_err *err) POF_CHECKED;
/* base is what the offsets are of. */
int pofi_read_members(const struct pof_json *object, const struct pofi_member *m, void *base,
                      struct pof_err *err) POF_CHECKED;
bool pofi_any_member(const struct pof_json *object, const struct pofi_member *m, const char **key);
int pofi_read_end(const struct pof_grid *grid, const struct pof_json *at, const char *key,
                  uint32_t *node, struct pof_err *err) POF_CHECKED;

/* What of a node differs between phases; node->phases becomes p when anything does. */
int pofi_read_node_phases(const struct pof_json *at, struct pof_node *node,
                          struct pof_node_phases *p, struct pof_err *err) POF_CHECKED;
/* The conductors of an asset, before it is turned into a model. */
int pofi_read_conductors(const struct pof_json *at, struct pofi_branch_read *r,
                         struct pof_err *err) POF_CHECKED;
/* Zero sequence, matrices per unit, windings; after the model is made. */
int pofi_read_branch_phases(const struct pof_json *at, struct pofi_branch_read *r,
                            struct pof_err *err) POF_CHECKED;
int pofi_read_bank(struct pof_build *b, const struct pof_json *at, struct pof_err *err) POF_CHECKED;
int pofi_read_tap(const struct pof_json *at, struct pofi_branch_read *r, struct pof_err *err) POF_CHECKED;

/* --- writing --- */

int pofi_put_key(struct pof_buf *to, const char *key, struct pof_err *err) POF_CHECKED;
int pofi_put_real(struct pof_buf *to, const char *key, double v, struct pof_err *err) POF_CHECKED;
int pofi_put_text(struct pof_buf *to, const char *key, struct pof_text text,
                  struct pof_err *err) POF_CHECKED;
int pofi_put_members(struct pof_buf *to, const struct pofi_member *m, const void *base,
                     struct pof_err *err) POF_CHECKED;
/* A node in the terms of a document; phases is room for its own. */
void pofi_tell_node(const struct pof_node *n, struct pof_node *told, struct pof_node_phases *phases);
int pofi_put_node_phases(struct pof_buf *to, const struct pof_node_phases *p,
                         struct pof_err *err) POF_CHECKED;
/* form: the one the impedance was written in; NULL: none. */
int pofi_put_branch_phases(struct pof_buf *to, const struct pofi_form *form,
                           const struct pof_branch *b, struct pof_err *err) POF_CHECKED;
int pofi_put_banks(struct pof_buf *to, const struct pof_grid *grid, struct pof_err *err) POF_CHECKED;
int pofi_put_tap(struct pof_buf *to, const struct pof_grid *grid, const struct pof_branch *b,
                 struct pof_err *err) POF_CHECKED;

#endif
