// The manifests fit the image and the server: paths, ports, user, variables. (No cluster is at hand; what
// is tested is what can drift.)

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseDockerfile } from '../../scripts/dockerfile.ts';
import { readConfig } from '../../src/config/config.ts';
import { fakeServer } from '../server/fakes.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const FOLDER = join(ROOT, 'deploy/kubernetes');
const read = (name: string) => parse(readFileSync(join(FOLDER, name), 'utf8'));
const instructions = parseDockerfile(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'));
const said = (name: string) =>
  instructions.findLast((instruction) => instruction.name === name)?.text ?? '';

const kustomization = read('kustomization.yaml');
const pod = read('deployment.yaml').spec.template.spec;
const [container] = pod.containers;

describe('the manifests', () => {
  test('are all listed, and nothing is listed that is not there', () => {
    const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));
    expect([...kustomization.resources, 'kustomization.yaml'].toSorted()).toEqual(files.toSorted());
    expect(existsSync(join(FOLDER, `${kustomization.secretGenerator[0].envs[0]}.example`))).toBe(
      true,
    );
    for (const name of kustomization.resources) {
      expect(read(name)).toMatchObject({
        apiVersion: expect.any(String),
        kind: expect.any(String),
      });
    }
  });

  test('run the image as it wants to be run', () => {
    expect(`${pod.securityContext.runAsUser}:${pod.securityContext.runAsGroup}`).toBe(said('USER'));
    expect(container.ports[0].containerPort).toBe(Number(said('EXPOSE')));
    expect(container.securityContext.readOnlyRootFilesystem).toBe(true);
    expect(read('service.yaml').spec.ports[0].targetPort).toBe(container.ports[0].name);
    const patch = parse(read('own-rules/kustomization.yaml').patches[0].patch);
    expect(JSON.parse(said('VOLUME'))).toContain(patch[1].value[0].mountPath);
  });

  test('ask addresses that the server answers, and leave it the time to stop', async () => {
    const { app } = fakeServer();
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
      expect((await app.request(container[probe].httpGet.path)).status, probe).toBe(200);
    }
    // A liveness probe on /readyz would restart all replicas when the database is away.
    expect(container.livenessProbe.httpGet.path).toBe('/healthz');
    const grace = container.lifecycle.preStop.sleep.seconds + 10;
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(grace);
  });

  test('give variables that make a configuration for several replicas', () => {
    const text = readFileSync(join(FOLDER, 'keywright.env.example'), 'utf8');
    const env = Object.fromEntries([...text.matchAll(/^(\w+)=(.*)$/gm)].map(([, n, v]) => [n, v]));
    const reading = readConfig(env, () => '');
    expect(reading.environment.problems()).toEqual([]);
    expect(reading.ok && reading.config.database.kind).toBe('postgres');
    expect(container.envFrom[0].secretRef.name).toBe(kustomization.secretGenerator[0].name);
  });
});
