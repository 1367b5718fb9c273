/** What is known of a suite before it runs. */
interface Suite {
  path: string;
  /** How long it took the last time on this machine, in ms. */
  duration?: number;
}

/** Suites of a running system: for much of their time they wait for what other processes do. */
function isOfRunningSystem({ path }: Suite): boolean {
  return ['test/end-to-end', 'test/roles', 'test/hostile', 'test/kills', 'scripts/cost'].some((folder) =>
    path.includes(`/${folder}/`),
  );
}

/** The duration, or what is usual for one that has not been run here yet, in ms. */
function expectedDuration(suite: Suite): number {
  return suite.duration ?? (isOfRunningSystem(suite) ? 20_000 : 1_500);
}

/**
 * In which order workers should take suites: beside one of a running system those that keep the processor busy, as long as
 * there are any. Two that wait at the same time would leave the processor idle, and two that keep their systems busy would
 * have to wait for each other.
 * @param suites in the order that those of one kind keep: the longest first, so that no worker is left with it at the end
 * @param workers how many there are
 */
export function suiteOrder<Each extends Suite>(suites: readonly Each[], workers: number): Each[] {
  const running = suites.filter(isOfRunningSystem);
  const others = suites.filter((suite) => !isOfRunningSystem(suite));
  const timetable = Array.from({ length: workers }, () => ({ doneAt: 0, runsSystem: false }));
  const next = (): Each | undefined => {
    const worker = timetable.reduce((first, each) => (each.doneAt < first.doneAt ? each : first));
    const systems = timetable.filter((each) => each !== worker && each.runsSystem).length;
    const mayRunSystem = systems < workers / 2 || others.length === 0;
    const suite = (mayRunSystem ? running.shift() : undefined) ?? others.shift();
    if (suite) {
      worker.doneAt += expectedDuration(suite);
      worker.runsSystem = isOfRunningSystem(suite);
    }
    return suite;
  };
  return suites.flatMap(() => next() ?? []);
}
