/** The controls of a setting, the network's or some layers': a move shows at once, letting go counts. */

import { CalmSlider, Select } from '../controls';
import type { Choice } from '../controls';
import { OBSERVERS } from '../shapes';
import type { Observer } from '../types';
import type { Format, Target } from './target';
import { MIXED } from './target';
import type { Words } from './words';

const FORMATS: readonly Format[] = ['integer', 'float16', 'float32'];
const GRANULARITIES = ['channel', 'tensor', 'group:128', 'group:64', 'group:32'];
const MIXED_VALUE = 'mixed';
const BY_HAND = 'by hand';

interface Props {
  target: Target;
  t: Words;
}

/** The format, and the bits of integers. */
export function BitsControl({ target, t }: Props) {
  const format = target.format.value;
  const bits = target.bits.value;
  const mean = target.meanBits.value;
  const fixed = target.fixed.value;
  // Bits that a budget chooses can't be pulled for the network, only for single layers.
  const given = target.kind === 'network' && target.chooses.value;
  const named = (value: number) => {
    if (given) {
      return t('chosen');
    }
    if (bits === MIXED) {
      return t('mixed');
    }
    return format === 'float16' || format === 'float32' ? format : t('bitsValue', { bits: value });
  };
  return (
    <div class="gs-Layers-control">
      <CalmSlider
        label={t('bits')}
        hint={t('bitsHint')}
        value={mean}
        min={2}
        max={8}
        step={1}
        format={named}
        disabled={fixed || given}
        onInput={value => target.change({ weights: `int${value}` }, false)}
        onCommit={value => target.change({ weights: `int${value}` }, true)}
      />
      <FormatSelect format={format} given={given} mean={mean} target={target} t={t} />
    </div>
  );
}

function FormatSelect({
  format,
  given,
  mean,
  target,
  t
}: Props & { format: Format | undefined; given: boolean; mean: number }) {
  const formats: Format[] = target.chooses.value ? ['chosen', ...FORMATS] : [...FORMATS];
  const labels: Record<Format, string> = {
    chosen: t('byLayer'),
    integer: t('integers'),
    float16: 'float16',
    float32: 'float32'
  };
  const weights: Record<Format, string | undefined> = {
    chosen: undefined,
    integer: `int${mean}`,
    float16: 'float16',
    float32: 'float32'
  };
  return (
    <Select<Format | typeof MIXED_VALUE>
      label={t('format')}
      hint={t('formatHint')}
      value={format ?? MIXED_VALUE}
      options={withMixed(
        formats.map(value => ({ value, label: labels[value] })),
        format === MIXED,
        t
      )}
      disabled={target.fixed.value || given}
      onChange={value => {
        if (value !== MIXED_VALUE) {
          target.change({ weights: weights[value] }, true);
        }
      }}
    />
  );
}

/** What part of the range the grid covers, pulled by hand or chosen by an observer. */
export function ClippingControl({ target, t }: Props) {
  const clipping = target.clipping.value;
  const observer = target.observer.value;
  const position = target.meanClipping.value;
  const byObserver = OBSERVERS.map(value => ({ value, label: value }));
  const shown =
    clipping === MIXED ? MIXED_VALUE : clipping === null ? (observer ?? MIXED_VALUE) : BY_HAND;
  const unused = target.fixed.value || isFloat(target);
  const named = (value: number) => {
    if (clipping === MIXED) {
      return t('mixed');
    }
    const share = Math.round(100 * value);
    // minmax keeps everything everywhere; what other observers choose differs between layers.
    const differs = clipping === null && observer !== 'minmax' && target.count > 1;
    return t(differs ? 'meanShare' : 'shareValue', { share });
  };
  return (
    <div class="gs-Layers-control">
      <CalmSlider
        label={t('clipping')}
        hint={t('clippingHint')}
        value={Math.max(0.3, Math.min(1, position))}
        min={0.3}
        max={1}
        step={0.01}
        format={named}
        disabled={unused}
        onInput={value => target.change({ clipping: value }, false)}
        onCommit={value => target.change({ clipping: value }, true)}
      />
      <Select<Observer | typeof BY_HAND | typeof MIXED_VALUE>
        label={t('chosenBy')}
        hint={t('chosenByHint')}
        value={shown}
        options={withMixed(
          [{ value: BY_HAND, label: t('byHand') }, ...byObserver],
          shown === MIXED_VALUE,
          t
        )}
        disabled={unused}
        onChange={value => {
          if (value === BY_HAND) {
            target.change({ clipping: Number(position.toFixed(2)) }, true);
          } else if (value !== MIXED_VALUE) {
            target.change({ observer: value, clipping: null }, true);
          }
        }}
      />
    </div>
  );
}

/** What shares a scale. */
export function GranularityControl({ target, t }: Props) {
  const granularity = target.granularity.value;
  const known =
    granularity === MIXED || GRANULARITIES.includes(granularity)
      ? GRANULARITIES
      : [...GRANULARITIES, granularity];
  return (
    <Select<string>
      label={t('granularity')}
      hint={t('granularityHint')}
      value={granularity ?? MIXED_VALUE}
      options={withMixed(
        known.map(value => ({ value, label: value })),
        granularity === MIXED,
        t
      )}
      disabled={target.fixed.value || isFloat(target)}
      onChange={value => {
        if (value !== MIXED_VALUE) {
          target.change({ granularity: value }, true);
        }
      }}
    />
  );
}

/** Where no weight has a grid, nothing of a grid can be set. */
function isFloat(target: Target): boolean {
  const format = target.format.value;
  return format === 'float16' || format === 'float32';
}

/** A choice that says that layers differ, where they do: it can be seen but not chosen. */
function withMixed<Value extends string>(
  choices: Choice<Value>[],
  mixed: boolean,
  t: Words
): Choice<Value | typeof MIXED_VALUE>[] {
  return mixed ? [{ value: MIXED_VALUE, label: t('mixed'), disabled: true }, ...choices] : choices;
}
