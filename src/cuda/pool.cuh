/* Windows of a pooling op: which part of them lies on the image, and which element is largest. */
#ifndef EEX_CUDA_POOL_CUH
#define EEX_CUDA_POOL_CUH

#include "cuda/columns.cuh"
#include "cuda/index.cuh"

enum { EEX_POOL_THREADS = 256 };

/* Rows y0..y1-1 and columns x0..x1-1 of the image. */
struct eex_patch {
    int y0, y1, x0, x1;
};

__device__ static inline eex_patch eex_patch_of(const eex_window &w, int oy, int ox)
{
    int y = oy * w.stride - w.pad, x = ox * w.stride - w.pad;
    eex_patch p;
    p.y0 = y > 0 ? y : 0;
    p.x0 = x > 0 ? x : 0;
    p.y1 = y + w.kernel < w.hin ? y + w.kernel : w.hin;
    p.x1 = x + w.kernel < w.win ? x + w.kernel : w.win;
    return p;
}

/* Element of (sample, y, x, 0) of an input. */
__device__ static inline size_t eex_pixel(const eex_window &w, size_t sample, int y, int x)
{
    return ((sample * (size_t)w.hin + (size_t)y) * (size_t)w.win + (size_t)x) * (size_t)w.cin;
}

/* Whether `value` takes the maximum's place: it is larger, or the first NaN. */
__device__ static inline bool eex_beats(float value, float best)
{
    return !(value <= best) && best == best;
}

static inline bool eex_pool_packed(const eex_op *op)
{
    const eex_op_pool *p = &op->u.pool;
    const void *all[] = {p->x, p->dy, p->y, p->dx};
    for (const void *at : all)
        if (!eex_packed(op->precision, p->window.cin, at))
            return false;
    return true;
}

#endif
