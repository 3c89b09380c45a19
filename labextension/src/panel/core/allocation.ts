/** Bits for each layer under a limit of size: the sweep of `gsjupyter.quantization.allocation`, choice for choice. */

/** What one layer can be stored in, and what each choice costs. */
export interface LayerChoices {
  bits: readonly number[];
  sizes: readonly number[];
  /** What each choice adds to the error power of the output. */
  errors: readonly number[];
}

/** The settings on the convex hull of error over size, from the smallest to the most exact. */
export class ParetoCurve {
  readonly sizes: Float64Array;
  /** Sums of contributions. */
  readonly errors: Float64Array;
  readonly #choices: readonly LayerChoices[];
  readonly #start: number[];
  /** In the order of the curve: which layer takes which choice. */
  readonly #steps: { layer: number; choice: number; slope: number }[] = [];
  readonly #fixedBytes: number;

  constructor(choices: readonly LayerChoices[], fixedBytes: number) {
    this.#choices = choices;
    this.#fixedBytes = fixedBytes;
    this.#start = choices.map((item, layer) => this.#addSteps(item, layer));
    // Stable, so that the steps of one layer stay in order: along its hull they get less and less steep.
    this.#steps.sort((a, b) => a.slope - b.slope);
    this.sizes = new Float64Array(this.#steps.length + 1);
    this.errors = new Float64Array(this.#steps.length + 1);
    this.#addUp();
  }

  get length(): number {
    return this.#steps.length + 1;
  }

  /** The choices of a setting, by number. */
  chosen(number: number): number[] {
    const chosen = [...this.#start];
    for (let step = 0; step < number; step++) {
      chosen[this.#steps[step].layer] = this.#steps[step].choice;
    }
    return chosen;
  }

  /**
   * The choices of a good setting within a size, what is left spent where it helps most per byte; null if none fits.
   */
  within(limit: number): number[] | null {
    if (!(limit >= this.sizes[0])) {
      return null;
    }
    let number = this.length - 1;
    while (this.sizes[number] > limit) {
      number--;
    }
    return this.#filled(this.chosen(number), limit - this.sizes[number]);
  }

  #addSteps(item: LayerChoices, layer: number): number {
    const hull = hullOf(item);
    for (let at = 1; at < hull.length; at++) {
      this.#steps.push({ layer, choice: hull[at], slope: slope(item, hull[at - 1], hull[at]) });
    }
    return hull[0];
  }

  #addUp(): void {
    const chosen = [...this.#start];
    let size = this.#fixedBytes;
    this.#choices.forEach((item, layer) => (size += item.sizes[chosen[layer]]));
    this.sizes[0] = size;
    const saved = new Float64Array(this.#steps.length);
    this.#steps.forEach(({ layer, choice }, step) => {
      const { sizes, errors } = this.#choices[layer];
      size += sizes[choice] - sizes[chosen[layer]];
      this.sizes[step + 1] = size;
      saved[step] = errors[chosen[layer]] - errors[choice];
      chosen[layer] = choice;
    });
    // From the most exact on backwards: differences of large errors would lose the small ones.
    let error = 0;
    this.#choices.forEach((item, layer) => (error += item.errors[chosen[layer]]));
    for (let step = this.#steps.length; step >= 0; step--) {
      this.errors[step] = error;
      error += step > 0 ? saved[step - 1] : 0;
    }
  }

  #filled(chosen: number[], room: number): number[] {
    let left = room;
    for (let found = this.#improvement(chosen, left); found !== null;) {
      const { sizes } = this.#choices[found.layer];
      left -= sizes[found.choice] - sizes[chosen[found.layer]];
      chosen[found.layer] = found.choice;
      found = this.#improvement(chosen, left);
    }
    return chosen;
  }

  /** The choice that saves most per byte of those that fit; of equals the last. */
  #improvement(chosen: readonly number[], room: number): { layer: number; choice: number } | null {
    let best: { layer: number; choice: number } | null = null;
    let most = 0;
    for (let layer = 0; layer < chosen.length; layer++) {
      const { sizes, errors } = this.#choices[layer];
      const before = chosen[layer];
      for (let choice = 0; choice < sizes.length; choice++) {
        const more = sizes[choice] - sizes[before];
        const saved = errors[before] - errors[choice];
        if (more <= room && saved > 0 && saved / Math.max(more, 1) >= most) {
          most = saved / Math.max(more, 1);
          best = { layer, choice };
        }
      }
    }
    return best;
  }
}

/** Which choices lie on the lower convex hull of error over size, from the smallest to the most exact. */
export function hullOf(item: LayerChoices): number[] {
  const { sizes, errors } = item;
  const order = sizes.map((_, choice) => choice);
  order.sort((a, b) => sizes[a] - sizes[b] || errors[a] - errors[b]);
  const kept: number[] = [];
  for (const choice of order) {
    if (kept.length > 0 && errors[choice] >= errors[kept[kept.length - 1]]) {
      continue;
    }
    while (
      kept.length > 1 &&
      slope(item, kept[kept.length - 2], choice) <=
        slope(item, kept[kept.length - 2], kept[kept.length - 1])
    ) {
      kept.pop();
    }
    kept.push(choice);
  }
  return kept;
}

/** The error per byte between two choices: negative, since more bytes have less error. */
function slope({ sizes, errors }: LayerChoices, begin: number, end: number): number {
  return (errors[end] - errors[begin]) / (sizes[end] - sizes[begin]);
}
