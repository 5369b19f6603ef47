// An event of the journal as a rule test. Takes the event and the rules as they lie there now, gives YAML:
// the event without what is personal, the licenses that it looks for, and what the rules make of it today,
// so that the test passes as it stands. Runs on the sandbox; nothing is changed in the journal.

import { stringify } from 'yaml';
import { AppError } from '../../core/error-codes.ts';
import type { JsonObject, JsonValue, WebhookEvent } from '../../core/model.ts';
import type { EventSeen, StepSeen } from '../../engine/cases/expectation.ts';
import { loadTestFile, type TestCase } from '../../engine/cases/load-tests.ts';
import type { RuleSet } from '../../engine/rules/rule-set.ts';
import type { EventDetails } from '../../journal/archive.ts';
import { explainEvent } from '../dry-run/explain.ts';
import { environmentFor } from '../dry-run/rule-variables.ts';
import { scrub } from './anonymize.ts';
import { seeCase } from './run-case.ts';
import { eventReaderFor } from './test-files.ts';

const DAY_MS = 86_400_000;

/**
 * The text of a test file with one case.
 * @throws INPUT_UNREADABLE when there is no payload any more, RULES_UNREADABLE when the rules cannot be used
 */
export async function asTest(
  { record }: EventDetails,
  rulesFor: (source: string) => RuleSet | undefined,
): Promise<string> {
  const { event, isErased } = record;
  if (isErased) {
    throw new AppError(
      'INPUT_UNREADABLE',
      `the payload of ${event.id} was erased (RETENTION_DAYS)`,
    );
  }
  const ruleSet = rulesFor(event.source);
  if (ruleSet === undefined) {
    const hint = 'Ask keywright check.';
    throw new AppError('RULES_UNREADABLE', `the rules of ${event.source} have errors`, { hint });
  }
  const scrubbed = { ...event, payload: scrub(event.payload) };
  const given = await givenFor(scrubbed, ruleSet);
  const parts = { event: scrubbed, ruleSet, given };
  const draft = fileText({ ...parts, expect: { rule: null } });
  const [seen] = await seeCase(readCase(draft), { rulesOf: () => ruleSet, observer: undefined });
  return fileText({ ...parts, expect: expectationOf(seen) });
}

/** The file is read back as `keywright test` will read it. */
function readCase(text: string): TestCase {
  const { testFile, diagnostics } = loadTestFile('test.yaml', text, eventReaderFor('test.yaml'));
  const [only] = testFile?.cases ?? [];
  if (only !== undefined) return only;
  const why = diagnostics.map(({ message }) => message).join('; ');
  throw new AppError('INPUT_UNREADABLE', `the event cannot be written as a test: ${why}`);
}

/** One license for each search of the plan, as a dry run assumes them; a month long, and a day to go. */
async function givenFor(event: WebhookEvent, ruleSet: RuleSet): Promise<JsonObject> {
  const { env } = environmentFor(ruleSet, {});
  const { assumed } = await explainEvent(ruleSet, event, { env, given: undefined });
  const licenses = assumed.map(({ metadata, productId, key, payment, suspended }) => ({
    ...(metadata === undefined ? {} : { metadata }),
    ...(typeof productId === 'string' ? { productId } : {}),
    ...(typeof key === 'string' ? { key } : {}),
    ...(typeof payment === 'string' ? { payment } : {}),
    ...(suspended === true ? { suspended } : {}),
    subscriptionInterval: 'P1M',
    createdAt: moment(event.timeMs - 30 * DAY_MS),
    expiresAt: moment(event.timeMs + DAY_MS),
  }));
  return licenses.length === 0 ? {} : { licenses };
}

function moment(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

function expectationOf(seen: StepSeen | undefined): JsonObject {
  const [event] = seen?.events ?? [];
  if (seen === undefined || event === undefined) return { rule: null };
  return {
    ...eventExpectation(event),
    ...list('licenses', seen.licenses, LICENSE_MEMBERS),
    licenseCount: seen.licenses.length,
    ...list('users', seen.users, USER_MEMBERS),
    userCount: seen.users.length,
  };
}

function eventExpectation({ rules, outcome, status, errors, plan }: EventSeen): JsonObject {
  return {
    rule: rules.length > 1 ? [...rules] : (rules[0] ?? null),
    outcome,
    status,
    ...(errors.length === 0 ? {} : { errors: [...new Set(errors)] }),
    ...(plan.length === 0
      ? {}
      : { plan: plan.map(({ as: _as, rule: _rule, ...step }) => step as JsonObject) }),
  };
}

const LICENSE_MEMBERS = [
  ...['productId', 'user', 'subscriptionInterval', 'allowedActivations', 'expiresAt'],
  ...['suspended', 'revoked', 'metadata'],
];
const USER_MEMBERS = ['email', 'firstName', 'lastName', 'company', 'metadata'];

function list(name: string, items: readonly JsonObject[], members: readonly string[]): JsonObject {
  if (items.length === 0) return {};
  return {
    [name]: items.map((item) =>
      Object.fromEntries(
        members.filter((one) => isTold(item[one])).map((one) => [one, item[one] ?? null]),
      ),
    ),
  };
}

function isTold(value: JsonValue | undefined): boolean {
  return value !== undefined && value !== null && JSON.stringify(value) !== '{}';
}

interface FileParts {
  readonly event: WebhookEvent;
  readonly ruleSet: RuleSet;
  readonly given: JsonObject;
  readonly expect: JsonObject;
}

function fileText({ event, ruleSet, given, expect }: FileParts): string {
  const testCase = {
    name: `${event.type} ${event.id}`,
    ...(Object.keys(given).length === 0 ? {} : { given }),
    expect,
    // Last, since it is long.
    event: { provider: event.provider, data: event.payload },
  };
  // A further source of a provider is not the one that is meant where nothing is said.
  const file =
    ruleSet.source === event.provider
      ? [testCase]
      : { rules: `../${ruleSet.file.replace(/^.*[\\/]/, '')}`, cases: [testCase] };
  return `# yaml-language-server: $schema=../../schema/tests.schema.json
#
# Written from an event of the journal. Names, addresses, numbers and links of persons are replaced; read
# it before you share it. Give the case a name that says what it shows, and take out of \`expect\` what it
# is not about.

${stringify(file, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}
