/* SPDX-License-Identifier: Apache-2.0 */
/* Trust policies. */
#include "trust/policy.h"

#include <inttypes.h>
#include <string.h>

enum { GROUP_BIT = 32 };

/* --- reading --- */

/* A policy being read. */
struct reading {
    struct pof_policy *p;
    struct pof_text rest; /* of the line */
    bool has_quorum;
    struct pof_err *err;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The next word of the line; empty at its end. */
static struct pof_text word(struct reading *r)
{
    struct pof_text *t = &r->rest;
    while (t->len && is_blank(*t->ptr)) {
        t->ptr++;
        t->len--;
    }
    struct pof_text w = {t->ptr, 0};
    while (t->len && !is_blank(*t->ptr)) {
        t->ptr++;
        t->len--;
        w.len++;
    }
    return w;
}

/* Bits of the witness or group of a name; 0: there is none. */
static uint64_t find_name(const struct pof_policy *p, struct pof_text name)
{
    for (size_t i = 0; i < p->witnesses; i++) {
        if (pof_text_eq(p->witness[i].name, name)) {
            return UINT64_C(1) << i;
        }
    }
    for (size_t i = 0; i < p->groups; i++) {
        if (pof_text_eq(p->group[i].name, name)) {
            return UINT64_C(1) << (GROUP_BIT + i);
        }
    }
    return 0;
}

static int fail(struct reading *r, enum pof_code code, const char *what, struct pof_text found)
{
    return pof_fail(r->err, code, "%s, found '%.*s'", what, found.len > 80 ? 80 : (int)found.len,
                    found.ptr);
}

/* A key of a type, different from those of n members. */
static int take_key(struct reading *r, uint8_t type, const struct pof_policy_member *others,
                    size_t n, struct pof_vkey *key)
{
    struct pof_text text = word(r);
    int rc = pof_vkey_parse(key, text, r->err);
    if (rc == 0 && key->type != type) {
        return fail(r, POF_E_SYNTAX,
                    type == POF_KEY_LOG ? "a log needs a key of type 1"
                                        : "a witness needs a key of type 4 (cosignature/v1)",
                    text);
    }
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (memcmp(others[i].vkey.key, key->key, POF_ED25519_KEY) == 0) {
            rc = fail(r, POF_E_DUPLICATE, "each public key is given once", text);
        }
    }
    return rc;
}

/* The URL, which may be left out, and the end of the line. */
static int take_end(struct reading *r, struct pof_text *url)
{
    if (url) {
        *url = word(r);
    }
    struct pof_text more = word(r);
    return more.len ? fail(r, POF_E_SYNTAX, "the line must end here", more) : 0;
}

/* A name that is new. */
static int take_name(struct reading *r, struct pof_text *name)
{
    *name = word(r);
    if (name->len == 0 || pof_text_is(*name, "none")) {
        return fail(r, POF_E_SYNTAX, "a name other than 'none' is expected", *name);
    }
    return find_name(r->p, *name) ? fail(r, POF_E_DUPLICATE, "each name is defined once", *name)
                                  : 0;
}

static int room(struct reading *r, size_t n, const char *what)
{
    return n < POF_POLICY_MAX
               ? 0
               : pof_fail(r->err, POF_E_RANGE, "more than %d %s in a policy", POF_POLICY_MAX, what);
}

static int take_log(struct reading *r)
{
    struct pof_policy *p = r->p;
    int rc = room(r, p->logs, "logs");
    if (rc) {
        return rc;
    }
    struct pof_policy_member *m = &p->log[p->logs];
    rc = take_key(r, POF_KEY_LOG, p->log, p->logs, &m->vkey);
    rc = rc ? rc : take_end(r, &m->url);
    p->logs += rc == 0;
    return rc;
}

static int take_witness(struct reading *r)
{
    struct pof_policy *p = r->p;
    int rc = room(r, p->witnesses, "witnesses");
    if (rc) {
        return rc;
    }
    struct pof_policy_member *m = &p->witness[p->witnesses];
    rc = take_name(r, &m->name);
    rc = rc ? rc : take_key(r, POF_KEY_WITNESS, p->witness, p->witnesses, &m->vkey);
    rc = rc ? rc : take_end(r, &m->url);
    p->witnesses += rc == 0;
    return rc;
}

/* "all", "any" or a number of the n members. */
static int take_threshold(struct reading *r, struct pof_text text, uint32_t n, uint32_t *k)
{
    uint64_t v = pof_text_is(text, "any") ? 1 : n;
    bool word = pof_text_is(text, "any") || pof_text_is(text, "all");
    if ((!word && !pof_tlog_number(text, &v)) || v < 1 || v > n) {
        return fail(r, POF_E_RANGE,
                    "a group needs 'all', 'any' or a number from 1 to that of its members", text);
    }
    *k = (uint32_t)v;
    return 0;
}

/* Is one of these bits a member of a group already? A witness counts in one way only. */
static bool is_member(const struct pof_policy *p, uint64_t bits)
{
    for (size_t i = 0; i < p->groups; i++) {
        if (p->group[i].members & bits) {
            return true;
        }
    }
    return false;
}

static int take_group(struct reading *r)
{
    struct pof_policy *p = r->p;
    int rc = room(r, p->groups, "groups");
    if (rc) {
        return rc;
    }
    struct pof_policy_member *g = &p->group[p->groups];
    *g = (struct pof_policy_member){0};
    rc = take_name(r, &g->name);
    struct pof_text threshold = word(r);
    uint32_t n = 0;
    for (struct pof_text name = word(r); rc == 0 && name.len; name = word(r), n++) {
        uint64_t bit = find_name(p, name);
        if (!bit) {
            rc = fail(r, POF_E_REFERENCE, "members must be defined on lines before", name);
        } else if ((g->members & bit) || is_member(p, bit)) {
            rc = fail(r, POF_E_DUPLICATE, "each name can be a member once", name);
        }
        g->members |= bit;
    }
    rc = rc ? rc : take_threshold(r, threshold, n, &g->k);
    p->groups += rc == 0;
    return rc;
}

static int take_quorum(struct reading *r)
{
    struct pof_policy *p = r->p;
    struct pof_text name = word(r);
    if (r->has_quorum) {
        return fail(r, POF_E_DUPLICATE, "a policy has one quorum line", name);
    }
    r->has_quorum = true;
    p->quorum = find_name(p, name);
    p->quorum_name = name;
    if (!p->quorum && !pof_text_is(name, "none")) {
        return fail(r, POF_E_REFERENCE,
                    "the quorum must be 'none' or a name defined on a line before", name);
    }
    return take_end(r, NULL);
}

static int take_line(struct reading *r, struct pof_text line)
{
    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return pof_fail(r->err, POF_E_SYNTAX, "a policy holds no control character (%u)", c);
        }
    }
    r->rest = line;
    struct pof_text first = word(r);
    if (first.len == 0 || first.ptr[0] == '#') {
        return 0;
    }
    return pof_text_is(first, "log")       ? take_log(r)
           : pof_text_is(first, "witness") ? take_witness(r)
           : pof_text_is(first, "group")   ? take_group(r)
           : pof_text_is(first, "quorum")
               ? take_quorum(r)
               : fail(r, POF_E_SYNTAX, "expected 'log', 'witness', 'group' or 'quorum'", first);
}

int pof_policy_parse(struct pof_policy *out, struct pof_text text, struct pof_err *err)
{
    memset(out, 0, sizeof *out);
    if (text.len > POF_POLICY_BYTES) {
        return pof_fail(err, POF_E_TOO_LONG, "a policy of %zu bytes, at most %d are read", text.len,
                        POF_POLICY_BYTES);
    }
    struct reading r = {.p = out, .err = err};
    struct pof_text line;
    uint64_t number = 1;
    for (; pof_tlog_line(&text, &line); number++) {
        int rc = take_line(&r, line);
        if (rc) {
            return pof_at(err, NULL, number, NULL);
        }
    }
    if (text.len) {
        pof_fail(err, POF_E_TRUNCATED, "the last line does not end in a line feed");
        return pof_at(err, NULL, number, NULL);
    }
    return r.has_quorum ? 0 : pof_fail(err, POF_E_MISSING, "a policy needs a line 'quorum NAME'");
}

/* --- judging --- */

/* Groups only name what stands before them, so one pass in order decides all. */
static bool has_quorum(const struct pof_policy *p, uint64_t signed_by)
{
    for (size_t i = 0; i < p->groups; i++) {
        const struct pof_policy_member *g = &p->group[i];
        if ((uint32_t)__builtin_popcountll(g->members & signed_by) >= g->k) {
            signed_by |= UINT64_C(1) << (GROUP_BIT + i);
        }
    }
    return p->quorum == 0 || (signed_by & p->quorum) != 0;
}

/* The keys that a note is opened with: logs first. */
static size_t gather(const struct pof_policy *p, const struct pof_vkey *log,
                     struct pof_vkey keys[POF_NOTE_KEYS])
{
    size_t n = 0;
    for (size_t i = 0; i < p->logs; i++) {
        keys[n++] = p->log[i].vkey;
    }
    if (p->logs == 0 && log) {
        keys[n++] = *log;
    }
    for (size_t i = 0; i < p->witnesses; i++) {
        keys[n + i] = p->witness[i].vkey;
    }
    return n;
}

int pof_policy_judge(const struct pof_policy *p, const struct pof_vkey *log, struct pof_text text,
                     struct pof_policy_verdict *out, struct pof_err *err)
{
    *out = (struct pof_policy_verdict){.why = "it is signed by no log of the policy"};
    struct pof_vkey keys[POF_NOTE_KEYS];
    size_t logs = gather(p, log, keys);
    struct pof_note note;
    int rc = pof_note_open(&note, text, keys, logs + p->witnesses, err);
    if (rc) {
        return rc;
    }
    if (note.status != POF_NOTE_GOOD) {
        out->why = note.why;
        return 0;
    }
    struct pof_err detail = {0};
    rc = pof_checkpoint_parse(&out->checkpoint, note.text, &detail);
    if (rc) {
        out->why = "it is signed, but it is not a checkpoint";
        return rc == POF_E_SYNTAX ? 0 : pof_fail(err, detail.code, "%s", detail.text);
    }
    for (size_t i = 0; i < logs; i++) {
        if (note.signed_by[i] && strcmp(keys[i].name, out->checkpoint.origin) == 0) {
            out->log = p->logs ? &p->log[i].vkey : log;
        }
    }
    uint64_t signed_by = 0;
    for (size_t i = 0; i < p->witnesses; i++) {
        out->witness[i] = note.signed_by[logs + i];
        signed_by |= (uint64_t)out->witness[i] << i;
    }
    if (out->log) {
        out->good = has_quorum(p, signed_by);
        out->why = out->good ? "" : "it is not cosigned by the quorum of the policy";
    }
    return 0;
}

/* Is the note, with perhaps a line more, signed by this witness? */
static int is_signed(const struct pof_vkey *key, const struct pof_buf *note, struct pof_text line,
                     bool *yes, struct pof_err *err)
{
    struct pof_buf all = {0};
    struct pof_note opened;
    int rc = pof_buf_add(&all, note->data, note->len, err);
    rc = rc ? rc : pof_buf_add(&all, line.ptr, line.len, err);
    rc = rc ? rc : pof_note_open(&opened, (struct pof_text){all.data, all.len}, key, 1, err);
    *yes = rc == 0 && opened.status == POF_NOTE_GOOD;
    pof_buf_release(&all);
    return rc;
}

int pof_policy_merge(const struct pof_policy *p, struct pof_buf *note, struct pof_text lines,
                     size_t *added, struct pof_err *err)
{
    struct pof_signature s;
    int rc = 0;
    *added = 0;
    while (rc == 0 && pof_note_signature(&lines, &s)) {
        for (size_t i = 0; rc == 0 && i < p->witnesses; i++) {
            const struct pof_vkey *key = &p->witness[i].vkey;
            bool there = false;
            bool good = false;
            if (pof_text_is(s.name, key->name) && memcmp(s.id, key->id, sizeof s.id) == 0) {
                rc = is_signed(key, note, (struct pof_text){"", 0}, &there, err);
                rc = rc || there ? rc : is_signed(key, note, s.line, &good, err);
            }
            if (rc == 0 && good) {
                rc = pof_buf_add(note, s.line.ptr, s.line.len, err);
                ++*added;
            }
        }
    }
    return rc;
}

int pof_policy_say(const struct pof_policy *p, const struct pof_policy_verdict *v,
                   struct pof_buf *to, struct pof_err *err)
{
    int rc = pof_buf_addf(to, err, "quorum %.*s:", (int)p->quorum_name.len, p->quorum_name.ptr);
    for (size_t i = 0; rc == 0 && i < p->witnesses; i++) {
        rc = pof_buf_addf(to, err, "%s %.*s %s", i ? "," : "", (int)p->witness[i].name.len,
                          p->witness[i].name.ptr, v->witness[i] ? "yes" : "no");
    }
    return rc ? rc : pof_buf_adds(to, p->witnesses ? "\n" : " no witness\n", err);
}
