/* Resizing: which pixels make a pixel, and by what weights: the arithmetic that all devices share.
 *
 * Along each axis a pixel is the mean of source pixels under a triangle around its centre, whose
 * sides are one source pixel long or, where the image shrinks, one target pixel: linear
 * interpolation with corners not aligned, antialiased, as PyTorch's
 * interpolate(mode="bilinear", align_corners=False, antialias=True) and Pillow's BILINEAR do it.
 * Pixels beyond the edge count for nothing, and the others' weights sum to 1.
 *
 * Positions are ratios of small integers, so weights are exact until they are divided.
 *
 * A device whose compiler needs functions marked defines EEX_INLINE before it includes this. */
#ifndef EEX_DEVICE_RESIZE_H
#define EEX_DEVICE_RESIZE_H

#include "device/op.h"

enum { EEX_RESIZE_MAX_SIDE = 1 << 14 }; /* the products below stay under 2^31 */

/* Source pixels first .. last. */
typedef struct eex_taps {
    int first, last;
} eex_taps;

/* Of a pixel of the source, before all are scaled so that they sum to 1; more than 0 for the taps
 * of the target, and at most twice the longer side. */
EEX_INLINE int eex_resize_weight(int target, int source, int from, int to)
{
    const int longer = from > to ? from : to;
    const int distance = (2 * source + 1) * to - (2 * target + 1) * from;
    return 2 * longer - (distance < 0 ? -distance : distance);
}

/* Where these weights are more than 0. from, to: the axis's length before and after. */
EEX_INLINE eex_taps eex_resize_taps(int target, int from, int to)
{
    const int centre = (2 * target + 1) * from, reach = 2 * (from > to ? from : to);
    const int low = centre - reach, high = centre + reach;
    eex_taps taps;
    taps.first = low < 0 ? 0 : (low / to + 1) / 2;
    taps.last = ((high + to - 1) / to - 2) / 2;
    taps.last = taps.last < from ? taps.last : from - 1;
    return taps;
}

/* EEX_EUNSUPPORTED names the op. */
int eex_resize_check(const eex_op *op);

#endif
