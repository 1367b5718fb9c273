import type { ConsumerSettings } from './consume-options.ts';
import type { KnownEvent } from './event-names.ts';
import type { ConsumerNames } from './names.ts';
import type { Platform } from './platform.ts';

/** One `consume` with everything its resources are made of. */
export interface Consumer {
  /** Prefix of the logical ids: `OnOrderPlaced`. */
  id: string;
  /** Logical id of the function. */
  functionId: string;
  /** Where it stands in serverless.yml. */
  key: string;
  /** `inventory.onOrderPlaced`, as consumers call themselves in logs, inbox marks and dead letters. */
  name: string;
  names: ConsumerNames;
  settings: ConsumerSettings;
  events: KnownEvent[];
  platform: Platform;
}
