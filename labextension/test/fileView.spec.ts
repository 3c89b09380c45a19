import { describe, expect, it } from 'vitest';

import { fileView } from '../src/fileView';

const changed = '2026-01-31T12:03:00Z';

describe('fileView', () => {
  it('gives the size and the line that loads the file', () => {
    const view = fileView({ name: 'lenet.mindir', size: 78964, last_modified: changed });
    expect(view.querySelector('dd')?.textContent).toBe('79 kB');
    expect(view.querySelector('pre')?.textContent).toContain('gs.load("lenet.mindir")');
  });

  it('shows a hostile name as text and quotes it in the code', () => {
    const name = '<img src=x onerror=alert(1)>"\\.mindir';
    const view = fileView({ name, last_modified: changed });
    expect(view.querySelector('img')).toBeNull();
    expect(view.querySelector('.gs-Report-title')?.textContent).toBe(name);
    expect(view.querySelector('pre')?.textContent).toContain(
      'gs.load("<img src=x onerror=alert(1)>\\"\\\\.mindir")'
    );
  });
});
