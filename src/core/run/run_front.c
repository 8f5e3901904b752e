/* The front's networks, finished as the chosen one is and scored on the test split, and front.h5
 * with their figures. A network's file has its own figures too, so none is calculated twice. */
#include "core/run/front_pick.h"
#include "core/run/judge.h"
#include "core/run/run_final.h"
#include "core/run/run_scored.h"

#include "base/log.h"
#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TITLE = 64, MAX_NAMES = 1 << 20 };

typedef struct front {
    eex_run *run;
    eex_trials trials;
    uint64_t chosen; /* the run's own: final.h5 has its weights */
    eex_front found;
} front;

/* One of its networks. */
typedef struct member {
    eex__final network;
    eex__scored scored;
    double alone[EEX_MAX_EXITS]; /* accuracy of each exit by itself, on the test split */
} member;

/* ---- finishing one ---- */

/* One pass with nobody leaving, for what every exit would be as a network of its own; then as it
 * is. */
static int test(member *m, const eex_run *run)
{
    eex__final *f = &m->network;
    m->scored = (eex__scored){
        .graph = f->graph, .params = f->params, .policy = f->policy, .familiar = f->familiar};
    EEX_TRY(eex__score_alone(m->alone, run, f->graph, f->params));
    return eex__score_test(&m->scored, run);
}

static int save_member(eex_store_file *file, const void *context)
{
    const member *m = context;
    EEX_TRY(eex__final_save(file, &m->network));
    EEX_TRY(eex_trace_save(m->network.calibration, file, "calibration"));
    EEX_TRY(eex_trace_save(m->network.validation, file, "validation"));
    EEX_TRY(eex__scored_save(file, "test", m->network.run, &m->scored));
    return eex__alone_save(file, "test", m->alone, eex_graph_exits(m->network.graph));
}

static int finish(member *m, eex_run *run, const eex__final_plan *plan, const char *name)
{
    EEX_TRY(eex__run_poll());
    EEX_TRY(eex__final_make(&m->network, run, plan));
    EEX_TRY(eex__run_poll());
    EEX_TRY(test(m, run));
    return eex__run_write(run, name, save_member, m);
}

/* What diverges or does not fit into memory is no failure of the run. */
static int settle(eex_front_member *m, const char *what, int code)
{
    if (code != EEX_EDIVERGED && code != EEX_ENOMEM)
        return code;
    m->status = code;
    eex_text_clip(m->reason, sizeof m->reason, eex_error());
    eex_log_warn("%s failed: %s", what, m->reason);
    return EEX_OK;
}

static int make_member(front *f, size_t i)
{
    char name[EEX_FRONT_NAME], what[TITLE], title[TITLE];
    eex_front_member *row = &f->found.members[i];
    const int *genome = eex_trials_genome(&f->trials, (size_t)row->trial);
    eex__final_plan plan = {.what = what,
                            .title = title,
                            .checkpoint = "front-checkpoint.h5",
                            .seed = eex__run_seed(f->run, EEX_STREAM_FINAL, row->trial + 1),
                            .subject = row->trial,
                            .trained = row->trial == f->chosen ? EEX_RUN_FINAL : NULL,
                            .trial = row->trial};
    member m = {.network = {.run = NULL}};
    if (eex__run_has(f->run, eex_front_file(name, i)))
        return EEX_OK;
    snprintf(what, sizeof what, "network %zu of the front", i + 1);
    snprintf(title, sizeof title, "front %zu/%zu", i + 1, f->found.count);
    memcpy(plan.genome, genome, (size_t)f->trials.genes * sizeof *genome);
    eex_log_info("%s: trial %llu, %d gate%s", title, (unsigned long long)row->trial, row->gates,
                 eex_plural(row->gates));
    int code = finish(&m, f->run, &plan, name);
    free(m.scored.results);
    eex__final_free(&m.network);
    return code < 0 ? settle(row, what, code) : EEX_OK;
}

/* ---- its figures ---- */

static int read_column(eex_front_exit *exits, int count, eex_store_file *file, const char *name,
                       size_t offset)
{
    double values[EEX_MAX_EXITS];
    const eex_store_shape shape = {1, {(uint64_t)count}};
    EEX_TRY(eex_store_read(values, file, name, EEX_STORE_F64, &shape));
    for (int k = 0; k < count; k++)
        memcpy((char *)&exits[k] + offset, &values[k], sizeof values[k]);
    return EEX_OK;
}

static int read_columns(eex_front_exit *exits, int count, eex_store_file *file)
{
    static const struct {
        const char *name;
        size_t offset;
    } columns[] = {{"policy/a", offsetof(eex_front_exit, threshold)},
                   {"test/utilisation", offsetof(eex_front_exit, utilisation)},
                   {"test/exit_accuracy", offsetof(eex_front_exit, exit_accuracy)},
                   {"test/alone_accuracy", offsetof(eex_front_exit, alone_accuracy)},
                   {"exits/macs_taken", offsetof(eex_front_exit, alone_macs)},
                   {"exits/validation_accuracy", offsetof(eex_front_exit, alone_validation)}};
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++)
        EEX_TRY(read_column(exits, count, file, columns[c].name, columns[c].offset));
    return EEX_OK;
}

static int read_places(eex_front_exit *exits, const eex_store_list *nodes, eex_store_file *file)
{
    int32_t blocks[EEX_MAX_EXITS], position[EEX_MAX_EXITS];
    const eex_store_shape shape = {1, {nodes->count}};
    EEX_TRY(eex_store_read(blocks, file, "exits/blocks", EEX_STORE_I32, &shape));
    EEX_TRY(eex_store_read(position, file, "exits/position", EEX_STORE_I32, &shape));
    for (size_t k = 0; k < nodes->count; k++) {
        exits[k].blocks = blocks[k];
        exits[k].position = position[k];
        snprintf(exits[k].node, sizeof exits[k].node, "%s", nodes->item[k]);
    }
    return EEX_OK;
}

/* The exits of a member behind those of the members before it. */
static int read_exits(eex_front *out, eex_front_member *m, eex_store_file *file,
                      const eex_store_list *nodes)
{
    if (nodes->count < 1 || nodes->count > EEX_MAX_EXITS)
        return eex_store_refuse(file, "%zu exits", nodes->count);
    eex_front_exit *grown =
        realloc(out->exits, (out->exit_count + nodes->count) * sizeof *out->exits);
    if (!grown)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu exits", out->exit_count + nodes->count);
    out->exits = grown;
    m->first = out->exit_count;
    m->exits = (int)nodes->count;
    eex_front_exit *exits = grown + m->first;
    memset(exits, 0, nodes->count * sizeof *exits);
    EEX_TRY(read_places(exits, nodes, file));
    EEX_TRY(read_columns(exits, m->exits, file));
    exits[m->exits - 1].threshold = NAN; /* whoever comes to the end leaves there */
    out->exit_count += nodes->count;
    return EEX_OK;
}

static int read_figures(eex_front_member *m, eex_store_file *file)
{
    int64_t trial = 0;
    EEX_TRY(eex_store_get_int(&trial, file, "", "trial"));
    if ((uint64_t)trial != m->trial)
        return eex_store_refuse(file, "it is trial %lld, expected %llu", (long long)trial,
                                (unsigned long long)m->trial);
    EEX_TRY(eex_store_get_double(&m->validation_accuracy, file, "validation", "accuracy"));
    EEX_TRY(eex_store_get_double(&m->validation_macs, file, "validation", "macs"));
    EEX_TRY(eex_store_get_double(&m->accuracy, file, "test", "accuracy"));
    EEX_TRY(eex_store_get_double(&m->rejected, file, "test", "rejected"));
    EEX_TRY(eex_store_get_double(&m->macs, file, "test", "macs"));
    EEX_TRY(eex_store_get_double(&m->macs_taken, file, "test", "macs_taken"));
    return eex_store_get_double(&m->seconds, file, "history", "seconds");
}

typedef struct reading {
    eex_front *out;
    eex_front_member *member;
} reading;

static int use_member(eex_store_file *file, void *context)
{
    const reading *r = context;
    eex_store_list nodes = {0};
    EEX_TRY(read_figures(r->member, file));
    EEX_TRY(eex_store_read_strings(&nodes, file, "exits/node", MAX_NAMES));
    int code = read_exits(r->out, r->member, file, &nodes);
    eex_store_list_free(&nodes);
    return code;
}

static int collect(front *f)
{
    char name[EEX_FRONT_NAME];
    for (size_t i = 0; i < f->found.count; i++) {
        eex_front_member *m = &f->found.members[i];
        reading r = {&f->found, m};
        m->validation_accuracy = m->validation_macs = NAN;
        m->accuracy = m->rejected = m->macs = m->macs_taken = NAN;
        if (m->status == EEX_OK)
            EEX_TRY(eex__run_read(f->run, eex_front_file(name, i), use_member, &r));
    }
    return EEX_OK;
}

/* ---- all of it ---- */

static int use_trials(eex_store_file *file, void *context)
{
    return eex_trials_load(context, file, "trials");
}

static int save_front(eex_store_file *file, const void *context)
{
    const front *f = context;
    EEX_TRY(eex_store_set_int(file, "", "chosen", (int64_t)f->chosen));
    return eex_front_save(&f->found, file);
}

static int work(front *f)
{
    int genome[EEX_MAX_GENES];
    eex_trials_init(&f->trials, f->run->structures->space.genes);
    EEX_TRY(eex__run_chosen(genome, f->run, &f->chosen));
    EEX_TRY(eex__run_read(f->run, "search.h5", use_trials, &f->trials));
    EEX_TRY(eex__front_pick(&f->found, f->run, &f->trials));
    eex_log_info("finishing %zu network%s of the front", f->found.count,
                 eex_plural((int64_t)f->found.count));
    for (size_t i = 0; i < f->found.count; i++)
        EEX_TRY(make_member(f, i));
    EEX_TRY(collect(f));
    return eex__run_write(f->run, "front.h5", save_front, f);
}

/* What front.h5 has made superfluous. */
static int clean(const eex_run *run)
{
    const eex_judge_kind *judge = eex__judge_of(run);
    for (int i = 0; i < run->e->search.trials && judge->forget; i++)
        EEX_TRY(judge->forget(run, (uint64_t)i));
    return eex__run_remove(run, "front-checkpoint.h5");
}

int eex__run_front(eex_run *run)
{
    front f = {.run = run};
    int code = EEX_OK;
    if (!eex__run_has(run, "front.h5")) {
        code = work(&f);
        eex_front_free(&f.found);
        eex_trials_free(&f.trials);
    }
    return code == EEX_OK ? clean(run) : code;
}
