/* SPDX-License-Identifier: Apache-2.0 */
/* Measurement messages of the SOGNO platform: its own readings of a device or component, raw messages
 * of a phasor measurement unit (identifier, channels), samples of VILLASnode with a map of places, and
 * pyvolt's list of what is measured how exactly.
 *
 * Units, after which readings differ by factors that no check can see: a SOGNO message has volts phase
 * to ground, watts and vars of one phase, radians; a raw message has kilowatts and kilovars; a sample
 * of VILLASnode has volts between phases and radians. Values here are V phase to ground, A, W and var
 * of one phase, rad and Hz. */
#ifndef POF_GRID_SOGNO_H
#define POF_GRID_SOGNO_H

#include "grid/format.h"

enum pof_sogno_quantity {
    POF_SOGNO_V,       /* V, phase to ground */
    POF_SOGNO_V_ANGLE, /* rad */
    POF_SOGNO_I,       /* A */
    POF_SOGNO_I_ANGLE, /* rad */
    POF_SOGNO_P,       /* W of one phase */
    POF_SOGNO_Q,       /* var of one phase */
    POF_SOGNO_S,       /* VA of one phase */
    POF_SOGNO_F        /* Hz */
};

struct pof_sogno_value {
    struct pof_text component; /* in the message's arena */
    uint8_t quantity;          /* enum pof_sogno_quantity */
    uint8_t phase;             /* 1, 2, 3: a, b, c */
    bool estimated;            /* VILLASnode: an estimate, not a measurement */
    double value;
};

/* Initialise with {0}. */
struct pof_sogno {
    struct pof_text time; /* as it stands in the message; "" for VILLASnode */
    int64_t s;            /* VILLASnode: seconds since 1970 and nanoseconds of ts.origin */
    int32_t ns;
    struct pof_sogno_value *value; /* owned */
    size_t n, cap;
    struct pof_arena arena;
};

/* A message, and what it is called in errors. */
struct pof_sogno_text {
    struct pof_text json;
    const char *name;
    struct pof_text map; /* of VILLASnode; {0} */
};

/* Reads one message, of a kind found out from its members. map: for VILLASnode, one line for each value
 * of data, "N4.V.mag", "N4.V.phase", with ".est" or ".pf" behind for estimates; {0} otherwise. Told:
 * readings of other kinds (harmonics, power factors, the neutral), left out. Refused besides what is
 * not JSON: a map of another length than the data, numbers that are not finite. */
int pof_sogno_read(struct pof_sogno *message, const struct pof_sogno_text *text,
                   const struct pof_teller *teller, struct pof_err *err) POF_CHECKED;
void pof_sogno_release(struct pof_sogno *message);

/* The standard deviations of pyvolt's list of measurements ({"Measurement": {"Vmag": {"uuid": [...],
 * "unc": 1}, ...}}): unc is percent of the value at three standard deviations. */
enum pof_pyvolt_kind {
    POF_PYVOLT_VMAG,
    POF_PYVOLT_IMAG,
    POF_PYVOLT_PINJ,
    POF_PYVOLT_QINJ,
    POF_PYVOLT_P1,
    POF_PYVOLT_Q1,
    POF_PYVOLT_P2,
    POF_PYVOLT_Q2,
    POF_PYVOLT_VPMU,
    POF_PYVOLT_IPMU,
    POF_PYVOLT_KINDS
};
struct pof_pyvolt_place {
    struct pof_text component; /* in the arena */
    uint8_t kind;              /* enum pof_pyvolt_kind */
    double sigma;              /* share of the value */
    double sigma_angle;        /* of phasors: rad, as unc_phase is percent of 1 rad */
};
struct pof_pyvolt {
    struct pof_pyvolt_place *place; /* owned */
    size_t n, cap;
    struct pof_arena arena;
};
int pof_pyvolt_read(struct pof_pyvolt *list, struct pof_text json, const char *name,
                    struct pof_err *err) POF_CHECKED;
void pof_pyvolt_release(struct pof_pyvolt *list);

#endif
