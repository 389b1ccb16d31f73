import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { TestDatabase } from './database';

export const TEST_SECRET_KEY = 'what the tests sign with, long enough and known to all';

/** Between two questions to a service that is not ready yet. */
const POLL_MS = 20;

/** The built service, or the reference, in a process of its own. */
export interface RunningService {
  readonly url: string;
  /** Everything it has said. */
  readonly output: () => string;
  /** Sends a request; a path begins behind the host. */
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>;
  /** Ends it as an operator would. @returns its exit status, or the signal that ended it */
  readonly stop: (signal?: NodeJS.Signals) => Promise<number | NodeJS.Signals | null>;
}

/** Processes that a test has not ended, because it failed: none outlives its file. */
const alive = new Set<ChildProcess>();
afterAll(() => {
  for (const child of alive) child.kill('SIGKILL');
});

/** What a process says, as it says it. */
interface Talk {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | NodeJS.Signals | null>;
  /** The first line that matches; rejects if the process ends before. */
  readonly line: (pattern: RegExp) => Promise<RegExpExecArray>;
}

/** Runs the built service with these settings, and the test runner's `PATH`, only. */
export function spawnService(environment: Record<string, string>, cwd?: string): Talk {
  const settings = { BCRYPT_COST: '4', PORT: '0', ...environment };
  return spawnServer(process.execPath, [`${process.cwd()}/dist/src/main.js`], settings, cwd);
}

/** Runs a program with this environment, and the test runner's `PATH`, only. */
export function spawnServer(
  program: string,
  parameters: readonly string[],
  environment: Record<string, string>,
  cwd = process.cwd(),
): Talk {
  const child = spawn(program, parameters, {
    cwd,
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  alive.add(child);
  child.once('exit', () => alive.delete(child));
  let output = '';
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on('line', (line) => {
      output += `${line}\n`;
      for (const look of waiting) look();
    });
  }
  const ended = once(child, 'close').then(
    ([code, signal]: (number | NodeJS.Signals | null)[]) => code ?? signal ?? null,
  );
  return {
    child,
    output: () => output,
    ended,
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(output);
          if (match === null) return;
          waiting.delete(look);
          resolve(match);
        };
        waiting.add(look);
        look();
        void ended.then((status) => {
          reject(new Error(`It ended (${String(status)}) and said:\n${output}`));
        });
      }),
  };
}

/** Starts the built service and waits until it listens. */
export async function startService(
  environment: Record<string, string>,
  cwd?: string,
): Promise<RunningService> {
  return listening(spawnService(environment, cwd), /API +(http:\/\/localhost:\d+)[^]*Data +\S/);
}

/** A server, as soon as it has said where it listens: what the pattern captures. */
export async function listening(
  { child, output, ended, line }: Talk,
  pattern: RegExp,
): Promise<RunningService> {
  const [, url = ''] = await line(pattern);
  return {
    url,
    output,
    fetch: (path, init) => fetch(`${url}${path}`, init),
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      return ended;
    },
  };
}

/** The service on a database of its own, and ready. */
export async function startServiceOn(
  database: TestDatabase,
  environment: Record<string, string> = {},
): Promise<RunningService> {
  const service = await startService({
    SECRET_KEY: TEST_SECRET_KEY,
    ...database.environment,
    ...environment,
  });
  await waitUntilReady(service);
  return service;
}

/** Asks until the service says it is ready. */
export async function waitUntilReady(service: RunningService): Promise<void> {
  await waitUntil(
    async () => (await service.fetch('/health/ready')).status === 200,
    service.output,
  );
}

/** Asks again and again; what is waited for is the answer, not a time. */
export async function waitUntil(
  holds: () => Promise<boolean>,
  explain: () => string = () => '',
): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Not in time:\n${explain()}`);
    await delay(POLL_MS);
  }
}
