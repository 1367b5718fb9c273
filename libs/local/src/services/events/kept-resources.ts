import type { ApiDestinations } from './api-destinations/api-destinations.ts';
import type { Connections } from './api-destinations/connections.ts';
import type { ArchiveStore } from './archive-store.ts';
import type { Archives } from './archives.ts';
import type { EventBuses } from './event-buses.ts';
import type { Input } from './request-parameters.ts';
import type { KeptRule, Rules } from './rules.ts';

/** A connection or an API destination: the input that creates it, and the last part of its ARN. */
interface Kept {
  readonly name: string;
  readonly id: string;
  readonly input: Input;
}

/** What callers of the API have created, as the inputs that create it again. */
interface KeptState {
  readonly buses: readonly Input[];
  /** By the name of the bus. */
  readonly policies: Readonly<Record<string, string>>;
  readonly rules: readonly KeptRule[];
  readonly archives: readonly Input[];
  readonly connections: readonly Kept[];
  readonly destinations: readonly Kept[];
}

export interface Keepers {
  buses: EventBuses;
  rules: Rules;
  archives: Archives;
  connections: Connections;
  destinations: ApiDestinations;
}

type Kind = 'bus' | 'policy' | 'rule' | 'archive' | 'connection' | 'destination';

/**
 * Keeps over restarts what callers of the API have created. Resources of templates are not kept: the templates create them at each
 * start, and take the place of a kept one of the same name.
 */
export class KeptResources {
  readonly #store: Pick<ArchiveStore, 'resources' | 'saveResources'>;
  readonly #of: Keepers;
  readonly #warn: (line: string) => void;
  readonly #declared = new Set<string>();

  constructor(store: Pick<ArchiveStore, 'resources' | 'saveResources'>, of: Keepers, warn: (line: string) => void) {
    this.#store = store;
    this.#of = of;
    this.#warn = warn;
  }

  /** A template has a resource of that name. */
  declare(kind: Kind, name: string): void {
    this.#declared.add(`${kind} ${name}`);
  }

  /** Has the buses there that the rules of templates may be on. */
  restoreBuses(): void {
    for (const input of this.#kept().buses) this.#of.buses.createEventBus(input);
  }

  /** Has everything else there, once the templates have made theirs. What cannot be there any more is warned of. */
  restore(): void {
    const { buses, rules, archives, connections, destinations } = this.#of;
    const kept = this.#kept();
    for (const [busName, Policy] of Object.entries(kept.policies)) {
      this.#restore('policy', busName, () => buses.putPermission({ EventBusName: busName, Policy }));
    }
    for (const { name, id, input } of kept.connections) {
      this.#restore('connection', name, () => connections.createConnection(input, id));
    }
    for (const { name, id, input } of kept.destinations) {
      this.#restore('destination', name, () => destinations.createApiDestination(input, id));
    }
    for (const input of kept.archives) {
      this.#restore('archive', String(input.ArchiveName), () => archives.createArchive(input));
    }
    for (const rule of kept.rules) this.#restore('rule', `${rule.busName}/${rule.name}`, () => rules.restore(rule));
  }

  /** Keeps what is there now. */
  save(): void {
    const { buses, rules, archives, connections, destinations } = this.#of;
    const kept = <Item>(kind: Kind, items: Iterable<Item>, nameOf: (item: Item) => string): Item[] =>
      [...items].filter((item) => !this.#declared.has(`${kind} ${nameOf(item)}`));
    const state: KeptState = {
      buses: kept('bus', buses.kept(), ({ Name }) => String(Name)),
      policies: Object.fromEntries(kept('policy', Object.entries(buses.policies()), ([name]) => name)),
      rules: kept('rule', rules.kept(), ({ busName, name }) => `${busName}/${name}`),
      archives: kept('archive', archives.kept(), ({ ArchiveName }) => String(ArchiveName)),
      connections: kept('connection', connections.kept(), ({ name }) => name),
      destinations: kept('destination', destinations.kept(), ({ name }) => name),
    };
    this.#store.saveResources(state);
  }

  #kept(): KeptState {
    const nothing = { buses: [], policies: {}, rules: [], archives: [], connections: [], destinations: [] };
    return { ...nothing, ...(this.#store.resources() as Partial<KeptState> | undefined) };
  }

  #restore(kind: Kind, name: string, create: () => void): void {
    if (this.#declared.has(`${kind} ${name}`)) return;
    try {
      create();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#warn(`The ${kind} ${name} of an earlier start is lost: ${reason}`);
    }
  }
}
