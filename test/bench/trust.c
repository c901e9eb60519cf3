/* SPDX-License-Identifier: Apache-2.0 */
/* Speed of the certification log, one line a result. CPU time is of the process, user and system.
 * Works in a new directory of the current one, which it removes. */
#include "io/directory.h"
#include "trust/certify.h"
#include "trust/checkpoint.h"

#include <openssl/evp.h>
#include <sqlite3.h>

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static double cpu(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static double wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(int rc, const struct pof_err *err)
{
    if (rc) {
        fprintf(stderr, "bench: %s\n", err->text);
        exit(1);
    }
}

/* A log in a directory of its own. */
struct bench {
    struct pof_directory *dir;
    struct pof_folder folder;
    struct pof_log *log;
    struct pof_signer key;
};

static void open_log(struct bench *b, const char *name, bool write)
{
    struct pof_err err = {0};
    must(pof_directory_open(&b->dir, name, write ? "journal" : NULL, &err), &err);
    b->folder = pof_directory_folder(b->dir);
    must(pof_log_open(&b->log, &b->folder, write ? &b->key : NULL, false, &err), &err);
}

static void make_log(struct bench *b, const char *name)
{
    struct pof_err err = {0};
    uint8_t seed[POF_ED25519_KEY] = {3};
    must(pof_signer_make(&b->key, pof_text("pof.example/bench"), seed, &err), &err);
    must(pof_directory_make(&b->dir, name, &err), &err);
    b->folder = pof_directory_folder(b->dir);
    must(pof_log_create(&b->folder, &b->key, &err), &err);
    must(pof_directory_publish(b->dir, &err), &err);
    pof_directory_close(b->dir);
    open_log(b, name, true);
}

static void close_log(struct bench *b)
{
    pof_log_close(b->log);
    pof_directory_close(b->dir);
}

/* Records a CPU second, appended raw. */
static double raw(const char *name, size_t records, size_t batch, size_t bytes)
{
    struct bench b;
    struct pof_err err = {0};
    char entry[512];
    memset(entry, 'e', sizeof entry);
    make_log(&b, name);
    double c = cpu();
    double w = wall();
    for (size_t i = 0; i < records; i++) {
        struct pof_hash leaf;
        memcpy(entry, &i, sizeof i);
        must(pof_log_add(b.log, (struct pof_text){entry, bytes}, &leaf, &err), &err);
        if ((i + 1) % batch == 0) {
            must(pof_log_commit(b.log, &err), &err);
            if (pof_log_unsigned(b.log) >= POF_SIGN_EVERY) {
                must(pof_log_sign(b.log, false, &err), &err);
            }
        }
    }
    must(pof_log_commit(b.log, &err), &err);
    must(pof_log_sign(b.log, false, &err), &err);
    double rate = (double)records / (cpu() - c);
    printf("bench append batch=%zu from=raw per_cpu_s=%.0f bytes=%zu per_s=%.0f\n", batch, rate,
           bytes, (double)records / (wall() - w));
    close_log(&b);
    return rate;
}

/* --- a hash chain in SQLite, the usual alternative --- */

static void sql(int rc, sqlite3 *db)
{
    if (rc != SQLITE_OK && rc != SQLITE_DONE) {
        fprintf(stderr, "bench: %s\n", sqlite3_errmsg(db));
        exit(1);
    }
}

/* The same records in a table with SHA-256(previous hash || record), write-ahead log, synchronous
 * FULL, one transaction a batch: records a CPU second. It has no proofs. */
static double chain(const char *name, size_t records, size_t batch, size_t bytes)
{
    sqlite3 *db;
    sqlite3_stmt *insert;
    struct pof_hasher *h;
    struct pof_hash last = {{0}};
    struct pof_err err = {0};
    char entry[512];
    memset(entry, 'e', sizeof entry);
    must(pof_hasher_new(&h, &err), &err);
    sql(sqlite3_open(name, &db), db);
    sql(sqlite3_exec(db,
                     "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                     "CREATE TABLE chain (seq INTEGER PRIMARY KEY, record BLOB, hash BLOB)",
                     NULL, NULL, NULL),
        db);
    sql(sqlite3_prepare_v2(db, "INSERT INTO chain VALUES (?, ?, ?)", -1, &insert, NULL), db);
    double c = cpu();
    for (size_t i = 0; i < records; i++) {
        if (i % batch == 0) {
            sql(sqlite3_exec(db, "BEGIN", NULL, NULL, NULL), db);
        }
        memcpy(entry, &i, sizeof i);
        pof_hash_two(h, (struct pof_text){(const char *)last.b, POF_HASH},
                     (struct pof_text){entry, bytes}, &last);
        sql(sqlite3_bind_int64(insert, 1, (sqlite3_int64)i), db);
        sql(sqlite3_bind_blob(insert, 2, entry, (int)bytes, SQLITE_STATIC), db);
        sql(sqlite3_bind_blob(insert, 3, last.b, POF_HASH, SQLITE_STATIC), db);
        sql(sqlite3_step(insert), db);
        sql(sqlite3_reset(insert), db);
        if ((i + 1) % batch == 0) {
            sql(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), db);
        }
    }
    double rate = (double)records / (cpu() - c);
    printf("bench sqlite_chain batch=%zu per_cpu_s=%.0f\n", batch, rate);
    sqlite3_finalize(insert);
    sqlite3_close(db);
    pof_hasher_free(h);
    return rate;
}

static int drop(void *ctx, const struct pof_certified *records, size_t n, struct pof_text lines,
                struct pof_err *err)
{
    (void)ctx;
    (void)records;
    (void)n;
    (void)lines;
    (void)err;
    return 0;
}

static void json(size_t records, size_t batch)
{
    struct bench b;
    struct pof_err err = {0};
    make_log(&b, "json");
    struct pof_certifier c = {.log = b.log, .batch = batch, .on_durable = drop};
    struct pof_buf all = {0};
    for (size_t i = 0; i < records; i++) {
        must(pof_buf_addf(
                 &all, &err,
                 "{\"schema\":\"pof.measurement/1\",\"pod\":\"IT001E%08zu\",\"start\":\"2026-"
                 "03-10T00:00:00Z\",\"duration_s\":900,\"p_w\":%zu,\"q_var\":%zu,\"v_mv\":%zu,"
                 "\"seq\":%zu}\n",
                 i % 1500, i * 7919 % 5000, i % 300, 230000 + i % 1000, i),
             &err);
    }
    double start = cpu();
    for (const char *p = all.data, *end = all.data + all.len; p < end;) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        must(pof_certifier_take(&c, (struct pof_text){p, (size_t)(lf - p)}, &err), &err);
        p = lf + 1;
    }
    must(pof_certifier_flush(&c, &err), &err);
    must(pof_log_sign(b.log, false, &err), &err);
    printf("bench append batch=%zu from=json per_cpu_s=%.0f bytes=%zu\n", batch,
           (double)records / (cpu() - start), all.len / records);
    pof_certifier_release(&c);
    pof_buf_release(&all);
    close_log(&b);
}

static int ignore(void *ctx, const struct pof_finding *f, struct pof_err *err)
{
    (void)ctx;
    (void)f;
    return pof_fail(err, POF_E_INTERNAL, "the audit found something");
}

enum { TRIES = 500, TURNS = 5 }; /* of what takes a tenth of a millisecond; the best turn counts */

/* What who has a record and its proof does, from the text of the proof on: everything is parsed,
 * every signature and the path are checked. */
static bool check_proof(struct pof_hasher *h, struct pof_text text, struct pof_text record,
                        const struct pof_vkey *keys, size_t n)
{
    struct pof_err err = {0};
    struct pof_tlog_proof proof;
    struct pof_note note;
    struct pof_checkpoint checkpoint;
    struct pof_hash leaf;
    must(pof_tlog_proof_parse(&proof, text, &err), &err);
    must(pof_note_open(&note, proof.checkpoint, keys, n, &err), &err);
    must(pof_checkpoint_parse(&checkpoint, note.text, &err), &err);
    pof_merkle_leaf(h, record.ptr, record.len, &leaf);
    bool good = note.status == POF_NOTE_GOOD && strcmp(checkpoint.origin, keys[0].name) == 0 &&
                pof_merkle_check_inclusion(h, proof.index, checkpoint.head.size, &leaf, &proof.path,
                                           &checkpoint.head.root);
    for (size_t i = 0; i < n; i++) {
        good = good && note.signed_by[i];
    }
    return good;
}

/* One signature as it is checked here and by OpenSSL, in turn. */
static void signatures(const struct pof_signer *key, struct pof_text body)
{
    struct pof_err err = {0};
    uint8_t signature[POF_ED25519_SIGNATURE];
    double best[2] = {1e9, 1e9};
    bool good = true;
    must(pof_ed25519_sign(key->seed, body, signature, &err), &err);
    for (int turn = 0; turn < 2 * TURNS; turn++) {
        double c = cpu();
        for (int i = 0; i < TRIES && good; i++) {
            if (turn % 2 == 0) {
                must(pof_ed25519_verify(key->vkey.key, body, signature, &good, &err), &err);
                continue;
            }
            EVP_PKEY *pkey =
                EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->vkey.key, POF_ED25519_KEY);
            EVP_MD_CTX *ctx = EVP_MD_CTX_new();
            good = EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
                   EVP_DigestVerify(ctx, signature, sizeof signature, (const uint8_t *)body.ptr,
                                    body.len) == 1;
            EVP_MD_CTX_free(ctx);
            EVP_PKEY_free(pkey);
        }
        best[turn % 2] = fmin(best[turn % 2], 1e6 * (cpu() - c) / TRIES);
    }
    printf("bench signature verify_us=%.1f openssl_us=%.1f good=%d\n", best[0], best[1], good);
}

/* A proof of entry i, by the log alone and with a cosignature. */
static void check_proofs(struct bench *b, uint64_t i, const struct pof_proof *path)
{
    struct pof_err err = {0};
    struct pof_text checkpoint = pof_log_checkpoint(b->log);
    struct pof_tlog_proof proof = {.index = i, .path = *path};
    struct pof_signer witness;
    struct pof_buf head = {0}, text = {0};
    struct pof_hasher *h;
    uint8_t seed[POF_ED25519_KEY] = {4};
    char record[128];
    memset(record, 'e', sizeof record); /* as raw() wrote it */
    memcpy(record, &i, sizeof i);
    must(pof_hasher_new(&h, &err), &err);
    must(pof_signer_make(&witness, pof_text("witness.example/bench"), seed, &err), &err);
    must(pof_signer_witness(&witness, &err), &err);
    struct pof_vkey keys[2] = {b->key.vkey, witness.vkey};
    must(pof_buf_add(&head, checkpoint.ptr, checkpoint.len, &err), &err);
    for (size_t n = 1; n <= 2; n++) {
        proof.checkpoint = (struct pof_text){head.data, head.len};
        text.len = 0;
        must(pof_tlog_proof_format(&text, &proof, &err), &err);
        bool good = true;
        double best = 1e9;
        for (int turn = 0; turn < TURNS; turn++) {
            double c = cpu();
            for (int k = 0; k < TRIES; k++) {
                good = good && check_proof(h, (struct pof_text){text.data, text.len},
                                           (struct pof_text){record, sizeof record}, keys, n);
            }
            best = fmin(best, 1e6 * (cpu() - c) / TRIES);
        }
        printf("bench verify us=%.1f signatures=%zu bytes=%zu good=%d\n", best, n, text.len, good);
        size_t body = (size_t)(strstr(head.data, "\n\n") + 1 - head.data);
        char note[512];
        memcpy(note, head.data, body);
        must(pof_note_cosign(&head, (struct pof_text){note, body}, &witness, 1767225600, &err),
             &err);
    }
    signatures(&b->key, checkpoint);
    pof_buf_release(&head);
    pof_buf_release(&text);
    pof_hasher_free(h);
}

/* Audit and proofs of the log that raw() left. */
static void read_back(void)
{
    struct bench b;
    struct pof_err err = {0};
    uint8_t seed[POF_ED25519_KEY] = {3};
    must(pof_signer_make(&b.key, pof_text("pof.example/bench"), seed, &err), &err);
    open_log(&b, "raw0", false);
    uint64_t size = pof_log_size(b.log);
    struct pof_auditor auditor = {NULL, ignore, NULL};
    struct pof_audit result;
    double c = cpu();
    must(pof_log_audit(b.log, &auditor, &result, &err), &err);
    printf("bench audit per_cpu_s=%.0f records=%" PRIu64 "\n", (double)size / (cpu() - c), size);
    enum { N = 2000 };
    struct pof_proof proof[1];
    for (uint64_t i = 0; i < N; i++) { /* fills the cache of upper levels */
        must(pof_log_prove(b.log, (i * 7919 + 13) % size, proof, &err), &err);
    }
    c = cpu();
    for (uint64_t i = 0; i < N; i++) {
        must(pof_log_prove(b.log, i * 7919 % size, proof, &err), &err);
    }
    printf("bench prove us=%.1f records=%" PRIu64 " hashes=%zu\n", 1e6 * (cpu() - c) / N, size,
           proof->n);
    check_proofs(&b, (N - 1) * 7919 % size, proof);
    close_log(&b);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* One durable record beside a bare fdatasync of the same bytes, in turn. */
static void single(void)
{
    enum { N = 300 };
    double record[N], probe[N];
    struct bench b;
    struct pof_err err = {0};
    char entry[128] = "entry";
    make_log(&b, "single");
    int fd = open("single/probe", O_WRONLY | O_CREAT | O_EXCL, 0600);
    for (int i = 0; i < N; i++) {
        struct pof_hash leaf;
        double t = wall();
        must(pof_log_add(b.log, (struct pof_text){entry, sizeof entry}, &leaf, &err), &err);
        must(pof_log_commit(b.log, &err), &err);
        record[i] = wall() - t;
        t = wall();
        if (write(fd, entry, sizeof entry) != sizeof entry || fdatasync(fd) != 0) {
            exit(1);
        }
        probe[i] = wall() - t;
    }
    qsort(record, N, sizeof *record, by_value);
    qsort(probe, N, sizeof *probe, by_value);
    printf("bench single ratio_to_fdatasync=%.2f p50_ms=%.3f probe_p50_ms=%.3f\n",
           record[N / 2] / probe[N / 2], 1e3 * record[N / 2], 1e3 * probe[N / 2]);
    close(fd);
    close_log(&b);
}

int main(void)
{
    char dir[] = "bench-trust.XXXXXX";
    if (!mkdtemp(dir) || chdir(dir) != 0) {
        perror("bench");
        return 1;
    }
    double best = 0, sqlite = 0;
    for (int i = 0; i < 3; i++) { /* in turn; the best of each */
        const char *const name[] = {"raw0", "raw1", "raw2"}, *const table[] = {"db0", "db1", "db2"};
        double rate = raw(name[i], 1000000, 10000, 128);
        best = rate > best ? rate : best;
        rate = chain(table[i], 300000, 10000, 128);
        sqlite = rate > sqlite ? rate : sqlite;
    }
    printf("bench ratio append_to_sqlite_chain=%.2f\n", best / sqlite);
    read_back();
    json(400000, 10000);
    single();
    if (chdir("..") != 0) {
        return 1;
    }
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command) != 0;
}
