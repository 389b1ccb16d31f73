import { form, PASSWORD, registration } from './support/client';
import { createMigratedDatabase, type TestDatabase } from './support/database';
import { type RunningService, startServiceOn } from './support/service';

describe('POST /user/login', () => {
  let database: TestDatabase;
  let service: RunningService;
  const good = { username: 'hana', password: PASSWORD };

  beforeAll(async () => {
    database = await createMigratedDatabase();
    service = await startServiceOn(database);
    await service.fetch('/user/create', registration('hana'));
  });

  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  async function answer(init: RequestInit, path = '/user/login'): Promise<[number, unknown]> {
    const response = await service.fetch(path, { method: 'POST', ...init });
    return [response.status, await response.json()];
  }

  function multipart(parts: [string, string | Blob][]): RequestInit {
    const body = new FormData();
    for (const [name, value] of parts) body.append(name, value);
    return { method: 'POST', body };
  }

  it('answers a token for 24 hours that no cache keeps', async () => {
    const response = await service.fetch('/user/login', form(good));
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('pragma')).toBe('no-cache');
    const body = (await response.json()) as { access_token: string };
    expect(body).toEqual({
      access_token: expect.any(String) as string,
      token_type: 'bearer',
      username: 'hana',
      expires_in: 86_400,
    });
    const claims = JSON.parse(
      Buffer.from(body.access_token.split('.')[1] ?? '', 'base64url').toString(),
    ) as Record<string, number>;
    expect(Object.keys(claims).sort()).toEqual(['exp', 'iat', 'jti', 'sid', 'sub']);
    expect((claims['exp'] ?? 0) - (claims['iat'] ?? 0)).toBe(86_400);
  });

  it('tells an OAuth 2.0 client what went wrong, and nobody who has an account', async () => {
    const unknown = await service.fetch('/user/login', form({ ...good, username: 'nobody' }));
    const wrong = await service.fetch('/user/login', form({ ...good, password: 'wrong' }));
    for (const response of [unknown, wrong]) {
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      expect(await response.json()).toEqual({
        detail: 'Incorrect username or password',
        error: 'invalid_grant',
        error_description: 'Incorrect username or password',
      });
    }
  });

  it('takes a multipart form', async () => {
    expect(await answer(multipart(Object.entries(good)))).toEqual([200, expect.anything()]);
  });

  it('takes a compressed form', async () => {
    const { gzipSync } = await import('node:zlib');
    const body = new Uint8Array(gzipSync(String(form(good).body as URLSearchParams)));
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'content-encoding': 'gzip',
    };
    expect(await answer({ body, headers })).toEqual([200, expect.anything()]);
  });

  it('does not look into the query, neither for credentials nor for the empty half of them', async () => {
    expect(
      await answer(
        form({ username: 'hana' }),
        `/user/login?password=${encodeURIComponent(PASSWORD)}`,
      ),
    ).toEqual([422, { detail: [expect.objectContaining({ loc: ['body', 'password'] })] }]);
    expect(
      await answer(
        form({ ...good, password: 'wrong' }),
        `/user/login?${new URLSearchParams(good).toString()}`,
      ),
    ).toEqual([401, expect.anything()]);
  });

  const TEXT = { msg: 'str type expected', type: 'type_error.str' };
  const STORABLE = { msg: 'NUL 문자나 잘못된 유니코드는 사용할 수 없습니다.', type: 'value_error' };
  const GRANT = {
    msg: 'string does not match regex "password"',
    type: 'value_error.str.regex',
    ctx: { pattern: 'password' },
  };

  it.each([
    ['a username twice', 'username=hana&username=hana&password=x', 'username', TEXT],
    ['a password twice, once empty', 'username=hana&password=x&password=', 'password', TEXT],
    ['NUL in the username', 'username=ha%00na&password=x', 'username', STORABLE],
    ['NUL in the password', 'username=hana&password=%00', 'password', STORABLE],
    [
      'a grant type of another case',
      'grant_type=Password&username=hana&password=x',
      'grant_type',
      GRANT,
    ],
    [
      'a grant type that only begins so',
      'grant_type=passwords&username=hana&password=x',
      'grant_type',
      GRANT,
    ],
    ['a scope twice', 'scope=a&scope=b&username=hana&password=x', 'scope', TEXT],
    [
      'a password of 1,025 characters',
      `username=hana&password=${'x'.repeat(1025)}`,
      'password',
      {
        msg: 'ensure this value has at most 1024 characters',
        type: 'value_error.any_str.max_length',
        ctx: { limit_value: 1024 },
      },
    ],
  ])('422: %s', async (_name, body, field, error) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expect(await answer({ headers, body })).toEqual([
      422,
      { detail: [{ loc: ['body', field], ...error }] },
    ]);
  });

  it('takes no file for a text', async () => {
    expect(
      await answer(
        multipart([
          ['username', new Blob(['hana'])],
          ['password', PASSWORD],
        ]),
      ),
    ).toEqual([422, { detail: [{ loc: ['body', 'username'], ...TEXT }] }]);
  });

  it.each([
    ['without a boundary', 'multipart/form-data', 'x'],
    [
      'cut off',
      'multipart/form-data; boundary=b',
      '--b\r\ncontent-disposition: form-data; name="username"\r\n\r\nha',
    ],
    [
      'cut off in a file',
      'multipart/form-data; boundary=b',
      '--b\r\ncontent-disposition: form-data; name="username"; filename="x"\r\n\r\nha',
    ],
  ])('400: a multipart form %s', async (_name, type, body) => {
    expect(await answer({ headers: { 'content-type': type }, body })).toEqual([
      400,
      { detail: 'There was an error parsing the body' },
    ]);
  });

  it.each(['$2b$04$short', '!', '', 'plain', `$2b$04$${'!'.repeat(53)}`])(
    'an account with the hash %j cannot log in, and that is no error',
    async (hash) => {
      const name = `broken ${hash}`;
      await database.query('INSERT INTO "user" (username, email, password) VALUES ($1, $1, $2)', [
        name,
        hash,
      ]);
      expect(await answer(form({ username: name, password: hash || 'x' }))).toEqual([
        401,
        expect.anything(),
      ]);
    },
  );
});
