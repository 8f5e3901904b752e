/* What follows a decision: results of the rows that leave, and the numbers of those that stay.
 *
 * One block goes through the rows in order, a tile at a time. A warp takes 32 * EACH rows that
 * follow each other, so a row's place among those that stay is the sum over the warps in front, the
 * ballots in front and the lanes in front. Rows move up in place: a tile is read whole before any
 * of it is written, and what it writes lies at or in front of what it has read.
 *
 * Geometry: one block of up to 1024 threads; 1, 4 or 8 rows a thread. Bytes: up to 21 read and 24
 * written a row that leaves, 5 and 8 a row that stays. Roofline: latency; a batch of 256 is one
 * tile of three dependent steps, 65,536 rows are eight tiles at what one processor can move. */
#include "cuda/kernel.cuh"

enum { MOST_THREADS = 1024, MOST_WARPS = MOST_THREADS / EEX_WARP };

static __device__ void write_result(const eex_op_leave &a, int from, int row, int decision)
{
    eex_result out;
    out.top = a.top[from];
    out.exit = a.exit;
    out.decision = (eex_decision)decision;
    out.confidence = a.confidence[from];
    out.margin = a.margin[from];
    out.entropy = a.entropy[from];
    a.results[row] = out;
}

/* Where row i is among those that the exit was asked about; below 0: it was not. Nobody writes
 * there, so it is read again rather than kept: 8 rows a thread fill the registers. */
static __device__ int asked_at(const eex_op_leave &a, int i)
{
    return a.at ? a.at[i] : i;
}

/* How many rows of the warps in front stay, and of all. stays: one number a warp. */
static __device__ int rows_in_front(int *stays, int own, int *all)
{
    int warps = (int)(blockDim.x + EEX_WARP - 1) / EEX_WARP, warp = (int)threadIdx.x / EEX_WARP;
    if (threadIdx.x % EEX_WARP == 0)
        stays[warp] = own;
    __syncthreads(); /* all rows of the tile have been read, too */
    int front = 0, total = 0;
    for (int i = 0; i < warps; i++) {
        front += i < warp ? stays[i] : 0;
        total += stays[i];
    }
    *all = total;
    __syncthreads(); /* before the next tile writes stays */
    return front;
}

/* Rows begin + ... of one tile; `stay` rows have stayed so far. Returns how many have now. */
template <int EACH>
static __device__ int leave_tile(const eex_op_leave &a, int *stays, int begin, int count, int stay)
{
    int lane = (int)threadIdx.x % EEX_WARP, warp = (int)threadIdx.x / EEX_WARP;
    int first = begin + warp * EEX_WARP * EACH + lane, own = 0, all;
    int row[EACH], decision[EACH];
    unsigned staying[EACH];
#pragma unroll
    for (int k = 0; k < EACH; k++) {
        int i = first + k * EEX_WARP;
        int from = i < count ? asked_at(a, i) : 0;
        decision[k] = i < count ? from < 0 ? (int)EEX_GO_ON : a.decision[from] : -1;
        row[k] = i < count ? a.row[i] : 0;
    }
#pragma unroll
    for (int k = 0; k < EACH; k++) {
        staying[k] = __ballot_sync(0xffffffffu, decision[k] == EEX_GO_ON);
        own += __popc(staying[k]);
    }
    int to = stay + rows_in_front(stays, own, &all);
#pragma unroll
    for (int k = 0; k < EACH; k++) {
        int i = first + k * EEX_WARP;
        if (decision[k] == EEX_GO_ON) {
            int at = to + __popc(staying[k] & ((1u << lane) - 1u));
            a.index[at] = i;
            a.row[at] = row[k];
        } else if (decision[k] > EEX_GO_ON) {
            write_result(a, asked_at(a, i), row[k], decision[k]);
        }
        to += __popc(staying[k]);
    }
    return stay + all;
}

template <int EACH>
static __global__ void __launch_bounds__(MOST_THREADS) leave_rows(eex_op_leave a, int batch)
{
    __shared__ int stays[MOST_WARPS];
    int count = *a.count < batch ? *a.count : batch, stay = 0;
    __syncthreads(); /* everybody knows the count before it changes */
    for (int begin = 0; begin < count; begin += (int)blockDim.x * EACH)
        stay = leave_tile<EACH>(a, stays, begin, count, stay);
    if (threadIdx.x == 0)
        *a.count = stay;
}

template <int EACH> static void launch(eex_cuda *cuda, const eex_op_leave &leave, int batch)
{
    int threads = (batch + EACH - 1) / EACH;
    threads = (threads + EEX_WARP - 1) / EEX_WARP * EEX_WARP;
    threads = threads < MOST_THREADS ? threads : MOST_THREADS;
    EEX_LAUNCH(leave_rows<EACH>, 1, (unsigned)threads, 0, cuda->stream, leave, batch);
}

static int leave_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    (void)state;
    if (batch <= MOST_THREADS)
        launch<1>(cuda, op->u.leave, batch);
    else if (batch <= 4 * MOST_THREADS)
        launch<4>(cuda, op->u.leave, batch);
    else
        launch<8>(cuda, op->u.leave, batch);
    return eex__cuda_launched(cuda, op);
}

extern "C" const eex_cuda_op_class eex__cuda_leave = {nullptr, leave_run, nullptr};
