// Texts that a page must never take for more than text, and events that are made of them. Every field that a
// buyer or a provider fills holds one.

import type { JsonObject } from '../../src/core/model.ts';
import { sampleBody } from '../support/keywright.ts';

export const HOSTILE: readonly string[] = [
  '<script>alert(1)</script>',
  '"><script>alert(1)</script>',
  "'><img src=x onerror=alert(1)>",
  '"><svg/onload=alert(1)>',
  '" autofocus onfocus="alert(1)',
  "' onmouseover='alert(1)",
  '</title><script>alert(1)</script>',
  '</textarea><img src=x onerror=alert(1)>',
  '</style><script>alert(1)</script>',
  '--><script>alert(1)</script>',
  ']]><script>alert(1)</script>',
  '<iframe src="javascript:alert(1)"></iframe>',
  '<a href="javascript:alert(1)">x</a>',
  '<base href="https://elsewhere.example/">',
  '<meta http-equiv="refresh" content="0;url=https://elsewhere.example">',
  '<link rel=stylesheet href=https://elsewhere.example/x.css>',
  '<form action="https://elsewhere.example"><button>x</button></form>',
  '<math><mtext></mtext><mglyph><style><img src=x onerror=alert(1)></style></mglyph></math>',
  '<details open ontoggle=alert(1)>',
  'javascript:alert(1)',
  '${alert(1)}',
  '{{constructor.constructor("alert(1)")()}}',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '\u003cscript\u003ealert(1)\u003c/script\u003e',
  '\u202e\u2066gnp.tpircs\u2069',
  '\u0000<b>nul</b>',
  '../../../etc/passwd',
  '%3Cscript%3Ealert(1)%3C/script%3E',
  "1' or '1'='1",
  '\r\nset-cookie: a=b',
];

/** An event of which every text is this one, as far as the provider's form allows. */
export function hostileEvent(index: number): JsonObject {
  const text = HOSTILE[index % HOSTILE.length] ?? '';
  const kinds = ['customer.created', 'invoice.paid-subscription-create', 'invoice.created'];
  const body = sampleBody('stripe', kinds[index % kinds.length] ?? '');
  const { object } = body['data'] as { object: JsonObject };
  fill(object, text);
  object['object'] = index % kinds.length === 0 ? 'customer' : 'invoice';
  // Ids and types hold no blanks; others are refused before they are stored.
  const word = text.replaceAll(/[\s\p{C}]/gu, '');
  const type = index % 4 === 3 ? word : body['type'];
  return { ...body, id: `evt_${index}_${word}`, type: type ?? '' };
}

function fill(target: JsonObject, text: string): void {
  for (const [name, value] of Object.entries(target)) {
    if (typeof value === 'string') {
      // These decide what becomes of the event; the others come as far as to a license.
      if (!/^(?:status|billing_reason|.*email)$/.test(name)) target[name] = text;
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      fill(value, text);
    }
  }
  target[`key ${text}`] = text;
}
