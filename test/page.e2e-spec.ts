import { gzipSync } from 'node:zlib';
import { createDatabase, type TestDatabase } from './support/database';
import { type RunningService, startService, TEST_SECRET_KEY } from './support/service';

const HTML = { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } };

describe('the page', () => {
  let database: TestDatabase;
  let service: RunningService;

  beforeAll(async () => {
    // It needs no schema.
    database = await createDatabase();
    service = await startService({ ...database.environment, SECRET_KEY: TEST_SECRET_KEY });
  });

  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  it.each(['/', '/login', '/signup', '/anything/else'])('starts at %s', async (path) => {
    const response = await service.fetch(path, HTML);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/html; charset=utf-8',
    ]);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.text()).toContain('<div id="root"></div>');
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/(^|;)default-src 'none';script-src 'self';/);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('has files that never change, and says so', async () => {
    const html = await (await service.fetch('/', HTML)).text();
    const files = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(
      ([, path = '']) => path,
    );
    expect(files.length).toBeGreaterThan(1);
    for (const path of files) {
      const response = await service.fetch(path);
      await response.text();
      expect([response.status, response.headers.get('cache-control')]).toEqual([
        200,
        'public, max-age=31536000, immutable',
      ]);
    }
    expect(html).not.toMatch(/<script(?![^>]* src=)/);
  });

  it('asks for little: at most 150 kB of JavaScript, gzipped, before it can be used', async () => {
    const html = await (await service.fetch('/login', HTML)).text();
    const scripts = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+\.js)"/g)];
    const sizes = await Promise.all(
      scripts.map(
        async ([, path = '']) => gzipSync(await (await service.fetch(path)).text()).length,
      ),
    );
    expect(sizes.length).toBeGreaterThan(0);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(150_000);
  });

  it('is told where the API is', async () => {
    const elsewhere = await startService({
      ...database.environment,
      SECRET_KEY: TEST_SECRET_KEY,
      ROOT_PATH: '/accounts/v1',
    });
    const html = await (await elsewhere.fetch('/', HTML)).text();
    expect(html).toContain('<meta name="api" content="/accounts/v1"');
    await elsewhere.stop();
  });

  it('is answered to HEAD, and to whoever takes anything', async () => {
    const head = await service.fetch('/', { ...HTML, method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await service.fetch('/')).headers.get('content-type')).toMatch(/^text\/html/);
  });

  it.each([
    ['GET', '/api', HTML],
    ['GET', '/api/', HTML],
    ['GET', '/api/login', HTML],
    ['GET', '/login', {}],
    ['GET', '/login', { headers: { accept: 'application/json' } }],
    ['GET', '/assets/none.js', {}],
    ['GET', '/assets/..%2f..%2fpackage.json', {}],
    ['GET', '/index.html%00', {}],
    ['POST', '/', HTML],
    ['POST', '/login', HTML],
  ] as [string, string, RequestInit][])('is not at %s %s', async (method, path, init) => {
    const response = await service.fetch(path, { method, ...init });
    expect([response.status, await response.json()]).toEqual([404, { detail: 'Not Found' }]);
  });

  it('is not where the API is', async () => {
    expect((await service.fetch('/user/me', HTML)).status).toBe(401);
    expect((await service.fetch('/user/login', HTML)).status).toBe(405);
  });
});
