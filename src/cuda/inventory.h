/* What there is of NVIDIA GPUs and their libraries, without opening any. Shows nothing of CUDA
 * itself. */
#ifndef EEX_CUDA_INVENTORY_H
#define EEX_CUDA_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>

enum { EEX_CUDA_MOST_GPUS = 16 };

typedef struct eex_cuda_gpu {
    char name[128];
    int major, minor; /* compute capability */
    int processors;   /* streaming multiprocessors */
    int clock_mhz;    /* highest; 0: unknown */
    size_t bytes;     /* memory */
    size_t free_bytes;
    bool free_known; /* NVML was there to say */
    bool bf16, tf32; /* precisions that eex uses on it */
    bool kernels;    /* this build has some for it */
    bool energy;     /* NVML counts what it uses */
} eex_cuda_gpu;

/* Versions are text, "" when unknown. */
typedef struct eex_cuda_inventory {
    int gpus;
    eex_cuda_gpu gpu[EEX_CUDA_MOST_GPUS];
    char no_gpu[512];     /* why no GPU can be seen; "" when there is one */
    char no_library[512]; /* which library is missing; "" when all are there */
    char driver[80];      /* the driver's own version, from NVML */
    char driver_cuda[16]; /* the newest CUDA that the driver knows */
    char runtime[16];     /* the CUDA runtime in this build */
    char cublas[32], cublas_path[256];
    char cudnn[32], cudnn_path[256];
    char nvml[80];
    char chips[128];  /* that this build has kernels for */
    bool graphs;      /* steps and segments are recorded and replayed */
    bool conditional; /* one input's segments are conditional nodes of one graph */
} eex_cuda_inventory;

/* How many GPUs can be seen; when it is none, why goes to `why` ("" else). */
int eex_cuda_count(char *why, size_t size);

/* Fills *out, whatever is missing; the rest of it is "" or 0. */
void eex_cuda_take_inventory(eex_cuda_inventory *out);

#endif
