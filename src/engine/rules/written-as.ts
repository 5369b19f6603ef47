// A value of a rule as its author wrote it, on one line, for people. Takes a compiled template, gives text.
// Never evaluates anything.

import type { Template } from './rule-set.ts';

/** `=data.id`, `"P1Y"`, `{ order_id: =data.id }` */
export function writtenAs(template: Template): string {
  switch (template.kind) {
    case 'formula':
      return `=${template.text.replaceAll(/\s+/g, ' ')}`;
    case 'literal':
      return JSON.stringify(template.value);
    case 'map': {
      const members = [...template.members].map(
        ([name, member]) => `${name}: ${writtenAs(member)}`,
      );
      return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
    }
    case 'list':
      return `[${template.items.map(writtenAs).join(', ')}]`;
  }
}
