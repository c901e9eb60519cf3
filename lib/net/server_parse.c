/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of HTTP/1.1 (RFC 9112), read strictly: what could be read in two ways is refused. */
#include "net/server.h"

#include <string.h>
#include <strings.h>

enum {
    BAD_REQUEST = 400,
    TOO_LARGE = 413,
    LENGTH_REQUIRED = 411,
    HEADERS_TOO_LARGE = 431,
    NOT_IMPLEMENTED = 501,
    VERSION = 505
};

/* The next line of a head without CR LF; a bare LF is refused (RFC 9112 2.2 allows that). */
static bool take_line(struct pof_text *rest, struct pof_text *line)
{
    const char *lf = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
    if (!lf || lf == rest->ptr || lf[-1] != '\r') {
        return false;
    }
    *line = (struct pof_text){rest->ptr, (size_t)(lf - rest->ptr) - 1};
    rest->len -= line->len + 2;
    rest->ptr = lf + 1;
    return memchr(line->ptr, '\r', line->len) == NULL && memchr(line->ptr, 0, line->len) == NULL;
}

static bool is_token(struct pof_text t)
{
    for (size_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.ptr[i];
        if (c <= 0x20 || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c)) {
            return false;
        }
    }
    return t.len > 0;
}

static struct pof_text cut_at(struct pof_text *rest, char c)
{
    const char *at = rest->len ? memchr(rest->ptr, c, rest->len) : NULL;
    struct pof_text part = {rest->ptr, at ? (size_t)(at - rest->ptr) : rest->len};
    size_t used = at ? part.len + 1 : part.len;
    rest->ptr += used;
    rest->len -= used;
    return part;
}

static int request_line(struct pof_text line, struct pof_server_parsed *out)
{
    out->request.method = cut_at(&line, ' ');
    out->request.target = cut_at(&line, ' ');
    struct pof_text t = out->request.target;
    if (!is_token(out->request.method) || t.len == 0 || t.ptr[0] != '/') {
        return BAD_REQUEST;
    }
    for (size_t i = 0; i < t.len; i++) {
        if ((unsigned char)t.ptr[i] <= 0x20 || (unsigned char)t.ptr[i] >= 0x7f) {
            return BAD_REQUEST;
        }
    }
    out->keep = pof_text_is(line, "HTTP/1.1");
    return out->keep || pof_text_is(line, "HTTP/1.0")           ? 0
           : line.len == 8 && memcmp(line.ptr, "HTTP/", 5) == 0 ? VERSION
                                                                : BAD_REQUEST;
}

static bool is(struct pof_text t, const char *word)
{
    return t.len == strlen(word) && strncasecmp(t.ptr, word, t.len) == 0;
}

/* A length in digits, at most 18 of them. */
static bool take_length(struct pof_text value, size_t *length)
{
    size_t v = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9') {
            return false;
        }
        v = v * 10 + (size_t)(value.ptr[i] - '0');
    }
    *length = v;
    return value.len > 0 && value.len <= 18;
}

/* What the headers say of the body. */
struct body {
    bool has_length;
    size_t length;
};

static int header(struct pof_text line, struct pof_server_parsed *out, struct body *body)
{
    struct pof_text value = line;
    struct pof_text name = cut_at(&value, ':');
    if (!is_token(name) || name.len == line.len) {
        return BAD_REQUEST; /* folded lines and spaces before the colon too */
    }
    while (value.len && (*value.ptr == ' ' || *value.ptr == '\t')) {
        value.ptr++;
        value.len--;
    }
    while (value.len && (value.ptr[value.len - 1] == ' ' || value.ptr[value.len - 1] == '\t')) {
        value.len--;
    }
    if (is(name, "Transfer-Encoding")) {
        return NOT_IMPLEMENTED;
    }
    if (is(name, "Content-Length")) {
        bool again = body->has_length; /* two lengths: two readings */
        body->has_length = true;
        return again || !take_length(value, &body->length) ? BAD_REQUEST : 0;
    }
    if (is(name, "Connection") && is(value, "close")) {
        out->keep = false;
    }
    out->expects = out->expects || (is(name, "Expect") && is(value, "100-continue"));
    return 0;
}

enum pof_server_parse pof_server_parse(struct pof_text bytes, size_t max_body,
                                       struct pof_server_parsed *out)
{
    *out = (struct pof_server_parsed){.status = 0};
    struct body body = {false, 0};
    const char *end = bytes.len ? memmem(bytes.ptr, bytes.len, "\r\n\r\n", 4) : NULL;
    if (!end || (size_t)(end - bytes.ptr) + 4 > POF_SERVER_HEAD_MAX) {
        out->status = HEADERS_TOO_LARGE;
        return end || bytes.len >= POF_SERVER_HEAD_MAX ? POF_SERVER_BAD : POF_SERVER_MORE;
    }
    size_t head = (size_t)(end - bytes.ptr) + 4;
    struct pof_text rest = {bytes.ptr, head - 2};
    struct pof_text line;
    out->status = take_line(&rest, &line) ? request_line(line, out) : BAD_REQUEST;
    while (out->status == 0 && rest.len) {
        out->status = take_line(&rest, &line) ? header(line, out, &body) : BAD_REQUEST;
    }
    if (out->status == 0 && !body.has_length && pof_text_is(out->request.method, "POST")) {
        out->status = LENGTH_REQUIRED;
    }
    if (out->status == 0 && body.length > max_body) {
        out->status = TOO_LARGE;
    }
    if (out->status) {
        return POF_SERVER_BAD;
    }
    if (bytes.len - head < body.length) {
        return POF_SERVER_MORE;
    }
    out->request.body = (struct pof_text){bytes.ptr + head, body.length};
    out->used = head + body.length;
    return POF_SERVER_WHOLE;
}
