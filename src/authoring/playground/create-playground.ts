// The server's side of the playground. Takes drafts of rules with events as texts, gives what the engine makes of
// them. Everything is done in two threads, one for tries and one for comparisons, so that webhooks and pages wait
// for nothing that somebody types. Only texts of recorded events are read here, a few at a time.

import type { Clock } from '../../core/model.ts';
import type { Archive } from '../../journal/archive.ts';
import type { TrafficItem } from '../comparison/read-item.ts';
import {
  COMPARE_MS_MAX,
  type Compared,
  type CompareTask,
  type NotAnswered,
  TRY_MS_MAX,
  type Workbench,
} from './playground.ts';
import { DraftProcess, type ProcessAnswer } from './process-handle.ts';
import { Turns } from './turns.ts';

/** Of one read from the journal: at 1 MiB each, what is held stays small. */
const PORTION_EVENTS = 50;

/** Its callers share a token, so they are one owner. */
const ADMIN_API = 'the admin API';

export function createWorkbench({
  archive,
  clock,
  tryMsMax = () => TRY_MS_MAX,
}: {
  readonly archive: Pick<Archive, 'traffic'>;
  readonly clock: Clock;
  /** How long one try may take. */
  readonly tryMsMax?: () => number;
}): Workbench {
  const tries = new Turns();
  const comparisons = new Turns();
  const comparing = new DraftProcess();
  const trying = new DraftProcess();
  return {
    tryOut: (task, owner) =>
      tries.take(owner, false, async () => {
        const answer = await trying.ask({ kind: 'try', task }, tryMsMax());
        return answer.kind === 'tried' ? answer : refusalOf(answer);
      }),
    dryRun: (task) =>
      tries.take(ADMIN_API, true, async () => {
        const answer = await trying.ask({ kind: 'dry-run', task }, tryMsMax());
        return answer.kind === 'explained' || answer.kind === 'refused'
          ? answer
          : refusalOf(answer);
      }),
    compare: (task, eventsMax, owner) =>
      comparisons.take(owner, false, () => compare(task, eventsMax, { archive, clock, comparing })),
    stop: () => {
      trying.stop();
      comparing.stop();
    },
  };
}

async function compare(
  task: CompareTask,
  eventsMax: number,
  parts: { archive: Pick<Archive, 'traffic'>; clock: Clock; comparing: DraftProcess },
): Promise<Compared | NotAnswered> {
  const { archive, clock, comparing } = parts;
  const begun = await comparing.ask({ kind: 'compare', task }, TRY_MS_MAX);
  if (begun.kind !== 'next') return refusalOf(begun);
  const endMs = clock.nowMs() + COMPARE_MS_MAX;
  const source = task.draft.file.replace(/\.ya?ml$/, '');
  let cursor: string | undefined;
  let place = 0;
  let isPart = false;
  do {
    const leftMs = endMs - clock.nowMs();
    isPart = leftMs <= 0;
    if (isPart) break;
    const limit = Math.min(PORTION_EVENTS, eventsMax - place);
    const page = await archive.traffic({ source }, { limit, cursor });
    const items = page.events.map((event): TrafficItem => ({ kind: 'recorded', event }));
    const portion = { firstPlace: place, items };
    const done = await comparing.ask({ kind: 'portion', portion }, Math.max(leftMs, TRY_MS_MAX));
    if (done.kind !== 'next') return refusalOf(done);
    place += items.length;
    ({ cursor } = page);
  } while (cursor !== undefined && place < eventsMax);
  const report = await comparing.ask({ kind: 'end' }, TRY_MS_MAX);
  return report.kind === 'compared' ? { ...report, isPart } : refusalOf(report);
}

function refusalOf(answer: ProcessAnswer): NotAnswered {
  switch (answer.kind) {
    case 'broken':
      throw new Error(`a draft could not be evaluated: ${answer.message}`);
    case 'unavailable':
      return answer;
    case 'too-large':
    case 'unreadable':
      return { kind: answer.kind };
    default:
      return { kind: 'too-slow' };
  }
}
