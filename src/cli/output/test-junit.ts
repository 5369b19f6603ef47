// A run of rule tests as JUnit XML, for CI servers. Takes the run, gives the text of the file.

import type { CaseResult } from '../../authoring/rule-tests/run-case.ts';
import type { TestRun } from '../../authoring/rule-tests/run-files.ts';
import type { Diagnostic } from '../../core/model.ts';
import { formatDiagnostic } from '../../engine/diagnostics/findings.ts';
import { caseText } from './test-report.ts';

/** One `testsuite` for each test file; what kept a file from running is an error of its own. */
export function junitText({ files, results, findings, texts }: TestRun): string {
  const suites = files.map((file) => {
    const own = results.filter(({ testCase }) => testCase.location.file === file);
    const broken = findings.filter(({ location }) => location.file === file);
    return suiteText(file, own, broken, texts);
  });
  const elsewhere = findings.filter(({ location }) => !files.includes(location.file));
  if (elsewhere.length > 0) suites.push(suiteText('rules', [], elsewhere, texts));
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="keywright">\n${suites.join('')}</testsuites>\n`;
}

function suiteText(
  file: string,
  results: readonly CaseResult[],
  findings: readonly Diagnostic[],
  texts: ReadonlyMap<string, string>,
): string {
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  const cases = [
    ...results.map((result) => resultText(file, result)),
    ...findings.map((finding) => {
      const told = formatDiagnostic(finding, (name) => texts.get(name));
      const head = `    <testcase classname="${escaped(file)}" name="${escaped(finding.code)}">`;
      return `${head}\n      <error message="${escaped(finding.message)}">${escaped(told)}</error>\n    </testcase>\n`;
    }),
  ];
  const counts = `tests="${cases.length}" failures="${failed}" errors="${findings.length}"`;
  return `  <testsuite name="${escaped(file)}" ${counts}>\n${cases.join('')}  </testsuite>\n`;
}

function resultText(file: string, result: CaseResult): string {
  const { testCase, failures } = result;
  const { name, location } = testCase;
  const head = `    <testcase classname="${escaped(file)}" name="${escaped(name)}" file="${escaped(file)}" line="${location.line}"`;
  if (failures.length === 0) return `${head}/>\n`;
  const [first] = failures.flatMap(({ differences }) => differences);
  const told = caseText(result, (_colour, text) => text);
  return `${head}>\n      <failure message="${escaped(`${first?.label ?? ''} differs`)}">${escaped(told)}</failure>\n    </testcase>\n`;
}

/** XML has no way at all to write most control characters. */
function escaped(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
