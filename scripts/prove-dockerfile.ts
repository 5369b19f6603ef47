// The container without a container engine: carries out the Dockerfile step by step in an empty folder,
// `npm ci` included, then starts what it made as the image would, asks its health check, and tells
// what is in it. Takes nothing, needs npm's registry or cache. Exit code 1 when a step fails.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { carryOut } from './dockerfile.ts';
import { runImage } from './run-image.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const into = mkdtempSync(join(tmpdir(), 'keywright-image-'));

try {
  const text = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
  const stage = carryOut(text, { context: ROOT, into });
  const seen = await runImage(stage);
  console.log(`steps done; ${megabytes(stage.root)} MB on top of ${stage.image}`);
  console.log(`${stage.entrypoint.join(' ')} ${stage.command.join(' ')}: ${seen}`);
  console.log('1 passed, 0 failed');
} catch (error) {
  for (let next: unknown = error; next instanceof Error; next = next.cause) {
    console.log(next.message);
  }
  console.log('0 passed, 1 failed');
  process.exitCode = 1;
} finally {
  rmSync(into, { recursive: true, force: true });
}

function megabytes(folder: string): string {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const bytes = files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
  return (bytes / 1e6).toFixed(1);
}
