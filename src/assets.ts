// Where the files lie that come with Keywright and are read when it runs: rules, schema, samples.
// Takes a path below the project, gives the path on this machine. In a checkout that is beside src/, in
// the bundle beside bin/: both are one folder deep, so one sentence holds for both.

import { fileURLToPath } from 'node:url';

/** @param path such as `schema/cryptlex.openapi.yaml` */
export function assetPath(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}
