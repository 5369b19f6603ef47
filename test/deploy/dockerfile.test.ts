// The container's files without a container engine: the Dockerfile is clean and can be carried out step by
// step, what it makes starts and is healthy, and compose.yaml fits it. `npm ci` is taken as done here; the
// whole, with it, is proven by `npm run test:image`.

import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { validate } from 'dockerfile-utils';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { carryOut, parseDockerfile, type Stage } from '../../scripts/dockerfile.ts';
import { runImage } from '../../scripts/run-image.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const DOCKERFILE = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
const into = mkdtempSync(join(tmpdir(), 'keywright-image-test-'));
// The image's user has to get through it.
chmodSync(into, 0o755);

afterAll(() => rmSync(into, { recursive: true, force: true }));

let count = 0;
function build(text: string, context = ROOT): Stage {
  count += 1;
  return carryOut(text, {
    context,
    into: join(into, String(count)),
    instead: (command, folder) => {
      if (!command.startsWith('npm ci ')) return false;
      symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
      return true;
    },
  });
}

describe('the Dockerfile', () => {
  test('has no finding of the linter', () => {
    expect(validate(DOCKERFILE)).toEqual([]);
    expect(validate(`${DOCKERFILE}CMD ["sandbox"]\n`)).not.toEqual([]);
  });

  test('makes an image that starts, is healthy, and ends, not as root and on read-only files', async () => {
    const stage = build(DOCKERFILE);
    expect(await runImage(stage)).toMatch(/read-only files, (?:healthy|health check SKIPPED)/);
    expect(existsSync(join(stage.root, 'app/node_modules'))).toBe(false);
    expect(existsSync(join(stage.root, 'app/lambda'))).toBe(false);
  });

  test('builds on the Node line that is developed on, which has long-term support', () => {
    const images = parseDockerfile(DOCKERFILE).filter(({ name }) => name === 'FROM');
    const major = process.versions.node.split('.')[0];
    for (const { text } of images) expect(text).toMatch(new RegExp(`^node:${major}-alpine\\b`));
    expect(process.release.lts).toBeDefined();
  });

  test.each([
    ['a step that fails', 'RUN node scripts/build.ts', 'RUN node scripts/no-such.ts', /RUN node/],
    ['a file that is not there', 'COPY LICENSE ./', 'COPY LICENCE ./', /COPY LICENCE/],
    ['a file that is kept back', 'COPY LICENSE ./', 'COPY README.md ./', /COPY README.md/],
    ['an instruction that is not known', 'EXPOSE 9890', 'ADD x y', /ADD is not known/],
    ['a step outside of its folder', '&& mkdir data', '&& mkdir /data', /RUN node/],
  ])('%s is noticed', (_what, before, after, message) => {
    expect(DOCKERFILE).toContain(before);
    expect(() => build(DOCKERFILE.replace(before, after))).toThrow(message);
  });

  test('without its user it is refused', async () => {
    const context = join(into, 'context');
    for (const name of ['.dockerignore', 'rules']) {
      cpSync(join(ROOT, name), join(context, name), { recursive: true });
    }
    writeFileSync(join(context, 'LICENSE'), '');
    const stage = build('FROM node:24-alpine\nWORKDIR /app\nCOPY rules rules\n', context);
    await expect(runImage(stage)).rejects.toThrow('runs as root');
  });
});

describe('compose.yaml', () => {
  const compose = parse(readFileSync(join(ROOT, 'compose.yaml'), 'utf8')) as {
    services: Record<string, Record<string, unknown>>;
    volumes: Record<string, unknown>;
  };

  test('mounts the volumes of the image, and needs no file that is not there or told of', () => {
    const keywright = compose.services['keywright'] ?? {};
    const mounts = (keywright['volumes'] as string[]).map((mount) => mount.split(':'));
    const volumes = parseDockerfile(DOCKERFILE).find(({ name }) => name === 'VOLUME');
    expect(mounts.map(([, path]) => path).toSorted()).toEqual(
      (JSON.parse(volumes?.text ?? '[]') as string[]).toSorted(),
    );
    for (const [from = ''] of mounts) {
      const isThere = from.startsWith('./')
        ? existsSync(join(ROOT, from))
        : from in compose.volumes;
      expect(isThere).toBe(true);
    }
    expect(keywright['read_only']).toBe(true);
    const manual = readFileSync(join(ROOT, 'docs/deploying.md'), 'utf8');
    expect(manual).toContain(String(keywright['env_file']));
  });

  test('starts PostgreSQL with its profile only, and Keywright either way', () => {
    expect(compose.services['keywright']?.['profiles']).toBeUndefined();
    expect(compose.services['postgres']?.['profiles']).toEqual(['postgres']);
    expect(compose.services['keywright']?.['depends_on']).toMatchObject({
      postgres: { required: false },
    });
  });
});
