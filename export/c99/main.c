/* Reads images, MODEL_IMAGE bytes each (rows, columns, channels), from the standard input and
 * prints a line about each: its class by number, the exit where it left, whether it was accepted,
 * its confidence, and the class's name. */
#include "model.h"

#include <stdio.h>

static unsigned char image[MODEL_IMAGE];
static float memory[MODEL_MEMORY];

int main(void)
{
    model_result r;
    size_t got;
    while ((got = fread(image, 1, MODEL_IMAGE, stdin)) == MODEL_IMAGE) {
        model_run(&r, image, memory);
        printf("%d %d %d %.6f %s\n", r.top, r.exit, r.accepted, (double)r.confidence,
               model_classes[r.top]);
    }
    if (got != 0)
        fprintf(stderr, "the last image has %lu of %d bytes\n", (unsigned long)got, MODEL_IMAGE);
    return got != 0 || ferror(stdin) || fflush(stdout) != 0;
}
