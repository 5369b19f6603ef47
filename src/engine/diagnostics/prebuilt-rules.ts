// Rule files that were read when Keywright was built. From the sources there are none: every file is read at
// the start. In what `npm run build` makes, scripts/known-rules.ts stands in for this file with the rules
// that come along, since reading their YAML and checking it is a fifth of the time that a
// server needs to start.

/**
 * What stands in a file, by the SHA-256 of its text: a KnownFile as JSON. A file of which one character is
 * different is not in here.
 */
export const KNOWN_TEXTS: ReadonlyMap<string, string> = new Map();
