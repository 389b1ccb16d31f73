import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RequestOptions, send } from '../compose/http';
import { PASSWORD, signUp } from '../support/client';
import { createMigratedDatabase, type TestDatabase } from '../support/database';
import { freePort } from '../support/free-port';
import { type RunningService, startServiceOn, waitUntil } from '../support/service';

const REQUESTS = 10_000;
const CLIENTS = 12;

const whereThereIsNginx = ((): typeof it.skip => {
  try {
    execFileSync('nginx', ['-v'], { stdio: 'pipe' });
    return it;
  } catch (error) {
    process.stderr.write(`skipped: a rolling restart (it needs nginx: ${String(error)})\n`);
    return it.skip;
  }
})();

describe('two processes behind nginx', () => {
  let directory: string;
  let database: TestDatabase;
  let nginx: ChildProcess | undefined;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'uas-nginx-'));
    // Started by root, its workers run as another user, who has to pass.
    await chmod(directory, 0o711);
    database = await createMigratedDatabase();
  });

  afterAll(async () => {
    if (nginx !== undefined) {
      nginx.kill('SIGTERM');
      await once(nginx, 'close');
    }
    await database.drop();
    await rm(directory, { recursive: true });
  });

  /** Starts it with the configuration of the project, on other addresses. @returns where it is */
  async function startNginx(services: readonly RunningService[]): Promise<string> {
    const port = await freePort();
    const backends = services.map(({ url }) => `127.0.0.1:${new URL(url).port}`);
    const configuration = readFileSync('nginx.conf', 'utf8')
      .replace(/^( *server )backend:8000( .*)$/m, (_all, server: string, rest: string) =>
        backends.map((address) => server + address + rest).join('\n'),
      )
      .replace('listen 80;', `listen 127.0.0.1:${String(port)};`)
      .replace('listen 127.0.0.1:8080;', `listen unix:${directory}/health;`)
      .replaceAll(' /tmp/', ` ${directory}/`)
      .replace('/dev/stdout', `${directory}/access.log`)
      .replace('/dev/stderr', `${directory}/error.log`);
    await writeFile(join(directory, 'nginx.conf'), configuration);
    nginx = spawn('nginx', ['-c', join(directory, 'nginx.conf'), '-g', 'daemon off;'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let output = '';
    nginx.stderr?.on('data', (data: Buffer) => (output += data.toString()));
    const site = `http://127.0.0.1:${String(port)}`;
    await waitUntil(
      () =>
        send(`${site}/api/health/live`).then(
          ({ status }) => status === 200,
          () => false,
        ),
      () => output,
    );
    return site;
  }

  whereThereIsNginx(
    'are restarted one after the other, and no client notices',
    async () => {
      const start = (port = '0'): Promise<RunningService> =>
        // As docker-compose.yml has it: longer than nginx keeps an idle connection.
        startServiceOn(database, {
          NODE_ENV: 'production',
          DRAIN_SECONDS: '3',
          TRUST_PROXY: '1',
          PORT: port,
        });
      const services = [await start(), await start()];
      const [first] = services;
      if (first === undefined) throw new Error('There are two');
      const token = await signUp(first, 'hana');
      // Whose many logins end the earliest of them.
      await signUp(first, 'minsu');
      const site = await startNginx(services);

      const authorization = `Bearer ${token}`;
      type Kind = readonly [path: string, status: number, options: RequestOptions];
      const me: Kind = ['/api/user/me', 200, { headers: { authorization } }];
      const login: Kind = [
        '/api/user/login',
        200,
        { body: { username: 'minsu', password: PASSWORD } },
      ];
      // A POST that costs little, and that nginx must not repeat either.
      const incomplete: Kind = ['/api/user/login', 422, { body: { username: 'hana' } }];
      const unexpected: string[] = [];
      let done = 0;
      let restarted = false;
      const clients = Array.from({ length: CLIENTS }, async (_none, client) => {
        const [path, expected, options] = client === 0 ? login : client % 2 === 0 ? incomplete : me;
        // Half of them keep their connection to nginx.
        const agent = new Agent({ keepAlive: client % 4 < 2, maxSockets: 1 });
        while (!restarted || done < REQUESTS) {
          const outcome = await send(site + path, { ...options, agent }).then(
            ({ status }) => (status === expected ? undefined : String(status)),
            (error: unknown) => String(error),
          );
          done += 1;
          if (outcome !== undefined) unexpected.push(`${path} ${outcome}`);
        }
        agent.destroy();
      });

      for (const [i, service] of services.entries()) {
        const { port } = new URL(service.url);
        expect(await service.stop()).toBe(0);
        const next = await start(port);
        services[i] = next;
        // The other may only go when nginx has found this one again.
        await waitUntil(() => Promise.resolve(next.output().includes('"route":"/user/me"')));
      }
      restarted = true;
      await Promise.all(clients);
      expect(unexpected).toEqual([]);
      expect(done).toBeGreaterThanOrEqual(REQUESTS);
      await Promise.all(services.map((service) => service.stop()));
    },
    120_000,
  );
});
