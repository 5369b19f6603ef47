// What work costs, however busy the machine is: time of the processor instead of time on the clock.

/** The processor's time that this process spends while the work runs, of all its threads. */
export async function cpuMsOf(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** The longest that this thread spends on other things at a stretch while the work runs. */
export async function longestTurnMs(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = threadMs();
  const timer = setInterval(() => {
    longest = Math.max(longest, threadMs() - last);
    last = threadMs();
  }, 5);
  await work();
  clearInterval(timer);
  return longest;
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
