import { randomUUID } from 'node:crypto';
import { bearer, logIn, logInWith, PASSWORD, signUp, statusWith } from './support/client';
import { createMigratedDatabase, type TestDatabase } from './support/database';
import { type RunningService, startServiceOn, waitUntil } from './support/service';
import { claimsOf, DAY, HOUR, now, referenceToken, sign } from './support/token';

const SESSIONS_PER_USER = 5;

interface Session {
  readonly id: string;
  readonly created_at: string;
  readonly last_used_at: string;
  readonly expires_at: string;
  readonly ip: string;
  readonly user_agent: string;
  readonly current: boolean;
}

interface Page {
  readonly items: readonly Session[];
  readonly total: number;
  readonly page: number;
  readonly size: number;
}

let database: TestDatabase;
let service: RunningService;
/** Another process on the same database. */
let other: RunningService;

beforeAll(async () => {
  database = await createMigratedDatabase();
  const settings = { SESSIONS_PER_USER: String(SESSIONS_PER_USER) };
  [service, other] = await Promise.all([
    startServiceOn(database, settings),
    startServiceOn(database, settings),
  ]);
});

afterAll(async () => {
  await Promise.all([service.stop(), other.stop()]);
  await database.drop();
});

async function send(method: string, path: string, token: string): Promise<[number, string]> {
  const response = await service.fetch(path, { method, ...bearer(token) });
  return [response.status, await response.text()];
}

async function list(token: string, query = ''): Promise<Page> {
  const response = await service.fetch(`/user/sessions${query}`, bearer(token));
  expect(response.status).toBe(200);
  return (await response.json()) as Page;
}

describe('POST /user/logout', () => {
  it('ends the login that the token belongs to, and no other, in every process', async () => {
    const token = await signUp(service, 'logout');
    const second = await logIn(other, 'logout', PASSWORD);
    expect(await send('POST', '/user/logout', token)).toEqual([204, '']);
    for (const at of [service, other]) {
      expect(await statusWith(at, token)).toBe(401);
      expect(await statusWith(at, second)).toBe(200);
    }
    expect(await send('POST', '/user/logout', token)).toEqual([
      401,
      '{"detail":"Could not validate credentials"}',
    ]);
  });

  it('is remembered by the database, whatever becomes of the process', async () => {
    const doomed = await startServiceOn(database);
    const token = await signUp(doomed, 'crash');
    expect(await statusWith(doomed, token, '/user/logout', { method: 'POST' })).toBe(204);
    expect(await doomed.stop('SIGKILL')).toBe('SIGKILL');
    const risen = await startServiceOn(database);
    expect(await statusWith(risen, token)).toBe(401);
    await risen.stop();
  });

  it('ends a token of the reference alone, however the end of its text is varied', async () => {
    const own = await signUp(service, 'reference');
    const ending = referenceToken('reference', now() - HOUR);
    const living = referenceToken('reference', now());
    await database.query(`UPDATE "user" SET not_before = '-infinity' WHERE username = 'reference'`);
    expect(await statusWith(service, ending)).toBe(200);
    expect((await send('POST', '/user/logout', ending))[0]).toBe(204);
    const last = ending.at(-1) ?? '';
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    // Four characters decode to the same last byte of a signature.
    const same = alphabet.indexOf(last) & ~3;
    for (const end of alphabet.slice(same, same + 4)) {
      expect(await statusWith(other, ending.slice(0, -1) + end)).toBe(401);
    }
    expect(await statusWith(other, living)).toBe(200);
    expect(await statusWith(other, own)).toBe(200);
  });

  it('needs a token', async () => {
    const response = await service.fetch('/user/logout', { method: 'POST' });
    expect([response.status, await response.json()]).toEqual([
      401,
      { detail: 'Not authenticated' },
    ]);
  });
});

describe('GET /user/sessions', () => {
  it('shows the live logins, newest first, and which one asks', async () => {
    const token = await signUp(service, 'list');
    const response = await service.fetch('/user/login', {
      method: 'POST',
      headers: { 'user-agent': 'A'.repeat(600) },
      body: new URLSearchParams({ username: 'list', password: PASSWORD }),
    });
    expect(response.status).toBe(200);
    await database.query(
      `INSERT INTO user_session (id, user_id, expires_at)
       SELECT gen_random_uuid(), id, now() FROM "user" WHERE username = 'list'`,
    );
    const { items, total, page, size } = await list(token);
    expect({ total, page, size }).toEqual({ total: 2, page: 1, size: 50 });
    expect(items.map(({ current }) => current)).toEqual([false, true]);
    expect(items.map(({ user_agent }) => user_agent)).toEqual(['A'.repeat(512), 'node']);
    expect(items[1]).toEqual({
      id: claimsOf(token)['sid'],
      created_at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      last_used_at: items[1]?.created_at,
      expires_at: expect.any(String) as string,
      ip: expect.stringMatching(/^(127\.0\.0\.1|::1)$/) as string,
      user_agent: 'node',
      current: true,
    });
    const life = Date.parse(items[1]?.expires_at ?? '') - Date.parse(items[1]?.created_at ?? '');
    expect(life).toBe(DAY * 1000);
  });

  it('has pages', async () => {
    const token = await signUp(service, 'pages');
    for (let i = 0; i < 3; i += 1) await logIn(service, 'pages', PASSWORD);
    const all = (await list(token)).items.map(({ id }) => id);
    const pages = await Promise.all(
      [1, 2, 3].map((page) => list(token, `?page=${String(page)}&size=2`)),
    );
    expect(pages.map(({ items }) => items.length)).toEqual([2, 2, 0]);
    expect(pages.map(({ total }) => total)).toEqual([4, 4, 4]);
    expect(pages.flatMap(({ items }) => items.map(({ id }) => id))).toEqual(all);
  });

  it.each([
    ['page=0', 'page', 'value_error.number.not_ge', { limit_value: 1 }],
    ['page=1e3', 'page', 'type_error.integer', undefined],
    ['page=', 'page', 'type_error.integer', undefined],
    ['page=1&page=2', 'page', 'type_error.integer', undefined],
    ['page=99999999999', 'page', 'value_error.number.not_le', { limit_value: 1_000_000 }],
    ['size=101', 'size', 'value_error.number.not_le', { limit_value: 100 }],
  ])('refuses %s', async (query, name, type, ctx) => {
    const token = await signUp(service, `query ${query}`);
    const response = await service.fetch(`/user/sessions?${query}`, bearer(token));
    expect([response.status, await response.json()]).toEqual([
      422,
      {
        detail: [
          { loc: ['query', name], msg: expect.any(String) as string, type, ...(ctx && { ctx }) },
        ],
      },
    ]);
  });

  it('keeps so many live logins, and ends the oldest', async () => {
    const first = await signUp(service, 'many');
    const logins = Array.from({ length: SESSIONS_PER_USER + 3 }, () =>
      logIn(service, 'many', PASSWORD),
    );
    const tokens = await Promise.all(logins);
    expect(await statusWith(other, first)).toBe(401);
    const statuses = await Promise.all(tokens.map((token) => statusWith(service, token)));
    expect(statuses.filter((status) => status === 200)).toHaveLength(SESSIONS_PER_USER);
    const rows = await database.query(
      `SELECT FROM user_session JOIN "user" u ON u.id = user_id WHERE username = 'many'`,
    );
    expect(rows).toHaveLength(SESSIONS_PER_USER);
    const revoked = await database.query<{ session: string }>(
      `SELECT session FROM audit_event JOIN "user" u ON u.id = account
        WHERE username = 'many' AND kind = 'authn_token_revoked'`,
    );
    // That of the sign-up, and as many as came after the last place was taken.
    expect(new Set(revoked.map(({ session }) => session)).size).toBe(4);
    expect(revoked).toHaveLength(4);
  });

  it('does not end the login that begins, whatever the clock said before', async () => {
    await signUp(service, 'ahead of time');
    for (let i = 0; i < SESSIONS_PER_USER; i += 1) await logIn(service, 'ahead of time', PASSWORD);
    await database.query(
      `UPDATE user_session SET created_at = now() + interval '10 minutes' FROM "user" u
        WHERE u.id = user_id AND username = 'ahead of time'`,
    );
    const token = await logIn(service, 'ahead of time', PASSWORD);
    expect(await statusWith(service, token)).toBe(200);
  });

  it('notes the use of a login, at most once a minute', async () => {
    const token = await signUp(service, 'used');
    const used = async (): Promise<string | undefined> =>
      (await list(token)).items[0]?.last_used_at;
    const before = await used();
    expect(await used()).toBe(before);
    await database.query(
      `UPDATE user_session SET last_used_at = now() - interval '2 minutes' WHERE id = $1`,
      [claimsOf(token)['sid']],
    );
    await statusWith(service, token);
    await waitUntil(async () => ((await used()) ?? '') > (before ?? ''));
  });
});

describe('DELETE /user/sessions/{id}', () => {
  it('ends one of my logins, here and elsewhere', async () => {
    const [token, second] = [await signUp(service, 'one'), await logIn(service, 'one', PASSWORD)];
    const id = String(claimsOf(second)['sid']);
    expect(await send('DELETE', `/user/sessions/${id}`, token)).toEqual([204, '']);
    expect(await statusWith(other, second)).toBe(401);
    expect(await statusWith(other, token)).toBe(200);
    expect(await send('DELETE', `/user/sessions/${id}`, token)).toEqual([
      404,
      '{"detail":"Not Found"}',
    ]);
  });

  it('tells nothing of those of others', async () => {
    const token = await signUp(service, 'mine');
    const theirs = String(claimsOf(await signUp(service, 'theirs'))['sid']);
    const answers = await Promise.all(
      [theirs, randomUUID(), 'x', '%00', '1'.repeat(3000), `${theirs}'--`].map((id) =>
        send('DELETE', `/user/sessions/${id}`, token),
      ),
    );
    expect(new Set(answers.map(String))).toEqual(new Set(['404,{"detail":"Not Found"}']));
    expect(await database.query('SELECT FROM user_session WHERE id = $1', [theirs])).toHaveLength(
      1,
    );
  });
});

describe('DELETE /user/sessions', () => {
  it('ends every login but this one, and every token of the reference', async () => {
    const token = await signUp(service, 'others');
    const second = await logIn(service, 'others', PASSWORD);
    const theirs = referenceToken('others');
    expect(await statusWith(service, theirs)).toBe(200);
    expect(await send('DELETE', '/user/sessions', token)).toEqual([204, '']);
    expect(await statusWith(other, token)).toBe(200);
    expect(await statusWith(other, second)).toBe(401);
    expect(await statusWith(other, theirs)).toBe(401);
  });

  it('ends this one too, if that is meant', async () => {
    const token = await signUp(service, 'all');
    const stranger = await signUp(service, 'stranger');
    expect((await send('DELETE', '/user/sessions?include_current=true', token))[0]).toBe(204);
    expect(await statusWith(other, token)).toBe(401);
    expect(await statusWith(other, stranger)).toBe(200);
    expect((await send('DELETE', '/user/sessions?include_current=2', stranger))[0]).toBe(422);
  });

  it('logs out the caller who uses a token of the reference', async () => {
    const own = await signUp(service, 'with theirs');
    const theirs = referenceToken('with theirs');
    expect((await send('DELETE', '/user/sessions', theirs))[0]).toBe(204);
    expect(await statusWith(other, theirs)).toBe(401);
    expect(await statusWith(other, own)).toBe(401);
  });
});

describe('a login', () => {
  it('is over after 24 hours', async () => {
    const token = await signUp(service, 'old');
    const { sid } = claimsOf(token);
    await database.query('UPDATE user_session SET expires_at = now() WHERE id = $1', [sid]);
    expect(await statusWith(service, token)).toBe(401);
    const later = await startServiceOn(database, {
      NODE_OPTIONS: `--import ${process.cwd()}/test/fixtures/25-hours-on.mjs`,
    });
    const fresh = await signUp(service, 'fresh');
    expect(await statusWith(service, fresh)).toBe(200);
    expect(await statusWith(later, fresh)).toBe(401);
    expect(await statusWith(later, await logIn(later, 'fresh', PASSWORD))).toBe(200);
    await later.stop();
  });

  it('that has expired is cleared away, in batches, by one process at a time', async () => {
    const token = await signUp(service, 'cleared');
    await database.query(
      `INSERT INTO user_session (id, user_id, expires_at)
       SELECT gen_random_uuid(), u.id, now() - interval '2 hours'
         FROM "user" u, generate_series(1, 2500) WHERE username = 'cleared'`,
    );
    await database.query(
      `INSERT INTO revoked_token VALUES ('\\x00', now(), now() - interval '2 hours')`,
    );
    const cleaners = await Promise.all([startServiceOn(database), startServiceOn(database)]);
    await waitUntil(async () => {
      const expired = await database.query(
        `SELECT expires_at FROM user_session WHERE expires_at < now() - interval '1 hour'
          UNION ALL
         SELECT expires_at FROM revoked_token WHERE expires_at < now() - interval '1 hour'`,
      );
      return expired.length === 0;
    });
    expect(await statusWith(service, token)).toBe(200);
    await Promise.all(cleaners.map((cleaner) => cleaner.stop()));
  });

  it('speaks for nobody else when the key is right and the name is not', async () => {
    const token = await signUp(service, 'whose');
    await signUp(service, 'not mine');
    const claims = claimsOf(token);
    expect(await statusWith(service, sign(claims))).toBe(200);
    expect(await statusWith(service, sign({ ...claims, sub: 'not mine' }))).toBe(401);
  });

  it('keeps nothing in the database that opens anything', async () => {
    const { access_token: token, refresh_token: refresh = '' } = await logInWith(service, {
      username: (await signUp(service, 'dumped'), 'dumped'),
      scope: 'offline_access',
    });
    const rows = await database.query<{ text: string }>(
      `SELECT s::text AS text FROM user_session s UNION ALL SELECT t::text FROM refresh_token t
       UNION ALL SELECT u::text FROM "user" u UNION ALL SELECT r::text FROM revoked_token r`,
    );
    const dump = rows.map(({ text }) => text).join('\n');
    expect(dump).not.toContain(token);
    expect(dump).not.toContain(refresh);
    expect(dump).not.toContain(Buffer.from(refresh, 'base64url').toString('hex'));
  });
});
