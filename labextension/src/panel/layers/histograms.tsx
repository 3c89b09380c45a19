/** The values of a layer's weight and of its input with the grid over them: what clipping cuts off is seen here. */

import { HistogramChart } from '../../charts';
import type { HistogramData } from '../../charts';
import { settingOf } from '../core/settings';
import type { Store } from '../store';
import type { Activation, Observer } from '../types';
import { useChart, useLive } from './live';
import { choosesBits } from './target';
import type { Words } from './words';

interface Props {
  store: Store;
  layer: number;
  t: Words;
}

const NOTHING_YET = { edges: [], counts: [], grid: [], clipLow: 0, clipHigh: 0 };

export function WeightHistogram({ store, layer, t }: Props) {
  const { name } = store.network.layers[layer];
  const place = useChart(
    host => new HistogramChart(host, store.language.peek()),
    chart => {
      // Predictions go with the frame, and are new when sketches came.
      const { weights } = store.prediction.value.layers[layer];
      const options = store.options.peek();
      // With what is chosen given, nothing has to be chosen again for the sake of one picture.
      const found = store.predictor.histogram(
        layer,
        choosesBits(options) ? { ...options, budget: null, max_drop: null, weights } : options
      );
      chart.update({
        ...(found ?? NOTHING_YET),
        caption: t('weightHistogram', { name }),
        language: store.language.value
      });
    },
    [store, layer, t]
  );
  return <div ref={place} class="gs-Layers-histogram" />;
}

export function InputHistogram({ store, layer, t }: Props) {
  const known = store.network.layers[layer];
  // Only these of all options change the picture.
  const quantized = useLive(
    () => settingOf(store.options.value, known).activations === 'int8',
    [store, layer]
  );
  const observer = useLive(() => store.options.value.activation_observer, [store]);
  const place = useChart(
    host => new HistogramChart(host, store.language.peek()),
    chart => {
      if (known.activation !== null) {
        chart.update({
          ...inputHistogram(known.activation, quantized.value ? observer.value : null),
          caption: t('inputHistogram', { name: known.name }),
          language: store.language.value
        });
      }
    },
    [store, layer, t]
  );
  return <div ref={place} class="gs-Layers-histogram" />;
}

/** The input's histogram with the range that an observer chooses; with null, nothing is quantized. */
export function inputHistogram(
  { low, high, counts, observers }: Activation,
  observer: Observer | null
): Omit<HistogramData, 'caption'> {
  const width = (high - low) / counts.length;
  const edges = Array.from({ length: counts.length + 1 }, (_, index) => low + index * width);
  if (observer === null) {
    return { edges, counts, grid: [], clipLow: low, clipHigh: high };
  }
  const range = observers[observer];
  const grid = Array.from({ length: 256 }, (_, level) => (level - range.zero_point) * range.scale);
  return { edges, counts, grid, clipLow: range.low, clipHigh: range.high };
}
