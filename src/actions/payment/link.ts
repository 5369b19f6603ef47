// payment.link: says that two ids name one payment. Changes nothing in Cryptlex.

import { requiredText } from '../input.ts';
import { noteUntouched } from '../operations.ts';
import type { ActionFunction } from '../run.ts';
import { paymentKey, sameAs } from './payments.ts';

export const linkPayments: ActionFunction = async (step, run) => {
  const id = requiredText(step, 'id');
  const keys = [id, requiredText(step, 'to')].map((each) => paymentKey(each, run));
  await run.journal.noteReferences(keys.flatMap((key) => sameAs(key, keys)));
  run.progress.hasNotedPayment = true;
  noteUntouched(step.action, { kind: 'applied', targetId: id }, run);
  return {};
};
