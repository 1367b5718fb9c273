import type { EmittedEvents, ScanPage } from '@millrace/event-store';
import { batchesByLane } from './batches.ts';
import { eventOf, type Projection } from './define-projection.ts';
import { Lease, type LeaseTimes } from './lease.ts';
import type { SubjectEvents } from './pending-events.ts';
import { type Building, type Checkpoint, LANES, Pointers } from './pointers.ts';
import type { ProjectionTable } from './projection-table.ts';

/** How far a rebuild is. */
export interface RebuildProgress {
  /** Items of the event store that were looked at, in this run and those it goes on with. */
  scanned: number;
  /** Events that this run has read. */
  events: number;
}

export interface RebuildOptions {
  emitted: Pick<EmittedEvents, 'scan'>;
  table: ProjectionTable;
  projection: Projection;
  /** Parts of the event store that are read side by side; 1 unless told otherwise. A rebuild that goes on keeps its own. */
  segments?: number;
  /** Leaves what an unfinished rebuild has built, e.g. because the projection has changed since. */
  restart?: boolean;
  /** Is told when the new version is read: what follows is to delete the old ones. */
  onLive?: () => void;
  /** Ends the rebuild after what is under way. Another one goes on from there. */
  signal?: AbortSignal;
  onProgress?: (progress: RebuildProgress) => void;
  /** Is told when another rebuild may be alive, and is watched for a sign of it. */
  onWatch?: () => void;
  leaseTimes?: LeaseTimes;
}

export interface RebuildSummary extends RebuildProgress {
  /** `complete`: the new version is live, and those before it are gone. `interrupted`: by the signal. */
  outcome: 'complete' | 'interrupted';
  /** The version that is read now. */
  live: number;
  /** Whether an unfinished rebuild was gone on with. */
  resumed: boolean;
  /** Items of old versions that were deleted. */
  deleted: number;
}

/**
 * Pages that are written between two checkpoints, and held in memory for it, of 1 MB at most each: the more of them, the more
 * aggregates that share a row stand in one transaction.
 */
const PAGES_PER_ROUND = 16;

/**
 * Builds a new version of a projection from all that the event store has told the bus, beside the live one, which is read
 * and written meanwhile; makes it the live one in one write; and deletes what is left of others. Consumers write both
 * versions from the first write on.
 *
 * It may die at any point, and another one goes on from there: what was written and not checkpointed is recognised by the
 * marks, so it is written once. One that stalls for so long that another one takes its place writes nothing any more, and
 * deletes nothing of what came after its own version.
 * @throws RebuildUnderWayError, RebuildTakenOverError; SequenceGapError when the event store itself has a gap
 */
export async function rebuild(options: RebuildOptions): Promise<RebuildSummary> {
  const { table, projection, signal, restart = false } = options;
  const lease = await Lease.take(new Pointers(table), projection.name, options.leaseTimes, options.onWatch);
  try {
    const { building: unfinished, retiring } = lease.pointer;
    const progress = { scanned: restart ? 0 : (unfinished?.scanned ?? 0), events: 0 };
    const summary = { resumed: retiring === true || (unfinished !== undefined && !restart), deleted: 0 };
    if (unfinished || !retiring) {
      if (!unfinished || restart) await lease.change({ building: newVersion(lease, options.segments ?? 1) });
      await build(lease, options, progress);
      const { live, building } = lease.pointer;
      if (signal?.aborted) return { ...summary, ...progress, outcome: 'interrupted', live };
      await lease.change({ live: building?.version ?? live, building: undefined, retiring: true });
    }
    options.onLive?.();
    summary.deleted = await table.deleteBefore(projection, lease.pointer.live, () => lease.renew());
    await lease.change({ retiring: undefined });
    return { ...summary, ...progress, outcome: 'complete', live: lease.pointer.live };
  } finally {
    await lease.release().catch(() => undefined);
  }
}

/** Numbers only go up, so that whoever is late with an old version never writes the rows of a new one. */
function newVersion({ pointer: { live, building } }: Lease, segments: number): Building {
  return { version: Math.max(live, building?.version ?? 0) + 1, segments, checkpoints: {}, scanned: 0 };
}

/** Reads all segments page by page, some pages at a time, and checkpoints when all of these are written. */
async function build(lease: Lease, options: RebuildOptions, progress: RebuildProgress): Promise<void> {
  const { emitted, table, projection, signal } = options;
  const { building } = lease.pointer;
  if (!building) return;
  const { version, segments } = building;
  const detailTypes = projection.events.flatMap(({ accepts }) => accepts);
  const scans = Array.from({ length: segments }, (_, segment) => {
    const checkpoint = building.checkpoints[segment];
    const after = checkpoint && 'after' in checkpoint ? checkpoint.after : undefined;
    return {
      segment,
      done: checkpoint !== undefined && 'done' in checkpoint,
      pages: emitted.scan(detailTypes, segment, segments, after),
    };
  });
  const readPages = () =>
    Promise.all(
      scans
        .filter(({ done }) => !done)
        .map(async (scan) => {
          const { value } = await scan.pages.next();
          const page: ScanPage = value ?? { streams: [], scanned: 0, after: undefined, last: true };
          scan.done = page.last;
          return {
            checkpoints: checkpointOf(scan.segment, page),
            scanned: page.scanned,
            subjects: subjectsOf(projection, page),
          };
        }),
    );
  const readRound = async () => {
    const round = { checkpoints: {}, scanned: 0, subjects: [] as SubjectEvents[], last: false };
    for (let pages = 0; pages < PAGES_PER_ROUND && !round.last && !signal?.aborted; pages += segments) {
      for (const { checkpoints, scanned, subjects } of await readPages()) {
        Object.assign(round.checkpoints, checkpoints);
        round.scanned += scanned;
        round.subjects.push(...subjects);
      }
      round.last = scans.every(({ done }) => done);
    }
    return round;
  };

  let checkpoints: Building['checkpoints'] = building.checkpoints;
  let rowsAreNew = true;
  let reading = readRound();
  for (let last = false; !last && !signal?.aborted; ) {
    const round = await reading;
    last = round.last;
    // The next pages are read while these are written.
    if (!last) reading = readRound();
    reading.catch(() => undefined);
    const lanes = batchesByLane(projection, round.subjects, LANES);
    await Promise.all(
      lanes.map(async (batches, lane) => {
        for (const subjects of batches) {
          const change = { projection, version, subjects };
          rowsAreNew = (await table.applyFirst(change, rowsAreNew, lease.fence(lane))) && rowsAreNew;
        }
      }),
    );
    checkpoints = { ...checkpoints, ...round.checkpoints };
    progress.scanned += round.scanned;
    progress.events += round.subjects.reduce((sum, { events }) => sum + events.length, 0);
    await lease.change({ building: { ...building, checkpoints, scanned: progress.scanned } });
    options.onProgress?.({ ...progress });
  }
}

function checkpointOf(segment: number, { after, last }: ScanPage): Record<string, Checkpoint> {
  if (last) return { [segment]: { done: true } };
  return after ? { [segment]: { after } } : {};
}

/** The events of each aggregate that the projection is made of. */
function subjectsOf(projection: Projection, { streams }: ScanPage): SubjectEvents[] {
  return streams.flatMap(({ entries }) => {
    const events = entries.flatMap((entry) => eventOf(projection, entry) ?? []);
    const [first] = events;
    return first ? [{ subject: first.metadata.subject, events }] : [];
  });
}
