// The functions of the table that JavaScript's Math lacks, computed as table.py computes them.
const special = {
  stop_gradient: (x) => x,
  copysign: (x, y) => (y < 0 || Object.is(y, -0) ? -Math.abs(x) : Math.abs(x)),
  direction: (x, y) => (Math.hypot(x, y) < Infinity ? x / Math.hypot(x, y) : (0.5 * x) / Math.hypot(0.5 * x, 0.5 * y)),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  logsigmoid: (x) => -special.softplus(-x),
  one_minus_square: (x) => (1 - x) * (1 + x),
  mish: (x) => x * Math.tanh(special.softplus(x)),
  gelu: (x) => 0.5 * x * special.erfc(-Math.SQRT1_2 * x),
  logaddexp: (x, y) => (x === y ? x + Math.LN2 : Math.max(x, y) + Math.log1p(Math.exp(-Math.abs(x - y)))),
  sinc(x) {
    if (x === 0) return 1;
    const whole = Math.floor(x + 0.5);
    return ((whole % 2 === 0 ? 1 : -1) * Math.sin(Math.PI * (x - whole))) / (Math.PI * x);
  },

  // Near 0 by Σ 2ᵏ x²ᵏ⁺¹ / (1 · 3 · … · (2k+1)), whose terms are all of one sign; else from erfc.
  erf(x) {
    if (!(Math.abs(x) < 0.5)) return Number.isNaN(x) ? NaN : Math.sign(x) * (1 - special.erfc(Math.abs(x)));
    let term = x;
    let sum = x;
    for (let k = 1; k < 20; k += 1) {
      term *= (2 * x * x) / (2 * k + 1);
      sum += term;
    }
    return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  },
  erfc(x) {
    if (x < 0.5) return x < -0.5 ? 2 - special.erfc(-x) : 1 - special.erf(x);
    return x === Infinity ? 0 : special.bell(x, -1) * special.erfcx(x);
  },
  erfcx: (x) => special.erfcx_derivative(x, 0),

  // exp(±x²): the square of `near` is exact.
  bell(x, sign) {
    const near = x > -27 ? Math.min(Math.round(x * 2 ** 20) / 2 ** 20, 30) : -27;
    return Math.exp(sign * near * near) * Math.exp(sign * (x - near) * (x + near));
  },

  // dⁿ/dxⁿ of exp(x²) erfc(x): upwards from the first ones, or by the ratios of neighbours, from far up downwards.
  erfcx_derivative(x, order) {
    if (Number.isNaN(x) || !(order >= 0 && order <= 100) || order % 1 !== 0) return NaN;
    if (x === Infinity) return 0;
    let out = (order % 2 === 0 ? 2 : -2) / Math.sqrt(Math.PI);
    if (x < 0.5) {
      let [now, add] = [special.bell(x, 1) * special.erfc(x), -2 / Math.sqrt(Math.PI)];
      for (let k = 1; k <= order; k += 1) [now, add] = [2 * x * now + add, 2 * k * now];
      return now;
    }
    let ratio = 0;
    for (let k = order + 30 + Math.floor(150 / (x * x)); k >= 0; k -= 1) {
      ratio = 1 / (2 * x + 2 * (k + 1) * ratio);
      if (k <= order) out *= (2 * k || 1) * ratio;
    }
    return out;
  },

  // A first guess, then three steps of Halley's method, on erf near 0 and on erfc near ±1.
  erfinv(x) {
    const size = Math.abs(x);
    if (!(size < 1)) return size === 1 ? x * Infinity : NaN;
    if (size < 1e-9) return (x * Math.sqrt(Math.PI)) / 2;
    const log = Math.log1p(-size * size);
    const half = 2 / (Math.PI * 0.147) + log / 2;
    let y = Math.sqrt(Math.sqrt(half * half - log / 0.147) - half);
    for (let k = 0; k < 3; k += 1) {
      const error = size < 0.5 ? special.erf(y) - size : 1 - size - special.erfc(y);
      const step = ((error * Math.sqrt(Math.PI)) / 2) * Math.exp(y * y);
      y -= step / (1 + y * step);
    }
    return Math.sign(x) * y;
  },
  log_ndtr(x) {
    if (x > -1) {
      const half = 0.5 * special.erfc(Math.SQRT1_2 * Math.abs(x));
      return x > 0 ? Math.log1p(-half) : Math.log(half);
    }
    return x > -1e160 ? Math.log(0.5 * special.erfcx(-Math.SQRT1_2 * x)) - 0.5 * x * x : x * Infinity;
  },
};
