// What a run of rule tests looks like. Takes the run, gives text for people or plain data for programs:
// each failure with its place, what was expected beside what was seen, and the rules as they were asked.

import type { CaseResult, StepFailure } from '../../authoring/rule-tests/run-case.ts';
import type { TestRun } from '../../authoring/rule-tests/run-files.ts';
import { counted, written } from '../../core/format.ts';
import type { JsonValue, SourceLocation } from '../../core/model.ts';
import type { Difference } from '../../engine/cases/compare-values.ts';
import { type CoverageReport, percentOf } from '../../engine/cases/coverage.ts';
import type { EventSeen } from '../../engine/cases/expectation.ts';
import type { TestCase } from '../../engine/cases/load-tests.ts';
import { formatLocation } from '../../engine/diagnostics/findings.ts';
import { ruleLines } from './explanation/rules.ts';
import type { Paint } from './terminal-text.ts';

/** The failed cases; empty text when there are none. */
export function failuresText({ results }: TestRun, paint: Paint): string {
  return results
    .filter(({ failures }) => failures.length > 0)
    .map((result) => `${caseText(result, paint)}\n\n`)
    .join('');
}

/** `57 cases passed, 2 failed.` */
export function summaryText({ results, findings, leftOut }: TestRun): string {
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  const parts = [
    `${counted(results.length - failed, 'case')} passed`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(leftOut > 0 ? [`${leftOut} left out by --run`] : []),
    ...(findings.length > 0
      ? [`${counted(findings.length, 'finding')} kept others from running`]
      : []),
  ];
  return `${parts.join(', ')}.\n`;
}

export function caseText({ testCase, failures }: CaseResult, paint: Paint): string {
  const { file, line } = testCase.location;
  const head = `${paint('red', '✗')} ${paint('bold', testCase.name)} (${file}:${line})`;
  return [head, ...failures.flatMap((failure) => stepLines(testCase, failure, paint))].join('\n');
}

function stepLines(testCase: TestCase, failure: StepFailure, paint: Paint): readonly string[] {
  const { step, seen, differences } = failure;
  const at = new Date(step.atMs).toISOString().replace('.000Z', 'Z');
  const number = step.number === undefined ? '' : `step ${step.number}, `;
  const titles = seen.events.map(({ title }) => title).join('; ');
  return [
    `  ${number}${at}${titles === '' ? '' : `: ${titles}`}`,
    ...differences.flatMap((difference) =>
      differenceLines(difference, placeOf(testCase, difference), paint),
    ),
    ...seen.events.flatMap((event, index) =>
      asksForTheTrace(differences, seen.events.length > 1 ? `events[${index}].` : '')
        ? traceLines(event, paint)
        : [],
    ),
  ];
}

/** Where the expectation stands; where it is missing, what it belongs to. */
function placeOf({ yaml }: TestCase, { path, kind }: Difference): SourceLocation {
  return kind === 'unsaid' || kind === 'surplus' ? yaml.locateKey(path) : yaml.locate(path);
}

function differenceLines(
  difference: Difference,
  location: SourceLocation,
  paint: Paint,
): readonly string[] {
  const place = `    ${formatLocation(location)}: ${difference.label}`;
  const expected = (value: JsonValue): string =>
    `      ${paint('green', `- expected: ${shown(value)}`)}`;
  const seen = (value: JsonValue): string => `      ${paint('red', `+ seen:     ${shown(value)}`)}`;
  switch (difference.kind) {
    case 'differs':
      return [
        difference.note === undefined ? place : `${place}: ${difference.note}`,
        expected(difference.expected),
        seen(difference.seen),
      ];
    case 'absent':
      return [`${place} is not there`, expected(difference.expected)];
    case 'surplus':
      return [`${place} holds one that is not expected`, seen(difference.seen)];
    case 'unsaid':
      return [`${place}: ${difference.note}`, seen(difference.seen)];
    default:
      return difference satisfies never;
  }
}

/** A value as YAML would have it in one line. */
function shown(value: JsonValue): string {
  if (value === null) return 'nothing';
  return written(value);
}

/** What the rules decide. A value of the plan that differs is shown by itself. */
function asksForTheTrace(differences: readonly Difference[], prefix: string): boolean {
  return differences.some(({ label, kind }) => {
    const name = label.startsWith(prefix) ? label.slice(prefix.length) : '';
    const isOtherStep = name.startsWith('plan') && kind !== 'differs' && kind !== 'unsaid';
    return isOtherStep || /^(?:rule|outcome|status|errors)/.test(name);
  });
}

function traceLines({ trace, type, reason, errors }: EventSeen, paint: Paint): readonly string[] {
  const codes = errors.length === 0 ? '' : ` [${[...new Set(errors)].join(', ')}]`;
  const told = reason === null ? [] : [`    what was told: ${reason}${codes}`];
  if (trace.length === 0) return told;
  const lines = ruleLines({ trace, event: { type } }, false, paint);
  return [...told, '    the rules, as they were asked:', ...lines.map((line) => `      ${line}`)];
}

/** `rules 20 of 20 (100 %), conditions 61 of 64 (95 %)`, and what is not covered, each with its place. */
export function coverageText(
  { rules, conditions, uncovered }: CoverageReport,
  paint: Paint,
): string {
  const share = (name: string, part: { covered: number; total: number }): string =>
    `${name} ${part.covered} of ${part.total} (${percentOf(part)} %)`;
  const lines = uncovered.map(
    ({ location, rule, kind, message }) =>
      `  ${formatLocation(location)}: ${kind === 'rule' ? `rule ${rule}` : `in ${rule}`}: ${message}`,
  );
  const head = `Covered: ${share('rules', rules)}, conditions ${share('', conditions).trim()}.`;
  return `${[paint('bold', head), ...lines].join('\n')}\n`;
}

/** The run as plain data. */
export function runJson(run: TestRun, withCoverage: boolean): object {
  const failed = run.results.filter(({ failures }) => failures.length > 0).length;
  const { rules, conditions, uncovered } = run.coverage;
  return {
    passed: run.results.length - failed,
    failed,
    leftOut: run.leftOut,
    cases: run.results.map(caseJson),
    findings: run.findings.map(({ location, ...finding }) => ({ ...finding, ...location })),
    ...(withCoverage
      ? {
          coverage: {
            rules,
            conditions,
            uncovered: uncovered.map(({ location, ...point }) => ({ ...point, ...location })),
          },
        }
      : {}),
  };
}

function caseJson({ testCase, failures }: CaseResult): object {
  const { name, location } = testCase;
  return {
    name,
    file: location.file,
    line: location.line,
    status: failures.length === 0 ? 'passed' : 'failed',
    failures: failures.flatMap(({ step, differences }) =>
      differences.map((difference) => {
        const { label, path: _path, ...rest } = difference;
        return {
          step: step.number ?? 1,
          what: label,
          ...rest,
          location: formatLocation(placeOf(testCase, difference)),
        };
      }),
    ),
  };
}
