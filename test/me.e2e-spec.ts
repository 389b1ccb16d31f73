import { createHmac } from 'node:crypto';
import { bearer, signUp } from './support/client';
import { createMigratedDatabase, type TestDatabase } from './support/database';
import { type RunningService, startServiceOn, TEST_SECRET_KEY } from './support/service';

const PREVIOUS_KEY = 'the key before, 16+';
const HOUR = 3600;
const DAY = 24 * HOUR;

/** A token made by hand, as a stranger or the reference would. */
function token(
  claims: object,
  {
    key = TEST_SECRET_KEY,
    header = { alg: 'HS256', typ: 'JWT' },
    hash = 'sha256',
  }: {
    key?: string;
    header?: object;
    hash?: string;
  } = {},
): string {
  const signed = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${signed}.${createHmac(hash, key).update(signed).digest('base64url')}`;
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

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
    expect(await response.json()).toEqual({
      id: 1,
      username: 'hana',
      email: expect.stringMatching(/@example\.com$/) as string,
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
      const good = token({ sub: 'hana', exp: now() + DAY }, { key });
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
    ['a foreign key', token({ sub: 'hana', exp }, { key: 'x'.repeat(40) })],
    [
      'alg none',
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify({ sub: 'hana', exp })).toString('base64url')}.`,
    ],
    ['alg none, signed', token({ sub: 'hana', exp }, { header: { alg: 'none', typ: 'JWT' } })],
    [
      'HS512',
      token({ sub: 'hana', exp }, { header: { alg: 'HS512', typ: 'JWT' }, hash: 'sha512' }),
    ],
    [
      'HS384',
      token({ sub: 'hana', exp }, { header: { alg: 'HS384', typ: 'JWT' }, hash: 'sha384' }),
    ],
    ['RS256 with an HMAC', token({ sub: 'hana', exp }, { header: { alg: 'RS256', typ: 'JWT' } })],
    ['crit', token({ sub: 'hana', exp }, { header: { alg: 'HS256', crit: ['b64'], b64: true } })],
    ['a header that is null', `${Buffer.from('null').toString('base64url')}.e30.x`],
    ['expired', token({ sub: 'hana', exp: now() - 1 })],
    ['no exp', token({ sub: 'hana' })],
    ['exp a text', token({ sub: 'hana', exp: String(exp) })],
    ['exp null', token({ sub: 'hana', exp: null })],
    ['without iat, an exp in 25 hours', token({ sub: 'hana', exp: now() + 25 * HOUR })],
    ['exp in milliseconds', token({ sub: 'hana', exp: exp * 1000 })],
    ['not yet', token({ sub: 'hana', exp, nbf: exp - 10 })],
    ['for another audience', token({ sub: 'hana', exp, aud: 'other' })],
    ['iat a text', token({ sub: 'hana', exp, iat: 'now' })],
    ['an unknown user', token({ sub: 'nobody', exp })],
    ['no sub', token({ exp })],
    ['sub a number', token({ sub: 1, exp })],
    ['sub an object', token({ sub: { username: 'hana' }, exp })],
    ['sub with NUL', token({ sub: 'hana\0', exp })],
    ['sub with half a surrogate pair', token({ sub: 'hana\ud800', exp })],
    ['the claims a text', token('hana' as unknown as object)],
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
