// The doctor: is everything here that serving needs, and is it well? Takes the environment, gives a
// checklist. Beside compose.ts; it starts nothing, makes no journal, and brings none up to date.

import type { Config, ConfigReading } from '../config/config.ts';
import type { EnvironmentVariables, ReadFile } from '../config/environment.ts';
import { createSystemClock } from '../core/clock.ts';
import type { Problem } from '../core/model.ts';
import { formatProxy } from '../http/proxies.ts';
import { readSetup, type Setup } from '../sources/read-sources.ts';
import { askCryptlex } from './check-cryptlex.ts';
import { databaseFindings } from './check-database.ts';
import { baseUrlFinding, billingFindings, secretFindings, tokenTexts } from './check-secrets.ts';
import { type Finding, ok, problem, skipped, warning } from './finding.ts';
import { needsOf } from './rule-needs.ts';

export interface DoctorWorld {
  readonly env: EnvironmentVariables;
  readonly readFile: ReadFile;
  /** Of Node, `24.21.0`. */
  readonly nodeVersion: string;
}

const NODE_MIN = [22, 18] as const;

export async function examine(world: DoctorWorld): Promise<readonly Finding[]> {
  const setup = readSetup(world);
  const { config: reading, loaded, secrets } = setup;
  const findings = [
    nodeFinding(world.nodeVersion),
    environmentFinding(reading),
    rulesFinding(setup),
  ];
  findings.push(...secretFindings(secrets));
  if (!reading.ok) {
    const rest = ['base-url', 'cryptlex', 'database', 'events'];
    return [
      ...findings,
      ...rest.map((check) => skipped(check, 'the environment is not right yet')),
    ];
  }
  const { config } = reading;
  findings.push(...tokenTexts(config, createSystemClock().nowMs()), baseUrlFinding(config));
  findings.push(...billingFindings(config), ...proxyFindings(config));
  const ruleSets = loaded.sources.map(({ ruleSet }) => ruleSet);
  findings.push(...(await askCryptlex(config, needsOf(ruleSets, loaded.env))));
  findings.push(...(await databaseFindings(config.database)));
  return findings;
}

function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1]);
  if (!isOld) return ok('node', `Node ${version}`);
  return problem('node', `Node ${version} is too old`, 'Install Node 22.18 or newer; 24 is best.');
}

function environmentFinding(reading: ConfigReading): Finding {
  const problems: readonly Problem[] = reading.environment.problems();
  if (problems.length === 0) return ok('environment', 'every variable is as it should be');
  const told = problems.map(({ code, message }) => `${message} [${code}]`).join('; ');
  return problem('environment', told, problems.map(({ hint }) => hint ?? '').join(' '));
}

function proxyFindings({ proxies }: Config): readonly Finding[] {
  const [http, https] = [proxies.http, proxies.https].map((proxy) => proxy && formatProxy(proxy));
  if (http === undefined && https === undefined) return [];
  const told = [https && `https:// through ${https}`, http && `http:// through ${http}`];
  return [ok('proxy', told.filter((part) => part !== undefined).join(', '))];
}

function rulesFinding({ rulesDir, unreadable, loaded }: Setup): Finding {
  const { sources, problems, warnings } = loaded;
  if (unreadable !== undefined) {
    return problem('rules', unreadable.message, 'Set RULES_DIR to the folder of the rule files.');
  }
  const first = (problems[0] ?? warnings[0])?.split('\n')[0] ?? '';
  const remedy = `keywright check ${rulesDir} tells all of them, with their lines.`;
  if (problems.length > 0) return problem('rules', `${problems.length} errors: ${first}`, remedy);
  if (warnings.length > 0) return warning('rules', `${warnings.length} warnings: ${first}`, remedy);
  const told = sources.map(({ name, ruleSet }) => `${name} (${ruleSet.rules.length} rules)`);
  if (told.length > 0) return ok('rules', told.join(', '));
  return skipped('rules', 'no source is switched on, so no rule file was read');
}
