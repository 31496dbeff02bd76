/* Products of matrices, in tiles of a few vectors that stay in registers, and sums of products over the samples.

Included by block.h for each type of float, T, and each width of vectors, LANES. A matrix is read with two steps, `down`
from row to row and `right` from column to column, so that it may lie transposed. */

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
