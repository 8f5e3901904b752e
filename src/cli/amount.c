#include "cli/amount.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int eex_parse_amount(double *out, const char *text, const char *what)
{
    static const char prefixes[] = "kMG";
    char *end = NULL;
    double value = strtod(text, &end);
    const char *prefix = *end ? strchr(prefixes, *end) : NULL;
    if (prefix) {
        value *= pow(1e3, (double)(prefix - prefixes + 1));
        end++;
    }
    if (end == text || *end || !isfinite(value) || value <= 0)
        return eex_fail(EEX_EINVAL,
                        "%s: a positive number such as 2500000, 2500k or 2.5M, got "
                        "\"%s\"",
                        what, text);
    *out = value;
    return EEX_OK;
}
