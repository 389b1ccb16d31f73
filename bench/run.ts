import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { chmod, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from 'pg';
import pino from 'pino';
import { parseSettings } from '../src/config/settings';
import { ServiceDataSource } from '../src/database/data-source';
import { EmbeddedPostgres } from '../src/database/embedded-postgres';
import type { Limit } from './limit';
import { type Load, type LoadResult, median, quantiles, send } from './load';
import { measureTakeover } from './takeover';

/** Whether, instead of all else, the service is to be watched for minutes: `soak 10`. */
const SOAK = process.argv[2] === 'soak';
const SOAK_MINUTES = Number(process.argv[3] ?? 10);
/** Rounds of everything that is compared: each compares within itself, the median is over rounds. */
const ROUNDS = SOAK ? 0 : Number(process.argv[2] ?? 5);
const SECONDS = 4;
/** A load that is counted once as many answers end as begin. */
const STEADY = { warmUpSeconds: 2, seconds: 3 * SECONDS };
const COST = 12;
const THREADS = availableParallelism();
const SECRET_KEY = 'what the benchmark signs with, long enough and known to all';
const PASSWORD = 'correct horse 9';

interface Row {
  readonly what: string;
  readonly measured: string;
  readonly goal?: string;
}

const rows: Row[] = [];
function report(what: string, measured: string, goal?: string): void {
  rows.push({ what, measured, ...(goal !== undefined && { goal }) });
  console.log(`${what.padEnd(66)} ${measured}${goal === undefined ? '' : `   (goal: ${goal})`}`);
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const ms = (value: number): string => `${value.toFixed(1)} ms`;

/** A child of this folder, in TypeScript, that answers each message with one. */
function child(file: string): {
  ask: (message: unknown) => Promise<unknown>;
  process: ChildProcess;
} {
  const process = fork(join(__dirname, file), { execArgv: ['--require', 'ts-node/register'] });
  const ended = once(process, 'exit').then(() => {
    throw new Error(`${file} ended`);
  });
  // Ended on purpose, nobody asks it any more.
  ended.catch(() => undefined);
  return {
    process,
    async ask(message) {
      process.send(message as object);
      const [answer] = (await Promise.race([once(process, 'message'), ended])) as [unknown];
      return answer;
    },
  };
}

/** The built service, in production mode, and what its log says of refusals. */
class Service {
  readonly refusals: number[] = [];
  private constructor(
    private readonly process: ChildProcess,
    readonly url: string,
    readonly startSeconds: number,
  ) {}

  /** @param watched whether its log is read, which costs some of the machine */
  static async start(environment: Record<string, string>, watched = true): Promise<Service> {
    const began = performance.now();
    const process = spawn(
      globalThis.process.execPath,
      ['--import', join(__dirname, 'inside.mjs'), 'dist/src/main.js'],
      {
        env: {
          NODE_ENV: 'production',
          PORT: '0',
          SECRET_KEY,
          BCRYPT_COST: String(COST),
          // One account logs in again and again, from one address.
          RATE_LIMIT: 'off',
          ...environment,
        },
        stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      },
    );
    const lines = createInterface({ input: process.stdout as NodeJS.ReadableStream });
    let started: Service | undefined;
    return new Promise((resolve, reject) => {
      process.once('exit', () => {
        reject(new Error('The service ended'));
      });
      lines.on('line', (line) => {
        const { msg, status, ms } = JSON.parse(line) as {
          msg: string;
          status?: number;
          ms?: number;
        };
        if (status === 503 && ms !== undefined) started?.refusals.push(ms);
        const [, url] = /^API +(http:\/\/localhost:\d+)/.exec(msg) ?? [];
        if (url === undefined) return;
        if (!watched) {
          lines.close();
          process.stdout?.resume();
        }
        started = new Service(
          process,
          url.replace('localhost', '127.0.0.1'),
          (performance.now() - began) / 1000,
        );
        resolve(started);
      });
    });
  }

  async inside(): Promise<{ loopP99: number; rss: number }> {
    this.process.send('measure');
    const [answer] = (await once(this.process, 'message')) as [{ loopP99: number; rss: number }];
    return answer;
  }

  async stop(): Promise<void> {
    this.process.kill('SIGTERM');
    await once(this.process, 'exit');
  }
}

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'uas-bench-'));
  await chmod(directory, 0o711);
  const postgres = await EmbeddedPostgres.start(directory);
  const environment = {
    INSTANCE_HOST: postgres.host,
    DB_USER: postgres.user,
    DB_PASS: postgres.password,
    DB_NAME: postgres.database,
  };
  const dataSource = await ServiceDataSource.open(
    parseSettings(environment),
    pino({ level: 'silent' }),
  );
  await dataSource.initialize();
  await dataSource.runMigrations();
  await dataSource.destroy();
  if (SOAK) {
    await soak(environment);
    await postgres.release();
    await rm(directory, { recursive: true });
    return;
  }
  console.log(
    `${cpus()[0]?.model ?? 'unknown processor'}, ${String(THREADS)} cores, Node ${process.version}, ${String(ROUNDS)} rounds`,
  );

  const client = child('load.ts');
  const limit = child('limit.ts');
  const load = (wanted: Load): Promise<LoadResult> => client.ask(wanted) as Promise<LoadResult>;
  const rawRate = (backend: Limit['backend'], seconds = SECONDS): Promise<number> =>
    limit.ask({
      backend,
      cost: COST,
      threads: THREADS,
      seconds,
    } satisfies Limit) as Promise<number>;

  await hashing(environment, load, rawRate);
  await limits(environment, load, rawRate);
  await reading(environment, load);
  await plans(environment);
  await takingOver(environment);

  client.process.kill();
  limit.process.kill();
  await postgres.release();
  await rm(directory, { recursive: true });
  writeFileSync('bench/results.json', `${JSON.stringify(rows, null, 2)}\n`);
}

type Environment = Record<string, string>;

function login(url: string, username = 'hana'): Pick<Load, 'url' | 'method' | 'headers' | 'body'> {
  return {
    url: `${url}/user/login`,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ username, password: PASSWORD }).toString(),
  };
}

async function signUp(url: string, username: string): Promise<void> {
  const email = `${username}@example.com`;
  await fetch(`${url}/user/create`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password1: PASSWORD, password2: PASSWORD, email }),
  });
}

async function token(url: string): Promise<string> {
  const { body, headers } = login(url);
  const response = await fetch(`${url}/user/login`, {
    method: 'POST',
    ...(headers && { headers }),
    body: body ?? '',
  });
  return ((await response.json()) as { access_token: string }).access_token;
}

/** 1 to 4 and 6: logins against the limit, what others notice of them, and refusals. */
async function hashing(
  environment: Environment,
  load: (wanted: Load) => Promise<LoadResult>,
  rawRate: (backend: Limit['backend'], seconds?: number) => Promise<number>,
): Promise<void> {
  const service = await Service.start(environment);
  await untilReady(service.url);
  report('start to listening', `${service.startSeconds.toFixed(2)} s`);
  await signUp(service.url, 'hana');
  const headers = { authorization: `Bearer ${await token(service.url)}` };
  report('memory, idle', `${(await service.inside()).rss.toFixed(0)} MB`, 'under 200 MB');

  const clients = [1, 4, 16, 64];
  const limits: number[] = [];
  const javaScript: number[] = [];
  const shares = new Map<number, number[]>(clients.map((count) => [count, []]));
  const rates = new Map<number, number[]>(clients.map((count) => [count, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = await rawRate('native');
    const measured: [number, number][] = [];
    for (const concurrency of clients) {
      const { rate } = await load({ ...login(service.url), concurrency, ...STEADY });
      measured.push([concurrency, rate['200'] ?? 0]);
    }
    const raw = (before + (await rawRate('native'))) / 2;
    limits.push(raw);
    javaScript.push((await rawRate('bcryptjs')) / raw);
    for (const [concurrency, rate] of measured) {
      shares.get(concurrency)?.push(rate / raw);
      rates.get(concurrency)?.push(rate);
    }
  }
  report('limit: verifications a second on all cores, native', median(limits).toFixed(2));
  report('bcryptjs against native', percent(median(javaScript)));
  for (const concurrency of clients) {
    report(
      `logins a second, ${String(concurrency)} clients`,
      `${median(rates.get(concurrency) ?? []).toFixed(2)}, ${percent(median(shares.get(concurrency) ?? []))} of the limit`,
      concurrency === 1 ? undefined : '95 %',
    );
  }

  // What others notice, idle and meanwhile, one after the other in each round.
  for (const path of ['/user/me', '/health/live']) {
    const idle: number[][] = [];
    const busy: number[][] = [];
    const loops: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const quiet = await probe(service.url + path, headers, SECONDS);
      await service.inside();
      const storm = load({ ...login(service.url), concurrency: 16, seconds: SECONDS + 1 });
      const loud = await probe(service.url + path, headers, SECONDS);
      loops.push((await service.inside()).loopP99);
      await storm;
      idle.push(quiet);
      busy.push(loud);
    }
    const quiet = quantiles(idle.flat());
    const loud = quantiles(busy.flat());
    const ratio = median(
      idle.map((values, i) => quantiles(busy[i] ?? []).p99 / quantiles(values).p99),
    );
    report(
      `GET ${path}, idle: p50, p99, maximum`,
      [quiet.p50, quiet.p99, quiet.max].map(ms).join(', '),
    );
    report(
      `GET ${path}, while 16 clients log in`,
      [loud.p50, loud.p99, loud.max].map(ms).join(', '),
      'p99 at most 50 ms',
    );
    report(`GET ${path}, p99 against idle`, `${ratio.toFixed(2)} times`, 'at most 3');
    report(`delay of the event loop meanwhile, p99`, ms(median(loops)), 'at most 20 ms');
  }

  // Ten times what can be done, at a steady pace.
  const goodput: number[] = [];
  const refused: number[] = [];
  service.refusals.length = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const raw = await rawRate('native');
    const answers = await storm(login(service.url), 10 * raw, 3 * SECONDS);
    goodput.push((answers['200'] ?? 0) / raw);
    refused.push(answers['503'] ?? 0);
  }
  report('ten times overload: logins against the limit', percent(median(goodput)), '90 %');
  report('ten times overload: refused a second', median(refused).toFixed(1));
  report(
    'how fast the refused are refused, inside, p99',
    ms(quantiles(service.refusals).p99),
    'at most 20 ms',
  );
  report('memory, after the run', `${(await service.inside()).rss.toFixed(0)} MB`, 'under 200 MB');
  await service.stop();

  const argon2id = await Service.start({ ...environment, PASSWORD_SCHEME: 'argon2id' });
  await untilReady(argon2id.url);
  await token(argon2id.url);
  const argonShares: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = await rawRate('argon2id');
    const { rate } = await load({ ...login(argon2id.url), concurrency: 16, ...STEADY });
    argonShares.push((rate['200'] ?? 0) / ((before + (await rawRate('argon2id'))) / 2));
  }
  report(
    'argon2id: logins of 16 clients against its own limit',
    percent(median(argonShares)),
    '90 %',
  );
  await argon2id.stop();
}

/** What the limits add to a login, where it is nearly all that a login costs. */
async function limits(
  environment: Environment,
  load: (wanted: Load) => Promise<LoadResult>,
  rawRate: (backend: Limit['backend'], seconds?: number) => Promise<number>,
): Promise<void> {
  const cheap = { ...environment, BCRYPT_COST: '4' };
  const off = await Service.start(cheap, false);
  const on = await Service.start({ ...cheap, RATE_LIMIT: 'on' }, false);
  for (const { url } of [off, on]) await untilReady(url);
  await signUp(on.url, 'cheap');
  const added: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const seconds: number[] = [];
    for (const { url } of [off, on]) {
      const { rate } = await load({ ...login(url, 'cheap'), concurrency: 1, seconds: SECONDS });
      seconds.push(1 / (rate['200'] ?? NaN));
    }
    added.push((seconds[1] ?? NaN) - (seconds[0] ?? NaN));
  }
  await off.stop();
  await on.stop();
  const hash = THREADS / (await rawRate('native'));
  report('what the limits add to a login', ms(median(added) * 1000));
  report('… against the hash it guards', percent(median(added) / hash), 'at most 2 %');
}

/** 5: the price of each layer. */
async function reading(
  environment: Environment,
  load: (wanted: Load) => Promise<LoadResult>,
): Promise<void> {
  const service = await Service.start(environment, false);
  await untilReady(service.url);
  const headers = { authorization: `Bearer ${await token(service.url)}` };
  const peers = await Promise.all(['express', 'http'].map((name) => peer(name, environment)));
  const rates: number[][] = [[], [], []];
  for (let round = 0; round < ROUNDS + 1; round += 1) {
    for (const [i, url] of [service.url, ...peers.map(({ url }) => url)].entries()) {
      const { rate } = await load({
        url: `${url}/user/me`,
        headers,
        concurrency: 16,
        seconds: SECONDS,
      });
      // The first round warms up.
      if (round > 0) rates[i]?.push(rate['200'] ?? 0);
    }
  }
  const [ours = [], ofExpress = [], ofHttp = []] = rates;
  report('GET /user/me a second', median(ours).toFixed(0));
  report(
    '… against bare Express',
    percent(median(ours.map((rate, i) => rate / (ofExpress[i] ?? NaN)))),
    '60 %, aim 80 %',
  );
  report(
    '… against bare node:http',
    percent(median(ours.map((rate, i) => rate / (ofHttp[i] ?? NaN)))),
  );
  for (const { process } of peers) process.kill();
  await service.stop();
}

/** 7: what the two queries read, whatever the size of the table. */
async function plans(environment: Environment): Promise<void> {
  const client = new Client({
    host: environment['INSTANCE_HOST'] ?? '',
    user: environment['DB_USER'] ?? '',
    password: environment['DB_PASS'] ?? '',
    database: environment['DB_NAME'] ?? '',
  });
  await client.connect();
  const explain = async (sql: string): Promise<string> => {
    const { rows: lines } = await client.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) ${sql}`,
    );
    const text = lines.map((line) => line['QUERY PLAN']);
    const node = text.find((line) => /Scan|Insert/.test(line))?.trim() ?? '';
    const buffers = /shared hit=(\d+)(?: read=(\d+))?/.exec(text.join('\n'));
    const read = Number(buffers?.[1] ?? 0) + Number(buffers?.[2] ?? 0);
    return `${node.replace(/ \(actual.*/, '')}, ${String(read)} buffers`;
  };
  let size = 1;
  for (const users of [1000, 100_000, 1_000_000]) {
    await client.query(
      `INSERT INTO "user" (username, username_folded, email, password)
       SELECT 'user' || i, 'user' || i, 'user' || i || '@example.com', '$2b$12$' || repeat(md5(i::text), 2) FROM generate_series($1::int, $2::int) i`,
      [size, users],
    );
    size = users + 1;
    await client.query('VACUUM ANALYZE "user"');
    const name = users.toLocaleString('en');
    // Once to have the pages of the indexes in memory.
    const byName = `SELECT id, username, email, password FROM "user" WHERE username = 'user${String(users / 2)}' LIMIT 1`;
    await explain(byName);
    report(`${name} users: login`, await explain(byName), 'index scan, flat');
    const insert = (i: number): string =>
      `INSERT INTO "user" (username, username_folded, email, password) VALUES ('bench${String(users + i)}', 'bench${String(users + i)}', 'bench${String(users + i)}@example.com', 'x')`;
    await explain(insert(0));
    report(`${name} users: registration`, await explain(insert(1)), 'flat');
  }
  await client.end();
}

/** 8: a million users of the FastAPI backend, while somebody signs up. */
async function takingOver(environment: Environment): Promise<void> {
  const client = new Client({
    host: environment['INSTANCE_HOST'] ?? '',
    user: environment['DB_USER'] ?? '',
    password: environment['DB_PASS'] ?? '',
    database: environment['DB_NAME'] ?? '',
  });
  await client.connect();
  await client.query('CREATE DATABASE takeover');
  await client.end();
  const figures = await measureTakeover({ ...environment, DB_NAME: 'takeover', SECRET_KEY });
  const { checkSeconds, checkMegabytes, runSeconds, backSeconds, idle, meanwhile } = figures;
  const seconds = (value: number): string => `${value.toFixed(1)} s`;
  report('1,000,000 users: takeover check', seconds(checkSeconds), 'under 30 s');
  report('… its memory', `${checkMegabytes.toFixed(0)} MB`);
  report('1,000,000 users: takeover run', seconds(runSeconds));
  report('… longest wait of a writer meanwhile', ms(meanwhile.run), 'under 100 ms');
  report('1,000,000 users: takeover back', seconds(backSeconds));
  report('… longest wait of a writer meanwhile', ms(meanwhile.back), 'under 100 ms');
  report('… and with nothing going on', ms(idle));
}

/** 9: memory over minutes of logins, questions, registrations that are refused, and nonsense. */
async function soak(environment: Environment): Promise<void> {
  const service = await Service.start({ ...environment, BCRYPT_COST: '4' }, false);
  await untilReady(service.url);
  await signUp(service.url, 'hana');
  const headers = { authorization: `Bearer ${await token(service.url)}` };
  const json = { 'content-type': 'application/json' };
  const email = 'hana@example.com';
  const taken = { username: 'hana', password1: PASSWORD, password2: PASSWORD, email };
  const loads: Pick<Load, 'url' | 'method' | 'headers' | 'body'>[] = [
    login(service.url),
    { url: `${service.url}/user/me`, headers },
    {
      url: `${service.url}/user/create`,
      method: 'POST',
      headers: json,
      body: JSON.stringify(taken),
    },
    { url: `${service.url}/user/create`, method: 'POST', headers: json, body: '{"username":[' },
  ];
  const seconds = SOAK_MINUTES * 60;
  const clients = loads.map(() => child('load.ts'));
  const answers = Promise.all(
    clients.map((client, i) => client.ask({ ...loads[i], concurrency: 2, seconds })),
  ) as Promise<LoadResult[]>;
  const memory: number[] = [];
  for (let minute = 0; minute < SOAK_MINUTES; minute += 1) {
    const samples: number[] = [];
    for (let i = 0; i < 12; i += 1) {
      await delay(5000);
      samples.push((await service.inside()).rss);
    }
    memory.push(median(samples));
    console.log(`minute ${String(minute + 1)}: ${memory.at(-1)?.toFixed(0) ?? ''} MB`);
  }
  for (const [i, { rate }] of (await answers).entries()) {
    console.log(
      `${loads[i]?.method ?? 'GET'} ${loads[i]?.url ?? ''}: ${JSON.stringify(rate)} a second`,
    );
  }
  const half = Math.floor(memory.length / 2);
  const growth = median(memory.slice(half)) / median(memory.slice(0, half)) - 1;
  report('Memory of the second half of the soak, against the first', percent(1 + growth), 'flat');
  for (const { process } of clients) process.kill();
  await service.stop();
}

async function peer(
  name: string,
  environment: Environment,
): Promise<{ url: string; process: ChildProcess }> {
  const process = fork(join(__dirname, 'peer.ts'), {
    execArgv: ['--require', 'ts-node/register'],
    env: { ...environment, SECRET_KEY, PEER: name },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  process.stdout?.resume();
  const [port] = (await once(process, 'message')) as [number];
  return { process, url: `http://127.0.0.1:${String(port)}` };
}

/** Requests at a steady pace, fifty a second, and how long each took. */
async function probe(
  url: string,
  headers: Record<string, string>,
  seconds: number,
): Promise<number[]> {
  const latencies: number[] = [];
  const answers: Promise<void>[] = [];
  for (let i = 0; i < seconds * 50; i += 1) {
    const sent = performance.now();
    answers.push(
      fetch(url, { headers })
        .then((response) => response.text())
        .then(() => void latencies.push(performance.now() - sent)),
    );
    await delay(20);
  }
  await Promise.all(answers);
  return latencies;
}

/**
 * So many requests a second, whether they are answered or not, counted once the queue is full.
 *
 * @returns answers a second, by status
 */
async function storm(
  load: Pick<Load, 'url' | 'method' | 'headers' | 'body'>,
  perSecond: number,
  seconds: number,
): Promise<Record<string, number>> {
  const agent = new Agent({ keepAlive: true });
  const counts: Record<string, number> = {};
  const answers: Promise<void>[] = [];
  const began = performance.now();
  const from = began + STEADY.warmUpSeconds * 1000;
  const until = from + seconds * 1000;
  for (let i = 0; i < perSecond * (STEADY.warmUpSeconds + seconds); i += 1) {
    const due = began + (i / perSecond) * 1000;
    const early = due - performance.now();
    if (early > 0) await delay(early);
    answers.push(
      send(load, agent).then(({ status }) => {
        const now = performance.now();
        if (now >= from && now <= until) counts[status] = (counts[status] ?? 0) + 1;
      }),
    );
  }
  await Promise.all(answers);
  agent.destroy();
  return Object.fromEntries(
    Object.entries(counts).map(([status, count]) => [status, count / seconds]),
  );
}

async function untilReady(url: string): Promise<void> {
  while ((await fetch(`${url}/health/ready`)).status !== 200) await new Promise(setImmediate);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
