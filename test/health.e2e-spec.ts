import { mkdtempSync } from 'node:fs';
import { chmod, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres } from '../src/database/embedded-postgres';
import { form, registration } from './support/client';
import { createDatabase, createMigratedDatabase, openDataSource } from './support/database';
import { startService, startServiceOn, TEST_SECRET_KEY, waitUntilReady } from './support/service';

describe('a service without a current schema', () => {
  it('is live, not ready, and ready as soon as somebody migrates', async () => {
    const database = await createDatabase();
    const service = await startService({ ...database.environment, SECRET_KEY: TEST_SECRET_KEY });
    expect((await service.fetch('/health/live')).status).toBe(200);
    const ready = await service.fetch('/health/ready');
    expect([ready.status, ready.headers.get('retry-after')]).toEqual([503, '1']);
    expect((await service.fetch('/user/create', registration('hana'))).status).toBe(503);

    const dataSource = await openDataSource(database);
    await dataSource.runMigrations();
    await dataSource.destroy();
    await waitUntilReady(service);
    expect((await service.fetch('/user/create', registration('hana'))).status).toBe(204);
    await service.stop();
    await database.drop();
  });
});

describe('a service that its database does not let in any more', () => {
  it('says that it is unavailable', async () => {
    const database = await createMigratedDatabase();
    const service = await startServiceOn(database);
    await database.drop();
    for (const init of [
      form({ username: 'hana', password: 'x' }),
      form({ username: 'b', password: 'x' }),
    ]) {
      const response = await service.fetch('/user/login', init);
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    }
    expect((await service.fetch('/health/ready')).status).toBe(503);
    await service.stop();
  });
});

describe('a service whose database is away', () => {
  let directory: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'uas-away-'));
    await chmod(directory, 0o711);
  });

  afterAll(() => rm(directory, { recursive: true }));

  it('comes up, says so, heals when it comes and when it comes back', async () => {
    const start = (): Promise<EmbeddedPostgres> =>
      EmbeddedPostgres.start(directory, { durable: false });
    let postgres = await start();
    const { host, user, password, database } = postgres;
    const environment = {
      INSTANCE_HOST: host,
      DB_USER: user,
      DB_PASS: password,
      DB_NAME: database,
    };
    const dataSource = await openDataSource({ environment });
    await dataSource.runMigrations();
    await dataSource.destroy();
    await postgres.release();

    const service = await startService({ ...environment, SECRET_KEY: TEST_SECRET_KEY });
    const away = async (): Promise<void> => {
      expect((await service.fetch('/health/live')).status).toBe(200);
      for (const [path, init] of [
        ['/health/ready', {}],
        ['/user/login', form({ username: 'hana', password: 'x' })],
        ['/user/create', registration('hana')],
      ] as [string, RequestInit][]) {
        const response = await service.fetch(path, init);
        expect([path, response.status, response.headers.get('retry-after')]).toEqual([
          path,
          503,
          '1',
        ]);
        expect(await response.json()).toEqual({
          detail: '지금은 서비스를 이용할 수 없습니다. 잠시 후 다시 시도하세요.',
        });
      }
    };
    await away();
    postgres = await start();
    await waitUntilReady(service);
    expect((await service.fetch('/user/create', registration('hana'))).status).toBe(204);

    await postgres.release();
    await away();
    postgres = await start();
    await waitUntilReady(service);
    expect((await service.fetch('/user/create', registration('hana'))).status).toBe(409);

    // Frozen, the database answers nobody: the check does not wait for it.
    const pid = Number.parseInt(
      await readFile(join(directory, 'postgres/cluster/data/postmaster.pid'), 'utf8'),
      10,
    );
    for (const backend of await backendsOf(pid)) process.kill(backend, 'SIGSTOP');
    const started = performance.now();
    expect((await service.fetch('/health/ready')).status).toBe(503);
    // Far more than the bound of a second, far less than for ever.
    expect(performance.now() - started).toBeLessThan(3000);
    // Nor does anybody else, for ever.
    expect(
      (await service.fetch('/user/login', form({ username: 'hana', password: 'x' }))).status,
    ).toBe(503);
    for (const backend of await backendsOf(pid)) process.kill(backend, 'SIGCONT');
    await waitUntilReady(service);
    await service.stop();
    await postgres.release();
  });
});

/** The server and its children. */
async function backendsOf(pid: number): Promise<number[]> {
  const { execFileSync } = await import('node:child_process');
  const table = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' });
  const children = table
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child ?? 0);
  return [pid, ...children];
}
