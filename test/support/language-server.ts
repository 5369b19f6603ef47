// An editor, as far as a YAML language server sees one. Takes a document, gives what the server says of it:
// findings, completions, hover texts. Speaks the Language Server Protocol 3.17 over standard input and output.

import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const SERVER = fileURLToPath(
  new URL('../../node_modules/yaml-language-server/bin/yaml-language-server', import.meta.url),
);

export interface Completion {
  readonly label: string;
  readonly documentation: string;
}

export interface EditorFinding {
  readonly message: string;
  /** From 1, as a rule file's findings count. */
  readonly line: number;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
}

/** A text with a `|` where the cursor is. */
interface Marked {
  readonly text: string;
  readonly position: { readonly line: number; readonly character: number };
}

export class Editor {
  readonly #server: ChildProcess;
  readonly #answers = new Map<number, (result: unknown) => void>();
  readonly #findings = new Map<string, (findings: readonly EditorFinding[]) => void>();
  #received = Buffer.alloc(0);
  #lastId = 0;
  #version = 0;

  constructor() {
    this.#server = spawn(process.execPath, [SERVER, '--stdio'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#server.stdout?.on('data', (chunk: Buffer) => this.#receive(chunk));
  }

  async open(): Promise<void> {
    const capabilities = { workspace: { configuration: true }, textDocument: {} };
    await this.#ask('initialize', { processId: process.pid, rootUri: null, capabilities });
    this.#tell('initialized', {});
  }

  close(): void {
    this.#server.kill();
  }

  /** What the editor would underline in a file that is called like this. */
  findings(path: string, text: string): Promise<readonly EditorFinding[]> {
    const uri = this.#show(path, text);
    return new Promise((resolve) => this.#findings.set(uri, resolve));
  }

  /** What the editor would offer at the `|`. */
  async completions(path: string, marked: string): Promise<readonly Completion[]> {
    const { text, position } = cursorIn(marked);
    const uri = this.#show(path, text);
    const result = await this.#ask('textDocument/completion', { textDocument: { uri }, position });
    const { items = [] } = (result ?? {}) as { items?: readonly Record<string, unknown>[] };
    return items.map((item) => ({
      label: String(item['label']),
      documentation: textOf(item['documentation']),
    }));
  }

  /** What the editor would show over the word at the `|`. */
  async hover(path: string, marked: string): Promise<string> {
    const { text, position } = cursorIn(marked);
    const uri = this.#show(path, text);
    const result = await this.#ask('textDocument/hover', { textDocument: { uri }, position });
    return textOf((result as { contents?: unknown } | null)?.contents);
  }

  /** Each text is a document of its own, beside the file that it is called like. */
  #show(path: string, text: string): string {
    this.#version += 1;
    const name = path.replace(/(\.\w+)$/, `-${this.#version}$1`);
    const uri = pathToFileURL(name).href;
    const document = { uri, languageId: 'yaml', version: 1, text };
    this.#tell('textDocument/didOpen', { textDocument: document });
    return uri;
  }

  #ask(method: string, params: unknown): Promise<unknown> {
    this.#lastId += 1;
    const id = this.#lastId;
    this.#send({ id, method, params });
    return new Promise((resolve) => this.#answers.set(id, resolve));
  }

  #tell(method: string, params: unknown): void {
    this.#send({ method, params });
  }

  #send(message: Message): void {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    this.#server.stdin?.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    for (;;) {
      const end = this.#received.indexOf('\r\n\r\n');
      if (end === -1) return;
      const header = this.#received.subarray(0, end).toString();
      const length = Number(/Content-Length: (\d+)/i.exec(header)?.[1]);
      const begin = end + 4;
      if (this.#received.length < begin + length) return;
      const body = this.#received.subarray(begin, begin + length).toString();
      this.#received = this.#received.subarray(begin + length);
      this.#handle(JSON.parse(body) as Message);
    }
  }

  #handle({ id, method, params, result }: Message): void {
    if (method === undefined) {
      if (id !== undefined) this.#answers.get(id)?.(result);
      return;
    }
    if (method === 'textDocument/publishDiagnostics') {
      const { uri, diagnostics } = params as {
        uri: string;
        diagnostics: { message: string; range: { start: { line: number } } }[];
      };
      this.#findings.get(uri)?.(
        diagnostics.map(({ message, range }) => ({ message, line: range.start.line + 1 })),
      );
    }
    if (id !== undefined) this.#send({ id, result: configurationFor(method, params) });
  }
}

/** The schema comes from the modeline alone: no catalog is fetched from the network. */
const SETTINGS = {
  yaml: {
    validate: true,
    hover: true,
    completion: true,
    schemaStore: { enable: false },
    schemas: {},
  },
} as const;

function configurationFor(method: string, params: unknown): unknown {
  if (method !== 'workspace/configuration') return null;
  const { items } = params as { items: readonly { section?: string }[] };
  return items.map(({ section }) => (section === 'yaml' ? SETTINGS.yaml : null));
}

function cursorIn(marked: string): Marked {
  const before = marked.split('|')[0] ?? '';
  const lines = before.split('\n');
  return {
    text: marked.replace('|', ''),
    position: { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 },
  };
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object' && value !== null && 'value' in value ? String(value.value) : '';
}
