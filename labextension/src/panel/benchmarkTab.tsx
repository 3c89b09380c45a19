/** The Benchmark tab: what to measure, where and how, and what was found. */

import type { Form } from './benchmark/form';
import { ENGINES, enginesOf, formOf, isAvailable, planOf } from './benchmark/form';
import { Measured, Run } from './benchmark/measured';
import { Places, TargetChoices } from './benchmark/targets';
import { Button, Group, Switch, TextField } from './controls';
import { useText } from './i18n';
import { BENCHMARK } from './locale/benchmark';
import type { Store } from './store';

export function BenchmarkTab({ store }: { store: Store }) {
  const t = useText(BENCHMARK);
  const form = formOf(store);
  const { subjects, targets, document: measured } = store.benchmark.value;
  const engines = enginesOf(form.value, { subjects, targets });
  const plan = planOf(form.value, { subjects, targets });
  const wrong = (place: keyof typeof plan.wrong) => {
    const key = plan.wrong[place];
    return key && t(key);
  };
  const disabled = !store.live;
  const change = (patch: Partial<Form>) => {
    form.value = { ...form.value, ...patch };
  };
  const field = (place: 'batches' | 'threads' | 'duration' | 'launches') => (
    <TextField
      label={t(place)}
      hint={t(`${place}Hint`)}
      value={form.value[place]}
      inputMode={place === 'duration' ? 'decimal' : 'text'}
      disabled={disabled}
      error={wrong(place)}
      onInput={text => change({ [place]: text })}
    />
  );
  return (
    <div class="gs-Panel-benchmark">
      <div class="gs-Panel-groups">
        <Group title={t('subjects')} reason={disabled ? undefined : wrong('subjects')}>
          {subjects.length === 0 ? <p class="gs-Panel-remark">{t('noSubjects')}</p> : null}
          {subjects.map(({ key, label, detail }) => (
            <Switch
              key={key}
              label={label}
              hint={detail}
              value={!form.value.leftOut.includes(key)}
              disabled={disabled}
              onChange={wanted =>
                change({ leftOut: withOrWithout(form.value.leftOut, key, !wanted) })
              }
            />
          ))}
        </Group>
        <Group title={t('engines')} reason={disabled ? undefined : wrong('engines')}>
          {ENGINES.map(engine => {
            const missing = !isAvailable(engine, targets);
            const wanted = engines.includes(engine);
            return (
              <Switch
                key={engine}
                label={t(engine)}
                hint={t('enginesHint')}
                value={wanted}
                // One that was chosen before it turned out to be missing can be taken back.
                disabled={disabled || (missing && !wanted)}
                reason={missing ? t('engineMissing') : undefined}
                onChange={value => change({ engines: withOrWithout(engines, engine, value) })}
              />
            );
          })}
        </Group>
        <Group title={t('targets')} reason={disabled ? undefined : wrong('targets')}>
          <TargetChoices
            places={targets}
            chosen={form.value.targets}
            disabled={disabled}
            onChange={(target, wanted) =>
              change({ targets: withOrWithout(form.value.targets, target, wanted) })
            }
          />
          <LookForTargets store={store} />
        </Group>
        <Group title={t('how')}>
          {field('batches')}
          {field('threads')}
          {field('duration')}
          {field('launches')}
        </Group>
      </div>
      <Run store={store} plan={plan} />
      {targets === null ? null : <Places places={targets} open={!measured} />}
      <Measured store={store} />
    </div>
  );
}

function LookForTargets({ store }: { store: Store }) {
  const t = useText(BENCHMARK);
  const { kind, state } = store.task.value;
  const looking =
    store.asked.value?.command === 'targets' || (kind === 'targets' && state === 'running');
  return (
    <div class="gs-Panel-row">
      <Button
        label={looking ? t('lookingForTargets') : t('lookForTargets')}
        hint={t('lookForTargetsHint')}
        disabled={!store.live || store.busy.value}
        onClick={() => store.send({ command: 'targets' })}
      />
    </div>
  );
}

/** `items` with `item` in it or not; in their old order, and a new one last. */
function withOrWithout<Item extends string>(
  items: readonly Item[],
  item: Item,
  wanted: boolean
): Item[] {
  const others = items.filter(other => other !== item);
  return wanted ? [...others, item] : others;
}
