// keywright sandbox: the embedded Cryptlex, served alone. For trying out a server, or code of one's own,
// without an account; it keeps its state in memory.

import { parseArgs } from 'node:util';
import { composeSandbox } from '../../sandbox/compose-sandbox.ts';
import { asUsageError, type Command, usageError } from '../command.ts';

const HELP = `keywright sandbox [--port PORT] [--token TOKEN]

Serves a stand-in for the Cryptlex Web API on 127.0.0.1: users, licenses and license templates, with
the vendor's filters, paging, scopes and rate limit. Point CRYPTLEX_WEB_API_BASE_URL at it.

  --port    9891 unless said otherwise; 0 for any free one
  --token   the access token that it takes; sandbox-token unless said otherwise

Example:
  keywright sandbox --port 9891
`;

export const sandboxCommand: Command = {
  help: HELP,
  run: async (args, terminal) => {
    const { port, token } = parse(args);
    const sandbox = await composeSandbox({ port, ...(token === undefined ? {} : { token }) });
    terminal.writeOut(`The sandbox listens on ${sandbox.url} (token: ${sandbox.token})\n`);
    await new Promise<void>((resolve) => {
      process.once('SIGTERM', () => resolve());
      process.once('SIGINT', () => resolve());
    });
    await sandbox.close();
    return 0;
  },
};

function parse(args: readonly string[]): { port: number; token: string | undefined } {
  let values: { port: string; token?: string };
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: { port: { type: 'string', default: '9891' }, token: { type: 'string' } },
    }));
  } catch (error) {
    throw asUsageError(error, 'sandbox');
  }
  const port = Number(values.port);
  if (!/^\d{1,5}$/.test(values.port) || port > 65_535) {
    throw usageError(`--port takes 0 to 65535, not "${values.port}"`, 'sandbox');
  }
  return { port, token: values.token };
}
