export const GAMMA = 0x9e3779b97f4a7c15n;

/** Returns the first output of SplitMix64 started at a state. */
export function splitMix64(state) {
  let z = BigInt.asUintN(64, state + GAMMA);
  z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
  return z ^ (z >> 31n);
}

/** Returns values, rounded to three digits, with their counts. */
export function histogram(times) {
  const counts = new Map();
  for (const time of times) {
    const value = threeDigits(time);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => a - b);
}

/** Rounds to three significant decimal digits, half upwards. */
export function threeDigits(value) {
  const unit = 10 ** Math.max(0, String(value).length - 3);
  return Math.floor((value + Math.floor(unit / 2)) / unit) * unit;
}
