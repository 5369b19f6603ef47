// Libraries that a server needs for its first webhook, but not to be ready for it. Takes how one is loaded,
// gives it to whoever asks. Loading one keeps the process busy for some 15 ms, so it waits until the start is
// over; a webhook that comes before that does not wait for the clock.

/** Longer than what is left of a start once the verifiers are made. */
const AFTER_START_MS = 300;

export interface LateLibrary<Library> {
  /** Loads it a moment later, if nobody asks before. */
  soon(): void;
  /** Loads it now, at the first call. */
  get(): Promise<Library>;
}

export function lateLibrary<Library>(load: () => Promise<Library>): LateLibrary<Library> {
  let loading: Promise<Library> | undefined;
  let isPlanned = false;
  const get = (): Promise<Library> => {
    loading ??= load();
    return loading;
  };
  return {
    soon: () => {
      if (isPlanned) return;
      isPlanned = true;
      // Nothing ends later because of it; what could not be loaded is told to the webhook that needs it.
      setTimeout(() => get().catch(() => undefined), AFTER_START_MS).unref();
    },
    get,
  };
}
