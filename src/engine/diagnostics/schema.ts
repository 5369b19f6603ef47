// The shape of a rule file, and of the files beside it. Takes a document, checks it against its schema in
// schema/, reports every deviation at its place. Never looks at what formulas say.

import type { ErrorObject } from 'ajv/dist/2020.js';
import type { AppErrorCode } from '../../core/error-codes.ts';
import { closest, didYouMean } from './closest.ts';
import type { Findings } from './findings.ts';
import { rulesShape, type Shape } from './validators.ts';
import { holdsTrapKey, isTrapKey, type YamlFile } from './yaml.ts';
import type { YamlPath } from './yaml-places.ts';

/** A rule file as the schema lets it through. A rule that is not right is null, in its place. */
export type CheckedFile = Readonly<Record<string, unknown>> & {
  readonly rules: readonly (Readonly<Record<string, unknown>> | null)[];
};

/**
 * Checks a rule file's shape. What is not right is left out of what is given back, so that the rest
 * can be checked as well; undefined when the rest would mean nothing without it.
 */
export function checkRuleFile(yaml: YamlFile, findings: Findings): CheckedFile | undefined {
  const isRight =
    yaml.isCheckedAlready === true || checkShape(rulesShape, yaml, findings, 'a rule file');
  if (isRight) return yaml.value as CheckedFile;
  const { value } = yaml;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const rest: Record<string, unknown> = { ...value };
  const rules = Array.isArray(rest['rules']) ? [...rest['rules']] : [];
  for (const error of rulesShape().errors ?? []) {
    const [section, index] = toPath(error.instancePath, yaml.value);
    const missing = (error.params as Record<string, unknown>)['missingProperty'];
    // Formulas cannot be judged without knowing the provider and the names they may use.
    if (section === 'provider' || section === 'extends') return undefined;
    if (missing === 'provider') return undefined;
    if (section === 'env' || (section === 'let' && index === undefined)) return undefined;
    if (section === 'rules' && typeof index === 'number') {
      if (!isStrayField(error)) rules[index] = null;
    } else if (section !== undefined && section !== 'rules') delete rest[section];
  }
  return { ...rest, rules };
}

/** An unknown field of an action: the rule around it can be compiled all the same. */
function isStrayField(error: ErrorObject): boolean {
  const known = Object.keys((error.parentSchema?.['properties'] ?? {}) as object);
  return (
    error.keyword === 'additionalProperties' && !known.includes('forEach') && !known.includes('id')
  );
}

/**
 * Checks the shape of a file: every deviation becomes a finding, at its place.
 * @param whole what messages call the file: "a scenario"
 */
export function checkShape(
  shape: Shape,
  yaml: YamlFile,
  findings: Findings,
  whole: string,
): boolean {
  const validate = shape();
  if (validate(yaml.value)) return true;
  const errors = validate.errors ?? [];
  for (const error of errors) {
    if (!isMisspelt(error, errors)) report(error, yaml, findings, whole);
  }
  return false;
}

/** A missing field that stands there under a wrong name is one finding, not two. */
function isMisspelt(missing: ErrorObject, errors: readonly ErrorObject[]): boolean {
  if (missing.keyword !== 'required') return false;
  const name = String((missing.params as Record<string, unknown>)['missingProperty']);
  return errors.some((error) => {
    const written = (error.params as Record<string, unknown>)['additionalProperty'];
    const isHere = error.instancePath === missing.instancePath && typeof written === 'string';
    return isHere && closest(written, [name]) !== undefined;
  });
}

function report(error: ErrorObject, yaml: YamlFile, findings: Findings, whole: string): void {
  // What a key may be called is reported once, at the key, by the `pattern` inside.
  // `if` only says that its `then` did not hold, which is reported by itself.
  if (error.keyword === 'propertyNames' || error.keyword === 'if') return;
  const path = toPath(error.instancePath, yaml.value);
  const parameters = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(parameters['additionalProperty']);
      // A piece of a formula that became a key was reported when the YAML was read.
      if (isTrapKey(key, (error.data as Record<string, unknown>)[key])) return;
      const known = Object.keys((error.parentSchema?.['properties'] ?? {}) as object);
      const isStep = known.includes('forEach');
      const action = isStep && key.includes('.');
      const code: AppErrorCode = action ? 'RULE_UNKNOWN_ACTION' : 'RULE_UNKNOWN_FIELD';
      const what = action
        ? `there is no action "${key}"`
        : `${ownerOf(path, whole)} has no field "${key}"`;
      const location = yaml.locateKey([...path, key]);
      const length = key.length;
      findings.error(code, `${what}${didYouMean(key, known)}`, { location, length });
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
  const last = path.at(-1);
  const { data } = error;
  if (typeof last === 'string' && isTrapKey(last, data)) return;
  if (holdsTrapKey(data)) return;
  const name = nameOf(path);
  if (error.propertyName !== undefined) {
    const key = error.propertyName;
    if (isTrapKey(key, null)) return;
    const message = `"${key}" cannot be a name here: letters, digits and "_", beginning with a letter`;
    const location = yaml.locateKey([...path, key]);
    findings.error('RULE_WRONG_TYPE', message, { location, length: key.length });
    return;
  }
  const wanted = [(error.params as Record<string, unknown>)['type']].flat();
  const isNumberForText =
    error.keyword === 'type' && typeof error.data === 'number' && wanted.includes('string');
  const hint = isNumberForText ? { hint: `Put it in quotes: "${String(error.data)}".` } : {};
  findings.error('RULE_WRONG_TYPE', `${name} ${expectation(error)}`, {
    ...place(yaml, path),
    ...hint,
  });
}

function ownerOf(path: YamlPath, whole: string): string {
  const [last, list] = [path.at(-1), path.at(-2)];
  if (last === undefined) return whole;
  if (typeof last === 'string') return `"${last}"`;
  return ITEM_NAMES[list ?? 'cases'] ?? 'this';
}

/** What the items of a list are called; a file that is a list holds cases. */
const ITEM_NAMES: Readonly<Record<string | number, string>> = {
  do: 'a step',
  rules: 'a rule',
  cases: 'a case',
  steps: 'a step',
  events: 'an event',
  plan: 'a step of a plan',
  requests: 'a request',
  licenses: 'a license',
  users: 'a user',
  licenseTemplates: 'a license template',
  products: 'a product',
};

/** What is at a path, in words; items of a list have no name of their own. */
function nameOf(path: YamlPath): string {
  const last = path.at(-1);
  if (last === undefined) return 'the file';
  if (typeof last === 'string') return `"${last}"`;
  return path.length === 1 ? `item ${last + 1}` : `item ${last + 1} of "${String(path.at(-2))}"`;
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
  '^[^/\\\\]+\\.(csv|ya?ml)$': 'must be a file beside this one, ending in .csv or .yaml',
  '^/[A-Za-z0-9/_-]+$': 'must be a path like /stripe/webhook',
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
