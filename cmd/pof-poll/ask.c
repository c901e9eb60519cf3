/* SPDX-License-Identifier: Apache-2.0 */
/* One request of pof-poll, and what becomes of the answer. */
#include "parts.h"

#include "net/http.h"

#include <string.h>

/* What was last there, as the shelf's note says: lines of URL, digest, entity tag and date. */
struct last {
    struct pof_text url, digest, etag, modified;
};

static struct last recall(const struct polling *p)
{
    struct pof_text note = pof_shelf_note(p->shelf);
    struct pof_text line[4] = {{"", 0}, {"", 0}, {"", 0}, {"", 0}};
    for (size_t i = 0; i < 4 && note.len; i++) {
        const char *lf = memchr(note.ptr, '\n', note.len);
        size_t n = lf ? (size_t)(lf - note.ptr) : note.len;
        line[i] = (struct pof_text){note.ptr, n};
        n += lf != NULL;
        note = (struct pof_text){note.ptr + n, note.len - n};
    }
    struct last none = {{"", 0}, {"", 0}, {"", 0}, {"", 0}};
    struct last last = {line[0], line[1], line[2], line[3]};
    return pof_text_is(last.url, p->a->url) ? last : none; /* another document has nothing to say of this */
}

static void copy(char *to, size_t size, struct pof_text t)
{
    size_t n = t.len < size ? t.len : 0;
    memcpy(to, t.ptr, n);
    to[n] = '\0';
}

static int on_bytes(void *ctx, const void *bytes, size_t n, struct pof_err *err)
{
    struct polling *p = ctx;
    struct pof_sink to = pof_shelf_sink(p->shelf);
    pof_sha256_add(&p->sha, bytes, n);
    p->bytes += n;
    return to.write(to.ctx, bytes, n, err);
}

int poll_tell(struct polling *p, const char *path, struct pof_err *err)
{
    p->line.len = 0;
    p->files++;
    int rc = pof_buf_addf(&p->line, err, "%s\n", path);
    return rc ? rc : p->names.write(p->names.ctx, p->line.data, p->line.len, err);
}

/* A document came whole: it lands, unless it is the one that came before. */
static int land(struct polling *p, const struct pof_http_version *version, struct pof_err *err)
{
    uint8_t digest[POF_SHA256_BYTES];
    char hex[POF_SHA256_HEX];
    const char *path;
    pof_sha256_end(&p->sha, digest);
    pof_sha256_hex(digest, hex);
    bool same = pof_text_eq(recall(p).digest, (struct pof_text){hex, sizeof hex});
    p->line.len = 0;
    if (p->bytes == 0) { /* a file that is just being written there, rather than a document */
        p->same++;
        return 0;
    }
    int rc = pof_buf_addf(&p->line, err, "%s\n%.*s\n%s\n%s\n", p->a->url, (int)sizeof hex, hex, version->etag,
                          version->modified);
    struct pof_text note = {p->line.data, p->line.len};
    if (rc == 0 && same) {
        p->same++;
        return pof_shelf_renote(p->shelf, note, err);
    }
    rc = rc ? rc : pof_shelf_keep(p->shelf, note, &path, err);
    return rc ? rc : poll_tell(p, path, err);
}

int poll_ask(struct polling *p, int64_t *wait_s, struct pof_err *err)
{
    const struct args *a = p->a;
    struct last last = recall(p);
    struct pof_http_options how = {.connect_s = (long)a->connect_s,
                                   .stall_s = (long)a->timeout_s,
                                   .whole_s = (long)a->timeout_s,
                                   .max_bytes = (uint64_t)a->max_bytes,
                                   .ca = a->ca,
                                   .cert = a->cert,
                                   .key = a->key,
                                   .token = p->token.data};
    struct pof_http_fetch f = {.to = {on_bytes, p, a->spool}};
    copy(f.version.etag, sizeof f.version.etag, last.etag);
    copy(f.version.modified, sizeof f.version.modified, last.modified);
    pof_sha256_init(&p->sha);
    p->bytes = 0;
    p->requests++;
    int rc = pof_shelf_begin(p->shelf, err);
    rc = rc ? rc : pof_http_fetch(a->url, &how, &f, err);
    *wait_s = f.wait_s;
    p->same += rc == 0 && f.same;
    return rc || f.same ? rc : land(p, &f.version, err);
}
