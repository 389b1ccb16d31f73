import { setTimeout as delay } from 'node:timers/promises';
import { QueryFailedError } from 'typeorm';
import { MIGRATIONS, SERVICE_NAME, type ServiceDataSource } from '../database/data-source';
import { databaseErrorCode, isDatabaseUnavailable } from '../database/database-errors';
import { MIGRATIONS_TABLE } from '../database/migrations-table';
import { User } from '../user/user.entity';

/** Between two tries, so that those who waited have their turn. */
const PAUSE_MS = [200, 1000] as const;
/** How long it is worth trying while somebody holds the table. */
const PATIENCE_MS = 10 * 60 * 1000;

/** What the table of accounts had before. */
const REFERENCE_COLUMNS = ['id', 'email', 'password', 'username'];

/** What would be lost if everything were taken back. */
export interface Losses {
  /** Logins that are alive; their tokens open the FastAPI backend until they expire. */
  readonly sessions: number;
  readonly refreshTokens: number;
  /** Accounts whose hash is none that passlib's `CryptContext(["bcrypt"])` verifies. */
  readonly lockedOut: number;
  /** Accounts that are disabled here, where the FastAPI backend knows nothing of it. */
  readonly disabled: number;
  /** Accounts whose address is confirmed. */
  readonly verified: number;
  /** Events of the audit trail. */
  readonly events: number;
}

/** Something that cannot be done now; the message says why, and what to do. */
export class TakeoverError extends Error {
  override readonly name = 'TakeoverError';
}

/**
 * Runs what is pending, one migration at a time. Nobody waits for it longer than an instant: it gives
 * way to whoever has the table, and tries again.
 *
 * @param say hears of every migration that is done, and of who is in the way
 * @throws TakeoverError when somebody was in the way all the time
 */
export async function runTakeover(
  dataSource: ServiceDataSource,
  say: (line: string) => void,
): Promise<void> {
  await dataSource.withMigrationLock(async () => {
    const reported = new Set<string>();
    await givingWay(dataSource, say, async () => {
      const pending = await dataSource.pendingMigrations();
      try {
        await dataSource.runMigrations();
      } finally {
        const left = await dataSource.pendingMigrations();
        for (const { name } of pending) {
          if (left.some((one) => one.name === name) || reported.has(name)) continue;
          reported.add(name);
          say(`done: ${name}`);
        }
      }
    });
  }, sayThatItWaits(say));
}

/** Counts what `takeBack` would lose. */
export async function lossesOf(dataSource: ServiceDataSource): Promise<Losses> {
  const count = async (table: string, column: string, condition: string): Promise<number> => {
    const [exists] = await dataSource.query<unknown[]>(
      'SELECT FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = $2',
      [`"${table}"`, column],
    );
    if (exists === undefined) return 0;
    const [row] = await dataSource.query<[{ count: number }]>(
      `SELECT count(*)::int AS count FROM "${table}" WHERE ${condition}`,
    );
    return row.count;
  };
  return {
    sessions: await count('user_session', 'expires_at', 'expires_at > now()'),
    refreshTokens: await count('refresh_token', 'used_at', 'used_at IS NULL'),
    disabled: await count('user', 'disabled_at', 'disabled_at IS NOT NULL'),
    verified: await count('user', 'email_verified_at', 'email_verified_at IS NOT NULL'),
    events: await count('audit_event', 'id', 'true'),
    lockedOut: await count(
      'user',
      'password',
      String.raw`password !~ '^\$2[abxy]\$[0-9]{2}\$.{53}$'`,
    ),
  };
}

/**
 * Takes back every migration but the first, and the list of them: what is left is what was there
 * before, and what users have changed in it.
 *
 * @returns whether there was anything to take back
 * @throws TakeoverError when a later version of the service has been here, or somebody was in the way
 */
export async function takeBack(
  dataSource: ServiceDataSource,
  say: (line: string) => void,
): Promise<boolean> {
  return dataSource.withMigrationLock(async () => {
    const [list] = await dataSource.query<unknown[]>(
      'SELECT FROM pg_class WHERE oid = to_regclass($1)',
      [MIGRATIONS_TABLE],
    );
    if (list === undefined) return false;
    await assertNobodyNeedsIt(dataSource);
    const executed = await dataSource.executedMigrations();
    const unknown = executed.filter(({ name }) => !MIGRATIONS.some((known) => known.name === name));
    if (unknown.length > 0) {
      throw new TakeoverError(
        `A later version of the service was here (${unknown.map(({ name }) => name).join(', ')}): use that one to go back`,
      );
    }
    await givingWay(dataSource, say, async () => {
      for (;;) {
        // Newest first.
        const [latest, ...earlier] = await dataSource.executedMigrations();
        if (latest === undefined || earlier.length === 0) break;
        await dataSource.undoLastMigration();
        say(`taken back: ${latest.name}`);
      }
      // The first has adopted the table of accounts, and changed nothing.
      await dataSource.query(`DROP TABLE ${MIGRATIONS_TABLE}`);
    });
    return true;
  }, sayThatItWaits(say));
}

function sayThatItWaits(say: (line: string) => void): () => void {
  return () => {
    say('waiting: somebody else is changing the schema');
  };
}

/** @throws TakeoverError while the service is at work, or something else depends on what was added */
export async function assertNobodyNeedsIt(dataSource: ServiceDataSource): Promise<void> {
  const [{ connections }] = await dataSource.query<[{ connections: number }]>(
    `SELECT count(*)::int AS connections FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = $1`,
    [SERVICE_NAME],
  );
  if (connections > 0) {
    throw new TakeoverError(
      `The service is running (${String(connections)} connections): stop it first. Nothing was changed`,
    );
  }
  const tables = dataSource.entityMetadatas.map(({ tableName }) => tableName);
  const columns = dataSource
    .getMetadata(User)
    .columns.map(({ databaseName }) => databaseName)
    .filter((name) => !REFERENCE_COLUMNS.includes(name));
  const dependants = await dataSource.query<{ name: string }[]>(
    `SELECT DISTINCT r.ev_class::regclass::text AS name
       FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
       JOIN pg_class c ON d.refclassid = 'pg_class'::regclass AND c.oid = d.refobjid
       LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid AND d.refobjsubid > 0
      WHERE c.relnamespace = current_schema()::regnamespace
        AND (c.relname = ANY ($1) AND c.relname <> 'user' OR c.relname = 'user' AND a.attname = ANY ($2))
     UNION
     SELECT conrelid::regclass::text FROM pg_constraint JOIN pg_class c ON c.oid = confrelid
      WHERE contype = 'f' AND c.relnamespace = current_schema()::regnamespace
        AND c.relname = ANY ($1) AND c.relname <> 'user' AND conrelid::regclass::text <> ALL ($1)`,
    [tables, columns],
  );
  if (dependants.length > 0) {
    throw new TakeoverError(
      `Something depends on what would be taken back (${dependants.map(({ name }) => name).join(', ')}): drop it first. Nothing was changed`,
    );
  }
}

/** Does something again and again until nobody is in the way. */
async function givingWay(
  dataSource: ServiceDataSource,
  say: (line: string) => void,
  work: () => Promise<void>,
): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  let said = '';
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      // Gave up on a lock, or on time, or lost its connection. If that is not all, the next question
      // to the database says so.
      if (!isDatabaseUnavailable(error)) {
        // Of a statement that changes the schema, the message names things and no people.
        throw error instanceof QueryFailedError
          ? new TakeoverError(
              `PostgreSQL refuses a step: ${error.message} (${databaseErrorCode(error)}). What is done is done; mend that, and do this again`,
            )
          : error;
      }
    }
    const inTheWay =
      (await transactionsInTheWay(dataSource)).join('; ') || 'others are at work on it';
    if (Date.now() > deadline) {
      throw new TakeoverError(
        `The table "user" was in use all the time: ${inTheWay}. What is done is done; end that, and do this again`,
      );
    }
    if (inTheWay !== said) say(`giving way, and trying again: ${inTheWay}`);
    said = inTheWay;
    const [least, most] = PAUSE_MS;
    await delay(least + Math.random() * (most - least));
  }
}

/** Transactions that hold the table of accounts for long, in words. */
async function transactionsInTheWay(dataSource: ServiceDataSource): Promise<string[]> {
  const rows = await dataSource.query<
    { pid: number; application: string | null; state: string | null; seconds: number | null }[]
  >(`
    SELECT DISTINCT a.pid, a.application_name AS application, a.state,
           extract(epoch FROM now() - a.xact_start)::int AS seconds
      FROM pg_locks l JOIN pg_stat_activity a USING (pid)
     WHERE l.relation = '"user"'::regclass AND l.granted AND a.pid <> pg_backend_pid()
       -- Without a right to see more, there is the process and nothing else.
       AND coalesce(a.xact_start < now() - interval '1 second', true)
     ORDER BY seconds DESC LIMIT 3`);
  return rows.map(({ pid, application, state, seconds }) => {
    const what = [application, state].filter(Boolean).join(', ') || 'of another role';
    const since = seconds === null ? '' : ` for ${String(seconds)} s`;
    return `process ${String(pid)} of PostgreSQL (${what}) has it${since}`;
  });
}
