/** Axes: where a value lies between two ends, and at which round values an axis is marked. */

export interface Scale {
  /** Where `value` lies: 0 at the lower end, 1 at the upper; beyond them it stays at the end. */
  at(value: number): number;
  ticks: number[];
  low: number;
  high: number;
}

/** An axis from at most `low` to at least `high` that ends on round values. */
export function linearScale(low: number, high: number, most = 6): Scale {
  const [from, to] = low < high ? [low, high] : [low, low + 1];
  const step = roundStep((to - from) / Math.max(1, most - 1));
  const first = Math.floor(from / step + 1e-9);
  const last = Math.ceil(to / step - 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, index) =>
    multiple(first + index, step)
  );
  return { at: between(first * step, last * step), ticks, low: first * step, high: last * step };
}

/** An axis that ends exactly at `low` and `high`, with round values between them. */
export function exactScale(low: number, high: number, most = 5): Scale {
  const rounded = linearScale(low, high, most);
  const slack = (high - low) * 1e-9;
  const ticks = rounded.ticks.filter(tick => tick >= low - slack && tick <= high + slack);
  return low < high ? { at: between(low, high), ticks, low, high } : rounded;
}

/** A logarithmic axis from a power of ten to another; both ends more than zero. */
export function logScale(low: number, high: number, most = 5): Scale {
  const first = Math.floor(Math.log10(low) + 1e-9);
  const last = Math.max(first + 1, Math.ceil(Math.log10(high) - 1e-9));
  const every = Math.ceil((last - first) / Math.max(1, most - 1));
  const ticks: number[] = [];
  for (let power = first; power <= last; power += every) {
    ticks.push(10 ** power);
  }
  return { at: logarithmic(10 ** first, 10 ** last), ticks, low: 10 ** first, high: 10 ** last };
}

/** Round steps of about the same ratio, from close to wide; none needs a third digit. */
const STEPS = [[1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8], [1, 1.5, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]];

/** A logarithmic axis that ends exactly at `low` and `high`: both more than zero, and not the same. */
export function exactLogScale(low: number, high: number, most = 6): Scale {
  for (const steps of STEPS) {
    const ticks = logTicks(low, high, steps);
    if (ticks.length <= most) {
      // Less than a factor of two holds too few of these; there a logarithm is nearly straight.
      return {
        at: logarithmic(low, high),
        ticks: ticks.length > 2 ? ticks : exactScale(low, high, most).ticks,
        low,
        high
      };
    }
  }
  const scale = logScale(low, high, most);
  return { ...scale, at: logarithmic(low, high), low, high };
}

function logTicks(low: number, high: number, steps: number[]): number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) {
    ticks.push(...steps.map(step => multiple(step, 10 ** power)));
  }
  return ticks.filter(tick => tick >= low && tick <= high);
}

/** The step of 1, 2 or 5 times a power of ten that is at least `width`. */
function roundStep(width: number): number {
  const power = 10 ** Math.floor(Math.log10(width));
  const step = [1, 2, 5].find(candidate => candidate * power >= width * (1 - 1e-9));
  return (step ?? 10) * power;
}

/** `count * step` without the dust of binary fractions: 3 times 0.1 is 0.3. */
function multiple(count: number, step: number): number {
  return Number((count * step).toPrecision(12));
}

function between(low: number, high: number): (value: number) => number {
  const width = high - low;
  return value => Math.min(1, Math.max(0, (value - low) / width));
}

function logarithmic(low: number, high: number): (value: number) => number {
  const place = between(Math.log(low), Math.log(high));
  return value => (value > low ? place(Math.log(value)) : 0);
}
