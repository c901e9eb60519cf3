/* SPDX-License-Identifier: Apache-2.0 */
/* Requests as the server reads them: whole at every cut, and what must be refused. */
#include "tap.h"

#include "net/server.h"

static enum pof_server_parse parse(const char *text, struct pof_server_parsed *p)
{
    return pof_server_parse(pof_text(text), 100, p);
}

static void good(void)
{
    static const char one[] = "POST /a/add-checkpoint HTTP/1.1\r\nHost: x\r\n"
                              "content-LENGTH:  5 \r\nX: a: b\r\n\r\nhello";
    struct pof_server_parsed p;
    ok(parse(one, &p) == POF_SERVER_WHOLE && p.used == sizeof one - 1 && p.keep && !p.expects,
       "a POST");
    ok(pof_text_is(p.request.method, "POST") &&
           pof_text_is(p.request.target, "/a/add-checkpoint") &&
           pof_text_is(p.request.body, "hello"),
       "its parts");
    int early = 0;
    for (size_t n = 0; n < sizeof one - 1; n++) {
        early += pof_server_parse((struct pof_text){one, n}, 100, &p) != POF_SERVER_MORE;
    }
    is_int(early, 0, "cut anywhere it waits for more");
    char two[2 * sizeof one];
    snprintf(two, sizeof two, "%s%s", one, one);
    ok(parse(two, &p) == POF_SERVER_WHOLE && p.used == sizeof one - 1, "the first of two");
    ok(parse("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", &p) == POF_SERVER_WHOLE && !p.keep,
       "a GET that closes");
    ok(parse("GET / HTTP/1.0\r\n\r\n", &p) == POF_SERVER_WHOLE && !p.keep, "of HTTP/1.0");
    ok(parse("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", &p) ==
               POF_SERVER_MORE &&
           p.expects,
       "a client that waits to be told to go on");
}

static void refused(void)
{
    static const struct {
        const char *text;
        int status;
    } table[] = {
        {"POST / HTTP/1.1\r\n\r\n", 411},
        {"POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n", 413},
        {"POST / HTTP/1.1\r\nContent-Length: 18446744073709551617\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400},
        {"POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\nhello", 400},
        {"POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\nhello", 400},
        {"POST / HTTP/1.1\r\nContent-Length:\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nContent-Length : 5\r\n\r\nhello", 400},
        {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501},
        {"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello", 501},
        {"POST / HTTP/1.1\r\nA: b\r\n c\r\nContent-Length: 5\r\n\r\nhello", 400},
        {"POST / HTTP/1.1\nContent-Length: 5\r\n\r\nhello", 400},
        {"POST / HTTP/1.1\r\nno colon\r\n\r\n", 400},
        {"POST / HTTP/2.0\r\n\r\n", 505},
        {"POST / FTP\r\n\r\n", 400},
        {"POST  / HTTP/1.1\r\n\r\n", 400},
        {"POST http://x/ HTTP/1.1\r\n\r\n", 400},
        {"P(ST / HTTP/1.1\r\n\r\n", 400},
        {"POST /\x7f HTTP/1.1\r\n\r\n", 400},
        {" POST / HTTP/1.1\r\n\r\n", 400},
        {"\r\n\r\n", 400}};
    struct pof_server_parsed p;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        bool bad = parse(table[i].text, &p) == POF_SERVER_BAD;
        ok(bad && p.status == table[i].status, "request %d: %d", (int)i, p.status);
    }
    static char head[POF_SERVER_HEAD_MAX + 100];
    memset(head, 'a', sizeof head);
    ok(pof_server_parse((struct pof_text){head, POF_SERVER_HEAD_MAX - 1}, 100, &p) ==
               POF_SERVER_MORE &&
           pof_server_parse((struct pof_text){head, POF_SERVER_HEAD_MAX}, 100, &p) ==
               POF_SERVER_BAD &&
           p.status == 431,
       "headers without an end");
}

static int never(void *ctx, const struct pof_server_request *request,
                 struct pof_server_reply *reply, struct pof_err *err)
{
    (void)ctx;
    (void)request;
    (void)reply;
    return pof_fail(err, POF_E_INTERNAL, "asked");
}

static void addresses(void)
{
    static const char *const bad[] = {
        "",        "127.0.0.1", "127.0.0.1:",   ":80",    "localhost:80",
        "1.2.3:x", "[::1]",     "127.0.0.1:1:", "[::1:80"};
    struct pof_server *s;
    struct pof_err err = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pof_server_options o = {.address = bad[i], .handle = never};
        is_int(pof_server_open(&s, &o, &err), POF_E_USAGE, bad[i]);
    }
    struct pof_server_options o = {.address = "127.0.0.1:0", .handle = never};
    if (ok(pof_server_open(&s, &o, &err) == 0 && pof_server_port(s) > 0, "a free port")) {
        char same[32];
        struct pof_server *other;
        snprintf(same, sizeof same, "127.0.0.1:%u", pof_server_port(s));
        struct pof_server_options again = {.address = same, .handle = never};
        is_int(pof_server_open(&other, &again, &err), POF_E_UNAVAILABLE, "which is then taken");
        pof_server_close(s);
    }
    pof_server_close(NULL);
}

int main(void)
{
    good();
    refused();
    addresses();
    return done();
}
