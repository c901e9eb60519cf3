/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of the SOGNO platform and pyvolt's lists, their units above all. */
#include "tap.h"

#include "cim_documents.h"
#include "grid/sogno.h"

static struct pof_err err;
static char told[256];

static void hear(void *ctx, const char *text)
{
    (void)ctx;
    snprintf(told, sizeof told, "%s", text);
}

static const struct pof_teller teller = {hear, NULL};

static int read_message(struct pof_sogno *m, struct pof_text json, const char *map)
{
    return pof_sogno_read(m, &(struct pof_sogno_text){json, "m", pof_text(map)}, &teller, &err);
}

static const struct pof_sogno_value *find(const struct pof_sogno *m, const char *component, int quantity, int phase)
{
    for (size_t i = 0; i < m->n; i++) {
        if (pof_text_is(m->value[i].component, component) && m->value[i].quantity == quantity &&
            m->value[i].phase == phase) {
            return &m->value[i];
        }
    }
    return NULL;
}

static void units(void)
{
    struct pof_sogno m;
    const char *text = "{\"device\":\"d\",\"timestamp\":\"2020-05-20T10:27:57.98+00:00\",\"readings\":["
                       "{\"component\":\"B1\",\"measurand\":\"voltmagnitude\",\"phase\":\"A\",\"data\":231.5},"
                       "{\"component\":\"B1\",\"measurand\":\"activepower\",\"phase\":\"C\",\"data\":1500}]}";
    int rc = read_message(&m, pof_text(text), "");
    const struct pof_sogno_value *v = rc ? NULL : find(&m, "B1", POF_SOGNO_V, 1);
    ok(v && v->value == 231.5, "volts to ground stay");
    v = rc ? NULL : find(&m, "B1", POF_SOGNO_P, 3);
    ok(v && v->value == 1500, "watts of one phase stay");
    ok(rc == 0 && pof_text_is(m.time, "2020-05-20T10:27:57.98+00:00"), "its time");
    pof_sogno_release(&m);
    text = "{\"identifier\":\"p\",\"timestamp\":\"t\",\"readings\":["
           "{\"source\":\"channel_2\",\"type\":\"activepower\",\"data\":\"1.5\"},"
           "{\"source\":\"channel_2\",\"type\":\"hi3\",\"data\":\"1.5\"},"
           "{\"source\":\"channel_N\",\"type\":\"current\",\"data\":\"0\"}]}";
    rc = read_message(&m, pof_text(text), "");
    v = rc ? NULL : find(&m, "p", POF_SOGNO_P, 2);
    ok(v && v->value == 1500 && m.n == 1, "kilowatts of a raw message become watts");
    ok(strstr(told, ": 2") != NULL, "a harmonic and the neutral are told");
    pof_sogno_release(&m);
    text = "[{\"ts\":{\"origin\":[1551884430,319805071]},\"sequence\":1,\"data\":[20000,-0.5,19000,0.2]}]";
    rc = read_message(&m, pof_text(text), "N1.V.mag\nN1.V.phase\nN1.V.mag.est\nmax_err\n");
    v = rc ? NULL : find(&m, "N1", POF_SOGNO_V, 1);
    is_near(v ? v->value : 0, 20000 / sqrt(3), 1e-9, "volts between phases become volts to ground");
    ok(rc == 0 && m.n == 3 && m.value[2].estimated && m.s == 1551884430 && m.ns == 319805071, "an estimate, and its instant");
    pof_sogno_release(&m);
}

static void refused(const char *what, const char *text, const char *map, enum pof_code code)
{
    struct pof_sogno m;
    int rc = read_message(&m, pof_text(text), map);
    if (!ok(rc == (int)code, "%s is refused", what)) {
        printf("# %d %s\n", rc, err.text);
    }
    pof_sogno_release(&m);
}

static void refusals(void)
{
    refused("a message without a phase", "{\"component\":\"b\",\"timestamp\":\"t\",\"readings\":[{\"measurand\":\"voltmagnitude\",\"data\":1}]}", "", POF_E_MISSING);
    refused("another phase", "{\"component\":\"b\",\"timestamp\":\"t\",\"readings\":[{\"measurand\":\"voltmagnitude\",\"phase\":\"R\",\"data\":1}]}", "", POF_E_ENUM);
    refused("a reading of nothing", "{\"timestamp\":\"t\",\"readings\":[{\"measurand\":\"voltmagnitude\",\"phase\":\"A\",\"data\":1}]}", "", POF_E_MISSING);
    refused("a word for a number", "{\"identifier\":\"b\",\"timestamp\":\"t\",\"readings\":[{\"source\":\"channel_1\",\"type\":\"volt\",\"data\":\"nan\"}]}", "", POF_E_NUMBER);
    refused("a map of another length", "{\"data\":[1,2,3]}", "N1.V.mag\nN1.V.phase\n", POF_E_COLUMNS);
    refused("text in a sample", "{\"data\":[\"a\"]}", "N1.V.mag\n", POF_E_TYPE);
    refused("a list", "[1]", "", POF_E_TYPE);
}

static void samples(void)
{
    struct documents d = {0};
    struct pof_sogno m;
    struct pof_pyvolt list;
    char path[4][1024];
    static const char *const files[] = {"sogno_input.json", "mac_input.json", "Measurement_config3.json",
                                        "se_cases/mixed_config.json"};
    if (!tap_data()) {
        skip("samples of the platform", "no shared data");
        return;
    }
    int rc = 0;
    for (int i = 0; i < 4; i++) {
        snprintf(path[i], sizeof path[i], "%s/pyvolt/%s", tap_data(), files[i]);
        rc = rc ? rc : documents_add(&d, path[i], &err);
    }
    ok(rc == 0 && d.n == 4, "samples are there");
    rc = rc ? rc : read_message(&m, d.item[0].text, "");
    ok(rc == 0 && m.n == 2 && m.value[1].value == 123, "a message of two busbars");
    pof_sogno_release(&m);
    rc = read_message(&m, d.item[1].text, "");
    const struct pof_sogno_value *p = rc ? NULL : find(&m, "865374038674019-1", POF_SOGNO_P, 1);
    ok(p && fabs(p->value - 198558) < 1e-6, "a raw message, its kilowatts");
    pof_sogno_release(&m);
    rc = pof_pyvolt_read(&list, d.item[2].text, "list", &err);
    ok(rc == 0 && list.n == 33 && fabs(list.place[0].sigma - 20.0 / 300) < 1e-15, "a list of 33 measurements, 20 percent at three deviations");
    pof_pyvolt_release(&list);
    rc = pof_pyvolt_read(&list, d.item[3].text, "list", &err);
    ok(rc == 0 && list.n == 31 && list.place[30].kind == POF_PYVOLT_VPMU && fabs(list.place[30].sigma_angle - 0.5 / 300) < 1e-15, "a mixed list with a phasor");
    pof_pyvolt_release(&list);
    documents_release(&d);
}

int main(void)
{
    units();
    refusals();
    samples();
    return done();
}
