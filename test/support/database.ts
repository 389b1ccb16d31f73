import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Client } from 'pg';
import pino from 'pino';
import { parseSettings } from '../../src/config/settings';
import { type Manners, ServiceDataSource } from '../../src/database/data-source';

/** A database of the run's server that nobody else uses. */
export interface TestDatabase {
  /** Settings with which the service uses it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Of its server. */
  readonly socket: string;
  /** Runs a statement, or several if there are no parameters. */
  query<Row = unknown>(sql: string, parameters?: unknown[]): Promise<Row[]>;
  /** Begins a transaction that holds what a statement locks, on a connection of its own. */
  hold(sql: string): Promise<Hold>;
  drop(): Promise<void>;
}

/** One that the service uses as another role than the migrations. */
export interface MigratedDatabase extends TestDatabase {
  /** Settings with which the migrations run on it. */
  readonly owner: Readonly<Record<string, string>>;
}

/** A start gate: others wait behind a lock, and all go at once. */
export interface Hold {
  /** How many connections wait for a lock. */
  waiting(): Promise<number>;
  /** Runs a statement in that transaction. */
  query(sql: string, parameters?: unknown[]): Promise<void>;
  release(): Promise<void>;
}

function connection(database: string): {
  host: string;
  user: string;
  password: string;
  database: string;
} {
  const { TEST_PG_HOST: host = '', TEST_PG_PASSWORD: password = '' } = process.env;
  return { host, user: 'postgres', password, database };
}

async function asAdministrator(sql: string): Promise<void> {
  const client = new Client(connection('postgres'));
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** An empty database. */
export async function createDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asAdministrator(`CREATE DATABASE ${name}`);
  const { host, user, password } = connection(name);
  const client = new Client(connection(name));
  // Dropped with force: the end of the connection is no error then.
  client.on('error', () => undefined);
  await client.connect();
  const holders: Client[] = [];
  return {
    environment: { INSTANCE_HOST: host, DB_USER: user, DB_PASS: password, DB_NAME: name },
    socket: join(host, '.s.PGSQL.5432'),
    async query<Row>(sql: string, parameters?: unknown[]) {
      const result = await client.query(sql, parameters);
      return result.rows as Row[];
    },
    async hold(sql) {
      const holder = new Client(connection(name));
      holder.on('error', () => undefined);
      await holder.connect();
      await holder.query('BEGIN');
      await holder.query(sql);
      holders.push(holder);
      return {
        async waiting() {
          // By the other connection: within a transaction, what it sees stays the same.
          const { rows } = await client.query<{ count: number }>(
            `SELECT count(*)::int FROM pg_stat_activity
              WHERE datname = current_database() AND wait_event_type = 'Lock'`,
          );
          return rows[0]?.count ?? 0;
        },
        async query(statement, parameters) {
          await holder.query(statement, parameters);
        },
        async release() {
          await holder.query('COMMIT');
          await holder.end();
        },
      };
    },
    async drop() {
      // Those that a test has not released, because it failed.
      await Promise.all([client, ...holders].map((one) => one.end()));
      await asAdministrator(`DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

/** The data source of the service on this database, connected. */
export async function openDataSource(
  { environment }: Pick<TestDatabase, 'environment'>,
  manners?: Manners,
): Promise<ServiceDataSource> {
  const dataSource = await ServiceDataSource.open(
    parseSettings(environment),
    pino({ level: 'silent' }),
    manners,
  );
  await dataSource.initialize();
  return dataSource;
}

/** A database with every migration, which the service uses as a role of its own. */
export async function createMigratedDatabase(): Promise<MigratedDatabase> {
  const database = await createDatabase();
  const DB_SERVICE_ROLE = 'test_service';
  const owner = { ...database.environment, DB_SERVICE_ROLE };
  const dataSource = await openDataSource({ environment: owner });
  await dataSource.runMigrations();
  await dataSource.destroy();
  return { ...database, environment: { ...database.environment, DB_USER: DB_SERVICE_ROLE }, owner };
}

/** Columns and constraints of the table of accounts. */
export async function tableOfUsers(database: TestDatabase): Promise<unknown[]> {
  return [
    await database.query(
      `SELECT attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid)
         FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE attrelid = '"user"'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
    ),
    await database.query(
      `SELECT conname, pg_get_constraintdef(oid)
         FROM pg_constraint WHERE conrelid = '"user"'::regclass ORDER BY 1`,
    ),
  ];
}
