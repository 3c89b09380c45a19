// @vitest-environment node
import { describe, expect, it } from 'vitest';

import { TextWidths, shortened } from '../../src/charts/text';
import { LETTER, Recording } from './recording';

const measured = (text: string) => LETTER * text.length;

describe('shortened', () => {
  it('keeps what fits, and more of the end than of the start', () => {
    expect(shortened('layer1.0.conv1', 14 * LETTER, measured)).toBe('layer1.0.conv1');
    expect(shortened('layer1.0.conv1', 10 * LETTER, measured)).toBe('lay\u2026.conv1');
    expect(shortened('layer1.0.conv1', 0, measured)).toBe('\u2026');
  });

  it('reads only the ends of a name without end', () => {
    const text = shortened('a'.repeat(1e6), 5 * LETTER, measured);
    expect(text).toBe('aa\u2026aa');
  });
});

describe('TextWidths', () => {
  it('measures each text once, until the font changes', () => {
    const widths = new TextWidths();
    const recording = new Recording();
    for (const font of ['11px a', '11px a', '11px b']) {
      expect(widths.in(recording.context, font)('conv1')).toBe(5 * LETTER);
    }
    expect(recording.measured).toBe(2);
  });
});
