import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import type { Clock } from '../../core/clock.ts';
import type { Operations } from '../../core/service.ts';
import { checkInput, required, structure, text } from '../../core/shapes.ts';
import { checkTable, type Table } from './table.ts';

interface Database {
  readonly Name: string;
  readonly [member: string]: unknown;
}

// Athena takes no other characters. https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html
const databaseInput = structure({
  Name: required(text({ min: 1, max: 255, pattern: /^[a-z0-9_]+$/ })),
  Description: text({ max: 2048 }),
  LocationUri: text({ min: 1, max: 1024 }),
});
const TABLE_NAME = /^[a-z0-9_]{1,255}$/;

/** The databases and tables that templates declare. */
export class Catalog {
  readonly #databases = new Map<string, Database>();
  /** By database and name. */
  readonly #tables = new Map<string, Table & { CreateTime: number }>();
  readonly #clock: Clock;
  readonly #catalogId: string;

  constructor({ clock, accountId }: { clock: Clock; accountId: string }) {
    this.#clock = clock;
    this.#catalogId = accountId;
  }

  /** @throws AwsError ValidationException, AlreadyExistsException */
  addDatabase(input: Input): void {
    checkInput(databaseInput, input);
    const database = { ...input, CreateTime: this.#now(), CatalogId: this.#catalogId } as unknown as Database;
    if (this.#databases.has(database.Name)) throw exists(`Database ${database.Name}`);
    this.#databases.set(database.Name, database);
  }

  /** @throws AwsError EntityNotFoundException, AlreadyExistsException, and those of `checkTable` */
  addTable(databaseName: string, input: Input): void {
    this.#database(databaseName);
    checkTable(input);
    const { Name } = input as unknown as Table;
    if (!TABLE_NAME.test(Name)) {
      throw new AwsError('InvalidInputException', `The name ${Name} must be lowercase letters, digits and underscores`);
    }
    const key = `${databaseName}.${Name}`;
    if (this.#tables.has(key)) throw exists(`Table ${Name} in the database ${databaseName}`);
    const table = { ...input, DatabaseName: databaseName, CatalogId: this.#catalogId, CreateTime: this.#now() };
    this.#tables.set(key, table as unknown as Table & { CreateTime: number });
  }

  hasDatabase(name: string): boolean {
    return this.#databases.has(name);
  }

  /** The part of the API that reads. https://docs.aws.amazon.com/glue/latest/webapi/API_Operations.html */
  get operations(): Operations {
    return {
      GetDatabase: ({ Name }) => ({ Database: this.#database(String(Name)) }),
      GetDatabases: () => ({ DatabaseList: [...this.#databases.values()] }),
      GetTable: ({ DatabaseName, Name }) => ({ Table: this.#table(String(DatabaseName), String(Name)) }),
      GetTables: ({ DatabaseName, Expression }) => ({ TableList: this.#tablesOf(String(DatabaseName), Expression) }),
      // With partition projection Athena computes partitions; the catalog has none.
      GetPartitions: ({ DatabaseName, TableName }) => {
        this.#table(String(DatabaseName), String(TableName));
        return { Partitions: [] };
      },
    };
  }

  /** What a console shows. */
  summary(): object[] {
    return [...this.#tables.values()].map(({ DatabaseName, Name, StorageDescriptor }) => ({
      ...{ database: DatabaseName, table: Name, location: StorageDescriptor?.Location },
    }));
  }

  #database(name: string): Database {
    const database = this.#databases.get(name);
    if (!database) throw new AwsError('EntityNotFoundException', `Database ${name} not found.`);
    return database;
  }

  #table(databaseName: string, name: string): Table {
    this.#database(databaseName);
    const table = this.#tables.get(`${databaseName}.${name}`);
    if (!table) throw new AwsError('EntityNotFoundException', `Table ${name} not found.`);
    return table;
  }

  #tablesOf(databaseName: string, expression: unknown): Table[] {
    this.#database(databaseName);
    const pattern = patternOf(expression);
    return [...this.#tables.values()].filter(
      ({ DatabaseName, Name }) => DatabaseName === databaseName && pattern.test(Name),
    );
  }

  #now(): number {
    return this.#clock.now() / 1000;
  }
}

function patternOf(expression: unknown): RegExp {
  try {
    return new RegExp(expression === undefined ? '' : `^(?:${String(expression)})$`);
  } catch {
    throw new AwsError('InvalidInputException', `Expression is not a regular expression: ${String(expression)}`);
  }
}

function exists(what: string): AwsError {
  return new AwsError('AlreadyExistsException', `${what} already exists.`);
}
