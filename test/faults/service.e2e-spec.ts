import { once } from 'node:events';
import { Agent, get, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { send } from '../compose/http';
import { ask } from '../support/answers';
import { logIn, PASSWORD, registration } from '../support/client';
import { createMigratedDatabase, type TestDatabase } from '../support/database';
import {
  type RunningService,
  startService,
  startServiceOn,
  TEST_SECRET_KEY,
  waitUntil,
} from '../support/service';

/** Of `PASSWORD`, at such a cost that a login takes seconds. */
const DEAR_HASH = '$2b$14$00.QbB8F.4AMxzHrH0h1XeONAtq2dyaLCj.xGAmwIUeQu6lY3Q9xO';

describe('a service', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    await database.query(
      `INSERT INTO "user" (username, email, password) VALUES ('hana', 'hana@example.com', $1)`,
      [DEAR_HASH],
    );
  });

  afterAll(() => database.drop());

  /** A login that is being hashed, for longer than anything else here takes. */
  async function loginOnItsWay(
    service: RunningService,
    agent: Agent,
  ): Promise<() => Promise<IncomingMessage>> {
    const login = request(`${service.url}/user/login`, {
      method: 'POST',
      agent,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    const answer = once(login, 'response').then(([response]) => {
      const message = response as IncomingMessage;
      message.resume();
      return message;
    });
    login.end(new URLSearchParams({ username: 'hana', password: PASSWORD }).toString());
    // It has arrived when one that was sent after it has been answered, and is looked up by then.
    await once(login, 'finish');
    await send(`${service.url}/user/me`);
    return () => answer;
  }

  it('that is told to stop is not ready, answers what is under way as the last, and ends', async () => {
    const service = await startService({
      ...database.environment,
      SECRET_KEY: TEST_SECRET_KEY,
      DRAIN_SECONDS: '60',
    });
    const agent = new Agent({ keepAlive: true });
    // The one connection that is open already, and not in use: no other is taken then.
    const ready = async (): Promise<IncomingMessage> => {
      const asking = get(`${service.url}/health/ready`, { agent: probe });
      const [answer] = (await once(asking, 'response')) as [IncomingMessage];
      answer.resume();
      await once(answer, 'end');
      return answer;
    };
    const probe = new Agent({ keepAlive: true });
    await waitUntil(async () => (await ready()).statusCode === 200);
    const login = await loginOnItsWay(service, agent);
    const stopped = service.stop();
    await waitUntil(() =>
      send(`${service.url}/health/live`).then(
        () => false,
        () => true,
      ),
    );
    const { statusCode, headers } = await ready();
    expect([statusCode, headers.connection, headers['retry-after']]).toEqual([503, 'close', '1']);
    const answer = await login();
    expect([answer.statusCode, answer.headers.connection]).toEqual([200, 'close']);
    expect(await stopped).toBe(0);
    agent.destroy();
    probe.destroy();
  });

  it('goes on when one request meets what nobody expected', async () => {
    const service = await startServiceOn(database);
    await database.query(
      `ALTER TABLE "user" ADD CONSTRAINT odd CHECK (1 / (username <> 'odd one out')::int = 1)`,
    );
    const names = ['even 1', 'odd one out', 'even 2'];
    const answers = await Promise.all(
      names.map((name) => ask(service, '/user/create', registration(name))),
    );
    expect(answers.map(({ status }) => status)).toEqual([204, 500, 204]);
    expect(await logIn(service, 'even 1', PASSWORD)).toEqual(expect.any(String));
    expect(await service.stop()).toBe(0);
  });

  it('in which a promise is broken that nobody waits for says so, and ends in order', async () => {
    const service = await startServiceOn(database, {
      NODE_ENV: 'production',
      DRAIN_SECONDS: '5',
      NODE_OPTIONS: `--import ${join(__dirname, '../fixtures/break-on-signal.mjs')}`,
    });
    const agent = new Agent({ keepAlive: true });
    const login = await loginOnItsWay(service, agent);
    const ended = service.stop('SIGUSR2');
    expect((await login()).statusCode).toBe(200);
    expect(await ended).toBe(1);
    const fatal = service
      .output()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ level }) => level === 60);
    expect(fatal).toEqual([
      expect.objectContaining({
        origin: 'unhandledRejection',
        error: 'Error',
        message: 'nobody waits for this',
        stack: expect.arrayContaining([expect.stringContaining('break-on-signal')]) as string[],
      }),
    ]);
    agent.destroy();
  });
});
