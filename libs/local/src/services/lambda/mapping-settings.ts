import type { Clock } from '../../core/clock.ts';
import type {
  EventSourceMappingConfiguration,
  EventSourceMappingProperties,
  EventSourceMappingSettings,
} from './event-source-mapping.ts';
import { Polling } from './polling.ts';

export interface MappingSettingsOptions {
  clock: Clock;
  properties: EventSourceMappingProperties;
  /**
   * Checks settings, and compiles their filter.
   * @throws AwsError for settings that Lambda would refuse
   */
  compile: (settings: EventSourceMappingSettings) => (record: object) => boolean;
  /** Polls until the signal aborts, and ends when nothing it started is under way any more. */
  poll: (signal: AbortSignal) => Promise<void>;
}

/** The settings of an event source mapping, and the polling that they switch on and off. */
export class MappingSettings {
  readonly #options: MappingSettingsOptions;
  readonly #polling: Polling;
  #current: EventSourceMappingSettings;
  #passes: (record: object) => boolean;
  #lastModified: number;

  /** @throws AwsError for settings that Lambda would refuse */
  constructor(options: MappingSettingsOptions) {
    const { EventSourceArn: _source, FunctionName: _function, positionOf: _position, ...settings } = options.properties;
    this.#options = options;
    this.#polling = new Polling(options.poll);
    this.#passes = options.compile(settings);
    this.#current = settings;
    this.#lastModified = options.clock.now();
  }

  get current(): Readonly<EventSourceMappingSettings> {
    return this.#current;
  }

  /** True if a record passes the filter. */
  passes(record: object): boolean {
    return this.#passes(record);
  }

  /** The settings that were given, and what is known of the polling. */
  configuration(): Omit<EventSourceMappingConfiguration, 'UUID' | 'EventSourceArn' | 'FunctionArn'> {
    const { Enabled: _enabled, ...settings } = this.#current;
    return {
      ...settings,
      State: this.#polling.state,
      StateTransitionReason: 'USER_INITIATED',
      LastModified: this.#lastModified / 1000,
    };
  }

  /** Starts polling, unless the mapping is disabled. */
  start(): void {
    void this.#apply();
  }

  /**
   * Changes settings; a mapping that is disabled by it finishes the batches under way.
   * @throws AwsError for settings that Lambda would refuse: nothing is changed then
   */
  async change(changes: EventSourceMappingSettings): Promise<void> {
    const settings = { ...this.#current, ...changes };
    this.#passes = this.#options.compile(settings);
    this.#current = settings;
    this.#lastModified = this.#options.clock.now();
    await this.#apply();
  }

  /** Stops polling, and waits for the batches under way. */
  async stop(): Promise<void> {
    await this.#polling.set(false);
  }

  #apply(): Promise<void> {
    return this.#polling.set(this.#current.Enabled !== false);
  }
}
