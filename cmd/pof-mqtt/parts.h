/* SPDX-License-Identifier: Apache-2.0 */
/* What the sub-commands of pof-mqtt share: the options, and a connection that comes back. */
#ifndef POF_CMD_MQTT_PARTS_H
#define POF_CMD_MQTT_PARTS_H

#include "cli/cli.h"
#include "net/mqtt.h"

enum form { FORM_JSON, FORM_LINES };

struct args {
    const char *broker, *client, *user, *password_file, *ca, *cert, *key, *spool;
    struct pof_texts topic;
    bool tls, envelope;
    int form, protocol;
    int64_t keep_alive_s, give_up_s, batch, wait_ms, spool_max, max_bytes, count, idle_s, window, join, expiry_s;
};

/* The way to the broker, which may be lost and found again. */
struct link {
    struct pof_cli *cli;
    const struct args *a;
    struct pof_mqtt_options how;
    struct pof_buf password;
    struct pof_mqtt *mqtt; /* NULL: not connected */
    int64_t since_ms;      /* when the broker was last useful, or first asked */
    int64_t up_ms;         /* when the connection was made */
    int64_t delay_ms;      /* before the next attempt */
    uint64_t connections;
};

/* Options into settings; keep: the session outlives the connection. */
int link_init(struct link *l, struct pof_cli *cli, const struct args *a, bool keep,
              struct pof_err *err) POF_CHECKED;
/* Connects, trying again with longer and longer pauses (0.1 s, doubled up to 30 s; no chance in it,
 * so that runs can be compared) until --give-up. */
int link_up(struct link *l, struct pof_err *err) POF_CHECKED;
/* An error of the connection: 0 when it is one after which the broker is asked again, then the link
 * is down; else the error. */
int link_lost(struct link *l, int rc, struct pof_err *err) POF_CHECKED;
/* The broker has done something useful. */
void link_good(struct link *l);
/* Leaves: says good-bye when all went well. */
void link_close(struct link *l, bool well);

int mqtt_receive(struct pof_cli *cli, const struct args *a, struct pof_err *err) POF_CHECKED;
int mqtt_send(struct pof_cli *cli, const struct args *a, struct pof_err *err) POF_CHECKED;

#endif
