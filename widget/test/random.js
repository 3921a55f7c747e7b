// Random numbers from a seed, so that a failing history can be played again.

/** A function that gives a whole number from 0 up to, not including, its argument. */
export function randomFrom(seed) {
  let state = seed * 2_654_435_761;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}
