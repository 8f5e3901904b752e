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
#include "onednn.h"
#include "profile.h"
#include "timing.h"
#include "training.h"

#include "base/status.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_WINDOWS = 99, WARM_UP = 5 };

typedef struct options {
    int batch, threads, windows;
    double seconds;
    eex_precision precision;
    int profile; /* how many of the slowest ops are listed; 0: no profile */
    bool cpu;
} options;

typedef struct bench {
    const options *o;
    training t;
} bench;

static int steps(bench *b, int count)
{
    for (int i = 0; i < count; i++)
        EEX_TRY(training_step(&b->t));
    return b->t.net.dev->vtable->sync(b->t.net.dev);
}

/* Images a second over one window. */
static int window(bench *b, double *rate)
{
    double begin = seconds_now(b->o->cpu), passed;
    int done = 0;
    do {
        EEX_TRY(steps(b, 1));
        done++;
        passed = seconds_now(b->o->cpu) - begin;
    } while (passed < b->o->seconds);
    *rate = done * (double)b->o->batch / passed;
    return EEX_OK;
}

static int profile(bench *b)
{
    double begin = seconds_now(b->o->cpu);
    EEX_TRY(steps(b, 1));
    int count = 1 + (int)(2 * b->o->seconds / (seconds_now(b->o->cpu) - begin));
    EEX_TRY(profile_begin(b->t.net.dev, b->t.plan, b->o->cpu));
    EEX_TRY(steps(b, count));
    profile_end(b->t.net.dev, b->t.plan, b->o->batch, b->o->profile);
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
    double gflops = 1e-9 * rate * 3 * 2 * b->t.net.macs;
    printf("%-18s %8.1f images/s %7.1f GFLOP/s", b->t.net.name, rate, gflops);
    if (ceiling > 0)
        printf(" %5.1f %% of the ceiling", 100 * gflops / ceiling);
    printf("\n");
    fflush(stdout);
    return b->o->profile ? profile(b) : EEX_OK;
}

static int bench_network(const options *o, const char *name, double ceiling)
{
    bench b = {.o = o};
    int code = network_open(&b.t.net, name, o->threads);
    if (code == EEX_OK)
        code = training_open(&b.t, o->batch, o->precision);
    if (code == EEX_OK)
        code = measure(&b, ceiling);
    training_close(&b.t);
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
