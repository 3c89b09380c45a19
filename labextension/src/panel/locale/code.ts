/** The texts of the code tab, in both languages. */

import { catalog } from '../i18n';

export const CODE = catalog({
  en: {
    codeTitle: 'The same as code',
    codeHint: 'One cell that converts with exactly these options.',
    code: 'Code of this conversion',
    noCode: 'There is no code yet.',
    copy: 'Copy',
    copyHint: 'Put the code into the clipboard.',
    copied: 'Copied.',
    selected: 'The browser refuses to copy. The code is selected: press Ctrl+C (on a Mac: Cmd+C).',
    newCell: 'New cell',
    newCellHint: 'Put the code into a new cell below this one. It is not run.',
    inserted: 'Put into a new cell below.',
    copiedInstead: 'No notebook took a new cell, so the code was copied.',
    exportTitle: 'Export',
    path: 'File',
    pathHint:
      'Where to write the conversion that was applied last. The ending says the format: .mindir, .onnx, or .ms for MindSpore Lite.',
    overwrite: 'Replace a file that is there',
    overwriteAdvice: 'Turn on \u201c{switch}\u201d, or give another name.',
    float16: 'In float16',
    float16Hint:
      'Computed so (.onnx, for GPUs), or stored so (.ms). Inputs and outputs stay as they are.',
    float16Reason: 'Only for .onnx and .ms files.',
    writes: 'Writes conversion {number} ({title}).',
    writesOther:
      'Writes conversion {number} ({title}), which has other options than those above. Apply first to write these.',
    export: 'Export',
    exporting: 'Exporting \u2026',
    exportSaved: 'This is a saved view: no kernel runs that could write a file.',
    exportFirst: 'Apply a conversion first.',
    exportBusy: 'Something else is running.',
    exportPath: 'Name a file.',
    exported: 'Exported files'
  },
  zh: {
    codeTitle: '等效代码',
    codeHint: '用完全相同的选项进行转换的一个单元格。',
    code: '此转换的代码',
    noCode: '还没有代码。',
    copy: '复制',
    copyHint: '把代码放入剪贴板。',
    copied: '已复制。',
    selected: '浏览器不允许复制。代码已选中：请按 Ctrl+C（Mac 上按 Cmd+C）。',
    newCell: '新建单元格',
    newCellHint: '把代码放入下方的新单元格，但不运行。',
    inserted: '已放入下方的新单元格。',
    copiedInstead: '没有笔记本能接收新单元格，代码已复制。',
    exportTitle: '导出',
    path: '文件',
    pathHint:
      '最近一次应用的转换写到哪里。扩展名决定格式：.mindir、.onnx，或用于 MindSpore Lite 的 .ms。',
    overwrite: '替换已有的文件',
    overwriteAdvice: '请打开“{switch}”，或换一个名称。',
    float16: '使用 float16',
    float16Hint: '以 float16 计算（.onnx，用于 GPU）或存储（.ms）。输入和输出保持不变。',
    float16Reason: '仅适用于 .onnx 和 .ms 文件。',
    writes: '将写入转换 {number}（{title}）。',
    writesOther: '将写入转换 {number}（{title}），其选项与上面的不同。要写入上面的选项，请先应用。',
    export: '导出',
    exporting: '正在导出 \u2026',
    exportSaved: '这是保存的视图：没有可以写文件的内核在运行。',
    exportFirst: '请先应用一次转换。',
    exportBusy: '另一项任务正在运行。',
    exportPath: '请填写文件名。',
    exported: '已导出的文件'
  }
});
