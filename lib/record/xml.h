/* SPDX-License-Identifier: Apache-2.0 */
/* XML documents as a stream of elements. The only module that knows expat.
 *
 * Nothing outside the text is looked at and nothing in it can grow: a document type declaration, and
 * with it every entity of its own, is refused; nesting and the text of one element are bounded.
 * UTF-8, UTF-16, ISO-8859-1 and US-ASCII are read, texts are handed on in UTF-8. */
#ifndef POF_RECORD_XML_H
#define POF_RECORD_XML_H

#include "base/stream.h"
#include "base/text.h"

enum {
    POF_XML_DEPTH = 32,        /* elements within each other */
    POF_XML_TEXT_MAX = 1 << 20, /* bytes of text directly in one element */
    POF_XML_TOKEN_MAX = 1 << 22 /* bytes of a tag or comment */
};

/* Names are "NAMESPACE LOCAL" with one blank between, or "LOCAL" without a namespace. attr is a list
 * of names and values, ended by NULL. All texts live as long as the call. */
struct pof_xml_taker {
    int (*open)(void *ctx, const char *name, const char *const *attr, struct pof_err *err);
    /* text: what stood directly in the element, without white space around it. */
    int (*close)(void *ctx, const char *name, struct pof_text text, struct pof_err *err);
    void *ctx;
};

/* The part of a name behind its namespace. */
const char *pof_xml_local(const char *name);

/* Goes through a document; name is for messages. What a callback returns ends it when
 * it is not 0; errors without a place get the present line. line (may be NULL) is kept at the line of
 * the present element while callbacks run. SYNTAX, DEPTH, TOO_LONG, NOMEM. O(len). */
int pof_xml_parse(struct pof_text document, const char *name, const struct pof_xml_taker *taker,
                  uint64_t *line, struct pof_err *err) POF_CHECKED;
/* The same from a source, in memory that does not grow with the document, which may be endless. */
int pof_xml_read(const struct pof_source *src, const struct pof_xml_taker *taker, uint64_t *line,
                 struct pof_err *err) POF_CHECKED;

/* Adds text as it must stand in an element or in the value of an attribute. ENCODING: control characters. */
int pof_xml_add(struct pof_buf *to, struct pof_text t, struct pof_err *err) POF_CHECKED;

#endif
