#include "device/op.h"

#include "base/buffer.h"
#include "base/status.h"

#include <string.h>

const char *eex_precision_name(eex_precision precision)
{
    static const char *const names[EEX_PRECISIONS] = {"float32", "tf32", "bfloat16",
                                                      "bfloat16-products"};
    return (unsigned)precision < EEX_PRECISIONS ? names[precision] : "unknown";
}

bool eex_precision_infers(eex_precision precision)
{
    return precision != EEX_BF16;
}

/* Lists what there is, as "float32, tf32 or bfloat16-products". */
static int fail_unknown(const char *name)
{
    const char *known[EEX_PRECISIONS];
    int count = 0;
    eex_buffer list = EEX_BUFFER_INIT;
    for (int p = 0; p < EEX_PRECISIONS; p++)
        if (eex_precision_infers((eex_precision)p))
            known[count++] = eex_precision_name((eex_precision)p);
    for (int i = 0; i < count; i++)
        eex_buffer_printf(&list, "%s%s", !i ? "" : i + 1 < count ? ", " : " or ", known[i]);
    int code = eex_fail(EEX_EINVAL, "precision \"%.40s\"%s: expected %s", name,
                        strcmp(name, eex_precision_name(EEX_BF16)) == 0 ? " is for training" : "",
                        eex_buffer_text(&list));
    eex_buffer_free(&list);
    return code;
}

int eex_precision_parse(eex_precision *out, const char *name)
{
    for (int p = 0; p < EEX_PRECISIONS; p++)
        if (eex_precision_infers((eex_precision)p) &&
            strcmp(name, eex_precision_name((eex_precision)p)) == 0) {
            *out = (eex_precision)p;
            return EEX_OK;
        }
    return fail_unknown(name);
}
