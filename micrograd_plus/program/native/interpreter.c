/* Go through a graph in which nothing is regular: a flat code of scalar steps, forward and back.

   A code is made by coding.py: steps that compute the numbers of the graph, then steps that pass gradients back, each
   with the slots that it reads and writes. One example is computed at a time, or eight side by side, which costs little
   more. Sums over the examples are made in their order, and no product is fused with a sum (built with
   -ffp-contract=off), so that what comes out does not depend on how many there are, nor on the machine. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define WIDE 8          /* examples side by side */
#define FEW 3           /* so many examples are no slower one by one */
#define PAUSE (1L << 26) /* so many steps until somebody looks whether Ctrl-C was pressed: a tenth of a second */
#define SQRT_HALF 0.70710678118654752440
#define PI 3.14159265358979323846

typedef struct {
    int32_t kind, count; /* so many steps of one kind */
} Run;

typedef struct {
    int32_t out, a, b, c; /* the slot it writes, and those it reads */
} Step;

/* ------------------------------------------------------------------ functions that <math.h> lacks, as the table has them */

static double modulo(double x, double y)
{
    double rest = fmod(x, y);
    if (rest == 0.0)
        return copysign(0.0, y);
    return (y < 0.0) != (rest < 0.0) ? rest + y : rest;
}

static double sigmoid(double x)
{
    if (x >= 0.0)
        return 1.0 / (1.0 + exp(-x));
    double e = exp(x);
    return e / (1.0 + e);
}

static double sigmoid_slope(double x)
{
    double e = exp(-fabs(x));
    return e / ((1.0 + e) * (1.0 + e));
}

static double log_add_exp(double x, double y)
{
    if (x == y)
        return x + log(2.0);
    return (x > y ? x : y) + log1p(exp(-fabs(x - y)));
}

static double sinc(double x)
{
    if (x == 0.0)
        return 1.0;
    if (!isfinite(x))
        return NAN;
    double whole = floor(x + 0.5); /* sin(πx) by the distance to the nearest integer: exact zeros, no lost digits */
    return (fmod(whole, 2.0) != 0.0 ? -1.0 : 1.0) * sin(PI * (x - whole)) / (PI * x);
}

static double direction(double x, double y)
{
    double r = hypot(x, y);
    return r < INFINITY ? x / r : 0.5 * x / hypot(0.5 * x, 0.5 * y);
}

static double logit(double x)
{
    if (!(x > 0.0 && x < 1.0))
        return x == 0.0 ? -INFINITY : x == 1.0 ? INFINITY : NAN;
    return 0.25 < x && x < 0.75 ? log1p((2.0 * x - 1.0) / (1.0 - x)) : log(x / (1.0 - x));
}

static double power_log(double x, double y, double n)
{
    double times = rint(n > 0.0 || n != n ? n : 0.0);
    return x == 0.0 && y >= 0.0 && times > 0.0 ? 0.0 : pow(x, y) * pow(log(x), times);
}

/* Winitzki's approximation (2008), polished by Halley's method on erf near 0 and on erfc near 1 and -1 */
static double inverse_erf(double x)
{
    double size = fabs(x);
    if (size >= 1.0 || x != x)
        return size == 1.0 ? copysign(INFINITY, x) : NAN;
    if (size < 1e-9)
        return x * sqrt(PI) / 2.0; /* the next term of the series is below the last digit */
    double logarithm = log1p(-size * size);
    double half = 2.0 / (PI * 0.147) + logarithm / 2.0;
    double y = sqrt(sqrt(half * half - logarithm / 0.147) - half);
    for (int k = 0; k < 3; k++) {
        double error = size < 0.5 ? erf(y) - size : (1.0 - size) - erfc(y);
        double step = error * sqrt(PI) / 2.0 * exp(y * y);
        y -= step / (1.0 + y * step);
    }
    return copysign(y, x);
}

/* The derivative of exp(x²) erfc(x) of some order, as in ops/table.py: its recurrence, or the ratios of neighbours */
static double scaled_erfc(double x, double order)
{
    if (x != x || !(order >= 0.0 && order <= 100.0) || order != floor(order))
        return NAN;
    int n = (int)order;
    if (x < 0.5) {
        double near = x > -27.0 ? ldexp(rint(ldexp(x, 20)), -20) : -27.0;
        double now = exp(near * near) * exp((x - near) * (x + near)) * erfc(x); /* the square of `near` is exact */
        double add = -2.0 / sqrt(PI);
        for (int k = 1; k <= n; k++) {
            double next = 2.0 * x * now + add;
            add = 2.0 * k * now;
            now = next;
        }
        return now;
    }
    if (x == INFINITY)
        return 0.0;
    double ratio = 0.0, out = (n % 2 ? -2.0 : 2.0) / sqrt(PI);
    for (int k = n + 30 + (int)(150.0 / (x * x)); k >= 0; k--) {
        ratio = 1.0 / (2.0 * x + 2.0 * (k + 1.0) * ratio);
        if (k <= n)
            out *= (k ? 2.0 * k : 1.0) * ratio;
    }
    return out;
}

static double log_normal(double x)
{
    if (x > -1.0) {
        double half = 0.5 * erfc(SQRT_HALF * fabs(x));
        return x > 0.0 ? log1p(-half) : log(half);
    }
    if (x != x)
        return x;
    return x > -1e160 ? log(0.5 * scaled_erfc(-SQRT_HALF * x, 0.0)) - 0.5 * x * x : x * INFINITY;
}

/* ---------------------------------------------------------------------------------------------------- what a step does */

/* Rows of the table, by their names, each of its arguments x, y, z. Others are made of these, by `arrays`. */
#define OPERATIONS(ROW)                                                                                                \
    ROW(add, x + y)                                                                                                    \
    ROW(sub, x - y)                                                                                                    \
    ROW(mul, x * y)                                                                                                    \
    ROW(div, x / y)                                                                                                    \
    ROW(mod, modulo(x, y))                                                                                             \
    ROW(pow, pow(x, y))                                                                                                \
    ROW(neg, -x)                                                                                                       \
    ROW(abs, fabs(x))                                                                                                  \
    ROW(less, x < y)                                                                                                   \
    ROW(less_equal, x <= y)                                                                                            \
    ROW(equal, x == y)                                                                                                 \
    ROW(where, x != 0.0 ? y : z)                                                                                       \
    ROW(identity, x)                                                                                                   \
    ROW(stop_gradient, x)                                                                                              \
    ROW(reciprocal, 1.0 / x)                                                                                           \
    ROW(square, x * x)                                                                                                 \
    ROW(one_minus_square, (1.0 - x) * (1.0 + x))                                                                       \
    ROW(sqrt, sqrt(x))                                                                                                 \
    ROW(rsqrt, 1.0 / sqrt(x))                                                                                          \
    ROW(cbrt, cbrt(x))                                                                                                 \
    ROW(pow_log, power_log(x, y, z))                                                                                   \
    ROW(exp, exp(x))                                                                                                   \
    ROW(exp2, exp2(x))                                                                                                 \
    ROW(expm1, expm1(x))                                                                                               \
    ROW(log, log(x))                                                                                                   \
    ROW(log2, log2(x))                                                                                                 \
    ROW(log10, log10(x))                                                                                               \
    ROW(log1p, log1p(x))                                                                                               \
    ROW(logaddexp, log_add_exp(x, y))                                                                                  \
    ROW(sign, x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x == 0.0 ? 0.0 : x)                                                     \
    ROW(floor, floor(x))                                                                                               \
    ROW(ceil, ceil(x))                                                                                                 \
    ROW(trunc, trunc(x))                                                                                               \
    ROW(round, rint(x))                                                                                                \
    ROW(maximum, x > y || x != x ? x : y)                                                                              \
    ROW(minimum, x < y || x != x ? x : y)                                                                              \
    ROW(copysign, copysign(x, y))                                                                                      \
    ROW(hypot, hypot(x, y))                                                                                            \
    ROW(direction, direction(x, y))                                                                                    \
    ROW(sin, sin(x))                                                                                                   \
    ROW(cos, cos(x))                                                                                                   \
    ROW(tan, tan(x))                                                                                                   \
    ROW(asin, asin(x))                                                                                                 \
    ROW(acos, acos(x))                                                                                                 \
    ROW(atan, atan(x))                                                                                                 \
    ROW(atan2, atan2(x, y))                                                                                            \
    ROW(sinh, sinh(x))                                                                                                 \
    ROW(cosh, cosh(x))                                                                                                 \
    ROW(tanh, tanh(x))                                                                                                 \
    ROW(sech, 1.0 / cosh(x))                                                                                           \
    ROW(asinh, asinh(x))                                                                                               \
    ROW(acosh, acosh(x))                                                                                               \
    ROW(atanh, atanh(x))                                                                                               \
    ROW(sinc, sinc(x))                                                                                                 \
    ROW(radians, x *(PI / 180.0))                                                                                      \
    ROW(degrees, x *(180.0 / PI))                                                                                      \
    ROW(erf, erf(x))                                                                                                   \
    ROW(erfc, erfc(x))                                                                                                 \
    ROW(erfinv, inverse_erf(x))                                                                                        \
    ROW(erfcx, scaled_erfc(x, 0.0))                                                                                    \
    ROW(erfcx_derivative, scaled_erfc(x, y))                                                                           \
    ROW(log_ndtr, log_normal(x))                                                                                       \
    ROW(logit, logit(x))                                                                                               \
    ROW(relu, x <= 0.0 ? 0.0 : x)                                                                                      \
    ROW(sigmoid, sigmoid(x))                                                                                           \
    ROW(sigmoid_slope, sigmoid_slope(x))                                                                               \
    ROW(softplus, (x > 0.0 ? x : 0.0) + log1p(exp(-fabs(x))))

/* What passes a gradient back: x is that of the result, y the slope, z a gate, which is closed where it is 0. What comes
   to an argument first is written, what comes later is added. */
#define REVERSE(ROW)                                                                                                   \
    ROW(give, x)                                                                                                       \
    ROW(give_more, old + x)                                                                                            \
    ROW(take, -x)                                                                                                      \
    ROW(take_more, old - x)                                                                                            \
    ROW(share, x *y)                                                                                                   \
    ROW(share_more, old + x * y)                                                                                       \
    ROW(gated, z != 0.0 ? x * y : 0.0)                                                                                 \
    ROW(gated_more, z != 0.0 ? old + x * y : old)

#define NAMED(name, value) KIND_##name,
#define TEXT(name, value) #name,
enum { OPERATIONS(NAMED) REVERSE(NAMED) KINDS };
static const char *const NAMES[] = {OPERATIONS(TEXT) REVERSE(TEXT)};

#define TARGET
#define LANES 1
#define RUN run_one
#include "interpreter.h"
#undef LANES
#undef RUN
#define LANES WIDE
#define RUN run_wide
#include "interpreter.h"
#undef RUN
#if defined(__x86_64__)
#undef TARGET
#define TARGET __attribute__((target("avx2")))
#define RUN run_wide_avx2
#include "interpreter.h"
#undef RUN
#endif
#undef TARGET
#undef LANES

static void (*run_side_by_side)(const Run *, const Run *, const Step *, double *) = run_wide;

/* One example's gradients once more, where a nan came out: nothing passes on from what is not reached, not even 0 · inf. */
static void run_strong(const Run *run, const Run *end, const Step *step, double *file, char *reached)
{
    for (; run < end; run++) {
        const Run single = {run->kind, 1};
        const Step *const last = step + run->count;
        for (; step < last; step++) {
            if (run->kind < KIND_give) {
                run_one(&single, &single + 1, step, file);
                continue;
            }
            int form = run->kind - KIND_give, more = form % 2;
            int passes = reached[step->a] && (form < KIND_gated - KIND_give || file[step->c] != 0.0);
            if (passes)
                run_one(&single, &single + 1, step, file);
            else if (!more)
                file[step->out] = 0.0;
            reached[step->out] = (more && reached[step->out]) || passes;
        }
    }
}

/* --------------------------------------------------------------------------------------------------- batches of examples */

typedef struct {
    const Run *runs;
    const Step *steps;
    Py_ssize_t forward, ways, length; /* how many runs compute, how many runs there are, how many steps */
    const Step *back;                 /* the first step of those that pass gradients back */
    const double *start;       /* what the first slots hold: the inputs' place, parameters and plain numbers */
    Py_ssize_t fixed, slots;   /* how many these are, and how many slots there are */
    const double *examples; /* a row for each */
    Py_ssize_t count, inputs;
    const int32_t *wanted; /* slots whose numbers are asked for */
    Py_ssize_t wants;
    double *out; /* those, a row for each, a column for each example */
    int seed;    /* the slot of the result's own gradient; -1 where none is asked for */
    const int32_t *targets, *rows; /* slots of gradients, and the rows of `total` that these are added to */
    Py_ssize_t leaves;
    double *total;
    int each; /* whether `total` has a column for each example */
    double *one, *wide;
    char *reached;
} Job;

static void load(const Job *job, double *file, int lanes, Py_ssize_t first)
{
    for (int lane = 0; lane < lanes; lane++) {
        Py_ssize_t row = first + lane < job->count ? first + lane : job->count - 1;
        const double *example = job->examples + row * job->inputs;
        for (Py_ssize_t k = 0; k < job->inputs; k++)
            file[k * lanes + lane] = example[k];
    }
}

static void add(const Job *job, const double *file, int lanes, int lane, Py_ssize_t example)
{
    Py_ssize_t columns = job->each ? job->count : 1, column = job->each ? example : 0;
    for (Py_ssize_t k = 0; k < job->leaves; k++)
        job->total[job->rows[k] * columns + column] += file[(size_t)job->targets[k] * lanes + lane];
}

static int has_nan(const Job *job, const double *file, int lanes, int lane)
{
    for (Py_ssize_t k = 0; k < job->leaves; k++)
        if (isnan(file[(size_t)job->targets[k] * lanes + lane]))
            return 1;
    return 0;
}

static void add_strong(const Job *job, Py_ssize_t example)
{
    load(job, job->one, 1, example);
    run_one(job->runs, job->runs + job->forward, job->steps, job->one);
    memset(job->reached, 0, job->slots);
    job->one[job->seed] = 1.0;
    job->reached[job->seed] = 1;
    run_strong(job->runs + job->forward, job->runs + job->ways, job->back, job->one, job->reached);
    add(job, job->one, 1, 0, example);
}

static void run_block(const Job *job, double *file, int lanes, Py_ssize_t first)
{
    void (*run)(const Run *, const Run *, const Step *, double *) = lanes == 1 ? run_one : run_side_by_side;
    int valid = job->count - first < lanes ? (int)(job->count - first) : lanes;
    load(job, file, lanes, first);
    run(job->runs, job->runs + job->forward, job->steps, file);
    for (Py_ssize_t k = 0; k < job->wants; k++)
        memcpy(job->out + k * job->count + first, file + (size_t)job->wanted[k] * lanes, valid * sizeof(double));
    if (job->seed < 0)
        return;
    for (int lane = 0; lane < lanes; lane++)
        file[(size_t)job->seed * lanes + lane] = 1.0;
    run(job->runs + job->forward, job->runs + job->ways, job->back, file);
    for (int lane = 0; lane < valid; lane++) {
        if (has_nan(job, file, lanes, lane))
            add_strong(job, first + lane);
        else
            add(job, file, lanes, lane, first + lane);
    }
}

/* All examples, with the interpreter's lock given back meanwhile; -1 where Ctrl-C was pressed. */
static int run_all(const Job *job)
{
    Py_ssize_t done = 0, each = job->length ? job->length : 1;
    while (done < job->count) {
        Py_BEGIN_ALLOW_THREADS
        for (long spent = 0; done < job->count && spent < PAUSE; spent += each * WIDE) {
            int lanes = job->count - done < FEW ? 1 : WIDE;
            run_block(job, lanes == 1 ? job->one : job->wide, lanes, done);
            done += lanes;
        }
        Py_END_ALLOW_THREADS
        if (PyErr_CheckSignals() < 0)
            return -1;
    }
    return 0;
}

static double *file_of(const Job *job, int lanes)
{
    size_t bytes = (((size_t)job->slots * lanes * sizeof(double)) + 63) / 64 * 64;
    double *file = aligned_alloc(64, bytes ? bytes : 64);
    if (file != NULL)
        for (Py_ssize_t slot = 0; slot < job->fixed; slot++)
            for (int lane = 0; lane < lanes; lane++)
                file[slot * lanes + lane] = job->start[slot];
    return file;
}

/* ------------------------------------------------------------------------------------------------------------ for Python */

PyDoc_STRVAR(run_doc, "run(runs, steps, forward, start, slots, examples, count, wanted, out, seed, targets, rows, total, each)\n--\n\n"
                      "Go through a code for each example; coding.py says what these are.");

static PyObject *run(PyObject *module, PyObject *args)
{
    Py_buffer runs, steps, start, examples, wanted, out, targets, rows, total;
    Job job = {0};
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*ny*ny*ny*w*iy*y*w*p", &runs, &steps, &job.forward, &start, &job.slots, &examples, &job.count, &wanted, &out,
                          &job.seed, &targets, &rows, &total, &job.each))
        return NULL;
    job.runs = runs.buf;
    job.steps = job.back = steps.buf;
    job.ways = runs.len / (Py_ssize_t)sizeof(Run);
    job.length = steps.len / (Py_ssize_t)sizeof(Step);
    for (Py_ssize_t k = 0; k < job.forward; k++)
        job.back += job.runs[k].count;
    job.start = start.buf;
    job.fixed = start.len / (Py_ssize_t)sizeof(double);
    job.examples = examples.buf;
    job.inputs = job.count ? examples.len / (Py_ssize_t)sizeof(double) / job.count : 0;
    job.wanted = wanted.buf;
    job.wants = wanted.len / (Py_ssize_t)sizeof(int32_t);
    job.out = out.buf;
    job.targets = targets.buf;
    job.rows = rows.buf;
    job.leaves = targets.len / (Py_ssize_t)sizeof(int32_t);
    job.total = total.buf;
    job.one = file_of(&job, 1);
    job.wide = job.count < FEW ? NULL : file_of(&job, WIDE);
    job.reached = malloc(job.slots + 1);
    PyObject *answer = NULL;
    if (job.one == NULL || job.reached == NULL || (job.wide == NULL && job.count >= FEW))
        PyErr_NoMemory();
    else if (run_all(&job) == 0)
        answer = Py_NewRef(Py_None);
    free(job.one);
    free(job.wide);
    free(job.reached);
    Py_buffer *buffers[] = {&runs, &steps, &start, &examples, &wanted, &out, &targets, &rows, &total};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        PyBuffer_Release(buffers[i]);
    return answer;
}

static PyMethodDef methods[] = {{"run", run, METH_VARARGS, run_doc}, {NULL, NULL, 0, NULL}};

static int fill(PyObject *module)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        run_side_by_side = run_wide_avx2;
#endif
    PyObject *names = PyTuple_New(KINDS);
    if (names == NULL)
        return -1;
    for (int kind = 0; kind < KINDS; kind++) {
        PyObject *name = PyUnicode_FromString(NAMES[kind]);
        if (name == NULL) {
            Py_DECREF(names);
            return -1;
        }
        PyTuple_SET_ITEM(names, kind, name);
    }
    int failed = PyModule_AddObjectRef(module, "KINDS", names) || PyModule_AddIntConstant(module, "FEW", FEW);
    Py_DECREF(names);
    return failed ? -1 : 0;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, fill},
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "interpreter", "Flat codes of scalar operations, run.", 0, methods, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_interpreter(void)
{
    return PyModuleDef_Init(&definition);
}
