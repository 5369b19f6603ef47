// npm audit of what is shipped, for CI. Takes nothing; exit code 1 when a package has a known hole. Where
// the registry gives no advisories, that is said, and the check is skipped.

import { spawnSync } from 'node:child_process';

interface Report {
  readonly metadata?: { readonly vulnerabilities: Readonly<Record<string, number>> };
  readonly vulnerabilities?: Readonly<Record<string, { severity: string; range: string }>>;
  readonly message?: string;
  readonly error?: { readonly code?: string; readonly summary?: string };
}

const { stdout, error } = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
  encoding: 'utf8',
  timeout: 60_000,
});
const report = read(stdout ?? '');
if (report?.metadata === undefined) {
  const why = error?.message || report?.error?.summary || report?.message || 'no answer';
  console.log(`npm audit: SKIPPED, the registry gives no advisories (${why.slice(0, 200)})`);
  console.log('0 passed, 0 failed, 1 skipped');
} else {
  for (const [name, { severity, range }] of Object.entries(report.vulnerabilities ?? {})) {
    console.log(`${name} ${range}: ${severity}`);
  }
  const count = report.metadata.vulnerabilities['total'] ?? 0;
  console.log(count === 0 ? 'npm audit: clean\n1 passed, 0 failed' : '0 passed, 1 failed');
  process.exitCode = count === 0 ? 0 : 1;
}

function read(text: string): Report | undefined {
  try {
    return JSON.parse(text) as Report;
  } catch {
    return undefined;
  }
}
