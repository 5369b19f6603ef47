// The layout of the code, kept: who may import whom, and what only one file may do.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typesOnly: boolean;
}

/** `engine/plan/match.ts` belongs to `engine`, `assets.ts` to itself. */
function placeOf(file: string): string {
  // What runs in a browser is a place of its own.
  if (file.startsWith('console/client/')) return 'console/client';
  const [first = ''] = file.split('/');
  return first;
}

const FILES = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: readFileSync(join(SRC, file), 'utf8') }));

function importsOf({ file, text }: { file: string; text: string }): readonly Import[] {
  const statements = text.matchAll(/^(?:import|export)\s+(type\s+)?([^;]*?)from\s+'(\.[^']+)'/gms);
  return [...statements].map(([, typeKeyword, names = '', target = '']) => {
    const inline = /^\{(?:\s*type\s+\w+(?:\s+as\s+\w+)?,?)+\s*\}\s*$/.test(names.trim());
    const to = relative(SRC, join(SRC, dirname(file), target));
    return { from: file, to, typesOnly: typeKeyword !== undefined || inline };
  });
}

const IMPORTS = FILES.flatMap(importsOf).filter(({ to }) => !to.startsWith('..'));

interface Row {
  /** Folders of which it may use everything; a folder always sees itself. */
  readonly imports: readonly string[];
  /** Folders of which it may name types only. */
  readonly types: readonly string[];
}

const FLOORS = [
  ...['core', 'http', 'config', 'verifiers', 'cryptlex', 'sandbox', 'engine', 'billing', 'journal'],
  ...['actions', 'sources', 'pipeline', 'authoring', 'doctor', 'server', 'telemetry', 'console'],
];

/** One row a folder: what it may import. The same table stands in CONTRIBUTING.md. */
const HOUSE: Readonly<Record<string, Row>> = {
  'cli.ts': { imports: ['cli', 'core', 'config', 'assets.ts'], types: [] },
  'lambda.ts': { imports: ['app', 'assets.ts'], types: [] },
  'assets.ts': { imports: [], types: [] },
  cli: { imports: [...FLOORS, 'app', 'assets.ts'], types: [] },
  app: { imports: [...FLOORS, 'assets.ts'], types: [] },
  console: {
    imports: ['authoring', 'journal', 'core', 'assets.ts'],
    types: ['pipeline', 'doctor', 'engine'],
  },
  'console/client': { imports: ['engine', 'core'], types: ['console', 'authoring'] },
  telemetry: {
    imports: ['sources', 'core'],
    types: ['server', 'pipeline', 'journal', 'cryptlex', 'engine', 'config', 'http'],
  },
  server: { imports: ['journal', 'core'], types: ['sources', 'billing', 'pipeline'] },
  doctor: {
    imports: ['sources', 'config', 'cryptlex', 'journal', 'http', 'core'],
    types: ['pipeline', 'engine'],
  },
  authoring: {
    imports: [
      ...['pipeline', 'sources', 'sandbox', 'engine', 'actions', 'verifiers', 'journal'],
      ...['cryptlex', 'config', 'http', 'core', 'assets.ts'],
    ],
    types: [],
  },
  pipeline: { imports: ['engine', 'actions', 'journal', 'core'], types: ['cryptlex'] },
  sources: {
    imports: ['engine', 'actions', 'verifiers', 'config', 'core', 'assets.ts'],
    types: [],
  },
  actions: { imports: ['core'], types: ['cryptlex', 'journal'] },
  journal: { imports: ['config', 'core'], types: ['cryptlex'] },
  billing: { imports: ['http', 'core'], types: ['cryptlex'] },
  engine: { imports: ['core'], types: [] },
  verifiers: { imports: ['core'], types: [] },
  cryptlex: { imports: ['http', 'core'], types: [] },
  sandbox: { imports: ['core', 'assets.ts'], types: [] },
  config: { imports: ['http', 'core'], types: [] },
  http: { imports: ['core'], types: [] },
  core: { imports: [], types: [] },
};

function isAllowed({ from, to, typesOnly }: Import): boolean {
  const here = placeOf(from);
  const there = placeOf(to);
  if (here === there) return true;
  const row = HOUSE[here];
  if (row?.imports.includes(there) === true) return true;
  return typesOnly && row?.types.includes(there) === true;
}

describe('the import directions', () => {
  test('every folder of src/ has a row', () => {
    const places = new Set(FILES.map(({ file }) => placeOf(file)));
    expect([...places].filter((place) => HOUSE[place] === undefined)).toEqual([]);
  });

  test('each place imports only what it may', () => {
    const wrong = IMPORTS.filter((entry) => !isAllowed(entry));
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  test('this check can fail', () => {
    expect(
      isAllowed({ from: 'engine/plan/match.ts', to: 'journal/memory.ts', typesOnly: false }),
    ).toBe(false);
    expect(isAllowed({ from: 'server/app.ts', to: 'app/server.ts', typesOnly: false })).toBe(false);
    expect(isAllowed({ from: 'actions/x.ts', to: 'cryptlex/client.ts', typesOnly: false })).toBe(
      false,
    );
    expect(isAllowed({ from: 'actions/x.ts', to: 'cryptlex/client.ts', typesOnly: true })).toBe(
      true,
    );
  });

  test('the engine reaches neither network nor files', () => {
    const forbidden =
      /from '(?:node:(?:fs|http|https|net|child_process|dns)[^']*|undici|openapi-fetch)'|\bfetch\(/;
    const engine = FILES.filter(({ file }) => placeOf(file) === 'engine');
    expect(engine.filter(({ text }) => forbidden.test(text)).map(({ file }) => file)).toEqual([]);
    expect(engine.length).toBeGreaterThan(10);
  });
});

describe('what only one file may do', () => {
  test('only verifiers/verified-delivery.ts makes a VerifiedDelivery', () => {
    const makers = FILES.filter(({ text }) => /as (?:unknown as )?VerifiedDelivery\b/.test(text));
    expect(makers.map(({ file }) => file)).toEqual(['verifiers/verified-delivery.ts']);
  });

  test('only http/ calls others; a page in a browser calls its own server', () => {
    const calls =
      /(?:await|return|=>|=) (?:globalThis\.)?fetch\(|import \{[^}]*\brequest\b[^}]*\} from 'node:https?'/;
    const callers = FILES.filter(({ text }) => calls.test(text)).map(({ file }) => file);
    expect(callers.filter((file) => !/^(?:http|console\/client)\//.test(file))).toEqual([]);
    expect(callers).toContain('http/transport.ts');
  });

  test('only edges of the process read the environment', () => {
    const readers = FILES.filter(({ text }) => /process\.env/.test(text));
    expect(readers.map(({ file }) => file)).toEqual(['cli.ts', 'lambda.ts']);
  });

  test('only core/clock.ts, the log and the commands ask the system for the time', () => {
    const allowed = /^(?:core\/clock\.ts|core\/log\.ts|cli\/|engine\/expression\/)/;
    const askers = FILES.filter(
      ({ file, text }) => /Date\.now\b|new Date\(\)/.test(text) && !allowed.test(file),
    );
    expect(askers.map(({ file }) => file)).toEqual([]);
  });
});

describe('how a file reads', () => {
  test.each(FILES.map(({ file, text }) => [file, text]))(
    '%s opens with what it is',
    (file, text) => {
      const opening = text.startsWith('#!') ? text.slice(text.indexOf('\n') + 1) : text;
      expect(opening.startsWith('//') || opening.startsWith('/*'), file).toBe(true);
    },
  );

  test('no barrels, no enum', () => {
    const wrong = FILES.filter(({ text }) => /^export \* from|^(?:export )?enum /m.test(text));
    expect(wrong.map(({ file }) => file).filter((file) => !file.endsWith('.generated.ts'))).toEqual(
      [],
    );
  });

  test('files stay under 300 lines, unless a reason stands in them', () => {
    const long = FILES.filter(
      ({ text }) => text.split('\n').length > 300 && !/Longer than usual:/.test(text),
    );
    const names = long.map(({ file }) => file).filter((file) => !file.endsWith('.generated.ts'));
    expect(names).toEqual([]);
  });
});
