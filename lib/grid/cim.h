/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the Common Information Model: objects with properties out of any number of RDF documents,
 * and what their parts know of each other.
 *
 * RDF has no order, so nothing here may depend on that of documents or elements: objects are gone
 * through by name, then id (order), and so are those that refer to an object.
 *
 * The first error stays in rc and err; look-ups after it answer with what stands for nothing, so that a
 * caller asks once at the end of a step. */
#ifndef POF_GRID_CIM_H
#define POF_GRID_CIM_H

#include "grid/format_impl.h"

enum pofi_cim_class {
#define CLASS(name, role) CIM_##name,
#define PROP(class, name)
#include "grid/cim.def"
#undef CLASS
#undef PROP
    CIM_CLASSES /* and above: classes that are only known by name */
};

enum pofi_cim_role {
    CIM_ROLE_NONE, /* of an unknown class */
    CIM_ROLE_DATA, /* looked at from other objects */
    CIM_ROLE_PASSIVE,
    CIM_ROLE_LINE,
    CIM_ROLE_SWITCH,
    CIM_ROLE_TRANSFORMER,
    CIM_ROLE_LOAD,
    CIM_ROLE_MACHINE,
    CIM_ROLE_SHUNT
};

enum pofi_cim_prop {
#define CLASS(name, role)
#define PROP(class, name) CIM_##class##_##name,
#include "grid/cim.def"
#undef CLASS
#undef PROP
    CIM_PROPS
};

/* Where something was said. */
struct pofi_cim_place {
    uint32_t file, line;
};

struct pofi_cim_value {
    uint32_t prop;
    uint32_t next;        /* of the same object; POF_NONE */
    uint32_t target;      /* the object referred to; POF_NONE: a text */
    struct pof_text text; /* in the arena; of an enumeration its last word */
    struct pofi_cim_place at;
};

struct pofi_cim_object {
    uint32_t class; /* number in classes; POF_NONE: only referred to */
    uint32_t first; /* value; POF_NONE */
    struct pofi_cim_place at;
    bool defined;   /* by rdf:ID */
    bool shared;    /* others of its kind (nodes, equipment) have its name */
};

/* source refers to target by prop. */
struct pofi_cim_back {
    uint32_t prop, target, source;
};

struct pofi_cim {
    const struct pof_cim *input;
    struct pof_names ids;     /* id = number of the object */
    struct pof_names classes; /* known ones first, in the order of their enum */
    struct pof_names props;   /* in the order of their enum */
    struct pofi_cim_object *object;
    size_t object_cap;
    struct pofi_cim_value *value;
    size_t values, value_cap;
    struct pofi_cim_back *back;
    size_t backs;
    uint32_t *order; /* [objects] by name, then id */
    uint32_t *rank;  /* [objects] place in order */
    struct pof_arena arena;
    bool any_id, any_cim;
    struct pof_build build;
    bool by_topology;      /* nodes are topological nodes; else connectivity nodes */
    uint32_t *node_of;     /* [objects] grid node, POF_NONE */
    uint32_t *object_of;   /* [grid nodes] */
    uint32_t *branch_of;   /* [objects] of a terminal: 2 * grid branch + (at its to end); POF_NONE */
    struct pofi_cim_machine *machine;
    size_t machines, machine_cap;
    bool *fed; /* [grid nodes] something that may consume or generate is connected */
    size_t fed_nodes;
    size_t object_of_cap;
    /* What was left out or assumed. */
    unsigned no_terminal, inner_switch, open_ends, out_of_service, uneven, from_state,
        exponents, no_power, remote_held, remote_free, tables, steps, other_modes, slopes, temporary,
        bad_limits, no_value, discrete, other_units, other_places, no_sigma, dead, clocks, odd_target,
        undescribed, unused, joined_levels, no_impedance, off_target, ohm_tables;
    int rc;
    struct pof_err *err;
    const struct pof_grid_wish *wish;
};

/* --- reading (cim_read.c) --- */

/* All documents into objects; then order and references. */
int pofi_cim_read_all(struct pofi_cim *c);
void pofi_cim_release(struct pofi_cim *c);

/* --- looking (cim_look.c) --- */

enum pofi_cim_role pofi_cim_role(uint32_t class);
/* Fails at a property of an object (CIM_PROPS: the object itself). The first failure stays. */
int pofi_cim_fail(struct pofi_cim *c, uint32_t object, enum pofi_cim_prop prop, enum pof_code code,
                  const char *fmt, ...) POF_PRINTF(5, 6);
/* "PowerTransformer 'T1'" for messages; to has POFI_CIM_LABEL bytes. */
enum { POFI_CIM_LABEL = 160 };
const char *pofi_cim_label(const struct pofi_cim *c, uint32_t object, char *to);

bool pofi_cim_has(const struct pofi_cim *c, uint32_t object, enum pofi_cim_prop prop);
/* A finite number; without when it is not given. */
double pofi_cim_real(struct pofi_cim *c, uint32_t object, enum pofi_cim_prop prop, double without);
/* The first that is given of properties of an object, CIM_PROPS at the end. */
double pofi_cim_real_of(struct pofi_cim *c, uint32_t object, const enum pofi_cim_prop *props,
                        double without);
bool pofi_cim_flag(struct pofi_cim *c, uint32_t object, enum pofi_cim_prop prop, bool without);
struct pof_text pofi_cim_text(const struct pofi_cim *c, uint32_t object, enum pofi_cim_prop prop);
bool pofi_cim_word(const struct pofi_cim *c, uint32_t object, enum pofi_cim_prop prop, const char *is);
/* The object referred to, POF_NONE when not given. One that no document describes is an error. */
uint32_t pofi_cim_ref(struct pofi_cim *c, uint32_t object, enum pofi_cim_prop prop);
/* The same, but POF_NONE also where it is not described. */
uint32_t pofi_cim_ref_opt(const struct pofi_cim *c, uint32_t object, enum pofi_cim_prop prop);
/* Those that refer to an object by a property, in order. */
const struct pofi_cim_back *pofi_cim_back(const struct pofi_cim *c, uint32_t target,
                                          enum pofi_cim_prop prop, size_t *n);
/* The first of them, POF_NONE. */
uint32_t pofi_cim_one(const struct pofi_cim *c, uint32_t target, enum pofi_cim_prop prop);

/* A name for what is made of an object, that nothing in the set has; text has POF_GRID_NAME_MAX + 1
 * bytes. */
struct pof_text pofi_cim_name(const struct pofi_cim *c, uint32_t object, const char *suffix,
                              const struct pof_names *set, char *text);
/* Whether equipment is in service (SSH, else SV); counts what is not. */
bool pofi_cim_in_service(struct pofi_cim *c, uint32_t object);

/* --- nodes (cim_nodes.c) --- */

struct pofi_cim_terminal {
    uint32_t object;
    uint32_t node; /* POF_NONE: not connected */
    uint32_t home; /* the node it belongs to, connected or not; POF_NONE: not known */
    double base_v; /* of home; where that is not known, as the caller sees fit */
    double sequence;
};

int pofi_cim_nodes(struct pofi_cim *c);
/* The terminals of an equipment by sequence number, exactly want of them. 1: here they are, 0: it has
 * none, which is counted; negative: error. */
int pofi_cim_terminals(struct pofi_cim *c, uint32_t equipment, struct pofi_cim_terminal *t, size_t want);
/* Of a terminal: the node it belongs to whether connected or not; POF_NONE. */
uint32_t pofi_cim_node_of(const struct pofi_cim *c, uint32_t terminal);
/* A node that no document has: "NAME SUFFIX". */
int pofi_cim_extra_node(struct pofi_cim *c, uint32_t object, const char *suffix, double base_v,
                        uint32_t *node);
/* The stored voltage of a node: 1 and V, rad; 0 where none is stored. */
int pofi_cim_state(struct pofi_cim *c, uint32_t node, double *v, double *angle);
/* Limits of voltage and places, of all nodes. */
int pofi_cim_node_limits(struct pofi_cim *c);
int pofi_cim_coordinates(struct pofi_cim *c);

/* --- branches (cim_branches.c, cim_transformer.c, cim_tap.c, cim_limits.c) --- */

int pofi_cim_branches(struct pofi_cim *c);
int pofi_cim_transformer(struct pofi_cim *c, uint32_t transformer);
/* Adds a branch named after an equipment, between two terminals. What is not connected at both ends is
 * an open branch; an end alone that is not gets a node of its own behind an open switch. */
struct pofi_cim_part {
    uint32_t equipment;
    const char *suffix; /* of its name */
    struct pofi_cim_terminal t[2];
};
/* added (may be NULL): whether there is one; not where an end has no node, or both have the same. */
int pofi_cim_add_branch(struct pofi_cim *c, const struct pofi_cim_part *part, struct pof_branch *b,
                        bool *added);

/* What the tap changers of a winding do: voltages of the winding are ratio * e^(j angle) times what
 * they are at the neutral step, and its impedances are multiplied. */
struct pofi_cim_turns {
    double ratio, angle;
    double r_factor, x_factor, g_factor, b_factor;
    double x_set; /* a reactance, ohm, that takes the place of the winding's; 0: none */
    struct pof_tap tap;
    bool has_tap;
};
int pofi_cim_turns(struct pofi_cim *c, uint32_t end, struct pofi_cim_turns *out);

/* The permanent limit at a terminal or equipment, VA at nominal voltage; 0: none. */
double pofi_cim_rating(struct pofi_cim *c, uint32_t object, double base_v);
/* Voltage limits given at a terminal or equipment tighten low and high, V. */
void pofi_cim_voltage_limits(struct pofi_cim *c, uint32_t object, double *low, double *high);

/* --- what is connected (cim_inject.c, cim_machine.c) --- */

struct pofi_cim_machine {
    uint32_t object, node;
    double p_w, q_var;   /* consumption */
    double v_set;        /* V; 0: holds none */
    uint32_t holds;      /* the node whose voltage is held; POF_NONE: not known */
    double angle;        /* of an energy source, rad */
    double q_min, q_max; /* injection; not limited where q_min >= q_max */
    double share;        /* of a distributed slack */
    double priority;     /* to be the slack, 1 first; 0: none was given */
    double strength;     /* among those without priority the largest is the slack; 0: never */
};

/* Adds up what consumes at nodes, and collects machines. */
int pofi_cim_injections(struct pofi_cim *c);
/* Adds one to c->machine. */
int pofi_cim_machine(struct pofi_cim *c, uint32_t object, const struct pofi_cim_terminal *t);
/* The stored power into an equipment at its terminal, W and var; false where none is stored. */
bool pofi_cim_stored_power(struct pofi_cim *c, uint32_t terminal, double *p_w, double *q_var);
/* Gives nodes their kinds: one slack for each electrical island. */
int pofi_cim_hold(struct pofi_cim *c);
/* A voltage of a control in V, by its unit multiplier; base_v is what it must be near to (0: nothing). */
double pofi_cim_target(struct pofi_cim *c, uint32_t control, enum pofi_cim_prop prop, double base_v);

/* --- measurements (cim_analog.c) --- */

int pofi_cim_analogs(struct pofi_cim *c);

#endif
