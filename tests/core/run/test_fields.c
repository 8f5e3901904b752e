/* The rows of the fields against everything else that says the same: the defaults of recipes and
 * policies, the description that runs are recognised by, what runs take over from each other, and
 * the documentation. */
#include "core/run/fields.h"
#include "support/backbones.h"
#include "support/elastic.h"

#include "base/fs.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static eex_experiment *experiment(void)
{
    eex_experiment *e = eex_experiment_new();
    cr_assert_not_null(e);
    snprintf(e->name, sizeof e->name, "run");
    snprintf(e->data.name, sizeof e->data.name, "data");
    cr_assert_eq(eex_test_tiny(&e->backbone, 3), EEX_OK);
    cr_assert_eq(eex_saliency_residual_merges(&e->points, e->backbone), EEX_OK);
    e->training_from_base = true;
    return e;
}

static char *text_of(const eex_experiment *e)
{
    char *text = NULL;
    cr_assert_eq(eex_experiment_text(&text, e), EEX_OK);
    return text;
}

static bool is_one_number(const eex_field *f)
{
    return f->type == EEX_FIELD_INT || f->type == EEX_FIELD_NUMBER || f->type == EEX_FIELD_FLOAT ||
           f->type == EEX_FIELD_POPULATION || f->type == EEX_FIELD_TEMPERATURE ||
           f->type == EEX_FIELD_THRESHOLD || f->type == EEX_FIELD_LOWER ||
           f->type == EEX_FIELD_OR_FALSE;
}

Test(fields, every_row_is_complete_and_there_once)
{
    int count;
    const eex_field *fields = eex_fields(&count);
    for (int i = 0; i < count; i++) {
        const eex_field *f = &fields[i];
        cr_expect_eq(eex_field_find(f->path), f, "%s is there twice", f->path);
        cr_expect(f->help && *f->help && !strchr(f->help, '\n'), "%s has no help", f->path);
        cr_expect_leq((int)f->phase, (int)EEX_PHASES);
        if (is_one_number(f))
            cr_expect_lt(f->range.min, f->range.max, "%s has no range", f->path);
        for (int k = 0; f->names && k < f->names()->count; k++) {
            const char *name = f->names()->name[k];
            cr_expect(!name || eex_name_find(f->names(), name) == k, "%s", f->path);
        }
    }
    cr_expect_null(eex_field_find("training"));
    cr_expect_null(eex_field_find("training.epoch"));
}

/* ---- defaults ---- */

static void defaults_are(const char *prefix, const eex_experiment *expected)
{
    eex_experiment *e = eex_experiment_new();
    int count;
    const eex_field *fields = eex_fields(&count);
    for (int i = 0; i < count; i++) {
        const eex_field *f = &fields[i];
        const bool number = is_one_number(f) || f->type == EEX_FIELD_FLAG ||
                            f->type == EEX_FIELD_ENUM || f->type == EEX_FIELD_POLICY_KIND;
        if (strncmp(f->path, prefix, strlen(prefix)) == 0 && number)
            cr_expect_eq(eex_field_get(f, e), eex_field_get(f, expected), "%s", f->path);
    }
    eex_experiment_free(e);
}

Test(fields, defaults_are_those_of_recipes_and_policies)
{
    eex_experiment e = {.training = eex_recipe_default(),
                        .candidate = eex_recipe_default(),
                        .final = eex_recipe_default(),
                        .policy = eex_calibration_default()};
    e.candidate.epochs = 3;
    e.final.epochs = 0;
    defaults_are("training.", &e);
    defaults_are("candidate.", &e);
    defaults_are("final.", &e);
    defaults_are("policy.", &e);
}

/* ---- what shapes nothing ---- */

Test(fields, where_workers_run_is_in_no_description)
{
    eex_experiment *e = experiment();
    char *before = text_of(e);
    snprintf(e->search.slurm.partition, sizeof e->search.slurm.partition, "gpu");
    e->search.slurm.cpus = 8;
    char *after = text_of(e);
    cr_expect_str_eq(after, before);
    free(after);
    e->search.workers = 8;
    after = text_of(e);
    cr_expect(strcmp(after, before) != 0, "how many there are shapes the search");
    e->search.slurm.cpus = -1;
    cr_expect_eq(eex_experiment_check(e), EEX_EINVAL);
    cr_expect(strstr(eex_error(), "search.slurm.cpus: "), "%s", eex_error());
    free(after);
    free(before);
    eex_experiment_free(e);
}

/* ---- checks ---- */

static void refuses(const eex_field *f, eex_experiment *e, double value)
{
    const double before = eex_field_get(f, e);
    eex_field_put(f, e, value);
    cr_expect_eq(eex_experiment_check(e), EEX_EINVAL, "%s = %g is taken", f->path, value);
    cr_expect_eq(strncmp(eex_error(), f->path, strlen(f->path)), 0, "%s: %s", f->path, eex_error());
    eex_field_put(f, e, before);
}

Test(fields, a_number_out_of_range_is_refused_by_its_path)
{
    eex_experiment *e = experiment();
    int count;
    const eex_field *fields = eex_fields(&count);
    cr_assert_eq(eex_experiment_check(e), EEX_OK, "%s", eex_error());
    for (int i = 0; i < count; i++) {
        const eex_field *f = &fields[i];
        if (!is_one_number(f) || f->unsaid)
            continue;
        refuses(f, e, f->range.min - 3);
        if (f->range.max < 1e9)
            refuses(f, e, f->range.max * 2 + 1);
        if (f->range.above)
            refuses(f, e, f->range.min);
        if (f->range.below)
            refuses(f, e, f->range.max);
    }
    e->training.regime = EEX_REGIMES;
    cr_expect_eq(eex_experiment_check(e), EEX_EINVAL);
    eex_experiment_free(e);
}

static double beside(const eex_field *f, double bound, double towards)
{
    if (f->type == EEX_FIELD_INT || f->type == EEX_FIELD_POPULATION)
        return bound + copysign(1, towards);
    if (f->single || f->type == EEX_FIELD_FLOAT)
        return (double)nextafterf((float)bound, (float)towards);
    return nextafter(bound, towards);
}

static void takes(const eex_field *f, eex_experiment *e, double value, bool wanted)
{
    const double before = eex_field_get(f, e);
    eex_field_put(f, e, value);
    cr_expect_eq(eex_field_check(f, e) == EEX_OK, wanted, "%s = %.17g: %s", f->path, value,
                 wanted ? eex_error() : "is taken");
    eex_field_put(f, e, before);
}

/* Zero is a neighbour of no float32 that is calculated with. */
Test(fields, bounds_are_where_they_are_said_to_be)
{
    eex_experiment *e = experiment();
    int count;
    const eex_field *fields = eex_fields(&count);
    for (int i = 0; i < count; i++) {
        const eex_field *f = &fields[i];
        if (!is_one_number(f) || f->unsaid)
            continue;
        takes(f, e, f->range.min, !f->range.above);
        if (f->range.min != 0 || !f->range.above)
            takes(f, e, beside(f, f->range.min, -INFINITY), false);
        if (f->range.max < INT_MAX) {
            takes(f, e, f->range.max, !f->range.below);
            takes(f, e, beside(f, f->range.max, INFINITY), false);
        }
    }
    eex_experiment_free(e);
}

/* What numbers become where they are calculated with as float32: nothing, or infinite. */
Test(fields, no_number_is_lost_on_its_way_to_a_float)
{
    eex_experiment *e = experiment();
    int count, singles = 0;
    const eex_field *fields = eex_fields(&count);
    for (int i = 0; i < count; i++) {
        const eex_field *f = &fields[i];
        if (!f->single)
            continue;
        singles++;
        takes(f, e, 1e-50, false);
        cr_expect_eq(strstr(eex_error(), "as a float32") != NULL, eex_range_has(&f->range, 1e-50),
                     "%s", eex_error());
        takes(f, e, 1e39, false);
    }
    cr_expect_geq(singles, 3 * 6 + 7, "%d", singles);
    eex_experiment_free(e);
}

Test(fields, what_is_needed_has_to_be_there)
{
    eex_experiment *e = experiment();
    e->data.name[0] = '\0';
    cr_expect_eq(eex_experiment_check(e), EEX_EINVAL);
    cr_expect_str_eq(eex_error(), "dataset.name: a text of 1..255 bytes, got none");
    eex_experiment_free(e);
}

/* Whatever recipe says so, before anything is trained. */
Test(fields, a_supernet_needs_genes)
{
    eex_experiment *e = experiment();
    const struct {
        const char *path;
        eex_regime *regime;
    } rows[] = {{"training.regime", &e->training.regime},
                {"candidate.regime", &e->candidate.regime},
                {"final.regime", &e->final.regime}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        *rows[i].regime = EEX_REGIME_SANDWICH;
        cr_expect_eq(eex_experiment_check(e), EEX_EINVAL);
        cr_expect_eq(strncmp(eex_error(), rows[i].path, strlen(rows[i].path)), 0, "%s",
                     eex_error());
        *rows[i].regime = EEX_REGIME_JOINT;
    }
    eex_graph_free(e->backbone);
    cr_assert_eq(eex_test_elastic(&e->backbone, 3), EEX_OK);
    e->training.regime = e->candidate.regime = EEX_REGIME_SANDWICH;
    cr_assert_eq(eex_saliency_residual_merges(&e->points, e->backbone), EEX_OK);
    cr_expect_eq(eex_experiment_check(e), EEX_OK, "%s", eex_error());
    eex_experiment_free(e);
}

/* ---- descriptions ---- */

/* Runs are recognised by this text: it may not change. */
static const char policy_and_search[] = "policy.kind = per_class\npolicy.temperature = 5\n"
                                        "policy.a = 0.5\npolicy.b = inf\npolicy.by = label\n"
                                        "policy.tune = none\npolicy.target = 0\n"
                                        "search.algorithm = aging\nsearch.evaluator = shared\n"
                                        "search.score = accuracy\nsearch.cost = macs\n"
                                        "search.population = 50\nsearch.sample = 10\n"
                                        "search.trials = 2000\nsearch.weight = 0.1\n"
                                        "search.min_accuracy = -1\nsearch.tau = 0\n";

/* Whatever stands in a list, a zero in front too: without it two runs that differ would look alike.
 */
Test(fields, lists_are_described)
{
    eex_experiment *e = experiment();
    int count;
    const eex_field *fields = eex_fields(&count);
    for (int i = 0; i < count; i++) {
        const eex_field *f = &fields[i];
        if (f->type != EEX_FIELD_INTS)
            continue;
        char *before = text_of(e);
        cr_expect(eex_field_is_default(f, e), "%s", f->path);
        memset(eex_field_ints(f, e), 0, 2 * sizeof(int));
        *eex_field_count(f, e) = 2;
        cr_expect_not(eex_field_is_default(f, e), "%s", f->path);
        char *after = text_of(e);
        cr_expect(strcmp(before, after) != 0, "%s = {0, 0} is not described", f->path);
        eex_field_default(f, e);
        free(before);
        free(after);
    }
    eex_experiment_free(e);
}

static void recipe_text(char out[2048], const char *where, const char *from, int epochs)
{
    static const char *const lines[] = {"precision = float32",
                                        "epochs = ",
                                        "batch = 128",
                                        "lr = 0.1",
                                        "schedule.kind = cosine",
                                        "schedule.warmup = 1",
                                        "schedule.final = 0",
                                        "schedule.gamma = 0.1",
                                        "schedule.milestones =",
                                        "optimizer.kind = sgd",
                                        "optimizer.momentum = 0.899999976",
                                        "optimizer.beta1 = 0.899999976",
                                        "optimizer.beta2 = 0.999000013",
                                        "optimizer.eps = 9.99999994e-09",
                                        "optimizer.weight_decay = 0.000500000024",
                                        "optimizer.nesterov = 1",
                                        "clip = 0",
                                        "ema = 0",
                                        "label_smoothing = 0",
                                        "l1 = 0",
                                        "distill.weight = 1",
                                        "distill.temperature = 4",
                                        "gate_weight = 1",
                                        "alone = 0",
                                        "cache_features = 0",
                                        "augment = 0",
                                        "augment.crop = 0",
                                        "augment.flip = 0",
                                        "augment.cutout = 0",
                                        "augment.jitter = 0"};
    size_t at = (size_t)snprintf(out, 2048, "%sregime = joint\n%sfrom = %s\n", where, where, from);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const char *line = lines[i];
        at += (size_t)snprintf(out + at, 2048 - at, "%s%s", where, line);
        if (strcmp(line, "epochs = ") == 0)
            at += (size_t)snprintf(out + at, 2048 - at, "%d", epochs);
        at += (size_t)snprintf(out + at, 2048 - at, "\n");
    }
}

/* The text goes on with `expected`; moves behind it. */
static void goes_on(const char **text, const char *expected)
{
    const size_t n = strlen(expected);
    cr_assert_eq(strncmp(*text, expected, n), 0, "expected\n%s\nfound\n%.*s", expected, (int)n,
                 *text);
    *text += n;
}

Test(fields, a_description_stays_what_it_is)
{
    eex_experiment *e = experiment();
    char recipe[2048];
    char *text = text_of(e);
    const char *at = text;
    goes_on(&at, "name = run\nseed = 0\ndataset.name = data\ndeterministic = 0\n"
                 "dataset.calibration = 2500\ndataset.validation = 5000\ndataset.train = 0\n"
                 "backbone = tiny for 8x8x3, 3 classes, ");
    at = strchr(at, '\n');
    goes_on(&at, "\nsaliency =");
    at = strchr(at, '\n');
    goes_on(&at, "\ngates.blocks = 1 2\ngates.act = relu\ngates.max_exits = 0\n");
    recipe_text(recipe, "training.", "base", 30);
    goes_on(&at, recipe);
    recipe_text(recipe, "candidate.", "scratch", 3);
    goes_on(&at, recipe);
    recipe_text(recipe, "final.", "base", 0);
    goes_on(&at, recipe);
    cr_expect_str_eq(at, policy_and_search);
    free(text);
    eex_experiment_free(e);
}

/* An experiment with a line for every field that has one. */
static eex_experiment *loud(void)
{
    eex_experiment *e = experiment();
    e->precision = EEX_TF32;
    e->policy.reject = 0.1;
    e->probe = true;
    snprintf(e->search.latency_table, sizeof e->search.latency_table, "table.h5");
    return e;
}

Test(fields, fields_of_later_versions_have_a_line_only_when_they_are_used)
{
    eex_experiment *e = loud();
    char *text = text_of(e);
    cr_expect(strstr(text, "\ndeterministic = 0\nprecision = tf32\ndataset.calibration"));
    cr_expect(strstr(text, "\npolicy.target = 0\npolicy.reject = 0.1\nsearch.algorithm"));
    cr_expect(strstr(text, "\nsearch.tau = 0\nsearch.latency_table = table.h5\n"));
    cr_expect(strstr(text, ", the 0 best by probe\n"));
    free(text);
    eex_experiment_free(e);
}

/* ---- what one run takes over from another ---- */

/* What a phase that may be taken over depends on, by how the lines begin. */
static const struct {
    eex_phase first, last;
    const char *begins[8];
} shaped[] = {
    {EEX_PHASE_SPLIT, EEX_PHASE_SPLIT, {"seed =", "dataset.", "data ="}},
    {EEX_PHASE_BASE,
     EEX_PHASE_BASE,
     {"deterministic =", "backbone =", "training.", "precision =", "device =", "threads ="}},
    {EEX_PHASE_PROBE, EEX_PHASE_SHARED, {"saliency =", "gates.blocks =", "gates.act ="}},
    {EEX_PHASE_LATENCY, EEX_PHASE_LATENCY, {"search.latency_table =", "search.evaluator ="}},
};

static bool begins(const char *const *with, const char *line)
{
    for (int i = 0; i < 8 && with[i]; i++)
        if (strncmp(line, with[i], strlen(with[i])) == 0)
            return true;
    return false;
}

Test(fields, lines_shape_the_phases_that_runs_take_over)
{
    eex_experiment *e = loud();
    char *text = text_of(e), all[16384];
    int lines = 0;
    snprintf(all, sizeof all, "%sdata = 1 + 2 images\ndevice = cpu\nthreads = 1\n", text);
    for (const char *line = all; *line; line = strchr(line, '\n') + 1, lines++) {
        const eex_phase phase = eex_phase_of_line(line);
        for (size_t p = 0; p < sizeof shaped / sizeof *shaped; p++)
            cr_expect_eq(phase >= shaped[p].first && phase <= shaped[p].last,
                         begins(shaped[p].begins, line), "%.40s", line);
    }
    cr_expect_gt(lines, 120);
    cr_expect_eq(eex_phase_of_line("name = x\n"), EEX_PHASES);
    cr_expect_eq(eex_phase_of_line("training.epochs"), EEX_PHASES);
    free(text);
    eex_experiment_free(e);
}

/* ---- documentation ---- */

static const char *const sections[] = {"dataset", "gates",     "policy", "training",
                                       "search",  "predictor", "rivals", "partition"};

/* The row is described in another place, or by its table's other rows. */
static bool has_no_row(const eex_field *f)
{
    return eex_field_is_table(f) || f->type == EEX_FIELD_FIXED ||
           strncmp(f->path, "candidate.", 10) == 0 || strncmp(f->path, "final.", 6) == 0;
}

static void cell(eex_buffer *out, const eex_field *f,
                 void (*write)(eex_buffer *out, const eex_field *field))
{
    static const char *const others[] = {"candidate", "final"};
    const size_t start = out->size;
    const bool training = strncmp(f->path, "training.", 9) == 0;
    eex_buffer own = EEX_BUFFER_INIT;
    write(&own, f);
    eex_buffer_puts(out, eex_buffer_text(&own));
    for (int i = 0; training && i < 2; i++) {
        char path[96];
        eex_buffer words = EEX_BUFFER_INIT;
        snprintf(path, sizeof path, "%s.%s", others[i], f->path + 9);
        const eex_field *other = eex_field_find(path);
        if (!other) { /* of the base, which only the training's recipe is for */
            cr_expect(strcmp(f->path, "training.base_epochs") == 0 ||
                          strcmp(f->path, "training.init") == 0,
                      "%s", f->path);
            continue;
        }
        write(&words, other);
        if (other->type != EEX_FIELD_FIXED &&
            strcmp(eex_buffer_text(&words), eex_buffer_text(&own)) != 0)
            eex_buffer_printf(out, "; %s: %s", others[i], eex_buffer_text(&words));
        eex_buffer_free(&words);
    }
    eex_buffer_puts(out, out->size > start ? " |" : "|");
    eex_buffer_free(&own);
}

/* How the field's row begins: "| `name` | what it may be | default |". */
static void row_of(eex_buffer *out, const eex_field *f, const char *name)
{
    eex_buffer_printf(out, "| `%s` | ", name);
    cell(out, f, eex_field_expects);
    eex_buffer_putc(out, ' ');
    cell(out, f, eex_field_usual);
}

/* The part of the page that has the rows below a prefix: up to the next heading. */
static char *section_of(const char *page, const char *name)
{
    char heading[32];
    snprintf(heading, sizeof heading, "\n## %s", name ? name : "");
    const char *at = name ? strstr(page, heading) : page;
    cr_assert_not_null(at, "no section %s", name);
    const char *end = strstr(at + 1, "\n## ");
    return strndup(at, end ? (size_t)(end - at) : strlen(at));
}

/* Every field below the prefix has its row in the section; returns how many there are. */
static int section_has(const char *section, const char *prefix)
{
    const size_t length = strlen(prefix);
    int count, found = 0;
    const eex_field *fields = eex_fields(&count);
    for (int i = 0; i < count; i++) {
        const char *name = fields[i].path + length;
        if (strncmp(fields[i].path, prefix, length) != 0 || has_no_row(&fields[i]) ||
            (!length && strchr(name, '.')))
            continue;
        eex_buffer row = EEX_BUFFER_INIT;
        row_of(&row, &fields[i], name);
        cr_expect(strstr(section, eex_buffer_text(&row)),
                  "docs/writing-experiments.md, \"%s\", lacks the row\n%s", prefix,
                  eex_buffer_text(&row));
        eex_buffer_free(&row);
        found++;
    }
    return found;
}

static int rows_in(const char *section)
{
    int rows = 0;
    for (const char *at = section; (at = strstr(at, "\n| `")); at++)
        rows++;
    return rows;
}

Test(fields, the_documentation_has_every_field_as_it_is)
{
    char *page = NULL;
    cr_assert_eq(eex_fs_read(&page, NULL, EEX_SOURCE_DIR "/docs/writing-experiments.md", 1 << 20),
                 EEX_OK, "%s", eex_error());
    char *top = section_of(page, NULL);
    cr_expect_eq(section_has(top, ""), rows_in(top), "a row that is no field's");
    free(top);
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        char prefix[32];
        char *section = section_of(page, sections[i]);
        snprintf(prefix, sizeof prefix, "%s.", sections[i]);
        cr_expect_eq(section_has(section, prefix), rows_in(section), "%s: a row that is no field's",
                     sections[i]);
        free(section);
    }
    free(page);
}
