// keywright demo: the main job with no account and no service. Starts the server on the embedded sandbox,
// sends signed samples of all three providers over real HTTP, and tells what became of them.
// Exit code 0 only when every answer and the end state are as they should be.

import { readFileSync } from 'node:fs';
import { composeServer } from '../../app/server.ts';
import { assetPath } from '../../assets.ts';
import { createStepClock } from '../../core/clock.ts';
import { AppError } from '../../core/error-codes.ts';
import type { JsonObject } from '../../core/model.ts';
import { mainSecretName, PROVIDERS, type Provider } from '../../core/providers.ts';
import { Secret } from '../../core/secret.ts';
import { fetchOver } from '../../http/fetch.ts';
import { NO_PROXIES } from '../../http/proxies.ts';
import { createTransport } from '../../http/transport.ts';
import { composeSandbox, type ServedSandbox } from '../../sandbox/compose-sandbox.ts';
import { signedHeaders } from '../../verifiers/webhook-body.ts';
import type { Command, Terminal } from '../command.ts';
import { usageError } from '../command.ts';
import { tableLines } from '../output/terminal-text.ts';

const HELP = `keywright demo

Starts the server on the embedded sandbox of Cryptlex, sends signed sample webhooks of Stripe,
FastSpring and Paddle over real HTTP, and prints what each event led to. Needs no account.

Example:
  keywright demo
`;

/** The story that is told: each step a sample, in the order in which a provider would send them. */
const STORY: readonly { readonly provider: Provider; readonly sample: string }[] = [
  { provider: 'stripe', sample: 'customer.created' },
  { provider: 'stripe', sample: 'invoice.paid-subscription-create' },
  { provider: 'stripe', sample: 'checkout.session.completed-subscription' },
  { provider: 'stripe', sample: 'invoice.paid-subscription-cycle' },
  { provider: 'stripe', sample: 'invoice.paid-subscription-cycle' },
  { provider: 'fastspring', sample: 'order.completed' },
  { provider: 'fastspring', sample: 'order.completed-bundle' },
  { provider: 'fastspring', sample: 'subscription.charge.completed' },
  { provider: 'fastspring', sample: 'subscription.payment.overdue' },
  { provider: 'fastspring', sample: 'subscription.charge.completed-no-expansion' },
  { provider: 'fastspring', sample: 'subscription.deactivated' },
  { provider: 'paddle', sample: 'transaction.completed-web' },
  { provider: 'paddle', sample: 'customer.created' },
  { provider: 'paddle', sample: 'transaction.completed-subscription-recurring' },
  { provider: 'paddle', sample: 'subscription.paused' },
  { provider: 'paddle', sample: 'transaction.completed-subscription-recurring-resumed' },
];

/** What is left at the end: Stripe one license, the bundle's parts, Paddle one. */
const LICENSES_AT_THE_END = 4;
/** The sandbox's own time, so that the demo tells the same story every day. */
const SANDBOX_TIME_MS = Date.UTC(2026, 10, 1);

/** To this very machine, whatever proxy is set. */
const post = fetchOver(createTransport(NO_PROXIES));

export const demoCommand: Command = {
  help: HELP,
  run: async (args, terminal) => {
    if (args.length > 0) throw usageError(`demo takes no arguments, not "${args[0]}"`, 'demo');
    const cryptlex = await composeSandbox({
      port: 0,
      clock: createStepClock(SANDBOX_TIME_MS),
      rateLimit: false,
    });
    try {
      return await tell(cryptlex, terminal);
    } finally {
      await cryptlex.close();
    }
  },
};

async function tell(cryptlex: ServedSandbox, terminal: Terminal): Promise<0 | 1> {
  const secrets = new Map(PROVIDERS.map((provider) => [provider, `demo_${provider}_secret`]));
  const composition = await composeServer({
    env: {
      ...Object.fromEntries(
        [...secrets].map(([provider, secret]) => [mainSecretName(provider), secret]),
      ),
      CRYPTLEX_ACCESS_TOKEN: cryptlex.token,
      CRYPTLEX_WEB_API_BASE_URL: cryptlex.url,
      CRYPTLEX_PRODUCT_ID: 'northlight-pro',
      RULES_DIR: assetPath('rules'),
      DATABASE_URL: 'memory:',
      HOST: '127.0.0.1',
      PORT: '0',
      LOG_LEVEL: 'silent',
    },
    readFile: (path) => readFileSync(path, 'utf8'),
    writeLog: () => undefined,
    stdoutIsTty: false,
  });
  if (composition.kind === 'refused') {
    throw new AppError('RULES_UNREADABLE', composition.problems.join('\n'));
  }
  const { server } = composition;
  const { url } = await server.listen();
  server.start();
  terminal.writeError(
    `Keywright listens on ${url}, the sandbox of Cryptlex on ${cryptlex.url}.\n\n`,
  );
  const rows: Row[] = [];
  let allGood = true;
  for (const { provider, sample } of STORY) {
    const secret = new Secret(secrets.get(provider) ?? '');
    const { row, good } = await send(url, provider, sample, secret, cryptlex);
    rows.push(row);
    allGood &&= good;
  }
  await server.stop();
  terminal.writeOut(tableOf(rows));
  const { licenses, users } = cryptlex.sandbox.state;
  terminal.writeOut(
    `\n${STORY.length} webhooks, ${licenses.length} licenses and ${users.length} users at the end, ${cryptlex.sandbox.requests.length} calls to Cryptlex.\n`,
  );
  const violations = cryptlex.sandbox.violations.length;
  if (allGood && licenses.length === LICENSES_AT_THE_END && violations === 0) return 0;
  terminal.writeError('The end is not as it should be.\n');
  return 1;
}

interface Row {
  readonly event: string;
  readonly rule: string;
  readonly done: string;
  readonly license: string;
}

async function send(
  url: string,
  provider: Provider,
  sample: string,
  secret: Secret,
  cryptlex: ServedSandbox,
): Promise<{ row: Row; good: boolean }> {
  const body = readFileSync(assetPath(`samples/${provider}/${sample}.json`));
  const timestampSeconds = Math.floor(Date.now() / 1000);
  const headers = signedHeaders(provider, body, { secret, timestampSeconds });
  const response = await post(`${url}/v1`, { method: 'POST', headers, body });
  const answer = (await response.json()) as JsonObject;
  const ids = Array.isArray(answer['licenseIds']) ? answer['licenseIds'] : [];
  const done =
    answer['duplicate'] === true ? 'Done before; nothing was called.' : text(answer['message']);
  return {
    row: {
      event: `${provider} ${sample}`,
      rule: text(answer['rule']),
      done,
      license: ids.map((id) => licenseState(cryptlex, text(id))).join(', ') || '–',
    },
    good: response.status === 200 && answer['status'] === 'done',
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '–';
}

/** `…002 until 2026-12-01` */
function licenseState(cryptlex: ServedSandbox, id: string): string {
  const license = cryptlex.sandbox.state.licenses.find((candidate) => candidate.id === id);
  const name = `…${id.slice(-3)}`;
  if (license === undefined) return `${name} gone`;
  const until = license.expiresAt === null ? 'for ever' : `until ${license.expiresAt.slice(0, 10)}`;
  return `${name} ${until}${license.suspended ? ', suspended' : ''}`;
}

function tableOf(rows: readonly Row[]): string {
  const cells = rows.map(({ event, rule, done, license }) => [event, rule, done, license]);
  return `${tableLines(['event', 'rule', 'what was done', 'license'], cells).join('\n')}\n`;
}
