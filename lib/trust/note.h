/* SPDX-License-Identifier: Apache-2.0 */
/* Signed notes: https://c2sp.org/signed-note, and cosignatures: https://c2sp.org/tlog-cosignature.
 *
 * A note is text that ends in a line feed, a blank line, and signature lines
 *     U+2014 <space> name <space> base64(key id (4 bytes) || signature) <line feed>
 * A key is told apart by its name and its id, SHA-256(name || LF || type || public key)[:4].
 * Type 1 is Ed25519 over the text; type 4 is a witness' Ed25519 over
 * "cosignature/v1\ntime T\n" || text, with T as 8 bytes in front of the signature. */
#ifndef POF_TRUST_NOTE_H
#define POF_TRUST_NOTE_H

#include "trust/crypto.h"

enum {
    POF_KEY_NAME_MAX = 128,    /* bytes; also the longest origin */
    POF_NOTE_MAX = 1 << 20,    /* bytes of a whole note */
    POF_NOTE_SIGNATURES = 100, /* lines; the text asks for at least 16 */
    POF_NOTE_KEYS = 64         /* that a note is opened with */
};

enum pof_key_type { POF_KEY_LOG = 1, POF_KEY_WITNESS = 4 };

/* A public key, as "vkey" text: name+hex8(id)+base64(type || key). */
struct pof_vkey {
    char name[POF_KEY_NAME_MAX + 1]; /* UTF-8 without spaces and '+' */
    uint8_t type;                    /* enum pof_key_type */
    uint8_t id[4];
    uint8_t key[POF_ED25519_KEY];
};

/* A secret key: "PRIVATE+KEY+" || name+hex8(id)+base64(type || seed), the form of Go's x/mod. One
 * seed is never used for a log and a witness both. */
struct pof_signer {
    struct pof_vkey vkey;
    uint8_t seed[POF_ED25519_KEY];
};

/* Is this a key name? Not empty, at most POF_KEY_NAME_MAX bytes of UTF-8, no space, no '+', no
 * control character. */
bool pof_key_name_ok(struct pof_text name);

/* Texts are one line, a final LF is allowed when parsing and not written. SYNTAX errors say what
 * is wrong with a key and never repeat a secret one. */
int pof_vkey_parse(struct pof_vkey *out, struct pof_text text, struct pof_err *err) POF_CHECKED;
int pof_vkey_format(struct pof_buf *to, const struct pof_vkey *key,
                    struct pof_err *err) POF_CHECKED;
int pof_signer_parse(struct pof_signer *out, struct pof_text text, struct pof_err *err) POF_CHECKED;
int pof_signer_format(struct pof_buf *to, const struct pof_signer *key,
                      struct pof_err *err) POF_CHECKED;
/* A seed as 32 bytes, or as 64 hexadecimal digits and perhaps LF. */
bool pof_seed_parse(struct pof_text text, uint8_t seed[POF_ED25519_KEY]);
/* The signer of a name from its secret seed: a log's. */
int pof_signer_make(struct pof_signer *out, struct pof_text name,
                    const uint8_t seed[POF_ED25519_KEY], struct pof_err *err) POF_CHECKED;

/* Makes it a witness' signer, which has another id. */
int pof_signer_witness(struct pof_signer *key, struct pof_err *err) POF_CHECKED;

/* Adds text, the blank line and one signature line to a buffer. text must end in LF. */
int pof_note_sign(struct pof_buf *to, struct pof_text text, const struct pof_signer *key,
                  struct pof_err *err) POF_CHECKED;

/* Adds a witness' signature line (type 4) for a note's text, signed at a time in POSIX seconds. */
int pof_note_cosign(struct pof_buf *to, struct pof_text text, const struct pof_signer *key,
                    int64_t time, struct pof_err *err) POF_CHECKED;

enum pof_note_status {
    POF_NOTE_GOOD,      /* at least one of the keys signed it */
    POF_NOTE_MALFORMED, /* not a signed note */
    POF_NOTE_UNKNOWN,   /* well-formed, but no signature is of a key we have */
    POF_NOTE_FORGED     /* a signature names one of the keys and is not its signature */
};

struct pof_note {
    enum pof_note_status status;
    struct pof_text text; /* with its final LF; a view of the note; set when not MALFORMED */
    const char *why;      /* a sentence for people when status is not GOOD */
    bool signed_by[POF_NOTE_KEYS]; /* keys[i] signed it */
    int64_t witness_time;          /* POSIX seconds of the last good cosignature, 0: none */
};

/* Opens a note with n keys (at most POF_NOTE_KEYS). Unknown signatures are ignored; one bad
 * signature of a known key refuses the note. A repeated signature counts once. */
int pof_note_open(struct pof_note *out, struct pof_text note, const struct pof_vkey *keys, size_t n,
                  struct pof_err *err) POF_CHECKED;

/* Steps over a signature line of *rest and gives the line with its LF and the key's name and id;
 * false when it is none. Its signature is not looked at; the id is 0 where it is far too long. */
struct pof_signature {
    struct pof_text line;
    struct pof_text name;
    uint8_t id[4];
};
bool pof_note_signature(struct pof_text *rest, struct pof_signature *out);

/* Is it UTF-8 (no overlong forms, no surrogates) without control characters below U+0020 other
 * than LF? */
bool pof_note_text_ok(struct pof_text text);

#endif
