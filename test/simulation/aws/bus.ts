import { compilePattern, type JsonValue } from '@millrace/event-pattern';
import { ANALYTICS_BUS, DOMAIN_BUS } from '../deployment.ts';
import type { World } from '../world.ts';

interface Entry {
  EventBusName?: string;
  Source: string;
  DetailType: string;
  Detail: string;
  /** Seconds since 1970. */
  Time?: number;
}

/** EventBridge: the domain bus and the analytics bus, with a rule for each consumer. */
export class Bus {
  readonly #world: World;
  /** By bus and detail-type. */
  readonly #rules = new Map<string, { queue: string; matches: (event: JsonValue) => boolean }[]>();
  /** How often each event was accepted, by its id. */
  readonly accepted = new Map<string, number>();
  /** What the details of the accepted events say of themselves. */
  readonly events: { id: string; detailType: string; causationId?: string; correlationId: string; subject: string }[] =
    [];

  /** What the analytics bus accepted, in order. */
  readonly variants: { id: string; causationId: string; detailType: string; detail: string }[] = [];

  constructor(world: World) {
    this.#world = world;
    for (const { consumer } of world.deployment.functions) {
      if (!consumer) continue;
      const { bus, queue, filter, detailTypes } = consumer;
      const matches = filter ? compilePattern({ detail: filter }) : () => true;
      for (const detailType of detailTypes) {
        const key = ruleKey(bus, detailType);
        this.#rules.set(key, [...(this.#rules.get(key) ?? []), { queue, matches }]);
      }
    }
  }

  /** @param refused which entry is refused, as a number of any size */
  putEvents({ Entries }: { Entries: Entry[] }, refused?: number): object {
    const { trace } = this.#world;
    const results = Entries.map((entry, index) => {
      if (refused !== undefined && index === refused % Entries.length) {
        trace.fault('bus', `refuses ${entry.DetailType}`);
        return { ErrorCode: 'InternalFailure', ErrorMessage: 'An internal failure' };
      }
      return { EventId: entry.EventBusName === ANALYTICS_BUS ? this.#acceptVariant(entry) : this.#accept(entry) };
    });
    return { Entries: results, FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length };
  }

  #acceptVariant(entry: Entry): string {
    const { DetailType: detailType, Detail: detail } = entry;
    const { metadata } = JSON.parse(detail) as { metadata: { id: string; causationId: string } };
    this.variants.push({ id: metadata.id, causationId: metadata.causationId, detailType, detail });
    return this.#deliver(entry);
  }

  #accept(entry: Entry): string {
    const { metadata } = JSON.parse(entry.Detail) as {
      metadata: { id: string; causationId?: string; correlationId: string; subject: string };
    };
    this.accepted.set(metadata.id, (this.accepted.get(metadata.id) ?? 0) + 1);
    this.events.push({ ...metadata, detailType: entry.DetailType });
    return this.#deliver(entry);
  }

  /** @returns the id that EventBridge gives it */
  #deliver(entry: Entry): string {
    const { scheduler, random, queues, trace, plan, sabotage } = this.#world;
    const id = random.uuid();
    const envelope = {
      version: '0',
      id,
      'detail-type': entry.DetailType,
      source: entry.Source,
      account: '000000000000',
      time: new Date(entry.Time === undefined ? scheduler.now : entry.Time * 1000)
        .toISOString()
        .replace(/\.\d+Z$/, 'Z'),
      region: 'us-east-1',
      resources: [],
    };
    const body = `${JSON.stringify(envelope).slice(0, -1)},"detail":${entry.Detail}}`;
    for (const { queue, matches } of this.#rules.get(ruleKey(entry.EventBusName ?? DOMAIN_BUS, entry.DetailType)) ??
      []) {
      if (!matches({ detail: JSON.parse(entry.Detail) })) continue;
      if (sabotage.losesTarget?.(entry.DetailType, queue)) continue;
      // EventBridge tries for a day: what is lost on the way is sent again, later.
      let delay = random.chance(plan.faults.length > 0 ? 0.1 : 0) ? random.between(100, 5_000) : random.between(5, 80);
      let times = 1;
      for (const { what, amount } of this.#world.faultsAt('delivery')) {
        if (what === 'delivered twice') times = 2;
        else delay += amount;
        const how = what === 'delayed' ? `comes ${Math.round(amount / 1000)} s late to` : 'is delivered twice to';
        trace.fault('bus', `${entry.DetailType} ${how} ${queue}`);
      }
      for (let time = 0; time < times; time += 1) {
        // Two that come together are handled at once, and two that do not one after the other.
        const apart = random.chance(0.6) ? random.between(0, 30) : random.between(0, 3_000);
        scheduler.after(delay + time * apart, () => queues.send(queue, { body }));
      }
    }
    return id;
  }
}

function ruleKey(bus: string, detailType: string): string {
  return `${bus} ${detailType}`;
}
