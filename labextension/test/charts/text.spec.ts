// @vitest-environment node
import { describe, expect, it } from 'vitest';

import { TextWidths, sharedPrefix, shortened } from '../../src/charts/text';
import { LETTER, Recording } from './recording';

const measured = (text: string) => LETTER * text.length;

describe('shortened', () => {
  it('keeps what fits, and more of the end than of the start', () => {
    expect(shortened('layer1.0.conv1', 14 * LETTER, measured)).toBe('layer1.0.conv1');
    expect(shortened('layer1.0.conv1', 10 * LETTER, measured)).toBe('la\u20260.conv1');
    expect(shortened('layer1.0.conv1', 0, measured)).toBe('\u2026');
  });

  it('keeps so much of the end that layers of two blocks differ', () => {
    const fitted = ['features.3.layers.0', 'features.13.layers.0'].map(name =>
      shortened(name, 14 * LETTER, measured)
    );
    expect(fitted).toEqual(['fe\u2026.3.layers.0', 'fe\u202613.layers.0']);
  });

  it('reads only the ends of a name without end', () => {
    const text = shortened('a'.repeat(1e6), 5 * LETTER, measured);
    expect(text).toBe('aa\u2026aa');
  });
});

describe('the prefix that names share', () => {
  it('ends at a dot, and is that of more than half of them', () => {
    const blocks = ['features.3.layers.0', 'features.3.layers.1', 'features.13.layers.0'];
    expect(sharedPrefix([...blocks, 'classifier'])).toBe('features.');
    expect(sharedPrefix(blocks.slice(0, 2))).toBe('features.3.layers.');
    expect(sharedPrefix(['conv1', 'conv2'])).toBe('');
    expect(sharedPrefix(['features.0', 'classifier.0'])).toBe('');
    expect(sharedPrefix(['features.0'])).toBe('');
  });

  it('is looked for only where a chart has room, in a name without end', () => {
    const endless = '.'.repeat(1e6);
    expect(sharedPrefix([endless, endless]).length).toBeLessThan(1000);
  });
});

describe('TextWidths', () => {
  it('leaves the prefix out of names that are too wide, before their middle', () => {
    const widths = new TextWidths();
    const fit = (name: string, letters: number) =>
      widths.fit(name, letters * LETTER, measured, 'features.');
    expect(fit('features.3.layers.0', 19)).toBe('features.3.layers.0');
    expect(fit('features.3.layers.0', 14)).toBe('\u20263.layers.0');
    expect(fit('features.13.layers.0', 14)).toBe('\u202613.layers.0');
    expect(fit('features.13.layers.0', 8)).toBe('13\u2026ers.0');
    expect(fit('classifier.1.layers.0', 8)).toBe('cl\u2026ers.0');
  });

  it('measures each text once, until the font changes', () => {
    const widths = new TextWidths();
    const recording = new Recording();
    for (const font of ['11px a', '11px a', '11px b']) {
      expect(widths.in(recording.context, font)('conv1')).toBe(5 * LETTER);
    }
    expect(recording.measured).toBe(2);
  });
});
