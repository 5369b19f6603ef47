// The rules of one source, for commands. Takes a source's name and where rules lie, gives a RuleSet; what
// is wrong with it is told by `keywright check`.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ACTIONS } from '../../actions/definitions.ts';
import { rulesDirIn } from '../../config/rules-dir.ts';
import { loadRuleFile } from '../../engine/load/load.ts';
import type { RuleSet } from '../../engine/rules/rule-set.ts';
import { readRuleFiles } from '../../sources/rule-files.ts';
import type { Terminal } from '../command.ts';

/** The rules of a source as they lie there now; undefined when the file has errors or is gone. */
export function loadRulesFor(source: string, env: Terminal['env']): RuleSet | undefined {
  const directory = rulesDirIn(env);
  for (const ending of ['yaml', 'yml']) {
    const path = join(directory, `${source}.${ending}`);
    if (!existsSync(path)) continue;
    const [input] = readRuleFiles(path);
    if (input !== undefined) return loadRuleFile(input, ACTIONS).ruleSet;
  }
  return undefined;
}
