/* SPDX-License-Identifier: Apache-2.0 */
/* The door to expat. */
#include "record/xml.h"

#include "base/mem.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

struct parsing {
    XML_Parser parser;
    const struct pof_xml_taker *taker;
    struct pof_buf text;
    size_t begin[POF_XML_DEPTH]; /* where the text of each open element begins in text */
    int depth;
    uint64_t *line;
    int rc;
    struct pof_err *err;
};

const char *pof_xml_local(const char *name)
{
    const char *blank = strrchr(name, ' ');
    return blank ? blank + 1 : name;
}

static void stop(struct parsing *p, int rc)
{
    if (p->rc == 0) {
        p->rc = rc;
        XML_StopParser(p->parser, XML_FALSE);
    }
}

static void keep_line(struct parsing *p)
{
    if (p->line) {
        *p->line = XML_GetCurrentLineNumber(p->parser);
    }
}

static void XMLCALL on_start(void *user, const XML_Char *name, const XML_Char **attr)
{
    struct parsing *p = user;
    if (p->rc) {
        return;
    }
    if (p->depth == POF_XML_DEPTH) {
        stop(p, pof_fail(p->err, POF_E_DEPTH, "more than %d elements within each other", POF_XML_DEPTH));
        return;
    }
    p->begin[p->depth++] = p->text.len;
    keep_line(p);
    int rc = p->taker->open(p->taker->ctx, name, (const char *const *)attr, p->err);
    if (rc) {
        stop(p, rc);
    }
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void XMLCALL on_end(void *user, const XML_Char *name)
{
    struct parsing *p = user;
    if (p->rc) {
        return;
    }
    size_t from = p->begin[--p->depth], to = p->text.len;
    p->text.len = from;
    while (from < to && blank(p->text.data[from])) {
        from++;
    }
    while (to > from && blank(p->text.data[to - 1])) {
        to--;
    }
    struct pof_text text = {to > from ? p->text.data + from : "", to - from};
    keep_line(p);
    int rc = p->taker->close(p->taker->ctx, name, text, p->err);
    if (rc) {
        stop(p, rc);
    }
}

static void XMLCALL on_text(void *user, const XML_Char *bytes, int n)
{
    struct parsing *p = user;
    if (p->rc || p->depth == 0) {
        return;
    }
    if (p->text.len - p->begin[p->depth - 1] + (size_t)n > POF_XML_TEXT_MAX) {
        stop(p, pof_fail(p->err, POF_E_TOO_LONG, "the text of an element has more than %d bytes",
                         POF_XML_TEXT_MAX));
        return;
    }
    int rc = pof_buf_add(&p->text, bytes, (size_t)n, p->err);
    if (rc) {
        stop(p, rc);
    }
}

static void XMLCALL on_doctype(void *user, const XML_Char *name, const XML_Char *system,
                               const XML_Char *public, int has_internal)
{
    (void)name, (void)system, (void)public, (void)has_internal;
    struct parsing *p = user;
    stop(p, pof_fail(p->err, POF_E_SYNTAX,
                     "a document type declaration is not accepted: entities could grow without bound; "
                     "remove it"));
}

/* What came of a piece that expat took. */
static int outcome(struct parsing *p, enum XML_Status status)
{
    if (p->rc || status == XML_STATUS_OK) {
        return p->rc;
    }
    enum XML_Error code = XML_GetErrorCode(p->parser);
    return code == XML_ERROR_NO_MEMORY ? pof_fail(p->err, POF_E_NOMEM, "out of memory in an XML document")
                                       : pof_fail(p->err, POF_E_SYNTAX, "not well-formed XML: %s",
                                                  XML_ErrorString(code));
}

static int feed(struct parsing *p, const struct pof_source *src)
{
    char piece[1 << 16]; /* bounds what expat keeps of a token that goes on */
    int64_t fed = 0;
    for (;;) {
        ssize_t n = src->read(src->ctx, piece, sizeof piece, p->err);
        if (n < 0) {
            return (int)n;
        }
        int rc = outcome(p, XML_Parse(p->parser, piece, (int)n, n == 0));
        if (rc || n == 0) {
            return rc;
        }
        fed += n;
        if (fed - XML_GetCurrentByteIndex(p->parser) > POF_XML_TOKEN_MAX) {
            return pof_fail(p->err, POF_E_TOO_LONG, "a tag or comment has more than %d bytes", POF_XML_TOKEN_MAX);
        }
    }
}

int pof_xml_read(const struct pof_source *src, const struct pof_xml_taker *taker, uint64_t *line,
                 struct pof_err *err)
{
    struct pof_err own = {0};
    struct parsing p = {.taker = taker, .line = line, .err = err ? err : &own};
    p.parser = XML_ParserCreateNS(NULL, ' ');
    if (!p.parser) {
        return pof_fail(p.err, POF_E_NOMEM, "out of memory for an XML document");
    }
    XML_SetUserData(p.parser, &p);
    XML_SetElementHandler(p.parser, on_start, on_end);
    XML_SetCharacterDataHandler(p.parser, on_text);
    XML_SetStartDoctypeDeclHandler(p.parser, on_doctype);
    int rc = feed(&p, src);
    if (rc) {
        rc = pof_at(p.err, src->name, XML_GetCurrentLineNumber(p.parser), NULL);
    }
    XML_ParserFree(p.parser);
    pof_buf_release(&p.text);
    return rc;
}

int pof_xml_parse(struct pof_text document, const char *name, const struct pof_xml_taker *taker,
                  uint64_t *line, struct pof_err *err)
{
    struct pof_memory m = {document.ptr, document.len};
    struct pof_source src = pof_source_memory(&m, name);
    return pof_xml_read(&src, taker, line, err);
}

/* --- writing --- */

int pof_xml_add(struct pof_buf *to, struct pof_text t, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; i < t.len && rc == 0; i++) {
        char c = t.ptr[i];
        const char *as = c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : NULL;
        if ((unsigned char)c < ' ') { /* XML 1.0 has no such characters, or reads them as blanks */
            return pof_fail(err, POF_E_ENCODING, "'%.*s' has a control character, which XML cannot say",
                            (int)t.len, t.ptr);
        }
        rc = as ? pof_buf_adds(to, as, err) : pof_buf_add(to, &c, 1, err);
    }
    return rc;
}
