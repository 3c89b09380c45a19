/** All layers' numbers as a table, for reading and for screen readers; it waits until sliders rest. */

import { Component } from 'preact';
import { useRef, useState } from 'preact/hooks';

import { useLive } from './live';
import type { LayersModel } from './model';
import type { Column, Row, Sort } from './tableRows';
import { columnsOf, nextSort, rowOf, sorted } from './tableRows';
import type { Words } from './words';

export function LayersTable({ model, t }: { model: LayersModel; t: Words }) {
  const { store } = model;
  const [sort, setSort] = useState<Sort>(null);
  const shown = useLive(() => new Set(model.order.value), [model]);
  const truth = model.truth.value;
  const { layers } = model.settled.value;
  const columns = columnsOf(
    truth !== null,
    layers.some(layer => layer.inputSqnrDb !== null),
    store.network.layers.some(layer => layer.obstacle !== '') ||
      (truth !== null && Object.values(truth.layers).some(layer => layer.note !== ''))
  );
  const rows = store.network.layers
    .map((known, layer) =>
      rowOf(layer, known, layers[layer], truth?.layers[String(layer)] ?? null, columns)
    )
    .filter(({ layer }) => shown.value.has(layer));
  const selected = new Set(store.selected.value);
  const choose = useRef((layer: number, adds: boolean) => {
    const before = store.selected.peek();
    store.selected.value = adds ? toggled(before, layer) : [layer];
  });
  return (
    <section class="gs-Layers-table">
      <h3>{t('table')}</h3>
      <div class="gs-Layers-scroller" role="region" tabIndex={0} aria-label={t('table')}>
        <table>
          <thead>
            <tr>
              {columns.map((column, index) => (
                <Heading
                  key={column.key}
                  column={column}
                  label={t(column.key)}
                  sort={sort?.column === index ? sort : null}
                  hint={t('sortBy', { column: t(column.key) })}
                  onClick={() => setSort(nextSort(sort, index))}
                />
              ))}
            </tr>
          </thead>
          <tbody>
            {sorted(rows, sort).map(row => (
              <TableRow
                key={row.layer}
                row={row}
                columns={columns}
                selected={selected.has(row.layer)}
                onChoose={choose.current}
              />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Heading({
  column,
  label,
  hint,
  sort,
  onClick
}: {
  column: Column;
  label: string;
  hint: string;
  sort: Sort;
  onClick: () => void;
}) {
  return (
    <th
      scope="col"
      class={kindOf(column)}
      aria-sort={sort === null ? 'none' : sort.descending ? 'descending' : 'ascending'}
    >
      <button type="button" title={hint} onClick={onClick}>
        {label}
        <span class="gs-Layers-arrow" aria-hidden="true" />
      </button>
    </th>
  );
}

interface RowProps {
  row: Row;
  columns: readonly Column[];
  selected: boolean;
  onChoose: (layer: number, adds: boolean) => void;
}

/** Drawn again only when one of its texts is another: most rows stay as they are. */
class TableRow extends Component<RowProps> {
  override shouldComponentUpdate(next: RowProps): boolean {
    const { row, selected, columns } = this.props;
    return (
      selected !== next.selected ||
      columns.length !== next.columns.length ||
      row.layer !== next.row.layer ||
      row.texts.some((text, index) => text !== next.row.texts[index])
    );
  }

  override render({ row, columns, selected, onChoose }: RowProps) {
    return (
      <tr
        class={selected ? 'gs-mod-selected' : undefined}
        onClick={event => onChoose(row.layer, event.ctrlKey || event.metaKey)}
      >
        {row.texts.map((text, index) =>
          index === 0 ? (
            <th key={columns[index].key} scope="row" class={kindOf(columns[index])}>
              <button type="button" aria-pressed={selected}>
                {text}
              </button>
            </th>
          ) : (
            <td key={columns[index].key} class={kindOf(columns[index])}>
              {text}
            </td>
          )
        )}
      </tr>
    );
  }
}

function kindOf(column: Column): string {
  return column.number ? 'gs-mod-number' : 'gs-mod-text';
}

function toggled(selected: readonly number[], layer: number): number[] {
  return selected.includes(layer)
    ? selected.filter(other => other !== layer)
    : [...selected, layer].sort((a, b) => a - b);
}
