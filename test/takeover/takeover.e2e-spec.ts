import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bearer, JSON_TYPE, logIn, post, registration, statusWith } from '../support/client';
import { type Outcome, runCommand, spawnCommand } from '../support/command';
import { parseSettings } from '../../src/config/settings';
import { type CheckReport, checkTakeover } from '../../src/takeover/check';
import { createDatabase, openDataSource, type TestDatabase } from '../support/database';
import { dumpOf } from '../support/dump';
import { startServiceOn, waitUntil } from '../support/service';
import { DAY, now, sign } from '../support/token';

const DUMP = readFileSync(join(__dirname, '../fixtures/fastapi-database.sql'), 'utf8');
const SECRET_KEY = 'the-fastapi-backend-signed-with-this-key-0001';

describe('takeover', () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await createDatabase();
    await database.query(DUMP);
  });

  afterEach(async () => {
    await database.drop();
  });

  function takeover(
    commandArguments: string[],
    more: Record<string, string> = {},
    kill?: AbortSignal,
  ): Promise<Outcome> {
    const environment = { ...database.environment, SECRET_KEY, ...more };
    return runCommand('takeover', commandArguments, environment, kill);
  }

  /** As the command does, without a process of its own. */
  async function check(token?: string, more: Record<string, string> = {}): Promise<CheckReport> {
    const settings = parseSettings({ ...database.environment, SECRET_KEY, ...more });
    const dataSource = await openDataSource(database, { readOnly: true });
    try {
      return await checkTakeover(dataSource, settings, token);
    } finally {
      await dataSource.destroy();
    }
  }

  async function verdicts(
    token?: string,
    more?: Record<string, string>,
  ): Promise<Record<string, string>> {
    const { findings } = await check(token, more);
    return Object.fromEntries(
      Object.entries(findings).map(([name, { verdict }]) => [name, verdict]),
    );
  }

  describe('check', () => {
    it('changes nothing, and says that it is ready', async () => {
      const before = await dumpOf(database);
      const { status, output, errors } = await takeover(['check']);
      expect([status, errors]).toEqual([0, '']);
      expect(output).toMatch(/^ok +The table "user" is the one that is needed$/m);
      expect(output).toContain('has constraint user_email_key: UNIQUE (email)');
      expect(output).toMatch(/^ok +Alembic's revision is \w+; it stays$/m);
      expect(output).toContain('6 with hashes $2b$12$…');
      expect(output).toMatch(/\nReady\n$/);
      expect(await dumpOf(database)).toBe(before);
    });

    it('tells programs the same', async () => {
      const { status, output } = await takeover(['check', '--json']);
      expect(status).toBe(0);
      const report = JSON.parse(output) as CheckReport;
      expect(report.ready).toBe(true);
      expect(report.findings['accounts']?.facts).toEqual({
        total: 6,
        hashes: [{ scheme: 'bcrypt', settings: '$2b$12$', cost: 12, accounts: 6 }],
        unverifiable: { count: 0, accounts: [] },
        refusedEmails: { count: 0, accounts: [] },
        sameUsernames: { count: 1, groups: [[2, 5]] },
        sameEmails: { count: 0, groups: [] },
        likeUsernames: { count: 0, groups: [] },
        likeEmails: { count: 0, groups: [] },
      });
    });

    it('counts hashes, addresses and names that are to be known about', async () => {
      await database.query(`
        INSERT INTO "user" (username, email, password) VALUES
          ('a', 'HANA@example.com', '$2a$10$' || repeat('a', 53)),
          ('b', 'no address', '$1$md5'),
          ('HANA', 'c@example.com', '$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$' || repeat('A', 43)),
          ('hаna', 'hаna@example.com', '$2b$12$' || repeat('a', 53))`);
      const { facts } = (await check()).findings['accounts'] ?? {};
      expect(facts).toMatchObject({
        total: 10,
        unverifiable: { count: 1, accounts: [8] },
        refusedEmails: { count: 1, accounts: [8] },
        sameUsernames: {
          count: 2,
          groups: [
            [2, 5],
            [1, 9],
          ],
        },
        sameEmails: { count: 1, groups: [[1, 7]] },
        likeUsernames: { count: 1, groups: [[1, 10]] },
        likeEmails: { count: 1, groups: [[1, 10]] },
      });
    });

    it.each([
      [
        'lacks what it needs',
        'ALTER TABLE "user" DROP CONSTRAINT user_email_key',
        'lacks constraint user_email_key: UNIQUE (email)',
      ],
      [
        'wants what nobody gives it',
        'ALTER TABLE "user" ADD phone varchar NOT NULL DEFAULT 1; ALTER TABLE "user" ALTER phone DROP DEFAULT',
        'wants column phone: character varying not null',
      ],
      ['is not there', 'DROP TABLE "user"', 'There is no table "user" here'],
      [
        'is a view',
        'ALTER TABLE "user" RENAME TO people; CREATE VIEW "user" AS SELECT * FROM people',
        '"user" is no ordinary table',
      ],
      [
        'has neighbours in the way',
        'CREATE TABLE refresh_token ()',
        'There is something already by the name of what would be made (refresh_token)',
      ],
      [
        'has an index in the way',
        'CREATE INDEX user_session_user_id_idx ON alembic_version (version_num)',
        'by the name of what would be made (user_session_user_id_idx)',
      ],
      [
        'has a type in the way',
        `CREATE TYPE user_session AS ENUM ('a')`,
        'by the name of what would be made (user_session)',
      ],
      [
        'is a type elsewhere',
        'CREATE TABLE copies (was "user")',
        'copies.was has its rows as a type',
      ],
      [
        'is not where new tables would be',
        'CREATE SCHEMA app; ALTER TABLE "user" SET SCHEMA app; DO $$ BEGIN EXECUTE format($q$ALTER DATABASE %I SET search_path = public, app$q$, current_database()); END $$',
        'The table "user" is in the schema app, and new ones would be made in public',
      ],
    ])('is not ready when the table %s', async (_name, sql, words) => {
      await database.query(sql);
      const { ready, findings } = await check();
      expect(ready).toBe(false);
      const stops = Object.values(findings).filter(({ verdict }) => verdict === 'stop');
      expect(stops.flatMap(({ summary, details }) => [summary, ...details]).join()).toContain(
        words,
      );
    });

    it('is not ready for a role that may not change the table', async () => {
      const { DB_NAME = '' } = database.environment;
      const role = `role_${DB_NAME}`;
      await database.query(
        `CREATE ROLE ${role} LOGIN PASSWORD 'x'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`,
      );
      try {
        const { status, output } = await takeover(['check'], { DB_USER: role, DB_PASS: 'x' });
        expect(status).toBe(1);
        expect(output).toMatch(/Not ready: see what says STOP\n$/);
        expect(output).toMatch(
          /STOP +The table "user" belongs to postgres: run this as that role, or GRANT/,
        );
      } finally {
        await database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
      }
    });

    it('says what else in the database has to do with the table', async () => {
      await database.query(`
        CREATE TABLE question (user_id integer REFERENCES "user");
        CREATE UNIQUE INDEX one_name ON "user" (lower(username)) WHERE id > 6;
        ALTER TABLE "user" ADD CONSTRAINT short CHECK (length(username) < 20)`);
      const { ready, findings } = await check();
      expect(ready).toBe(true);
      expect(findings['neighbours']).toMatchObject({
        verdict: 'warning',
        details: [
          expect.stringContaining('question refers to it (question_user_id_fkey): an account'),
          expect.stringContaining('CHECK ((length((username)::text) < 20))'),
          expect.stringContaining('CREATE UNIQUE INDEX one_name'),
        ],
      });
      await takeover(['run']);
      expect((await check()).findings['neighbours']).toEqual(findings['neighbours']);
    });

    it('is not ready for a role from which rows are hidden', async () => {
      const { DB_NAME = '' } = database.environment;
      const role = `role_${DB_NAME}`;
      await database.query(`
        CREATE ROLE ${role} LOGIN PASSWORD 'x'; ALTER TABLE "user" OWNER TO ${role};
        GRANT CREATE ON SCHEMA public TO ${role};
        ALTER TABLE "user" ENABLE ROW LEVEL SECURITY; ALTER TABLE "user" FORCE ROW LEVEL SECURITY`);
      try {
        const { status, output } = await takeover(['check'], { DB_USER: role, DB_PASS: 'x' });
        expect(status).toBe(1);
        expect(output).toContain('row-level security hides rows of it from this role');
      } finally {
        await database.query(
          `REASSIGN OWNED BY ${role} TO postgres; DROP OWNED BY ${role}; DROP ROLE ${role}`,
        );
      }
    });

    it('looks at the key, and at the token that it is to open', async () => {
      const token = (claims: object, key = SECRET_KEY): string => sign(claims, { key });
      const alive = { sub: 'hana', exp: now() + DAY };
      expect(await verdicts(token(alive))).toMatchObject({ key: 'ok', token: 'ok' });
      expect(await verdicts(token({ sub: 'hana', exp: now() - 1 }))).toMatchObject({
        token: 'warning',
      });
      for (const refused of [
        token(alive, 'some other key, long enough for anyone'),
        token({ sub: 'nobody', exp: now() + DAY }),
        token({ sub: 'hana', exp: now() + 3 * DAY }),
        'nonsense',
      ]) {
        expect(await verdicts(refused)).toMatchObject({ token: 'stop' });
      }
      expect(await verdicts(undefined, { SECRET_KEY: 'short' })).toMatchObject({ key: 'stop' });
      expect(
        await verdicts(token(alive, 'short'), {
          SECRET_KEY: 'short',
          ALLOW_WEAK_SECRET_KEY: 'true',
        }),
      ).toMatchObject({ key: 'warning', token: 'ok' });
    });

    it.each([
      ['no database', { INSTANCE_HOST: '/nowhere' }, 'cannot be reached (ENOENT)'],
      ['a wrong password', { INSTANCE_HOST: '' }, 'INSTANCE_HOST is empty'],
      ['bad settings', { DB_PORT: 'x' }, 'DB_PORT must be a whole number'],
    ])('cannot look with %s: status 2', async (_name, more, words) => {
      const { status, errors } = await takeover(['check'], more);
      expect(status).toBe(2);
      expect(errors).toContain(words);
    });

    it('cannot look when it does not understand its arguments', async () => {
      expect((await takeover(['chekc'])).status).toBe(2);
      expect((await takeover(['check', '--tokn', 'x'])).status).toBe(2);
      expect((await takeover(['--help'])).status).toBe(0);
    });

    it('says of each statement what PostgreSQL then does', async () => {
      const { migrations } = await check();
      const statements = migrations.flatMap((migration) => migration.statements);
      expect(statements.length).toBeGreaterThan(5);
      for (const { sql, lock } of statements) {
        if (sql.includes('CONCURRENTLY')) {
          // Not within a transaction, in which alone one sees what it holds.
          expect(lock).toBe('ShareUpdateExclusiveLock');
          await database.query(sql);
          continue;
        }
        const hold = await database.hold(sql);
        const rows = await database.query<{ mode: string }>(
          `SELECT mode FROM pg_locks WHERE relation = '"user"'::regclass AND mode <> 'AccessShareLock'`,
        );
        expect([sql, rows.map(({ mode }) => mode)]).toEqual([sql, lock === null ? [] : [lock]]);
        await hold.release();
      }
    });
  });

  describe('run, and back', () => {
    it('goes there and back again, as often as one likes', async () => {
      const before = await dumpOf(database);
      for (let time = 0; time < 2; time += 1) {
        const run = await takeover(['run']);
        expect(run).toMatchObject({ status: 0, errors: '' });
        expect(run.output).toMatch(
          /done: CreateUser1795348800000\n(.*\n)*The service can be started\n$/,
        );
        expect(await takeover(['run'])).toEqual({
          status: 0,
          errors: '',
          output: 'There is nothing to do: the schema is that of this version\n',
        });
        expect((await check()).migrations).toEqual([]);
        const back = await takeover(['back', '--yes']);
        expect(back).toMatchObject({ status: 0, errors: '' });
        expect(back.output).toMatch(/The database is as it was\n$/);
        expect((await takeover(['back', '--yes'])).output).toMatch(
          /There is nothing to take back\n$/,
        );
        expect(await dumpOf(database)).toBe(before);
      }
    });

    it('serves those who were there, and leaves what they did', async () => {
      const token = sign({ sub: 'hana', exp: now() + DAY }, { key: SECRET_KEY });
      await takeover(['run']);
      const service = await startServiceOn(database, { SECRET_KEY, COEXIST_WITH_FASTAPI: 'on' });
      expect(await statusWith(service, token)).toBe(200);
      await logIn(service, '김철수', '짧은암호1');
      expect((await service.fetch('/user/create', registration('new'))).status).toBe(204);
      const refused = await takeover(['back', '--yes']);
      expect(refused).toMatchObject({
        status: 1,
        errors: expect.stringMatching(
          /^The service is running \(\d+ connections\): stop it first/,
        ) as string,
      });
      expect((await service.fetch('/user/me', bearer(token))).status).toBe(200);
      await service.stop();
      const back = await takeover(['back', '--yes']);
      expect(back.output).toContain('1 logins, and that they can be ended');
      expect(back.output).toContain('the passwords of 0 accounts');
      expect(back.status).toBe(0);
      expect(await database.query('SELECT * FROM "user" WHERE id > 6')).toEqual([
        expect.objectContaining({
          username: 'new',
          password: expect.stringMatching(/^\$2b\$/) as string,
        }),
      ]);
    });

    it('says who would be locked out, and changes nothing without a yes', async () => {
      await takeover(['run']);
      const service = await startServiceOn(database, { SECRET_KEY, PASSWORD_SCHEME: 'argon2id' });
      await logIn(service, 'hana', 'correct horse battery');
      await service.stop();
      await database.query(`UPDATE "user" SET disabled_at = now() WHERE id = 2`);
      await database.query(`UPDATE "user" SET email_verified_at = now() WHERE id IN (1, 3)`);
      const before = await dumpOf(database);
      const { status, output, errors } = await takeover(['back']);
      expect(status).toBe(1);
      expect(output).toContain('the passwords of 1 accounts');
      expect(output).toContain('that 1 accounts are disabled');
      expect(output).toContain('the addresses of 2 accounts are confirmed');
      expect(errors).toBe('Nobody is there to confirm it: say --yes. Nothing was changed\n');
      expect(await dumpOf(database)).toBe(before);
    });

    it('changes nothing where it is not ready', async () => {
      await database.query('ALTER TABLE "user" DROP CONSTRAINT user_email_key');
      const before = await dumpOf(database);
      const { status, output, errors } = await takeover(['run']);
      expect([status, errors]).toEqual([1, 'Nothing was changed\n']);
      expect(output).toContain('STOP');
      expect(await dumpOf(database)).toBe(before);
    });

    it('gives way to whoever has the table, and says who that is', async () => {
      const hold = await database.hold('LOCK TABLE "user" IN ROW EXCLUSIVE MODE');
      const running = takeover(['run']);
      // It waits for the lock, gives up, and is out of the way of this writer each time.
      for (let tries = 0; tries < 3; tries += 1) {
        await waitUntil(async () => (await hold.waiting()) > 0);
        await database.query(`UPDATE "user" SET email = email WHERE id = 1`);
      }
      await hold.release();
      const { status, output } = await running;
      expect(status).toBe(0);
      expect(output).toContain('giving way, and trying again');
    });

    it('can be interrupted within any step, and gone on with, there and back', async () => {
      const before = await dumpOf(database);
      /** Kills it where it waits for this lock. */
      const interrupted = async (commandArguments: string[], lock: string): Promise<void> => {
        const hold = await database.hold(lock);
        const kill = new AbortController();
        const running = takeover(commandArguments, {}, kill.signal);
        await waitUntil(async () => (await hold.waiting()) > 0);
        kill.abort();
        expect((await running).status).toBe('SIGKILL');
        await hold.release();
      };
      await interrupted(['run'], 'LOCK TABLE "user" IN ROW EXCLUSIVE MODE');
      // Where it writes down that a migration has run, in the transaction of that.
      await interrupted(['run'], 'LOCK TABLE user_account_migration IN EXCLUSIVE MODE');
      expect((await takeover(['run'])).status).toBe(0);
      const dataSource = await openDataSource(database);
      const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
      await dataSource.destroy();
      expect(upQueries).toEqual([]);
      const back = ['back', '--yes'];
      await interrupted(back, 'LOCK TABLE "user" IN ROW EXCLUSIVE MODE');
      await interrupted(back, 'LOCK TABLE user_account_migration IN EXCLUSIVE MODE');
      expect((await takeover(back)).status).toBe(0);
      expect(await dumpOf(database)).toBe(before);
    });

    it('makes what it makes for the owner of the table', async () => {
      const { DB_NAME = '' } = database.environment;
      const owner = `owner ${DB_NAME}`;
      await database.query(`
        CREATE ROLE "${owner}"; ALTER TABLE "user" OWNER TO "${owner}";
        GRANT CREATE ON SCHEMA public TO "${owner}"`);
      try {
        expect(await takeover(['run'])).toMatchObject({ status: 0, errors: '' });
        expect(
          await database.query(
            `SELECT DISTINCT tableowner FROM pg_tables
              WHERE schemaname = 'public' AND tablename <> 'alembic_version'`,
          ),
        ).toEqual([{ tableowner: owner }]);
        expect((await takeover(['back', '--yes'])).status).toBe(0);
      } finally {
        await database.query(
          `REASSIGN OWNED BY "${owner}" TO postgres; DROP OWNED BY "${owner}"; DROP ROLE "${owner}"`,
        );
      }
    });

    it.each([
      ['of the same form', 'id serial, timestamp bigint, name varchar'],
      ['of another', 'id serial, migration varchar, batch integer'],
    ])("leaves somebody else's table of migrations alone: %s", async (_name, columns) => {
      await database.query(`CREATE TABLE migrations (${columns})`);
      const before = await dumpOf(database);
      expect((await takeover(['run'])).status).toBe(0);
      expect((await takeover(['back', '--yes'])).status).toBe(0);
      expect(await dumpOf(database)).toBe(before);
    });

    it('takes back a list of migrations in which there is none yet', async () => {
      const before = await dumpOf(database);
      await database.query(
        'CREATE TABLE user_account_migration (id serial PRIMARY KEY, timestamp bigint NOT NULL, name varchar NOT NULL)',
      );
      expect((await takeover(['back', '--yes'])).status).toBe(0);
      expect(await dumpOf(database)).toBe(before);
    });

    it('holds nobody up when it is frozen in the middle', async () => {
      await database.query(`
        CREATE TABLE user_account_migration (id serial PRIMARY KEY, timestamp bigint NOT NULL, name varchar NOT NULL);
        INSERT INTO user_account_migration (timestamp, name) VALUES (1795348800000, 'CreateUser1795348800000')`);
      // Where it writes down that it has made the tables that refer to "user".
      const hold = await database.hold('LOCK TABLE user_account_migration IN EXCLUSIVE MODE');
      const { child, outcome } = spawnCommand('takeover', ['run'], {
        ...database.environment,
        SECRET_KEY,
      });
      await waitUntil(async () => (await hold.waiting()) > 0);
      child.kill('SIGSTOP');
      await hold.release();
      // Waits until PostgreSQL has ended what is frozen.
      await database.query(`UPDATE "user" SET email = email WHERE id = 1`);
      child.kill('SIGCONT');
      expect(await outcome).toMatchObject({ status: 0, errors: '' });
    });

    it('does not go back while a view needs what it would take away', async () => {
      await takeover(['run']);
      await database.query('CREATE VIEW fresh AS SELECT id FROM "user" WHERE not_before > now()');
      const before = await dumpOf(database);
      expect(await takeover(['back', '--yes'])).toEqual({
        status: 1,
        output: '',
        errors:
          'Something depends on what would be taken back (fresh): drop it first. Nothing was changed\n',
      });
      expect(await dumpOf(database)).toBe(before);
    });

    it('answers 409 where the tables of others do not allow something', async () => {
      await database.query(`
        CREATE TABLE question (user_id integer REFERENCES "user");
        INSERT INTO question VALUES (1);
        CREATE UNIQUE INDEX one_name ON "user" (left(username, 3)) WHERE id > 6;
        ALTER TABLE "user" ADD CONSTRAINT short CHECK (length(username) < 20)`);
      await takeover(['run']);
      const service = await startServiceOn(database, { SECRET_KEY });
      const statusOf = async (path: string, init: RequestInit): Promise<number> => {
        const response = await service.fetch(path, init);
        await response.text();
        return response.status;
      };
      const token = await logIn(service, 'hana', 'correct horse battery');
      const headers = { ...JSON_TYPE, authorization: `Bearer ${token}` };
      const password = 'correct horse battery';
      expect(await statusOf('/user/delete', { ...post({ password }), headers })).toBe(409);
      expect(await statusOf('/user/create', registration('x'.repeat(20)))).toBe(409);
      expect(await statusOf('/user/create', registration('abc1'))).toBe(204);
      expect(await statusOf('/user/create', registration('abc2'))).toBe(409);
      await service.stop();
    });

    it('does not go back behind a later version', async () => {
      await takeover(['run']);
      await database.query(
        `INSERT INTO user_account_migration (timestamp, name) VALUES (9999999999999, 'Later9999999999999')`,
      );
      const before = await dumpOf(database);
      const { status, errors } = await takeover(['back', '--yes']);
      expect([status, errors]).toEqual([
        1,
        'A later version of the service was here (Later9999999999999): use that one to go back\n',
      ]);
      expect(await dumpOf(database)).toBe(before);
    });
  });
});
