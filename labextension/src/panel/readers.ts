/**
 * Readers of values that may be anything: a notebook can come from anyone, and a reader never throws.
 *
 * What isn't as agreed becomes the default, and its place goes into the list of what couldn't be read.
 */

export interface Unreadable {
  /** Where, as `network.layers.3.name`. */
  places: string[];
}

export type Reader<Value> = (raw: unknown, place: string, unreadable: Unreadable) => Value;

type Values<Readers> = { [Key in keyof Readers]: Readers[Key] extends Reader<infer V> ? V : never };

/** More places than this are no help to anyone. */
const MOST_PLACES = 100;

export function isRecord(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw);
}

/** A value that `accepts`, or `otherwise`. */
export function checked<Value>(
  accepts: (raw: unknown) => raw is Value,
  otherwise: Value
): Reader<Value> {
  return (raw, place, unreadable) => {
    if (accepts(raw)) {
      return raw;
    }
    if (unreadable.places.length < MOST_PLACES) {
      unreadable.places.push(place);
    }
    return otherwise;
  };
}

export const text: Reader<string> = checked(raw => typeof raw === 'string', '');
export const number: Reader<number> = checked(isNumber, 0);
export const flag: Reader<boolean> = flagOr(false);
export const anything: Reader<unknown> = raw => raw;

export function flagOr(otherwise: boolean): Reader<boolean> {
  return checked(raw => typeof raw === 'boolean', otherwise);
}

export function textLike(pattern: RegExp, otherwise: string): Reader<string> {
  return checked((raw): raw is string => typeof raw === 'string' && pattern.test(raw), otherwise);
}

export function numberFrom(low: number, high: number, otherwise: number): Reader<number> {
  return checked((raw): raw is number => isNumber(raw) && raw >= low && raw <= high, otherwise);
}

export function oneOf<Value extends string>(
  values: readonly Value[],
  otherwise: Value
): Reader<Value> {
  return checked((raw): raw is Value => values.some(value => value === raw), otherwise);
}

export function orNull<Value>(reader: Reader<Value>): Reader<Value | null> {
  return (raw, place, unreadable) =>
    raw === null || raw === undefined ? null : reader(raw, place, unreadable);
}

/** Items that `keeps` refuses are left out. */
export function listOf<Value>(
  reader: Reader<Value>,
  keeps: (item: Value, raw: unknown) => boolean = () => true
): Reader<Value[]> {
  const list = checked(raw => Array.isArray(raw), [] as unknown[]);
  return (raw, place, unreadable) =>
    list(raw, place, unreadable)
      .map(item => item as unknown)
      .flatMap((item, index) => {
        const value = reader(item, `${place}.${index}`, unreadable);
        return keeps(value, item) ? [value] : [];
      });
}

/** A mapping of any names to values. */
export function mapOf<Value>(reader: Reader<Value>): Reader<Record<string, Value>> {
  const map = checked(isRecord, {});
  // Entries are made properties one by one: a layer may be called __proto__.
  return (raw, place, unreadable) =>
    Object.fromEntries(
      Object.entries(map(raw, place, unreadable)).map(([key, value]) => [
        key,
        reader(value, `${place}.${key}`, unreadable)
      ])
    );
}

/** An object with these fields; others are left out. */
export function fields<Readers extends Record<string, Reader<unknown>>>(
  readers: Readers
): Reader<Values<Readers>> {
  const record = checked(isRecord, {});
  return (raw, place, unreadable) => {
    const found = record(raw, place, unreadable);
    // One place is enough where the whole object is missing.
    const inside = isRecord(raw) ? unreadable : { places: [] };
    return Object.fromEntries(
      Object.entries(readers).map(([key, reader]) => {
        const value = Object.hasOwn(found, key) ? found[key] : undefined;
        return [key, reader(value, place === '' ? key : `${place}.${key}`, inside)];
      })
    ) as Values<Readers>;
  };
}

/** Like `fields`, but what isn't there stays away. */
export function someFields<Readers extends Record<string, Reader<unknown>>>(
  readers: Readers
): Reader<Partial<Values<Readers>>> {
  const record = checked(isRecord, {});
  return (raw, place, unreadable) => {
    const found = record(raw, place, unreadable);
    return Object.fromEntries(
      Object.entries(readers)
        .filter(([key]) => Object.hasOwn(found, key) && found[key] !== undefined)
        .map(([key, reader]) => [key, reader(found[key], `${place}.${key}`, unreadable)])
    ) as Partial<Values<Readers>>;
  };
}

function isNumber(raw: unknown): raw is number {
  return typeof raw === 'number' && Number.isFinite(raw);
}
