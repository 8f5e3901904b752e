/* Latency of whole networks: bytes in, class and scores out. peer_infer.py does the same in
 * TorchScript and ONNX Runtime, compare_infer.sh all of them in turn.
 *
 *     bench_infer [--batch N] [--threads N] [--rounds N] [--precision P] [--cpu] [--write FOLDER]
 *                 [NETWORK...]
 *
 * A line a network ("resnet50@96": on 96x96 images): its name, milliseconds of a batch (median),
 * 99th percentile. --cpu counts the processor time of one thread instead of the time that passes.
 * --write measures nothing: it writes FOLDER/NETWORK.h5, the network with its weights, and
 * FOLDER/NETWORK-answers.h5, some images and what is answered to them, so that peers can be given
 * the same weights and be seen to answer the same. */
#include "core/engine/engine.h"
#include "core/graph/graph_store.h"
#include "networks.h"
#include "timing.h"

#include "base/status.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { WARM_UP = 50, IMAGES = 64, ANSWERS = 4 };

typedef struct options {
    int batch, threads, rounds;
    eex_precision precision;
    bool cpu;
    const char *write;
} options;

static size_t image_bytes(const network *net)
{
    return (size_t)net->side * (size_t)net->side * 3;
}

/* Batches that are run in turn: as many images as fit into 64 MiB, at least two. */
static int batches(const options *o, const network *net)
{
    size_t most = (64 << 20) / (image_bytes(net) * (size_t)o->batch);
    return most < 2 ? 2 : most > IMAGES ? IMAGES : (int)most;
}

static int run(const options *o, const network *net, eex_engine *engine, eex_result *results,
               const uint8_t *images, double *ms, int rounds)
{
    size_t bytes = (size_t)o->batch * image_bytes(net);
    int count = batches(o, net);
    for (int i = 0; i < rounds; i++) {
        double begin = seconds_now(o->cpu);
        EEX_TRY(eex_engine_run(engine, results, images + (size_t)(i % count) * bytes, o->batch));
        ms[i] = 1e3 * (seconds_now(o->cpu) - begin);
    }
    return EEX_OK;
}

static int measure(const options *o, const network *net, eex_engine *engine)
{
    int warm_up = o->rounds < WARM_UP ? o->rounds : WARM_UP;
    uint8_t *images = network_images(batches(o, net) * o->batch, net->side);
    eex_result *results = malloc((size_t)o->batch * sizeof *results);
    double *ms = malloc((size_t)o->rounds * sizeof *ms);
    int code = images && results && ms ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory");
    if (code == EEX_OK)
        code = run(o, net, engine, results, images, ms, warm_up);
    if (code == EEX_OK)
        code = run(o, net, engine, results, images, ms, o->rounds);
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

/* ---- for the peers ---- */

static int create(eex_store_file **out, const options *o, const char *name, const char *tail,
                  const char *kind)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s%s.h5", o->write, name, tail);
    return eex_store_create(out, path, kind, 1);
}

static int write_model(const options *o, const network *net)
{
    eex_store_file *file;
    EEX_TRY(create(&file, o, net->name, "", "weights"));
    int code = eex_graph_save(net->graph, file, "graph");
    if (code == EEX_OK)
        code = eex_params_save(net->params, file, "params");
    if (code == EEX_OK)
        code = eex_store_commit(&file);
    eex_store_close(file);
    return code;
}

static int save_answers(eex_store_file *file, const network *net, const uint8_t *images,
                        const float *confidence, const eex_augment *normalise)
{
    const uint64_t side = (uint64_t)net->side;
    const eex_store_shape shape = {4, {ANSWERS, side, side, 3}}, row = {1, {ANSWERS}};
    double mean[3], std[3];
    for (int c = 0; c < 3; c++) {
        mean[c] = (double)normalise->mean[c];
        std[c] = (double)normalise->std[c];
    }
    EEX_TRY(eex_store_write(file, "images", EEX_STORE_U8, &shape, images));
    EEX_TRY(eex_store_set_doubles(file, "images", "mean", mean, 3));
    EEX_TRY(eex_store_set_doubles(file, "images", "std", std, 3));
    return eex_store_write(file, "confidence", EEX_STORE_F32, &row, confidence);
}

static int write_answers(const options *o, const network *net, eex_engine *engine)
{
    const eex_augment normalise = network_augment();
    eex_result results[ANSWERS];
    float confidence[ANSWERS];
    eex_store_file *file = NULL;
    uint8_t *images = network_images(ANSWERS, net->side);
    int code = images ? eex_engine_run(engine, results, images, ANSWERS) : EEX_ENOMEM;
    for (int i = 0; i < ANSWERS; i++)
        confidence[i] = results[i].confidence;
    if (code == EEX_OK)
        code = create(&file, o, net->name, "-answers", "answers");
    if (code == EEX_OK)
        code = save_answers(file, net, images, confidence, &normalise);
    if (code == EEX_OK)
        code = eex_store_commit(&file);
    eex_store_close(file);
    free(images);
    return code;
}

static int write_both(const options *o, const network *net, eex_engine *engine)
{
    EEX_TRY(write_model(o, net));
    return write_answers(o, net, engine);
}

/* ---- all of it ---- */

static int bench_network(const options *o, const char *name)
{
    network net;
    eex_engine *engine = NULL;
    const eex_inference how = {.batch = o->write && o->batch < ANSWERS ? ANSWERS : o->batch,
                               .normalise = network_augment(),
                               .precision = o->precision};
    int code = network_open(&net, name, o->threads);
    if (code == EEX_OK)
        code = eex_engine_new(&engine, net.graph, net.params, NULL, &how);
    if (code == EEX_OK)
        code = o->write ? write_both(o, &net, engine) : measure(o, &net, engine);
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
                                          {"write", required_argument, NULL, 'w'},
                                          {"precision", required_argument, NULL, 'x'},
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
        case 'x':
            if (eex_precision_parse(&o->precision, optarg) < 0)
                return false;
            break;
        case 'w':
            o->write = optarg;
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
        fprintf(stderr, "usage: bench_infer [--batch N] [--threads N] [--rounds N] [--precision P] "
                        "[--cpu] [--write FOLDER] [NETWORK...]\n");
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
