import { openDatabase } from '../../core/sqlite.ts';
import type { Checkpoints } from './shard-checkpoint.ts';

/**
 * How far the streams have been read, kept in a data directory: a restart goes on where the last run ended.
 *
 * @returns the checkpoints and a function that closes their file
 */
export function openCheckpoints(dataDirectory: string): { checkpoints: Checkpoints; close: () => void } {
  const schema = 'CREATE TABLE IF NOT EXISTS checkpoints (key TEXT PRIMARY KEY, value TEXT NOT NULL)';
  const database = openDatabase(dataDirectory, 'checkpoints.db', schema);
  const load = database.prepare('SELECT value FROM checkpoints WHERE key = ?');
  const save = database.prepare('INSERT OR REPLACE INTO checkpoints (key, value) VALUES (?, ?)');
  return {
    checkpoints: {
      load: async (key) => load.get(key)?.value as string | undefined,
      save: async (key, value) => {
        save.run(key, value);
      },
    },
    close: () => database.close(),
  };
}
