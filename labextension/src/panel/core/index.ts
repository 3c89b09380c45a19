/** The browser's arithmetic in one call: what tests hold against Python's. */

import type { Options, PanelState } from '../types';
import { Predictor } from './prediction';
import type { Prediction } from './prediction';

/** What a panel in a state predicts of some options. */
export async function predictAll(state: PanelState, options: Options): Promise<Prediction> {
  const predictor = new Predictor(state.network);
  await predictor.load(state.sketches);
  predictor.setClippings(state.clippings);
  predictor.setSensitivity(state.sensitivity);
  predictor.setRefinement(state.refinement);
  return predictor.predict(options);
}
