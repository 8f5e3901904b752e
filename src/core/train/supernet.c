#include "core/train/supernet.h"

#include "core/plan/slice.h"
#include "core/plan/update.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* A network other than the largest, with all that it is trained by. */
typedef struct student {
    int *genome; /* (genes) canonical */
    eex_graph *graph;
    eex_params *params;
    eex_optimizer_state *state; /* the gradient alone */
    eex_slices *slices;
    eex_plan *plan;
    uint64_t used; /* when it was, the latest has the largest number; 0: there is none here */
} student;

/* Spaces of a few networks draw the same ones again and again; of others only the smallest comes
 * back. */
enum { LEAST_STUDENTS = 8 };

struct eex_supernet {
    eex_recipe recipe;
    eex_plan *largest;
    eex_plan_options options; /* the students', but for their state */
    const eex_graph *graph;
    eex_params *params;
    eex_optimizer_state *state;
    eex_update *update;
    int *drawn, *genomes; /* (random + 1, genes), (count, genes) the students' */
    student *students;    /* (count) */
    int count;
    uint64_t uses;
};

int eex_supernet_check(const eex_graph *graph)
{
    if (eex_graph_genes(graph) == 0)
        return eex_fail(EEX_EINVAL,
                        "training.regime: \"sandwich\" trains the networks of an elastic backbone, "
                        "but %s has no genes: take \"joint\", or a backbone with genes",
                        eex_graph_name(graph));
    return EEX_OK;
}

/* ---- students ---- */

static void student_close(student *s)
{
    eex_plan_free(s->plan);
    eex_slices_free(s->slices);
    eex_optimizer_state_free(s->state);
    eex_params_free(s->params);
    eex_graph_free(s->graph);
    *s = (student){.genome = s->genome};
}

static int student_make(student *s, const eex_supernet *net)
{
    eex_plan_options options = net->options;
    EEX_TRY(eex_graph_derive(&s->graph, NULL, net->graph, s->genome));
    EEX_TRY(eex_params_new_empty(&s->params, net->params->device, s->graph));
    EEX_TRY(eex_optimizer_state_new(&s->state, s->params, NULL));
    EEX_TRY(eex_slices_new(&s->slices, net->graph, s->graph));
    options.state = s->state;
    return eex_plan_new_beside(&s->plan, &options, s->graph, s->params, net->largest);
}

/* The student of that genome, or the place of the one that has not been used for longest. */
static student *find(const eex_supernet *net, const int *genome, size_t bytes)
{
    student *oldest = &net->students[0];
    for (int i = 0; i < net->count; i++) {
        student *s = &net->students[i];
        if (s->used && memcmp(s->genome, genome, bytes) == 0)
            return s;
        if (s->used < oldest->used)
            oldest = s;
    }
    student_close(oldest);
    return oldest;
}

static int take(student **out, eex_supernet *net, const int *genome)
{
    const size_t bytes = (size_t)eex_graph_genes(net->graph) * sizeof *genome;
    student *s = find(net, genome, bytes);
    if (!s->used) {
        memcpy(s->genome, genome, bytes);
        const int code = student_make(s, net);
        if (code < 0) {
            student_close(s);
            return code;
        }
    }
    s->used = ++net->uses;
    *out = s;
    return EEX_OK;
}

/* ---- a step ---- */

static int run(eex_plan *plan, const eex_batch *batch, const eex_step *step)
{
    EEX_TRY(eex_plan_upload(plan, batch->images, batch->labels, batch->samples, batch->count));
    return eex_plan_step(plan, step);
}

static int teach(eex_supernet *net, const int *genome, const eex_batch *batch, const eex_step *step)
{
    student *s;
    EEX_TRY(take(&s, net, genome));
    EEX_TRY(eex_slices_gather(s->slices, s->params, net->params));
    EEX_TRY(run(s->plan, batch, step));
    return eex_slices_scatter(s->slices, net->state, s->state);
}

int eex_supernet_step(eex_supernet *net, const eex_batch *batch, const eex_step *step)
{
    const int genes = eex_graph_genes(net->graph);
    const int count = eex_sandwich_draw(net->drawn, net->graph, &net->recipe, step);
    EEX_TRY(eex_update_clear(net->update));
    EEX_TRY(run(net->largest, batch, step));
    for (int i = 0; i < count; i++)
        EEX_TRY(teach(net, net->drawn + (ptrdiff_t)i * genes, batch, step));
    return eex_update_run(net->update, step);
}

/* ---- all of it ---- */

static eex_plan_options student_options(const eex_plan_options *largest, const eex_recipe *recipe,
                                        const eex_plan *teacher)
{
    eex_plan_options o = *largest;
    o.keep_logits = false;
    o.no_dropout = true;
    if (recipe->distill > 0) {
        o.teacher = eex_plan_kept_logits(teacher);
        o.distill = (float)recipe->distill;
        o.distill_t = (float)recipe->distill_t;
    }
    return o;
}

static int allocate(eex_supernet *net)
{
    const size_t genes = (size_t)eex_graph_genes(net->graph), step = (size_t)net->recipe.random + 1;
    net->count = step < LEAST_STUDENTS ? LEAST_STUDENTS : (int)step;
    net->drawn = calloc(step * genes, sizeof *net->drawn);
    net->genomes = calloc((size_t)net->count * genes, sizeof *net->genomes);
    net->students = calloc((size_t)net->count, sizeof *net->students);
    if (!net->drawn || !net->genomes || !net->students)
        return eex_fail(EEX_ENOMEM, "out of memory for the networks of a supernet");
    for (int i = 0; i < net->count; i++)
        net->students[i].genome = net->genomes + (size_t)i * genes;
    return EEX_OK;
}

int eex_supernet_new(eex_supernet **out, const eex_recipe *recipe, eex_plan *largest,
                     const eex_plan_options *options)
{
    eex_params *params = options->state->params;
    *out = NULL;
    EEX_TRY(eex_supernet_check(params->graph));
    eex_supernet *net = calloc(1, sizeof *net);
    if (!net)
        return eex_fail(EEX_ENOMEM, "out of memory for a supernet");
    *net = (eex_supernet){.recipe = *recipe,
                          .largest = largest,
                          .options = student_options(options, recipe, largest),
                          .graph = params->graph,
                          .params = params,
                          .state = options->state};
    int code = allocate(net);
    if (code == EEX_OK)
        code = eex_update_new(&net->update, &options->optimizer, net->state);
    if (code < 0) {
        eex_supernet_free(net);
        return code;
    }
    *out = net;
    return EEX_OK;
}

void eex_supernet_free(eex_supernet *net)
{
    if (!net)
        return;
    for (int i = 0; net->students && i < net->count; i++)
        student_close(&net->students[i]);
    eex_update_free(net->update);
    free(net->students);
    free(net->genomes);
    free(net->drawn);
    free(net);
}
