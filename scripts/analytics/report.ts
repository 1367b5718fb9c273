import { type Bar, barsOf, cut, formatNumbers, nameOf } from './chart.ts';
import type { Cell, QueryResult } from './lake-database.ts';
import type { ChartColumns } from './named-queries.ts';

/** A query with what it found. */
export interface ReportSection {
  title: string;
  description: string;
  sql: string;
  result: QueryResult;
  chart?: ChartColumns;
}

const BAR_HEIGHT = 22;
const GAP = 6;
/** Width of a character of the labels. All have the same, so that the width of a label is known, whatever is in it. */
const CHARACTER = 7.4;
const LABEL_LENGTH = 40;
const BARS = 480;
const VALUES = 110;
const COLOURS = ['#2a78b8', '#d9822b', '#3a9a5b', '#b04a8b', '#8a6fc0', '#7a7a2a'];

/**
 * A page with a chart and a table for each query. It needs nothing beside itself: no script, font or picture is loaded.
 *
 * @param time when the queries ran
 * @example writeFileSync('report.html', reportOf(sections, { stage: 'dev', time: new Date() }));
 */
export function reportOf(
  sections: readonly ReportSection[],
  { stage, time, days }: { stage: string; time: Date; days: string },
): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Millrace ${escaped(stage)}: analytics</title>
<style>
:root { color-scheme: light dark; --text: #1c2430; --soft: #5b6675; --line: #d8dee6; --back: #fff }
@media (prefers-color-scheme: dark) { :root { --text: #e7ecf2; --soft: #9aa7b6; --line: #36404d; --back: #171c23 } }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1rem; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif }
h1 { margin: 0 } h2 { margin: 3rem 0 0 } p { margin: .25rem 0 1rem; color: var(--soft) }
svg { display: block; width: 100%; min-width: 36rem; height: auto } text { fill: var(--text); font: 13px system-ui, sans-serif }
text.label { font: 12px ui-monospace, monospace }
.scroll { overflow-x: auto } table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .75rem; text-align: left; white-space: nowrap }
th.number, td.number { text-align: right } summary { color: var(--soft); cursor: pointer }
pre { overflow-x: auto; font-size: 13px } a { color: inherit } nav ul, ul.legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; list-style: none; padding: 0 }
.legend span { display: inline-block; width: .8em; height: .8em; margin-right: .4em; border-radius: 2px }
</style>
</head>
<body>
<h1>Analytics of ${escaped(stage)}</h1>
<p>${escaped(days)}. Made on ${time.toISOString()}. Days and hours are in UTC.</p>
${contentsOf(sections)}${sections.map(sectionOf).join('\n')}
</body>
</html>
`;
}

/** Links to the sections, where there are several. */
function contentsOf(sections: readonly ReportSection[]): string {
  if (sections.length < 2) return '';
  const links = sections.map(({ title }) => `<li><a href="#${escaped(title)}">${escaped(title)}</a></li>`);
  return `<nav><ul>${links.join('')}</ul></nav>\n`;
}

function sectionOf({ title, description, sql, result, chart }: ReportSection): string {
  const bars = barsOf(result, chart);
  return `<section>
<h2 id="${escaped(title)}">${escaped(title)}</h2>
<p>${escaped(description)}</p>
${result.rows.length === 0 ? '<p>No rows.</p>' : `${chartOf(bars, title)}${tableOf(result)}`}
<details><summary>Query</summary><pre>${escaped(sql.trim())}</pre></details>
</section>`;
}

/**
 * Bars to the right of their labels; those below zero are hollow. A series has a colour and a place in the legend; where there are more than
 * colours, its name is beside the label.
 */
function chartOf(bars: readonly Bar[], title: string): string {
  if (bars.length === 0) return '';
  const all = [...new Set(bars.flatMap((bar) => bar.series ?? []))];
  const series = all.length > COLOURS.length ? [] : all;
  const labels = bars.map((bar) => cut(series.length > 0 ? bar.label : nameOf(bar), LABEL_LENGTH));
  const values = formatNumbers(bars.map(({ value }) => value));
  const left = Math.round(Math.max(...labels.map(({ length }) => length)) * CHARACTER) + 10;
  const colourOf = (name: string | undefined): string =>
    COLOURS[Math.max(0, series.indexOf(name ?? '')) % COLOURS.length] ?? '';
  const largest = Math.max(...bars.map(({ value }) => Math.abs(value)), Number.EPSILON);
  const drawn = bars.map((bar, index) => {
    const y = index * (BAR_HEIGHT + GAP);
    const width = Math.max(1, Math.round((Math.abs(bar.value) / largest) * BARS));
    const colour = colourOf(bar.series);
    const paint = bar.value < 0 ? `fill="none" stroke="${colour}"` : `fill="${colour}"`;
    const middle = y + BAR_HEIGHT / 2 + 4.5;
    return `<text class="label" x="${left - 10}" y="${middle}" text-anchor="end">${escaped(labels[index] ?? '')}</text>
<rect x="${left}" y="${y}" width="${width}" height="${BAR_HEIGHT}" rx="3" ${paint}/>
<text x="${left + width + 8}" y="${middle}">${values[index]}</text>`;
  });
  const height = bars.length * (BAR_HEIGHT + GAP);
  const legend = series.map((name) => `<li><span style="background:${colourOf(name)}"></span>${escaped(name)}</li>`);
  return `<div class="scroll"><svg viewBox="0 0 ${left + BARS + VALUES} ${height}" role="img" aria-label="${escaped(title)}">
${drawn.join('\n')}
</svg></div>
${series.length > 0 ? `<ul class="legend">${legend.join('')}</ul>` : ''}`;
}

function tableOf({ columns, rows }: QueryResult): string {
  const kind = (index: number): string => (columns[index]?.isNumber ? ' class="number"' : '');
  const head = columns.map(({ name }, index) => `<th${kind(index)}>${escaped(name)}</th>`).join('');
  const shown = columns.map(({ isNumber }, index) =>
    shownCells(
      rows.map((row) => row[index] ?? null),
      isNumber,
    ),
  );
  const body = rows.map(
    (row, place) =>
      `<tr>${row.map((_, index) => `<td${kind(index)}>${shown[index]?.[place] ?? ''}</td>`).join('')}</tr>`,
  );
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>\n${body.join('\n')}\n</tbody></table></div>`;
}

/** The cells of one column. */
function shownCells(cells: readonly Cell[], isNumber: boolean): string[] {
  if (!isNumber) return cells.map((cell) => (cell === null ? '–' : escaped(String(cell))));
  const numbers = formatNumbers(cells.map(Number));
  return cells.map((cell, index) => (cell === null ? '–' : (numbers[index] ?? '')));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
