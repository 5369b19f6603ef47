// What the environment may hold, and what is said about it when it may not.

import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parseDatabaseUrl, readConfig } from '../../src/config/config.ts';
import { createEnvironment } from '../../src/config/environment.ts';
import { NO_PROXIES } from '../../src/http/proxies.ts';

type Env = Record<string, string | undefined>;

const GOOD: Env = { STRIPE_WEBHOOK_SECRET: 'whsec_1', CRYPTLEX_ACCESS_TOKEN: 'token-1' };

/** Files by path; anything else is not there. */
function fileReader(files: Record<string, string> = {}) {
  return (path: string) => {
    const text = files[path];
    if (text !== undefined) return text;
    throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
  };
}

function read(env: Env, files?: Record<string, string>) {
  return readConfig({ ...GOOD, ...env }, fileReader(files));
}

function configOf(env: Env, files?: Record<string, string>) {
  const reading = read(env, files);
  if (!reading.ok) throw new Error(reading.problems.map(({ message }) => message).join('; '));
  return reading.config;
}

function problemsOf(env: Env, files?: Record<string, string>) {
  const reading = read(env, files);
  return reading.ok ? [] : reading.problems;
}

const reveal = (secrets: readonly { reveal(): string }[] | undefined) =>
  secrets?.map((secret) => secret.reveal());

describe('with only what is required', () => {
  it('the defaults are the documented ones', () => {
    const { secrets, accessToken, ...rest } = configOf({});
    expect(accessToken.reveal()).toBe('token-1');
    expect([...secrets.keys()]).toEqual(['STRIPE_WEBHOOK_SECRET']);
    expect(rest).toEqual({
      baseUrl: 'https://api.cryptlex.com',
      proxies: NO_PROXIES,
      productId: undefined,
      port: 9890,
      host: '0.0.0.0',
      rulesDir: 'rules',
      rulesTest: false,
      database: { kind: 'sqlite', path: 'data/keywright.db' },
      adminToken: undefined,
      metricsPort: undefined,
      logLevel: 'info',
      logFormat: 'json',
      webhookDeadlineMs: 4000,
      rateLimit: { requests: 45, periodMs: 5000 },
      retentionDays: 90,
      alerts: undefined,
      traces: undefined,
    });
  });

  it('a terminal gets the pretty log, unless LOG_FORMAT says otherwise', () => {
    const onTerminal = (env: Env) => {
      const reading = readConfig({ ...GOOD, ...env }, fileReader(), { stdoutIsTty: true });
      return reading.ok ? reading.config.logFormat : undefined;
    };
    expect(onTerminal({})).toBe('pretty');
    expect(onTerminal({ LOG_FORMAT: 'json' })).toBe('json');
  });

  it('nothing secret is printed with the configuration', () => {
    const config = configOf({ ADMIN_TOKEN: 'admin-1-of-this-test' });
    const printed = inspect(config, { depth: 9 }) + JSON.stringify([config, ...config.secrets]);
    for (const secret of ['whsec_1', 'token-1', 'admin-1']) expect(printed).not.toContain(secret);
    expect(printed).toContain('<secret>');
  });
});

describe('a value that is taken', () => {
  const rows: [string, string, keyof ReturnType<typeof configOf>, unknown][] = [
    ['PORT', '0', 'port', 0],
    ['PORT', '65535', 'port', 65_535],
    ['PORT', ' 80 ', 'port', 80],
    ['METRICS_PORT', '9891', 'metricsPort', 9891],
    ['HOST', '::1', 'host', '::1'],
    ['RULES_DIR', '/etc/keywright/rules', 'rulesDir', '/etc/keywright/rules'],
    ['DATABASE_URL', 'memory:', 'database', { kind: 'memory' }],
    ['DATABASE_URL', 'sqlite:/var/k.db', 'database', { kind: 'sqlite', path: '/var/k.db' }],
    ['CRYPTLEX_PRODUCT_ID', 'p-1', 'productId', 'p-1'],
    ['LOG_LEVEL', 'trace', 'logLevel', 'trace'],
    ['LOG_LEVEL', 'silent', 'logLevel', 'silent'],
    ['LOG_FORMAT', 'pretty', 'logFormat', 'pretty'],
    ['WEBHOOK_DEADLINE_MS', '1', 'webhookDeadlineMs', 1],
    ['WEBHOOK_DEADLINE_MS', '60000', 'webhookDeadlineMs', 60_000],
    ['RETENTION_DAYS', '1', 'retentionDays', 1],
    ['RETENTION_DAYS', '3650', 'retentionDays', 3650],
    ['CRYPTLEX_RATE_LIMIT', '1/10ms', 'rateLimit', { requests: 1, periodMs: 10 }],
    ['CRYPTLEX_RATE_LIMIT', '10000/10m', 'rateLimit', { requests: 10_000, periodMs: 600_000 }],
    ['CRYPTLEX_RATE_LIMIT', '20/3s', 'rateLimit', { requests: 20, periodMs: 3000 }],
    ...(
      [
        ['https://api.eu.cryptlex.com', 'https://api.eu.cryptlex.com'],
        ['https://api.cryptlex.com/v3', 'https://api.cryptlex.com'],
        ['https://api.cryptlex.com/v3/', 'https://api.cryptlex.com'],
        ['https://api.cryptlex.com/V3', 'https://api.cryptlex.com'],
        ['https://api.cryptlex.com/V3//', 'https://api.cryptlex.com'],
        ['https://intra.example/Cryptlex/V3/', 'https://intra.example/Cryptlex'],
        ['https://api.cryptlex.com//', 'https://api.cryptlex.com'],
        ['http://127.0.0.1:5000', 'http://127.0.0.1:5000'],
        ['https://intra.example/cryptlex/v3', 'https://intra.example/cryptlex'],
        ['https://intra.example/v3.1', 'https://intra.example/v3.1'],
      ] as const
    ).map(
      ([text, base]) =>
        ['CRYPTLEX_WEB_API_BASE_URL', text, 'baseUrl', base] as [string, string, 'baseUrl', string],
    ),
  ];
  for (const [name, text, member, value] of rows) {
    it(`${name}=${text}`, () => expect(configOf({ [name]: text })[member]).toEqual(value));
  }
});

it('DATABASE_URL=postgres://… is taken whole, as a secret', () => {
  const url = 'postgres://user:hunter2@db/keywright';
  const { database } = configOf({ DATABASE_URL: url });
  expect(database.kind === 'postgres' && database.url.reveal()).toBe(url);
  expect(inspect(database, { depth: 9 }) + JSON.stringify(database)).not.toContain('hunter2');
});

describe('a value that is refused', () => {
  const rows: [string, string, string][] = [
    ['PORT', '65536', 'ENV_INVALID'],
    ['PORT', '-1', 'ENV_INVALID'],
    ['PORT', '80.5', 'ENV_INVALID'],
    ['PORT', '0x50', 'ENV_INVALID'],
    ['PORT', '1e3', 'ENV_INVALID'],
    ['PORT', '', 'ENV_BLANK'],
    ['METRICS_PORT', '65536', 'ENV_INVALID'],
    ['METRICS_PORT', '9890', 'ENV_INVALID'],
    ['HOST', ' ', 'ENV_BLANK'],
    ['RULES_DIR', '', 'ENV_BLANK'],
    ['DATABASE_URL', '', 'ENV_BLANK'],
    ['DATABASE_URL', 'sqlite:', 'ENV_INVALID'],
    ['DATABASE_URL', 'postgres://', 'ENV_INVALID'],
    ['DATABASE_URL', 'mysql://user:hunter2@db', 'ENV_INVALID'],
    ['ADMIN_TOKEN', '', 'ENV_BLANK'],
    ['ADMIN_TOKEN', 'two words', 'ENV_INVALID'],
    ['ADMIN_TOKEN', 'hunter2-15-char', 'ENV_INVALID'],
    ['LOG_LEVEL', 'verbose', 'ENV_INVALID'],
    ['LOG_LEVEL', 'INFO', 'ENV_INVALID'],
    ['LOG_FORMAT', 'text', 'ENV_INVALID'],
    ['WEBHOOK_DEADLINE_MS', '0', 'ENV_INVALID'],
    ['WEBHOOK_DEADLINE_MS', '60001', 'ENV_INVALID'],
    ['WEBHOOK_DEADLINE_MS', '4s', 'ENV_INVALID'],
    ['RETENTION_DAYS', '0', 'ENV_INVALID'],
    ['RETENTION_DAYS', '3651', 'ENV_INVALID'],
    ['CRYPTLEX_RATE_LIMIT', '45', 'ENV_INVALID'],
    ['CRYPTLEX_RATE_LIMIT', '0/5s', 'ENV_INVALID'],
    ['CRYPTLEX_RATE_LIMIT', '10001/5s', 'ENV_INVALID'],
    ['CRYPTLEX_RATE_LIMIT', '45/9ms', 'ENV_INVALID'],
    ['CRYPTLEX_RATE_LIMIT', '45/601s', 'ENV_INVALID'],
    ['CRYPTLEX_RATE_LIMIT', '45/5h', 'ENV_INVALID'],
    ['CRYPTLEX_ACCESS_TOKEN', '', 'ENV_BLANK'],
    ['CRYPTLEX_ACCESS_TOKEN', 'Bearer hunter2', 'ENV_INVALID'],
    ['CRYPTLEX_ACCESS_TOKEN', 'hunter2\u00e4', 'ENV_INVALID'],
    ['CRYPTLEX_PRODUCT_ID', '', 'ENV_BLANK'],
    ['CRYPTLEX_WEB_API_BASE_URL', 'api.cryptlex.com', 'ENV_INVALID'],
    ['CRYPTLEX_WEB_API_BASE_URL', 'ftp://api.cryptlex.com', 'ENV_INVALID'],
    ['CRYPTLEX_WEB_API_BASE_URL', 'https://user:hunter2@api.cryptlex.com', 'ENV_INVALID'],
    ['CRYPTLEX_WEB_API_BASE_URL', 'https://api.cryptlex.com/?token=hunter2', 'ENV_INVALID'],
    ['CRYPTLEX_WEB_API_BASE_URL', 'https://api.cryptlex.com/#', 'ENV_INVALID'],
    ['STRIPE_WEBHOOK_SECRET', '', 'ENV_BLANK'],
    ['STRIPE_WEBHOOK_SECRET', ' \t', 'ENV_BLANK'],
    ['PADDLE_WEBHOOK_SECRET', 'hunter2,', 'ENV_BLANK'],
    ['PADDLE_WEBHOOK_SECRET', 'hunter2, ,other', 'ENV_BLANK'],
    ['FASTSPRING_WEBHOOK_SECRET', ',', 'ENV_BLANK'],
  ];
  for (const [name, text, code] of rows) {
    it(`${name}=${JSON.stringify(text)} is ${code}, and the only finding`, () => {
      const problems = problemsOf({ [name]: text });
      expect(problems).toMatchObject([{ code, location: undefined }]);
      expect(problems[0]?.message).toContain(name);
      expect(JSON.stringify(problems)).not.toContain('hunter2');
    });
  }

  it('a long value with line breaks stays on one short line', () => {
    const [problem] = problemsOf({ LOG_LEVEL: `a\nb${'x'.repeat(5000)}` });
    expect(problem?.message).not.toContain('\n');
    expect(problem?.message.length).toBeLessThan(300);
  });

  it('PORT and METRICS_PORT may both be 0: any two free ports', () => {
    expect(problemsOf({ PORT: '0', METRICS_PORT: '0' })).toEqual([]);
  });
});

describe('everything wrong', () => {
  it('is told at once', () => {
    const reading = readConfig(
      { PADDLE_WEBHOOK_SECRET: ' ', PORT: 'x', LOG_LEVEL: 'y', RETENTION_DAYS_FILE: '/no' },
      fileReader(),
    );
    expect(reading.ok).toBe(false);
    expect(reading.environment.problems().map(({ code, message }) => `${code} ${message}`)).toEqual(
      [
        'ENV_BLANK PADDLE_WEBHOOK_SECRET is set but blank',
        'ENV_MISSING CRYPTLEX_ACCESS_TOKEN is not set',
        'ENV_INVALID PORT takes a whole number from 0 to 65535, not "x"',
        'ENV_INVALID LOG_LEVEL takes one of trace, debug, info, warn, error, fatal, silent, not "y"',
        'ENV_FILE RETENTION_DAYS_FILE: "/no" cannot be read (ENOENT)',
      ],
    );
  });

  it('starts with the sources when nothing is set at all', () => {
    const { environment } = readConfig({}, fileReader());
    const codes = environment.problems().map(({ code }) => code);
    expect(codes).toEqual(['NO_SOURCE', 'ENV_MISSING']);
  });

  it('still gives the folder of the rules, so that they can be looked at, too', () => {
    expect(read({ PORT: 'x', RULES_DIR: 'mine' })).toMatchObject({ ok: false, rulesDir: 'mine' });
  });
});

describe('secrets', () => {
  it('are several, each without the blanks around it', () => {
    const { secrets } = configOf({ STRIPE_WEBHOOK_SECRET: ' whsec_new , whsec_old\n' });
    expect(reveal(secrets.get('STRIPE_WEBHOOK_SECRET'))).toEqual(['whsec_new', 'whsec_old']);
  });

  it('switch on exactly the sources whose variable is set', () => {
    const { secrets } = configOf({ STRIPE_WEBHOOK_SECRET: undefined, PADDLE_WEBHOOK_SECRET: 'p' });
    expect([...secrets.keys()]).toEqual(['PADDLE_WEBHOOK_SECRET']);
  });

  it('of a further source alone are enough', () => {
    const env = { CRYPTLEX_ACCESS_TOKEN: 't', STRIPE_EU_WEBHOOK_SECRET: 'whsec_eu' };
    const options = { furtherSecretVariables: ['STRIPE_EU_WEBHOOK_SECRET'] };
    const reading = readConfig(env, fileReader(), options);
    expect(reading.ok && reveal(reading.config.secrets.get('STRIPE_EU_WEBHOOK_SECRET'))).toEqual([
      'whsec_eu',
    ]);
  });

  it('of no source at all are NO_SOURCE', () => {
    expect(problemsOf({ STRIPE_WEBHOOK_SECRET: undefined })).toMatchObject([{ code: 'NO_SOURCE' }]);
  });
});

describe('a variable from a file', () => {
  const files = {
    '/run/secret': 'from-file\n',
    '/run/windows': '\ufefffrom-file\r\n',
    '/run/blank': '\n',
  };
  const rows: [string, Env, string | undefined][] = [
    ['is read without its trailing newline', { NAME_FILE: '/run/secret' }, undefined],
    ['is read as Windows writes it', { NAME_FILE: '/run/windows' }, undefined],
    [
      'is ENV_INVALID when the variable is set, too',
      { NAME: 'a', NAME_FILE: '/run/secret' },
      'ENV_INVALID',
    ],
    [
      'is ENV_INVALID even when that one is blank',
      { NAME: '', NAME_FILE: '/run/secret' },
      'ENV_INVALID',
    ],
    ['is ENV_FILE when it is not there', { NAME_FILE: '/run/nothing' }, 'ENV_FILE'],
    ['is ENV_BLANK when it is blank', { NAME_FILE: '/run/blank' }, 'ENV_BLANK'],
    ['is ENV_BLANK when its path is blank', { NAME_FILE: '' }, 'ENV_BLANK'],
  ];
  for (const [name, env, code] of rows) {
    it(name, () => {
      const environment = createEnvironment(env, fileReader(files));
      expect(environment.isSet('NAME')).toBe(true);
      expect(environment.resolveEnv('NAME')).toBe(code === undefined ? 'from-file' : undefined);
      const codes = environment.problems().map((problem) => problem.code);
      expect(codes).toEqual(code === undefined ? [] : [code]);
    });
  }

  it('works for secrets, numbers and the token', () => {
    const config = configOf(
      {
        STRIPE_WEBHOOK_SECRET: undefined,
        STRIPE_WEBHOOK_SECRET_FILE: '/s',
        CRYPTLEX_ACCESS_TOKEN: undefined,
        CRYPTLEX_ACCESS_TOKEN_FILE: '/t',
        PORT_FILE: '/p',
      },
      { '/s': 'a,b\n', '/t': 'tok\n', '/p': '81\n' },
    );
    expect(reveal(config.secrets.get('STRIPE_WEBHOOK_SECRET'))).toEqual(['a', 'b']);
    expect([config.accessToken.reveal(), config.port]).toEqual(['tok', 81]);
  });
});

describe('variables that rules ask for', () => {
  it('are read the same way, and reported once however often they are asked for', () => {
    const { environment } = read({ SHOP_ID: ' shop-1 ', BAD: '' });
    expect(environment.resolveEnv('SHOP_ID')).toBe('shop-1');
    expect(environment.resolveEnv('MISSING')).toBeUndefined();
    expect(environment.isSet('MISSING')).toBe(false);
    environment.resolveEnv('BAD');
    environment.resolveSecrets('BAD');
    environment.resolveSecrets('BAD');
    expect(environment.problems()).toMatchObject([
      { code: 'ENV_BLANK', message: 'BAD is set but blank' },
    ]);
  });

  for (const name of ['constructor', 'toString', '__proto__']) {
    it(`${name} is nothing but a name`, () => {
      const { environment } = read({});
      expect([environment.isSet(name), environment.resolveEnv(name)]).toEqual([false, undefined]);
    });
  }
});

describe('DATABASE_URL', () => {
  const rows: [string, string | undefined][] = [
    ['memory:', 'memory'],
    ['sqlite:data/keywright.db', 'sqlite'],
    ['postgres://u:p@h/d', 'postgres'],
    ['postgresql://u:p@h/d', 'postgres'],
    ['sqlite:', undefined],
    ['memory', undefined],
    ['memory:x', undefined],
    ['data/keywright.db', undefined],
  ];
  for (const [text, kind] of rows) {
    it(`${text} is ${kind ?? 'nothing'}`, () => expect(parseDatabaseUrl(text)?.kind).toBe(kind));
  }
  it('never prints the password of a postgres address', () => {
    expect(inspect(parseDatabaseUrl('postgres://u:hunter2@h/d'))).not.toContain('hunter2');
  });
});

describe('alerts', () => {
  const SLACK = 'https://hooks.slack.com/services/T0/B0/secret';
  it.each([
    ['a program', { ALERT_WEBHOOK_URL: 'http://10.0.0.1:8080/x' }, 'json', 900_000],
    ['Slack', { ALERT_WEBHOOK_URL: SLACK }, 'slack', 900_000],
    [
      'one that takes what Slack takes',
      { ALERT_WEBHOOK_URL: 'https://chat.example.com/h', ALERT_WEBHOOK_FORMAT: 'slack' },
      'slack',
      900_000,
    ],
    [
      'a person in a hurry',
      { ALERT_WEBHOOK_URL: SLACK, ALERT_QUEUE_AGE_SECONDS: '60' },
      'slack',
      60_000,
    ],
  ])('for %s', (_name, env, format, queueAgeMs) => {
    const { alerts } = configOf(env);
    expect(alerts).toMatchObject({ format, queueAgeMs });
    expect(alerts?.url.reveal()).toBe(env.ALERT_WEBHOOK_URL);
    expect(inspect(alerts)).not.toContain(env.ALERT_WEBHOOK_URL);
  });

  it('an address that is none is told without being shown', () => {
    const [problem] = problemsOf({ ALERT_WEBHOOK_URL: 'hooks.slack.com/services/secret' });
    expect(problem).toMatchObject({ code: 'ENV_INVALID' });
    expect(problem?.message).not.toContain('secret');
  });
});

describe('traces', () => {
  const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' };
  it('take the names of OpenTelemetry, and keep the headers secret', () => {
    const { traces } = configOf({
      ...ENDPOINT,
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a_secret_key, x-team=a%20b',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=prod',
      OTEL_SERVICE_NAME: 'licenses',
    });
    expect(traces?.url).toBe('http://collector:4318/v1/traces');
    expect(traces?.headers['x-team']?.reveal()).toBe('a b');
    expect(traces?.resource).toEqual({
      'deployment.environment': 'prod',
      'service.name': 'licenses',
    });
    expect(inspect(traces)).not.toContain('a_secret_key');
  });

  it.each([
    ['an address that is none', { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }],
    ['a protocol that is not spoken', { ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }],
    ['headers that are none', { ...ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS: 'a_secret_key' }],
    [
      'headers that cannot be decoded',
      { ...ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS: 'k=a_secret_key%' },
    ],
  ])('%s: told without what is secret', (_name, env) => {
    const problems = problemsOf(env);
    expect(problems.map(({ code }) => code)).toEqual(['ENV_INVALID']);
    expect(problems[0]?.message).not.toContain('a_secret_key');
  });
});
