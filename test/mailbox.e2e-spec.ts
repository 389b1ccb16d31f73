import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { post, registration } from './support/client';
import { createMigratedDatabase } from './support/database';
import { type RunningService, startService, startServiceOn, waitUntil } from './support/service';

const NOT_FOUND = JSON.stringify({ detail: 'Not Found' });

/** Another address of this machine. */
const ELSEWHERE = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.internal === false && one.family === 'IPv4')?.address;

const whereThereIsElsewhere = ((): typeof it.skip => {
  if (ELSEWHERE !== undefined) return it;
  process.stderr.write('skipped: the mailbox from elsewhere (no address but the loopback one)\n');
  return it.skip;
})();

describe('the mailbox', () => {
  let directory: string;
  let service: RunningService;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'uas-mailbox-'));
    await chmod(directory, 0o711);
    service = await startService({
      DATA_DIR: join(directory, 'data'),
      PUBLIC_URL: 'http://localhost:8000',
    });
  });

  afterAll(async () => {
    await service.stop();
    await rm(directory, { recursive: true });
  });

  it('shows the mails that there is no server for, with links that work, newest first', async () => {
    expect(service.output()).toContain(`Mailbox        ${service.url}/api/mailbox`);
    expect(await (await service.fetch('/api/mailbox')).text()).toContain('Nothing yet');
    const fields = { email: 'hana@example.com' };
    await service.fetch('/user/create', registration('hana', fields));
    await shown('이메일 주소 확인');
    await service.fetch('/user/password/forgot', post(fields));
    const page = await shown('비밀번호 재설정');
    expect(page.indexOf('비밀번호 재설정')).toBeLessThan(page.indexOf('이메일 주소 확인'));
    expect(page).toContain('To hana@example.com');
    const [, token] =
      /<a href="http:\/\/localhost:8000\/verify-email#([\w-]{43})" rel/.exec(page) ?? [];
    const verified = await service.fetch('/user/email/verify', post({ token }));
    expect(verified.status).toBe(204);
  });

  it('writes what people have typed as text', async () => {
    const fields = { email: 'bold@example.com' };
    await service.fetch('/user/create', registration('<b>bold</b>', fields));
    const page = await shown('To bold@');
    const [, token] = /verify-email#([\w-]{43})" rel/.exec(page) ?? [];
    expect((await service.fetch('/user/email/verify', post({ token }))).status).toBe(204);
    await service.fetch('/user/password/forgot', post(fields));
    expect(await shown('bold.{0,9}/b')).toContain('&lt;b&gt;bold&lt;/b&gt;');
  });

  it('is there with and without the prefix, and for nobody to keep, frame or run', async () => {
    for (const path of ['/mailbox', '/api/mailbox']) {
      const { status, headers } = await service.fetch(path);
      expect(status).toBe(200);
      expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('content-security-policy')).toBe(
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
      );
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    }
    const openApi = await (await service.fetch('/openapi.json')).text();
    expect(openApi).not.toContain('mailbox');
  });

  it.each<Record<string, string>>([
    { host: 'localhost:8000' },
    { host: 'LOCALHOST' },
    { host: '127.0.0.1:1' },
    { host: '[::1]:8000' },
    { host: 'localhost', 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': 'empty' },
    { host: 'localhost', 'sec-fetch-site': 'none', 'sec-fetch-dest': 'document' },
    { host: 'localhost', 'sec-fetch-site': 'same-site', 'sec-fetch-dest': 'document' },
  ])('opens to %j', async (headers) => {
    expect((await ask(headers)).status).toBe(200);
  });

  it.each<Record<string, string>>([
    { host: 'accounts.example.com' },
    { host: 'localhost.example.com' },
    { host: 'localhost:8000.example.com' },
    { host: '127.0.0.1.nip.io:8000' },
    { host: '192.168.0.7:8000' },
    { host: 'localhost', forwarded: 'for=127.0.0.1' },
    { host: 'localhost', 'x-forwarded-for': '127.0.0.1' },
    { host: 'localhost', 'X-Forwarded-Host': 'localhost' },
    { host: 'localhost', 'x-forwarded-proto': 'http' },
    { host: 'localhost', 'x-real-ip': '127.0.0.1' },
    { host: 'localhost', via: '1.1 proxy' },
    { host: 'localhost', 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'iframe' },
    { host: 'localhost', 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'empty' },
    { host: 'localhost', 'sec-fetch-site': 'same-site', 'sec-fetch-dest': 'empty' },
  ])('is not there for %j', async (headers) => {
    expect(await ask(headers)).toEqual({ status: 404, body: NOT_FOUND });
  });

  whereThereIsElsewhere(
    'is not there for who comes from elsewhere, whatever they say',
    async () => {
      const answer = await ask({ host: 'localhost' }, ELSEWHERE);
      expect(answer).toEqual({ status: 404, body: NOT_FOUND });
    },
  );

  /** The page, as soon as it has that in it. */
  async function shown(pattern: string): Promise<string> {
    let page = '';
    await waitUntil(async () => {
      page = await (await service.fetch('/mailbox')).text();
      return new RegExp(pattern).test(page);
    }, service.output);
    return page;
  }

  /** Asks with these headers, some of which `fetch` does not send. */
  async function ask(
    headers: Record<string, string>,
    hostname = '127.0.0.1',
  ): Promise<{ status: number | undefined; body: string }> {
    const { port } = new URL(service.url);
    const request = get({ hostname, port, path: '/api/mailbox', headers, agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const body = await text(response);
    return { status: response.statusCode, body: response.statusCode === 200 ? '' : body };
  }
});

describe('a service with a database of its own', () => {
  it('has no mailbox, writes no mails, and says so', async () => {
    const database = await createMigratedDatabase();
    const service = await startServiceOn(database);
    const email = 'hana@example.com';
    expect((await service.fetch('/user/create', registration('hana', { email }))).status).toBe(204);
    expect((await service.fetch('/user/password/forgot', post({ email }))).status).toBe(503);
    for (const path of ['/mailbox', '/api/mailbox']) {
      const response = await service.fetch(path);
      expect([response.status, await response.text()]).toEqual([404, NOT_FOUND]);
    }
    expect(service.output()).toContain('No mail is sent: SMTP_URL is empty');
    expect(service.output()).not.toContain('Mailbox');
    expect(await database.query('SELECT FROM mail')).toEqual([]);
    await service.stop();
    await database.drop();
  });
});
