/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of the Common Information Model: what they become, what is refused, archives. */
#include "tap.h"

#include "cim_documents.h"
#include "grid/powerflow.h"
#include "record/xml.h"

#define FIXTURE "test/golden/pof-convert/cgmes/"

static struct pof_err err;

/* The fixture with a text replaced, as a grid document; NULL when it is refused. */
static char *convert(const char *text, const char *instead, bool reverse)
{
    static const char *const files[] = {FIXTURE "in.eq.xml", FIXTURE "in.ssh.xml"};
    struct documents d = {0};
    struct pof_grid g = {0};
    struct pof_buf out = {0}, changed = {0};
    err = (struct pof_err){0};
    int rc = documents_add(&d, files[reverse], &err);
    rc = rc ? rc : documents_add(&d, files[!reverse], &err);
    for (size_t i = 0; i < d.n && rc == 0 && text; i++) {
        const char *at = strstr(d.item[i].text.ptr, text);
        if (!at) {
            continue;
        }
        rc = pof_buf_add(&changed, d.item[i].text.ptr, (size_t)(at - d.item[i].text.ptr), &err);
        rc = rc ? rc : pof_buf_adds(&changed, instead, &err);
        rc = rc ? rc : pof_buf_adds(&changed, at + strlen(text), &err);
        rc = rc ? rc : pof_buf_add(&changed, "", 1, &err);
        free((char *)(uintptr_t)d.item[i].text.ptr);
        d.item[i].text = (struct pof_text){changed.data, changed.len - 1};
        changed = (struct pof_buf){0};
        text = NULL;
    }
    struct pof_cim in = {.document = d.item, .documents = d.n};
    rc = rc ? rc : pof_cim_read(&g, &in, NULL, &err);
    rc = rc ? rc : pof_grid_write(&g, &out, &err);
    rc = rc ? rc : pof_buf_add(&out, "", 1, &err);
    pof_grid_release(&g);
    documents_release(&d);
    if (rc) {
        pof_buf_release(&out);
        return NULL;
    }
    return out.data;
}

static void order(void)
{
    char *a = convert(NULL, NULL, false), *b = convert(NULL, NULL, true);
    ok(a && b && strcmp(a, b) == 0, "the order of documents does not matter");
    ok(a && strstr(a, "\"p_w\": 3000000, \"q_var\": 2000000, \"g_w\": 3000000"), "half a load is an impedance");
    ok(a && strstr(a, "\"ratio\": 1.03"), "the tap of SSH is in the ratio");
    free(a);
    free(b);
    a = convert("<cim:Switch.open>false", "<cim:Switch.open>true", false);
    ok(a && strstr(a, "\"kind\": \"switch\", \"from\": \"MV\", \"to\": \"MV feeder\", \"closed\": false"),
       "a switch that is open in SSH");
    free(a);
}

static void refusals(void)
{
    static const struct {
        const char *what, *text, *instead;
        enum pof_code code;
    } cases[] = {
        {"a number that is none", "<cim:ACLineSegment.r>0.4", "<cim:ACLineSegment.r>NaN", POF_E_NUMBER},
        {"infinity", "<cim:ACLineSegment.x>0.3", "<cim:ACLineSegment.x>inf", POF_E_NUMBER},
        {"a line without x", "<cim:ACLineSegment.x>0.3</cim:ACLineSegment.x>", "", POF_E_MISSING},
        {"a transformer without impedance", "r>1.21</cim:PowerTransformerEnd.r><cim:PowerTransformerEnd.x>36.3", "r>0</cim:PowerTransformerEnd.r><cim:PowerTransformerEnd.x>0", POF_E_PHYSICS},
        {"volts where kilovolts are meant", "nominalVoltage>110<", "nominalVoltage>110000<", POF_E_PHYSICS},
        {"an id given twice", "rdf:ID=\"_bv20\"", "rdf:ID=\"_bv110\"", POF_E_DUPLICATE},
        {"a reference to nothing", "rdf:resource=\"#_c4\"/><cim:ACDC", "rdf:resource=\"#_c9\"/><cim:ACDC", POF_E_REFERENCE},
        {"a transformer of four ends", "rdf:resource=\"#_tr\"/>\n    <cim:TransformerEnd.endNumber>2", "rdf:resource=\"#_trx\"/>\n    <cim:TransformerEnd.endNumber>2", POF_E_TOPOLOGY},
        {"a third terminal of a line", "<cim:Terminal.ConductingEquipment rdf:resource=\"#_load\"/>", "<cim:Terminal.ConductingEquipment rdf:resource=\"#_l1\"/>", POF_E_TOPOLOGY},
        {"a step that the tap changer has not", "<cim:TapChanger.step>2", "<cim:TapChanger.step>12", POF_E_RANGE},
        {"two truths about one object", "rdf:about=\"#_load\">", "rdf:about=\"#_load\"><cim:EnergyConsumer.p>7</cim:EnergyConsumer.p>", POF_E_CONFLICT},
        {"neither true nor false", "<cim:Switch.open>false", "<cim:Switch.open>no", POF_E_ENUM},
        {"shares of a load that are not whole", "pConstantPower>0.5", "pConstantPower>0.7", POF_E_PHYSICS},
        {"a difference model", "<cim:BaseVoltage rdf:ID=\"_bv110\">", "<dm:DifferenceModel xmlns:dm=\"http://iec.ch/TC57/61970-552/DifferenceModel/1#\" rdf:about=\"x\"/><cim:BaseVoltage rdf:ID=\"_bv110\">", POF_E_SCHEMA},
        {"an element that does not end", "</rdf:RDF>", "", POF_E_SYNTAX},
        {"another document", "<rdf:RDF", "<svg/><rdf:RDF", POF_E_SCHEMA},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = convert(cases[i].text, cases[i].instead, false);
        bool placed = err.source[0] != '\0';
        if (!ok(!text && err.code == cases[i].code && placed, "%s is refused with its place", cases[i].what)) {
            printf("# %s: %s:%d: %s\n", pof_errinfo(err.code)->symbol, err.source, (int)err.line, err.text);
        }
        free(text);
    }
}

/* --- XML and archives --- */

static int ignore_open(void *ctx, const char *name, const char *const *attr, struct pof_err *e)
{
    (void)ctx, (void)name, (void)attr, (void)e;
    return 0;
}

static int ignore_close(void *ctx, const char *name, struct pof_text text, struct pof_err *e)
{
    (void)name, (void)e;
    *(size_t *)ctx += text.len;
    return 0;
}

static void xml(void)
{
    size_t bytes = 0;
    struct pof_xml_taker t = {ignore_open, ignore_close, &bytes};
    struct pof_buf deep = {0};
    for (int i = 0; i < 100000; i++) {
        if (pof_buf_adds(&deep, "<a>", &err)) {
            break;
        }
    }
    int rc = pof_xml_parse((struct pof_text){deep.data, deep.len}, "deep", &t, NULL, &err);
    is_int(rc, POF_E_DEPTH, "a hundred thousand elements within each other are refused");
    pof_buf_release(&deep);
    const char *bomb = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]><x>&b;</x>";
    rc = pof_xml_parse(pof_text(bomb), "bomb", &t, NULL, &err);
    is_int(rc, POF_E_SYNTAX, "entities are refused");
    rc = pof_xml_parse(pof_text("<x> one &amp; two </x>"), "x", &t, NULL, &err);
    ok(rc == 0 && bytes == strlen("one & two"), "a text without the white space around it");
    rc = pof_xml_parse(pof_text("<x>&nbsp;</x>"), "x", &t, NULL, &err);
    is_int(rc, POF_E_SYNTAX, "an entity that nobody has defined");
    rc = pof_xml_parse(pof_text(""), "x", &t, NULL, &err);
    is_int(rc, POF_E_SYNTAX, "an empty text is no document");
}

static uint32_t crc(const char *p, size_t n)
{
    uint32_t c = 0xffffffff;
    for (size_t i = 0; i < n; i++) {
        c ^= (unsigned char)p[i];
        for (int k = 0; k < 8; k++) {
            c = c >> 1 ^ (c & 1 ? 0xedb88320u : 0);
        }
    }
    return ~c;
}

static size_t put(char *to, size_t at, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        to[at++] = (char)(value >> (8 * i));
    }
    return at;
}

/* An archive with one stored member "x"; size is what its directory says it unpacks to. */
static size_t archive(char *to, const char *bytes, uint32_t n, uint32_t size, uint32_t sum)
{
    size_t at = put(to, 0, 0x04034b50, 4);
    memset(to + at, 0, 22);
    at = put(to, 26, 1, 2);
    at = put(to, at, 0, 2);
    to[at++] = 'x';
    memcpy(to + at, bytes, n);
    at += n;
    size_t directory = at;
    at = put(to, at, 0x02014b50, 4);
    memset(to + at, 0, 42);
    put(to, directory + 16, sum, 4);
    put(to, directory + 20, n, 4);
    put(to, directory + 24, size, 4);
    put(to, directory + 28, 1, 2);
    at = directory + 46;
    to[at++] = 'x';
    size_t end = at;
    at = put(to, at, 0x06054b50, 4);
    memset(to + at, 0, 18);
    put(to, end + 8, 1, 2);
    put(to, end + 10, 1, 2);
    put(to, end + 12, (uint32_t)(end - directory), 4);
    put(to, end + 16, (uint32_t)directory, 4);
    return end + 22;
}

static int count(void *ctx, const char *name, struct pof_buf *bytes, struct pof_err *e)
{
    (void)name, (void)e;
    *(size_t *)ctx += bytes->len;
    return 0;
}

static void zip(void)
{
    char a[2][1000];
    size_t bytes = 0;
    struct pof_zip_taker t = {count, &bytes};
    size_t n = archive(a[0], "hello", 5, 5, crc("hello", 5));
    int rc = pof_zip_walk((struct pof_text){a[0], n}, "a.zip", &t, &err);
    ok(rc == 0 && bytes == 5, "a stored member");
    for (size_t cut = 0; cut < n; cut++) {
        rc = pof_zip_walk((struct pof_text){a[0], cut}, "a.zip", &t, &err);
        if (rc == 0) {
            break;
        }
    }
    ok(rc != 0, "an archive that was cut anywhere is refused");
    size_t bad = archive(a[1], "hello", 5, 5, 1);
    is_int(pof_zip_walk((struct pof_text){a[1], bad}, "a.zip", &t, &err), POF_E_CONFLICT, "a wrong check sum");
    bad = archive(a[1], "hello", 5, 0xf0000000, 1);
    is_int(pof_zip_walk((struct pof_text){a[1], bad}, "a.zip", &t, &err), POF_E_TOO_LONG,
           "an archive that promises gigabytes");
    bytes = 0;
    size_t m = archive(a[1], a[0], (uint32_t)n, (uint32_t)n, crc(a[0], n));
    rc = pof_zip_walk((struct pof_text){a[1], m}, "a.zip", &t, &err);
    ok(rc == 0 && bytes == 5, "an archive in an archive");
    size_t l = archive(a[0], a[1], (uint32_t)m, (uint32_t)m, crc(a[1], m));
    m = archive(a[1], a[0], (uint32_t)l, (uint32_t)l, crc(a[0], l));
    is_int(pof_zip_walk((struct pof_text){a[1], m}, "a.zip", &t, &err), POF_E_DEPTH,
           "archives four deep in each other");
}

/* --- one grid, told twice --- */

/* The sample has neither source nor loads: it is fed at its first busbar, and a load put at its
 * fourth. Returns the loss, W. */
static double sample_loss(const char *variant, uint32_t *nodes)
{
    char path[1024];
    struct documents d = {0};
    struct pof_grid g = {0};
    struct pof_pf *pf = NULL;
    enum pof_pf_status status = POF_PF_DIVERGED;
    double loss = NAN;
    snprintf(path, sizeof path, "%s/grids/cgmes/cimpy_Sample_Grid_Switches/%s", tap_data(), variant);
    int rc = documents_add(&d, path, &err);
    struct pof_cim in = {.document = d.item, .documents = d.n, .slack = "Bus1"};
    rc = rc ? rc : pof_cim_read(&g, &in, NULL, &err);
    uint32_t last = rc ? POF_NONE : pof_names_find(&g.node_names, pof_text("Bus4"));
    if (last != POF_NONE) {
        g.node[last].p_w = 1e6;
        g.node[last].zero_injection = false;
        rc = pof_pf_new(&pf, &g, NULL, &err);
        rc = rc ? rc : pof_pf_solve(pf, NULL, NULL, true, &status, &err);
    }
    if (rc == 0 && status == POF_PF_CONVERGED) {
        struct pof_pf_result r;
        pof_pf_result(pf, &r);
        loss = r.slack_p_w - 1e6;
        *nodes = g.nodes;
    }
    for (uint32_t i = 0; i < g.nodes && isnan(loss); i++) {
        printf("# node %s\n", g.node[i].name.ptr);
    }
    pof_pf_free(pf);
    pof_grid_release(&g);
    documents_release(&d);
    return loss;
}

static void variants(void)
{
    uint32_t n[2] = {0, 0};
    if (!tap_data()) {
        skip("bus-branch and node-breaker", "no shared data");
        return;
    }
    double a = sample_loss("Bus-Branch", &n[0]), b = sample_loss("Node-Breaker", &n[1]);
    if (!ok(a > 0 && fabs(a - b) < 1e-6 * a, "bus-branch and node-breaker have one solution (%u and %u nodes)", n[0], n[1])) {
        printf("# losses %.9g and %.9g W: %s\n", a, b, err.text);
    }
}

int main(void)
{
    order();
    refusals();
    xml();
    zip();
    variants();
    return done();
}
