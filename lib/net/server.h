/* SPDX-License-Identifier: Apache-2.0 */
/* A small HTTP/1.1 server for programs that answer short requests one after the other: one thread,
 * poll(2), no TLS (a front such as nginx or stunnel adds it), nothing of a file system.
 *
 * It is our own because what it must do is little and what it must refuse is much: of all servers
 * that were tried the small ones pull in a second TLS library or start threads, and none bounds a
 * request as a whole. Bounds: 64 connections, beyond which the one that waited longest goes; 8 KiB
 * of headers; a body of at most max_body bytes, with Content-Length and without Transfer-Encoding;
 * 10 s from the first byte of a request to its last and for the answer to be taken, 30 s between
 * requests of a connection. */
#ifndef POF_NET_SERVER_H
#define POF_NET_SERVER_H

#include "base/text.h"

enum { POF_SERVER_HEAD_MAX = 8192 };

struct pof_server_request {
    struct pof_text method, target; /* views; valid until the handler returns */
    struct pof_text body;
};

struct pof_server_reply {
    int status;
    const char *type; /* Content-Type; a constant */
    struct pof_buf body;
};

struct pof_server_options {
    const char *address; /* "127.0.0.1:8080", "[::1]:0"; port 0: one that is free */
    size_t max_body;
    /* Answers a request; the reply's body is empty at first and released by the server. An error
     * ends the server. */
    int (*handle)(void *ctx, const struct pof_server_request *request,
                  struct pof_server_reply *reply, struct pof_err *err);
    void *ctx;
};

/* What the beginning of a connection's bytes is. */
enum pof_server_parse {
    POF_SERVER_MORE, /* not whole yet */
    POF_SERVER_WHOLE,
    POF_SERVER_BAD /* *status says which error */
};

/* Takes a request from the front of bytes: *used gets its length, *keep whether the connection may
 * go on, *expects whether the client waits for "100 Continue". Pure, for tests and fuzzers. */
struct pof_server_parsed {
    struct pof_server_request request;
    size_t used;
    bool keep, expects;
    int status;
};
enum pof_server_parse pof_server_parse(struct pof_text bytes, size_t max_body,
                                       struct pof_server_parsed *out);

struct pof_server;
/* Listens. USAGE when the address is none, UNAVAILABLE when it cannot be had. */
int pof_server_open(struct pof_server **out, const struct pof_server_options *options,
                    struct pof_err *err) POF_CHECKED;
/* The port it listens on. */
unsigned pof_server_port(const struct pof_server *s);
/* Serves until the handler fails, or the process gets a signal. */
int pof_server_run(struct pof_server *s, struct pof_err *err) POF_CHECKED;
void pof_server_close(struct pof_server *s); /* NULL allowed */

#endif
