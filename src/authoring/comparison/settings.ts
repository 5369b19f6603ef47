// What two versions of the rules say of whole sources. Takes versions, gives the settings that are different; what
// they do to single events is seen when the events are planned.

import { formatBrakeLimit } from '../../core/brake.ts';
import type { RuleSet } from '../../engine/rules/rule-set.ts';
import type { RulesVersion } from './versions.ts';

export interface SettingChange {
  readonly source: string;
  readonly text: string;
  readonly danger: string | undefined;
}

export function settingChanges(
  before: RulesVersion,
  after: RulesVersion,
): readonly SettingChange[] {
  const pairs = pairsOf(before, after);
  return pairs.flatMap(([source, was, is]): readonly SettingChange[] => {
    if (was === undefined || is === undefined) {
      const text = was === undefined ? 'the source is new' : 'the source is gone';
      const danger = is === undefined ? 'its webhooks are answered with an error' : undefined;
      return [{ source, text, danger }];
    }
    const [had, has] = [settingsOf(was), settingsOf(is)];
    return Object.keys(had).flatMap((name) => {
      if (had[name] === has[name]) return [];
      const raised = name === 'maxDelete' && is.settings.maxDelete > was.settings.maxDelete;
      const isLooser = name.startsWith('brake') && isRaised(name, was, is);
      const danger = raised
        ? 'one event may delete more licenses'
        : isLooser
          ? 'more licenses may be taken away before a person is asked'
          : undefined;
      return [{ source, text: `${name}: ${had[name]} → ${has[name]}`, danger }];
    });
  });
}

function pairsOf(
  before: RulesVersion,
  after: RulesVersion,
): readonly (readonly [string, RuleSet | undefined, RuleSet | undefined])[] {
  const [first, second] = [before.ruleSets[0], after.ruleSets[0]];
  const areSingle = before.isSingleFile && after.isSingleFile;
  if (areSingle && first !== undefined && first.provider === second?.provider) {
    return [[second.source, first, second]];
  }
  const sources = new Set([...before.ruleSets, ...after.ruleSets].map(({ source }) => source));
  const of = ({ ruleSets }: RulesVersion, source: string): RuleSet | undefined =>
    ruleSets.find((ruleSet) => ruleSet.source === source);
  return [...sources].map((source) => [source, of(before, source), of(after, source)]);
}

function brakeName(action: string): string {
  return `brake.${action.slice(action.indexOf('.') + 1)}`;
}

/** Whether the limit lets more pass: more licenses, or in a shorter time. */
function isRaised(name: string, was: RuleSet, is: RuleSet): boolean {
  const limitOf = ({ settings }: RuleSet) =>
    Object.entries(settings.brake).find(([action]) => brakeName(action) === name)?.[1];
  const [before, after] = [limitOf(was), limitOf(is)];
  if (before === undefined || after === undefined) return false;
  return after.licenses > before.licenses || after.periodMs < before.periodMs;
}

/** As they are written in the file, or as they are when they are left out. */
function settingsOf({ mode, unmatched, settings }: RuleSet): Readonly<Record<string, string>> {
  const { maxDelete, brake, waitForMs, toleranceSeconds, path, answer, secretName } = settings;
  const { refusalCode, acknowledge, ownEvents } = settings;
  return {
    ...{ mode, unmatched, secret: secretName },
    maxDelete: String(maxDelete),
    ...Object.fromEntries(
      Object.entries(brake).map(([action, limit]) => [brakeName(action), formatBrakeLimit(limit)]),
    ),
    waitFor: `${waitForMs / 3_600_000} h`,
    toleranceSeconds: String(toleranceSeconds ?? 'as the provider says'),
    path: path ?? 'none',
    answer: answer === undefined ? 'as usual' : JSON.stringify(answer),
    refusalCode: refusalCode ?? 'as usual',
    ...{ acknowledge, ownEvents: String(ownEvents) },
  };
}
