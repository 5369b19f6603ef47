// What rules need of Cryptlex, as far as it can be known without an event. Takes loaded rules, gives the
// ids that they and their catalogs name, the scopes of their actions, and the metadata keys they write.
// Pure. What a formula makes of an event is not known here, and is not guessed.

import type { JsonObject } from '../core/model.ts';
import type { ActionStep, Rule, RuleSet, Step, Template } from '../engine/rules/rule-set.ts';

export interface RuleNeeds {
  readonly productIds: ReadonlySet<string>;
  readonly templateIds: ReadonlySet<string>;
  readonly entitlementSetIds: ReadonlySet<string>;
  /** Such as `license:write`. */
  readonly scopes: ReadonlySet<string>;
  /** Keys that some `license.create` writes by name. */
  readonly metadataKeys: ReadonlySet<string>;
  /** Some of its fields come from a formula, which may bring further keys. */
  readonly hasUnknownKeys: boolean;
}

export const TEMPLATE_SCOPE = 'licenseTemplate:read';

/** @param env values of the variables that rules read; CRYPTLEX_PRODUCT_ID is the id of a product */
export function needsOf(
  ruleSets: readonly RuleSet[],
  env: Readonly<Record<string, string>>,
): RuleNeeds {
  const ids = {
    product: new Set<string>(),
    template: new Set<string>(),
    entitlement: new Set<string>(),
  };
  const scopes = new Set<string>();
  const metadataKeys = new Set<string>();
  let hasUnknownKeys = false;
  for (const ruleSet of ruleSets) {
    for (const entry of ruleSet.catalog.values()) addEntry(ids, entry);
    for (const step of ruleSet.rules.flatMap(stepsOf)) {
      for (const scope of scopesOf(step)) scopes.add(scope);
      for (const { name, template } of step.fields) {
        if (template.kind === 'literal') addEntry(ids, { [name]: template.value });
      }
      if (step.definition.name !== 'license.create') continue;
      if (!addKeys(metadataKeys, step)) hasUnknownKeys = true;
    }
    if (ruleSet.env.some(({ name }) => name === 'CRYPTLEX_PRODUCT_ID')) {
      addEntry(ids, { productId: env['CRYPTLEX_PRODUCT_ID'] ?? '' });
    }
  }
  return {
    productIds: ids.product,
    templateIds: ids.template,
    entitlementSetIds: ids.entitlement,
    scopes,
    metadataKeys,
    hasUnknownKeys,
  };
}

function addEntry(
  ids: { product: Set<string>; template: Set<string>; entitlement: Set<string> },
  { productId, licenseTemplateId, entitlementSetId }: JsonObject,
): void {
  for (const [set, id] of [
    [ids.product, productId],
    [ids.template, licenseTemplateId],
    [ids.entitlement, entitlementSetId],
  ] as const) {
    if (typeof id === 'string' && id !== '') set.add(id);
  }
}

function stepsOf(rule: Rule): readonly ActionStep[] {
  return rule.effect.kind === 'do' ? rule.effect.steps.flatMap(actionsOf) : [];
}

function actionsOf(step: Step): readonly ActionStep[] {
  return step.kind === 'action' ? [step] : step.rules.flatMap(stepsOf);
}

function scopesOf({ definition: { name, kind } }: ActionStep): readonly string[] {
  const [object = ''] = name.split('.');
  if (object === 'licenseTemplate') return [TEMPLATE_SCOPE];
  return kind === 'write' ? [`${object}:read`, `${object}:write`] : [`${object}:read`];
}

/** Gives whether all of them are known. `keywright_id` goes along by itself, see docs/decisions. */
function addKeys(keys: Set<string>, { fields, from }: ActionStep): boolean {
  let allKnown = true;
  const add = (template: Template | undefined): void => {
    if (template?.kind === 'map') for (const key of template.members.keys()) keys.add(key);
    else if (template !== undefined) allKnown = false;
  };
  add(fields.find(({ name }) => name === 'metadata')?.template);
  for (const template of from) {
    if (template.kind === 'map') add(template.members.get('metadata'));
    else allKnown = false;
  }
  return allKnown;
}
