import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Finds messages that an older version of Millrace has left in a data directory, in a form that is no longer read.
 *
 * @returns one line about them; undefined when there are none
 * @example findOlderMessages('.millrace/data') // '3 messages in … are of an older version …'
 */
export function findOlderMessages(dataDirectory: string): string | undefined {
  const path = join(dataDirectory, 'fauxqs', 'fauxqs.db');
  if (!existsSync(path)) return undefined;
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const hasTable = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'sqs_messages'").get();
    const row = hasTable && database.prepare('SELECT count(*) AS count FROM sqs_messages').get();
    const count = Number(row?.count ?? 0);
    if (count === 0) return undefined;
    return (
      `${count === 1 ? '1 message' : `${count} messages`} in ${path} are of an older version of Millrace and are not delivered. ` +
      'Handle them with that version, or start with another --data-dir'
    );
  } finally {
    database.close();
  }
}
