/** What stands where nothing can be set: without it, a network without weights gets a form that changes nothing. */

import { useText } from './i18n';
import { APP } from './locale/app';

export function NoLayers() {
  return <p class="gs-Panel-remark">{useText(APP)('noLayers')}</p>;
}
