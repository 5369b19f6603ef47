// keywright diff: two versions of the rules over recorded traffic. Takes the journal or files of events, gives what
// would be handled otherwise; exit code 1 when customers or sales would lose something. Executes nothing.

import { parseArgs } from 'node:util';
import { compareAll } from '../../authoring/comparison/run.ts';
import { settingChanges } from '../../authoring/comparison/settings.ts';
import type { Tally } from '../../authoring/comparison/tally.ts';
import { fileTraffic, journalTraffic } from '../../authoring/comparison/traffic.ts';
import { loadVersion, type RulesVersion } from '../../authoring/comparison/versions.ts';
import { environmentFor } from '../../authoring/dry-run/rule-variables.ts';
import { AppError } from '../../core/error-codes.ts';
import { parseMoment } from '../../core/interval.ts';
import type { Env } from '../../engine/plan/match.ts';
import { openArchive } from '../../journal/open-journal.ts';
import { asUsageError, type Command, type Terminal, usageError } from '../command.ts';
import { type DiffReport, diffJson, diffMarkdown, diffText } from '../output/diff-report.ts';

const HELP = `keywright diff OLD NEW [--since 90d | --events PATH] [OPTIONS]

Plans recorded events with two versions of the rules and tells what would be handled otherwise, by rule and
kind of change, with the events behind it. Nothing is executed, and nothing is sent.

  OLD, NEW     a rule file, a folder of them, or git:REVISION:PATH
  --since      the events of the journal (DATABASE_URL) that were accepted since then: 24h, 90d, a date.
               Without --since and --events: 90d. Works beside a running server
  --events     instead of the journal: a folder of webhook bodies (*.json), or a file with one in each line
               (*.jsonl)
  --limit      how many events are named for each change (3); --json names all
  --markdown   for a pull request; --json for programs
  --strict     any change is enough for exit code 1

Exit code 1: a change is marked "!", because customers or sales may lose something. These are:
  licenses suspended, revoked, deleted or given an expiry that were not; a sale, payment or comeback that does
  nothing any more; an event that is newly answered with an error; a shorter interval, an earlier expiry, a
  smaller quantity; another product; another search for licenses; another name for a fact (once:, key:), by
  which it could be done twice; a higher maxDelete.
More licenses than before are told, but not marked. Exit code 2: unreadable rules, or no event to compare.
Addresses, names and metadata of buyers are never shown.

Example:
  keywright diff git:main:rules rules --since 90d --markdown
`;

export const diffCommand: Command = {
  help: HELP,
  run: async (args, terminal) => {
    const options = parse(args);
    const before = load(options.before, terminal);
    const after = load(options.after, terminal);
    if (before === undefined || after === undefined) return 2;
    const env = envOf([before, after], terminal);
    const tally = await tallyOf(options, { before, after, env }, terminal);
    const report: DiffReport = {
      before: before.name,
      after: after.name,
      data: tally.data(),
      groups: tally.groups(),
      settings: settingChanges(before, after),
      limit: options.limit,
    };
    const { compared, unusable } = report.data;
    if (compared === 0) {
      const why = unusable.length === 0 ? '' : ` (${unusable.length} cannot be used)`;
      throw new AppError('INPUT_UNREADABLE', `there is no event to compare${why}`, {
        hint: 'Was the journal begun lately? Look with `keywright events list`, or choose --events.',
      });
    }
    const write = { text: diffText, json: diffJson, markdown: diffMarkdown }[options.format];
    terminal.writeOut(write(report, terminal.isTty));
    const changes = [...report.groups, ...report.settings];
    const stops = options.strict ? changes : changes.filter(({ danger }) => danger !== undefined);
    return stops.length > 0 ? 1 : 0;
  },
};

interface Options {
  readonly before: string;
  readonly after: string;
  readonly events: string | undefined;
  readonly sinceMs: number;
  readonly limit: number;
  readonly format: 'text' | 'json' | 'markdown';
  readonly strict: boolean;
}

function parse(args: readonly string[]): Options {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        events: { type: 'string' },
        since: { type: 'string' },
        limit: { type: 'string', default: '3' },
        json: { type: 'boolean', default: false },
        markdown: { type: 'boolean', default: false },
        strict: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
    const [before, after, ...extra] = positionals;
    if (before === undefined || after === undefined || extra.length > 0) {
      throw usageError('diff takes two versions of the rules', 'diff');
    }
    const { events, since, json, markdown, strict } = values;
    if (events !== undefined && since !== undefined) {
      throw usageError('--since is about the journal; choose it or --events', 'diff');
    }
    if (json && markdown) throw usageError('choose --json or --markdown', 'diff');
    const limit = Number(values.limit);
    if (!Number.isInteger(limit) || limit < 0) {
      throw usageError(`--limit takes a number, not "${values.limit}"`, 'diff');
    }
    const sinceMs = parseMoment(since ?? '90d', Date.now());
    if (sinceMs === undefined) {
      throw usageError(`--since takes 24h, 90d or a date, not "${since}"`, 'diff');
    }
    const format = json ? 'json' : markdown ? 'markdown' : 'text';
    return { before, after, events, sinceMs, limit, format, strict };
  } catch (error) {
    throw asUsageError(error, 'diff');
  }
}

/** A version, or undefined when it has errors; every finding is told. */
function load(name: string, terminal: Terminal): RulesVersion | undefined {
  const { version, findings } = loadVersion(name);
  for (const finding of findings) terminal.writeError(`${finding}\n\n`);
  if (version === undefined) terminal.writeError(`${name} has errors; nothing is compared\n`);
  return version;
}

function envOf(versions: readonly RulesVersion[], terminal: Terminal): Env {
  const missing = new Set<string>();
  const env: Record<string, string | undefined> = {};
  for (const ruleSet of versions.flatMap(({ ruleSets }) => ruleSets)) {
    const { env: values, placeholders } = environmentFor(ruleSet, terminal.env);
    Object.assign(env, values);
    for (const name of placeholders) missing.add(name);
  }
  for (const name of missing) {
    terminal.writeError(`note: ${name} is not set; <${name}> stands for it\n`);
  }
  return env;
}

async function tallyOf(
  { events, sinceMs, limit, format }: Options,
  comparison: { before: RulesVersion; after: RulesVersion; env: Env },
  terminal: Terminal,
): Promise<Tally> {
  const onProgress = (items: number): void => {
    if (terminal.isTty && items % 2_000 === 0) terminal.writeError(`\r${items} events …`);
  };
  const idsMax = format === 'json' ? Number.POSITIVE_INFINITY : limit + 1;
  const options = { onProgress, idsMax };
  if (events !== undefined) return compareAll(fileTraffic(events), comparison, options);
  const { archive, close } = await openArchive(terminal.env);
  try {
    return await compareAll(journalTraffic(archive, sinceMs), comparison, options);
  } finally {
    await close();
  }
}
