/* SPDX-License-Identifier: Apache-2.0 */
/* A witness: its answers, the exchanges of another one, and what it remembers when it is killed or
 * loses power at every step. */
#include "folder.h"
#include "vectors.h"

#include "trust/log.h"
#include "trust/witness.h"

static struct pof_signer log_key, me;
static struct pof_policy logs;
static char logs_text[512];

/* --- logs to be witnessed --- */

/* A log of `size` records, other ones from `fork` on. */
static void make_log(struct memory *m, uint64_t size, uint64_t fork)
{
    struct pof_folder f = folder(m);
    struct pof_log *log;
    struct pof_err err = {0};
    int rc = pof_log_create(&f, &log_key, &err);
    rc = rc ? rc : pof_log_open(&log, &f, &log_key, false, &err);
    for (uint64_t i = 0; i < size && rc == 0; i++) {
        char text[32];
        struct pof_hash h;
        snprintf(text, sizeof text, "%s%d", i < fork ? "record " : "other ", (int)i);
        rc = pof_log_add(log, pof_text(text), &h, &err);
    }
    rc = rc ? rc : pof_log_commit(log, &err);
    rc = rc ? rc : pof_log_sign(log, false, &err);
    pof_log_close(rc ? NULL : log);
    if (rc) {
        ok(false, "%s", err.text);
    }
}

/* The request of a log from an old size on. */
static void request(struct memory *m, uint64_t old, struct pof_buf *to)
{
    struct pof_folder f = folder(m);
    struct pof_log *log = NULL;
    struct pof_err err = {0};
    struct pof_head head;
    struct pof_witness_request r = {.old = old};
    bool same;
    to->len = 0;
    int rc = pof_log_open(&log, &f, NULL, false, &err);
    rc = rc ? rc : pof_log_head_at(log, old, &head, &err);
    rc = rc ? rc : pof_log_consistency(log, &head, &r.proof, &same, &err);
    if (rc == 0) {
        r.checkpoint = pof_log_checkpoint(log);
        rc = pof_witness_request_format(to, &r, &err);
    }
    pof_log_close(log);
    if (rc) {
        ok(false, "%s", err.text);
    }
}

/* --- asking --- */

static struct pof_witness *open_witness(struct memory *m, int *rc)
{
    struct pof_folder f = folder(m);
    struct pof_witness *w = NULL;
    struct pof_err err = {0};
    *rc = pof_witness_open(&w, &f, &me, &logs, &err);
    return w;
}

/* Asks a witness that is opened for it: the status, or a negative error. */
static int ask(struct memory *m, const struct pof_buf *text, struct pof_witness_answer *a)
{
    struct pof_err err = {0};
    int rc;
    struct pof_witness *w = open_witness(m, &rc);
    rc =
        rc ? rc : pof_witness_add(w, (struct pof_text){text->data, text->len}, 1800000000, a, &err);
    pof_witness_close(w);
    return rc ? rc : a->status;
}

static bool body_is(const struct pof_witness_answer *a, const char *first_line)
{
    size_t n = strlen(first_line);
    return a->body.len > n && memcmp(a->body.data, first_line, n) == 0 && a->body.data[n] == '\n';
}

/* Is the body a good cosignature of the checkpoint in the request? */
static bool cosigned(const struct pof_buf *text, const struct pof_witness_answer *a)
{
    struct pof_err err = {0};
    struct pof_witness_request r;
    struct pof_note note;
    struct pof_buf all = {0};
    int rc = pof_witness_request_parse(&r, (struct pof_text){text->data, text->len}, &err);
    rc = rc ? rc : pof_buf_add(&all, r.checkpoint.ptr, r.checkpoint.len, &err);
    rc = rc ? rc : pof_buf_add(&all, a->body.data, a->body.len, &err);
    rc = rc ? rc : pof_note_open(&note, (struct pof_text){all.data, all.len}, &me.vkey, 1, &err);
    pof_buf_release(&all);
    return rc == 0 && note.status == POF_NOTE_GOOD && note.witness_time == 1800000000;
}

static void make_witness(struct memory *m)
{
    struct pof_folder f = folder(m);
    struct pof_err err = {0};
    if (pof_witness_create(&f, &me, &err)) {
        ok(false, "%s", err.text);
    }
}

/* --- tests --- */

static void protocol(void)
{
    struct memory w = {0}, five = {0}, nine = {0}, fork = {0}, fork5 = {0};
    struct pof_witness_answer a = {0};
    struct pof_buf r = {0};
    struct pof_err err = {0};
    make_witness(&w);
    make_log(&five, 5, 99);
    make_log(&nine, 9, 99);
    make_log(&fork, 9, 3);
    make_log(&fork5, 5, 3);
    request(&nine, 5, &r);
    ok(ask(&w, &r, &a) == 409 && body_is(&a, "0") && strcmp(a.type, "text/x.tlog.size") == 0,
       "a first request must come from size 0");
    request(&five, 0, &r);
    ok(ask(&w, &r, &a) == 200 && cosigned(&r, &a), "the first checkpoint is cosigned");
    ok(ask(&w, &r, &a) == 409 && body_is(&a, "5"), "again from 0: the size is told");
    request(&five, 5, &r);
    ok(ask(&w, &r, &a) == 200 && cosigned(&r, &a), "the same checkpoint again");
    request(&fork5, 5, &r);
    ok(ask(&w, &r, &a) == 409 && body_is(&a, "5") && find(&w, "forked", false),
       "another root of the same size: 409, and both are kept as a proof of the fork");
    request(&fork, 5, &r);
    ok(ask(&w, &r, &a) == 422 && body_is(&a, "bad consistency proof") &&
           find(&w, "refused", false) && memmem(a.body.data, a.body.len, "\n5\n", 3),
       "a fork that is longer: 422, and what is held is shown");
    request(&nine, 5, &r);
    struct pof_buf *d = &r;
    d->data[10] = d->data[10] == 'A' ? 'B' : 'A';
    is_int(ask(&w, &r, &a), 422, "a damaged proof");
    request(&nine, 5, &r);
    ok(ask(&w, &r, &a) == 200 && cosigned(&r, &a), "grown from 5 to 9");
    request(&five, 5, &r);
    ok(ask(&w, &r, &a) == 409 && body_is(&a, "9"), "rollback to 5");
    request(&nine, 9, &r);
    r.data[4] = '8';
    ok(ask(&w, &r, &a) == 409 && body_is(&a, "9"), "an old size that is not held");
    r.len = 0;
    ok(pof_buf_adds(&r, "old 10\n\n", &err) == 0 &&
           pof_buf_add(&r, find(&nine, "checkpoint", false)->now.data,
                       find(&nine, "checkpoint", false)->now.len, &err) == 0,
       "text");
    is_int(ask(&w, &r, &a), 400, "an old size beyond the checkpoint's");
    request(&nine, 9, &r);
    r.data[r.len - 10] = r.data[r.len - 10] == 'A' ? 'B' : 'A';
    ok(ask(&w, &r, &a) == 403 && body_is(&a, "invalid signature"), "a bad signature");
    static const char *const bad[] = {"",
                                      "old 0\n",
                                      "old 00\n\nx",
                                      "old -1\n\nx",
                                      "old 0\nAAAA\n\nx",
                                      "old 0\n\n",
                                      "old 0\n\nx",
                                      "old 0\n\nx\n1\nx\n\nx\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        r.len = 0;
        ok(pof_buf_adds(&r, bad[i], &err) == 0 && ask(&w, &r, &a) == 400, "malformed request %d",
           (int)i);
    }
    pof_witness_answer_release(&a);
    pof_buf_release(&r);
    release(&w);
    release(&five);
    release(&nine);
    release(&fork);
    release(&fork5);
}

/* Signature lines that anybody added are not kept. */
static void keeps_little(void)
{
    struct memory w = {0}, five = {0};
    struct pof_witness_answer a = {0};
    struct pof_buf r = {0};
    struct pof_err err = {0};
    make_witness(&w);
    make_log(&five, 5, 99);
    request(&five, 0, &r);
    for (int i = 0; i < 90; i++) {
        int rc = pof_buf_adds(&r, "\xe2\x80\x94 somebody AAAAAAECAwQFBgcICQ==\n", &err);
        ok(rc == 0, "a line of somebody");
    }
    ok(ask(&w, &r, &a) == 200, "cosigned all the same");
    ok(find(&w, "cosigned", false)->now.len < 300, "and only the log's own signature is kept");
    find(&w, "cosigned", false)->now.data[40] ^= 1;
    int rc;
    pof_witness_close(open_witness(&w, &rc));
    is_int(rc, POF_E_CONFLICT, "a witness whose memory is damaged does not go on");
    find(&w, "cosigned", false)->now.len = 0;
    pof_witness_close(open_witness(&w, &rc));
    is_int(rc, POF_E_CONFLICT, "nor one whose memory is gone");
    pof_witness_answer_release(&a);
    pof_buf_release(&r);
    release(&w);
    release(&five);
}

/* One death at a step of a cosignature; then another history is submitted. What was answered with
 * 200 is never contradicted. */
static bool die_once(long step, enum loss loss, struct memory *nine, struct memory *fork, int *bad)
{
    struct memory w = {0};
    struct pof_witness_answer a = {0};
    struct pof_buf r = {0};
    make_witness(&w);
    w.die_at = w.step + step;
    request(nine, 0, &r);
    bool answered = ask(&w, &r, &a) == 200;
    bool died = w.dead;
    restart(&w, loss);
    request(fork, 0, &r);
    int second = ask(&w, &r, &a);
    if (second != 200 && second != 409) {
        (*bad)++;
    }
    *bad += answered && second == 200;
    pof_witness_answer_release(&a);
    pof_buf_release(&r);
    release(&w);
    return died;
}

static void die_everywhere(void)
{
    struct memory nine = {0}, fork = {0};
    make_log(&nine, 9, 99);
    make_log(&fork, 9, 3);
    for (int loss = 0; loss < LOSSES; loss++) {
        int bad = 0;
        long step = 1;
        while (die_once(step, (enum loss)loss, &nine, &fork, &bad)) {
            step++;
        }
        ok(bad == 0 && step > 1, "dead at each of %ld steps, loss %d: never two histories",
           step - 1, loss);
    }
    release(&nine);
    release(&fork);
}

/* --- the exchanges of another witness --- */

static size_t slurp(const char *name, char *to, size_t cap)
{
    char path[512];
    snprintf(path, sizeof path, "%s/certify/own/witness/%s", tap_data(), name);
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(to, 1, cap - 1, f) : 0;
    to[n] = '\0';
    if (f) {
        fclose(f);
    }
    return n;
}

static void vectors(void)
{
    static char index[4096], text[1 << 16], answer[1 << 16];
    static const char vkey[] =
        "pof.example/scd+f4426111+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
    struct memory w = {0};
    struct pof_err err = {0};
    struct pof_policy p;
    struct pof_witness *witness;
    char known[256];
    if (!tap_data() || slurp("index.tsv", index, sizeof index) == 0) {
        skip("exchanges of litewitness", "no shared data");
        return;
    }
    snprintf(known, sizeof known, "log %s\nquorum none\n", vkey);
    make_witness(&w);
    struct pof_folder f = folder(&w);
    ok(pof_policy_parse(&p, pof_text(known), &err) == 0 &&
           pof_witness_open(&witness, &f, &me, &p, &err) == 0,
       "a witness of their log");
    int passed = 0;
    struct pof_witness_answer a = {0};
    for (char *line = index; *line;) {
        int number, status;
        char name[64], file[128];
        if (sscanf(line, "%d %63s %d", &number, name, &status) != 3) {
            break;
        }
        line += strcspn(line, "\n") + 1;
        snprintf(file, sizeof file, "%02d_%s.request", number, name);
        struct pof_text r = {text, slurp(file, text, sizeof text)};
        snprintf(file, sizeof file, "%02d_%s.response", number, name);
        size_t n = slurp(file, answer, sizeof answer);
        bool same = r.len && n && pof_witness_add(witness, r, 1800000000, &a, &err) == 0;
        if (number == 9) { /* the specification says 404, that version of litewitness 403 */
            same = same && a.status == 404;
        } else {
            same = same && a.status == status;
        }
        answer[strcspn(answer, "\n")] = '\0';
        same = same && (status == 200 ? a.body.len > 100 : body_is(&a, answer));
        ok(same, "exchange %d, %s: %d", number, name, a.status);
        passed += same;
    }
    is_int(passed, 10, "ten exchanges");
    vectors_told("own/witness/*.request", passed, 10 - passed,
                 "unknown origin: 404 as specified, not 403");
    pof_witness_answer_release(&a);
    pof_witness_close(witness);
    release(&w);
}

int main(void)
{
    struct pof_err err = {0};
    struct pof_buf key = {0};
    uint8_t seed[32] = {1};
    int rc = pof_signer_make(&log_key, pof_text("log.example"), seed, &err);
    seed[0] = 2;
    rc = rc ? rc : pof_signer_make(&me, pof_text("me.example/w"), seed, &err);
    rc = rc ? rc : pof_signer_witness(&me, &err);
    rc = rc ? rc : pof_vkey_format(&key, &log_key.vkey, &err);
    snprintf(logs_text, sizeof logs_text, "log %.*s\nquorum none\n", (int)key.len, key.data);
    rc = rc ? rc : pof_policy_parse(&logs, pof_text(logs_text), &err);
    pof_buf_release(&key);
    if (rc) {
        ok(false, "%s", err.text);
        return done();
    }
    protocol();
    keeps_little();
    die_everywhere();
    vectors();
    return done();
}
