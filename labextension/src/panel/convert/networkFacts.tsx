/** What was opened, and what Golden Stick had done to it. */

import { useText } from '../i18n';
import { formatBytes, shapeText } from '../layers/numbers';
import { CONVERT } from '../locale/convert';
import type { Network } from '../types';

export function NetworkFacts({ network }: { network: Network }) {
  const t = useText(CONVERT);
  const kept =
    network.fixed_bytes > 0 ? t('fixed', { size: formatBytes(network.fixed_bytes) }) : '';
  const size = t('layerCount', {
    count: network.layers.length,
    size: formatBytes(network.float_bytes)
  });
  return (
    <>
      <dl class="gs-Panel-facts">
        <div>
          <dt>{t('recognised')}</dt>
          <dd>
            {network.recognised.length > 0 ? network.recognised.join('; ') : t('nothingRecognised')}
          </dd>
        </div>
        <div>
          <dt>{t('inputs')}</dt>
          <dd>{network.inputs.map(inputText).join(', ')}</dd>
        </div>
        <div>
          <dt>{t('size')}</dt>
          <dd>{[size, kept].filter(part => part !== '').join('; ')}</dd>
        </div>
      </dl>
      {network.notes.length > 0 ? (
        <ul class="gs-Panel-notes" aria-label={t('notes')}>
          {network.notes.map((note, index) => (
            <li key={index}>{note}</li>
          ))}
        </ul>
      ) : null}
    </>
  );
}

function inputText({ name, shape, dtype }: Network['inputs'][number]): string {
  return `${name} ${shape === null ? '' : shapeText(shape)} ${dtype}`.replace(/\s+/g, ' ').trim();
}
