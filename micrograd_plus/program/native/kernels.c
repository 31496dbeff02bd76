/* Kernels: what a compiled program computes for a batch, run over blocks of samples that stay in the nearest cache.

micrograd_plus/program/kernels.py writes a kernel as instructions with the places of their numbers; this module runs them.
The machine itself, block.h, is compiled for each type of float and for each width of vectors: 2 doubles, which every
machine of today has, 4 with AVX2 and FMA, 8 with AVX-512; which of these runs is found out when the module is imported. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include "rows.h"
#include "scalars.h"

#define BLOCK 64    /* so many samples are computed together at most: a row of doubles is 512 bytes, a layer of 16 neurons 8 KB */
#define COLUMN 32   /* so many rows of a column are computed as one */
#define FOLDED 32   /* after so many blocks sums that are vectors, or floats, are added to doubles */
#define INLINE static inline __attribute__((always_inline))
#define NOINLINE static __attribute__((noinline))
#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#ifdef DEBUG_KERNELS /* what is read before it is written shows as nan */
#define POISON(p, size) memset(p, 0xff, size)
#else
#define POISON(p, size) (void)0
#endif

/* The rows of the table that a vector computes at once: their name, the number of arguments, and the result; besides these
those in rows.h. */
#define VECTOR_ROWS(X)                                                         \
    X(add, 2, a + b) X(sub, 2, a - b) X(mul, 2, a * b) X(div, 2, a / b) X(neg, 1, -a) X(square, 1, a * a) \
    X(reciprocal, 1, K(1) / a) X(abs, 1, SIZE(a)) X(copy, 1, a) X(not, 1, K(1) - a) X(sign, 1, NAME(v_sign)(a)) \
    X(copysign, 2, (V)((M)SIZE(a) | SIGN_OF(b))) X(maximum, 2, NAME(v_maximum)(a, b)) X(minimum, 2, NAME(v_minimum)(a, b)) \
    X(less, 2, ONES(a < b)) X(less_equal, 2, ONES(a <= b)) X(equal, 2, ONES(a == b)) X(where, 3, PICK(a != K(0), b, c)) \
    X(relu, 1, PICK(a <= K(0), SPLAT(0), a)) X(sech_square, 1, NAME(v_sech_square)(a))

/* Those that compilers turn into vectors by themselves, where the machine has an instruction for them. */
#define INSIDE_ROWS_OF(X)                                                      \
    X(sqrt, 1, (T)(SINGLE ? (double)sqrtf((float)a) : sqrt(a))) X(floor, 1, (T)(SINGLE ? (double)floorf((float)a) : floor(a))) \
    X(ceil, 1, (T)(SINGLE ? (double)ceilf((float)a) : ceil(a))) X(trunc, 1, (T)(SINGLE ? (double)truncf((float)a) : trunc(a))) \
    X(round, 1, (T)(SINGLE ? (double)rintf((float)a) : rint(a)))

/* Those that C's library computes, one number at a time, and in doubles. */
#define NUMBER_ROWS(X)                                                         \
    X(mod, 2, modulo(a, b)) X(pow, 2, pow(a, b)) X(cbrt, 1, cbrt(a)) X(exp2, 1, exp2(a)) X(log2, 1, log2(a)) X(log10, 1, log10(a)) \
    X(hypot, 2, hypot(a, b)) X(tan, 1, tan(a)) X(asin, 1, asin(a)) X(acos, 1, acos(a)) \
    X(atan, 1, atan(a)) X(atan2, 2, atan2(a, b)) X(asinh, 1, asinh(a)) X(acosh, 1, acosh(a)) X(atanh, 1, atanh(a)) \
    X(radians, 1, a * (PI / 180.0)) X(degrees, 1, a * (180.0 / PI)) X(erf, 1, erf(a)) X(erfc, 1, erfc(a)) \
    X(erfinv, 1, inverse_erf(a)) X(erfcx, 1, scaled_erfc(a, 0.0)) X(erfcx_derivative, 2, scaled_erfc(a, b)) \
    X(log_ndtr, 1, log_normal(a))

/* All other instructions. `to`, `a`, `b`, `c` are their operands, i->rows the rows of the result. */
#define OTHERS(X)                                                              \
    X(tanh_and_slope) X(sigmoid_and_slope) X(sin_and_slope) /* two results, the second in c */ \
    X(MATMUL)         /* a matrix a, times the rows of b, plus c where it is BIASED */ \
    X(MATMUL_INPUT)   /* the same with b as it lies in the batch */            \
    X(OUTER_INPUT)    /* sums over samples of a's rows times b as it lies in the batch */ \
    X(OUTER_SUM)      /* the same of rows, as vectors */                       \
    X(TRANSPOSE)      /* rows as a batch lies */                               \
    X(SUM_SAMPLES)    /* sums over samples, as vectors */                      \
    X(FOLD) X(FOLD_DIRECT) /* sums added up into the totals */                 \
    X(LOAD)           /* columns of the batch as rows */                       \
    X(GATHER) X(ADD_ROWS) /* rows put, or added, to other rows */              \
    X(LOOKUP)         /* rows of a table a, chosen by the index in b */        \
    X(LOOKUP_BACK) X(LOOKUP_SUM) /* what came back, a, added to those rows: of each sample, of all */ \
    X(ZERO) X(SEGSUM) X(EXTREME) X(BACK_WHERE) X(OUTER)                        \
    X(OUTPUT)         /* rows of a block to the columns of a result */

#define NUMBERED(name, ...) OP_##name,
enum { VECTOR_ROWS(NUMBERED) FUNCTION_ROWS(NUMBERED) INSIDE_ROWS_OF(NUMBERED) NUMBER_ROWS(NUMBERED) OTHERS(NUMBERED) };
#define NAMED(name, ...) #name,
static const char *const OPS[] = {VECTOR_ROWS(NAMED) FUNCTION_ROWS(NAMED) INSIDE_ROWS_OF(NAMED) NUMBER_ROWS(NAMED) OTHERS(NAMED)};
static const char *const LIBRARY[] = {NUMBER_ROWS(NAMED)};

/* Where numbers lie. An operand is a place in one of these. */
enum { CONSTANTS, THETA, X, Y, COLUMNS, REGISTERS, PARTIALS, DIRECT, TOTALS, OUTPUTS, SPACES = OUTPUTS + 4 };
static const char *const SPACE_NAMES[] = {"CONSTANTS", "THETA", "X", "Y", "COLUMNS", "REGISTERS", "PARTIALS", "DIRECT", "TOTALS",
                                          "OUTPUT0", "OUTPUT1", "OUTPUT2", "OUTPUT3"};

typedef struct {
    int32_t space, start, step; /* from one row to the next */
    int32_t column;             /* whether it has one number a row; in a matrix the step from column to column */
} Operand;

/* What stands in `extra`: the length of a product or of a sum, the q of a product, flags, where indices begin. */
enum { LENGTH, INNER, TIMES, FIRST, SOURCE, TARGET, BIASED };
typedef struct {
    int32_t op, rows;
    Operand to, a, b, c;
    int32_t extra[7];
} Instruction;

typedef struct {
    Instruction *code;
    int32_t *indices;
    double *doubles;
    float *singles;
    int64_t section[5];  /* where in the code it begins: once before all, for each block, folds, once after all; its end */
    int64_t columns, registers, partials, totals; /* how large these spaces are; partials in vectors */
    int64_t gradient;    /* how many of the totals a gradient is */
    int64_t block;       /* samples that are computed together */
    int whole, cleared;  /* whether blocks are always computed in full; whether totals begin with 0 */
} Kernel;

typedef struct {
    const void *theta, *x, *y;
    int64_t width[2];    /* numbers of an example in x and in y */
    void *output[4];
    int outputs;
    double share;
    int64_t samples, parts, first, stop;
    double *sums;
    int64_t rows;        /* of sums: one for all parts, or one for each */
    int finish;
} Call;

/* ------------------------------------------------------------------------------------ the machine, once for each type */

#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define FUSED
#endif
#define BYTES 16
#define WIDTH base
#include "types.h"
#undef BYTES
#undef WIDTH

#if defined(__x86_64__)
#undef FUSED
#define FUSED
#define BYTES 32
#define WIDTH avx2
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
#include "types.h"
#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#undef BYTES
#undef WIDTH

#define BYTES 64
#define WIDTH avx512
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,fma,prefer-vector-width=512"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512bw,avx512vl,fma,prefer-vector-width=512")
#endif
#include "types.h"
#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif

typedef int (*Run)(const Kernel *, const Call *);
static const struct { const char *name; Run doubles, singles; } MACHINES[] = {  /* the widest last */
    {"base", run_batch_base_double, run_batch_base_float},
#if defined(__x86_64__)
    {"AVX2", run_batch_avx2_double, run_batch_avx2_float},
    {"AVX-512", run_batch_avx512_double, run_batch_avx512_float},
#endif
};

static int machines(void)  /* how many of them this processor can run */
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return 1;
    return 2 + (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")
                && __builtin_cpu_supports("avx512vl"));
#else
    return 1;
#endif
}

/* --------------------------------------------------------------------------------------------------- for Python */

static void kernel_free(PyObject *capsule)
{
    Kernel *kernel = PyCapsule_GetPointer(capsule, "kernel");
    free(kernel->code);
    free(kernel->indices);
    free(kernel->doubles);
    free(kernel->singles);
    free(kernel);
}

static void *copied(const Py_buffer *view)
{
    void *copy = malloc(view->len ? view->len : 1);
    return copy ? memcpy(copy, view->buf, view->len) : NULL;
}

PyDoc_STRVAR(load_doc, "load(code, indices, constants, sections, sizes) -> capsule\n\n"
"A kernel, ready to run: instructions and indices as int32, constants as float64; sections: where in the code each\n"
"begins, and its end, five numbers; sizes: of columns, registers, partials, totals and the gradient among these, of a block, and the flags whole and cleared.");

static PyObject *load(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer code, indices, constants;
    Kernel made = {0};
    if (!PyArg_ParseTuple(args, "y*y*y*(LLLLL)(LLLLLLpp)", &code, &indices, &constants, &made.section[0], &made.section[1],
                          &made.section[2], &made.section[3], &made.section[4], &made.columns, &made.registers, &made.partials,
                          &made.totals, &made.gradient, &made.block, &made.whole, &made.cleared))
        return NULL;
    const Py_ssize_t count = constants.len / (Py_ssize_t)sizeof(double);
    Kernel *kernel = malloc(sizeof(Kernel));
    made.code = copied(&code);
    made.indices = copied(&indices);
    made.doubles = copied(&constants);
    made.singles = malloc(sizeof(float) * (count + 1));
    for (Py_ssize_t i = 0; made.doubles && made.singles && i < count; i++)
        made.singles[i] = (float)made.doubles[i];
    const int fits = made.section[4] * (int64_t)sizeof(Instruction) == code.len && made.block > 0 && made.block <= BLOCK && made.block % 16 == 0;
    PyBuffer_Release(&code);
    PyBuffer_Release(&indices);
    PyBuffer_Release(&constants);
    if (kernel && made.code && made.indices && made.doubles && made.singles && fits) {
        *kernel = made;
        PyObject *capsule = PyCapsule_New(kernel, "kernel", kernel_free);
        if (capsule != NULL)
            return capsule;
    } else if (!fits)
        PyErr_SetString(PyExc_ValueError, "load: the code is not as long as its sections say, or there is no such block");
    else
        PyErr_NoMemory();
    free(made.code);
    free(made.indices);
    free(made.doubles);
    free(made.singles);
    free(kernel);
    return NULL;
}

PyDoc_STRVAR(run_doc, "run(kernel, machine, theta, x, y, share, samples, outputs, sums, parts, first, stop, finish)\n\n"
"Runs a kernel on some parts of a batch. theta, x, y and the outputs, a tuple, are arrays of the same floats, C-contiguous;\n"
"sums is one of float64 with a row for each part, or a single one to which all are added, one after the other. With\n"
"finish, what follows the sums is computed, too. The GIL is released meanwhile.");

static PyObject *run(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    enum { VIEWS = 8 };
    Py_buffer views[VIEWS];
    int taken = 0, status = 0;
    if (count != 13) {
        PyErr_SetString(PyExc_TypeError, "run: expected 13 arguments");
        return NULL;
    }
    const Kernel *kernel = PyCapsule_GetPointer(args[0], "kernel");
    const long machine = PyLong_AsLong(args[1]);
    PyObject *outputs = args[7];
    Call call = {.share = PyFloat_AsDouble(args[5]), .samples = PyLong_AsLongLong(args[6]), .parts = PyLong_AsLongLong(args[9]),
                 .first = PyLong_AsLongLong(args[10]), .stop = PyLong_AsLongLong(args[11]), .finish = PyObject_IsTrue(args[12])};
    if (PyErr_Occurred())
        return NULL;
    if (machine < 0 || machine >= machines() || !PyTuple_Check(outputs) || PyTuple_GET_SIZE(outputs) > 4) {
        PyErr_SetString(PyExc_ValueError, "run: no such machine, or the outputs are no tuple of at most 4");
        return NULL;
    }
    call.outputs = (int)PyTuple_GET_SIZE(outputs);
    PyObject *given[VIEWS] = {args[2], args[3], args[4], args[8]};
    for (int o = 0; o < call.outputs; o++)
        given[4 + o] = PyTuple_GET_ITEM(outputs, o);
    for (; taken < 4 + call.outputs; taken++)
        if (PyObject_GetBuffer(given[taken], &views[taken], PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (taken < 3 ? 0 : PyBUF_WRITABLE)) < 0)
            goto done;
    call.theta = views[0].buf;
    call.x = views[1].buf;
    call.y = views[2].buf;
    call.width[0] = views[1].ndim == 2 ? views[1].shape[1] : 1;
    call.width[1] = views[2].ndim == 2 ? views[2].shape[1] : 1;
    call.sums = views[3].buf;
    call.rows = views[3].ndim == 2 ? views[3].shape[0] : 1;
    for (int o = 0; o < call.outputs; o++)
        call.output[o] = views[4 + o].buf;
    const Run runs = views[0].itemsize == sizeof(float) ? MACHINES[machine].singles : MACHINES[machine].doubles;
    Py_BEGIN_ALLOW_THREADS
    status = runs(kernel, &call);
    Py_END_ALLOW_THREADS
    if (status < 0)
        PyErr_NoMemory();
done:
    while (taken > 0)
        PyBuffer_Release(&views[--taken]);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef METHODS[] = {
    {"load", load, METH_VARARGS, load_doc},
    {"run", (PyCFunction)(void (*)(void))run, METH_FASTCALL, run_doc},
    {NULL, NULL, 0, NULL},
};

static PyObject *numbered(const char *const *names, size_t count)
{
    PyObject *dict = PyDict_New();
    for (size_t i = 0; dict != NULL && i < count; i++) {
        PyObject *number = PyLong_FromSize_t(i);
        if (number == NULL || PyDict_SetItemString(dict, names[i], number) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(number);
    }
    return dict;
}

static int added(PyObject *module, const char *name, PyObject *thing)  /* steals the thing */
{
    const int status = thing == NULL ? -1 : PyModule_AddObjectRef(module, name, thing);
    Py_XDECREF(thing);
    return status;
}

static int fill(PyObject *module)
{
    PyObject *names = PyTuple_New(machines());
    for (int i = 0; names != NULL && i < machines(); i++)
        PyTuple_SET_ITEM(names, i, PyUnicode_FromString(MACHINES[i].name));
    if (added(module, "MACHINES", names) < 0
        || added(module, "OPS", numbered(OPS, sizeof(OPS) / sizeof(*OPS))) < 0
        || added(module, "LIBRARY", numbered(LIBRARY, sizeof(LIBRARY) / sizeof(*LIBRARY))) < 0
        || added(module, "SPACES", numbered(SPACE_NAMES, sizeof(SPACE_NAMES) / sizeof(*SPACE_NAMES))) < 0)
        return -1;
    return 0;
}

static PyModuleDef_Slot SLOTS[] = {{Py_mod_exec, (void *)fill}, {0, NULL}};
static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "machine", "Runs kernels, which micrograd_plus.program.kernels writes.", 0, METHODS, SLOTS, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_machine(void)
{
    return PyModuleDef_Init(&MODULE);
}
