import { readFile } from 'node:fs/promises';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { bearer, form, logIn, PASSWORD, post, registration, signUp } from './support/client';
import { createDatabase, createMigratedDatabase, type TestDatabase } from './support/database';
import { Description, type Document } from './support/description';
import {
  type RunningService,
  startService,
  startServiceOn,
  TEST_SECRET_KEY,
} from './support/service';

describe('/openapi.json', () => {
  let database: TestDatabase;
  let service: RunningService;
  let description: Description;
  let document: Document;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    service = await startServiceOn(database);
    description = await Description.of(service);
    ({ document } = description);
  });

  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  it('passes the recommended rules of a validator', async () => {
    const config = await createConfig({ extends: ['recommended-strict'] });
    const source = description.text;
    const problems = await lintFromString({ source, absoluteRef: 'openapi.json', config });
    expect(problems.map(({ message, location }) => [message, location[0]?.pointer])).toEqual([]);
  });

  it('is what the page was made for', async () => {
    const made = await readFile('frontend/openapi.json', 'utf8');
    // If not: npm run openapi
    expect(JSON.parse(made)).toEqual(document);
  });

  it('has every route of the service, on the prefix', () => {
    expect(document.servers).toEqual([{ url: '/api' }]);
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(operations.sort()).toEqual([
      'DELETE /user/session',
      'DELETE /user/sessions',
      'DELETE /user/sessions/{id}',
      'GET /health/live',
      'GET /health/ready',
      'GET /user/me',
      'GET /user/sessions',
      'PATCH /user/me',
      'POST /user/create',
      'POST /user/delete',
      'POST /user/email',
      'POST /user/email/revert',
      'POST /user/email/verify',
      'POST /user/email/verify/resend',
      'POST /user/login',
      'POST /user/logout',
      'POST /user/password',
      'POST /user/password/forgot',
      'POST /user/password/reset',
      'POST /user/session',
      'POST /user/token',
    ]);
  });

  it('has an error body for every status from 400 on, and one at least for every operation', () => {
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, { responses }] of Object.entries(methods)) {
        const statuses = Object.keys(responses);
        expect([path, method, statuses]).toEqual([
          path,
          method,
          expect.arrayContaining(['400', '500', '503']),
        ]);
        for (const status of statuses.filter((code) => code >= '400')) {
          expect(responses[status]?.content).toHaveProperty(['application/json', 'schema', '$ref']);
        }
      }
    }
  });

  it('lets the Authorize button log in with the form', async () => {
    const { tokenUrl = '' } =
      document.components.securitySchemes['OAuth2PasswordBearer']?.flows?.password ?? {};
    expect(tokenUrl).toBe('/api/user/login');
    await service.fetch('/user/create', registration('authorize'));
    const response = await service.fetch(
      tokenUrl,
      form({ grant_type: 'password', username: 'authorize', password: PASSWORD, scope: '' }),
    );
    const { access_token: token } = (await response.json()) as { access_token: string };
    expect((await service.fetch('/api/user/me', bearer(token))).status).toBe(200);
  });

  it('describes what is really answered', async () => {
    await service.fetch('/user/create', registration('hana'));
    const good = { username: 'hana', password: PASSWORD };
    const token = await logIn(service, 'hana', PASSWORD);
    const large = post(`{"a":"${'x'.repeat(70_000)}"}`);
    const strange = (init: RequestInit): RequestInit => ({
      ...init,
      headers: { 'content-type': 'application/json', 'content-encoding': 'compress' },
    });
    const unreadable = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Uint8Array([0xff]),
    };
    const multipart = {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data' },
      body: 'x',
    };
    await answers('post', '/user/create', {
      204: registration('minsu'),
      400: unreadable,
      409: registration('hana'),
      413: large,
      415: strange(registration('x')),
      422: registration('', { password1: 'short', email: 7 }),
    });
    await answers('post', '/user/login', {
      200: form({ username: 'hana', password: PASSWORD }),
      400: multipart,
      401: form({ username: 'hana', password: 'wrong' }),
      413: form({ username: 'hana', password: 'x'.repeat(70_000) }),
      415: strange(form({ username: 'hana', password: PASSWORD })),
      422: form({ grant_type: 'other' }),
    });
    await answers('get', '/user/me', { 200: bearer(token), 401: bearer('bad') });
    await answers('post', '/user/token', {
      200: form({ ...good, grant_type: 'password', scope: 'offline_access' }),
      400: form({ grant_type: 'password' }),
      413: form({ username: 'x'.repeat(70_000) }),
      415: strange(form(good)),
    });
    await answers('post', '/user/token', { 400: form({ grant_type: 'x' }) });
    await answers('post', '/user/token', { 400: multipart });
    const sameOrigin = { 'sec-fetch-site': 'same-origin' };
    await answers('post', '/user/session', {
      204: { ...form(good), headers: sameOrigin },
      400: { ...multipart, headers: { ...multipart.headers, ...sameOrigin } },
      401: { ...form({ ...good, password: 'wrong' }), headers: sameOrigin },
      403: form(good),
      422: { ...form({}), headers: sameOrigin },
    });
    const started = await service.fetch('/user/session', { ...form(good), headers: sameOrigin });
    const cookie = started.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const withCookie = { headers: { cookie } };
    const as = (init: RequestInit, method = 'POST'): RequestInit => ({
      ...init,
      method,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    });
    await answers('delete', '/user/session', {
      401: { method: 'DELETE' },
      403: { method: 'DELETE', ...withCookie },
      204: { method: 'DELETE', headers: { cookie, ...sameOrigin } },
    });
    await answers('get', '/user/sessions', { 200: bearer(token), 401: {} });
    await answers('get', '/user/sessions', { 422: bearer(token) }, '?size=x');
    await answers('delete', '/user/sessions', { 422: as({}, 'DELETE') }, '?include_current=x');
    await answers('delete', '/user/sessions', { 204: as({}, 'DELETE'), 401: { method: 'DELETE' } });
    await answers('delete', '/user/sessions/{id}', {
      404: as({}, 'DELETE'),
      401: { method: 'DELETE' },
    });
    const next = { password1: 'new horse 10', password2: 'new horse 10' };
    await answers('post', '/user/password', {
      400: as(unreadable),
      401: post({}),
      413: as(large),
      422: as(post({ ...next, current_password: 'wrong' })),
      204: as(post({ ...next, current_password: PASSWORD })),
    });
    await answers('patch', '/user/me', {
      409: as(post({ username: 'minsu' }), 'PATCH'),
      422: as(post({}), 'PATCH'),
      401: { ...post({}), method: 'PATCH' },
    });
    await answers('post', '/user/delete', {
      401: post({}),
      422: as(post({ password: 'wrong' })),
    });
    await answers('post', '/user/delete', { 204: as(post({ password: 'new horse 10' })) });
    await answers('post', '/user/logout', { 401: { method: 'POST' } });
    const other = await logIn(service, 'minsu', PASSWORD);
    await answers('patch', '/user/me', {
      200: {
        ...as(post({ username: 'renamed' }), 'PATCH'),
        headers: { 'content-type': 'application/json', authorization: `Bearer ${other}` },
      },
    });
    await answers('post', '/user/logout', {
      204: { method: 'POST', ...bearer(await logIn(service, 'renamed', PASSWORD)) },
    });
    // Of whatever is counted there are too many now.
    const last = await signUp(service, 'last');
    const json = { 'content-type': 'application/json', authorization: `Bearer ${last}` };
    await service.fetch('/user/token', form({ grant_type: 'refresh_token', refresh_token: 'x' }));
    await service.fetch('/user/me', {
      ...post({ username: 'minsu 2' }),
      method: 'PATCH',
      headers: { ...json },
    });
    const counted = await logIn(service, 'minsu 2', PASSWORD);
    const tooMany = { ...json, authorization: `Bearer ${counted}` };
    await database.query('UPDATE rate_limit SET points = 1000000');
    await answers('post', '/user/create', { 429: registration('one more') });
    await answers('post', '/user/login', { 429: form(good) });
    await answers('post', '/user/session', { 429: { ...form(good), headers: sameOrigin } });
    await answers('post', '/user/token', { 429: form({ ...good, grant_type: 'password' }) });
    await answers('post', '/user/token', {
      429: form({ grant_type: 'refresh_token', refresh_token: 'x' }),
    });
    const passwords = { ...next, current_password: PASSWORD };
    await answers('post', '/user/password', { 429: { ...post(passwords), headers: tooMany } });
    await answers('post', '/user/delete', {
      429: { ...post({ password: PASSWORD }), headers: tooMany },
    });
    await answers('patch', '/user/me', {
      429: { ...post({ username: 'minsu 3' }), method: 'PATCH', headers: tooMany },
    });
    await answers('get', '/health/live', { 200: {} });
    await answers('get', '/health/ready', { 200: {} });
  });

  it('describes what is answered when the database is not what it should be', async () => {
    const empty = await createDatabase();
    const ready = service;
    service = await startService({ ...empty.environment, SECRET_KEY: TEST_SECRET_KEY });
    await answers('get', '/health/ready', { 503: {} });
    await answers('post', '/user/create', { 503: registration('hana') });
    await answers('post', '/user/login', { 503: form({ username: 'hana', password: PASSWORD }) });
    await service.stop();
    await empty.drop();
    service = ready;
  });

  /** Sends each request and holds its answer against what the document says of that status. */
  async function answers(
    method: string,
    path: string,
    requests: Record<number, RequestInit>,
    query = '',
  ): Promise<void> {
    const operation = document.paths[path]?.[method];
    if (operation === undefined) throw new Error(`${method} ${path} is not described`);
    for (const [status, init] of Object.entries(requests)) {
      const response = await service.fetch(path.replace(/[{}]/g, '') + query, init);
      const body = await response.text();
      expect([path, response.status, body.slice(0, 200)]).toEqual([
        path,
        Number(status),
        expect.anything(),
      ]);
      const type = response.headers.get('content-type') ?? '';
      const problem = description.problemWith(operation, { status: Number(status), type, body });
      expect([path, status, problem]).toEqual([path, status, undefined]);
    }
  }
});

describe('/docs', () => {
  async function read(response: Response): Promise<{ status: number; text: string }> {
    return { status: response.status, text: await response.text() };
  }

  it('is the page of Swagger UI, with and without the prefix', async () => {
    const database = await createMigratedDatabase();
    const service = await startServiceOn(database);
    for (const path of ['/docs', '/api/docs']) {
      const response = await service.fetch(path);
      expect([response.status, response.headers.get('content-type')]).toEqual([
        200,
        'text/html; charset=utf-8',
      ]);
      const assets = [...(await response.text()).matchAll(/(?:src|href)="(\.\/[^"]+)"/g)].map(
        ([, asset = '']) => new URL(asset, `${service.url}${path}`).pathname,
      );
      expect(assets.length).toBeGreaterThan(2);
      for (const asset of assets) {
        const { status, text } = await read(await service.fetch(asset));
        expect([asset, status, text === '']).toEqual([asset, 200, false]);
      }
    }
    await service.stop();
    await database.drop();
  });
});
