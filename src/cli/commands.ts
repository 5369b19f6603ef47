// The commands by name. Takes the command line, gives the exit code; an error of the registry is told
// with its code and hint, never with a stack.

import { didYouMean } from '../engine/closest.ts';
import { AppError } from '../errors.ts';
import { checkCommand } from './check.ts';
import type { Command, ExitCode, Terminal } from './command.ts';
import { demoCommand } from './demo.ts';
import { diffCommand } from './diff.ts';
import { dryRunCommand } from './dry-run.ts';
import { eventsCommand } from './events.ts';
import { explainCommand } from './explain.ts';
import { sandboxCommand } from './sandbox.ts';
import { serveCommand } from './serve.ts';
import { simulateCommand } from './simulate.ts';
import { testCommand } from './test.ts';
import { whyCommand } from './why.ts';

const COMMANDS: readonly Command[] = [
  serveCommand,
  checkCommand,
  dryRunCommand,
  testCommand,
  eventsCommand,
  whyCommand,
  diffCommand,
  simulateCommand,
  sandboxCommand,
  demoCommand,
  explainCommand,
];

/** Runs one command line. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    terminal.writeOut(overview());
    return name === undefined ? 2 : 0;
  }
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined) {
    const names = COMMANDS.map((candidate) => candidate.name);
    terminal.writeError(`error: there is no command "${name}"${didYouMean(name, names)} [USAGE]\n`);
    terminal.writeError(overview());
    return 2;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    terminal.writeOut(command.help);
    return 0;
  }
  try {
    return await command.run(rest, terminal);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    terminal.writeError(`error: ${error.message} [${error.code}]\n      = hint: ${error.hint}\n`);
    return 2;
  }
}

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return [
    'keywright turns payment webhooks into Cryptlex licenses, by rules in YAML.',
    '',
    'Commands:',
    ...lines,
    '',
    'Ask `keywright COMMAND --help` for its options and an example.',
    '',
  ].join('\n');
}
