// Values of a rule file: literals, formulas, maps and lists of them. Takes what stands in the YAML,
// gives Templates with every formula compiled; reports what is wrong with them at its place.

import type { JsonValue } from '../../core/model.ts';
import { PROVIDER_FACTS, type Provider } from '../../core/providers.ts';
import type { Findings } from '../diagnostics/findings.ts';
import { holdsTrapKey, type YamlFile } from '../diagnostics/yaml.ts';
import type { YamlPath } from '../diagnostics/yaml-places.ts';
import { compileExpression } from '../expression/compile.ts';
import type { CatalogLookup } from '../expression/library.ts';
import type { Formula, Template } from '../rules/rule-set.ts';
import type { StaticScope } from './static-scope.ts';

/** What is needed to compile the values of one file. */
export interface TemplateContext {
  readonly yaml: YamlFile;
  readonly provider: Provider;
  readonly catalog: CatalogLookup;
  readonly findings: Findings;
}

/** Any value; undefined when it has findings. */
export function compileTemplate(
  value: unknown,
  path: YamlPath,
  scope: StaticScope,
  context: TemplateContext,
): Template | undefined {
  const location = context.yaml.locate(path);
  if (typeof value === 'string') return compileText(value, path, scope, context);
  if (Array.isArray(value)) {
    const items = value.map((item, index) =>
      compileTemplate(item, [...path, index], scope, context),
    );
    const compiled = items.filter((item) => item !== undefined);
    return compiled.length === items.length
      ? { kind: 'list', items: compiled, location }
      : undefined;
  }
  if (typeof value === 'object' && value !== null) {
    // Where a formula was torn into keys, none of its pieces means anything.
    if (holdsTrapKey(value)) return undefined;
    const members = new Map<string, Template>();
    let complete = true;
    for (const [name, member] of Object.entries(value)) {
      const template = compileTemplate(member, [...path, name], scope, context);
      if (template === undefined) complete = false;
      else members.set(name, template);
    }
    return complete ? { kind: 'map', members, location } : undefined;
  }
  return { kind: 'literal', value: value as JsonValue, location };
}

function compileText(
  text: string,
  path: YamlPath,
  scope: StaticScope,
  context: TemplateContext,
): Template | undefined {
  if (text.startsWith('=')) return compileFormula(text, path, scope, context);
  reportForgottenFormula(text, path, context);
  return { kind: 'literal', value: text, location: context.yaml.locate(path) };
}

/** A text that begins like a path is a formula without its "="; nobody's product is called `data.id`. */
function reportForgottenFormula(text: string, path: YamlPath, context: TemplateContext): void {
  const roots = PROVIDER_FACTS[context.provider].members.join('|');
  const looksLikeFormula = new RegExp(`^(?:\\$[A-Za-z]|(?:${roots})\\.[A-Za-z_])`);
  if (!looksLikeFormula.test(text) || /\s/.test(text)) return;
  context.findings.error('RULE_FORGOTTEN_FORMULA', `"${text}" is a text, not a formula`, {
    location: context.yaml.locate(path),
    length: context.yaml.lengthOf(path),
    hint: `Write "=${text}" if it is meant to be looked up in the event.`,
  });
}

/** A value that must be a formula, with its leading "="; undefined when it has findings. */
export function compileFormula(
  written: string,
  path: YamlPath,
  scope: StaticScope,
  context: TemplateContext,
): Formula | undefined {
  const { yaml, findings } = context;
  const skipped = written.length - written.slice(1).trimStart().length;
  const text = written.slice(skipped).trimEnd();
  const locate = (offset: number) => yaml.locateInside(path, offset + skipped);
  const result = compileExpression(text, PROVIDER_FACTS[context.provider].members, context.catalog);
  if (result.kind === 'refused') {
    for (const { code, message, hint, offset, length } of result.problems) {
      const options = { location: locate(offset), length, ...(hint === undefined ? {} : { hint }) };
      findings.error(code, message, options);
    }
    return undefined;
  }
  const { expression } = result;
  for (const use of expression.variables) scope.check(use, () => locate(use.offset), findings);
  return {
    kind: 'formula',
    text,
    location: yaml.locate(path),
    variables: expression.variables,
    sources: expression.sources,
    locate,
    evaluateNow: expression.evaluateNow,
    evaluate: expression.evaluate,
    explain: expression.explain,
  };
}

/** A finding at a value, or at its key when a length is given. */
export function findingAt(
  context: TemplateContext,
  path: YamlPath,
  code: Parameters<TemplateContext['findings']['error']>[0],
  message: string,
  length?: number,
): void {
  const { yaml } = context;
  const atKey = length !== undefined;
  context.findings.error(code, message, {
    location: atKey ? yaml.locateKey(path) : yaml.locate(path),
    length: length ?? yaml.lengthOf(path),
  });
}
