import { MESSAGES } from '../src/errors/messages';
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { bearer, form, JSON_TYPE, logIn, PASSWORD, post, registration } from './support/client';
import { createMigratedDatabase, type TestDatabase } from './support/database';
import { type RunningService, startServiceOn } from './support/service';
import { claimsOf } from './support/token';

describe('the log', () => {
  let database: TestDatabase;
  let service: RunningService;
  const secretKey = `canary-key-${randomBytes(24).toString('hex')}`;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    service = await startServiceOn(database, { NODE_ENV: 'production', SECRET_KEY: secretKey });
  });

  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  interface Line {
    readonly request?: string;
    readonly msg: string;
    readonly [name: string]: unknown;
  }

  /** Every line, once the one of this request is there: a line is written after its answer. */
  async function linesUntil(id: string): Promise<Line[]> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const lines = service
        .output()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Line);
      if (lines.some(({ request, msg }) => request === id && msg === 'request')) return lines;
      if (Date.now() > deadline) throw new Error(`No line of ${id}`);
      await delay(10);
    }
  }

  it('is one JSON line a request, with the ids of account and login', async () => {
    await service.fetch('/user/create', registration('hana'));
    const token = await logIn(service, 'hana', 'correct horse 9');
    const headers = { authorization: `Bearer ${token}`, 'x-request-id': 'the-one' };
    await service.fetch('/api/user/me?x=1', { headers });
    const { sid } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
      sid: string;
    };
    const lines = (await linesUntil('the-one')).filter(({ request }) => request === 'the-one');
    expect(lines).toEqual([
      {
        level: 30,
        time: expect.stringMatching(/^20\d\d-.*Z$/) as string,
        request: 'the-one',
        method: 'GET',
        route: '/user/me',
        status: 200,
        ms: expect.any(Number) as number,
        account: 1,
        session: sid,
        msg: 'request',
      },
    ]);
  });

  it('has a line for every login, refusal, logout and change of password', async () => {
    await service.fetch('/user/create', registration('watched'));
    const first = await logIn(service, 'watched', PASSWORD);
    await service.fetch('/user/login', form({ username: 'watched', password: 'wrong' }));
    await service.fetch('/user/login', form({ username: 'unknown', password: 'wrong' }));
    const change = {
      current_password: 'wrong',
      password1: 'new horse 10',
      password2: 'new horse 10',
    };
    const changing = (body: object): Promise<Response> =>
      service.fetch('/user/password', {
        ...post(body),
        headers: { ...JSON_TYPE, authorization: `Bearer ${first}` },
      });
    await changing(change);
    await changing({ ...change, current_password: PASSWORD });
    await service.fetch('/user/logout', { method: 'POST', ...bearer(first) });
    await service.fetch('/user/me', {
      headers: { authorization: `Bearer ${first}`, 'x-request-id': 'dead' },
    });
    const lines = await linesUntil('dead');
    const { sid: session } = claimsOf(first);
    const [row] = await database.query<{ id: number }>(
      `SELECT id FROM "user" WHERE username = 'watched'`,
    );
    const account = row?.id;
    const security = lines.filter(({ msg }) => msg === 'security');
    expect(security.map((line) => [line['event'], line['account'], line['session']])).toEqual([
      ['user_created', 1, undefined],
      ['authn_login_success', 1, expect.any(String)],
      ['user_created', account, undefined],
      ['authn_login_success', account, session],
      ['authn_login_fail', account, undefined],
      ['authn_login_fail', undefined, undefined],
      ['authn_password_change_fail', account, session],
      ['authn_password_change', account, session],
      ['authn_token_revoked', account, session],
      ['authn_token_invalid', undefined, undefined],
    ]);
    for (const line of security) expect(line.request).toEqual(expect.any(String));
  });

  it('holds nothing that a person typed, nor a token, a hash or a key', async () => {
    const canaries: string[] = [secretKey];
    const canary = (): string => {
      const word = `canary${randomBytes(8).toString('hex')}`;
      canaries.push(word);
      return word;
    };
    const username = canary();
    const password = canary();
    const email = `${canary()}@example.com`;
    const secrets = { username, password1: password, password2: password, email };
    await service.fetch('/user/create', post(secrets));
    await service.fetch('/user/create', post(secrets));
    await service.fetch('/user/create', post({ ...secrets, password2: canary() }));
    await service.fetch('/user/create', post(`{"${canary()}`));
    await service.fetch('/user/create', {
      ...post(canary()),
      headers: { 'content-type': canary() },
    });
    await service.fetch('/user/login', form({ username, password: canary() }));
    await service.fetch('/user/login', form({ username: canary(), password }));
    await service.fetch(`/user/login?username=${canary()}&password=${canary()}`, form({}));
    await service.fetch(`/user/${canary()}/${canary()}?${canary()}`);
    await service.fetch(`/user/%zz${canary()}`);
    await service.fetch('/user/me', { headers: { authorization: `Bearer ${canary()}` } });
    await service.fetch('/user/me', { headers: { authorization: `Basic ${canary()}` } });
    await service.fetch('/user/me', { headers: { 'user-agent': canary(), cookie: canary() } });
    await service.fetch('/user/me', { headers: { 'x-request-id': `${canary()} and more` } });
    const token = await logIn(service, username, password);
    canaries.push(...token.split('.').slice(1));
    await service.fetch('/user/me', bearer(token));
    const [row] = await database.query<{ password: string }>(
      'SELECT password FROM "user" WHERE username = $1',
      [username],
    );
    canaries.push(row?.password ?? '');

    // Errors of the database, with what PostgreSQL says of them: a value too long, a rule broken, a
    // column gone.
    await database.query('ALTER TABLE "user" ALTER COLUMN username TYPE varchar(60)');
    const long = {
      ...secrets,
      username: `${canary()}${'x'.repeat(80)}`,
      email: `${canary()}@example.com`,
    };
    expect((await service.fetch('/user/create', post(long))).status).toBe(500);
    await database.query(`ALTER TABLE "user" ADD CHECK (username NOT LIKE '%forbidden%')`);
    const forbidden = {
      ...secrets,
      username: `forbidden ${canary()}`,
      email: `${canary()}@example.com`,
    };
    const broken = await service.fetch('/user/create', post(forbidden));
    expect([broken.status, await broken.json()]).toEqual([
      409,
      { detail: MESSAGES.refusedByData.reference },
    ]);
    await database.query('ALTER TABLE "user" RENAME COLUMN email TO e_mail');
    expect(
      (await service.fetch('/user/create', post({ ...secrets, username: canary() }))).status,
    ).toBe(503);
    await service.fetch('/user/login', form({ username: canary(), password: canary() }));
    await service.fetch('/health/live', { headers: { 'x-request-id': 'last' } });

    const lines = await linesUntil('last');
    const text = JSON.stringify(lines);
    expect(canaries.length).toBeGreaterThan(25);
    expect(canaries.filter((word) => word === '' || text.includes(word))).toEqual([]);
    // The operator still learns what happened, and to which request.
    expect(lines.filter(({ code }) => code !== undefined)).toEqual([
      expect.objectContaining({ error: 'QueryFailedError', code: '22001', level: 50 }),
      expect.objectContaining({ error: 'QueryFailedError', code: '23514', level: 40 }),
      expect.objectContaining({ error: 'QueryFailedError', code: '42703', level: 40 }),
      expect.objectContaining({ error: 'QueryFailedError', code: '42703', level: 40 }),
    ]);
  });
});
