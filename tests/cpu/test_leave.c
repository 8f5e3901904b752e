/* Leaving and compaction, exit after exit until nobody is left, against lists kept on the host. */
#include "support/devices.h"
#include "support/tensor.h"

#include "base/rng.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 65536, GUARD = 8, MOST_ROW = 68 };

/* What is there: on the host what must be, on the device what is. */
typedef struct crowd {
    bench b;
    eex_rng rng;
    int batch, count, floats; /* rows at first, rows now, floats of a row of data */
    int32_t row[MOST], index[MOST + GUARD], top[MOST];
    uint8_t decision[MOST];
    float confidence[MOST], margin[MOST], entropy[MOST];
    float *data; /* (batch, floats): of input i all are i + column / 1024 */
    eex_result results[MOST];
    int32_t *dev_count, *dev_row, *dev_index, *dev_top;
    uint8_t *dev_decision;
    float *dev_score[3], *dev_data;
    eex_result *dev_results;
} crowd;

static void send(crowd *c, void *to, const void *from, size_t bytes)
{
    cr_assert_eq(c->b.dev->vtable->upload(c->b.dev, to, from, bytes), EEX_OK, "%s", eex_error());
}

static void fetch(crowd *c, void *to, const void *from, size_t bytes)
{
    cr_assert_eq(c->b.dev->vtable->download(c->b.dev, to, from, bytes), EEX_OK, "%s", eex_error());
}

static float data_of(int input, int column)
{
    return (float)input + (float)column / 1024;
}

/* shift: bytes by which the data miss the alignment of an allocation. */
static void crowd_init(crowd *c, eex_device *dev, int batch, int floats, int shift)
{
    size_t n = (size_t)batch;
    c->batch = c->count = batch;
    c->floats = floats;
    bench_init(&c->b, dev);
    eex_rng_seed(&c->rng, 5, 0);
    c->data = (float *)bench_doubles(&c->b, n * (size_t)floats);
    for (int i = 0; i < batch; i++) {
        c->row[i] = i;
        for (int j = 0; j < floats; j++)
            c->data[i * floats + j] = data_of(i, j);
    }
    memset(c->results, 0xff, sizeof c->results);
    memset(c->index, 0xff, sizeof c->index);
    c->dev_count = bench_bytes(&c->b, &c->count, sizeof c->count);
    c->dev_row = bench_bytes(&c->b, c->row, n * sizeof *c->row);
    c->dev_index = bench_bytes(&c->b, c->index, (n + GUARD) * sizeof *c->index);
    c->dev_top = bench_bytes(&c->b, c->top, n * sizeof *c->top);
    c->dev_decision = bench_bytes(&c->b, c->decision, n);
    for (int i = 0; i < 3; i++)
        c->dev_score[i] = bench_bytes(&c->b, c->margin, n * sizeof(float));
    c->dev_results = bench_bytes(&c->b, c->results, n * sizeof *c->results);
    size_t bytes = n * (size_t)floats * sizeof(float);
    float *padded = (float *)bench_doubles(&c->b, n * (size_t)floats + 4);
    char *memory = bench_bytes(&c->b, padded, bytes + 16);
    c->dev_data = (float *)(void *)(memory + shift);
    send(c, c->dev_data, c->data, bytes);
}

/* Scores and decisions of an exit; of 100 rows about `stay` stay. */
static void decide(crowd *c, int stay)
{
    for (int i = 0; i < c->count; i++) {
        bool stays = eex_rng_below(&c->rng, 100) < (uint64_t)stay;
        c->decision[i] = stays ? EEX_GO_ON : i % 3 ? EEX_ACCEPT : EEX_REJECT;
        c->top[i] = (int32_t)eex_rng_below(&c->rng, 1000);
        c->confidence[i] = (float)eex_rng_uniform(&c->rng);
        c->margin[i] = (float)eex_rng_uniform(&c->rng);
        c->entropy[i] = (float)eex_rng_uniform(&c->rng);
    }
    size_t n = (size_t)c->count;
    send(c, c->dev_decision, c->decision, n);
    send(c, c->dev_top, c->top, n * sizeof *c->top);
    send(c, c->dev_score[0], c->confidence, n * sizeof(float));
    send(c, c->dev_score[1], c->margin, n * sizeof(float));
    send(c, c->dev_score[2], c->entropy, n * sizeof(float));
}

static void run_exit(crowd *c, int exit, int batch)
{
    eex_step step = bench_step(batch);
    eex_op op = {.kind = EEX_OP_LEAVE, .name = "leave"};
    op.u.leave = (eex_op_leave){.exit = exit,
                                .top = c->dev_top,
                                .confidence = c->dev_score[0],
                                .margin = c->dev_score[1],
                                .entropy = c->dev_score[2],
                                .decision = c->dev_decision,
                                .count = c->dev_count,
                                .row = c->dev_row,
                                .index = c->dev_index,
                                .results = c->dev_results};
    bench_run(&c->b, &op, c->batch, &step);
    op = (eex_op){.kind = EEX_OP_COMPACT, .name = "compact"};
    op.u.compact = (eex_op_compact){.row_bytes = (size_t)c->floats * sizeof(float),
                                    .data = c->dev_data,
                                    .index = c->dev_index,
                                    .count = c->dev_count};
    bench_run(&c->b, &op, c->batch, &step);
}

/* The same on the host. */
static void leave(crowd *c, int exit)
{
    int stay = 0;
    for (int i = 0; i < c->count; i++) {
        if (c->decision[i] == EEX_GO_ON) {
            c->index[stay] = i;
            c->row[stay++] = c->row[i];
        } else {
            c->results[c->row[i]] = (eex_result){c->top[i],        exit,         c->decision[i],
                                                 c->confidence[i], c->margin[i], c->entropy[i]};
        }
    }
    c->count = stay;
}

static void check(crowd *c, const char *what)
{
    static int32_t numbers[MOST + GUARD];
    static eex_result results[MOST];
    static float row[MOST_ROW * 1024];
    size_t n = (size_t)c->batch;
    fetch(c, numbers, c->dev_count, sizeof *numbers);
    cr_assert_eq(numbers[0], c->count, "%s: %d rows, expected %d", what, numbers[0], c->count);
    fetch(c, numbers, c->dev_index, (n + GUARD) * sizeof *numbers);
    cr_assert_eq(memcmp(numbers, c->index, (size_t)c->count * sizeof *numbers), 0, "%s", what);
    for (int i = 0; i < GUARD; i++)
        cr_assert_eq(numbers[c->batch + i], -1, "%s: written past the end of index", what);
    fetch(c, numbers, c->dev_row, n * sizeof *numbers);
    cr_assert_eq(memcmp(numbers, c->row, (size_t)c->count * sizeof *numbers), 0, "%s", what);
    fetch(c, results, c->dev_results, n * sizeof *results);
    cr_assert_eq(memcmp(results, c->results, n * sizeof *results), 0, "%s: results", what);
    for (int i = 0; i<c->count; i += c->count> 300 ? 61 : 1) {
        fetch(c, row, c->dev_data + (size_t)i * (size_t)c->floats, (size_t)c->floats * sizeof *row);
        for (int j = 0; j < c->floats; j++)
            cr_assert_eq(row[j], data_of(c->row[i], j), "%s: row %d column %d is %g", what, i, j,
                         (double)row[j]);
    }
}

static void check_crowd(eex_device *dev, int batch, int floats, int shift, int stay)
{
    crowd *c = calloc(1, sizeof *c);
    cr_assert_not_null(c);
    crowd_init(c, dev, batch, floats, shift);
    for (int exit = 0; exit < 4 && (c->count > 0 || exit == 1); exit++) {
        /* a device may run with more rows than there are */
        int rows = exit == 1 ? batch : c->count;
        decide(c, exit == 3 ? 0 : stay);
        run_exit(c, exit, rows);
        leave(c, exit);
        check(c, dev->name);
    }
    bench_free(&c->b);
    free(c);
}

static void leave_on(eex_device *dev)
{
    static const int batches[] = {1, 2, 3, 31, 32, 33, 129, 1000, 1025, 4097};
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++)
        for (int stay = 0; stay <= 100; stay += 25)
            check_crowd(dev, batches[i], batches[i] > 1000 ? 3 : 13, 0, stay);
    check_crowd(dev, MOST, 1, 0, 60);
    check_crowd(dev, 16385, 2, 0, 90);
}

Test(leave, results_lists_and_rows_match_the_reference)
{
    on_each_device(leave_on);
}

/* Rows of all widths and at all alignments. */
static void compact_on(eex_device *dev)
{
    static const int floats[] = {1, 4, 7, 128, 1000, MOST_ROW * 1024};
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++) {
        int batch = floats[i] > 1000 ? 19 : 70;
        check_crowd(dev, batch, floats[i], 0, 70);
        check_crowd(dev, batch, floats[i], 4, 40);
    }
}

Test(leave, rows_of_any_width_move_up)
{
    on_each_device(compact_on);
}

/* An exit that was asked about some rows alone: those leave by what stands where `at` says, the
 * others stay. The rows that it reads are gathered from elsewhere, and stay there. */
static void asked_on(eex_device *dev)
{
    enum { ROWS = 70, FLOATS = 5 };
    crowd *c = calloc(1, sizeof *c);
    cr_assert_not_null(c);
    crowd_init(c, dev, ROWS, FLOATS, 0);
    decide(c, 50);
    int32_t at[ROWS], which[ROWS] = {0}, asked = 0, stay = 0;
    float gathered[ROWS * FLOATS] = {0};
    for (int i = 0; i < ROWS; i++) {
        at[i] = i % 3 == 1 ? asked : -1;
        if (at[i] >= 0)
            which[asked++] = i;
    }
    int32_t *dev_at = bench_bytes(&c->b, at, sizeof at);
    int32_t *dev_which = bench_bytes(&c->b, which, sizeof which);
    int32_t *dev_asked = bench_bytes(&c->b, &asked, sizeof asked);
    float *dev_gathered = bench_bytes(&c->b, gathered, sizeof gathered);
    eex_step step = bench_step(ROWS);
    eex_op op = {.kind = EEX_OP_COMPACT, .name = "gather"};
    op.u.compact = (eex_op_compact){.row_bytes = FLOATS * sizeof(float),
                                    .from = c->dev_data,
                                    .data = dev_gathered,
                                    .index = dev_which,
                                    .count = dev_asked};
    bench_run(&c->b, &op, ROWS, &step);
    fetch(c, gathered, dev_gathered, sizeof gathered);
    for (int i = 0; i < asked * FLOATS; i++)
        cr_assert_eq(gathered[i], data_of(which[i / FLOATS], i % FLOATS), "%d", i);
    op = (eex_op){.kind = EEX_OP_LEAVE, .name = "leave"};
    op.u.leave = (eex_op_leave){.top = c->dev_top,
                                .confidence = c->dev_score[0],
                                .margin = c->dev_score[1],
                                .entropy = c->dev_score[2],
                                .decision = c->dev_decision,
                                .at = dev_at,
                                .count = c->dev_count,
                                .row = c->dev_row,
                                .index = c->dev_index,
                                .results = c->dev_results};
    bench_run(&c->b, &op, ROWS, &step);
    for (int i = 0; i < ROWS; i++) {
        const int k = at[i];
        if (k < 0 || c->decision[k] == EEX_GO_ON) {
            c->index[stay] = i;
            c->row[stay++] = i;
        } else {
            c->results[i] = (eex_result){
                c->top[k], 0, c->decision[k], c->confidence[k], c->margin[k], c->entropy[k]};
        }
    }
    c->count = stay;
    eex_op move = {.kind = EEX_OP_COMPACT, .name = "compact"};
    move.u.compact = (eex_op_compact){.row_bytes = FLOATS * sizeof(float),
                                      .data = c->dev_data,
                                      .index = c->dev_index,
                                      .count = c->dev_count};
    bench_run(&c->b, &move, ROWS, &step);
    check(c, dev->name);
    bench_free(&c->b);
    free(c);
}

Test(leave, rows_that_an_exit_was_not_asked_about_stay)
{
    on_each_device(asked_on);
}
