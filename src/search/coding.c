#include "search/coding.h"

#include <math.h>
#include <string.h>

static bool is_simplex(const eex_coding *coding, int gene)
{
    return coding->kind == EEX_CODE_SIMPLEX && coding->options[gene] <= EEX_CODE_MOST;
}

void eex_coding_init(eex_coding *out, const eex_space *space, eex_coding_kind kind)
{
    memset(out, 0, sizeof *out);
    out->kind = kind;
    out->genes = space->genes;
    memcpy(out->options, space->options, (size_t)space->genes * sizeof *out->options);
    for (int i = 0; i < space->genes; i++)
        out->columns += is_simplex(out, i) ? space->options[i] - 1 : space->options[i] > 1;
}

/* 1 / sqrt((j + 1) (j + 2)). */
static const double scales[EEX_CODE_MOST - 1] = {
    0.70710678118654752440, 0.40824829046386301637, 0.28867513459481288225, 0.22360679774997896964,
    0.18257418583505537115, 0.15430334996209191026, 0.13363062095621219235};

/* Corner `option`, by the orthonormal rows of a Helmert matrix. */
static double *code_corner(double *row, int option, int options)
{
    for (int j = 0; j + 1 < options; j++)
        *row++ = option <= j ? scales[j] : option == j + 1 ? -(j + 1.0) * scales[j] : 0.0;
    return row;
}

void eex_code(double *rows, const eex_coding *coding, const int *genomes, size_t n)
{
    const double length = coding->kind == EEX_CODE_SIMPLEX ? M_SQRT2 : 1.0;
    for (size_t i = 0; i < n; i++) {
        const int *genome = genomes + i * (size_t)coding->genes;
        for (int g = 0; g < coding->genes; g++) {
            const int options = coding->options[g];
            if (is_simplex(coding, g))
                rows = code_corner(rows, genome[g], options);
            else if (options > 1)
                *rows++ = length * genome[g] / (options - 1);
        }
    }
}
