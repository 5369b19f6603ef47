// The shape of a rule file. Takes a document, checks it against schema/rules.schema.json, reports
// every deviation at its place. Never looks at what formulas say.

import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import rulesSchema from '../../schema/rules.schema.json' with { type: 'json' };
import type { AppErrorCode } from '../errors.ts';
import { didYouMean } from './closest.ts';
import type { Findings } from './findings.ts';
import type { YamlFile, YamlPath } from './yaml.ts';

let validator: ValidateFunction | undefined;
let entryValidator: ValidateFunction | undefined;

function createAjv(): Ajv2020 {
  return new Ajv2020({
    allErrors: true,
    strict: true,
    // The schema says `type: [a, b]` where a field takes a value or a formula.
    allowUnionTypes: true,
    strictTypes: false,
    verbose: true,
  });
}

/** Checks a rule file's shape. True when rules can be built from it. */
export function checkRuleFile(yaml: YamlFile, findings: Findings): boolean {
  validator ??= createAjv().compile(rulesSchema);
  return check(validator, yaml, findings);
}

/** Checks the shape of a catalog that stands in a file of its own. */
export function checkCatalogFile(yaml: YamlFile, findings: Findings): boolean {
  entryValidator ??= createAjv()
    .addSchema(rulesSchema, 'rules')
    .compile({ type: 'object', additionalProperties: { $ref: 'rules#/$defs/catalogEntry' } });
  return check(entryValidator, yaml, findings);
}

function check(validate: ValidateFunction, yaml: YamlFile, findings: Findings): boolean {
  if (validate(yaml.value)) return true;
  for (const error of validate.errors ?? []) report(error, yaml, findings);
  return false;
}

function report(error: ErrorObject, yaml: YamlFile, findings: Findings): void {
  // What a key may be called is reported once, at the key, by the `pattern` inside.
  if (error.keyword === 'propertyNames') return;
  const path = toPath(error.instancePath, yaml.value);
  const name = path.at(-1) ?? 'the file';
  const parameters = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(parameters['additionalProperty']);
      // A piece of a formula that became a key was reported when the YAML was read.
      if (key === '' || key === '<<' || key.startsWith('=')) return;
      const known = Object.keys((error.parentSchema?.['properties'] ?? {}) as object);
      const isStep = known.includes('forEach');
      const action = isStep && key.includes('.');
      const code: AppErrorCode = action ? 'RULE_UNKNOWN_ACTION' : 'RULE_UNKNOWN_FIELD';
      const where = path.length === 0 ? 'a rule file' : `"${String(name)}"`;
      const what = action ? `there is no action "${key}"` : `${where} has no field "${key}"`;
      const location = yaml.locateKey([...path, key]);
      findings.error(
        code,
        `${isNumber(name) ? what.replace(where, 'this') : what}${didYouMean(key, known)}`,
        {
          location,
          length: key.length,
        },
      );
      return;
    }
    case 'required': {
      const message = `the field "${String(parameters['missingProperty'])}" is missing`;
      findings.error('RULE_MISSING_FIELD', message, place(yaml, path));
      return;
    }
    case 'enum': {
      const allowed = parameters['allowedValues'] as readonly string[];
      const value = String(error.data);
      const message = `"${value}" is none of ${allowed.join(', ')}${didYouMean(value, allowed)}`;
      findings.error('RULE_WRONG_TYPE', message, place(yaml, path));
      return;
    }
    default:
      reportValue(error, yaml, path, findings);
  }
}

function reportValue(error: ErrorObject, yaml: YamlFile, path: YamlPath, findings: Findings): void {
  const name = `"${String(path.at(-1) ?? 'the file')}"`;
  if (error.propertyName !== undefined) {
    const key = error.propertyName;
    const message = `"${key}" cannot be a name here: letters, digits and "_", beginning with a letter`;
    const location = yaml.locateKey([...path, key]);
    findings.error('RULE_WRONG_TYPE', message, { location, length: key.length });
    return;
  }
  const isNumberForText = error.keyword === 'type' && typeof error.data === 'number';
  const hint = isNumberForText ? { hint: `Put it in quotes: "${String(error.data)}".` } : {};
  findings.error('RULE_WRONG_TYPE', `${name} ${expectation(error)}`, {
    ...place(yaml, path),
    ...hint,
  });
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  object: 'a map',
  array: 'a list',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  null: 'nothing',
};

function expectation(error: ErrorObject): string {
  const parameters = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'type': {
      const types = [parameters['type']].flat().map((type) => KINDS[String(type)] ?? String(type));
      return `must be ${types.join(' or ')}`;
    }
    case 'pattern':
      return patternMeaning(String(parameters['pattern']));
    case 'minItems':
    case 'minProperties':
    case 'minLength':
      return 'must not be empty';
    default:
      return error.message ?? 'is not right';
  }
}

const PATTERNS: Readonly<Record<string, string>> = {
  '^=': 'must be a formula, beginning with "="',
  '^[a-z0-9]+(-[a-z0-9]+)*$': 'must be lower-case letters, digits and hyphens',
  '^[A-Z][A-Z0-9_]*$': 'must be the name of an environment variable, in capitals',
  '^[A-Za-z][A-Za-z0-9_]*$': 'must be letters, digits and "_", beginning with a letter',
};

function patternMeaning(pattern: string): string {
  return PATTERNS[pattern] ?? `must match ${pattern}`;
}

function place(
  yaml: YamlFile,
  path: YamlPath,
): { location: ReturnType<YamlFile['locate']>; length: number } {
  return { location: yaml.locate(path), length: yaml.lengthOf(path) };
}

/** A JSON pointer as a path; names of list items become numbers. */
function toPath(pointer: string, root: unknown): YamlPath {
  const path: (string | number)[] = [];
  let value = root;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    const step = Array.isArray(value) ? Number(name) : name;
    path.push(step);
    value = (value as Record<string | number, unknown> | undefined)?.[step];
  }
  return path;
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number';
}
