/**
 * Makes the scripts and styles that the Python package carries, one file each.
 *
 * Without them the panel would show nothing outside of JupyterLab, and a saved page would need a network.
 */

import { build } from 'esbuild';

const scripts = { panel: 'src/panel/widget.ts', report: 'src/reportPage.ts' };
const styles = { panel: 'style/panelPage.css', report: 'style/reportPage.css' };

for (const entryPoints of [scripts, styles]) {
  await build({
    entryPoints,
    outdir: '../gsjupyter/widgets/static',
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    logLevel: 'warning'
  });
}
