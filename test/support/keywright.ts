// The whole of Keywright for a test: the real server on a port of its own, the sandbox of Cryptlex on
// another, real signatures between them. Takes what the test wants different, gives a place to send
// webhooks to. Close it, or use it with `withKeywright`.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { composeServer } from '../../src/app/server.ts';
import type { ServerHandle } from '../../src/app/server-options.ts';
import type { JsonObject, JsonValue } from '../../src/core/model.ts';
import { PROVIDERS, type Provider } from '../../src/core/providers.ts';
import { Secret } from '../../src/core/secret.ts';
import { composeSandbox, type ServedSandbox } from '../../src/sandbox/compose-sandbox.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import type { SandboxGiven, SandboxOptions } from '../../src/sandbox/types.ts';
import { signDelivery } from '../../src/verifiers/sign.ts';

export interface KeywrightOptions {
  /** Variables beside the usual ones; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Only these providers are switched on; a server of one starts sooner than one of three. */
  readonly providers?: readonly Provider[];
  /** Edits the text of a shipped rule file, by provider. */
  readonly rules?: Partial<Record<Provider, (text: string) => string>>;
  /** Further files of the rules directory, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** What is in Cryptlex before. */
  readonly given?: SandboxGiven;
  readonly sandbox?: Partial<Omit<SandboxOptions, 'token'>>;
  /** The time-out of one call to Cryptlex. */
  readonly cryptlexTimeoutMs?: number;
  /** The time-out of one call to Stripe. */
  readonly stripeTimeoutMs?: number;
  /** How long changed rule files have to stand still before they are read. */
  readonly rulesSettleMs?: number;
}

export interface WebhookAnswer {
  readonly status: number;
  /** The JSON body; empty for text/plain. */
  readonly json: JsonObject;
  readonly text: string;
}

export interface SendOptions {
  /** Changes the parsed body before it is signed. */
  readonly edit?: (body: JsonObject) => void;
  readonly path?: string;
  readonly secret?: string;
  /** How far the signature's time is from now. */
  readonly ageSeconds?: number;
  /** Changes the headers after signing. */
  readonly headers?: (headers: Record<string, string>) => void;
}

export interface Keywright {
  readonly url: string;
  readonly sandbox: Sandbox;
  readonly server: ServerHandle;
  /** Where its rule files lie. */
  readonly rulesDir: string;
  /** Lines of the log, as JSON. */
  readonly log: readonly string[];
  /** Signs and sends a sample by name (`stripe`, `invoice.paid-manual`). */
  sendSample(provider: Provider, sample: string, options?: SendOptions): Promise<WebhookAnswer>;
  /** Signs and sends a body: an object, or the very bytes. */
  send(
    provider: Provider,
    body: JsonValue | Uint8Array,
    options?: SendOptions,
  ): Promise<WebhookAnswer>;
  close(): Promise<void>;
}

export const SECRETS: Readonly<Record<Provider, string>> = {
  stripe: 'whsec_test_secret_of_stripe',
  fastspring: 'test secret of fastspring',
  paddle: 'pdl_ntfset_test_secret_of_paddle',
};
export const PRODUCT_ID = '00000000-0000-4000-8000-00000000beef';

/** What ends too soon on a busy machine lasts so long, unless a test is about its end. */
export const PATIENT_MS = '60000';

/** A sample's body, parsed anew at each call. */
export function sampleBody(provider: Provider, sample: string): JsonObject {
  return JSON.parse(readSample(provider, sample).toString('utf8')) as JsonObject;
}

export function readSample(provider: Provider, sample: string): Buffer {
  return readFileSync(new URL(`../../samples/${provider}/${sample}.json`, import.meta.url));
}

export async function startKeywright(options: KeywrightOptions = {}): Promise<Keywright> {
  const cryptlex = await composeSandbox({
    port: 0,
    rateLimit: false,
    ...(options.sandbox === undefined ? {} : { options: options.sandbox }),
  });
  const rulesDir = writeRules(options);
  const log: string[] = [];
  const server = await compose(options, cryptlex, rulesDir, log);
  if (options.given !== undefined) cryptlex.sandbox.seed(options.given);
  const { url } = await server.listen();
  server.start();
  const send: Keywright['send'] = async (provider, body, how = {}) => {
    const bytes = toBytes(body, how.edit);
    const secret = new Secret(how.secret ?? SECRETS[provider]);
    const target = `${url}${how.path ?? '/v1'}`;
    for (;;) {
      const timestampSeconds = Math.floor(Date.now() / 1000) - (how.ageSeconds ?? 0);
      const { header, value } = signDelivery(provider, bytes, { secret, timestampSeconds });
      const headers = { 'content-type': 'application/json', [header]: value };
      how.headers?.(headers);
      const body = Buffer.from(bytes);
      const answer = await answerOf(await fetch(target, { method: 'POST', headers, body }));
      // A busy machine may look at a signature too late; a provider signs anew and sends again.
      const isLate = answer.json['error'] === 'SIGNATURE_STALE' && how.ageSeconds === undefined;
      if (!isLate) return answer;
    }
  };
  return {
    url,
    sandbox: cryptlex.sandbox,
    server,
    rulesDir,
    log,
    send,
    sendSample: (provider, sample, how) =>
      // Without an edit the very bytes of the file are sent: Paddle's hold escapes.
      send(
        provider,
        how?.edit === undefined ? readSample(provider, sample) : sampleBody(provider, sample),
        how,
      ),
    close: async () => {
      await server.stop(2_000);
      await cryptlex.close();
      rmSync(rulesDir, { recursive: true, force: true });
    },
  };
}

/** Runs a test with a Keywright of its own, and checks that no request broke the OpenAPI document. */
export async function withKeywright(
  options: KeywrightOptions,
  test: (keywright: Keywright) => Promise<void>,
): Promise<void> {
  const keywright = await startKeywright(options);
  try {
    await test(keywright);
    const [violation] = keywright.sandbox.violations;
    if (violation !== undefined)
      throw new Error(`a request broke the document: ${violation.message}`);
  } finally {
    await keywright.close();
  }
}

function writeRules(options: KeywrightOptions): string {
  const directory = mkdtempSync(join(tmpdir(), 'keywright-rules-'));
  for (const provider of options.providers ?? PROVIDERS) {
    const text = readFileSync(new URL(`../../rules/${provider}.yaml`, import.meta.url), 'utf8');
    const edited = options.rules?.[provider]?.(text) ?? text;
    writeFileSync(join(directory, `${provider}.yaml`), edited);
  }
  for (const [name, text] of Object.entries(options.files ?? {})) {
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

async function compose(
  options: KeywrightOptions,
  cryptlex: ServedSandbox,
  rulesDir: string,
  log: string[],
): Promise<ServerHandle> {
  const secrets = (options.providers ?? PROVIDERS).map(
    (provider) => [`${provider.toUpperCase()}_WEBHOOK_SECRET`, SECRETS[provider]] as const,
  );
  const env = {
    ...Object.fromEntries(secrets),
    CRYPTLEX_ACCESS_TOKEN: cryptlex.token,
    CRYPTLEX_WEB_API_BASE_URL: cryptlex.url,
    CRYPTLEX_PRODUCT_ID: PRODUCT_ID,
    DATABASE_URL: 'memory:',
    CRYPTLEX_RATE_LIMIT: '10000/1s',
    RULES_DIR: rulesDir,
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_FORMAT: 'json',
    WEBHOOK_DEADLINE_MS: PATIENT_MS,
    ...options.env,
  };
  const composition = await composeServer({
    env: Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)),
    readFile: (path) => readFileSync(path, 'utf8'),
    writeLog: (line) => log.push(line),
    stdoutIsTty: false,
    cryptlexTimeoutMs: options.cryptlexTimeoutMs ?? Number(PATIENT_MS),
    ...(options.stripeTimeoutMs === undefined ? {} : { stripeTimeoutMs: options.stripeTimeoutMs }),
    ...(options.rulesSettleMs === undefined ? {} : { rulesSettleMs: options.rulesSettleMs }),
  });
  if (composition.kind === 'refused') throw new Error(composition.problems.join('\n'));
  return composition.server;
}

function toBytes(body: JsonValue | Uint8Array, edit: SendOptions['edit']): Uint8Array {
  if (body instanceof Uint8Array) return body;
  if (edit !== undefined) edit(body as JsonObject);
  return new TextEncoder().encode(JSON.stringify(body));
}

async function answerOf(response: Response): Promise<WebhookAnswer> {
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  return { status: response.status, text, json: isJson ? (JSON.parse(text) as JsonObject) : {} };
}
