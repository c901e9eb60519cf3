/* SPDX-License-Identifier: Apache-2.0 */
/* A payment through a node in memory, with the process killed at each of its steps in turn, the
 * node forgetting what waits, and blocks taken back: it is made once, whatever happens. */
#include "tap.h"

#include "chain/sender.h"

#include <stdlib.h>

enum { BLOCKS = 64 };

/* A chain of blocks that hold one transaction or none, and the folder of its client. */
struct world {
    char pending[1 << 16]; /* the file, durable */
    size_t pending_len;
    struct pof_word block[BLOCKS]; /* hash of the transaction in a block; 0 none */
    uint64_t blocks, forks;
    struct pof_word waits; /* in the pool */
    bool any_waits;
    bool forgets;       /* the pool loses what waits, once */
    long mined;         /* how often the transaction got into a block */
    long steps, die_at; /* the process dies at this step; 0 never */
    bool dead;
    char told[4096];
};

static struct pof_chain_key key = {{7}};
static struct pof_address contract = {{0xcc}};

/* Every callback is a step; a dead process does nothing more. */
static int step(struct world *w, struct pof_err *err)
{
    if (w->dead || ++w->steps == w->die_at) {
        w->dead = true;
        return pof_fail(err, POF_E_UNAVAILABLE, "killed");
    }
    return 0;
}

static int size(void *ctx, const char *file, uint64_t *out, struct pof_err *err)
{
    struct world *w = ctx;
    (void)file;
    *out = w->pending_len;
    return w->pending_len ? 0 : pof_fail(err, POF_E_OPEN, "none");
}

static int get(void *ctx, struct pof_place from, void *to, size_t n, struct pof_err *err)
{
    struct world *w = ctx;
    if (from.at + n > w->pending_len) {
        return pof_fail(err, POF_E_TRUNCATED, "short");
    }
    memcpy(to, w->pending + from.at, n);
    return 0;
}

/* The kill may come before the file is in place or behind it: two steps. */
static int replace(void *ctx, const char *file, struct pof_text bytes, struct pof_err *err)
{
    struct world *w = ctx;
    (void)file;
    int rc = step(w, err);
    if (rc == 0) {
        memcpy(w->pending, bytes.ptr, bytes.len);
        w->pending_len = bytes.len;
        rc = step(w, err);
    }
    return rc;
}

static void hex_of(char *to, const struct pof_word *word)
{
    for (size_t i = 0; i < POF_WORD; i++) {
        snprintf(to + 2 * i, 3, "%02x", word->b[i]);
    }
}

static struct pof_word block_hash(const struct world *w, uint64_t number)
{
    struct pof_word h = pof_word(number + 1);
    h.b[0] = (uint8_t)w->forks; /* blocks made anew have other hashes */
    return h;
}

static void mine(struct world *w)
{
    if (w->blocks < BLOCKS) {
        w->block[w->blocks] = w->any_waits ? w->waits : pof_word(0);
        w->mined += w->any_waits;
        w->any_waits = false;
        w->blocks++;
    }
}

static long block_of(const struct world *w, const struct pof_word *hash)
{
    for (uint64_t i = 0; i < w->blocks; i++) {
        if (pof_word_eq(&w->block[i], hash)) {
            return (long)i;
        }
    }
    return -1;
}

static int answer(struct pof_buf *to, struct pof_err *err, const char *result)
{
    to->len = 0;
    return pof_buf_addf(to, err, "{\"jsonrpc\":\"2.0\",\"id\":\"pof\",%s}", result);
}

static int take(struct world *w, const char *params, struct pof_buf *to, struct pof_err *err)
{
    struct pof_buf raw = {0};
    struct pof_tx tx;
    struct pof_address from;
    struct pof_word hash;
    char text[128];
    size_t n = strcspn(params, "\"");
    if (pof_hex_bytes((struct pof_text){params, n}, &raw, err) != 0 ||
        pof_tx_read((struct pof_text){raw.data, raw.len}, &tx, &from, err) != 0) {
        abort();
    }
    pof_keccak((struct pof_text){raw.data, raw.len}, hash.b);
    uint64_t nonce = 0;
    for (uint64_t i = 0; i < w->blocks; i++) {
        struct pof_word none = pof_word(0);
        nonce += !pof_word_eq(&w->block[i], &none);
    }
    bool known = w->any_waits && pof_word_eq(&w->waits, &hash);
    pof_buf_release(&raw);
    if (tx.nonce < nonce) {
        return answer(to, err, "\"error\":{\"code\":-32000,\"message\":\"Nonce too low: next\"}");
    }
    if (known) {
        return answer(to, err, "\"error\":{\"code\":-32000,\"message\":\"already known\"}");
    }
    w->waits = hash;
    w->any_waits = true;
    memcpy(text, "\"result\":\"0x", 12);
    hex_of(text + 12, &hash);
    memcpy(text + 12 + 64, "\"", 2);
    return answer(to, err, text);
}

static int say_receipt(struct world *w, const char *params, struct pof_buf *to, struct pof_err *err)
{
    struct pof_word hash, of;
    char text[512], a[65], b[65];
    if (!pof_hex_read((struct pof_text){params, 66}, hash.b, POF_WORD)) {
        abort();
    }
    long at = block_of(w, &hash);
    if (at < 0) {
        return answer(to, err, "\"result\":null");
    }
    of = block_hash(w, (uint64_t)at);
    hex_of(a, &hash);
    hex_of(b, &of);
    snprintf(text, sizeof text,
             "\"result\":{\"status\":\"0x1\",\"gasUsed\":\"0x5208\",\"blockNumber\":\"0x%lx\","
             "\"transactionHash\":\"0x%s\",\"blockHash\":\"0x%s\"}",
             (unsigned long)at, a, b);
    return answer(to, err, text);
}

static int say_block(struct world *w, const char *params, struct pof_buf *to, struct pof_err *err)
{
    char text[512], a[65];
    uint64_t n = params[0] == 'l' ? w->blocks - 1 : strtoull(params, NULL, 16);
    struct pof_word hash = block_hash(w, n);
    hex_of(a, &hash);
    snprintf(text, sizeof text,
             "\"result\":{\"number\":\"0x%lx\",\"hash\":\"0x%s\",\"timestamp\":\"0x1\","
             "\"baseFeePerGas\":\"0x7\"}",
             (unsigned long)n, a);
    return n < w->blocks ? answer(to, err, text) : answer(to, err, "\"result\":null");
}

static int say_count(struct world *w, const char *params, struct pof_buf *to, struct pof_err *err)
{
    char text[64];
    uint64_t nonce = strstr(params, "pending") && w->any_waits;
    for (uint64_t i = 0; i < w->blocks; i++) {
        struct pof_word none = pof_word(0);
        nonce += !pof_word_eq(&w->block[i], &none);
    }
    snprintf(text, sizeof text, "\"result\":\"0x%lx\"", (unsigned long)nonce);
    return answer(to, err, text);
}

/* A request may be lost before the node has it, or its answer behind: two steps. */
static int post(void *ctx, struct pof_text request, struct pof_buf *to, struct pof_err *err)
{
    struct world *w = ctx;
    int rc = step(w, err);
    if (rc) {
        return rc;
    }
    char text[1 << 15];
    if (request.len >= sizeof text) {
        abort();
    }
    memcpy(text, request.ptr, request.len);
    text[request.len] = '\0';
    const char *params = strstr(text, "\"params\":[");
    params = params ? params + 10 + (params[10] == '"') : "";
    rc = strstr(text, "eth_sendRaw")           ? take(w, params, to, err)
         : strstr(text, "eth_getTransactionR") ? say_receipt(w, params, to, err)
         : strstr(text, "eth_getBlock")        ? say_block(w, params, to, err)
         : strstr(text, "eth_getTransactionC") ? say_count(w, params, to, err)
                                               : answer(to, err, "\"result\":\"0x5208\"");
    return rc ? rc : step(w, err);
}

static int wait(void *ctx, struct pof_err *err)
{
    struct world *w = ctx;
    int rc = step(w, err);
    if (rc == 0 && w->forgets) {
        w->forgets = w->any_waits = false;
        w->dead = true; /* the node went down, and with it our connection */
        return pof_fail(err, POF_E_UNAVAILABLE, "the node does not answer");
    }
    mine(w);
    return rc;
}

static void tell(void *ctx, const char *text)
{
    struct world *w = ctx;
    strncat(w->told, text, sizeof w->told - strlen(w->told) - 1);
    strncat(w->told, "\n", sizeof w->told - strlen(w->told) - 1);
}

/* One run of the program: what is pending, then the payment, unless that was it. */
static int run(struct world *w, struct pof_sent *sent)
{
    struct pof_node node = {post, w, "node"};
    struct pof_folder folder = {
        .size = size, .read = get, .replace = replace, .ctx = w, .name = "d"};
    struct pof_sender s = {&node, &folder, wait, tell, w, 2, 31337};
    struct pof_action pay = {"pay 5", &contract, pof_text("call"), &key};
    struct pof_err err = {0};
    w->dead = false;
    int rc = pof_sender_finish(&s, sent, &err);
    if (rc == 0 && strcmp(sent->what, "pay 5") != 0) {
        rc = pof_sender_do(&s, &pay, sent, &err);
    }
    return rc;
}

static void killed_everywhere(bool forgets)
{
    long worst = 0;
    long unfinished = 0;
    long at = 1;
    bool died = true;
    for (; died && at < 1000; at++) {
        struct world *w = calloc(1, sizeof *w);
        struct pof_sent sent = {0};
        if (!w) {
            abort();
        }
        w->blocks = 3;
        w->forgets = forgets;
        w->die_at = at;
        int rc = run(w, &sent);
        for (int again = 0; rc != 0 && again < 4; again++) {
            rc = run(w, &sent);
        }
        died = w->steps >= at; /* in whichever run */
        worst = w->mined > worst ? w->mined : worst;
        unfinished += rc != 0 || w->mined != 1 || !sent.good;
        free(w);
    }
    is_int(worst, 1,
           forgets ? "killed anywhere, and the node forgets: never twice"
                   : "killed anywhere: never twice");
    is_int(unfinished, 0, "and always once in the end");
    ok(at > 20, "at %ld steps", at - 2);
}

/* Two blocks are taken back after all was well. */
static void reorganised(void)
{
    struct world *w = calloc(1, sizeof *w);
    struct pof_sent sent;
    if (!w) {
        abort();
    }
    w->blocks = 3;
    ok(run(w, &sent) == 0 && sent.news && sent.block == 3, "paid in block 3");
    ok(run(w, &sent) == 0 && !sent.news && !w->told[0], "no news in the next run");
    w->blocks = 3; /* block 3 and what followed are gone */
    memset(w->block, 0, sizeof w->block);
    w->forks = 1;
    ok(run(w, &sent) == 0 && sent.news && block_of(w, &sent.hash) == 3,
       "sent again and in a block");
    ok(strstr(w->told, "reorganisation") && strstr(w->told, "sent again"), "and people are told");
    w->forks = 2; /* the same place, in another block */
    w->told[0] = '\0';
    ok(run(w, &sent) == 0 && sent.news && strstr(w->told, "another block now"),
       "a block made anew with the transaction is told too");
    free(w);
}

/* Answers that no node should give. */
static int odd_post(void *ctx, struct pof_text request, struct pof_buf *to, struct pof_err *err)
{
    (void)request;
    to->len = 0;
    return pof_buf_adds(to, ctx, err);
}

static void odd_answers(void)
{
    static const char *const texts[] = {"",
                                        "{",
                                        "[]",
                                        "null",
                                        "{\"id\":\"pof\"}",
                                        "{\"id\":\"other\",\"result\":\"0x1\"}",
                                        "{\"id\":\"pof\",\"result\":1}",
                                        "{\"id\":\"pof\",\"result\":\"1\"}",
                                        "{\"id\":\"pof\",\"result\":\"0x\"}",
                                        "{\"id\":\"pof\",\"result\":null}",
                                        "{\"id\":\"pof\",\"result\":\"0x10000000000000000\"}",
                                        "{\"id\":\"pof\",\"error\":7}",
                                        "{\"id\":\"pof\",\"error\":{\"code\":1}}"};
    long bad = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char text[256];
        uint64_t number;
        struct pof_err err = {0};
        snprintf(text, sizeof text, "%s", texts[i]);
        struct pof_node node = {odd_post, text, "node"};
        int rc = pof_rpc_number(&node, "eth_chainId", pof_text("[]"), &number, &err);
        bad += rc != POF_E_PROTOCOL || !strstr(err.text, "something else than");
    }
    is_int(bad, 0, "answers that no node should give are refused with a word");
}

int main(void)
{
    killed_everywhere(false);
    killed_everywhere(true);
    reorganised();
    odd_answers();
    return done();
}
