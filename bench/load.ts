import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * What clients do for a while: the same request again and again, several of them at once, each when
 * it has its answer, or, refused, when the answer says to come back.
 */
export interface Load {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** Requests under way at any time. */
  readonly concurrency: number;
  readonly seconds: number;
  /** How long the load runs before that, uncounted: until as many answers end as begin. */
  readonly warmUpSeconds?: number;
}

/** What came of it. */
export interface LoadResult {
  /** Answers a second, by status. */
  readonly rate: Readonly<Record<string, number>>;
  /** Milliseconds from sending a request to the end of its answer. */
  readonly latency: Quantiles;
}

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What an answer is to a client: its status, and when to come back. */
export interface Answer {
  readonly status: number;
  /** Seconds. */
  readonly retryAfter: number;
}

/** Sends one request, and reads its answer to the end. */
export function send(
  { url, method = 'GET', headers = {}, body }: Pick<Load, 'url' | 'method' | 'headers' | 'body'>,
  agent: Agent,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, method, headers }, (response) => {
      response.resume().once('end', () => {
        const { statusCode: status = 0, headers: answered } = response;
        resolve({ status, retryAfter: Number(answered['retry-after'] ?? 0) });
      });
    });
    sent.once('error', (error: NodeJS.ErrnoException) => {
      // A kept connection that the server closed just then: any client tries again.
      if (sent.reusedSocket && error.code === 'ECONNRESET') {
        send({ url, method, headers, ...(body !== undefined && { body }) }, agent).then(
          resolve,
          reject,
        );
      } else {
        reject(error);
      }
    });
    sent.end(body);
  });
}

/** Sends it from this process, which should do nothing else. */
export async function run(load: Load): Promise<LoadResult> {
  const { concurrency, seconds, warmUpSeconds = 0 } = load;
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const answers: Record<string, number> = {};
  const latencies: number[] = [];
  const from = performance.now() + warmUpSeconds * 1000;
  const until = from + seconds * 1000;
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (performance.now() < until) {
        const sent = performance.now();
        const { status, retryAfter } = await send(load, agent);
        // An answer after the end belongs to no second of the load.
        if (performance.now() > until) return;
        if (performance.now() >= from) {
          latencies.push(performance.now() - sent);
          answers[status] = (answers[status] ?? 0) + 1;
        }
        if (retryAfter > 0) await delay(Math.min(retryAfter * 1000, until - performance.now()));
      }
    }),
  );
  agent.destroy();
  const rate = Object.fromEntries(
    Object.entries(answers).map(([status, count]) => [status, count / seconds]),
  );
  return { rate, latency: quantiles(latencies) };
}

export function quantiles(values: readonly number[]): Quantiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** The middle one, or the mean of the two that are. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
}

// Started with fork(), it is the client in a process of its own.
process.on('message', (load: Load) => {
  run(load).then(
    (result) => process.send?.(result),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
