/** How the panel says what a prediction leaves out, in both languages: the same sentence wherever one is shown. */

import type { LeftOut } from '../core/leftOut';
import type { Language } from '../i18n';
import { catalog, textIn } from '../i18n';

const LEFT_OUT = catalog({
  en: {
    leftOut: 'The prediction leaves out {what}.',
    comma: ', ',
    gptq: 'GPTQ',
    equalize: 'equalization',
    smooth: 'smoothing',
    biasCorrection: 'bias correction',
    activations: 'int8 activations, which were not measured'
  },
  zh: {
    leftOut: '预测未考虑{what}。',
    comma: '、',
    gptq: 'GPTQ',
    equalize: '均衡',
    smooth: '平滑',
    biasCorrection: '偏置校正',
    activations: '未测量的 int8 激活'
  }
});

/** A sentence that names all of them; empty if there is nothing. */
export function leftOutText(keys: readonly LeftOut[], language: Language): string {
  const t = textIn(LEFT_OUT, language);
  return keys.length === 0 ? '' : t('leftOut', { what: keys.map(key => t(key)).join(t('comma')) });
}
