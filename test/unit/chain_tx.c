/* SPDX-License-Identifier: Apache-2.0 */
/* Keccak-256, RLP, addresses and signed transactions against the vectors of ethers and of
 * ethereum/tests, and what their readers refuse. */
#include "vectors.h"

#include "chain/abi.h"
#include "chain/rlp.h"
#include "chain/tx.h"

#include <jansson.h>

static struct pof_err err;
static char path[512];

static const char *in_data(const char *name)
{
    const char *data = tap_data();
    snprintf(path, sizeof path, "%s/certify/%s", data ? data : "", name);
    FILE *f = data ? fopen(path, "r") : NULL;
    if (f) {
        fclose(f);
    }
    return f ? path : NULL;
}

/* The bytes of hexadecimal text, with or without 0x; freed by the caller. */
static struct pof_buf bytes(const char *hex)
{
    struct pof_buf out = {0};
    size_t n = strlen(hex) / 2 - (strncmp(hex, "0x", 2) == 0);
    if (pof_buf_reserve(&out, n + 1, &err) != 0 ||
        !pof_hex_read(pof_text(hex), (uint8_t *)out.data, n)) {
        abort();
    }
    out.len = n;
    return out;
}

static struct pof_text view(const struct pof_buf *b)
{
    return (struct pof_text){b->data, b->len};
}

static bool is_hex(struct pof_text got, const char *want)
{
    struct pof_buf b = bytes(want);
    bool same = got.len == b.len && memcmp(got.ptr, b.data, b.len) == 0;
    pof_buf_release(&b);
    return same;
}

static bool word_is(const struct pof_word *w, const char *want)
{
    return is_hex((struct pof_text){(const char *)w->b, POF_WORD}, want);
}

/* A number in decimal digits of any length. */
static struct pof_word decimal(const char *digits)
{
    struct pof_word w = {{0}};
    for (; *digits; digits++) {
        unsigned carry = (unsigned)(*digits - '0');
        for (size_t i = POF_WORD; i-- > 0;) {
            carry += w.b[i] * 10u;
            w.b[i] = (uint8_t)carry;
            carry >>= 8;
        }
    }
    return w;
}

/* --- Keccak --- */

static void keccak_vectors(void)
{
    const char *file = in_data("own/evm/keccak256.tsv");
    uint8_t hash[POF_WORD];
    pof_keccak(pof_text(""), hash);
    ok(is_hex((struct pof_text){(char *)hash, sizeof hash},
              "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
       "Keccak-256 of nothing");
    FILE *f = file ? fopen(file, "r") : NULL;
    char line[8192];
    long passed = 0;
    long failed = 0;
    if (!f) {
        skip("Keccak-256 of ethers", "no shared data");
        return;
    }
    for (bool head = true; fgets(line, sizeof line, f); head = false) {
        char *input = strchr(line, '\t');
        char *want = input ? strchr(input + 1, '\t') : NULL;
        if (head || !want) {
            continue;
        }
        *want++ = '\0';
        want[strcspn(want, "\n")] = '\0';
        struct pof_buf b = bytes(input + 1);
        pof_keccak(view(&b), hash);
        *(is_hex((struct pof_text){(char *)hash, sizeof hash}, want) ? &passed : &failed) += 1;
        pof_buf_release(&b);
    }
    fclose(f);
    ok(passed == 25 && failed == 0, "Keccak-256 of %ld inputs around the rate is that of ethers",
       passed);
    vectors_told("own/evm/keccak256.tsv", passed, failed, "Keccak-256");
}

/* --- RLP --- */

/* Encodes what ethereum/tests describe; numbers of more than 64 bits begin with #. */
static int encode(struct pof_buf *to, const json_t *in)
{
    if (json_is_integer(in)) {
        return pof_rlp_u64(to, (uint64_t)json_integer_value(in), &err);
    }
    if (json_is_string(in) && json_string_value(in)[0] == '#') {
        struct pof_word w = decimal(json_string_value(in) + 1);
        return pof_rlp_word(to, &w, &err);
    }
    if (json_is_string(in)) {
        return pof_rlp_bytes(to, (struct pof_text){json_string_value(in), json_string_length(in)},
                             &err);
    }
    struct pof_buf items = {0};
    int rc = 0;
    for (size_t i = 0; i < json_array_size(in); i++) {
        rc = rc ? rc : encode(&items, json_array_get(in, i));
    }
    rc = rc ? rc : pof_rlp_list(to, view(&items), &err);
    pof_buf_release(&items);
    return rc;
}

static void rlp_valid(void)
{
    const char *file = in_data("third-party/rlp/rlptest.json");
    json_t *all = file ? json_load_file(file, JSON_ALLOW_NUL, NULL) : NULL;
    const char *name;
    json_t *test;
    long passed = 0;
    if (!all) {
        skip("RLP of ethereum/tests", "no shared data");
        return;
    }
    json_object_foreach(all, name, test)
    {
        struct pof_buf got = {0};
        const char *want = json_string_value(json_object_get(test, "out"));
        struct pof_buf b = bytes(want);
        /* 2^256 is one more than our numbers hold: it can be read, not written. */
        bool written = strcmp(name, "bigint") == 0 ||
                       (encode(&got, json_object_get(test, "in")) == 0 && is_hex(view(&got), want));
        bool good = written && pof_rlp_check(view(&b), &err) == 0;
        passed += good;
        if (!good) {
            ok(false, "RLP %s", name);
        }
        pof_buf_release(&got);
        pof_buf_release(&b);
    }
    ok(passed == 28, "%ld items of ethereum/tests are written and read", passed);
    vectors_told("third-party/rlp/rlptest.json", passed, 28 - passed, "RLP");
    json_decref(all);
}

static void rlp_invalid(void)
{
    const char *file = in_data("third-party/rlp/invalidRLPTest.json");
    json_t *all = file ? json_load_file(file, 0, NULL) : NULL;
    const char *name;
    json_t *test;
    long passed = 0;
    long seen = 0;
    if (!all) {
        skip("bad RLP of ethereum/tests", "no shared data");
        return;
    }
    json_object_foreach(all, name, test)
    {
        struct pof_buf b = bytes(json_string_value(json_object_get(test, "out")));
        bool refused = pof_rlp_check(view(&b), &err) == POF_E_SYNTAX;
        passed += refused;
        seen++;
        if (!refused) {
            ok(false, "RLP %s is refused", name);
        }
        pof_buf_release(&b);
    }
    ok(passed == seen && seen >= 26, "%ld bad items of ethereum/tests are refused", passed);
    vectors_told("third-party/rlp/invalidRLPTest.json", passed, seen - passed, "RLP");
    json_decref(all);
}

static void rlp_depth(void)
{
    struct pof_buf deep[2] = {{0}, {0}};
    int rc = 0;
    for (int i = 0; i < 65; i++) { /* a list of one list of one list ... */
        deep[1].len = 0;
        rc = rc ? rc : pof_rlp_list(&deep[1], view(&deep[0]), &err);
        struct pof_buf swap = deep[0];
        deep[0] = deep[1];
        deep[1] = swap;
        if (i == 63) {
            ok(rc == 0 && pof_rlp_check(view(&deep[0]), &err) == 0,
               "64 lists in each other are read");
        }
    }
    is_int(pof_rlp_check(view(&deep[0]), &err), POF_E_DEPTH, "65 are not");
    pof_buf_release(&deep[0]);
    pof_buf_release(&deep[1]);
    is_int(pof_rlp_check((struct pof_text){"\xc0\xc0", 2}, &err), POF_E_SYNTAX,
           "nothing may stand behind the item");
}

/* --- transactions --- */

static struct pof_word number(const json_t *tx, const char *key)
{
    const char *text = json_string_value(json_object_get(tx, key));
    return decimal(text ? text : "0");
}

static int add_hex(struct pof_buf *to, const json_t *hex)
{
    struct pof_buf b = bytes(json_string_value(hex));
    int rc = pof_rlp_bytes(to, view(&b), &err);
    pof_buf_release(&b);
    return rc;
}

/* Items of [address, [key, ...]]. */
static struct pof_text access_list(const json_t *list, struct pof_buf *to)
{
    int rc = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        const json_t *of = json_object_get(entry, "storageKeys");
        struct pof_buf slots = {0};
        struct pof_buf item = {0};
        for (size_t k = 0; k < json_array_size(of); k++) {
            rc = rc ? rc : add_hex(&slots, json_array_get(of, k));
        }
        rc = rc ? rc : add_hex(&item, json_object_get(entry, "address"));
        rc = rc ? rc : pof_rlp_list(&item, view(&slots), &err);
        rc = rc ? rc : pof_rlp_list(to, view(&item), &err);
        pof_buf_release(&slots);
        pof_buf_release(&item);
    }
    return rc ? (struct pof_text){"", 0} : view(to);
}

static struct pof_tx made(const json_t *j, struct pof_buf *data, struct pof_buf *access)
{
    uint64_t gas;
    const json_t *to = json_object_get(j, "to");
    struct pof_tx tx = {
        .legacy = json_integer_value(json_object_get(j, "type")) == 0,
        .chain_id = (uint64_t)json_integer_value(json_object_get(j, "chainId")),
        .nonce = (uint64_t)json_integer_value(json_object_get(j, "nonce")),
        .create = !json_is_string(to),
        .value = number(j, "value"),
    };
    struct pof_word limit = number(j, "gasLimit");
    tx.max_fee = number(j, tx.legacy ? "gasPrice" : "maxFeePerGas");
    tx.tip = number(j, "maxPriorityFeePerGas");
    *data = bytes(json_string_value(json_object_get(j, "data")));
    tx.data = view(data);
    tx.access = access_list(json_object_get(j, "accessList"), access);
    if (!pof_word_u64(&limit, &gas) ||
        (!tx.create && !pof_hex_read(pof_text(json_string_value(to)), tx.to.b, POF_ADDRESS))) {
        abort();
    }
    tx.gas = gas;
    return tx;
}

static bool reads_back(const struct pof_signed *s, const struct pof_tx *tx, const char *from)
{
    struct pof_tx got;
    struct pof_address who;
    return pof_tx_read(view(&s->raw), &got, &who, &err) == 0 &&
           is_hex((struct pof_text){(char *)who.b, POF_ADDRESS}, from) &&
           got.legacy == tx->legacy && got.chain_id == tx->chain_id && got.nonce == tx->nonce &&
           got.gas == tx->gas && pof_word_eq(&got.max_fee, &tx->max_fee) &&
           pof_word_eq(&got.tip, &tx->tip) && pof_word_eq(&got.value, &tx->value) &&
           got.create == tx->create && pof_address_eq(&got.to, &tx->to) &&
           pof_text_eq(got.data, tx->data) && pof_text_eq(got.access, tx->access);
}

/* One line of raw_transactions.jsonl: the same bytes and hash, and back again. */
static bool transaction(const json_t *v)
{
    struct pof_buf data;
    struct pof_buf access = {0};
    struct pof_chain_key key;
    struct pof_signed s = {0};
    struct pof_address created;
    const char *create = json_string_value(json_object_get(v, "createAddress"));
    struct pof_address from;
    struct pof_tx tx = made(json_object_get(v, "tx"), &data, &access);
    bool good = pof_chain_key_read(&key, pof_text(json_string_value(json_object_get(v, "key"))),
                                   &err) == 0 &&
                pof_tx_sign(&tx, &key, &s, &err) == 0 &&
                is_hex(view(&s.raw), json_string_value(json_object_get(v, "raw"))) &&
                word_is(&s.hash, json_string_value(json_object_get(v, "hash"))) &&
                reads_back(&s, &tx, json_string_value(json_object_get(v, "from")));
    if (good && create) {
        good = pof_chain_key_address(&key, &from, &err) == 0 &&
               pof_tx_created(&from, tx.nonce, &created, &err) == 0 &&
               is_hex((struct pof_text){(char *)created.b, POF_ADDRESS}, create);
    }
    pof_buf_release(&s.raw);
    pof_buf_release(&data);
    pof_buf_release(&access);
    return good;
}

static void transactions(void)
{
    const char *file = in_data("own/evm/raw_transactions.jsonl");
    FILE *f = file ? fopen(file, "r") : NULL;
    char line[8192];
    long passed = 0;
    long seen = 0;
    if (!f) {
        skip("transactions of ethers", "no shared data");
        return;
    }
    while (fgets(line, sizeof line, f)) {
        json_t *v = json_loads(line, 0, NULL);
        bool good = transaction(v);
        passed += good;
        seen++;
        if (!good) {
            ok(false, "transaction of line %ld", seen);
        }
        json_decref(v);
    }
    fclose(f);
    ok(passed == 37 && seen == 37, "%ld signed transactions are those of ethers, byte for byte",
       passed);
    vectors_told("own/evm/raw_transactions.jsonl", passed, seen - passed,
                 "signed bytes, hash, sender, address of the contract");
}

static void keys(void)
{
    const char *file = in_data("third-party/rlp/keyaddrtest.json");
    json_t *all = file ? json_load_file(file, 0, NULL) : NULL;
    long passed = 0;
    if (!all) {
        skip("keys of ethereum/tests", "no shared data");
        return;
    }
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *v = json_array_get(all, i);
        struct pof_chain_key key;
        struct pof_address a;
        passed += pof_chain_key_read(&key, pof_text(json_string_value(json_object_get(v, "key"))),
                                     &err) == 0 &&
                  pof_chain_key_address(&key, &a, &err) == 0 &&
                  is_hex((struct pof_text){(char *)a.b, POF_ADDRESS},
                         json_string_value(json_object_get(v, "addr")));
    }
    is_int(passed, (int64_t)json_array_size(all), "addresses of ethereum/tests");
    vectors_told("third-party/rlp/keyaddrtest.json", passed, (long)json_array_size(all) - passed,
                 "address; what their old signatures sign is not told");
    json_decref(all);
}

/* Before EIP-155 transactions were bound to no chain: anybody could send them again elsewhere. */
static void unbound(void)
{
    const char *file = in_data("third-party/rlp/txtest.json");
    json_t *all = file ? json_load_file(file, 0, NULL) : NULL;
    long refused = 0;
    if (!all) {
        skip("transactions of before EIP-155", "no shared data");
        return;
    }
    for (size_t i = 0; i < json_array_size(all); i++) {
        struct pof_tx tx;
        struct pof_address from;
        struct pof_buf b =
            bytes(json_string_value(json_object_get(json_array_get(all, i), "signed")));
        refused += pof_rlp_check(view(&b), &err) == 0 &&
                   pof_tx_read(view(&b), &tx, &from, &err) == POF_E_SYNTAX &&
                   strstr(err.text, "bound to no chain");
        pof_buf_release(&b);
    }
    is_int(refused, 2, "transactions of before EIP-155 are refused: bound to no chain");
    vectors_told("third-party/rlp/txtest.json", refused, 2 - refused, "refused: before EIP-155");
    json_decref(all);
}

/* Every shortened and every flipped transaction is refused or is another one. */
static void damaged(void)
{
    struct pof_chain_key key = {{1}};
    struct pof_address me, from;
    struct pof_tx tx = {.chain_id = 31337,
                        .nonce = 7,
                        .gas = 90000,
                        .max_fee = pof_word(3000000000),
                        .tip = pof_word(1),
                        .access = pof_text(""),
                        .data = pof_text("call data of some length")};
    struct pof_tx got;
    struct pof_signed s = {0};
    bool cut = true;
    bool flipped = true;
    if (pof_chain_key_address(&key, &me, &err) != 0 || pof_tx_sign(&tx, &key, &s, &err) != 0) {
        abort();
    }
    for (size_t n = 0; n < s.raw.len; n++) {
        cut = cut && pof_tx_read((struct pof_text){s.raw.data, n}, &got, &from, &err) != 0;
    }
    for (size_t i = 0; i < 8 * s.raw.len; i++) {
        s.raw.data[i / 8] = (char)(s.raw.data[i / 8] ^ (1 << i % 8));
        flipped = flipped && (pof_tx_read(view(&s.raw), &got, &from, &err) != 0 ||
                              !pof_address_eq(&from, &me));
        s.raw.data[i / 8] = (char)(s.raw.data[i / 8] ^ (1 << i % 8));
    }
    ok(cut, "no shortened transaction is read");
    ok(flipped, "no transaction with a flipped bit is by the same sender");
    tx.chain_id = UINT64_MAX / 2;
    is_int(pof_tx_sign(&tx, &key, &s, &err), POF_E_RANGE, "an id of a chain of 64 bits is refused");
    pof_buf_release(&s.raw);
}

static void small_things(void)
{
    struct pof_chain_key key;
    struct pof_word w;
    char digits[POF_WORD_DIGITS];
    struct pof_buf b = {0};
    ok(pof_chain_key_read(&key, pof_text("0x00"), &err) == POF_E_SYNTAX, "a short key is refused");
    ok(pof_chain_key_read(
           &key, pof_text("0000000000000000000000000000000000000000000000000000000000000000"),
           &err) == POF_E_PERMISSION,
       "zero is no key");
    ok(pof_chain_key_read(
           &key, pof_text("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141\n"),
           &err) == POF_E_PERMISSION,
       "the order of the curve is no key");
    memset(&w, 0xff, sizeof w);
    pof_word_decimal(&w, digits);
    is_text(digits, strlen(digits),
            "115792089237316195423570985008687907853269984665640564039457584007913129639935",
            "2^256 - 1 in decimal");
    w = pof_word(0);
    pof_word_decimal(&w, digits);
    is_text(digits, strlen(digits), "0", "0 in decimal");
    ok(pof_hex_quantity(pof_text("0x0"), &w) && pof_hex_quantity(pof_text("0x1fF"), &w) &&
           w.b[31] == 0xff && w.b[30] == 1,
       "quantities");
    ok(!pof_hex_quantity(pof_text("0x"), &w) && !pof_hex_quantity(pof_text("12"), &w) &&
           !pof_hex_quantity(pof_text("0xg"), &w) &&
           !pof_hex_quantity(
               pof_text("0x10000000000000000000000000000000000000000000000000000000000000000"), &w),
       "what is no quantity");
    ok(pof_hex_bytes(pof_text("0x"), &b, &err) == 0 && b.len == 0 &&
           pof_hex_bytes(pof_text("0x00fF"), &b, &err) == 0 && b.len == 2 &&
           pof_hex_bytes(pof_text("0x0"), &b, &err) == POF_E_SYNTAX &&
           pof_hex_bytes(pof_text("00"), &b, &err) == POF_E_SYNTAX &&
           pof_hex_bytes(pof_text("0x0g"), &b, &err) == POF_E_SYNTAX && b.len == 2,
       "bytes in hexadecimal");
    pof_buf_release(&b);
}

/* The call of a function with arguments as ethers writes them: words, addresses, decimal numbers.
 */
static bool call_is(const char *function, const json_t *args, const char *want)
{
    struct pof_buf data = {0};
    int rc = pof_abi_call(&data, function, &err);
    for (size_t i = 0; rc == 0 && i < json_array_size(args); i++) {
        const char *text = json_string_value(json_array_get(args, i));
        struct pof_word w;
        struct pof_address a;
        if (strlen(text) == 2 + 2 * POF_ADDRESS) {
            rc = pof_hex_read(pof_text(text), a.b, POF_ADDRESS) ? pof_abi_address(&data, &a, &err)
                                                                : POF_E_SYNTAX;
        } else if (strncmp(text, "0x", 2) == 0) {
            rc = pof_hex_read(pof_text(text), w.b, POF_WORD) ? pof_abi_word(&data, &w, &err)
                                                             : POF_E_SYNTAX;
        } else {
            w = decimal(text);
            rc = pof_abi_word(&data, &w, &err);
        }
    }
    bool good = rc == 0 && is_hex(view(&data), want);
    pof_buf_release(&data);
    return good;
}

static bool topic_is(const char *event, const char *want)
{
    struct pof_word w;
    pof_keccak(pof_text(event), w.b);
    return word_is(&w, want);
}

static bool address_is(const char *secret, const char *want)
{
    struct pof_chain_key key;
    struct pof_address a;
    return pof_chain_key_read(&key, pof_text(secret), &err) == 0 &&
           pof_chain_key_address(&key, &a, &err) == 0 &&
           is_hex((struct pof_text){(const char *)a.b, POF_ADDRESS}, want);
}

static void abi_vectors(void)
{
    const char *file = in_data("own/evm/abi.json"), *name;
    json_t *all = file ? json_load_file(file, 0, NULL) : NULL, *v;
    long passed = 0, seen = 0;
    size_t i;
    if (!all) {
        skip("calls of ethers", "no shared data");
        return;
    }
    json_object_foreach(json_object_get(all, "selectors"), name, v)
    {
        passed += call_is(name, NULL, json_string_value(v));
        seen++;
    }
    json_object_foreach(json_object_get(all, "topics"), name, v)
    {
        passed += topic_is(name, json_string_value(v));
        seen++;
    }
    json_array_foreach(json_object_get(all, "calls"), i, v)
    {
        passed += call_is(json_string_value(json_object_get(v, "fn")), json_object_get(v, "args"),
                          json_string_value(json_object_get(v, "data")));
        seen++;
    }
    json_array_foreach(json_object_get(all, "addresses"), i, v)
    {
        passed += address_is(json_string_value(json_object_get(v, "key")),
                             json_string_value(json_object_get(v, "address")));
        seen++;
    }
    ok(passed == 12 && seen == 12, "%ld selectors, topics, calls and addresses are those of ethers",
       passed);
    vectors_told("own/evm/abi.json", passed, seen - passed, "selectors, topics, calls, addresses");
    json_decref(all);
}

int main(void)
{
    abi_vectors();
    keccak_vectors();
    rlp_valid();
    rlp_invalid();
    rlp_depth();
    transactions();
    keys();
    unbound();
    damaged();
    small_things();
    return done();
}
