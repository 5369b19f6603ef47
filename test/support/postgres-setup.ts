// Before a test run: copies PostgreSQL's programs where its user can enter, if need be, once for all test
// files. Removes the copy after the run.

import { rmSync } from 'node:fs';
import { COPY_VARIABLE, findPostgres } from './postgres-programs.ts';

export default async function setUp(): Promise<(() => void) | undefined> {
  // A machine without PostgreSQL still runs the other tests; those that start it say what is wrong.
  const copy = await findPostgres().then(
    (programs) => programs.copy,
    () => undefined,
  );
  if (copy === undefined) return undefined;
  process.env[COPY_VARIABLE] = copy;
  return () => rmSync(copy, { recursive: true, force: true });
}
