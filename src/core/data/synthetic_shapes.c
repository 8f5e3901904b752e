#include "core/data/synthetic_shapes.h"

#include <math.h>

static float box(float x, float y, float half_width, float half_height)
{
    float dx = fabsf(x) - half_width, dy = fabsf(y) - half_height;
    float ox = fmaxf(dx, 0), oy = fmaxf(dy, 0);
    return sqrtf(ox * ox + oy * oy) + fminf(fmaxf(dx, dy), 0);
}

/* Distance to the segment from a to b. */
static float segment(float x, float y, float ax, float ay, float bx, float by)
{
    float dx = bx - ax, dy = by - ay;
    float t = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy);
    t = fminf(fmaxf(t, 0), 1);
    return hypotf(x - ax - t * dx, y - ay - t * dy);
}

/* A polygon whose 2n corners lie alternately at the outer and the inner radius: a regular n-gon
 * when the inner one is cos(pi / n) times the outer. */
static float star(float x, float y, int points, float outer, float inner)
{
    const float pi = 3.14159265f;
    float sector = pi / (float)points;
    float angle = atan2f(x, y), radius = hypotf(x, y);
    float folded = fabsf(angle - 2 * sector * roundf(angle / (2 * sector)));
    float px = radius * sinf(folded), py = radius * cosf(folded);
    /* All is folded into half a point, bounded by one edge from (0, outer) to the inner corner. */
    float bx = inner * sinf(sector), by = inner * cosf(sector);
    float side = (bx - 0) * (py - outer) - (by - outer) * (px - 0);
    float distance = segment(px, py, 0, outer, bx, by);
    return side > 0 ? distance : -distance;
}

float eex__shape_distance(eex__shape shape, float x, float y)
{
    float radius = sqrtf(x * x + y * y);
    switch (shape) {
    case EEX__DISC:
        return radius - 0.85f;
    case EEX__RING:
        return fabsf(radius - 0.68f) - 0.22f;
    case EEX__TRIANGLE:
        return star(x, y + 0.12f, 3, 1.12f, 0.56f);
    case EEX__SQUARE:
        return box(x, y, 0.74f, 0.74f);
    case EEX__STAR:
        return star(x, y, 5, 1.08f, 0.46f);
    case EEX__CROSS:
        return fminf(box(x, y, 0.95f, 0.3f), box(x, y, 0.3f, 0.95f));
    case EEX__CRESCENT:
        return fmaxf(radius - 0.92f, 0.72f - hypotf(x - 0.42f, y));
    default:
        return box(x, y, 1.0f, 0.22f);
    }
}
