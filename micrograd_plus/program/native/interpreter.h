/* The loop over the runs of a code, for LANES examples side by side: interpreter.c includes this once for each width.

   Numbers lie in a file of slots, each with a place for every example. A step may write what it reads. */

TARGET static void RUN(const Run *run, const Run *end, const Step *step, double *file)
{
    for (; run < end; run++) {
        const Step *const last = step + run->count;
        switch (run->kind) {
#define CASE(name, value)                                                                                              \
    case KIND_##name:                                                                                                  \
        for (; step < last; step++) {                                                                                  \
            double *out = file + (size_t)step->out * LANES;                                                            \
            const double *a = file + (size_t)step->a * LANES;                                                          \
            const double *b = file + (size_t)step->b * LANES;                                                          \
            const double *c = file + (size_t)step->c * LANES;                                                          \
            _Pragma("GCC ivdep")                                                                                       \
            for (int i = 0; i < LANES; i++) {                                                                          \
                const double old = out[i], x = a[i], y = b[i], z = c[i];                                               \
                (void)old, (void)x, (void)y, (void)z;                                                                  \
                out[i] = value;                                                                                        \
            }                                                                                                          \
        }                                                                                                              \
        break;
            OPERATIONS(CASE)
            REVERSE(CASE)
#undef CASE
        }
    }
}
