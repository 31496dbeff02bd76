/* The machine that runs a kernel: one instruction after the other, each for the samples of one block.

Included by kernels.c for each type of float and each width of vectors. A register holds some rows with 32 numbers each, a
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

/* The sum of a vector's numbers, by halves. */
INLINE T NAME(added_up)(V v)
{
    typedef T Short __attribute__((vector_size(16), may_alias));
    const Short *parts = (const Short *)&v;
    Short sum = parts[0];
    if (BYTES == 32)
        sum += parts[BYTES / 32];
    if (BYTES == 64)
        sum = (sum + parts[BYTES / 64]) + (parts[2 % (BYTES / 16)] + parts[3 % (BYTES / 16)]);
    return SINGLE ? (sum[0] + sum[1]) + (sum[2 % (16 / sizeof(T))] + sum[3 % (16 / sizeof(T))]) : sum[0] + sum[1];
}

/* Samples that are none add nothing to a sum. */
static void NAME(cut)(const STATE *s, T *rows, int64_t step, int count)
{
    if (s->valid < s->lanes)
        for (int r = 0; r < count; r++)
            for (int l = s->valid; l < s->lanes; l++)
                rows[r * step + l] = K(0);
}

/* ---------------------------------------------------------------------------------------------- products of matrices */

/* Some rows, ROWS x COLUMNS vectors, of a matrix (m x k) times k rows of numbers. */
INLINE void NAME(tile)(int ROWS, int COLUMNS, T *to, int64_t to_step, const T *a, int64_t down, int64_t right,
                       const T *b, int64_t step, int k, const T *bias, int64_t bias_step)
{
    V sums[4][4];
#pragma GCC unroll 4
    for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 4
        for (int j = 0; j < COLUMNS; j++)
            sums[i][j] = bias ? SPLAT(bias[i * bias_step]) : SPLAT(0);
    for (int q = 0; q < k; q++, a += right, b += step) {
        V rows[4];
#pragma GCC unroll 4
        for (int j = 0; j < COLUMNS; j++)
            rows[j] = LOAD(b + j * LANES);
#pragma GCC unroll 4
        for (int i = 0; i < ROWS; i++) {
            V factor = SPLAT(a[i * down]);
#pragma GCC unroll 4
            for (int j = 0; j < COLUMNS; j++)
                sums[i][j] += factor * rows[j];
        }
    }
#pragma GCC unroll 4
    for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 4
        for (int j = 0; j < COLUMNS; j++)
            STORE(to + i * to_step + j * LANES, sums[i][j]);
}

INLINE void NAME(strip)(int COLUMNS, T *to, int64_t to_step, const T *a, int64_t down, int64_t right, const T *b, int64_t step,
                        int m, int k, const T *bias, int64_t bias_step)
{
    int i = 0;
    for (; i + 4 <= m; i += 4)
        NAME(tile)(4, COLUMNS, to + i * to_step, to_step, a + i * down, down, right, b, step, k, bias ? bias + i * bias_step : NULL, bias_step);
    for (; i + 2 <= m; i += 2)
        NAME(tile)(2, COLUMNS, to + i * to_step, to_step, a + i * down, down, right, b, step, k, bias ? bias + i * bias_step : NULL, bias_step);
    for (; i < m; i++)
        NAME(tile)(1, COLUMNS, to + i * to_step, to_step, a + i * down, down, right, b, step, k, bias ? bias + i * bias_step : NULL, bias_step);
}

NOINLINE void NAME(matmul)(T *to, int64_t to_step, const T *a, int64_t down, int64_t right, const T *b, int64_t step, int m,
                           int k, int lanes, const T *bias, int64_t bias_step)
{
    int l = 0;
    for (; WIDEST == 4 && l + 4 * LANES <= lanes; l += 4 * LANES)
        NAME(strip)(4, to + l, to_step, a, down, right, b + l, step, m, k, bias, bias_step);
    for (; l + 2 * LANES <= lanes; l += 2 * LANES)
        NAME(strip)(2, to + l, to_step, a, down, right, b + l, step, m, k, bias, bias_step);
    for (; l + LANES <= lanes; l += LANES)
        NAME(strip)(1, to + l, to_step, a, down, right, b + l, step, m, k, bias, bias_step);
    for (; l < lanes; l++)
        for (int i = 0; i < m; i++) {
            T sum = bias ? bias[i * bias_step] : K(0);
            for (int q = 0; q < k; q++)
                sum += a[i * down + q * right] * b[q * step + l];
            to[i * to_step + l] = sum;
        }
}

/* A matrix times samples as they lie in the batch, k numbers each: what a wide first layer does. */
INLINE void NAME(input_tile)(int ROWS, int SAMPLES, T *to, int64_t to_step, const T *a, int64_t down, const T *const *x, int k,
                             const T *bias, int64_t bias_step)
{
    V sums[4][4];
#pragma GCC unroll 4
    for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 4
        for (int j = 0; j < SAMPLES; j++)
            sums[i][j] = SPLAT(0);
    int q = 0;
    for (; q + LANES <= k; q += LANES) {
        V samples[4];
#pragma GCC unroll 4
        for (int j = 0; j < SAMPLES; j++)
            samples[j] = LOAD(x[j] + q);
#pragma GCC unroll 4
        for (int i = 0; i < ROWS; i++) {
            V weights = LOAD(a + i * down + q);
#pragma GCC unroll 4
            for (int j = 0; j < SAMPLES; j++)
                sums[i][j] += weights * samples[j];
        }
    }
    if (q < k) {  /* the last numbers are read with some before them, which add nothing; k ≥ LANES */
        M here = {0};
        for (int l = q - (k - LANES); l < LANES; l++)
            here[l] = -1;
#pragma GCC unroll 4
        for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 4
            for (int j = 0; j < SAMPLES; j++)
                sums[i][j] += (V)((M)LOAD(a + i * down + k - LANES) & here) * (V)((M)LOAD(x[j] + k - LANES) & here);
    }
#pragma GCC unroll 4
    for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 4
        for (int j = 0; j < SAMPLES; j++)
            to[i * to_step + j] = NAME(added_up)(sums[i][j]) + (bias ? bias[i * bias_step] : K(0));
}

NOINLINE void NAME(matmul_input)(const STATE *s, T *to, int64_t to_step, const T *a, int64_t down, const T *x, int64_t width,
                                 int m, int k, const T *bias, int64_t bias_step)
{
    const int samples = (s->valid + WIDEST - 1) / WIDEST * WIDEST;
    for (int i = 0; i < m; i += 4)
        for (int l = 0; l < samples; l += WIDEST) {
            const T *some[WIDEST];
            for (int j = 0; j < WIDEST; j++)  /* the last sample fills up the tile */
                some[j] = x + width * (l + j < s->valid ? l + j : s->valid - 1);
            if (i + 4 <= m)
                NAME(input_tile)(4, WIDEST, to + i * to_step + l, to_step, a + i * down, down, some, k, bias ? bias + i * bias_step : NULL, bias_step);
            else
                for (int r = i; r < m; r++)
                    NAME(input_tile)(1, WIDEST, to + r * to_step + l, to_step, a + r * down, down, some, k, bias ? bias + r * bias_step : NULL, bias_step);
        }
    for (int r = 0; r < m; r++)  /* and the block */
        for (int l = samples; l < s->lanes; l++)
            to[r * to_step + l] = to[r * to_step + samples - 1];
}

/* Sums over samples of what came back times the inputs, these as they lie in the batch. */
INLINE void NAME(outer_tile)(const int ROWS, const int COLUMNS, int fresh, T *to, int64_t down, const T *back, int64_t step,
                             const T *x, int64_t width, int count)
{
    V sums[4][4];
#pragma GCC unroll 4
    for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 4
        for (int j = 0; j < COLUMNS; j++)
            sums[i][j] = fresh ? SPLAT(0) : LOAD(to + i * down + j * LANES);
    for (int n = 0; n < count; n++, x += width) {
        V inputs[4];
#pragma GCC unroll 4
        for (int j = 0; j < COLUMNS; j++)
            inputs[j] = LOAD(x + j * LANES);
#pragma GCC unroll 4
        for (int i = 0; i < ROWS; i++) {
            V factor = SPLAT(back[i * step + n]);
#pragma GCC unroll 4
            for (int j = 0; j < COLUMNS; j++)
                sums[i][j] += factor * inputs[j];
        }
    }
#pragma GCC unroll 4
    for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 4
        for (int j = 0; j < COLUMNS; j++)
            STORE(to + i * down + j * LANES, sums[i][j]);
}

NOINLINE void NAME(outer_input)(T *to, int64_t down, const T *back, int64_t step, const T *x, int64_t width, int m, int k,
                              int count, int fresh)
{
    for (int i = 0; i < m; i += 4) {
        int rows = m - i < 4 ? m - i : 4, q = 0;
        for (; WIDEST == 4 && rows == 4 && q + 4 * LANES <= k; q += 4 * LANES)
            NAME(outer_tile)(4, 4, fresh, to + i * down + q, down, back + i * step, step, x + q, width, count);
        for (; q + 2 * LANES <= k; q += 2 * LANES)
            if (rows == 4)
                NAME(outer_tile)(4, 2, fresh, to + i * down + q, down, back + i * step, step, x + q, width, count);
            else
                for (int r = i; r < i + rows; r++)
                    NAME(outer_tile)(1, 2, fresh, to + r * down + q, down, back + r * step, step, x + q, width, count);
        for (; q + LANES <= k; q += LANES)
            for (int r = i; r < i + rows; r++)
                NAME(outer_tile)(1, 1, fresh, to + r * down + q, down, back + r * step, step, x + q, width, count);
        for (int r = i; q < k && r < i + rows; r++) {  /* the last numbers are read with some before them; k ≥ LANES */
            V sum = SPLAT(0);
            for (int n = 0; n < count; n++)
                sum += back[r * step + n] * LOAD(x + n * width + k - LANES);
            for (int l = q - (k - LANES); l < LANES; l++)
                to[r * down + k - LANES + l] = sum[l] + (fresh ? K(0) : to[r * down + k - LANES + l]);
        }
    }
}

/* The same of two registers, into sums that stay vectors. */
INLINE void NAME(sum_tile)(const int ROWS, const int COLUMNS, int fresh, T *to, int64_t down, const T *a, int64_t a_step,
                           const T *b, int64_t b_step, int lanes)
{
    V sums[4][4];
#pragma GCC unroll 4
    for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 4
        for (int j = 0; j < COLUMNS; j++)
            sums[i][j] = fresh ? SPLAT(0) : LOAD(to + (i * down + j) * LANES);
    for (int l = 0; l < lanes; l += LANES) {
        V columns[4];
#pragma GCC unroll 4
        for (int j = 0; j < COLUMNS; j++)
            columns[j] = LOAD(b + j * b_step + l);
#pragma GCC unroll 4
        for (int i = 0; i < ROWS; i++) {
            V row = LOAD(a + i * a_step + l);
#pragma GCC unroll 4
            for (int j = 0; j < COLUMNS; j++)
                sums[i][j] += row * columns[j];
        }
    }
#pragma GCC unroll 4
    for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 4
        for (int j = 0; j < COLUMNS; j++)
            STORE(to + (i * down + j) * LANES, sums[i][j]);
}

NOINLINE void NAME(outer_sum)(T *to, const T *a, int64_t a_step, const T *b, int64_t b_step, int m, int k, int lanes, int fresh)
{
    for (int i = 0; i < m; i += 4) {
        int rows = m - i < 4 ? m - i : 4, j = 0;
        for (; WIDEST == 4 && j + 4 <= k && rows == 4; j += 4)
            NAME(sum_tile)(4, 4, fresh, to + ((int64_t)i * k + j) * LANES, k, a + i * a_step, a_step, b + j * b_step, b_step, lanes);
        for (; j + 2 <= k && rows == 4; j += 2)
            NAME(sum_tile)(4, 2, fresh, to + ((int64_t)i * k + j) * LANES, k, a + i * a_step, a_step, b + j * b_step, b_step, lanes);
        for (int r = i; r < i + rows; r++)
            for (int c = j; c < k; c++)
                NAME(sum_tile)(1, 1, fresh, to + ((int64_t)r * k + c) * LANES, k, a + r * a_step, a_step, b + c * b_step, b_step, lanes);
    }
}

/* ------------------------------------------------------------------------------------------------- rows moved, reduced */

NOINLINE void NAME(load)(const STATE *s, T *to, const T *x, int64_t width, const int32_t *rows, int count)
{
    for (int r = 0; r < count; r++) {
        const T *column = x + rows[r];
        for (int l = 0; l < s->valid; l++)
            to[r * BLOCK + l] = column[l * width];
        for (int l = s->valid; l < s->lanes; l++)  /* the last sample fills up the block */
            to[r * BLOCK + l] = to[r * BLOCK + s->valid - 1];
    }
}

static T NAME(total)(const T *x, int64_t count)
{
    V sums[2] = {{0}};
    int64_t i = 0;
    for (; i + 2 * LANES <= count; i += 2 * LANES) {
        sums[0] += LOAD(x + i);
        sums[1] += LOAD(x + i + LANES);
    }
    T sum = NAME(added_up)(sums[0] + sums[1]);
    for (; i < count; i++)
        sum += x[i];
    return sum;
}

/* Each row is the sum of `count` neighbours. */
NOINLINE void NAME(segsum)(T *to, int64_t to_step, const T *a, int64_t step, int rows, int count, int lanes)
{
    for (int r = 0; r < rows; r++) {
        T *sum = to + r * to_step;
        const T *first = a + (int64_t)r * count * step;
        if (lanes == 1 && step == 1) {
            *sum = NAME(total)(first, count);
            continue;
        }
        int l = 0;
        for (; l + LANES <= lanes; l += LANES) {
            V total = LOAD(first + l);
            for (int i = 1; i < count; i++)
                total += LOAD(first + i * step + l);
            STORE(sum + l, total);
        }
        for (; l < lanes; l++) {
            T total = first[l];
            for (int i = 1; i < count; i++)
                total += first[i * step + l];
            sum[l] = total;
        }
    }
}

static void NAME(extreme)(T *to, int64_t to_step, const T *a, int64_t step, int rows, int count, int lanes, int least)
{
    for (int r = 0; r < rows; r++)
        for (int l = 0; l < lanes; l++) {
            T best = a[r * step + l];
            for (int i = 1; i < count; i++) {
                T other = a[(int64_t)(i * rows + r) * step + l];
                int keep = best != best || (least ? best < other : best > other);
                best = keep ? best : other;
            }
            to[r * to_step + l] = best;
        }
}

/* ------------------------------------------------------------------------------- sums with gates, for what is reached */

static void NAME(back_where)(T *to, int64_t to_step, const T *a, int64_t down, int64_t right, const T *back, int64_t step,
                             const T *reached, int64_t reached_step, int m, int k, int lanes)
{
    for (int j = 0; j < k; j++)
        for (int l = 0; l < lanes; l++) {
            T sum = K(0);
            for (int i = 0; i < m; i++)
                sum += reached[i * reached_step + l] != K(0) ? a[i * down + j * right] * back[i * step + l] : K(0);
            to[j * to_step + l] = sum;
        }
}

/* For each sample the products of what came back and the argument, rows · q and columns · q of them, summed over q. */
static void NAME(outer)(T *to, int64_t to_step, const T *back, int64_t step, const T *x, int64_t x_step, const T *reached,
                        int64_t reached_step, int m, int k, int q, int lanes)
{
    for (int i = 0; i < m; i++)
        for (int j = 0; j < k; j++) {
            T *sum = to + (int64_t)(i * k + j) * to_step;
            for (int l = 0; l < lanes; l++)
                sum[l] = K(0);
            for (int p = 0; p < q; p++) {
                const T *left = back + (i * q + p) * step, *right = x + (j * q + p) * x_step;
                const T *here = reached ? reached + (i * q + p) * reached_step : NULL;
                if (here)
                    for (int l = 0; l < lanes; l++)
                        sum[l] += here[l] != K(0) ? left[l] * right[l] : K(0);
                else
                    for (int l = 0; l < lanes; l++)
                        sum[l] += left[l] * right[l];
            }
        }
}

/* --------------------------------------------------------------------------------------------------- the instructions */

#define EACH_ROW(count, ...)                                                   \
    {                                                                          \
        T spread[count][BLOCK];                                                \
        T *to = NAME(place)(s, &i->to);                                        \
        const T *base[3] = {NAME(place)(s, &i->a), NAME(place)(s, &i->b), NAME(place)(s, &i->c)}; \
        for (int r = 0; r < i->rows; r++, to += i->to.step) {                  \
            const T *pa = NAME(row)(base[0], &i->a, r, spread[0]);             \
            const T *pb = count > 1 ? NAME(row)(base[1], &i->b, r, spread[count > 1]) : pa; \
            const T *pc = count > 2 ? NAME(row)(base[2], &i->c, r, spread[count > 2 ? 2 : 0]) : pa; \
            (void)pb, (void)pc;                                                \
            __VA_ARGS__                                                        \
        }                                                                      \
        break;                                                                 \
    }
#define VECTORS(count, result)                                                 \
    EACH_ROW(count, for (int l = 0; l < lanes; l += LANES) {                   \
        V a = LOAD(pa + l), b = LOAD(pb + l), c = LOAD(pc + l);                \
        (void)b, (void)c;                                                      \
        STORE(to + l, result);                                                 \
    })
#define NUMBERS(count, result)                                                 \
    EACH_ROW(count, for (int l = 0; l < lanes; l++) {                          \
        double a = pa[l], b = pb[l];                                           \
        (void)b;                                                               \
        to[l] = (T)(result);                                                   \
    })
#define INSIDE_ROWS(count, result)                                             \
    EACH_ROW(count, for (int l = 0; l < lanes; l++) {                          \
        T a = pa[l];                                                           \
        to[l] = result;                                                        \
    })
/* Of two results, the second goes to a register of its own, the place of which stands where a third argument would. */
#define TWO_RESULTS(result)                                                    \
    {                                                                          \
        T *also = NAME(place)(s, &i->c);                                       \
        EACH_ROW(1, for (int l = 0; l < lanes; l += LANES) {                   \
            V a = LOAD(pa + l), second;                                        \
            STORE(to + l, result);                                             \
            STORE(also + r * i->c.step + l, second);                           \
        })                                                                     \
    }
#define AS_VECTOR(name, count, result) case OP_##name: VECTORS(count, result)
#define AS_NUMBERS(name, count, result) case OP_##name: NUMBERS(count, result)
#define AS_ROWS(name, count, result) case OP_##name: INSIDE_ROWS(count, result)

static void NAME(run)(STATE *s, const Instruction *i, const Instruction *end, int columns)
{
    for (; i < end; i++) {
        const int32_t *e = i->extra;
        const int lanes = columns ? BLOCK : s->lanes;
        const int row = e[LENGTH] ? e[LENGTH] : lanes;  /* of rows that are moved or reduced; 1 in a column */
        T *to = NAME(place)(s, &i->to), *a = NAME(place)(s, &i->a), *b = NAME(place)(s, &i->b), *c = NAME(place)(s, &i->c);
        switch (i->op) {
            VECTOR_ROWS(AS_VECTOR)
            NUMBER_ROWS(AS_NUMBERS)
            INSIDE_ROWS_OF(AS_ROWS)
        case OP_tanh_and_slope:
            TWO_RESULTS(NAME(v_tanh)(a, &second))
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
            NAME(outer_input)(to, i->to.step, a, i->a.step, b, i->b.step, i->rows, e[INNER], s->valid, e[FIRST] && (SINGLE ? s->fresh : s->first_block));
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
            for (int r = 0; r < i->rows; r++)
                for (int j = 0; j < e[INNER]; j++) {
                    double *total = s->totals + i->to.start + (int64_t)r * i->to.step + (int64_t)j * i->to.column;
                    double more = NAME(added_up)(LOAD(a + ((int64_t)r * e[INNER] + j) * LANES));
                    *total = e[FIRST] && s->first_fold ? more : *total + more;
                }
            break;
        case OP_FOLD_DIRECT:
            if (SINGLE)  /* doubles are summed up where they belong */
                for (int r = 0; r < i->rows; r++)
                    for (int j = 0; j < e[INNER]; j++) {
                        int64_t at = i->to.start + (int64_t)r * i->to.step + j;
                        s->totals[at] = e[FIRST] && s->first_fold ? s->spaces[DIRECT][at] : s->totals[at] + s->spaces[DIRECT][at];
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
    const int64_t blocks = (call->samples + BLOCK - 1) / BLOCK;
    const int64_t begin = part * blocks / call->parts, end = (part + 1) * blocks / call->parts;
    if (kernel->cleared)
        memset(s->totals, 0, sizeof(double) * kernel->totals);
    if (!SINGLE)
        s->spaces[DIRECT] = (T *)s->totals;
    s->fresh = s->first_block = s->first_fold = 1;
    for (int64_t block = begin; block < end; block++) {
        s->sample = block * BLOCK;
        s->valid = call->samples - s->sample < BLOCK ? (int)(call->samples - s->sample) : BLOCK;
        s->lanes = kernel->whole ? BLOCK : (s->valid + GRAIN - 1) / GRAIN * GRAIN;
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
    STATE s = {.indices = kernel->indices, .samples = call->samples};
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
    s.spaces[CONSTANTS] = (T *)(SINGLE ? (const void *)kernel->singles : (const void *)kernel->doubles);
    s.spaces[THETA] = (T *)call->theta;
    for (int o = 0; o < call->outputs; o++)
        s.spaces[OUTPUTS + o] = (T *)call->output[o];
    s.spaces[COLUMNS][0] = (T)call->share;
    s.spaces[COLUMNS][BLOCK] = (T)call->samples;
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
#undef WIDEST
#undef GRAIN
#undef V
#undef M
#undef N
#undef SIGN
#undef MANTISSA
#undef BIAS
#undef ROUNDER
#undef LN2_HIGH
#undef LN2_LOW
#undef EXP_TOP
#undef EXP_BOTTOM
#undef EXP_NORMAL
#undef TINY
#undef SUBNORMAL
#undef SCALE_UP
#undef SCALED
