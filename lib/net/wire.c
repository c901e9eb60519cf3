/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets that do not block. */
#include "net/wire.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 65536, HOST = 256 };

struct pof_wire {
    const char *address;
    int fd;
    struct pof_tls *tls; /* NULL: plain */
    struct pof_buf in;   /* from pos on */
    size_t pos;
    struct pof_buf plain; /* to be sent, before TLS */
    struct pof_buf out;   /* to be sent, from sent on */
    size_t sent;
    int gone;  /* why nothing more can be sent; 0: it can */
    bool over; /* the server has said good-bye */
    char some[CHUNK];
};

int64_t pof_wire_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- connecting --- */

/* "HOST:PORT", the host in brackets when it has colons. */
static bool split(const char *address, char host[HOST], const char **port)
{
    const char *colon = strrchr(address, ':');
    size_t n = colon ? (size_t)(colon - address) : 0;
    if (n == 0 || n >= HOST || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        strtoul(colon + 1, NULL, 10) > 65535) {
        return false;
    }
    bool brackets = address[0] == '[' && colon[-1] == ']';
    n -= 2 * (size_t)brackets;
    memcpy(host, address + brackets, n);
    host[n] = '\0';
    *port = colon + 1;
    return n > 0 && (brackets || !strchr(host, ':'));
}

static int lost(const struct pof_wire *w, const char *what, int saved, struct pof_err *err)
{
    return saved ? pof_fail_errno(err, POF_E_UNAVAILABLE, saved, "'%.80s' %s", w->address, what)
                 : pof_fail(err, POF_E_UNAVAILABLE, "'%.80s' %s", w->address, what);
}

/* Connected within ms, or not: errno says why. */
static bool connect_one(struct pof_wire *w, const struct addrinfo *a, int64_t ms)
{
    int one = 1;
    int failed = 0;
    socklen_t size = sizeof failed;
    w->fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    if (w->fd < 0) {
        return false;
    }
    setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* acknowledgements are short */
    if (connect(w->fd, a->ai_addr, a->ai_addrlen) == 0) {
        return true;
    }
    failed = errno;
    if (failed == EINPROGRESS) {
        struct pollfd p = {.fd = w->fd, .events = POLLOUT};
        failed = ETIMEDOUT;
        if (poll(&p, 1, (int)ms) == 1) {
            getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &failed, &size);
        }
    }
    if (failed) {
        close(w->fd);
        w->fd = -1;
        errno = failed;
    }
    return failed == 0;
}

static int connect_any(struct pof_wire *w, const char *host, const char *port, int64_t ms,
                       struct pof_err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *list = NULL;
    int rc = getaddrinfo(host, port, &hints, &list);
    if (rc == EAI_NONAME || rc == EAI_FAMILY) { /* AI_ADDRCONFIG knows no loopback alone */
        hints.ai_flags = 0;
        rc = getaddrinfo(host, port, &hints, &list);
    }
    if (rc) {
        return pof_fail(err, POF_E_UNAVAILABLE, "'%.80s' cannot be found: %s", w->address,
                        gai_strerror(rc));
    }
    int saved = 0;
    for (const struct addrinfo *a = list; a && w->fd < 0; a = a->ai_next) {
        saved = connect_one(w, a, ms) ? 0 : errno;
    }
    freeaddrinfo(list);
    return w->fd >= 0 ? 0 : lost(w, "cannot be reached", saved, err);
}

static int start_tls(struct pof_wire *w, const struct pof_wire_options *o, const char *host,
                     struct pof_err *err)
{
    struct pof_tls_options how = {.host = host, .ca = o->ca, .cert = o->cert, .key = o->key};
    int64_t until = pof_wire_now() + o->connect_ms;
    int rc = pof_tls_open(&w->tls, &how, err);
    while (rc == 0 && !pof_tls_ready(w->tls)) {
        struct pof_wire_turn turn = {.ms = until - pof_wire_now(), .fd = -1};
        rc = turn.ms > 0 ? pof_wire_turn(w, &turn, err)
                         : lost(w, "does not answer the beginning of TLS", 0, err);
    }
    return rc;
}

int pof_wire_open(struct pof_wire **out, const struct pof_wire_options *options,
                  struct pof_err *err)
{
    char host[HOST];
    const char *port;
    struct pof_wire *w;
    *out = NULL;
    if (!split(options->address, host, &port)) {
        return pof_fail(err, POF_E_USAGE, "'%.80s' is not an address of the form HOST:PORT",
                        options->address);
    }
    int rc = pof_calloc(&w, 1, sizeof *w, err);
    if (rc) {
        return rc;
    }
    w->address = options->address;
    w->fd = -1;
    rc = connect_any(w, host, port, options->connect_ms, err);
    rc = rc || !options->tls ? rc : start_tls(w, options, host, err);
    if (rc) {
        pof_wire_close(w);
        return rc;
    }
    *out = w;
    return 0;
}

void pof_wire_close(struct pof_wire *w)
{
    if (w) {
        if (w->fd >= 0) {
            close(w->fd);
        }
        pof_tls_close(w->tls);
        pof_buf_release(&w->in);
        pof_buf_release(&w->plain);
        pof_buf_release(&w->out);
        free(w);
    }
}

/* --- bytes --- */

struct pof_text pof_wire_in(const struct pof_wire *w)
{
    return (struct pof_text){w->in.data ? w->in.data + w->pos : "", w->in.len - w->pos};
}

void pof_wire_take(struct pof_wire *w, size_t n)
{
    w->pos += n;
}

struct pof_buf *pof_wire_out(struct pof_wire *w)
{
    return w->tls ? &w->plain : &w->out;
}

size_t pof_wire_waiting(const struct pof_wire *w)
{
    return w->plain.len + w->out.len - w->sent;
}

/* Moves what is left to the front when that costs little. */
static void close_up(struct pof_buf *b, size_t *pos)
{
    if (*pos && *pos >= b->len / 2) {
        memmove(b->data, b->data + *pos, b->len - *pos);
        b->len -= *pos;
        *pos = 0;
    }
}

static int send_some(struct pof_wire *w, struct pof_err *err)
{
    int rc = 0;
    if (w->tls && pof_tls_ready(w->tls)) {
        rc = pof_tls_out(w->tls, (struct pof_text){w->plain.data, w->plain.len}, err);
        w->plain.len = 0;
    }
    rc = rc || !w->tls ? rc : pof_tls_carry(w->tls, &w->out, err);
    while (rc == 0 && w->sent < w->out.len) {
        ssize_t n = send(w->fd, w->out.data + w->sent, w->out.len - w->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            break;
        }
        if (n < 0) { /* why may stand in what came before */
            w->gone = errno;
            break;
        }
        w->sent += (size_t)n;
    }
    close_up(&w->out, &w->sent);
    return rc;
}

static int receive(struct pof_wire *w, bool *heard, struct pof_err *err)
{
    ssize_t n = recv(w->fd, w->some, CHUNK, 0);
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR ? 0 : lost(w, "is gone", errno, err);
    }
    if (n == 0) {
        return lost(w, "closes the connection", 0, err);
    }
    *heard = true;
    if (!w->tls) {
        return pof_buf_add(&w->in, w->some, (size_t)n, err);
    }
    int rc = pof_tls_in(w->tls, (struct pof_text){w->some, (size_t)n}, &w->in, &w->over, err);
    struct pof_err ignored; /* the reason of the refusal counts; the server is told if it can be */
    return rc == POF_E_PROTOCOL && send_some(w, &ignored) ? POF_E_PROTOCOL : rc;
}

int pof_wire_turn(struct pof_wire *w, struct pof_wire_turn *turn, struct pof_err *err)
{
    int rc = send_some(w, err);
    struct pollfd p[2] = {
        {.fd = w->fd,
         .events = (short)((turn->deaf ? 0 : POLLIN) | (w->sent < w->out.len ? POLLOUT : 0))},
        {.fd = turn->fd, .events = POLLIN}};
    close_up(&w->in, &w->pos);
    turn->heard = turn->fd_ready = false;
    if (rc || w->over) {
        return rc ? rc : lost(w, "closes the connection", 0, err);
    }
    if (w->gone) {
        rc = receive(w, &turn->heard, err);
        return rc ? rc : lost(w, "is gone", w->gone, err);
    }
    if (poll(p, 2, turn->ms > 0 ? (int)turn->ms : 0) < 0) {
        return errno == EINTR ? 0
                              : pof_fail_errno(err, POF_E_INTERNAL, errno,
                                               "cannot wait for '%.80s'", w->address);
    }
    turn->fd_ready = turn->fd >= 0 && p[1].revents != 0;
    if (p[0].revents & (POLLIN | POLLERR | POLLHUP)) {
        rc = receive(w, &turn->heard, err);
    }
    return rc || !(p[0].revents & POLLOUT) ? rc : send_some(w, err);
}
