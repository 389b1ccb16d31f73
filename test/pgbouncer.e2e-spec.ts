import { readFileSync } from 'node:fs';
import { times } from './support/answers';
import {
  form,
  JSON_TYPE,
  logIn,
  logInWith,
  PASSWORD,
  post,
  registration,
  signUp,
  statusWith,
} from './support/client';
import { runCommand } from './support/command';
import { createDatabase, openDataSource, type TestDatabase } from './support/database';
import { TestMailServer } from './support/mail-server';
import { PgBouncer } from './support/pgbouncer';
import { type RunningService, startServiceOn, TEST_SECRET_KEY, waitUntil } from './support/service';

/** To PostgreSQL: fewer than the service has to the pooler. */
const CONNECTIONS = 3;
const NEXT = 'battery staple 8';

(PgBouncer.isThere ? describe : describe.skip)('behind PgBouncer in transaction mode', () => {
  let database: TestDatabase;
  let bouncer: PgBouncer;
  let mailServer: TestMailServer;
  let service: RunningService;

  beforeAll(async () => {
    [database, mailServer] = await Promise.all([createDatabase(), TestMailServer.start()]);
    bouncer = await PgBouncer.before(database, CONNECTIONS);
    const dataSource = await openDataSource(bouncer);
    await dataSource.runMigrations();
    await dataSource.destroy();
    service = await startServiceOn(database, {
      RATE_LIMIT: 'off',
      ...mailServer.environment,
      ...bouncer.environment,
    });
  });

  afterAll(async () => {
    await service.stop();
    await bouncer.stop();
    await Promise.all([mailServer.stop(), database.drop()]);
  });

  /** What other clients of its connections would have of what the service does on them. */
  async function expectNothingLeft(): Promise<void> {
    const left = await bouncer.queryEach(
      CONNECTIONS,
      `SELECT 'setting' AS what, name, setting FROM pg_settings
        WHERE source = 'session' AND setting <> reset_val AND name <> 'application_name'
       UNION ALL SELECT 'statement', name, statement FROM pg_prepared_statements
       UNION ALL SELECT 'cursor', name, statement FROM pg_cursors WHERE name <> ''
       UNION ALL SELECT 'lock', locktype, mode FROM pg_locks
                  WHERE pid = pg_backend_pid() AND locktype = 'advisory'
       UNION ALL SELECT 'table', relname, '' FROM pg_class WHERE relpersistence = 't'`,
    );
    expect(left).toEqual(times(CONNECTIONS, () => []));
  }

  it('is no problem to the doctor, who sees it', async () => {
    const { output } = await runCommand('doctor', ['--json'], {
      ...database.environment,
      ...bouncer.environment,
      SECRET_KEY: TEST_SECRET_KEY,
    });
    const { checks } = JSON.parse(output) as {
      checks: { name: string; status: string; found: string }[];
    };
    const about = ['time-outs', 'connections', 'activity', 'pooler', 'migrations', 'schema'];
    expect(checks.filter(({ name, status }) => about.includes(name) && status !== 'ok')).toEqual(
      [],
    );
    expect(checks.find(({ name }) => name === 'pooler')?.found).toMatch(
      /There is a pooler between/,
    );
    await expectNothingLeft();
  });

  it('migrates, down and up again', async () => {
    const dataSource = await openDataSource(bouncer);
    const { length } = await dataSource.executedMigrations();
    for (let i = 0; i < length; i += 1) await dataSource.undoLastMigration();
    await dataSource.runMigrations();
    expect(await dataSource.pendingMigrations()).toEqual([]);
    await dataSource.destroy();
    await expectNothingLeft();
  });

  it('serves all that somebody does with an account, many at once', async () => {
    await Promise.all(
      times(12, async (i) => {
        const username = `person ${String(i)}`;
        const email = `person.${String(i)}@example.com`;
        const created = await service.fetch('/user/create', registration(username, { email }));
        expect(created.status).toBe(204);
        const tokens = await Promise.all(times(3, () => logIn(service, username, PASSWORD)));
        const { refresh_token = '' } = await logInWith(service, {
          username,
          scope: 'offline_access',
        });
        const refreshed = await service.fetch(
          '/user/token',
          form({ grant_type: 'refresh_token', refresh_token }),
        );
        expect(refreshed.status).toBe(200);

        // By mail: what is sent in the background goes through here, too.
        await service.fetch('/user/password/forgot', post({ email }));
        const { token } = await mailServer.waitForMail(email, 2);
        const reset = await service.fetch(
          '/user/password/reset',
          post({ token, password1: NEXT, password2: NEXT }),
        );
        expect(reset.status).toBe(204);
        expect(await Promise.all(tokens.map((one) => statusWith(service, one)))).toEqual([
          401, 401, 401,
        ]);
        const last = await logIn(service, username, NEXT);
        const headers = { ...JSON_TYPE, authorization: `Bearer ${last}` };
        const renamed = await service.fetch('/user/me', {
          ...post({ username: `${username} renamed` }),
          headers,
          method: 'PATCH',
        });
        expect(renamed.status).toBe(200);
        const { access_token } = (await renamed.json()) as { access_token: string };
        const deleted = await service.fetch('/user/delete', {
          ...post({ password: NEXT }),
          headers: { ...headers, authorization: `Bearer ${access_token}` },
        });
        expect(deleted.status).toBe(204);
      }),
    );
    expect(await database.query('SELECT id FROM "user"')).toEqual([]);
    await expectNothingLeft();
  });

  it('serves the operator', async () => {
    const user = (...words: string[]): ReturnType<typeof runCommand> =>
      runCommand('user', words, {
        SECRET_KEY: TEST_SECRET_KEY,
        ...bouncer.environment,
        ...mailServer.environment,
      });
    for (const words of [
      ['create', 'operated', 'operated@example.com', '--no-password'],
      ['list'],
      ['show', 'operated'],
      ['disable', 'operated'],
      ['enable', 'operated'],
      ['export'],
      ['delete', 'operated', '--yes'],
    ]) {
      const { status, errors } = await user(...words);
      expect([words, status, status === 0 ? '' : errors]).toEqual([words, 0, '']);
    }
    const { status, errors } = await runCommand('mail', ['list'], bouncer.environment);
    expect([status, errors]).toEqual([0, '']);
    await expectNothingLeft();
  });

  it.each([
    ['a statement by itself', '/user/logout', undefined],
    [
      'a transaction',
      '/user/password',
      { current_password: PASSWORD, password1: NEXT, password2: NEXT },
    ],
  ])('what was given up is not done later: %s', async (name, path, body) => {
    const token = await signUp(service, name);
    const gate = await database.hold(
      `SELECT FROM user_session s JOIN "user" u ON u.id = s.user_id
        WHERE username = '${name}' FOR UPDATE`,
    );
    const headers = { ...JSON_TYPE, authorization: `Bearer ${token}` };
    const init = body === undefined ? { method: 'POST' } : post(body);
    const { status } = await service.fetch(path, { ...init, headers });
    expect(status).toBe(503);
    await waitUntil(async () => (await gate.waiting()) === 0);
    await gate.release();
    expect(await statusWith(service, token)).toBe(200);
    await logIn(service, name, PASSWORD);
    await expectNothingLeft();
  });

  it('that drops what it is told at the beginning is found out', async () => {
    const silent = await PgBouncer.before(database, 2, ['ignore_startup_parameters = options']);
    const dataSource = await openDataSource(silent, { serving: true });
    const [{ alone } = { alone: '' }] = await dataSource.query<{ alone: string }[]>(
      `WITH one AS (SELECT current_setting('statement_timeout') AS alone) SELECT * FROM one`,
    );
    expect(alone).toBe('1200ms');
    await dataSource.destroy();
    await silent.stop();
  });

  it('is no way to take a database over', async () => {
    const theirs = await createDatabase();
    await theirs.query(readFileSync('test/fixtures/fastapi-database.sql', 'utf8'));
    const { status, errors, output } = await runCommand('takeover', ['run'], {
      SECRET_KEY: TEST_SECRET_KEY,
      ...bouncer.environment,
      DB_NAME: theirs.environment['DB_NAME'] ?? '',
    });
    expect([status, errors, output]).toEqual([2, expect.stringContaining('PgBouncer'), '']);
    await theirs.drop();
  });
});
