// Paired timing. Takes functions, gives microseconds per call for each, round by round in turn, so that
// a machine that slows down slows all of them down. Never judges.

/** Runs each function in each round, after one round that is not counted. */
export async function measure(
  functions: readonly (() => Promise<void>)[],
  rounds: number,
  callsPerRound: number,
): Promise<readonly number[][]> {
  const results: number[][] = functions.map(() => []);
  for (let round = -1; round < rounds; round += 1) {
    for (const [index, run] of functions.entries()) {
      const startedAt = process.hrtime.bigint();
      for (let call = 0; call < callsPerRound; call += 1) await run();
      const nanoseconds = Number(process.hrtime.bigint() - startedAt);
      if (round >= 0) results[index]?.push(nanoseconds / 1000 / callsPerRound);
    }
  }
  return results;
}

/** `median (least – most)` */
export function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): string => {
    const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return value >= 100 ? value.toFixed(0) : value.toFixed(1);
  };
  return `${at(0.5)} (${at(0)}–${at(1)})`;
}
