// Where JavaScript's own arithmetic differs from Python's.
const python = {
  pow(x, y) {
    return x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : Math.pow(x, y);
  },
  pow_log(x, y, n) {
    const times = n > 0 ? python.round(n) : n <= 0 ? 0 : n;
    return x === 0 && y >= 0 && times > 0 ? 0 : python.pow(x, y) * python.pow(Math.log(x), times);
  },
  mod(x, y) {
    const rest = x % y;
    return rest !== 0 && rest < 0 !== y < 0 ? rest + y : rest;
  },
  round(x) {
    return Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x); // halves to the even number
  },
  where(condition, x, y) {
    return condition !== 0 ? x : y; // nan is true
  },
};
