// keywright why: the explanation of an event in the journal, with the rules as they were when it ran and
// as they are now. Reads the journal; runs on the sandbox only.

import { parseArgs } from 'node:util';
import { rulesThen } from '../../app/admin-tools.ts';
import { type Explanation, explainEvent } from '../../authoring/dry-run/explain.ts';
import { differences } from '../../authoring/dry-run/explanation-difference.ts';
import { environmentFor } from '../../authoring/dry-run/rule-variables.ts';
import { asTest } from '../../authoring/rule-tests/export-test.ts';
import type { RuleSet } from '../../engine/rules/rule-set.ts';
import type { Archive, EventDetails } from '../../journal/archive.ts';
import { summaryOf } from '../../journal/event-json.ts';
import { openArchive } from '../../journal/open-journal.ts';
import { asUsageError, type Command, type Terminal, usageError } from '../command.ts';
import { loadRulesFor } from '../input/rules-for.ts';
import { explanationText } from '../output/explanation/text.ts';
import { paintFor } from '../output/terminal-text.ts';
import { detailsOf } from './events.ts';

const HELP = `keywright why EVENT_ID [--all] [--as-test] [--json]

Tells the story of an event in the journal: how it stands, each try with its calls, and what the rules
say of it, as they were when it ran and as they are now; what would be different stands first. Reads
DATABASE_URL; sends nothing.

  --all      shows every rule, item and name in full
  --as-test  writes the event as a rule test, without personal data, in place of its story

Example:
  keywright why evt_1QxYb2LkdIwHu7ixAbCdEfGh
`;

export const whyCommand: Command = {
  help: HELP,
  run: async (args, terminal) => {
    const { id, json, all, isTest } = parse(args);
    const { archive, close } = await openArchive(terminal.env);
    try {
      for (const details of await detailsOf(archive, id)) {
        if (isTest) {
          terminal.writeOut(await asTest(details, (source) => loadRulesFor(source, terminal.env)));
          continue;
        }
        const story = await storyOf(details, { archive, all }, terminal);
        terminal.writeOut(json ? `${JSON.stringify(story.json, null, 2)}\n` : story.text);
      }
      return 0;
    } finally {
      await close();
    }
  },
};

function parse(args: readonly string[]): {
  id: string;
  json: boolean;
  all: boolean;
  isTest: boolean;
} {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        json: { type: 'boolean', default: false },
        all: { type: 'boolean', default: false },
        'as-test': { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
    const [id, ...extra] = positionals;
    if (id === undefined || extra.length > 0) throw usageError('why takes one event id', 'why');
    return { id, json: values.json, all: values.all, isTest: values['as-test'] };
  } catch (error) {
    throw asUsageError(error, 'why');
  }
}

async function storyOf(
  details: EventDetails,
  { archive, all }: { archive: Archive; all: boolean },
  terminal: Terminal,
): Promise<{ text: string; json: object }> {
  const { record, operations, attempts } = details;
  const blocks = [headText(details), attemptsText(details)];
  const json: Record<string, unknown> = { ...summaryOf(record), operations, attempts };
  if (record.isErased) {
    blocks.push('The payload was erased, so the rules cannot be asked any more.\n');
    return { text: blocks.join('\n'), json };
  }
  const { old, current, isSame } = await explanationsOf(record, archive, terminal);
  const block = (title: string, explanation: Explanation, before = ''): string =>
    `── ${title} ──\n${before}${explanationText(explanation, { paint: paintFor(terminal), all })}`;
  if (old === undefined) blocks.push('The rules as they were when it ran are not kept.\n');
  else {
    json['then'] = old;
    blocks.push(block(THEN, old));
  }
  if (current === undefined) {
    blocks.push(
      `The rules of ${record.event.source} have errors or are gone; ask keywright check.\n`,
    );
  } else if (old === undefined) {
    json['now'] = current;
    blocks.push(block(NOW, current));
  } else if (isSame) {
    blocks.push('The rules are still the same.\n');
  } else {
    const changes = differences(old, current);
    json['now'] = current;
    json['differences'] = changes;
    const told = changes.map((change) => `  ${change}\n`).join('');
    blocks.push(
      changes.length === 0
        ? 'The rules have changed since; for this event they would do the same.\n'
        : block(NOW, current, `What would be different:\n${told}\n`),
    );
  }
  return { text: blocks.join('\n'), json };
}

const THEN = 'With the rules as they were when it ran';
const NOW = 'With the rules as they are now';

/** What the rules say of it, as they were and as they are; `isSame` when they are one and the same. */
async function explanationsOf(
  record: EventDetails['record'],
  archive: Archive,
  terminal: Terminal,
): Promise<{ old: Explanation | undefined; current: Explanation | undefined; isSame: boolean }> {
  const then = await rulesThen(record, archive);
  const now = loadRulesFor(record.event.source, terminal.env);
  const explain = (ruleSet: RuleSet): Promise<Explanation> => {
    const { env } = environmentFor(ruleSet, terminal.env);
    return explainEvent(ruleSet, record.event, { env, given: undefined });
  };
  return {
    old: then === undefined ? undefined : await explain(then),
    current: now === undefined ? undefined : await explain(now),
    isSame: then !== undefined && then.hash === now?.hash,
  };
}

function headText({ record }: EventDetails): string {
  const { event, outcome, status } = record;
  const lines = [
    `${event.provider} ${event.type} ${event.id}`,
    `status: ${status}${outcome?.rule === undefined ? '' : `, rule ${outcome.rule}`}`,
    ...(outcome === undefined ? [] : [`what was told: ${outcome.message}`]),
    ...(outcome?.reason === undefined ? [] : [`reason: ${outcome.reason}`]),
    ...(outcome?.userId === undefined ? [] : [`user: ${outcome.userId}`]),
    ...(outcome?.licenseIds === undefined ? [] : [`licenses: ${outcome.licenseIds.join(', ')}`]),
  ];
  return `${lines.join('\n')}\n`;
}

function attemptsText({ attempts }: EventDetails): string {
  const lines = attempts.flatMap(({ attempt, startedAtMs, endedAtMs, status, reason, calls }) => [
    `try ${attempt} at ${new Date(startedAtMs).toISOString()}, ${endedAtMs - startedAtMs} ms: ${status}${reason === undefined ? '' : `, ${reason}`}`,
    ...calls.map(
      (call) =>
        `  ${call.method.padEnd(6)} ${call.path} → ${call.status ?? 'no answer'} (${call.durationMs} ms)`,
    ),
  ]);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}
