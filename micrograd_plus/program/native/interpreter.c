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
#include "rows.h"
#include "scalars.h"

#define INLINE static inline __attribute__((always_inline))
#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define WIDE 8          /* examples side by side */
#define PAUSE (1L << 26) /* so many steps until somebody looks whether Ctrl-C was pressed: a tenth of a second */

typedef struct {
    int32_t kind, count; /* so many steps of one kind */
} Run;

typedef struct {
    int32_t out, a, b, c; /* the slot it writes, and those it reads */
} Step;

#include "operations.h"

#define NAMED(name, ...) KIND_##name,
#define TEXT(name, ...) #name,
enum { OPERATIONS(NAMED) FUNCTION_ROWS(NAMED) REVERSE(NAMED) KINDS };
static const char *const NAMES[] = {OPERATIONS(TEXT) FUNCTION_ROWS(TEXT) REVERSE(TEXT)};

#define T double
#define INTEGER int64_t
#define UNSIGNED uint64_t
#define SINGLE 0

#define SIDE 1
#define BYTES 8
#define SUFFIX one
#include "interpreter.h"
#undef SIDE

#define SIDE WIDE
#define BYTES 16
#define SUFFIX wide
#include "interpreter.h"

#if defined(__x86_64__)
#define BYTES 32
#define SUFFIX wide_avx2
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2")
#endif
#include "interpreter.h"
#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#define BYTES 64
#define SUFFIX wide_avx512
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,prefer-vector-width=512"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512bw,avx512vl,prefer-vector-width=512")
#endif
#include "interpreter.h"
#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif

typedef void (*Loop)(const Run *, const Run *, const Step *, double *);
static const struct { const char *name; Loop loop; } MACHINES[] = {  /* the widest last; all give the same bits */
    {"base", run_wide},
#if defined(__x86_64__)
    {"AVX2", run_wide_avx2},
    {"AVX-512", run_wide_avx512},
#endif
};

static int machines(void)  /* how many of them this processor can run */
{
#if defined(__x86_64__)
    if (!__builtin_cpu_supports("avx2"))
        return 1;
    return 2 + (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")
                && __builtin_cpu_supports("avx512vl"));
#else
    return 1;
#endif
}

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
    Loop wide_loop;
    int alone; /* so many examples at most go through one by one, which is faster then */
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
    const Loop run = lanes == 1 ? run_one : job->wide_loop;
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
            int lanes = job->count - done <= job->alone ? 1 : WIDE;
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

PyDoc_STRVAR(run_doc, "run(machine, alone, runs, steps, forward, start, slots, examples, count, wanted, out, seed, targets, rows, total, each)\n--\n\n"
                      "Go through a code for each example; coding.py says what these are.");

static PyObject *run(PyObject *module, PyObject *args)
{
    Py_buffer runs, steps, start, examples, wanted, out, targets, rows, total;
    Job job = {0};
    int machine; /* an index of MACHINES */
    (void)module;
    if (!PyArg_ParseTuple(args, "iiy*y*ny*ny*ny*w*iy*y*w*p", &machine, &job.alone, &runs, &steps, &job.forward, &start, &job.slots, &examples, &job.count, &wanted, &out,
                          &job.seed, &targets, &rows, &total, &job.each))
        return NULL;
    job.wide_loop = MACHINES[machine < 0 || machine >= machines() ? 0 : machine].loop;
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
    job.wide = job.count <= job.alone ? NULL : file_of(&job, WIDE);
    job.reached = malloc(job.slots + 1);
    PyObject *answer = NULL;
    if (job.one == NULL || job.reached == NULL || (job.wide == NULL && job.count > job.alone))
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
    int failed = PyModule_AddObjectRef(module, "KINDS", names) || PyModule_AddIntConstant(module, "MACHINES", machines());
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
