// A plugin for the bundler: the rule files that come along are read when Keywright is built, so that no server
// reads their YAML at its start. Stands in for src/engine/diagnostics/prebuilt-rules.ts.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import { PROVIDERS } from '../src/core/providers.ts';
import { noteYaml } from '../src/engine/diagnostics/prebuilt-yaml.ts';

/** @param rulesDir the folder that is shipped beside the bundle */
export function knownRules(rulesDir: string): Plugin {
  return {
    name: 'known-rules',
    setup(build) {
      build.onLoad(
        { filter: /[\\/]src[\\/]engine[\\/]diagnostics[\\/]prebuilt-rules\.ts$/ },
        () => {
          const lines = PROVIDERS.map((provider) => {
            const noted = noteYaml(readFileSync(join(rulesDir, `${provider}.yaml`), 'utf8'));
            if (noted === undefined) throw new Error(`rules/${provider}.yaml has findings`);
            return noted;
          });
          // Texts, not objects: the engine reads JSON faster than code.
          const contents = `export const KNOWN_TEXTS = new Map(${JSON.stringify(lines)});`;
          return { contents, loader: 'js' };
        },
      );
    },
  };
}
