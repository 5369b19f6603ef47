#!/usr/bin/env node
// argv → command → exit code. Takes the command line, hands it to one file under cli/.
// Never does anything itself.

import { runCli } from './cli/run-cli.ts';

// `keywright check | head` closes the pipe before everything is written; nobody wants to hear of that.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  isTty: process.stdout.isTTY === true,
  writeOut: (text) => process.stdout.write(text),
  writeError: (text) => process.stderr.write(text),
});
