// One try of rules that somebody is writing. Takes a draft and an event as texts, gives the findings of `check`
// and what the event would come to. Runs in a process of its own (draft-process.ts), so a formula that takes
// long holds nobody up. Uses the engine and the sandbox that everything else uses; nothing goes live.

import { ACTIONS } from '../../actions/definitions.ts';
import { AppError } from '../../core/error-codes.ts';
import type { JsonValue } from '../../core/model.ts';
import { createInspection, loadKnownShapes } from '../../engine/lint/inspect.ts';
import type { KnownShapes } from '../../engine/lint/shapes/known.ts';
import { loadRuleFile } from '../../engine/load/load.ts';
import { readShipped } from '../../sources/shipped-rules.ts';
import { readWebhookBody } from '../../verifiers/webhook-body.ts';
import { type Explanation, explainEvent } from '../dry-run/explain.ts';
import { environmentFor } from '../dry-run/rule-variables.ts';
import type { RulesDraft, Tried, TriedEvent, TryTask } from './playground.ts';

const FINDINGS_MAX = 200;
/** A FastSpring delivery holds 25 events at most. */
const EVENTS_MAX = 25;
const ROWS_MAX = 100;
const TEXT_LENGTH_MAX = 2_000;

let shapes: Promise<KnownShapes> | undefined;

export async function tryRules({ draft, event, env }: TryTask): Promise<Tried> {
  shapes ??= loadKnownShapes();
  const inspect = createInspection(await shapes, ACTIONS);
  const { ruleSet, diagnostics } = loadRuleFile(inputOf(draft), ACTIONS, { inspect });
  const checked = {
    kind: 'tried',
    findings: diagnostics.slice(0, FINDINGS_MAX),
    furtherFindings: Math.max(0, diagnostics.length - FINDINGS_MAX),
  } as const;
  if (ruleSet === undefined || event === undefined || event.trim() === '') {
    return { ...checked, events: undefined, eventProblem: undefined };
  }
  try {
    const body = new TextEncoder().encode(event);
    const read = readWebhookBody(ruleSet.provider, body, ruleSet.source);
    const options = { env: environmentFor(ruleSet, env).env, given: undefined };
    const events: TriedEvent[] = [];
    for (const one of read.slice(0, EVENTS_MAX)) {
      events.push(cutDown(await explainEvent(ruleSet, one, options)));
    }
    return { ...checked, events, eventProblem: undefined };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const eventProblem = `${error.message} ${error.hint ?? ''}`.trim();
    return { ...checked, events: undefined, eventProblem };
  }
}

export function inputOf({ file, text, beside }: RulesDraft) {
  return {
    file,
    text,
    readBeside: (name: string) => (Object.hasOwn(beside, name) ? beside[name] : readShipped(name)),
  };
}

/** An event of ten thousand items fills no page with them. */
function cutDown(explanation: Explanation): TriedEvent {
  let cut = false;
  const few = <Item>(items: readonly Item[]): readonly Item[] => {
    if (items.length > ROWS_MAX) cut = true;
    return items.slice(0, ROWS_MAX).map((item) => shortened(item as JsonValue) as Item);
  };
  const { trace, names, plan, values, requests, errors, assumed, notes, licenses, users } =
    explanation;
  const sides = ({ before, after }: Explanation['licenses']) => ({
    before: few(before),
    after: few(after),
  });
  const shown = {
    ...explanation,
    ...{ trace: few(trace), names: few(names), plan: few(plan), errors: few(errors) },
    values: few(values.filter(({ step }) => step < ROWS_MAX)),
    ...{ requests: few(requests), assumed: few(assumed), notes: few(notes) },
    ...{ licenses: sides(licenses), users: sides(users) },
  };
  return { ...shown, cut };
}

function shortened(value: JsonValue): JsonValue {
  if (typeof value === 'string') {
    return value.length > TEXT_LENGTH_MAX ? `${value.slice(0, TEXT_LENGTH_MAX)}…` : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.slice(0, ROWS_MAX).map(shortened);
  const members = Object.entries(value)
    .slice(0, ROWS_MAX)
    .filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, shortened(member)]));
}
