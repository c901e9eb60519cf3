/* SPDX-License-Identifier: Apache-2.0 */
/* Where fields stand in PSS/E RAW files, revision by revision (PSS/E Program Operation Manual,
 * chapter on power flow raw data, of versions 23 to 35; names as in the RAWX form of version 35).
 */
#include "grid/raw.h"

#define OWNERS " o1 f1 o2 f2 o3 f3 o4 f4"
#define RATES " rate1 rate2 rate3 rate4 rate5 rate6 rate7 rate8 rate9 rate10 rate11 rate12"
#define THREE " rate1 rate2 rate3"

static const char *const bus_fields[] = {"ibus", "name", "baskv", "ide", "vm", "va", "nvhi",
                                         "nvlo", "gl",   "bl",    "pl",  "ql", NULL};
static const struct pofi_raw_part bus = {
    "bus",
    "bus",
    bus_fields,
    {{23, "ibus ide pl ql gl bl area vm va name baskv zone"},
     {29, "ibus name baskv ide gl bl area zone vm va owner"},
     {31, "ibus name baskv ide area zone owner vm va nvhi nvlo evhi evlo"}},
    pofi_raw_read_bus};

static const char *const load_fields[] = {"ibus", "stat", "pl",    "ql",    "ip",    "iq",
                                          "yp",   "yq",   "dgenp", "dgenq", "dgenm", NULL};
static const struct pofi_raw_part load = {"load",
                                          "load",
                                          load_fields,
                                          {{23, "ibus loadid stat area zone pl ql ip iq yp yq "
                                                "owner scale intrpt dgenp dgenq dgenm loadtype"}},
                                          pofi_raw_read_load};

static const char *const fixed_shunt_fields[] = {"ibus", "stat", "gl", "bl", NULL};
static const struct pofi_raw_part fixed_shunt = {"fixed shunt",
                                                 "fixshunt",
                                                 fixed_shunt_fields,
                                                 {{31, "ibus shntid stat gl bl"}},
                                                 pofi_raw_read_fixed_shunt};

static const char *const generator_fields[] = {"ibus", "pg",   "qg",   "qt", "qb",
                                               "vs",   "ireg", "stat", NULL};
static const struct pofi_raw_part generator = {
    "generator",
    "generator",
    generator_fields,
    {{23, "ibus machid pg qg qt qb vs ireg mbase zr zx rt xt gtap stat rmpct pt pb" OWNERS},
     {35, "ibus machid pg qg qt qb vs ireg nreg mbase zr zx rt xt gtap stat rmpct pt pb "
          "baslod" OWNERS}},
    pofi_raw_read_generator};

static const char *const line_fields[] = {"ibus",  "jbus", "ckt",  "rpu", "xpu", "bpu",
                                          "rate1", "gi",   "bi",   "gj",  "bj",  "stat",
                                          "ratio", "ang",  "name", NULL};
static const struct pofi_raw_part line = {
    "branch",
    "acline",
    line_fields,
    {{23, "ibus jbus ckt rpu xpu bpu" THREE " ratio ang gi bi gj bj stat len" OWNERS},
     {29, "ibus jbus ckt rpu xpu bpu" THREE " gi bi gj bj stat met len" OWNERS},
     {34, "ibus jbus ckt rpu xpu bpu name" RATES " gi bi gj bj stat met len" OWNERS}},
    pofi_raw_read_line};

static const char *const switch_fields[] = {"ibus",  "jbus", "ckt",  "xpu",
                                            "rate1", "stat", "name", NULL};
static const struct pofi_raw_part switching = {
    "system switching device",
    "sysswd",
    switch_fields,
    {{34, "ibus jbus ckt xpu" RATES " stat nstat met stype name"}},
    pofi_raw_read_switch};

/* Winding n: what all revisions have, with three ratings or twelve, and behind the control mode. */
#define WINDING_3(n)                                                                               \
    "|windv" n " nomv" n " ang" n " wdg" n "rate1 wdg" n "rate2 wdg" n "rate3 cod" n " cont" n     \
    " rma" n " rmi" n " vma" n " vmi" n " ntp" n " tab" n " cr" n " cx" n " cnxa" n
#define WINDING_12(n, node, behind)                                                                \
    "|windv" n " nomv" n " ang" n " wdg" n "rate1 wdg" n "rate2 wdg" n "rate3 wdg" n "rate4 wdg" n \
    "rate5 wdg" n "rate6 wdg" n "rate7 wdg" n "rate8 wdg" n "rate9 wdg" n "rate10 wdg" n           \
    "rate11 wdg" n "rate12 cod" n " cont" n node " rma" n " rmi" n " vma" n " vmi" n " ntp" n      \
    " tab" n " cr" n " cx" n " cnxa" n behind
#define TRANSFORMER                                                                                \
    "ibus jbus kbus ckt cw cz cm mag1 mag2 nmet name stat" OWNERS " vecgrp zcod"                   \
    "|r1_2 x1_2 sbase1_2 r2_3 x2_3 sbase2_3 r3_1 x3_1 sbase3_1 vmstar anstar"
#define WANTED(n)                                                                                  \
    "windv" n, "nomv" n, "ang" n, "wdg" n "rate1", "cod" n, "cont" n, "rma" n, "rmi" n, "vma" n,   \
        "vmi" n, "ntp" n, "tab" n, "cr" n, "cx" n
static const char *const transformer_fields[] = {
    "ibus",     "jbus", "kbus", "ckt",      "cw",        "cz",        "cm",        "mag1",
    "mag2",     "name", "stat", "r1_2",     "x1_2",      "sbase1_2",  "r2_3",      "x2_3",
    "sbase2_3", "r3_1", "x3_1", "sbase3_1", WANTED("1"), WANTED("2"), WANTED("3"), NULL};
static const struct pofi_raw_part transformer = {
    "transformer",
    "transformer",
    transformer_fields,
    {{29, TRANSFORMER WINDING_3("1") WINDING_3("2") WINDING_3("3")},
     {34, TRANSFORMER WINDING_12("1", "", " node1") WINDING_12("2", "", " node2")
              WINDING_12("3", "", " node3")},
     {35, TRANSFORMER WINDING_12("1", " node1", "") WINDING_12("2", " node2", "")
              WINDING_12("3", " node3", "")}},
    pofi_raw_read_transformer};

static const struct pofi_raw_part adjustment = {
    "transformer adjustment", NULL, NULL, {{0, NULL}}, pofi_raw_controls};
static const struct pofi_raw_part area = {"area", "area", NULL, {{0, NULL}}, pofi_raw_bookkeeping};

#define CONVERTER(s)                                                                               \
    "|ip" s " nb" s " anmx" s " anmn" s " rc" s " xc" s " ebas" s " tr" s " tap" s " tmx" s        \
    " tmn" s " stp" s " ic" s
#define CONVERTER_WANTED(s) "ip" s, "nb" s, "anmn" s, "xc" s, "ebas" s, "tr" s, "tap" s
static const char *const dc_fields[] = {"name",
                                        "mdc",
                                        "rdc",
                                        "setvl",
                                        "vschd",
                                        "vcmod",
                                        "rcomp",
                                        "delti",
                                        "met",
                                        CONVERTER_WANTED("r"),
                                        CONVERTER_WANTED("i"),
                                        NULL};
static const struct pofi_raw_part dc = {
    "two-terminal DC",
    "twotermdc",
    dc_fields,
    {{23, "name mdc rdc setvl vschd vcmod rcomp delti met dcvmin cccitmx cccacc" CONVERTER(
              "r") " ifr itr idr xcapr" CONVERTER("i") " ifi iti idi xcapi"},
     {35, "name mdc rdc setvl vschd vcmod rcomp delti met dcvmin cccitmx cccacc" CONVERTER(
              "r") " ndr ifr itr idr xcapr" CONVERTER("i") " ndi ifi iti idi xcapi"}},
    pofi_raw_read_dc};

#define VSC(n)                                                                                     \
    "|ibus" n " type" n " mode" n " dcset" n " acset" n " aloss" n " bloss" n " minloss" n         \
    " smax" n " imax" n " pwf" n " maxq" n " minq" n " vsreg" n
#define VSC_WANTED(n)                                                                              \
    "ibus" n, "type" n, "mode" n, "dcset" n, "acset" n, "aloss" n, "bloss" n, "minloss" n,         \
        "maxq" n, "minq" n, "vsreg" n
static const char *const vsc_fields[] = {"name",          "mdc",           "rdc",
                                         VSC_WANTED("1"), VSC_WANTED("2"), NULL};
static const struct pofi_raw_part vsc = {"voltage source converter",
                                         "vscdc",
                                         vsc_fields,
                                         {{29, "name mdc rdc" OWNERS VSC("1") VSC("2")}},
                                         pofi_raw_read_vsc};

static const char *const correction_fields[] = {"itable", "tap", "refact", "imfact", NULL};
static const struct pofi_raw_part correction = {
    "impedance correction", "impcor", correction_fields, {{0, NULL}}, pofi_raw_read_correction};
static const struct pofi_raw_part multi_dc = {
    "multi-terminal DC", "ntermdc", NULL, {{0, NULL}}, pofi_raw_left_out};
static const struct pofi_raw_part multi_section = {
    "multi-section line", "msline", NULL, {{0, NULL}}, pofi_raw_bookkeeping};
static const struct pofi_raw_part zone = {"zone", "zone", NULL, {{0, NULL}}, pofi_raw_bookkeeping};
static const struct pofi_raw_part transfer = {
    "inter-area transfer", "iatrans", NULL, {{0, NULL}}, pofi_raw_bookkeeping};
static const struct pofi_raw_part owner = {
    "owner", "owner", NULL, {{0, NULL}}, pofi_raw_bookkeeping};

static const char *const facts_fields[] = {"name", "ibus", "jbus", "mode", "pdes",
                                           "qdes", "vset", "shmx", "linx", NULL};
static const struct pofi_raw_part facts = {
    "FACTS device",
    "facts",
    facts_fields,
    {{23, "name ibus jbus mode pdes qdes vset shmx trmx vtmn vtmx vsmx imx linx"}},
    pofi_raw_read_facts};

static const char *const switched_fields[] = {
    "ibus", "modsw", "stat", "binit", "vswhi", "vswlo", "swreg", "n1", "b1", "n2", "b2", "n3", "b3",
    "n4",   "b4",    "n5",   "b5",    "n6",    "b6",    "n7",    "b7", "n8", "b8", "s1", "s2", "s3",
    "s4",   "s5",    "s6",   "s7",    "s8",    NULL};
#define BLOCKS " n1 b1 n2 b2 n3 b3 n4 b4 n5 b5 n6 b6 n7 b7 n8 b8"
static const struct pofi_raw_part switched_shunt = {
    "switched shunt",
    "swshunt",
    switched_fields,
    {{23, "ibus modsw vswhi vswlo swreg rmpct rmidnt binit" BLOCKS},
     {32, "ibus modsw adjm stat vswhi vswlo swreg rmpct rmidnt binit" BLOCKS},
     {35, "ibus shntid modsw adjm stat vswhi vswlo swreg nreg rmpct rmidnt binit s1 n1 b1 s2 n2 b2 s3 "
          "n3 b3 s4 n4 b4 s5 n5 b5 s6 n6 b6 s7 n7 b7 s8 n8 b8"}},
    pofi_raw_read_switched_shunt};
/* Before revision 29 a switched shunt has neither the share nor the device that it helps. */
static const struct pofi_raw_part old_switched_shunt = {
    "switched shunt",
    NULL,
    switched_fields,
    {{23, "ibus modsw vswhi vswlo swreg binit" BLOCKS}},
    pofi_raw_read_switched_shunt};

static const struct pofi_raw_part gne = {"GNE device", "gne", NULL, {{0, NULL}}, pofi_raw_left_out};
static const struct pofi_raw_part machine = {
    "induction machine", "indmach", NULL, {{0, NULL}}, pofi_raw_left_out};
static const struct pofi_raw_part substation = {
    "substation", NULL, NULL, {{0, NULL}}, pofi_raw_read_substation};
static const struct pofi_raw_part system_wide = {
    "system-wide", NULL, NULL, {{0, NULL}}, pofi_raw_bookkeeping};

static const struct pofi_raw_part *const parts_23[] = {
    &bus,  &generator,          &line,       &adjustment, &area,
    &dc,   &old_switched_shunt, &correction, &multi_dc,   &multi_section,
    &zone, &transfer,           &owner,      &facts,      NULL};
static const struct pofi_raw_part *const parts_29[] = {
    &bus,  &load,     &generator,      &line,       &transformer, &area,
    &dc,   &vsc,      &switched_shunt, &correction, &multi_dc,    &multi_section,
    &zone, &transfer, &owner,          &facts,      NULL};
static const struct pofi_raw_part *const parts_31[] = {
    &bus,   &load,  &fixed_shunt,    &generator, &line,          &transformer, &area,
    &dc,    &vsc,   &correction,     &multi_dc,  &multi_section, &zone,        &transfer,
    &owner, &facts, &switched_shunt, &gne,       &machine,       NULL};
static const struct pofi_raw_part *const parts_34[] = {
    &system_wide,    &bus,           &load,    &fixed_shunt, &generator, &line,
    &switching,      &transformer,   &area,    &dc,          &vsc,       &correction,
    &multi_dc,       &multi_section, &zone,    &transfer,    &owner,     &facts,
    &switched_shunt, &gne,           &machine, &substation,  NULL};

const struct pofi_raw_part *const *pofi_raw_parts(int revision)
{
    return revision < 29   ? parts_23
           : revision < 31 ? parts_29
           : revision < 34 ? parts_31
                           : parts_34;
}
