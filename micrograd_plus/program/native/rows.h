/* The rows of the table that functions.h computes: their name, the number of arguments, and the result for vectors a and b.

Lists for the preprocessor, as those in kernels.c and in operations.h: of them come numbers, names, and what is done. */

#define FUNCTION_ROWS(X)                                                       \
    X(exp, 1, NAME(v_exp)(a)) X(expm1, 1, NAME(v_expm1)(a)) X(log, 1, NAME(v_log)(a)) X(log1p, 1, NAME(v_log1p)(a)) \
    X(cosh, 1, NAME(v_cosh)(a)) X(sinh, 1, NAME(v_sinh)(a)) X(sech, 1, NAME(v_sech)(a)) \
    X(sin, 1, (NAME(v_sin_and_cos)(a, &b))) X(cos, 1, (NAME(v_sin_and_cos)(a, &b), b)) \
    X(tanh, 1, (NAME(v_tanh)(a, &b))) X(sigmoid, 1, (NAME(v_sigmoid)(a, &b))) X(sigmoid_slope, 1, (NAME(v_sigmoid)(a, &b), b)) \
    X(softplus, 1, NAME(v_softplus)(a)) X(logaddexp, 2, NAME(v_logaddexp)(a, b))
