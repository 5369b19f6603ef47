// The files for GitHub and AWS fit together and fit the program: inputs are read, parameters are given and
// used, variables exist, the handler is in the bundle.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { PRODUCTS } from '../../scripts/build.ts';
import { createLambdaHandler } from '../../src/app/lambda.ts';
import { variablesRead } from '../support/variables-read.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const AWS = read('.github/workflows/aws.yml');
const TEMPLATE = read('deploy/aws/template.yaml');

/** CloudFormation's short forms are tags of their own; what they hold is enough here. */
function parseTemplate(text: string): Record<string, Record<string, Record<string, unknown>>> {
  return parse(text.replaceAll(/!(?:Ref|Sub|GetAtt|If|Not|Equals|Join)\b/g, '')) as never;
}

describe('the workflow that deploys to AWS', () => {
  const workflow = parse(AWS) as {
    on: { workflow_dispatch: { inputs: Record<string, unknown> } };
    jobs: { deploy: { steps: { run?: string }[] } };
  };

  test('reads every input that it asks for, and only those', () => {
    const asked = Object.keys(workflow.on.workflow_dispatch.inputs);
    const used = new Set([...AWS.matchAll(/\binputs\.(\w+)/g)].map(([, name]) => name));
    expect([...used].toSorted()).toEqual(asked.toSorted());
    const told = [...AWS.matchAll(/^ {6}(\w+): \$\{\{ inputs/gm)].map(([, name]) => name ?? '');
    const scripts = workflow.jobs.deploy.steps.map(({ run = '' }) => run).join('\n');
    for (const name of told.filter((n) => n.toUpperCase() === n))
      expect(scripts).toContain(`$${name}`);
  });

  test('runs scripts of package.json, and tests before it deploys', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const runs = workflow.jobs.deploy.steps.flatMap(({ run }) => run ?? []);
    for (const [, name = ''] of runs.join('\n').matchAll(/npm run (\S+)/g)) {
      expect(Object.keys(scripts)).toContain(name);
    }
    const place = (text: string) => runs.findIndex((run) => run.includes(text));
    expect(place('npm test')).toBeGreaterThanOrEqual(0);
    expect(place('npm test')).toBeLessThan(place('cloudformation deploy'));
  });

  test('gives the template each of its parameters', () => {
    const parameters = Object.keys(parseTemplate(TEMPLATE)['Parameters'] ?? {});
    const given = [...AWS.matchAll(/"(\w+)=\$/g)].map(([, name]) => name ?? '');
    expect(given.filter((name) => name !== 'CODE_KEY').toSorted()).toEqual(parameters.toSorted());
  });
});

describe('the template', () => {
  const template = parseTemplate(TEMPLATE);
  const properties = template['Resources']?.['Function'] as {
    Properties: { Environment: { Variables: object } };
  };
  const variables = Object.keys(properties.Properties.Environment.Variables);

  test('uses every parameter and condition, and refers to nothing else', () => {
    const names = [
      ...Object.keys(template['Parameters'] ?? {}),
      ...Object.keys(template['Resources'] ?? {}),
    ];
    const used = [...TEMPLATE.matchAll(/!(?:Ref|GetAtt) (\w+)/g)].map(([, name]) => name ?? '');
    expect(used.filter((name) => !names.includes(name) && name !== 'AWS')).toEqual([]);
    const parameters = Object.keys(template['Parameters'] ?? {});
    expect(parameters.filter((name) => !used.includes(name))).toEqual([]);
    const conditions = Object.keys(template['Conditions'] ?? {});
    const asked = [...TEMPLATE.matchAll(/(?:!If \[|!If\n\s+- |Condition: )(\w+)/g)].map(
      ([, name]) => name ?? '',
    );
    expect([...new Set(asked)].toSorted()).toEqual(conditions.toSorted());
  });

  test('sets only variables that Keywright reads', async () => {
    // An address of no database ends the start once everything was read.
    const values = Object.fromEntries([...variables, 'NOT_READ'].map((name) => [name, 'x']));
    const known = await variablesRead(values, async (env) => {
      const world = { readFile: () => '', writeLog: () => undefined, writeError: () => undefined };
      const handler = createLambdaHandler({ ...world, env, stdoutIsTty: false });
      const event = { rawPath: '/v1', requestContext: { http: {} } };
      await handler(event, { getRemainingTimeInMillis: () => 10_000 });
    });
    expect(variables.filter((name) => !known.includes(name))).toEqual([]);
    expect(known).not.toContain('NOT_READ');
  });

  test('names a handler that the build makes, and the Node that is developed on', async () => {
    const [, file = '', name = ''] = /Handler: bin\/(\w+)\.(\w+)/.exec(TEMPLATE) ?? [];
    const built = PRODUCTS.find(({ folder }) => folder === 'lambda')?.entries[file] ?? '';
    const module = (await import(join(ROOT, built))) as Record<string, unknown>;
    expect(module[name]).toBeTypeOf('function');
    expect(TEMPLATE).toContain(`Runtime: nodejs${process.versions.node.split('.')[0]}.x`);
  });

  test('schedules the drain exactly where the function relies on it', () => {
    expect(TEMPLATE).toContain('LAMBDA_DRAIN_SCHEDULE: !If [HasDatabase, "on", "off"]');
    expect(template['Resources']?.['Drain']?.['Condition']).toBe('HasDatabase');
  });
});

test('every workflow is YAML with jobs, few rights, and a time limit', () => {
  const folder = join(ROOT, '.github/workflows');
  expect(readdirSync(folder)).toEqual(['aws.yml', 'ci.yml']);
  for (const file of readdirSync(folder)) {
    const { jobs, permissions } = parse(read(`.github/workflows/${file}`)) as {
      jobs: Record<string, Record<string, unknown>>;
      permissions: Record<string, string>;
    };
    expect(permissions['contents'], file).toBe('read');
    for (const job of Object.values(jobs)) expect(job['timeout-minutes'], file).toBeDefined();
  }
  expect(existsSync(join(ROOT, '.ci/run'))).toBe(true);
});
