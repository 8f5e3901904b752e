#include "core/report/curves.h"

#include "core/graph/graph.h"
#include "core/store/store.h"

#include "base/fs.h"
#include "base/status.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

enum { VERSION = 1, MOST_BYTES = 64 << 20 };

static int read(eex_store_file *file, void *context)
{
    static const char validation[] = "history/validation_accuracy";
    eex_curves *c = context;
    eex_store_shape shape = {2, {EEX_STORE_ANY, EEX_STORE_ANY}};
    if (!eex_store_has(file, "history"))
        return EEX_OK;
    EEX_TRY(eex_store_read_new((void **)&c->loss, file, "history/loss", EEX_STORE_F64, &shape,
                               MOST_BYTES));
    if (shape.extent[1] < 1 || shape.extent[0] > INT_MAX)
        return eex_store_refuse(file, "a history of %llu epochs and %llu exits",
                                (unsigned long long)shape.extent[0],
                                (unsigned long long)shape.extent[1]);
    c->epochs = (int)shape.extent[0];
    c->exits = (int)shape.extent[1];
    EEX_TRY(eex_store_read_new((void **)&c->accuracy, file, "history/accuracy", EEX_STORE_F64,
                               &shape, MOST_BYTES));
    if (eex_store_has(file, validation))
        EEX_TRY(eex_store_read_new((void **)&c->validation, file, validation, EEX_STORE_F64, &shape,
                                   MOST_BYTES));
    return eex_store_get_double(&c->seconds, file, "history", "seconds");
}

int eex_curves_load(eex_curves *out, const char *folder, const char *name, const char *kind)
{
    char *path = NULL;
    *out = (eex_curves){0};
    EEX_TRY(eex_path_join(&path, folder, name));
    int code = eex_fs_exists(path) ? eex_store_read_file(path, kind, VERSION, read, out) : EEX_OK;
    free(path);
    if (code != EEX_OK)
        eex_curves_free(out);
    return code;
}

void eex_curves_free(eex_curves *c)
{
    free(c->loss);
    free(c->accuracy);
    free(c->validation);
    *c = (eex_curves){0};
}

double eex_curves_end(const eex_curves *c, const double *column, int epoch)
{
    return column[(size_t)epoch * (size_t)c->exits + (size_t)c->exits - 1];
}

double eex_curves_gates(const eex_curves *c, const double *column, int epoch)
{
    double sum = 0;
    int count = 0;
    for (int k = 0; k + 1 < c->exits; k++) {
        const double value = column[(size_t)epoch * (size_t)c->exits + (size_t)k];
        if (!isnan(value)) {
            sum += value;
            count++;
        }
    }
    return count ? sum / count : NAN;
}
