/* Shapes of values, and what is calculated from them: what a Reshape is told. Shapes and their
 * sizes are lists of a few whole numbers to us; one number alone and a list of one are the same. */
#include "core/exchange/onnx_import_impl.h"

#include "base/status.h"

#include <stdio.h>

static const eex__onnx_sizes unknown = {.count = -1};

static eex__onnx_size whole(int64_t number)
{
    return (eex__onnx_size){.number = number};
}

static void push(eex__onnx_sizes *s, eex__onnx_size size)
{
    if (s->count >= 0 && s->count < EEX__ONNX_RANK)
        s->at[s->count++] = size;
    else
        *s = unknown;
}

/* ---- what an entry is ---- */

static eex__onnx_sizes sizes_of_tensor(const eex__onnx_tensor *t)
{
    int64_t values[EEX__ONNX_RANK];
    eex__onnx_sizes s = {.count = 0};
    const int count = t->rank > 1 ? -1 : eex__onnx_ints_of(values, EEX__ONNX_RANK, t);
    for (int i = 0; i < count; i++)
        push(&s, whole(values[i]));
    return count < 0 ? unknown : s;
}

eex__onnx_sizes eex__onnx_sizes_of(const eex__onnx_entry *e)
{
    if (e->is == EEX__IS_CONSTANT)
        return sizes_of_tensor(e->tensor);
    return e->is == EEX__IS_SHAPE ? e->sizes : unknown;
}

eex__onnx_sizes eex__onnx_dimensions(const eex_onnx_network *n, int node, int rank)
{
    const eex_node *x = eex_graph_node(n->graph, node);
    const int side[] = {x->c, x->h, x->w};
    eex__onnx_sizes s = {.count = 0};
    push(&s, n->batch > 0 ? whole(n->batch) : (eex__onnx_size){.number = 1, .of_batch = true});
    for (int d = 1; d < rank; d++)
        push(&s, whole(side[d - 1]));
    return s;
}

/* What a Shape of it gives. */
static eex__onnx_sizes shape_of(const eex_onnx_network *n, const eex__onnx_entry *e)
{
    eex__onnx_sizes s = {.count = 0};
    if (e->is == EEX__IS_CONSTANT) {
        for (int d = 0; d < e->tensor->rank; d++)
            push(&s, whole(e->tensor->shape[d]));
        return s;
    }
    if (e->is == EEX__IS_SHAPE || e->rank < 2)
        return unknown; /* whether it is one number or a list of one is not known */
    s = eex__onnx_dimensions(n, e->node, e->rank);
    if (e->is == EEX__IS_PRODUCT)
        s.at[1] = whole(e->tensor->rank == 2 ? e->tensor->shape[1] : -1);
    for (int d = 2; e->is == EEX__IS_PADDED && d < s.count; d++)
        s.at[d].number += 2 * e->pad;
    return s;
}

const char *eex__onnx_show_sizes(char out[EEX__SHOWN_SIZES], const eex__onnx_sizes *s)
{
    int used = 0;
    *out = '\0';
    for (int i = 0; i < s->count; i++) {
        const eex__onnx_size size = s->at[i];
        used += snprintf(out + used, EEX__SHOWN_SIZES - (size_t)used, "%s", i ? " x " : "");
        used += size.of_batch && size.number == 1
                    ? snprintf(out + used, EEX__SHOWN_SIZES - (size_t)used, "N")
                    : snprintf(out + used, EEX__SHOWN_SIZES - (size_t)used, "%lld%s",
                               (long long)size.number, size.of_batch ? " N" : "");
    }
    return s->count < 0 ? "what cannot be told from it" : s->count ? out : "a single number";
}

/* ---- arithmetic ---- */

static bool add(eex__onnx_size *out, eex__onnx_size a, eex__onnx_size b)
{
    const bool batch = a.of_batch || b.of_batch;
    if (a.of_batch != b.of_batch && a.number != 0 && b.number != 0)
        return false;
    if (__builtin_add_overflow(a.number, b.number, &out->number))
        return false;
    out->of_batch = batch && out->number != 0;
    return true;
}

bool eex__onnx_multiply_sizes(eex__onnx_size *out, eex__onnx_size a, eex__onnx_size b)
{
    if ((a.of_batch && b.of_batch) || __builtin_mul_overflow(a.number, b.number, &out->number))
        return false;
    out->of_batch = (a.of_batch || b.of_batch) && out->number != 0;
    return true;
}

/* Where something is left over, rounding would be a matter of types. */
bool eex__onnx_divide_sizes(eex__onnx_size *out, eex__onnx_size a, eex__onnx_size b)
{
    if (b.number == 0 || (b.of_batch && !a.of_batch) || (b.number == -1 && a.number == INT64_MIN) ||
        a.number % b.number != 0)
        return false;
    *out = (eex__onnx_size){.number = a.number / b.number,
                            .of_batch = a.of_batch && !b.of_batch && a.number != 0};
    return true;
}

static bool subtract(eex__onnx_size *out, eex__onnx_size a, eex__onnx_size b)
{
    return eex__onnx_multiply_sizes(&b, b, whole(-1)) && add(out, a, b);
}

typedef bool operation(eex__onnx_size *out, eex__onnx_size a, eex__onnx_size b);

static operation *operation_of(const eex__onnx_call *c)
{
    static const struct {
        const char *name;
        operation *apply;
    } known[] = {{"Add", add},
                 {"Sub", subtract},
                 {"Mul", eex__onnx_multiply_sizes},
                 {"Div", eex__onnx_divide_sizes}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (eex__text_is(c->op, known[i].name))
            return known[i].apply;
    return NULL;
}

/* Each with each, or one with all. */
static eex__onnx_sizes combine(operation *apply, const eex__onnx_sizes *a, const eex__onnx_sizes *b)
{
    const int count = a->count > b->count ? a->count : b->count;
    eex__onnx_sizes s = {.count = 0};
    if (a->count < 1 || b->count < 1 || (a->count != b->count && a->count != 1 && b->count != 1))
        return unknown;
    for (int i = 0; i < count; i++) {
        eex__onnx_size one;
        if (!apply(&one, a->at[a->count > 1 ? i : 0], b->at[b->count > 1 ? i : 0]))
            return unknown;
        push(&s, one);
    }
    return s;
}

/* ---- operators ---- */

/* How many inputs are of that kind; -1: there is one that nothing makes. */
static int count_of(const eex_onnx_network *n, const eex__onnx_call *c, eex__onnx_is is)
{
    int count = 0;
    for (int i = 0; i < c->ins; i++) {
        const eex__onnx_entry *e = eex__onnx_find(n, c->in[i]);
        if (!e && c->in[i].size > 0)
            return -1;
        count += e ? e->is == is : is == EEX__IS_CONSTANT;
    }
    return count;
}

bool eex__onnx_of_sizes(const eex_onnx_network *n, const eex__onnx_call *c)
{
    const int shapes = count_of(n, c, EEX__IS_SHAPE);
    return c->ins > 0 && shapes >= 0 && shapes + count_of(n, c, EEX__IS_CONSTANT) == c->ins;
}

static int is_sizes(eex_onnx_network *n, const eex__onnx_call *c, eex__onnx_sizes sizes)
{
    return eex__onnx_is_entry(n, c,
                              (eex__onnx_entry){.is = EEX__IS_SHAPE, .node = -1, .sizes = sizes});
}

/* Input i; none where the node does not have it. */
static eex__onnx_sizes input(const eex_onnx_network *n, const eex__onnx_call *c, int i)
{
    const eex__onnx_entry *e = eex__onnx_has(c, i) ? eex__onnx_find(n, c->in[i]) : NULL;
    return e ? eex__onnx_sizes_of(e) : (eex__onnx_sizes){.count = 0};
}

int eex__onnx_combine(eex_onnx_network *n, const eex__onnx_call *c)
{
    const eex__onnx_sizes a = input(n, c, 0), b = input(n, c, 1);
    return is_sizes(n, c, combine(operation_of(c), &a, &b));
}

static int add_arithmetic(eex_onnx_network *n, const eex__onnx_call *c)
{
    return eex__onnx_of_sizes(n, c) ? eex__onnx_combine(n, c)
                                    : eex__onnx_refuse(c, "of something else than a shape");
}

int eex__onnx_concat_sizes(eex_onnx_network *n, const eex__onnx_call *c)
{
    eex__onnx_sizes s = {.count = 0};
    for (int i = 0; i < c->ins; i++) {
        const eex__onnx_sizes more = input(n, c, i);
        if (more.count < 0)
            s = unknown;
        for (int k = 0; k < more.count; k++)
            push(&s, more.at[k]);
    }
    return is_sizes(n, c, s);
}

/* An index into so many, from the front or from behind, as a Slice takes it. */
static int64_t bounded(int64_t index, int count)
{
    if (index < 0)
        index = index < -count ? 0 : index + count;
    return index < count ? index : count;
}

static eex__onnx_sizes part_of(const eex__onnx_sizes *of, int64_t start, int64_t stop, int64_t step)
{
    eex__onnx_sizes s = {.count = 0};
    if (of->count < 0 || step < 1)
        return unknown;
    const int64_t last = bounded(stop, of->count);
    for (int64_t i = bounded(start, of->count); i < last; i += step) {
        push(&s, of->at[i]);
        if (step > EEX__ONNX_RANK)
            break;
    }
    return s;
}

static int add_shape(eex_onnx_network *n, const eex__onnx_call *c)
{
    eex__onnx_entry *e;
    int64_t start, stop;
    EEX_TRY(eex__onnx_input_of(&e, n, c, 0));
    EEX_TRY(eex__onnx_int_of(&start, c, "start", 0));
    EEX_TRY(eex__onnx_int_of(&stop, c, "end", INT64_MAX));
    const eex__onnx_sizes all = shape_of(n, e);
    return is_sizes(n, c, part_of(&all, start, stop, 1));
}

/* One number of an attribute's or input's; *known: it is there, and one. */
static int number_of(int64_t *out, bool *known, eex_onnx_network *n, const eex__onnx_call *c,
                     const char *name, int i, int64_t otherwise)
{
    const eex__onnx_attribute *a;
    const eex__onnx_sizes s = input(n, c, i);
    EEX_TRY(eex__onnx_attribute_as(&a, c, name, EEX__ATTRIBUTE_INTS));
    *out = a ? a->ints[0] : s.count == 1 ? s.at[0].number : otherwise;
    if (a ? a->count != 1 : s.count != 1 ? eex__onnx_has(c, i) : s.at[0].of_batch)
        *known = false;
    return EEX_OK;
}

static int add_slice(eex_onnx_network *n, const eex__onnx_call *c)
{
    int64_t start, stop, axis, step;
    bool known = true;
    if (!eex__onnx_of_sizes(n, c))
        return eex__onnx_refuse(c, "of something else than a shape");
    EEX_TRY(number_of(&start, &known, n, c, "starts", 1, 0));
    EEX_TRY(number_of(&stop, &known, n, c, "ends", 2, INT64_MAX));
    EEX_TRY(number_of(&axis, &known, n, c, "axes", 3, 0));
    EEX_TRY(number_of(&step, &known, n, c, "steps", 4, 1));
    const eex__onnx_sizes all = input(n, c, 0);
    known = known && (axis == 0 || axis == -1);
    return is_sizes(n, c, known ? part_of(&all, start, stop, step) : unknown);
}

static int add_gather(eex_onnx_network *n, const eex__onnx_call *c)
{
    eex__onnx_sizes s = {.count = 0};
    int64_t axis;
    EEX_TRY(eex__onnx_int_of(&axis, c, "axis", 0));
    if (!eex__onnx_of_sizes(n, c))
        return eex__onnx_refuse(c, "of something else than a shape");
    const eex__onnx_sizes all = input(n, c, 0), which = input(n, c, 1);
    if (all.count < 0 || which.count < 0 || (axis != 0 && axis != -1))
        return is_sizes(n, c, unknown);
    for (int i = 0; i < which.count; i++) {
        const int64_t at = which.at[i].number + (which.at[i].number < 0 ? all.count : 0);
        if (which.at[i].of_batch || at < 0 || at >= all.count)
            return eex__onnx_refuse(c, "element %lld of %d", (long long)which.at[i].number,
                                    all.count);
        push(&s, all.at[at]);
    }
    return is_sizes(n, c, s);
}

/* With a dimension more or less one number is the same, and several are no list any more. */
int eex__onnx_pass_sizes(eex_onnx_network *n, const eex__onnx_call *c)
{
    const eex__onnx_sizes s = input(n, c, 0);
    return is_sizes(n, c, s.count == 1 ? s : unknown);
}

static int add_unsqueeze(eex_onnx_network *n, const eex__onnx_call *c)
{
    eex__onnx_entry *e;
    int64_t number;
    EEX_TRY(eex__onnx_input_of(&e, n, c, 0));
    if (e->is == EEX__IS_CONSTANT && eex__onnx_ints_of(&number, 1, e->tensor) == 1)
        return eex__onnx_is_entry(
            n, c, (eex__onnx_entry){.is = EEX__IS_CONSTANT, .node = -1, .tensor = e->tensor});
    return eex__onnx_of_sizes(n, c) ? eex__onnx_pass_sizes(n, c)
                                    : eex__onnx_refuse(c, "of something else than a shape");
}

/* Whether sizes are the same numbers in a type: float, int32, int64, double. */
static bool holds_sizes(int64_t type)
{
    return type == 1 || type == 6 || type == 7 || type == 11;
}

/* Numbers of constants are floats to us, whatever they are called. */
static int add_cast(eex_onnx_network *n, const eex__onnx_call *c)
{
    eex__onnx_entry *e;
    int64_t type;
    EEX_TRY(eex__onnx_input_of(&e, n, c, 0));
    EEX_TRY(eex__onnx_int_of(&type, c, "to", 0));
    if (e->is == EEX__IS_CONSTANT)
        return eex__onnx_is_entry(
            n, c, (eex__onnx_entry){.is = EEX__IS_CONSTANT, .node = -1, .tensor = e->tensor});
    if (!eex__onnx_of_sizes(n, c))
        return eex__onnx_refuse(c, "of something else than a shape");
    return is_sizes(n, c, holds_sizes(type) ? e->sizes : unknown);
}

const eex__onnx_operator eex__onnx_sizes_operators[] = {
    {"Shape", add_shape},    {"Gather", add_gather},
    {"Slice", add_slice},    {"Unsqueeze", add_unsqueeze},
    {"Cast", add_cast},      {"Sub", add_arithmetic},
    {"Div", add_arithmetic}, {NULL, NULL}};
