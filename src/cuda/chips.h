/* Which chips this build has kernels for. Shows nothing of CUDA itself. */
#ifndef EEX_CUDA_CHIPS_H
#define EEX_CUDA_CHIPS_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The list that it was compiled for, as in CMAKE_CUDA_ARCHITECTURES with spaces ("75-real 80-real
 * 90"); "": not known. */
const char *eex_cuda_chips(void);

/* Whether code for such a list runs on a chip: machine code on chips of the same major that are as
 * new or newer, PTX (whatever is not "-real") on every newer one. true where the list does not say.
 */
bool eex_cuda_chips_have(const char *list, int major, int minor);

/* The list for people: "7.5, 8.0, 9.0 and newer". */
void eex_cuda_chips_text(const char *list, char *out, size_t size);

#ifdef __cplusplus
}
#endif
#endif
