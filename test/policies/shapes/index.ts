import type { TypeShape } from '../shape.ts';
import { functions } from './functions.ts';
import { http } from './http.ts';
import { lake } from './lake.ts';
import { messaging } from './messaging.ts';
import { operations } from './operations.ts';
import { storage } from './storage.ts';

/** How a resource may look, by its type. A type that is not here may not be deployed. */
export const shapes: Readonly<Record<string, TypeShape>> = {
  ...functions,
  ...http,
  ...lake,
  ...messaging,
  ...operations,
  ...storage,
};
