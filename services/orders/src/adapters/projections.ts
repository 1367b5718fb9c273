import { EmittedEvents, tableFromEnvironment } from '@millrace/event-store';
import { ProjectionReader, ProjectionTable, Projector } from '@millrace/projections';
import * as projections from '../../projections/index.ts';
import { streamOf } from './orders.ts';

/**
 * What keeps the read models in MILLRACE_PROJECTIONS_TABLE up to date, from events and from the streams in MILLRACE_TABLE.
 * @throws ConfigurationError when one of them is not set
 */
export function projectorFromEnvironment(): Projector {
  const { client, name } = tableFromEnvironment();
  const history = { emitted: new EmittedEvents(client, name), streamOf };
  return new Projector(projectionTable(), Object.values(projections), history);
}

/** Reads the read models in MILLRACE_PROJECTIONS_TABLE. @throws ConfigurationError when it is not set */
export function projectionReaderFromEnvironment(): ProjectionReader {
  return new ProjectionReader(projectionTable());
}

function projectionTable(): ProjectionTable {
  const { client, name } = tableFromEnvironment('MILLRACE_PROJECTIONS_TABLE');
  return new ProjectionTable(client, name);
}
