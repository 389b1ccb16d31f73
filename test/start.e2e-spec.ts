import { mkdtempSync } from 'node:fs';
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { Agent, createServer, get, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { bearer, logIn, PASSWORD, registration, signUp } from './support/client';
import {
  spawnService,
  startService,
  TEST_SECRET_KEY,
  waitUntil,
  waitUntilReady,
} from './support/service';

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

  it.each(['d'.repeat(120), "Doe, Jane's data", '데이터'])(
    'takes a data directory by the name of %s',
    async (name) => {
      const service = await startService({ DATA_DIR: join(directory, name) });
      expect((await service.fetch('/health/ready')).status).toBe(200);
      expect(await service.stop()).toBe(0);
    },
  );

  it.each([
    ['/dev/null/data', /^DATA_DIR \/dev\/null\/data cannot be made \(ENOTDIR\): choose another\n$/],
    ['/tmp/$HOME', /^DATA_DIR \/tmp\/\$HOME has a character in it that initdb cannot take/],
  ])('does not take %s for one, and says why', async (name, message) => {
    const { ended, output } = spawnService({ DATA_DIR: name, SECRET_KEY: TEST_SECRET_KEY });
    expect(await ended).toBe(1);
    expect(output()).toMatch(message);
  });

  it('lets its server write down nothing that a person typed', async () => {
    const data = join(directory, 'data');
    const service = await startService({ DATA_DIR: data });
    const twice = registration('canary of a name');
    expect((await service.fetch('/user/create', twice)).status).toBe(204);
    expect((await service.fetch('/user/create', twice)).status).toBe(409);
    expect(await service.stop()).toBe(0);
    expect(await readFile(join(data, 'postgresql.log'), 'utf8')).not.toContain('canary');
  });

  it('ends though connections are open on which nothing happens', async () => {
    const service = await startService({ DATA_DIR: join(directory, 'data') });
    const { port } = new URL(service.url);
    const sockets = [connect(Number(port), '127.0.0.1'), connect(Number(port), '127.0.0.1')];
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    // Closed by the service in the end, on which one of them is in the middle of a request.
    for (const socket of sockets) socket.on('error', () => undefined);
    sockets[1]?.write('GET /health/live HTTP/1.1\r\nHost: x\r\n');
    expect(await service.stop()).toBe(0);
    for (const socket of sockets) socket.destroy();
  });

  it('told to stop, answers for DRAIN_SECONDS on connections that are open, and takes no others', async () => {
    const service = await startService({ DATA_DIR: join(directory, 'data'), DRAIN_SECONDS: '60' });
    const agent = new Agent({ keepAlive: true });
    const ask = async (options = {}): Promise<IncomingMessage> => {
      const request = get(`${service.url}/health/live`, { agent, ...options });
      const [answer] = (await once(request, 'response')) as [IncomingMessage];
      await once(answer.resume(), 'end');
      return answer;
    };
    const [first, second] = await Promise.all([ask(), ask()]);
    expect([first, second].map(({ headers }) => headers.connection)).toEqual([
      'keep-alive',
      'keep-alive',
    ]);
    const stopped = service.stop();
    await waitUntil(() =>
      ask({ agent: false }).then(
        () => false,
        () => true,
      ),
    );
    for (const { statusCode, headers } of [await ask(), await ask()]) {
      expect([statusCode, headers.connection]).toEqual([200, 'close']);
    }
    // Long before the 60 seconds: when the last connection is closed.
    expect(await stopped).toBe(0);
    agent.destroy();
  });

  it('leaves no server behind when it is told to stop while it starts', async () => {
    const data = join(directory, 'data');
    const { child, ended, line } = spawnService({ DATA_DIR: data });
    await line(/migrations/);
    child.kill('SIGTERM');
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(await running(data)).toBe(false);
  });

  it('goes on when its server is killed, and still stops the one that follows', async () => {
    const data = join(directory, 'data');
    const service = await startService({ DATA_DIR: data });
    const token = await signUp(service, 'hana');
    process.kill(await serverPid(data), 'SIGKILL');
    // Noticed by its connection, not by waiting: until then the service may still find it alive.
    await waitUntil(async () => (await service.fetch('/health/ready')).status === 503);
    await waitUntilReady(service);
    expect((await service.fetch('/user/me', bearer(token))).status).toBe(200);
    expect(await service.stop()).toBe(0);
    expect(await running(data)).toBe(false);
  });

  it('does not mind PGSSLMODE or a strict umask, and gives the server no secrets', async () => {
    const data = join(directory, 'data');
    const mask = process.umask(0o077);
    const starting = startService({
      DATA_DIR: data,
      PGSSLMODE: 'require',
      SECRET_KEY: TEST_SECRET_KEY,
    });
    process.umask(mask);
    const service = await starting;
    expect((await service.fetch('/health/ready')).status).toBe(200);
    if (process.platform === 'linux') {
      const environment = await readFile(`/proc/${String(await serverPid(data))}/environ`, 'utf8');
      expect(environment).not.toContain(TEST_SECRET_KEY);
    }
    expect(await service.stop()).toBe(0);
  });

  async function serverPid(data: string): Promise<number> {
    const file = join(data, 'postgres/cluster/data/postmaster.pid');
    return Number.parseInt(await readFile(file, 'utf8'), 10);
  }

  /** Whether a PostgreSQL server has this data directory open. */
  async function running(data: string): Promise<boolean> {
    try {
      return process.kill(await serverPid(data), 0);
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
    [
      'a file of a secret that is not there',
      { ...database, SECRET_KEY_FILE: '/nowhere/key' },
      ['SECRET_KEY_FILE cannot be read (ENOENT)'],
    ],
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

  it('takes its key from a file, but not from two places', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'uas-files-'));
    const environment = { ...database, SECRET_KEY_FILE: join(directory, 'key') };
    await writeFile(environment.SECRET_KEY_FILE, `${TEST_SECRET_KEY}\n`, { mode: 0o400 });
    const service = await startService(environment);
    expect((await service.fetch('/health/live')).status).toBe(200);
    expect(await service.stop()).toBe(0);
    const both = spawnService({ ...environment, SECRET_KEY: TEST_SECRET_KEY });
    expect(await both.ended).toBe(1);
    expect(both.output()).toContain('SECRET_KEY_FILE is set and SECRET_KEY too');
    await rm(directory, { recursive: true });
  });

  it('names a scheme of hashes that nothing can make here', async () => {
    // As on a platform that there is no binary for.
    const { ended, output } = spawnService({
      ...database,
      SECRET_KEY: TEST_SECRET_KEY,
      PASSWORD_SCHEME: 'argon2id',
      NODE_OPTIONS: `--import ${join(__dirname, 'fixtures/without-argon2.mjs')}`,
    });
    expect(await ended).toBe(1);
    expect(output()).toContain('PASSWORD_SCHEME=argon2id needs @node-rs/argon2');
  });

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
