/* SPDX-License-Identifier: Apache-2.0 */
/* The contracts of share/contracts, built in, and the addresses at which they were deployed. */
#ifndef POF_CHAIN_CONTRACTS_H
#define POF_CHAIN_CONTRACTS_H

#include "base/folder.h"
#include "chain/rpc.h"

/* contracts.json: interfaces and bytecode, as they were when the program was built. */
struct pof_text pof_contracts_artefact(void);
/* The bytes that create a contract, constructor arguments to follow. */
int pof_contracts_bytecode(const char *name, struct pof_buf *to, struct pof_err *err) POF_CHECKED;

enum { POF_CONTRACTS_MAX = 64, POF_CONTRACT_NAME = 88 };

/* A chain, told apart from every other by its id and its first block, and what is deployed there.
 */
struct pof_contracts {
    uint64_t chain_id;
    struct pof_word genesis;
    size_t n;
    struct {
        char name[POF_CONTRACT_NAME]; /* "Token"; "Settlement 0x<SHA-256 of its terms>" */
        struct pof_address at;
    } item[POF_CONTRACTS_MAX];
};

/* The file "contracts"; *there false when there is none. */
int pof_contracts_load(const struct pof_folder *folder, struct pof_contracts *out, bool *there,
                       struct pof_err *err) POF_CHECKED;
int pof_contracts_parse(struct pof_contracts *out, struct pof_text text, const char *name,
                        struct pof_err *err) POF_CHECKED;
int pof_contracts_store(const struct pof_folder *folder, const struct pof_contracts *c,
                        struct pof_err *err) POF_CHECKED;
/* NULL when there is none of that name. */
const struct pof_address *pof_contracts_find(const struct pof_contracts *c, const char *name);
/* Adds it, or gives it another address. */
int pof_contracts_set(struct pof_contracts *c, const char *name, const struct pof_address *at,
                      struct pof_err *err) POF_CHECKED;

/* Asks the node which chain it is of, into chain_id and genesis. */
int pof_contracts_ask(const struct pof_node *node, struct pof_contracts *out,
                      struct pof_err *err) POF_CHECKED;
/* CONFLICT, with a word, when the node is of another chain. */
int pof_contracts_same(const struct pof_contracts *c, const struct pof_node *node,
                       struct pof_err *err) POF_CHECKED;

#endif
