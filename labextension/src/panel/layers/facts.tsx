/** What is known of the selected layers, each number following the sliders by itself. */

import type { ReadonlySignal } from '@preact/signals';

import type { LayerPrediction } from '../core/prediction';
import { isUnpacked } from '../core/sizes';
import type { Layer, LayerResult } from '../types';
import { settingText } from './chartLayers';
import { useLive } from './live';
import type { LayersModel } from './model';
import {
  countText,
  decibelNumber,
  decibelText,
  formatBytes,
  NOTHING,
  numberText,
  percentText,
  shapeText
} from './numbers';
import type { Words } from './words';

interface Fact {
  label: string;
  value: string | ReadonlySignal<string>;
  /** What may be said below it. It keeps its place while it is unseen: what is below may not jump with a slider. */
  remark?: { text: string; className: ReadonlySignal<string> };
}

type Grid = Pick<LayerPrediction, 'bits' | 'granularity' | 'symmetric'>;

/** What is packed least. */
const MOST_PACKED_BITS = 7;
const ANY_GRID = { granularity: 'channel', symmetric: true };

export function LayerFacts({ model, layer, t }: { model: LayersModel; layer: number; t: Words }) {
  const { store } = model;
  const known = store.network.layers[layer];
  const follow = (write: (now: LayerPrediction, truth: LayerResult | null) => string) =>
    useLive(
      () =>
        write(
          store.prediction.value.layers[layer],
          model.truth.value?.layers[String(layer)] ?? null
        ),
      [model, layer, t]
    );
  /** The prediction, and the truth after it where there is one. */
  const both = (predicted: string, truth: string | null) =>
    truth === null || truth === NOTHING ? predicted : t('withTruth', { predicted, truth });
  const unpacked = follow(now => (isUnpackedIn(known, now) ? '' : 'gs-mod-unseen'));
  const facts: Fact[] = [
    { label: t('operator'), value: known.operator },
    {
      label: t('shape'),
      value: t('shapeValue', {
        shape: shapeText(known.shape),
        count: countText(known.parameters)
      })
    },
    { label: t('range'), value: t('rangeValue', rangeOf(known)) },
    { label: t('setting'), value: follow(now => settingText(now)) },
    {
      label: t('sqnr'),
      value: follow((now, truth) =>
        both(decibelText(now.sqnrDb), truth && decibelText(truth.sqnr_db))
      )
    },
    {
      label: t('rmse'),
      value: follow((_, truth) => rmseText(truth, t))
    },
    {
      label: t('bytes'),
      value: follow((now, truth) =>
        both(
          t('bytesOf', { after: formatBytes(now.bytes), before: formatBytes(known.float_bytes) }),
          truth && formatBytes(truth.bytes)
        )
      ),
      remark: isUnpackedIn(known, { ...ANY_GRID, bits: MOST_PACKED_BITS })
        ? { text: t('unpacked'), className: unpacked }
        : undefined
    },
    {
      label: t('share'),
      value: follow((now, truth) =>
        both(percentText(now.share), truth && percentText(truth.error_share))
      )
    },
    {
      label: t('inputSqnr'),
      value: follow((now, truth) =>
        now.inputSqnrDb === null
          ? t('inFloat')
          : both(decibelText(now.inputSqnrDb), truth && decibelText(truth.input_sqnr_db))
      )
    }
  ];
  const note = follow((_, truth) => truth?.note ?? '');
  return (
    <>
      <FactList facts={facts} />
      {known.names.length > 1 ? (
        <p class="gs-Layers-note">{t('shared', { names: known.names.join(', ') })}</p>
      ) : null}
      {known.obstacle !== '' ? <p class="gs-Layers-note">{known.obstacle}</p> : null}
      <p class="gs-Layers-note">{note}</p>
    </>
  );
}

export function LayersFacts({
  model,
  layers,
  t
}: {
  model: LayersModel;
  layers: number[];
  t: Words;
}) {
  const { store } = model;
  const known = layers.map(layer => store.network.layers[layer]);
  const follow = (write: (now: LayerPrediction[]) => string) =>
    useLive(() => {
      const { layers: all } = store.prediction.value;
      return write(layers.map(layer => all[layer]));
    }, [model, t]);
  const before = formatBytes(sum(known.map(layer => layer.float_bytes)));
  const facts: Fact[] = [
    { label: t('parameters'), value: countText(sum(known.map(layer => layer.parameters))) },
    { label: t('bits'), value: follow(now => bitsSpan(now) ?? t('inFloat')) },
    { label: t('lowestSqnr'), value: follow(now => lowestSqnr(now, known, t)) },
    {
      label: t('bytes'),
      value: follow(now =>
        t('bytesOf', { after: formatBytes(sum(now.map(layer => layer.bytes))), before })
      )
    },
    {
      label: t('share'),
      value: follow(now =>
        percentText(
          now.every(layer => layer.share !== null) ? sum(now.map(layer => layer.share ?? 0)) : null
        )
      )
    }
  ];
  const fixed = known.filter(layer => layer.obstacle !== '').length;
  return (
    <>
      <FactList facts={facts} />
      {fixed > 0 ? <p class="gs-Layers-note">{t('someFixed', { count: fixed })}</p> : null}
    </>
  );
}

function FactList({ facts }: { facts: Fact[] }) {
  return (
    <dl class="gs-Layers-facts">
      {facts.map(({ label, value, remark }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>
            {value}
            {remark === undefined ? null : <small class={remark.className}>{remark.text}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Whether all weights of a layer that are of fewer than 8 bits are stored in 8 nevertheless. */
function isUnpackedIn({ weights }: Layer, { bits, granularity, symmetric }: Grid): boolean {
  return (
    bits !== null &&
    weights.every(({ shape, axis }) => isUnpacked(shape, axis, { bits, granularity, symmetric }))
  );
}

/** The weight's error in steps of its grid, which only a conversion knows. */
function rmseText(truth: LayerResult | null, t: Words): string {
  if (truth === null) {
    return t('afterApply');
  }
  return truth.rmse_over_scale === null
    ? NOTHING
    : t('rmseValue', { value: truth.rmse_over_scale.toFixed(3) });
}

function rangeOf({ low, high }: Layer): { low: string; high: string } {
  return { low: numberText(low), high: numberText(high) };
}

/** 4, or 3 to 8; null where all are in float. */
function bitsSpan(layers: readonly LayerPrediction[]): string | null {
  const bits = layers.flatMap(layer => layer.bits ?? []);
  if (bits.length === 0) {
    return null;
  }
  const [low, high] = [Math.min(...bits), Math.max(...bits)];
  return low === high ? String(low) : `${low}\u2013${high}`;
}

function lowestSqnr(now: readonly LayerPrediction[], known: readonly Layer[], t: Words): string {
  let lowest: { value: number; index: number } | null = null;
  now.forEach(({ sqnrDb }, index) => {
    const value = decibelNumber(sqnrDb);
    if (value !== null && (lowest === null || value < lowest.value)) {
      lowest = { value, index };
    }
  });
  const found = lowest as { value: number; index: number } | null;
  return found === null
    ? NOTHING
    : t('lowestValue', {
        sqnr: decibelText(now[found.index].sqnrDb),
        name: known[found.index].name
      });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
