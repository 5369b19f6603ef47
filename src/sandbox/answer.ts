// An answer before it goes on the wire. Takes status and content, gives a plain value or a Response.
// Never knows how it came about.

export type AnswerContent =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'raw'; readonly text: string; readonly contentType: string }
  | { readonly kind: 'empty' };

export interface Answer {
  readonly status: number;
  readonly content: AnswerContent;
  readonly headers?: Readonly<Record<string, string>>;
}

export function jsonAnswer(status: number, value: unknown): Answer {
  return { status, content: { kind: 'json', value } };
}

/** A refusal in the vendor's shape. `code` is left out: those of these calls are not known. */
export function refusal(status: number, message: string): Answer {
  return jsonAnswer(status, { message });
}

export const NO_CONTENT: Answer = { status: 204, content: { kind: 'empty' } };

export function toResponse(answer: Answer): Response {
  const headers: Record<string, string> = { ...answer.headers };
  const { content, status } = answer;
  switch (content.kind) {
    case 'json':
      headers['content-type'] = 'application/json; charset=utf-8';
      return new Response(JSON.stringify(content.value), { status, headers });
    case 'raw':
      headers['content-type'] = content.contentType;
      return new Response(content.text, { status, headers });
    case 'empty':
      // Some clients take a length of 0 for "no error"; the header has to be there to show it.
      if (status !== 204) headers['content-length'] = '0';
      return new Response(null, { status, headers });
    default:
      return content satisfies never;
  }
}
