/* Points, what a sweep's file keeps, states of tasks, and what goes to a cluster. */
#include "core/sweep/collect.h"
#include "core/sweep/slurm.h"
#include "core/sweep/sweep_scipy.h"
#include "core/sweep/tasks.h"
#include "support/folder.h"

#include "base/fs.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

/* ---- points ---- */

Test(sweep, sobol_is_scipys)
{
    for (uint32_t i = 0; i < SOBOL_POINTS; i++)
        for (int a = 0; a < SOBOL_AXES; a++)
            cr_expect_eq(eex_sobol(i, a), sobol_scipy[i][a], "point %u, axis %d: %.17g", i, a,
                         eex_sobol(i, a));
}

static char one[] = "1", two[] = "2", three[] = "3", red[] = "red", blue[] = "blue";
static char *numbers[] = {one, two, three}, *colours[] = {red, blue};

Test(sweep, a_grid_has_every_combination_in_order)
{
    const eex_axis axes[] = {{.path = "a", .value = colours, .values = 2},
                             {.path = "b", .value = numbers, .values = 3}};
    static const char *const want[] = {"red",  "1", "red",  "2", "red",  "3",
                                       "blue", "1", "blue", "2", "blue", "3"};
    char **value;
    size_t points = 0;
    OK(eex_axes_points(&value, &points, axes, 2, EEX_SWEEP_GRID, 0));
    cr_assert_eq(points, 6);
    for (size_t i = 0; i < 12; i++)
        cr_expect_str_eq(value[i], want[i]);
    eex_texts_free(value, 12);
}

Test(sweep, no_axes_are_one_point)
{
    char **value;
    size_t points = 0;
    OK(eex_axes_points(&value, &points, NULL, 0, EEX_SWEEP_GRID, 0));
    cr_expect_eq(points, 1);
    eex_texts_free(value, 0);
}

Test(sweep, drawn_points_stay_in_their_ranges)
{
    const eex_axis axes[] = {{.path = "lr", .from = 1e-3, .to = 1, .log = true},
                             {.path = "n", .from = 2, .to = 5, .integer = true},
                             {.path = "c", .value = colours, .values = 2}};
    for (int kind = EEX_SWEEP_RANDOM; kind <= EEX_SWEEP_SOBOL; kind++) {
        char **value, **again;
        size_t points = 64, small = 0, count[6] = {0}, reds = 0;
        OK(eex_axes_points(&value, &points, axes, 3, (eex_sweep_kind)kind, 7));
        OK(eex_axes_points(&again, &points, axes, 3, (eex_sweep_kind)kind, 7));
        for (size_t i = 0; i < points; i++) {
            const double lr = atof(value[3 * i]);
            const int n = atoi(value[3 * i + 1]);
            cr_assert(lr >= 1e-3 && lr <= 1 && n >= 2 && n <= 5, "%g, %d", lr, n);
            small += lr < 0.0316;
            count[n]++;
            reds += strcmp(value[3 * i + 2], "red") == 0;
            for (size_t a = 0; a < 3; a++)
                cr_expect_str_eq(value[3 * i + a], again[3 * i + a]);
        }
        const size_t near = kind == EEX_SWEEP_SOBOL ? 2 : 12; /* evenness is Sobol's point */
        cr_expect(small >= 32 - near && small <= 32 + near, "%zu", small);
        cr_expect(reds >= 32 - near && reds <= 32 + near, "%zu", reds);
        for (int n = 2; n <= 5; n++)
            cr_expect(count[n] >= 16 - near && count[n] <= 16 + near, "%d: %zu", n, count[n]);
        eex_texts_free(value, 3 * points);
        eex_texts_free(again, 3 * points);
    }
}

Test(sweep, too_many_or_no_points_are_refused)
{
    char **value;
    size_t points = 0;
    eex_axis axes[12], range = {.path = "lr", .from = 0, .to = 1};
    for (int i = 0; i < 12; i++)
        axes[i] = (eex_axis){.path = "b", .value = numbers, .values = 3};
    cr_expect_eq(eex_axes_points(&value, &points, axes, 12, EEX_SWEEP_GRID, 0), EEX_EINVAL);
    cr_expect_eq(eex_axes_points(&value, &points, &range, 1, EEX_SWEEP_GRID, 0), EEX_EINVAL);
    points = 0;
    cr_expect_eq(eex_axes_points(&value, &points, &range, 1, EEX_SWEEP_RANDOM, 0), EEX_EINVAL);
    points = 4;
    cr_expect_eq(eex_axes_points(&value, &points, axes, 12, EEX_SWEEP_SOBOL, 0), EEX_EINVAL);
}

/* ---- the file ---- */

static char *copy(const char *text)
{
    char *c = strdup(text);
    cr_assert_not_null(c);
    return c;
}

static eex_sweep *make(void)
{
    eex_sweep *s = calloc(1, sizeof *s);
    strcpy(s->name, "mine");
    strcpy(s->cluster.partition, "gpu");
    strcpy(s->cluster.setup, "module load cuda");
    s->cluster.gpus = 2;
    s->cluster.most = 3;
    s->experiment = copy("/some/where.lua");
    s->experiment_text = copy("return {}");
    s->device = copy("cuda");
    s->fixed = calloc(1, sizeof *s->fixed);
    s->fixed[s->fixeds++] = copy("training.epochs=2");
    s->field = calloc(1, sizeof *s->field);
    s->field[s->fields++] = copy("training.lr");
    s->value = calloc(2, sizeof *s->value);
    s->value[s->points++] = copy("0.1");
    s->value[s->points++] = copy("0.2");
    s->seed = calloc(3, sizeof *s->seed);
    s->seeds = 3;
    s->seed[1] = 5;
    s->seed[2] = 6;
    return s;
}

Test(sweep, its_file_keeps_everything_and_refuses_another)
{
    char folder[TEST_PATH_SIZE];
    eex_sweep *s = make(), *read;
    char **set, *label;
    size_t sets;
    test_folder_make(folder);
    OK(eex_sweep_write(s, folder));
    OK(eex_sweep_write(s, folder)); /* the same */
    OK(eex_sweep_read(&read, folder));
    cr_expect_str_eq(read->name, "mine");
    cr_expect_str_eq(read->experiment_text, "return {}");
    cr_expect_str_eq(read->cluster.setup, "module load cuda");
    cr_expect(read->cluster.gpus == 2 && read->cluster.cpus == 0 && read->cluster.most == 3);
    cr_assert_eq(eex_sweep_tasks(read), 6);
    OK(eex_sweep_sets(&set, &sets, read, 4));
    cr_assert_eq(sets, 2);
    cr_expect_str_eq(set[0], "training.epochs=2");
    cr_expect_str_eq(set[1], "training.lr=0.2");
    OK(eex_sweep_label(&label, read, 4));
    cr_expect_str_eq(label, "training.lr=0.2, seed 5");
    free(label);
    eex_texts_free(set, sets);
    eex_sweep_free(read);
    s->value[1][2] = '3';
    cr_expect_eq(eex_sweep_write(s, folder), EEX_EINVAL);
    cr_expect(strstr(eex_error(), "points"), "%s", eex_error());
    cr_expect_eq(eex_sweep_read(&read, test_path(folder, "nowhere")), EEX_ENOTFOUND);
    eex_sweep_free(s);
    test_folder_remove(folder);
}

/* A file of a few kilobytes that says more runs than anybody makes, whose rows would fill the
 * memory. */
Test(sweep, a_file_of_too_many_runs_is_refused)
{
    enum { POINTS = 4, SEEDS = 100000 };
    char folder[TEST_PATH_SIZE];
    eex_sweep *s = make(), *read;
    test_folder_make(folder);
    s->value = realloc(s->value, POINTS * sizeof *s->value);
    s->seed = realloc(s->seed, SEEDS * sizeof *s->seed);
    cr_assert(s->value && s->seed);
    while (s->points < POINTS)
        s->value[s->points++] = copy("0.3");
    for (s->seeds = 0; s->seeds < SEEDS; s->seeds++)
        s->seed[s->seeds] = s->seeds;
    OK(eex_sweep_write(s, folder));
    cr_expect_eq(eex_sweep_read(&read, folder), EEX_EFORMAT);
    cr_expect(strstr(eex_error(), "at most 262144 runs"), "%s", eex_error());
    cr_expect_eq(eex_sweep_check_tasks(s), EEX_EINVAL);
    eex_sweep_free(s);
    test_folder_remove(folder);
}

/* ---- tasks ---- */

static eex_task_state state(const char *folder, size_t task)
{
    eex_task t;
    OK(eex_task_look(&t, folder, task));
    return t.state;
}

Test(sweep, a_task_is_what_its_files_say)
{
    char folder[TEST_PATH_SIZE];
    eex_lock *lock, *other;
    eex_task t;
    test_folder_make(folder);
    cr_expect_eq(state(folder, 3), EEX_TASK_WAITING);
    OK(eex_task_begins(&lock, folder, 3));
    cr_expect_eq(state(folder, 3), EEX_TASK_RUNNING);
    cr_expect_eq(eex_task_begins(&other, folder, 3), EEX_EBUSY);
    eex_lock_release(lock); /* as if it had been killed */
    cr_expect_eq(state(folder, 3), EEX_TASK_LOST);
    OK(eex_task_stopped(folder, 3));
    cr_expect_eq(state(folder, 3), EEX_TASK_STOPPED);
    OK(eex_task_failed(folder, 3, "no such thing\nand more"));
    OK(eex_task_look(&t, folder, 3));
    cr_expect_eq(t.state, EEX_TASK_FAILED);
    cr_expect_str_eq(t.message, "no such thing");
    cr_expect(eex_task_wanted(&t, true) && !eex_task_wanted(&t, false));
    OK(eex_fs_make_folder(test_path(folder, "runs/0003")));
    OK(eex_fs_write(test_path(folder, "runs/0003/result.h5"), "x", 1));
    cr_expect_eq(state(folder, 3), EEX_TASK_DONE);
    test_folder_remove(folder);
}

/* ---- a cluster ---- */

Test(sweep, ranges_are_short)
{
    const size_t task[] = {1000, 1001, 1002, 1005, 1007, 1008};
    eex_buffer b = EEX_BUFFER_INIT;
    eex_slurm_ranges(&b, task, 6, 1000);
    cr_expect_str_eq(eex_buffer_text(&b), "0-2,5,7-8");
    eex_buffer_free(&b);
}

Test(sweep, the_script_says_what_was_asked_for)
{
    eex_sweep *s = make();
    eex_buffer b = EEX_BUFFER_INIT;
    const char *const word[] = {"sweep", "task", "/with 'quotes'", NULL};
    const eex_slurm_job job = {.name = s->name,
                               .cluster = &s->cluster,
                               .folder = word[2],
                               .log = "slurm.log",
                               .about = "a job",
                               .word = word,
                               .number = "$SLURM_ARRAY_TASK_ID",
                               .device = "cpu"};
    eex_slurm_job_script(&b, &job, "/usr/bin/eex");
    static const char *const has[] = {
        "#!/bin/bash\n",
        "#SBATCH --partition=gpu\n",
        "#SBATCH --gres=gpu:2\n",
        "\nmodule load cuda\n",
        "--signal=B:TERM",
        "'/usr/bin/eex' sweep task '/with '\\''quotes'\\''' ",
        "-e '/with '\\''quotes'\\'''/cancelled.\"$SLURM_ARRAY_JOB_ID\" ]"};
    for (size_t i = 0; i < sizeof has / sizeof *has; i++)
        cr_expect(strstr(eex_buffer_text(&b), has[i]), "no %s in\n%s", has[i], eex_buffer_text(&b));
    cr_expect_null(strstr(eex_buffer_text(&b), "--time"), "what nobody asked for");
    eex_buffer_free(&b);
    eex_sweep_free(s);
}

/* What begins another line of the script would be run by the cluster. */
Test(sweep, a_line_of_the_script_stays_one)
{
    char folder[TEST_PATH_SIZE], *script = NULL;
    const char *const word[] = {"run", "it's.lua", NULL};
    eex_cluster cluster = {.partition = "gpu\ntouch owned"};
    const eex_slurm_job job = {.name = "job",
                               .cluster = &cluster,
                               .table = "search.slurm",
                               .folder = folder,
                               .begin = "/here",
                               .log = "worker-%a.log",
                               .about = "a job",
                               .word = word,
                               .device = "cpu"};
    test_folder_make(folder);
    cr_assert_eq(eex_slurm_job_write(&script, &job), EEX_EINVAL);
    cr_expect(strstr(eex_error(), "search.slurm.partition: letters, digits and"), "%s",
              eex_error());
    cr_expect_not(eex_fs_exists(test_path(folder, "slurm.sh")));
    snprintf(cluster.partition, sizeof cluster.partition, "gpu");
    OK(eex_slurm_job_write(&script, &job));
    char *text = NULL;
    OK(eex_fs_read(&text, NULL, script, 1 << 16));
    cr_expect(strstr(text, "#SBATCH --chdir=\"/here\"\n"), "%s", text);
    cr_expect(strstr(text, " run 'it'\\''s.lua' --device 'cpu'"), "%s", text);
    free(text);
    free(script);
    test_folder_remove(folder);
}

/* ---- means ---- */

Test(sweep, intervals_are_students)
{
    for (size_t i = 0; i < sizeof student_scipy / sizeof *student_scipy; i++) {
        const size_t n = student_scipy[i].freedom + 1;
        double *value = malloc(n * sizeof *value), sum = 0;
        for (size_t k = 0; k < n; k++)
            sum += value[k] = (double)(k % 7);
        const eex_mean m = eex_mean_of(value, n);
        double squares = 0;
        for (size_t k = 0; k < n; k++)
            squares += pow(value[k] - sum / (double)n, 2);
        const double half = student_scipy[i].quantile * sqrt(squares / (double)(n - 1) / (double)n);
        cr_expect_float_eq(m.mean, sum / (double)n, 1e-12);
        cr_expect_float_eq(m.high - m.mean, half, 1e-4 * half, "%zu: %g, not %g", n,
                           m.high - m.mean, half);
        cr_expect_float_eq(m.mean - m.low, half, 1e-4 * half);
        free(value);
    }
}

Test(sweep, means_leave_out_what_is_not_there)
{
    const double value[] = {NAN, 2, NAN, 4}, none[] = {NAN};
    eex_mean m = eex_mean_of(value, 4);
    cr_expect(m.count == 2 && m.mean == 3 && m.low < 2 && m.high > 4);
    m = eex_mean_of(value, 2);
    cr_expect(m.count == 1 && m.mean == 2 && isnan(m.low));
    m = eex_mean_of(none, 1);
    cr_expect(m.count == 0 && isnan(m.mean));
}
