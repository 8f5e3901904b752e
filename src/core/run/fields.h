/* The fields of an experiment, one row each: what it is called, what it may be, where it lies, what
 * it is when nobody says, and which phase of a run it shapes. From these rows experiments get their
 * defaults, scripts are read (src/lua/lua_fields.c), values are checked, runs are described, and it
 * is known what one run may take over from another. A new field is a member of eex_experiment, a
 * row here, and a row in docs/writing-experiments.md, which a test compares with this one.
 *
 * Rows stand in the order of the description, and what is read depends on earlier rows only. */
#ifndef EEX_CORE_RUN_FIELDS_H
#define EEX_CORE_RUN_FIELDS_H

#include "core/run/experiment.h"
#include "core/run/phase.h"

#include "base/buffer.h"
#include "base/range.h"

typedef enum eex_field_type {
    EEX_FIELD_INT,     /* int, within range */
    EEX_FIELD_NUMBER,  /* double, within range */
    EEX_FIELD_FLOAT,   /* float, within range */
    EEX_FIELD_FLAG,    /* bool */
    EEX_FIELD_ENUM,    /* an enum, by its names */
    EEX_FIELD_EITHER,  /* bool, by two names: that of false comes first */
    EEX_FIELD_SEED,    /* uint64_t, one that a script can say */
    EEX_FIELD_TEXT,    /* char[size] */
    EEX_FIELD_INTS,    /* eex_field_ints: int[size] and how many, each within range */
    EEX_FIELD_NUMBERS, /* eex_field_numbers: double[size] and how many, each within range */
    /* Those that something is special about. */
    EEX_FIELD_RUN_NAME,   /* text that a folder can be called, the script's name when absent */
    EEX_FIELD_TABLE_FILE, /* text: a file that the script must be allowed to read */
    EEX_FIELD_DATA_NAME,  /* text: the name of a data set, or such a file */
    EEX_FIELD_TIME,       /* text of Slurm's; a whole number is minutes */
    EEX_FIELD_BACKBONE,
    EEX_FIELD_NETWORK,     /* one more network, that may be absent */
    EEX_FIELD_SALIENCY,    /* a rule, or nodes: eex_points, and whether a probe ranks them */
    EEX_FIELD_GATE_ACT,    /* enum; the backbone's when absent */
    EEX_FIELD_DATASET,     /* stands for its table: a name alone is {name = ...} */
    EEX_FIELD_SHORT,       /* stands for its table: a name alone is {kind = ...} */
    EEX_FIELD_AUGMENT,     /* stands for its table: false switches all of it off */
    EEX_FIELD_LIKE,        /* stands for its table: a recipe that is like the training's */
    EEX_FIELD_FIXED,       /* names[otherwise], nobody's to set; its help says why */
    EEX_FIELD_POLICY_KIND, /* enum; another one changes what is usual for the rows below */
    EEX_FIELD_TEMPERATURE, /* number, or "fitted": 0 */
    EEX_FIELD_THRESHOLD,   /* number; scripts give the entropy, policies compare its negative */
    EEX_FIELD_LOWER,       /* likewise, or false: INFINITY, never */
    EEX_FIELD_OR_FALSE,    /* number, or false: -1 */
    EEX_FIELD_POPULATION,  /* int; the sample is never larger unless it says so */
    EEX_FIELD_TYPES
} eex_field_type;

typedef struct eex_field {
    const char *path; /* "training.schedule.warmup" */
    eex_field_type type;
    eex_phase phase; /* the first phase that it shapes; EEX_PHASES: none */
    size_t offset;   /* in eex_experiment */
    eex_range range;
    bool single;                     /* NUMBER: is calculated with as a float32, as FLOAT is */
    const eex_names *(*names)(void); /* of enums and the like */
    double otherwise;                /* the default of what is no text and no list */
    const char *usual;               /* the default in words, where a number does not say it */
    const int *list;                 /* INTS: the default, (listed) */
    int listed, size;                /* size: bytes of a text, room of a list */
    size_t count_offset;             /* INTS, NUMBERS: where their number is kept */
    bool needed;                     /* has to be there */
    bool unsaid; /* not in descriptions: another row of the same place says it, and is checked */
    bool quiet;  /* not in descriptions while it is the default: runs from before there was such a
                  * field stay what they are */
    bool aside;  /* never in descriptions: it says where work is done, and shapes nothing */
    const char *help; /* one line */
} eex_field;

/* All rows; *count of them. */
const eex_field *eex_fields(int *count);

/* Whether an experiment has a field as it is without being asked. */
bool eex_field_is_default(const eex_field *field, const eex_experiment *e);

/* The row of that path; NULL: there is none. */
const eex_field *eex_field_find(const char *path);

/* The row that a line of a description ("path = value") is about; NULL: no field's. */
const eex_field *eex_field_of_line(const char *line);

/* The first phase that a line of a run's description shapes, those that are no field's (data,
 * device, threads) among them; EEX_PHASES: none. */
eex_phase eex_phase_of_line(const char *line);

/* Whether the row stands for the table that the rows below it fill. */
bool eex_field_is_table(const eex_field *field);

/* Whether its value is one number that can be put. */
bool eex_field_is_number(const eex_field *field);

/* Values of all types that are one number: flags are 0 and 1, enums their member. */
double eex_field_get(const eex_field *field, const eex_experiment *e);
void eex_field_put(const eex_field *field, eex_experiment *e, double value);

char *eex_field_text(const eex_field *field, eex_experiment *e);           /* texts: (size) */
int *eex_field_ints(const eex_field *field, eex_experiment *e);            /* INTS: (size) */
double *eex_field_numbers(const eex_field *field, eex_experiment *e);      /* NUMBERS: (size) */
int *eex_field_count(const eex_field *field, eex_experiment *e);           /* INTS, NUMBERS */
eex_augment *eex_field_augment(const eex_field *field, eex_experiment *e); /* AUGMENT */
eex_graph **eex_field_graph(const eex_field *field, eex_experiment *e);    /* BACKBONE, NETWORK */
eex_recipe *eex_field_recipe(const eex_field *field, eex_experiment *e);   /* LIKE */

void eex_field_default(const eex_field *field, eex_experiment *e);

/* What it may be ("a positive integer", `one of "a" and "b"`), and what it is when nobody says: as
 * messages, help and documentation have it. */
void eex_field_expects(eex_buffer *out, const eex_field *field);
void eex_field_usual(eex_buffer *out, const eex_field *field);

/* Whether a number may stand for the field, which is one number, and what messages say that it may
 * be where it may not: as eex_field_expects, and that float32 has no such number where it is that.
 */
#define EEX_FIELD_FLOATS " as a float32 too, whose amounts are 1.2e-38 to 3.4e+38"
bool eex_field_takes(const eex_field *field, double value);
void eex_field_expects_of(eex_buffer *out, const eex_field *field, double value);

/* EEX_EINVAL: "path: expected, got value". */
int eex_field_check(const eex_field *field, const eex_experiment *e);

/* Adds its line to a description. */
void eex_field_describe(eex_buffer *out, const eex_field *field, const eex_experiment *e);

#endif
