/* Functions of the table that <math.h> lacks, for doubles, as ops/table.py has them and says whence they are.

Included by kernels.c and by interpreter.c, which call them one number at a time. */

#define SQRT_HALF 0.70710678118654752440
#define PI 3.14159265358979323846
#define SCALAR static __attribute__((unused)) double /* kernels.c calls only some of them */

SCALAR modulo(double x, double y)
{
    double rest = fmod(x, y);
    if (rest == 0.0)
        return copysign(0.0, y);
    return (y < 0.0) != (rest < 0.0) ? rest + y : rest;
}

SCALAR sigmoid(double x)
{
    if (x >= 0.0)
        return 1.0 / (1.0 + exp(-x));
    double e = exp(x);
    return e / (1.0 + e);
}

SCALAR sigmoid_slope(double x)
{
    double e = exp(-fabs(x));
    return e / ((1.0 + e) * (1.0 + e));
}

SCALAR log_add_exp(double x, double y)
{
    if (x == y)
        return x + log(2.0);
    return (x > y ? x : y) + log1p(exp(-fabs(x - y)));
}

SCALAR sinc(double x)
{
    if (x == 0.0)
        return 1.0;
    if (!isfinite(x))
        return NAN;
    double whole = floor(x + 0.5); /* sin(πx) by the distance to the nearest integer: exact zeros, no lost digits */
    return (fmod(whole, 2.0) != 0.0 ? -1.0 : 1.0) * sin(PI * (x - whole)) / (PI * x);
}

SCALAR direction(double x, double y)
{
    double r = hypot(x, y);
    return r < INFINITY ? x / r : 0.5 * x / hypot(0.5 * x, 0.5 * y);
}

SCALAR logit(double x)
{
    if (!(x > 0.0 && x < 1.0))
        return x == 0.0 ? -INFINITY : x == 1.0 ? INFINITY : NAN;
    return 0.25 < x && x < 0.75 ? log1p((2.0 * x - 1.0) / (1.0 - x)) : log(x / (1.0 - x));
}

SCALAR power_log(double x, double y, double n)
{
    double times = rint(n > 0.0 || n != n ? n : 0.0);
    return x == 0.0 && y >= 0.0 && times > 0.0 ? 0.0 : pow(x, y) * pow(log(x), times);
}

/* Winitzki's approximation (2008), polished by Halley's method on erf near 0 and on erfc near 1 and -1 */
SCALAR inverse_erf(double x)
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
SCALAR scaled_erfc(double x, double order)
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

SCALAR log_normal(double x)
{
    if (x > -1.0) {
        double half = 0.5 * erfc(SQRT_HALF * fabs(x));
        return x > 0.0 ? log1p(-half) : log(half);
    }
    if (x != x)
        return x;
    return x > -1e160 ? log(0.5 * scaled_erfc(-SQRT_HALF * x, 0.0)) - 0.5 * x * x : x * INFINITY;
}
