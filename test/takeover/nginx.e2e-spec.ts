import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { waitUntil } from '../support/service';

const FRAGMENT = readFileSync('deploy/takeover.conf', 'utf8');
const isInstalled = spawnSync('nginx', ['-v']).status === 0;
if (!isInstalled) {
  process.stdout.write('skipped: deploy/takeover.conf (nginx is not installed)\n');
}

/** Something that answers with its own name, and remembers what it was asked. */
class Backend {
  readonly asked: string[] = [];
  private readonly server: http.Server;

  constructor(private readonly name: string) {
    this.server = http.createServer((request, response) => {
      const client = request.headers['x-forwarded-for'];
      this.asked.push(`${request.method ?? ''} ${request.url ?? ''} ${String(client)}`);
      request.resume().on('end', () => {
        response.setHeader('X-Seen', String(request.headers['x-forwarded-for']));
        response.end(this.name);
      });
    });
  }

  async listen(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

(isInstalled ? describe : describe.skip)('deploy/takeover.conf', () => {
  const directory = mkdtempSync(join(tmpdir(), 'uas-nginx-'));
  const configuration = join(directory, 'nginx.conf');
  const socket = join(directory, 'socket');
  const fastapi = new Backend('fastapi');
  const accounts = new Backend('accounts');
  const addresses: Record<string, string> = {};
  /** A connection for each request: a reload closes those that are idle. */
  const agent = new http.Agent({ keepAlive: false, maxSockets: 50 });
  let nginx: ReturnType<typeof spawn>;

  /** As the file is, but for where everything is, and what an operator changes. */
  function write(change: (fragment: string) => string): void {
    const changed = change(FRAGMENT);
    const fragment = changed
      .replace('server fastapi:8000', `server ${addresses['fastapi'] ?? ''}`)
      .replace('server accounts:8000', `server ${addresses['accounts'] ?? ''}`)
      // Of a socket, every client has the same address: the test says which it is.
      .replace(
        'listen 80;',
        `listen unix:${socket}; set_real_ip_from unix:; real_ip_header X-Client;`,
      )
      .replaceAll('/var/log/nginx', directory);
    writeFileSync(
      configuration,
      `daemon off; worker_processes 1; pid ${directory}/pid; error_log ${directory}/error.log;
       events {}
       http {
         client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy;
         fastcgi_temp_path ${directory}/f; uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
         ${fragment}
       }`,
    );
  }

  /** Changes the file as an operator would, and waits until it is in force. */
  async function reload(change: (fragment: string) => string): Promise<void> {
    const before = workers();
    write(change);
    execFileSync('nginx', ['-q', '-c', configuration, '-s', 'reload'], { stdio: 'ignore' });
    await waitUntil(() => {
      const now = workers();
      return Promise.resolve(now.length === 1 && !before.includes(now[0] ?? ''));
    });
  }

  function workers(): string[] {
    const { stdout } = spawnSync('pgrep', ['-P', String(nginx.pid)]);
    return String(stdout).split('\n').filter(Boolean);
  }

  function ask(
    path: string,
    client = '10.0.0.1',
    method = 'GET',
  ): Promise<{ by: string; seen: string | undefined }> {
    return new Promise((resolve, reject) => {
      const request = http.request(
        {
          agent,
          socketPath: socket,
          path,
          method,
          headers: { 'X-Client': client, 'X-Forwarded-For': '6.6.6.6' },
        },
        (response) => {
          text(response).then((by) => {
            resolve({ by, seen: response.headers['x-seen']?.toString() });
          }, reject);
        },
      );
      request.on('error', reject);
      request.end(method === 'POST' ? 'a=b' : undefined);
    });
  }

  /** Which of a thousand clients the service has. */
  async function clientsOfAccounts(): Promise<string[]> {
    const clients = Array.from(
      { length: 1000 },
      (_, i) => `10.0.${String(i >> 8)}.${String(i & 255)}`,
    );
    const answers = await Promise.all(clients.map((client) => ask('/api/x', client, 'POST')));
    return clients.filter((_, i) => answers[i]?.by === 'accounts');
  }

  function share(percent: string): (fragment: string) => string {
    return (fragment) =>
      fragment.replace('    5% accounts;\n', percent === '' ? '' : `    ${percent} accounts;\n`);
  }

  beforeAll(async () => {
    addresses['fastapi'] = await fastapi.listen();
    addresses['accounts'] = await accounts.listen();
    write((fragment) => fragment);
    nginx = spawn('nginx', ['-q', '-c', configuration], { stdio: 'ignore' });
    await waitUntil(() =>
      ask('/api/up').then(
        () => true,
        () => false,
      ),
    );
  });

  afterAll(async () => {
    const ended = once(nginx, 'exit');
    nginx.kill('SIGTERM');
    await ended;
    fastapi.close();
    accounts.close();
    rmSync(directory, { recursive: true });
  });

  it('gives the service the share of clients that it says, and keeps them while it grows', async () => {
    await reload(share('5%'));
    const few = await clientsOfAccounts();
    expect(few.length).toBeGreaterThan(20);
    expect(few.length).toBeLessThan(90);
    await reload(share('50%'));
    const half = await clientsOfAccounts();
    expect(half.length).toBeGreaterThan(420);
    expect(half.length).toBeLessThan(580);
    expect(half).toEqual(expect.arrayContaining(few));
  });

  it('gives it everyone, and nobody', async () => {
    await reload((fragment) =>
      fragment.replace('5% accounts;', '').replace('*  fastapi;', '* accounts;'),
    );
    expect(await clientsOfAccounts()).toHaveLength(1000);
    await reload(share(''));
    expect(await clientsOfAccounts()).toHaveLength(0);
  });

  it('gives it single paths', async () => {
    await reload((fragment) => share('')(fragment).replace('# /api/user/me', '/api/user/me'));
    expect((await ask('/api/user/me')).by).toBe('accounts');
    expect((await ask('/api/user/me2')).by).toBe('fastapi');
    expect((await ask('/api/user/login', '10.0.0.1', 'POST')).by).toBe('fastapi');
  });

  it('asks the other one what is only read, and writes both answers down', async () => {
    await reload(share(''));
    accounts.asked.length = 0;
    expect((await ask('/api/mirrored?x=1')).by).toBe('fastapi');
    await ask('/api/user/create', '10.0.0.1', 'POST');
    await waitUntil(() => Promise.resolve(accounts.asked.length > 0));
    expect(accounts.asked).toEqual(['GET /api/mirrored?x=1 10.0.0.1']);
    const lines = (): string[][] =>
      readFileSync(join(directory, 'takeover.log'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split(' '));
    const [id = ''] = lines().find(([, , uri]) => uri === '/api/mirrored') ?? [];
    await waitUntil(() => Promise.resolve(lines().filter(([one]) => one === id).length === 2));
    expect(
      lines()
        .filter(([one]) => one === id)
        .map(([, ...rest]) => rest)
        .sort(),
    ).toEqual([
      ['GET', '/api/mirrored', 'accounts', '200'],
      ['GET', '/api/mirrored', 'fastapi', '200'],
    ]);
  });

  it('believes nothing that a client says about its address', async () => {
    expect((await ask('/api/x', '10.9.9.9')).seen).toBe('10.9.9.9');
  });
});
