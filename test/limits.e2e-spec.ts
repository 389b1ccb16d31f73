import type { NestExpressApplication } from '@nestjs/platform-express';
import pino from 'pino';
import { DataSource } from 'typeorm';
import { createApp } from '../src/app.setup';
import { parseSettings } from '../src/config/settings';
import { DatabaseService } from '../src/database/database.service';
import { GuessLimits } from '../src/limits/guess-limits.service';
import { LimitsCleanupService } from '../src/limits/limits-cleanup.service';
import {
  bearer,
  form,
  JSON_TYPE,
  logInWith,
  PASSWORD,
  post,
  registration,
  signUp,
} from './support/client';
import { createMigratedDatabase, type TestDatabase } from './support/database';
import { type RunningService, startServiceOn, TEST_SECRET_KEY, waitUntil } from './support/service';

/** Behind one proxy, a test says from where it comes. */
const PROXY = { NODE_ENV: 'production', TRUST_PROXY: '1' };
const HOME = '192.0.2.1';

let database: TestDatabase;
let service: RunningService;
/** Another process on the same database. */
let other: RunningService;

beforeAll(async () => {
  database = await createMigratedDatabase();
  [service, other] = await Promise.all([
    startServiceOn(database, PROXY),
    startServiceOn(database, PROXY),
  ]);
});

afterAll(async () => {
  await Promise.all([service.stop(), other.stop()]);
  await database.drop();
});

interface Answer {
  readonly status: number;
  readonly retryAfter: number;
  readonly body: unknown;
}

let addresses = 0;
/** An address that nobody has come from. */
function stranger(): string {
  addresses += 1;
  return `10.${String(addresses >> 16)}.${String((addresses >> 8) & 255)}.${String(addresses & 255)}`;
}

async function send(
  from: string,
  path: string,
  init: RequestInit,
  to: RunningService = service,
): Promise<Answer> {
  const headers = new Headers(init.headers);
  headers.set('x-forwarded-for', from);
  const response = await to.fetch(path, { ...init, headers });
  const text = await response.text();
  return {
    status: response.status,
    retryAfter: Number(response.headers.get('retry-after')),
    body: text === '' ? '' : JSON.parse(text),
  };
}

function guess(
  from: string,
  username: string,
  password = 'wrong',
  to: RunningService = service,
): Promise<Answer> {
  return send(from, '/user/login', form({ username, password }), to);
}

/** An account, whose owner has logged in at home. */
async function account(username: string): Promise<{ id: number; key: string; token: string }> {
  await send(HOME, '/user/create', registration(username));
  const { body } = await guess(HOME, username, PASSWORD);
  const { access_token: token } = body as { access_token: string };
  const [row] = await database.query<{ id: number }>('SELECT id FROM "user" WHERE username = $1', [
    username,
  ]);
  return { id: row?.id ?? 0, key: `user:${String(row?.id)}`, token };
}

/** So many failures in a row, the last of them long ago. */
async function failures(key: string, count: number): Promise<void> {
  await database.query(
    `INSERT INTO password_failure (account, failures, retry_at, expires_at)
     VALUES ($1, $2, now(), 'infinity')
     ON CONFLICT (account) DO UPDATE SET failures = $2, retry_at = now()`,
    [key, count],
  );
}

async function failuresOf(key: string): Promise<number> {
  const sql = 'SELECT failures FROM password_failure WHERE account = $1';
  const [row] = await database.query<{ failures: number }>(sql, [key]);
  return row?.failures ?? 0;
}

/**
 * A hundred and one guesses from as many strangers at once, by both processes. Some may be 503 where
 * a machine is slow: they have waited too long for a connection.
 *
 * @returns how many were told that the password is wrong
 */
async function storm(username: string): Promise<number> {
  const gate = await database.hold('LOCK TABLE password_failure IN EXCLUSIVE MODE');
  const guesses = Array.from({ length: 101 }, (_, i) =>
    guess(stranger(), username, 'wrong', i % 2 === 0 ? service : other),
  );
  await waitUntil(async () => (await gate.waiting()) >= 10);
  await gate.release();
  const statuses = (await Promise.all(guesses)).map(({ status }) => status);
  expect([401, 429, 503]).toEqual(expect.arrayContaining(statuses));
  expect(statuses).toContain(429);
  return statuses.filter((status) => status === 401).length;
}

const TOO_MANY = {
  detail:
    '틀린 비밀번호가 너무 많았습니다. 나중에 다시 시도하거나, 전에 로그인했던 곳에서 시도하세요.',
};
const OAUTH = {
  error: 'temporarily_unavailable',
  error_description: 'Too many requests: try again later',
};

describe('the password of an account', () => {
  it('is guessed ten times at once and no more, however many processes are asked', async () => {
    const { key } = await account('at once');
    expect(await storm('at once')).toBeLessThanOrEqual(10);
    expect(await failuresOf(key)).toBe(10);
  });

  it('is guessed by one at a time, when its time has come', async () => {
    const { key } = await account('one at a time');
    await failures(key, 50);
    expect(await storm('one at a time')).toBeLessThanOrEqual(1);
    expect(await failuresOf(key)).toBe(51);
  });

  it('is waited for longer and longer, to an hour', async () => {
    const { key } = await account('longer');
    await failures(key, 9);
    for (const delay of [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]) {
      expect((await guess(stranger(), 'longer')).status).toBe(401);
      const { status, retryAfter, body } = await guess(stranger(), 'longer', PASSWORD, other);
      expect([status, body]).toEqual([429, { ...TOO_MANY, ...OAUTH }]);
      expect(retryAfter).toBeGreaterThan(delay / 2);
      expect(retryAfter).toBeLessThanOrEqual(delay);
      const later = `UPDATE password_failure SET retry_at = retry_at - $2 * interval '1 second' WHERE account = $1`;
      await database.query(later, [key, delay / 2]);
      expect((await guess(stranger(), 'longer')).status).toBe(429);
      await database.query(later, [key, delay / 2]);
    }
    expect(await failuresOf(key)).toBe(18);
  });

  it('is guessed by strangers ninety times in a row; the owner gets in from home', async () => {
    const { id, key } = await account('stopped');
    await failures(key, 89);
    expect(await storm('stopped')).toBeLessThanOrEqual(1);
    expect(await failuresOf(key)).toBe(90);
    await database.query('UPDATE password_failure SET retry_at = now() WHERE account = $1', [key]);
    expect(await guess(stranger(), 'stopped', PASSWORD)).toMatchObject({
      status: 429,
      retryAfter: 3600,
    });
    expect((await guess(HOME, 'stopped', PASSWORD)).status).toBe(200);
    // Which begins anew for everyone.
    expect(await failuresOf(key)).toBe(0);
    expect((await guess(stranger(), 'stopped', PASSWORD)).status).toBe(200);
    const lines = (service.output() + other.output())
      .split('\n')
      .filter((line) => line.includes('"security"'))
      .map((line) => JSON.parse(line) as { event: string; account?: number })
      .filter((line) => line.account === id);
    expect(lines.filter(({ event }) => event === 'authn_login_lock')).toHaveLength(1);
    expect(lines.map(({ event }) => event)).toContain('excess_rate_limit_exceeded');
    expect(service.output() + other.output()).not.toContain('stopped');
  });

  it('is guessed a hundred times in a row by nobody at all', async () => {
    const { key } = await account('full');
    await failures(key, 99);
    expect((await guess(HOME, 'full')).status).toBe(401);
    expect(await guess(HOME, 'full', PASSWORD, other)).toMatchObject({
      status: 429,
      retryAfter: 3600,
    });
    expect(await failuresOf(key)).toBe(100);
  });

  it('is taken from home while strangers wait', async () => {
    const { key } = await account('waiting');
    await failures(key, 9);
    await guess(stranger(), 'waiting');
    expect((await guess(stranger(), 'waiting', PASSWORD)).status).toBe(429);
    expect((await guess(HOME, 'waiting')).status).toBe(401);
    expect((await guess(HOME, 'waiting', PASSWORD)).status).toBe(200);
  });

  it('is not taken from where a login is long ago', async () => {
    const { id, key } = await account('long ago');
    await failures(key, 90);
    await database.query(
      `UPDATE known_place SET last_login_at = now() - interval '91 days' WHERE user_id = $1`,
      [id],
    );
    expect((await guess(HOME, 'long ago', PASSWORD)).status).toBe(429);
  });

  it('is taken from where the account was made, before anybody has logged in', async () => {
    const home = stranger();
    const username = 'not logged in yet';
    expect((await send(home, '/user/create', registration(username))).status).toBe(204);
    const [row] = await database.query<{ id: number }>(
      'SELECT id FROM "user" WHERE username = $1',
      [username],
    );
    await failures(`user:${String(row?.id)}`, 90);
    expect((await guess(stranger(), username, PASSWORD)).status).toBe(429);
    expect((await guess(home, username, PASSWORD)).status).toBe(200);
  });

  it('is taken from home after the key was changed', async () => {
    const { id, key } = await account('rotated');
    await failures(key, 90);
    const rotated = await startServiceOn(database, {
      ...PROXY,
      SECRET_KEY: 'another key of the tests, as long as it has to be',
      SECRET_KEY_PREVIOUS: TEST_SECRET_KEY,
    });
    expect((await guess(stranger(), 'rotated', PASSWORD, rotated)).status).toBe(429);
    expect((await guess(HOME, 'rotated', PASSWORD, rotated)).status).toBe(200);
    await rotated.stop();
    // Known under the new key from now on.
    expect(await database.query('SELECT FROM known_place WHERE user_id = $1', [id])).toHaveLength(
      2,
    );
  });

  it('is asked of nobody, and holds nobody up, when somebody goes on all the same', async () => {
    const from = stranger();
    for (let i = 0; i < 40; i += 1) await guess(from, 'over and over');
    const gate = await database.hold('LOCK TABLE rate_limit, "user" IN ACCESS EXCLUSIVE MODE');
    try {
      expect(await guess(from, 'over and over')).toMatchObject({
        status: 429,
        body: { ...TOO_MANY, ...OAUTH },
      });
    } finally {
      await gate.release();
    }
    // Nobody else at the address knows of it.
    expect((await guess(from, 'another name')).status).toBe(401);
  });

  it('makes no difference between an account and a name that nobody has', async () => {
    await account('somebody');
    const told = async (username: string): Promise<unknown[]> => {
      const answers: unknown[] = [];
      for (let i = 0; i < 12; i += 1) {
        const { status, body, retryAfter } = await guess(stranger(), username);
        answers.push([status, body, retryAfter > 0]);
      }
      return answers;
    };
    const somebody = await told('somebody');
    expect(somebody.map((answer) => (answer as [number])[0])).toEqual([
      ...Array.from({ length: 10 }, () => 401),
      429,
      429,
    ]);
    expect(await told('nobody at all')).toEqual(somebody);
    await database.query(
      `UPDATE password_failure SET failures = 90, retry_at = now() WHERE account LIKE 'name:%'`,
    );
    expect(await guess(stranger(), 'nobody at all')).toMatchObject({
      status: 429,
      retryAfter: 3600,
    });
  });

  it('is counted whatever the account is called', async () => {
    const { key, token } = await account('first name');
    await failures(key, 90);
    const renamed = await send(HOME, '/user/me', {
      ...post({ username: 'second name' }),
      method: 'PATCH',
      headers: { ...JSON_TYPE, authorization: `Bearer ${token}` },
    });
    expect(renamed.status).toBe(200);
    expect((await guess(stranger(), 'second name', PASSWORD)).status).toBe(429);
    // Whoever takes the name begins anew.
    await account('first name');
    expect((await guess(stranger(), 'first name')).status).toBe(401);
  });

  it.each([
    [
      '/user/password',
      { current_password: 'wrong', password1: 'new horse 10', password2: 'new horse 10' },
    ],
    ['/user/delete', { password: 'wrong' }],
  ])('is guessed at %s too', async (path, body) => {
    const name = `guessed at ${path}`;
    const { key, token } = await account(name);
    const init = { ...post(body), headers: { ...JSON_TYPE, authorization: `Bearer ${token}` } };
    await failures(key, 9);
    expect((await send(stranger(), path, init)).status).toBe(422);
    expect(await send(stranger(), path, init)).toMatchObject({ status: 429, body: TOO_MANY });
    expect((await guess(stranger(), name)).status).toBe(429);
  });

  it.each([
    ['/user/session', {}],
    ['/user/token', { grant_type: 'password' }],
  ])('is guessed at %s too', async (path, fields) => {
    const name = `guessed at ${path}`;
    const { key } = await account(name);
    const init = {
      ...form({ username: name, password: 'wrong', ...fields }),
      headers: { 'sec-fetch-site': 'same-origin' },
    };
    await failures(key, 9);
    expect((await send(stranger(), path, init)).status).toBe(path === '/user/token' ? 400 : 401);
    expect(await send(stranger(), path, init)).toMatchObject({
      status: 429,
      body: { ...TOO_MANY, ...OAUTH },
    });
    expect((await guess(stranger(), name)).status).toBe(429);
  });

  it('once changed, is guessed as by a stranger from where the old one was good', async () => {
    const { key, token } = await account('changed');
    const cafe = stranger();
    expect((await guess(cafe, 'changed', PASSWORD)).status).toBe(200);
    const next = 'new horse 10';
    const changed = await send(HOME, '/user/password', {
      ...post({ current_password: PASSWORD, password1: next, password2: next }),
      headers: { ...JSON_TYPE, authorization: `Bearer ${token}` },
    });
    expect(changed.status).toBe(204);
    await failures(key, 90);
    expect((await guess(cafe, 'changed', next)).status).toBe(429);
    expect((await guess(HOME, 'changed', next)).status).toBe(200);
  });

  it('leaves nothing behind when the account is deleted', async () => {
    const { id, key, token } = await account('deleted');
    await failures(key, 5);
    const gone = await send(HOME, '/user/delete', {
      ...post({ password: PASSWORD }),
      headers: { ...JSON_TYPE, authorization: `Bearer ${token}` },
    });
    expect(gone.status).toBe(204);
    expect(await failuresOf(key)).toBe(0);
    expect(await database.query('SELECT FROM known_place WHERE user_id = $1', [id])).toEqual([]);
  });
});

describe('an address', () => {
  /** What is counted for one door. */
  async function points(door: string): Promise<number[]> {
    const rows = await database.query<{ points: number }>(
      'SELECT points FROM rate_limit WHERE key LIKE $1 ORDER BY points',
      [`${door}:%`],
    );
    return rows.map((row) => row.points);
  }

  beforeEach(async () => {
    await database.query('DELETE FROM rate_limit');
  });

  it('has every success given back, of many at once, and no failure', async () => {
    const names = Array.from({ length: 12 }, (_, i) => `colleague ${String(i)}`);
    for (const name of names) await account(name);
    await database.query('DELETE FROM rate_limit');
    const office = stranger();
    for (let i = 0; i < 3; i += 1) await guess(office, 'colleague 0');
    const logins = names.map((name, i) => guess(office, name, PASSWORD, i % 2 ? service : other));
    expect((await Promise.all(logins)).map(({ status }) => status)).toEqual(names.map(() => 200));
    expect(await points('password')).toEqual([3]);
    // Of the account nothing is left.
    expect(await points('password of account')).toEqual([]);
  });

  it('is refused after so many failures for whatever accounts, by every process', async () => {
    const strict = { ...PROXY, LOGIN_FAILURES_PER_ADDRESS: '3/hour' };
    const [one, two] = await Promise.all([
      startServiceOn(database, strict),
      startServiceOn(database, strict),
    ]);
    await account('sprayed');
    const sprayer = stranger();
    expect((await guess(sprayer, 'spray 1', 'x', one)).status).toBe(401);
    expect((await guess(sprayer, 'spray 2', 'x', two)).status).toBe(401);
    expect((await guess(sprayer, 'spray 3', 'x', one)).status).toBe(401);
    const refused = await guess(sprayer, 'sprayed', PASSWORD, two);
    expect(refused).toMatchObject({ status: 429, body: { ...TOO_MANY, ...OAUTH } });
    expect(refused.retryAfter).toBeGreaterThan(1800);
    expect(refused.retryAfter).toBeLessThanOrEqual(3600);
    expect((await guess(stranger(), 'sprayed', PASSWORD, two)).status).toBe(200);
    // The next window.
    await database.query('UPDATE rate_limit SET expire = expire - 3600000');
    expect((await guess(sprayer, 'sprayed', PASSWORD, two)).status).toBe(200);
    // Goes on regardless, and is refused from memory.
    for (let i = 0; i < 6; i += 1) await guess(sprayer, 'sprayed', 'x', one);
    await database.query('DELETE FROM rate_limit');
    expect((await guess(sprayer, 'sprayed', PASSWORD, one)).status).toBe(429);
    expect((await guess(sprayer, 'sprayed', PASSWORD, two)).status).toBe(200);
    await Promise.all([one.stop(), two.stop()]);
  });

  it('has nothing given back to the next window', async () => {
    const strict = await startServiceOn(database, {
      ...PROXY,
      LOGIN_FAILURES_PER_ADDRESS: '5/second',
    });
    await account('slow');
    await database.query('DELETE FROM rate_limit');
    const gate = await database.hold('LOCK TABLE password_failure IN EXCLUSIVE MODE');
    const login = guess(stranger(), 'slow', PASSWORD, strict);
    await waitUntil(async () => (await gate.waiting()) === 1);
    await waitUntil(async () => {
      const over = await database.query(
        `SELECT FROM rate_limit WHERE key LIKE 'password:%'
            AND expire < extract(epoch FROM clock_timestamp()) * 1000`,
      );
      return over.length === 1;
    });
    await gate.release();
    expect((await login).status).toBe(200);
    expect(await points('password')).toEqual([1]);
    await strict.stop();
  });

  it('is not used up by one account that is tried again and again', async () => {
    const strict = await startServiceOn(database, {
      ...PROXY,
      LOGIN_FAILURES_PER_ACCOUNT_AT_ADDRESS: '3/hour',
      LOGIN_FAILURES_PER_ADDRESS: '5/hour',
    });
    await account('stale');
    await account('neighbour');
    await database.query('DELETE FROM rate_limit');
    const office = stranger();
    const statuses: number[] = [];
    for (let i = 0; i < 8; i += 1) {
      statuses.push((await guess(office, 'stale', 'x', strict)).status);
    }
    expect(statuses).toEqual([401, 401, 401, 429, 429, 429, 429, 429]);
    expect(await points('password')).toEqual([3]);
    expect(strict.output()).toContain(
      '"event":"excess_rate_limit_exceeded","door":"password of account"',
    );
    expect((await guess(office, 'neighbour', PASSWORD, strict)).status).toBe(200);
    expect((await guess(stranger(), 'stale', PASSWORD, strict)).status).toBe(200);
    await strict.stop();
  });

  it('is an IPv4 address however it is written, and an IPv6 /64', async () => {
    const strict = await startServiceOn(database, {
      ...PROXY,
      REGISTRATIONS_PER_ADDRESS: '1/hour',
    });
    const signUpFrom = async (from: string): Promise<number> =>
      (await send(from, '/user/create', registration(`from ${from}`), strict)).status;
    expect(await signUpFrom('2001:db8:1:2::1')).toBe(204);
    expect(await signUpFrom('2001:DB8:1:2:ffff:ffff:ffff:ffff')).toBe(429);
    expect(await signUpFrom('2001:db8:1:3::1')).toBe(204);
    expect(await signUpFrom('203.0.113.9')).toBe(204);
    expect(await signUpFrom('::ffff:203.0.113.9')).toBe(429);
    expect(await signUpFrom('::ffff:cb00:7109')).toBe(429);
    await strict.stop();
  });

  it('is the peer, whatever it says of itself', async () => {
    const open = await startServiceOn(database, {
      NODE_ENV: 'production',
      REGISTRATIONS_PER_ADDRESS: '2/hour',
    });
    const statuses: number[] = [];
    for (let i = 0; i < 4; i += 1) {
      const { headers, ...init } = registration(`forged ${String(i)}`);
      const response = await open.fetch('/user/create', {
        ...init,
        headers: {
          ...(headers as Record<string, string>),
          'x-forwarded-for': stranger(),
          'x-real-ip': stranger(),
          forwarded: `for=${stranger()}`,
        },
      });
      statuses.push(response.status);
    }
    expect(statuses).toEqual([204, 204, 429, 429]);
    await open.stop();
  });

  it('registers so many, also at once, and no more', async () => {
    const strict = { ...PROXY, REGISTRATIONS_PER_ADDRESS: '5/hour' };
    const [one, two] = await Promise.all([
      startServiceOn(database, strict),
      startServiceOn(database, strict),
    ]);
    const from = stranger();
    const gate = await database.hold('LOCK TABLE rate_limit IN EXCLUSIVE MODE');
    const storm = Array.from({ length: 16 }, (_, i) =>
      send(from, '/user/create', registration(`crowd ${String(i)}`), i % 2 ? one : two),
    );
    await waitUntil(async () => (await gate.waiting()) >= 16);
    await gate.release();
    const answers = await Promise.all(storm);
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(5);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(11);
    for (const { retryAfter, body } of refused) {
      expect(retryAfter).toBeGreaterThan(0);
      expect(body).toEqual({ detail: '요청이 너무 많습니다. 나중에 다시 시도하세요.' });
    }
    // What is refused for its form is no registration.
    expect((await send(from, '/user/create', post({}), one)).status).toBe(422);
    await Promise.all([one.stop(), two.stop()]);
  });

  it('refreshes so often, with whatever tokens', async () => {
    const strict = await startServiceOn(database, { ...PROXY, REFRESHES_PER_ADDRESS: '2/day' });
    await account('refreshes');
    const { refresh_token: good = '' } = await logInWith(strict, {
      username: 'refreshes',
      scope: 'offline_access',
    });
    const from = stranger();
    const refresh = (refresh_token: string, by = from): Promise<Answer> =>
      send(by, '/user/token', form({ grant_type: 'refresh_token', refresh_token }), strict);
    expect((await refresh('bad')).status).toBe(400);
    expect((await refresh('bad')).status).toBe(400);
    const refused = await refresh(good);
    expect(refused).toMatchObject({
      status: 429,
      body: { detail: '요청이 너무 많습니다. 나중에 다시 시도하세요.', ...OAUTH },
    });
    expect(refused.retryAfter).toBeGreaterThan(43_200);
    expect((await refresh(good, stranger())).status).toBe(200);
    await strict.stop();
  });
});

it('an account is renamed so often and no more', async () => {
  const strict = await startServiceOn(database, { RENAMES_PER_ACCOUNT: '2/hour' });
  let token = await signUp(strict, 'renamed 0');
  const rename = (username: string): Promise<Response> =>
    strict.fetch('/user/me', {
      ...post({ username }),
      method: 'PATCH',
      headers: { ...JSON_TYPE, authorization: `Bearer ${token}` },
    });
  for (const name of ['renamed 1', 'renamed 2']) {
    const response = await rename(name);
    expect(response.status).toBe(200);
    ({ access_token: token } = (await response.json()) as { access_token: string });
  }
  expect((await rename('renamed 3')).status).toBe(429);
  const { username } = (await (await strict.fetch('/user/me', bearer(token))).json()) as {
    username: string;
  };
  expect(username).toBe('renamed 2');
  await strict.stop();
});

it.each([
  ['ko', TOO_MANY.detail],
  ['en', 'Too many wrong passwords: try again later, or from where you have logged in before.'],
])('says so in the language of the client: %s', async (language, detail) => {
  const { key } = await account(`told in ${language}`);
  await failures(key, 90);
  const init = form({ username: `told in ${language}`, password: 'x' });
  const { body } = await send(stranger(), '/user/login', {
    ...init,
    headers: { 'accept-language': language },
  });
  expect(body).toEqual({ detail, ...OAUTH });
});

it('writes down no name and no address', async () => {
  const canary = 'a name that nobody should read';
  const address = '198.51.100.77';
  await guess(address, canary);
  await account(canary);
  await guess(address, canary, PASSWORD);
  await guess(address, canary);
  const dump = JSON.stringify([
    await database.query('SELECT * FROM rate_limit'),
    await database.query('SELECT * FROM password_failure'),
    await database.query('SELECT * FROM known_place'),
  ]);
  expect(dump).not.toContain('nobody should');
  expect(dump).not.toContain(address);
  expect(dump).not.toContain(Buffer.from([198, 51, 100, 77]).toString('hex'));
});

it('RATE_LIMIT=off limits nothing and counts nothing', async () => {
  const off = await startServiceOn(database, {
    ...PROXY,
    RATE_LIMIT: 'off',
    REGISTRATIONS_PER_ADDRESS: '1/day',
  });
  const { key } = await account('unlimited');
  await failures(key, 90);
  await database.query('DELETE FROM rate_limit');
  const from = stranger();
  for (let i = 0; i < 30; i += 1) {
    expect((await guess(from, 'unlimited', 'x', off)).status).toBe(401);
  }
  expect((await guess(from, 'unlimited', PASSWORD, off)).status).toBe(200);
  for (const name of ['free 1', 'free 2']) {
    expect((await send(from, '/user/create', registration(name), off)).status).toBe(204);
  }
  expect(await database.query('SELECT FROM rate_limit')).toEqual([]);
  expect(await failuresOf(key)).toBe(90);
  await off.stop();
});

describe('in the background', () => {
  let app: NestExpressApplication;

  beforeAll(async () => {
    const settings = parseSettings({ ...database.environment, SECRET_KEY: TEST_SECRET_KEY });
    app = await createApp(settings, pino({ level: 'silent' }));
    await app.init();
    await app.get(DatabaseService).connected;
  });

  afterAll(() => app.close());

  it('what is over is deleted, and nothing else', async () => {
    await database.query('DELETE FROM rate_limit');
    await database.query('DELETE FROM password_failure');
    await database.query('DELETE FROM known_place');
    await database.query(`
      INSERT INTO rate_limit
      SELECT 'old ' || i, 1, extract(epoch FROM now() - interval '2 hours') * 1000 FROM generate_series(1, 1500) i
       UNION ALL SELECT 'new', 1, extract(epoch FROM now() + interval '1 hour') * 1000`);
    await database.query(`
      INSERT INTO password_failure VALUES
        ('name:old', 3, now(), now()), ('name:new', 3, now(), now() + interval '1 day'),
        ('user:1', 3, now() - interval '5 years', 'infinity')`);
    await database.query(`
      INSERT INTO known_place VALUES
        (1, 'old', now() - interval '91 days'), (1, 'new', now() - interval '89 days')`);
    // While another does it, as each does when it starts, this one leaves it alone.
    await waitUntil(async () => {
      await app.get(LimitsCleanupService).run(new AbortController().signal);
      const left = await database.query<{ rows: number }>(
        `SELECT (SELECT count(*) FROM rate_limit)::int + (SELECT count(*) FROM password_failure)::int
                + (SELECT count(*) FROM known_place)::int AS rows`,
      );
      return (left[0]?.rows ?? 0) <= 4;
    });
    expect(await database.query('SELECT key FROM rate_limit')).toEqual([{ key: 'new' }]);
    expect(await database.query('SELECT account FROM password_failure ORDER BY 1')).toEqual([
      { account: 'name:new' },
      { account: 'user:1' },
    ]);
    expect(await database.query('SELECT place FROM known_place')).toEqual([{ place: 'new' }]);
  });

  it('whoever may says that an account may be guessed again', async () => {
    const { id, key } = await account('unlocked');
    await failures(key, 100);
    await app.get(GuessLimits).reset(app.get(DataSource).manager, id);
    expect((await guess(stranger(), 'unlocked', PASSWORD)).status).toBe(200);
  });
});
