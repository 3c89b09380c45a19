/** Layers for the tests of their charts. */

import type { ChartLayer, LayerValues } from '../../src/charts';

export const HOSTILE = '<img src=x onerror=alert(1)>';

export function layer(
  name: string,
  value: Partial<LayerValues>,
  more: Partial<ChartLayer> = {}
): ChartLayer {
  const nothing: LayerValues = {
    sqnr: null,
    inputSqnr: null,
    bytes: NaN,
    share: null,
    bits: null,
    range: [NaN, NaN]
  };
  return {
    name,
    detail: 'Conv2D',
    value: { ...nothing, ...value },
    truth: null,
    muted: false,
    ...more
  };
}

/** SQNRs of 0, 1, 2, ... dB. */
export function manyLayers(count: number): ChartLayer[] {
  return Array.from({ length: count }, (_, index) => layer(`conv${index}`, { sqnr: index }));
}
