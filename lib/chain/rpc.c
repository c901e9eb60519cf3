/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/rpc.h"

#include "chain/abi.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char nothing[] = "the answer of the node";

static int odd(const struct pof_node *node, const char *method, const char *expected,
               struct pof_err *err)
{
    return pof_fail(err, POF_E_PROTOCOL, "'%.80s' answers %.40s with something else than %s",
                    node->name, method, expected);
}

/* Copies words for a message; control characters become '?'. */
static void words(char *to, size_t max, struct pof_text from)
{
    size_t n = from.len < max - 1 ? from.len : max - 1;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)from.ptr[i];
        to[i] = c < ' ' || c == 0x7f ? '?' : (char)c;
    }
    to[n] = '\0';
}

static bool text_of(const struct pof_json *at, struct pof_text *out)
{
    double number;
    *out = (struct pof_text){NULL, 0};
    return pof_json_scalar(at, &number, out) && out->ptr;
}

static bool text_member(const struct pof_json *object, const char *key, struct pof_text *out)
{
    struct pof_json at;
    return pof_json_member(object, key, &at) && text_of(&at, out);
}

/* The bytes that a contract refused with: in error.data, or one deeper (hardhat). */
static bool revert_data(const struct pof_json *error, struct pof_text *hex)
{
    struct pof_json data;
    struct pof_err none = {0};
    if (!pof_json_member(error, "data", &data)) {
        return false;
    }
    return text_of(&data, hex) ||
           (pof_json_is_object(&data, &none) == 0 && text_member(&data, "data", hex));
}

static int read_refusal(struct pof_rpc *r, const struct pof_json *error, struct pof_err *err)
{
    struct pof_text text;
    struct pof_text hex;
    struct pof_buf data = {0};
    struct pof_err none = {0};
    r->refused = true;
    if (pof_json_is_object(error, err) != 0 || !text_member(error, "message", &text)) {
        return POF_E_PROTOCOL;
    }
    words(r->message, sizeof r->message, text);
    r->reverted = pof_rpc_says(r, "revert");
    if (revert_data(error, &hex) && pof_hex_bytes(hex, &data, &none) == 0 && data.len >= 4) {
        r->reverted = true;
        pof_abi_revert((struct pof_text){data.data, data.len}, r->message);
    }
    pof_buf_release(&data);
    return 0;
}

/* The one member result or error. */
static int read_answer(struct pof_rpc *r, struct pof_err *err)
{
    struct pof_json member;
    struct pof_text id;
    bool found = false;
    r->root = pof_json_root(r->doc);
    if (pof_json_is_object(&r->root, err) != 0 || !text_member(&r->root, "id", &id) ||
        !pof_text_is(id, "pof")) {
        return POF_E_PROTOCOL;
    }
    if (pof_json_member(&r->root, "error", &member)) {
        return read_refusal(r, &member, err);
    }
    for (size_t i = 0; !found && pof_json_each(&r->root, i, &member); i++) {
        found = member.key && strcmp(member.key, "result") == 0;
    }
    r->null = found && !pof_json_member(&r->root, "result", &r->result);
    return found ? 0 : POF_E_PROTOCOL;
}

int pof_rpc_ask(const struct pof_node *node, const char *method, struct pof_text params,
                struct pof_rpc *out, struct pof_err *err)
{
    struct pof_buf request = {0};
    struct pof_err why = {0};
    *out = (struct pof_rpc){0};
    int rc = pof_buf_addf(
        &request, err, "{\"jsonrpc\":\"2.0\",\"id\":\"pof\",\"method\":\"%s\",\"params\":", method);
    rc = rc ? rc : pof_buf_add(&request, params.ptr, params.len, err);
    rc = rc ? rc : pof_buf_adds(&request, "}", err);
    rc = rc ? rc
            : node->post(node->ctx, (struct pof_text){request.data, request.len}, &out->text, err);
    pof_buf_release(&request);
    if (rc) {
        pof_rpc_release(out);
        return rc;
    }
    rc = pof_json_parse(&out->doc, out->text.data ? out->text.data : "", out->text.len, nothing,
                        &why);
    if (rc == POF_E_NOMEM) {
        *err = why;
    } else if (rc || read_answer(out, &why) != 0) {
        rc = odd(node, method, "JSON-RPC 2.0", err);
    }
    if (rc) {
        pof_rpc_release(out);
    }
    return rc;
}

void pof_rpc_release(struct pof_rpc *r)
{
    pof_json_free(r->doc);
    pof_buf_release(&r->text);
    r->doc = NULL;
}

int pof_rpc_refusal(const struct pof_node *node, const struct pof_rpc *r, struct pof_err *err)
{
    return r->reverted
               ? pof_fail(err, POF_E_ANSWER_NO, "the contract refuses: %s", r->message)
               : pof_fail(err, POF_E_ANSWER_NO, "'%.60s' refuses: %s", node->name, r->message);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool pof_rpc_says(const struct pof_rpc *r, const char *phrase)
{
    for (const char *p = r->message; *p; p++) {
        size_t i = 0;
        while (phrase[i] && lower(p[i]) == phrase[i]) {
            i++;
        }
        if (!phrase[i]) {
            return true;
        }
    }
    return false;
}

int pof_rpc_word(const struct pof_node *node, const char *method, struct pof_text params,
                 struct pof_word *out, struct pof_err *err)
{
    struct pof_rpc r;
    struct pof_text text;
    int rc = pof_rpc_ask(node, method, params, &r, err);
    if (rc) {
        return rc;
    }
    if (r.refused) {
        rc = pof_rpc_refusal(node, &r, err);
    } else if (r.null || !text_of(&r.result, &text) || !pof_hex_quantity(text, out)) {
        rc = odd(node, method, "a quantity", err);
    }
    pof_rpc_release(&r);
    return rc;
}

int pof_rpc_number(const struct pof_node *node, const char *method, struct pof_text params,
                   uint64_t *out, struct pof_err *err)
{
    struct pof_word w;
    int rc = pof_rpc_word(node, method, params, &w, err);
    return rc == 0 && !pof_word_u64(&w, out) ? odd(node, method, "a quantity of 64 bits", err) : rc;
}

static bool number_member(const struct pof_json *object, const char *key, uint64_t *out)
{
    struct pof_text text;
    struct pof_word w;
    return text_member(object, key, &text) && pof_hex_quantity(text, &w) && pof_word_u64(&w, out);
}

static bool hash_member(const struct pof_json *object, const char *key, struct pof_word *out)
{
    struct pof_text text;
    return text_member(object, key, &text) && pof_hex_read(text, out->b, POF_WORD);
}

/* An object, or null: *there false. */
static int ask_object(const struct pof_node *node, const char *method, struct pof_text params,
                      struct pof_rpc *r, struct pof_err *err)
{
    struct pof_err none = {0};
    int rc = pof_rpc_ask(node, method, params, r, err);
    if (rc) {
        return rc;
    }
    if (r->refused) {
        rc = pof_rpc_refusal(node, r, err);
    } else if (!r->null && pof_json_is_object(&r->result, &none) != 0) {
        rc = odd(node, method, "an object", err);
    }
    if (rc) {
        pof_rpc_release(r);
    }
    return rc;
}

int pof_rpc_block(const struct pof_node *node, const char *tag, struct pof_block *out,
                  struct pof_err *err)
{
    struct pof_rpc r;
    char params[64];
    int n = snprintf(params, sizeof params, "[\"%.32s\",false]", tag);
    *out = (struct pof_block){0};
    int rc =
        ask_object(node, "eth_getBlockByNumber", (struct pof_text){params, (size_t)n}, &r, err);
    if (rc) {
        return rc;
    }
    out->there = !r.null;
    if (out->there) {
        out->has_base = number_member(&r.result, "baseFeePerGas", &out->base_fee);
        if (!number_member(&r.result, "number", &out->number) ||
            !number_member(&r.result, "timestamp", &out->time) ||
            !hash_member(&r.result, "hash", &out->hash)) {
            rc = odd(node, "eth_getBlockByNumber", "a block", err);
        }
    }
    pof_rpc_release(&r);
    return rc;
}

/* ["0x..."] of a hash. */
static int hash_params(struct pof_buf *to, const struct pof_word *hash, struct pof_err *err)
{
    int rc = pof_buf_adds(to, "[\"", err);
    rc = rc ? rc : pof_hex_add(to, (struct pof_text){(const char *)hash->b, POF_WORD}, err);
    return rc ? rc : pof_buf_adds(to, "\"]", err);
}

int pof_rpc_receipt(const struct pof_node *node, const struct pof_word *hash, struct pof_mined *out,
                    struct pof_err *err)
{
    struct pof_rpc r;
    struct pof_buf params = {0};
    struct pof_word same;
    uint64_t status;
    *out = (struct pof_mined){0};
    int rc = hash_params(&params, hash, err);
    rc = rc ? rc
            : ask_object(node, "eth_getTransactionReceipt",
                         (struct pof_text){params.data, params.len}, &r, err);
    pof_buf_release(&params);
    if (rc) {
        return rc;
    }
    /* Some nodes show what still waits with a block of null. */
    out->there = !r.null && number_member(&r.result, "blockNumber", &out->block);
    if (out->there) {
        if (!number_member(&r.result, "status", &status) ||
            !number_member(&r.result, "gasUsed", &out->gas) ||
            !hash_member(&r.result, "blockHash", &out->block_hash) ||
            !hash_member(&r.result, "transactionHash", &same) || !pof_word_eq(&same, hash)) {
            rc = odd(node, "eth_getTransactionReceipt", "the receipt of this transaction", err);
        }
        out->good = rc == 0 && status == 1;
    }
    pof_rpc_release(&r);
    return rc;
}

static int add_address(struct pof_buf *to, const char *key, const struct pof_address *a,
                       struct pof_err *err)
{
    int rc = a ? pof_buf_addf(to, err, "\"%s\":\"", key) : 0;
    rc = rc || !a ? rc : pof_hex_add(to, (struct pof_text){(const char *)a->b, POF_ADDRESS}, err);
    return rc || !a ? rc : pof_buf_adds(to, "\",", err);
}

static int ask_call(const struct pof_node *node, const char *method, const struct pof_call *call,
                    struct pof_rpc *r, struct pof_err *err)
{
    struct pof_buf params = {0};
    int rc = pof_buf_adds(&params, "[{", err);
    rc = rc ? rc : add_address(&params, "from", call->from, err);
    rc = rc ? rc : add_address(&params, "to", call->to, err);
    rc = rc ? rc : pof_buf_adds(&params, "\"data\":\"", err);
    rc = rc ? rc : pof_hex_add(&params, call->data, err);
    rc = rc ? rc : pof_buf_addf(&params, err, "\"},\"%s\"]", call->tag ? call->tag : "latest");
    rc = rc ? rc : pof_rpc_ask(node, method, (struct pof_text){params.data, params.len}, r, err);
    pof_buf_release(&params);
    return rc;
}

int pof_rpc_call(const struct pof_node *node, const struct pof_call *call, struct pof_buf *out,
                 struct pof_err *err)
{
    struct pof_rpc r;
    struct pof_text hex;
    struct pof_err none = {0};
    int rc = ask_call(node, "eth_call", call, &r, err);
    if (rc) {
        return rc;
    }
    out->len = 0;
    if (r.refused) {
        rc = pof_rpc_refusal(node, &r, err);
    } else if (r.null || !text_of(&r.result, &hex) || pof_hex_bytes(hex, out, &none) != 0) {
        rc = odd(node, "eth_call", "bytes", err);
    }
    pof_rpc_release(&r);
    return rc;
}

int pof_rpc_estimate(const struct pof_node *node, const struct pof_call *call, uint64_t *gas,
                     struct pof_err *err)
{
    struct pof_rpc r;
    struct pof_text text;
    struct pof_word w;
    int rc = ask_call(node, "eth_estimateGas", call, &r, err);
    if (rc) {
        return rc;
    }
    if (r.refused) {
        rc = pof_rpc_refusal(node, &r, err);
    } else if (r.null || !text_of(&r.result, &text) || !pof_hex_quantity(text, &w) ||
               !pof_word_u64(&w, gas) || *gas > UINT64_C(1) << 40) {
        rc = odd(node, "eth_estimateGas", "an amount of gas", err);
    }
    pof_rpc_release(&r);
    return rc;
}
