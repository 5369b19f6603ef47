// The playground: rules in an editor beside an event, and what they make of it. Takes texts that somebody types,
// gives pages, and for the page's script pieces of them as JSON. Everything is tried on the sandbox by the
// workbench; nothing here reads or writes the rules that run, the journal's state or Cryptlex.

import type { Context } from 'hono';
import { html } from 'hono/html';
import {
  COMPARE_EVENTS,
  EVENT_BYTES_MAX,
  RULES_BYTES_MAX,
  type RulesDraft,
  type TryTask,
} from '../../../authoring/playground/playground.ts';
import { readSample } from '../../../authoring/samples.ts';
import type { Diagnostic, JsonValue } from '../../../core/model.ts';
import type { RuleSet } from '../../../engine/rules/rule-set.ts';
import { answerPage } from '../../layout.ts';
import type { ConsoleApp, ConsoleEnv, ConsoleParts } from '../../parts.ts';
import { comparisonPart, messagePart, refusalPart } from './difference.ts';
import { type EventChoice, eventChoices, firstSample, pageBody } from './form.ts';
import { resultPart } from './result.ts';

/** What a page or its script sends; everything in it is only text yet. */
interface Sent {
  readonly source: string;
  readonly rules: string;
  readonly event: string;
  readonly events: number;
}

/** What the script gets. */
interface TryAnswer {
  readonly kind: string;
  readonly findings: readonly ShownFinding[];
  readonly html: string;
}

export type ShownFinding = Omit<Diagnostic, 'location'> & Diagnostic['location'];

export function addPlayground(app: ConsoleApp, parts: ConsoleParts): void {
  app.get('/playground', async (c) => {
    const ruleSet = ruleSetOf(parts, c.req.query('source'));
    if (ruleSet === undefined) return answerNoRules(c);
    const choices = await eventChoices(parts, ruleSet);
    const choice = c.req.query('event') ?? firstSample(ruleSet.provider);
    const event = (await eventText(parts, ruleSet, choice)) ?? '';
    const rules = ruleSet.text;
    return answerPlayground(c, parts, ruleSet, { choices, choice, rules, event, result: '' });
  });

  // Without its script the page sends itself; with it, only texts go to and fro.
  app.post('/playground', async (c) => {
    const isForm = !/^application\/json/i.test(c.req.header('content-type') ?? '');
    const sent = await readSent(c);
    const ruleSet = ruleSetOf(parts, sent.source);
    if (ruleSet === undefined) return answerNoRules(c);
    const answer = await answerTo(sent, ruleSet, parts, c.var.session.id);
    if (!isForm) return c.json({ ...answer, html: String(answer.html) } satisfies TryAnswer);
    const { rules, event } = sent;
    const choices = await eventChoices(parts, ruleSet);
    const page = { choices, choice: '', rules, event, result: answer.html };
    return answerPlayground(c, parts, ruleSet, page);
  });

  app.get('/playground/event', async (c) => {
    const ruleSet = ruleSetOf(parts, c.req.query('source'));
    const text = ruleSet && (await eventText(parts, ruleSet, c.req.query('event') ?? ''));
    return text === undefined ? c.json({ kind: 'unknown' }, 404) : c.json({ kind: 'found', text });
  });

  app.post('/playground/compare', async (c) => {
    const sent = await readSent(c);
    const running = ruleSetOf(parts, sent.source);
    if (running === undefined) return answerNoRules(c);
    const tooLong = tooLongOf(sent);
    if (tooLong !== undefined) return c.json({ kind: 'refused', html: String(tooLong) });
    const { env } = parts.currentRules();
    const { file, text, beside } = running;
    const draft = draftOf(running, sent.rules);
    const task = { running: { file, text, beside }, draft, env };
    const eventsMax = COMPARE_EVENTS.find((count) => count === sent.events) ?? COMPARE_EVENTS[0];
    const answer = await parts.workbench.compare(task, eventsMax, c.var.session.id);
    const shown = answer.kind === 'compared' ? comparisonPart(answer) : refusalPart(answer);
    return c.json({ kind: answer.kind, html: String(await shown) });
  });
}

function ruleSetOf(
  { currentRules }: ConsoleParts,
  source: string | undefined,
): RuleSet | undefined {
  const { ruleSets } = currentRules();
  return source === undefined ? [...ruleSets.values()][0] : ruleSets.get(source);
}

async function answerTo(sent: Sent, ruleSet: RuleSet, parts: ConsoleParts, owner: string) {
  const tooLong = tooLongOf(sent);
  if (tooLong !== undefined) return { kind: 'refused', findings: [], html: tooLong };
  const task: TryTask = {
    draft: draftOf(ruleSet, sent.rules),
    event: sent.event,
    env: parts.currentRules().env,
  };
  const tried = await parts.workbench.tryOut(task, owner);
  if (tried.kind !== 'tried') {
    return { kind: tried.kind, findings: [], html: await refusalPart(tried) };
  }
  const findings = tried.findings.map(
    ({ location, ...finding }): ShownFinding => ({ ...finding, ...location }),
  );
  return { kind: tried.kind, findings, html: await resultPart(tried) };
}

function draftOf({ file, beside }: RuleSet, text: string): RulesDraft {
  return { file: file.replace(/^.*[/\\]/, ''), text, beside };
}

function tooLongOf({ rules, event }: Sent) {
  if (Buffer.byteLength(rules) > RULES_BYTES_MAX) {
    return messagePart(
      `These rules are larger than ${RULES_BYTES_MAX / 1024} KiB, so they are not tried. A long catalog belongs into a file of its own (catalogFile).`,
    );
  }
  if (Buffer.byteLength(event) > EVENT_BYTES_MAX) {
    return messagePart(
      'This event is larger than 1 MiB. No webhook of that size is taken, so it is not tried.',
    );
  }
  return undefined;
}

async function readSent(c: Context<ConsoleEnv>): Promise<Sent> {
  const isJson = /^application\/json/i.test(c.req.header('content-type') ?? '');
  const read: unknown = isJson
    ? await c.req.json<unknown>().catch(() => undefined)
    : await c.req.parseBody();
  const body = new Map(typeof read === 'object' && read !== null ? Object.entries(read) : []);
  const text = (name: string): string => {
    const value: unknown = body.get(name);
    return typeof value === 'string' ? value : '';
  };
  // A form sends line breaks as the web wants them.
  const rules = isJson ? text('rules') : text('rules').replaceAll('\r\n', '\n');
  return {
    source: text('source'),
    rules,
    event: text('event'),
    events: Number(body.get('events')),
  };
}

/** @param choice `sample:NAME` or `recorded:KEY`; undefined for what is not there */
async function eventText(
  { archive }: ConsoleParts,
  { provider, source }: RuleSet,
  choice: string,
): Promise<string | undefined> {
  const [, kind, name = ''] = /^(sample|recorded):(.*)$/s.exec(choice) ?? [];
  if (kind === 'sample') return readSample(provider, name);
  if (kind !== 'recorded') return undefined;
  const details = await archive.details(name);
  if (details === undefined || details.record.isErased) return undefined;
  const { event } = details.record;
  return event.source === source ? textOf(event.payload) : undefined;
}

function textOf(value: JsonValue): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

interface Shown {
  readonly choices: readonly EventChoice[];
  readonly choice: string;
  readonly rules: string;
  readonly event: string;
  readonly result: Parameters<typeof pageBody>[1]['result'];
}

function answerPlayground(
  c: Context<ConsoleEnv>,
  parts: ConsoleParts,
  ruleSet: RuleSet,
  shown: Shown,
) {
  const sources = [...parts.currentRules().ruleSets.keys()];
  return answerPage(c, {
    title: 'Playground',
    area: 'Playground',
    scripts: ['playground'],
    styles: ['playground'],
    body: pageBody(c, { ...shown, sources, ruleSet }),
  });
}

function answerNoRules(c: Context<ConsoleEnv>) {
  return answerPage(c, {
    title: 'Playground',
    area: 'Playground',
    styles: ['playground'],
    status: 404,
    body: html`<h1>Playground</h1>
      <p class="message">No such source is switched on. A source is a rule file whose secret is set; see
        <code>keywright doctor</code>. <a href="/console/playground">Open the first one</a></p>`,
  });
}
