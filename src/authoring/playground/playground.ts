// What the playground is asked, and what it answers. Types and limits only.

import type { AppErrorCode } from '../../core/error-codes.ts';
import type { Diagnostic } from '../../core/model.ts';
import type { Provider } from '../../core/providers.ts';
import type { Env } from '../../engine/plan/match.ts';
import type { SettingChange } from '../comparison/settings.ts';
import type { Group, TallyData } from '../comparison/tally.ts';
import type { Explanation } from '../dry-run/explain.ts';

/** A text longer than this is not read: the largest shipped rule file has 10 kB. */
export const RULES_BYTES_MAX = 512 * 1024;
/** The largest webhook that Keywright takes. */
export const EVENT_BYTES_MAX = 1024 * 1024;
/** One try may hold its process for so long; the shipped rules need a hundredth of it. */
export const TRY_MS_MAX = 4_000;
/** One comparison may take so long; what was compared until then is shown. */
export const COMPARE_MS_MAX = 15_000;
export const COMPARE_EVENTS = [100, 1_000, 10_000] as const;

/** A rule file as it stands in the editor. */
export interface RulesDraft {
  /** As it is called on the server: `stripe.yaml`. */
  readonly file: string;
  readonly text: string;
  /** Texts of files beside it (a catalog), by name. */
  readonly beside: Readonly<Record<string, string>>;
}

export interface TryTask {
  readonly draft: RulesDraft;
  /** A webhook body, or one FastSpring event; undefined: the rules are only checked. */
  readonly event: string | undefined;
  readonly env: Env;
}

/** The rules as they run now, as text. */
export interface CompareTask {
  readonly running: RulesDraft;
  readonly draft: RulesDraft;
  readonly env: Env;
}

/** A dry run by the admin API. */
export interface DryRunTask {
  readonly draft: RulesDraft;
  readonly provider: Provider;
  /** A webhook body, or one FastSpring event, as JSON text. */
  readonly event: string;
  readonly env: Env;
}

export type DryRun =
  /** One object for each event, as `keywright dry-run --json` gives them, as JSON text. */
  | { readonly kind: 'explained'; readonly json: string }
  | {
      readonly kind: 'refused';
      readonly code: AppErrorCode;
      readonly message: string;
      readonly hint: string;
    };

/** What one event would come to; lists that are very long are cut, and `cut` says so. */
export interface TriedEvent extends Explanation {
  readonly cut: boolean;
}

export interface Tried {
  readonly kind: 'tried';
  /** As `keywright check` gives them. */
  readonly findings: readonly Diagnostic[];
  /** How many there are beyond those that are listed. */
  readonly furtherFindings: number;
  /** Undefined where the rules cannot be read, or no event was given. */
  readonly events: readonly TriedEvent[] | undefined;
  /** Why the event cannot be read. */
  readonly eventProblem: string | undefined;
}

export interface Compared {
  readonly kind: 'compared';
  readonly groups: readonly Group[];
  readonly settings: readonly SettingChange[];
  readonly counts: Pick<TallyData, 'compared' | 'different' | 'firstMs' | 'lastMs'>;
  /** Events whose payload was erased. */
  readonly erased: number;
  /** The time was over before all of them were compared. */
  readonly isPart: boolean;
}

/** Why there is no answer. */
export interface NotAnswered {
  readonly kind: /** It took longer than it may, and was ended. */
    | 'too-slow'
    /** It needed more memory than it may, and was ended. */
    | 'too-large'
    /** Somebody asked for something newer in the meantime. */
    | 'superseded'
    /** Too many people ask at once. */
    | 'busy'
    /** No process can be started for it. */
    | 'unavailable'
    /** The rules of the draft cannot be read. */
    | 'unreadable';
  /** Of what is unavailable, in the words of the operating system. */
  readonly reason?: string;
}

/** The server's side of the playground. Nothing that it does reaches Cryptlex or the journal. */
export interface Workbench {
  /** @param owner who asks: a newer task of the same owner takes the place of one that waits */
  tryOut(task: TryTask, owner: string): Promise<Tried | NotAnswered>;
  /** Each waits for its turn. */
  dryRun(task: DryRunTask): Promise<DryRun | NotAnswered>;
  /** @param eventsMax how many recorded events at most, newest first */
  compare(task: CompareTask, eventsMax: number, owner: string): Promise<Compared | NotAnswered>;
  stop(): void;
}
