/** The words of the charts in English and Chinese, side by side: a sentence that one of them lacks doesn't compile. */

import type { Language } from './types';

const ENGLISH = {
  sqnr: 'SQNR of the weights',
  inputSqnr: 'SQNR of the activations',
  bytes: 'Size of the weights',
  share: 'Share of the output error',
  bits: 'Bits of the weights',
  range: 'Range of the weights',
  sqnrAxis: 'SQNR (dB)',
  bytesAxis: 'Size, log scale',
  shareAxis: 'Share of the error',
  bitsAxis: 'Bits',
  rangeAxis: 'Value',
  layer: 'Layer',
  setting: 'Setting',
  value: 'Value',
  predicted: 'Predicted',
  measured: 'Measured',
  muted: 'Not adjustable, or still to come',
  noError: 'no error',
  to: '{low} to {high}',
  layersName: '{measure}, by layer',
  layersSummary:
    '{count} layers. Lowest: {low} ({lowName}). Median: {median}. Highest: {high} ({highName}).',
  rangesSummary:
    '{count} layers. Narrowest: {low} ({lowName}). Median: {median}. Widest: {high} ({highName}).',
  layersUnknown: '{count} layers. None has a value yet.',
  layersEmpty: 'No layers.',
  layersSelected: '{count} selected.',
  layersKeys:
    'Arrow keys move, Home and End jump, Enter selects one, Space adds or removes, Shift with arrows extends, Escape clears.',
  position: '{position} of {count}',
  selected: 'selected',
  numbers: 'Numbers as a table',
  histogram: 'Histogram',
  histogramSummary: '{bins} bins from {low} to {high}, most values near {peak}. {grid} {clipped}',
  histogramEmpty: 'No values.',
  gridSummary: 'The grid has {count} values from {low} to {high}.',
  noGrid: 'There is no grid.',
  clippedSummary: '{share} of the counts are clipped.',
  nothingClipped: 'Nothing is clipped.',
  from: 'From',
  until: 'To',
  shareOfValues: 'Share',
  logScale: 'Log scale',
  grid: 'Grid',
  gridBand: 'Grid, {count} values',
  clipped: 'Clipped',
  curve: 'Output SQNR over size',
  curveSummary: 'From {low} at {smallest} to {high} at {largest}. {now}',
  curveEmpty: 'Nothing has been measured yet.',
  curveNow: 'Now: {sqnr} at {size}.',
  curveAxis: 'Output SQNR (dB)',
  sizeAxis: 'Size of the weights',
  point: 'Point',
  best: 'Best for the size',
  now: 'Now',
  uniform: '{bits} bits everywhere',
  uniformLegend: 'The same bits everywhere',
  bitsLabel: '{bits} bits'
};

export type Words = typeof ENGLISH;

const CHINESE: Words = {
  sqnr: '权重的信噪比',
  inputSqnr: '激活的信噪比',
  bytes: '权重大小',
  share: '占输出误差的比例',
  bits: '权重位宽',
  range: '权重取值范围',
  sqnrAxis: '信噪比 (dB)',
  bytesAxis: '大小（对数刻度）',
  shareAxis: '误差占比',
  bitsAxis: '位宽',
  rangeAxis: '取值',
  layer: '层',
  setting: '设置',
  value: '数值',
  predicted: '预测',
  measured: '实测',
  muted: '不可调整，或尚未得出',
  noError: '无误差',
  to: '{low} 至 {high}',
  layersName: '各层{measure}',
  layersSummary:
    '共 {count} 层。最低：{low}（{lowName}）。中位数：{median}。最高：{high}（{highName}）。',
  rangesSummary:
    '共 {count} 层。最窄：{low}（{lowName}）。中位数：{median}。最宽：{high}（{highName}）。',
  layersUnknown: '共 {count} 层，尚无数值。',
  layersEmpty: '没有层。',
  layersSelected: '已选 {count} 层。',
  layersKeys:
    '方向键移动，Home 和 End 跳到两端，Enter 选择一层，空格添加或移除，Shift 加方向键扩展选择，Esc 清除选择。',
  position: '第 {position} 层，共 {count} 层',
  selected: '已选',
  numbers: '以表格显示数值',
  histogram: '直方图',
  histogramSummary: '{bins} 个区间，从 {low} 到 {high}，最多的值在 {peak} 附近。{grid}{clipped}',
  histogramEmpty: '没有数值。',
  gridSummary: '量化网格有 {count} 个值，从 {low} 到 {high}。',
  noGrid: '没有量化网格。',
  clippedSummary: '{share} 被截断。',
  nothingClipped: '没有值被截断。',
  from: '从',
  until: '到',
  shareOfValues: '占比',
  logScale: '对数刻度',
  grid: '量化网格',
  gridBand: '量化网格，{count} 个值',
  clipped: '截断',
  curve: '输出信噪比与大小',
  curveSummary: '从 {smallest} 时的 {low} 到 {largest} 时的 {high}。{now}',
  curveEmpty: '尚未测量。',
  curveNow: '当前：{size} 时为 {sqnr}。',
  curveAxis: '输出信噪比 (dB)',
  sizeAxis: '权重大小',
  point: '点',
  best: '该大小下最佳',
  now: '当前',
  uniform: '全部 {bits} 位',
  uniformLegend: '各层位宽相同',
  bitsLabel: '{bits} 位'
};

const CATALOG: Record<Language, Words> = { en: ENGLISH, zh: CHINESE };

/** The words of `language`. */
export function wordsOf(language: Language): Words {
  return CATALOG[language] ?? ENGLISH;
}

/** `sentence` with its `{name}` places filled; a value that looks like a place is left as it is. */
export function filled(sentence: string, values: Record<string, string | number>): string {
  return sentence.replace(/\{(\w+)\}/g, (place, name: string) =>
    Object.hasOwn(values, name) ? String(values[name]) : place
  );
}
