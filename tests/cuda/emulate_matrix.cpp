/* Tensor cores for emulate.h, as bad as they are known to be. A product of bfloat16 is exact; the
 * 16 of an element and what they are added to are aligned to the largest and cut off 24 bits below
 * its first, their sum likewise: never rounded. So it was found of V100, T4 and A100, with a bit or
 * two more in the later ones (Fasi, Higham, Mikaitis and Pranesh, Numerical behavior of NVIDIA
 * tensor cores, PeerJ Computer Science 7:e330, 2021); NVIDIA documents neither order nor rounding.
 */
#include "cuda/emulate.h"

#include <cstdio>
#include <cstdlib>

namespace emulate {
namespace {

enum { WARPS = 32, LANES = 32, DEPTH = 16, WORDS = 6 };

struct words {
    uint64_t at[WORDS];
};

/* Two boards a warp: whoever writes on one has met all others at the other one since they read it.
 */
words boards[WARPS][2][LANES];
unsigned turns[WARPS][LANES];

unsigned warp_of_thread()
{
    return (threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) / LANES;
}

/* What all lanes of the warp bring. */
const words *exchange(place at, const words &own)
{
    const unsigned warp = warp_of_thread(), i = (unsigned)lane();
    words *board = boards[warp][turns[warp][i]++ % 2];
    board[i] = own;
    meet_warp(at, BALLOT, 0xffffffffu, 0, 0);
    return board;
}

float half_of(uint64_t word, int high)
{
    return bits_as<float>((uint32_t)(high ? word & 0xffff0000u : word << 16));
}

float toward_zero(double value)
{
    float near = (float)value;
    return fabs((double)near) > fabs(value) ? nextafterf(near, 0.0f) : near;
}

/* sum + a b, both of DEPTH elements. */
float dot(float sum, const float *a, const float *b)
{
    double terms[DEPTH], largest = 0, total = 0;
    for (int k = 0; k < DEPTH; k++) {
        terms[k] = (double)a[k] * (double)b[k];
        largest = fmax(largest, fabs(terms[k]));
        total += terms[k];
    }
    if (total == 0 && largest == 0)
        return sum; /* as most are where a tile is not full */
    if (!std::isfinite(total + (double)sum))
        return (float)(total + (double)sum);
    int exponent;
    frexp(fmax(largest, fabs((double)sum)), &exponent);
    const double units = ldexp(1, 24 - exponent);
    int64_t whole = (int64_t)((double)sum * units);
    for (double term : terms)
        whole += (int64_t)(term * units);
    return toward_zero((double)whole / units);
}

/* Row g (or g + 8) of a and column g of b: four lanes have four elements each. */
void row_of(float (&to)[DEPTH], const words *board, int g, int first)
{
    for (int k = 0; k < DEPTH; k++)
        to[k] = half_of(board[g * 4 + k % 8 / 2].at[first + k / 8 * 2], k % 2);
}

void column_of(float (&to)[DEPTH], const words *board, int g)
{
    for (int k = 0; k < DEPTH; k++)
        to[k] = half_of(board[g * 4 + k % 8 / 2].at[4 + k / 8], k % 2);
}

} // namespace

void load_transposed(uint32_t (&to)[4], const void *row, const char *file, int line)
{
    if ((uintptr_t)row % 16) {
        fprintf(stderr, "emulated kernel: a row of a matrix at %p, not at 16 bytes, at %s:%d\n",
                row, file, line);
        abort();
    }
    const words *board = exchange({file, line}, {{(uint64_t)(uintptr_t)row}});
    const int column = lane() / 4, first = lane() % 4 * 2;
    for (int i = 0; i < 4; i++) {
        uint16_t pair[2];
        for (int k = 0; k < 2; k++) {
            const char *from = (const char *)(uintptr_t)board[8 * i + first + k].at[0];
            memcpy(&pair[k], from + 2 * column, 2);
        }
        to[i] = pair[0] | (uint32_t)pair[1] << 16;
    }
}

void multiply_add(float (&sums)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1,
                  const char *file, int line)
{
    const words *board = exchange({file, line}, {{a[0], a[1], a[2], a[3], b0, b1}});
    const int g = lane() / 4, t = lane() % 4;
    float rows[2][DEPTH], columns[2][DEPTH];
    for (int i = 0; i < 2; i++) {
        row_of(rows[i], board, g, i);
        column_of(columns[i], board, 2 * t + i);
    }
    for (int i = 0; i < 4; i++)
        sums[i] = dot(sums[i], rows[i / 2], columns[i % 2]);
}

} // namespace emulate
