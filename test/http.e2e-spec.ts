import { connect } from 'node:net';
import { bearer, form, PASSWORD, post, registration, signUp } from './support/client';
import { createMigratedDatabase, type TestDatabase } from './support/database';
import { type RunningService, startServiceOn } from './support/service';

describe('HTTP', () => {
  let database: TestDatabase;
  let service: RunningService;
  let token: string;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    // What is sent is to be looked at, however often.
    service = await startServiceOn(database, { RATE_LIMIT: 'off' });
    token = await signUp(service, 'hana');
  });

  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  /** What comes back for these bytes, until the server closes the connection. */
  function raw(bytes: string): Promise<string> {
    return new Promise((resolve, reject) => {
      let answer = '';
      const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
      socket.setEncoding('utf8').on('data', (data: string) => (answer += data));
      socket.on('close', () => {
        resolve(answer);
      });
      socket.on('error', reject);
      socket.write(bytes);
    });
  }

  it.each([
    ['/user/me', 200],
    ['/api/user/me', 200],
    ['/api/user/me?x=1', 200],
    ['/user/me?x=1', 200],
    ['/api/api/user/me', 404],
    ['/apiuser/me', 404],
    ['/user/me/', 404],
    ['/api/user/me/', 404],
    ['/User/me', 404],
    ['/API/user/me', 404],
    ['//user/me', 404],
    ['/user//me', 404],
    ['/user%2Fme', 404],
    ['/user/me%2f', 404],
    ['/user/me;x=1', 404],
    ['/docs/', 404],
    ['/docs/index.html', 404],
    ['/docs/package.json', 404],
    ['/docs/swagger-initializer.js', 404],
    ['/health/live/', 404],
    ['/user/./me', 200],
    ['/api', 404],
    ['/%', 404],
    ['/user/%zz', 404],
  ])('GET %s is %i', async (path, status) => {
    const response = await service.fetch(path, bearer(token));
    expect(response.status).toBe(status);
    if (status === 404) expect(await response.json()).toEqual({ detail: 'Not Found' });
  });

  it('takes a target in absolute form for the path in it', async () => {
    const answer = await raw(
      `GET http://elsewhere.example/api/user/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it.each([
    ['/user/create', 'POST', ['GET', 'PUT', 'PATCH', 'DELETE', 'HEAD']],
    ['/user/login', 'POST', ['GET', 'PUT', 'PATCH', 'DELETE', 'HEAD']],
    ['/user/me', 'GET, HEAD, PATCH', ['POST', 'PUT', 'DELETE']],
    ['/user/session', 'DELETE, POST', ['GET', 'PUT']],
    ['/user/sessions', 'DELETE, GET, HEAD', ['POST', 'PUT']],
    ['/health/live', 'GET, HEAD', ['POST']],
    ['/openapi.json', 'GET, HEAD', ['POST']],
  ])('%s allows %s', async (path, allow, others) => {
    const options = await service.fetch(path, { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow')]).toEqual([204, allow]);
    for (const method of others) {
      const response = await service.fetch(`/api${path}`, { method });
      expect([method, response.status, response.headers.get('allow')]).toEqual([
        method,
        405,
        allow,
      ]);
      if (method !== 'HEAD')
        expect(await response.json()).toEqual({ detail: 'Method Not Allowed' });
    }
  });

  it('answers HEAD like GET, without the body', async () => {
    const get = await service.fetch('/user/me', bearer(token));
    const head = await service.fetch('/user/me', { ...bearer(token), method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(head.headers.get('content-length')).toBe(get.headers.get('content-length'));
    expect((await service.fetch('/user/me', { method: 'HEAD' })).status).toBe(401);
  });

  it('answers JSON as application/json and does not say what it is made of', async () => {
    const { headers } = await service.fetch('/health/live');
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('etag')).toBeNull();
  });

  it('gives every request an id, the client its own if it is one', async () => {
    const id = async (value?: string): Promise<string | null> => {
      const headers: Record<string, string> = value === undefined ? {} : { 'x-request-id': value };
      return (await service.fetch('/health/live', { headers })).headers.get('x-request-id');
    };
    expect(await id()).toMatch(/^[\da-f-]{36}$/);
    expect(await id('trace-1.2_3')).toBe('trace-1.2_3');
    expect(await id('x'.repeat(65))).toMatch(/^[\da-f-]{36}$/);
    expect(await id('a b')).toMatch(/^[\da-f-]{36}$/);
  });

  it('takes bodies of 64 kB and no larger ones, compressed or not, announced or not', async () => {
    const { gzipSync } = await import('node:zlib');
    const fitting = post(`{"a":"${'x'.repeat(65_536 - 8)}"}`);
    expect((await service.fetch('/user/create', fitting)).status).toBe(422);
    const large = `{"a":"${'x'.repeat(65_536 - 7)}"}`;
    const json = { 'content-type': 'application/json' };
    const bodies: RequestInit[] = [
      post(large),
      {
        method: 'POST',
        headers: { ...json, 'content-encoding': 'gzip' },
        body: new Uint8Array(gzipSync(large)),
      },
      form({ username: 'hana', password: large }),
    ];
    for (const init of bodies) {
      for (const path of ['/user/create', '/user/login']) {
        const response = await service.fetch(path, init);
        expect([path, response.status]).toEqual([path, 413]);
        expect(await response.json()).toEqual({
          detail: '요청 본문이 너무 큽니다. 64 kB까지 보낼 수 있습니다.',
        });
      }
    }
    // Announced, it is not waited for.
    expect(
      await raw(
        'POST /user/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{}',
      ),
    ).toMatch(/^HTTP\/1\.1 413 [^]*Connection: close/);
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    expect(
      await raw(
        `POST /user/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${chunk}${chunk}0\r\n\r\n`,
      ),
    ).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('answers 415 to an encoding that it cannot read, 400 to one that is not what it says', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'compress' };
    expect(
      (await service.fetch('/user/create', { method: 'POST', headers, body: '{}' })).status,
    ).toBe(415);
    headers['content-encoding'] = 'gzip';
    expect(
      (await service.fetch('/user/create', { method: 'POST', headers, body: '{}' })).status,
    ).toBe(400);
  });

  it.each([
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['a header without a name', 'GET / HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n', 400],
    [
      'two lengths',
      'POST /user/create HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      400,
    ],
    [
      'a length and chunks',
      'POST /user/create HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    [
      'an expectation',
      'GET /user/me HTTP/1.1\r\nHost: x\r\nExpect: 418\r\nConnection: close\r\n\r\n',
      417,
    ],
    [
      'two hosts',
      'GET /health/live HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n',
      400,
    ],
    ['a tunnel', 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n', 405],
    ['no host', 'GET /user/me HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['large headers', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ])('gives what the parser refuses the form of every error: %s', async (_name, bytes, status) => {
    const [head = '', body = ''] = (await raw(bytes)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${String(status)} `));
    expect(head).toMatch(/content-type: application\/json(\r\n|$)/i);
    expect(JSON.parse(body)).toEqual({ detail: expect.any(String) as string });
  });

  it('answers what was sent before it is answered that what follows is no HTTP', async () => {
    const { body } = registration('before garbage');
    const answer = await raw(
      `POST /user/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}no HTTP\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 204 /);
  });

  it.each(['/user/create', '/user/login'])(
    'does not wait for the rest of a body that cannot be read: %s',
    async (path) => {
      const answer = await raw(
        `POST ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*\{"detail":"Bad Request"\}$/);
    },
  );

  it('says nothing in the middle of an answer that is on its way', async () => {
    const answer = await raw(
      'GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\nno HTTP at all\r\n\r\n',
    );
    expect(answer.split('HTTP/1.1 ')).toHaveLength(2);
  });

  it.each([
    [416, { range: 'bytes=999999999-' }],
    [412, { 'if-match': '"x"' }],
  ])(
    'answers what the files of the documentation refuse in the same form: %i',
    async (status, headers) => {
      const response = await service.fetch('/docs/swagger-ui.css', {
        headers: headers as Record<string, string>,
      });
      expect([response.status, await response.json()]).toEqual([status, { detail: 'Bad Request' }]);
    },
  );

  it('answers nothing hostile with a 5xx', async () => {
    const values: unknown[] = [
      null,
      true,
      0,
      -1,
      1e308,
      '',
      ' ',
      '\0',
      '\ud800',
      'a'.repeat(60_000),
      [],
      {},
      [[]],
      { a: { b: {} } },
      '${7*7}',
      '{{7*7}}',
      "' OR 1=1 --",
      '../../etc/passwd',
      '<script>',
      '%00',
      '\r\nSet-Cookie: a=b',
      '\u202e',
      '𝕬𝖉𝖒𝖎𝖓',
      'ﷺ',
      '🏳️‍🌈',
      '\uffff',
      '\u{10ffff}',
    ];
    const fields = ['username', 'password1', 'password2', 'email'];
    const requests: [string, RequestInit][] = [];
    for (const value of values) {
      for (const field of fields)
        requests.push(['/user/create', registration('x', { [field]: value })]);
      requests.push([
        '/user/create',
        post({ ...Object.fromEntries(fields.map((f) => [f, value])) }),
      ]);
      requests.push(['/user/create', post(JSON.stringify(value))]);
      const text = typeof value === 'string' ? value.toWellFormed() : JSON.stringify(value);
      requests.push(['/user/login', form({ username: text, password: PASSWORD })]);
      requests.push(['/user/login', form({ username: 'hana', password: text })]);
      requests.push(['/user/login', form({ [text]: text, username: 'hana', password: 'x' })]);
      requests.push([`/user/${encodeURIComponent(text).slice(0, 2000)}`, {}]);
      requests.push([`/user/me?x=${encodeURIComponent(text).slice(0, 2000)}`, bearer(token)]);
    }
    for (const body of [
      '{',
      '[',
      '{"a"',
      '"',
      'nul',
      '{"a":}',
      '{"a":1,}',
      '\ufeff',
      '\0',
      '[1',
      '{"__proto__":1}',
      '{"a":"\u0001"}',
    ]) {
      requests.push(['/user/create', post(body)], ['/user/login', post(body)]);
    }
    const answers = await Promise.all(
      requests.map(async ([path, init]) => {
        const response = await service.fetch(path, init);
        return { path, init, status: response.status, text: await response.text() };
      }),
    );
    expect(answers.length).toBeGreaterThan(300);
    for (const answer of answers) {
      if (answer.status >= 500) throw new Error(JSON.stringify(answer));
      if (answer.status >= 400) expect(JSON.parse(answer.text)).toHaveProperty('detail');
    }
  });
});

describe('ROOT_PATH', () => {
  it.each([
    [
      '/v1/accounts',
      { '/v1/accounts/health/live': 200, '/health/live': 200, '/api/health/live': 404 },
    ],
    ['/', { '/health/live': 200, '/api/health/live': 404 }],
  ])('%s', async (rootPath, statuses) => {
    const database = await createMigratedDatabase();
    const service = await startServiceOn(database, { ROOT_PATH: rootPath });
    for (const [path, status] of Object.entries(statuses)) {
      expect([path, (await service.fetch(path)).status]).toEqual([path, status]);
    }
    await service.stop();
    await database.drop();
  });
});
