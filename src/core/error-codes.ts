// The registry of everything that can go wrong: code → title, hint, retryable, status.
// Longer than usual: it is one table.
// Takes a code and a detail, gives an AppError. Codes are permanent; never branch on a message.
// Each code has its section in docs/errors.md; a test keeps the two in step.

interface RegistryEntry {
  /** What happened, in general. */
  readonly title: string;
  /** What to do about it. */
  readonly hint: string;
  /** Whether the same thing tried again later may succeed. */
  readonly retryable: boolean;
  /** Only on codes that a webhook's sender can meet. */
  readonly httpStatus?: 400 | 404 | 405 | 413 | 415 | 503;
}

export const ERRORS = {
  // ---- A delivery that is not let in ----
  SIGNATURE_MISSING: {
    title: 'The request carries no signature',
    hint: 'Only the payment provider may call this address. Check that its webhook has a secret, and that no proxy removes the signature header.',
    retryable: false,
    httpStatus: 400,
  },
  SIGNATURE_MALFORMED: {
    title: 'The signature header cannot be read',
    hint: 'Check that no proxy rewrites the signature header.',
    retryable: false,
    httpStatus: 400,
  },
  SIGNATURE_MISMATCH: {
    title: 'The signature does not match the body',
    hint: 'Copy the signing secret of this very endpoint again (test and live mode have different ones), and check that no proxy changes the body.',
    retryable: false,
    httpStatus: 400,
  },
  SIGNATURE_STALE: {
    title: 'The signature is too old',
    hint: 'Check the clock of this machine. Behind a slow tunnel, raise toleranceSeconds in the rule file.',
    retryable: false,
    httpStatus: 400,
  },
  SIGNATURE_FUTURE: {
    title: 'The signature comes from the future',
    hint: 'Check the clock of this machine.',
    retryable: false,
    httpStatus: 400,
  },
  BODY_MALFORMED: {
    title: 'The body is not an event of this provider',
    hint: 'The signature is good, so the provider sent it: check which webhook or API version is set up for this address.',
    retryable: false,
    httpStatus: 400,
  },
  THIN_EVENT: {
    title: 'Stripe sent a thin event, which holds no data',
    hint: 'In Stripe, create the event destination anew and choose the "snapshot" payload.',
    retryable: false,
    httpStatus: 400,
  },
  BODY_TOO_LARGE: {
    title: 'The body is larger than 1 MiB',
    hint: 'No provider sends events of this size; check who calls this address.',
    retryable: false,
    httpStatus: 413,
  },
  BODY_NOT_JSON: {
    title: 'The content type is not JSON',
    hint: 'Send the event as application/json.',
    retryable: false,
    httpStatus: 415,
  },
  PATH_UNKNOWN: {
    title: 'There is nothing at this address',
    hint: 'Webhooks go to POST /v1 or POST /webhooks/{source}.',
    retryable: false,
    httpStatus: 404,
  },
  SOURCE_UNKNOWN: {
    title: 'There is no source of this name',
    hint: 'A source is named like its rule file: rules/stripe.yaml is /webhooks/stripe.',
    retryable: false,
    httpStatus: 404,
  },
  METHOD_NOT_ALLOWED: {
    title: 'Webhooks are sent by POST',
    hint: 'Send a POST request.',
    retryable: false,
    httpStatus: 405,
  },
  UNAUTHORIZED: {
    title: 'The admin token is missing or wrong',
    hint: 'Send `Authorization: Bearer` with the value of ADMIN_TOKEN.',
    retryable: false,
  },
  external_service_error: {
    title: 'The provider has no signing secret here',
    hint: 'Set the webhook secret of this provider and start the server again.',
    retryable: true,
    httpStatus: 503,
  },
  JOURNAL_UNAVAILABLE: {
    title: 'The journal cannot be written',
    hint: 'Check the disk or the database. The provider will deliver the event again.',
    retryable: true,
    httpStatus: 503,
  },
  NOT_FINISHED: {
    title: 'The event was not finished in time',
    hint: 'The memory: journal cannot promise what it has not done; the provider will deliver the event again.',
    retryable: true,
    httpStatus: 503,
  },
  INTERNAL: {
    title: 'Keywright made a mistake',
    hint: 'This is a defect of Keywright. Please report it with the event id and the log line.',
    retryable: true,
    httpStatus: 503,
  },

  // ---- An event that cannot be processed as the rules stand ----
  EVENT_UNMATCHED: {
    title: 'No rule names this event type',
    hint: 'Do not send this type, add a rule with `ignore:`, or set `unmatched: ignore` in the rule file.',
    retryable: false,
    httpStatus: 400,
  },
  RULE_REJECTED: {
    title: 'A rule rejects this event',
    hint: 'The message is the one the rule gives. Change the catalog or the rule, then replay the event; a product that is changed at the provider counts for new events only.',
    retryable: false,
    httpStatus: 400,
  },
  ITEM_UNMATCHED: {
    title: 'No rule of the loop fits this item',
    hint: 'Add a last rule without conditions that says what happens to all other items.',
    retryable: false,
    httpStatus: 400,
  },
  FIELD_MISSING: {
    title: 'A required value is missing from the event',
    hint: 'Look at the path named in the message; the event may come from another API version.',
    retryable: false,
    httpStatus: 400,
  },
  FIELD_TYPE: {
    title: 'A value is not of the type that the field takes',
    hint: 'Look at the value named in the message.',
    retryable: false,
    httpStatus: 400,
  },
  QUANTITY_INVALID: {
    title: 'The quantity cannot be licensed',
    hint: 'A quantity is a whole number from 1 to 10000. 0 would mean "unlimited" to Cryptlex.',
    retryable: false,
    httpStatus: 400,
  },
  CONDITION_TYPE: {
    title: 'A condition compares values of different types',
    hint: 'Write the expected value as the event has it: "true" in quotes is a text, true is not.',
    retryable: false,
    httpStatus: 400,
  },
  CONDITION_NOT_BOOLEAN: {
    title: 'A condition is neither true nor false',
    hint: 'Compare something in it, or wrap it in $exists( ).',
    retryable: false,
    httpStatus: 400,
  },
  FORMULA_FAILED: {
    title: 'A formula could not be evaluated',
    hint: 'Try it with `keywright dry-run` on the event.',
    retryable: false,
    httpStatus: 400,
  },
  FORMULA_TOO_LARGE: {
    title: 'A formula would give more than it may',
    hint: 'One text may have 1 MiB, one value 4 Mi characters and items, one list that a formula makes 10,000 items. Ask for less: filter lists first, shorten texts with $substring.',
    retryable: false,
    httpStatus: 400,
  },
  SUBJECT_MISSING: {
    title: 'The event has no subject',
    hint: 'At least one formula under `subject:` must give a value; end the list with the id of the object.',
    retryable: false,
    httpStatus: 400,
  },
  TIMER_KEY: {
    title: 'A timer belongs to something that the event is not about',
    hint: 'The key of a timer is one of the subjects; add its formula under `subject:`.',
    retryable: false,
    httpStatus: 400,
  },
  FILTER_EMPTY: {
    title: 'A search without a value was refused',
    hint: 'Cryptlex ignores empty filters and would answer with the licenses of strangers.',
    retryable: false,
    httpStatus: 400,
  },
  LICENSE_NOT_FOUND: {
    title: 'No license was found',
    hint: 'Was it created by other software? Give it the metadata named in the message, then replay the event.',
    retryable: false,
    httpStatus: 400,
  },
  USER_NOT_FOUND: {
    title: 'No user was found',
    hint: 'user.update never creates; use user.upsert if it should.',
    retryable: false,
    httpStatus: 400,
  },
  EMAIL_TAKEN: {
    title: 'The e-mail address belongs to another user',
    hint: 'Set `emailTaken: merge` on the action to make that user this customer.',
    retryable: false,
    httpStatus: 400,
  },
  CONFLICT: {
    title: 'This sale was licensed before, as another product',
    hint: 'The message names both. Put the mapping where every event of the sale sees it (for Stripe: on the checkout and on its subscription).',
    retryable: false,
    httpStatus: 400,
  },
  DELETE_TOO_MANY: {
    title: 'One event would delete too many licenses',
    hint: 'Raise `maxDelete` in the rule file if that is meant.',
    retryable: false,
    httpStatus: 400,
  },

  BRAKE_HELD: {
    title: 'The brake holds this event',
    hint: 'Look at it with `keywright why EVENT_ID`. If it is meant, `keywright events release EVENT_ID --yes` lets it go on; `--drop` ends it without changes. The limits are `brake` in the rule file.',
    retryable: false,
  },

  // ---- Cryptlex ----
  CRYPTLEX_REFUSED: {
    title: 'Cryptlex refused the request',
    hint: 'The message holds its answer. Check the ids of product, template and entitlement set.',
    retryable: false,
    httpStatus: 400,
  },
  CRYPTLEX_TOKEN: {
    title: 'Cryptlex refuses the access token',
    hint: 'Make a new token with license:read, license:write, user:read, user:write and licenseTemplate:read (or licensePolicy:read, as your account names it), set CRYPTLEX_ACCESS_TOKEN and start again.',
    retryable: true,
    httpStatus: 503,
  },
  CRYPTLEX_RATE_LIMITED: {
    title: 'Cryptlex asks to slow down',
    hint: 'Does something else use the API from this address? Lower CRYPTLEX_RATE_LIMIT.',
    retryable: true,
    httpStatus: 503,
  },
  CRYPTLEX_UNAVAILABLE: {
    title: 'Cryptlex cannot be reached or is failing',
    hint: 'Check CRYPTLEX_WEB_API_BASE_URL, HTTPS_PROXY and the network; it is tried again.',
    retryable: true,
    httpStatus: 503,
  },
  CRYPTLEX_UNCLEAR: {
    title: 'It is not known whether Cryptlex did what it was asked',
    hint: 'Keywright looks before it repeats the call; nothing needs to be done.',
    retryable: true,
    httpStatus: 503,
  },
  CALL_TOO_LATE: {
    title: 'A call was not sent, because this process was stopped before it left',
    hint: 'Keywright tries it again by itself. If it happens often, the machine is overloaded or suspended.',
    retryable: true,
    httpStatus: 503,
  },
  CRYPTLEX_NONSENSE: {
    title: 'Cryptlex answered something that is no answer',
    hint: 'Check CRYPTLEX_WEB_API_BASE_URL: a proxy or another server may answer there.',
    retryable: true,
    httpStatus: 503,
  },

  // ---- Billing links ----
  BILLING_UNAUTHORIZED: {
    title: 'The billing token is missing or wrong',
    hint: 'Send `Authorization: Bearer` with the value of BILLING_API_TOKEN, from your own server only.',
    retryable: false,
  },
  BILLING_REQUEST: {
    title: 'The request for a billing link is not right',
    hint: 'The message says what is wrong; docs/billing-links.md has examples.',
    retryable: false,
  },
  BILLING_PLAN_UNKNOWN: {
    title: 'No price is set for this plan',
    hint: 'The plan pro-monthly is sold at the price of STRIPE_PRICE_PRO_MONTHLY.',
    retryable: false,
  },
  BILLING_CUSTOMER_UNKNOWN: {
    title: 'The user is no customer of Stripe yet',
    hint: 'The portal is for those who have bought: their metadata stripe_customer_id comes with the first checkout (docs/plan-sync.md).',
    retryable: false,
  },
  IDEMPOTENCY_REUSED: {
    title: 'The idempotency key was used for another request',
    hint: 'Send a new Idempotency-Key for each new request, and the same one only with the very same request.',
    retryable: false,
  },
  STRIPE_REFUSED: {
    title: 'Stripe refused the request',
    hint: 'The message holds its answer. Check the price ids and that key, prices and customers are all of test mode or all of live mode.',
    retryable: false,
  },
  STRIPE_KEY: {
    title: 'Stripe refuses the API key',
    hint: 'Set STRIPE_API_KEY to a restricted key that may write Checkout Sessions and Customer portal, and start again.',
    retryable: false,
  },
  STRIPE_RATE_LIMITED: {
    title: 'Stripe asks to slow down',
    hint: 'Ask again in some seconds.',
    retryable: true,
  },
  STRIPE_UNAVAILABLE: {
    title: 'Stripe cannot be reached or is failing',
    hint: 'Ask again in some seconds, with the same Idempotency-Key: no second session is made.',
    retryable: true,
  },
  STRIPE_NONSENSE: {
    title: 'Stripe answered something that is no answer',
    hint: 'Check STRIPE_API_BASE_URL: a proxy or another server may answer there.',
    retryable: true,
  },

  // ---- The journal ----
  JOURNAL_LOCKED: {
    title: 'Another process works on this journal',
    hint: 'One process works on a SQLite file. Stop the other one, or use PostgreSQL for several replicas.',
    retryable: false,
  },
  JOURNAL_NEWER: {
    title: 'The journal was written by a newer Keywright',
    hint: 'Start that version, or a newer one; going back is not possible.',
    retryable: false,
  },
  JOURNAL_REFUSES_TEXT: {
    title: 'The database refuses what is to be written for this event',
    hint: "The message names the database's own error code. The payload holds a text or a number that it cannot store; change the rule that reads it, then replay the event.",
    retryable: false,
  },
  EVENTS_NOT_SETTLED: {
    title: 'Events have ended, and that cannot be written down',
    hint: 'The log says why for each. They keep a slot for two minutes at most, and are worked on again then; what was done for them is not done twice.',
    retryable: true,
  },
  JOURNAL_LEASE_LOST: {
    title: 'Another replica has taken this event over',
    hint: 'This process was asleep too long; nothing needs to be done.',
    retryable: true,
  },
  EVENT_UNKNOWN: {
    title: 'The journal knows no such event',
    hint: 'List them with `keywright events list`; payloads are erased after RETENTION_DAYS, events are not.',
    retryable: false,
  },

  // ---- Starting ----
  ENV_MISSING: {
    title: 'An environment variable is missing',
    hint: 'Set it, or NAME_FILE to the path of a file that holds it.',
    retryable: false,
  },
  ENV_BLANK: {
    title: 'An environment variable is set but blank',
    hint: 'Give it a value or remove it. A blank secret would let anybody in.',
    retryable: false,
  },
  ENV_INVALID: {
    title: 'An environment variable has a value that cannot be used',
    hint: 'The message says what it takes.',
    retryable: false,
  },
  ENV_FILE: {
    title: 'A file named by a variable cannot be read',
    hint: 'Check the path and its permissions.',
    retryable: false,
  },
  NO_SOURCE: {
    title: 'No source is switched on',
    hint: 'Set STRIPE_WEBHOOK_SECRET, FASTSPRING_WEBHOOK_SECRET or PADDLE_WEBHOOK_SECRET.',
    retryable: false,
  },
  CONSOLE_NOT_BUILT: {
    title: 'The files of the console are not there',
    hint: 'In a checkout, install the development packages too (npm ci); or run a release, made by npm run build.',
    retryable: false,
  },
  PORT_UNAVAILABLE: {
    title: 'The server cannot listen there',
    hint: 'Set PORT to a free port.',
    retryable: false,
  },
  USAGE: {
    title: 'The command was not understood',
    hint: 'Ask it for --help.',
    retryable: false,
  },
  INPUT_UNREADABLE: {
    title: 'An input file cannot be used',
    hint: 'The message says why.',
    retryable: false,
  },

  ENDPOINT_UNREACHABLE: {
    title: 'Nothing answers at the address',
    hint: 'Is the server running, and does `--to` name its address? `keywright serve` listens on port 9890.',
    retryable: true,
  },
  SCENARIO_UNKNOWN: {
    title: 'There is no such scenario',
    hint: '`keywright simulate --list` names the scenarios. One of your own is given by the path of its file, or by --scenarios.',
    retryable: false,
  },
  SAMPLE_UNKNOWN: {
    title: 'A sample cannot be used',
    hint: 'The samples are listed in samples/README.md; a name is written like stripe/invoice.paid-manual.',
    retryable: false,
  },
  SAMPLE_PATH: {
    title: 'The sample has no such place',
    hint: 'A path is names joined by dots, from the root of the event: data.items.0.quantity.',
    retryable: false,
  },

  // ---- Rule files ----
  RULES_UNREADABLE: {
    title: 'A rule file cannot be read',
    hint: 'Check RULES_DIR and the permissions of the file.',
    retryable: false,
  },
  RULE_TESTS_FAILED: {
    title: 'A test of the changed rules fails',
    hint: 'Ask `keywright test`; RULES_TEST has such rules refused.',
    retryable: false,
  },
  RULES_NOT_CURRENT: {
    title: 'The rules on disk are not the rules that run',
    hint: 'They have errors: ask `keywright check`, repair them, and they are taken by themselves.',
    retryable: false,
  },
  YAML_SYNTAX: {
    title: 'The file is not valid YAML',
    hint: 'A formula that holds ": ", " #" or begins with a bracket needs quotes around it, or a block (`>-`).',
    retryable: false,
  },
  YAML_DUPLICATE_KEY: {
    title: 'A key stands twice in one map',
    hint: 'Remove one of the two.',
    retryable: false,
  },
  YAML_TAG: {
    title: 'YAML tags are not used here',
    hint: 'Remove the word that begins with "!". For a formula, begin with "=".',
    retryable: false,
  },
  YAML_MERGE: {
    title: 'YAML merges are not used here',
    hint: 'Use `from:` or a `let` to share fields.',
    retryable: false,
  },
  YAML_KEY_NOT_TEXT: {
    title: 'A key is not a text',
    hint: 'Put it in quotes.',
    retryable: false,
  },
  YAML_FORMULA_AS_KEY: {
    title: 'A piece of a formula was read as a key',
    hint: 'Put the whole formula in quotes, or write it as a block (`>-`).',
    retryable: false,
  },
  RULE_UNKNOWN_FIELD: {
    title: 'A field is not known here',
    hint: 'Check the spelling and the indentation.',
    retryable: false,
  },
  RULE_MISSING_FIELD: {
    title: 'A required field is missing',
    hint: 'Add it.',
    retryable: false,
  },
  RULE_WRONG_TYPE: {
    title: 'A value is not of the kind that is needed here',
    hint: 'The message says what is needed.',
    retryable: false,
  },
  RULE_UNKNOWN_ACTION: {
    title: 'There is no such action',
    hint: 'The actions are listed in docs/rules.md.',
    retryable: false,
  },
  RULE_ONE_ACTION: {
    title: 'A step must have exactly one action',
    hint: 'Begin each action with "- ".',
    retryable: false,
  },
  RULE_ONE_EFFECT: {
    title: 'A rule does not say exactly one thing',
    hint: 'Give it one of `do`, `ignore` and `reject`.',
    retryable: false,
  },
  RULE_DUPLICATE_ID: {
    title: 'Two rules have the same id',
    hint: 'Give each rule its own id.',
    retryable: false,
  },
  RULE_ONCE_MISSING: {
    title: 'A rule that creates or renews does not say what makes the fact one',
    hint: 'Add `once:` with the id of the sale or of the payment; see docs/rules.md.',
    retryable: false,
  },
  RULE_UNREACHABLE: {
    title: 'A rule can never be reached',
    hint: 'A rule before it, for the same type, has no conditions. Move that one behind it, or give it `continue: true`.',
    retryable: false,
  },
  RULE_FORGOTTEN_FORMULA: {
    title: 'A text looks like a formula without its "="',
    hint: 'Begin it with "=" if it is a formula.',
    retryable: false,
  },
  RULE_LET_CYCLE: {
    title: 'Names under `let` need each other',
    hint: 'Break the circle.',
    retryable: false,
  },
  RULE_LET_UNUSED: {
    title: 'A name under `let` is never used',
    hint: 'Remove it, or use it.',
    retryable: false,
  },
  RULE_NAME_TAKEN: {
    title: 'A name is already taken',
    hint: 'Choose another name.',
    retryable: false,
  },
  RULE_SECRET: {
    title: 'A secret stands in a rule file, or a rule asks for one',
    hint: 'Secrets belong into the environment, and no rule can read them.',
    retryable: false,
  },
  RULE_REST_UNSAID: {
    title: 'No rule says what happens to the other events of a type',
    hint: 'Add a last rule for the type, without conditions: `ignore: WHY` or `reject: WHY`.',
    retryable: false,
  },
  RULE_NOT_AN_ID: {
    title: 'A text stands where an id of Cryptlex belongs',
    hint: 'Copy the id from the page of the product (or template, or entitlement set) in Cryptlex: 36 characters with four hyphens.',
    retryable: false,
  },
  EVENT_TYPE_UNKNOWN: {
    title: 'A rule names an event type that the provider does not have',
    hint: "Copy the type from the provider's list of events. For one that is new, write `# keywright: ignore EVENT_TYPE_UNKNOWN` behind it.",
    retryable: false,
  },
  SETTING_WRONG: {
    title: 'A setting has a value that it does not take',
    hint: 'The setting declares its words or its type; docs/rules.md lists them.',
    retryable: false,
  },
  SETTING_WITHOUT_EFFECT: {
    title: 'A setting has no effect as the others are set',
    hint: 'Change the other setting, or take this one out.',
    retryable: false,
  },
  SETTING_IN_LET: {
    title: 'A setting is written under `let:`, as in files of the first edition',
    hint: 'Move it to `settings:`; `keywright check --fix` does it.',
    retryable: false,
  },
  RULES_EXTENDS: {
    title: 'A rule file cannot be extended in this way',
    hint: '`extends:` names a shipped file (stripe, fastspring, paddle) or a file beside this one.',
    retryable: false,
  },
  SETTING_UNKNOWN: {
    title: 'A setting, or a word of one, is not known',
    hint: 'docs/rules.md lists the settings of the shipped files and the words that each takes.',
    retryable: false,
  },
  CONDITION_NEVER: {
    title: 'A condition can never be true',
    hint: 'All conditions of a `when` must hold together; for one of several, write `any:`.',
    retryable: false,
  },
  SHAPE_PATH_UNKNOWN: {
    title: 'A path leads to something that no such event has',
    hint: 'Compare it with the event in samples/. If your own events have it, show some to `keywright check --samples DIR`.',
    retryable: false,
  },
  SHAPE_PATH_MOVED: {
    title: "A path is empty in newer versions of the provider's API",
    hint: 'Read the new place first, and the old one as a fallback: $first(new, old).',
    retryable: false,
  },
  SHAPE_LIST: {
    title: 'There can be several where one value is needed',
    hint: 'Use `forEach` for one license each, $one(list, "message") where there must be exactly one, or (list)[0] for the first.',
    retryable: false,
  },
  SHAPE_TYPE: {
    title: 'A value is of a kind that never fits here',
    hint: 'The message says what it is and what is needed. Texts stand in quotes where they could be read as something else: "5", "true".',
    retryable: false,
  },
  SHAPE_WORD: {
    title: 'A condition asks for a word that the provider never sends there',
    hint: 'Check the spelling. For a word that is new, write `# keywright: ignore SHAPE_WORD` behind it.',
    retryable: false,
  },
  TIMER_MISPLACED: {
    title: 'A timer cannot stand here',
    hint: 'A rule that waits has `after:`, `timer:` and `do:`; a payment has `cancels:`. See docs/rules.md.',
    retryable: false,
  },
  TIMER_UNKNOWN: {
    title: 'A rule cancels a timer that no rule has',
    hint: 'Write the name as it stands under `timer:`.',
    retryable: false,
  },
  TIMER_NEVER_CANCELLED: {
    title: 'Nothing cancels a timer',
    hint: 'Add `cancels:` with its name to the rules of payments.',
    retryable: false,
  },
  TIMER_PAYMENT: {
    title: 'A payment leaves a timer running',
    hint: 'Add `cancels:` to the rule, or a rule before it with `cancels:` and `continue: true`.',
    retryable: false,
  },
  TIMER_NEEDS_JOURNAL: {
    title: 'A rule waits for a time, and the journal forgets',
    hint: 'Use DATABASE_URL=sqlite:PATH or postgres://…, or remove `after:` from the rule.',
    retryable: false,
  },
  FORMULA_SYNTAX: {
    title: 'A formula cannot be read',
    hint: 'The caret shows the place.',
    retryable: false,
  },
  FORMULA_UNKNOWN_VARIABLE: {
    title: 'A formula uses a variable that does not exist',
    hint: "Variables are the names under `let`, the loop's `as`, the `as` of earlier steps, $env and $event.",
    retryable: false,
  },
  FORMULA_UNKNOWN_FUNCTION: {
    title: 'A formula calls a function that does not exist',
    hint: 'The functions are listed in docs/rules.md.',
    retryable: false,
  },
  FORMULA_UNKNOWN_NAME: {
    title: 'A formula begins with a name that no event has',
    hint: "Paths begin with a member of the provider's event, most often `data`.",
    retryable: false,
  },
  FORMULA_AMBIGUOUS: {
    title: 'A formula can be read in two ways',
    hint: 'Put brackets around the part with "??", or use $first(a, b).',
    retryable: false,
  },
  FORMULA_REFUSED: {
    title: 'A formula uses something that is not allowed',
    hint: 'A plan must come out the same at each replay, in bounded time.',
    retryable: false,
  },
  FORMULA_REFERENCE: {
    title: 'The result of a step is used inside a formula',
    hint: 'Results are known only when the plan runs. Use them whole (`=$user.id`), or as an alternative of ??, $first or $if.',
    retryable: false,
  },

  // ---- Drafts: the playground, dry runs by the admin API ----
  DRAFT_TOO_SLOW: {
    title: 'A draft took too long',
    hint: 'It was stopped; the server goes on. Look for a formula that walks through long lists, or send a smaller event.',
    retryable: false,
  },
  DRAFT_TOO_LARGE: {
    title: 'A draft needed too much memory',
    hint: 'It was stopped; the server goes on. Look for a formula that makes a far too large value, or send a smaller event.',
    retryable: false,
  },
  DRAFT_QUEUE_FULL: {
    title: 'Too many drafts wait already',
    hint: 'Send it again in a few seconds. Drafts are evaluated one after the other.',
    retryable: true,
  },
  DRAFT_UNAVAILABLE: {
    title: 'Drafts cannot be evaluated here',
    hint: 'They need a process of their own. Allow the server to start one (limits on processes, a sandbox), or use `keywright dry-run` elsewhere.',
    retryable: true,
  },

  // ---- Rule tests ----
  TEST_UNREADABLE: {
    title: 'A test file cannot be read',
    hint: 'Check its path and its permissions.',
    retryable: false,
  },
  TEST_EVENT: {
    title: 'The event of a rule test cannot be used',
    hint: 'Name a sample (`sample: stripe/invoice.paid-manual`), a JSON file beside the test (`file:`), or write the event itself (`data:`).',
    retryable: false,
  },
  TEST_PATH: {
    title: 'A rule test changes a place that the event does not have',
    hint: 'A path is names joined by dots, with 0 for the first item of a list: data.items.0.quantity.',
    retryable: false,
  },
  TEST_TIME: {
    title: 'The time of a step is not right',
    hint: 'Write it as 2026-01-31T09:00:00Z; time only goes forward.',
    retryable: false,
  },
  TEST_NAME_TAKEN: {
    title: 'Two rule tests of a file have the same name',
    hint: 'Give each a name of its own, so that a failure and `--run` say which.',
    retryable: false,
  },
  TEST_EMPTY: {
    title: 'A rule test tests nothing',
    hint: 'Each case needs an event and something that is expected of it.',
    retryable: false,
  },
  TEST_GIVEN: {
    title: 'What a rule test says is there cannot be',
    hint: 'The message says why.',
    retryable: false,
  },
} as const satisfies Record<string, RegistryEntry>;

export type AppErrorCode = keyof typeof ERRORS;

/** The registry's entry, with the optional members visible. */
export function registryEntry(code: AppErrorCode): RegistryEntry {
  return ERRORS[code];
}

/** What was thrown, in its own words. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

interface AppErrorOptions {
  readonly cause?: unknown;
  /** Overrides the registry's hint where the place knows better. */
  readonly hint?: string;
}

/** An error with a code from the registry. `message` says which; title and hint come from the code. */
export class AppError extends Error {
  readonly code: AppErrorCode;
  readonly hint: string;

  constructor(code: AppErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.hint = options.hint ?? ERRORS[code].hint;
  }
}
