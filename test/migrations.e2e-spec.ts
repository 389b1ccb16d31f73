import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { DataSource } from 'typeorm';
import { MIGRATIONS } from '../src/database/data-source';
import { bearer, logIn } from './support/client';
import {
  createDatabase,
  openDataSource,
  tableOfUsers,
  type TestDatabase,
} from './support/database';
import { startServiceOn, waitUntil } from './support/service';
import { DAY, HOUR, now, sign } from './support/token';

const REFERENCE_DUMP = readFileSync(join(__dirname, 'fixtures/fastapi-database.sql'), 'utf8');
const REFERENCE_KEY = 'the-fastapi-backend-signed-with-this-key-0001';
const REFERENCE_USERS = {
  hana: 'correct horse battery',
  Minsu: '비밀번호는 열여섯 글자',
  long: '0123456789012345678901234567890123456789012345678901234567890123456789AB tail that bcrypt never saw',
  김철수: '짧은암호1',
  minsu: 'another person entirely',
  pw: 'pw',
};

let database: TestDatabase;
let dataSource: DataSource;

beforeEach(async () => {
  database = await createDatabase();
  dataSource = await openDataSource(database);
});

afterEach(async () => {
  await dataSource.destroy();
  await database.drop();
});

/** What TypeORM would change to make the schema what the entities say. */
async function drift(): Promise<string[]> {
  const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
  return upQueries.map(({ query }) => query);
}

async function tables(): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relkind IN ('r', 'S') AND relnamespace = 'public'::regnamespace ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

/** Columns that later migrations add to the reference's table. */
const ADDED = ['not_before', 'username_folded', 'email_verified_at', 'disabled_at'];

/** Everything of the reference's tables: columns, constraints, rows, and where the sequence is. */
async function referenceState(): Promise<unknown> {
  return [
    await database.query(`SELECT id, email, password, username FROM "user" ORDER BY id`),
    await database.query('SELECT * FROM alembic_version'),
    await database.query('SELECT last_value, is_called FROM user_id_seq'),
    await database.query(
      `SELECT attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid)
         FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE attrelid = '"user"'::regclass AND attnum > 0 AND NOT attisdropped
          AND attname <> ALL ($1) ORDER BY attnum`,
      [ADDED],
    ),
    await database.query(`
      SELECT conname, pg_get_constraintdef(oid), obj_description(oid, 'pg_constraint')
        FROM pg_constraint WHERE conrelid = '"user"'::regclass ORDER BY 1`),
  ];
}

async function revertAll(): Promise<void> {
  await revertAllButFirst();
  await dataSource.undoLastMigration();
}

async function revertAllButFirst(): Promise<void> {
  for (let left = MIGRATIONS.length; left > 1; left -= 1) await dataSource.undoLastMigration();
}

describe('the migrations', () => {
  it('go up, down and up again without drift', async () => {
    await dataSource.runMigrations();
    expect(await drift()).toEqual([]);
    await revertAll();
    expect(await tables()).toEqual(['user_account_migration', 'user_account_migration_id_seq']);
    await dataSource.runMigrations();
    expect(await drift()).toEqual([]);
  });

  it("make the reference's table to the letter", async () => {
    await dataSource.runMigrations();
    await revertAllButFirst();
    const reference = await createDatabase();
    await reference.query(REFERENCE_DUMP);
    expect(await tableOfUsers(database)).toEqual(await tableOfUsers(reference));
    await reference.drop();
  });

  it('run once when two processes run them at once', async () => {
    const others = await Promise.all([openDataSource(database), openDataSource(database)]);
    const done = await Promise.all(others.map((other) => other.runMigrations()));
    expect(done.flat().map(({ name }) => name)).toEqual(MIGRATIONS.map(({ name }) => name));
    expect(await database.query('SELECT FROM user_account_migration')).toHaveLength(
      MIGRATIONS.length,
    );
    await Promise.all(others.map((other) => other.destroy()));
  });

  it.each([
    { who: 'reads', sql: 'SELECT FROM "user"', before: 'CreateRecovery1795867200000' },
    { who: 'writes', sql: `DELETE FROM "user"`, before: 'CreateAudit1795953600000' },
  ])('let nobody wait behind them for who $who the accounts for long', async ({ sql, before }) => {
    await dataSource.runMigrations();
    const later = MIGRATIONS.slice(MIGRATIONS.findIndex(({ name }) => name === before));
    for (let left = later.length; left > 0; left -= 1) await dataSource.undoLastMigration();
    const other = await database.hold(sql);
    await expect(dataSource.runMigrations()).rejects.toMatchObject({ code: '55P03' });
    await other.release();
    await dataSource.runMigrations();
    expect(await drift()).toEqual([]);
  });

  it('do not drop a table with accounts', async () => {
    await dataSource.runMigrations();
    await database.query(`INSERT INTO "user" (username, email, password) VALUES ('a', 'a', 'a')`);
    await expect(revertAll()).rejects.toThrow('The table "user" holds accounts and stays');
    // Nothing of the refusal is left open: another process can migrate.
    const other = await openDataSource(database);
    await other.runMigrations();
    await other.destroy();
    expect(await database.query('SELECT username FROM "user"')).toEqual([{ username: 'a' }]);
    expect(await drift()).toEqual([]);
  });

  const LIKE = `CREATE TABLE "user" (
    id serial CONSTRAINT user_pkey PRIMARY KEY,
    email varchar NOT NULL CONSTRAINT user_email_key UNIQUE,
    password varchar NOT NULL,
    username varchar NOT NULL CONSTRAINT user_username_key UNIQUE)`;

  it.each([
    [
      'without columns',
      'DROP COLUMN password',
      'it lacks column password: character varying not null',
    ],
    [
      'with shorter names',
      'ALTER COLUMN username TYPE varchar(20)',
      'it lacks column username: character varying not null',
    ],
    [
      'with other types',
      'ALTER COLUMN email TYPE text',
      'it lacks column email: character varying not null',
    ],
    [
      'where a password can be missing',
      'ALTER COLUMN password DROP NOT NULL',
      'it lacks column password: character varying not null',
    ],
    [
      'without a default',
      'ALTER COLUMN id DROP DEFAULT',
      'it lacks column id: integer not null with a default',
    ],
    [
      'without a key',
      'DROP CONSTRAINT user_email_key',
      'it lacks constraint user_email_key: UNIQUE (email)',
    ],
    [
      'with another key of that name',
      'DROP CONSTRAINT user_username_key, ADD CONSTRAINT user_username_key UNIQUE (password)',
      'it lacks constraint user_username_key: UNIQUE (username)',
    ],
    [
      'that wants more',
      'ADD created_at timestamp NOT NULL',
      'it wants column created_at: timestamp without time zone not null',
    ],
  ])('do not take a table for the one they know %s', async (_name, change, difference) => {
    await database.query(LIKE);
    await database.query(`ALTER TABLE "user" ${change}`);
    await expect(dataSource.runMigrations()).rejects.toThrow(difference);
    expect(await database.query('SELECT FROM user_account_migration')).toHaveLength(0);
  });

  it('take one that has more, which an insert need not name', async () => {
    await database.query(LIKE);
    await database.query(
      `ALTER TABLE "user" ADD note text, ADD created_at timestamp NOT NULL DEFAULT now()`,
    );
    await dataSource.runMigrations();
    await database.query(`INSERT INTO "user" (username, email, password) VALUES ('a', 'a', 'a')`);
  });

  it('do not drop an account that is being made meanwhile', async () => {
    await dataSource.runMigrations();
    await revertAllButFirst();
    await database.query('BEGIN');
    await database.query(`INSERT INTO "user" (username, email, password) VALUES ('a', 'a', 'a')`);
    const reverting = expect(dataSource.undoLastMigration()).rejects.toThrow(
      'holds accounts and stays',
    );
    // It waits for the table before it looks whether that is empty.
    await waitUntil(async () => {
      const waiting = await database.query(
        `SELECT FROM pg_locks WHERE relation = '"user"'::regclass AND NOT granted`,
      );
      return waiting.length > 0;
    });
    await database.query('COMMIT');
    await reverting;
    expect(await database.query('SELECT username FROM "user"')).toEqual([{ username: 'a' }]);
  });
});

describe('the indexes of case-folded names', () => {
  const NAMES = ['user_unfolded_id_idx', 'user_unfolded_username_idx', 'user_username_folded_key'];

  async function indexes(): Promise<[string, boolean][]> {
    const rows = await database.query<{ name: string; valid: boolean }>(
      `SELECT relname AS name, indisvalid AS valid FROM pg_index JOIN pg_class ON oid = indexrelid
        WHERE relname = ANY ($1) ORDER BY 1`,
      [NAMES],
    );
    return rows.map(({ name, valid }) => [name, valid]);
  }

  beforeEach(async () => {
    await dataSource.runMigrations();
    while ((await indexes()).length > 0) await dataSource.undoLastMigration();
  });

  it('are built while others write, however impatient whoever builds them is', async () => {
    for (const setting of ['lock_timeout = 1', `default_transaction_isolation = 'serializable'`]) {
      await database.query(
        `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET ${setting.replaceAll("'", "''")}', current_database()); END $$`,
      );
    }
    const impatient = await openDataSource(database);
    const writer = await database.hold(
      `INSERT INTO "user" (username, email, password) VALUES ('a', 'a', 'a')`,
    );
    const building = impatient.runMigrations();
    await waitUntil(async () => (await writer.waiting()) === 1);
    await database.query(`INSERT INTO "user" (username, email, password) VALUES ('b', 'b', 'b')`);
    expect(await writer.waiting()).toBe(1);
    await writer.release();
    await building;
    expect(await indexes()).toEqual(NAMES.map((name) => [name, true]));
    // On the connection that built and on the one that held the lock.
    const timeouts = await Promise.all([1, 2].map(() => impatient.query('SHOW lock_timeout')));
    expect(timeouts).toEqual([[{ lock_timeout: '1ms' }], [{ lock_timeout: '1ms' }]]);
    await impatient.destroy();
  });

  it.each(NAMES)('are built anew after an interruption of %s', async (name) => {
    await dataSource.runMigrations();
    await database.query(`DROP INDEX "${name}"`);
    await database.query(
      `DELETE FROM user_account_migration WHERE name LIKE 'IndexUsernameFolded%'`,
    );
    const writer = await database.hold('LOCK TABLE "user" IN ROW EXCLUSIVE MODE');
    const building = dataSource.runMigrations().then(
      () => 'built',
      () => 'interrupted',
    );
    await waitUntil(async () => (await writer.waiting()) === 1);
    await database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    expect(await building).toBe('interrupted');
    await writer.release();
    expect(await indexes()).toEqual(NAMES.map((one) => [one, one !== name]));
    await dataSource.runMigrations();
    expect(await indexes()).toEqual(NAMES.map((one) => [one, true]));
    expect(await drift()).toEqual([]);
  });

  it('are built though names were folded before there was one to say no', async () => {
    await database.query(`
      INSERT INTO "user" (username, email, password, username_folded)
      VALUES ('Alice', 'a', 'a', 'alice'), ('alice', 'b', 'b', 'alice'), ('bob', 'c', 'c', 'bob')`);
    await dataSource.runMigrations();
    expect(await database.query('SELECT username_folded FROM "user" ORDER BY id')).toEqual([
      { username_folded: 'alice' },
      { username_folded: null },
      { username_folded: 'bob' },
    ]);
  });
});

describe('a database that the reference left', () => {
  beforeEach(async () => {
    await database.query(REFERENCE_DUMP);
    // The dump empties the search path of its connection.
    await database.query('SET search_path TO DEFAULT');
  });

  it('is adopted as it is, and left as it was', async () => {
    const before = await referenceState();
    await dataSource.runMigrations();
    expect(await drift()).toEqual([]);
    expect(await referenceState()).toEqual(before);
    await expect(revertAll()).rejects.toThrow('was there before this service and stays');
    expect(await referenceState()).toEqual(before);
  });

  it('lets every one of its users log in, and its tokens open', async () => {
    await dataSource.runMigrations();
    const before = await referenceState();
    const service = await startServiceOn(database, { SECRET_KEY: REFERENCE_KEY });
    for (const [username, password] of Object.entries(REFERENCE_USERS)) {
      const token = await logIn(service, username, password);
      expect(await (await service.fetch('/user/me', bearer(token))).json()).toMatchObject({
        username,
      });
      const claims = { sub: username, exp: now() + DAY - HOUR };
      const theirs = await service.fetch('/user/me', bearer(sign(claims, { key: REFERENCE_KEY })));
      expect([theirs.status, await theirs.json()]).toEqual([
        200,
        expect.objectContaining({ username }),
      ]);
    }
    await service.stop();
    expect(await referenceState()).toEqual(before);
  });
});

describe('the TypeORM command line', () => {
  it.each([
    ['a checkout', ['node_modules/.bin/typeorm-ts-node-commonjs'], 'ormconfig.ts'],
    ['a build', ['node_modules/.bin/typeorm'], 'dist/ormconfig.js'],
  ])('works from %s', async (_name, [command = ''], config) => {
    // As in a container: the password stands in a file.
    const { DB_PASS, ...environment } = database.environment;
    const directory = await mkdtemp(join(tmpdir(), 'uas-cli-'));
    const DB_PASS_FILE = join(directory, 'password');
    await writeFile(DB_PASS_FILE, `${DB_PASS ?? ''}\n`);
    // migration:generate says with its status that there is nothing to generate.
    const typeorm = async (...words: string[]): Promise<string> => {
      const { stdout, stderr } = await promisify(execFile)(command, [...words, '-d', config], {
        env: { PATH: process.env['PATH'], ...environment, DB_PASS_FILE },
      }).catch((error: unknown) => error as { stdout: string; stderr: string });
      return stdout + stderr;
    };
    expect(await typeorm('migration:show')).toMatch(/\[ \] CreateUser/);
    expect(await typeorm('migration:run')).toMatch(/CreateUser\d+ has been executed successfully/);
    expect(await typeorm('migration:show')).toMatch(/\[X\] \d+ CreateUser/);
    expect(await typeorm('schema:log')).toMatch(/Your schema is up to date/);
    expect(await typeorm('migration:generate', 'migrations/Nothing')).toMatch(
      /No changes in database schema were found/,
    );
    for (let left = MIGRATIONS.length; left > 0; left -= 1) {
      expect(await typeorm('migration:revert')).toMatch(/has been reverted successfully/);
    }
    expect(await tables()).toEqual(['user_account_migration', 'user_account_migration_id_seq']);
    await rm(directory, { recursive: true });
  });
});
