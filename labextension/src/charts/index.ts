/** The charts' public names: without it, the panel and reports would reach into how they are made. */

export { CurveChart } from './curveChart';
export { HistogramChart } from './histogramChart';
export { LayersChart } from './layersChart';
export { MEASURES } from './measures';
export { bringLook } from './pageLook';
export type {
  ChartLayer,
  CurveData,
  CurvePoint,
  HistogramData,
  Language,
  LayersView,
  LayerValues,
  Measure
} from './types';
