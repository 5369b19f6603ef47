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

/** `engine/match.ts` belongs to `engine`, `model.ts` to itself. */
function placeOf(file: string): string {
  // What runs in a browser is a place of its own.
  if (file.startsWith('console/client/')) return 'console-client';
  const [first = ''] = file.split('/');
  return first.endsWith('.ts') ? first.slice(0, -3) : first;
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

/** Words and pure helpers that everybody may use. */
const BASE = [
  'model',
  'errors',
  'failures',
  'points',
  'secret',
  'interval',
  'assets',
  'words',
  'changes',
];
const PARTS = ['billing', 'verifiers', 'engine', 'actions', 'cryptlex', 'journal', 'sandbox'];
/** Where the parts are put together. */
const COMPOSITION = [
  'compose',
  'compose-cases',
  'compose-console',
  'catalog-check',
  'case-facts',
  'case-world',
  'given-payments',
  'compose-journal',
  'compose-lambda',
  'compose-doctor',
  'compose-billing',
  'doctor-cryptlex',
  'doctor-database',
  'doctor-finding',
  'doctor-ids',
  'doctor-secrets',
  'rule-needs',
  'compose-rules',
  'compose-world',
  'compose-live',
  'compose-sandbox',
  'compose-verifiers',
  'explanation',
  'explanation-difference',
  'as-test',
  'scrub',
  'rule-environment',
  'live-mirror',
  'live-stage',
  'sources',
  'readiness',
  'admin-tools',
  'call-meter',
  'call-recorder',
  'console-tools',
  'outage',
  'housekeeping',
  'try-out',
  'simulator',
  'comparison',
  'playground',
  'alert-text',
  'alerts',
  'live-rules',
  'metrics',
  'notices',
  'observers',
  'tracing',
];
/** Helpers of the edges: files, environment, log, time. */
const EDGES = [
  'clock',
  'config',
  'environment',
  'log',
  'rule-files',
  'rules-watch',
  'config-observe',
  'config-billing',
  'case-files',
  'workbench',
];
const PIPELINE = ['pipeline', 'outcomes', 'retry', 'timers', 'event-summary'];

/** What a place may import by value; types may come from anywhere below it, see `typesFrom`. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  model: [],
  errors: [],
  failures: [],
  points: [],
  secret: [],
  interval: [],
  assets: [],
  words: [],
  changes: [],
  ...Object.fromEntries(PARTS.map((part) => [part, []])),
  pipeline: ['engine', 'outcomes', 'retry', 'timers'],
  outcomes: [],
  'event-summary': [],
  retry: ['outcomes'],
  timers: [],
  worker: ['pipeline'],
  server: ['event-summary', 'journal'],
  console: ['event-summary', 'journal', 'outcomes', 'workbench'],
  'console-client': ['engine'],
  workbench: [],
  clock: [],
  environment: [],
  'config-observe': ['environment'],
  'config-billing': ['environment'],
  config: ['environment', 'config-observe', 'config-billing'],
  log: [],
  'rule-files': [],
  lambda: ['compose-lambda'],
  'rules-watch': ['rule-files'],
  'case-files': [],
  cli: [
    'engine',
    'actions',
    'rule-files',
    'case-files',
    'event-summary',
    ...COMPOSITION,
    'clock',
    'environment',
  ],
  ...Object.fromEntries(
    COMPOSITION.map((place) => [
      place,
      [...PARTS, ...EDGES, ...PIPELINE, ...COMPOSITION, 'worker', 'server', 'console'],
    ]),
  ),
};

/** Places whose types a place may name. */
const MAY_NAME: Readonly<Record<string, readonly string[]>> = {
  model: ['errors'],
  ...Object.fromEntries(PARTS.map((part) => [part, PARTS])),
  pipeline: [...PARTS, 'log'],
  outcomes: PARTS,
  'event-summary': PARTS,
  retry: [...PARTS, 'log'],
  timers: PARTS,
  worker: ['journal', 'log'],
  server: ['billing', 'log', 'journal'],
  console: ['log', 'journal', 'pipeline', 'explanation', 'engine'],
  workbench: ['comparison', 'explanation', 'engine'],
  changes: ['words'],
  'rule-files': ['engine'],
  'case-files': ['engine'],
  cli: ['sandbox', 'journal'],
};

function isAllowed({ from, to, typesOnly }: Import): boolean {
  const here = placeOf(from);
  const there = placeOf(to);
  if (here === 'cli' && (there === 'cli' || from === 'cli.ts')) return true;
  if (here === there || BASE.includes(there))
    return here === there || !BASE.includes(here) || there !== 'failures' || typesOnly;
  if (MAY_IMPORT[here]?.includes(there) === true) return true;
  return typesOnly && MAY_NAME[here]?.includes(there) === true;
}

describe('the import directions', () => {
  test('every place of src/ is known here', () => {
    const places = new Set(FILES.map(({ file }) => placeOf(file)));
    expect([...places].filter((place) => MAY_IMPORT[place] === undefined)).toEqual([]);
  });

  test('each place imports only what it may', () => {
    const wrong = IMPORTS.filter((entry) => !isAllowed(entry));
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  test('this check can fail', () => {
    expect(isAllowed({ from: 'engine/match.ts', to: 'journal/memory.ts', typesOnly: false })).toBe(
      false,
    );
    expect(isAllowed({ from: 'server/app.ts', to: 'worker/worker.ts', typesOnly: false })).toBe(
      false,
    );
    expect(isAllowed({ from: 'actions/x.ts', to: 'cryptlex/client.ts', typesOnly: false })).toBe(
      false,
    );
    expect(isAllowed({ from: 'actions/x.ts', to: 'cryptlex/client.ts', typesOnly: true })).toBe(
      true,
    );
  });

  test('composition is imported by cli/, lambda.ts and itself only', () => {
    // Who may name a type of it, such as the console an Explanation, is still handed the thing itself.
    const users = IMPORTS.filter(({ to }) => COMPOSITION.includes(placeOf(to)))
      .filter(
        ({ from, to, typesOnly }) =>
          !(typesOnly && MAY_NAME[placeOf(from)]?.includes(placeOf(to)) === true),
      )
      .map(({ from }) => placeOf(from));
    expect(
      [...new Set(users)].filter(
        (place) => !['cli', 'lambda'].includes(place) && !COMPOSITION.includes(place),
      ),
    ).toEqual([]);
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

  test('only edges of the process read the environment', () => {
    const readers = FILES.filter(({ text }) => /process\.env/.test(text));
    expect(readers.map(({ file }) => file)).toEqual(['cli.ts', 'lambda.ts']);
  });

  test('only clock.ts, the log and the commands ask the system for the time', () => {
    const allowed = /^(?:clock\.ts|log\.ts|cli\/|engine\/expression\/)/;
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
