/* SPDX-License-Identifier: Apache-2.0 */
/* RDF documents of the Common Information Model (IEC 61970-552) into objects with properties. */
#include "grid/cim.h"
#include "record/xml.h"

#include <stdlib.h>
#include <string.h>

#define RDF "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

static const char *const class_names[] = {
#define CLASS(name, role) #name,
#define PROP(class, name)
#include "grid/cim.def"
#undef CLASS
#undef PROP
};

static const char *const prop_names[] = {
#define CLASS(name, role)
#define PROP(class, name) #class "." #name,
#include "grid/cim.def"
#undef CLASS
#undef PROP
};

/* A document while it is gone through. */
struct reading {
    struct pofi_cim *c;
    uint32_t file;
    uint64_t line;
    int depth;
    uint32_t object; /* the present one; POF_NONE */
    uint32_t prop;   /* the present property; CIM_PROPS: one that is not looked at */
    struct pof_text resource;
    bool has_resource;
    struct pof_buf copy; /* of the resource: attributes live only as long as their element opens */
};

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* "_x", "#_x", "urn:uuid:x" are one and the same (IEC 61970-552, 5.3). */
static struct pof_text plain_id(const char *id)
{
    id += *id == '#';
    id += begins(id, "urn:uuid:") ? strlen("urn:uuid:") : 0;
    id += *id == '_';
    return pof_text(id);
}

static int find_object(struct pofi_cim *c, struct pof_text id, uint32_t *object)
{
    size_t n = c->ids.n;
    if (id.len == 0) {
        return pof_fail(c->err, POF_E_REFERENCE, "an empty id");
    }
    int rc = pof_names_add(&c->ids, id, object, c->err);
    rc = rc ? rc : pof_grow(&c->object, &c->object_cap, c->ids.n, sizeof *c->object, c->err);
    if (rc == 0 && *object == n) {
        c->object[n] = (struct pofi_cim_object){.class = POF_NONE, .first = POF_NONE};
    }
    return rc;
}

static int define(struct reading *r, struct pofi_cim_object *o, uint32_t class, bool by_id)
{
    struct pofi_cim *c = r->c;
    struct pof_text id = c->ids.text[r->object];
    if (by_id && o->defined && (o->at.file == r->file || o->class != class)) {
        return pof_fail(c->err, POF_E_DUPLICATE, "%s '%.*s' was defined before as %s in %s, line %u",
                        c->classes.text[class].ptr, (int)(id.len < 60 ? id.len : 60), id.ptr,
                        c->classes.text[o->class].ptr, c->input->document[o->at.file].name, o->at.line);
    }
    if (o->class == POF_NONE || (by_id && !o->defined)) {
        o->class = class;
        o->at = (struct pofi_cim_place){r->file, (uint32_t)r->line};
    }
    o->defined = o->defined || by_id;
    c->any_id = c->any_id || by_id;
    return 0;
}

static int open_object(struct reading *r, const char *name, const char *const *attr)
{
    struct pofi_cim *c = r->c;
    const char *id = NULL;
    bool by_id = false;
    for (size_t i = 0; attr[i]; i += 2) {
        bool is_id = strcmp(attr[i], RDF " ID") == 0;
        if (is_id || strcmp(attr[i], RDF " about") == 0) {
            id = attr[i + 1];
            by_id = is_id;
        }
    }
    const char *local = pof_xml_local(name);
    c->any_cim = c->any_cim || begins(name, "http://iec.ch/TC57/") || begins(name, "http://cim.ucaiug.io/");
    if (strcmp(local, "DifferenceModel") == 0) {
        return pof_fail(c->err, POF_E_SCHEMA,
                        "a difference model holds changes only; apply it to its full model first");
    }
    r->object = POF_NONE;
    if (!id) {
        return 0;
    }
    uint32_t class;
    int rc = pof_names_add(&c->classes, pof_text(local), &class, c->err);
    rc = rc ? rc : find_object(c, plain_id(id), &r->object);
    return rc ? rc : define(r, &c->object[r->object], class, by_id);
}

static int open_property(struct reading *r, const char *name, const char *const *attr)
{
    uint32_t prop = pof_names_find(&r->c->props, pof_text(pof_xml_local(name)));
    r->prop = prop == POF_NONE ? CIM_PROPS : prop;
    r->has_resource = false;
    for (size_t i = 0; attr[i]; i += 2) {
        if (r->prop != CIM_PROPS && strcmp(attr[i], RDF " resource") == 0) {
            size_t n = strlen(attr[i + 1]);
            r->copy.len = 0;
            int rc = pof_buf_add(&r->copy, attr[i + 1], n + 1, r->c->err);
            if (rc) {
                return rc;
            }
            r->resource = (struct pof_text){r->copy.data, n};
            r->has_resource = true;
        }
    }
    return 0;
}

static int on_open(void *ctx, const char *name, const char *const *attr, struct pof_err *err)
{
    struct reading *r = ctx;
    r->depth++;
    if (r->depth == 1 && strcmp(name, RDF " RDF") != 0) {
        return pof_fail(err, POF_E_SCHEMA,
                        "the document is <%.60s>, not an RDF document of the Common Information Model",
                        pof_xml_local(name));
    }
    return r->depth == 2                              ? open_object(r, name, attr)
           : r->depth == 3 && r->object != POF_NONE ? open_property(r, name, attr)
                                                        : 0;
}

/* Of "http://...#UnitSymbol.W" the W. */
static struct pof_text last_word(struct pof_text t)
{
    for (size_t i = t.len; i-- > 0;) {
        if (t.ptr[i] == '#' || t.ptr[i] == '.' || t.ptr[i] == '/') {
            return (struct pof_text){t.ptr + i + 1, t.len - i - 1};
        }
    }
    return t;
}

/* Whether two texts say the same: as texts, or as numbers ("20" and "20.00"). */
static bool same(const struct pofi_cim_value *a, const struct pofi_cim_value *b)
{
    double x, y;
    if (a->target != b->target) {
        return false;
    }
    return a->target != POF_NONE || pof_text_eq(a->text, b->text) ||
           (pofi_number(a->text, false, &x) && pofi_number(b->text, false, &y) && x == y);
}

static int add_value(struct reading *r, struct pofi_cim_value *v)
{
    struct pofi_cim *c = r->c;
    struct pofi_cim_object *o = &c->object[r->object];
    for (uint32_t i = o->first; i != POF_NONE; i = c->value[i].next) {
        struct pofi_cim_value *before = &c->value[i];
        if (before->prop != v->prop) {
            continue;
        }
        if (v->prop == CIM_IdentifiedObject_name) { /* profiles may abbreviate: take one, always the same */
            before->text = pof_text_cmp(v->text, before->text) < 0 ? v->text : before->text;
            return 0;
        }
        if (same(before, v)) {
            return 0;
        }
        struct pof_text is = before->target == POF_NONE ? before->text : c->ids.text[before->target];
        struct pof_text id = c->ids.text[r->object];
        pof_fail(c->err, POF_E_CONFLICT, "'%s' of '%.*s' was '%.*s' in %s, line %u", prop_names[v->prop],
                 (int)(id.len < 50 ? id.len : 50), id.ptr, (int)(is.len < 40 ? is.len : 40), is.ptr,
                 c->input->document[before->at.file].name, before->at.line);
        return pof_at(c->err, NULL, 0, prop_names[v->prop]);
    }
    int rc = pof_grow(&c->value, &c->value_cap, c->values + 1, sizeof *c->value, c->err);
    if (rc == 0) {
        v->next = o->first;
        o->first = (uint32_t)c->values;
        c->value[c->values++] = *v;
    }
    return rc;
}

static int close_property(struct reading *r, struct pof_text text)
{
    struct pofi_cim *c = r->c;
    struct pofi_cim_value v = {.prop = r->prop, .target = POF_NONE, .at = {r->file, (uint32_t)r->line}};
    if (r->has_resource) {
        const char *id = r->resource.ptr;
        if (*id == '#' || begins(id, "urn:uuid:") || *id == '_') {
            int rc = find_object(c, plain_id(id), &v.target);
            return rc ? rc : add_value(r, &v);
        }
        text = last_word(r->resource);
    }
    char *copy = pof_arena_text(&c->arena, text.ptr, text.len, c->err);
    v.text = (struct pof_text){copy, text.len};
    return copy ? add_value(r, &v) : POF_E_NOMEM;
}

static int on_close(void *ctx, const char *name, struct pof_text text, struct pof_err *err)
{
    (void)name, (void)err;
    struct reading *r = ctx;
    int depth = r->depth--;
    return depth == 3 && r->object != POF_NONE && r->prop != CIM_PROPS ? close_property(r, text) : 0;
}

static int read_document(struct pofi_cim *c, uint32_t file)
{
    const struct pof_cim_document *d = &c->input->document[file];
    struct reading r = {.c = c, .file = file, .object = POF_NONE};
    struct pof_xml_taker taker = {on_open, on_close, &r};
    int rc = pof_xml_parse(d->text, d->name, &taker, &r.line, c->err);
    pof_buf_release(&r.copy);
    return rc;
}

static int know_names(struct pof_names *names, const char *const *text, size_t n, struct pof_err *err)
{
    uint32_t id;
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = pof_names_add(names, pof_text(text[i]), &id, err);
    }
    return rc;
}

/* --- order and references --- */

static int by_name(const void *a, const void *b, void *ctx)
{
    const struct pofi_cim *c = ctx;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int order = pof_text_cmp(pofi_cim_text(c, x, CIM_IdentifiedObject_name),
                             pofi_cim_text(c, y, CIM_IdentifiedObject_name));
    return order ? order : pof_text_cmp(c->ids.text[x], c->ids.text[y]);
}

static int by_target(const void *a, const void *b, void *ctx)
{
    const struct pofi_cim *c = ctx;
    const struct pofi_cim_back *x = a, *y = b;
    uint32_t left[3] = {x->prop, x->target, c->rank[x->source]};
    uint32_t right[3] = {y->prop, y->target, c->rank[y->source]};
    for (int i = 0; i < 3; i++) {
        if (left[i] != right[i]) {
            return left[i] < right[i] ? -1 : 1;
        }
    }
    return 0;
}

/* Names that several nodes, or several pieces of equipment, have: order brings them together. */
static void mark_shared(struct pofi_cim *c, bool nodes)
{
    uint32_t last = POF_NONE;
    for (size_t i = 0; i < c->ids.n; i++) {
        uint32_t o = c->order[i], class = c->object[o].class;
        bool node = class == CIM_ConnectivityNode || class == CIM_TopologicalNode;
        bool part = pofi_cim_role(class) > CIM_ROLE_PASSIVE;
        if (nodes ? !node : !part) {
            continue;
        }
        /* A connectivity node and its topological node often have one name; only one becomes a node. */
        bool like = last != POF_NONE && (!nodes || c->object[last].class == class);
        if (like && pof_text_eq(pofi_cim_text(c, o, CIM_IdentifiedObject_name),
                                pofi_cim_text(c, last, CIM_IdentifiedObject_name))) {
            c->object[o].shared = c->object[last].shared = true;
        }
        last = o;
    }
}

static int refer(struct pofi_cim *c)
{
    size_t n = 0;
    for (size_t o = 0; o < c->ids.n; o++) {
        for (uint32_t v = c->object[o].first; v != POF_NONE; v = c->value[v].next) {
            n += c->value[v].target != POF_NONE;
        }
    }
    int rc = pof_calloc(&c->back, n, sizeof *c->back, c->err);
    for (size_t o = 0; o < c->ids.n && rc == 0; o++) {
        for (uint32_t v = c->object[o].first; v != POF_NONE; v = c->value[v].next) {
            if (c->value[v].target != POF_NONE) {
                c->back[c->backs++] =
                    (struct pofi_cim_back){c->value[v].prop, c->value[v].target, (uint32_t)o};
            }
        }
    }
    if (rc == 0) {
        qsort_r(c->back, c->backs, sizeof *c->back, by_target, c);
    }
    return rc;
}

static int arrange(struct pofi_cim *c)
{
    size_t n = c->ids.n;
    int rc = pof_calloc(&c->order, n, sizeof *c->order, c->err);
    rc = rc ? rc : pof_calloc(&c->rank, n, sizeof *c->rank, c->err);
    rc = rc ? rc : pof_calloc(&c->node_of, n, sizeof *c->node_of, c->err);
    rc = rc ? rc : pof_calloc(&c->branch_of, n, sizeof *c->branch_of, c->err);
    if (rc) {
        return rc;
    }
    for (size_t i = 0; i < n; i++) {
        struct pofi_cim_object *o = &c->object[i];
        /* Exports that know rdf:about only mean it as rdf:ID. */
        o->defined = o->defined || (!c->any_id && o->class != POF_NONE);
        c->undescribed += !o->defined && o->class != POF_NONE && o->class != CIM_FullModel;
        c->order[i] = (uint32_t)i;
        c->node_of[i] = c->branch_of[i] = POF_NONE;
    }
    qsort_r(c->order, n, sizeof *c->order, by_name, c);
    for (size_t i = 0; i < n; i++) {
        c->rank[c->order[i]] = (uint32_t)i;
    }
    mark_shared(c, true);
    mark_shared(c, false);
    return refer(c);
}

int pofi_cim_read_all(struct pofi_cim *c)
{
    int rc = know_names(&c->classes, class_names, CIM_CLASSES, c->err);
    rc = rc ? rc : know_names(&c->props, prop_names, CIM_PROPS, c->err);
    for (size_t i = 0; i < c->input->documents && rc == 0; i++) {
        rc = read_document(c, (uint32_t)i);
    }
    if (rc == 0 && (!c->any_cim || c->ids.n == 0)) {
        rc = pof_fail(c->err, POF_E_SCHEMA, "an RDF document without objects of the Common Information Model");
        pof_at(c->err, c->input->documents ? c->input->document[0].name : NULL, 1, NULL);
    }
    return rc ? rc : arrange(c);
}

void pofi_cim_release(struct pofi_cim *c)
{
    pof_names_release(&c->ids);
    pof_names_release(&c->classes);
    pof_names_release(&c->props);
    free(c->object);
    free(c->value);
    free(c->back);
    free(c->order);
    free(c->rank);
    free(c->node_of);
    free(c->object_of);
    free(c->branch_of);
    free(c->machine);
    free(c->fed);
    pof_arena_release(&c->arena);
}
