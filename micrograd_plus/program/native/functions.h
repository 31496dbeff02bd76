/* Functions of whole vectors: exp, log, sine and their kin, without a branch and right at every edge.

Included by block.h and by interpreter.h for each type of float, T, and each width, LANES. Errors stay below 1.6 units in
the last place, below 2.5 in the tanh of single floats, as tests/test_kernels.py measures against mpmath; nan, infinities,
zeros with their signs and numbers too small to be normal give what C's and NumPy's functions give. The polynomials are minimax ones, found by mpmath's chebyfit.
Without FUSED multiply-adds the bits are the same at every width. */

#undef V /* all that depends on the type and the width is defined anew */
#undef M
#undef N
#undef SIGN
#undef MANTISSA
#undef BIAS
#undef ROUNDER
#undef LN2_HIGH
#undef LN2_LOW
#undef EXP_TOP
#undef EXP_BOTTOM
#undef EXP_NORMAL
#undef TINY
#undef SUBNORMAL
#undef SCALE_UP
#undef SCALED

typedef T NAME(V) __attribute__((vector_size(LANES * sizeof(T))));
typedef INTEGER NAME(M) __attribute__((vector_size(LANES * sizeof(T))));
typedef T NAME(U) __attribute__((vector_size(LANES * sizeof(T)), aligned(sizeof(T)), may_alias));
typedef UNSIGNED NAME(N) __attribute__((vector_size(LANES * sizeof(T))));
#define V NAME(V)
#define M NAME(M)
#define N NAME(N)

#define K(x) ((T)(x))
#define LOAD(p) ((V)*(const NAME(U) *)(p))
#define STORE(p, v) (*(NAME(U) *)(p) = (NAME(U))(v))
#define SPLAT(x) ((T)(x) - (V){0})
#define PICK(mask, a, b) ((V)(((M)(mask) & (M)(a)) | (~(M)(mask) & (M)(b)))) /* where(mask, a, b) */
#define SIZE(x) ((V)((M)(x) & ~SIGN))
#define SIGN_OF(x) ((M)(x) & SIGN)
#define ONES(mask) ((V)((M)(mask) & (M)SPLAT(1))) /* a comparison as 1 or 0 */

#if SINGLE
#define SIGN ((INTEGER)0x80000000u)
#define MANTISSA 23 /* its bits */
#define BIAS 127
#define ROUNDER K(12582912.0) /* 1.5 · 2²³: adding it leaves a whole number in the last bits */
#define LN2_HIGH K(0.693359375) /* its product with a whole number is exact */
#define LN2_LOW K(-2.12194440054690583e-4)
#define EXP_TOP K(89)
#define EXP_BOTTOM K(-104)
#define EXP_NORMAL K(-87)  /* where exp is still a normal number */
#define TINY K(0x1p-26)
#define SUBNORMAL K(0x1p-126)
#define SCALE_UP K(0x1p25)
#define SCALED 25
static const T NAME(exp_terms)[] = {K(0.5000000014286223), K(0.16666666682534356), K(0.04166645680967788), K(0.008333310024225292), K(0.0013934541928270264), K(0.0001989198131397769)};
static const T NAME(log_terms)[] = {K(0.6666668560327356), K(0.39988550988935756), K(0.29590317357160395)};
static const T NAME(sinh_terms)[] = {K(0.16666666646842135), K(0.00833333967591706), K(0.00019838101968683888), K(2.8062802582276946e-06)};
#else
#define SIGN ((INTEGER)0x8000000000000000ull)
#define MANTISSA 52
#define BIAS 1023
#define ROUNDER 6755399441055744.0 /* 1.5 · 2⁵² */
#define LN2_HIGH 0x1.62e42feep-1
#define LN2_LOW 1.90821492927058770002e-10
#define EXP_TOP 710.0
#define EXP_BOTTOM -746.0
#define EXP_NORMAL -708.0  /* where exp is still a normal number */
#define TINY 0x1p-54
#define SUBNORMAL 0x1p-1022
#define SCALE_UP 0x1p54
#define SCALED 54
static const T NAME(exp_terms)[] = {0.5, 0.1666666666666667, 0.04166666666666667, 0.008333333333325544, 0.0013888888888883327, 0.00019841269876864356, 2.4801587327007187e-05, 2.755725283351691e-06, 2.75572718102198e-07, 2.5106274733573296e-08, 2.0915442297780116e-09};
static const T NAME(log_terms)[] = {0.666666666666667, 0.3999999999989322, 0.28571428628810996, 0.22222210674238516, 0.18182922513515942, 0.15330617306743305, 0.1463003136412286};
static const T NAME(sinh_terms)[] = {0.16666666666666666, 0.008333333333333299, 0.00019841269841324198, 2.7557319191381816e-06, 2.5052117695907823e-08, 1.6057679623801638e-10, 7.746178593018827e-13};
/* (sin(√z) / √z - 1) / z and (cos(√z) - 1 + z / 2) / z² for √z up to π / 4 */
static const T NAME(sin_terms)[] = {-0.16666666666666666, 0.008333333333330943, -0.0001984126983674956, 2.755731609787775e-06, -2.5051130870968297e-08, 1.591805913698281e-10};
static const T NAME(cos_terms)[] = {0.041666666666666664, -0.0013888888888887393, 2.4801587298760048e-05, -2.755731726880539e-07, 2.0876145659059344e-09, -1.1382588535352522e-11};
#endif
#define QUARTER_HIGH 0x1.921fb544p+0 /* π / 2 in parts, whose products with a whole number up to 2²⁰ are exact; and the rest */
#define QUARTER_LOW 0x1.0b4611a6p-34
#define QUARTER_REST 0x1.3198a2e037073p-69
#define FAR 1e4 /* beyond, these parts are too few */
#define POLYNOMIAL(x, terms) NAME(estrin)(x, terms, (int)(sizeof(terms) / sizeof(*terms)))

/* A polynomial by Estrin's scheme: neighbours are joined, and these again, so that little waits for what came before. */
INLINE V NAME(estrin)(V x, const T *terms, int count)
{
    V parts[6], power = x * x;
    int left = (count + 1) / 2;
#pragma GCC unroll 6
    for (int i = 0; i < left; i++)
        parts[i] = 2 * i + 1 < count ? terms[2 * i] + terms[2 * i + 1] * x : SPLAT(terms[2 * i]);
#pragma GCC unroll 3
    for (; left > 1; left = (left + 1) / 2, power = power * power) {
#pragma GCC unroll 3
        for (int i = 0; i < left / 2; i++)
            parts[i] = parts[2 * i] + parts[2 * i + 1] * power;
        if (left % 2)
            parts[left / 2] = parts[left - 1];
    }
    return parts[0];
}

/* x as k · ln 2 and a rest r, at most ln 2 / 2; returns exp(r) - 1, and what it lacks for lost bits, where that is asked. */
INLINE V NAME(reduced)(V x, V *k, V *lost)
{
    *k = (x * K(1.44269504088896340736) + ROUNDER) - ROUNDER;
    V high = x - *k * LN2_HIGH, low = *k * LN2_LOW, r = high - low;
    V more = r * r * POLYNOMIAL(r, NAME(exp_terms)), out = r + more;
    if (lost)
        *lost = (more - (out - r)) + ((high - r) - low);
    return out;
}

/* 2 to a whole power, in the range of normal numbers. */
INLINE V NAME(power_of_2)(V k)
{
    return (V)(((N)(k + ROUNDER) << MANTISSA) + (N)SPLAT(1));
}

/* x · 2ᵏ in two steps, since k may leave the range of exponents; rounds once. */
INLINE V NAME(scaled)(V x, V k)
{
    V half = (k * K(0.5) + ROUNDER) - ROUNDER;
    return x * NAME(power_of_2)(half) * NAME(power_of_2)(k - half);
}

INLINE V NAME(clamped)(V x)  /* to where exp is neither 0 nor infinite; nan stays */
{
    x = PICK(x > EXP_TOP, SPLAT(EXP_TOP), x);
    return PICK(x < EXP_BOTTOM, SPLAT(EXP_BOTTOM), x);
}

/* exp(-|x|), which never overflows. */
INLINE V NAME(v_exp_down)(V x)
{
    V size = SIZE(x), k;
    V p = NAME(reduced)(-PICK(size > -EXP_BOTTOM, SPLAT(-EXP_BOTTOM), size), &k, NULL);
    return NAME(scaled)(K(1) + p, k);
}

INLINE V NAME(v_exp)(V x)
{
    V k, p = NAME(reduced)(NAME(clamped)(x), &k, NULL);
    return NAME(scaled)(K(1) + p, k);
}

INLINE V NAME(v_expm1)(V x)
{
    V inside = PICK(x < K(-45), SPLAT(-45), x), k, lost;
    V p = NAME(reduced)(PICK(inside > EXP_TOP, SPLAT(EXP_TOP), inside), &k, &lost);
    V half = NAME(power_of_2)(k - K(1));  /* 2¹⁰²⁴ would be infinite */
    V out = (half * p + (half - K(0.5))) + half * lost;
    return PICK(SIZE(x) < TINY, x, out + out);
}

/* tanh(x), and its slope 1 - tanh(x)² = 4e / (1 + e)² with e = exp(-2|x|), which keeps its digits where tanh nears 1. What
   is lost to rounding on the way is made up for in doubles; single floats go without, in nine tenths of the time. */
INLINE V NAME(v_tanh)(V x, V *slope)
{
    V size = SIZE(x), k, lost;
    M far = (M)(size > K(-0.5) * EXP_NORMAL);  /* there e is below all normal numbers, or 0 */
    V p = NAME(reduced)(K(-2) * PICK(far, SPLAT(K(-0.5) * EXP_NORMAL), size), &k, SINGLE ? NULL : &lost);
    V power = NAME(power_of_2)(k), e = (K(1) + p) * power;
    V part = -(power * p + (power - K(1))), whole = K(2) - part;  /* 1 - e and 1 + e */
    if (!SINGLE)
        lost = power * lost + (power * p + (part + (power - K(1))));  /* what is to be taken from the one, added to the other */
    V reciprocal = K(1) / whole, small = e * reciprocal;
    *slope = (V)(~far & (M)(K(4) * small * reciprocal));
#ifdef FUSED
    V out = part * reciprocal, rest = part - out * whole;  /* exact, in one multiply-add */
#else
    V out = part / whole, rest = SPLAT(0);
#endif
    if (SINGLE)
        out = out + rest * reciprocal;
    else
        out = out + ((rest - lost) + out * (((whole - K(2)) + part) - lost)) * reciprocal;
    return (V)((M)out | SIGN_OF(x));
}

INLINE V NAME(v_sech)(V x)
{
    V e = NAME(v_exp_down)(x);
    return K(2) * e / (K(1) + e * e);
}

INLINE V NAME(v_sech_square)(V x)
{
    V e = NAME(v_exp_down)(K(2) * x), reciprocal = K(1) / (K(1) + e);
    return K(4) * e * reciprocal * reciprocal;
}

/* The logistic function and its slope. */
INLINE V NAME(v_sigmoid)(V x, V *slope)
{
    V e = NAME(v_exp_down)(x), reciprocal = K(1) / (K(1) + e), small = e * reciprocal;
    *slope = small * reciprocal;
    return PICK(x < K(0), small, reciprocal);
}

INLINE V NAME(v_half_exp)(V x)  /* exp(x) / 2 for x ≥ 0, which overflows where cosh does */
{
    V k, p = NAME(reduced)(PICK(x > EXP_TOP + K(1), SPLAT(EXP_TOP + K(1)), x), &k, NULL);
    return NAME(scaled)(K(1) + p, k - K(1));
}

INLINE V NAME(v_cosh)(V x)
{
    V half = NAME(v_half_exp)(SIZE(x));
    return half + K(0.25) / half;
}

INLINE V NAME(v_sinh)(V x)
{
    V size = SIZE(x), half = NAME(v_half_exp)(size), z = size * size;
    V near = size + size * (z * POLYNOMIAL(z, NAME(sinh_terms)));
    return (V)((M)PICK(size < K(1), near, half - K(0.25) / half) | SIGN_OF(x));
}

/* ln((x + lost) / 2ˡᵉˢˢ) of a positive normal number, of which so much was lost to rounding. */
INLINE V NAME(log_of)(V x, V lost, V less)
{
    const UNSIGNED root_half = SINGLE ? (UNSIGNED)0x3f3504f3 : (UNSIGNED)0x3fe6a09e667f3bcdull;
    const UNSIGNED one = (UNSIGNED)BIAS << MANTISSA, mask = ((UNSIGNED)1 << MANTISSA) - 1;
    const T top = SINGLE ? K(0x1p23) : K(0x1p52);
    N shifted = (N)x - root_half + one;  /* so that what is left of the exponent lies between √½ and √2 */
    V k = (V)((shifted >> MANTISSA) | (N)SPLAT(top)) - (top + K(BIAS)) - less;
    V f = (V)((shifted & mask) + root_half) - K(1), s = f / (K(2) + f), z = s * s, half = K(0.5) * f * f;
    V rest = z * POLYNOMIAL(z, NAME(log_terms));
    return k * LN2_HIGH + (f - (half - (s * (half + rest) + (k * LN2_LOW + lost / x))));
}

INLINE V NAME(v_log)(V x)
{
    M small = (M)(x < SUBNORMAL);
    V out = NAME(log_of)(PICK(small, x * SCALE_UP, x), SPLAT(0), PICK(small, SPLAT(SCALED), SPLAT(0)));
    out = PICK(x > K(0), out, PICK(x == K(0), SPLAT(-INFINITY), SPLAT(NAN)));
    return PICK((x == K(INFINITY)) | (x != x), x, out);
}

INLINE V NAME(v_log1p)(V x)
{
    V sum = K(1) + x, back = sum - K(1);
    V lost = (K(1) - (sum - back)) + (x - back);
    V out = NAME(log_of)(sum, lost, SPLAT(0));
    out = PICK(x > K(-1), out, PICK(x == K(-1), SPLAT(-INFINITY), SPLAT(NAN)));
    return PICK((SIZE(x) < TINY) | (x == K(INFINITY)) | (x != x), x, out);
}

INLINE V NAME(v_maximum)(V x, V y)
{
    return PICK((x > y) | (x != x), x, y);
}

INLINE V NAME(v_minimum)(V x, V y)
{
    return PICK((x < y) | (x != x), x, y);
}

INLINE V NAME(v_logaddexp)(V x, V y)
{
    V apart = NAME(v_maximum)(x, y) + NAME(v_log1p)(NAME(v_exp_down)(x - y));
    return PICK(x == y, x + K(0.69314718055994530942), apart);
}

INLINE V NAME(v_sign)(V x)
{
    return PICK(x > K(0), SPLAT(1), PICK(x < K(0), SPLAT(-1), PICK(x == K(0), SPLAT(0), x)));
}

INLINE V NAME(v_softplus)(V x)
{
    return PICK(x > K(0), x, SPLAT(0)) + NAME(v_log1p)(NAME(v_exp_down)(x));
}

#if SINGLE
/* sin(x) and cos(x): as doubles, since near the multiples of π a float has too few digits to go on with. */
INLINE V NAME(v_sin_and_cos)(V x, V *cosine)
{
    double wide[3][LANES];
    V sine;
    for (int l = 0; l < LANES; l++)
        wide[0][l] = x[l];
    for (int l = 0; l < LANES; l += LANES / 2)
        PASTE(sin_and_cos_at, PASTE(WIDTH, double))(wide[0] + l, wide[1] + l, wide[2] + l);
    for (int l = 0; l < LANES; l++) {
        sine[l] = (T)wide[1][l];
        (*cosine)[l] = (T)wide[2][l];
    }
    return sine;
}
#else
/* Of y + rest, what is left of a number without its quarter turns, the sine; the cosine, if the turns are one more. */
INLINE V NAME(after_turns)(N turns, V y, V rest)
{
    V z = y * y, half = K(0.5) * z, whole = K(1) - half;
    V sine = y + (rest * whole + y * z * POLYNOMIAL(z, NAME(sin_terms)));
    V cosine = whole + (((K(1) - whole) - half) + (z * z * POLYNOMIAL(z, NAME(cos_terms)) - y * rest));
    return (V)((M)PICK(-(M)(turns & 1), cosine, sine) ^ (M)(turns >> 1 << 63));
}

/* sin(x) and cos(x). */
INLINE V NAME(v_sin_and_cos)(V x, V *cosine)
{
    V k = (x * K(0.63661977236758134308) + ROUNDER) - ROUNDER;
    V t = x - k * QUARTER_HIGH, more = k * QUARTER_LOW, r = t - more, back = r - t;
    V lost = ((t - (r - back)) - (more + back)) - k * QUARTER_REST, y = r + lost, rest = (r - y) + lost;
    N turns = (N)(k + ROUNDER);
    V sine = PICK(SIZE(x) < TINY, x, NAME(after_turns)(turns, y, rest));
    *cosine = NAME(after_turns)(turns + 1, y, rest);
    for (int l = 0; l < LANES; l++)
        if (!(fabs(x[l]) < FAR)) {
            sine[l] = sin(x[l]);
            (*cosine)[l] = cos(x[l]);
        }
    return sine;
}

static __attribute__((unused)) void NAME(sin_and_cos_at)(const T *x, T *sine, T *cosine)
{
    V other, one = NAME(v_sin_and_cos)(LOAD(x), &other);
    STORE(sine, one);
    STORE(cosine, other);
}
#endif
