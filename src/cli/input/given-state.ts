// What exists in Cryptlex before a dry run. Takes the path of a YAML file, gives what the sandbox is given;
// what is wrong with the file is told all at once, each at its place.

import { checkStateFile } from '../../engine/cases/state-file.ts';
import { Findings, formatDiagnostic } from '../../engine/diagnostics/findings.ts';
import { readYaml } from '../../engine/diagnostics/yaml.ts';
import type { SandboxGiven } from '../../sandbox/types.ts';
import type { Terminal } from '../command.ts';
import { readInput } from './read-input.ts';

/**
 * Undefined when it has errors, which are told on stderr.
 * @throws INPUT_UNREADABLE
 */
export function readGivenState(path: string, terminal: Terminal): SandboxGiven | undefined {
  const text = new TextDecoder().decode(readInput(path));
  const findings = new Findings();
  const yaml = readYaml(path, text, findings);
  const isRight = yaml !== undefined && checkStateFile(yaml, findings);
  for (const finding of findings.list()) {
    terminal.writeError(`${formatDiagnostic(finding, () => text)}\n\n`);
  }
  if (!isRight || findings.hasErrors()) return undefined;
  return yaml.value as SandboxGiven;
}
