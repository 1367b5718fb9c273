import { tableFromEnvironment } from '@millrace/event-store';
import { ProjectionReader, ProjectionTable, Projector } from '@millrace/projections';
import * as projections from '../../projections/index.ts';

/** Keeps the read models in MILLRACE_PROJECTIONS_TABLE up to date, from events alone. @throws ConfigurationError when it is not set */
export function projectorFromEnvironment(): Projector {
  return new Projector(projectionTable(), Object.values(projections));
}

/** Reads the read models in MILLRACE_PROJECTIONS_TABLE. @throws ConfigurationError when it is not set */
export function projectionReaderFromEnvironment(): ProjectionReader {
  return new ProjectionReader(projectionTable());
}

function projectionTable(): ProjectionTable {
  const { client, name } = tableFromEnvironment('MILLRACE_PROJECTIONS_TABLE');
  return new ProjectionTable(client, name);
}
