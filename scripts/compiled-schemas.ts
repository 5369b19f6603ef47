// A plugin for the bundler: src/engine/diagnostics/validators.ts and its sibling compile the schemas when they are first asked; in the
// bundle stands code that Ajv wrote beforehand. The same schemas and options, so the same findings.

import { createRequire } from 'node:module';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type Plugin, transformSync } from 'esbuild';
import { TEST_SCHEMAS } from '../src/engine/diagnostics/test-validators.ts';
import { AJV_OPTIONS, SCHEMAS } from '../src/engine/diagnostics/validators.ts';

const require = createRequire(import.meta.url);
// Written for `require`; its types say otherwise.
const standaloneCode = require('ajv/dist/standalone').default as (
  ajv: Ajv2020,
  validate: unknown,
) => string;

const ALL_SCHEMAS = { ...SCHEMAS, ...TEST_SCHEMAS };
type ShapeName = keyof typeof ALL_SCHEMAS;

/** What nothing asks for is left out of the bundle. */
export const compiledSchemas: Plugin = {
  name: 'compiled-schemas',
  setup(build) {
    for (const [file, schemas] of [
      ['validators', SCHEMAS],
      ['test-validators', TEST_SCHEMAS],
    ] as const) {
      build.onLoad(
        { filter: new RegExp(`[\\\\/]src[\\\\/]engine[\\\\/]diagnostics[\\\\/]${file}\\.ts$`) },
        () => ({
          contents: Object.keys(schemas)
            .map((name) => `export { default as ${name} } from 'compiled-schema:${name}';`)
            .join('\n'),
          loader: 'js',
        }),
      );
    }
    build.onResolve({ filter: /^compiled-schema:/ }, ({ path }) => ({
      path: path.slice('compiled-schema:'.length),
      namespace: 'compiled-schema',
      sideEffects: false,
    }));
    build.onLoad({ filter: /.*/, namespace: 'compiled-schema' }, ({ path }) => ({
      contents: compiled(path as ShapeName),
      loader: 'js',
      // Where Ajv's own helpers are looked for.
      resolveDir: import.meta.dirname,
    }));
  },
};

/** Wrapped in a function, so that the engine reads it only where this kind of file is checked. */
function compiled(name: ShapeName): string {
  const ajv = new Ajv2020({ ...AJV_OPTIONS, code: { source: true, esm: false } });
  const written = standaloneCode(ajv, ajv.compile(ALL_SCHEMAS[name]));
  // Nobody reads its names in a stack, and short ones spare a start a good part of reading it.
  const { code } = transformSync(`((module) => { ${written} })(module);`, { minify: true });
  return `let validate;
export default function validator() {
  if (validate === undefined) {
    const module = {};
    ${code}
    validate = module.exports;
  }
  return validate;
}`;
}

/** Builtin modules whose lazy members pull in others when they are imported by name. */
const LAZY_BUILTINS = /^(?:node:)?https?$/;

/**
 * `import … from 'node:http'` reads every member of it, and one of them loads all of fetch. Taken whole
 * instead, it costs nothing until it is used.
 */
export const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup(build) {
    build.onResolve({ filter: LAZY_BUILTINS }, ({ path }) => ({ path, namespace: 'lazy-builtin' }));
    build.onLoad({ filter: /.*/, namespace: 'lazy-builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
      loader: 'js',
    }));
  },
};
