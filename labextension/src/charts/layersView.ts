/** The layers of a report as a chart, the selected one in detail: what a table of hundreds of rows doesn't show. */

import type { Layers, ReportLayer } from '../document';
import { element } from '../dom';
import { HistogramChart } from './histogramChart';
import { LayersChart } from './layersChart';
import { MEASURES, magnitudeOf, written } from './measures';
import { bytes, decibels, percent } from './numbers';
import type { ChartLayer, Measure } from './types';
import { wordsOf } from './words';

type Order = 'network' | 'lowest' | 'highest';

const ORDERS: Record<Order, string> = {
  network: 'As they run',
  lowest: 'Lowest first',
  highest: 'Highest first'
};
/** Reports are in English, as all of what Python writes. */
const WORDS = wordsOf('en');

/** The elements that show `block`. */
export function layersView(block: Layers): HTMLElement {
  const layers = block.layers.map(chartLayer);
  const measures = MEASURES.filter(measure =>
    layers.some(({ value }) => magnitudeOf(value, measure) !== null)
  );
  const title = element('div', { className: 'gs-Report-layersTitle', text: block.title });
  const root = element('section', {
    className: 'gs-Report-layers',
    attributes: { 'aria-label': block.title },
    children: [title]
  });
  if (measures.length === 0) {
    root.append(element('p', { text: WORDS.layersEmpty }));
    return root;
  }
  const measure = choice(
    'Show',
    measures.map(key => [key, WORDS[key]] as const)
  );
  const order = choice('Order', Object.entries(ORDERS) as [Order, string][]);
  const controls = [measure.label, order.label];
  root.append(element('div', { className: 'gs-Report-layersView', children: controls }));
  showLayers(root, block.layers, layers, measure.select, order.select);
  return root;
}

function showLayers(
  root: HTMLElement,
  details: readonly ReportLayer[],
  layers: ChartLayer[],
  measure: HTMLSelectElement,
  order: HTMLSelectElement
): void {
  let selected = [worst(layers)];
  const select = (chosen: number[]) => {
    selected = chosen;
    detail(chosen.map(layer => details[layer]));
  };
  const chart = new LayersChart(root, { select, hover: () => undefined });
  const detail = detailView(root);
  const update = () => {
    const shown = measure.value as Measure;
    const sorted = ordered(layers, shown, order.value as Order);
    chart.update(layers, { measure: shown, order: sorted, selected, language: 'en' });
  };
  measure.addEventListener('change', update);
  order.addEventListener('change', update);
  select(selected);
  update();
}

/** Below the chart: the facts of the selected layers, and the histogram of one. */
function detailView(root: HTMLElement): (layers: readonly ReportLayer[]) => void {
  const facts = element('dl', { className: 'gs-Report-facts' });
  const histogram = element('div');
  root.append(element('div', { className: 'gs-Report-layer', children: [facts] }), histogram);
  const chart = new HistogramChart(histogram);
  return layers => {
    facts.replaceChildren(
      ...factsOf(layers).map(([label, value]) =>
        element('div', {
          children: [element('dt', { text: label }), element('dd', { text: value })]
        })
      )
    );
    const shown = layers.length === 1 ? layers[0].histogram : null;
    histogram.hidden = shown === null;
    if (shown) {
      const { low, high, counts } = shown;
      chart.update({
        edges: Array.from(
          { length: counts.length + 1 },
          (_, index) => low + ((high - low) * index) / counts.length
        ),
        counts,
        grid: shown.grid,
        clipLow: shown.clipLow,
        clipHigh: shown.clipHigh,
        caption: `Weights of ${layers[0].name}${shown.inSteps ? ', in steps of the grid' : ''}`
      });
    }
  };
}

function factsOf(layers: readonly ReportLayer[]): [string, string][] {
  if (layers.length === 0) {
    return [['Selected', 'nothing']];
  }
  const sum = (key: 'bytesBefore' | 'bytesAfter' | 'errorShare') =>
    layers.every(layer => layer[key] !== null)
      ? layers.reduce((total, layer) => total + (layer[key] ?? 0), 0)
      : null;
  const [before, after, share] = [sum('bytesBefore'), sum('bytesAfter'), sum('errorShare')];
  const size = before === null || after === null ? null : `${bytes(before)} \u2192 ${bytes(after)}`;
  const facts: [string, string | null][] = [
    ['Size', size],
    [WORDS.share, share === null ? null : percent(share)]
  ];
  const own =
    layers.length === 1 ? factsOfOne(layers[0]) : [['Selected', `${layers.length} layers`]];
  return [...(own as [string, string | null][]), ...facts].filter(
    (fact): fact is [string, string] => Boolean(fact[1])
  );
}

function factsOfOne(layer: ReportLayer): [string, string | null][] {
  const { value } = chartLayer(layer);
  return [
    ['Layer', layer.name],
    ['Operator', layer.operator],
    ['Weights', layer.weights],
    ['Activations', layer.activations],
    [WORDS.sqnr, layer.sqnrDb === null ? null : decibels(layer.sqnrDb)],
    [WORDS.inputSqnr, layer.inputSqnrDb === null ? null : decibels(layer.inputSqnrDb)],
    [WORDS.range, magnitudeOf(value, 'range') === null ? null : written(value, 'range', WORDS)]
  ];
}

function chartLayer(layer: ReportLayer): ChartLayer {
  const bits = /int(\d{1,2})/.exec(layer.weights);
  return {
    name: layer.name,
    detail: [layer.operator, layer.weights].filter(Boolean).join(' \u00b7 '),
    value: {
      sqnr: layer.sqnrDb,
      inputSqnr: layer.inputSqnrDb,
      bytes: layer.bytesAfter ?? NaN,
      share: layer.errorShare,
      bits: bits && Number(bits[1]),
      range: [layer.low ?? NaN, layer.high ?? NaN]
    },
    truth: null,
    muted: false
  };
}

/** The layer with the most error: what one looks for first. */
function worst(layers: readonly ChartLayer[]): number {
  return ordered(layers, 'sqnr', 'lowest')[0];
}

/** Numbers of layers, those without a value last. */
function ordered(layers: readonly ChartLayer[], measure: Measure, order: Order): number[] {
  const sizes = layers.map(({ value }) => magnitudeOf(value, measure));
  const sign = order === 'highest' ? -1 : 1;
  const compare = (a: number | null, b: number | null) =>
    a === null || b === null
      ? Number(a === null) - Number(b === null)
      : a === b
        ? 0
        : sign * (a - b);
  const numbers = layers.map((_, index) => index);
  return order === 'network' ? numbers : numbers.sort((a, b) => compare(sizes[a], sizes[b]));
}

function choice(
  label: string,
  options: readonly (readonly [string, string])[]
): { label: HTMLElement; select: HTMLSelectElement } {
  const select = element('select', {
    children: options.map(([value, text]) => element('option', { text, attributes: { value } }))
  });
  return {
    label: element('label', { children: [element('span', { text: label }), select] }),
    select
  };
}
