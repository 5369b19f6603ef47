// What the header of a rule file says of its source: secret, address, answers and limits. Takes the checked
// header, gives SourceSettings with their defaults.

import { BRAKE_FORM, type BrakeName, brakeLimits, parseBrakeLimit } from '../../core/brake.ts';
import { parseInterval } from '../../core/interval.ts';
import type { JsonObject } from '../../core/model.ts';
import { mainSecretName, type Provider } from '../../core/providers.ts';

import type { Findings } from '../diagnostics/findings.ts';
import type { YamlFile } from '../diagnostics/yaml.ts';
import type { SourceSettings } from '../rules/rule-set.ts';

const MAX_DELETE_DEFAULT = 100;
const WAIT_FOR_MS_DEFAULT = 24 * 60 * 60 * 1000;

export function readSourceSettings(
  raw: Readonly<Record<string, unknown>>,
  source: string,
  provider: Provider,
  yaml: YamlFile,
  findings: Findings,
): SourceSettings {
  const given = raw as {
    secret?: string;
    path?: string;
    answer?: JsonObject;
    refusalCode?: string;
    acknowledge?: 'done' | 'stored';
    ownEvents?: boolean;
    toleranceSeconds?: number;
    maxDelete?: number;
    brake?: Partial<Record<BrakeName, string>>;
    waitFor?: string;
  };
  const isMain = source === provider;
  if (!isMain && given.secret === undefined) {
    const message = `a further ${provider} source needs the name of its secret`;
    findings.error('RULE_MISSING_FIELD', message, {
      location: yaml.locate([]),
      hint: `Add \`secret: ${source.toUpperCase().replaceAll('-', '_')}_WEBHOOK_SECRET\` at the top.`,
    });
  }
  return {
    secretName: given.secret ?? mainSecretName(provider),
    ...(given.path === undefined ? {} : { path: given.path }),
    ...(given.answer === undefined ? {} : { answer: given.answer }),
    ...(given.refusalCode === undefined ? {} : { refusalCode: given.refusalCode }),
    acknowledge: given.acknowledge ?? 'done',
    ownEvents: given.ownEvents === true,
    ...(given.toleranceSeconds === undefined ? {} : { toleranceSeconds: given.toleranceSeconds }),
    maxDelete: given.maxDelete ?? MAX_DELETE_DEFAULT,
    brake: readBrake(given.brake, yaml, findings),
    waitForMs: waitForMs(given.waitFor, yaml, findings),
  };
}

function readBrake(
  given: Partial<Record<BrakeName, string>> = {},
  yaml: YamlFile,
  findings: Findings,
): SourceSettings['brake'] {
  return brakeLimits((name) => {
    const text = given[name];
    if (text === undefined) return undefined;
    const limit = parseBrakeLimit(text);
    if (limit !== undefined) return limit;
    const location = yaml.locate(['brake', name]);
    const message = `"${name}" takes ${BRAKE_FORM}, not "${text}"`;
    findings.error('RULE_WRONG_TYPE', message, { location, length: text.length });
    return undefined;
  });
}

const DAY_MS = 86_400_000;

function waitForMs(text: string | undefined, yaml: YamlFile, findings: Findings): number {
  if (text === undefined) return WAIT_FOR_MS_DEFAULT;
  const interval = parseInterval(text);
  if (interval === undefined || interval.months > 0) {
    const location = yaml.locate(['waitFor']);
    const message = `"waitFor" needs an interval of days or hours like P1D or PT6H, not "${text}"`;
    findings.error('RULE_WRONG_TYPE', message, { location, length: text.length });
    return WAIT_FOR_MS_DEFAULT;
  }
  return interval.days * DAY_MS + interval.seconds * 1000;
}
