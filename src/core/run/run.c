/* A run from end to end: its phases in their order. */
#include "core/run/run_init.h"
#include "core/run/run_search.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/status.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int open_data(eex_run *run)
{
    const char *name = run->e->data.name;
    char *path = NULL, file[300];
    if (run->options->data_dir && !eex_dataset_is_path(name)) {
        snprintf(file, sizeof file, "%s.h5", name);
        EEX_TRY(eex_path_join(&path, run->options->data_dir, file));
    }
    int code = eex_dataset_open(&run->data, path ? path : name);
    free(path);
    EEX_TRY(code);
    run->facts = eex_dataset_facts(run->data);
    memcpy(run->normalise.mean, run->facts->mean, sizeof run->normalise.mean);
    memcpy(run->normalise.std, run->facts->std, sizeof run->normalise.std);
    run->normalise.height = run->facts->height;
    run->normalise.width = run->facts->width;
    return eex_input_of_dataset(&run->input, run->data);
}

/* A network of the experiment, `field`, against its data. */
static int check_network(const eex_run *run, const char *field, const eex_graph *g)
{
    const eex_node *input = eex_graph_node(g, 0);
    const eex_dataset_info *d = run->facts;
    if (input->c != d->channels || eex_plan_reads(g, d->height, d->width) < 0)
        return eex_fail(EEX_EINVAL,
                        "%s: takes images of %dx%dx%d, data set \"%s\" has %dx%dx%d: they are "
                        "resized, but not to another shape (height to width) or number of channels",
                        field, input->h, input->w, input->c, d->name, d->height, d->width,
                        d->channels);
    if (eex_graph_classes(g) != d->classes)
        return eex_fail(EEX_EINVAL, "%s: tells %d classes apart, data set \"%s\" has %d", field,
                        eex_graph_classes(g), d->name, d->classes);
    return EEX_OK;
}

static int check_data(const eex_run *run)
{
    EEX_TRY(check_network(run, "backbone", run->e->backbone));
    return run->e->rivals.narrower ? check_network(run, "rivals.narrower", run->e->rivals.narrower)
                                   : EEX_OK;
}

static void say_size(const eex_run *run)
{
    const eex_node *input = eex_graph_node(run->e->backbone, 0);
    const eex_dataset_info *d = run->facts;
    if (!run->finished && (input->h != d->height || input->w != d->width))
        eex_log_info("images of %dx%d are resized to %dx%d", d->height, d->width, input->h,
                     input->w);
}

/* ---- phases ---- */

int eex__run_structures(eex_run *run, const eex_points *points)
{
    EEX_TRY(eex_structures_new(&run->structures, run->e, points));
    return eex__search_check(run);
}

int eex__run_space(eex_run *run, const eex_points *points)
{
    EEX_TRY(eex__run_structures(run, points));
    EEX_TRY(eex__run_latency_known(run));
    return eex__run_limits(run);
}

/* Which points there are a probe says, and by then the base is trained. */
static int check_space(eex_run *run)
{
    if (!run->e->probe)
        return eex__run_space(run, &run->e->points);
    EEX_TRY(eex__run_latency_known(run));
    return eex__run_limits(run);
}

/* What the phase had begun goes, or it would be taken for the one in hand. */
static int go_without(eex_run *run, eex_phase phase)
{
    const eex_phase_row *row = eex_phase_at(phase);
    eex_text_clip(run->lost[phase], sizeof run->lost[phase], eex_error());
    eex_log_warn("the run goes on without a %s: %s", row->name, eex_error());
    for (int i = 0; i < EEX_PHASE_FILES && row->temporary[i].name; i++)
        EEX_TRY(eex__run_remove(run, row->temporary[i].name));
    return EEX_OK;
}

int eex__run_phases(eex_run *run, eex_phase end)
{
    EEX_TRY(check_space(run));
    for (int p = 0; p < (int)end; p++) {
        const eex_phase_row *phase = eex_phase_at((eex_phase)p);
        if (phase->wanted && !phase->wanted(run))
            continue;
        eex_device_range(run->device, "%s", phase->name);
        int code = phase->work(run);
        eex_device_range_end(run->device);
        if (code == EEX_EDIVERGED && phase->extra)
            code = go_without(run, (eex_phase)p);
        EEX_TRY(code);
    }
    return EEX_OK;
}

int eex__run_begin(eex_run *run)
{
    const eex_device_options device = {.threads = run->options->threads,
                                       .deterministic = run->e->deterministic};
    EEX_TRY(eex_device_open(&run->device, run->options->device, &device));
    if (run->options->fresh || !eex_run_is_finished(run->options->folder)) {
        EEX_TRY(eex_experiment_check_device(run->e, run->device));
        EEX_TRY(eex__run_init_check(run)); /* all images are looked at next */
    }
    EEX_TRY(open_data(run));
    EEX_TRY(check_data(run));
    EEX_TRY(eex__run_limits(run));
    EEX_TRY(eex__run_open_folder(run)); /* which a fresh start clears: after what may be mistyped */
    say_size(run);
    return eex__run_identity(run);
}

void eex__run_end(eex_run *run)
{
    eex_params_free(run->base);
    eex_structures_free(run->structures);
    eex_split_free(&run->split);
    eex_input_free(&run->input);
    eex_dataset_close(run->data);
    eex_device_close(run->device);
    eex__run_close_folder(run);
}

static int work(eex_run *run)
{
    EEX_TRY(eex__run_begin(run));
    if (run->finished)
        return EEX_OK;
    eex__run_shared_warn(run);
    eex_device_range(run->device, "run %s", run->e->name);
    int code = eex__run_phases(run, EEX_PHASES);
    eex_device_range_end(run->device);
    return code;
}

int eex_experiment_run(const eex_experiment *e, const eex_run_options *options)
{
    eex_run run = {.e = e, .options = options};
    EEX_TRY(eex_experiment_check(e));
    int code = work(&run);
    if (code == EEX_EINTERRUPTED)
        code = eex_fail(code,
                        "interrupted: what was done so far is saved in %s; the same command "
                        "goes on from there",
                        options->folder);
    eex__run_end(&run);
    return code;
}
