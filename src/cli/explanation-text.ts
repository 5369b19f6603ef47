// A dry run as a person reads it. Takes an Explanation, gives text; colours only where a person watches.

import type { Explanation } from '../explanation.ts';
import type { ConditionTrace, JsonObject, JsonValue, RuleTrace } from '../model.ts';

const COLOURS = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;
type Paint = (colour: keyof typeof COLOURS, text: string) => string;

/** @param colour whether to use the terminal's colours */
export function explanationText(explanation: Explanation, colour: boolean): string {
  const paint: Paint = (name, text) => (colour ? `\u001b[${COLOURS[name]}m${text}\u001b[0m` : text);
  const { event, outcome, rule, reason } = explanation;
  const at = rule === null ? '' : `, rule ${rule.id} (${rule.file}:${rule.line})`;
  const tone = explanation.refused ? 'red' : outcome === 'matched' ? 'green' : 'yellow';
  const blocks = [
    [
      paint('bold', `${event.provider} ${event.type} ${event.id}`),
      `about: ${event.subjects.join(', ')}`,
      `outcome: ${paint(tone, outcome)}${at}`,
      ...(reason === null ? [] : [`reason: ${reason}`]),
    ],
    section(
      'Rules',
      explanation.trace.flatMap((trace) => traceLines(trace, paint)),
      paint,
    ),
    section('Problems', explanation.errors.flatMap(problemLines), paint),
    section('Plan', explanation.plan.flatMap(stepLines), paint),
    section(
      'Requests to Cryptlex',
      [
        ...explanation.assumed.map((find) =>
          paint('dim', `assumed to exist: one license with ${planValue(find)}`),
        ),
        ...explanation.requests.map(requestLine),
      ],
      paint,
    ),
    section('Licenses', licenseLines(explanation, paint), paint),
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')}\n`;
}

function section(title: string, lines: readonly string[], paint: Paint): readonly string[] {
  return lines.length === 0 ? [] : [paint('bold', title), ...lines.map((line) => `  ${line}`)];
}

function traceLines(trace: RuleTrace, paint: Paint): readonly string[] {
  const mark = trace.matched ? paint('green', '✓') : paint('dim', '✗');
  const item = trace.item === undefined ? '' : ` [${trace.item}]`;
  const [only] = trace.conditions;
  if (only?.path === '$event.type' && trace.conditions.length === 1) {
    const types = [only.expected].flat().join(', ');
    return [`${mark} ${trace.rule}${paint('dim', ` is for ${types}`)}`];
  }
  const skipped = trace.skipped === undefined ? '' : paint('dim', ` not asked: ${trace.skipped}`);
  return [
    `${mark} ${trace.rule}${item}${skipped}`,
    ...trace.conditions.map((condition) => `    ${conditionLine(condition, paint)}`),
  ];
}

function conditionLine({ path, expected, actual, ok }: ConditionTrace, paint: Paint): string {
  const mark = ok ? paint('green', '✓') : paint('red', '✗');
  return `${mark} ${path}: expected ${expectation(expected)}, is ${value(actual)}`;
}

function expectation(expected: JsonValue): string {
  if (expected === null) return 'nothing';
  if (Array.isArray(expected)) return expected.map(value).join(' or ');
  if (typeof expected !== 'object') return value(expected);
  return Object.entries(expected)
    .map(([operator, operand]) => {
      if (operator === 'exists') return operand === true ? 'something' : 'nothing';
      if (operator === 'not') return `not ${expectation(operand)}`;
      return `${operator} ${expectation(operand)}`;
    })
    .join(' and ');
}

function value(actual: JsonValue): string {
  if (actual === null) return 'nothing';
  const text = JSON.stringify(actual);
  return text.length > 70 ? `${text.slice(0, 67)}…` : text;
}

function problemLines(problem: Explanation['errors'][number]): readonly string[] {
  const place = problem.location === undefined ? '' : `${problem.location}: `;
  const hint = problem.hint === undefined ? [] : [`    = hint: ${problem.hint}`];
  return [`${place}${problem.message} [${problem.code}]`, ...hint];
}

function stepLines(step: Explanation['plan'][number], index: number): readonly string[] {
  const item = step.item === undefined ? '' : ` [${step.item}]`;
  const once = step.once === undefined ? '' : `  (once for ${step.once})`;
  return [`${index + 1}. ${step.action}${item}${once}`, ...fieldLines(step.input)];
}

function fieldLines(input: JsonObject): readonly string[] {
  return Object.entries(input).map(([name, member]) => `     ${name}: ${planValue(member)}`);
}

/** `{ "$ref": "user.id" }` is written `$user.id`, as in the rule. */
function planValue(member: JsonValue): string {
  if (Array.isArray(member)) return `[${member.map(planValue).join(', ')}]`;
  if (typeof member !== 'object' || member === null) return member === '' ? '"" ' : String(member);
  if (typeof member['$ref'] === 'string') return `$${member['$ref']}`;
  const alternatives = member['$firstOf'];
  if (Array.isArray(alternatives)) return alternatives.map(planValue).join(', else ');
  const members = Object.entries(member).map(([name, inner]) => `${name}: ${planValue(inner)}`);
  return `{ ${members.join(', ')} }`;
}

function requestLine({ method, path, query, body }: Explanation['requests'][number]): string {
  const parameters = Object.entries(query).map(([name, text]) => `${name}=${String(text)}`);
  const search = parameters.length === 0 ? '' : `?${parameters.join('&')}`;
  const sent = body === undefined ? '' : ` ${JSON.stringify(body)}`;
  return `${method.padEnd(6)} ${path}${search}${sent}`;
}

function licenseLines({ licenses }: Explanation, paint: Paint): readonly string[] {
  const before = new Map(licenses.before.map((license) => [license['id'], license]));
  const after = new Map(licenses.after.map((license) => [license['id'], license]));
  const ids = [...new Set([...before.keys(), ...after.keys()])];
  return ids.flatMap((id) => {
    const was = before.get(id);
    const is = after.get(id);
    if (is === undefined) return [`${paint('red', '-')} ${licenseName(was)} is deleted`];
    if (was === undefined) return [`${paint('green', '+')} ${licenseName(is)}${licenseState(is)}`];
    const changes = Object.keys(is).filter(
      (name) => JSON.stringify(is[name]) !== JSON.stringify(was[name]),
    );
    if (changes.length === 0) return [`= ${licenseName(is)} stays as it is`];
    return [
      `${paint('yellow', '~')} ${licenseName(is)}`,
      ...changes.map(
        (name) => `    ${name}: ${value(was[name] ?? null)} → ${value(is[name] ?? null)}`,
      ),
    ];
  });
}

function licenseName(license: JsonObject | undefined): string {
  return `license ${String(license?.['id'])} of product ${String(license?.['productId'])}`;
}

function licenseState(license: JsonObject): string {
  const facts = ['user', 'subscriptionInterval', 'expiresAt', 'allowedActivations', 'metadata'].map(
    (name) => `\n    ${name}: ${planValue(license[name] ?? 'none')}`,
  );
  return facts.join('');
}
