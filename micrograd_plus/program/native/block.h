/* The machine that runs a kernel: one instruction after the other, each for the samples of one block.

Included by kernels.c for each type of float and each width of vectors. A register holds some rows with 64 or 32 numbers each, a
number for each sample of the block; a column, one number a row, which serves all samples, is spread over a row when it is
read. Sums over the samples are kept as whole vectors, and added up into one number each, a double, where a part of the
batch ends (`FOLD`). Columns are worked on as if each 32 of their rows were one. */

#define NAME(x) PASTE(x, SUFFIX)
#include "functions.h"

#define GRAIN (LANES > 8 ? LANES : 8)  /* the last block's rows are computed in steps of so many */
#define WIDEST (BYTES == 64 ? 4 : 2)  /* how many vectors stand beside each other in a tile: there are more registers */

typedef struct {
    T *spaces[SPACES];
    double *totals;  /* of the part of the batch that runs */
    const int32_t *indices;
    int lanes, valid;    /* how many numbers of a row are computed, a multiple of GRAIN; how many of them are samples */
    int block;           /* how many samples it has, where there are so many */
    int64_t sample;      /* the first one of the block */
    int64_t samples;     /* in all */
    int fresh, first_block, first_fold;  /* whether nothing was summed up since the last fold, in the part, in its totals */
} NAME(State);
#define STATE NAME(State)

INLINE T *NAME(place)(const STATE *s, const Operand *o)
{
    return s->spaces[o->space] + (o->space == PARTIALS ? (int64_t)o->start * LANES : o->start);
}

/* A row of an operand: in place, or one number spread over `spread`. */
INLINE const T *NAME(row)(const T *base, const Operand *o, int r, T *spread)
{
    const T *p = base + (int64_t)r * o->step;
    if (!o->column)
        return p;
    if (r == 0 || o->step)
        for (int l = 0; l < BLOCK; l++)
            spread[l] = *p;
    return spread;
}

typedef T NAME(Short) __attribute__((vector_size(16), may_alias));
#define SHORT NAME(Short)
#define SHORTS (16 / (int)sizeof(T)) /* its numbers */

/* A vector's numbers added up to as many as 16 bytes hold. */
INLINE SHORT NAME(shortened)(V v)
{
    const SHORT *parts = (const SHORT *)&v;
    SHORT sum = parts[0];
    if (BYTES == 32)
        sum += parts[BYTES / 32];
    if (BYTES == 64)
        sum = (sum + parts[BYTES / 64]) + (parts[2 % (BYTES / 16)] + parts[3 % (BYTES / 16)]);
    return sum;
}

/* The sum of a vector's numbers, by halves. */
INLINE T NAME(added_up)(V v)
{
    SHORT sum = NAME(shortened)(v);
    return SINGLE ? (sum[0] + sum[1]) + (sum[2 % SHORTS] + sum[3 % SHORTS]) : sum[0] + sum[1];
}

/* The same of SHORTS vectors, which lie one behind the other. */
INLINE SHORT NAME(each_added_up)(const T *vectors)
{
    SHORT a = NAME(shortened)(LOAD(vectors)), b = NAME(shortened)(LOAD(vectors + LANES));
#if SINGLE
    SHORT c = NAME(shortened)(LOAD(vectors + 2 * LANES)), d = NAME(shortened)(LOAD(vectors + 3 * LANES));
    SHORT ab = (SHORT){a[0], b[0], a[2], b[2]} + (SHORT){a[1], b[1], a[3], b[3]};
    SHORT cd = (SHORT){c[0], d[0], c[2], d[2]} + (SHORT){c[1], d[1], c[3], d[3]};
    return (SHORT){ab[0], ab[1], cd[0], cd[1]} + (SHORT){ab[2], ab[3], cd[2], cd[3]};
#else
    return (SHORT){a[0], b[0]} + (SHORT){a[1], b[1]};
#endif
}

/* Samples that are none add nothing to a sum. */
static void NAME(cut)(const STATE *s, T *rows, int64_t step, int count)
{
    if (s->valid < s->lanes)
        for (int r = 0; r < count; r++)
            for (int l = s->valid; l < s->lanes; l++)
                rows[r * step + l] = K(0);
}

#include "products.h"
#include "reductions.h"

/* --------------------------------------------------------------------------------------------------- the instructions */

/* Whether the rows of an instruction's operands, in this order, lie one behind the other, so that they may be taken for one. */
INLINE int NAME(is_one)(int count, const Operand *const *operands, int lanes)
{
    for (int o = 0; o < count; o++)
        if (operands[o]->step != lanes || operands[o]->column)
            return 0;
    return 1;
}

#define EACH_ROW(count, two_results, ...)                                      \
    {                                                                          \
        T spread[count][BLOCK];                                                \
        const Operand *operands[] = {&i->to, &i->a, two_results ? &i->c : &i->b, &i->c}; \
        const int one = NAME(is_one)(1 + count + two_results, operands, lanes); \
        const int rows = one ? 1 : i->rows, length = one ? i->rows * lanes : lanes; \
        T *to = NAME(place)(s, &i->to);                                        \
        const T *base[3] = {NAME(place)(s, &i->a), NAME(place)(s, &i->b), NAME(place)(s, &i->c)}; \
        for (int r = 0; r < rows; r++, to += i->to.step) {                     \
            const T *pa = NAME(row)(base[0], &i->a, r, spread[0]);             \
            const T *pb = count > 1 ? NAME(row)(base[1], &i->b, r, spread[count > 1]) : pa; \
            const T *pc = count > 2 ? NAME(row)(base[2], &i->c, r, spread[count > 2 ? 2 : 0]) : pa; \
            (void)pb, (void)pc;                                                \
            __VA_ARGS__                                                        \
        }                                                                      \
        break;                                                                 \
    }
#define VECTORS(count, result)                                                 \
    EACH_ROW(count, 0, for (int l = 0; l < length; l += LANES) {                  \
        V a = LOAD(pa + l), b = LOAD(pb + l), c = LOAD(pc + l);                \
        (void)b, (void)c;                                                      \
        STORE(to + l, result);                                                 \
    })
#define NUMBERS(count, result)                                                 \
    EACH_ROW(count, 0, for (int l = 0; l < length; l++) {                         \
        double a = pa[l], b = pb[l];                                           \
        (void)b;                                                               \
        to[l] = (T)(result);                                                   \
    })
#define INSIDE_ROWS(count, result)                                             \
    EACH_ROW(count, 0, for (int l = 0; l < length; l++) {                         \
        T a = pa[l];                                                           \
        to[l] = result;                                                        \
    })
/* Of two results, the second goes to a register of its own, the place of which stands where a third argument would. */
#define TWO_RESULTS(result)                                                    \
    {                                                                          \
        T *also = NAME(place)(s, &i->c);                                       \
        EACH_ROW(1, 1, for (int l = 0; l < length; l += LANES) {                  \
            V a = LOAD(pa + l), second;                                        \
            STORE(to + l, result);                                             \
            STORE(also + r * i->c.step + l, second);                           \
        })                                                                     \
    }
#define AS_VECTOR(name, count, result) case OP_##name: VECTORS(count, result)
#define AS_NUMBERS(name, count, result) case OP_##name: NUMBERS(count, result)
#define AS_ROWS(name, count, result) case OP_##name: INSIDE_ROWS(count, result)

/* Add up sums that are vectors, and add each to its total, or write it there. */
INLINE void NAME(fold)(double *totals, int64_t step, const T *sums, int count, int first)
{
    int j = 0;
    for (; step == 1 && j + SHORTS <= count; j += SHORTS) {
        SHORT more = NAME(each_added_up)(sums + (int64_t)j * LANES);
        for (int l = 0; l < SHORTS; l++)
            totals[j + l] = first ? more[l] : totals[j + l] + more[l];
    }
    for (; j < count; j++) {
        double more = NAME(added_up)(LOAD(sums + (int64_t)j * LANES));
        totals[j * step] = first ? more : totals[j * step] + more;
    }
}

static void NAME(run)(STATE *s, const Instruction *i, const Instruction *end, int columns)
{
    for (; i < end; i++) {
        const int32_t *e = i->extra;
        const int lanes = columns ? COLUMN : s->lanes;
        const int row = e[LENGTH] ? e[LENGTH] : lanes;  /* of rows that are moved or reduced; 1 in a column */
        T *to = NAME(place)(s, &i->to), *a = NAME(place)(s, &i->a), *b = NAME(place)(s, &i->b), *c = NAME(place)(s, &i->c);
        switch (i->op) {
            VECTOR_ROWS(AS_VECTOR)
            FUNCTION_ROWS(AS_VECTOR)
            NUMBER_ROWS(AS_NUMBERS)
            INSIDE_ROWS_OF(AS_ROWS)
        case OP_tanh_and_slope:
            TWO_RESULTS(NAME(v_tanh)(a, &second))
            break;
        case OP_sin_and_slope:
            TWO_RESULTS(NAME(v_sin_and_cos)(a, &second))
            break;
        case OP_sigmoid_and_slope:
            TWO_RESULTS(NAME(v_sigmoid)(a, &second))
            break;
        case OP_MATMUL:
            NAME(matmul)(to, i->to.step, a, i->a.step, i->a.column, b, i->b.step, i->rows, e[INNER], row, e[BIASED] ? c : NULL, i->c.step);
            break;
        case OP_MATMUL_INPUT:
            NAME(matmul_input)(s, to, i->to.step, a, i->a.step, b, i->b.step, i->rows, e[INNER], e[BIASED] ? c : NULL, i->c.step);
            break;
        case OP_OUTER_INPUT:
            NAME(outer_input)(to, i->to.step, a, i->a.step, b, i->b.step, i->rows, e[INNER], s->valid, !SINGLE && e[FIRST] && s->first_block);
            break;
        case OP_OUTER_SUM:
            NAME(cut)(s, a, i->a.step, i->rows * e[TIMES]);
            NAME(cut)(s, b, i->b.step, e[INNER] * e[TIMES]);
            NAME(outer_sum)(to, a, i->a.step * e[TIMES], b, i->b.step * e[TIMES], i->rows, e[INNER], row, s->fresh);
            break;
        case OP_TRANSPOSE:
            for (int r = 0; r < i->rows; r++)
                for (int l = 0; l < s->valid; l++)
                    to[l * i->to.step + r] = a[r * i->a.step + l];
            break;
        case OP_SUM_SAMPLES:
            NAME(cut)(s, a, i->a.step, i->rows);
            for (int r = 0; r < i->rows; r++) {
                V sum = s->fresh ? SPLAT(0) : LOAD(to + r * LANES);
                for (int l = 0; l < lanes; l += LANES)
                    sum += LOAD(a + r * i->a.step + l);
                STORE(to + r * LANES, sum);
            }
            break;
        case OP_FOLD:
            for (int r = 0; r < i->rows; r++) {
                const T *sums = a + (int64_t)r * e[INNER] * LANES;
                double *totals = s->totals + i->to.start + (int64_t)r * i->to.step;
                NAME(fold)(totals, i->to.column, sums, e[INNER], e[FIRST] && s->first_fold);
            }
            break;
        case OP_FOLD_DIRECT:
            if (SINGLE)  /* doubles are summed up where they belong */
                for (int r = 0; r < i->rows; r++)
                    for (int j = 0; j < e[INNER]; j++) {
                        int64_t at = i->to.start + (int64_t)r * i->to.step + j;
                        s->totals[at] = e[FIRST] && s->first_fold ? s->spaces[DIRECT][at] : s->totals[at] + s->spaces[DIRECT][at];
                        s->spaces[DIRECT][at] = K(0);  /* another sum may have part in the same totals */
                    }
            break;
        case OP_LOAD:
            NAME(load)(s, to, a, i->a.step, s->indices + e[SOURCE], i->rows);
            break;
        case OP_GATHER:
        case OP_ADD_ROWS:
            for (int r = 0; r < i->rows; r++) {
                int from = e[SOURCE] < 0 ? r : s->indices[e[SOURCE] + r], at = e[TARGET] < 0 ? r : s->indices[e[TARGET] + r];
                const T *p = a + (int64_t)from * i->a.step;
                T *q = to + (int64_t)at * i->to.step;
                if (i->op == OP_ADD_ROWS)
                    for (int l = 0; l < row; l++)
                        q[l] += i->a.column ? *p : p[l];
                else
                    for (int l = 0; l < row; l++)
                        q[l] = i->a.column ? *p : p[l];
            }
            break;
        case OP_LOOKUP:
            NAME(lookup)(s, to, i->to.step, a, &i->a, b, i->b.step, i->rows, e[INNER], s->indices + e[SOURCE], s->indices + e[TARGET]);
            break;
        case OP_LOOKUP_BACK:
        case OP_LOOKUP_SUM:
            NAME(lookup_back)(s, to, i->op == OP_LOOKUP_SUM ? s->totals + i->to.start : NULL, i->to.step, a, i->a.step, b, i->b.step,
                              i->rows, e[INNER], s->indices + e[SOURCE], s->indices + e[TARGET]);
            break;
        case OP_ZERO:
            for (int r = 0; r < i->rows; r++)
                for (int l = 0; l < row; l++)
                    to[r * i->to.step + l] = K(0);
            break;
        case OP_SEGSUM:
            NAME(segsum)(to, i->to.step, a, i->a.step, i->rows, e[INNER], row);
            break;
        case OP_EXTREME:
            NAME(extreme)(to, i->to.step, a, i->a.step, i->rows, e[INNER], row, e[FIRST]);
            break;
        case OP_BACK_WHERE:
            NAME(back_where)(to, i->to.step, a, i->a.step, i->a.column, b, i->b.step, c, i->c.step, e[INNER], i->rows, row);
            break;
        case OP_OUTER:
            NAME(outer)(to, i->to.step, a, i->a.step, b, i->b.step, e[BIASED] ? c : NULL, i->c.step, i->rows, e[INNER], e[TIMES], row);
            break;
        case OP_OUTPUT:
            for (int r = 0; r < i->rows; r++)
                for (int l = 0; l < s->valid; l++)
                    to[r * s->samples + s->sample + l] = a[r * i->a.step + l];
            break;
        }
    }
}

/* One part of the batch, summed up in s->totals. */
static void NAME(run_part)(STATE *s, const Kernel *kernel, const Call *call, int64_t part)
{
    const Instruction *code = kernel->code;
    const int64_t size = kernel->block, blocks = (call->samples + size - 1) / size;
    const int64_t begin = part * blocks / call->parts, end = (part + 1) * blocks / call->parts;
    if (kernel->cleared)
        memset(s->totals, 0, sizeof(double) * kernel->totals);
    if (!SINGLE)
        s->spaces[DIRECT] = (T *)s->totals;
    s->fresh = s->first_block = s->first_fold = 1;
    for (int64_t block = begin; block < end; block++) {
        s->sample = block * size;
        s->valid = (int)(call->samples - s->sample < size ? call->samples - s->sample : size);
        s->lanes = kernel->whole ? (int)size : (s->valid + GRAIN - 1) / GRAIN * GRAIN;
        s->spaces[X] = (T *)call->x + s->sample * call->width[0];
        s->spaces[Y] = (T *)call->y + s->sample * call->width[1];
        NAME(run)(s, code + kernel->section[1], code + kernel->section[2], 0);
        s->fresh = s->first_block = 0;
        if ((block + 1 - begin) % FOLDED == 0 || block + 1 == end) {
            NAME(run)(s, code + kernel->section[2], code + kernel->section[3], 0);
            s->first_fold = 0;
            s->fresh = 1;
        }
    }
}

/* A batch, or some parts of it: see `run` in kernels.c. Returns -1 where there is no memory for it. */
static int NAME(run_batch)(const Kernel *kernel, const Call *call)
{
    const Instruction *code = kernel->code;
    STATE s = {.indices = kernel->indices, .samples = call->samples, .block = (int)kernel->block};
    const int64_t sizes[] = {kernel->columns, kernel->registers, LANES * kernel->partials, SINGLE ? kernel->totals : 0, SINGLE ? kernel->totals : 0};
    const int spaces[] = {COLUMNS, REGISTERS, PARTIALS, DIRECT, TOTALS};
    int64_t size = 0, own = call->rows == 1 && call->stop - call->first > 1 ? kernel->totals : 0;
    for (int i = 0; i < 5; i++)
        size += (sizes[i] + 15) / 16 * 16;
    void *memory = malloc(sizeof(T) * size + sizeof(double) * own + 64);
    if (memory == NULL)
        return -1;
    T *free_from = (T *)(((uintptr_t)memory + 63) / 64 * 64);
    POISON(free_from, sizeof(T) * size);
    for (int i = 0; i < 5; i++) {
        s.spaces[spaces[i]] = free_from;
        free_from += (sizes[i] + 15) / 16 * 16;
    }
    double *part = (double *)free_from;
    memset(s.spaces[COLUMNS], 0, sizeof(T) * kernel->columns);
    if (SINGLE)
        memset(s.spaces[DIRECT], 0, sizeof(T) * kernel->totals);
    s.spaces[CONSTANTS] = (T *)(SINGLE ? (const void *)kernel->singles : (const void *)kernel->doubles);
    s.spaces[THETA] = (T *)call->theta;
    for (int o = 0; o < call->outputs; o++)
        s.spaces[OUTPUTS + o] = (T *)call->output[o];
    s.spaces[COLUMNS][0] = (T)call->share;
    s.spaces[COLUMNS][COLUMN] = (T)call->samples;
    NAME(run)(&s, code + kernel->section[0], code + kernel->section[1], 1);
    for (int64_t p = call->first; p < call->stop; p++) {
        double *whole = call->rows > 1 ? call->sums + (p - call->first) * kernel->totals : call->sums;
        s.totals = call->rows > 1 || p == call->first ? whole : part;
        NAME(run_part)(&s, kernel, call, p);
        if (s.totals == part)
            for (int64_t j = 0; j < kernel->totals; j++)
                whole[j] += part[j];
    }
    if (call->finish) {
        if (SINGLE)
            for (int64_t j = 0; j < kernel->totals; j++)
                s.spaces[TOTALS][j] = (T)call->sums[j];
        else
            s.spaces[TOTALS] = (T *)call->sums;
        NAME(run)(&s, code + kernel->section[3], code + kernel->section[4], 1);
        for (int64_t j = 0; SINGLE && j < kernel->gradient; j++)
            call->sums[j] = s.spaces[TOTALS][j];
    }
    free(memory);
    return 0;
}

#undef NAME
#undef SHORT
#undef SHORTS
#undef WIDEST
#undef GRAIN
