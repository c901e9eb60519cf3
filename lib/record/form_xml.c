/* SPDX-License-Identifier: Apache-2.0 */
/* XML of meters and control centres, as a stream. The outermost element that a part knows, however deep
 * within an envelope, says which part reads it. A document that breaks off ends its source: what was
 * handed on until there is whole, and the break is a reject. */
#include "record/form.h"

#include "record/xml.h"

#include <string.h>

static const struct pofi_xml_part *const parts[] = {&pofi_meter_readings, &pofi_analogs};

struct document {
    struct pofi_feed *f;
    const struct pofi_xml_part *part; /* NULL: outside */
    void *state;
    int depth, outside; /* elements open; of these around the part */
    uint64_t line;
    bool found;
};

static int on_open(void *ctx, const char *name, const char *const *attr, struct pof_err *err)
{
    struct document *d = ctx;
    d->depth++;
    if (d->part) {
        return d->part->open(d->state, name, attr, err);
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (strcmp(pof_xml_local(name), parts[i]->root) == 0) {
            d->part = parts[i];
            d->outside = d->depth - 1;
            d->found = true;
            return parts[i]->begin(&d->state, d->f, err);
        }
    }
    return 0;
}

static int on_close(void *ctx, const char *name, struct pof_text text, struct pof_err *err)
{
    struct document *d = ctx;
    d->depth--;
    if (!d->part) {
        return 0;
    }
    if (d->depth > d->outside) {
        return d->part->close(d->state, name, text, d->line, err);
    }
    int rc = d->part->finish(d->state, err);
    d->part->release(d->state);
    d->part = NULL;
    d->state = NULL;
    return rc;
}

static int read_xml(struct pofi_feed *f, const struct pof_source *src, struct pof_err *err)
{
    struct document d = {.f = f, .line = 1};
    const struct pof_xml_taker taker = {on_open, on_close, &d};
    int rc = pof_xml_read(src, &taker, &d.line, err);
    if (rc == 0 && !d.found) {
        rc = pof_fail(err, POF_E_SCHEMA, "XML without MeterReadings (IEC 61968-9) and without RDF (IEC 61970)");
        d.line = 1;
    }
    if (d.part) {
        d.part->release(d.state);
    }
    if (rc && pof_errinfo(err->code)->exit_status == 65) {
        struct pof_origin o = {.source = f->name, .line = err->line ? err->line : d.line, .offset = POF_NO_OFFSET};
        f->why = *err;
        rc = pofi_feed_refuse(f, &o, err);
    }
    return rc;
}

static bool begins(const struct pof_form_options *how, struct pof_text head)
{
    (void)how;
    /* UTF-16 with its mark, as expat takes it, or any tag. */
    return *head.ptr == '<' || (head.len >= 2 && (memcmp(head.ptr, "\xff\xfe", 2) == 0 ||
                                                  memcmp(head.ptr, "\xfe\xff", 2) == 0));
}

const struct pofi_form pofi_form_xml = {"xml", begins, read_xml};
