import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { GroupCommit } from '../../../core/group-commit.ts';
import { openDatabase, transaction } from '../../../core/sqlite.ts';
import type { DeduplicationEntry } from '../engine/deduplication.ts';
import type { Journal, QueueRecord, StoredMessage, StoredState } from '../engine/journal.ts';
import type { Message, MessageContent } from '../engine/message.ts';
import type { MoveTaskState } from '../engine/move-task.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS queues (uid INTEGER PRIMARY KEY, record TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS messages (
    uid INTEGER PRIMARY KEY,
    queue INTEGER NOT NULL,
    content TEXT NOT NULL,
    receives INTEGER NOT NULL,
    first_received_at INTEGER,
    received_at INTEGER,
    visible_at INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS deduplication (
    queue INTEGER NOT NULL, key TEXT NOT NULL, entry TEXT NOT NULL, sent_at INTEGER NOT NULL, PRIMARY KEY (queue, key)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS move_tasks (id TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
`;

type MessageChange = { message: Message; queueUid: number; kind: 'insert' | 'update' | 'remove' };

/**
 * Keeps queues in an SQLite file. What changes in one turn of the event loop is one transaction, so a thousand messages that
 * are sent at once cost one commit; their senders are answered after it. A commit survives the end of this process,
 * however it ends: the file is in WAL mode and the system has what was written. https://sqlite.org/wal.html
 *
 * @example const journal = new SqliteJournal(dataDirectory);
 */
export class SqliteJournal implements Journal {
  readonly #database: DatabaseSync;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #messages = new Map<number, MessageChange>();
  /** Changes of everything else, in their order. */
  #others: (() => void)[] = [];
  readonly #commits = new GroupCommit(() => this.#commit());

  /** @throws FolderError when the directory cannot be made or written */
  constructor(dataDirectory: string) {
    this.#database = openDatabase(dataDirectory, 'sqs.db', SCHEMA);
    this.#statements = prepare(this.#database);
  }

  saveQueue(record: QueueRecord): void {
    const text = JSON.stringify(record);
    this.#later(() => this.#statements.saveQueue.run(record.uid, text));
  }

  removeQueue(queueUid: number): void {
    this.#later(() => {
      this.#statements.removeQueue.run(queueUid);
      this.#statements.removeMessagesOf.run(queueUid);
      this.#statements.removeDeduplicationOf.run(queueUid);
    });
  }

  insertMessage(queueUid: number, message: Message): void {
    this.#messages.set(message.uid, { message, queueUid, kind: 'insert' });
    this.#commits.schedule();
  }

  updateMessage(message: Message): void {
    // One that is still to be inserted is inserted as it is then.
    if (!this.#messages.has(message.uid)) this.#messages.set(message.uid, { message, queueUid: 0, kind: 'update' });
    this.#commits.schedule();
  }

  removeMessage(message: Message): void {
    if (this.#messages.get(message.uid)?.kind === 'insert') this.#messages.delete(message.uid);
    else this.#messages.set(message.uid, { message, queueUid: 0, kind: 'remove' });
    this.#commits.schedule();
  }

  saveDeduplication(queueUid: number, key: string, entry: DeduplicationEntry): void {
    this.#later(() => this.#statements.saveDeduplication.run(queueUid, key, JSON.stringify(entry), entry.sentAt));
  }

  removeDeduplication(queueUid: number, key: string): void {
    this.#later(() => this.#statements.removeDeduplication.run(queueUid, key));
  }

  saveTask(task: MoveTaskState): void {
    const text = JSON.stringify(task);
    this.#later(() => this.#statements.saveTask.run(task.id, text));
  }

  removeTask(id: string): void {
    this.#later(() => this.#statements.removeTask.run(id));
  }

  committed(): Promise<void> | undefined {
    return this.#commits.pending;
  }

  load(): StoredState {
    const all = <Row>(sql: string): Row[] => this.#database.prepare(sql).all() as Row[];
    const queues = all<{ record: string }>('SELECT record FROM queues ORDER BY uid');
    const messages = all<MessageRow>('SELECT * FROM messages ORDER BY uid');
    const deduplication = all<{ queue: number; key: string; entry: string }>(
      'SELECT queue, key, entry FROM deduplication ORDER BY sent_at',
    );
    const tasks = all<{ state: string }>('SELECT state FROM move_tasks');
    return {
      queues: queues.map(({ record }) => JSON.parse(record) as QueueRecord),
      messages: messages.map(storedMessage),
      deduplication: deduplication.map(({ queue, key, entry }) => ({
        queueUid: queue,
        key,
        entry: JSON.parse(entry) as DeduplicationEntry,
      })),
      tasks: tasks.map(({ state }) => JSON.parse(state) as MoveTaskState),
    };
  }

  /** Commits what is left, and closes the file. */
  async close(): Promise<void> {
    if (!this.#database.isOpen) return;
    this.#commits.flush();
    this.#database.close();
  }

  #later(change: () => void): void {
    this.#others.push(change);
    this.#commits.schedule();
  }

  #commit(): void {
    if (this.#messages.size === 0 && this.#others.length === 0) return;
    // After a failure the changes stay, and are written with the next ones.
    transaction(this.#database, () => {
      for (const change of this.#messages.values()) this.#write(change);
      for (const change of this.#others) change();
    });
    this.#messages.clear();
    this.#others = [];
  }

  #write({ message, queueUid, kind }: MessageChange): void {
    const { uid, receives, firstReceivedAt = null, receivedAt = null, visibleAt } = message;
    const { insertMessage, updateMessage, removeMessage } = this.#statements;
    if (kind === 'remove') removeMessage.run(uid);
    else if (kind === 'update') updateMessage.run(receives, firstReceivedAt, receivedAt, visibleAt, uid);
    else insertMessage.run(uid, queueUid, textOf(message), receives, firstReceivedAt, receivedAt, visibleAt);
  }
}

function prepare(database: DatabaseSync) {
  const statement = (sql: string): StatementSync => database.prepare(sql);
  return {
    saveQueue: statement('INSERT OR REPLACE INTO queues VALUES (?, ?)'),
    removeQueue: statement('DELETE FROM queues WHERE uid = ?'),
    removeMessagesOf: statement('DELETE FROM messages WHERE queue = ?'),
    removeDeduplicationOf: statement('DELETE FROM deduplication WHERE queue = ?'),
    insertMessage: statement('INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?)'),
    updateMessage: statement(
      'UPDATE messages SET receives = ?, first_received_at = ?, received_at = ?, visible_at = ? WHERE uid = ?',
    ),
    removeMessage: statement('DELETE FROM messages WHERE uid = ?'),
    saveDeduplication: statement('INSERT OR REPLACE INTO deduplication VALUES (?, ?, ?, ?)'),
    removeDeduplication: statement('DELETE FROM deduplication WHERE queue = ? AND key = ?'),
    removeTask: statement('DELETE FROM move_tasks WHERE id = ?'),
    saveTask: statement('INSERT OR REPLACE INTO move_tasks VALUES (?, ?)'),
  };
}

/** What of a message never changes, without what is undefined. */
function textOf(message: Message): string {
  const { messageId, body, bodyMd5, attributes, traceHeader, senderId, groupId, deduplicationId } = message;
  const { sentAt, arrivedAt, receivesBefore, deadLetterSourceArn } = message;
  const content: MessageContent = {
    ...{ messageId, body, bodyMd5, attributes, traceHeader, senderId, groupId, deduplicationId },
    ...{ sentAt, arrivedAt, receivesBefore, deadLetterSourceArn },
  };
  return JSON.stringify(content);
}

interface MessageRow {
  uid: number;
  queue: number;
  content: string;
  receives: number;
  first_received_at: number | null;
  received_at: number | null;
  visible_at: number;
}

function storedMessage(row: MessageRow): StoredMessage {
  return {
    queueUid: row.queue,
    uid: row.uid,
    content: JSON.parse(row.content) as MessageContent,
    progress: {
      receives: row.receives,
      firstReceivedAt: row.first_received_at ?? undefined,
      receivedAt: row.received_at ?? undefined,
      visibleAt: row.visible_at,
    },
  };
}
