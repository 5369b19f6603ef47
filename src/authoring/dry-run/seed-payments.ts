// Payments of licenses that are given before a dry run or a rule test. Takes what is given and the ids that the
// sandbox gave it, notes in the journal what a sale would have noted.

import type { Provider } from '../../core/providers.ts';
import type { Journal, Reference } from '../../journal/journal.ts';
import type { SandboxGiven } from '../../sandbox/types.ts';

/** @param licenseIds of the given licenses, in their order */
export async function noteGivenPayments(
  { licenses = [] }: SandboxGiven,
  licenseIds: readonly string[],
  providers: Iterable<Provider>,
  journal: Journal,
): Promise<void> {
  const references = [...providers].flatMap((provider) =>
    licenses.flatMap(({ payment }, index): readonly Reference[] => {
      const value = licenseIds[index];
      if (payment === undefined || value === undefined) return [];
      return [{ key: `${provider}:${payment}`, kind: 'license', value }];
    }),
  );
  await journal.noteReferences(references);
}
