// The command line in this process. Takes arguments and variables, gives what a terminal would show.

import { runCli } from '../../src/cli/run-cli.ts';

export interface Shown {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export async function cli(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
  { isTty = false } = {},
): Promise<Shown> {
  let out = '';
  let err = '';
  const code = await runCli(args, {
    ...{ env, isTty },
    writeOut: (text) => {
      out += text;
    },
    writeError: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}
