/* Gradients for the weights of 1x1 and 3x3 convolutions in bfloat16, on images of at most 32 x 32:
 * one product on tensor cores that reads patches where they lie and widens nothing in memory.
 *
 * dw (K, cout) = patches (R, K)' dy (R, cout), K = kernel * kernel * cin, over the R pixels of the
 * batch. Floor: 2 R K cout operations; 2 R (s * s * cin + cout) + 4 K cout bytes, each
 * operand once, s the stride (1x1 reads one pixel of s * s). 3x3, 64 to 64 channels, 512 images of
 * 8 x 8: 2.4e9 operations and 8.5e6 bytes, 2.4 and 1.8 us at an H200's 990e12 a second and 4.8e12
 * bytes a second (its data sheet). Activations that are widened for cuDNN move 10 bytes an element
 * where this moves 2, and patches in memory 2 * 9 more for each of x.
 *
 * Geometry: a block of 128 threads, four warps, has a tile of dw, 64 x 64 or, where there are at
 * most 32 channels, 128 x 32; a warp 32 x 32 of it. The pixels are divided into slices, enough for
 * 512 blocks and of 256 pixels at least; a slice goes through shared memory 32 pixels at a time,
 * and the next ones are on their way in registers meanwhile. Each slice leaves its sums in the
 * scratch memory, (slices, K, cout), and slices.cuh adds them. Bytes beyond the floor: x once more
 * for each further tile (other taps of it mostly from the caches), dy for each tile of K, and the
 * slices out and in, 8 MB each way at most where 512 blocks are enough.
 *
 * Exactness. Products of bfloat16 are exact in float32; their sums in a tensor core are not
 * rounded but cut off, to 24 bits below the largest term as far as is known, so that long sums of
 * one sign come out too small. So an accumulator takes 32 pixels, two instructions, and goes from
 * there into a float32 sum that is rounded to nearest. With A the sum of all |x dy| of an element,
 * E = 2^-23, n pixels a slice and s slices: an instruction of 17 terms loses at most 18 E A' of
 * its own A' and what it continues, so both 36 E A; the sum over n / 32 parts is off by at most
 * n / 64 E A, that over the slices by (s / 8 + 9) / 2 E A:
 *
 *     |error| <= (36 + n / 64 + s / 16 + 5) E A
 *
 * The first term is hardly ever seen: where 32 products are within 2^3 of each other, each of 16
 * bits, nothing is cut off. The second is that of every float32 sum, and why at most
 * EEX_CUDA_SUM_ROWS pixels are a slice (conv_plain.c).
 *
 * How pixels are divided follows from the op and the batch alone, so the order of every sum does.
 * Only chips that have bfloat16 come here (8.0 and up). */
#include "cuda/patch_packs.cuh"
#include "cuda/slices.cuh"

enum { STEP = EEX_PATCH_AHEAD, SIDE = 32, WARPS = 4, THREADS = WARPS * EEX_WARP };
enum { PACK = EEX_PATCH_PACK, BLOCKS = 512, LEAST = 256 };

struct weights_args {
    eex_patches patches;
    const eex_bf16 *dy;
    float *parts;           /* (slices, K, cout) */
    unsigned rows, per;     /* pixels of the batch, of a slice */
    int depth, cout, tiles; /* K, channels, how many tiles K has */
};

/* ---- the product ---- */

/* Rows are so long that the eight that a matrix of ldmatrix has lie in different banks. */
template <int WIDTH> struct slab {
    eex_bits16 at[STEP][WIDTH / PACK + 1];

    /* 16 pixels by 16 columns, as a or as two of b: words 0 and 2 are of the first eight columns.
     */
    __device__ void load(uint32_t (&to)[4], int pixel, int column) const
    {
        const int lane = (int)threadIdx.x % EEX_WARP, pack = column / PACK + lane / 8 % 2;
        eex_load_transposed(to, &at[pixel + lane % 8 + lane / 16 * 8][pack]);
    }
};

typedef float warp_sums[SIDE / 16][SIDE / 8][4];

template <int M, int N>
static __device__ void multiply_slabs(warp_sums &sums, const slab<M> &patches,
                                      const slab<N> &gradients, int row, int column)
{
    warp_sums part = {};
#pragma unroll
    for (int k = 0; k < STEP; k += 16) {
        uint32_t left[SIDE / 16][4], right[SIDE / 16][4];
#pragma unroll
        for (int i = 0; i < SIDE / 16; i++) {
            patches.load(left[i], k, row + 16 * i);
            gradients.load(right[i], k, column + 16 * i);
        }
#pragma unroll
        for (int i = 0; i < SIDE / 16; i++)
#pragma unroll
            for (int j = 0; j < SIDE / 8; j++)
                eex_multiply_add(part[i][j], left[i], right[j / 2][j % 2], right[j / 2][j % 2 + 2]);
    }
#pragma unroll
    for (int i = 0; i < SIDE / 16; i++)
#pragma unroll
        for (int j = 0; j < SIDE / 8; j++)
#pragma unroll
            for (int k = 0; k < 4; k++)
                sums[i][j][k] += part[i][j][k];
}

static __device__ void store_sums(const weights_args &a, const warp_sums &sums, unsigned slice,
                                  int row, int column)
{
    const int lane = (int)threadIdx.x % EEX_WARP, cout = a.cout;
    float *to = a.parts + (size_t)slice * (size_t)a.depth * (size_t)cout;
#pragma unroll
    for (int i = 0; i < SIDE / 16; i++)
#pragma unroll
        for (int j = 0; j < SIDE / 8; j++)
#pragma unroll
            for (int k = 0; k < 4; k++) {
                const int m = row + 16 * i + lane / 4 + k / 2 * 8;
                const int n = column + 8 * j + lane % 4 * 2 + k % 2;
                if (m < a.depth && n < cout)
                    to[(size_t)m * (size_t)cout + (size_t)n] = sums[i][j][k];
            }
}

/* What a thread fetches of a slab of WIDTH columns: COUNT packs of the same column, EACH pixels
 * apart. */
template <int WIDTH> struct share {
    enum { PACKS = WIDTH / PACK, EACH = THREADS / PACKS, COUNT = STEP / EACH };
    int pixel, column; /* the first, and in packs */
    eex_bits16 packs[COUNT];

    __device__ share() : pixel((int)threadIdx.x / PACKS), column((int)threadIdx.x % PACKS)
    {
    }
    __device__ void put(slab<WIDTH> &to) const
    {
#pragma unroll
        for (int i = 0; i < COUNT; i++)
            to.at[pixel + i * EACH][column] = packs[i];
    }
};

/* Of the `left` pixels from p on. */
template <int K, bool PACKED, int WIDTH>
static __device__ void fetch_patches(share<WIDTH> &s, const eex_patches &a, const eex_pixel &p,
                                     unsigned left, eex_patch_element e)
{
#pragma unroll
    for (int i = 0; i < s.COUNT; i++) {
        const unsigned ahead = (unsigned)(s.pixel + i * s.EACH);
        eex_pixel own = p;
        own.advance(ahead);
        s.packs[i] = ahead < left ? eex_patch_load<K, PACKED>(a, own, e) : eex_bits16{};
    }
}

/* Likewise; channel: the thread's first. */
template <bool PACKED, int WIDTH>
static __device__ void fetch_gradients(share<WIDTH> &s, const weights_args &a, unsigned pixel,
                                       unsigned left, int channel)
{
#pragma unroll
    for (int i = 0; i < s.COUNT; i++) {
        const unsigned ahead = (unsigned)(s.pixel + i * s.EACH);
        const eex_bf16 *from = a.dy + (size_t)(pixel + ahead) * (size_t)a.cout + channel;
        s.packs[i] = eex_pack_load<PACKED>(from, ahead < left ? a.cout - channel : 0);
    }
}

/* ACROSS: warps of a block beside each other. PACKED: eight channels are read at once on either
 * side; else a thread needs registers for eight addresses, and fewer blocks fit. */
template <int K, int ACROSS, bool PACKED>
static __global__ void __launch_bounds__(THREADS, PACKED ? 4 : 1) weights_of_patches(weights_args a)
{
    enum { M = SIDE * WARPS / ACROSS, N = SIDE * ACROSS };
    __shared__ slab<M> patches;
    __shared__ slab<N> gradients;
    const unsigned tiles = (unsigned)a.tiles, slice = blockIdx.x / tiles;
    const unsigned begin = slice * a.per;
    const unsigned end = a.rows - begin < a.per ? a.rows : begin + a.per;
    const int first_row = (int)(blockIdx.x % tiles) * M, first_column = (int)blockIdx.y * N;
    const int warp = (int)threadIdx.x / EEX_WARP;
    const int row = warp / ACROSS * SIDE, column = warp % ACROSS * SIDE;
    share<M> left;
    share<N> right;
    const int k = first_row + left.column * PACK, channel = first_column + right.column * PACK;
    const eex_patch_element e = {k / a.patches.window.cin, k % a.patches.window.cin};
    eex_pixel p = eex_pixel_at(a.patches.window, begin);
    warp_sums sums = {};
    fetch_patches<K, PACKED>(left, a.patches, p, end - begin, e);
    fetch_gradients<PACKED>(right, a, begin, end - begin, channel);
    for (unsigned pixel = begin; pixel < end; pixel += STEP) {
        left.put(patches);
        right.put(gradients);
        __syncthreads();
        if (pixel + STEP < end) {
            p.advance(STEP);
            fetch_patches<K, PACKED>(left, a.patches, p, end - pixel - STEP, e);
            fetch_gradients<PACKED>(right, a, pixel + STEP, end - pixel - STEP, channel);
        }
        multiply_slabs<M, N>(sums, patches, gradients, row, column);
        __syncthreads();
    }
    store_sums(a, sums, slice, first_row + row, first_column + column);
}

/* ---- the op ---- */

struct weights_layout {
    int across, tiles, columns; /* tiles of K, of the channels */
    unsigned slices, per;
};

static size_t pixels_of(const eex_window *w, int batch)
{
    return (size_t)batch * (size_t)w->hout * (size_t)w->wout;
}

static int depth_of(const eex_window *w)
{
    return w->kernel * w->kernel * w->cin;
}

static weights_layout layout_of(const eex_cuda *cuda, const eex_window *w, int batch)
{
    weights_layout l;
    l.across = w->cout <= SIDE ? 1 : 2;
    const int side = SIDE * WARPS / l.across, width = SIDE * l.across;
    l.tiles = (depth_of(w) + side - 1) / side;
    l.columns = (w->cout + width - 1) / width;
    const size_t rows = pixels_of(w, batch), blocks = (size_t)l.tiles * (size_t)l.columns;
    const size_t most = (rows + cuda->sum_rows - 1) / cuda->sum_rows;
    l.slices = eex_blocks(rows, LEAST, blocks < BLOCKS ? BLOCKS / blocks : 1);
    if (l.slices < most)
        l.slices = (unsigned)most;
    l.per = (unsigned)((rows + l.slices - 1) / l.slices);
    const unsigned whole = (l.per + STEP - 1) / STEP * STEP;
    l.per = whole <= cuda->sum_rows ? whole : l.per;
    return l;
}

extern "C" bool eex__cuda_own_weights_applies(const eex_op *op)
{
    const eex_window *w = &op->u.conv_bwd_weights.window;
    return op->kind == EEX_OP_CONV_BWD_WEIGHTS && op->precision == EEX_BF16 && w->groups == 1 &&
           (w->kernel == 1 || w->kernel == 3) && w->hout * w->wout <= EEX_PATCH_PIXELS &&
           w->cout <= 65535;
}

extern "C" size_t eex__cuda_own_weights_scratch(const eex_cuda *cuda, const eex_op *op, int batch)
{
    const eex_window *w = &op->u.conv_bwd_weights.window;
    return (size_t)layout_of(cuda, w, batch).slices * (size_t)depth_of(w) * (size_t)w->cout *
           sizeof(float);
}

template <int K, int ACROSS>
static void launch(eex_cuda *cuda, const weights_args &a, dim3 grid, bool packed)
{
    if (packed)
        EEX_LAUNCH((weights_of_patches<K, ACROSS, true>), grid, THREADS, 0, cuda->stream, a);
    else
        EEX_LAUNCH((weights_of_patches<K, ACROSS, false>), grid, THREADS, 0, cuda->stream, a);
}

template <int K>
static void launch_window(eex_cuda *cuda, const weights_args &a, dim3 grid, int across, bool packed)
{
    if (across == 1)
        launch<K, 1>(cuda, a, grid, packed);
    else
        launch<K, 2>(cuda, a, grid, packed);
}

extern "C" int eex__cuda_own_weights(eex_cuda *cuda, const eex_op *op, int batch)
{
    const eex_op_conv_bwd_weights *c = &op->u.conv_bwd_weights;
    const eex_window *w = &c->window;
    const weights_layout l = layout_of(cuda, w, batch);
    weights_args a;
    a.patches = {(const eex_bf16 *)c->x, *w};
    a.dy = (const eex_bf16 *)c->dy;
    a.parts = (float *)cuda->scratch;
    a.rows = (unsigned)pixels_of(w, batch);
    a.per = l.per;
    a.depth = depth_of(w);
    a.cout = w->cout;
    a.tiles = l.tiles;
    const unsigned slices = (a.rows + l.per - 1) / l.per;
    const dim3 grid((unsigned)l.tiles * slices, (unsigned)l.columns);
    const bool packed =
        eex_vector_ok<eex_bf16>(w->cin, c->x) && eex_vector_ok<eex_bf16>(w->cout, c->dy);
    if (w->kernel == 1)
        launch_window<1>(cuda, a, grid, l.across, packed);
    else
        launch_window<3>(cuda, a, grid, l.across, packed);
    eex_slices_launch(cuda, c->dw, a.parts, (size_t)a.depth * (size_t)w->cout, slices,
                      c->accumulate);
    return eex__cuda_launched(cuda, op);
}
