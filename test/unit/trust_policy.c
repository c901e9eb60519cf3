/* SPDX-License-Identifier: Apache-2.0 */
/* Policies: what is one, and who must have signed. */
#include "tap.h"

#include "trust/policy.h"

enum { DSO, TSO, AP, WITNESSES };

static struct pof_signer log_key, other_log, witness[WITNESSES];

static void add_key(struct pof_buf *b, const char *before, const struct pof_signer *s)
{
    struct pof_err err = {0};
    if (pof_buf_adds(b, before, &err) || pof_vkey_format(b, &s->vkey, &err) ||
        pof_buf_adds(b, "\n", &err)) {
        ok(false, "%s", err.text);
    }
}

/* "DSO and one of TSO, AP", with a quorum line of one's own. */
static void standard(struct pof_buf *b, const char *rest)
{
    b->len = 0;
    add_key(b, "# whom we trust\n\nlog ", &log_key);
    add_key(b, "witness dso ", &witness[DSO]);
    add_key(b, " \twitness  tso\t", &witness[TSO]);
    add_key(b, "witness ap ", &witness[AP]);
    struct pof_err err = {0};
    ok(pof_buf_adds(b, rest, &err) == 0, "text");
}

static int parse(const struct pof_buf *b, struct pof_policy *p, struct pof_err *err)
{
    *err = (struct pof_err){0};
    return pof_policy_parse(p, (struct pof_text){b->data, b->len}, err);
}

/* A checkpoint of 5 records, signed by a log and the witnesses of the bits. */
static void checkpoint(struct pof_buf *note, const struct pof_signer *log, unsigned who)
{
    struct pof_head head = {.size = 5};
    struct pof_err err = {0};
    note->len = 0;
    int rc = pof_checkpoint_sign(note, &head, log, &err);
    const char *blank = memmem(note->data, note->len, "\n\n", 2);
    struct pof_buf body = {0};
    rc = rc ? rc : pof_buf_add(&body, note->data, (size_t)(blank + 1 - note->data), &err);
    for (int i = 0; i < WITNESSES && rc == 0; i++) {
        if (who >> i & 1) {
            rc = pof_note_cosign(note, (struct pof_text){body.data, body.len}, &witness[i],
                                 1800000000 + i, &err);
        }
    }
    pof_buf_release(&body);
    if (rc) {
        ok(false, "%s", err.text);
    }
}

static bool good(const struct pof_policy *p, const struct pof_buf *note,
                 struct pof_policy_verdict *v)
{
    struct pof_err err = {0};
    int rc = pof_policy_judge(p, NULL, (struct pof_text){note->data, note->len}, v, &err);
    return rc == 0 && v->good;
}

static const char both[] = "group other any tso ap\ngroup both all dso other\nquorum both\n";

static void quorums(void)
{
    static const struct {
        const char *rest;
        const char *want; /* for each of the 8 sets, from none to all: y or n */
    } table[] = {{both, "nnnynyny"},
                 {"quorum none\n", "yyyyyyyy"},
                 {"quorum tso\n", "nnyynnyy"},
                 {"group two 2 dso tso ap\nquorum two\n", "nnnynyyy"},
                 {"group all3 all dso tso ap\nquorum all3\n", "nnnnnnny"},
                 {"group one any dso tso ap\nquorum one\n", "nyyyyyyy"}};
    struct pof_buf text = {0}, note = {0};
    struct pof_policy p;
    struct pof_policy_verdict v;
    struct pof_err err;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        standard(&text, table[i].rest);
        ok(parse(&text, &p, &err) == 0, "policy %d", (int)i);
        int wrong = 0;
        for (unsigned who = 0; who < 8; who++) {
            checkpoint(&note, &log_key, who);
            wrong += good(&p, &note, &v) != (table[i].want[who] == 'y');
            for (unsigned k = 0; k < WITNESSES; k++) {
                wrong += v.witness[k] != (who >> k & 1);
            }
        }
        is_int(wrong, 0, "holds for exactly these of the 8 sets of signers");
    }
    pof_buf_release(&text);
    pof_buf_release(&note);
}

static void forgeries(void)
{
    struct pof_buf text = {0}, note = {0}, say = {0};
    struct pof_policy p;
    struct pof_policy_verdict v;
    struct pof_err err = {0};
    standard(&text, both);
    is_int(parse(&text, &p, &err), 0, "the policy");
    checkpoint(&note, &other_log, 7);
    ok(!good(&p, &note, &v) && !v.log, "all witnesses, but a log that is not in the policy");
    checkpoint(&note, &log_key, 7);
    ok(good(&p, &note, &v) && v.log && v.checkpoint.head.size == 5, "good");
    ok(pof_policy_say(&p, &v, &say, &err) == 0, "said");
    is_text(say.data, say.len, "quorum both: dso yes, tso yes, ap yes\n", "who signed");
    char *ap = memmem(note.data, note.len, "ap.example", 10);
    ap[40] = ap[40] == 'A' ? 'B' : 'A';
    ok(!good(&p, &note, &v), "one bad signature of a known witness refuses it, quorum or not");
    size_t cosigned, none;
    struct pof_buf all = {0};
    checkpoint(&all, &log_key, 3);
    const char *lines = memmem(all.data, all.len, "\n\n", 2);
    struct pof_text rest = {lines + 2, (size_t)(all.data + all.len - lines - 2)};
    checkpoint(&note, &log_key, 0);
    ok(pof_policy_merge(&p, &note, rest, &cosigned, &err) == 0 && cosigned == 2 &&
           good(&p, &note, &v),
       "cosignatures are gathered");
    ok(pof_policy_merge(&p, &note, rest, &none, &err) == 0 && none == 0, "once");
    all.data[all.len - 10] ^= 1;
    checkpoint(&note, &log_key, 0);
    ok(pof_policy_merge(&p, &note, rest, &cosigned, &err) == 0 && cosigned == 1,
       "a bad one is left out");
    pof_buf_release(&all);
    pof_buf_release(&text);
    pof_buf_release(&note);
    pof_buf_release(&say);
}

static void malformed(void)
{
    static const struct {
        const char *rest;
        enum pof_code code;
        uint64_t line;
    } table[] = {{"", POF_E_MISSING, 0},
                 {"quorum nobody\n", POF_E_REFERENCE, 7},
                 {"quorum dso\nquorum dso\n", POF_E_DUPLICATE, 8},
                 {"quorum dso tso\n", POF_E_SYNTAX, 7},
                 {"quorum dso", POF_E_TRUNCATED, 7},
                 {"group g any\nquorum g\n", POF_E_RANGE, 7},
                 {"group g 0 dso\nquorum g\n", POF_E_RANGE, 7},
                 {"group g 2 dso\nquorum g\n", POF_E_RANGE, 7},
                 {"group g 01 dso\nquorum g\n", POF_E_RANGE, 7},
                 {"group g any dso dso\nquorum g\n", POF_E_DUPLICATE, 7},
                 {"group g any dso\ngroup h any dso\nquorum g\n", POF_E_DUPLICATE, 8},
                 {"group g any h\ngroup h any dso\nquorum g\n", POF_E_REFERENCE, 7},
                 {"group none any dso\nquorum none\n", POF_E_SYNTAX, 7},
                 {"group dso any tso\nquorum dso\n", POF_E_DUPLICATE, 7},
                 {"group g any none\nquorum g\n", POF_E_REFERENCE, 7},
                 {"quorum dso\r\n", POF_E_SYNTAX, 7},
                 {"witnes x\nquorum dso\n", POF_E_SYNTAX, 7},
                 {"log x+y\nquorum dso\n", POF_E_SYNTAX, 7}};
    struct pof_buf text = {0};
    struct pof_policy p;
    struct pof_err err;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        standard(&text, table[i].rest);
        int rc = parse(&text, &p, &err);
        ok(rc == (int)table[i].code && err.line == table[i].line, "%.*s is refused at line %d: %s",
           (int)strcspn(table[i].rest, "\n\r"), table[i].rest, (int)err.line, err.text);
    }
    standard(&text, "");
    add_key(&text, "witness again ", &witness[DSO]);
    is_int(parse(&text, &p, &err), POF_E_DUPLICATE, "a key given twice");
    standard(&text, "");
    add_key(&text, "witness w ", &log_key);
    is_int(parse(&text, &p, &err), POF_E_SYNTAX, "a log's key for a witness");
    standard(&text, "");
    add_key(&text, "log ", &witness[DSO]);
    is_int(parse(&text, &p, &err), POF_E_SYNTAX, "a witness' key for a log");
    text.len = 0;
    for (unsigned i = 0; i < 33; i++) { /* 32 of each are needed, one more is refused */
        uint8_t seed[32] = {(uint8_t)(100 + i)};
        struct pof_signer s;
        char line[64];
        snprintf(line, sizeof line, "witness w%u ", i);
        ok(pof_signer_make(&s, pof_text("w"), seed, &err) == 0 && pof_signer_witness(&s, &err) == 0,
           "key %u", i);
        add_key(&text, line, &s);
        size_t n = text.len;
        ok(pof_buf_adds(&text, "quorum none\n", &err) == 0, "quorum");
        int rc = parse(&text, &p, &err);
        ok(rc == (i < 32 ? 0 : (int)POF_E_RANGE), "%u witnesses", i + 1);
        text.len = n;
    }
    pof_buf_release(&text);
}

int main(void)
{
    static const char *const name[] = {"dso.example", "tso.example", "ap.example"};
    struct pof_err err = {0};
    uint8_t seed[32] = {1};
    int rc = pof_signer_make(&log_key, pof_text("log.example"), seed, &err);
    seed[0] = 2;
    rc = rc ? rc : pof_signer_make(&other_log, pof_text("log.example"), seed, &err);
    for (int i = 0; i < WITNESSES && rc == 0; i++) {
        seed[0] = (uint8_t)(10 + i);
        rc = pof_signer_make(&witness[i], pof_text(name[i]), seed, &err);
        rc = rc ? rc : pof_signer_witness(&witness[i], &err);
    }
    if (rc) {
        ok(false, "%s", err.text);
        return done();
    }
    quorums();
    forgeries();
    malformed();
    return done();
}
