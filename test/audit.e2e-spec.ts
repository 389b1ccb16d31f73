import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import pino from 'pino';
import { createApp } from '../src/app.setup';
import { AuditCleanupService } from '../src/audit/audit-cleanup.service';
import { parseSettings } from '../src/config/settings';
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
import { type Outcome, runCommand } from './support/command';
import {
  createDatabase,
  createMigratedDatabase,
  type MigratedDatabase,
  openDataSource,
  type TestDatabase,
} from './support/database';
import { type RunningService, startServiceOn, TEST_SECRET_KEY, waitUntil } from './support/service';
import { claimsOf } from './support/token';
import { eventsOf as allEventsOf } from '../src/audit/audit-trail';

interface Event {
  readonly id: string;
  readonly kind: string;
  readonly outcome: string;
  readonly account: number | null;
  readonly session: string | null;
  readonly address: string | null;
  readonly operator: string | null;
}

let database: MigratedDatabase;
let service: RunningService;

beforeAll(async () => {
  database = await createMigratedDatabase();
  service = await startServiceOn(database);
});

afterAll(async () => {
  await service.stop();
  await database.drop();
});

async function idOf(username: string, at: TestDatabase = database): Promise<number> {
  const [row] = await at.query<{ id: number }>('SELECT id FROM "user" WHERE username = $1', [
    username,
  ]);
  if (row === undefined) throw new Error(`Nobody is called ${username}`);
  return row.id;
}

function eventsOf(account: number, at: TestDatabase = database): Promise<Event[]> {
  return at.query('SELECT * FROM audit_event WHERE account = $1 ORDER BY id', [account]);
}

async function last(): Promise<Event | undefined> {
  const [event] = await database.query<Event>('SELECT * FROM audit_event ORDER BY id DESC LIMIT 1');
  return event;
}

async function kindsOf(username: string): Promise<string[]> {
  return (await eventsOf(await idOf(username))).map(({ kind }) => kind);
}

async function send(
  path: string,
  token: string,
  body: object = {},
  method = 'POST',
): Promise<number> {
  const response = await service.fetch(path, {
    method,
    headers: { ...JSON_TYPE, authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  await response.text();
  return response.status;
}

/** Runs the command, with the role of the service, and no file of settings. */
function command(
  name: string,
  words: string[],
  { environment }: TestDatabase = database,
): Promise<Outcome> {
  const settings = { SECRET_KEY: TEST_SECRET_KEY, BCRYPT_COST: '4', SUDO_USER: 'minsu' };
  return runCommand(name, words, { ...environment, ...settings });
}

describe('the audit trail', () => {
  it('has what happens to an account, with who it was, and from where', async () => {
    const token = await signUp(service, 'followed');
    const account = await idOf('followed');
    const { sid: session } = claimsOf(token);
    await service.fetch('/user/login', form({ username: 'followed', password: 'wrong' }));
    const change = { password1: 'battery staple 8', password2: 'battery staple 8' };
    await send('/user/password', token, { ...change, current_password: 'wrong' });
    await send('/user/password', token, { ...change, current_password: PASSWORD });
    const events = await eventsOf(account);
    const address = expect.stringMatching(/^(127\.0\.0\.1|::1)$/) as string;
    const of = (kind: string, outcome: string, by: unknown): unknown =>
      expect.objectContaining({ kind, outcome, account, session: by, address, operator: null });
    expect(events).toEqual([
      of('user_created', 'success', null),
      of('authn_login_success', 'success', session),
      of('authn_login_fail', 'failure', null),
      of('authn_password_change_fail', 'failure', session),
      of('authn_password_change', 'success', session),
    ]);
  });

  it('has logins, refreshes, stolen tokens, changes of name and logouts', async () => {
    await signUp(service, 'busy');
    const { refresh_token: refresh = '', access_token: token } = await logInWith(service, {
      username: 'busy',
      scope: 'offline_access',
    });
    const renew = (): Promise<Response> =>
      service.fetch('/user/token', form({ grant_type: 'refresh_token', refresh_token: refresh }));
    expect((await renew()).status).toBe(200);
    await database.query(`UPDATE refresh_token SET used_at = now() - interval '1 minute'
                           WHERE used_at IS NOT NULL`);
    expect((await renew()).status).toBe(400);
    expect(await statusWith(service, token)).toBe(401);
    const second = await logIn(service, 'busy', PASSWORD);
    const response = await service.fetch('/user/me', {
      ...post({ username: 'busier' }),
      method: 'PATCH',
      headers: { ...JSON_TYPE, authorization: `Bearer ${second}` },
    });
    const { access_token: renamed } = (await response.json()) as { access_token: string };
    const third = await logIn(service, 'busier', PASSWORD);
    const { sid } = claimsOf(third);
    expect(await send(`/user/sessions/${String(sid)}`, renamed, {}, 'DELETE')).toBe(204);
    expect(await send('/user/sessions', renamed, {}, 'DELETE')).toBe(204);
    expect(await send('/user/logout', renamed)).toBe(204);
    expect(await kindsOf('busier')).toEqual([
      'user_created',
      'authn_login_success',
      'authn_login_success',
      'authn_token_reuse',
      'authn_login_success',
      'authn_token_revoked',
      'user_updated',
      'authn_login_success',
      'authn_token_revoked',
      'authn_tokens_revoked',
      'authn_token_revoked',
    ]);
  });

  it('has failures at names that nobody has, of nobody', async () => {
    await service.fetch('/user/login', form({ username: 'nobody at all', password: 'wrong' }));
    expect(await last()).toMatchObject({
      kind: 'authn_login_fail',
      account: null,
      address: expect.any(String) as string,
    });
  });

  it('has no line for what is not written down, and nothing is done without it', async () => {
    const token = await signUp(service, 'both');
    await database.query('ALTER TABLE audit_event RENAME TO audit_event_gone');
    try {
      const login = await service.fetch(
        '/user/login',
        form({ username: 'both', password: PASSWORD }),
      );
      const create = await service.fetch('/user/create', registration('neither'));
      expect([login.status, create.status]).toEqual([503, 503]);
      expect(await send('/user/logout', token)).toBe(503);
    } finally {
      await database.query('ALTER TABLE audit_event_gone RENAME TO audit_event');
    }
    const sessions = await database.query('SELECT FROM user_session WHERE user_id = $1', [
      await idOf('both'),
    ]);
    expect(sessions).toHaveLength(1);
    expect(await statusWith(service, token)).toBe(200);
    await expect(idOf('neither')).rejects.toThrow();
    expect(await kindsOf('both')).toEqual(['user_created', 'authn_login_success']);
  });

  it('holds up nobody: a login does not wait for whoever is writing to it', async () => {
    const other = await database.hold(
      `INSERT INTO audit_event (kind, outcome) VALUES ('authn_login_success', 'success')`,
    );
    await signUp(service, 'unhindered');
    await other.release();
  });

  it('keeps of an account that is deleted its id, and no address', async () => {
    const token = await signUp(service, 'leaving');
    const account = await idOf('leaving');
    await signUp(service, 'staying');
    expect(await send('/user/delete', token, { password: PASSWORD })).toBe(204);
    const events = await eventsOf(account);
    expect(events.map(({ kind, address }) => [kind, address])).toEqual([
      ['user_created', null],
      ['authn_login_success', null],
      ['user_deleted', null],
    ]);
    const others = await eventsOf(await idOf('staying'));
    expect(others.map(({ address }) => typeof address)).toEqual(['string', 'string']);
  });

  it('has the deletion by whomever, and takes the addresses that come too late, too', async () => {
    await signUp(service, 'last minute');
    const account = await idOf('last minute');
    const deleting = await database.hold(`DELETE FROM "user" WHERE id = ${String(account)}`);
    await service.fetch('/user/login', form({ username: 'last minute', password: 'wrong' }));
    await deleting.release();
    const addresses = async (): Promise<unknown[]> =>
      (await eventsOf(account)).map(({ kind, address }) => [kind, address]);
    expect(await addresses()).toEqual([
      ['user_created', null],
      ['authn_login_success', null],
      ['user_deleted', null],
      ['authn_login_fail', expect.any(String)],
    ]);
    await database.query('SELECT audit_prune()');
    expect((await addresses()).at(-1)).toEqual(['authn_login_fail', null]);
  });

  it('goes on looking for addresses when who took them away has not done so in the end', async () => {
    const gone = 2_000_000_000;
    await database.query(
      `INSERT INTO audit_event (kind, outcome, account, address)
       VALUES ('authn_login_success', 'success', ${String(gone)}, '192.0.2.1')`,
    );
    await database.query(
      `INSERT INTO audit_forgotten (account, at) VALUES ($1, now() - interval '2 hours')`,
      [gone],
    );
    const settings = parseSettings({ ...database.environment, SECRET_KEY: TEST_SECRET_KEY });
    const app = await createApp(settings, pino({ level: 'silent' }));
    const job = app.get(AuditCleanupService);
    const { signal } = new AbortController();
    // As another process does it, which then ends in the middle.
    const first = await database.hold(
      "SELECT audit_prune() FROM pg_advisory_xact_lock(x'75617308'::bigint)",
    );
    await app.init();
    await job.run(signal);
    await first.query('ROLLBACK');
    await first.release();
    await job.run(signal);
    expect((await eventsOf(gone)).map(({ address }) => address)).toEqual([null]);
    await app.close();
  });

  it('holds up no deletion, however much it has of an account', async () => {
    const token = await signUp(service, 'busy for years');
    const account = await idOf('busy for years');
    await database.query(
      `INSERT INTO audit_event (kind, outcome, account, address)
       SELECT 'authn_login_success', 'success', $1, '192.0.2.1' FROM generate_series(1, 200000)`,
      [account],
    );
    expect(await send('/user/delete', token, { password: PASSWORD })).toBe(204);
    const left = async (): Promise<number> => {
      const [row] = await database.query<{ count: number }>(
        'SELECT count(*)::int FROM audit_event WHERE account = $1 AND address IS NOT NULL',
        [account],
      );
      return row?.count ?? 0;
    };
    const before = await left();
    expect(before).toBeGreaterThan(0);
    await database.query('SELECT audit_prune()');
    expect(await left()).toBe(before - 1000);
    await database.query('DELETE FROM audit_event WHERE account = $1', [account]);
  });

  it('says which operator did something', async () => {
    await signUp(service, 'disabled');
    const account = await idOf('disabled');
    expect((await command('user', ['disable', 'disabled'])).status).toBe(0);
    expect((await command('user', ['delete', '--yes', 'disabled'])).status).toBe(0);
    const events = await eventsOf(account);
    expect(events.slice(2).map(({ kind, operator }) => [kind, operator])).toEqual([
      ['user_disabled', 'minsu'],
      ['user_deleted', 'minsu'],
    ]);
  });
});

describe('retention', () => {
  it('is 365 days, and stays what it was where nothing is said', async () => {
    const retained = await createMigratedDatabase();
    const run = async (more: Record<string, string>): Promise<unknown> => {
      const dataSource = await openDataSource({ environment: { ...retained.owner, ...more } });
      await dataSource.runMigrations();
      await dataSource.destroy();
      return retained.query('SELECT retention_days FROM audit_policy');
    };
    expect(await run({})).toEqual([{ retention_days: 365 }]);
    expect(await run({ AUDIT_RETENTION_DAYS: '3650' })).toEqual([{ retention_days: 3650 }]);
    expect(await run({})).toEqual([{ retention_days: 3650 }]);
    await retained.drop();
  });

  it('is what the migrations were run with last, and takes what is older', async () => {
    const retained = await createMigratedDatabase();
    const dataSource = await openDataSource({
      environment: { ...retained.owner, AUDIT_RETENTION_DAYS: '30' },
    });
    await dataSource.runMigrations();
    await dataSource.destroy();
    await retained.query(
      `INSERT INTO audit_event (at, kind, outcome)
       SELECT now() - days * interval '1 day', 'authn_login_fail', 'failure'
         FROM (SELECT 29 AS days UNION ALL SELECT 31 FROM generate_series(1, 2500)) AS old`,
    );
    const cleaning = await startServiceOn(retained);
    await waitUntil(
      async () => (await retained.query('SELECT FROM audit_event')).length === 1,
      cleaning.output,
    );
    await cleaning.stop();
    await retained.drop();
  });
});

describe('the role of the service', () => {
  let client: Client;

  beforeAll(async () => {
    const { INSTANCE_HOST, DB_USER, DB_PASS, DB_NAME } = database.environment;
    client = new Client({
      host: INSTANCE_HOST,
      user: DB_USER,
      password: DB_PASS,
      database: DB_NAME,
    });
    await client.connect();
  });

  afterAll(() => client.end());

  it.each([
    'DROP TABLE audit_event',
    'DROP TABLE "user" CASCADE',
    'ALTER TABLE audit_event DISABLE TRIGGER ALL',
    'ALTER TABLE "user" DISABLE TRIGGER audit_deletion',
    'ALTER TABLE audit_event ADD COLUMN x int',
    'ALTER TABLE audit_event OWNER TO test_service',
    'TRUNCATE audit_event',
    'TRUNCATE "user" CASCADE',
    'UPDATE audit_event SET account = 1',
    'DELETE FROM audit_event',
    `INSERT INTO audit_event (at, kind, outcome) VALUES (now(), 'x', 'success')`,
    `INSERT INTO audit_event (id, kind, outcome) OVERRIDING SYSTEM VALUE VALUES (1, 'x', 'success')`,
    'UPDATE audit_policy SET retention_days = 1',
    'INSERT INTO audit_policy (retention_days) VALUES (1)',
    'DELETE FROM user_account_migration',
    'CREATE TABLE mine (id int)',
    'CREATE OR REPLACE FUNCTION audit_prune() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
    'CREATE RULE none AS ON INSERT TO audit_event DO INSTEAD NOTHING',
    'CREATE TRIGGER none BEFORE INSERT ON audit_event EXECUTE FUNCTION audit_deletion()',
    "SELECT setval(pg_get_serial_sequence('audit_event', 'id'), 1)",
    'SET ROLE postgres',
    "COPY audit_event TO PROGRAM 'true'",
  ])('may not: %s', async (sql) => {
    await expect(client.query(sql)).rejects.toMatchObject({
      code: expect.stringMatching(/^(42501|0A000|42P17|42809)$/) as string,
    });
  });

  it('cannot have more pruned than is too old, by tables or a path of its own', async () => {
    const [{ count: before } = { count: 0 }] = await database.query<{ count: number }>(
      'SELECT count(*)::int FROM audit_event',
    );
    await client.query('CREATE TEMP TABLE audit_policy AS SELECT 0 AS retention_days');
    await client.query('SET search_path = pg_temp, public');
    await client.query('SELECT public.audit_prune()');
    expect(await database.query('SELECT count(*)::int FROM audit_event')).toEqual([
      { count: before },
    ]);
    expect(before).toBeGreaterThan(0);
  });

  it('cannot use the trigger’s function on a table of its own', async () => {
    await client.query('CREATE TEMP TABLE accounts (id int)');
    await expect(
      client.query(`CREATE TRIGGER x AFTER DELETE ON accounts REFERENCING OLD TABLE AS deleted
                    FOR EACH STATEMENT EXECUTE FUNCTION public.audit_deletion()`),
    ).rejects.toMatchObject({ code: '42501' });
  });

  it('finds no function of the owner that looks for names where others may make some', async () => {
    expect(
      await database.query(
        `SELECT proname, proconfig FROM pg_proc
          WHERE prosecdef AND pronamespace = 'public'::regnamespace ORDER BY 1`,
      ),
    ).toEqual([
      { proname: 'audit_deletion', proconfig: ['search_path=pg_catalog, pg_temp'] },
      { proname: 'audit_prune', proconfig: ['search_path=pg_catalog, pg_temp'] },
    ]);
  });
});

describe('DB_SERVICE_ROLE', () => {
  let empty: TestDatabase;
  const role = `test_${randomBytes(6).toString('hex')}`;

  beforeEach(async () => {
    empty = await createDatabase();
    await empty.query(`CREATE ROLE ${role}`);
  });

  afterEach(async () => {
    await empty.query(`DROP OWNED BY ${role}; DROP ROLE IF EXISTS ${role}`);
    await empty.drop();
  });

  async function migrate(DB_SERVICE_ROLE: string): Promise<void> {
    const dataSource = await openDataSource({
      environment: { ...empty.environment, DB_SERVICE_ROLE },
    });
    await dataSource.runMigrations().finally(() => dataSource.destroy());
  }

  it.each([
    { name: 'no such role', says: /no such role is no role of this server: CREATE ROLE/ },
    { name: 'postgres', says: /postgres is a superuser, or may do whatever DB_USER may/ },
  ])('is looked at before anything is changed: $name', async ({ name, says }) => {
    await expect(migrate(name)).rejects.toThrow(says);
    expect(await empty.query(`SELECT to_regclass('"user"') AS made`)).toEqual([{ made: null }]);
  });

  it.each([
    { sql: 'GRANT CREATE ON SCHEMA public TO', says: /may make things in the schema/ },
    { sql: 'GRANT pg_write_all_data TO', says: /may change the audit trail/ },
    { sql: 'GRANT pg_execute_server_program TO', says: /run programs there/ },
    { sql: 'ALTER SCHEMA public OWNER TO', says: /owns the schema/ },
  ])('is refused what would get round its privileges: $sql', async ({ sql, says }) => {
    await empty.query(`${sql} ${role}`);
    await expect(migrate(role)).rejects.toThrow(says);
    await empty.query('ALTER SCHEMA public OWNER TO pg_database_owner');
    // Nothing was granted: it may not do some of it, and be thought to be restricted.
    expect(
      await empty.query(`SELECT has_table_privilege($1, 'rate_limit', 'SELECT') AS granted`, [
        role,
      ]),
    ).toEqual([{ granted: false }]);
  });

  it('has after takeover back what it had before, and no more', async () => {
    await empty.query(readFileSync(join(__dirname, 'fixtures/fastapi-database.sql'), 'utf8'));
    await empty.query(`GRANT SELECT, INSERT ON "user" TO ${role}`);
    const rights = (): Promise<unknown[]> =>
      empty.query(
        `SELECT relname, privilege_type FROM pg_class, aclexplode(relacl)
          WHERE grantee = $1::regrole ORDER BY 1, 2`,
        [role],
      );
    const before = await rights();
    await migrate(role);
    expect((await rights()).length).toBeGreaterThan(20);
    // Whoever goes back need not know whom it was given to.
    const { status, errors } = await command('takeover', ['back', '--yes'], empty);
    expect([status, errors]).toEqual([0, expect.any(String)]);
    expect(await rights()).toEqual(before);
  });
});

describe('npm run audit', () => {
  let directory: string;
  let account: number;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'uas-audit-'));
    const token = await signUp(service, 'listed');
    account = await idOf('listed');
    for (let i = 0; i < 3; i += 1) {
      await service.fetch('/user/login', form({ username: 'listed', password: 'wrong' }));
    }
    await send('/user/logout', token);
  });

  afterAll(() => rm(directory, { recursive: true }));

  const lines = ({ output }: Outcome): string[] => output.split('\n').filter(Boolean);
  const kinds = (outcome: Outcome): string[] =>
    lines(outcome).map((line) => line.split('  ')[2] ?? '');

  it('lists the newest events, oldest first, of an account by its name or id', async () => {
    const byName = await command('audit', ['list', '--account', 'listed']);
    expect([byName.status, kinds(byName)]).toEqual([
      0,
      [
        'user_created',
        'authn_login_success',
        'authn_login_fail',
        'authn_login_fail',
        'authn_login_fail',
        'authn_token_revoked',
      ],
    ]);
    expect(lines(byName)[1]).toMatch(
      /^\d+ {2}20\d\d-[\d-]+T[\d:.]+Z {2}authn_login_success {2}id:\d+ {2}from \S+ {2}login [\da-f-]{36}$/,
    );
    const byId = await command('audit', ['list', '--account', `id:${String(account)}`]);
    expect(byId.output).toBe(byName.output);
  });

  it('goes back a page at a time', async () => {
    const page = ['list', '--account', 'listed', '--limit', '2'];
    const newest = await command('audit', page);
    expect(kinds(newest)).toEqual(['authn_login_fail', 'authn_token_revoked']);
    const [, before = ''] = /--before (\d+)/.exec(newest.errors) ?? [];
    const older = await command('audit', [...page, '--before', before]);
    expect(kinds(older)).toEqual(['authn_login_fail', 'authn_login_fail']);
  });

  it('says when the page before ends with an event that is not there any more', async () => {
    const { status, output, errors } = await command('audit', ['list', '--before', '999999999']);
    expect([status, output, errors]).toEqual([
      1,
      '',
      'There is no event 999999999, or no more: begin again without --before\n',
    ]);
  });

  it('lists by kind, outcome and time', async () => {
    const of = async (...filter: string[]): Promise<string[]> =>
      kinds(await command('audit', ['list', '--account', 'listed', ...filter]));
    expect(await of('--kind', 'user_created', 'authn_token_revoked')).toEqual([
      'user_created',
      'authn_token_revoked',
    ]);
    expect(await of('--outcome', 'failure')).toEqual(Array(3).fill('authn_login_fail'));
    expect(await of('--since', '1h')).toHaveLength(6);
    expect(await of('--until', '1h')).toEqual([]);
    expect(await of('--since', '2026-01-01', '--until', '2026-01-02T00:00:00Z')).toEqual([]);
  });

  it.each([
    ['--since', 'yesterday'],
    ['--since', '2026-13-01'],
    ['--since', '2026-02-30'],
    ['--since', '2026-02-28T08:00'],
    ['--kind', 'login'],
    ['--outcome', 'both'],
    ['--limit', '0'],
  ])('refuses %s %s', async (...filter) => {
    expect((await command('audit', ['list', ...filter])).status).toBe(2);
  });

  it('says when there is nobody of that name', async () => {
    const { status, errors } = await command('audit', ['list', '--account', 'who is that']);
    expect([status, errors]).toEqual([1, expect.stringContaining('There is no such account')]);
  });

  it('exports all, as lines of JSON, to a file that is nobody else’s', async () => {
    const exported = await createMigratedDatabase();
    await exported.query(
      `INSERT INTO audit_event (at, kind, outcome, account)
       SELECT now() - interval '1 hour', 'authn_login_fail', 'failure', n
         FROM generate_series(1, 2001) AS n
       UNION ALL SELECT now(), 'authn_login_fail', 'failure', 0`,
    );
    const file = join(directory, 'audit.jsonl');
    const { status, errors } = await command('audit', ['export', '--output', file], exported);
    expect([status, errors]).toEqual([0, '']);
    const events = (await readFile(file, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Event);
    expect(events.map((event) => event.account)).toEqual(
      Array.from({ length: 2001 }, (_, index) => index + 1),
    );
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const some = await command('audit', ['export', '--account', 'id:7'], exported);
    expect(lines(some).map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        id: '7',
        at: expect.any(String) as string,
        kind: 'authn_login_fail',
        outcome: 'failure',
        account: 7,
        session: null,
        address: null,
        operator: null,
      },
    ]);
    const none = await command('audit', ['export', '--account', 'id:0'], exported);
    expect([none.output, none.errors]).toEqual([
      '',
      'There is none, but perhaps of the last minute\n',
    ]);
    await exported.drop();
  });

  it('exports what there was when it began, whatever is too old meanwhile', async () => {
    const exported = await createMigratedDatabase();
    await exported.query(
      `INSERT INTO audit_event (at, kind, outcome, account)
       SELECT now() - interval '1 day', 'authn_login_fail', 'failure', n
         FROM generate_series(1, 2500) AS n`,
    );
    const dataSource = await openDataSource(exported, { readOnly: true });
    const accounts: (number | null)[] = [];
    for await (const events of allEventsOf(dataSource, {})) {
      accounts.push(...events.map((event) => event.account));
      await exported.query('DELETE FROM audit_event WHERE account <= 1500');
    }
    expect(accounts).toEqual(Array.from({ length: 2500 }, (_, index) => index + 1));
    await dataSource.destroy();
    await exported.drop();
  });

  it('has the accounts that were imported, and each export', async () => {
    const target = await createMigratedDatabase();
    const file = join(directory, 'accounts.jsonl');
    expect((await command('user', ['export', '--output', file])).status).toBe(0);
    expect(await last()).toMatchObject({ kind: 'users_export_begun', operator: 'minsu' });
    expect((await command('user', ['import', file], target)).status).toBe(0);
    const events = await target.query<Event>('SELECT * FROM audit_event ORDER BY id');
    const [users] = await target.query<{ count: number }>('SELECT count(*)::int FROM "user"');
    expect(events.map(({ kind }) => kind)).toEqual([
      'users_import_begun',
      ...Array<string>(users?.count ?? 0).fill('user_created'),
    ]);
    await target.drop();
  });
});
