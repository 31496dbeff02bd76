/* The loop over the runs of a code, for so many examples SIDE by side: interpreter.c includes this for each width.

   Numbers lie in a file of slots, each with a place for every example. A step may write what it reads. */

#define LANES (BYTES / 8)
#define NAME(x) PASTE(x, SUFFIX)
#include "functions.h"

static void NAME(run)(const Run *run, const Run *end, const Step *step, double *file)
{
    for (; run < end; run++) {
        const Step *const last = step + run->count;
        switch (run->kind) {
#define EACH_STEP(name, ...)                                                                                           \
    case KIND_##name:                                                                                                  \
        for (; step < last; step++) {                                                                                  \
            double *out = file + (size_t)step->out * SIDE;                                                             \
            const double *first = file + (size_t)step->a * SIDE;                                                       \
            const double *second = file + (size_t)step->b * SIDE;                                                      \
            const double *third = file + (size_t)step->c * SIDE;                                                       \
            (void)second, (void)third;                                                                                 \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
        break;
#define EACH_NUMBER(name, value)                                                                                       \
    EACH_STEP(name, _Pragma("GCC ivdep") for (int i = 0; i < SIDE; i++) {                                              \
        const double old = out[i], x = first[i], y = second[i], z = third[i];                                          \
        (void)old, (void)x, (void)y, (void)z;                                                                          \
        out[i] = value;                                                                                                \
    })
#define EACH_VECTOR(name, count, value)                                                                                \
    EACH_STEP(name, for (int i = 0; i < SIDE; i += LANES) {                                                            \
        V a = LOAD(first + i), b = LOAD(second + i);                                                                   \
        (void)b;                                                                                                       \
        STORE(out + i, value);                                                                                         \
    })
            OPERATIONS(EACH_NUMBER)
            FUNCTION_ROWS(EACH_VECTOR)
            REVERSE(EACH_NUMBER)
#undef EACH_STEP
#undef EACH_NUMBER
#undef EACH_VECTOR
        }
    }
}

#undef NAME
#undef LANES
#undef BYTES
#undef SUFFIX
