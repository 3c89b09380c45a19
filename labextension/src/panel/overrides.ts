/** Changes settings of single layers: without it, a name's override would lose what a glob had said before. */

import { overrideOf } from './core/settings';
import type { Options, Override } from './types';

/**
 * The overrides of `options` with those of the layers `names` changed. A field of `patch` that is undefined is taken
 * out; null takes out a name's whole override. What a glob says of a layer is kept in the name's own override, since
 * that goes before the glob.
 */
export function withOverride(
  options: Options,
  names: readonly string[],
  patch: Partial<Override> | null
): Record<string, Override> {
  const changed = new Map(Object.entries(options.layers));
  for (const name of names) {
    const merged = patch === null ? {} : without({ ...overrideOf(options, name), ...patch });
    if (Object.keys(merged).length > 0) {
      changed.set(name, merged);
    } else {
      changed.delete(name);
    }
  }
  return Object.fromEntries(changed);
}

function without(override: Override): Override {
  return Object.fromEntries(Object.entries(override).filter(([, value]) => value !== undefined));
}
