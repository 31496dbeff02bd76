/* What the steps of interpreter.c compute: a line for each kind, in C.

Lists for the preprocessor: interpreter.c makes of them the numbers of the kinds, their names, and the loop over them. */

/* Rows of the table, by their names, each of its arguments x, y, z; besides these those in rows.h. Others are made of
   these, by `arrays`. */
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
    ROW(exp2, exp2(x))                                                                                                 \
    ROW(log2, log2(x))                                                                                                 \
    ROW(log10, log10(x))                                                                                               \
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
    ROW(tan, tan(x))                                                                                                   \
    ROW(asin, asin(x))                                                                                                 \
    ROW(acos, acos(x))                                                                                                 \
    ROW(atan, atan(x))                                                                                                 \
    ROW(atan2, atan2(x, y))                                                                                            \
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
    ROW(relu, x <= 0.0 ? 0.0 : x)

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
