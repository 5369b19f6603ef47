// A Dockerfile, carried out in plain folders: for machines without a container engine. Takes the file,
// the context and an empty folder, gives each stage's files and what the last one says of how it runs.
// Knows the instructions that our own Dockerfile uses and refuses any other, so that none goes unproven.
// It is no isolation: RUN gets the machine's own tools, and may only touch what lies below its WORKDIR.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Instruction {
  readonly name: string;
  readonly text: string;
  readonly line: number;
}

export interface Stage {
  readonly image: string;
  readonly root: string;
  workdir: string;
  user: string;
  readonly env: Record<string, string>;
  readonly volumes: string[];
  /** Paths that are given to another user than root. */
  readonly owned: Map<string, string>;
  healthcheck: string | undefined;
  entrypoint: readonly string[];
  command: readonly string[];
}

export interface CarryOutOptions {
  readonly context: string;
  readonly into: string;
  /** Runs one RUN in place of the shell; gives whether it did. For steps that a test has done before. */
  readonly instead?: (command: string, folder: string) => boolean;
}

/** Instructions in order; comments and continued lines are taken care of. */
export function parseDockerfile(text: string): readonly Instruction[] {
  const instructions: Instruction[] = [];
  let open: { text: string; line: number } | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const goesOn = line.endsWith('\\');
    const part = goesOn ? line.slice(0, -1) : line;
    open =
      open === undefined ? { text: part, line: index + 1 } : { ...open, text: open.text + part };
    if (goesOn) continue;
    const [, name = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(open.text) ?? [];
    instructions.push({ name, text: rest.trim().replaceAll(/\s{2,}/g, ' '), line: open.line });
    open = undefined;
  }
  return instructions;
}

/** @throws Error when a step fails or an instruction is not known */
export function carryOut(text: string, options: CarryOutOptions): Stage {
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  for (const instruction of parseDockerfile(text)) {
    if (instruction.name === 'FROM') {
      const [, image = '', , name = String(stages.size)] =
        /^(\S+)( AS (\S+))?$/i.exec(instruction.text) ?? [];
      stage = newStage(image, join(options.into, `stage-${stages.size}`));
      stages.set(name, stage);
      continue;
    }
    const step = STEPS[instruction.name];
    if (stage === undefined || step === undefined) {
      throw new Error(`Dockerfile:${instruction.line}: ${instruction.name} is not known here`);
    }
    try {
      step(stage, instruction.text, { ...options, stages });
    } catch (error) {
      throw new Error(`Dockerfile:${instruction.line}: ${instruction.name} ${instruction.text}`, {
        cause: error,
      });
    }
  }
  if (stage === undefined) throw new Error('the Dockerfile has no stage');
  return stage;
}

function newStage(image: string, root: string): Stage {
  mkdirSync(root, { recursive: true });
  return {
    image,
    root,
    ...{ workdir: '/', user: 'root', env: {}, volumes: [], owned: new Map<string, string>() },
    ...{ healthcheck: undefined, entrypoint: [], command: [] },
  };
}

type Step = (
  stage: Stage,
  text: string,
  options: CarryOutOptions & { readonly stages: ReadonlyMap<string, Stage> },
) => void;

const STEPS: Readonly<Record<string, Step>> = {
  WORKDIR: (stage, text) => {
    stage.workdir = text;
    mkdirSync(join(stage.root, text), { recursive: true });
  },
  ENV: (stage, text) => {
    for (const [, name = '', value = ''] of text.matchAll(/(\w+)=(\S+)/g)) stage.env[name] = value;
  },
  COPY: copy,
  RUN: (stage, text, { instead }) => {
    // An absolute path would be the machine's own here, and the proof would prove another thing.
    if (/(?:^|[\s=])\/\w/.test(text)) throw new Error('RUN may not name an absolute path');
    const folder = join(stage.root, stage.workdir);
    if (instead?.(text, folder) === true) return;
    const { status, stdout, stderr } = spawnSync('sh', ['-e', '-c', text], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...toolsOf(process.env), ...stage.env },
    });
    if (status !== 0) throw new Error(`exit code ${status}\n${stdout}${stderr}`);
  },
  USER: (stage, text) => {
    stage.user = text;
  },
  VOLUME: (stage, text) => {
    stage.volumes.push(...(JSON.parse(text) as string[]));
  },
  HEALTHCHECK: (stage, text) => {
    stage.healthcheck = /\bCMD (.+)$/.exec(text)?.[1];
  },
  ENTRYPOINT: (stage, text) => {
    stage.entrypoint = JSON.parse(text) as string[];
  },
  CMD: (stage, text) => {
    stage.command = JSON.parse(text) as string[];
  },
  LABEL: () => undefined,
  EXPOSE: () => undefined,
};

/** How this machine finds its tools and npm's registry, as an engine would be told; nothing else of it. */
function toolsOf(env: Readonly<Record<string, string | undefined>>) {
  const wanted = /^(?:PATH|HOME|npm_config_.*|NODE_EXTRA_CA_CERTS|SSL_CERT_.*|.*_proxy)$/i;
  const tools = Object.fromEntries(Object.entries(env).filter(([name]) => wanted.test(name)));
  // `node` is the one that this runs on; the machine's own may be too old.
  return { ...tools, PATH: `${dirname(process.execPath)}:${env['PATH'] ?? ''}` };
}

function copy(
  stage: Stage,
  text: string,
  { context, stages }: CarryOutOptions & { readonly stages: ReadonlyMap<string, Stage> },
): void {
  const words = text.split(' ');
  const flags = words.filter((word) => word.startsWith('--'));
  const paths = words.filter((word) => !word.startsWith('--'));
  const from = flags.find((flag) => flag.startsWith('--from='))?.slice('--from='.length);
  const owner = flags.find((flag) => flag.startsWith('--chown='))?.slice('--chown='.length);
  const source = from === undefined ? context : stages.get(from)?.root;
  const target = paths.at(-1) ?? '';
  if (source === undefined || paths.length < 2) throw new Error('nothing to copy from or to');
  const sent = from === undefined ? sentToEngine(context) : undefined;
  const absolute = target.startsWith('/') ? target : join(stage.workdir, target);
  for (const path of paths.slice(0, -1)) {
    if (sent?.has(path.split('/')[0] ?? '') === false)
      throw new Error(`.dockerignore keeps ${path}`);
    const at = join(source, path);
    if (!existsSync(at)) throw new Error(`there is no ${path}`);
    const to = join(stage.root, absolute);
    // A folder's content is copied, a file into the folder that ends in a slash.
    const isInto = !statSync(at).isDirectory() && target.endsWith('/');
    mkdirSync(dirname(to), { recursive: true });
    cpSync(at, isInto ? join(to, path) : to, { recursive: true });
  }
  if (owner !== undefined) stage.owned.set(absolute, owner);
}

/** What .dockerignore lets through, where it is written as ours: all is kept back but what `!` names. */
function sentToEngine(context: string): ReadonlySet<string> {
  const lines = readFileSync(join(context, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => !/^\s*(?:#|$)/.test(line));
  if (lines[0] !== '*' || lines.slice(1).some((line) => !/^![\w.-]+$/.test(line))) {
    throw new Error('.dockerignore has to begin with * and to name top-level entries with !');
  }
  const present = new Set(readdirSync(context));
  return new Set(
    lines
      .slice(1)
      .map((line) => line.slice(1))
      .filter((name) => present.has(name)),
  );
}
