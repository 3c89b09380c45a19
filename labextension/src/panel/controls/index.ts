/** The controls' public names. */

export { Button } from './button';
export { Group } from './group';
export { Hint } from './hint';
export { Select } from './select';
export type { Choice } from './select';
export { Slider } from './slider';
export { Switch } from './switch';
export { TextField } from './textField';
