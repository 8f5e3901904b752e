#include "device/augment.h"

#include "base/status.h"

int eex_augment_check(const eex_op *op)
{
    const eex_op_augment *a = &op->u.augment;
    const char *name = op->name ? op->name : "?";
    if (a->c < 1 || a->c > 3 || a->h < 1 || a->w < 1)
        return eex_fail(EEX_EUNSUPPORTED,
                        "images of \"%s\" are %d x %d with %d channels, expected "
                        "1 to 3 channels",
                        name, a->h, a->w, a->c);
    for (int j = 0; j < a->c; j++)
        if (!(a->augment.std[j] > 0))
            return eex_fail(EEX_EINVAL,
                            "images of \"%s\": the deviation of channel %d is %g, "
                            "expected more than 0",
                            name, j, (double)a->augment.std[j]);
    return EEX_OK;
}
