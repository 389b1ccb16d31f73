import { form, JSON_TYPE, logIn, PASSWORD, registration } from './support/client';
import { createMigratedDatabase, type TestDatabase } from './support/database';
import { type RunningService, startServiceOn } from './support/service';

let database: TestDatabase;
let service: RunningService;
/** Behind a proxy whose word is taken, as under TLS. */
let behindProxy: RunningService;

beforeAll(async () => {
  database = await createMigratedDatabase();
  [service, behindProxy] = await Promise.all([
    startServiceOn(database),
    startServiceOn(database, { TRUST_PROXY: '1' }),
  ]);
  await service.fetch('/user/create', registration('hana'));
});

afterAll(async () => {
  await Promise.all([service.stop(), behindProxy.stop()]);
  await database.drop();
});

const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' };
const TLS = { ...SAME_ORIGIN, 'x-forwarded-proto': 'https' };

function start(
  headers: Record<string, string> = SAME_ORIGIN,
  at = service,
  fields: Record<string, string> = {},
): Promise<Response> {
  const login = form({ username: 'hana', password: PASSWORD, ...fields });
  return at.fetch('/user/session', { ...login, headers });
}

/** The cookie that an answer sets, as a browser sends it back. */
function cookieOf(response: Response): string {
  const [cookie = ''] = response.headers.getSetCookie();
  return cookie.split(';')[0] ?? '';
}

async function me(headers: Record<string, string>, at = service): Promise<number> {
  return (await at.fetch('/user/me', { headers })).status;
}

describe('POST /user/session', () => {
  it('gives a browser its token as a cookie that no script can read', async () => {
    const response = await start();
    expect([response.status, await response.text()]).toEqual([204, '']);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const [cookie = '', ...more] = response.headers.getSetCookie();
    expect(more).toEqual([]);
    expect(cookie).toMatch(
      /^session=[\w.-]+; Max-Age=86400; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Strict$/,
    );
    expect(await me({ cookie: cookieOf(response) })).toBe(200);
    expect(await me({ cookie: `a=b; ${cookieOf(response)}; c` })).toBe(200);
  });

  it('has a name under TLS that nothing else can set, and takes no other then', async () => {
    const response = await start(TLS, behindProxy);
    const [cookie = ''] = response.headers.getSetCookie();
    expect(cookie).toMatch(
      /^__Host-session=[\w.-]+; Max-Age=86400; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Strict$/,
    );
    const [, token = ''] = cookieOf(response).split('=');
    const https = { 'x-forwarded-proto': 'https' };
    expect(await me({ ...https, cookie: `__Host-session=${token}` }, behindProxy)).toBe(200);
    expect(await me({ ...https, cookie: `session=${token}` }, behindProxy)).toBe(401);
    // Whose word is not taken changes nothing.
    const forged = await start(TLS);
    expect(forged.headers.getSetCookie()[0]).toMatch(/^session=/);
  });

  it('is for pages of this origin', async () => {
    const origin = service.url;
    const [, port = ''] = origin.split(/:(?=\d)/);
    const cases: [Record<string, string>, number][] = [
      [{ 'sec-fetch-site': 'same-origin' }, 204],
      [{ origin }, 204],
      [{ 'sec-fetch-site': 'same-origin', origin }, 204],
      [{}, 403],
      [{ 'sec-fetch-site': 'cross-site', origin }, 403],
      [{ 'sec-fetch-site': 'same-site', origin }, 403],
      [{ 'sec-fetch-site': 'none', origin }, 403],
      [{ origin: 'null' }, 403],
      [{ origin: 'https://evil.example' }, 403],
      [{ origin: `https://localhost:${port}` }, 403],
      [{ origin: `http://localhost:${String(Number(port) + 1)}` }, 403],
      [{ origin: `${origin}.evil.example` }, 403],
      [{ referer: `${origin}/` }, 403],
    ];
    for (const [headers, status] of cases) {
      const response = await start(headers);
      expect([headers, response.status]).toEqual([headers, status]);
      if (status === 403) {
        expect(response.headers.getSetCookie()).toEqual([]);
        expect(await response.json()).toEqual({
          detail: '다른 출처의 페이지에서는 보낼 수 없는 요청입니다.',
        });
      }
    }
  });

  it('takes what a login takes, and gives a script nothing', async () => {
    expect((await start(SAME_ORIGIN, service, { password: 'wrong' })).status).toBe(401);
    expect((await start(SAME_ORIGIN, service, { password: '' })).status).toBe(422);
    const offline = await start(SAME_ORIGIN, service, { scope: 'offline_access' });
    expect([offline.status, await offline.text()]).toEqual([204, '']);
  });
});

describe('a cookie', () => {
  it('authorises a write of a page of this origin only', async () => {
    const cookie = cookieOf(await start());
    const write = (headers: Record<string, string>): Promise<Response> =>
      service.fetch('/user/password', {
        method: 'POST',
        headers: { cookie, ...JSON_TYPE, ...headers },
        body: '{}',
      });
    expect((await write({})).status).toBe(403);
    expect((await write({ origin: 'https://evil.example' })).status).toBe(403);
    expect((await write({ 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await write(SAME_ORIGIN)).status).toBe(422);
    expect((await write({ origin: service.url })).status).toBe(422);
    for (const [method, path] of [
      ['POST', '/user/logout'],
      ['DELETE', '/user/session'],
      ['DELETE', '/user/sessions'],
      ['PATCH', '/user/me'],
      ['POST', '/user/delete'],
    ] as const) {
      expect((await service.fetch(path, { method, headers: { cookie } })).status).toBe(403);
    }
    expect(await me({ cookie })).toBe(200);
  });

  it('counts for nothing beside an Authorization header, however bad that is', async () => {
    const cookie = cookieOf(await start());
    const good = await logIn(service, 'hana', PASSWORD);
    expect(await me({ cookie, authorization: 'Bearer bad' })).toBe(401);
    expect(await me({ cookie, authorization: 'Basic eDp5' })).toBe(401);
    expect(await me({ cookie: 'session=bad', authorization: `Bearer ${good}` })).toBe(200);
    // With a header, no page of another origin can have sent it.
    const response = await service.fetch('/user/logout', {
      method: 'POST',
      headers: { cookie, authorization: `Bearer ${good}` },
    });
    expect([response.status, response.headers.getSetCookie()]).toEqual([204, []]);
    expect(await me({ cookie })).toBe(200);
  });

  it.each([
    'session=',
    'session',
    '=',
    'session=%00',
    `session=${'x'.repeat(9000)}`,
    ';;;',
    'session="a"',
  ])('may be anything: %s', async (cookie) => {
    expect(await me({ cookie })).toBe(401);
  });

  it.each([
    ['DELETE', '/user/session', undefined],
    ['POST', '/user/logout', undefined],
    ['DELETE', '/user/sessions?include_current=true', undefined],
    ['POST', '/user/delete', { password: PASSWORD }],
  ])('is taken away by %s %s, and opens nothing any more', async (method, path, body) => {
    const username = `${method} ${path}`;
    await service.fetch('/user/create', registration(username));
    const cookie = cookieOf(await start(SAME_ORIGIN, service, { username }));
    const response = await service.fetch(path, {
      method,
      headers: { ...SAME_ORIGIN, ...JSON_TYPE, cookie },
      ...(body && { body: JSON.stringify(body) }),
    });
    expect([response.status, response.headers.getSetCookie()]).toEqual([
      204,
      ['session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Strict'],
    ]);
    expect(await me({ cookie })).toBe(401);
  });

  it('is replaced by a change of name, and no token is answered', async () => {
    await service.fetch('/user/create', registration('old name'));
    const cookie = cookieOf(await start(SAME_ORIGIN, service, { username: 'old name' }));
    const response = await service.fetch('/user/me', {
      method: 'PATCH',
      headers: { ...SAME_ORIGIN, ...JSON_TYPE, cookie },
      body: JSON.stringify({ username: 'new name' }),
    });
    expect(await response.json()).toEqual({
      id: expect.any(Number) as number,
      username: 'new name',
      email: expect.any(String) as string,
      email_verified_at: null,
    });
    const fresh = cookieOf(response);
    expect(await me({ cookie })).toBe(401);
    expect(await me({ cookie: fresh })).toBe(200);
  });
});
