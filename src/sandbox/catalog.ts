// Products and license templates. Takes an id, gives what is known of it, or makes it where the
// sandbox is open. Never answers for an id that a closed list leaves out.

import { jsonAnswer, refusal } from './answer.ts';
import type { GivenProduct, GivenTemplate, SandboxProduct, SandboxTemplate } from './types.ts';
import type { Handler, World } from './world.ts';

const DEFAULT_TEMPLATE_ID = 'default-template';

export const getLicenseTemplate: Handler = (world, { id }) => {
  const template = findTemplate(world, id);
  return template === undefined
    ? refusal(404, `License template with id ${id} was not found.`)
    : jsonAnswer(200, template);
};

export const getProduct: Handler = (world, { id }) => {
  const product = findProduct(world, id);
  return product === undefined
    ? refusal(404, `Product with id ${id} was not found.`)
    : jsonAnswer(200, product);
};

export function findTemplate(world: World, id: string): SandboxTemplate | undefined {
  const stored = world.store.templates.get(id);
  if (stored !== undefined) return stored;
  const { knownTemplates } = world.settings;
  if (knownTemplates !== undefined && !knownTemplates.has(id)) return undefined;
  return putTemplate(world, { id });
}

export function findProduct(world: World, id: string): SandboxProduct | undefined {
  const stored = world.store.products.get(id);
  if (stored !== undefined) return stored;
  const { knownProducts } = world.settings;
  if (knownProducts !== undefined && !knownProducts.has(id)) return undefined;
  return putProduct(world, { id });
}

/** The template of a product that names none, or that nobody described. */
export function productTemplate(world: World, product: SandboxProduct): SandboxTemplate {
  const { templates } = world.store;
  const id = product.licenseTemplateId;
  return templates.get(id) ?? putTemplate(world, { id });
}

export function putTemplate(world: World, given: GivenTemplate): SandboxTemplate {
  const now = world.now();
  const id = given.id ?? world.newId();
  const template: SandboxTemplate = {
    createdAt: now,
    updatedAt: now,
    name: `Template ${id}`,
    type: 'node-locked',
    keyPattern: '^([A-F0-9]{6}-){5}[A-F0-9]{6}$',
    subscriptionInterval: 'P1Y',
    subscriptionStartTrigger: 'creation',
    validity: 0,
    expirationStrategy: 'immediate',
    allowedActivations: 1,
    allowedDeactivations: -1,
    allowedFloatingClients: 0,
    requireAuthentication: false,
    requiredMetadataKeys: [],
    requiredMeterAttributes: [],
    ...world.settings.defaultTemplate,
    ...given,
    id,
  };
  world.store.templates.set(id, template);
  return template;
}

export function putProduct(world: World, given: GivenProduct): SandboxProduct {
  const id = given.id ?? world.newId();
  const product: SandboxProduct = {
    name: `Product ${id}`,
    licenseTemplateId: DEFAULT_TEMPLATE_ID,
    ...given,
    id,
  };
  world.store.products.set(id, product);
  return product;
}
