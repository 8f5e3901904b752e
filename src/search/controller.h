/* Search controllers: ask for a candidate, evaluate it, tell its score.
 *
 *     while (!eex_controller_done(c)) {
 *         eex_controller_ask(c, genome);
 *         ... evaluate ...
 *         eex_controller_tell(c, genome, &score);
 *     }
 *
 * What is asked next is a function of the space, the options (the seed among them), the trials
 * told, in their order, and the candidates asked but not yet told: nothing else. So a search is
 * continued by telling a new controller the stored trials in their order. That holds for algorithms
 * with a memory of their own too: it follows from the trials told (algorithm.h). Several candidates
 * may be asked for before the first is told.
 *
 * No candidate is asked for twice: where an algorithm only proposes what was there already, an
 * unseen one is looked for at random and then by enumeration. */
#ifndef EEX_SEARCH_CONTROLLER_H
#define EEX_SEARCH_CONTROLLER_H

#include "search/space.h"

#include "base/buffer.h"
#include "base/names.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum eex_algorithm {
    /* Aging evolution (Real et al. 2019, "Regularized Evolution for Image Classifier Architecture
     * Search"): `population` random candidates first; then each time `sample` members are drawn
     * with replacement, the fittest is copied with one mutation, and the result of it replaces the
     * oldest member. Failed candidates age like others and are no parents as long as a valid member
     * lives; when none does, random candidates are asked for. What violates constraints is
     * less fit than what does not, the more the less. */
    EEX_AGING,
    EEX_RANDOM,     /* uniformly random: the control that others have to beat */
    EEX_EXHAUSTIVE, /* each candidate of a small space once, the last gene changing fastest */
    /* NSGA-II (Deb et al. 2002): `population` random candidates first, then generations as large.
     * Parents are the `population` best trials by non-dominated rank and crowding of objectives
     * (or the fitness, where scores have none), those without violation first; children are made
     * by two-point crossover and polynomial mutation. Failed candidates are no parents. */
    EEX_NSGA2,
    /* Surrogate-assisted search (Lu et al. 2020, "NSGANetV2"; EDANAS): `initial` candidates first,
     * the genomes of first options and of last options, then random ones. Then each time a
     * predictor (predictor.h) of each objective is fitted to the trials, to 512 of them at most,
     * NSGA-II searches on these from their front on, and `batch` of what it finds are asked for, so
     * that the second objective is covered evenly. */
    EEX_SURROGATE,
    EEX_ALGORITHMS
} eex_algorithm;

const eex_names *eex_algorithm_names(void); /* "aging", "random", ... */
const char *eex_algorithm_name(eex_algorithm algorithm);

enum { EEX_MAX_OBJECTIVES = 4 };

typedef struct eex_score {
    double fitness;                        /* maximised; NaN counts as failed */
    double objectives[EEX_MAX_OBJECTIVES]; /* each minimised; the same ones in every trial */
    int objective_count; /* 0..EEX_MAX_OBJECTIVES; the rest of `objectives` is ignored */
    double violation;    /* of constraints, by how much; 0 or less: none, and how much is left, by
                          * which surrogates see where it begins. What violates some comes behind
                          * all that does not, the least violation first */
    bool failed;         /* the candidate has no score; its fitness is taken for -infinity */
} eex_score;

/* How a search on surrogates stands, before each batch; a search that goes on says it once more of
 * the batch that it is in. */
typedef struct eex_search_report {
    size_t trials; /* that it knows, failed ones included */
    int objective_count;
    const char *surrogate[EEX_MAX_OBJECTIVES]; /* what was chosen for each, */
    double tau[EEX_MAX_OBJECTIVES]; /* and its cross-validated Kendall tau; NaN of very few */
    double null_tau;    /* of the order of the first objective with the reverse order of the second:
                         * what is known without any model; NaN with a single objective */
    double hypervolume; /* of what was found and violates nothing. The reference point is a tenth of
                         * their range worse than the worst of the first `initial` trials, and stays
                         * there */
    double reference[EEX_MAX_OBJECTIVES];
} eex_search_report;

typedef struct eex_controller_options {
    uint64_t seed;
    size_t trials;    /* candidates asked for at most, those of told trials included; 0: no limit */
    int population;   /* aging: size of the population, >= 1; nsga2: and of a generation, >= 2 */
    int sample;       /* aging: members drawn to find a parent, 1..population */
    uint64_t largest; /* exhaustive: refuses larger spaces; 0: 1,000,000 */

    /* surrogate: */
    size_t initial;      /* candidates before the first model; 0: 100 */
    size_t batch;        /* candidates between two models; 0: 8 */
    unsigned surrogates; /* those to choose from, an eex_surrogate_set (predictor.h) */
    /* Called by an ask or by eex_controller_done; NULL: nobody. The report is borrowed. */
    void (*report)(const eex_search_report *report, void *context);
    void *report_context;
} eex_controller_options;

typedef struct eex_controller eex_controller;

/* EEX_EINVAL when the algorithm does not go with the space or the options: what making a controller
 * says, too. */
int eex_controller_check(eex_algorithm algorithm, const eex_space *space,
                         const eex_controller_options *options);

/* Makes a controller with a row of search/algorithm.h. */
int eex_controller_new(eex_controller **out, eex_algorithm algorithm, const eex_space *space,
                       const eex_controller_options *options);

void eex_controller_free(eex_controller *c); /* accepts NULL */

/* True when there is nothing to ask for any more: the limit is reached, or no unseen candidate is
 * left (in a space of more than 2^20 genomes: none turned up in as many attempts). False when the
 * algorithm failed to propose: the coming ask says how. */
bool eex_controller_done(eex_controller *c);

/* Gives the next candidate, in canonical form. EEX_ENOTFOUND when done; any error of the algorithm,
 * after which asking again is as asking for the first time. */
int eex_controller_ask(eex_controller *c, int *genome);

/* Counts a candidate as asked for that was asked for before: in the order of asking, after the
 * trials that were told are told again, it brings a new controller to where a search was with
 * several candidates asked for. EEX_EINVAL when it is not of the space or was seen before. */
int eex_controller_expect(eex_controller *c, const int *genome);

/* Takes the score of a candidate, asked or not. EEX_EINVAL when it is not of the space, was told
 * before, or has another number of objectives than the valid trials before; any error of the
 * algorithm. After an error the trial is not told. */
int eex_controller_tell(eex_controller *c, const int *genome, const eex_score *score);

/* Trials told so far, by their order. Borrowed until the next tell. */
size_t eex_controller_trials(const eex_controller *c);
const int *eex_controller_genome(const eex_controller *c, size_t trial);
const eex_score *eex_controller_score(const eex_controller *c, size_t trial);

/* The fittest valid trial, of those with the least violation; the first of equals. False when there
 * is none. */
bool eex_controller_best(size_t *trial, const eex_controller *c);

/* Candidates asked for and not yet told, in the order of asking: after a load, those to evaluate
 * before asking again. Borrowed until the next ask or tell. */
size_t eex_controller_pending(const eex_controller *c);
const int *eex_controller_pending_genome(const eex_controller *c, size_t i);

/* Aging: the trials that form the population are first..first+count-1. */
void eex_aging_population(size_t *first, size_t *count, const eex_controller *c);

/* The state as bytes that do not depend on the machine, and back: the trials told and the pending
 * candidates, nothing that an algorithm remembers, for a load tells the trials again. A load goes
 * into a new controller of the same algorithm, space and options. EEX_EFORMAT when the bytes are
 * damaged, EEX_EINVAL when they are of another search; the controller is then good for nothing but
 * eex_controller_free. */
int eex_controller_save(eex_buffer *out, const eex_controller *c);
int eex_controller_load(eex_controller *c, const void *data, size_t size);

#endif
