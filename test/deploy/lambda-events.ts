// Events as AWS sends them to a function, written from its documentation (payload format 2.0 of HTTP APIs
// and of function URLs; EventBridge's scheduled event; read in 2026-09). Takes what a test wants in them.

export interface RequestParts {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** API Gateway sends bodies of binary media types so, a function URL nearly all that is not text. */
  readonly base64?: boolean;
  readonly stage?: string;
}

export function requestEvent(parts: RequestParts): object {
  const { method = 'POST', path = '/v1', query = '', stage = '$default' } = parts;
  const base64 = parts.base64 ?? false;
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: stage === '$default' ? path : `/${stage}${path}`,
    rawQueryString: query,
    headers: {
      accept: '*/*',
      'x-amzn-trace-id': 'Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e',
      'x-forwarded-for': '203.0.113.7',
      'x-forwarded-port': '443',
      'x-forwarded-proto': 'https',
      host: 'abcdefgh.lambda-url.eu-central-1.on.aws',
      'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
      ...(parts.body === undefined ? {} : { 'content-length': String(parts.body.byteLength) }),
      ...parts.headers,
    },
    requestContext: {
      accountId: 'anonymous',
      apiId: 'abcdefgh',
      domainName: 'abcdefgh.lambda-url.eu-central-1.on.aws',
      domainPrefix: 'abcdefgh',
      http: {
        method,
        path: stage === '$default' ? path : `/${stage}${path}`,
        protocol: 'HTTP/1.1',
        sourceIp: '203.0.113.7',
        userAgent: 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
      },
      requestId: 'e1506fd5-9e7b-434f-bd42-4f8fa224b599',
      routeKey: '$default',
      stage,
      time: '21/Nov/2026:09:38:16 +0000',
      timeEpoch: 1795340296000,
    },
    ...(parts.body === undefined ? {} : { body: encode(parts.body, base64) }),
    isBase64Encoded: base64,
  };
}

function encode(body: Uint8Array, base64: boolean): string {
  return Buffer.from(body).toString(base64 ? 'base64' : 'utf8');
}

export const SCHEDULED_EVENT: object = {
  version: '0',
  id: '53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa',
  'detail-type': 'Scheduled Event',
  source: 'aws.events',
  account: '123456789012',
  time: '2026-11-21T16:53:06Z',
  region: 'eu-central-1',
  resources: ['arn:aws:events:eu-central-1:123456789012:rule/keywright-drain'],
  detail: {},
};

/** An event of a queue: nothing of ours. */
export const QUEUE_EVENT: object = {
  Records: [{ messageId: '059f36b4', body: 'test', eventSource: 'aws:sqs' }],
};
