// keywright explain: what a code means and what to do about it.

import { type AppErrorCode, ERRORS, registryEntry } from '../../core/error-codes.ts';
import { didYouMean } from '../../engine/diagnostics/closest.ts';
import type { Command } from '../command.ts';
import { usageError } from '../command.ts';

const HELP = `keywright explain CODE [--json]

Explains a code that a finding, an answer or a log line holds.

Example:
  keywright explain RULE_ONCE_MISSING
`;

export const explainCommand: Command = {
  help: HELP,
  run: async (args, terminal) => {
    const json = args.includes('--json');
    const [code, ...extra] = args.filter((arg) => arg !== '--json');
    if (code === undefined || extra.length > 0)
      throw usageError('explain takes one code', 'explain');
    const codes = Object.keys(ERRORS);
    const known = codes.find((candidate) => candidate.toLowerCase() === code.toLowerCase());
    if (known === undefined) {
      throw usageError(`there is no code "${code}"${didYouMean(code, codes)}`, 'explain');
    }
    const { title, hint, retryable, httpStatus } = registryEntry(known as AppErrorCode);
    if (json) {
      terminal.writeOut(`${JSON.stringify({ code: known, title, hint, retryable, httpStatus })}\n`);
      return 0;
    }
    const lines = [known, '', `${title}.`, hint, ''];
    if (httpStatus !== undefined) lines.push(`A webhook is answered with ${httpStatus}.`);
    lines.push(retryable ? 'It is tried again.' : 'It is not tried again by itself.', '');
    terminal.writeOut(lines.join('\n'));
    return 0;
  },
};
