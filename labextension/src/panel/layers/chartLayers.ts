/** From a prediction to what the chart draws: without it, the chart would have to know of options and results. */

import type { ChartLayer } from '../../charts';
import type { LayerPrediction } from '../core/prediction';
import type { Layer, LayerResult, Network, Result } from '../types';
import { bitsOf } from '../core/settings';

/** One entry for each layer of the network, the truth of `result` beside it. */
export function chartLayers(
  network: Network,
  predicted: readonly LayerPrediction[],
  result: Result | null
): ChartLayer[] {
  return network.layers.map((layer, number) =>
    chartLayer(layer, predicted[number], result?.layers[String(number)] ?? null)
  );
}

function chartLayer(
  layer: Layer,
  predicted: LayerPrediction,
  truth: LayerResult | null
): ChartLayer {
  return {
    name: layer.name,
    detail: `${layer.operator} \u00b7 ${settingText(predicted)}`,
    value: {
      sqnr: predicted.sqnrDb,
      inputSqnr: predicted.inputSqnrDb,
      bytes: predicted.bytes,
      share: predicted.share,
      bits: predicted.bits,
      range: [layer.low, layer.high]
    },
    truth: truth && {
      sqnr: truth.sqnr_db,
      inputSqnr: truth.input_sqnr_db,
      bytes: truth.bytes,
      share: truth.error_share,
      bits: bitsOf(truth.weights)
    },
    muted: predicted.fixed || predicted.pending
  };
}

/** int4, channel, 0.8 of the range; a float format alone. */
export function settingText(predicted: LayerPrediction): string {
  if (predicted.bits === null) {
    return predicted.weights;
  }
  const kept = predicted.clipping < 1 ? ` \u00b7 ${predicted.clipping.toFixed(2)}` : '';
  return `${predicted.weights} \u00b7 ${predicted.granularity}${kept}`;
}
