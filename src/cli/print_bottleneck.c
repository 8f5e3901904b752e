#include "cli/print_bottleneck.h"

void eex_put_bottled(eex_buffer *out, const eex_bottled *b)
{
    eex_buffer_printf(out,
                      "%lld values of %d bits pass behind %s instead of %lld of 32:\n"
                      "%lld bytes of an image are sent instead of %lld, %.3g times fewer.\n",
                      (long long)b->values, b->bits, b->value, (long long)b->values_before,
                      (long long)b->bytes, (long long)b->bytes_before,
                      (double)b->bytes_before / (double)b->bytes);
    eex_buffer_printf(out,
                      "Right on the validation split: the end %.2f %%, before %.2f %%;\n"
                      "with early exits %.2f %%, before %.2f %%.\n",
                      100 * b->end, 100 * b->end_before, 100 * b->accuracy,
                      100 * b->accuracy_before);
}
