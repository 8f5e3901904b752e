/* Training throughput of whole networks on 32x32 images: upload, augmentation, forward, backward
 * and SGD with momentum, every step. peer_torch_train.py does the same in PyTorch, compare_train.sh
 * both in turn.
 *
 *     bench_train [--batch N] [--threads N] [--windows N] [--seconds S] [--precision P] [--cpu]
 *                 [--profile[=N]] [NETWORK...]
 *
 * A line a network: its name, images a second (the median of the windows), GFLOP/s and what part of
 * the machine's ceiling that is: a matrix product of 1024 x 1024 x 1024 by oneDNN in the same run
 * (left out where oneDNN is not installed).
 * --profile adds the time by kind of op and the N (10) slowest ops. --cpu counts the processor time
 * of one thread instead of the time that passes, which other load on the machine hardly changes;
 * run with OMP_NUM_THREADS=1 then, for the ceiling. */
#include "networks.h"
#include "onednn.h"
#include "profile.h"
#include "timing.h"

#include "base/status.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCHES = 8, MAX_WINDOWS = 99, WARM_UP = 5 };

typedef struct options {
    int batch, threads, windows;
    double seconds;
    eex_precision precision;
    int profile; /* how many of the slowest ops are listed; 0: no profile */
    bool cpu;
} options;

typedef struct bench {
    const options *o;
    network net;
    eex_optimizer_state *state;
    eex_plan *plan;
    uint8_t *images;  /* (BATCHES, batch, SIDE, SIDE, 3) */
    int32_t *labels;  /* (batch) */
    uint32_t *sample; /* (batch) */
    uint64_t step;
} bench;

static int open_bench(bench *b, const char *name)
{
    const options *o = b->o;
    EEX_TRY(network_open(&b->net, name, o->threads));
    eex_plan_options training = {
        .mode = EEX_PLAN_TRAIN,
        .batch = o->batch,
        .augment = network_augment(),
        .precision = o->precision,
        .optimizer = {.kind = EEX_SGD, .momentum = 0.9f, .weight_decay = 5e-4f}};
    for (int k = 0; k < eex_graph_exits(b->net.graph); k++)
        training.weight[k] = 1;
    EEX_TRY(eex_optimizer_state_new(&b->state, b->net.params, &training.optimizer));
    training.state = b->state;
    EEX_TRY(eex_plan_new(&b->plan, &training, b->net.graph, b->net.params));
    b->images = network_images(BATCHES * o->batch, SIDE);
    b->labels = malloc((size_t)o->batch * sizeof *b->labels);
    b->sample = malloc((size_t)o->batch * sizeof *b->sample);
    if (!b->images || !b->labels || !b->sample)
        return eex_fail(EEX_ENOMEM, "out of memory for %d batches", BATCHES);
    for (int i = 0; i < o->batch; i++) {
        b->labels[i] = i % CLASSES;
        b->sample[i] = (uint32_t)i;
    }
    return EEX_OK;
}

static void close_bench(bench *b)
{
    free(b->sample);
    free(b->labels);
    free(b->images);
    eex_plan_free(b->plan);
    eex_optimizer_state_free(b->state);
    network_close(&b->net);
}

static int one_step(bench *b)
{
    int batch = b->o->batch;
    size_t image = (size_t)SIDE * SIDE * 3;
    const uint8_t *images = b->images + (b->step % BATCHES) * (size_t)batch * image;
    eex_step step = {.batch = batch, .lr = 1e-3f, .seed = 1, .step = ++b->step};
    EEX_TRY(eex_plan_upload(b->plan, images, b->labels, b->sample, batch));
    return eex_plan_step(b->plan, &step);
}

static int steps(bench *b, int count)
{
    for (int i = 0; i < count; i++)
        EEX_TRY(one_step(b));
    return b->net.dev->vtable->sync(b->net.dev);
}

static double now(const options *o)
{
    struct timespec t;
    clock_gettime(o->cpu ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Images a second over one window. */
static int window(bench *b, double *rate)
{
    double begin = now(b->o), passed;
    int done = 0;
    do {
        EEX_TRY(steps(b, 1));
        done++;
        passed = now(b->o) - begin;
    } while (passed < b->o->seconds);
    *rate = done * (double)b->o->batch / passed;
    return EEX_OK;
}

static int profile(bench *b)
{
    double begin = now(b->o);
    EEX_TRY(steps(b, 1));
    int count = 1 + (int)(2 * b->o->seconds / (now(b->o) - begin));
    EEX_TRY(profile_begin(b->net.dev, b->plan, b->o->cpu));
    EEX_TRY(steps(b, count));
    profile_end(b->net.dev, b->plan, b->o->batch, b->o->profile);
    return EEX_OK;
}

static int measure(bench *b, double ceiling)
{
    double rates[MAX_WINDOWS];
    EEX_TRY(steps(b, WARM_UP));
    for (int i = 0; i < b->o->windows; i++)
        EEX_TRY(window(b, &rates[i]));
    double rate = median(rates, b->o->windows);
    /* Forward, gradient of the data, gradient of the weights: three times the forward pass. */
    double gflops = 1e-9 * rate * 3 * 2 * b->net.macs;
    printf("%-18s %8.1f images/s %7.1f GFLOP/s", b->net.name, rate, gflops);
    if (ceiling > 0)
        printf(" %5.1f %% of the ceiling", 100 * gflops / ceiling);
    printf("\n");
    fflush(stdout);
    return b->o->profile ? profile(b) : EEX_OK;
}

static int bench_network(const options *o, const char *name, double ceiling)
{
    bench b = {.o = o};
    int code = open_bench(&b, name);
    if (code == EEX_OK)
        code = measure(&b, ceiling);
    close_bench(&b);
    return code;
}

/* GFLOP/s of a large matrix product, written as the convolution that it is; 0: nobody knows. */
static double find_ceiling(bool cpu)
{
    eex_window w = {1024, 32, 32, 1024, 32, 32, 1, 1, 0, 1};
    if (cpu)
        timing_count_own_cpu();
    double ns = onednn_time(&w, 1, ONEDNN_FORWARD, 0.5);
    return ns > 0 ? 2.0 * 1024 * 1024 * 1024 / ns : 0;
}

static bool parse(options *o, int argc, char **argv)
{
    static const struct option known[] = {{"batch", required_argument, NULL, 'b'},
                                          {"threads", required_argument, NULL, 't'},
                                          {"windows", required_argument, NULL, 'w'},
                                          {"seconds", required_argument, NULL, 's'},
                                          {"precision", required_argument, NULL, 'x'},
                                          {"profile", optional_argument, NULL, 'p'},
                                          {"cpu", no_argument, NULL, 'c'},
                                          {0}};
    *o = (options){.batch = 128, .windows = 7, .seconds = 1};
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (c) {
        case 'b':
            o->batch = atoi(optarg);
            break;
        case 't':
            o->threads = atoi(optarg);
            break;
        case 'w':
            o->windows = atoi(optarg);
            break;
        case 's':
            o->seconds = atof(optarg);
            break;
        case 'x':
            if (eex_precision_parse(&o->precision, optarg) < 0)
                return false;
            break;
        case 'p':
            o->profile = optarg ? atoi(optarg) : 10;
            break;
        case 'c':
            o->cpu = true;
            o->threads = 1;
            break;
        default:
            return false;
        }
    }
    return o->batch > 0 && o->threads >= 0 && o->windows > 0 && o->windows <= MAX_WINDOWS &&
           o->seconds > 0;
}

int main(int argc, char **argv)
{
    static const char *const all[] = {"mobilenetv2", "mobilenetv2+gates", "resnet50"};
    options o;
    if (!parse(&o, argc, argv)) {
        fprintf(stderr, "usage: bench_train [--batch N] [--threads N] [--windows N] [--seconds S] "
                        "[--precision P] [--cpu] [--profile[=N]] [NETWORK...]\n");
        return 2;
    }
    bool named = optind < argc;
    int count = named ? argc - optind : (int)(sizeof all / sizeof *all);
    double ceiling = find_ceiling(o.cpu);
    if (ceiling > 0)
        printf("ceiling            %8.1f GFLOP/s\n", ceiling);
    for (int i = 0; i < count; i++)
        if (bench_network(&o, named ? argv[optind + i] : all[i], ceiling) < 0) {
            fprintf(stderr, "bench_train: %s\n", eex_error());
            return 1;
        }
    return 0;
}
