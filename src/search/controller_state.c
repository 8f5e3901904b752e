/* Saving and loading controllers. A state is a list of little-endian 64-bit words: what identifies
 * the search, the trials in their order, the pending candidates, and a checksum. */
#include "search/controller_impl.h"

#include "base/status.h"

#include <string.h>

static const uint64_t magic = UINT64_C(0x3230727463786565); /* "eexctr02" */

static void put(eex_buffer *out, uint64_t word)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(word >> (8 * i));
    eex_buffer_append(out, bytes, sizeof bytes);
}

static void put_double(eex_buffer *out, double value)
{
    uint64_t word;
    memcpy(&word, &value, sizeof word);
    put(out, word);
}

static uint64_t word_at(const unsigned char *bytes, size_t i)
{
    uint64_t word = 0;
    for (int b = 7; b >= 0; b--)
        word = word << 8 | bytes[8 * i + (size_t)b];
    return word;
}

static uint64_t checksum(const void *data, size_t words)
{
    uint64_t sum = words;
    for (size_t i = 0; i < words; i++)
        sum = eex_rng_hash(sum, word_at(data, i), i);
    return sum;
}

/* Space, algorithm and options in one word: a state continues only the search that it came from.
 * The limits are left out: a search may be prolonged. */
static uint64_t identity(const eex_controller *c)
{
    uint64_t id = eex_space_hash(&c->space, c->space.options);
    for (const char *at = c->algorithm->name; *at; at++)
        id = eex_rng_hash(id, (unsigned char)*at, 0);
    id = eex_rng_hash(id, c->options.seed, 1);
    return eex_rng_hash(id, (uint64_t)c->options.population, (uint64_t)c->options.sample);
}

static void put_genome(eex_buffer *out, const eex_controller *c, const int *genome)
{
    for (int i = 0; i < c->space.genes; i++)
        put(out, (uint64_t)genome[i]);
}

static void put_score(eex_buffer *out, const eex_score *score)
{
    put(out, (uint64_t)score->failed << 32 | (uint64_t)score->objective_count);
    put_double(out, score->fitness);
    put_double(out, score->violation);
    for (int i = 0; i < EEX_MAX_OBJECTIVES; i++)
        put_double(out, i < score->objective_count ? score->objectives[i] : 0.0);
}

int eex_controller_save(eex_buffer *out, const eex_controller *c)
{
    const size_t start = out->size;
    put(out, magic);
    put(out, identity(c));
    put(out, c->told.count);
    put(out, c->pending.count);
    for (size_t i = 0; i < c->told.count; i++) {
        put_genome(out, c, eex_genomes_at(&c->told, i));
        put_score(out, &c->scores[i]);
    }
    for (size_t i = 0; i < c->pending.count; i++)
        put_genome(out, c, eex_genomes_at(&c->pending, i));
    EEX_TRY(eex_buffer_status(out));
    put(out, checksum(out->data + start, (out->size - start) / 8));
    return eex_buffer_status(out);
}

typedef struct reader {
    const unsigned char *bytes;
    size_t at, words;
} reader;

static uint64_t get(reader *r)
{
    return word_at(r->bytes, r->at++);
}

static double get_double(reader *r)
{
    const uint64_t word = get(r);
    double value;
    memcpy(&value, &word, sizeof value);
    return value;
}

/* Values that no int holds become -1, which no space contains. */
static void get_genome(int *genome, reader *r, int genes)
{
    for (int i = 0; i < genes; i++) {
        const uint64_t word = get(r);
        genome[i] = word < EEX_MAX_OPTIONS ? (int)word : -1;
    }
}

static void get_score(eex_score *score, reader *r)
{
    const uint64_t word = get(r);
    memset(score, 0, sizeof *score);
    score->failed = word >> 32 != 0;
    score->objective_count = (int)(word & 0xff);
    score->fitness = get_double(r);
    score->violation = get_double(r);
    for (int i = 0; i < EEX_MAX_OBJECTIVES; i++)
        score->objectives[i] = get_double(r);
}

static int load_trials(eex_controller *c, reader *r, uint64_t told, uint64_t pending)
{
    int genome[EEX_MAX_GENES];
    eex_score score;
    for (uint64_t i = 0; i < told; i++) {
        get_genome(genome, r, c->space.genes);
        get_score(&score, r);
        EEX_TRY(eex_controller_tell(c, genome, &score));
    }
    for (uint64_t i = 0; i < pending; i++) {
        get_genome(genome, r, c->space.genes);
        EEX_TRY(eex_space_check(&c->space, genome));
        if (eex__controller_seen(c, genome))
            return eex_fail(EEX_EINVAL, "pending candidate %llu is there twice",
                            (unsigned long long)i);
        EEX_TRY(eex_genomes_add(&c->pending, genome));
    }
    return EEX_OK;
}

int eex_controller_load(eex_controller *c, const void *data, size_t size)
{
    enum { HEADER = 4, SCORE = 3 + EEX_MAX_OBJECTIVES };
    reader r = {data, 0, size / 8};
    if (eex__controller_asked(c) > 0)
        return eex_fail(EEX_EINVAL, "search state: must be loaded into a new controller");
    if (size % 8 != 0 || r.words < HEADER + 1 || get(&r) != magic ||
        word_at(data, r.words - 1) != checksum(data, r.words - 1))
        return eex_fail(EEX_EFORMAT, "search state: the %zu bytes are damaged or no search state",
                        size);
    if (get(&r) != identity(c))
        return eex_fail(EEX_EINVAL, "search state: it belongs to another search (other space, "
                                    "algorithm, seed or population)");
    const uint64_t told = get(&r), pending = get(&r), body = r.words - HEADER - 1;
    const uint64_t genes = (uint64_t)c->space.genes;
    if (told > body || pending > body || told * (genes + SCORE) + pending * genes != body)
        return eex_fail(EEX_EFORMAT, "search state: its size does not fit its %llu trials",
                        (unsigned long long)told);
    const int code = load_trials(c, &r, told, pending);
    if (code == EEX_EINVAL)
        return eex_fail(EEX_EFORMAT, "search state: %s", eex_error());
    return code;
}
