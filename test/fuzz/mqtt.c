/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what a broker sends: packets stay within them, and a message that is written again
 * is the same. */
#include "net/mqtt_packet.h"

#include <stdlib.h>
#include <string.h>

static void write_again(const struct pof_mqtt_packet *p, struct pof_text bytes, bool five)
{
    struct pof_err err;
    struct pof_buf b = {0};
    struct pof_mqtt_packet q;
    const char *why;
    struct pof_mqtt_message m = {
        .topic = p->topic, .payload = p->payload, .id = p->id, .again = p->again, .five = five};
    if (pof_mqtt_put_publish(&b, &m, &err) != 0 ||
        pof_mqtt_parse((struct pof_text){b.data, b.len}, (struct pof_mqtt_reading){b.len, five}, &q, &why) != POF_MQTT_WHOLE ||
        q.used != b.len || b.len > bytes.len || q.id != p->id || !pof_text_eq(q.topic, p->topic) ||
        !pof_text_eq(q.payload, p->payload)) {
        abort();
    }
    pof_buf_release(&b);
}

static void read_all(struct pof_text left, struct pof_mqtt_reading how)
{
    struct pof_mqtt_packet p;
    const char *why = NULL;
    enum pof_mqtt_parse what;
    while ((what = pof_mqtt_parse(left, how, &p, &why)) == POF_MQTT_WHOLE) {
        if (p.used == 0 || p.used > left.len || (p.skip && p.payload.len)) {
            abort();
        }
        if (p.type == POF_MQTT_PUBLISH && p.qos == 1 && p.skip == 0) {
            write_again(&p, (struct pof_text){left.ptr, p.used}, how.five);
        }
        size_t over = p.skip < left.len - p.used ? p.skip : left.len - p.used;
        left = (struct pof_text){left.ptr + p.used + over, left.len - p.used - over};
    }
    if (what == POF_MQTT_BAD && !why) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { MAX = 200 };
    struct pof_text bytes = {(const char *)data, size};
    read_all(bytes, (struct pof_mqtt_reading){MAX, false});
    read_all(bytes, (struct pof_mqtt_reading){MAX, true});
    return 0;
}
