// The console blocks of a page, typed into one shell and compared with what the page shows. The shell
// stands in a copy of what a newcomer has checked out, with ports of its own.
// `[…]` stands for text left out of a line, a line of its own for any lines left out; all else is exact.

import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT } from './markdown.ts';

export interface ConsoleStep {
  readonly command: string;
  readonly expected: readonly string[];
}

/** Commands follow "$ "; a back-slash at the end goes on in the next line. */
export function stepsOf(text: string): readonly ConsoleStep[] {
  const steps: { command: string; expected: string[] }[] = [];
  let goesOn = false;
  for (const line of text.trimEnd().split('\n')) {
    const last = steps.at(-1);
    if (goesOn && last !== undefined) last.command += `\n${line}`;
    else if (line.startsWith('$ ')) steps.push({ command: line.slice(2), expected: [] });
    else if (last === undefined) throw new Error('a console block begins with "$ "');
    else last.expected.push(line);
    goesOn = goesOn || line.startsWith('$ ') ? line.endsWith('\\') : false;
  }
  return steps;
}

const LEFT_OUT = '[…]';

/** What differs first, or undefined when the output is what the page shows. */
export function difference(
  expected: readonly string[],
  output: readonly string[],
): string | undefined {
  const [wanted, ...restWanted] = expected;
  const [seen, ...restSeen] = output;
  if (wanted === undefined) return seen === undefined ? undefined : `the page lacks: ${seen}`;
  if (wanted.trim() === LEFT_OUT) {
    // At least one line is left out, or the mark would lie.
    for (let skipped = 1; skipped <= output.length; skipped += 1) {
      if (difference(restWanted, output.slice(skipped)) === undefined) return undefined;
    }
    return `nothing fits what follows ${LEFT_OUT}: ${restWanted[0] ?? 'the end'}`;
  }
  if (seen === undefined) return `the output lacks: ${wanted}`;
  const pattern = wanted.split(LEFT_OUT).map(escaped).join('.+');
  if (!new RegExp(`^${pattern}$`).test(seen))
    return `the page shows: ${wanted}\nthe output is:  ${seen}`;
  return difference(restWanted, restSeen);
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

const NPM = `#!/usr/bin/env bash
case "$1 $2" in
  "start "*) shift; exec keywright serve "$@" ;;
  "run demo") exec keywright demo ;;
  "run build") exec node scripts/build.ts --out "$PWD/dist" ;;
  "run -s") [ "$3" = keywright ] && [ "$4" = -- ] && shift 4 && exec keywright "$@" ;;
esac
echo "the page uses an npm command that the test does not know: npm $*"
exit 2
`;
const ANSWER_MS = 300_000;

/** One shell for all blocks of a page. */
export class Shell {
  readonly folder: string;
  readonly #shell: ChildProcess;
  readonly #ports: ReadonlyMap<string, string>;
  #output = '';
  #count = 0;

  /** @param ports the page's port → a free one */
  constructor(ports: ReadonlyMap<string, string>) {
    this.#ports = ports;
    this.folder = mkdtempSync(join(tmpdir(), 'keywright-docs-'));
    for (const name of ['src', 'samples', 'schema', 'scripts', 'node_modules', 'package.json']) {
      symlinkSync(join(ROOT, name), join(this.folder, name));
    }
    // Pages have files changed and add some, so these are copies.
    for (const name of ['rules', 'scenarios']) {
      cpSync(join(ROOT, name), join(this.folder, name), { recursive: true });
    }
    const bin = join(this.folder, '.bin');
    mkdirSync(bin);
    const keywright = `#!/usr/bin/env bash\nexec "${process.execPath}" src/cli.ts "$@"\n`;
    for (const [name, script] of [
      ['npm', NPM],
      ['keywright', keywright],
    ] as const) {
      writeFileSync(join(bin, name), script);
      chmodSync(join(bin, name), 0o755);
    }
    // Only what a newcomer's shell has: no variable of the machine that runs the tests.
    this.#shell = spawn('bash', ['--noprofile', '--norc'], {
      cwd: this.folder,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        PATH: `${bin}:${process.env['PATH'] ?? ''}`,
        HOME: this.folder,
        PORT: ports.get('9890') ?? '9890',
        TZ: 'UTC',
      },
    });
    this.#shell.stdin?.write('exec 2>&1\n');
    this.#shell.stdout?.on('data', (data: Buffer) => {
      this.#output += data.toString('utf8');
    });
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), text);
  }

  /** Types one command; gives what differs from the page, or undefined. */
  async run({ command, expected }: ConsoleStep): Promise<string | undefined> {
    this.#count += 1;
    const mark = `--- end of command ${this.#count} ---`;
    const begin = this.#output.length;
    // A command in the background says something later than the shell asks for the next one.
    const isBackground = /&\s*$/.test(command);
    this.#shell.stdin?.write(`${this.#withPorts(command)}\n`);
    if (!isBackground) this.#shell.stdin?.write(`echo "${mark}"\n`);
    const untilMs = Date.now() + ANSWER_MS;
    for (;;) {
      const output = this.#withoutPorts(this.#output.slice(begin));
      const ended = output.indexOf(mark);
      const text = ended === -1 ? output : output.slice(0, ended);
      const different = difference(trimmed(expected), trimmed(text.split('\n')));
      if (ended !== -1) return different;
      if (isBackground && different === undefined) return undefined;
      if (Date.now() > untilMs) return `no end after ${ANSWER_MS} ms; so far: ${output}`;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  #withPorts(text: string): string {
    return [...this.#ports].reduce((all, [shown, free]) => all.replaceAll(shown, free), text);
  }

  #withoutPorts(text: string): string {
    return [...this.#ports].reduce(
      (all, [shown, free]) => all.replaceAll(`:${free}`, `:${shown}`),
      text,
    );
  }

  /** Ends the shell and everything that it started. */
  close(): void {
    const { pid } = this.#shell;
    if (pid !== undefined && this.#shell.exitCode === null) {
      try {
        process.kill(-pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Without white space at the ends of lines, and without blank lines at both ends. */
function trimmed(lines: readonly string[]): readonly string[] {
  const ends = lines.map((line) => line.trimEnd());
  const isText = (line: string): boolean => line !== '';
  return ends.slice(Math.max(0, ends.findIndex(isText)), ends.findLastIndex(isText) + 1);
}
