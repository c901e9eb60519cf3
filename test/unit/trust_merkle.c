/* SPDX-License-Identifier: Apache-2.0 */
/* Merkle trees against an oracle written from the recursive definition of RFC 6962, and against the
 * vectors of Go's tlog and of transparency-dev/merkle. */
#include "vectors.h"

#include "base/base64.h"
#include "num/sha256.h"
#include "trust/merkle.h"

#include <jansson.h>

static struct pof_hasher *hasher;

/* Every length around the ends of blocks, cut anywhere, against our other SHA-256. */
static void hashes(void)
{
    enum { MOST = 300 };
    char text[MOST];
    int wrong = 0;
    for (size_t n = 0; n < MOST; n++) {
        struct pof_sha256 other;
        struct pof_hash want, got;
        text[n] = (char)(n * 37 + 11);
        pof_sha256_init(&other);
        pof_sha256_add(&other, text, n);
        pof_sha256_end(&other, want.b);
        for (size_t cut = 0; cut <= n; cut += 1 + n / 7) {
            pof_hash_two(hasher, (struct pof_text){text, cut},
                         (struct pof_text){text + cut, n - cut}, &got);
            wrong += !pof_hash_eq(&got, &want);
        }
    }
    is_int(wrong, 0, "SHA-256 of 0 to 299 bytes in two parts");
}

/* --- RFC 6962 section 2.1, word for word --- */

static size_t split(size_t n)
{
    size_t k = 1;
    while (k * 2 < n) {
        k *= 2;
    }
    return k;
}

static struct pof_hash mth(const struct pof_hash *leaf, size_t n)
{
    struct pof_hash out;
    if (n == 0) {
        pof_merkle_empty(hasher, &out);
        return out;
    }
    if (n == 1) {
        return leaf[0];
    }
    size_t k = split(n);
    struct pof_hash l = mth(leaf, k);
    struct pof_hash r = mth(leaf + k, n - k);
    pof_merkle_node(hasher, &l, &r, &out);
    return out;
}

static void path(const struct pof_hash *leaf, size_t m, size_t n, struct pof_proof *p)
{
    if (n > 1) {
        size_t k = split(n);
        bool left = m < k;
        path(left ? leaf : leaf + k, left ? m : m - k, left ? k : n - k, p);
        p->hash[p->n++] = left ? mth(leaf + k, n - k) : mth(leaf, k);
    }
}

static void subproof(const struct pof_hash *leaf, size_t m, size_t n, bool whole,
                     struct pof_proof *p)
{
    if (m == n) {
        if (!whole) {
            p->hash[p->n++] = mth(leaf, n);
        }
        return;
    }
    size_t k = split(n);
    if (m <= k) {
        subproof(leaf, m, k, whole, p);
        p->hash[p->n++] = mth(leaf + k, n - k);
    } else {
        subproof(leaf + k, m - k, n - k, false, p);
        p->hash[p->n++] = mth(leaf, k);
    }
}

/* --- the module under test over leaves in memory --- */

static int get_node(void *ctx, unsigned level, uint64_t index, struct pof_hash *out,
                    struct pof_err *err)
{
    (void)err;
    const struct pof_hash *leaf = ctx;
    *out = mth(leaf + (index << level), (size_t)1 << level);
    return 0;
}

static bool same_proof(const struct pof_proof *a, const struct pof_proof *b)
{
    return a->n == b->n && memcmp(a->hash, b->hash, a->n * POF_HASH) == 0;
}

static void every_small_tree(void)
{
    enum { N = 40 };
    struct pof_hash leaf[N];
    for (int i = 0; i < N; i++) {
        char text[16];
        int n = snprintf(text, sizeof text, "record %d", i);
        pof_merkle_leaf(hasher, text, (size_t)n, &leaf[i]);
    }
    struct pof_nodes nodes = {get_node, leaf};
    struct pof_range range = {0};
    struct pof_err err = {0};
    int bad_root = 0, bad_path = 0, bad_consistency = 0, believed = 0;
    for (uint64_t n = 0; n <= N; n++) {
        struct pof_hash want = mth(leaf, n);
        struct pof_hash got, got2;
        pof_range_root(&range, hasher, &got);
        bad_root += pof_merkle_root(&nodes, hasher, n, &got2, &err) != 0 ||
                    !pof_hash_eq(&got, &want) || !pof_hash_eq(&got2, &want);
        for (uint64_t m = 0; m < n; m++) {
            struct pof_proof p, q = {0};
            path(leaf, m, n, &q);
            bad_path += pof_merkle_inclusion(&nodes, hasher, m, n, &p, &err) != 0 ||
                        !same_proof(&p, &q) ||
                        !pof_merkle_check_inclusion(hasher, m, n, &leaf[m], &p, &want);
            believed += m > 0 && pof_merkle_check_inclusion(hasher, m - 1, n, &leaf[m], &p, &want);
            believed += pof_merkle_check_inclusion(hasher, m, n, &leaf[(m + 1) % N], &p, &want);
            struct pof_head old = {m + 1, mth(leaf, m + 1)};
            struct pof_head now = {n, want};
            q.n = 0;
            subproof(leaf, m + 1, n, true, &q);
            bad_consistency += pof_merkle_consistency(&nodes, hasher, m + 1, n, &p, &err) != 0 ||
                               !same_proof(&p, &q) ||
                               !pof_merkle_check_consistency(hasher, &old, &now, &p);
            old.root.b[5] ^= 1;
            believed += pof_merkle_check_consistency(hasher, &old, &now, &p);
        }
        if (n < N && pof_range_push(&range, hasher, &leaf[n], NULL, NULL, &err)) {
            break;
        }
    }
    is_int(bad_root, 0, "roots of sizes 0 to 40");
    is_int(bad_path, 0, "inclusion proofs of every record in every size");
    is_int(bad_consistency, 0, "consistency proofs between every two sizes");
    is_int(believed, 0, "a proof of another record or from another root is not believed");
    struct pof_proof p;
    is_int(pof_merkle_inclusion(&nodes, hasher, 3, 3, &p, &err), POF_E_RANGE, "no record 3 in 3");
    is_int(pof_merkle_consistency(&nodes, hasher, 0, 3, &p, &err), POF_E_RANGE, "nothing from 0");
    is_int(pof_merkle_consistency(&nodes, hasher, 4, 3, &p, &err), POF_E_RANGE,
           "nothing from 4 to 3");
}

/* --- shared vectors --- */

static FILE *data(const char *name)
{
    char file[512];
    if (!tap_data()) {
        skip(name, "no shared data");
        return NULL;
    }
    snprintf(file, sizeof file, "%s/certify/%s", tap_data(), name);
    FILE *f = fopen(file, "rb");
    if (!f) {
        skip(name, "not in the shared data");
    }
    return f;
}

enum { REFERENCE = 100000 };

/* All nodes of the reference log, level after level, so that a node is looked up. */
static struct pof_hash *reference[POF_TREE_LEVELS];

static int keep_node(void *ctx, unsigned level, uint64_t index, const struct pof_hash *hash,
                     struct pof_err *err)
{
    (void)ctx;
    (void)err;
    reference[level][index] = *hash;
    return 0;
}

static int reference_node(void *ctx, unsigned level, uint64_t index, struct pof_hash *out,
                          struct pof_err *err)
{
    (void)ctx;
    (void)err;
    *out = reference[level][index];
    return 0;
}

/* Record i of the reference log (README of the vectors). */
static void reference_record(uint64_t i, char to[128])
{
    for (int j = 0; j < 128; j++) {
        to[j] = (char)('a' + j % 26);
    }
    char number[32];
    snprintf(number, sizeof number, "%016" PRIu64, i);
    memcpy(to, number, 16);
    to[16] = 'x';
}

static bool is_root(const struct pof_hash *root, const char *text)
{
    char got[POF_BASE64_LEN(POF_HASH)];
    size_t n = pof_base64_encode(root->b, POF_HASH, got);
    return strlen(text) == n && memcmp(text, got, n) == 0;
}

/* Builds the reference log, comparing its root at every size the table names. */
static void roots(void)
{
    FILE *f = data("own/tlog/tree_roots.tsv");
    if (!f) {
        return;
    }
    struct pof_range range = {0};
    struct pof_err err = {0};
    char line[128];
    int n = 0, wrong = 0;
    while (fgets(line, sizeof line, f)) {
        uint64_t size;
        char want[64];
        if (sscanf(line, "%" SCNu64 "\t%63s", &size, want) != 2 || size > REFERENCE) {
            continue;
        }
        while (range.size < size) {
            char record[128];
            reference_record(range.size, record);
            struct pof_hash *leaf = &reference[0][range.size];
            pof_merkle_leaf(hasher, record, sizeof record, leaf);
            wrong += pof_range_push(&range, hasher, leaf, keep_node, NULL, &err) != 0;
        }
        struct pof_hash root;
        pof_range_root(&range, hasher, &root);
        wrong += !is_root(&root, want);
        n++;
    }
    fclose(f);
    vectors_told("own/tlog/tree_roots.tsv", n - wrong, wrong, "");
    ok(n > 300 && wrong == 0, "%d roots equal those of Go's tlog", n);
}

static bool load_proof(const json_t *list, struct pof_proof *p)
{
    p->n = 0;
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        size_t n;
        if (p->n == POF_PROOF_MAX ||
            !pof_base64_decode(pof_text(json_string_value(item)), p->hash[p->n].b, POF_HASH, &n) ||
            n != POF_HASH) {
            return false;
        }
        p->n++;
    }
    return true;
}

static uint64_t number(const json_t *line, const char *name)
{
    double v = json_number_value(json_object_get(line, name));
    return v >= 18446744073709551615.0 ? UINT64_MAX : (uint64_t)v;
}

/* A root or leaf; some vectors have shorter stand-ins ("don't care"), which are filled with zeros.
 */
static bool load_hash(const json_t *line, const char *name, struct pof_hash *out)
{
    size_t n;
    memset(out, 0, sizeof *out);
    const char *text = json_string_value(json_object_get(line, name));
    return text && *text && pof_base64_decode(pof_text(text), out->b, POF_HASH, &n);
}

/* Every line of a file of proofs goes through judge(), which says whether it is as it should be. */
static void lines(const char *name, size_t least, bool (*judge)(const json_t *))
{
    FILE *f = data(name);
    if (!f) {
        return;
    }
    size_t n = 0, wrong = 0;
    static char line[65536];
    while (fgets(line, sizeof line, f)) {
        json_t *j = json_loads(line, JSON_DECODE_INT_AS_REAL, NULL);
        if (!j || !judge(j)) {
            printf("# %.200s\n", line);
            wrong++;
        }
        json_decref(j);
        n++;
    }
    fclose(f);
    vectors_told(name, (long)(n - wrong), (long)wrong, "");
    ok(n >= least && wrong == 0, "%zu lines of %s", n, name);
}

static bool equal_proof(const json_t *line)
{
    struct pof_nodes nodes = {reference_node, NULL};
    struct pof_proof want, got;
    struct pof_err err = {0};
    bool consistency = strcmp(json_string_value(json_object_get(line, "kind")), "consistency") == 0;
    int rc = consistency ? pof_merkle_consistency(&nodes, hasher, number(line, "size1"),
                                                  number(line, "size2"), &got, &err)
                         : pof_merkle_inclusion(&nodes, hasher, number(line, "index"),
                                                number(line, "size"), &got, &err);
    return rc == 0 && load_proof(json_object_get(line, "proof"), &want) && same_proof(&got, &want);
}

static bool judged_right(const json_t *line)
{
    struct pof_proof p;
    bool want = !json_boolean_value(json_object_get(line, "wantErr"));
    bool good = load_proof(json_object_get(line, "proof"), &p);
    if (strcmp(json_string_value(json_object_get(line, "kind")), "consistency") == 0) {
        struct pof_head old = {.size = number(line, "size1")};
        struct pof_head now = {.size = number(line, "size2")};
        good = good && load_hash(line, "root1", &old.root) && load_hash(line, "root2", &now.root) &&
               pof_merkle_check_consistency(hasher, &old, &now, &p);
    } else {
        struct pof_hash leaf, root;
        good = good && load_hash(line, "leafHash", &leaf) && load_hash(line, "root", &root) &&
               pof_merkle_check_inclusion(hasher, number(line, "leafIdx"), number(line, "treeSize"),
                                          &leaf, &p, &root);
    }
    return good == want;
}

int main(void)
{
    struct pof_err err = {0};
    if (pof_hasher_new(&hasher, &err)) {
        ok(false, "%s", err.text);
        return done();
    }
    hashes();
    every_small_tree();
    for (unsigned l = 0; l < 18; l++) {
        reference[l] = calloc((size_t)(REFERENCE >> l) + 1, POF_HASH);
    }
    roots();
    lines("own/tlog/tree_proofs.jsonl", 219, equal_proof);
    lines("third-party/merkle_proofs.jsonl", 196, judged_right);
    for (unsigned l = 0; l < 18; l++) {
        free(reference[l]);
    }
    pof_hasher_free(hasher);
    return done();
}
