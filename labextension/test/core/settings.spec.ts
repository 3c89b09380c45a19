import { describe, expect, it } from 'vitest';

import { firstMatch } from '../../src/panel/core/globs';
import {
  DEFAULTS,
  bitsOf,
  effective,
  overrideOf,
  sameOptions
} from '../../src/panel/core/settings';
import type { Options } from '../../src/panel/types';

const INT8: Options = { ...DEFAULTS, weights: 'int8', activations: 'int8', clipping: 0.9 };

describe('a glob', () => {
  // What Python's fnmatch.fnmatchcase says of each.
  it.each([
    ['layer1.conv', 'layer?.c*', true],
    ['layer1.conv', 'Layer1*', false],
    ['a\nb', 'a?b', true],
    ['\u{1d400}x', '?x', true],
    ['', '*', true],
    ['abcbc', 'a*bc', true],
    ['abcb', 'a*bc', false],
    ['b', '[a-c]', true],
    ['b', '[c-a]', false],
    ['-', '[a-]', true],
    ['x', '[!a-c]', true],
    ['!', '[a!]', true],
    [']', '[]]', true],
    ['a', '[!]]', true],
    ['^', '[^a]', true],
    ['[', '[', true],
    ['[a', '[a', true],
    ['\\', '[\\]', true],
    ['a.b', 'a.b', true],
    ['aXb', 'a.b', false]
  ])('%j matches %j: %j', (name, pattern, expected) => {
    expect(firstMatch(name, [pattern])).toBe(expected ? pattern : undefined);
  });

  it('takes no longer the more stars it has', () => {
    expect(firstMatch('a'.repeat(2000), [`${'a*'.repeat(500)}b`])).toBeUndefined();
  });

  it('is the first of several', () => {
    expect(firstMatch('conv2', ['fc*', 'c*', '*'])).toBe('c*');
  });
});

describe('a layer\u2019s setting', () => {
  it('is that of the options', () => {
    expect(effective(INT8, 'conv1')).toEqual({
      weights: 'int8',
      activations: 'int8',
      granularity: 'channel',
      symmetric: true,
      narrow_range: true,
      observer: 'minmax',
      clipping: 0.9
    });
  });

  it('comes from its name before globs, and from an earlier glob before a later one', () => {
    const options: Options = {
      ...INT8,
      layers: {
        'conv*': { weights: 'int3' },
        'conv?': { weights: 'int5' },
        conv1: { weights: 'int4' }
      }
    };
    expect(effective(options, 'conv1').weights).toBe('int4');
    expect(effective(options, 'conv2').weights).toBe('int3');
    expect(effective(options, 'fc').weights).toBe('int8');
    expect(overrideOf(options, 'fc')).toBeNull();
  });

  it('keeps the input in float with the weight, unless the override says otherwise', () => {
    const kept = (override: Options['layers'][string]) =>
      effective({ ...INT8, layers: { fc: override } }, 'fc').activations;
    expect(kept({ weights: 'float16' })).toBe('float32');
    expect(kept({ weights: 'float32', activations: 'int8' })).toBe('int8');
    expect(kept({ weights: 'int4' })).toBe('int8');
  });

  it('leaves clipping to an observer that the override names', () => {
    const clipping = (override: Options['layers'][string]) =>
      effective({ ...INT8, layers: { fc: override } }, 'fc').clipping;
    expect(clipping({ observer: 'mse' })).toBeNull();
    expect(clipping({ observer: 'mse', clipping: 0.5 })).toBe(0.5);
    expect(clipping({ symmetric: false })).toBe(0.9);
  });
});

describe('options', () => {
  it('are the same whatever order they are written in', () => {
    const { weights, ...rest } = INT8;
    expect(sameOptions(INT8, { ...rest, weights })).toBe(true);
    const layers = { fc: { weights: 'int4', symmetric: false } };
    const turned = { fc: { symmetric: false, weights: 'int4' } };
    expect(sameOptions({ ...INT8, layers }, { ...INT8, layers: turned })).toBe(true);
  });

  it('are others with other values, or other overrides, or these in another order', () => {
    expect(sameOptions(INT8, { ...INT8, clipping: null })).toBe(false);
    const one = { 'a*': { weights: 'int4' }, '*b': { weights: 'int8' } };
    const other = { '*b': { weights: 'int8' }, 'a*': { weights: 'int4' } };
    expect(sameOptions({ ...INT8, layers: one }, INT8)).toBe(false);
    expect(sameOptions({ ...INT8, layers: one }, { ...INT8, layers: other })).toBe(false);
  });

  it('have bits only as integers', () => {
    expect(['int2', 'int8', 'int9', 'int1', 'float16', 'xint4'].map(bitsOf)).toEqual([
      2,
      8,
      null,
      null,
      null,
      null
    ]);
  });
});
