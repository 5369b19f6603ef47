// An event that the brake holds: why, and the two ways out. Takes a person's word, notes it in the journal; whoever
// works on the journal does the work. Never calls Cryptlex by itself.

import type { Context } from 'hono';
import { html } from 'hono/html';
import { AppError } from '../../../core/error-codes.ts';
import type { EventRecord } from '../../../journal/journal.ts';
import { eventPath } from '../../format.ts';
import { csrfField, type Html } from '../../layout.ts';
import type { ConsoleApp, ConsoleEnv, ConsoleParts } from '../../parts.ts';
import { requireEvent } from './event.ts';

export function addHeld(app: ConsoleApp, { archive }: ConsoleParts): void {
  app.post('/events/:key/held', async (c) => {
    const { record } = await requireEvent(archive, c.req.param('key'));
    const { verdict } = await c.req.parseBody();
    if (verdict !== 'release' && verdict !== 'drop') {
      throw new AppError('USAGE', 'verdict takes release or drop');
    }
    const { kind } = await archive.decideHeld(record.key, verdict);
    return c.redirect(`${eventPath(record.key)}?replay=${encodeURIComponent(kind)}`, 303);
  });
}

/** Empty for every event that is not held. */
export function heldSection(
  { key, brake, status }: EventRecord,
  c: Context<ConsoleEnv>,
): Html | '' {
  if (brake !== 'held' || status !== 'parked') return '';
  return html`<section class="card" aria-labelledby="held"><h2 id="held">Held by the brake</h2>
    <p>Nothing was done for this event. If it is meant, release it: it is done by the rules of today, is not held again and does not count. If the rule is wrong, drop it: it ends without changes.</p>
    <form class="actions" method="post" action="${eventPath(key)}/held">${csrfField(c)}
      <button type="submit" name="verdict" value="release">Release</button>
      <button class="plain" type="submit" name="verdict" value="drop">Drop</button></form></section>`;
}
