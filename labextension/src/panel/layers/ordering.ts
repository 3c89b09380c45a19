/** Which layers are shown and in which order: without it the worst of 300 layers would have to be looked for by eye. */

import type { ChartLayer, Measure } from '../../charts';
import { decibelNumber } from './numbers';

/** What is worse is smaller here; null where nothing is known. */
function goodness(layer: ChartLayer, measure: Measure): number | null {
  const { value } = layer;
  switch (measure) {
    case 'sqnr':
      return decibelNumber(value.sqnr);
    case 'inputSqnr':
      return decibelNumber(value.inputSqnr);
    case 'bytes':
      return -value.bytes;
    case 'share':
      return value.share === null ? null : -value.share;
    case 'bits':
      return value.bits ?? Infinity;
    case 'range':
      return value.range[0] - value.range[1];
  }
}

/** The numbers of `shown` layers, the worst by `measure` first; layers without a value last, equals as in the network. */
export function worstFirst(
  layers: readonly ChartLayer[],
  shown: readonly number[],
  measure: Measure
): number[] {
  const worth = layers.map(layer => goodness(layer, measure) ?? Infinity);
  // Two infinities have no difference, so they are compared and not subtracted.
  return [...shown].sort((a, b) => (worth[a] === worth[b] ? a - b : worth[a] < worth[b] ? -1 : 1));
}

/** The numbers of the layers whose name or operator holds every word of `query`. */
export function found(
  layers: readonly { name: string; operator: string }[],
  query: string
): number[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const numbers: number[] = [];
  layers.forEach(({ name, operator }, number) => {
    const text = `${name}\n${operator}`.toLowerCase();
    if (words.every(word => text.includes(word))) {
      numbers.push(number);
    }
  });
  return numbers;
}
