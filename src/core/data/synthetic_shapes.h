/* Signed distances to the outlines of the synthetic shapes, for anti-aliased drawing. Shapes have a
 * radius of about 1; negative is inside. */
#ifndef EEX_CORE_DATA_SYNTHETIC_SHAPES_H
#define EEX_CORE_DATA_SYNTHETIC_SHAPES_H

typedef enum eex__shape {
    EEX__DISC,
    EEX__RING,
    EEX__TRIANGLE,
    EEX__SQUARE,
    EEX__STAR,
    EEX__CROSS,
    EEX__CRESCENT,
    EEX__BAR, /* clutter and occluders only */
    EEX__SHAPES
} eex__shape;

float eex__shape_distance(eex__shape shape, float x, float y);

#endif
