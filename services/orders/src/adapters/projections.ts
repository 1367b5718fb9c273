import { documentClient, EmittedEvents } from '@millrace/event-store';
import { ProjectionReader, ProjectionTable, Projector } from '@millrace/projections';
import * as projections from '../../projections/index.ts';
import { streamOf } from './orders.ts';

/**
 * What keeps the read models in MILLRACE_PROJECTIONS_TABLE up to date, from events and from the streams in MILLRACE_TABLE.
 * @throws Error when one of them is not set
 */
export function projectorFromEnvironment({ MILLRACE_TABLE: tableName } = process.env): Projector {
  if (!tableName) throw new Error("MILLRACE_TABLE must be the name of the service's table");
  const table = tableFromEnvironment();
  const history = { emitted: new EmittedEvents(table.client, tableName), streamOf };
  return new Projector(table, Object.values(projections), history);
}

/** Reads the read models in MILLRACE_PROJECTIONS_TABLE. @throws Error when it is not set */
export function projectionReaderFromEnvironment(): ProjectionReader {
  return new ProjectionReader(tableFromEnvironment());
}

function tableFromEnvironment({ MILLRACE_PROJECTIONS_TABLE: tableName } = process.env): ProjectionTable {
  if (!tableName) throw new Error("MILLRACE_PROJECTIONS_TABLE must be the name of the projections' table");
  return new ProjectionTable(documentClient(), tableName);
}
