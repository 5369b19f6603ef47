// The tables of the SQL journal as numbered migrations: statements for SQLite and PostgreSQL.
// Times are milliseconds since 1970 on the database's clock, but for `time_ms`, which is the provider's.

import type { SqlDatabase } from './database.ts';

const IDENTITY = {
  sqlite: 'integer primary key autoincrement',
  postgres: 'bigint generated always as identity primary key',
} as const;

const versionOne = (kind: SqlDatabase['kind']): readonly string[] => [
  // One row for each event of a provider, whatever source it came through.
  `create table events (
    sequence ${IDENTITY[kind]},
    event_key text not null unique,
    source text not null,
    provider text not null,
    event_id text not null,
    type text not null,
    time_ms bigint not null,
    live integer,
    payload text,
    subjects text not null,
    status text not null,
    ready integer not null,
    due_ms bigint not null,
    attempts integer not null,
    accepted_ms bigint not null,
    settled_ms bigint,
    lease_owner text,
    lease_ms bigint,
    plan text,
    rules_hash text,
    outcome text,
    replay text
  )`,
  'create index events_ready on events (due_ms, sequence) where ready = 1',
  "create index events_aside on events (due_ms) where status in ('waiting', 'parked')",
  "create index events_running on events (lease_ms) where status = 'running'",
  'create index events_by_status on events (status, sequence)',
  'create index events_by_type on events (type, sequence)',
  'create index events_by_source on events (source, sequence)',
  'create index events_by_acceptance on events (accepted_ms, sequence)',
  'create index events_erasable on events (settled_ms) where payload is not null',
  // position: see POSITION in subject-order.ts. The head of a subject is the first by this index.
  `create table event_subjects (
    subject text not null,
    event_key text not null,
    position integer not null,
    time_ms bigint not null,
    sequence bigint not null,
    primary key (event_key, subject)
  )`,
  'create index event_subjects_line on event_subjects (subject, position desc, time_ms, sequence)',
  `create table operations (
    operation_key text primary key,
    event_key text not null,
    action text not null,
    target_id text,
    product_id text,
    before text not null,
    choice text,
    state text not null,
    result text,
    made_id text,
    intended_ms bigint not null,
    done_ms bigint
  )`,
  'create index operations_by_event on operations (event_key)',
  'create index operations_made on operations (made_id) where made_id is not null',
  `create table last_writes (
    field text primary key,
    time_ms bigint not null,
    is_payment integer not null
  )`,
  `create table attempts (
    event_key text not null,
    attempt integer not null,
    started_ms bigint not null,
    ended_ms bigint not null,
    status text not null,
    reason text,
    calls text not null,
    primary key (event_key, attempt)
  )`,
  'create table rule_texts (hash text primary key, file text not null, rule_text text not null)',
  'create table known_users (lookup text primary key, user_id text not null)',
  'create index known_users_by_id on known_users (user_id)',
];

/** What is not finished, by itself: metrics and alerts look at it all the time. */
const versionTwo = (): readonly string[] => [
  `create index events_unfinished on events (status, accepted_ms)
    where status in ('queued', 'running', 'waiting', 'parked')`,
];

/** Tables whose rows lie in the order of their key; PostgreSQL knows no such thing. */
const KEYED_TABLES = ['event_subjects', 'operations', 'last_writes', 'attempts', 'known_users'];
const KEYED_INDEXES = [
  'create index event_subjects_line on event_subjects (subject, position desc, time_ms, sequence)',
  'create index operations_by_event on operations (event_key)',
  'create index operations_made on operations (made_id) where made_id is not null',
  'create index known_users_by_id on known_users (user_id)',
];

/**
 * What a sale writes is made less. A payload has a table of its own, so that a change of the event's status does
 * not write it again; no index holds what is done, or what is only passing through; and with SQLite a row is
 * not kept beside its key but in it.
 */
const versionThree = (kind: SqlDatabase['kind']): readonly string[] => [
  `create table payloads (
    sequence ${kind === 'sqlite' ? 'integer' : 'bigint'} primary key,
    payload text not null
  )`,
  'insert into payloads select sequence, payload from events where payload is not null',
  'alter table events add column is_erased integer not null default 0',
  'update events set is_erased = 1 where payload is null',
  'drop index events_erasable',
  'alter table events drop column payload',
  `create index events_erasable on events (settled_ms)
    where is_erased = 0 and settled_ms is not null`,
  'drop index events_by_status',
  `create index events_not_done on events (status, sequence)
    where status in ('waiting', 'parked', 'failed', 'ignored', 'unmatched')`,
  ...(kind === 'sqlite' ? keptByKey() : []),
];

/** SQLite has no other way to say it than to make the table again. */
function keptByKey(): readonly string[] {
  const made = KEYED_TABLES.flatMap((table) => {
    const definition = versionOne('sqlite').find((text) =>
      text.startsWith(`create table ${table} `),
    );
    return [
      `alter table ${table} rename to old_${table}`,
      `${definition} without rowid`,
      `insert into ${table} select * from old_${table}`,
      `drop table old_${table}`,
    ];
  });
  return [...made, ...KEYED_INDEXES];
}

/** What later facts need to find what an earlier one did: ids under ids, see `Reference`. */
const versionFour = (kind: SqlDatabase['kind']): readonly string[] => [
  `create table known_references (
    reference_key text not null,
    kind text not null,
    reference_value text not null,
    primary key (reference_key, kind, reference_value)
  )${kind === 'sqlite' ? ' without rowid' : ''}`,
];

/** Clocks of rules: who holds each, and when its failures and payments were told first. */
const versionFive = (): readonly string[] => [
  'alter table events add column timer_key text',
  `create table timers (
    timer_key text primary key,
    event_key text not null,
    start_ms bigint not null,
    due_ms bigint not null,
    is_over integer not null
  )`,
  `create table timer_facts (
    timer_key text not null,
    is_payment integer not null,
    fact text not null,
    event_key text not null,
    time_ms bigint not null,
    noted_ms bigint not null,
    primary key (timer_key, is_payment, fact)
  )`,
  'create index timer_facts_by_age on timer_facts (noted_ms)',
  // Whose time has not come yet is no backlog: what waits for a time is told apart.
  'drop index events_unfinished',
  `create index events_unfinished on events (status, timer_key, accepted_ms, due_ms)
    where status in ('queued', 'running', 'waiting', 'parked')`,
];

/** What a person looks for an event by, and what the overview of a console counts. */
const versionSix = (kind: SqlDatabase['kind']): readonly string[] => [
  // What it refers to: `license:{id}`, `user:{id}`, `email:{keyed hash}`. Stays when a payload is erased.
  `create table event_references (
    reference text not null,
    sequence bigint not null,
    primary key (reference, sequence)
  )${kind === 'sqlite' ? ' without rowid' : ''}`,
  'create index events_counted on events (accepted_ms, source, status)',
  // How many licenses were made of a product, and the last ones; with all that counting needs, so that no row
  // is read for it.
  `create index operations_by_product on operations (product_id, intended_ms, made_id)
    where made_id is not null`,
  // What was done before; its addresses lead there by the users that are remembered.
  ...(kind === 'sqlite'
    ? [
        `insert or ignore into event_references (reference, sequence)
          select 'license:' || license.value, sequence
          from events, json_each(events.outcome, '$.licenseIds') as license
          where outcome is not null`,
        `insert or ignore into event_references (reference, sequence)
          select 'user:' || json_extract(outcome, '$.userId'), sequence
          from events where json_extract(outcome, '$.userId') is not null`,
      ]
    : [
        `insert into event_references (reference, sequence)
          select 'license:' || license, sequence
          from events, jsonb_array_elements_text(outcome::jsonb -> 'licenseIds') as license
          where outcome is not null on conflict do nothing`,
        `insert into event_references (reference, sequence)
          select 'user:' || (outcome::jsonb ->> 'userId'), sequence
          from events where outcome::jsonb ->> 'userId' is not null on conflict do nothing`,
      ]),
];

/** In work is a position of its own before what is held; an older replica that still runs may go on with 2 for both. */
const versionSeven = (kind: SqlDatabase['kind']): readonly string[] => [
  'update event_subjects set position = 3 where position = 2',
  // Times of operations are the database's from now on, and start when the call is about to leave.
  `update operations set intended_ms = ${NOW_MS[kind]} where state = 'intended'`,
  // What a write returned of a license: its version at Cryptlex, and its expiry.
  'alter table last_writes add column written text',
];

/** When an event was first received stays; what was begun anew has a time of its own. */
const versionEight = (): readonly string[] => [
  'alter table events add column begun_ms bigint',
  // Stretches of time whose counts may have changed are found by it.
  `create index events_begun_anew on events (begun_ms, accepted_ms)
    where begun_ms is not null`,
  'drop index events_unfinished',
  `create index events_unfinished on events (status, timer_key, accepted_ms, begun_ms, due_ms)
    where status in ('queued', 'running', 'waiting', 'parked')`,
];

/** The brake: what it counts, and which events it holds. */
const versionNine = (kind: SqlDatabase['kind']): readonly string[] => [
  'alter table events add column brake text',
  // Those that it holds are parked, and told apart.
  'drop index events_unfinished',
  `create index events_unfinished on events (status, timer_key, accepted_ms, begun_ms, due_ms, brake)
    where status in ('queued', 'running', 'waiting', 'parked')`,
  `create table brake_counts (
    operation_key text primary key,
    event_key text not null,
    source text not null,
    action text not null,
    counted_ms bigint not null
  )${kind === 'sqlite' ? ' without rowid' : ''}`,
  'create index brake_counts_by_time on brake_counts (source, action, counted_ms)',
  'create index brake_counts_by_event on brake_counts (event_key)',
];

const NOW_MS = {
  sqlite: "cast(strftime('%s', 'now') as integer) * 1000",
  postgres: '(extract(epoch from clock_timestamp()) * 1000)::bigint',
} as const;

/** In their order; what has been released stays as it is. */
export const MIGRATIONS: readonly ((kind: SqlDatabase['kind']) => readonly string[])[] = [
  versionOne,
  versionTwo,
  versionThree,
  versionFour,
  versionFive,
  versionSix,
  versionSeven,
  versionEight,
  versionNine,
];
