/** What to do about a problem, in terms of the panel: the kernel advises what to type. */

import type { Language } from '../i18n';
import { textIn } from '../i18n';
import { CODE } from '../locale/code';
import type { Problem } from '../types';

export function adviceOf({ command, option, advice }: Problem, language: Language): string {
  const t = textIn(CODE, language);
  const isThere = command === 'export' && option === 'overwrite';
  return isThere ? t('overwriteAdvice', { switch: t('overwrite') }) : advice;
}
