/* SPDX-License-Identifier: Apache-2.0 */
/* Signed notes. */
#include "trust/note.h"

#include "base/base64.h"
#include "base/utf8.h"

#include <string.h>

static const char dash[] = "\xe2\x80\x94 "; /* U+2014 and a space */
enum { DASH = sizeof dash - 1, ID = 4, TIME = 8 };
static const char secret_prefix[] = "PRIVATE+KEY+";

bool pof_note_text_ok(struct pof_text text)
{
    const char *end = text.ptr + text.len;
    for (const char *p = text.ptr; p < end;) {
        uint32_t cp;
        size_t n = pofi_utf8(p, end, &cp);
        if (n == 0 || (cp < 0x20 && cp != '\n')) {
            return false;
        }
        p += n;
    }
    return true;
}

/* Unicode White_Space, which a key name must not contain. */
static bool is_space(uint32_t cp)
{
    return cp == ' ' || (cp >= 0x09 && cp <= 0x0d) || cp == 0x85 || cp == 0xa0 || cp == 0x1680 ||
           (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029 || cp == 0x202f ||
           cp == 0x205f || cp == 0x3000;
}

bool pof_key_name_ok(struct pof_text name)
{
    const char *end = name.ptr + name.len;
    for (const char *p = name.ptr; p < end;) {
        uint32_t cp;
        size_t n = pofi_utf8(p, end, &cp);
        if (n == 0 || cp < 0x20 || cp == '+' || is_space(cp)) {
            return false;
        }
        p += n;
    }
    return name.len > 0 && name.len <= POF_KEY_NAME_MAX;
}

static int key_id(struct pof_vkey *key, struct pof_err *err)
{
    struct pof_hasher *h;
    int rc = pof_hasher_new(&h, err);
    if (rc) {
        return rc;
    }
    char named[POF_KEY_NAME_MAX + 1];
    size_t n = strlen(key->name);
    memcpy(named, key->name, n);
    named[n++] = '\n';
    uint8_t typed[1 + POF_ED25519_KEY];
    typed[0] = key->type;
    memcpy(typed + 1, key->key, POF_ED25519_KEY);
    struct pof_hash hash;
    pof_hash_two(h, (struct pof_text){named, n},
                 (struct pof_text){(const char *)typed, sizeof typed}, &hash);
    memcpy(key->id, hash.b, ID);
    rc = pof_hasher_check(h, err);
    pof_hasher_free(h);
    return rc;
}

static void hex8(const uint8_t id[ID], char to[8])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < ID; i++) {
        to[2 * i] = digits[id[i] >> 4];
        to[2 * i + 1] = digits[id[i] & 15];
    }
}

/* name+hex8+base64(type || 32 bytes) into its parts; id_text is not compared yet. */
static bool split_key(struct pof_text text, struct pof_vkey *key, char id_text[8],
                      uint8_t bytes[1 + POF_ED25519_KEY])
{
    if (text.len && text.ptr[text.len - 1] == '\n') {
        text.len--;
    }
    const char *plus = text.len ? memchr(text.ptr, '+', text.len) : NULL;
    if (!plus) {
        return false;
    }
    struct pof_text name = {text.ptr, (size_t)(plus - text.ptr)};
    struct pof_text rest = {plus + 1, text.len - name.len - 1};
    if (!pof_key_name_ok(name) || rest.len < 10 || rest.ptr[8] != '+') {
        return false;
    }
    memcpy(key->name, name.ptr, name.len);
    key->name[name.len] = '\0';
    memcpy(id_text, rest.ptr, 8);
    size_t n;
    return pof_base64_decode((struct pof_text){rest.ptr + 9, rest.len - 9}, bytes,
                             1 + POF_ED25519_KEY, &n) &&
           n == 1 + POF_ED25519_KEY;
}

/* Computes the id and compares it with what the text says. */
static int settle_id(struct pof_vkey *key, const char id_text[8], struct pof_err *err)
{
    int rc = key_id(key, err);
    char want[8];
    hex8(key->id, want);
    if (rc == 0 && memcmp(want, id_text, 8) != 0) {
        return pof_fail(err, POF_E_SYNTAX, "key of '%s' says id %.8s, its bytes say %.8s",
                        key->name, id_text, want);
    }
    return rc;
}

int pof_vkey_parse(struct pof_vkey *out, struct pof_text text, struct pof_err *err)
{
    struct pof_vkey key = {0};
    char id_text[8];
    uint8_t bytes[1 + POF_ED25519_KEY];
    if (!split_key(text, &key, id_text, bytes)) {
        return pof_fail(
            err, POF_E_SYNTAX,
            "'%.*s' is not a public key of the form NAME+ID+BASE64 (c2sp.org/signed-note)",
            text.len > 80 ? 80 : (int)text.len, text.ptr);
    }
    if (bytes[0] != POF_KEY_LOG && bytes[0] != POF_KEY_WITNESS) {
        return pof_fail(err, POF_E_SYNTAX, "key of '%s' has type %u, expected 1 or 4 (Ed25519)",
                        key.name, bytes[0]);
    }
    key.type = bytes[0];
    memcpy(key.key, bytes + 1, POF_ED25519_KEY);
    int rc = settle_id(&key, id_text, err);
    if (rc == 0) {
        *out = key;
    }
    return rc;
}

int pof_vkey_format(struct pof_buf *to, const struct pof_vkey *key, struct pof_err *err)
{
    char id[8];
    hex8(key->id, id);
    uint8_t bytes[1 + POF_ED25519_KEY];
    bytes[0] = key->type;
    memcpy(bytes + 1, key->key, POF_ED25519_KEY);
    int rc = pof_buf_addf(to, err, "%s+%.8s+", key->name, id);
    return rc ? rc : pof_base64_add(to, bytes, sizeof bytes, err);
}

bool pof_seed_parse(struct pof_text text, uint8_t seed[POF_ED25519_KEY])
{
    if (text.len == POF_ED25519_KEY) {
        memcpy(seed, text.ptr, POF_ED25519_KEY);
        return true;
    }
    text.len -= text.len && text.ptr[text.len - 1] == '\n';
    if (text.len != 2 * POF_ED25519_KEY) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        int d = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (d < 0) {
            return false;
        }
        seed[i / 2] = (uint8_t)(i % 2 ? seed[i / 2] << 4 | d : d);
    }
    return true;
}

int pof_signer_make(struct pof_signer *out, struct pof_text name,
                    const uint8_t seed[POF_ED25519_KEY], struct pof_err *err)
{
    if (!pof_key_name_ok(name)) {
        return pof_fail(
            err, POF_E_SYNTAX,
            "'%.*s' cannot name a log: 1 to %d bytes without space and '+' are expected",
            name.len > 80 ? 80 : (int)name.len, name.ptr, POF_KEY_NAME_MAX);
    }
    memset(out, 0, sizeof *out);
    memcpy(out->vkey.name, name.ptr, name.len);
    out->vkey.type = POF_KEY_LOG;
    memcpy(out->seed, seed, POF_ED25519_KEY);
    int rc = pof_ed25519_public(seed, out->vkey.key, err);
    return rc ? rc : key_id(&out->vkey, err);
}

int pof_signer_witness(struct pof_signer *key, struct pof_err *err)
{
    key->vkey.type = POF_KEY_WITNESS;
    return key_id(&key->vkey, err);
}

int pof_signer_parse(struct pof_signer *out, struct pof_text text, struct pof_err *err)
{
    size_t n = sizeof secret_prefix - 1;
    struct pof_vkey named = {0};
    char id_text[8];
    uint8_t bytes[1 + POF_ED25519_KEY];
    struct pof_text rest = {text.ptr + n, text.len < n ? 0 : text.len - n};
    if (text.len < n || memcmp(text.ptr, secret_prefix, n) != 0 ||
        !split_key(rest, &named, id_text, bytes) ||
        (bytes[0] != POF_KEY_LOG && bytes[0] != POF_KEY_WITNESS)) {
        pof_wipe(bytes, sizeof bytes);
        return pof_fail(err, POF_E_SYNTAX,
                        "not a secret key of the form PRIVATE+KEY+NAME+ID+BASE64 (Ed25519)");
    }
    int rc = pof_signer_make(out, pof_text(named.name), bytes + 1, err);
    rc = rc || bytes[0] == POF_KEY_LOG ? rc : pof_signer_witness(out, err);
    pof_wipe(bytes, sizeof bytes);
    return rc ? rc : settle_id(&out->vkey, id_text, err);
}

int pof_signer_format(struct pof_buf *to, const struct pof_signer *key, struct pof_err *err)
{
    char id[8];
    hex8(key->vkey.id, id);
    uint8_t bytes[1 + POF_ED25519_KEY];
    bytes[0] = key->vkey.type;
    memcpy(bytes + 1, key->seed, POF_ED25519_KEY);
    int rc = pof_buf_addf(to, err, "%s%s+%.8s+", secret_prefix, key->vkey.name, id);
    rc = rc ? rc : pof_base64_add(to, bytes, sizeof bytes, err);
    pof_wipe(bytes, sizeof bytes);
    return rc;
}

int pof_note_sign(struct pof_buf *to, struct pof_text text, const struct pof_signer *key,
                  struct pof_err *err)
{
    if (text.len == 0 || text.ptr[text.len - 1] != '\n' || !pof_note_text_ok(text)) {
        return pof_fail(err, POF_E_SYNTAX, "a note must be text that ends in a line feed");
    }
    uint8_t bytes[ID + POF_ED25519_SIGNATURE];
    memcpy(bytes, key->vkey.id, ID);
    int rc = pof_ed25519_sign(key->seed, text, bytes + ID, err);
    rc = rc ? rc : pof_buf_add(to, text.ptr, text.len, err);
    rc = rc ? rc : pof_buf_addf(to, err, "\n%s%s ", dash, key->vkey.name);
    rc = rc ? rc : pof_base64_add(to, bytes, sizeof bytes, err);
    return rc ? rc : pof_buf_add(to, "\n", 1, err);
}

/* What a witness signs: c2sp.org/tlog-cosignature, "cosignature/v1". */
static int cosigned_message(struct pof_buf *to, struct pof_text text, int64_t time,
                            struct pof_err *err)
{
    int rc = pof_buf_addf(to, err, "cosignature/v1\ntime %lld\n", (long long)time);
    return rc ? rc : pof_buf_add(to, text.ptr, text.len, err);
}

int pof_note_cosign(struct pof_buf *to, struct pof_text text, const struct pof_signer *key,
                    int64_t time, struct pof_err *err)
{
    if (key->vkey.type != POF_KEY_WITNESS || time < 0) {
        return pof_fail(err, POF_E_RANGE, "a witness signs with a key of type 4 and after 1970");
    }
    uint8_t bytes[ID + TIME + POF_ED25519_SIGNATURE];
    memcpy(bytes, key->vkey.id, ID);
    for (int i = 0; i < TIME; i++) {
        bytes[ID + i] = (uint8_t)((uint64_t)time >> 8 * (TIME - 1 - i));
    }
    struct pof_buf message = {0};
    int rc = cosigned_message(&message, text, time, err);
    rc = rc ? rc
            : pof_ed25519_sign(key->seed, (struct pof_text){message.data, message.len},
                               bytes + ID + TIME, err);
    pof_buf_release(&message);
    rc = rc ? rc : pof_buf_addf(to, err, "%s%s ", dash, key->vkey.name);
    rc = rc ? rc : pof_base64_add(to, bytes, sizeof bytes, err);
    return rc ? rc : pof_buf_add(to, "\n", 1, err);
}

/* One signature line. */
struct line {
    struct pof_text name;
    uint8_t bytes[1024]; /* key id and signature; room for unknown kinds (ML-DSA is longer) */
    size_t n;
    bool opaque; /* too long for bytes: of a kind we do not know */
};

/* Takes the line at *rest apart and steps over it. */
static bool signature_line(struct pof_text *rest, struct line *out)
{
    const char *lf = memchr(rest->ptr, '\n', rest->len);
    if (!lf || rest->len < DASH || memcmp(rest->ptr, dash, DASH) != 0) {
        return false;
    }
    const char *p = rest->ptr + DASH;
    const char *space = p < lf ? memchr(p, ' ', (size_t)(lf - p)) : NULL;
    if (!space) {
        return false;
    }
    out->name = (struct pof_text){p, (size_t)(space - p)};
    struct pof_text code = {space + 1, (size_t)(lf - space - 1)};
    out->opaque = code.len > POF_BASE64_LEN(sizeof out->bytes);
    rest->len -= (size_t)(lf + 1 - rest->ptr);
    rest->ptr = lf + 1;
    if (out->name.len == 0) {
        return false;
    }
    if (out->opaque) {
        return code.len % 4 == 0;
    }
    return pof_base64_decode(code, out->bytes, sizeof out->bytes, &out->n) && out->n > ID;
}

bool pof_note_signature(struct pof_text *rest, struct pof_signature *out)
{
    struct line line;
    const char *from = rest->ptr;
    if (!signature_line(rest, &line)) {
        return false;
    }
    if (line.opaque) { /* of a kind with other ids */
        memset(line.bytes, 0, ID);
    }
    out->line = (struct pof_text){from, (size_t)(rest->ptr - from)};
    out->name = line.name;
    memcpy(out->id, line.bytes, ID);
    return true;
}

/* Is the signature in the line the key's? *time gets the witness' time for type 4. */
static int judge(const struct line *line, const struct pof_vkey *key, struct pof_text text,
                 bool *good, int64_t *time, struct pof_err *err)
{
    if (key->type == POF_KEY_LOG) {
        *good = false;
        return line->n == ID + POF_ED25519_SIGNATURE
                   ? pof_ed25519_verify(key->key, text, line->bytes + ID, good, err)
                   : 0;
    }
    *good = false;
    if (line->n != ID + TIME + POF_ED25519_SIGNATURE || (line->bytes[ID] & 0x80)) {
        return 0;
    }
    int64_t t = 0;
    for (int i = 0; i < TIME; i++) {
        t = (int64_t)((uint64_t)t << 8 | line->bytes[ID + i]);
    }
    struct pof_buf message = {0};
    int rc = cosigned_message(&message, text, t, err);
    rc = rc ? rc
            : pof_ed25519_verify(key->key, (struct pof_text){message.data, message.len},
                                 line->bytes + ID + TIME, good, err);
    pof_buf_release(&message);
    if (*good) {
        *time = t;
    }
    return rc;
}

/* Where the signatures begin: behind the last blank line. false: there is none. */
static bool split_note(struct pof_text note, struct pof_text *text, struct pof_text *signatures)
{
    if (note.len < 3 || note.len > POF_NOTE_MAX || note.ptr[note.len - 1] != '\n') {
        return false;
    }
    for (size_t i = note.len - 1; i > 0; i--) {
        if (note.ptr[i] == '\n' && note.ptr[i - 1] == '\n') {
            *text = (struct pof_text){note.ptr, i};
            *signatures = (struct pof_text){note.ptr + i + 1, note.len - i - 1};
            return signatures->len > 0;
        }
    }
    return false;
}

static int no(struct pof_note *out, enum pof_note_status status, const char *why)
{
    out->status = status;
    out->why = why;
    return 0;
}

int pof_note_open(struct pof_note *out, struct pof_text note, const struct pof_vkey *keys, size_t n,
                  struct pof_err *err)
{
    *out = (struct pof_note){0};
    struct pof_text rest;
    if (n > POF_NOTE_KEYS) {
        return pof_fail(err, POF_E_RANGE, "%zu keys, at most %d are expected", n, POF_NOTE_KEYS);
    }
    if (!split_note(note, &out->text, &rest)) {
        return no(out, POF_NOTE_MALFORMED, "it is not a text, a blank line and signature lines");
    }
    if (!pof_note_text_ok(note)) {
        return no(out, POF_NOTE_MALFORMED, "it is not UTF-8 text without control characters");
    }
    bool any = false;
    struct line line;
    for (size_t lines = 0; rest.len; lines++) {
        if (lines == POF_NOTE_SIGNATURES || !signature_line(&rest, &line) ||
            !pof_key_name_ok(line.name)) {
            return no(out, POF_NOTE_MALFORMED, "a signature line is malformed");
        }
        for (size_t i = 0; i < n && !line.opaque; i++) {
            if (!pof_text_is(line.name, keys[i].name) || memcmp(line.bytes, keys[i].id, ID) != 0) {
                continue;
            }
            bool good;
            int rc = judge(&line, &keys[i], out->text, &good, &out->witness_time, err);
            if (rc || !good) {
                return rc ? rc : no(out, POF_NOTE_FORGED, "the signature is not that of its key");
            }
            out->signed_by[i] = true;
            any = true;
        }
    }
    return any ? no(out, POF_NOTE_GOOD, "")
               : no(out, POF_NOTE_UNKNOWN,
                    "none of its signatures is of a key that is trusted here");
}
