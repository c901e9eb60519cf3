/* SPDX-License-Identifier: Apache-2.0 */
/* Reading pof.grid/1 documents straight from their text, about ten times as fast as through a tree of
 * values. Only what is surely right is taken here: whatever is unusual or wrong leaves the document to
 * the reader in grid.c, which says what it is. */
#include "grid/document_plain.h"

#include "num/real.h"
#include "record/scan.h"

#include <math.h>
#include <string.h>

enum {
    KEYS = 64,    /* one bit each */
    ORDER = 32,   /* members of which the place is foreseen */
    ODD_MAX = 32, /* items that are read through a tree before the whole document is */
    NESTING = 32  /* of those */
};

enum what { REAL, TEXT, END, WORD, FLAG };

/* A member of an object: what it is, where it goes, and what it may be. */
struct key {
    const char *name;
    size_t len, offset;
    enum what what;
    struct pof_json_range range;
    const char *const *words; /* of WORD; goes to an enum */
};

/* The members of one kind of object; named ones have bits of their own, see below. */
struct keys {
    struct key key[KEYS];
    unsigned n;
    unsigned char order[ORDER]; /* key by place, as the object before had it */
    uint64_t mine[POFI_FORMS], needed[POFI_FORMS]; /* of branches: the members of a form; 0: it has matrices */
};

struct plain {
    const char *p, *end;
    struct pof_build *build;
    unsigned odd;
    int rc; /* negative: out of memory */
    struct pof_err *err;
};

/* --- the text --- */

static inline void blanks(struct plain *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\t' || *s->p == '\r')) {
        s->p++;
    }
}

static inline bool take(struct plain *s, char c)
{
    blanks(s);
    bool there = s->p < s->end && *s->p == c;
    s->p += there;
    return there;
}

/* A string without escapes that holds at least a byte. */
static bool string(struct plain *s, struct pof_text *out)
{
    if (!take(s, '"')) {
        return false;
    }
    const char *p = s->p, *end = s->end;
    while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20) {
        p++;
    }
    if (p == end || *p != '"' || p == s->p) {
        return false;
    }
    *out = (struct pof_text){s->p, (size_t)(p - s->p)};
    s->p = p + 1;
    return true;
}

/* Short numbers, as nearly all are: up to 15 digits by up to 22 powers of ten are both exact, and so is
 * the rounding of their quotient (Clinger 1990). NULL: not a short number, or not of JSON. */
static inline const char *short_number(const char *p, const char *end, double *out)
{
    static const double ten[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    enum { SURE = 15 };
    bool negative = p < end && *p == '-';
    const char *first = p + negative, *last = first + SURE + 2, *q = first;
    uint64_t v = 0;
    last = last < end ? last : end; /* a digit or point there is too much */
    for (; q < last && (unsigned char)(*q - '0') < 10; q++) {
        v = v * 10 + (uint64_t)(*q - '0');
    }
    if (q == first || (*first == '0' && q - first > 1)) {
        return NULL;
    }
    size_t decimals = 0;
    if (q < last && *q == '.') {
        const char *point = q++;
        for (; q < last && (unsigned char)(*q - '0') < 10; q++) {
            v = v * 10 + (uint64_t)(*q - '0');
        }
        decimals = (size_t)(q - point - 1);
        if (decimals == 0) {
            return NULL;
        }
    }
    if (q == last || *q == 'e' || *q == 'E' || *q == '.' || q - first - (decimals > 0) > SURE) {
        return NULL;
    }
    double abs = decimals ? (double)v / ten[decimals] : (double)v;
    *out = negative && (decimals || v) ? -abs : abs; /* an integer has no negative zero */
    return q;
}

/* A number as record/tree.c reads it: integers have no negative zero and at most 18 digits. */
static bool number(struct plain *s, double *out)
{
    enum { LONG = 18 };
    blanks(s);
    const char *p = s->p, *stop = short_number(p, s->end, out);
    if (stop) {
        s->p = stop;
        return true;
    }
    stop = pof_real_scan(p, s->end, POF_REAL_JSON, out);
    const char *q = p + (p < stop && *p == '-');
    while (q < stop && (unsigned char)(*q - '0') < 10) {
        q++;
    }
    if (stop == p || !isfinite(*out) || (stop == q && q - p > LONG)) {
        return false;
    }
    *out = stop == q && *out == 0 ? 0 : *out;
    s->p = stop;
    return true;
}

static bool literal(struct plain *s, const char *word)
{
    size_t n = strlen(word);
    blanks(s);
    bool there = (size_t)(s->end - s->p) >= n && memcmp(s->p, word, n) == 0;
    s->p += there ? n : 0;
    return there;
}

static bool flag(struct plain *s, bool *out)
{
    *out = literal(s, "true");
    return *out || literal(s, "false");
}

static bool word(struct plain *s, const char *const *words, int *out)
{
    struct pof_text t;
    if (!string(s, &t)) {
        return false;
    }
    for (*out = 0; words[*out]; (*out)++) {
        if (pof_text_is(t, words[*out])) {
            return true;
        }
    }
    return false;
}

static bool in(double v, const struct pof_json_range *range)
{
    return v >= range->min && v <= range->max;
}

/* --- members --- */

static void add_key(struct keys *k, struct key key)
{
    key.len = strlen(key.name);
    k->key[k->n++] = key;
}

static void add_member(struct keys *k, const struct pofi_member *m, size_t base)
{
    add_key(k, (struct key){.name = m->key, .offset = base + m->offset, .range = m->range});
}

static inline bool is_key(const struct plain *s, const struct key *k)
{
    return (size_t)(s->end - s->p) > k->len && memcmp(s->p, k->name, k->len) == 0 && s->p[k->len] == '"';
}

/* The key at the cursor, which becomes the place behind its colon; KEYS when there is none such. */
static unsigned which_key(struct plain *s, struct keys *keys, unsigned place)
{
    unsigned k = place < ORDER ? keys->order[place] : 0;
    if (!take(s, '"')) {
        return KEYS;
    }
    if (!is_key(s, &keys->key[k])) {
        for (k = 0; k < keys->n && !is_key(s, &keys->key[k]); k++) {
        }
        if (k == keys->n) {
            return KEYS;
        }
        if (place < ORDER) {
            keys->order[place] = (unsigned char)k;
        }
    }
    s->p += keys->key[k].len + 1;
    return take(s, ':') ? k : KEYS;
}

static bool value(struct plain *s, const struct key *k, void *base)
{
    void *to = (char *)base + k->offset;
    struct pof_text name;
    uint32_t node;
    double v;
    bool yes;
    int n;
    switch (k->what) {
    case REAL:
        if (!number(s, &v) || !in(v, &k->range)) {
            return false;
        }
        memcpy(to, &v, sizeof v);
        return true;
    case TEXT:
        if (!string(s, &name)) {
            return false;
        }
        memcpy(to, &name, sizeof name);
        return true;
    case END:
        node = string(s, &name) ? pof_names_find(&s->build->grid->node_names, name) : POF_NONE;
        memcpy(to, &node, sizeof node);
        return node != POF_NONE;
    case WORD:
        if (!word(s, k->words, &n)) {
            return false;
        }
        memcpy(to, &n, sizeof n);
        return true;
    case FLAG:
        if (!flag(s, &yes)) {
            return false;
        }
        memcpy(to, &yes, sizeof yes);
        return true;
    }
    return false;
}

/* An object, each member at most once: a bit for each. */
static bool object(struct plain *s, struct keys *keys, void *base, uint64_t *seen)
{
    *seen = 0;
    if (!take(s, '{')) {
        return false;
    }
    for (unsigned place = 0;; place++) {
        unsigned k = which_key(s, keys, place);
        if (k == KEYS || *seen >> k & 1 || !value(s, &keys->key[k], base)) {
            return false;
        }
        *seen |= UINT64_C(1) << k;
        if (!take(s, ',')) {
            return take(s, '}');
        }
    }
}

/* --- nodes --- */

#define BIT(k) (UINT64_C(1) << (k))

enum node_key { N_NAME, N_BASE_V, N_KIND, N_V_SET, N_ANGLE, N_ANGLE_START, N_Q_MIN, N_Q_MAX, N_X, N_Y, N_ZERO };

static void node_keys(struct keys *k)
{
    *k = (struct keys){.n = 0};
#define NODE(key, member) .name = key, .offset = offsetof(struct pof_node, member)
    const struct key known[] = {
        [N_NAME] = {NODE("name", name), .what = TEXT},
        [N_BASE_V] = {NODE("base_v", base_v), .range = pofi_volts},
        [N_KIND] = {NODE("kind", kind), .what = WORD, .words = pofi_node_kinds},
        [N_V_SET] = {NODE("v_set_pu", v_set_pu), .range = pofi_node_held[0].range},
        [N_ANGLE] = {NODE("angle_deg", angle_set), .range = pofi_degrees},
        [N_ANGLE_START] = {NODE("angle_start_deg", angle_start), .range = pofi_degrees},
        [N_Q_MIN] = {NODE("q_min_var", q_min_var), .range = pofi_anywhere},
        [N_Q_MAX] = {NODE("q_max_var", q_max_var), .range = pofi_anywhere},
        [N_X] = {NODE("x", x), .range = pofi_anywhere},
        [N_Y] = {NODE("y", y), .range = pofi_anywhere},
        [N_ZERO] = {NODE("zero_injection", zero_injection), .what = FLAG}};
#undef NODE
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        add_key(k, known[i]);
    }
    for (const struct pofi_member *m = pofi_node_members; m->key; m++) {
        add_member(k, m, 0);
    }
}

static bool has(uint64_t seen, unsigned k)
{
    return seen >> k & 1;
}

static bool both(uint64_t seen, unsigned a, unsigned b)
{
    return has(seen, a) == has(seen, b);
}

static bool plain_node(struct plain *s, struct keys *keys)
{
    uint64_t seen;
    struct pof_node node = pof_node_default((struct pof_text){0}, 0);
    if (!object(s, keys, &node, &seen) || !has(seen, N_NAME) || !has(seen, N_BASE_V) ||
        !both(seen, N_Q_MIN, N_Q_MAX) || !both(seen, N_X, N_Y)) {
        return false;
    }
    bool held = node.kind != POF_NODE_PQ;
    if (held ? !has(seen, N_V_SET) : (seen & (BIT(N_V_SET) | BIT(N_ANGLE) | BIT(N_Q_MIN))) != 0) {
        return false;
    }
    node.angle_set = has(seen, N_ANGLE) ? pof_rad_of_deg(node.angle_set) : 0;
    node.angle_start = has(seen, N_ANGLE_START) ? pof_rad_of_deg(node.angle_start) : 0;
    node.has_q_limits = has(seen, N_Q_MIN);
    node.has_xy = has(seen, N_X);
    int rc = pof_build_node(s->build, &node, s->err);
    s->rc = rc == POF_E_NOMEM ? rc : s->rc;
    return rc == 0;
}

/* --- branches --- */

/* What members go to. */
struct target {
    struct pof_branch b;
    struct pof_asset asset;
};

enum branch_key { B_NAME, B_KIND, B_FROM, B_TO, B_CLOSED, B_RATING_A, B_RATING_VA, B_SHIFT, B_FORMS };

static void add_form(struct keys *k, int f)
{
    const struct pofi_form *form = &pofi_forms[f];
    if (!form->zero) {
        return;
    }
    if (f > 0 && form->members == form[-1].members) {
        k->mine[f] = k->mine[f - 1];
        k->needed[f] = k->needed[f - 1];
        return;
    }
    for (const struct pofi_member *m = form->members; m->key; m++) {
        k->mine[f] |= BIT(k->n);
        k->needed[f] |= m->required ? BIT(k->n) : 0;
        add_member(k, m, form->form == POF_FORM_PU ? offsetof(struct target, b) : offsetof(struct target, asset));
    }
}

static void branch_keys(struct keys *k)
{
    *k = (struct keys){.n = 0};
#define BRANCH(key, member) .name = key, .offset = offsetof(struct target, member)
    const struct key known[B_FORMS] = {
        [B_NAME] = {BRANCH("name", b.name), .what = TEXT},
        [B_KIND] = {BRANCH("kind", b.kind), .what = WORD, .words = pofi_branch_kinds},
        [B_FROM] = {BRANCH("from", b.from), .what = END},
        [B_TO] = {BRANCH("to", b.to), .what = END},
        [B_CLOSED] = {BRANCH("closed", b.closed), .what = FLAG},
        [B_RATING_A] = {BRANCH("rating_a", asset.rating_a), .range = pofi_rating_a},
        [B_RATING_VA] = {BRANCH("rating_va", b.rating_va), .range = pofi_rating_va},
        [B_SHIFT] = {BRANCH("shift_deg", b.shift), .range = pofi_degrees}};
#undef BRANCH
    for (size_t i = 0; i < B_FORMS; i++) {
        add_key(k, known[i]);
    }
    for (int f = 0; f < POFI_FORMS; f++) {
        add_form(k, f);
    }
}

/* The form of which all that was given is a part, with all that it needs; NULL: none is sure. */
static const struct pofi_form *form_of(const struct keys *keys, uint64_t seen, enum pof_branch_kind kind)
{
    uint64_t given = seen >> B_FORMS << B_FORMS;
    for (int f = 0; f < POFI_FORMS; f++) {
        if (keys->mine[f] && pofi_forms[f].of_kind[kind] && (given & ~keys->mine[f]) == 0 &&
            (keys->needed[f] & ~given) == 0) {
            return &pofi_forms[f];
        }
    }
    return NULL;
}

/* Does grid.c take a rated voltage without a word? */
static bool fits(double rated, double base)
{
    return rated == 0 || !(rated < base / 2 || rated > base * 2);
}

static bool model(const struct pof_grid *g, struct target *t, uint64_t seen, const struct pofi_form *form)
{
    struct pof_asset *a = &t->asset;
    struct pof_branch *b = &t->b;
    bool rated = has(seen, B_RATING_VA), amperes = has(seen, B_RATING_A);
    if (!form) {
        b->x = POF_SWITCH_X_PER_VA * g->base_va;
    }
    a->form = form ? form->form : POF_FORM_PU;
    if ((a->b_us != 0 && a->c_nf != 0) || !fits(a->v_from, g->node[b->from].base_v) ||
        !fits(a->v_to, g->node[b->to].base_v) || (amperes && (rated || b->kind == POF_BRANCH_TRANSFORMER))) {
        return false;
    }
    b->rating_va = rated ? b->rating_va : a->form == POF_FORM_PLATE ? a->sn_va : 0;
    b->shift = has(seen, B_SHIFT) ? pof_rad_of_deg(b->shift) : 0;
    b->asset = a->form != POF_FORM_PU || a->rating_a > 0 ? a : NULL;
    return pof_asset_model(g, a, b);
}

static bool plain_branch(struct plain *s, struct keys *keys)
{
    uint64_t seen, needed = BIT(B_NAME) | BIT(B_KIND) | BIT(B_FROM) | BIT(B_TO);
    struct target t = {.b = {.ratio = 1, .closed = true}};
    if (!object(s, keys, &t, &seen) || (needed & ~seen) != 0) {
        return false;
    }
    const struct pofi_form *form = form_of(keys, seen, t.b.kind);
    bool bare = seen >> B_FORMS == 0 && t.b.kind == POF_BRANCH_SWITCH;
    if ((!form && !bare) || !model(s->build->grid, &t, seen, form)) {
        return false;
    }
    int rc = pof_build_branch(s->build, &t.b, s->err);
    s->rc = rc == POF_E_NOMEM ? rc : s->rc;
    return rc == 0;
}

/* --- what is not plain --- */

/* Behind the object or array at the cursor, going by its brackets and strings alone. */
static bool skip(struct plain *s)
{
    unsigned depth = 0;
    bool quoted = false;
    for (; s->p < s->end; s->p++) {
        char c = *s->p;
        if (quoted && c == '\\') {
            if (++s->p == s->end) {
                return false;
            }
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && (c == '{' || c == '[')) {
            depth++;
        } else if (!quoted && (c == '}' || c == ']') && depth > 0) {
            depth--;
        }
        if (depth == 0 || depth > NESTING) {
            s->p++;
            return depth == 0;
        }
    }
    return false;
}

/* An item that needs the other reader: alone, from its start on. */
static bool odd_item(struct plain *s, const char *start,
                     int (*read)(struct pof_build *, const struct pof_json *, struct pof_err *))
{
    struct pof_json_doc *doc;
    s->p = start;
    if (s->rc || ++s->odd > ODD_MAX || !skip(s)) {
        return false;
    }
    int rc = pof_json_parse(&doc, start, (size_t)(s->p - start), "", s->err);
    if (rc == 0) {
        struct pof_json root = pof_json_root(doc);
        rc = read(s->build, &root, s->err);
    }
    pof_json_free(doc);
    s->rc = rc == POF_E_NOMEM ? rc : s->rc;
    return rc == 0;
}

struct items {
    bool (*plain)(struct plain *, struct keys *); /* NULL: none is */
    int (*odd)(struct pof_build *, const struct pof_json *, struct pof_err *);
    struct keys *keys;
};

static bool array(struct plain *s, const struct items *items)
{
    if (!take(s, '[')) {
        return false;
    }
    if (take(s, ']')) {
        return true;
    }
    do {
        blanks(s);
        const char *start = s->p;
        if (!(items->plain && items->plain(s, items->keys)) && !odd_item(s, start, items->odd)) {
            return false;
        }
    } while (take(s, ','));
    return take(s, ']');
}

/* --- the document --- */

enum member { M_SCHEMA, M_NAME, M_BASE_VA, M_F_HZ, M_NODES, M_BRANCHES, M_SHUNTS, MEMBERS };
static const char *const member_names[MEMBERS + 1] = {"schema", "name",     "base_va", "f_hz",
                                                      "nodes",  "branches", "shunts",  NULL};

static bool name_member(struct plain *s)
{
    struct pof_text t;
    struct pof_grid *g = s->build->grid;
    if (!string(s, &t)) {
        return false;
    }
    char *copy = pof_arena_text(&g->arena, t.ptr, t.len, s->err);
    g->name = (struct pof_text){copy, t.len};
    s->rc = copy ? 0 : POF_E_NOMEM;
    return copy != NULL;
}

/* seen: what was before. Units of branches need the base power and frequency. */
static bool read_member(struct plain *s, int member, unsigned seen)
{
    struct keys keys;
    struct pof_text t;
    struct pof_grid *g = s->build->grid;
    bool late = seen >> M_BRANCHES & 1;
    switch (member) {
    case M_SCHEMA:
        return string(s, &t) && pof_text_is(t, POFI_GRID_SCHEMA);
    case M_NAME:
        return name_member(s);
    case M_BASE_VA:
        return !late && number(s, &g->base_va) && in(g->base_va, &pofi_base_va);
    case M_F_HZ:
        return !late && number(s, &g->f_hz) && in(g->f_hz, &pofi_hertz);
    case M_NODES:
        node_keys(&keys);
        return array(s, &(struct items){plain_node, pofi_read_node, &keys});
    case M_BRANCHES:
        branch_keys(&keys);
        return (seen & (1U << M_NODES)) && (seen & (1U << M_BASE_VA)) &&
               array(s, &(struct items){plain_branch, pofi_read_branch, &keys});
    case M_SHUNTS:
        return late && array(s, &(struct items){NULL, pofi_read_bank, NULL});
    default:
        return false;
    }
}

/* Of members of one's own, one text. */
static bool read_all(struct plain *s)
{
    const unsigned needed = 1U << M_SCHEMA | 1U << M_BASE_VA | 1U << M_NODES | 1U << M_BRANCHES;
    unsigned seen = 0;
    if (!take(s, '{')) {
        return false;
    }
    do {
        struct pof_text name;
        int member = 0;
        if (!string(s, &name) || !take(s, ':')) {
            return false;
        }
        while (member < MEMBERS && !pof_text_is(name, member_names[member])) {
            member++;
        }
        bool own = member == MEMBERS && name.len > 2 && memcmp(name.ptr, "x_", 2) == 0;
        if (seen >> member & 1 || !(own ? string(s, &name) : read_member(s, member, seen))) {
            return false;
        }
        seen |= 1U << member;
    } while (take(s, ','));
    bool end = take(s, '}');
    blanks(s);
    return end && s->p == s->end && (needed & ~seen) == 0;
}

int pofi_grid_plain(struct pof_build *build, struct pof_text text, struct pof_err *err)
{
    struct pof_err unsaid = {0};
    struct plain s = {.p = text.ptr, .end = text.ptr + text.len, .build = build, .err = &unsaid};
    if (text.len == 0 || !pofi_is_utf8(text)) {
        return 0;
    }
    build->grid->f_hz = 50;
    build->grid->name = (struct pof_text){"", 0};
    bool read = read_all(&s) && pof_build_finish(build, &unsaid) == 0;
    if (s.rc) {
        *err = unsaid;
        return s.rc;
    }
    return read;
}
