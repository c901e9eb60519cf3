/* SPDX-License-Identifier: Apache-2.0 */
/* Commitments: what they hide, what erasing leaves, and openings under loss at every step. */
#include "folder.h"

#include "trust/certify.h"

static struct pof_signer signer;
static struct pof_hasher *hasher;

static size_t record(uint64_t i, char to[128])
{
    return (size_t)snprintf(to, 128, "{\"p_w\":%d,\"pod\":\"IT%d\",\"schema\":\"pof.%s/1\"}",
                            (int)(i * 7), (int)i, i % 3 ? "measurement" : "event");
}

static int nothing(void *ctx, const struct pof_certified *records, size_t n, struct pof_text lines,
                   struct pof_err *err)
{
    (void)lines;
    (void)err;
    *(uint64_t *)ctx = n ? records[n - 1].index + 1 : *(uint64_t *)ctx;
    return 0;
}

/* Certifies records up to n; measurements are committed to. *durable follows what is handed on. */
static int certify(struct memory *m, uint64_t n, uint64_t *durable, struct pof_err *err)
{
    static const char *const commit[] = {"measurement"};
    struct pof_folder f = folder(m);
    struct pof_log *log = NULL;
    struct pof_openings *o = NULL;
    int rc = pof_log_open(&log, &f, &signer, false, err);
    rc = rc ? rc : pof_openings_open(&o, &f, err);
    rc = rc ? rc : pof_openings_recover(o, pof_log_size(log), err);
    struct pof_certifier c = {.log = log,
                              .batch = 7,
                              .on_durable = nothing,
                              .ctx = durable,
                              .openings = o,
                              .commit = commit,
                              .n_commit = 1};
    for (uint64_t i = 0; rc == 0 && i < n; i++) {
        char text[128];
        size_t len = record(i, text);
        rc = pof_certifier_take(&c, (struct pof_text){text, len}, err);
    }
    rc = rc ? rc : pof_certifier_flush(&c, err);
    rc = rc ? rc : pof_log_sign(log, false, err);
    pof_certifier_release(&c);
    pof_openings_close(o);
    pof_log_close(log);
    return rc;
}

/* Records up to n whose entry in the log is not what it is to be. */
static int wrong(struct memory *m, uint64_t n)
{
    struct pof_folder f = folder(m);
    struct pof_log *log;
    struct pof_openings *o = NULL;
    struct pof_err err = {0};
    int bad = 0;
    if (pof_log_open(&log, &f, NULL, false, &err)) {
        return -1;
    }
    if (pof_openings_open(&o, &f, &err) || pof_log_size(log) < n) {
        bad = -1;
    }
    for (uint64_t i = 0; i < n && bad >= 0; i++) {
        char text[128];
        struct pof_opening opening;
        struct pof_hash want, there;
        struct pof_text plain = {text, record(i, text)};
        int rc = pof_openings_find(o, i, &opening, &err);
        bool is_open = opening.status == POF_OPENING_OPEN;
        if (rc == 0 && is_open) {
            rc = pof_commitment_leaf(hasher, opening.salt, plain, &want, &err);
        } else {
            pof_merkle_leaf(hasher, plain.ptr, plain.len, &want);
        }
        rc = rc ? rc : pof_log_leaves(log, i, 1, &there, &err);
        bad += rc || !pof_hash_eq(&want, &there) || is_open != (i % 3 != 0) ||
               (is_open && !pof_text_eq(opening.record, plain));
    }
    pof_openings_close(o);
    pof_log_close(log);
    return bad;
}

static void make(struct memory *m, uint64_t n)
{
    struct pof_folder f = folder(m);
    struct pof_err err = {0};
    uint64_t durable = 0;
    ok(pof_log_create(&f, &signer, &err) == 0 && certify(m, n, &durable, &err) == 0 && durable == n,
       "%d records", (int)n);
}

static bool holds(const struct memory *m, const char *text)
{
    for (int i = 0; i < FILES; i++) {
        const struct pof_buf *b = &m->file[i].now;
        if (b->len && memmem(b->data, b->len, text, strlen(text))) {
            return true;
        }
    }
    return false;
}

static void commit_and_erase(void)
{
    struct memory m = {0};
    struct pof_err err = {0};
    struct pof_openings *o;
    struct pof_opening opening;
    enum pof_opening_status was;
    uint64_t durable = 0;
    make(&m, 50);
    is_int(wrong(&m, 50), 0, "measurements are committed to, events stand as they are");
    const struct pof_buf *j = &find(&m, "journal", false)->now;
    ok(!memmem(j->data, j->len, "measurement", 11), "no measurement is in the journal");
    ok(certify(&m, 60, &durable, &err) == 0 && durable == 60 && wrong(&m, 60) == 0,
       "the same records again from the beginning: known by their openings; ten more are added");
    struct pof_folder f = folder(&m);
    ok(pof_openings_open(&o, &f, &err) == 0 && holds(&m, "\"IT7\""), "record 7 is kept");
    ok(pof_openings_erase(o, 7, &was, &err) == 0 && was == POF_OPENING_OPEN, "erased");
    ok(!holds(&m, "\"IT7\"") && holds(&m, "\"IT8\""), "no file holds it any more");
    ok(pof_openings_find(o, 7, &opening, &err) == 0 && opening.status == POF_OPENING_ERASED,
       "which is known");
    ok(pof_openings_erase(o, 7, &was, &err) == 0 && was == POF_OPENING_ERASED, "erased once");
    ok(pof_openings_erase(o, 6, &was, &err) == 0 && was == POF_OPENING_NONE, "an event is none");
    ok(pof_openings_erase(o, 600, &was, &err) == 0 && was == POF_OPENING_NONE, "nor is 600");
    pof_openings_close(o);
    is_int(certify(&m, 60, &durable, &err), POF_E_ANSWER_NO,
           "whether an erased record is this one, nobody can say");
    find(&m, "openings.index", false)->now.len = 0;
    ok(certify(&m, 0, &durable, &err) == 0 && pof_openings_open(&o, &f, &err) == 0 &&
           pof_openings_count(o) == 40,
       "the index is made anew");
    pof_openings_close(o);
    release(&m);
}

/* One death at a step; what was handed on is there and can be opened. */
static bool die_once(long step, enum loss loss, int *bad)
{
    struct memory m = {0};
    struct pof_err err = {0};
    struct pof_folder f = folder(&m);
    uint64_t durable = 0, end = 0;
    if (pof_log_create(&f, &signer, &err)) {
        (*bad)++;
    }
    m.die_at = m.step + step;
    int rc = certify(&m, 40, &durable, &err);
    bool died = m.dead;
    *bad += (rc != 0) != died;
    restart(&m, loss);
    err = (struct pof_err){0};
    if (certify(&m, 40, &end, &err) || end != 40 || durable > 40 || wrong(&m, 40) != 0) {
        printf("# step %ld loss %d: %s\n", step, (int)loss, err.text);
        (*bad)++;
    }
    release(&m);
    return died;
}

static void die_everywhere(void)
{
    for (int loss = 0; loss < LOSSES; loss++) {
        int bad = 0;
        long step = 1;
        while (die_once(step, (enum loss)loss, &bad)) {
            step++;
        }
        ok(bad == 0 && step > 15, "dead at each of %ld steps, loss %d: every commitment opens",
           step - 1, loss);
    }
}

static void schemas(void)
{
    static const struct {
        const char *text, *want;
    } table[] = {{"{\"schema\":\"pof.a/1\"}", "pof.a/1"},
                 {"{\"a\":{\"schema\":\"x\"},\"schema\":\"y\"}", "y"},
                 {"{\"a\":\"\\\"schema\\\":\\\"x\\\"\"}", ""},
                 {"{\"a\":[\"schema\"],\"schema\":3}", ""},
                 {"{\"a\\\\\":\"{\",\"schema\":\"z\"}", "z"},
                 {"{}", ""}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct pof_text s = pof_record_schema(pof_text(table[i].text));
        is_text(s.ptr, s.len, table[i].want, table[i].text);
    }
}

int main(void)
{
    struct pof_err err = {0};
    uint8_t seed[32] = {1};
    if (pof_hasher_new(&hasher, &err) || pof_signer_make(&signer, pof_text("test"), seed, &err)) {
        ok(false, "%s", err.text);
        return done();
    }
    schemas();
    commit_and_erase();
    die_everywhere();
    pof_hasher_free(hasher);
    return done();
}
