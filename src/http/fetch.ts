// Between the transport and what is used as fetch: the sandbox in process, Stripe's SDK, a dry run, a test.
// Bodies are text on both sides.

import { TooLateToSend, type Transport } from './transport.ts';

/** What fetch is used as, where somebody hands one in. */
export type Fetch = (request: Request) => Promise<Response>;

/** A transport over something that is used as fetch. */
export function transportOver(fetch: Fetch): Transport {
  return async ({ url, method, headers, body, signal, mayLeave }) => {
    if (mayLeave?.() === false) throw new TooLateToSend();
    return fetch(
      new Request(url, {
        ...{ method, headers, signal },
        ...(body === undefined ? {} : { body }),
        // A followed redirect would turn a POST into a GET, and take the answer for the write's.
        redirect: 'manual',
      }),
    );
  };
}

/** The form of the global fetch, over a transport. */
export function fetchOver(transport: Transport): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const { url, method, headers, signal } = request;
    const body = request.body === null ? undefined : await request.text();
    const response = await transport({ url, method, headers, body, signal });
    const { status } = response;
    const text = await response.text();
    return new Response(HAS_NO_BODY.has(status) ? null : text, {
      ...{ status, headers: [...response.headers.entries()] },
    });
  };
}

/** A Response of these takes no body, not even an empty one. */
const HAS_NO_BODY: ReadonlySet<number> = new Set([204, 205, 304]);
