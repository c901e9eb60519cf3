/* SPDX-License-Identifier: Apache-2.0 */
/* The artefact is built in by the assembler of gcc and clang. */
#include "chain/contracts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

__asm__(".section .rodata\n"
        ".hidden contracts_json\n.globl contracts_json\ncontracts_json:\n"
        ".incbin \"share/contracts/contracts.json\"\n"
        ".hidden contracts_json_end\n.globl contracts_json_end\ncontracts_json_end:\n"
        ".previous\n");
extern const char contracts_json[], contracts_json_end[];

static const char file[] = "contracts";

struct pof_text pof_contracts_artefact(void)
{
    return (struct pof_text){contracts_json, (size_t)(contracts_json_end - contracts_json)};
}

int pof_contracts_bytecode(const char *name, struct pof_buf *to, struct pof_err *err)
{
    struct pof_json_doc *doc;
    struct pof_json all, one;
    struct pof_text hex;
    struct pof_text text = pof_contracts_artefact();
    int rc = pof_json_parse(&doc, text.ptr, text.len, "contracts.json", err);
    if (rc) {
        return rc;
    }
    struct pof_json root = pof_json_root(doc);
    if (!pof_json_member(&root, "contracts", &all) || !pof_json_member(&all, name, &one)) {
        rc = pof_fail(err, POF_E_INTERNAL, "no contract '%s' is built in", name);
    }
    rc = rc ? rc : pof_json_text(&one, "bytecode", &hex, err);
    rc = rc ? rc : pof_hex_bytes(hex, to, err);
    pof_json_free(doc);
    return rc;
}

const struct pof_address *pof_contracts_find(const struct pof_contracts *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++) {
        if (strcmp(c->item[i].name, name) == 0) {
            return &c->item[i].at;
        }
    }
    return NULL;
}

int pof_contracts_set(struct pof_contracts *c, const char *name, const struct pof_address *at,
                      struct pof_err *err)
{
    size_t i = 0;
    for (const char *p = name; *p; p++) {
        if ((unsigned char)*p < ' ' || *p == '"' || *p == '\\') {
            return pof_fail(err, POF_E_SYNTAX, "not the name of a contract");
        }
    }
    while (i < c->n && strcmp(c->item[i].name, name) != 0) {
        i++;
    }
    if (i == POF_CONTRACTS_MAX || strlen(name) >= POF_CONTRACT_NAME) {
        return pof_fail(err, POF_E_RANGE, "more than %d contracts, or a name too long",
                        POF_CONTRACTS_MAX);
    }
    snprintf(c->item[i].name, POF_CONTRACT_NAME, "%s", name);
    c->item[i].at = *at;
    c->n += i == c->n;
    return 0;
}

static int read_items(struct pof_contracts *out, const struct pof_json *list, struct pof_err *err)
{
    struct pof_json one;
    struct pof_address at;
    int rc = pof_json_is_object(list, err);
    for (size_t i = 0; rc == 0 && pof_json_each(list, i, &one); i++) {
        struct pof_text hex = {NULL, 0};
        double number;
        if (!pof_json_scalar(&one, &number, &hex) || !hex.ptr ||
            !pof_hex_read(hex, at.b, POF_ADDRESS)) {
            return pof_json_fail(&one, NULL, err, POF_E_SYNTAX, "expected an address of 20 bytes");
        }
        rc = pof_contracts_set(out, one.key, &at, err);
    }
    return rc;
}

int pof_contracts_parse(struct pof_contracts *out, struct pof_text text, const char *name,
                        struct pof_err *err)
{
    struct pof_json_doc *doc;
    struct pof_json list;
    struct pof_text id, genesis;
    struct pof_word w;
    *out = (struct pof_contracts){0};
    int rc = pof_json_parse(&doc, text.ptr, text.len, name, err);
    if (rc) {
        return rc;
    }
    struct pof_json root = pof_json_root(doc);
    rc = pof_json_is_object(&root, err);
    rc = rc ? rc : pof_json_text(&root, "chain_id", &id, err);
    rc = rc ? rc : pof_json_text(&root, "genesis", &genesis, err);
    if (rc == 0 && (!pof_hex_quantity(id, &w) || !pof_word_u64(&w, &out->chain_id) ||
                    !pof_hex_read(genesis, out->genesis.b, POF_WORD))) {
        rc = pof_json_fail(&root, NULL, err, POF_E_SYNTAX,
                           "expected the id and first block of a chain");
    }
    if (rc == 0 && !pof_json_member(&root, "contracts", &list)) {
        rc = pof_json_fail(&root, "contracts", err, POF_E_MISSING, "'contracts' is required");
    }
    rc = rc ? rc : read_items(out, &list, err);
    pof_json_free(doc);
    return rc;
}

int pof_contracts_load(const struct pof_folder *folder, struct pof_contracts *out, bool *there,
                       struct pof_err *err)
{
    struct pof_buf text = {0};
    struct pof_err none = {0};
    uint64_t size;
    *there = folder->size(folder->ctx, file, &size, &none) == 0;
    if (!*there) {
        return none.code == POF_E_OPEN ? 0 : (*err = none, (int)none.code);
    }
    int rc = pof_folder_slurp(folder, file, 1 << 20, &text, err);
    rc = rc ? rc : pof_contracts_parse(out, (struct pof_text){text.data, text.len}, file, err);
    pof_buf_release(&text);
    return rc;
}

int pof_contracts_store(const struct pof_folder *folder, const struct pof_contracts *c,
                        struct pof_err *err)
{
    struct pof_buf text = {0};
    int rc =
        pof_buf_addf(&text, err, "{\"chain_id\":\"0x%" PRIx64 "\",\"genesis\":\"", c->chain_id);
    rc = rc ? rc : pof_hex_add(&text, (struct pof_text){(const char *)c->genesis.b, POF_WORD}, err);
    rc = rc ? rc : pof_buf_adds(&text, "\",\"contracts\":{", err);
    for (size_t i = 0; rc == 0 && i < c->n; i++) {
        rc = pof_buf_addf(&text, err, "%s\"%s\":\"", i ? "," : "", c->item[i].name);
        rc = rc ? rc
                : pof_hex_add(&text, (struct pof_text){(const char *)c->item[i].at.b, POF_ADDRESS},
                              err);
        rc = rc ? rc : pof_buf_adds(&text, "\"", err);
    }
    rc = rc ? rc : pof_buf_adds(&text, "}}\n", err);
    rc = rc ? rc : folder->replace(folder->ctx, file, (struct pof_text){text.data, text.len}, err);
    pof_buf_release(&text);
    return rc;
}

int pof_contracts_ask(const struct pof_node *node, struct pof_contracts *out, struct pof_err *err)
{
    struct pof_block first;
    int rc = pof_rpc_number(node, "eth_chainId", pof_text("[]"), &out->chain_id, err);
    rc = rc ? rc : pof_rpc_block(node, "0x0", &first, err);
    if (rc == 0 && !first.there) {
        rc = pof_fail(err, POF_E_PROTOCOL, "'%.80s' has no first block", node->name);
    }
    out->genesis = first.hash;
    return rc;
}

int pof_contracts_same(const struct pof_contracts *c, const struct pof_node *node,
                       struct pof_err *err)
{
    struct pof_contracts is = {0};
    int rc = pof_contracts_ask(node, &is, err);
    if (rc == 0 && is.chain_id != c->chain_id) {
        return pof_fail(err, POF_E_CONFLICT,
                        "a foreign chain: '%.60s' is of chain %" PRIu64
                        ", the contracts are on %" PRIu64,
                        node->name, is.chain_id, c->chain_id);
    }
    if (rc == 0 && !pof_word_eq(&is.genesis, &c->genesis)) {
        return pof_fail(err, POF_E_CONFLICT,
                        "a foreign chain: '%.60s' has the same id, %" PRIu64
                        ", and another first block than where the contracts are",
                        node->name, is.chain_id);
    }
    return rc;
}
