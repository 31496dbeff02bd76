/* Rows that are loaded from the batch, and rows that become fewer: sums, extremes, sums of what a gate lets pass.

Included by block.h for each type of float, T, and each width of vectors, LANES. */

NOINLINE void NAME(load)(const STATE *s, T *to, const T *x, int64_t width, const int32_t *rows, int count)
{
    for (int r = 0; r < count; r++) {
        const T *column = x + rows[r];
        for (int l = 0; l < s->valid; l++)
            to[r * s->block + l] = column[l * width];
        for (int l = s->valid; l < s->lanes; l++)  /* the last sample fills up the block */
            to[r * s->block + l] = to[r * s->block + s->valid - 1];
    }
}

/* The row of the table for a sample, out of those that a row of a lookup chooses from; -1 where the index is none. */
INLINE int NAME(entry)(const int32_t *entries, int count, T index)
{
    int at = index >= K(0) && index < (T)count ? (int)index : 0;
    return (T)at == index ? entries[at] : -1;
}

NOINLINE void NAME(lookup)(const STATE *s, T *to, int64_t to_step, const T *table, const Operand *laid, const T *index, int64_t step,
                           int rows, int count, const int32_t *entries, const int32_t *which)
{
    for (int r = 0; r < rows; r++, to += to_step, entries += count)
        for (int l = 0; l < s->lanes; l++) {
            int row = NAME(entry)(entries, count, index[which[r] * step + l]);
            to[l] = row < 0 ? K(NAN) : table[row * (int64_t)laid->step + (laid->column ? 0 : l)];
        }
}

/* What came back, added to the rows of the table: to those of each sample, or to the totals, sample after sample. */
NOINLINE void NAME(lookup_back)(const STATE *s, T *to, double *totals, int64_t to_step, const T *back, int64_t back_step, const T *index,
                                int64_t step, int rows, int count, const int32_t *entries, const int32_t *which)
{
    for (int l = 0; l < s->valid; l++)
        for (int r = 0; r < rows; r++) {
            int row = NAME(entry)(entries + (int64_t)r * count, count, index[which[r] * step + l]);
            if (row >= 0 && totals)
                totals[row * to_step] += back[r * back_step + l];
            else if (row >= 0)
                to[row * to_step + l] += back[r * back_step + l];
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
