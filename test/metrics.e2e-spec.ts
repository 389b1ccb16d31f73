import { Agent, get, type IncomingMessage, request as send } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { NestExpressApplication } from '@nestjs/platform-express';
import pino from 'pino';
import { DataSource } from 'typeorm';
import { createApp } from '../src/app.setup';
import { parseSettings } from '../src/config/settings';
import { DatabaseService } from '../src/database/database.service';
import { bearer, form, logInWith, PASSWORD, registration, signUp } from './support/client';
import { createMigratedDatabase, type TestDatabase } from './support/database';
import { samplesOf, valueOf } from './support/exposition';
import { freePort } from './support/free-port';
import { OwnPostgres } from './support/own-postgres';
import {
  type RunningService,
  spawnService,
  startServiceOn,
  TEST_SECRET_KEY,
  waitUntil,
  waitUntilReady,
} from './support/service';

const METRICS_TOKEN = 'only-for-those-who-watch';

/** What is exposed now on the port of the API. */
async function scrape(service: Pick<RunningService, 'fetch'>): Promise<string> {
  const response = await service.fetch('/metrics', bearer(METRICS_TOKEN));
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
  return response.text();
}

describe('/metrics', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createMigratedDatabase();
  });

  afterAll(() => database.drop());

  it('is nowhere unless somebody has asked for it', async () => {
    const service = await startServiceOn(database);
    for (const path of ['/metrics', '/api/metrics']) {
      const response = await service.fetch(path);
      expect([response.status, await response.json()]).toEqual([404, { detail: 'Not Found' }]);
    }
    expect(service.output()).not.toContain('Metrics');
    await service.stop();
  });

  it('is on the port of the API for whoever has the token, and for nobody else', async () => {
    const service = await startServiceOn(database, { METRICS_TOKEN });
    for (const authorization of [
      undefined,
      '',
      'Bearer',
      METRICS_TOKEN,
      `Basic ${METRICS_TOKEN}`,
      `Bearer ${METRICS_TOKEN.slice(0, -1)}`,
      `Bearer ${METRICS_TOKEN}x`,
      `Bearer ${METRICS_TOKEN.toUpperCase()}`,
    ]) {
      const response = await service.fetch('/metrics', {
        headers: authorization === undefined ? {} : { authorization },
      });
      expect([authorization, response.status, response.headers.get('www-authenticate')]).toEqual([
        authorization,
        401,
        'Bearer',
      ]);
      expect(await response.json()).toEqual({ detail: 'Not authenticated' });
    }
    const korean = await service.fetch('/metrics', { headers: { 'accept-language': 'ko' } });
    expect(await korean.json()).toEqual({ detail: '로그인이 필요합니다.' });
    expect(await scrape(service)).toContain('\nuser_account_build_info{');
    for (const path of ['/api/metrics', '/metrics?x=1']) {
      expect((await service.fetch(path, bearer(METRICS_TOKEN))).status).toBe(200);
    }
    const posted = await service.fetch('/metrics', { method: 'POST', ...bearer(METRICS_TOKEN) });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect(await (await service.fetch('/openapi.json')).text()).not.toContain('/metrics');
    await service.stop();
  });

  it('has a port of its own, where nothing else is', async () => {
    const METRICS_PORT = String(await freePort());
    const service = await startServiceOn(database, { METRICS_PORT });
    const own = `http://127.0.0.1:${METRICS_PORT}`;
    expect(service.output()).toContain(`Metrics        ${own}/metrics`);
    const answer = await fetch(`${own}/metrics?x=1`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ]);
    expect(valueOf(await answer.text(), 'user_account_database_up')).toBe(1);
    for (const [path, method, status, allow] of [
      ['/', 'GET', 404, null],
      ['/user/me', 'GET', 404, null],
      ['/metrics/', 'GET', 404, null],
      ['/api/metrics', 'GET', 404, null],
      ['/metrics', 'POST', 405, 'GET'],
      ['/metrics', 'DELETE', 405, 'GET'],
    ] as const) {
      const response = await fetch(`${own}${path}`, { method });
      expect([path, method, response.status, response.headers.get('allow')]).toEqual([
        path,
        method,
        status,
        allow,
      ]);
      expect(await response.json()).toEqual({
        detail: status === 404 ? 'Not Found' : 'Method Not Allowed',
      });
    }
    expect((await service.fetch('/metrics')).status).toBe(404);
    // What is asked there is no request to the service.
    const seen = samplesOf(await (await fetch(`${own}/metrics`)).text());
    expect(seen.filter(({ labels }) => labels['route'] === '/metrics')).toEqual([]);
    await service.stop();
  });

  it('asks for the token on its own port too, where there is one', async () => {
    const METRICS_PORT = String(await freePort());
    const service = await startServiceOn(database, { METRICS_PORT, METRICS_TOKEN });
    const own = `http://127.0.0.1:${METRICS_PORT}/metrics`;
    for (const init of [{}, bearer('x'.repeat(METRICS_TOKEN.length))]) {
      const response = await fetch(own, init);
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
      expect(await response.json()).toEqual({ detail: 'Not authenticated' });
    }
    expect((await fetch(own, bearer(METRICS_TOKEN))).status).toBe(200);
    await scrape(service);
    await service.stop();
  });

  it('says which port is in use', async () => {
    const other = createServer().listen(0);
    await once(other, 'listening');
    const port = String((other.address() as AddressInfo).port);
    const { ended, output } = spawnService({
      ...database.environment,
      SECRET_KEY: TEST_SECRET_KEY,
      METRICS_PORT: port,
    });
    expect(await ended).toBe(1);
    expect(output()).toContain(
      `METRICS_PORT ${port} is in use: stop what listens there, or choose another\n`,
    );
    other.close();
  });

  it('is answered until the service has answered everybody', async () => {
    const METRICS_PORT = String(await freePort());
    const service = await startServiceOn(database, { METRICS_PORT, DRAIN_SECONDS: '600' });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const status = async (): Promise<number | undefined> => {
      const asked = get(`${service.url}/health/ready`, { agent });
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      await text(response);
      return response.statusCode;
    };
    // A connection that is open keeps the service: there may come a request on it.
    expect(await status()).toBe(200);
    const stopped = service.stop();
    const asks = async (): Promise<boolean> =>
      fetch(service.url).then(
        () => false,
        () => true,
      );
    await waitUntil(asks);
    const answer = await fetch(`http://127.0.0.1:${METRICS_PORT}/metrics`);
    expect(valueOf(await answer.text(), 'user_account_database_up')).toBe(1);
    agent.destroy();
    expect(await stopped).toBe(0);
    await expect(fetch(`http://127.0.0.1:${METRICS_PORT}/metrics`)).rejects.toThrow();
  });
});

describe('what is counted', () => {
  let database: TestDatabase;
  let service: RunningService;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    service = await startServiceOn(database, {
      METRICS_TOKEN,
      NODE_ENV: 'production',
      HASH_CONCURRENCY: '1',
      BCRYPT_COST: '10',
      REGISTRATIONS_PER_ADDRESS: '5/day',
      LOGIN_FAILURES_PER_ACCOUNT_AT_ADDRESS: '2/day',
    });
  });

  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  /** How much each of these is more after some work than before. */
  async function added(
    counters: readonly [name: string, labels?: Record<string, string>][],
    work: () => Promise<unknown>,
  ): Promise<number[]> {
    const values = async (): Promise<number[]> => {
      const exposed = await scrape(service);
      return counters.map(([name, labels]) => valueOf(exposed, name, labels) ?? NaN);
    };
    const before = await values();
    await work();
    const after = await values();
    return after.map((value, i) => value - (before[i] ?? NaN));
  }

  const login = (fields: Record<string, string>): Promise<Response> =>
    service.fetch('/user/login', form({ password: PASSWORD, ...fields }));
  const outcome = (of: string, is: string): [string, Record<string, string>] => [
    `user_account_${of}_total`,
    { outcome: is },
  ];

  it('are registrations, by what became of them', async () => {
    expect(
      await added(
        [
          outcome('registrations', 'success'),
          outcome('registrations', 'taken'),
          outcome('registrations', 'invalid'),
          outcome('registrations', 'limited'),
          ['user_account_rate_limit_refusals_total', { door: 'registration' }],
          ['user_account_security_events_total', { event: 'user_created' }],
        ],
        async () => {
          await service.fetch('/user/create', registration('hana'));
          await service.fetch('/user/create', registration('minsu'));
          await service.fetch('/user/create', registration('hana'));
          await service.fetch('/user/create', registration('x', { email: 'none' }));
          await service.fetch('/user/create', { method: 'POST', body: '{' });
          for (let i = 0; i < 4; i += 1) {
            await service.fetch('/user/create', registration('hana'));
          }
        },
      ),
    ).toEqual([2, 3, 2, 2, 2, 2]);
  });

  it('are logins and refreshes, by what became of them, and by whatever way', async () => {
    const sameOrigin = { 'sec-fetch-site': 'same-origin' };
    const cookie = async (): Promise<void> => {
      const init = form({ username: 'hana', password: PASSWORD });
      await service.fetch('/user/session', { ...init, headers: sameOrigin });
    };
    expect(
      await added(
        [
          outcome('logins', 'success'),
          outcome('logins', 'failed'),
          outcome('logins', 'limited'),
          outcome('logins', 'invalid'),
          outcome('refreshes', 'success'),
          outcome('refreshes', 'failed'),
          ['user_account_security_events_total', { event: 'authn_login_success' }],
          ['user_account_security_events_total', { event: 'authn_login_fail' }],
          ['user_account_rate_limit_refusals_total', { door: 'password of account' }],
          ['user_account_hash_duration_seconds_count', { scheme: 'bcrypt' }],
          ['user_account_hash_wait_seconds_count'],
        ],
        async () => {
          const { refresh_token = '' } = await logInWith(service, {
            username: 'hana',
            scope: 'offline_access',
          });
          await cookie();
          await service.fetch(
            '/user/token',
            form({ grant_type: 'password', username: 'hana', password: PASSWORD }),
          );
          await service.fetch(
            '/user/token',
            form({ grant_type: 'password', username: 'nobody', password: PASSWORD }),
          );
          const refresh = { grant_type: 'refresh_token', refresh_token };
          await service.fetch('/user/token', form(refresh));
          await service.fetch('/user/token', form({ ...refresh, refresh_token: 'x' }));
          for (let i = 0; i < 3; i += 1) await login({ username: 'minsu', password: 'wrong' });
          await login({ username: '' });
          // Of no grant, nobody knows what it was to be.
          await service.fetch('/user/token', form({ grant_type: 'other' }));
        },
      ),
    ).toEqual([3, 3, 1, 1, 1, 1, 3, 3, 1, 6, 6]);
  });

  it('are those that are refused because there are too many', async () => {
    const busy = await startServiceOn(database, {
      METRICS_TOKEN,
      RATE_LIMIT: 'off',
      HASH_CONCURRENCY: '1',
      HASH_QUEUE_SECONDS: '1',
      BCRYPT_COST: '10',
    });
    await busy.fetch('/user/create', registration('jisu'));
    const answers = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const init = form({ username: 'jisu', password: PASSWORD });
        return (await busy.fetch('/user/login', init)).status;
      }),
    );
    const refused = answers.filter((status) => status === 503).length;
    expect(refused).toBeGreaterThan(0);
    const exposed = await scrape(busy);
    const labels = { method: 'POST', route: '/user/login' };
    const requests = 'user_account_http_request_duration_seconds_count';
    expect([
      valueOf(exposed, 'user_account_logins_total', { outcome: 'overloaded' }),
      valueOf(exposed, 'user_account_logins_total', { outcome: 'success' }),
      valueOf(exposed, 'user_account_hash_queue_refusals_total'),
      // Their route is known, though nothing of them was read.
      valueOf(exposed, requests, { ...labels, status: '503' }),
      valueOf(exposed, requests, { ...labels, status: '200' }),
    ]).toEqual([refused, 100 - refused, refused, refused, 100 - refused]);
    await busy.stop();
  });

  it('are requests whose client has gone', async () => {
    const gone = [
      'user_account_http_request_duration_seconds_count',
      { method: 'POST', route: '/user/login', status: '499' },
    ] as const;
    const client = new AbortController();
    const asked = service.fetch('/user/login', {
      ...form({ username: 'hana', password: PASSWORD }),
      signal: client.signal,
    });
    const busy = async (): Promise<boolean> =>
      valueOf(await scrape(service), 'user_account_hash_threads_busy') === 1;
    await waitUntil(busy);
    client.abort();
    await expect(asked).rejects.toThrow();
    await waitUntil(async () => (valueOf(await scrape(service), ...gone) ?? 0) === 1);
    expect(valueOf(await scrape(service), 'user_account_logins_total', { outcome: 'gone' })).toBe(
      1,
    );
  });

  it('has no label that a client can make up', async () => {
    const odd = async (seed: string): Promise<void> => {
      const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'];
      const paths = [
        `/${seed}`,
        `/user/${seed}`,
        `/user/sessions/${seed}`,
        `/docs/${seed}`,
        '/docs',
      ];
      paths.push(
        `/user/me?x=${seed}`,
        `/assets/${seed}.js`,
        `//${seed}`,
        `/%00${seed}`,
        '/user/login',
      );
      for (const path of paths) {
        for (const method of methods) {
          const asked = send(`${service.url}/`, {
            path,
            method,
            headers: {
              'user-agent': seed,
              'x-request-id': seed,
              'accept-language': seed,
              'x-forwarded-for': seed,
              accept: `text/${seed}`,
              origin: `https://${seed}.example`,
              authorization: `Bearer ${seed}`,
              host: `${seed}.example`,
            },
          }).end();
          const [response] = (await once(asked, 'response')) as [IncomingMessage];
          await text(response);
        }
      }
      await service.fetch('/user/login', form({ username: seed, password: seed }));
      await service.fetch('/user/token', form({ grant_type: seed, refresh_token: seed }));
      await service.fetch('/user/create', registration(seed, { [seed]: seed }));
      // Methods that Node itself does not know have no request.
      await service.fetch('/user/me', { method: 'PROPPATCH' });
    };
    const series = async (): Promise<string[]> =>
      samplesOf(await scrape(service))
        .map(({ name, labels }) => `${name}${JSON.stringify(labels)}`)
        // What the process itself happens to have open, or to have tidied up.
        .filter((one) => !/^nodejs_(active|gc)/.test(one))
        .sort();
    await odd('canary1');
    const methods = samplesOf(await scrape(service)).flatMap(
      ({ labels }) => labels['method'] ?? [],
    );
    expect([...new Set(methods)].sort()).toEqual([
      'DELETE',
      'GET',
      'HEAD',
      'OPTIONS',
      'PATCH',
      'POST',
      'PUT',
      'other',
    ]);
    const before = await series();
    await odd('canary2');
    await odd('canary3');
    expect(await series()).toEqual(before);
    expect(before.filter((one) => one.includes('canary'))).toEqual([]);
    expect(before.length).toBeLessThan(1500);
  });
});

describe('a database that is away', () => {
  it('is said to be, with everything else, however it is away', async () => {
    const postgres = await OwnPostgres.start();
    const service = await startServiceOn({ environment: postgres.environment } as TestDatabase, {
      METRICS_TOKEN,
    });
    await signUp(service, 'hana');
    const ofDatabase = [
      'user_account_sessions',
      'user_account_mail_oldest_seconds',
      'user_account_database_clock_offset_seconds',
      'user_account_database_migrations_pending',
    ];
    const seen = async (): Promise<(number | undefined)[]> => {
      const exposed = await scrape(service);
      expect(valueOf(exposed, 'user_account_hash_threads')).toBeGreaterThan(0);
      return ['user_account_database_up', ...ofDatabase].map((name) => valueOf(exposed, name));
    };
    const there = [1, 1, 0, expect.any(Number), 0];
    const away = [0, undefined, undefined, undefined, undefined];
    expect(await seen()).toEqual(there);
    const goOn = postgres.freeze();
    expect(await seen()).toEqual(away);
    goOn();
    await waitUntilReady(service);
    expect(await seen()).toEqual(there);
    await postgres.stop();
    expect(await seen()).toEqual(away);
    const failures = 'user_account_database_connection_failures_total';
    expect(valueOf(await scrape(service), failures)).toBeGreaterThan(0);
    await service.stop();
    await postgres.remove();
  });
});

describe('what the database holds', () => {
  it('is told but for what cannot be counted', async () => {
    const database = await createMigratedDatabase();
    const service = await startServiceOn(database, { METRICS_TOKEN });
    const states = {
      waiting: 'now(), NULL, 0',
      retrying: `now() + interval '1 hour', 'no', 1`,
      dead: `NULL, 'never', 1`,
      sent: 'NULL, NULL, 1',
    };
    for (const [state, values] of Object.entries(states)) {
      await database.query(
        `INSERT INTO mail (kind, recipient, language, expires_at, created_at,
                           next_attempt_at, failure, attempts)
         SELECT 'reset', $1, 'ko', 'infinity', now() - interval '1 hour', ${values}`,
        [state],
      );
    }
    await database.query(`UPDATE mail SET sent_at = now() WHERE recipient = 'sent'`);
    await database.query('ALTER TABLE user_session RENAME TO elsewhere');
    const exposed = await scrape(service);
    for (const state of Object.keys(states)) {
      expect([state, valueOf(exposed, 'user_account_mails', { state })]).toEqual([state, 1]);
    }
    expect(valueOf(exposed, 'user_account_mail_oldest_seconds')).toBeGreaterThanOrEqual(3600);
    expect(valueOf(exposed, 'user_account_sessions')).toBeUndefined();
    expect(valueOf(exposed, 'user_account_database_up')).toBe(1);
    expect(service.output()).toContain('The logins were not counted (42P01)');
    await service.stop();
    await database.drop();
  });
});

it('counts what nobody expected, from none', async () => {
  const database = await createMigratedDatabase();
  const service = await startServiceOn(database, { METRICS_TOKEN });
  const unexpected = async (): Promise<number | undefined> =>
    valueOf(await scrape(service), 'user_account_unexpected_errors_total');
  expect(await unexpected()).toBe(0);
  await database.query('ALTER TABLE "user" ALTER COLUMN username TYPE varchar(8)');
  const { status } = await service.fetch('/user/create', registration('longer than that'));
  expect(status).toBe(500);
  await database.query('ALTER TABLE "user" RENAME TO elsewhere');
  expect((await service.fetch('/user/create', registration('short'))).status).toBe(503);
  expect(await unexpected()).toBe(1);
  await service.stop();
  await database.drop();
});

it('ends the port of its own though somebody has connected and says nothing', async () => {
  const database = await createMigratedDatabase();
  const METRICS_PORT = await freePort();
  const app = await createApp(
    parseSettings({
      ...database.environment,
      SECRET_KEY: TEST_SECRET_KEY,
      METRICS_PORT: String(METRICS_PORT),
    }),
    pino({ level: 'silent' }),
  );
  await app.listen(0);
  const silent = connect(METRICS_PORT, '127.0.0.1');
  await once(silent, 'connect');
  const closed = once(silent, 'close');
  await app.close();
  await closed;
  await database.drop();
});

describe('two apps in one process', () => {
  let database: TestDatabase;
  const apps: NestExpressApplication[] = [];

  afterAll(async () => {
    await Promise.all(apps.map((app) => app.close()));
    await database.drop();
  });

  it('count for themselves, and ask the database for what is dear once for all who ask', async () => {
    database = await createMigratedDatabase();
    const start = async (): Promise<Pick<RunningService, 'fetch'>> => {
      const app = await createApp(
        parseSettings({
          ...database.environment,
          SECRET_KEY: TEST_SECRET_KEY,
          BCRYPT_COST: '4',
          METRICS_TOKEN,
        }),
        pino({ level: 'silent' }),
      );
      apps.push(app);
      await app.listen(0);
      await app.get(DatabaseService).connected;
      const { port } = app.getHttpServer().address() as AddressInfo;
      return { fetch: (path, init) => fetch(`http://127.0.0.1:${String(port)}${path}`, init) };
    };
    const [first, second] = [await start(), await start()];
    await first.fetch('/user/create', registration('hana'));
    const created = ['user_account_security_events_total', { event: 'user_created' }] as const;
    const registered = ['user_account_registrations_total', { outcome: 'success' }] as const;
    const dataSource = apps[0]?.get<DataSource>(DataSource);
    if (dataSource === undefined) throw new Error('There is no app');
    const query = jest.spyOn(dataSource, 'query');
    const exposed = await Promise.all([1, 2, 3].map(() => scrape(first)));
    exposed.push(await scrape(first));
    expect(exposed.map((one) => valueOf(one, ...created))).toEqual([1, 1, 1, 1]);
    const dear = query.mock.calls.filter(([sql]) => sql.includes('FROM user_session'));
    expect(dear).toHaveLength(1);
    const other = await scrape(second);
    expect([valueOf(other, ...created), valueOf(other, ...registered)]).toEqual([0, 0]);
  });
});
