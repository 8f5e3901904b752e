/* eex serve: the server's part of a network that devices begin. */
#include "cli/commands.h"
#include "cli/open_model.h"
#include "cli/print_remote.h"
#include "cli/remote_options.h"

#include "base/clock.h"
#include "base/laps.h"
#include "base/status.h"

#include <stdlib.h>

enum { MAX_BATCH = 4096, PORT = 7531, LAPS = 21 };
static const double laps_seconds = 0.2;

typedef struct arguments {
    const char *listen;
    int64_t port, batch, sessions;
    double patience, idle, every;
    bool json;
    eex__remote_options cut; /* what both sides have to give alike */
    eex_model_options model;
} arguments;

static const arguments defaults = {.listen = "127.0.0.1",
                                   .port = PORT,
                                   .batch = 64,
                                   .sessions = 128,
                                   .patience = 10,
                                   .idle = 120,
                                   .every = 10,
                                   .cut = EEX__REMOTE_OPTIONS_INIT,
                                   .model = EEX_MODEL_OPTIONS_INIT};

static const eex_option options[] = {
    EEX_NUMBER("port", "N", 0, 65535, port, "where devices call (7531); 0: any free one"),
    EEX_TEXT("listen", "ADDRESS", listen,
             "for devices on other machines, with --key (127.0.0.1: this one alone)"),
    EEX__CUT_OPTIONS(cut),
    EEX_TEXT("adapt", "FILE", EEX_IN(cut, adapt),
             "cut and bits of a file of eex adapt, which devices follow"),
    EEX_NUMBER("batch", "N", 1, MAX_BATCH, batch, "rows that run at once, of all devices (64)"),
    EEX_NUMBER("sessions", "N", 1, EEX_SERVER_MOST_SESSIONS, sessions, "devices at once (128)"),
    EEX_REAL("patience", "S", 0.01, 3600, patience,
             "seconds for a hello, for the rest of a message, for who does not read (10)"),
    EEX_REAL("idle", "S", 0.01, 1e6, idle,
             "seconds after which a silent device may call again (120)"),
    EEX_REAL("every", "S", 0, 1e6, every, "tells how it goes so often; 0: at the end alone (10)"),
    EEX_FLAG("json", json, "one JSON object a line; the first says where it listens"),
    EEX_MODEL_OPTIONS(model),
    EEX_NO_PREDICTOR(model),
    {0},
};

typedef struct serve {
    const arguments *a;
    eex_opened opened;
    eex_engine *engine;
    eex_rest *rest;
    eex_server *server;
    double alone; /* rows a second in full batches */
} serve;

/* Full batches, the first of which run slowly: memory is touched for the first time. What they take
 * then is what this machine can do when nothing has to be sent. */
static int run_full(serve *sv, eex_result *results, const unsigned char *rows)
{
    const int batch = (int)sv->a->batch;
    double took[LAPS], at = 0, until = 0;
    int laps = -1; /* the first lap is not timed */
    do {
        const double began = eex_clock_seconds();
        EEX_TRY(eex_rest_run(sv->rest, results, rows, batch));
        at = eex_clock_seconds();
        if (laps++ < 0)
            until = at + laps_seconds;
        else
            took[laps - 1] = at - began;
    } while (laps < LAPS && (laps < EEX_LAPS_ROUNDS_MIN || at < until));
    sv->alone = batch / eex_laps_quartile(took, laps);
    return eex_rest_run(sv->rest, results, rows, 1);
}

static int warm_up(serve *sv)
{
    const size_t batch = (size_t)sv->a->batch, bytes = eex_rest_payload(sv->rest)->bytes;
    unsigned char *rows = calloc(batch, bytes);
    eex_result *results = calloc(batch, sizeof *results);
    const int code =
        rows && results
            ? run_full(sv, results, rows)
            : eex_fail(EEX_ENOMEM, "out of memory for %zu rows of %zu bytes", batch, bytes);
    free(rows);
    free(results);
    return code;
}

static int tell(void *context, const eex_server_figures *figures)
{
    const serve *sv = context;
    return eex__server_print(figures, "figures", sv->a->json);
}

static int open_server(serve *sv, eex__server_facts *facts)
{
    const arguments *a = sv->a;
    eex_server_options how = {.address = a->listen,
                              .port = (int)a->port,
                              .key = a->cut.key,
                              .sessions = (int)a->sessions,
                              .batch = (int)a->batch,
                              .patience = a->patience,
                              .idle = a->idle};
    EEX_TRY(eex_offload_hello(&how.hello, sv->opened.model, eex_rest_payload(sv->rest)));
    EEX_TRY(eex_server_open(&sv->server, &how, sv->rest));
    *facts = (eex__server_facts){.model = sv->opened.model,
                                 .server = sv->server,
                                 .payload = *eex_rest_payload(sv->rest),
                                 .hello = how.hello,
                                 .sessions = how.sessions,
                                 .tls = how.key != NULL};
    return EEX_OK;
}

static int run_server(serve *sv)
{
    const eex_server_listener listener = {.tell = tell, .context = sv, .every = sv->a->every};
    eex_server_figures figures;
    const int code = eex_server_run(sv->server, &listener);
    eex_server_look(&figures, sv->server);
    EEX_TRY(code);
    return eex__server_print(&figures, "ended", sv->a->json);
}

/* Settings are followed by devices; here only cut and bits are taken from them, of this model. */
static int check_settings(const serve *sv)
{
    eex_adaptation *settings;
    if (!sv->a->cut.adapt)
        return EEX_OK;
    const int code = eex_adaptation_open(&settings, sv->a->cut.adapt, sv->opened.model);
    EEX_TRY(code < 0 ? eex_fail_in(code, "--adapt") : EEX_OK);
    eex_adaptation_close(settings);
    return EEX_OK;
}

static int open_and_run(serve *sv, const eex_words *words)
{
    eex__server_facts facts;
    int bits;
    EEX_TRY(eex__cut_open_model(&sv->opened, &bits, words->at[0], &sv->a->model, &sv->a->cut,
                                EEX_PLAN_REST));
    EEX_TRY(check_settings(sv));
    EEX_TRY(eex_engine_open(&sv->engine, sv->opened.model, (int)sv->a->batch));
    EEX_TRY(eex__cut_bits(&bits, sv->engine));
    EEX_TRY(eex_rest_new(&sv->rest, sv->engine, -1, bits));
    EEX_TRY(open_server(sv, &facts));
    EEX_TRY(warm_up(sv));
    facts.alone = sv->alone;
    EEX_TRY(eex__server_print_begin(&facts, sv->a->json));
    return run_server(sv);
}

static int check(void *given, const eex_words *words)
{
    const arguments *a = given;
    return eex__bits_check(a->cut.bits);
}

static int run(const void *given, const eex_words *words)
{
    serve sv = {.a = given};
    const int code = open_and_run(&sv, words);
    eex_server_close(sv.server);
    eex_rest_free(sv.rest);
    eex_engine_close(sv.engine);
    eex_opened_close(&sv.opened);
    return code;
}

const eex_cmd eex_cmd_serve = {
    .name = "serve",
    .brief = "run the rest of a network for devices that begin it",
    .synopsis = "RUN|MODEL [options]",
    .summary =
        "Waits for devices (`eex infer --remote`, `eex stream --remote`) that run the network as\n"
        "far as its last early exit, and goes on with what none of their exits has accepted.\n"
        "RUN is a folder that `eex run` has made, MODEL a file that `eex prune` wrote.",
    .details =
        "Both sides need the same model, cut alike; who has another one is refused. Rows of all\n"
        "devices run in common batches. Devices that send what is no message, stall, or send more\n"
        "than they may are sent away, and nobody else notices.\n\n"
        "Without --key only programs on this machine can call. Devices on other machines need\n"
        "--listen (0.0.0.0: at every address) and --key FILE, which both sides have, for TLS 1.3:\n"
        "  (umask 077; openssl rand -hex 32 >eex.key)\n\n"
        "SIGTERM, SIGHUP or Ctrl-C ends it: what has come is answered first, and the exit status\n"
        "is 0.\n"
        "docs/co-inference.md has the protocol and what it protects "
        "against.\n\n" EEX_POLICY_DETAILS,
    .words = {1, 1},
    .takes = {sizeof(arguments), &defaults, options},
    .check = check,
    .run = run,
};
