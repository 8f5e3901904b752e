/* Where an image file ends by its own word: what follows in the same bytes is another one's. */
#ifndef EEX_CORE_DATA_IMAGE_END_H
#define EEX_CORE_DATA_IMAGE_END_H

#include <stddef.h>
#include <stdint.h>

/* Of bytes that could be decoded, with all images that the file holds; 0: it does not say, or
 * nothing is left of them there. Takes a time that no file makes large. */
size_t eex_image_end(const uint8_t *data, size_t size);

#endif
