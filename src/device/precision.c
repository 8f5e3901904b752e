#include "device/op.h"

#include "base/status.h"

#define PRECISIONS(training)                                             \
    [EEX_F32] = "float32", [EEX_TF32] = "tf32", [EEX_BF16] = (training), \
    [EEX_BF16_PRODUCTS] = "bfloat16-products"

EEX_NAMES(eex_precision, eex_precision, EEX_PRECISIONS, PRECISIONS("bfloat16"));
EEX_NAMES_TABLE(eex_precision_inferring, EEX_PRECISIONS, PRECISIONS(NULL));

bool eex_precision_infers(eex_precision precision)
{
    return (unsigned)precision < EEX_PRECISIONS &&
           eex_precision_inferring_names()->name[precision] != NULL;
}

int eex_precision_parse(eex_precision *out, const char *name)
{
    EEX_NEED(out, "place for the precision");
    EEX_NEED(name, "name");
    const eex_names *names = eex_precision_inferring_names();
    const int found = eex_name_find(names, name);
    char text[EEX_NAMES_SIZE];
    if (found >= 0) {
        *out = (eex_precision)found;
        return EEX_OK;
    }
    const bool training = eex_name_find(eex_precision_names(), name) >= 0;
    const char *near = training ? NULL : eex_name_near(names, name);
    return eex_fail(EEX_EINVAL, "precision \"%.40s\"%s: expected %s%s%s%s", name,
                    training ? " is for training" : "", eex_names_list(text, names, "", " or "),
                    near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}
