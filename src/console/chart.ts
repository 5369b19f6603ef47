// Charts of counts over time, as SVG. Takes counts in stretches of time, gives a figure: bars of stacked
// outcomes, a scale, and the same numbers as a table for whoever does not see them. No script, no library;
// colours come from the style sheet by class.

import { html } from 'hono/html';
import type { EventStatus } from '../core/model.ts';
import type { TimeCount } from '../journal/archive.ts';
import type { Html } from './layout.ts';
import { count, counted } from './times.ts';

/** What is told apart in a bar, from below. */
export const OUTCOMES: readonly {
  readonly name: string;
  readonly statuses: readonly EventStatus[];
}[] = [
  { name: 'done', statuses: ['done'] },
  { name: 'ignored', statuses: ['ignored'] },
  { name: 'unfinished', statuses: ['queued', 'running', 'waiting', 'parked'] },
  { name: 'unmatched', statuses: ['unmatched'] },
  { name: 'failed', statuses: ['failed'] },
];

export interface ChartInput {
  readonly title: string;
  readonly counts: readonly TimeCount[];
  /** Begins with the stretch that holds this moment. */
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly stepMs: number;
  /** What stands below a bar. */
  readonly label: (fromMs: number) => string;
  /** A label below every so many bars. */
  readonly labelEvery: number;
}

const WIDTH = 640;
const HEIGHT = 190;
const LEFT = 42;
const BOTTOM = 26;
const TOP = 10;

interface Bar {
  readonly fromMs: number;
  /** By outcome, in the order of OUTCOMES. */
  readonly parts: readonly number[];
  readonly sum: number;
}

export function chart(input: ChartInput): Html {
  const bars = barsOf(input);
  const all = bars.reduce((sum, bar) => sum + bar.sum, 0);
  const top = niceTop(Math.max(...bars.map(({ sum }) => sum)));
  const [chartHeight, step] = [HEIGHT - TOP - BOTTOM, (WIDTH - LEFT) / bars.length];
  const toY = (value: number): number => TOP + chartHeight * (1 - value / top);
  const lines = [0, top / 2, top].filter(Number.isInteger);
  return html`<figure class="card chart">
    <figcaption><h2>${input.title}</h2><span class="soft">${counted(all, 'event')}</span></figcaption>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${summaryOf(input.title, bars)}">
      ${lines.map(
        (
          value,
        ) => html`<line class="grid" x1="${LEFT}" x2="${WIDTH}" y1="${toY(value)}" y2="${toY(value)}"/>
        <text class="scale" x="${LEFT - 8}" y="${toY(value) + 4}" text-anchor="end">${count(value)}</text>`,
      )}
      ${bars.map((bar, index) => oneBar(bar, { x: LEFT + index * step, step, toY, label: input.label(bar.fromMs) }))}
      ${bars.map((bar, index) =>
        index % input.labelEvery === 0
          ? html`<text class="scale" x="${LEFT + (index + 0.5) * step}" y="${HEIGHT - 6}" text-anchor="middle">${input.label(bar.fromMs)}</text>`
          : '',
      )}
    </svg>
    ${legend(bars)}
    ${table(input, bars)}
  </figure>`;
}

function barsOf({ counts, sinceMs, untilMs, stepMs }: ChartInput): readonly Bar[] {
  const firstMs = sinceMs - (sinceMs % stepMs);
  const length = Math.max(1, Math.ceil((untilMs - firstMs) / stepMs));
  const sums = Array.from({ length }, () => OUTCOMES.map(() => 0));
  for (const { fromMs, status, events } of counts) {
    const parts = sums[Math.floor((fromMs - firstMs) / stepMs)];
    const outcome = OUTCOMES.findIndex(({ statuses }) => statuses.includes(status));
    if (parts !== undefined) parts[outcome] = (parts[outcome] ?? 0) + events;
  }
  return sums.map((parts, index) => ({
    fromMs: firstMs + index * stepMs,
    parts,
    sum: parts.reduce((sum, part) => sum + part, 0),
  }));
}

interface BarPlace {
  readonly x: number;
  readonly step: number;
  readonly toY: (value: number) => number;
  readonly label: string;
}

function oneBar({ parts, sum }: Bar, { x, step, toY, label }: BarPlace): Html | '' {
  if (sum === 0) return '';
  const gap = Math.min(4, step * 0.22);
  let below = 0;
  const pieces = parts.map((part, index) => {
    if (part === 0) return '';
    const [from, to] = [toY(below), toY(below + part)];
    below += part;
    // What is one of very many is still to be seen.
    const height = Math.max(1.5, from - to);
    return html`<rect class="${OUTCOMES[index]?.name}" x="${round(x + gap / 2)}" y="${round(from - height)}" width="${round(step - gap)}" height="${round(height)}"/>`;
  });
  const told = OUTCOMES.flatMap(({ name }, index) =>
    (parts[index] ?? 0) > 0 ? [`${count(parts[index] ?? 0)} ${name}`] : [],
  );
  return html`<g><title>${label}: ${told.join(', ')}</title>${pieces}</g>`;
}

function legend(bars: readonly Bar[]): Html {
  const shown = OUTCOMES.map(({ name }, index) => ({
    name,
    sum: bars.reduce((sum, { parts }) => sum + (parts[index] ?? 0), 0),
  })).filter(({ sum, name }) => sum > 0 || name === 'done');
  return html`<ul class="legend">${shown.map(
    ({ name, sum }) => html`<li><span class="dot ${name}"></span>${name} <b>${count(sum)}</b></li>`,
  )}</ul>`;
}

function table({ title, label }: ChartInput, bars: readonly Bar[]): Html {
  return html`<details class="numbers"><summary>The numbers</summary><div class="scroll" tabindex="0" role="group" aria-label="${title}: the numbers"><table>
    <thead><tr><th scope="col">UTC</th>${OUTCOMES.map(({ name }) => html`<th scope="col" class="number">${name}</th>`)}</tr></thead>
    <tbody>${bars
      .filter(({ sum }) => sum > 0)
      .map(
        ({ fromMs, parts }) =>
          html`<tr><th scope="row">${label(fromMs)}</th>${parts.map(
            (part) => html`<td class="number">${count(part)}</td>`,
          )}</tr>`,
      )}</tbody></table></div></details>`;
}

function summaryOf(title: string, bars: readonly Bar[]): string {
  const sums = OUTCOMES.map(({ name }, index) => {
    const sum = bars.reduce((total, { parts }) => total + (parts[index] ?? 0), 0);
    return `${count(sum)} ${name}`;
  });
  return `${title}: ${sums.join(', ')}`;
}

/** The next of 2, 4, 10, 20, 40, 100, … so that the half of it is a whole number. */
function niceTop(value: number): number {
  for (let unit = 1; ; unit *= 10) {
    for (const factor of [2, 4, 6, 10]) if (value <= factor * unit) return factor * unit;
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
