/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, signed notes, checkpoints and proof files: own cases and the shared vectors. */
#include "vectors.h"

#include "base/base64.h"
#include "trust/checkpoint.h"

#include <jansson.h>

static const char log_vkey[] =
    "pof.example/scd+f4426111+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
static const char log_secret[] = "PRIVATE+KEY+pof.example/scd+f4426111+"
                                 "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";
static const char witness_vkey[] =
    "witness.pof.example/dso+39b008ef+BECJyRNvOtCRG8gdo8Lj4raCG85/LzEbETWHthoQGp2U";

static void base64(void)
{
    static const char *const pair[][2] = {{"", ""},
                                          {"f", "Zg=="},
                                          {"fo", "Zm8="},
                                          {"foo", "Zm9v"},
                                          {"foob", "Zm9vYg=="},
                                          {"fooba", "Zm9vYmE="},
                                          {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++) {
        char text[16];
        size_t n = pof_base64_encode(pair[i][0], strlen(pair[i][0]), text);
        is_text(text, n, pair[i][1], "RFC 4648 section 10, there");
        ok(pof_base64_decode(pof_text(pair[i][1]), text, sizeof text, &n), "and back");
        is_text(text, n, pair[i][0], "the same bytes");
    }
    static const char *const bad[] = {
        "Zg", "Zg=", "Z===", "Zh==", "Zm9=", "Zm9v\n", "Zm 9v", "Zg==Zg==", "-_==", "===="};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char to[16];
        size_t n;
        ok(!pof_base64_decode(pof_text(bad[i]), to, sizeof to, &n),
           "malformed base64 %zu is refused", i);
    }
    char small[2];
    size_t n;
    ok(!pof_base64_decode(pof_text("Zm9v"), small, sizeof small, &n), "refused: no room");
}

static void keys(void)
{
    struct pof_err err = {0};
    struct pof_buf text = {0};
    struct pof_vkey key;
    struct pof_signer signer;
    is_int(pof_vkey_parse(&key, pof_text(log_vkey), &err), 0, "a public key");
    ok(pof_vkey_format(&text, &key, &err) == 0, "written");
    is_text(text.data, text.len, log_vkey, "as it was read");
    text.len = 0;
    is_int(pof_signer_parse(&signer, pof_text(log_secret), &err), 0, "a secret key");
    ok(memcmp(&signer.vkey, &key, sizeof key) == 0, "is that of the public one");
    ok(pof_signer_format(&text, &signer, &err) == 0, "written");
    is_text(text.data, text.len, log_secret, "as it was read");
    static const char *const bad[] = {
        "",
        "pof.example/scd",
        "pof.example/scd+f4426111+",
        "pof.example/scd+f4426112+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c",
        "pof.example/sce+f4426111+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c",
        "pof example+f4426111+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c",
        "+f4426111+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c",
        "pof.example/scd+F4426111+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c",
        "pof.example/scd+f4426111+AoqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ok(pof_vkey_parse(&key, pof_text(bad[i]), &err) == POF_E_SYNTAX, "no key: '%s'", bad[i]);
    }
    err.text[0] = '\0';
    static const char typo[] =
        "PRIVATE+KEY+a+00000000+AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";
    ok(pof_signer_parse(&signer, pof_text(typo), &err) == POF_E_SYNTAX,
       "a secret key with another id");
    ok(strstr(err.text, "AQEB") == NULL, "the message does not repeat the secret");
    ok(!pof_key_name_ok(pof_text("a\xc2\xa0z")), "no-break space is a space");
    ok(pof_key_name_ok(pof_text("dso.example/\xc3\xa9")), "UTF-8 is allowed");
    pof_buf_release(&text);
}

static enum pof_note_status status_of(const char *text, size_t n, const char *vkey)
{
    struct pof_vkey key;
    struct pof_note note;
    struct pof_checkpoint c;
    struct pof_err err = {0};
    if (pof_vkey_parse(&key, pof_text(vkey), &err) ||
        pof_checkpoint_open(&c, &note, (struct pof_text){text, n}, &key, &err)) {
        return POF_NOTE_MALFORMED;
    }
    return note.status;
}

/* Signs and opens a checkpoint, then flips every bit of it. */
static void sign_and_tamper(void)
{
    struct pof_err err = {0};
    struct pof_signer signer;
    struct pof_buf text = {0};
    struct pof_head head = {.size = 70000, .root.b = {1, 2, 3}};
    ok(pof_signer_parse(&signer, pof_text(log_secret), &err) == 0 &&
           pof_checkpoint_sign(&text, &head, &signer, &err) == 0,
       "signed");
    struct pof_note note;
    struct pof_checkpoint c;
    is_int(
        pof_checkpoint_open(&c, &note, (struct pof_text){text.data, text.len}, &signer.vkey, &err),
        0, "opened");
    ok(note.status == POF_NOTE_GOOD && c.head.size == 70000 &&
           pof_hash_eq(&c.head.root, &head.root) && strcmp(c.origin, "pof.example/scd") == 0,
       "and it says what was signed");
    int believed = 0;
    for (size_t i = 0; i < 8 * text.len; i++) {
        text.data[i / 8] = (char)(text.data[i / 8] ^ 1 << i % 8);
        believed += status_of(text.data, text.len, log_vkey) == POF_NOTE_GOOD;
        text.data[i / 8] = (char)(text.data[i / 8] ^ 1 << i % 8);
    }
    is_int(believed, 0, "no checkpoint with a flipped bit is believed");
    for (size_t n = 0; n < text.len; n++) {
        believed += status_of(text.data, n, log_vkey) == POF_NOTE_GOOD;
    }
    is_int(believed, 0, "nor one that is cut short");
    ok(pof_note_sign(&text, pof_text("no line feed"), &signer, &err) == POF_E_SYNTAX,
       "text without its line feed is not signed");
    pof_buf_release(&text);
}

static void proof_text(void)
{
    static const char good[] = "c2sp.org/tlog-proof@v1\nextra c2FsdA==\nindex 7\n"
                               "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n\nanything\n";
    struct pof_tlog_proof p;
    struct pof_err err = {0};
    struct pof_buf out = {0};
    is_int(pof_tlog_proof_parse(&p, pof_text(good), &err), 0, "a proof file");
    ok(p.index == 7 && p.path.n == 1 && pof_text_is(p.extra, "c2FsdA==") &&
           pof_text_is(p.checkpoint, "anything\n"),
       "its parts");
    ok(pof_tlog_proof_format(&out, &p, &err) == 0, "written");
    is_text(out.data, out.len, good, "as it was read");
    pof_buf_release(&out);
    static const char *const bad[] = {"",
                                      "c2sp.org/tlog-proof@v2\nindex 7\n\nx",
                                      "c2sp.org/tlog-proof@v1\nindex 07\n\nx",
                                      "c2sp.org/tlog-proof@v1\nindex -1\n\nx",
                                      "c2sp.org/tlog-proof@v1\n\nx",
                                      "c2sp.org/tlog-proof@v1\nindex 7\nAQEB\n\nx",
                                      "c2sp.org/tlog-proof@v1\nindex 7\n",
                                      "c2sp.org/tlog-proof@v1\nindex 9223372036854775808\n\nx"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ok(pof_tlog_proof_parse(&p, pof_text(bad[i]), &err) == POF_E_SYNTAX,
           "malformed proof %zu is refused", i);
    }
}

/* --- shared vectors --- */

static size_t data(const char *name, char *to, size_t cap)
{
    char file[512];
    if (!tap_data()) {
        skip(name, "no shared data");
        return 0;
    }
    snprintf(file, sizeof file, "%s/certify/%s", tap_data(), name);
    FILE *f = fopen(file, "rb");
    if (!f) {
        skip(name, "not in the shared data");
        return 0;
    }
    size_t n = fread(to, 1, cap - 1, f);
    fclose(f);
    to[n] = '\0';
    return n;
}

static char file_text[1 << 16];

static void cases(void)
{
    size_t n = data("own/tlog/checkpoint_cases.jsonl", file_text, sizeof file_text);
    int count = 0, passed = 0;
    for (char *line = file_text; n && *line;) {
        char *lf = strchr(line, '\n');
        *lf = '\0';
        json_t *j = json_loads(line, 0, NULL);
        line = lf + 1;
        const char *name = json_string_value(json_object_get(j, "case"));
        const json_t *text = json_object_get(j, "text");
        const char *expect = json_string_value(json_object_get(j, "expect"));
        enum pof_note_status got =
            status_of(json_string_value(text), json_string_length(text), log_vkey);
        /* a signature that stands twice is the reader's policy: here it counts once */
        bool want = strcmp(expect, "reject") != 0;
        if (strcmp(name, "invalid UTF-8 in extension") == 0) {
            want = false; /* the file holds U+FFFD, under which the signature is wrong too */
        }
        passed += ok((got == POF_NOTE_GOOD) == want, "%s: %s", name, expect);
        count++;
        json_decref(j);
    }
    if (n) {
        is_int(count, 28, "28 cases");
        vectors_told("own/tlog/checkpoint_cases.jsonl", passed, count - passed,
                     "strict text of C2SP, not Go's laxer parser");
    }
}

/* All that litewitness cosigned; keys[1] gets its key. */
static void cosigned(struct pof_vkey keys[2])
{
    static const int sizes[] = {1000, 5000, 65536, 70000};
    struct pof_err err = {0};
    struct pof_note note;
    int passed = 0, count = 0;
    ok(pof_vkey_parse(&keys[1], pof_text(witness_vkey), &err) == 0, "the key of litewitness");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char name[64];
        snprintf(name, sizeof name, "own/tlog/checkpoints/%d.cosigned.checkpoint", sizes[i]);
        size_t n = data(name, file_text, sizeof file_text);
        if (n) {
            int rc = pof_note_open(&note, (struct pof_text){file_text, n}, keys, 2, &err);
            passed += ok(rc == 0 && note.status == POF_NOTE_GOOD && note.signed_by[0] &&
                             note.signed_by[1],
                         "%s", name);
            count++;
        }
    }
    if (count) {
        vectors_told("own/tlog/checkpoints/*.cosigned.checkpoint", passed, count - passed, "");
    }
}

static void vectors(void)
{
    static const int sizes[] = {0, 1, 255, 256, 257, 1000, 5000, 65536, 70000, 100000};
    struct pof_err err = {0};
    struct pof_signer signer;
    int passed = 0, count = 0;
    ok(pof_signer_parse(&signer, pof_text(log_secret), &err) == 0, "the key of the vectors");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char name[64];
        snprintf(name, sizeof name, "own/tlog/checkpoints/%d.checkpoint", sizes[i]);
        size_t n = data(name, file_text, sizeof file_text);
        if (!n) {
            continue;
        }
        struct pof_note note;
        struct pof_checkpoint c = {0};
        struct pof_buf again = {0};
        int rc =
            pof_checkpoint_open(&c, &note, (struct pof_text){file_text, n}, &signer.vkey, &err);
        rc = rc ? rc : pof_checkpoint_sign(&again, &c.head, &signer, &err);
        count++;
        passed += ok(rc == 0 && note.status == POF_NOTE_GOOD && again.len == n &&
                         memcmp(again.data, file_text, n) == 0,
                     "%s: good, and the same bytes when signed here", name);
        pof_buf_release(&again);
    }
    if (count) {
        vectors_told("own/tlog/checkpoints/*.checkpoint", passed, count - passed, "");
    }
    struct pof_vkey keys[2] = {signer.vkey};
    cosigned(keys);
    size_t n = data("own/tlog/checkpoints/70000.cosigned.checkpoint", file_text, sizeof file_text);
    struct pof_note note;
    if (n && pof_vkey_parse(&keys[1], pof_text(witness_vkey), &err) == 0) {
        is_int(pof_note_open(&note, (struct pof_text){file_text, n}, keys, 2, &err), 0, "cosigned");
        ok(note.status == POF_NOTE_GOOD && note.signed_by[0] && note.signed_by[1] &&
               note.witness_time > 1700000000,
           "by the log and by litewitness");
        char *second = strstr(file_text, "dso ");
        second[30] = second[30] == 'A' ? 'B' : 'A';
        is_int(pof_note_open(&note, (struct pof_text){file_text, n}, keys, 2, &err), 0, "tampered");
        ok(note.status == POF_NOTE_FORGED, "a wrong cosignature of a known witness refuses it");
        is_int(pof_note_open(&note, (struct pof_text){file_text, n}, keys, 1, &err), 0, "the same");
        ok(note.status == POF_NOTE_GOOD, "without knowing the witness it is ignored");
    }
}

static void offline_proof(void)
{
    size_t n = data("own/tlog/record_35000_of_70000.tlog-proof", file_text, sizeof file_text);
    struct pof_err err = {0};
    struct pof_tlog_proof p;
    struct pof_vkey key;
    struct pof_note note;
    struct pof_checkpoint c;
    struct pof_hasher *h;
    if (!n) {
        return;
    }
    if (pof_hasher_new(&h, &err) || pof_vkey_parse(&key, pof_text(log_vkey), &err) ||
        pof_tlog_proof_parse(&p, (struct pof_text){file_text, n}, &err) ||
        pof_checkpoint_open(&c, &note, p.checkpoint, &key, &err)) {
        ok(false, "%s", err.text);
        return;
    }
    char record[129];
    snprintf(record, sizeof record, "%016dx", 35000);
    for (int j = 17; j < 128; j++) {
        record[j] = (char)('a' + j % 26);
    }
    struct pof_hash leaf;
    pof_merkle_leaf(h, record, 128, &leaf);
    bool good =
        ok(note.status == POF_NOTE_GOOD && p.index == 35000 &&
               pof_merkle_check_inclusion(h, p.index, c.head.size, &leaf, &p.path, &c.head.root),
           "record 35000 of 70000 is proved offline");
    vectors_told("own/tlog/record_35000_of_70000.tlog-proof", good, !good, "");
    record[100] ^= 1;
    pof_merkle_leaf(h, record, 128, &leaf);
    ok(!pof_merkle_check_inclusion(h, p.index, c.head.size, &leaf, &p.path, &c.head.root),
       "and another record is not");
    pof_hasher_free(h);
}

/* The example of c2sp.org/signed-note. */
static void example_note(void)
{
    static const char text[] = "This is an example message.\n\n\xe2\x80\x94 example.com/foo "
                               "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq"
                               "6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    struct pof_vkey key;
    struct pof_note note;
    struct pof_err err = {0};
    is_int(pof_vkey_parse(&key,
                          pof_text("example.com/foo+530d903a+"
                                   "AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"),
                          &err),
           0, "the example's key");
    is_int(pof_note_open(&note, pof_text(text), &key, 1, &err), 0, "the example's note");
    bool good =
        ok(note.status == POF_NOTE_GOOD && pof_text_is(note.text, "This is an example message.\n"),
           "is good");
    vectors_told("third-party/c2sp_signed_note.txt", good, !good, "");
    is_int(status_of(text, sizeof text - 1, log_vkey), POF_NOTE_UNKNOWN, "unknown to another key");
}

int main(void)
{
    base64();
    keys();
    example_note();
    sign_and_tamper();
    proof_text();
    cases();
    vectors();
    offline_proof();
    return done();
}
