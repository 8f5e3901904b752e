#include "core/run/run_init.h"

#include "core/run/judge.h"
#include "core/run/run.h"

#include "base/log.h"
#include "base/sha256.h"
#include "base/status.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { NAME = sizeof((eex_param *)NULL)->name, PATH = NAME + 16, SHAPE = 64, DIGITS = 16 };

/* A network beside the file. */
typedef struct fitting {
    const eex_graph *graph;
    eex_params *params;  /* that get the file's weights; NULL: it is only looked whether they fit */
    float *values;       /* room for the largest parameter */
    int matched, theirs; /* parameters that both have, and that the file has */
    const char *lacking; /* the first one that the file has not; NULL: there is none */
} fitting;

static const char *file_of(const eex_run *run)
{
    return run->e->training_init;
}

/* "64x3x3x3" */
static const char *shape_text(char out[SHAPE], const eex_store_shape *shape)
{
    int used = 0;
    out[0] = '\0';
    for (int d = 0; d < shape->rank && used < SHAPE; d++)
        used += snprintf(out + used, SHAPE - (size_t)used, "%s%llu", d ? "x" : "",
                         (unsigned long long)shape->extent[d]);
    return out;
}

static int check_shape(const fitting *f, eex_store_file *file, const char *path, const eex_param *p,
                       eex_store_shape *wanted)
{
    char here[SHAPE], there[SHAPE];
    eex_store_shape found;
    eex_store_type type;
    *wanted = (eex_store_shape){.rank = p->rank};
    for (int d = 0; d < p->rank; d++)
        wanted->extent[d] = (uint64_t)p->shape[d];
    EEX_TRY(eex_store_describe(&type, &found, file, path));
    bool fits = type == EEX_STORE_F32 && found.rank == wanted->rank;
    for (int d = 0; fits && d < wanted->rank; d++)
        fits = found.extent[d] == wanted->extent[d];
    if (fits)
        return EEX_OK;
    return eex_fail(EEX_EINVAL,
                    "\"%s\" of \"%s\" is %s, in %s %s%s: expected a model whose layers of the same "
                    "names have the same shapes",
                    p->name, eex_graph_name(f->graph), shape_text(here, wanted),
                    eex_store_path(file), shape_text(there, &found),
                    type == EEX_STORE_F32 ? "" : " and no float32");
}

static int fit_one(fitting *f, eex_store_file *file, int i)
{
    const eex_param *p = eex_graph_param(f->graph, i);
    char path[PATH];
    eex_store_shape shape;
    snprintf(path, sizeof path, "params/%s", p->name);
    const int has = eex_store_has(file, path);
    EEX_TRY(has);
    if (!has) {
        f->lacking = f->lacking ? f->lacking : p->name;
        return EEX_OK;
    }
    f->matched++;
    EEX_TRY(check_shape(f, file, path, p, &shape));
    if (!f->params)
        return EEX_OK;
    EEX_TRY(eex_store_read(f->values, file, path, EEX_STORE_F32, &shape));
    return eex_params_set(f->params, i, f->values);
}

static int fit(eex_store_file *file, void *context)
{
    fitting *f = context;
    eex_store_list theirs = {0};
    EEX_TRY(eex_store_names(&theirs, file, "params"));
    f->theirs = (int)theirs.count;
    eex_store_list_free(&theirs);
    for (int i = 0; i < eex_graph_params(f->graph); i++)
        EEX_TRY(fit_one(f, file, i));
    if (f->matched == 0)
        return eex_fail(EEX_EINVAL,
                        "%s has no parameter of \"%s\" (\"%s\" and so on): expected a model whose "
                        "layers have the same names",
                        eex_store_path(file), eex_graph_name(f->graph), f->lacking);
    return EEX_OK;
}

static int read_file(fitting *f, const eex_run *run)
{
    int code = eex_store_read_file(file_of(run), "weights", EEX_RUN_VERSION, fit, f);
    return code < 0 && code != EEX_EINTERRUPTED ? eex_fail_in(code, "training.init") : code;
}

/* ---- before anything is trained ---- */

static int check_graph(const eex_run *run, const eex_graph *graph)
{
    fitting f = {.graph = graph};
    return read_file(&f, run);
}

int eex__run_init_check(const eex_run *run)
{
    const eex_experiment *e = run->e;
    eex_structures *s = NULL;
    eex_graph *graph = NULL;
    if (!*file_of(run))
        return EEX_OK;
    if (eex__run_makes(run, file_of(run)))
        return eex_fail(EEX_EINVAL,
                        "training.init: %s is a file of the run's own folder, which the run makes "
                        "itself: choose another folder with --out, or copy the file",
                        file_of(run));
    EEX_TRY(check_graph(run, e->backbone));
    if (e->probe || !eex__judge_wants_shared(run))
        return EEX_OK;
    EEX_TRY(eex_structures_new(&s, e, &e->points));
    int code = eex_structures_shared(&graph, s);
    if (code == EEX_OK)
        code = check_graph(run, graph);
    eex_graph_free(graph);
    eex_structures_free(s);
    return code;
}

/* ---- using them ---- */

static float *room(const eex_graph *graph)
{
    size_t most = 1;
    for (int i = 0; i < eex_graph_params(graph); i++) {
        const size_t count = eex_param_count(eex_graph_param(graph, i));
        most = count > most ? count : most;
    }
    return malloc(most * sizeof(float));
}

static void say(const fitting *f, const eex_run *run)
{
    const int all = eex_graph_params(f->graph), lacking = all - f->matched;
    char scratch[NAME + 64] = "", left[80] = "";
    if (lacking)
        snprintf(scratch, sizeof scratch, "; from scratch: %s%s", f->lacking,
                 lacking > 1 ? " and others" : "");
    if (f->theirs > f->matched)
        snprintf(left, sizeof left, "; %d of the file's %s not in it", f->theirs - f->matched,
                 f->theirs - f->matched == 1 ? "is" : "are");
    eex_log_info("initial weights from %s: %d of the network's %d parameter%s%s%s", file_of(run),
                 f->matched, all, eex_plural(all), scratch, left);
}

int eex__run_init(eex_params *params, const eex_run *run)
{
    if (!*file_of(run))
        return EEX_OK;
    fitting f = {.graph = params->graph, .params = params, .values = room(params->graph)};
    if (!f.values)
        return eex_fail(EEX_ENOMEM, "training.init: out of memory for a parameter");
    int code = read_file(&f, run);
    free(f.values);
    if (code == EEX_OK)
        say(&f, run);
    return code;
}

/* ---- what tells one run from another ---- */

int eex__run_init_entry(eex_buffer *out, const eex_run *run)
{
    char sum[EEX_SHA256_HEX];
    if (!*file_of(run))
        return EEX_OK;
    int code = eex_sha256_file(sum, file_of(run));
    if (code < 0)
        return code == EEX_EINTERRUPTED ? code : eex_fail_in(code, "training.init");
    eex_buffer_printf(out, EEX__INIT_CONTENT " = %.*s\n", DIGITS, sum);
    return EEX_OK;
}
