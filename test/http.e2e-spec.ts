import { once } from 'node:events';
import { connect } from 'node:net';
import { bearer, form, PASSWORD, post, registration, signUp } from './support/client';
import { createMigratedDatabase, type TestDatabase } from './support/database';
import { type RunningService, startServiceOn } from './support/service';

/** Requests of which the rest never comes. */
const UNFINISHED = [
  ['a head', 'POST /user/create HTTP/1.1\r\nHost: x\r\n'],
  ['a body', 'POST /user/create HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{'],
  ['chunks', 'POST /user/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na'],
] as const;

describe('HTTP', () => {
  let database: TestDatabase;
  let service: RunningService;
  let token: string;
  /** What clients are answered who never finish: begun first, as it takes as long as nothing else. */
  let unfinished: Promise<string>[];

  beforeAll(async () => {
    database = await createMigratedDatabase();
    // What is sent is to be looked at, however often.
    service = await startServiceOn(database, { RATE_LIMIT: 'off' });
    unfinished = UNFINISHED.map(([, bytes]) => raw(bytes));
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

  it('reads nothing more after an expectation that it cannot meet', async () => {
    const answer = await raw(
      'POST /user/create HTTP/1.1\r\nHost: x\r\nExpect: 418\r\nContent-Length: 0\r\nTransfer-Encoding: gzip\r\n\r\n' +
        'GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 4(00|17) /);
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    const plain = await raw(
      'GET /user/me HTTP/1.1\r\nHost: x\r\nExpect: 418\r\n\r\n' +
        'GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    );
    expect(plain).toMatch(/^HTTP\/1\.1 417 /);
    expect(plain.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });

  it.each(UNFINISHED.map(([name], i) => [name, i] as const))(
    'does not wait for ever for the rest of a request: %s',
    async (_name, i) => {
      const [head = '', body = ''] = ((await unfinished[i]) ?? '').split('\r\n\r\n');
      expect(head).toMatch(/^HTTP\/1\.1 408 /);
      expect(JSON.parse(body)).toEqual({ detail: '요청이 제시간에 도착하지 않았습니다.' });
    },
  );

  /** A request within the body of another, which nobody may answer. */
  const hidden = 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n';

  it.each([
    ['Content-Length: 48\r\nTransfer-Encoding: chunked', '0\r\n\r\n'],
    ['Transfer-Encoding: chunked\r\nContent-Length: 4', '5\r\nhello\r\n0\r\n\r\n'],
    ['Transfer-Encoding: xchunked', '0\r\n\r\n'],
    ['Transfer-Encoding : chunked', '0\r\n\r\n'],
    ['Transfer-Encoding:\x0bchunked', '0\r\n\r\n'],
    ['Transfer-Encoding:\r\n chunked', '0\r\n\r\n'],
    ['X: y\r\n Transfer-Encoding: chunked', '0\r\n\r\n'],
    ['Transfer-Encoding: "chunked"', '0\r\n\r\n'],
    ['Transfer-Encoding: chunked, identity', '0\r\n\r\n'],
    ['Transfer-Encoding: identity, chunked', '0\r\n\r\n'],
    ['Transfer-Encoding: gzip, chunked', '0\r\n\r\n'],
    ['Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '0\r\n\r\n'],
    ['Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', '0\r\n\r\n'],
    ['Transfer-Encoding: identity\r\nTransfer-Encoding: chunked', '0\r\n\r\n'],
    ['Transfer-Encoding:\r\nContent-Length: 0', ''],
    ['Content-Length: 0\r\nContent-Length: 0', ''],
    ['Content-Length: 0, 0', ''],
    ['Content-Length: +0', ''],
    ['Content-Length: -1', ''],
    ['Content-Length: 0x0', ''],
    ['Content-Length: 18446744073709551616', ''],
    ['Content-Length:', ''],
    ['Content-Length : 0', ''],
    ['X: a\rContent-Length: 0', ''],
    ['X: a\nContent-Length: 0', ''],
    ['X: a\0b', ''],
    ['Host: y', ''],
    ['Transfer-Encoding: chunked', '0\n\n'],
    ['Transfer-Encoding: chunked', '0;a\n\r\n\r\n'],
    ['Transfer-Encoding: chunked', '0 \r\n\r\n'],
    ['Transfer-Encoding: chunked', '0x0\r\n\r\n'],
    ['Transfer-Encoding: chunked', '-0\r\n\r\n'],
    ['Transfer-Encoding: chunked', '10000000000000000\r\n\r\n'],
    ['Transfer-Encoding: chunked', '2\r\nabXX0\r\n\r\n'],
    ['Transfer-Encoding: chunked', '0\r\nContent-Length: 9\r\n\r\n'],
  ])('refuses what servers take for bodies of different ends: %j %j', async (headers, body) => {
    const answer = await raw(
      `POST /user/create HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n${body}${hidden}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*\r\n\r\n\{"detail":"Bad Request"\}$/);
  });

  it.each([
    'HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked',
    'HTTP/1.1\r\nHost: x, y',
    'HTTP/1.1\r\nHost: x/y',
    'HTTP/2.0\r\nHost: x',
    'HTTP/1.2\r\nHost: x',
  ])('refuses what is no HTTP/1.1 of one host: %j', async (head) => {
    const answer = await raw(`POST /user/logout ${head}\r\n\r\n0\r\n\r\n${hidden}`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*\r\n\r\n\{"detail":"Bad Request"\}$/);
  });

  it('takes a hundred header lines, parameters and fields, and not more', async () => {
    const head = (lines: number): string =>
      `GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${'X: y\r\n'.repeat(lines - 2)}\r\n`;
    expect(await raw(head(100))).toMatch(/^HTTP\/1\.1 200 /);
    expect(await raw(head(101))).toMatch(/^HTTP\/1\.1 431 /);
    // More than Node would look at.
    expect(await raw(head(2500))).toMatch(/^HTTP\/1\.1 431 /);
    const query = (parameters: number): string =>
      `/health/live?${Array.from({ length: parameters }, () => 'a=b').join('&')}`;
    expect((await service.fetch(query(100))).status).toBe(200);
    expect((await service.fetch(query(101))).status).toBe(400);
    const fields = (count: number): [string, string][] =>
      Array.from({ length: count }, (_none, i) => [String(i), 'x']);
    const parts = (count: number): FormData => {
      const data = new FormData();
      for (const [name, value] of fields(count)) data.append(name, value);
      return data;
    };
    for (const [count, status] of [
      [100, 422],
      [101, 400],
    ] as const) {
      for (const body of [new URLSearchParams(fields(count)), parts(count)]) {
        const response = await service.fetch('/user/login', { method: 'POST', body });
        expect([count, response.status]).toEqual([count, status]);
      }
    }
  });

  it.each([
    '//user/me',
    '/user//me',
    '/user/me;x',
    '/user%2fme',
    '/%75ser/me',
    '/./user/me/.',
    'http://x//user/me',
    'http://x/user/me',
    '/user/me#x',
  ])('lets nobody past who has no token: %s', async (target) => {
    for (const method of ['GET', 'HEAD', 'get', 'PROPFIND']) {
      const answer = await raw(
        `${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      );
      expect([method, answer.slice(0, 12)]).toEqual([
        method,
        expect.stringMatching(/^HTTP\/1\.1 4/),
      ]);
    }
  });

  it.each([
    { 'x-http-method-override': 'DELETE' },
    { 'x-http-method': 'DELETE' },
    { 'x-method-override': 'DELETE' },
    { 'x-original-url': '/health/live', 'x-rewrite-url': '/health/live' },
  ])('takes method and path from the first line only: %j', async (headers) => {
    const more = headers as Record<string, string>;
    const overridden = await service.fetch('/user/sessions?_method=DELETE', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, ...more },
      body: new URLSearchParams({ _method: 'DELETE' }),
    });
    expect(overridden.status).toBe(405);
    expect((await service.fetch('/user/me', { headers: more })).status).toBe(401);
    expect((await service.fetch('/user/me', bearer(token))).status).toBe(200);
  });

  it.each(['/health/live', '/user/me', '/nowhere', '/docs', '/docs/swagger-ui.css', '/'])(
    'tells browsers what to keep from others: %s',
    async (path) => {
      const { headers } = await service.fetch(path);
      expect(Object.fromEntries(headers)).toMatchObject({
        'content-security-policy': expect.stringMatching(
          /^default-src 'none';script-src 'self';.*;frame-ancestors 'none'$/,
        ) as string,
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'SAMEORIGIN',
      });
      expect(headers.has('strict-transport-security')).toBe(false);
      expect(headers.has('x-powered-by')).toBe(false);
    },
  );

  it('has nothing for pages of other origins', async () => {
    for (const init of [
      { headers: { origin: 'https://app.example.com' } },
      {
        method: 'OPTIONS',
        headers: { origin: 'https://app.example.com', 'access-control-request-method': 'GET' },
      },
    ]) {
      const { headers } = await service.fetch('/user/me', init);
      expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });

  it('refuses a body without an announced end as soon as it is too large', async () => {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    let answer = '';
    socket.setEncoding('utf8').on('data', (data: string) => (answer += data));
    socket.write('POST /user/create HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    socket.write(chunk);
    socket.write(chunk);
    // The end has not come.
    await once(socket, 'data');
    expect(answer).toMatch(/^HTTP\/1\.1 413 [^]*\{"detail":"요청 본문이 너무 큽니다/);
    // Who comes to it is heard on the same connection.
    socket.write('0\r\n\r\nGET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'data');
    expect(answer).toMatch(/HTTP\/1\.1 200 [^]*$/);
    socket.destroy();
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
    const answers: { path: string; init: RequestInit; status: number; text: string }[] = [];
    // As many at once as can be done at once: all of them would be an overload, which is another test.
    const ask = async (): Promise<void> => {
      for (let next = requests.pop(); next !== undefined; next = requests.pop()) {
        const [path, init] = next;
        const response = await service.fetch(path, init);
        answers.push({ path, init, status: response.status, text: await response.text() });
      }
    };
    await Promise.all(Array.from({ length: 10 }, ask));
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

describe('CORS_ORIGINS', () => {
  const APP = 'https://app.example.com';
  let database: TestDatabase;
  let service: RunningService;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    service = await startServiceOn(database, { CORS_ORIGINS: `${APP}, http://localhost:5173` });
  });

  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  /** What a browser looks at before it hands an answer to a page. */
  function allowed({ headers }: Response): Record<string, string> {
    return Object.fromEntries([...headers].filter(([name]) => /^access-control|^vary/.test(name)));
  }

  it('names pages that may read answers, errors too', async () => {
    const response = await service.fetch('/user/me', { headers: { origin: APP } });
    expect(response.status).toBe(401);
    expect(allowed(response)).toEqual({
      'access-control-allow-origin': APP,
      'access-control-expose-headers': 'Retry-After,WWW-Authenticate,X-Request-Id,X-User-Id',
      vary: 'Origin, Accept-Language',
    });
    const refused = await service.fetch('/user/create', {
      ...post('x'.repeat(70_000)),
      headers: { origin: 'http://localhost:5173' },
    });
    expect(refused.status).toBe(413);
    expect(allowed(refused)).toMatchObject({
      'access-control-allow-origin': 'http://localhost:5173',
    });
  });

  it('lets them ask first', async () => {
    const ask = (path: string, origin = APP): Promise<Response> =>
      service.fetch(path, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'PATCH',
          'access-control-request-headers': 'authorization,content-type',
        },
      });
    const response = await ask('/api/user/me');
    expect([response.status, response.headers.get('allow')]).toEqual([204, 'GET, HEAD, PATCH']);
    expect(allowed(response)).toEqual({
      'access-control-allow-origin': APP,
      'access-control-allow-methods': 'GET,HEAD,POST,PATCH,DELETE',
      'access-control-allow-headers': 'Authorization,Content-Type,X-Request-Id',
      'access-control-max-age': '7200',
      'access-control-expose-headers': 'Retry-After,WWW-Authenticate,X-Request-Id,X-User-Id',
      vary: 'Origin',
    });
    expect((await ask('/nowhere')).status).toBe(404);
  });

  it.each([
    'https://app.example.com.evil.example',
    'https://evil.example',
    'http://app.example.com',
    'https://APP.example.com',
    'null',
  ])('names no others: %s', async (origin) => {
    const response = await service.fetch('/user/me', { headers: { origin } });
    expect(allowed(response)).not.toHaveProperty('access-control-allow-origin');
    expect(response.headers.get('vary')).toContain('Origin');
  });

  it('does not let them use a cookie', async () => {
    await service.fetch('/user/create', registration('hana'));
    const response = await service.fetch('/user/session', {
      ...form({ username: 'hana', password: PASSWORD }),
      headers: { origin: APP, 'sec-fetch-site': 'cross-site' },
    });
    expect(response.status).toBe(403);
    expect(allowed(response)).not.toHaveProperty('access-control-allow-credentials');
  });
});
