/* SPDX-License-Identifier: Apache-2.0 */
/* The server's connections. */
#include "net/server.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 64, REQUEST_MS = 10000, IDLE_MS = 30000, CHUNK = 16384 };

struct connection {
    int fd;
    int64_t until;      /* ms; closed then */
    struct pof_buf in;  /* bytes of requests */
    struct pof_buf out; /* bytes of answers, from sent on */
    size_t sent;
    bool closing;   /* after what is in `out` */
    bool continued; /* "100 Continue" was sent for the request in `in` */
};

struct pof_server {
    struct pof_server_options o;
    int fd;
    unsigned port;
    struct connection c[CONNECTIONS];
    size_t n;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- listening --- */

/* "HOST:PORT", the host in brackets when it has colons. */
static bool split_address(const char *address, char host[256], const char **port)
{
    const char *colon = strrchr(address, ':');
    size_t n = colon ? (size_t)(colon - address) : 0;
    if (!colon || n == 0 || n >= 256 || !colon[1] || strspn(colon + 1, "0123456789") > 5 ||
        colon[1 + strspn(colon + 1, "0123456789")]) {
        return false;
    }
    bool brackets = address[0] == '[' && colon[-1] == ']';
    memcpy(host, address + brackets, n - 2 * (size_t)brackets);
    host[n - 2 * (size_t)brackets] = '\0';
    *port = colon + 1;
    return true;
}

static int bind_one(const struct addrinfo *a, unsigned *port)
{
    int one = 1;
    struct sockaddr_storage own;
    socklen_t size = sizeof own;
    char text[16];
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    if (fd < 0) {
        return -1;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, a->ai_addr, a->ai_addrlen) != 0 || listen(fd, CONNECTIONS) != 0 ||
        getsockname(fd, (struct sockaddr *)&own, &size) != 0 ||
        getnameinfo((struct sockaddr *)&own, size, NULL, 0, text, sizeof text, NI_NUMERICSERV)) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    *port = (unsigned)strtoul(text, NULL, 10);
    return fd;
}

int pof_server_open(struct pof_server **out, const struct pof_server_options *options,
                    struct pof_err *err)
{
    char host[256];
    const char *port;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST};
    struct addrinfo *list;
    if (!split_address(options->address, host, &port) ||
        getaddrinfo(host, port, &hints, &list) != 0) {
        return pof_fail(err, POF_E_USAGE, "'%.80s' is not an address of the form 127.0.0.1:8080",
                        options->address);
    }
    struct pof_server *s;
    int rc = pof_calloc(&s, 1, sizeof *s, err);
    if (rc) {
        freeaddrinfo(list);
        return rc;
    }
    s->o = *options;
    s->fd = bind_one(list, &s->port);
    freeaddrinfo(list);
    if (s->fd < 0) {
        rc = pof_fail_errno(err, POF_E_UNAVAILABLE, errno, "cannot listen on '%.80s'",
                            options->address);
        pof_server_close(s);
        return rc;
    }
    *out = s;
    return 0;
}

unsigned pof_server_port(const struct pof_server *s)
{
    return s->port;
}

/* --- connections --- */

static void drop(struct pof_server *s, size_t i)
{
    close(s->c[i].fd);
    pof_buf_release(&s->c[i].in);
    pof_buf_release(&s->c[i].out);
    s->c[i] = s->c[--s->n];
}

void pof_server_close(struct pof_server *s)
{
    if (s) {
        while (s->n) {
            drop(s, 0);
        }
        if (s->fd >= 0) {
            close(s->fd);
        }
        free(s);
    }
}

/* Room for one more: who waited longest makes it. */
static void make_room(struct pof_server *s)
{
    size_t oldest = 0;
    for (size_t i = 1; i < s->n; i++) {
        oldest = s->c[i].until < s->c[oldest].until ? i : oldest;
    }
    if (s->n == CONNECTIONS) {
        drop(s, oldest);
    }
}

static void accept_one(struct pof_server *s)
{
    int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        make_room(s);
        s->c[s->n++] = (struct connection){.fd = fd, .until = now_ms() + REQUEST_MS};
    }
}

static const char *reason(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 409:
        return "Conflict";
    case 411:
        return "Length Required";
    case 413:
        return "Content Too Large";
    case 422:
        return "Unprocessable Content";
    case 431:
        return "Request Header Fields Too Large";
    case 501:
        return "Not Implemented";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Answer";
    }
}

static int add_reply(struct connection *c, const struct pof_server_reply *r, struct pof_err *err)
{
    int rc = pof_buf_addf(&c->out, err,
                          "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s\r\n",
                          r->status, reason(r->status), r->type, r->body.len,
                          c->closing ? "Connection: close\r\n" : "");
    return rc ? rc : pof_buf_add(&c->out, r->body.data, r->body.len, err);
}

/* Answers what cannot be read as a request, and the connection ends. */
static int add_refusal(struct connection *c, int status, struct pof_err *err)
{
    struct pof_server_reply r = {.status = status, .type = "text/plain; charset=utf-8"};
    c->closing = true;
    int rc = pof_buf_addf(&r.body, err, "%s\n", reason(status));
    rc = rc ? rc : add_reply(c, &r, err);
    pof_buf_release(&r.body);
    return rc;
}

static int add_answer(struct pof_server *s, struct connection *c, const struct pof_server_parsed *p,
                      struct pof_err *err)
{
    struct pof_server_reply r = {.status = 404, .type = "text/plain; charset=utf-8"};
    c->closing = !p->keep;
    int rc = s->o.handle(s->o.ctx, &p->request, &r, err);
    rc = rc ? rc : add_reply(c, &r, err);
    pof_buf_release(&r.body);
    return rc;
}

/* Answers every whole request in c->in, as long as the answers are taken. */
static int answer(struct pof_server *s, struct connection *c, struct pof_err *err)
{
    int rc = 0;
    while (rc == 0 && !c->closing && c->in.len && c->out.len < CHUNK) {
        struct pof_server_parsed p;
        enum pof_server_parse what =
            pof_server_parse((struct pof_text){c->in.data, c->in.len}, s->o.max_body, &p);
        if (what == POF_SERVER_MORE) {
            if (p.expects && !c->continued) {
                c->continued = true;
                rc = pof_buf_adds(&c->out, "HTTP/1.1 100 Continue\r\n\r\n", err);
            }
            break;
        }
        rc = what == POF_SERVER_BAD ? add_refusal(c, p.status, err) : add_answer(s, c, &p, err);
        size_t left = c->in.len - p.used;
        memmove(c->in.data, c->in.data + p.used, left);
        c->in.len = left;
        c->continued = false;
        c->until = now_ms() + (left ? REQUEST_MS : IDLE_MS);
    }
    return rc;
}

/* Takes what has come; false: the connection is over. */
static bool receive(struct pof_server *s, struct connection *c)
{
    char some[CHUNK];
    size_t max = POF_SERVER_HEAD_MAX + s->o.max_body;
    ssize_t n = recv(c->fd, some, sizeof some, 0);
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    if (n == 0 || c->in.len + (size_t)n > max + CHUNK) {
        return false;
    }
    if (c->in.len == 0) {
        c->until = now_ms() + REQUEST_MS;
    }
    return pof_buf_add(&c->in, some, (size_t)n, NULL) == 0;
}

static bool send_some(struct connection *c)
{
    while (c->sent < c->out.len) {
        ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL);
        if (n < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        c->sent += (size_t)n;
    }
    c->out.len = c->sent = 0;
    return !c->closing;
}

/* One connection that poll says something of; *over when it is to be dropped. */
static int serve(struct pof_server *s, struct connection *c, short events, bool *over,
                 struct pof_err *err)
{
    *over =
        (events & (POLLERR | POLLNVAL)) != 0 || ((events & (POLLIN | POLLHUP)) && !receive(s, c));
    size_t before;
    int rc = 0;
    do { /* again while requests that came together wait for room in `out` */
        before = c->in.len;
        rc = *over ? 0 : answer(s, c, err);
        *over = *over || rc || !send_some(c);
    } while (!*over && c->out.len == 0 && c->in.len && c->in.len < before);
    return rc;
}

static int round_of(struct pof_server *s, struct pof_err *err)
{
    struct pollfd p[CONNECTIONS + 1] = {{.fd = s->fd, .events = POLLIN}};
    int64_t now = now_ms();
    int64_t wait = IDLE_MS;
    size_t n = s->n;
    for (size_t i = 0; i < n; i++) {
        struct connection *c = &s->c[i];
        short read = c->closing || c->out.len >= CHUNK ? 0 : POLLIN;
        p[i + 1] = (struct pollfd){.fd = c->fd,
                                   .events = (short)(read | (c->sent < c->out.len ? POLLOUT : 0))};
        wait = c->until - now < wait ? c->until - now : wait;
    }
    if (poll(p, n + 1, (int)(wait < 0 ? 0 : wait)) < 0 && errno != EINTR) {
        return pof_fail_errno(err, POF_E_INTERNAL, errno, "cannot wait for connections");
    }
    now = now_ms();
    int rc = 0;
    for (size_t i = n; i-- > 0 && rc == 0;) { /* from the end: drop() fills the gap from there */
        bool over = now >= s->c[i].until;
        if (!over && p[i + 1].revents) {
            rc = serve(s, &s->c[i], p[i + 1].revents, &over, err);
        }
        if (over) {
            drop(s, i);
        }
    }
    if (rc == 0 && p[0].revents & POLLIN) {
        accept_one(s);
    }
    return rc;
}

int pof_server_run(struct pof_server *s, struct pof_err *err)
{
    int rc;
    do {
        rc = round_of(s, err);
    } while (rc == 0);
    return rc;
}
