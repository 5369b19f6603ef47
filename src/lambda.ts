// The function of AWS Lambda: `bin/lambda.handler`. Takes Lambda's environment, gives its handler.
// Never does anything itself.

import { readFileSync } from 'node:fs';
import { createLambdaHandler } from './app/lambda.ts';
import { assetPath } from './assets.ts';

export const handler = createLambdaHandler({
  // The rules lie in the bundle, unless others are named.
  env: { RULES_DIR: assetPath('rules'), ...process.env },
  readFile: (path) => readFileSync(path, 'utf8'),
  writeLog: (line) => process.stdout.write(line),
  writeError: (line) => process.stderr.write(`${line}\n`),
  stdoutIsTty: false,
});
