#include "core/run/structure.h"

void eex_structures_free(eex_structures *s)
{
    if (s)
        s->kind->free(s);
}
