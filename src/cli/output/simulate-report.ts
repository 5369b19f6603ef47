// What a person and a program see of a simulation. Takes what is sent and the answers, gives text and JSON.

import type { Round } from '../../authoring/simulator/chaos.ts';
import type { Scenario } from '../../authoring/simulator/scenario.ts';
import type { Sent } from '../../authoring/simulator/send.ts';
import type { JsonObject } from '../../core/model.ts';
import type { Provider } from '../../core/providers.ts';

/** One run of the command. */
export interface Run {
  readonly scenario: Scenario;
  readonly provider: Provider;
  readonly to: string;
  readonly seed: number;
  readonly startMs: number;
  readonly chaos: boolean;
}

export function headText(run: Run, rounds: readonly Round[]): string {
  const { scenario, provider, to, seed, chaos } = run;
  const posts = rounds.flat().length;
  const deliveries = `${posts} ${posts === 1 ? 'delivery' : 'deliveries'}`;
  const how = chaos ? `, with chaos` : '';
  return [
    `${provider} ${scenario.name}: ${scenario.description}`,
    `${deliveries} to ${to}${how}, seed ${seed}`,
    '',
    '',
  ].join('\n');
}

/** Gives the line of each answer; columns are as wide as the whole run needs. */
export function rowsOf(
  rounds: readonly Round[],
  { colour, chaos }: { colour: boolean; chaos: boolean },
): (sent: Sent) => string {
  const all = rounds.flat();
  const nameWidth = Math.max(0, ...all.map(({ name }) => name.length));
  const noteWidth = Math.max(0, ...all.map(({ note }) => note?.length ?? 0));
  return ({ sending, answer, problem }) => {
    const timeMs = Math.max(...sending.events.map((event) => event.timeMs));
    const mark = problem === undefined ? '✓' : '✗';
    const columns = [
      colour ? `\u001b[${problem === undefined ? 32 : 31}m${mark}\u001b[0m` : mark,
      new Date(timeMs).toISOString().replace('T', ' ').slice(0, 16),
      sending.name.padEnd(nameWidth),
      ...(chaos ? [(sending.note ?? '').padEnd(noteWidth)] : []),
      String(answer.status),
      problem ?? toldOf({ sending, answer, problem }),
    ];
    return `${columns.join('  ').trimEnd()}\n`;
  };
}

/** `subscription-renewed: 1 license renewed.` */
function toldOf({ sending, answer }: Sent): string {
  if (sending.forgery !== undefined) return `refused, as it should be (${answer.error})`;
  if (answer.status === 202) {
    const processed = answer.message.split('\n').length;
    return `${processed} of ${sending.events.length} processed; the others are of types no rule names`;
  }
  if (answer.error === 'EVENT_UNMATCHED') return 'no rule names this type';
  const rules = [...new Set(answer.events.map(({ rule }) => rule).filter(isText))].join(', ');
  const told = answer.events.every(({ duplicate }) => duplicate === true)
    ? 'done before; nothing was called'
    : (reasonOf(answer.events) ?? answer.message);
  return rules === '' ? told : `${rules}: ${told}`;
}

/** Why a single event is ignored or waits: that says more than its message. */
function reasonOf(events: readonly JsonObject[]): string | undefined {
  const [event] = events;
  if (events.length !== 1 || event === undefined || !isText(event['reason'])) return undefined;
  const status = String(event['status']);
  return status === 'done' ? undefined : `${status}: ${event['reason']}`;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

export function summaryText({ seed, chaos }: Run, sent: readonly Sent[]): string {
  const wrong = sent.filter(({ problem }) => problem !== undefined).length;
  const counts = new Map<string, number>();
  for (const status of sent.flatMap(statusesOf)) counts.set(status, (counts.get(status) ?? 0) + 1);
  const parts = [...counts].map(([status, count]) => `${count} ${status}`);
  const again = chaos ? `; --seed ${seed} makes the same run` : '';
  const verdict =
    wrong === 0
      ? 'all answers are as they should be'
      : wrong === 1
        ? '1 answer is not as it should be'
        : `${wrong} answers are not as they should be`;
  return `\n${parts.join(', ')}: ${verdict}${again}\n`;
}

function statusesOf({ sending, answer }: Sent): readonly string[] {
  if (sending.forgery !== undefined)
    return [answer.status === 400 ? 'forged and refused' : 'forged'];
  if (answer.status === 202) return ['partly processed'];
  if (answer.error === 'EVENT_UNMATCHED') return ['unmatched'];
  if (answer.events.length === 0) return [String(answer.status)];
  return answer.events.map(({ status, duplicate }) =>
    duplicate === true ? 'done before' : isText(status) ? status : 'refused',
  );
}

export function simulationJson(run: Run, sent: readonly Sent[]): object {
  const { scenario, provider, to, seed, startMs, chaos } = run;
  return {
    scenario: scenario.name,
    ...{ provider, to, seed, chaos },
    start: new Date(startMs).toISOString(),
    deliveries: sent.map(({ sending, answer, problem }) => ({
      name: sending.name,
      note: sending.note ?? null,
      events: sending.events.map(({ id, type, timeMs }) => ({
        ...{ id, type },
        time: new Date(timeMs).toISOString(),
      })),
      status: answer.status,
      error: answer.error ?? null,
      answers: answer.events,
      durationMs: answer.durationMs,
      problem: problem ?? null,
    })),
    problems: sent.filter(({ problem }) => problem !== undefined).length,
  };
}
