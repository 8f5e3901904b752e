/* What all op files of the CPU share: aligned memory, the scratch buffer, the choice between the
 * pool and the calling thread, and of an instruction set. */
#include "cpu/cpu.h"

#include "base/status.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Waking the pool and waiting for it costs one to two microseconds, and moves data between cores;
 * below this much work one core is faster. */
static const double serial_below_ns = 3500;

/* Taking a part costs some tens of nanoseconds, and its edges a little cache; parts of this much
 * work hide that. More of them for each thread than this would gain nothing. */
static const double part_ns = 4000;
enum { PARTS_EACH = 8 };

enum { FORGET_LEAST = 256 << 10 /* bytes */ };

int eex__cpu_alloc(void **out, size_t bytes, const char *what)
{
    *out = NULL;
    if (bytes > SIZE_MAX - 128)
        return eex_fail(EEX_ENOMEM, "%s: %zu bytes is more than there can be", what, bytes);
    size_t rounded = bytes ? (bytes + 63) / 64 * 64 : 64;
    *out = aligned_alloc(64, rounded);
    if (!*out)
        return eex_fail(EEX_ENOMEM, "%s: no memory for %zu bytes", what, bytes);
    return EEX_OK;
}

void eex__cpu_forget(const void *memory, size_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t skip = (page - (uintptr_t)memory % page) % page; /* to the first whole one */
    const size_t whole = bytes > skip ? (bytes - skip) / page * page : 0;
    if (whole < FORGET_LEAST)
        return;
    /* It is the owner's, who says so. NOLINTNEXTLINE(performance-no-int-to-ptr) */
    (void)madvise((void *)((uintptr_t)memory + skip), whole, MADV_DONTNEED); /* else it is kept */
}

int eex__cpu_reserve(eex_cpu *cpu, size_t bytes)
{
    if (bytes <= cpu->scratch_bytes)
        return EEX_OK;
    void *bigger;
    const size_t more = bytes - cpu->scratch_bytes;
    EEX_TRY(eex_device_hold(&cpu->base, more));
    int code = eex__cpu_alloc(&bigger, bytes, "CPU scratch buffer");
    if (code < 0) {
        cpu->base.held -= more;
        return code;
    }
    free(cpu->scratch);
    cpu->scratch = bigger;
    cpu->scratch_bytes = bytes;
    return EEX_OK;
}

void eex__cpu_release_scratch(eex_cpu *cpu)
{
    free(cpu->scratch);
    cpu->scratch = NULL;
    cpu->scratch_bytes = 0;
}

int eex__cpu_width(eex_cpu *cpu, double work)
{
    return work < serial_below_ns ? 1 : eex_pool_width(cpu->pool, work);
}

int eex__cpu_sums(double units, double least)
{
    const double parts = units / least;
    return parts < 1 ? 1 : parts < EEX_CPU_SUMS ? (int)parts : EEX_CPU_SUMS;
}

int eex__cpu_each(double work, int width)
{
    const double parts = work / width / part_ns;
    return width == 1 || parts < 1 ? 1 : parts < PARTS_EACH ? (int)parts : PARTS_EACH;
}

void eex__cpu_parts(eex_cpu *cpu, int width, int parts, eex_pool_fn fn, void *ctx)
{
    if (width > 1) {
        eex_pool_run(cpu->pool, parts, fn, ctx);
        return;
    }
    for (int i = 0; i < parts; i++)
        fn(ctx, &(eex_part){i, parts, 0});
}

void eex__cpu_parallel(eex_cpu *cpu, double work, eex_pool_fn fn, void *ctx)
{
    const int width = eex__cpu_width(cpu, work);
    eex__cpu_parts(cpu, width, width * eex__cpu_each(work, width), fn, ctx);
}

static int have_avx512(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("fma");
#else
    return 0;
#endif
}

static int have_avx2(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return 0;
#endif
}

const eex_kernels *eex__kernels_find(const char *isa)
{
    const eex_kernels *all[] = {&eex__kernels_avx512, &eex__kernels_avx2, &eex__kernels_generic};
    int have[] = {have_avx512(), have_avx2(), 1};
    for (int i = 0; i < 3; i++)
        if (have[i] && (!isa || !*isa || strcmp(isa, all[i]->isa) == 0))
            return all[i];
    return NULL;
}
