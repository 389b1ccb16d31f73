import { form, registration } from './support/client';
import {
  createDatabase,
  createMigratedDatabase,
  type MigratedDatabase,
  openDataSource,
} from './support/database';
import { FaultProxy } from './support/fault-proxy';
import { OwnPostgres } from './support/own-postgres';
import {
  startService,
  startServiceOn,
  TEST_SECRET_KEY,
  waitUntil,
  waitUntilReady,
} from './support/service';

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

describe('a service whose database is far away', () => {
  let database: MigratedDatabase;
  let network: FaultProxy;
  let environment: Record<string, string>;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    network = await FaultProxy.before(database.socket);
    environment = {
      ...database.environment,
      ...network.environment,
      SECRET_KEY: TEST_SECRET_KEY,
    };
  });

  afterAll(async () => {
    await network.close();
    await database.drop();
  });

  it('is there for nobody before it can serve them', async () => {
    network.delay(50);
    const service = await startService(environment);
    expect((await service.fetch('/health/ready')).status).toBe(200);
    network.delay(0);
    await service.stop();
  });

  it('comes up, and heals, though its database lets it in and says no more', async () => {
    network.fallSilentAt(/SELECT/);
    const service = await startService(environment);
    expect((await service.fetch('/health/live')).status).toBe(200);
    expect((await service.fetch('/health/ready')).status).toBe(503);
    network.fallSilentAt();
    await waitUntilReady(service);
    await service.stop();
  });

  it('comes up when it is not told good-bye', async () => {
    network.fallSilentAt(/^X\0\0\0.$/);
    const service = await startService(environment);
    network.fallSilentAt();
    expect((await service.fetch('/health/ready')).status).toBe(200);
    await service.stop();
  });

  it('comes up before its database, where that takes long', async () => {
    network.delay(400);
    const service = await startService(environment);
    expect(service.output()).not.toContain('Connected to the database');
    await waitUntilReady(service);
    network.delay(0);
    await service.stop();
  });

  it('keeps no connection whose first question is refused', async () => {
    await database.query('REVOKE EXECUTE ON FUNCTION version() FROM PUBLIC');
    const service = await startService(environment);
    const { opened } = network;
    await waitUntil(() => Promise.resolve(network.opened > opened + 6));
    // Of the attempt that is under way: one that asks, and one that says good-bye.
    expect(network.open).toBeLessThanOrEqual(3);
    await database.query('GRANT EXECUTE ON FUNCTION version() TO PUBLIC');
    await waitUntilReady(service);
    await service.stop();
  });

  it('goes on when it is let in, and dismissed in the same breath', async () => {
    const service = await startService(environment);
    network.dismissing = true;
    network.cutAll();
    await waitUntil(async () => (await service.fetch('/health/ready')).status === 503);
    network.dismissing = false;
    await waitUntilReady(service);
    expect(await service.stop()).toBe(0);
  });

  it('told to stop, does not try to reach its database once more', async () => {
    network.fallSilentAt(/SELECT/);
    const service = await startService(environment);
    // Between two attempts.
    await waitUntil(() => Promise.resolve(network.open === 0));
    const { opened } = network;
    expect(await service.stop()).toBe(0);
    expect(network.opened).toBe(opened);
    network.fallSilentAt();
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
  it('comes up, says so, heals when it comes and when it comes back', async () => {
    const postgres = await OwnPostgres.start();
    const { environment } = postgres;
    await postgres.stop();

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
    await postgres.startAgain();
    await waitUntilReady(service);
    expect((await service.fetch('/user/create', registration('hana'))).status).toBe(204);

    await postgres.stop();
    await away();
    await postgres.startAgain();
    await waitUntilReady(service);
    expect((await service.fetch('/user/create', registration('hana'))).status).toBe(409);
    await service.stop();
    await postgres.remove();
  });
});
