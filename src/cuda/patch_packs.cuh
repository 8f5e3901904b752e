/* Patches in bfloat16 where they lie, eight channels at a time: rows of the matrix (pixels, kernel
 * * kernel * cin) that im2col would write. Pixels are numbered through the batch, those of an image
 * are at most 1024. */
#ifndef EEX_CUDA_PATCH_PACKS_CUH
#define EEX_CUDA_PATCH_PACKS_CUH

#include "cuda/kernel.cuh"

enum { EEX_PATCH_PIXELS = 32 * 32, EEX_PATCH_AHEAD = 32, EEX_PATCH_PACK = 8 };

struct eex_patches {
    const eex_bf16 *x;
    eex_window window;
};

/* i / n for i < 1024 + 32 and n <= 1024, by a multiplication: rounded up, the inverse is too large
 * by less than n / 2^21, so the quotient by less than 1 / n. */
enum { EEX_INVERSE_BITS = 21 };

static __device__ inline unsigned eex_inverse(unsigned n)
{
    return ((1u << EEX_INVERSE_BITS) + n - 1) / n;
}

static __device__ inline unsigned eex_divide(unsigned i, unsigned inverse)
{
    return i * inverse >> EEX_INVERSE_BITS;
}

/* Pixel `at` of an image. It goes on by at most EEX_PATCH_AHEAD. */
struct eex_pixel {
    unsigned image, at, size, by_size, by_width;

    __device__ void advance(unsigned n)
    {
        const unsigned images = eex_divide(at + n, by_size);
        image += images;
        at += n - images * size;
    }
};

static __device__ inline eex_pixel eex_pixel_at(const eex_window &w, unsigned i)
{
    eex_pixel p;
    p.size = (unsigned)(w.wout * w.hout);
    p.by_size = eex_inverse(p.size);
    p.by_width = eex_inverse((unsigned)w.wout);
    p.image = i / p.size;
    p.at = i - p.image * p.size;
    return p;
}

/* An element of a patch: a tap of the window and a channel. */
struct eex_patch_element {
    int tap, channel;
};

/* Where the pixel's element lies; NULL outside of its image and behind the last tap. */
template <int K>
static __device__ inline const eex_bf16 *eex_patch_at(const eex_patches &a, const eex_pixel &p,
                                                      eex_patch_element e)
{
    const eex_window &w = a.window;
    const int line = (int)eex_divide(p.at, p.by_width), column = (int)p.at - line * w.wout;
    const int h = line * w.stride - w.pad + e.tap / K, v = column * w.stride - w.pad + e.tap % K;
    if (e.tap >= K * K || h < 0 || h >= w.hin || v < 0 || v >= w.win)
        return NULL;
    const size_t row = (size_t)p.image * (size_t)w.hin + (size_t)h;
    return a.x + (row * (size_t)w.win + (size_t)v) * (size_t)w.cin + e.channel;
}

/* `count` of eight elements that lie beside each other, the others 0; all or none when PACKED. */
template <bool PACKED>
static __device__ inline eex_bits16 eex_pack_load(const eex_bf16 *from, int count)
{
    eex_bits16 bits = {};
    if constexpr (PACKED) {
        if (count > 0)
            bits = *reinterpret_cast<const eex_bits16 *>(from);
    } else {
#pragma unroll
        for (int i = 0; i < EEX_PATCH_PACK; i++)
            if (i < count)
                bits.word[i / 2] |= (uint32_t)from[i].bits << i % 2 * 16;
    }
    return bits;
}

/* Eight elements of a pixel's patch, from e on; PACKED: they may be read at once. */
template <int K, bool PACKED>
static __device__ inline eex_bits16 eex_patch_load(const eex_patches &a, const eex_pixel &p,
                                                   eex_patch_element e)
{
    eex_bits16 bits = {};
    if constexpr (PACKED) {
        const eex_bf16 *from = eex_patch_at<K>(a, p, e);
        bits = eex_pack_load<true>(from, from ? EEX_PATCH_PACK : 0);
    } else {
#pragma unroll
        for (int i = 0; i < EEX_PATCH_PACK; i++) {
            const eex_bf16 *from = eex_patch_at<K>(a, p, e);
            if (from)
                bits.word[i / 2] |= (uint32_t)from->bits << i % 2 * 16;
            if (++e.channel == a.window.cin)
                e = {e.tap + 1, 0};
        }
    }
    return bits;
}

#endif
