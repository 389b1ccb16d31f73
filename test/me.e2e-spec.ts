import { createHmac } from 'node:crypto';
import { bearer, signUp } from './support/client';
import { createMigratedDatabase, type TestDatabase } from './support/database';
import { type RunningService, startServiceOn, TEST_SECRET_KEY } from './support/service';
import { DAY, HOUR, now, sign } from './support/token';

/** Id of no login. */
const NOBODYS = '0b5ad1f5-39a1-4c51-9f0e-7b9f3b1c9d55';
const PREVIOUS_KEY = 'the key before, 16+';
describe('GET /user/me', () => {
  let database: TestDatabase;
  let service: RunningService;
  let own: string;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    service = await startServiceOn(database, { SECRET_KEY_PREVIOUS: PREVIOUS_KEY });
    own = await signUp(service, 'hana');
  });

  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  async function me(init: RequestInit): Promise<[number, string | null, unknown]> {
    const response = await service.fetch('/user/me', init);
    return [response.status, response.headers.get('www-authenticate'), await response.json()];
  }

  const refused = [
    401,
    'Bearer error="invalid_token"',
    { detail: 'Could not validate credentials' },
  ];
  const unauthenticated = [401, 'Bearer', { detail: 'Not authenticated' }];

  it('says who the token speaks for, and to no cache', async () => {
    const response = await service.fetch('/user/me', bearer(own));
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-user-id')).toBe('1');
    expect(await response.json()).toEqual({
      id: 1,
      username: 'hana',
      email: expect.stringMatching(/@example\.com$/) as string,
      email_verified_at: null,
    });
  });

  it.each([
    ['no header', {}],
    ['another scheme', { authorization: 'Basic aGFuYTpodW50ZXIy' }],
    ['a token in the query', {}],
    ['a scheme that only begins like it', { authorization: 'Bearers x' }],
  ])('needs a token: %s', async (_name, headers) => {
    const response = await service.fetch(`/user/me?access_token=${own}`, { headers });
    expect([
      response.status,
      response.headers.get('www-authenticate'),
      await response.json(),
    ]).toEqual(unauthenticated);
  });

  it('takes the scheme in any case', async () => {
    expect(await me({ headers: { authorization: `bEARER ${own}` } })).toEqual([
      200,
      null,
      expect.anything(),
    ]);
  });

  it("takes the reference's tokens, and those of the previous key", async () => {
    for (const key of [TEST_SECRET_KEY, PREVIOUS_KEY]) {
      const good = sign({ sub: 'hana', exp: now() + DAY }, { key });
      expect(await me(bearer(good))).toEqual([
        200,
        null,
        expect.objectContaining({ username: 'hana' }),
      ]);
    }
  });

  it('signs nothing with the previous key', () => {
    const [header = '', claims = '', signature] = own.split('.');
    const expected = createHmac('sha256', TEST_SECRET_KEY)
      .update(`${header}.${claims}`)
      .digest('base64url');
    expect(signature).toBe(expected);
  });

  const exp = now() + HOUR;
  it.each([
    ['nothing', ''],
    ['no token at all', 'abc'],
    ['two parts', 'a.b'],
    ['dots', '..'],
    ['a foreign key', sign({ sub: 'hana', exp }, { key: 'x'.repeat(40) })],
    [
      'alg none',
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify({ sub: 'hana', exp })).toString('base64url')}.`,
    ],
    ['alg none, signed', sign({ sub: 'hana', exp }, { header: { alg: 'none', typ: 'JWT' } })],
    ['HS512', sign({ sub: 'hana', exp }, { header: { alg: 'HS512', typ: 'JWT' }, hash: 'sha512' })],
    ['HS384', sign({ sub: 'hana', exp }, { header: { alg: 'HS384', typ: 'JWT' }, hash: 'sha384' })],
    ['RS256 with an HMAC', sign({ sub: 'hana', exp }, { header: { alg: 'RS256', typ: 'JWT' } })],
    ['crit', sign({ sub: 'hana', exp }, { header: { alg: 'HS256', crit: ['b64'], b64: true } })],
    ['a header that is null', `${Buffer.from('null').toString('base64url')}.e30.x`],
    ['expired', sign({ sub: 'hana', exp: now() - 1 })],
    ['no exp', sign({ sub: 'hana' })],
    ['exp a text', sign({ sub: 'hana', exp: String(exp) })],
    ['exp null', sign({ sub: 'hana', exp: null })],
    ['without iat, an exp in 25 hours', sign({ sub: 'hana', exp: now() + 25 * HOUR })],
    ['exp in milliseconds', sign({ sub: 'hana', exp: exp * 1000 })],
    ['not yet', sign({ sub: 'hana', exp, nbf: exp - 10 })],
    ['for another audience', sign({ sub: 'hana', exp, aud: 'other' })],
    ['iat a text', sign({ sub: 'hana', exp, iat: 'now' })],
    ['an unknown user', sign({ sub: 'nobody', exp })],
    ['no sub', sign({ exp })],
    ['sub a number', sign({ sub: 1, exp })],
    ['sub an object', sign({ sub: { username: 'hana' }, exp })],
    ['sub with NUL', sign({ sub: 'hana\0', exp })],
    ['sub with half a surrogate pair', sign({ sub: 'hana\ud800', exp })],
    ['without sid, issued in the future', sign({ sub: 'hana', exp, iat: now() + 60 })],
    ['without sid, good for 30 days', sign({ sub: 'hana', exp: now() + 30 * DAY, iat: now() })],
    ['iat beyond all time', sign({ sub: 'hana', exp, iat: 1e300 })],
    ['iat before all time', sign({ sub: 'hana', exp, iat: -1e300 })],
    ['a generation that is none', sign({ sub: 'hana', exp, iat: now(), sid: NOBODYS, gen: 1e300 })],
    ['sid a text', sign({ sub: 'hana', exp, iat: exp - HOUR, sid: 'x' })],
    ['sid of no login', sign({ sub: 'hana', exp, iat: exp - HOUR, sid: NOBODYS })],
    ['sid without iat', sign({ sub: 'hana', exp, sid: NOBODYS })],
    ['sid with NUL', sign({ sub: 'hana', exp, iat: exp - HOUR, sid: '\0' })],
    ['the claims a text', sign('hana' as unknown as object)],
  ])('refuses a token: %s', async (_name, bad) => {
    expect(await me({ headers: { authorization: `Bearer ${bad}` } })).toEqual(refused);
  });

  it('refuses every change of one character of a token', async () => {
    const statuses = await Promise.all(
      Array.from({ length: own.length - 1 }, async (_, i) => {
        const other = own[i] === 'A' ? 'B' : 'A';
        const [status] = await me(bearer(own.slice(0, i) + other + own.slice(i + 1)));
        return status;
      }),
    );
    expect(new Set(statuses)).toEqual(new Set([401]));
  });

  it('opens nothing once the account is gone', async () => {
    const gone = await signUp(service, 'gone');
    await database.query(`DELETE FROM "user" WHERE username = 'gone'`);
    expect(await me(bearer(gone))).toEqual(refused);
  });
});
