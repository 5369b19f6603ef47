// Reads a request's body. Takes the request and a limit in bytes, gives the bytes or why there are none.
// Stops reading as soon as the limit is passed: memory stays bounded whatever the sender claims.
// Never parses, decodes or decompresses anything; signatures are made over the very bytes.

export type BodyReading =
  | { readonly kind: 'read'; readonly bytes: Uint8Array }
  /** `bytes` is what the sender announced, or what had come when reading stopped. */
  | { readonly kind: 'too_large'; readonly bytes: number }
  /** The connection ended before the body did. */
  | { readonly kind: 'broken_off'; readonly bytes: number };

/** The largest body that is taken: 1 MiB. */
export const BODY_BYTES_MAX = 1024 * 1024;

/** What is known of where a request came from. */
export interface RequestOrigin {
  /** It came over a socket, where HTTP itself ends a body at the length that was announced. */
  readonly lengthIsHeld?: boolean | undefined;
}

/** Reads the whole body, or refuses it; a `content-length` above the limit is refused unread. */
export async function readBody(
  request: Request,
  limitBytes: number = BODY_BYTES_MAX,
  { lengthIsHeld = false }: RequestOrigin = {},
): Promise<BodyReading> {
  const lengthText = request.headers.get('content-length');
  const announced = Number(lengthText ?? 0);
  if (announced > limitBytes) return { kind: 'too_large', bytes: announced };
  if (lengthIsHeld && lengthText !== null) return readAnnounced(request, announced);

  const reader = request.body?.getReader();
  if (reader === undefined) return { kind: 'read', bytes: new Uint8Array() };
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { kind: 'read', bytes: join(chunks, bytes) };
      bytes += value.byteLength;
      if (bytes > limitBytes) {
        // Not awaited: the sender may hold the stream open for as long as it likes.
        reader.cancel().catch(() => undefined);
        return { kind: 'too_large', bytes };
      }
      chunks.push(value);
    }
  } catch {
    return { kind: 'broken_off', bytes };
  }
}

/**
 * A body of a length that is held to, which is how providers send. Read whole, it spares the stream of
 * the web kind around Node's own, which cost more than everything else that is done with a request.
 */
async function readAnnounced(request: Request, announcedBytes: number): Promise<BodyReading> {
  try {
    return { kind: 'read', bytes: new Uint8Array(await request.arrayBuffer()) };
  } catch {
    return { kind: 'broken_off', bytes: announcedBytes };
  }
}

function join(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}
