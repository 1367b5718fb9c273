import type { Projection } from '../projection.ts';
import { funnel } from './funnel.ts';
import { orders } from './orders.ts';
import { revenue } from './revenue.ts';
import { skus } from './skus.ts';

/** Every dimension. A new one is a file and a line here. */
export const projections: readonly Projection[] = [orders, revenue, funnel, skus];

/** Every event that some dimension measures, as serverless.yml lists them. */
export const measuredContracts = [...new Set(projections.flatMap(({ contracts }) => contracts))];
