#include "device/resize.h"

#include "base/status.h"

static bool side(int pixels)
{
    return pixels >= 1 && pixels <= EEX_RESIZE_MAX_SIDE;
}

int eex_resize_check(const eex_op *op)
{
    const eex_op_resize *r = &op->u.resize;
    const char *name = op->name ? op->name : "?";
    if (r->c < 1 || r->c > 3 || !side(r->hin) || !side(r->win) || !side(r->hout) || !side(r->wout))
        return eex_fail(EEX_EUNSUPPORTED,
                        "images of \"%s\" are resized from %d x %d to %d x %d with %d channels, "
                        "expected sides of 1 to %d and 1 to 3 channels",
                        name, r->hin, r->win, r->hout, r->wout, r->c, EEX_RESIZE_MAX_SIDE);
    return EEX_OK;
}
