// Where JavaScript's own arithmetic differs from Python's, and how the derivatives of the rows are used.
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

// The derivative of an operation by an argument at [out, ...args], and whether anything passes to it: nothing does where
// its mask is 0. The same as Op.slope in engine/operations.py.
function slopeAt(op, place, at) {
  const { partials, masks } = rules[op];
  const slope = partials[place](...at);
  const gate = masks[place] === null ? 1 : masks[place] === true ? slope : masks[place](...at);
  return [slope, gate !== 0];
}
