/* Latency of whole networks on 32x32 images: bytes in, class and scores out. peer_torch_infer.py
 * does the same in PyTorch, compare_infer.sh both in turn.
 *
 *     bench_infer [--batch N] [--threads N] [--rounds N] [--cpu] [NETWORK...]
 *
 * A line a network: its name, milliseconds of a batch (median), 99th percentile. --cpu counts the
 * processor time of one thread instead of the time that passes. */
#include "networks.h"

#include "base/status.h"
#include "core/engine.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { WARM_UP = 50, IMAGES = 64 };

typedef struct options {
    int batch, threads, rounds;
    bool cpu;
} options;

static double now(const options *o)
{
    struct timespec t;
    clock_gettime(o->cpu ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int run(const options *o, eex_engine *engine, eex_result *results, const uint8_t *images,
               double *ms, int rounds)
{
    size_t bytes = (size_t)o->batch * SIDE * SIDE * 3;
    for (int i = 0; i < rounds; i++) {
        double begin = now(o);
        EEX_TRY(eex_engine_run(engine, results, images + (size_t)(i % IMAGES) * bytes, o->batch));
        ms[i] = 1e3 * (now(o) - begin);
    }
    return EEX_OK;
}

static int measure(const options *o, const network *net, eex_engine *engine)
{
    int most = o->rounds > WARM_UP ? o->rounds : WARM_UP;
    uint8_t *images = network_images(IMAGES * o->batch);
    eex_result *results = malloc((size_t)o->batch * sizeof *results);
    double *ms = malloc((size_t)most * sizeof *ms);
    int code = images && results && ms ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory");
    if (code == EEX_OK)
        code = run(o, engine, results, images, ms, WARM_UP);
    if (code == EEX_OK)
        code = run(o, engine, results, images, ms, o->rounds);
    if (code == EEX_OK) {
        double middle = median(ms, o->rounds); /* sorts */
        printf("%-18s %8.3f ms      p99 %.3f ms\n", net->name, middle, ms[o->rounds * 99 / 100]);
        fflush(stdout);
    }
    free(ms);
    free(results);
    free(images);
    return code;
}

static int bench_network(const options *o, const char *name)
{
    network net;
    eex_engine *engine = NULL;
    eex_augment normalise = network_augment();
    int code = network_open(&net, name, o->threads);
    if (code == EEX_OK)
        code = eex_engine_new(&engine, net.graph, net.params, NULL, &normalise, o->batch);
    if (code == EEX_OK)
        code = measure(o, &net, engine);
    eex_engine_close(engine);
    network_close(&net);
    return code;
}

static bool parse(options *o, int argc, char **argv)
{
    static const struct option known[] = {{"batch", required_argument, NULL, 'b'},
                                          {"threads", required_argument, NULL, 't'},
                                          {"rounds", required_argument, NULL, 'r'},
                                          {"cpu", no_argument, NULL, 'c'},
                                          {0}};
    *o = (options){.batch = 1, .rounds = 500};
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (c) {
        case 'b':
            o->batch = atoi(optarg);
            break;
        case 't':
            o->threads = atoi(optarg);
            break;
        case 'r':
            o->rounds = atoi(optarg);
            break;
        case 'c':
            o->cpu = true;
            o->threads = 1;
            break;
        default:
            return false;
        }
    }
    return o->batch > 0 && o->threads >= 0 && o->rounds > 0;
}

int main(int argc, char **argv)
{
    static const char *const all[] = {"mobilenetv2", "resnet50"};
    options o;
    if (!parse(&o, argc, argv)) {
        fprintf(stderr, "usage: bench_infer [--batch N] [--threads N] [--rounds N] [--cpu] "
                        "[NETWORK...]\n");
        return 2;
    }
    bool named = optind < argc;
    int count = named ? argc - optind : (int)(sizeof all / sizeof *all);
    for (int i = 0; i < count; i++)
        if (bench_network(&o, named ? argv[optind + i] : all[i]) < 0) {
            fprintf(stderr, "bench_infer: %s\n", eex_error());
            return 1;
        }
    return 0;
}
