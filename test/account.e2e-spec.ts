import * as bcryptjs from 'bcryptjs';
import {
  bearer,
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
import { createMigratedDatabase, type TestDatabase } from './support/database';
import { type RunningService, startServiceOn, waitUntil } from './support/service';
import { claimsOf, referenceToken } from './support/token';

const NEW = 'battery staple 8';

let database: TestDatabase;
let service: RunningService;
/** Another process on the same database. */
let other: RunningService;

beforeAll(async () => {
  database = await createMigratedDatabase();
  [service, other] = await Promise.all([startServiceOn(database), startServiceOn(database)]);
});

afterAll(async () => {
  await Promise.all([service.stop(), other.stop()]);
  await database.drop();
});

async function send(
  path: string,
  token: string,
  body: unknown,
  method = 'POST',
): Promise<[number, unknown]> {
  const response = await service.fetch(path, {
    method,
    headers: { ...JSON_TYPE, authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return [response.status, text === '' ? '' : JSON.parse(text)];
}

function change(token: string, more: object = {}): Promise<[number, unknown]> {
  const body = { current_password: PASSWORD, password1: NEW, password2: NEW, ...more };
  return send('/user/password', token, body);
}

function rename(token: string, username: unknown): Promise<[number, unknown]> {
  return send('/user/me', token, { username }, 'PATCH');
}

const wrong = (field: string): unknown => [
  422,
  {
    detail: [{ loc: ['body', field], msg: '비밀번호가 올바르지 않습니다.', type: 'value_error' }],
  },
];

async function loginStatus(username: string, password: string): Promise<number> {
  return (await service.fetch('/user/login', form({ username, password }))).status;
}

describe('POST /user/password', () => {
  it('changes the password and ends every other login', async () => {
    const token = await signUp(service, 'change');
    const second = await logIn(service, 'change', PASSWORD);
    const { refresh_token: refresh = '' } = await logInWith(service, {
      username: 'change',
      scope: 'offline_access',
    });
    const theirs = referenceToken('change');
    expect(await change(token)).toEqual([204, '']);
    expect(await statusWith(other, token)).toBe(200);
    expect(await statusWith(other, second)).toBe(401);
    expect(await statusWith(other, theirs)).toBe(401);
    expect(await loginStatus('change', PASSWORD)).toBe(401);
    expect(await loginStatus('change', NEW)).toBe(200);
    const renewed = await service.fetch(
      '/user/token',
      form({ grant_type: 'refresh_token', refresh_token: refresh }),
    );
    expect(renewed.status).toBe(400);
  });

  it('needs the current password', async () => {
    const token = await signUp(service, 'confirm');
    expect(await change(token, { current_password: 'wrong' })).toEqual(wrong('current_password'));
    expect(await loginStatus('confirm', PASSWORD)).toBe(200);
  });

  it.each([
    ['nothing', {}, ['current_password', 'password1', 'password2']],
    ['a short one', { password1: 'short', password2: 'short' }, ['password1']],
    ['a common one', { password1: 'password1', password2: 'password1' }, ['password1']],
    ['two that differ', { password2: 'other' }, ['password2']],
    ['NUL', { current_password: 'a\0' }, ['current_password']],
    ['too long', { current_password: 'x'.repeat(1025) }, ['current_password']],
    ['numbers', { current_password: 7 }, ['current_password']],
  ])('refuses %s', async (name, more, fields) => {
    const token = await signUp(service, `refuse ${name}`);
    const [status, body] =
      name === 'nothing' ? await send('/user/password', token, {}) : await change(token, more);
    expect(status).toBe(422);
    const { detail } = body as { detail: { loc: string[] }[] };
    expect(detail.map(({ loc }) => loc[1])).toEqual(fields);
  });

  it('logs out the caller who uses a token of the reference', async () => {
    await signUp(service, 'changed by theirs');
    const theirs = referenceToken('changed by theirs');
    expect((await change(theirs))[0]).toBe(204);
    expect(await statusWith(other, theirs)).toBe(401);
  });

  it('lets no login begin with the old password while it is changed', async () => {
    const token = await signUp(service, 'racing');
    const gate = await database.hold(`SELECT FROM "user" WHERE username = 'racing' FOR UPDATE`);
    const changing = change(token);
    await waitUntil(async () => (await gate.waiting()) === 1);
    // Its password is verified before the lock is waited for.
    const login = other.fetch('/user/login', form({ username: 'racing', password: PASSWORD }));
    await waitUntil(async () => (await gate.waiting()) === 2);
    await gate.release();
    expect((await changing)[0]).toBe(204);
    expect((await login).status).toBe(401);
  });

  it('takes the right password while a login of another replaces its hash', async () => {
    const token = await signUp(service, 'rehashed');
    const dearer = await startServiceOn(database, { BCRYPT_COST: '5' });
    const gate = await database.hold(`SELECT FROM "user" WHERE username = 'rehashed' FOR UPDATE`);
    const changing = change(token);
    await waitUntil(async () => (await gate.waiting()) === 1);
    const login = dearer.fetch('/user/login', form({ username: 'rehashed', password: PASSWORD }));
    await waitUntil(async () => (await gate.waiting()) === 2);
    await gate.release();
    // Whichever was first, nobody who knows a password is told it is wrong.
    expect((await changing)[0]).toBe(204);
    expect([200, 401]).toContain((await login).status);
    await dearer.stop();
  });

  it('is not fooled by whoever has taken the name meanwhile, with the same password', async () => {
    const token = await signUp(service, 'name given up');
    const gate = await database.hold(
      `SELECT FROM "user" WHERE username = 'name given up' FOR UPDATE`,
    );
    // What is verified is the password of this account; then its row is waited for.
    const changing = change(token);
    await waitUntil(async () => (await gate.waiting()) === 1);
    await gate.query(
      `UPDATE "user" SET username = 'moved on', password = 'another' WHERE username = 'name given up'`,
    );
    await gate.query(
      `INSERT INTO "user" (username, email, password) VALUES ('name given up', 'taken@example.com', $1)`,
      [bcryptjs.hashSync(PASSWORD, 4)],
    );
    await gate.release();
    expect(await changing).toEqual(wrong('current_password'));
    expect(await loginStatus('name given up', PASSWORD)).toBe(200);
  });

  it('of two at once, lets one happen', async () => {
    const token = await signUp(service, 'twice');
    const gate = await database.hold(`SELECT FROM "user" WHERE username = 'twice' FOR UPDATE`);
    const changes = [NEW, 'another staple 7'].map((next) =>
      change(token, { password1: next, password2: next }),
    );
    await waitUntil(async () => (await gate.waiting()) === 2);
    await gate.release();
    const statuses = (await Promise.all(changes)).map(([status]) => status);
    expect(statuses.sort()).toEqual([204, 422]);
  });
});

describe('POST /user/delete', () => {
  it('leaves nothing of the account, and nothing that opens the next of its name', async () => {
    const token = await signUp(service, 'gone');
    const theirs = referenceToken('gone');
    const [row] = await database.query<{ id: number }>(
      `SELECT id FROM "user" WHERE username = 'gone'`,
    );
    expect(await statusWith(service, theirs)).toBe(200);
    expect(await send('/user/delete', token, { password: PASSWORD })).toEqual([204, '']);
    expect(await statusWith(other, token)).toBe(401);
    expect(await statusWith(other, theirs)).toBe(401);
    expect(await loginStatus('gone', PASSWORD)).toBe(401);
    expect(
      await database.query('SELECT FROM user_session WHERE user_id = $1', [row?.id]),
    ).toHaveLength(0);
    const next = await signUp(service, 'gone');
    expect(await statusWith(other, next)).toBe(200);
    expect(await statusWith(other, token)).toBe(401);
    expect(await statusWith(other, theirs)).toBe(401);
    // Not even if the next one comes by the reference's own statement.
    await database.query(`DELETE FROM "user" WHERE username = 'gone'`);
    await database.query(
      `INSERT INTO "user" (username, email, password) VALUES ('gone', 'gone@example.com', '!')`,
    );
    expect(await statusWith(other, theirs)).toBe(401);
  });

  it('needs the password', async () => {
    const token = await signUp(service, 'stays');
    expect(await send('/user/delete', token, { password: 'wrong' })).toEqual(wrong('password'));
    expect((await send('/user/delete', token, {}))[0]).toBe(422);
    expect(await statusWith(service, token)).toBe(200);
  });

  it('and a login at once leave no login', async () => {
    const token = await signUp(service, 'going');
    const gate = await database.hold(`SELECT FROM "user" WHERE username = 'going' FOR UPDATE`);
    const deleting = send('/user/delete', token, { password: PASSWORD });
    await waitUntil(async () => (await gate.waiting()) === 1);
    const login = other.fetch('/user/login', form({ username: 'going', password: PASSWORD }));
    await waitUntil(async () => (await gate.waiting()) === 2);
    await gate.release();
    expect((await deleting)[0]).toBe(204);
    expect((await login).status).toBe(401);
  });
});

describe('PATCH /user/me', () => {
  it('changes the name, with a token for it', async () => {
    const token = await signUp(service, 'before');
    const [status, body] = await rename(token, 'after');
    const { access_token: fresh } = body as { access_token: string };
    expect([status, body]).toEqual([
      200,
      {
        id: expect.any(Number) as number,
        username: 'after',
        email: expect.stringMatching(/@example\.com$/) as string,
        email_verified_at: null,
        access_token: expect.any(String) as string,
        token_type: 'bearer',
        expires_in: expect.any(Number) as number,
      },
    ]);
    const me = await other.fetch('/user/me', bearer(fresh));
    expect(await me.json()).toMatchObject({ username: 'after' });
    expect(await statusWith(other, token)).toBe(401);
    expect(await loginStatus('before', PASSWORD)).toBe(401);
    expect(await loginStatus('after', PASSWORD)).toBe(200);
  });

  it('kills every token under the old name, whoever has it then', async () => {
    const token = await signUp(service, 'first');
    const second = await logIn(service, 'first', PASSWORD);
    const theirs = referenceToken('first');
    const [, body] = await rename(token, 'moved');
    const { access_token: fresh } = body as { access_token: string };
    const next = registration('first', { email: 'next@example.com' });
    expect((await service.fetch('/user/create', next)).status).toBe(204);
    for (const old of [token, second, theirs]) expect(await statusWith(other, old)).toBe(401);
    // Back again: what is dead stays so.
    await database.query(`DELETE FROM "user" WHERE username = 'first'`);
    expect((await rename(fresh, 'first'))[0]).toBe(200);
    for (const old of [token, second, theirs, fresh]) {
      expect(await statusWith(other, old)).toBe(401);
    }
  });

  it('leaves logins alone that a refresh token gives a new token', async () => {
    const token = await signUp(service, 'kept');
    const { access_token: access, refresh_token: refresh = '' } = await logInWith(service, {
      username: 'kept',
      scope: 'offline_access',
    });
    expect((await rename(token, 'kept on'))[0]).toBe(200);
    expect(await statusWith(other, access)).toBe(401);
    const renewed = await other.fetch(
      '/user/token',
      form({ grant_type: 'refresh_token', refresh_token: refresh }),
    );
    const tokens = (await renewed.json()) as { access_token: string };
    expect([renewed.status, claimsOf(tokens.access_token)['sub']]).toEqual([200, 'kept on']);
    expect(await statusWith(service, tokens.access_token)).toBe(200);
  });

  it('gives a login to the caller who uses a token of the reference', async () => {
    await signUp(service, 'by theirs');
    const theirs = referenceToken('by theirs');
    const [status, body] = await rename(theirs, 'by theirs 2');
    expect(status).toBe(200);
    expect(await statusWith(other, (body as { access_token: string }).access_token)).toBe(200);
    expect(await statusWith(other, theirs)).toBe(401);
  });

  it('gives none to a token of the reference that was ended meanwhile', async () => {
    const own = await signUp(service, 'ended meanwhile');
    const theirs = referenceToken('ended meanwhile');
    const gate = await database.hold(
      `SELECT FROM "user" WHERE username = 'ended meanwhile' FOR UPDATE`,
    );
    const ending = service.fetch('/user/sessions?include_current=true', {
      method: 'DELETE',
      ...bearer(own),
    });
    await waitUntil(async () => (await gate.waiting()) === 1);
    const renaming = rename(theirs, 'renamed meanwhile');
    await waitUntil(async () => (await gate.waiting()) === 2);
    await gate.release();
    expect((await ending).status).toBe(204);
    expect((await renaming)[0]).toBe(401);
    expect(await loginStatus('ended meanwhile', PASSWORD)).toBe(200);
  });

  it('and a logout at once: what is over stays over', async () => {
    const token = await signUp(service, 'both at once');
    const gate = await database.hold(
      `SELECT FROM user_session WHERE id = '${String(claimsOf(token)['sid'])}' FOR UPDATE`,
    );
    const renaming = rename(token, 'both at once 2');
    await waitUntil(async () => (await gate.waiting()) === 1);
    const leaving = statusWith(other, token, '/user/logout', { method: 'POST' });
    await waitUntil(async () => (await gate.waiting()) === 2);
    await gate.release();
    const [, body] = await renaming;
    expect(await leaving).toBe(204);
    const { access_token: fresh } = body as { access_token: string };
    expect(await statusWith(service, fresh)).toBe(401);
  });

  it('takes no name that is taken, and none that a registration would not', async () => {
    const token = await signUp(service, 'wants');
    await signUp(service, 'taken');
    expect(await rename(token, 'taken')).toEqual([409, { detail: '이미 존재하는 사용자입니다.' }]);
    for (const name of ['', ' ', 'a\0', 'a\u200bb', 'x'.repeat(151), 7, null]) {
      expect((await rename(token, name))[0]).toBe(422);
    }
    expect(await statusWith(service, token)).toBe(200);
  });

  it('of two for one name, lets one have it', async () => {
    const tokens = await Promise.all(['a', 'b'].map((name) => signUp(service, `rival ${name}`)));
    const gate = await database.hold('LOCK TABLE "user" IN SHARE MODE');
    const renames = tokens.map((token) => rename(token, 'prize'));
    await waitUntil(async () => (await gate.waiting()) === 2);
    await gate.release();
    const statuses = (await Promise.all(renames)).map(([status]) => status);
    expect(statuses.sort()).toEqual([200, 409]);
  });

  it('and a registration of the name at once: one has it', async () => {
    const token = await signUp(service, 'quick');
    const gate = await database.hold('LOCK TABLE "user" IN SHARE MODE');
    const renaming = rename(token, 'contested');
    const creating = other.fetch('/user/create', registration('contested'));
    await waitUntil(async () => (await gate.waiting()) === 2);
    await gate.release();
    expect([(await renaming)[0], (await creating).status].sort()).toContain(409);
    expect(await database.query(`SELECT FROM "user" WHERE username = 'contested'`)).toHaveLength(1);
  });
});

it('every route that changes an account needs a token', async () => {
  for (const [path, init] of [
    ['/user/password', post({})],
    ['/user/delete', post({})],
    ['/user/me', { ...post({}), method: 'PATCH' }],
    ['/user/sessions', { method: 'DELETE' }],
  ] as const) {
    const response = await service.fetch(path, init);
    expect([path, response.status, await response.json()]).toEqual([
      path,
      401,
      { detail: 'Not authenticated' },
    ]);
  }
});

it('a transaction that takes too long takes no other request with it', async () => {
  const small = await startServiceOn(database);
  const token = await signUp(small, 'waits');
  const gate = await database.hold(`SELECT FROM "user" WHERE username = 'waits' FOR UPDATE`);
  const waits = small.fetch('/user/password', {
    ...post({ current_password: PASSWORD, password1: NEW, password2: NEW }),
    headers: { ...JSON_TYPE, authorization: `Bearer ${token}` },
  });
  expect((await waits).status).toBe(503);
  await gate.release();
  // Nothing that others write on the same connections is lost.
  await signUp(other, 'leaves');
  for (let i = 0; i < 12; i += 1) {
    const leaving = await logIn(other, 'leaves', PASSWORD);
    expect(await statusWith(small, leaving, '/user/logout', { method: 'POST' })).toBe(204);
    expect(await statusWith(other, leaving)).toBe(401);
  }
  const open = await database.query(
    `SELECT FROM pg_stat_activity
      WHERE datname = current_database() AND state LIKE 'idle in transaction%'`,
  );
  expect(open).toEqual([]);
  await small.stop();
});
