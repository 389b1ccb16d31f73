import { form, PASSWORD, registration } from './support/client';
import { createMigratedDatabase, type TestDatabase } from './support/database';
import { type RunningService, startServiceOn, waitUntil } from './support/service';

describe('more logins than can be hashed', () => {
  let database: TestDatabase;
  let service: RunningService;
  /** Which lets many wait, however slow the machine is. */
  let patient: RunningService;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    const settings = { NODE_ENV: 'production', BCRYPT_COST: '12', HASH_CONCURRENCY: '1' };
    [service, patient] = await Promise.all([
      startServiceOn(database, { ...settings, HASH_QUEUE_SECONDS: '1' }),
      startServiceOn(database, { ...settings, HASH_QUEUE_SECONDS: '60' }),
    ]);
    await service.fetch('/user/create', registration('hana'));
  });

  afterAll(async () => {
    await Promise.all([service.stop(), patient.stop()]);
    await database.drop();
  });

  const login = form({ username: 'hana', password: PASSWORD });

  it('are refused early, with a time to come back; what was taken is done', async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, async () => {
        const response = await service.fetch('/user/login', login);
        return {
          status: response.status,
          retryAfter: response.headers.get('retry-after'),
          body: (await response.json()) as { detail?: string },
        };
      }),
    );
    const refused = answers.filter(({ status }) => status === 503);
    const done = answers.filter(({ status }) => status === 200);
    expect(refused.length + done.length).toBe(60);
    expect(refused.length).toBeGreaterThan(20);
    expect(done.length).toBeGreaterThan(1);
    for (const { retryAfter, body } of refused) {
      expect(Number(retryAfter)).toBeGreaterThanOrEqual(1);
      expect(body).toEqual({ detail: '지금은 요청이 너무 많습니다. 잠시 후 다시 시도하세요.' });
    }
    expect((await service.fetch('/user/login', login)).status).toBe(200);
  });

  it('are not hashed for clients that have gone, and registrations neither', async () => {
    const client = new AbortController();
    // Connections that are open already: a request that is sent on one has arrived.
    const live = async (): Promise<string> => (await patient.fetch('/health/live')).text();
    await Promise.all(Array.from({ length: 8 }, live));
    // A registration needs nothing before its hash: once it has arrived, the only thread is taken.
    const first = patient.fetch('/user/create', registration('first'));
    await patient.fetch('/health/live');
    const gone = ['/user/login', '/user/login', '/user/create'].map((path, i) =>
      patient.fetch(path, {
        ...(path === '/user/login' ? login : registration(`gone ${String(i)}`)),
        signal: client.signal,
        headers: {
          ...(path === '/user/create' && { 'content-type': 'application/json' }),
          'x-request-id': `gone-${String(i)}`,
        },
      }),
    );
    // They have arrived once a request that was sent after them has its answer.
    await patient.fetch('/health/live');
    client.abort();
    await Promise.all(gone.map((response) => expect(response).rejects.toThrow('aborted')));
    expect((await first).status).toBe(204);
    const lines = (): { status?: number }[] =>
      patient
        .output()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { request?: string; msg: string; status?: number })
        .filter(({ request, msg }) => msg === 'request' && request?.startsWith('gone-'));
    await waitUntil(() => Promise.resolve(lines().length === 3), patient.output);
    expect(lines().map(({ status }) => status)).toEqual([499, 499, 499]);
    // In turn: what was to be hashed before this login has been.
    expect((await patient.fetch('/user/login', login)).status).toBe(200);
    expect(await database.query(`SELECT FROM "user" WHERE username LIKE 'gone%'`)).toHaveLength(0);
  });
});
