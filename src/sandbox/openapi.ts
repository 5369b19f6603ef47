// The OpenAPI document as a judge. Takes requests and answers, says which operation they belong to
// and where they break the document. Never changes them, and never serves one.

import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';
import { assetPath } from '../assets.ts';
import { AppError } from '../core/error-codes.ts';
import type { JsonObject, JsonValue } from '../core/model.ts';
import { escapePointer, follow, lookUp, type SchemaPlace } from './document.ts';
import { checkParameter, type Objection, type Parameter, readParameters } from './parameters.ts';

const DOCUMENT = 'schema/cryptlex.openapi.yaml';
const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

export interface Operation {
  readonly operationId: string;
  readonly method: string;
  /** Such as `/v3/licenses/{id}`. */
  readonly template: string;
  /** Any one of them is enough. */
  readonly scopes: readonly string[];
  readonly takesBody: boolean;
}

export type RouteMatch =
  | { readonly kind: 'found'; readonly operation: Operation; readonly id: string }
  | { readonly kind: 'otherMethod' }
  | { readonly kind: 'none' };

export interface Contract {
  readonly operations: readonly Operation[];
  match(method: string, path: string): RouteMatch;
  /** `body` is undefined when none was sent. */
  checkRequest(
    operation: Operation,
    query: readonly (readonly [string, string])[],
    body: JsonValue | undefined,
  ): readonly Objection[];
  /** Gives what is wrong with an answer of ours, or undefined. */
  checkAnswer(operation: Operation | undefined, status: number, body: unknown): string | undefined;
}

let shared: Contract | undefined;

/** The document of the project, read and compiled once per process, when first needed. */
export function loadContract(): Contract {
  shared ??= createContract(parse(readFileSync(assetPath(DOCUMENT), 'utf8')) as JsonObject);
  return shared;
}

function createContract(document: JsonObject): Contract {
  const ajv = new Ajv2020({ strict: false, allErrors: false });
  addFormats.default(ajv);
  // ASP.NET asks for little more than an @; the stricter default would refuse addresses like jürgen@example.com.
  ajv.addFormat('email', /^[^@\s]+@[^@\s]+$/);
  ajv.addSchema({ ...document, $id: 'cryptlex' });

  const compiled = new Map<string, ValidateFunction>();
  const validator = (pointer: string): ValidateFunction => {
    let validate = compiled.get(pointer);
    if (validate === undefined) {
      validate = ajv.compile({ $ref: `cryptlex#${pointer}` });
      compiled.set(pointer, validate);
    }
    return validate;
  };
  const routes = readRoutes(document);

  return {
    operations: routes.map((route) => route.operation),
    match: (method, path) => matchRoute(routes, method, path),
    checkRequest(operation, query, body) {
      const route = routes.find((candidate) => candidate.operation === operation);
      if (route === undefined) throw new AppError('INTERNAL', `no route ${operation.operationId}`);
      const objections: Objection[] = [];
      for (const [name, value] of query) {
        const objection = checkParameter(route.parameters, name, value, validator);
        if (objection !== undefined) objections.push(objection);
      }
      if (route.body !== undefined) objections.push(...checkBody(route.body, body, validator));
      return objections;
    },
    checkAnswer(operation, status, body) {
      const pointer =
        status >= 400
          ? '/components/schemas/Error'
          : operation && answerPointer(document, operation, status);
      if (pointer === undefined) return `status ${status} is not in the document`;
      if (pointer === '') return body === undefined ? undefined : 'there must be no body';
      const validate = validator(pointer);
      return validate(body) ? undefined : describe('answer', validate);
    },
  };
}

interface Route {
  readonly operation: Operation;
  readonly segments: readonly string[];
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly body: SchemaPlace | undefined;
}

function readRoutes(document: JsonObject): readonly Route[] {
  const routes: Route[] = [];
  for (const [template, item] of Object.entries(document['paths'] as JsonObject)) {
    for (const method of METHODS) {
      const described = (item as JsonObject)[method] as JsonObject | undefined;
      if (described === undefined) continue;
      const pointer = `/paths/${escapePointer(template)}/${method}`;
      const hasBody = described['requestBody'] !== undefined;
      const operation: Operation = {
        operationId: String(described['operationId']),
        method: method.toUpperCase(),
        template,
        scopes: (described['x-scopes'] ?? []) as string[],
        takesBody: hasBody,
      };
      routes.push({
        operation,
        segments: template.split('/'),
        parameters: readParameters(document, pointer),
        body: hasBody
          ? follow(document, `${pointer}/requestBody/content/application~1json/schema`)
          : undefined,
      });
    }
  }
  return routes;
}

function matchRoute(routes: readonly Route[], method: string, path: string): RouteMatch {
  const segments = path.split('/');
  let known = false;
  for (const route of routes) {
    if (route.segments.length !== segments.length) continue;
    let id = '';
    const fits = route.segments.every((wanted, index) => {
      const segment = segments[index] ?? '';
      if (!wanted.startsWith('{')) return segment === wanted;
      id = segment;
      return segment !== '';
    });
    if (!fits) continue;
    known = true;
    if (route.operation.method === method) {
      return { kind: 'found', operation: route.operation, id: decodeSegment(id) };
    }
  }
  return known ? { kind: 'otherMethod' } : { kind: 'none' };
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function checkBody(
  place: SchemaPlace,
  body: JsonValue | undefined,
  validator: (pointer: string) => ValidateFunction,
): readonly Objection[] {
  if (body === undefined)
    return [{ kind: 'refused', message: 'A non-empty JSON body is required.' }];
  const validate = validator(place.pointer);
  if (!validate(body)) return [{ kind: 'refused', message: describe('body', validate) }];
  // The server leaves unknown members alone, so that a misspelt one fails silently; tests have to see it.
  return Object.keys(body as JsonObject)
    .filter((name) => !Object.hasOwn((place.value['properties'] ?? {}) as JsonObject, name))
    .map((name) => ({ kind: 'noted', message: `body/${name} is not in the document` }));
}

function describe(what: string, validate: ValidateFunction): string {
  const error = validate.errors?.[0];
  return `${what}${error?.instancePath ?? ''} ${error?.message ?? 'is invalid'}`;
}

/** Where the schema of an answer stands; '' where there is no body, undefined where there is no such answer. */
function answerPointer(
  document: JsonObject,
  operation: Operation,
  status: number,
): string | undefined {
  const pointer = `/paths/${escapePointer(operation.template)}/${operation.method.toLowerCase()}/responses/${status}`;
  const answer = lookUp(document, pointer);
  if (answer === undefined) return undefined;
  return answer['content'] === undefined ? '' : `${pointer}/content/application~1json/schema`;
}
