/** The controls' public names. */

export { Button } from './button';
export { CalmSlider } from './calmSlider';
export { Group } from './group';
export { Hint } from './hint';
export { Select } from './select';
export type { Choice } from './select';
export { Switch } from './switch';
export { TextField } from './textField';
