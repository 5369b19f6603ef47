// keywright serve: the server. Takes everything from the environment; says all that is wrong with it at
// once and ends with exit code 2, or serves until it is told to stop.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { composeServer } from '../../app/server.ts';
import { formatLocation } from '../../engine/diagnostics/findings.ts';
import type { Command } from '../command.ts';
import { usageError } from '../command.ts';

const HELP = `keywright serve

Starts the server. Everything is said by environment variables; the important ones:
  STRIPE_WEBHOOK_SECRET, FASTSPRING_WEBHOOK_SECRET, PADDLE_WEBHOOK_SECRET
                               signing secrets; a provider is on when its secret is set
  CRYPTLEX_ACCESS_TOKEN        a personal access token of Cryptlex
  CRYPTLEX_WEB_API_BASE_URL    https://api.cryptlex.com unless said otherwise
  CRYPTLEX_PRODUCT_ID          the product that rules/stripe.yaml licenses
  DATABASE_URL                 the journal: sqlite:data/keywright.db unless said otherwise, postgres://…
                               for several replicas, memory: for hosts without a disk
  HTTPS_PROXY, NO_PROXY        the proxy that outgoing calls go through, and what is called without it
  ALERT_WEBHOOK_URL            where alerts are sent, plain JSON or Slack's form
  PORT (9890), HOST (0.0.0.0), RULES_DIR (rules), LOG_LEVEL (info), LOG_FORMAT (json, pretty)
Any variable may be read from a file: NAME_FILE=/run/secrets/name.

Rule files are read again when they change, or on SIGHUP. Rules with errors are not taken.

Example:
  STRIPE_WEBHOOK_SECRET=whsec_… CRYPTLEX_ACCESS_TOKEN=… CRYPTLEX_PRODUCT_ID=… keywright serve
`;

const MEMORY_WARNING =
  'the journal is in memory: only what is done is answered with 200, and after a restart a renewal that is sent again is done again; see docs/operating.md, or use sqlite: or postgres:';

export const serveCommand: Command = {
  help: HELP,
  run: async (args, terminal) => {
    if (args.length > 0) throw usageError(`serve takes no arguments, not "${args[0]}"`, 'serve');
    const composition = await composeServer({
      env: terminal.env,
      readFile: (path) => readFileSync(path, 'utf8'),
      writeLog: (line) => terminal.writeOut(line),
      stdoutIsTty: terminal.isTty,
      testRules: testRulesIn,
    });
    if (composition.kind === 'refused') {
      for (const problem of composition.problems) terminal.writeError(`${problem}\n`);
      return 2;
    }
    const { server } = composition;
    for (const warning of server.warnings) terminal.writeError(`${warning}\n`);
    // Before the first webhook can come, so that no signal finds the process unprepared.
    const stopped = stopSignal();
    process.on('SIGHUP', () => void server.reloadRules());
    const listening = await server.listen();
    server.start();
    const journal = server.config.database.kind;
    server.log.info({ url: listening.url, journal }, 'Keywright is listening');
    if (!server.keepsState) server.log.warn({ journal }, MEMORY_WARNING);
    await stopped;
    server.log.info({}, 'stopping: nothing new is accepted, what is running is finished');
    await server.stop();
    server.log.info({}, 'stopped');
    return 0;
  },
};

/** Runs the tests beside the rules; no tests there, nothing to fail. */
async function testRulesIn(rulesDir: string): Promise<readonly string[]> {
  const folder = join(rulesDir, 'tests');
  if (!existsSync(folder)) return [];
  const { runTests } = await import('../../authoring/rule-tests/run-files.ts');
  const options = { paths: [folder], pattern: undefined, rulesDir, coveredRules: [] };
  const { findings, results } = await runTests(options);
  return [
    ...[...findings, ...results.flatMap((result) => result.findings)].map(
      ({ location, message, code }) => `${formatLocation(location)}: error: ${message} [${code}]`,
    ),
    ...results
      .filter(({ failures }) => failures.length > 0)
      .map(({ testCase }) => {
        const place = formatLocation(testCase.location);
        return `${place}: error: "${testCase.name}" fails [RULE_TESTS_FAILED]`;
      }),
  ];
}

/** SIGTERM from a container or a service manager, SIGINT from a keyboard. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
  });
}
