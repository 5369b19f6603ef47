// A request as AWS hands it to a function (payload 2.0), made one that can be a Request: whoever knows the address may
// send anything. Takes the event as it came, gives one that no library stumbles over; what it said of the body and
// could not hold is told apart, so that it is answered as the contract says.

/** A payload 2.0 of API Gateway or of a function URL, as far as it is looked at here. */
export interface HttpEvent {
  readonly rawPath: string;
  readonly requestContext: { readonly http: object; readonly stage?: string };
}

interface Parts extends HttpEvent {
  readonly headers?: unknown;
  readonly body?: unknown;
  readonly isBase64Encoded?: unknown;
  readonly requestContext: HttpEvent['requestContext'] & { readonly http: { method?: unknown } };
}

/** Of RFC 4648, with its padding, as AWS writes it. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** RFC 9110, 5.6.2. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** A Request takes no body with these. */
const WITHOUT_BODY = new Set(['GET', 'HEAD']);
/** A Request cannot have these methods (fetch, "forbidden method"); they are refused as OPTIONS is. */
const FORBIDDEN = new Set(['TRACE', 'TRACK', 'CONNECT']);

/** The request without what no Request can hold. */
export function usableRequest(given: HttpEvent): {
  readonly event: HttpEvent;
  /** The body is none: it is no text, or not the base64 that it claims to be. */
  readonly isBodyBroken: boolean;
} {
  const { body, headers, isBase64Encoded, ...rest } = given as Parts;
  const { method: givenMethod } = rest.requestContext.http;
  const named = typeof givenMethod === 'string' ? givenMethod.toUpperCase() : 'OPTIONS';
  const method = FORBIDDEN.has(named) ? 'OPTIONS' : named;
  const takesBody = !WITHOUT_BODY.has(method);
  const isBodyBroken = takesBody && isBroken(body, isBase64Encoded === true);
  const event = {
    ...rest,
    requestContext: { ...rest.requestContext, http: { ...rest.requestContext.http, method } },
    headers: usableHeaders(headers),
    ...(takesBody && !isBodyBroken ? { body, isBase64Encoded } : {}),
  };
  return { event, isBodyBroken };
}

function isBroken(body: unknown, isBase64: boolean): boolean {
  if (body === undefined || body === null) return false;
  return typeof body !== 'string' || (isBase64 && !BASE64.test(body));
}

function usableHeaders(headers: unknown): Record<string, string> {
  if (typeof headers !== 'object' || headers === null) return {};
  const usable = Object.entries(headers).filter(
    ([name, value]) => HEADER_NAME.test(name) && typeof value === 'string',
  );
  return Object.fromEntries(usable);
}
