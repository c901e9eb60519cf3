/* SPDX-License-Identifier: Apache-2.0 */
/* The log over a folder in memory that is killed or loses power at every step, and under tampering
 * of every file. */
#include "folder.h"

#include "trust/log.h"

/* --- what is written --- */

enum { TOTAL = 700 };

static struct pof_signer signer;
static struct pof_hasher *hasher;
static struct pof_hash leaf[TOTAL];

static size_t record(uint64_t i, char to[64])
{
    return (size_t)snprintf(to, 64, "{\"n\":%d,\"text\":\"%.*s\"}", (int)i, (int)(i * 7 % 23),
                            "abcdefghijklmnopqrstuvw");
}

static void root_of(uint64_t n, struct pof_hash *root)
{
    struct pof_range r = {0};
    struct pof_err err = {0};
    for (uint64_t i = 0; i < n; i++) {
        if (pof_range_push(&r, hasher, &leaf[i], NULL, NULL, &err)) {
            return;
        }
    }
    pof_range_root(&r, hasher, root);
}

/* Appends records from the log's size on up to `until`, batch by batch, signing every third batch
 * and at the end; *acknowledged follows what is durable. */
static int append(struct pof_log *log, uint64_t until, uint64_t batch, uint64_t *acknowledged,
                  struct pof_err *err)
{
    int rc = 0;
    int batches = 0;
    while (rc == 0 && pof_log_size(log) < until) {
        for (uint64_t i = pof_log_size(log), k = 0; rc == 0 && i < until && k < batch; i++, k++) {
            char text[64];
            struct pof_hash h;
            size_t n = record(i, text);
            rc = pof_log_add(log, (struct pof_text){text, n}, &h, err);
        }
        rc = rc ? rc : pof_log_commit(log, err);
        if (rc == 0) {
            *acknowledged = pof_log_size(log);
            rc = ++batches % 3 == 0 ? pof_log_sign(log, false, err) : 0;
        }
    }
    return rc ? rc : pof_log_sign(log, true, err);
}

static int count_finding(void *ctx, const struct pof_finding *f, struct pof_err *err)
{
    (void)f;
    (void)err;
    ++*(int *)ctx;
    return 0;
}

/* Findings of a full audit, -1 when the log cannot be opened. */
static int findings(struct memory *m)
{
    struct pof_folder f = folder(m);
    struct pof_log *log;
    struct pof_err err = {0};
    struct pof_audit result;
    int n = 0;
    struct pof_auditor auditor = {NULL, count_finding, &n};
    if (pof_log_open(&log, &f, NULL, false, &err)) {
        return -1;
    }
    if (pof_log_audit(log, &auditor, &result, &err) || result.findings != (uint64_t)n ||
        (n == 0 && (!result.journal_good || !result.leaves_good))) {
        n = -2;
    }
    pof_log_close(log);
    return n;
}

/* A good log of n records in batches. */
static bool make(struct memory *m, uint64_t n, uint64_t batch)
{
    struct pof_folder f = folder(m);
    struct pof_log *log;
    struct pof_err err = {0};
    uint64_t acknowledged = 0;
    if (pof_log_create(&f, &signer, &err) || pof_log_open(&log, &f, &signer, false, &err)) {
        return false;
    }
    int rc = append(log, n, batch, &acknowledged, &err);
    pof_log_close(log);
    return rc == 0 && acknowledged == n;
}

static bool head_is(struct memory *m, uint64_t n)
{
    struct pof_folder f = folder(m);
    struct pof_log *log;
    struct pof_err err = {0};
    struct pof_hash root;
    if (pof_log_open(&log, &f, NULL, false, &err)) {
        return false;
    }
    struct pof_head head = pof_log_head(log);
    pof_log_close(log);
    root_of(n, &root);
    return head.size == n && pof_hash_eq(&head.root, &root);
}

/* --- tests --- */

static void grow_and_prove(void)
{
    struct memory m = {0};
    ok(make(&m, TOTAL, 100) && head_is(&m, TOTAL), "700 records, the root of their tree is signed");
    is_int(findings(&m), 0, "the audit finds nothing");
    struct pof_folder f = folder(&m);
    struct pof_log *log;
    struct pof_err err = {0};
    if (pof_log_open(&log, &f, NULL, false, &err)) {
        ok(false, "%s", err.text);
        return;
    }
    struct pof_head head = pof_log_head(log);
    int wrong = 0, loose = 0;
    for (uint64_t i = 0; i < TOTAL; i++) {
        struct pof_proof p;
        bool consistent;
        struct pof_head old = {.size = i};
        root_of(i, &old.root);
        wrong += pof_log_prove(log, i, &p, &err) != 0 ||
                 !pof_merkle_check_inclusion(hasher, i, TOTAL, &leaf[i], &p, &head.root);
        loose += pof_log_consistency(log, &old, &p, &consistent, &err) != 0 || !consistent ||
                 (i && !pof_merkle_check_consistency(hasher, &old, &head, &p));
        old.root.b[0] ^= 1;
        loose += pof_log_consistency(log, &old, &p, &consistent, &err) != 0 || consistent;
    }
    is_int(wrong, 0, "every record is proved");
    is_int(loose, 0, "every older head is shown to be its beginning, and no other root");
    struct pof_proof p;
    is_int(pof_log_prove(log, TOTAL, &p, &err), POF_E_RANGE, "there is no record 700");
    struct pof_hash h;
    is_int(pof_log_add(log, pof_text("x"), &h, &err), POF_E_INTERNAL, "a reader does not append");
    pof_log_close(log);
    release(&m);
}

/* One death at a step, one kind of loss; false when the scenario ended before that step. */
static bool die_once(long step, enum loss loss, int *bad)
{
    enum { N = 300, BATCH = 23 };
    struct memory m = {0};
    struct pof_err err = {0};
    struct pof_log *log = NULL;
    uint64_t acknowledged = 0;
    struct pof_folder f = folder(&m);
    if (!make(&m, 250, 50)) {
        (*bad)++;
    }
    m.die_at = m.step + step;
    acknowledged = 250;
    int rc = pof_log_open(&log, &f, &signer, false, &err);
    rc = rc ? rc : append(log, N, BATCH, &acknowledged, &err);
    pof_log_close(log);
    bool died = m.dead;
    restart(&m, loss);
    log = NULL;
    err = (struct pof_err){0};
    rc = pof_log_open(&log, &f, &signer, false, &err);
    if (rc || pof_log_size(log) < acknowledged || pof_log_size(log) > acknowledged + BATCH) {
        printf("# step %ld loss %d: %s\n", step, (int)loss, rc ? err.text : "wrong size");
        (*bad)++;
    } else {
        rc = append(log, N, BATCH, &acknowledged, &err);
        pof_log_close(log);
        log = NULL;
        if (rc || !head_is(&m, N) || findings(&m) != 0) {
            printf("# step %ld loss %d: %s\n", step, (int)loss, rc ? err.text : "not what it was");
            (*bad)++;
        }
    }
    pof_log_close(log);
    release(&m);
    return died;
}

static void die_everywhere(void)
{
    static const char *const name[LOSSES] = {"the process is killed", "nothing unsynced survives",
                                             "half of it survives", "it survives as zeros"};
    for (int loss = 0; loss < LOSSES; loss++) {
        int bad = 0;
        long step = 1;
        while (die_once(step, (enum loss)loss, &bad)) {
            step++;
        }
        ok(bad == 0 && step > 15, "%ld steps, %s: nothing lost, nothing twice", step - 1,
           name[loss]);
    }
}

static void sync_fails(void)
{
    struct memory m = {0};
    struct pof_err err = {0};
    struct pof_log *log;
    struct pof_folder f = folder(&m);
    uint64_t acknowledged = 0;
    struct pof_hash h;
    if (!make(&m, 100, 10) || pof_log_open(&log, &f, &signer, false, &err)) {
        ok(false, "made");
        return;
    }
    m.eio_at = m.syncs + 1;
    ok(append(log, 120, 10, &acknowledged, &err) == POF_E_WRITE && acknowledged == 0,
       "a failed sync acknowledges nothing");
    long syncs = m.syncs;
    ok(pof_log_commit(log, &err) == POF_E_WRITE && pof_log_sign(log, false, &err) == POF_E_WRITE &&
           pof_log_add(log, pof_text("x"), &h, &err) == POF_E_WRITE && m.syncs == syncs,
       "nor is it tried again");
    pof_log_close(log);
    log = NULL;
    restart(&m, POWER_NONE);
    ok(pof_log_open(&log, &f, &signer, false, &err) == 0 && pof_log_size(log) == 100,
       "the log is as before");
    pof_log_close(log);
    release(&m);
}

/* The journal cut at every byte of its last, unsigned batch; then inside what was signed. */
static void truncated(void)
{
    struct memory m = {0};
    struct pof_err err = {0};
    struct pof_log *log;
    struct pof_folder f = folder(&m);
    if (!make(&m, 60, 20) || pof_log_open(&log, &f, &signer, false, &err)) {
        ok(false, "made");
        return;
    }
    struct file *j = find(&m, "journal", false);
    size_t before = j->now.len;
    struct pof_hash h;
    for (uint64_t i = 60; i < 70; i++) {
        char text[64];
        size_t n = record(i, text);
        if (pof_log_add(log, (struct pof_text){text, n}, &h, &err)) {
            ok(false, "added");
        }
    }
    ok(pof_log_commit(log, &err) == 0, "ten records are durable and not signed");
    pof_log_close(log);
    struct pof_buf whole = {0};
    ok(pof_buf_add(&whole, j->now.data, j->now.len, &err) == 0, "kept");
    int wrong = 0;
    for (size_t n = before; n <= whole.len; n++) {
        memcpy(j->now.data, whole.data, whole.len);
        j->now.len = n;
        bool good = pof_log_open(&log, &f, &signer, false, &err) == 0 &&
                    pof_log_size(log) == (n == whole.len ? 70 : 60) &&
                    j->now.len == (n == whole.len ? n : before);
        wrong += !good;
        pof_log_close(good ? log : NULL);
    }
    is_int(wrong, 0, "a torn batch is dropped wherever it ends, a whole one is kept");
    for (size_t n = before - 1; n + 200 > before; n--) {
        memcpy(j->now.data, whole.data, whole.len);
        j->now.len = n;
        wrong += pof_log_open(&log, &f, &signer, false, &err) != POF_E_CONFLICT;
    }
    is_int(wrong, 0, "a journal that lost what was signed is refused");
    memcpy(j->now.data, whole.data, whole.len);
    j->now.len = whole.len;
    j->now.data[before + 60] ^= 1;
    ok(pof_buf_add(&j->now, whole.data + before, whole.len - before, &err) == 0, "two batches");
    is_int(pof_log_open(&log, &f, &signer, false, &err), POF_E_CONFLICT,
           "damage before a whole batch is not taken for a torn one");
    pof_buf_release(&whole);
    release(&m);
}

/* Lost and damaged tiles are made anew; files of different times are refused. */
static void repair(void)
{
    struct memory m = {0};
    struct pof_err err = {0};
    struct pof_log *log;
    struct pof_folder f = folder(&m);
    ok(make(&m, 600, 100), "made");
    find(&m, "tiles.0", false)->now.len -= 40;
    ok(findings(&m) > 0, "short tiles are found");
    find(&m, "tiles.1", false)->now.len = 0;
    ok(pof_log_open(&log, &f, &signer, false, &err) == 0, "and rebuilt when opened to write");
    pof_log_close(log);
    is_int(findings(&m), 0, "completely");
    find(&m, "tiles.0", false)->now.data[32 * 100] ^= 1;
    ok(pof_log_open(&log, &f, &signer, false, &err) == 0 && findings(&m) == 2,
       "a flipped hash in the middle: two findings, its level and the one above");
    struct pof_proof p;
    is_int(pof_log_prove(log, 101, &p, &err), POF_E_CONFLICT, "no false proof is given");
    pof_log_close(log);
    ok(pof_log_open(&log, &f, &signer, true, &err) == 0 && findings(&m) == 0,
       "opened with `again` it is repaired");
    pof_log_close(log);
    struct pof_signer other;
    uint8_t seed[32] = {9};
    ok(pof_signer_make(&other, pof_text("test"), seed, &err) == 0 &&
           pof_log_open(&log, &f, &other, false, &err) == POF_E_CONFIG,
       "another key does not open it to write");
    struct file *c = find(&m, "checkpoint", false);
    c->now.data[10] ^= 1;
    is_int(pof_log_open(&log, &f, &signer, false, &err), POF_E_CONFLICT, "nor a forged checkpoint");
    c->now.data[10] ^= 1;
    struct file *s = find(&m, "signed", false);
    struct pof_buf old = {0};
    ok(pof_buf_add(&old, s->now.data, s->now.len, &err) == 0, "kept");
    uint64_t acknowledged;
    if (pof_log_open(&log, &f, &signer, false, &err) == 0) {
        ok(append(log, 610, 10, &acknowledged, &err) == 0, "grown");
        pof_log_close(log);
    }
    s->now.len = 0;
    ok(put(&s->now, 0, old.data, old.len, &err) == 0, "an old copy of `signed` put back");
    is_int(pof_log_open(&log, &f, &signer, false, &err), POF_E_CONFLICT, "is noticed");
    pof_buf_release(&old);
    release(&m);
}

/* Every file, a byte at a time: found, and the log is good again when the byte is back. */
static void tamper(void)
{
    static const struct {
        const char *file;
        size_t step;
    } where[] = {{"journal", 47}, {"tiles.0", 131}, {"tiles.1", 1}, {"checkpoint", 7}};
    static const uint64_t size[] = {256, 257, 512, 513, 600};
    for (size_t s = 0; s < sizeof size / sizeof *size; s++) {
        struct memory m = {0};
        int missed = 0, tried = 0;
        ok(make(&m, size[s], 90) && findings(&m) == 0, "%d records", (int)size[s]);
        for (size_t w = 0; w < sizeof where / sizeof *where; w++) {
            struct file *f = find(&m, where[w].file, false);
            for (size_t i = 0; f && i < f->now.len; i += where[w].step) {
                f->now.data[i] = (char)(f->now.data[i] ^ 0x10);
                int n = findings(&m);
                missed += n == 0 || n == -2;
                f->now.data[i] = (char)(f->now.data[i] ^ 0x10);
                tried++;
            }
        }
        ok(missed == 0 && tried > 100, "%d flipped bytes are found", tried);
        release(&m);
    }
}

/* Two batches of the same length exchanged; a batch that stands twice; one cut out. */
static void shuffled_batches(void)
{
    struct memory m = {0};
    struct pof_err err = {0};
    struct pof_folder f = folder(&m);
    struct pof_log *log;
    struct pof_hash h;
    ok(pof_log_create(&f, &signer, &err) == 0 && pof_log_open(&log, &f, &signer, false, &err) == 0,
       "made");
    for (int i = 0; i < 40; i++) {
        char text[16];
        snprintf(text, sizeof text, "r%03d", i);
        bool end = i % 10 == 9;
        if (pof_log_add(log, pof_text(text), &h, &err) || (end && pof_log_commit(log, &err))) {
            ok(false, "%s", err.text);
        }
    }
    ok(pof_log_sign(log, true, &err) == 0 && findings(&m) == 0, "four batches of ten");
    pof_log_close(log);
    struct pof_buf *j = &find(&m, "journal", false)->now;
    size_t frame = 56 + 10 * 6;
    char *two = j->data + 16 + frame;
    char keep[256];
    memcpy(keep, two, 2 * frame);
    memcpy(two, keep + frame, frame);
    memcpy(two + frame, keep, frame);
    ok(findings(&m) > 0, "two batches exchanged are found");
    is_int(pof_log_open(&log, &f, &signer, true, &err), POF_E_CONFLICT, "and not rebuilt from");
    memcpy(two, keep, frame);
    memcpy(two + frame, keep, frame);
    ok(findings(&m) > 0, "a batch that stands twice is found");
    memmove(two, two + 2 * frame, frame);
    j->len -= 2 * frame;
    ok(findings(&m) > 0, "batches cut out are found");
    release(&m);
}

/* A bit that falls over between writing and signing (as in the log Yeti 2022): with reread it is
 * noticed, nothing is signed, and the log cannot be used until it is opened again. */
static void flipped_before_signing(void)
{
    struct memory m = {0};
    struct pof_err err = {0};
    struct pof_folder f = folder(&m);
    struct pof_log *log;
    struct pof_hash h;
    ok(make(&m, 50, 10) && pof_log_open(&log, &f, &signer, false, &err) == 0, "made");
    ok(pof_log_add(log, pof_text("{\"n\":50}"), &h, &err) == 0 && pof_log_commit(log, &err) == 0,
       "a record is durable");
    struct pof_buf *j = &find(&m, "journal", false)->now;
    j->data[j->len - 3] ^= 4;
    is_int(pof_log_sign(log, true, &err), POF_E_CONFLICT, "a flipped bit is not signed");
    is_int(pof_log_sign(log, true, &err), POF_E_WRITE, "nor tried again");
    pof_log_close(log);
    ok(head_is(&m, 50), "the published head is the one before");
    release(&m);
}

/* --- the reference log of the shared vectors --- */

/* Parses "size:tile/L/..." of C2SP's paths: the tile's place and width. */
static bool tile_path(const char *path, uint64_t *size, unsigned *level, uint64_t *n, size_t *width)
{
    unsigned group;
    int used = 0;
    *n = 0;
    *width = 256;
    if (sscanf(path, "%" SCNu64 ":tile/%u%n", size, level, &used) != 2) {
        return false;
    }
    for (path += used; sscanf(path, "/x%3u%n", &group, &used) == 1; path += used) {
        *n = *n * 1000 + group;
    }
    if (sscanf(path, "/%3u%n", &group, &used) != 1) {
        return false;
    }
    *n = *n * 1000 + group;
    sscanf(path + used, ".p/%zu", width);
    return true;
}

static bool make_reference(struct memory *m, uint64_t size, const struct pof_signer *key)
{
    struct pof_folder f = folder(m);
    struct pof_log *log;
    struct pof_err err = {0};
    int rc = pof_log_create(&f, key, &err);
    if (rc || pof_log_open(&log, &f, key, false, &err)) {
        return false;
    }
    for (uint64_t i = 0; i < size && rc == 0; i++) {
        char text[129];
        struct pof_hash h;
        snprintf(text, sizeof text, "%016" PRIu64 "x", i);
        for (int j = 17; j < 128; j++) {
            text[j] = (char)('a' + j % 26);
        }
        rc = pof_log_add(log, (struct pof_text){text, 128}, &h, &err);
        rc = rc || i % 1000 ? rc : pof_log_commit(log, &err);
    }
    rc = rc ? rc : pof_log_commit(log, &err);
    rc = rc ? rc : pof_log_sign(log, false, &err);
    pof_log_close(log);
    return rc == 0;
}

/* Tiles and checkpoint of the log of 257 or 70000 records, byte for byte. */
static void reference(uint64_t size)
{
    char path[512];
    char line[256];
    struct memory m = {0};
    struct pof_signer key;
    struct pof_err err = {0};
    uint8_t seed[32];
    memset(seed, 1, sizeof seed);
    if (!tap_data()) {
        skip("the reference log", "no shared data");
        return;
    }
    snprintf(path, sizeof path, "%s/certify/own/tlog/tile_digests.tsv", tap_data());
    FILE *f = fopen(path, "r");
    if (!f) {
        skip("the reference log", "not in the shared data");
        return;
    }
    ok(pof_signer_make(&key, pof_text("pof.example/scd"), seed, &err) == 0 &&
           make_reference(&m, size, &key),
       "the reference log of %d records", (int)size);
    int tiles = 0, wrong = 0;
    while (fgets(line, sizeof line, f)) {
        char where[64], want[65], got[65];
        uint64_t of, n;
        unsigned level;
        size_t width;
        if (sscanf(line, "%63s %*u %64s", where, want) != 2 ||
            !tile_path(where, &of, &level, &n, &width) || of != size) {
            continue; /* entry bundles belong to the static export */
        }
        char name[] = "tiles.0";
        name[6] = (char)('0' + level);
        struct file *t = find(&m, name, false);
        struct pof_hash h = {{0}};
        if (t && (n * 256 + width) * POF_HASH <= t->now.len) {
            pof_hash_two(hasher, (struct pof_text){t->now.data + n * 8192, width * POF_HASH},
                         (struct pof_text){"", 0}, &h);
        }
        for (int i = 0; i < POF_HASH; i++) {
            snprintf(got + 2 * i, 3, "%02x", h.b[i]);
        }
        wrong += strcmp(got, want) != 0;
        tiles++;
    }
    fclose(f);
    ok(wrong == 0 && tiles >= 3, "%d tiles have the digests of Go's", tiles);
    snprintf(path, sizeof path, "%s/certify/own/tlog/checkpoints/%d.checkpoint", tap_data(),
             (int)size);
    f = fopen(path, "r");
    size_t n = f ? fread(line, 1, sizeof line, f) : 0;
    struct pof_buf *c = &find(&m, "checkpoint", false)->now;
    ok(n == c->len && memcmp(line, c->data, n) == 0, "and the checkpoint the same bytes");
    if (f) {
        fclose(f);
    }
    is_int(findings(&m), 0, "the audit finds nothing");
    release(&m);
}

/* Every tree level of a log of three levels of tiles, a few bytes each. */
static void tamper_high(void)
{
    static const struct {
        const char *file;
        size_t at;
    } where[] = {{"tiles.0", 5},       {"tiles.0", 32 * 65536 + 9}, {"tiles.1", 32 * 255 + 1},
                 {"tiles.1", 32 * 3},  {"tiles.1", 32 * 256},       {"tiles.2", 0},
                 {"tiles.2", 31},      {"journal", 16 + 60},        {"journal", 16 + 20},
                 {"journal", 4000000}, {"journal", 8900000}};
    struct memory m = {0};
    uint8_t seed[32] = {1};
    struct pof_signer key;
    struct pof_err err = {0};
    ok(pof_signer_make(&key, pof_text("test"), seed, &err) == 0 && make_reference(&m, 70000, &key),
       "70000 records");
    int missed = 0;
    for (size_t i = 0; i < sizeof where / sizeof *where; i++) {
        struct pof_buf *b = &find(&m, where[i].file, false)->now;
        b->data[where[i].at] ^= 1;
        int n = findings(&m);
        if (n <= 0) {
            printf("# %s, byte %zu: %d\n", where[i].file, where[i].at, n);
            missed++;
        }
        b->data[where[i].at] ^= 1;
    }
    is_int(missed, 0, "a flipped bit is found in every level and in the journal");
    release(&m);
}

int main(void)
{
    struct pof_err err = {0};
    uint8_t seed[32] = {1};
    if (pof_hasher_new(&hasher, &err) || pof_signer_make(&signer, pof_text("test"), seed, &err)) {
        ok(false, "%s", err.text);
        return done();
    }
    for (uint64_t i = 0; i < TOTAL; i++) {
        char text[64];
        size_t n = record(i, text);
        pof_merkle_leaf(hasher, text, n, &leaf[i]);
    }
    grow_and_prove();
    die_everywhere();
    sync_fails();
    truncated();
    repair();
    tamper();
    shuffled_batches();
    flipped_before_signing();
    reference(257);
    reference(70000);
    tamper_high();
    pof_hasher_free(hasher);
    return done();
}
