import {
  JSON_TYPE,
  post,
  form,
  logInWith,
  PASSWORD,
  registration,
  signUp,
  statusWith,
  type Tokens,
} from './support/client';
import { createMigratedDatabase, type TestDatabase } from './support/database';
import { type RunningService, startServiceOn, TEST_SECRET_KEY, waitUntil } from './support/service';
import { claimsOf, DAY } from './support/token';

let database: TestDatabase;
let service: RunningService;
/** Another process on the same database. */
let other: RunningService;

beforeAll(async () => {
  database = await createMigratedDatabase();
  [service, other] = await Promise.all([startServiceOn(database), startServiceOn(database)]);
  await service.fetch('/user/create', registration('hana'));
});

afterAll(async () => {
  await Promise.all([service.stop(), other.stop()]);
  await database.drop();
});

const password = { grant_type: 'password', username: 'hana', password: PASSWORD };
const OFFLINE = { scope: 'offline_access' };

async function token(
  fields: Record<string, string>,
  at = service,
): Promise<[number, Tokens & { error?: string; error_description?: string; detail?: unknown }]> {
  const response = await at.fetch('/user/token', form(fields));
  expect(response.headers.get('content-type')).toBe('application/json');
  return [response.status, (await response.json()) as Tokens];
}

function refresh(refreshToken: string, at = service): ReturnType<typeof token> {
  return token({ grant_type: 'refresh_token', refresh_token: refreshToken }, at);
}

/** A new login with a refresh token. */
async function offline(username = 'hana'): Promise<{ access: string; refreshToken: string }> {
  const tokens = await logInWith(service, { username, ...OFFLINE });
  return { access: tokens.access_token, refreshToken: tokens.refresh_token ?? '' };
}

/** Locks the login that a token belongs to. */
function rowOf(token: string): string {
  return `SELECT FROM user_session WHERE id = '${String(claimsOf(token)['sid'])}' FOR UPDATE`;
}

/** Lets the grace of a used refresh token end. */
async function age(sessionOf: string): Promise<void> {
  await database.query(
    `UPDATE refresh_token SET used_at = used_at - interval '11 seconds' WHERE session_id = $1`,
    [claimsOf(sessionOf)['sid']],
  );
}

describe('POST /user/token', () => {
  it('takes the password grant', async () => {
    const response = await service.fetch('/user/token', form(password));
    expect([
      response.status,
      response.headers.get('cache-control'),
      response.headers.get('pragma'),
    ]).toEqual([200, 'no-store', 'no-cache']);
    const body = (await response.json()) as Tokens;
    expect(body).toEqual({
      access_token: expect.any(String) as string,
      token_type: 'bearer',
      username: 'hana',
      expires_in: DAY,
    });
    expect(await statusWith(other, body.access_token)).toBe(200);
  });

  it.each([
    ['nothing', {}, 'invalid_request', [['body', 'grant_type']]],
    [
      'no grant type',
      { username: 'hana', password: PASSWORD },
      'invalid_request',
      [['body', 'grant_type']],
    ],
    [
      'no username',
      { grant_type: 'password' },
      'invalid_request',
      [
        ['body', 'username'],
        ['body', 'password'],
      ],
    ],
    [
      'a name with NUL',
      { ...password, username: 'a\0' },
      'invalid_request',
      [['body', 'username']],
    ],
    [
      'no refresh token',
      { grant_type: 'refresh_token' },
      'invalid_request',
      [['body', 'refresh_token']],
    ],
    ['another grant', { grant_type: 'client_credentials' }, 'unsupported_grant_type', undefined],
    ['a wrong password', { ...password, password: 'wrong' }, 'invalid_grant', undefined],
    ['an unknown user', { ...password, username: 'nobody' }, 'invalid_grant', undefined],
    [
      'no refresh token of ours',
      { grant_type: 'refresh_token', refresh_token: 'x' },
      'invalid_grant',
      undefined,
    ],
    [
      'an unknown refresh token',
      { grant_type: 'refresh_token', refresh_token: 'A'.repeat(43) },
      'invalid_grant',
      undefined,
    ],
  ])(
    'answers as RFC 6749 has it: %s',
    async (_name, fields: Record<string, string>, error, locs) => {
      const [status, body] = await token(fields);
      expect([status, body.error]).toEqual([400, error]);
      expect(body.error_description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
      if (locs === undefined) expect(body.detail).toEqual(expect.any(String));
      else expect((body.detail as { loc: string[] }[]).map(({ loc }) => loc)).toEqual(locs);
    },
  );

  it('answers a parameter that is given twice', async () => {
    const response = await service.fetch('/user/token', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'grant_type=password&grant_type=password&username=hana&password=x',
    });
    expect([response.status, ((await response.json()) as { error: string }).error]).toEqual([
      400,
      'invalid_request',
    ]);
  });
});

describe('a refresh token', () => {
  it('is answered to whoever asks for it, and to nobody else', async () => {
    for (const scope of ['offline_access', 'openid offline_access']) {
      const tokens = await logInWith(service, { username: 'hana', scope });
      expect(tokens).toMatchObject({
        refresh_token: expect.stringMatching(/^[\w-]{43}$/) as string,
        scope: 'offline_access',
        expires_in: DAY,
      });
    }
    for (const scope of ['offline', 'openid', 'OFFLINE_ACCESS']) {
      expect(Object.keys(await logInWith(service, { username: 'hana', scope }))).not.toContain(
        'refresh_token',
      );
    }
    const [, tokens] = await token({ ...password, ...OFFLINE });
    expect(tokens.refresh_token).toEqual(expect.any(String));
  });

  it('gives a new token of the same login, and the next refresh token', async () => {
    const { access, refreshToken } = await offline();
    const [status, next] = await refresh(refreshToken, other);
    expect(status).toBe(200);
    expect(next.refresh_token).not.toBe(refreshToken);
    expect(claimsOf(next.access_token)['sid']).toBe(claimsOf(access)['sid']);
    expect(claimsOf(next.access_token)['jti']).not.toBe(claimsOf(access)['jti']);
    expect(await statusWith(service, next.access_token)).toBe(200);
    expect(await statusWith(service, access)).toBe(200);
    expect((await refresh(next.refresh_token ?? ''))[0]).toBe(200);
  });

  it('gives the same successor to all that use it at once, of whom one is first', async () => {
    const { access, refreshToken } = await offline();
    // The row, not the table: all have begun, and see the token unused.
    const gate = await database.hold(rowOf(access));
    const uses = Array.from({ length: 16 }, (_, i) =>
      refresh(refreshToken, i % 2 === 0 ? service : other),
    );
    await waitUntil(async () => (await gate.waiting()) >= 16);
    await gate.release();
    const answers = await Promise.all(uses);
    expect(answers.map(([status]) => status)).toEqual(Array(16).fill(200));
    const successors = new Set(answers.map(([, { refresh_token: next }]) => next));
    expect(successors.size).toBe(1);
    const alive = await database.query(
      'SELECT FROM refresh_token WHERE used_at IS NULL AND session_id = $1',
      [claimsOf(access)['sid']],
    );
    expect(alive).toHaveLength(1);
    expect((await refresh([...successors][0] ?? ''))[0]).toBe(200);
  });

  it('that is asked for after a change of the key gets the successor it had', async () => {
    const { refreshToken } = await offline();
    const [, { refresh_token: next }] = await refresh(refreshToken);
    const rotated = await startServiceOn(database, {
      SECRET_KEY: 'the key that comes after the one of the tests, as long',
      SECRET_KEY_PREVIOUS: TEST_SECRET_KEY,
    });
    const [status, again] = await refresh(refreshToken, rotated);
    expect([status, again.refresh_token]).toEqual([200, next]);
    expect((await refresh(next ?? '', rotated))[0]).toBe(200);
    await rotated.stop();
  });

  it('that is used while the name is changed is as good as before', async () => {
    await signUp(service, 'renaming');
    const { access, refreshToken } = await offline('renaming');
    const gate = await database.hold(rowOf(access));
    const renaming = service.fetch('/user/me', {
      ...post({ username: 'renamed' }),
      method: 'PATCH',
      headers: { ...JSON_TYPE, authorization: `Bearer ${access}` },
    });
    await waitUntil(async () => (await gate.waiting()) === 1);
    const refreshing = refresh(refreshToken, other);
    await waitUntil(async () => (await gate.waiting()) === 2);
    await gate.release();
    expect((await renaming).status).toBe(200);
    expect((await refreshing)[0]).toBe(200);
  });

  it('that is used again after the grace ends the login', async () => {
    const { access, refreshToken } = await offline();
    const [, { refresh_token: next = '' }] = await refresh(refreshToken);
    expect((await refresh(refreshToken))[1].refresh_token).toBe(next);
    await age(access);
    const [status, body] = await refresh(refreshToken, other);
    expect([status, body.error]).toEqual([400, 'invalid_grant']);
    expect(await statusWith(service, access)).toBe(401);
    expect((await refresh(next))[0]).toBe(400);
    expect(service.output() + other.output()).toMatch(/authn_token_reuse/);
  });

  it('is of no more use once its login is over', async () => {
    const { access, refreshToken } = await offline();
    expect(await statusWith(other, access, '/user/logout', { method: 'POST' })).toBe(204);
    const [status, { error, detail }] = await refresh(refreshToken);
    expect([status, error, detail]).toEqual([
      400,
      'invalid_grant',
      '갱신 토큰이 올바르지 않거나 만료되었습니다. 다시 로그인하세요.',
    ]);
  });

  it('renews a login for 14 days, and for 30 at most', async () => {
    const { access, refreshToken } = await offline();
    const life = async (): Promise<number> => {
      const [row] = await database.query<{ days: string }>(
        `SELECT extract(epoch FROM expires_at - now()) / 86400 AS days
           FROM user_session WHERE id = $1`,
        [claimsOf(access)['sid']],
      );
      return Number(row?.days);
    };
    expect(await life()).toBeCloseTo(14, 2);
    await database.query(
      `UPDATE user_session SET created_at = created_at - interval '20 days',
              expires_at = now() + interval '1 minute' WHERE id = $1`,
      [claimsOf(access)['sid']],
    );
    const [, { refresh_token: next = '' }] = await refresh(refreshToken);
    expect(await life()).toBeCloseTo(10, 2);
    await database.query(
      `UPDATE user_session SET created_at = now() - interval '30 days' + interval '90 seconds' WHERE id = $1`,
      [claimsOf(access)['sid']],
    );
    const [status, tokens] = await refresh(next);
    expect(status).toBe(200);
    // No token outlives its login.
    expect(tokens.expires_in).toBeGreaterThan(80);
    expect(tokens.expires_in).toBeLessThanOrEqual(90);
    await database.query('UPDATE user_session SET expires_at = now() WHERE id = $1', [
      claimsOf(access)['sid'],
    ]);
    expect((await refresh(tokens.refresh_token ?? ''))[0]).toBe(400);
  });

  it('and a logout at once leave nothing alive', async () => {
    await signUp(service, 'race');
    const { access, refreshToken } = await offline('race');
    const gate = await database.hold(rowOf(access));
    const sent = [
      ...Array.from({ length: 8 }, () => refresh(refreshToken)),
      statusWith(other, access, '/user/logout', { method: 'POST' }),
    ];
    await waitUntil(async () => (await gate.waiting()) >= 9);
    await gate.release();
    const answers = await Promise.all(sent);
    for (const answer of answers) {
      if (typeof answer === 'number') expect([204, 401]).toContain(answer);
      else expect([200, 400]).toContain(answer[0]);
    }
    await waitUntil(async () => (await statusWith(service, access)) === 401);
    for (const answer of answers) {
      if (typeof answer === 'number' || answer[0] !== 200) continue;
      expect(await statusWith(service, answer[1].access_token)).toBe(401);
      expect((await refresh(answer[1].refresh_token ?? ''))[0]).toBe(400);
    }
  });
});
