/* How a batch is cut up for cuDNN, and what lies where in the scratch memory: the weights in its
 * order, or their gradient; the workspace; and where cuDNN is given copies of the activations
 * (conv_copies.c), those of a piece's input and output. */
#include "cuda/conv_dnn.h"

/* Widened ones, at most at once. With channels first it is less: Winograd's workspace is 2.25 to 4
 * times as large as they are, and may not be larger than what conv_dnn.c gives. */
enum { ALIGNMENT = 256, WIDE_BYTES = 256 << 20 };

static size_t aligned(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

size_t eex__cuda_dnn_input_size(const eex_window *w)
{
    return (size_t)w->hin * (size_t)w->win * (size_t)w->cin;
}

size_t eex__cuda_dnn_output_size(const eex_window *w)
{
    return (size_t)w->hout * (size_t)w->wout * (size_t)w->cout;
}

/* ---- pieces ---- */

bool eex__cuda_dnn_aligned(const eex_op *op)
{
    const void *x = op->u.conv.x, *y = op->u.conv.y;
    if (op->kind == EEX_OP_CONV_BWD_DATA) {
        x = op->u.conv_bwd_data.dx;
        y = op->u.conv_bwd_data.dy;
    } else if (op->kind == EEX_OP_CONV_BWD_WEIGHTS) {
        x = op->u.conv_bwd_weights.x;
        y = op->u.conv_bwd_weights.dy;
    }
    return ((uintptr_t)x | (uintptr_t)y) % 16 == 0;
}

/* So pieces of a batch are so many samples, or a multiple; copies are always aligned. */
static int unit_of(const eex_cuda_conv *s, const eex_op *op)
{
    const eex_window *w = eex__cuda_conv_window(op);
    const size_t each = 16 / eex_precision_bytes(op->precision);
    const bool whole =
        eex__cuda_dnn_input_size(w) % each == 0 && eex__cuda_dnn_output_size(w) % each == 0;
    return whole || eex__cuda_dnn_copies(s, op) ? 1 : (int)each;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

int eex__cuda_dnn_most(const eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op, int batch)
{
    const eex_window *w = eex__cuda_conv_window(op);
    const size_t x = eex__cuda_dnn_input_size(w), y = eex__cuda_dnn_output_size(w);
    const size_t unit = (size_t)unit_of(s, op);
    size_t most = cuda->tensor_elements / (x > y ? x : y);
    if (op->kind == EEX_OP_CONV_BWD_WEIGHTS)
        most = smaller(most, cuda->sum_rows / ((size_t)w->hout * (size_t)w->wout));
    if (eex__cuda_dnn_copies(s, op))
        most =
            smaller(most, (s->first ? cuda->first_bytes : WIDE_BYTES) / ((x + y) * sizeof(float)));
    most = most < unit ? unit : most / unit * unit;
    return most < (size_t)batch ? (int)most : batch;
}

int eex__cuda_dnn_piece(const eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op, int batch)
{
    int most = eex__cuda_dnn_most(cuda, s, op, batch), calls = (batch + most - 1) / most;
    int unit = unit_of(s, op), each = ((batch + calls - 1) / calls + unit - 1) / unit * unit;
    return each < batch ? each : batch;
}

/* ---- scratch memory ---- */

size_t eex__cuda_dnn_weight_bytes(const eex_op *op)
{
    const eex_window *w = eex__cuda_conv_window(op);
    size_t unit = eex__cuda_dnn_widens(op) ? sizeof(float) : eex_precision_bytes(op->precision);
    return aligned((size_t)w->kernel * (size_t)w->kernel * (size_t)(w->cin / w->groups) *
                   (size_t)w->cout * unit);
}

/* Channels first there is room for them in the order between, too. */
static size_t weights_room(const eex_cuda_conv *s, const eex_op *op)
{
    return eex__cuda_dnn_weight_bytes(op) * (s->first ? 2 : 1);
}

void *eex__cuda_dnn_workspace(const eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op)
{
    return (char *)cuda->scratch + weights_room(s, op);
}

float *eex__cuda_dnn_copy_at(const eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op,
                             int samples, bool output)
{
    const size_t x = (size_t)samples * eex__cuda_dnn_input_size(eex__cuda_conv_window(op));
    char *copies = (char *)eex__cuda_dnn_workspace(cuda, s, op) + aligned(s->workspace);
    return (float *)(copies + (output ? aligned(x * sizeof(float)) : 0));
}

size_t eex__cuda_dnn_scratch(const eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op,
                             size_t workspace)
{
    const eex_window *w = eex__cuda_conv_window(op);
    const size_t n = (size_t)eex__cuda_dnn_most(cuda, s, op, s->max_batch) * sizeof(float);
    const size_t bytes = weights_room(s, op) + aligned(workspace);
    return eex__cuda_dnn_copies(s, op) ? bytes + aligned(n * eex__cuda_dnn_input_size(w)) +
                                             aligned(n * eex__cuda_dnn_output_size(w))
                                       : bytes;
}

size_t eex__cuda_dnn_input_before(const eex_op *op, int i)
{
    return (size_t)i * eex__cuda_dnn_input_size(eex__cuda_conv_window(op)) *
           eex_precision_bytes(op->precision);
}

size_t eex__cuda_dnn_output_before(const eex_op *op, int i)
{
    return (size_t)i * eex__cuda_dnn_output_size(eex__cuda_conv_window(op)) *
           eex_precision_bytes(op->precision);
}
