import { mkdtempSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { bearer, logIn, PASSWORD, registration, signUp } from './support/client';
import { spawnService, startService } from './support/service';

describe('a start with the embedded database', () => {
  let directory: string;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'uas-start-'));
    await chmod(directory, 0o711);
  });

  afterEach(() => rm(directory, { recursive: true }));

  it('says where everything is, and keeps accounts and tokens over a restart and a kill', async () => {
    const data = join(directory, 'data');
    const environment = { DATA_DIR: data };
    let service = await startService(environment);
    expect(service.output()).toContain(`API            ${service.url}/api`);
    expect(service.output()).toContain(`Documentation  ${service.url}/api/docs`);
    expect(service.output()).toContain(`Data           ${data}`);
    expect((await service.fetch('/health/ready')).status).toBe(200);
    expect((await stat(join(data, 'secret-key'))).mode & 0o777).toBe(0o600);
    const token = await signUp(service, 'hana');
    expect(await service.stop('SIGTERM')).toBe(0);
    expect(await running(data)).toBe(false);

    service = await startService(environment);
    expect((await service.fetch('/user/me', bearer(token))).status).toBe(200);
    expect((await service.fetch('/user/create', registration('minsu'))).status).toBe(204);
    expect(await service.stop('SIGKILL')).toBe('SIGKILL');
    expect(await running(data)).toBe(true);

    service = await startService(environment);
    expect((await service.fetch('/user/me', bearer(token))).status).toBe(200);
    expect(await logIn(service, 'minsu', PASSWORD)).toEqual(expect.any(String));
    expect(await service.stop('SIGINT')).toBe(0);
    expect(await running(data)).toBe(false);
  });

  it('lets two processes that start at once share one server, which the last one stops', async () => {
    const environment = { DATA_DIR: join(directory, 'data') };
    const [first, second] = await Promise.all([
      startService(environment),
      startService(environment),
    ]);
    const token = await signUp(first, 'hana');
    expect((await second.fetch('/user/me', bearer(token))).status).toBe(200);
    expect(await first.stop()).toBe(0);
    expect((await second.fetch('/user/me', bearer(token))).status).toBe(200);
    expect(await second.stop()).toBe(0);
    expect(await running(environment.DATA_DIR)).toBe(false);
  });

  it('takes a data directory with a long name', async () => {
    const long = join(directory, 'd'.repeat(120));
    await mkdir(long);
    const service = await startService({ DATA_DIR: long });
    expect((await service.fetch('/health/ready')).status).toBe(200);
    expect(await service.stop()).toBe(0);
  });

  /** Whether a PostgreSQL server has this data directory open. */
  async function running(data: string): Promise<boolean> {
    const file = join(data, 'postgres/cluster/data/postmaster.pid');
    const text = await readFile(file, 'utf8').catch(() => '');
    if (text === '') return false;
    try {
      return process.kill(Number.parseInt(text, 10), 0);
    } catch {
      return false;
    }
  }
});

describe('a start with wrong settings', () => {
  const database = { INSTANCE_HOST: '/nowhere', DB_USER: 'u', DB_NAME: 'd' };

  it.each([
    [
      'a bad value',
      { PORT: 'eighty', BCRYPT_COST: '3' },
      ['PORT must be a whole number', 'BCRYPT_COST must be a whole number'],
    ],
    ['no server in production', { NODE_ENV: 'production' }, ['INSTANCE_HOST must name']],
    ['a short key', { ...database, SECRET_KEY: 'hunter2' }, ['SECRET_KEY must have']],
  ])(
    'does not happen, and says why: %s',
    async (_name, environment: Record<string, string>, problems) => {
      const { ended, output } = spawnService(environment, tmpdir());
      expect(await ended).toBe(1);
      const [first, ...lines] = output().trim().split('\n');
      expect(first).toBe('Cannot start, because of the settings:');
      expect(lines).toEqual(problems.map((text) => expect.stringContaining(text) as string));
      expect(output()).not.toMatch(/hunter2|eighty/);
    },
  );

  it('names a port that is in use, and leaves no database running', async () => {
    const other = createServer();
    other.listen(0);
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const directory = mkdtempSync(join(tmpdir(), 'uas-port-'));
    await chmod(directory, 0o711);
    const { ended, output } = spawnService({ PORT: String(port), DATA_DIR: directory });
    expect(await ended).toBe(1);
    expect(output()).toContain(`PORT ${String(port)} is in use`);
    await expect(stat(join(directory, 'postgres/cluster/data/postmaster.pid'))).rejects.toThrow(
      'ENOENT',
    );
    other.close();
    await rm(directory, { recursive: true });
  });

  it('takes a weak key over knowingly, with a warning', async () => {
    const service = await startService({
      ...database,
      SECRET_KEY: 'short',
      ALLOW_WEAK_SECRET_KEY: 'true',
    });
    expect(service.output()).toMatch(/WARN.*SECRET_KEY must have at least 32 bytes/);
    expect((await service.fetch('/health/live')).status).toBe(200);
    expect(await service.stop()).toBe(0);
  });
});
