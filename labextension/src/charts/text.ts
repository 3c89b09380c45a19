/** How wide text is, measured once: measuring is what drawing spends most of its time with. */

export type Measured = (text: string) => number;

const MOST_REMEMBERED = 4000;
/** No chart has room for more at either end of a name; a file may hold names of any length. */
const MOST_LETTERS = 200;

/** Widths in `font`, remembered across drawings. */
export class TextWidths {
  readonly #widths = new Map<string, number>();
  readonly #shortened = new Map<string, string>();
  #font = '';

  /** A function that measures in `font`, which it leaves set in `context`. */
  in(context: CanvasRenderingContext2D, font: string): Measured {
    if (font !== this.#font || this.#widths.size + this.#shortened.size > MOST_REMEMBERED) {
      this.#widths.clear();
      this.#shortened.clear();
      this.#font = font;
    }
    context.font = font;
    return text => {
      let width = this.#widths.get(text);
      if (width === undefined) {
        width = context.measureText(text).width;
        this.#widths.set(text, width);
      }
      return width;
    };
  }

  /** `text`; if it is wider than `room`, without `prefix`, and if need be with its middle left out. */
  fit(text: string, room: number, measured: Measured, prefix = ''): string {
    if (prefix !== '' && text.startsWith(prefix) && measured(text) > room) {
      const rest = text.slice(prefix.length);
      const marked = `\u2026${rest}`;
      return measured(marked) <= room ? marked : this.fit(rest, room, measured);
    }
    const key = `${Math.floor(room)} ${text}`;
    let fitting = this.#shortened.get(key);
    if (fitting === undefined) {
      fitting = shortened(text, room, measured);
      this.#shortened.set(key, fitting);
    }
    return fitting;
  }
}

/** `text` with as much of its start and end as fits into `room`: names of layers differ at both, at the end more. */
export function shortened(text: string, room: number, measured: Measured): string {
  const letters = Array.from(text.length > 2 * MOST_LETTERS ? ends(text) : text);
  let [fits, tooMany] = [0, letters.length + 1];
  while (tooMany - fits > 1) {
    const kept = (fits + tooMany) >> 1;
    if (measured(keep(letters, kept)) <= room) {
      fits = kept;
    } else {
      tooMany = kept;
    }
  }
  return keep(letters, fits);
}

/** What more than half of several names begin with, up to a dot: it tells none of them from another. */
export function sharedPrefix(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) {
    const start = name.slice(0, MOST_LETTERS);
    for (let dot = start.indexOf('.'); dot >= 0; dot = start.indexOf('.', dot + 1)) {
      const prefix = start.slice(0, dot + 1);
      counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
    }
  }
  let shared = '';
  for (const [prefix, count] of counts) {
    if (count > Math.max(1, names.length / 2) && prefix.length > shared.length) {
      shared = prefix;
    }
  }
  return shared;
}

function ends(text: string): string {
  return text.slice(0, MOST_LETTERS) + text.slice(-MOST_LETTERS);
}

function keep(letters: string[], count: number): string {
  if (count >= letters.length) {
    return letters.join('');
  }
  const head = Math.min(2, Math.ceil(count / 3));
  const tail = letters.slice(letters.length - (count - head));
  return `${letters.slice(0, head).join('')}\u2026${tail.join('')}`;
}
