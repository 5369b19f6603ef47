// npm run check: types, lint, rules, and everything generated up to date. Takes nothing, prints one line
// for each check and the output of those that fail; exit code 1 when one failed.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);

/** A package's command, run by this very Node: the machine's own may be too old. */
function bin(name: string, path: string): string {
  return join(dirname(require.resolve(`${name}/package.json`)), path);
}

const CHECKS: readonly (readonly [name: string, script: string, ...args: string[]])[] = [
  ['types', bin('typescript', 'bin/tsc'), '-p', '.'],
  ['types in the browser', bin('typescript', 'bin/tsc'), '-p', 'src/console/client'],
  ['lint and format', bin('@biomejs/biome', 'bin/biome'), 'check', '--error-on-warnings', '.'],
  ['rules', 'src/cli.ts', 'check', 'rules', 'rules/examples'],
  ['rule tests', 'src/cli.ts', 'test', '--min-coverage', '100'],
  ['rule tests of examples', 'src/cli.ts', 'test', 'rules/examples/tests', '--min-coverage', '100'],
  ['generated types', 'scripts/generate-types.ts', '--check'],
  ['generated schema', 'scripts/generate-schema.ts', '--check'],
  ['generated schema of tests', 'scripts/generate-tests-schema.ts', '--check'],
  ['generated shapes', 'scripts/generate-shapes.ts', '--check'],
  ['generated docs', 'scripts/generate-docs.ts', '--check'],
];

let failed = 0;
for (const [name, script, ...args] of CHECKS) {
  if (script.startsWith('scripts/') && !existsSync(join(root, script))) {
    failed += 1;
    console.log(`✗ ${name}: ${script} is missing`);
    continue;
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  console.log(`${status === 0 ? '✓' : '✗'} ${name}`);
  if (status === 0) continue;
  failed += 1;
  console.log(`${stdout}${stderr}`);
}
console.log(failed === 0 ? 'All checks are clean.' : `${failed} checks failed.`);
process.exitCode = failed === 0 ? 0 : 1;
