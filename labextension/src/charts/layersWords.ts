/** What a chart of layers shows, in words and as a table: for screen readers, and beside the mouse. */

import type { Numbers } from './dataTable';
import { magnitudeOf, written } from './measures';
import type { ChartLayer, LayersView, Measure } from './types';
import { Words, filled } from './words';

/** How many layers, and the lowest, the median and the highest value. */
export function summaryOf(
  layers: readonly ChartLayer[],
  measure: Measure,
  selected: number,
  words: Words
): string {
  const count = layers.length;
  if (count === 0) {
    return words.layersEmpty;
  }
  const known = layers
    .map(layer => ({ layer, size: magnitudeOf(layer.value, measure) }))
    .filter((entry): entry is { layer: ChartLayer; size: number } => entry.size !== null)
    .sort((a, b) => (a.size === b.size ? 0 : a.size - b.size));
  if (known.length === 0) {
    return filled(words.layersUnknown, { count });
  }
  const [low, median, high] = [known[0], known[known.length >> 1], known[known.length - 1]];
  const sentence = filled(measure === 'range' ? words.rangesSummary : words.layersSummary, {
    count,
    low: written(low.layer.value, measure, words),
    lowName: low.layer.name,
    median: written(median.layer.value, measure, words),
    high: written(high.layer.value, measure, words),
    highName: high.layer.name
  });
  return selected > 0
    ? `${sentence} ${filled(words.layersSelected, { count: selected })}`
    : sentence;
}

/** The value of a layer, and what was measured of it, if it was. */
export function valuesOf(layer: ChartLayer, measure: Measure, words: Words): string {
  const value = written(layer.value, measure, words);
  return magnitudeOf(layer.truth, measure) === null
    ? value
    : `${words.predicted} ${value}, ${words.measured} ${written(layer.truth, measure, words)}`;
}

/** What is said when the keyboard comes to a layer. */
export function announcementOf(
  layers: readonly ChartLayer[],
  column: number,
  view: { measure: Measure; selected: boolean },
  words: Words
): string {
  const layer = layers[column];
  const parts = [layer.name, layer.detail, valuesOf(layer, view.measure, words)];
  if (view.selected) {
    parts.push(words.selected);
  }
  parts.push(filled(words.position, { position: column + 1, count: layers.length }));
  return parts.filter(Boolean).join(', ');
}

/** The numbers of all layers, as they are shown. */
export function numbersOf(layers: readonly ChartLayer[], view: LayersView, words: Words): Numbers {
  const { measure } = view;
  const measured = layers.some(layer => magnitudeOf(layer.truth, measure) !== null);
  const texts = [words.layer, words.setting].map(label => ({ label, number: false }));
  const numbers = measured ? [words.predicted, words.measured] : [words.value];
  return {
    caption: filled(words.layersName, { measure: words[measure] }),
    columns: [...texts, ...numbers.map(label => ({ label, number: true }))],
    rows: layers.map(layer => [
      layer.name,
      layer.detail,
      written(layer.value, measure, words),
      ...(measured ? [written(layer.truth, measure, words)] : [])
    ])
  };
}
