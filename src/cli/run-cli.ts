// The commands by name. Takes the command line, gives the exit code; an error of the registry is told
// with its code and hint, never with a stack.
// Each command is imported when it is run: together they are a hundred files, most of which none needs.

import { AppError } from '../core/error-codes.ts';
import { didYouMean } from '../engine/diagnostics/closest.ts';
import type { Command, ExitCode, Terminal } from './command.ts';

interface Listed {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  load(): Promise<Command>;
}

const COMMANDS: readonly Listed[] = [
  {
    name: 'serve',
    summary: 'starts the server',
    load: async () => (await import('./commands/serve.ts')).serveCommand,
  },
  {
    name: 'check',
    summary: 'checks rule files and tells every finding',
    load: async () => (await import('./commands/check.ts')).checkCommand,
  },
  {
    name: 'dry-run',
    summary: 'shows what the rules would do for an event',
    load: async () => (await import('./commands/dry-run.ts')).dryRunCommand,
  },
  {
    name: 'test',
    summary: 'runs rule tests',
    load: async () => (await import('./commands/test.ts')).testCommand,
  },
  {
    name: 'events',
    summary: 'lists, shows and replays events of the journal',
    load: async () => (await import('./commands/events.ts')).eventsCommand,
  },
  {
    name: 'why',
    summary: 'tells why an event ended as it did',
    load: async () => (await import('./commands/why.ts')).whyCommand,
  },
  {
    name: 'doctor',
    summary: 'looks whether all is well, and says what to do where it is not',
    load: async () => (await import('./commands/doctor.ts')).doctorCommand,
  },
  {
    name: 'diff',
    summary: 'compares two versions of the rules over recorded events',
    load: async () => (await import('./commands/diff.ts')).diffCommand,
  },
  {
    name: 'simulate',
    summary: 'sends signed webhooks of whole sales to a server',
    load: async () => (await import('./commands/simulate.ts')).simulateCommand,
  },
  {
    name: 'sandbox',
    summary: 'serves the embedded Cryptlex alone',
    load: async () => (await import('./commands/sandbox.ts')).sandboxCommand,
  },
  {
    name: 'demo',
    summary: 'shows the main job with no account and no service',
    load: async () => (await import('./commands/demo.ts')).demoCommand,
  },
  {
    name: 'explain',
    summary: 'explains a code',
    load: async () => (await import('./commands/explain.ts')).explainCommand,
  },
];

/** Runs one command line. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    terminal.writeOut(overview());
    return name === undefined ? 2 : 0;
  }
  const listed = COMMANDS.find((candidate) => candidate.name === name);
  if (listed === undefined) {
    const names = COMMANDS.map((candidate) => candidate.name);
    terminal.writeError(`error: there is no command "${name}"${didYouMean(name, names)} [USAGE]\n`);
    terminal.writeError(overview());
    return 2;
  }
  const command = await listed.load();
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
