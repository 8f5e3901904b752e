#include "support/devices.h"

#include <math.h>

void expect_repeated(const char *what, const float *got, const float *want, size_t n)
{
    double difference = 0, norm = 0;
    if (device_repeats_bits()) {
        cr_expect_arr_eq(got, want, n * sizeof *got, "%s: other bits", what);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        difference += ((double)got[i] - (double)want[i]) * ((double)got[i] - (double)want[i]);
        norm += (double)want[i] * (double)want[i];
    }
    cr_expect(difference <= 1e-10 * norm, "%s: relative difference %g", what,
              sqrt(difference / norm));
}
