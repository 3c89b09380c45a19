import { describe, expect, it, vi } from 'vitest';

import { ModelConnection, SavedConnection } from '../../src/panel/connection';
import { DEFAULTS } from '../../src/panel/core/settings';
import { MadeUpModel, stateOf } from './madeUp';

describe('a connection to a model', () => {
  it('saves what is set, and sends the options along with each command', () => {
    const model = new MadeUpModel(stateOf());
    const connection = new ModelConnection(model);
    const options = { ...DEFAULTS, weights: 'int4' };
    connection.set('options', options);
    connection.send({ command: 'apply', predicted_db: 'inf' });
    expect(model.values.options).toBe(options);
    expect(model.saves).toBe(1);
    expect(model.sent).toEqual([{ command: 'apply', predicted_db: 'inf', options }]);
  });

  it('gives the same value until it is another, and reads what is not as agreed', () => {
    const model = new MadeUpModel(stateOf());
    const connection = new ModelConnection(model);
    expect(connection.get('network')).toBe(connection.get('network'));
    model.set('network', null);
    model.set('results', 'nonsense');
    expect(connection.get('network').layers).toEqual([]);
    expect(connection.get('results')).toEqual([]);
  });

  it('tells of changes until it is told not to', () => {
    const model = new MadeUpModel(stateOf());
    const connection = new ModelConnection(model);
    const changed = vi.fn();
    const end = connection.on('code', changed);
    model.set('code', 'one');
    model.set('language', 'zh');
    end();
    model.set('code', 'two');
    expect(changed).toHaveBeenCalledTimes(1);
  });

  it('knows when the kernel is gone, and leaves nothing on the model', () => {
    const model = new MadeUpModel(stateOf());
    const connection = new ModelConnection(model);
    const changed = vi.fn();
    connection.onLive(changed);
    model.setLive(false);
    expect(connection.live).toBe(false);
    connection.on('code', () => undefined);
    model.set('code', 'one');
    model.setLive(false);
    expect(connection.live).toBe(false);
    expect(changed).toHaveBeenCalledTimes(1);
    model.setLive(true);
    expect(connection.live).toBe(true);
    const others = model.listeners;
    connection.close();
    expect(model.listeners).toBe(others - 1);
  });
});

describe('a saved state', () => {
  it('changes in this view only, and answers nobody', () => {
    const state = stateOf();
    const connection = new SavedConnection(state);
    const changed = vi.fn();
    connection.on('language', changed);
    connection.set('language', 'zh');
    connection.send();
    expect(connection.live).toBe(false);
    expect(connection.get('language')).toBe('zh');
    expect(state.language).toBe('en');
    expect(changed).toHaveBeenCalledTimes(1);
  });
});
