// keywright events: what the journal knows. Lists events, shows one whole, marks events to be replayed.
// Works beside a running server: it only reads, and marks rows; the server does the work.

import { parseArgs } from 'node:util';
import { asTest } from '../../authoring/rule-tests/export-test.ts';
import { AppError } from '../../core/error-codes.ts';
import type { Archive, EventDetails, HeldVerdict, ReplayMode } from '../../journal/archive.ts';
import { bodyOf, summaryOf } from '../../journal/event-json.ts';
import type { EventRecord } from '../../journal/journal.ts';
import { openArchive } from '../../journal/open-journal.ts';
import {
  asUsageError,
  type Command,
  type ExitCode,
  type Terminal,
  usageError,
} from '../command.ts';
import { FILTER_HELP, FILTER_OPTIONS, type FilterValues, toFilter } from '../input/event-filter.ts';
import { loadRulesFor } from '../input/rules-for.ts';
import { previewOf } from '../output/replay-preview.ts';

const HELP = `keywright events list [FILTER] [--limit N] [--json]
keywright events show EVENT_ID [--as-test] [--json]
keywright events replay EVENT_ID… | FILTER [--retarget | --force] [--yes] [--json]
keywright events release EVENT_ID… | FILTER [--drop] [--yes] [--json]

Reads the journal of DATABASE_URL, beside a running server.

Filter:
${FILTER_HELP}

  --as-test   writes the event as a rule test, without personal data
  --limit     how many are listed (50)
  --retarget  looks licenses up anew instead of taking those that the event touched before
  --force     does once more what is done already
  --drop      ends held events without doing anything, as ignored; later deliveries of them do nothing
  --yes       replays or releases; without it, only what would be done is shown

A replay takes today's rules. What was done before is skipped, so replaying everything with unchanged
rules calls nothing. The server does the work, in order per subscription; it can be interrupted.
A release takes events that the brake holds (BRAKE_HELD). They are done as today's rules say, are not held
again, and do not count.

Example:
  keywright events replay --status failed --since 24h --yes
`;

const PREVIEWED_MAX = 20;

export const eventsCommand: Command = {
  help: HELP,
  run: async (args, terminal) => {
    const [verb, ...rest] = args;
    const work = WORK.get(verb ?? '');
    if (work === undefined)
      throw usageError('events takes list, show, replay or release', 'events');
    const options = parse(rest);
    const archive = await openArchive(terminal.env);
    try {
      for (const { text } of await archive.archive.notices()) {
        terminal.writeError(`WARNING: ${text}\n`);
      }
      return await work(archive.archive, options, terminal);
    } finally {
      await archive.close();
    }
  },
};

type Work = (archive: Archive, options: Options, terminal: Terminal) => Promise<ExitCode>;
const WORK: ReadonlyMap<string, Work> = new Map(Object.entries({ list, show, replay, release }));

interface Options {
  readonly ids: readonly string[];
  readonly filter: FilterValues;
  readonly limit: number;
  readonly json: boolean;
  readonly yes: boolean;
  readonly isTest: boolean;
  readonly mode: ReplayMode;
  readonly verdict: HeldVerdict;
}

function parse(args: readonly string[]): Options {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        ...FILTER_OPTIONS,
        limit: { type: 'string', default: '50' },
        json: { type: 'boolean', default: false },
        yes: { type: 'boolean', default: false },
        'as-test': { type: 'boolean', default: false },
        retarget: { type: 'boolean', default: false },
        force: { type: 'boolean', default: false },
        drop: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
    const limit = Number(values.limit);
    if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
      throw usageError(`--limit takes 1 to 1000, not "${values.limit}"`, 'events');
    }
    if (values.force && values.retarget) {
      throw usageError('--force and --retarget are two kinds of replay; choose one', 'events');
    }
    const mode = values.force ? 'force' : values.retarget ? 'retarget' : 'again';
    const { json, yes, 'as-test': isTest } = values;
    const verdict = values.drop ? 'drop' : 'release';
    return { ids: positionals, filter: values, limit, json, yes, isTest, mode, verdict };
  } catch (error) {
    throw asUsageError(error, 'events');
  }
}

async function list(archive: Archive, options: Options, terminal: Terminal): Promise<ExitCode> {
  if (options.ids.length > 0) {
    throw usageError('events list takes a filter; events show takes an id', 'events');
  }
  const filter = toFilter(options.filter, Date.now());
  const { events, cursor } = await archive.list(filter, { limit: options.limit });
  if (options.json) {
    terminal.writeOut(`${JSON.stringify({ events: events.map(summaryOf), cursor }, null, 2)}\n`);
    return 0;
  }
  for (const event of events) terminal.writeOut(`${lineOf(event)}\n`);
  const total = await archive.count(filter);
  terminal.writeError(`${events.length} of ${total} events\n`);
  return 0;
}

function lineOf(record: EventRecord): string {
  const { event, status, firstAcceptedAtMs, outcome, timerKey, dueAtMs } = record;
  const at = new Date(firstAcceptedAtMs).toISOString().replace('T', ' ').slice(0, 19);
  const waits = timerKey !== undefined && dueAtMs !== undefined;
  const until = waits
    ? `, until ${new Date(dueAtMs).toISOString().replace('T', ' ').slice(0, 19)}`
    : '';
  const why = `${outcome?.failure?.code ?? outcome?.code ?? outcome?.rule ?? ''}${until}`;
  return [at, status.padEnd(9), event.source.padEnd(10), event.type.padEnd(32), event.id, why]
    .join('  ')
    .trimEnd();
}

async function show(archive: Archive, options: Options, terminal: Terminal): Promise<ExitCode> {
  const [id, ...extra] = options.ids;
  if (id === undefined || extra.length > 0) throw usageError('events show takes one id', 'events');
  const all = await detailsOf(archive, id);
  for (const details of all) {
    if (options.isTest) {
      terminal.writeOut(await asTest(details, (source) => loadRulesFor(source, terminal.env)));
      continue;
    }
    const shown = { ...summaryOf(details.record), ...bodyOf(details) };
    terminal.writeOut(`${JSON.stringify(shown, null, 2)}\n`);
  }
  return 0;
}

/** @throws EVENT_UNKNOWN */
export async function detailsOf(archive: Archive, id: string): Promise<readonly EventDetails[]> {
  const found: EventDetails[] = [];
  for (const key of await archive.findKeys(id)) {
    const details = await archive.details(key);
    if (details !== undefined) found.push(details);
  }
  if (found.length > 0) return found;
  throw new AppError('EVENT_UNKNOWN', `there is no event "${id}"`);
}

async function replay(archive: Archive, options: Options, terminal: Terminal): Promise<ExitCode> {
  const found = await eventsMeant(archive, options, 'replay');
  const keys = found.map(({ key }) => key);
  if (!options.yes && options.json) {
    terminal.writeOut(`${JSON.stringify({ wouldReplay: keys }, null, 2)}\n`);
    return 0;
  }
  if (!options.yes) {
    for (const key of keys.slice(0, PREVIEWED_MAX)) {
      const details = await archive.details(key);
      if (details !== undefined) terminal.writeOut(await previewOf(details, terminal.env));
    }
    const more = keys.length > PREVIEWED_MAX ? ` (the first ${PREVIEWED_MAX} are shown)` : '';
    terminal.writeError(`${keys.length} events would be replayed${more}; add --yes to do it\n`);
    return 0;
  }
  let queued = 0;
  const refused: { key: string; status: string }[] = [];
  for (const key of keys) {
    const request = await archive.requestReplay(key, options.mode);
    if (request.kind === 'queued') queued += 1;
    else refused.push({ key, status: request.kind });
  }
  for (const { key, status } of refused) terminal.writeError(`not replayed, ${key}: ${status}\n`);
  const told = `${queued} events are queued; the server works on them in their order`;
  terminal.writeOut(`${options.json ? JSON.stringify({ queued, refused }) : told}\n`);
  return refused.length > 0 ? 1 : 0;
}

/** Says what a person decided of events that the brake holds; whoever works on the journal does the work. */
async function release(archive: Archive, options: Options, terminal: Terminal): Promise<ExitCode> {
  const { json, yes, verdict } = options;
  const found = await eventsMeant(archive, options, 'release');
  const held = found.filter(({ brake, status }) => brake === 'held' && status === 'parked');
  const others = found.filter((record) => !held.includes(record));
  for (const { key } of others) terminal.writeError(`not held, ${key}\n`);
  if (!yes) {
    const shown = held.map(summaryOf);
    if (json) terminal.writeOut(`${JSON.stringify({ held: shown, verdict }, null, 2)}\n`);
    else for (const record of held) terminal.writeOut(heldLine(record));
    const what = verdict === 'drop' ? 'dropped' : 'released';
    terminal.writeError(`${held.length} events would be ${what}; add --yes to do it\n`);
    return 0;
  }
  let decided = 0;
  for (const { key } of held) {
    const { kind } = await archive.decideHeld(key, verdict);
    if (kind === 'released' || kind === 'dropped') decided += 1;
    else terminal.writeError(`not held any more, ${key}\n`);
  }
  const told =
    verdict === 'drop'
      ? `${decided} events are dropped; nothing is done for them`
      : `${decided} events are released; the server works on them in their order`;
  terminal.writeOut(`${json ? JSON.stringify({ verdict, events: decided }) : told}\n`);
  return decided < found.length ? 1 : 0;
}

function heldLine(record: EventRecord): string {
  return `${lineOf(record)}\n  ${record.outcome?.reason ?? ''}\n`;
}

/** In the order of the events' own time, since a server begins with the first while others are marked. */
async function eventsMeant(
  archive: Archive,
  options: Options,
  verb: 'replay' | 'release',
): Promise<readonly EventRecord[]> {
  const filter = toFilter(options.filter, Date.now());
  const isFiltered = Object.values(filter).some((value) => value !== undefined);
  if (options.ids.length > 0) {
    if (isFiltered) throw usageError(`events ${verb} takes ids or a filter, not both`, 'events');
    const details = await Promise.all(options.ids.map((id) => detailsOf(archive, id)));
    return details.flat().map(({ record }) => record);
  }
  if (!isFiltered) {
    throw usageError(
      `events ${verb} takes an id or a filter; for all of them --since 3650d`,
      'events',
    );
  }
  const isHeld = verb === 'release' ? true : undefined;
  const found: EventRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = await archive.list({ ...filter, isHeld }, { limit: 1000, cursor });
    found.push(...page.events);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found.toSorted((a, b) => a.event.timeMs - b.event.timeMs);
}
