/* Which of the bfloat16 kernels this machine can run. */
#include "cpu/kernels/bf16/bf16.h"

#include <string.h>

#if EEX_HAVE_BF16
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

extern const eex_bf16_kernels eex__bf16_amx, eex__bf16_avx512;

static bool have_avx512_bf16(void)
{
    unsigned a, b, c, d;
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __get_cpuid_count(7, 1, &a, &b, &c, &d) && a >> 5 & 1;
}

/* The tile registers are so large that Linux wants to be asked for them, once a process. */
static bool have_amx(void)
{
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    unsigned a, b, c, d;
    if (!have_avx512_bf16() || !__get_cpuid_count(7, 0, &a, &b, &c, &d))
        return false;
    bool tiles = d >> 24 & 1, bf16 = d >> 22 & 1;
    return tiles && bf16 && syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

const eex_bf16_kernels *eex__bf16_find(const char *isa)
{
    const bool any = !isa || !*isa;
    if ((any || strcmp(isa, eex__bf16_amx.isa) == 0) && have_amx())
        return &eex__bf16_amx;
    if ((any || strcmp(isa, eex__bf16_avx512.isa) == 0) && have_avx512_bf16())
        return &eex__bf16_avx512;
    return NULL;
}
#else
const eex_bf16_kernels *eex__bf16_find(const char *isa)
{
    (void)isa;
    return NULL;
}
#endif
