/* The fibers behind emulate.h. One block runs at a time, all of it on the calling thread. */
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <sys/mman.h>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

#include "cuda/emulate.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

/* The section of the __shared__ variables; the linker provides its ends. */
extern "C" {
extern char __start_eex_shared[] __attribute__((weak));
extern char __stop_eex_shared[] __attribute__((weak));
}

namespace emulate {
namespace {

enum { MAX_THREADS = 1024, WARP = 32, CANARY = 64, POISON = 0xff };

/* ---- random order ---- */

uint64_t random_state = 1;

uint64_t random_next() /* xorshift64* */
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1dull;
}

size_t random_below(size_t n)
{
    return (size_t)((unsigned __int128)random_next() * n >> 64);
}

template <typename T> void shuffle_order(T *items, size_t n)
{
    for (size_t i = n; i > 1; i--)
        std::swap(items[i - 1], items[random_below(i)]);
}

/* ---- stacks ---- */

#if defined(__SANITIZE_ADDRESS__)
const size_t stack_bytes = 256 << 10;
#else
const size_t stack_bytes = 64 << 10;
#endif

/* A page that cannot be touched lies below each, so that an overflow is a fault and not a wrong
 * result elsewhere. They are never given back. */
struct stack {
    char *bottom;
    void *fake; /* the address sanitizer's */
};

std::vector<stack *> &free_stacks = *new std::vector<stack *>; /* outlives all who use it */

stack *take_stack()
{
    if (!free_stacks.empty()) {
        stack *s = free_stacks.back();
        free_stacks.pop_back();
        return s;
    }
    const size_t guard = 4096;
    void *memory = mmap(nullptr, guard + stack_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, guard, PROT_NONE)) {
        perror("emulated kernel: stack");
        abort();
    }
    return new stack{static_cast<char *>(memory) + guard, nullptr};
}

/* ---- switching ---- */

/* Saves what the calling convention wants kept on the stack, the stack pointer in *save, and goes
 * on where `to` was saved. */
extern "C" void eex_emulate_switch(void **save, void *to);
asm(".text\n"
    ".globl eex_emulate_switch\n"
    ".hidden eex_emulate_switch\n"
    ".type eex_emulate_switch, @function\n"
    "eex_emulate_switch:\n"
    "    pushq %rbp\n"
    "    pushq %rbx\n"
    "    pushq %r12\n"
    "    pushq %r13\n"
    "    pushq %r14\n"
    "    pushq %r15\n"
    "    movq %rsp, (%rdi)\n"
    "    movq %rsi, %rsp\n"
    "    popq %r15\n"
    "    popq %r14\n"
    "    popq %r13\n"
    "    popq %r12\n"
    "    popq %rbx\n"
    "    popq %rbp\n"
    "    ret\n"
    ".size eex_emulate_switch, . - eex_emulate_switch\n");

[[noreturn]] void thread_main();

/* A saved context that begins in thread_main: six registers, its address, and nowhere to return. */
void *fresh_context(stack *s)
{
    void **top = reinterpret_cast<void **>(s->bottom + stack_bytes);
    *--top = nullptr; /* the stack is aligned as right after a call */
    *--top = reinterpret_cast<void *>(thread_main);
    for (int i = 0; i < 6; i++)
        *--top = nullptr;
    return top;
}

/* ---- the block that runs ---- */

enum thread_state { FRESH, READY, AT_BARRIER, IN_WARP, FINISHED };

struct thread {
    thread_state state;
    uint3 index;
    void *context;
    stack *own;
    place at;
    collective kind;
    unsigned mask;
    int source;
    uint64_t value, result;
};

struct warp {
    unsigned waiting, finished; /* lanes; those that do not exist are finished */
};

struct {
    const kernel *k;
    thread threads[MAX_THREADS];
    warp warps[MAX_THREADS / WARP];
    int count, finished, at_barrier;
    combination how;
    thread *current;
    bool depth_first; /* whether those that were released last run first */
    uint16_t ready[MAX_THREADS];
    unsigned first, length; /* of the ring of ready ones */
    void *scheduler;        /* context to return to when all have finished */
    stack *left;            /* of a thread that has ended, until nobody runs on it any more */
    stack main;             /* the sanitizer's knowledge of the caller's stack */
    size_t main_bytes;
    char *dynamic;
} block;

/* Ends the program: where everybody waits, by place. */
[[noreturn]] void fail(const char *what)
{
    fprintf(stderr, "emulated kernel %s, block (%u, %u, %u) of (%u, %u, %u), %d threads: %s\n",
            block.k->name, blockIdx.x, blockIdx.y, blockIdx.z, gridDim.x, gridDim.y, gridDim.z,
            block.count, what);
    std::map<std::string, std::pair<int, int>> places; /* count, first thread */
    for (int i = 0; i < block.count; i++) {
        const thread &t = block.threads[i];
        char text[512];
        if (t.state == AT_BARRIER)
            snprintf(text, sizeof text, "at the barrier of %s:%d", t.at.file, t.at.line);
        else if (t.state == IN_WARP)
            snprintf(text, sizeof text, "at %s of %s:%d with lanes %08x",
                     t.kind == SHUFFLE ? "a shuffle" : "a vote or __syncwarp", t.at.file, t.at.line,
                     t.mask);
        else
            snprintf(text, sizeof text, "%s", t.state == FINISHED ? "finished" : "running");
        auto entry = places.emplace(text, std::make_pair(0, i)).first;
        entry->second.first++;
    }
    for (const auto &p : places)
        fprintf(stderr, "    %d threads %s (thread %d first)\n", p.second.first, p.first.c_str(),
                p.second.second);
    abort();
}

void make_ready(int i)
{
    block.ready[(block.first + block.length++) % MAX_THREADS] = (uint16_t)i;
}

/* Released ones, in shuffled order. */
void make_ready(uint16_t *who, int n)
{
    shuffle_order(who, (size_t)n);
    for (int i = 0; i < n; i++)
        make_ready(who[i]);
}

int take_ready()
{
    block.length--;
    if (block.depth_first)
        return block.ready[(block.first + block.length) % MAX_THREADS];
    int i = block.ready[block.first];
    block.first = (block.first + 1) % MAX_THREADS;
    return i;
}

/* Leaves the context in *save for that of `to`, or the scheduler's when NULL. A thread that ends
 * gives fake NULL. */
void go(void **save, void **fake, thread *to)
{
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(fake, to ? to->own->bottom : block.main.bottom,
                                   to ? stack_bytes : block.main_bytes);
#endif
    eex_emulate_switch(save, to ? to->context : block.scheduler);
    (void)fake;
}

/* The other half, on the side that was switched to. */
void arrive(void *fake, bool from_scheduler)
{
#if defined(__SANITIZE_ADDRESS__)
    const void *bottom;
    size_t bytes;
    __sanitizer_finish_switch_fiber(fake, &bottom, &bytes);
    if (from_scheduler) {
        block.main.bottom = static_cast<char *>(const_cast<void *>(bottom));
        block.main_bytes = bytes;
    }
#endif
    (void)fake;
    (void)from_scheduler;
    if (block.left)
        free_stacks.push_back(block.left);
    block.left = nullptr;
}

/* Who runs next: NULL when all have finished. */
thread *choose()
{
    if (!block.length) {
        if (block.finished < block.count)
            fail("it waits for threads that do not come");
        return nullptr;
    }
    thread *t = &block.threads[take_ready()];
    if (t->state == FRESH) {
        t->own = take_stack();
        t->context = fresh_context(t->own);
    }
    t->state = READY;
    threadIdx = t->index;
    block.current = t;
    return t;
}

/* Lets others run until this thread is ready again. */
void wait(thread *self)
{
    thread *next = choose();
    if (next == self)
        return;
    go(&self->context, &self->own->fake, next);
    arrive(self->own->fake, false);
}

bool came_from_scheduler;

/* ---- warps ---- */

bool same_place(place a, place b)
{
    return a.line == b.line && (a.file == b.file || !strcmp(a.file, b.file));
}

/* Lets the lanes of a mask go if all of them that still run are here. */
void release_warp(int first_thread, unsigned mask)
{
    warp &w = block.warps[first_thread / WARP];
    if (mask & ~w.waiting & ~w.finished)
        return;
    thread *lanes = block.threads + first_thread;
    unsigned here = mask & w.waiting, ballot = 0;
    const thread &first = lanes[__builtin_ctz(here)];
    for (unsigned left = here; left; left &= left - 1) {
        int i = __builtin_ctz(left);
        if (lanes[i].mask != mask || lanes[i].kind != first.kind ||
            !same_place(lanes[i].at, first.at))
            fail("lanes of one warp meet at different places or with different masks");
        ballot |= (lanes[i].value != 0) * (1u << i);
    }
    uint16_t released[WARP];
    int n = 0;
    for (unsigned left = here; left; left &= left - 1) {
        thread &t = lanes[__builtin_ctz(left)];
        t.result = t.kind == BALLOT ? ballot : here >> t.source & 1 ? lanes[t.source].value : ~0ull;
        t.state = READY;
        released[n++] = (uint16_t)(&t - block.threads);
    }
    w.waiting &= ~here;
    make_ready(released, n);
}

/* A thread has ended: it may have been the last that others waited for. */
void finish_lane(int i)
{
    int first = i / WARP * WARP;
    warp &w = block.warps[first / WARP];
    w.finished |= 1u << i % WARP;
    for (unsigned left = w.waiting; left; left &= left - 1) {
        int lane = __builtin_ctz(left);
        if (w.waiting >> lane & 1)
            release_warp(first, block.threads[first + lane].mask);
    }
}

/* ---- barriers ---- */

void release_block(place at)
{
    int sum = 0, n = block.count;
    uint16_t who[MAX_THREADS];
    for (int i = 0; i < n; i++) {
        if (!same_place(block.threads[i].at, at))
            fail("its threads wait at different barriers");
        sum += block.threads[i].value != 0;
        who[i] = (uint16_t)i;
    }
    int result = block.how == COUNT_OF ? sum : block.how == AND_OF ? sum == n : sum > 0;
    for (int i = 0; i < n; i++) {
        block.threads[i].state = READY;
        block.threads[i].result = (uint64_t)result;
    }
    block.at_barrier = 0;
    make_ready(who, n);
}

/* ---- threads ---- */

/* The first function on a fiber's stack. It must not keep anything on it: it never returns. */
[[noreturn]] __attribute__((no_sanitize("address"))) void thread_main()
{
    arrive(nullptr, came_from_scheduler);
    came_from_scheduler = false;
    block.k->thread();
    thread *self = block.current;
    self->state = FINISHED;
    block.finished++;
    finish_lane((int)(self - block.threads));
    block.left = self->own;
    go(&self->context, nullptr, choose());
    __builtin_unreachable();
}

void run_block(uint3 index)
{
    blockIdx = index;
    block.finished = block.at_barrier = 0;
    block.first = block.length = 0;
    block.depth_first = random_next() >> 63;
    uint16_t order[MAX_THREADS];
    for (int i = 0; i < block.count; i++) {
        block.threads[i].state = FRESH;
        order[i] = (uint16_t)i;
    }
    for (int i = 0; i < block.count; i += WARP) {
        int lanes = std::min<int>(WARP, block.count - i);
        block.warps[i / WARP] = {0, lanes == WARP ? 0 : ~0u << lanes};
    }
    make_ready(order, block.count);
    came_from_scheduler = true;
    go(&block.scheduler, &block.main.fake, choose());
    arrive(block.main.fake, false);
}

/* ---- shared memory ---- */

/* Not through the library's memset: redzones lie between the variables under a sanitizer. */
__attribute__((no_sanitize("address"))) void poison(char *from, size_t bytes)
{
    asm volatile("rep stosb" : "+D"(from), "+c"(bytes) : "a"(POISON) : "memory");
}

typedef std::vector<std::pair<char *, size_t>> ranges;

/* What a block has written of its static shared memory, in lines of 64 bytes: all that has to be
 * poisoned again for the next. */
__attribute__((no_sanitize("address"))) ranges dirty_lines(char *begin, char *end)
{
    ranges found;
    for (char *at = begin; at < end; at += 64) {
        size_t bytes = std::min<size_t>(64, (size_t)(end - at));
        unsigned char all = POISON;
        for (size_t i = 0; i < bytes; i++)
            all &= (unsigned char)at[i];
        if (all == POISON)
            continue;
        if (!found.empty() && found.back().first + found.back().second == at)
            found.back().second += bytes;
        else
            found.emplace_back(at, bytes);
    }
    return found;
}

/* As aligned as a GPU promises and no more; the bytes behind it are checked. */
class dynamic_memory {
  public:
    explicit dynamic_memory(size_t bytes) : size(bytes)
    {
        size_t canary = sanitized ? 0 : CANARY;
        memory = static_cast<char *>(aligned_alloc(32, (16 + bytes + canary + 31) / 32 * 32));
        if (!memory)
            abort();
    }
    ~dynamic_memory()
    {
        free(memory);
    }
    char *begin()
    {
        return memory + 16;
    }
    void refill()
    {
        memset(begin(), POISON, size);
        if (!sanitized)
            memset(begin() + size, 0x5c, CANARY);
    }
    void check()
    {
        for (size_t i = 0; !sanitized && i < CANARY; i++)
            if (begin()[size + i] != 0x5c)
                fail("it wrote past the end of its dynamic shared memory");
    }

  private:
#if defined(__SANITIZE_ADDRESS__)
    static const bool sanitized = true;
#else
    static const bool sanitized = false;
#endif
    char *memory;
    size_t size;
};

/* ---- grids ---- */

void number_threads(dim3 shape)
{
    int i = 0;
    for (unsigned z = 0; z < shape.z; z++)
        for (unsigned y = 0; y < shape.y; y++)
            for (unsigned x = 0; x < shape.x; x++)
                block.threads[i++].index = {x, y, z};
    block.count = i;
}

std::vector<uint32_t> shuffled_blocks(dim3 grid)
{
    std::vector<uint32_t> order((size_t)grid.x * grid.y * grid.z);
    for (size_t i = 0; i < order.size(); i++)
        order[i] = (uint32_t)i;
    shuffle_order(order.data(), order.size());
    return order;
}

} // namespace

void run(const kernel &k)
{
    static std::mutex one_at_a_time;
    std::lock_guard<std::mutex> lock(one_at_a_time);
    block.k = &k;
    gridDim = k.grid;
    blockDim = k.block;
    number_threads(k.block);
    dynamic_memory dynamic(k.shared);
    block.dynamic = dynamic.begin();
    char *const shared = __start_eex_shared, *const shared_end = __stop_eex_shared;
    ranges dirty; /* all of it at first; no program has to have any */
    if (shared)
        dirty.emplace_back(shared, (size_t)(shared_end - shared));
    std::vector<uint32_t> order = shuffled_blocks(k.grid);
    for (size_t i = 0; i < order.size(); i++) {
        for (const auto &r : dirty)
            poison(r.first, r.second);
        dynamic.refill();
        uint32_t x = order[i] % k.grid.x, yz = order[i] / k.grid.x;
        run_block({x, yz % k.grid.y, yz / k.grid.y});
        dynamic.check();
        if (i == 0 && order.size() > 1)
            dirty = dirty_lines(shared, shared_end);
    }
}

void seed(uint64_t value)
{
    random_state = value ? value : 1;
    random_next();
}

void *dynamic_shared_memory()
{
    return block.dynamic;
}

int lane()
{
    return (int)(block.current - block.threads) % WARP;
}

int meet_block(place at, int predicate, combination how)
{
    thread *self = block.current;
    self->state = AT_BARRIER;
    self->at = at;
    self->value = predicate != 0;
    block.how = how;
    if (++block.at_barrier == block.count)
        release_block(at);
    wait(self);
    return (int)self->result;
}

uint64_t meet_warp(place at, collective kind, unsigned mask, uint64_t value, int source)
{
    thread *self = block.current;
    int i = (int)(self - block.threads), bit = i % WARP;
    self->state = IN_WARP;
    self->at = at;
    self->kind = kind;
    self->mask = mask;
    self->value = value;
    self->source = source & (WARP - 1);
    if (!(mask >> bit & 1))
        fail("a lane takes part in a collective whose mask leaves it out");
    block.warps[i / WARP].waiting |= 1u << bit;
    release_warp(i - bit, mask);
    wait(self);
    return self->result;
}

} // namespace emulate
