import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';

const USERS = 1_000_000;
/** How often the writer comes, as somebody who signs up every hundredth of a second. */
const PAUSE_MS = 10;

/** What taking over a large database costs. */
export interface TakeoverFigures {
  readonly checkSeconds: number;
  readonly checkMegabytes: number;
  readonly runSeconds: number;
  readonly backSeconds: number;
  /** Longest time that a writer waited for its transaction, in milliseconds. */
  readonly idle: number;
  readonly meanwhile: { readonly run: number; readonly back: number };
}

/**
 * Takes over a database of a million users with the built command line, while somebody writes.
 *
 * @param environment settings of an empty database
 */
export async function measureTakeover(
  environment: Readonly<Record<string, string>>,
): Promise<TakeoverFigures> {
  const client = await connect(environment);
  await client.query(readFileSync('test/fixtures/fastapi-database.sql', 'utf8'));
  await client.query(
    `INSERT INTO public."user" (username, email, password)
     SELECT 'user' || i, 'user' || i || '@example' || i % 5000 || '.com', '$2b$12$' || repeat(md5(i::text), 2)
       FROM generate_series(1, $1::int) i`,
    [USERS - 6],
  );
  await client.query(`UPDATE public."user" SET password = left(password, 60)`);
  await client.query('VACUUM ANALYZE public."user"');
  const check = await command(['check', '--json'], environment);
  const idle = await whileWriting(environment, () => delay(2000));
  const run = await whileWriting(environment, () => command(['run'], environment));
  const back = await whileWriting(environment, () => command(['back', '--yes'], environment));
  await client.end();
  return {
    checkSeconds: check.seconds,
    checkMegabytes: check.megabytes,
    runSeconds: run.outcome.seconds,
    backSeconds: back.outcome.seconds,
    idle: idle.longest,
    meanwhile: { run: run.longest, back: back.longest },
  };
}

async function connect(environment: Readonly<Record<string, string>>): Promise<Client> {
  const client = new Client({
    host: environment['INSTANCE_HOST'] ?? '',
    user: environment['DB_USER'] ?? '',
    password: environment['DB_PASS'] ?? '',
    database: environment['DB_NAME'] ?? '',
  });
  await client.connect();
  return client;
}

/** Runs a command, and asks it at its end how much memory it had. */
async function command(
  commandArguments: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<{ seconds: number; megabytes: number }> {
  const script = `process.on('exit', () => console.error('rss', process.resourceUsage().maxRSS))`;
  const began = performance.now();
  const { stderr } = await promisify(execFile)(
    process.execPath,
    [
      '--import',
      `data:text/javascript,${encodeURIComponent(script)}`,
      'dist/src/cli/takeover.js',
      ...commandArguments,
    ],
    { env: { ...environment }, maxBuffer: 2 ** 26 },
  );
  const [, kilobytes = ''] = /^rss (\d+)$/m.exec(stderr) ?? [];
  return { seconds: (performance.now() - began) / 1000, megabytes: Number(kilobytes) / 1024 };
}

/** Somebody who signs up again and again. @returns how long the longest of it took */
async function whileWriting<T>(
  environment: Readonly<Record<string, string>>,
  work: () => Promise<T>,
): Promise<{ outcome: T; longest: number }> {
  const client = await connect(environment);
  let going = true;
  let longest = 0;
  const write = async (): Promise<void> => {
    for (let i = 0; going; i += 1) {
      const name = `writer${String(process.hrtime.bigint())}`;
      const began = performance.now();
      await client.query(
        `INSERT INTO public."user" (username, email, password) VALUES ($1::text, $1::text || '@example.com', 'x')`,
        [name],
      );
      await client.query('UPDATE public."user" SET password = $2 WHERE username = $1', [name, 'y']);
      longest = Math.max(longest, performance.now() - began);
      await delay(PAUSE_MS);
    }
  };
  const writing = write();
  try {
    return { outcome: await work(), longest };
  } finally {
    going = false;
    await writing;
    await client.end();
  }
}
