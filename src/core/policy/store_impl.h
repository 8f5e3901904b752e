/* What the files of policies and traces share: names of members in a group. */
#ifndef EEX_CORE_POLICY_STORE_IMPL_H
#define EEX_CORE_POLICY_STORE_IMPL_H

#include "base/status.h"

#include <stdio.h>

enum { EEX__MEMBER_PATH = 512 };

/* "group/name", or "name" in the root (""). EEX_EINVAL, of `what`, when it does not fit. */
static inline int eex__member_path(char out[EEX__MEMBER_PATH], const char *group, const char *name,
                                   const char *what)
{
    int length = snprintf(out, EEX__MEMBER_PATH, "%s%s%s", group, *group ? "/" : "", name);
    if (length < 0 || length >= EEX__MEMBER_PATH)
        return eex_fail(EEX_EINVAL, "%s: group name \"%s\" is too long", what, group);
    return EEX_OK;
}

#endif
